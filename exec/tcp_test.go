package exec_test

import (
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
)

// tryConn makes a TCP connection's Read return at once, as the transport's
// contract asks: one non-blocking read(2) per call.
type tryConn struct {
	*net.TCPConn
	raw syscall.RawConn
}

func (c *tryConn) SetReadDeadline(time.Time) error { return nil }

func (c *tryConn) Read(p []byte) (n int, err error) {
	rerr := c.raw.Read(func(fd uintptr) bool {
		n, err = syscall.Read(int(fd), p)
		return true
	})
	switch {
	case rerr != nil:
		return 0, rerr
	case err == syscall.EAGAIN:
		return 0, os.ErrDeadlineExceeded
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

func dialTry(srv *httptest.Server) exec.Dial {
	return func(ctx context.Context, _ string) (net.Conn, error) {
		var d net.Dialer
		c, err := d.DialContext(ctx, "tcp", srv.Listener.Addr().String())
		if err != nil {
			return nil, err
		}
		tc := c.(*net.TCPConn)
		raw, err := tc.SyscallConn()
		return &tryConn{tc, raw}, err
	}
}

// TestOrdersOverRealSocketsAreTakenAtMostOnce runs orders through net/http's server
// over loopback, while it closes kept connections at random moments: before
// reading, after reading, after half an answer. Each client id must arrive at
// most once and every order must end as the server has it.
func TestOrdersOverRealSocketsAreTakenAtMostOnce(t *testing.T) {
	var mu sync.Mutex
	rng := rand.New(rand.NewPCG(7, 7))
	arrived := map[string]int{}
	taken := map[string]int64{}
	var cold atomic.Pointer[coldVenue]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		if q.URL.Path == "/api/v3/ping" {
			_, _ = io.WriteString(w, "{}")
			return
		}
		v := q.URL.Query()
		client := v.Get("newClientOrderId")
		arrived[client]++
		fate := rng.IntN(8)
		hangUp := func(text string) {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				_, _ = io.WriteString(c, text)
				_ = c.Close()
			}
		}
		if fate == 0 {
			hangUp("")
			return
		}
		id := int64(len(taken) + 1)
		taken[client] = id
		cid, _ := core.MakeClientID(client)
		cold.Load().set(core.Execution{Status: core.New, Client: cid, VenueID: id, Qty: 2_00000000})
		body := placed(&request{query: v}, id, "NEW", "0.00000000")
		switch fate {
		case 1:
			hangUp("")
		case 2:
			hangUp(answer(200, body)[:100])
		case 3: // a close that the client does not know of yet when it sends the next
			hangUp(answer(200, body))
		case 4:
			w.Header().Set("Connection", "close")
			_, _ = io.WriteString(w, body)
		case 5: // chunked: flushed in pieces
			_, _ = io.WriteString(w, body[:50])
			w.(http.Flusher).Flush()
			_, _ = io.WriteString(w, body[50:])
		default:
			_, _ = io.WriteString(w, body)
		}
	}))
	defer srv.Close()
	sys := core.NewSystemClock()
	r := newRig(t, func(c *exec.Config) {
		cold.Store(c.Venue.(*coldVenue))
		c.Pool.Dial = dialTry(srv)
		c.Pool.BackoffMax = 10 * time.Millisecond
		c.Clock = sys
		c.Time = exec.NewVenueClock(c.Clock)
		c.TimeToLive = 30 * time.Second
		c.ProofMargin, c.AbsentPolls, c.AskMax = time.Nanosecond, 1, 50*time.Millisecond
	})
	var ids []core.OrderID
	guard := time.Now().Add(60 * time.Second)
	unsettled := func() (n int) {
		for _, id := range ids {
			if o := r.g.Table().Find(id); o != nil && (o.Status() == core.PendingNew || (o.Status() == core.Unknown && arrivedAndTaken(&mu, taken, o.Client))) {
				n++
			} else if o == nil && r.story(id) == "" {
				n++
			}
		}
		return n
	}
	for i := 0; i < 200 || unsettled() > 0; i++ {
		if i < 200 {
			r.clock.ns.Store(int64(sys.Mono())) // the gate's clock follows the gateway's
			ids = append(ids, r.buy(100_00000000))
		}
		for range 20 {
			r.g.Step()
			r.drain()
			runtime.Gosched()
		}
		if time.Now().After(guard) {
			t.Fatalf("%d orders are not settled", unsettled())
		}
	}
	mu.Lock()
	defer mu.Unlock()
	acked := 0
	for _, id := range ids {
		o := r.g.Table().Find(id)
		if o == nil {
			continue
		}
		_, has := taken[o.Client.String()]
		if n := arrived[o.Client.String()]; n > 1 {
			t.Errorf("order %s arrived %d times", o.Client, n)
		}
		if has != (o.Status() == core.New) {
			t.Errorf("order %s is %v, the venue has it: %v", o.Client, o.Status(), has)
		}
		if has {
			acked++
		}
	}
	if acked < 100 {
		t.Errorf("only %d of %d orders were taken; the test shows nothing", acked, len(ids))
	}
	t.Logf("%d orders, %d taken, %d in doubt for a while, %d wires lost", len(ids), acked, r.g.Table().Stats.Doubts, r.g.Pool().Stats.Lost)
}

func arrivedAndTaken(mu *sync.Mutex, taken map[string]int64, c core.ClientID) bool {
	mu.Lock()
	defer mu.Unlock()
	_, ok := taken[c.String()]
	return ok
}

func TestDialsAreRetriedWithBackoffAndStopAtClose(t *testing.T) {
	r := newRig(t)
	r.srv.dialFail.Store(true)
	for _, c := range r.srv.conns {
		c.closed = true
	}
	before := r.g.Pool().Stats
	r.until("every wire has failed to dial four times", func() bool { return r.g.Pool().Stats.DialErrors >= 12 })
	s := r.g.Pool().Stats
	if s.LastError != "no route" || s.Lost-before.Lost != 3 {
		t.Errorf("pool counts %+v", s)
	}
	start := r.clock.Mono()
	from := s.Dials
	r.until("10 s have passed", func() bool { return r.clock.Mono()-start > core.MonoNs(10*time.Second) })
	if n := r.g.Pool().Stats.Dials - from; n > 60 {
		t.Errorf("%d dials in 10 s; the pauses do not grow", n)
	}
	r.srv.dialFail.Store(false)
	r.warm(2, 1)
	id := r.buy(100_00000000)
	r.steps(3)
	r.expect(id, "ack")
}

func TestIdleWiresAreProbed(t *testing.T) {
	r := newRig(t, func(c *exec.Config) { c.Pool.KeepAlive = 2 * time.Second })
	from := r.srv.pings
	start := r.clock.Mono()
	r.until("11 s have passed", func() bool { return r.clock.Mono()-start > core.MonoNs(11*time.Second) })
	if n := r.srv.pings - from; n < 12 || n > 18 {
		t.Errorf("%d probes on 3 wires in 11 s, want about 15", n)
	}
}

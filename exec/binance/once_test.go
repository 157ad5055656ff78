package binance

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
)

// trials is how many orders the wire test sends: RIPOSTE_TRIALS, or enough for a look.
func trials(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("RIPOSTE_TRIALS"))
	if err != nil || n < 1 {
		return 500
	}
	t.Logf("%d trials", n)
	return n
}

// tap counts how often each client id was written to any socket.
type tap struct {
	mu      sync.Mutex
	written map[string]int
	sockets int
}

type tapConn struct {
	net.Conn
	tap  *tap
	sent []byte // all of this connection, since an id may be cut in two
}

func (c *tapConn) Write(p []byte) (int, error) {
	n, err := c.Conn.Write(p)
	const name = "newClientOrderId="
	c.tap.mu.Lock()
	defer c.tap.mu.Unlock()
	c.sent = append(c.sent, p[:n]...)
	for {
		i := bytes.Index(c.sent, []byte(name))
		if i < 0 {
			break
		}
		rest := c.sent[i+len(name):]
		end := bytes.IndexByte(rest, '&')
		if end < 0 {
			break
		}
		c.tap.written[string(rest[:end])]++
		c.sent = rest[end:]
	}
	return n, err
}

// fickle is a venue whose sockets close when they like: idle, after the head, after the
// whole request, in the middle of the answer. It counts what it has read.
type fickle struct {
	ln   net.Listener
	wg   sync.WaitGroup
	mu   sync.Mutex
	rng  *rand.Rand
	read map[string]int
}

func (f *fickle) roll(n int) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rng.IntN(n)
}

func (f *fickle) serve() {
	defer f.wg.Done()
	for {
		c, err := f.ln.Accept()
		if err != nil {
			return
		}
		f.wg.Add(1)
		go f.talk(c)
	}
}

func (f *fickle) talk(c net.Conn) {
	defer f.wg.Done()
	defer c.Close()
	br := bufio.NewReader(c)
	for {
		req, err := http.ReadRequest(br)
		if err != nil {
			return
		}
		if req.Method == http.MethodPost && f.roll(5) == 0 {
			return // the head was read, the body was not
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		answer := `{"serverTime":1499827319559}`
		if req.Method == http.MethodPost {
			_, id, _ := strings.Cut(req.URL.RawQuery+string(body), "newClientOrderId=")
			id, _, _ = strings.Cut(id, "&")
			f.mu.Lock()
			f.read[id]++
			f.mu.Unlock()
			answer = fmt.Sprintf(`{"symbol":"BTCUSDT","orderId":1,"orderListId":-1,"clientOrderId":%q,"transactTime":1}`, id)
		}
		whole := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(answer), answer)
		switch f.roll(6) {
		case 0:
			return // read, not answered
		case 1:
			if t, ok := c.(*net.TCPConn); ok {
				_ = t.SetLinger(0)
			}
			return // the same with a reset
		case 2:
			_, _ = io.WriteString(c, whole[:len(whole)/2])
			return
		case 3:
			_, _ = io.WriteString(c, whole)
			return // closed while idle, which the client may not have noticed yet
		}
		if _, err := io.WriteString(c, whole); err != nil {
			return
		}
	}
}

// TestNoOrderIsWrittenTwice: whatever happens to the sockets, each client id is written at
// most once, on its own connections as on kept ones, where net/http itself sends calls
// again that it thinks harmless.
func TestNoOrderIsWrittenTwice(t *testing.T) {
	for _, kept := range []bool{false, true} {
		t.Run(fmt.Sprintf("kept=%v", kept), func(t *testing.T) { noOrderTwice(t, kept) })
	}
}

func noOrderTwice(t *testing.T, kept bool) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fickle{ln: ln, rng: rand.New(rand.NewPCG(1, 2)), read: map[string]int{}}
	f.wg.Add(1)
	go f.serve()
	tp := &tap{written: map[string]int{}}
	clock := core.NewSystemClock()
	budget, err := exec.NewBudget(0)
	if err != nil {
		t.Fatal(err)
	}
	if err := budget.Set([]exec.Limit{{Kind: exec.LimitWeight, Span: time.Minute, Max: 1 << 30}, {Kind: exec.LimitOrders, Span: time.Second, Max: 1 << 30}}); err != nil {
		t.Fatal(err)
	}
	r, err := NewREST(RESTConfig{URL: "http://" + ln.Addr().String(), Key: hmacKey(t), Instruments: instruments(t), Clock: clock, Time: exec.NewVenueClock(clock), Budget: budget,
		Dial: func(ctx context.Context, _ string) (net.Conn, error) {
			var d net.Dialer
			c, err := d.DialContext(ctx, "tcp", ln.Addr().String())
			if err != nil {
				return nil, err
			}
			tp.mu.Lock()
			tp.sockets++
			tp.mu.Unlock()
			return &tapConn{Conn: c, tap: tp}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	if kept {
		r.fresh = r.client
	}
	tr := NewTrader(r)
	n, answered, unknown := trials(t), 0, 0
	for i := range n {
		q := OrderRequest{Terms: Terms{Type: core.MarketOrder, Client: client(t, fmt.Sprintf("once-%d", i))}, Symbol: "BTCUSDT", Qty: 1}
		_, err := tr.Place(t.Context(), &q)
		var ce *exec.CallError
		switch {
		case err == nil:
			answered++
		case errors.As(err, &ce) && ce.Class == exec.ClassUnknown:
			unknown++
		default:
			t.Fatalf("order %d: %v", i, err)
		}
		if i%3 == 0 {
			_, _ = r.ServerTime(t.Context()) // leaves an idle connection, or none
		}
	}
	r.Close()
	_ = ln.Close()
	f.wg.Wait()
	reads := 0
	for id, k := range f.read {
		reads += k
		if k > 1 {
			t.Errorf("%s was read %d times", id, k)
		}
	}
	for id, k := range tp.written {
		if k > 1 {
			t.Errorf("%s was written %d times", id, k)
		}
	}
	if answered < n/10 || unknown < n/10 || reads <= answered {
		t.Errorf("answered %d, unknown %d, read %d of %d: the venue was not fickle", answered, unknown, reads, n)
	}
	t.Logf("%d orders: %d answered, %d unknown, %d written, %d read by the venue, %d sockets", n, answered, unknown, len(tp.written), reads, tp.sockets)
}

package feed_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	gws "github.com/gobwas/ws"
	"go.uber.org/goleak"

	"riposte/core"
	"riposte/core/ring"
	"riposte/feed"
	"riposte/feed/binance"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// testClock is the machine's clock, which a test can put forward.
type testClock struct {
	*core.SystemClock
	ahead atomic.Int64
}

func newClock() *testClock { return &testClock{SystemClock: core.NewSystemClock()} }

func (c *testClock) Mono() core.MonoNs { return c.SystemClock.Mono() + core.MonoNs(c.ahead.Load()) }
func (c *testClock) forward(d time.Duration) {
	c.ahead.Add(int64(d))
}

// polled gives a plain connection the transport's contract: Read with a deadline
// in the past takes what has come and never waits.
type polled struct {
	net.Conn
	mu      sync.Mutex
	buf     bytes.Buffer
	err     error
	polling bool
	wg      sync.WaitGroup
}

func (p *polled) SetReadDeadline(t time.Time) error {
	if t.IsZero() || t.After(time.Unix(2, 0)) || p.polling {
		return p.Conn.SetReadDeadline(t)
	}
	p.polling = true
	p.wg.Add(1)
	go func() {
		defer p.wg.Done()
		b := make([]byte, 4096)
		for {
			n, err := p.Conn.Read(b)
			p.mu.Lock()
			p.buf.Write(b[:n])
			p.err = err
			p.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	return nil
}

func (p *polled) Read(b []byte) (int, error) {
	if !p.polling {
		return p.Conn.Read(b)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.buf.Len() > 0 {
		return p.buf.Read(b)
	}
	if p.err != nil {
		return 0, p.err
	}
	return 0, os.ErrDeadlineExceeded
}

func (p *polled) Close() error {
	err := p.Conn.Close()
	p.wg.Wait()
	return err
}

// venue is a small server. Each connection is served by the script, which is
// told its number from 1 and ends the connection by returning.
type venue struct {
	t       testing.TB
	ln      net.Listener
	script  func(c *vconn)
	wg      sync.WaitGroup
	ctx     context.Context
	dials   atomic.Int64
	refuse  atomic.Int64 // dials that fail
	limited atomic.Int64 // upgrades that are answered 429
}

type vconn struct {
	net.Conn
	v      *venue
	number int
	cut    int      // bytes per write, 0: whole
	list   []string // streams confirmed
}

func newVenue(t testing.TB, script func(c *vconn)) *venue {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	v := &venue{t: t, ln: ln, script: script, ctx: ctx}
	v.wg.Add(1)
	go func() {
		defer v.wg.Done()
		for n := 1; ; n++ {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			v.wg.Add(1)
			go func() {
				defer v.wg.Done()
				defer nc.Close()
				stop := context.AfterFunc(ctx, func() { nc.Close() })
				defer stop()
				u := gws.Upgrader{OnRequest: func([]byte) error {
					if v.limited.Add(-1) < 0 {
						return nil
					}
					return gws.RejectConnectionError(gws.RejectionStatus(429), gws.RejectionHeader(gws.HandshakeHeaderString("Retry-After: 60\r\n")))
				}}
				if _, err := u.Upgrade(nc); err != nil {
					return
				}
				v.script(&vconn{Conn: nc, v: v, number: n})
			}()
		}
	}()
	t.Cleanup(func() {
		cancel()
		ln.Close()
		v.wg.Wait()
	})
	return v
}

func (v *venue) dial(ctx context.Context, _ string) (net.Conn, error) {
	v.dials.Add(1)
	if v.refuse.Load() > 0 {
		v.refuse.Add(-1)
		return nil, errors.New("connection refused")
	}
	var d net.Dialer
	nc, err := d.DialContext(ctx, "tcp", v.ln.Addr().String())
	if err != nil {
		return nil, err
	}
	return &polled{Conn: nc}, nil
}

// send writes one text frame, in pieces if the connection is to be cut up.
func (c *vconn) send(text string) { c.raw(gws.MustCompileFrame(gws.NewTextFrame([]byte(text)))) }

func (c *vconn) raw(b []byte) {
	for len(b) > 0 {
		n := len(b)
		if c.cut > 0 {
			n = min(n, c.cut)
		}
		if _, err := c.Write(b[:n]); err != nil {
			return
		}
		b = b[n:]
	}
}

type request struct {
	Method string   `json:"method"`
	Params []string `json:"params"`
	ID     int64    `json:"id"`
}

// next reads the client's next text message, answering its PINGs and what it asks of
// its subscriptions; false at the end.
func (c *vconn) next(r any) bool {
	for {
		h, err := gws.ReadHeader(c)
		if err != nil || h.Length > 1<<20 {
			return false
		}
		f := gws.Frame{Header: h, Payload: make([]byte, h.Length)}
		if _, err := io.ReadFull(c, f.Payload); err != nil {
			return false
		}
		f = gws.UnmaskFrameInPlace(f)
		switch f.Header.OpCode {
		case gws.OpText:
			var q request
			if json.Unmarshal(f.Payload, &q) == nil && q.Method == "LIST_SUBSCRIPTIONS" {
				list, _ := json.Marshal(c.list)
				c.send(fmt.Sprintf(`{"result":%s,"id":%d}`, list, q.ID))
				continue
			}
			if err := json.Unmarshal(f.Payload, r); err != nil {
				c.v.t.Errorf("client sent %q: %v", f.Payload, err)
			}
			return true
		case gws.OpPing:
			c.raw(gws.MustCompileFrame(gws.NewPongFrame(f.Payload)))
		case gws.OpClose:
			return false
		}
	}
}

// confirm reads n requests and confirms each, and returns the streams.
func (c *vconn) confirm(n int) (streams []string) {
	for range n {
		var r request
		if !c.next(&r) {
			return streams
		}
		streams = append(streams, r.Params...)
		c.list = append(c.list, r.Params...)
		c.send(fmt.Sprintf(`{"result":null,"id":%d}`, r.ID))
	}
	return streams
}

// stay keeps the connection, answering PINGs, until the other side ends it.
func (c *vconn) stay() {
	var any json.RawMessage
	for c.next(&any) {
	}
}

// mute keeps the connection and answers nothing.
func (c *vconn) mute() { _, _ = io.Copy(io.Discard, c) }

// rig is a session with two instruments on a venue.
type rig struct {
	t      testing.TB
	clock  *testClock
	venue  *venue
	s      *feed.Session
	queues []*ring.Queue
	syms   *binance.Symbols
	cfg    feed.SessionConfig
}

func newRig(t testing.TB, script func(c *vconn), change func(cfg *feed.SessionConfig)) *rig {
	t.Helper()
	tab := core.NewInstruments()
	for _, s := range []string{"BTCUSDT", "ETHUSDT"} {
		if _, err := tab.Add(core.Instrument{Symbol: s}); err != nil {
			t.Fatal(err)
		}
	}
	syms, err := binance.NewSymbols(tab)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, clock: newClock(), venue: newVenue(t, script), syms: syms}
	for range 2 {
		r.queues = append(r.queues, ring.NewQueue(64, 1024, 100))
	}
	r.cfg = feed.SessionConfig{
		LineConfig: feed.LineConfig{
			URL: "ws://" + r.venue.ln.Addr().String() + "/stream", Dial: r.venue.dial, Clock: r.clock, Budget: newBudget(t, 300, 5*time.Minute),
			BackoffMin: time.Millisecond, BackoffMax: 2 * time.Millisecond, Seed: 1,
		},
		Codec: binance.NewDecoder(syms, core.Milliseconds, binance.Raw{Instrument: core.NoInstrument}),
		Line:  3,
		Streams: []feed.Subscription{
			{Stream: "btcusdt@depth@100ms", Instrument: 0, Kind: core.DepthDelta},
			{Stream: "btcusdt@bookTicker", Instrument: 0, Kind: core.Touch},
			{Stream: "ethusdt@trade", Instrument: 1, Kind: core.Trade},
		},
		Queues: r.queues,
	}
	if change != nil {
		change(&r.cfg)
	}
	if r.s, err = feed.NewSession(r.cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := r.s.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return r
}

func newBudget(t testing.TB, n int, window time.Duration) *feed.ConnectBudget {
	t.Helper()
	b, err := feed.NewConnectBudget(n, window)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// spin steps until cond holds; the deadline only guards against hanging.
func spin(t testing.TB, what string, step func() int, cond func() bool) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !cond() {
		if step() == 0 {
			runtime.Gosched()
		}
		if time.Now().After(deadline) {
			t.Fatalf("never came: %s", what)
		}
	}
}

func (r *rig) until(what string, cond func(st feed.SessionStatus) bool) {
	r.t.Helper()
	var st feed.SessionStatus
	defer func() {
		if r.t.Failed() {
			r.t.Logf("status %+v", st)
		}
	}()
	spin(r.t, what, r.s.Step, func() bool { st = r.s.Status(); return cond(st) })
}

// event waits for the next event of an instrument, other than signs of life.
func (r *rig) event(id int) (core.Event, []core.Level) {
	r.t.Helper()
	var ev *core.Event
	var lv []core.Level
	spin(r.t, "an event", r.s.Step, func() bool {
		for {
			if ev, lv = r.queues[id].Peek(); ev == nil || ev.Kind != core.LineAlive {
				return ev != nil
			}
			r.queues[id].Pop()
		}
	})
	out, levels := *ev, append([]core.Level(nil), lv...)
	r.queues[id].Pop()
	return out, levels
}

// kinds are those of the next n events of an instrument.
func (r *rig) kinds(id, n int) (out []core.EventKind) {
	for range n {
		ev, _ := r.event(id)
		out = append(out, ev.Kind)
	}
	return out
}

func depth(first, last int) string {
	return fmt.Sprintf(`{"stream":"btcusdt@depth@100ms","data":{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":%d,"u":%d,"b":[["1.5","2"]],"a":[["3","0"]]}}`, first, last)
}

func touch(id int) string {
	return fmt.Sprintf(`{"stream":"btcusdt@bookTicker","data":{"u":%d,"s":"BTCUSDT","b":"1","B":"2","a":"3","A":"4"}}`, id)
}

func trade(id int) string {
	return fmt.Sprintf(`{"stream":"ethusdt@trade","data":{"e":"trade","E":1,"s":"ETHUSDT","t":%d,"p":"1","q":"2","T":1,"m":true,"M":true}}`, id)
}

package venue

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
)

// memListener hands out connections in memory, so that a venue can live in a bubble of virtual time.
type memListener struct {
	in   chan net.Conn
	done chan struct{}
	once sync.Once
}

func newMemListener() *memListener {
	return &memListener{in: make(chan net.Conn), done: make(chan struct{})}
}

func (l *memListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.in:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

func (l *memListener) Close() error   { l.once.Do(func() { close(l.done) }); return nil }
func (l *memListener) Addr() net.Addr { return memAddr{} }

type memAddr struct{}

func (memAddr) Network() string { return "memory" }
func (memAddr) String() string  { return "venue.test" }

func (l *memListener) dial(context.Context, string, string) (net.Conn, error) {
	a, b := net.Pipe()
	select {
	case l.in <- b:
		return a, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}

// memVenue is a venue in memory with one plain HTTP client.
func memVenue(t *testing.T, l *memListener, cfg Config) (*Server, *rest) {
	t.Helper()
	cfg.Listener = l
	// A bubble begins in 2000, before the venue's first valid timestamp.
	cfg.TimeOffset = 27 * 365 * 24 * time.Hour
	s, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	c := restOf(t, s)
	tr := &http.Transport{DialContext: l.dial, MaxConnsPerHost: 1}
	t.Cleanup(tr.CloseIdleConnections)
	c.http = &http.Client{Transport: tr, Timeout: hang}
	return s, c
}

// memDial is dial in memory.
func memDial(t *testing.T, l *memListener, url string) *socket {
	t.Helper()
	s, err := memTryDial(l, url)
	if err != nil {
		t.Fatal(err)
	}
	s.t = t
	t.Cleanup(func() { _ = s.c.Close() })
	return s
}

func memTryDial(l *memListener, url string) (*socket, error) {
	d := ws.Dialer{NetDial: l.dial, Timeout: 3 * time.Second}
	nc, br, _, err := d.Dial(context.Background(), url)
	if err != nil {
		return nil, err
	}
	if br == nil {
		br = bufio.NewReader(nc)
	}
	return &socket{c: nc, br: br}, nil
}

func TestVenueServesAnyListenerOnVirtualTime(t *testing.T) {
	for range 2 { // a second bubble in one process: nothing of the first may be left
		synctest.Test(t, func(t *testing.T) {
			l := newMemListener()
			s, c := memVenue(t, l, Config{Seed: 3, Symbols: []string{"BTCUSDT"}})
			if s.REST() != "http://venue.test" || s.WSAPI() != "ws://venue.test/ws-api/v3" {
				t.Fatalf("got %s %s", s.REST(), s.WSAPI())
			}
			begin := s.Now()
			k := memDial(t, l, s.Stream()+"/ws/btcusdt@depth@100ms")
			for range 1000 {
				k.next()
			}
			if len(k.pings) < 4 {
				t.Errorf("got %d PINGs in %d ms of venue time, want one every 20 s", len(k.pings), (s.Now()-begin)/1000)
			}
			if r := c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000"); r.status != 200 {
				t.Errorf("got %d %s", r.status, r.body)
			}
			if err := s.Faults().Cut("all"); err != nil {
				t.Fatal(err)
			}
			if err := k.ended(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("got %v, want the end", err)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute) // virtual: idle HTTP connections go
		})
	}
}

// world is a venue in memory with its clients, on virtual time.
type world struct {
	t *testing.T
	l *memListener
	s *Server
	c *rest
}

// inMemory runs a test in a bubble; it ends the venue and what the test dialled.
func inMemory(t *testing.T, cfg Config, run func(*world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := newMemListener()
		if cfg.Symbols == nil {
			cfg.Symbols = []string{"BTCUSDT", "ETHUSDT"}
		}
		s, c := memVenue(t, l, cfg)
		run(&world{t, l, s, c})
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

func (w *world) dial(url string) *socket { w.t.Helper(); return memDial(w.t, w.l, url) }

func (w *world) api() *api {
	w.t.Helper()
	k, _ := w.s.Key("", HMAC)
	return &api{socket: w.dial(w.s.WSAPI()), s: w.s, key: k}
}

func (w *world) do(line string) {
	w.t.Helper()
	if err := w.s.Faults().Do(line); err != nil {
		w.t.Fatal(err)
	}
	synctest.Wait()
}

// order places a limit order far below the market, or a market order, and returns the answer.
func (w *world) order(kv string) reply {
	w.t.Helper()
	return w.c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&"+kv)
}

const (
	restLow = "type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000"
	take    = "type=MARKET&quantity=0.01"
)

// pass lets virtual time go by and everything that is due then happen. It panics outside a bubble.
func pass(d time.Duration) {
	<-time.NewTimer(d).C
	synctest.Wait()
}

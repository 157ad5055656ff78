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

func TestVenueServesAnyListenerOnVirtualTime(t *testing.T) {
	for range 2 { // a second bubble in one process: nothing of the first may be left
		synctest.Test(t, func(t *testing.T) {
			l := newMemListener()
			s, c := memVenue(t, l, Config{Seed: 3, Symbols: []string{"BTCUSDT"}})
			if s.REST() != "http://venue.test" || s.WSAPI() != "ws://venue.test/ws-api/v3" {
				t.Fatalf("got %s %s", s.REST(), s.WSAPI())
			}
			begin := s.Now()
			d := ws.Dialer{NetDial: l.dial}
			nc, br, _, err := d.Dial(t.Context(), s.Stream()+"/ws/btcusdt@depth@100ms")
			if err != nil {
				t.Fatal(err)
			}
			if br == nil {
				br = bufio.NewReader(nc)
			}
			k := &socket{t: t, c: nc, br: br}
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
			_ = nc.Close()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Minute) // virtual: idle HTTP connections go
		})
	}
}

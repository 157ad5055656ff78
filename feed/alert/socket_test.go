package alert

import (
	"context"
	"errors"
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"github.com/gobwas/ws/wsutil"
	"go.uber.org/goleak"

	"riposte/core"
	"riposte/core/airlock"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server is the other end of a WebSocket source; each connection is handed to a test.
func server(t *testing.T) (url string, conns <-chan net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	out := make(chan net.Conn, 16)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			if _, err := ws.Upgrade(c); err != nil {
				c.Close()
				continue
			}
			out <- c
		}
	}()
	t.Cleanup(func() {
		ln.Close()
		<-done
		for len(out) > 0 {
			(<-out).Close()
		}
	})
	return "ws://" + ln.Addr().String(), out
}

func dialPlain(ctx context.Context, raw string) (net.Conn, error) {
	u, err := url.Parse(raw)
	if err != nil {
		return nil, err
	}
	return new(net.Dialer).DialContext(ctx, "tcp", u.Host)
}

func within[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(20 * time.Second):
		t.Fatal("no " + what)
		panic("unreachable")
	}
}

func TestASocketSubscribesReadsAndComesBack(t *testing.T) {
	addr, conns := server(t)
	woken := make(chan struct{}, 100)
	d := newDesk(t, func(c *Config) {
		c.Auth.Kind = Unsigned
		c.Inbox.wake = func() { woken <- struct{}{} }
	})
	k, err := OpenSocket(SocketConfig{URL: addr, Subscribe: []byte(`{"op":"subscribe"}`), Dial: dialPlain, Source: d.Source, Clock: core.NewSystemClock(), Seed: 1,
		BackoffMin: time.Millisecond, BackoffMax: 2 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	for i, id := range []string{"a", "b"} {
		c := within(t, conns, "connection")
		if got, err := wsutil.ReadClientText(c); err != nil || string(got) != `{"op":"subscribe"}` {
			t.Fatalf("subscribed by %q, %v", got, err)
		}
		if err := wsutil.WriteServerText(c, []byte(message(id))); err != nil {
			t.Fatal(err)
		}
		within(t, woken, "alert")
		if got := d.taken(); len(got) != 1 || got[0].ID.String() != id || got[0].Failed != airlock.None {
			t.Fatalf("connection %d brought %+v", i, got)
		}
		if !k.Status().Up {
			t.Error("a connection that brings something is not up")
		}
		c.Close()
	}
	within(t, conns, "third connection").Close()
}

func TestASilentServerIsAskedAndGivenUp(t *testing.T) {
	addr, conns := server(t)
	d := newDesk(t, func(c *Config) { c.Auth.Kind = Unsigned })
	k, err := OpenSocket(SocketConfig{URL: addr, Dial: dialPlain, Source: d.Source, Clock: core.NewSystemClock(), Silence: 10 * time.Millisecond, PongWithin: 20 * time.Millisecond,
		BackoffMin: time.Millisecond, BackoffMax: 2 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	c := within(t, conns, "connection")
	defer c.Close()
	h, err := ws.ReadHeader(c)
	if err != nil || h.OpCode != ws.OpPing {
		t.Fatalf("heard %+v, %v, want a PING", h, err)
	}
	within(t, conns, "connection in place of the silent one").Close()
	if st := k.Status(); st.Lost == 0 || st.Connects < 2 {
		t.Errorf("status %+v, want the first one lost", st)
	}
}

func TestALongMessageIsRefusedAndTheConnectionKept(t *testing.T) {
	addr, conns := server(t)
	woken := make(chan struct{}, 100)
	d := newDesk(t, func(c *Config) {
		c.Auth.Kind = Unsigned
		c.Inbox.wake = func() { woken <- struct{}{} }
	})
	k, err := OpenSocket(SocketConfig{URL: addr, Dial: dialPlain, Source: d.Source, Clock: core.NewSystemClock()})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	c := within(t, conns, "connection")
	defer c.Close()
	for _, m := range []string{strings.Repeat("x", 2000), message("a")} {
		if err := wsutil.WriteServerText(c, []byte(m)); err != nil {
			t.Fatal(err)
		}
		within(t, woken, "alert")
	}
	if got := d.taken(); len(got) != 2 || got[0].Failed != airlock.Size || got[1].Failed != airlock.None {
		t.Errorf("brought %+v, want one too long and one good", got)
	}
}

func TestCloseEndsAnAttemptUnderWay(t *testing.T) {
	dialing := make(chan struct{})
	d := newDesk(t, func(c *Config) { c.Auth.Kind = Unsigned })
	k, err := OpenSocket(SocketConfig{URL: "ws://nowhere", Source: d.Source, Clock: core.NewSystemClock(), Dial: func(ctx context.Context, _ string) (net.Conn, error) {
		close(dialing)
		<-ctx.Done()
		return nil, errors.New("given up")
	}})
	if err != nil {
		t.Fatal(err)
	}
	within(t, dialing, "attempt")
	k.Close()
}

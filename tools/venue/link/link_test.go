package link

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// feeder is a listener that hands out what it is given.
type feeder struct{ in chan net.Conn }

func (f *feeder) Accept() (net.Conn, error) {
	c, ok := <-f.in
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (f *feeder) Close() error   { close(f.in); return nil }
func (f *feeder) Addr() net.Addr { return &net.UnixAddr{Name: "feeder", Net: "unix"} }

type arrival struct {
	at time.Duration
	b  string
}

// pair is a connection through a Listener: what the client sees arrives in got.
type pair struct {
	l      *Listener
	c      *Conn
	client net.Conn
	start  time.Time
	mu     sync.Mutex
	got    []arrival
	end    chan struct{} // the client saw the end
}

func newPair(t *testing.T) *pair {
	t.Helper()
	f := &feeder{make(chan net.Conn, 1)}
	p := &pair{l: Wrap(f, 1), start: time.Now(), end: make(chan struct{})}
	a, b := net.Pipe()
	f.in <- b
	nc, err := p.l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	p.c, p.client = nc.(*Conn), a
	go func() {
		defer close(p.end)
		buf := make([]byte, 1<<16)
		for {
			n, err := a.Read(buf)
			p.mu.Lock()
			if n > 0 {
				p.got = append(p.got, arrival{time.Since(p.start), string(buf[:n])})
			}
			p.mu.Unlock()
			if err != nil {
				_ = a.Close()
				return
			}
		}
	}()
	return p
}

// text is all that the client has by now.
func (p *pair) text() (s string) {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, g := range p.got {
		s += g.b
	}
	return s
}

func inBubble(t *testing.T, run func(t *testing.T, p *pair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := newPair(t)
		run(t, p)
		if err := p.l.Shut(); err != nil {
			t.Error(err)
		}
		<-p.end
	})
}

// pass lets virtual time go by and everything that is due then happen. It panics outside a bubble.
func pass(d time.Duration) {
	<-time.NewTimer(d).C
	synctest.Wait()
}

func write(t *testing.T, c net.Conn, s string) {
	t.Helper()
	if n, err := io.WriteString(c, s); n != len(s) || err != nil {
		t.Fatalf("got %d %v, want %d", n, err, len(s))
	}
}

func TestCutEndsAtTheVeryByteAndNotBefore(t *testing.T) {
	const msg = "HTTP/1.1 200 OK\r\n\r\nbody"
	for after := range len(msg) + 3 {
		for _, split := range []int{1, 5, len(msg)} {
			inBubble(t, func(t *testing.T, p *pair) {
				p.c.Cut(after)
				var err error
				for s := msg; s != "" && err == nil; s = s[min(split, len(s)):] {
					_, err = io.WriteString(p.c, s[:min(split, len(s))])
				}
				synctest.Wait()
				if want := msg[:min(after, len(msg))]; p.text() != want || (err != nil) != (after <= len(msg)) {
					t.Errorf("after %d in writes of %d: got %q %v, want %q", after, split, p.text(), err, want)
				}
			})
		}
	}
}

func TestHeldBytesArriveLaterAndSoDoesTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, p *pair) {
		write(t, p.c, "before ")
		p.c.Hold(true, false, time.Minute)
		write(t, p.c, "held ")
		write(t, p.c, "back")
		if err := p.c.Close(); err != nil {
			t.Fatal(err)
		}
		pass(59 * time.Second)
		synctest.Wait()
		if p.text() != "before " {
			t.Errorf("got %q after 59 s, want nothing of what is held", p.text())
		}
		select {
		case <-p.end:
			t.Error("got the end after 59 s")
		default:
		}
		<-p.end
		if d := time.Since(p.start); p.text() != "before held back" || d != time.Minute {
			t.Errorf("got %q and the end after %v, want all and a minute", p.text(), d)
		}
	})
}

func TestHeldInBytesAreNotReadAndDeadlinesHold(t *testing.T) {
	inBubble(t, func(t *testing.T, p *pair) {
		p.c.Hold(false, true, time.Minute)
		go func() { _, _ = io.WriteString(p.client, "hello") }()
		if err := p.c.SetReadDeadline(time.Now().Add(time.Second)); err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, 16)
		if n, err := p.c.Read(buf); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %d %v, want the deadline", n, err)
		}
		if err := p.c.SetDeadline(time.Time{}); err != nil {
			t.Fatal(err)
		}
		if n, err := p.c.Read(buf); string(buf[:n]) != "hello" || err != nil || time.Since(p.start) != time.Minute {
			t.Errorf("got %q %v after %v, want hello after a minute", buf[:n], err, time.Since(p.start))
		}
		// A hold that begins while a Read waits holds what arrives then, and a deadline loses none of it.
		go func() {
			pass(time.Second)
			p.c.Hold(false, true, time.Minute)
			_, _ = io.WriteString(p.client, "again")
		}()
		if err := p.c.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if n, err := p.c.Read(buf); n != 0 || !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %d %v, want the deadline", n, err)
		}
		_ = p.c.SetReadDeadline(time.Time{})
		if n, err := p.c.Read(buf); string(buf[:n]) != "again" || err != nil {
			t.Errorf("got %q %v, want again", buf[:n], err)
		}
	})
}

func TestSlowAndTricklingBytesKeepTheirOrder(t *testing.T) {
	inBubble(t, func(t *testing.T, p *pair) {
		p.c.Slow(100*time.Millisecond, 50*time.Millisecond)
		want := ""
		for i := range 100 {
			s := fmt.Sprintf("%d,", i)
			want += s
			write(t, p.c, s)
			pass(time.Millisecond)
		}
		pass(time.Second)
		if p.text() != want || p.got[0].at < 100*time.Millisecond || p.got[0].at > 150*time.Millisecond {
			t.Errorf("got %q first at %v", p.text(), p.got[0].at)
		}
		p.c.Slow(0, 0)
		p.c.Trickle(1, time.Hour)
		at := time.Now()
		write(t, p.c, "slowly")
		pass(5500 * time.Millisecond)
		if got := p.text()[len(want):]; got != "slowl" {
			t.Errorf("got %q after %v, want 5 bytes", got, time.Since(at))
		}
		p.c.Trickle(0, 0)
		write(t, p.c, " fast")
		if err := p.c.CloseWrite(); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if got := p.text()[len(want):]; got != "slowly fast" {
			t.Errorf("got %q, want the rest at once", got)
		}
	})
}

func TestFullLinesAndClosedOnesRefuseBytes(t *testing.T) {
	inBubble(t, func(t *testing.T, p *pair) {
		p.c.Hold(true, true, time.Hour)
		if _, err := p.c.Write(make([]byte, queueMax)); err != nil {
			t.Fatal(err)
		}
		if _, err := p.c.Write([]byte{1}); !errors.Is(err, ErrFull) {
			t.Errorf("got %v, want ErrFull", err)
		}
		_ = p.c.SetLinger(0)
		_ = p.c.Close()
		if _, err := p.c.Write([]byte{1}); !errors.Is(err, net.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
		if _, err := p.c.Read(make([]byte, 1)); err == nil {
			t.Error("got bytes of a closed connection")
		}
	})
}

func TestListenersGreetAndRefuseOverTCP(t *testing.T) {
	inner, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l := Wrap(inner, 1)
	accepted := make(chan *Conn, 8)
	heard := 0
	l.OnAccept = func(*Conn) { heard++ }
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- nc.(*Conn)
		}
	}()
	dial := func() net.Conn {
		t.Helper()
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		_ = nc.SetDeadline(time.Now().Add(30 * time.Second))
		return nc
	}
	for g, want := range map[Greeting]string{Reset: "reset", End: "EOF"} {
		l.Greet(g, 1)
		nc, err := net.Dial("tcp", l.Addr().String())
		if g == Reset && err != nil {
			continue // the reset was as quick as the dial
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = nc.SetDeadline(time.Now().Add(30 * time.Second))
		if _, err := nc.Read(make([]byte, 1)); err == nil || !bytes.Contains([]byte(err.Error()), []byte(want)) {
			t.Errorf("greeting %d: got %v, want %s", g, err, want)
		}
		_ = nc.Close()
	}
	l.Greet(Stall, 1)
	stalled := dial()
	served := dial()
	c := <-accepted
	if c.ID() != 4 || len(l.Conns("stalled")) != 1 || l.Conn(4) != c {
		t.Errorf("got connection %d beside %d stalled, want 4 and 1", c.ID(), len(l.Conns("stalled")))
	}
	c.Cut(0)
	if _, err := served.Read(make([]byte, 1)); err == nil || !bytes.Contains([]byte(err.Error()), []byte("reset")) {
		t.Errorf("got %v, want a reset", err)
	}
	l.Refuse(50 * time.Millisecond)
	for refused := false; ; {
		nc, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			refused = true
			continue
		}
		if !refused {
			t.Error("got a connection, want none for 50 ms")
		}
		_ = nc.Close()
		<-accepted
		break
	}
	if err := l.Shut(); err != nil {
		t.Error(err)
	}
	<-ended
	if _, err := stalled.Read(make([]byte, 1)); err == nil {
		t.Error("got bytes, want the end")
	}
	_, _ = served.Close(), stalled.Close()
	if heard != 5 {
		t.Errorf("got %d connections heard of, want 5", heard)
	}
	if err := l.Close(); err != nil {
		t.Errorf("got %v for a second Close", err)
	}
}

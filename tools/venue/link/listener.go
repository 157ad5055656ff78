package link

import (
	"cmp"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

// Greeting is what happens to a connection as it is accepted.
type Greeting uint8

// The ways to receive a connection.
const (
	Serve Greeting = iota
	Reset          // ended at once with a reset
	End            // ended at once
	Stall          // kept open, never heard
)

// Listener wraps another one. Accept belongs to one goroutine, the other methods to any.
type Listener struct {
	// OnAccept, if set, is told of every connection before it is received, on Accept's goroutine.
	OnAccept func(*Conn)

	seed uint64
	addr net.Addr
	done chan struct{}
	work sync.WaitGroup // delivering goroutines

	mu      sync.Mutex
	inner   net.Listener
	last    uint64
	open    map[uint64]*Conn   // not closed by their owner
	real    map[*Conn]struct{} // real connection not closed
	greet   []Greeting         // for the next ones
	refused time.Time          // the socket is closed until then
	closed  bool
}

// Wrap takes over a listener. The seed decides all chance.
func Wrap(l net.Listener, seed uint64) *Listener {
	return &Listener{seed: seed, addr: l.Addr(), inner: l, done: make(chan struct{}), open: make(map[uint64]*Conn),
		real: make(map[*Conn]struct{})}
}

// Addr implements net.Listener.
func (l *Listener) Addr() net.Addr { return l.addr }

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		l.mu.Lock()
		inner := l.inner
		l.mu.Unlock()
		nc, err := inner.Accept()
		if err != nil {
			if l.reopen() {
				continue
			}
			return nil, err
		}
		c := l.adopt(nc)
		if c == nil {
			_ = nc.Close()
			return nil, net.ErrClosed
		}
		if l.OnAccept != nil {
			l.OnAccept(c)
		}
		switch l.greeting() {
		case Reset:
			_ = c.SetLinger(0)
			_ = c.Close()
		case End:
			_ = c.Close()
		case Stall:
			c.SetKind("stalled")
		default:
			return c, nil
		}
	}
}

func (l *Listener) adopt(nc net.Conn) *Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.last++
	c := &Conn{Conn: nc, id: l.last, home: l, changed: make(chan struct{})}
	l.open[c.id], l.real[c] = c, struct{}{}
	return c
}

func (l *Listener) greeting() Greeting {
	l.mu.Lock()
	defer l.mu.Unlock()
	g := Serve
	if len(l.greet) > 0 {
		g, l.greet = l.greet[0], l.greet[1:]
	}
	if time.Now().Before(l.refused) {
		g = Reset // a listener that cannot be opened again refuses so
	}
	return g
}

// Greet receives the next n connections in the given way.
func (l *Listener) Greet(g Greeting, n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for range n {
		l.greet = append(l.greet, g)
	}
}

// Refuse closes the socket for d, so that connections are refused; a listener that is no TCP socket resets them instead.
func (l *Listener) Refuse(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused = time.Now().Add(d)
	if _, ok := l.inner.(*net.TCPListener); ok {
		_ = l.inner.Close()
	}
}

// reopen waits for the end of a refusal and listens again; it is false if the listener is closed.
func (l *Listener) reopen() bool {
	for {
		l.mu.Lock()
		wait := time.Until(l.refused)
		_, tcp := l.inner.(*net.TCPListener)
		closed := l.closed || l.refused.IsZero() || !tcp
		l.mu.Unlock()
		if closed {
			return false
		}
		t := time.NewTimer(max(0, wait))
		select {
		case <-t.C:
		case <-l.done:
			t.Stop()
			return false
		}
		inner, err := net.Listen(l.addr.Network(), l.addr.String())
		l.mu.Lock()
		switch {
		case l.closed:
			l.mu.Unlock()
			if err == nil {
				_ = inner.Close()
			}
			return false
		case err != nil: // somebody has the port for the moment
			l.refused = time.Now().Add(10 * time.Millisecond)
			l.mu.Unlock()
		default:
			l.inner, l.refused = inner, time.Time{}
			l.mu.Unlock()
			return true
		}
	}
}

// Conns are the open connections of a kind ("" for all), oldest first.
func (l *Listener) Conns(kind string) []*Conn {
	l.mu.Lock()
	list := slices.Collect(maps.Values(l.open))
	l.mu.Unlock()
	slices.SortFunc(list, func(a, b *Conn) int { return cmp.Compare(a.id, b.id) })
	return slices.DeleteFunc(list, func(c *Conn) bool { return kind != "" && c.Kind() != kind })
}

// Conn is the open connection with a number, nil if there is none.
func (l *Listener) Conn(id uint64) *Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open[id]
}

func (l *Listener) drop(c *Conn) {
	l.mu.Lock()
	delete(l.open, c.id)
	l.mu.Unlock()
}

func (l *Listener) forget(c *Conn) {
	l.mu.Lock()
	delete(l.real, c)
	delete(l.open, c.id)
	l.mu.Unlock()
}

// join counts a delivering goroutine in, unless the listener is closed.
func (l *Listener) join() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return false
	}
	l.work.Add(1)
	return true
}

// Close implements net.Listener. It does not touch open connections; see Shut.
func (l *Listener) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	close(l.done)
	if err := l.inner.Close(); l.refused.IsZero() {
		return err
	}
	return nil // a refusing socket is closed already
}

// Shut closes the listener and every real connection, whatever holds it back, and waits for what delivers.
func (l *Listener) Shut() error {
	err := l.Close()
	l.mu.Lock()
	list := slices.Collect(maps.Keys(l.real))
	l.mu.Unlock()
	for _, c := range list {
		_ = c.shutReal()
	}
	l.work.Wait()
	return err
}

package link

import (
	"errors"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"time"
)

// queueMax is how many bytes may wait on a held or slow line; a real one has buffers too, and they end.
const queueMax = 16 << 20

// ErrFull is what Write answers once a line that delivers nothing holds all it can.
var ErrFull = errors.New("cannot write: the line's buffer is full")

// Conn is one connection whose bytes can be made to go wrong. Its methods may be called from any goroutine.
type Conn struct {
	net.Conn // the real one
	id       uint64
	home     *Listener

	mu      sync.Mutex
	kind    string
	changed chan struct{} // closed and made anew whenever something below changes
	closed  bool          // by its owner
	linger  bool          // its end is to be a reset
	half    bool          // CloseWrite was called
	gone    bool          // the real connection is closed

	// What the owner sends.
	pumping  bool
	queue    []parcel
	queued   int
	holdOut  time.Time // nothing leaves before
	latency  time.Duration
	jitter   time.Duration
	rate     int // bytes a second, 0 for all there is
	rateEnds time.Time
	lastDue  time.Time
	lastOut  time.Time
	cutting  bool
	left     int // bytes until the cut

	// What it receives.
	holdIn   time.Time
	early    []byte // read from the real one while its deadline ran out
	deadline time.Time
}

// parcel is bytes on their way.
type parcel struct {
	b   []byte
	due time.Time
}

// ID is the connection's number, from 1 in the order of acceptance.
func (c *Conn) ID() uint64 { return c.id }

// NetConn is the real connection.
func (c *Conn) NetConn() net.Conn { return c.Conn }

// SetKind says what the connection is used for; Listener.Conns finds it by that.
func (c *Conn) SetKind(kind string) {
	c.mu.Lock()
	c.kind = kind
	c.mu.Unlock()
}

// Kind is what SetKind said last, empty at first.
func (c *Conn) Kind() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kind
}

// notify wakes everybody who waits for a change. With mu held.
func (c *Conn) notify() {
	close(c.changed)
	c.changed = make(chan struct{})
}

// Cut ends the connection with a reset once after more bytes have been sent; what is written beyond them is lost.
func (c *Conn) Cut(after int) {
	c.mu.Lock()
	c.cutting, c.left = true, after
	c.mu.Unlock()
	if after <= 0 {
		_ = c.SetLinger(0)
		_ = c.Close()
	}
}

// Hold keeps bytes back for d: out those the owner sends, in those it would receive. They are delivered afterwards; an
// end of the connection waits with the bytes sent. While in is held the real connection is not read, so that the peer's
// window fills up.
func (c *Conn) Hold(out, in bool, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	until := time.Now().Add(d)
	if out {
		c.holdOut = until
		c.pump()
	}
	if in {
		c.holdIn = until
	}
	c.notify()
}

// Slow delays every byte sent from now on by latency and up to jitter more, in order.
func (c *Conn) Slow(latency, jitter time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.latency, c.jitter = latency, jitter
	c.pump()
}

// Trickle lets only rate bytes a second through for d.
func (c *Conn) Trickle(rate int, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rate, c.rateEnds = rate, time.Now().Add(d)
	c.pump()
	c.notify()
}

// Write implements net.Conn. On a line with faults it takes the bytes and delivers them later.
func (c *Conn) Write(b []byte) (int, error) {
	c.mu.Lock()
	if !c.pumping {
		c.mu.Unlock()
		return c.put(b)
	}
	defer c.mu.Unlock()
	switch {
	case c.closed:
		return 0, net.ErrClosed
	case c.queued+len(b) > queueMax:
		return 0, ErrFull
	}
	due := time.Now().Add(c.latency)
	if c.jitter > 0 {
		// By the instant: into how many writes a sender cuts what it has then is not the seed's doing.
		chance := rand.New(rand.NewPCG(c.home.seed+c.id, uint64(due.UnixNano())))
		due = due.Add(time.Duration(chance.Int64N(int64(c.jitter))))
	}
	if due.Before(c.lastDue) {
		due = c.lastDue
	}
	if n := len(c.queue); n > 0 && due.Equal(c.queue[n-1].due) {
		c.queue[n-1].b = append(c.queue[n-1].b, b...)
	} else {
		c.queue = append(c.queue, parcel{append([]byte(nil), b...), due})
	}
	c.lastDue = due
	c.queued += len(b)
	c.notify()
	return len(b), nil
}

// put hands bytes to the real connection, and cuts where a cut is due.
func (c *Conn) put(b []byte) (int, error) {
	c.mu.Lock()
	if !c.cutting || len(b) < c.left {
		if c.cutting {
			c.left -= len(b)
		}
		c.mu.Unlock()
		return c.Conn.Write(b)
	}
	left := c.left
	c.mu.Unlock()
	n, err := c.Conn.Write(b[:left])
	setLinger(c.Conn)
	_ = c.shutReal()
	if err == nil {
		err = net.ErrClosed
	}
	return n, err
}

// pump starts the goroutine that delivers. With mu held.
func (c *Conn) pump() {
	if c.pumping || c.gone || !c.home.join() {
		return
	}
	c.pumping = true
	go c.deliver()
}

// deliver is the goroutine of a line with faults: it ends with the connection.
func (c *Conn) deliver() {
	defer c.home.work.Done()
	for {
		b, ok := c.nextOut()
		if !ok {
			return
		}
		if _, err := c.put(b); err != nil {
			_ = c.shutReal()
			return
		}
	}
}

// nextOut waits for bytes that may leave. At the end of the connection, and of what it still had to send, it is false.
func (c *Conn) nextOut() ([]byte, bool) {
	for {
		c.mu.Lock()
		now := time.Now()
		wait := time.Duration(-1)
		switch {
		case c.gone:
			c.mu.Unlock()
			return nil, false
		case now.Before(c.holdOut):
			wait = c.holdOut.Sub(now)
		case len(c.queue) > 0 && !(c.closed && c.linger): // a reset does not wait for what is on its way
			p := &c.queue[0]
			n := len(p.b)
			from := p.due
			if c.rate > 0 && now.Before(c.rateEnds) {
				n = min(n, max(1, c.rate/10))
				if from.Before(c.lastOut) {
					from = c.lastOut
				}
				from = from.Add(time.Duration(n) * time.Second / time.Duration(c.rate)) // that long they take
			}
			if wait = from.Sub(now); wait > 0 {
				break
			}
			b := p.b[:n:n]
			if p.b = p.b[n:]; len(p.b) == 0 {
				c.queue = c.queue[1:]
			}
			c.queued -= n
			c.lastOut = now
			c.mu.Unlock()
			return b, true
		case c.closed:
			c.mu.Unlock()
			_ = c.shutReal()
			return nil, false
		case c.half:
			c.half = false
			c.mu.Unlock()
			_ = closeWrite(c.Conn)
			continue
		}
		changed := c.changed
		c.mu.Unlock()
		await(changed, wait)
	}
}

// await waits for a change, or for d unless it is negative.
func await(changed <-chan struct{}, d time.Duration) {
	if d < 0 {
		<-changed
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-changed:
	case <-t.C:
	}
}

// Read implements net.Conn.
func (c *Conn) Read(b []byte) (int, error) {
	if err := c.mayRead(); err != nil {
		return 0, err
	}
	c.mu.Lock()
	if len(c.early) > 0 {
		n := copy(b, c.early)
		c.early = c.early[n:]
		c.mu.Unlock()
		return n, nil
	}
	c.mu.Unlock()
	n, err := c.Conn.Read(b)
	if n == 0 && err != nil {
		return n, err
	}
	// A hold may have begun while the bytes were waited for.
	if held := c.mayRead(); held != nil {
		c.mu.Lock()
		c.early = append(c.early, b[:n]...)
		c.mu.Unlock()
		return 0, held
	}
	return n, err
}

// mayRead waits until nothing is held back on the way in, or for the deadline or the end.
func (c *Conn) mayRead() error {
	for {
		c.mu.Lock()
		now := time.Now()
		wait := c.holdIn.Sub(now)
		if wait <= 0 {
			c.mu.Unlock()
			return nil
		}
		if !c.deadline.IsZero() {
			wait = min(wait, c.deadline.Sub(now))
		}
		closed, changed := c.closed || c.gone, c.changed
		c.mu.Unlock()
		switch {
		case closed:
			return net.ErrClosed
		case wait <= 0:
			return os.ErrDeadlineExceeded
		}
		await(changed, wait)
	}
}

// SetReadDeadline implements net.Conn.
func (c *Conn) SetReadDeadline(t time.Time) error {
	c.mu.Lock()
	c.deadline = t
	c.notify()
	c.mu.Unlock()
	return c.Conn.SetReadDeadline(t)
}

// SetDeadline implements net.Conn.
func (c *Conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.Conn.SetWriteDeadline(t))
}

// SetLinger with 0 makes the end of the connection a reset; other values mean nothing here.
func (c *Conn) SetLinger(sec int) error {
	c.mu.Lock()
	c.linger = sec == 0
	c.mu.Unlock()
	return nil
}

// CloseWrite ends the sending half behind all that was sent.
func (c *Conn) CloseWrite() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.pumping {
		return closeWrite(c.Conn)
	}
	c.half = true
	c.notify()
	return nil
}

// Close implements net.Conn. On a line with faults the peer hears of it behind what was sent before.
func (c *Conn) Close() error {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil
	}
	c.closed = true
	pumping := c.pumping
	c.notify()
	c.mu.Unlock()
	c.home.drop(c)
	if !pumping {
		return c.shutReal()
	}
	// The owner's reader must not outlast the owner's Close.
	return c.Conn.SetReadDeadline(time.Unix(1, 0))
}

// shutReal closes the real connection, once.
func (c *Conn) shutReal() error {
	c.mu.Lock()
	if c.gone {
		c.mu.Unlock()
		return nil
	}
	c.gone = true
	linger := c.linger
	c.notify()
	c.mu.Unlock()
	if linger {
		setLinger(c.Conn)
	}
	c.home.forget(c)
	return c.Conn.Close()
}

func setLinger(nc net.Conn) {
	if t, ok := nc.(interface{ SetLinger(sec int) error }); ok {
		_ = t.SetLinger(0) // without it the end is a plain one
	}
}

func closeWrite(nc net.Conn) error {
	if t, ok := nc.(interface{ CloseWrite() error }); ok {
		return t.CloseWrite()
	}
	return errors.ErrUnsupported
}

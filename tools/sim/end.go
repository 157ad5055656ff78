package sim

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// End is one side of a connection, a net.Conn. A Read tries what has arrived before it
// looks at the deadline, as the loop's own sockets do, so that a deadline in the past
// makes it non-blocking. A Write is taken whole as long as the window lasts. Guarded by
// the network's lock.
type End struct {
	link *Link
	host *Host // nil: the venue's
	out  *pipe
	cond sync.Cond

	in      []byte  // arrived and not read
	left    []Piece // when it was written
	read    []Piece // likewise, of the last Read
	eof     bool
	reset   bool
	closed  bool
	halfway bool // CloseWrite was called
	dead    bool // its process is gone
	linger  bool // Close resets

	polled bool // whoever reads does not wait
	rdead  time.Time
	wdead  time.Time
	alarm  *time.Timer
}

func newEnd(l *Link, h *Host) *End {
	e := &End{link: l, host: h}
	e.cond.L = &l.net.mu
	return e
}

func passed(t time.Time) bool { return !t.IsZero() && !t.After(time.Now()) }

// Read takes what has arrived.
func (e *End) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	n := e.link.net
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		switch {
		case e.closed || e.dead:
			return 0, net.ErrClosed
		case len(e.in) > 0:
			from := e.out.peer()
			full := from.stuck()
			k := copy(p, e.in)
			e.read, e.left = cut(e.left, k)
			if e.in = e.in[k:]; len(e.in) == 0 {
				e.in = nil
			}
			if full && !from.stuck() {
				from.from.cond.Broadcast()
			}
			return k, nil
		case e.reset:
			return 0, os.NewSyscallError("recv", syscall.ECONNRESET)
		case e.eof:
			return 0, io.EOF
		case e.polled || passed(e.rdead):
			return 0, os.ErrDeadlineExceeded
		}
		e.cond.Wait()
	}
}

// Left tells when the bytes of the last Read were written.
func (e *End) Left() []Piece {
	e.link.net.mu.Lock()
	defer e.link.net.mu.Unlock()
	return e.read
}

// Write hands p to the network.
func (e *End) Write(p []byte) (int, error) {
	if e.host == nil || !e.polled {
		return e.write(p)
	}
	e.host.writing(false)
	n, err := e.write(p)
	e.host.writing(true)
	return n, err
}

func (e *End) write(p []byte) (int, error) {
	n := e.link.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if e.dead {
		return len(p), nil // it reaches nobody, and nobody is there to notice
	}
	sent := 0
	for {
		switch {
		case e.closed || e.halfway:
			return sent, net.ErrClosed
		case e.reset:
			return sent, os.NewSyscallError("send", syscall.EPIPE)
		case sent == len(p):
			return sent, nil
		}
		if room := e.out.room(); room > 0 {
			k := min(room, len(p)-sent)
			e.out.fresh = append(e.out.fresh, segment{kind: segData, b: append([]byte(nil), p[sent:sent+k]...)})
			e.out.queued += k
			sent += k
			n.touch(e.out)
			continue
		}
		if e.polled || passed(e.wdead) {
			// The loop would wait out its deadline here; time stands still in a step.
			return sent, os.ErrDeadlineExceeded
		}
		e.cond.Wait()
	}
}

// touch has the world look at a pipe. The lock is held.
func (n *Net) touch(p *pipe) {
	if !p.dirty {
		p.dirty = true
		n.dirty = append(n.dirty, p)
		n.w.Poke()
	}
}

// Close ends the connection: in order, or with a reset if something that arrived has not
// been read or SetLinger(0) was called.
func (e *End) Close() error {
	n := e.link.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if e.closed {
		return net.ErrClosed
	}
	e.closed = true
	e.setAlarm(time.Time{})
	e.cond.Broadcast()
	switch {
	case e.dead || e.reset:
	case e.linger || len(e.in) > 0:
		e.out.fresh = append(e.out.fresh, segment{kind: segReset})
		n.touch(e.out)
	case !e.halfway:
		e.out.fresh = append(e.out.fresh, segment{kind: segEnd})
		n.touch(e.out)
	}
	e.in = nil
	return nil
}

// CloseWrite ends our half.
func (e *End) CloseWrite() error {
	n := e.link.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if e.closed || e.dead || e.reset || e.halfway {
		return net.ErrClosed
	}
	e.halfway = true
	e.out.fresh = append(e.out.fresh, segment{kind: segEnd})
	n.touch(e.out)
	return nil
}

// SetLinger with 0 has Close reset the connection.
func (e *End) SetLinger(sec int) error {
	e.link.net.mu.Lock()
	defer e.link.net.mu.Unlock()
	e.linger = sec == 0
	return nil
}

// SetDeadline sets both deadlines.
func (e *End) SetDeadline(t time.Time) error {
	_ = e.SetReadDeadline(t)
	return e.SetWriteDeadline(t)
}

// SetReadDeadline bounds Read; one far in the past makes it non-blocking.
func (e *End) SetReadDeadline(t time.Time) error {
	e.link.net.mu.Lock()
	defer e.link.net.mu.Unlock()
	if e.closed || e.dead {
		return net.ErrClosed
	}
	e.rdead = t
	e.polled = e.host != nil && !t.IsZero() && t.Year() < 1980
	e.plan()
	return nil
}

// SetWriteDeadline bounds Write.
func (e *End) SetWriteDeadline(t time.Time) error {
	e.link.net.mu.Lock()
	defer e.link.net.mu.Unlock()
	if e.closed || e.dead {
		return net.ErrClosed
	}
	e.wdead = t
	if e.out.room() <= 0 {
		e.plan()
	}
	return nil
}

// plan wakes whoever waits when the next deadline has passed.
func (e *End) plan() {
	next := e.rdead
	if !e.wdead.IsZero() && e.out.room() <= 0 && (next.IsZero() || e.wdead.Before(next)) {
		next = e.wdead
	}
	e.setAlarm(next)
	if passed(next) {
		e.cond.Broadcast()
	}
}

func (e *End) setAlarm(at time.Time) {
	if e.alarm != nil {
		e.alarm.Stop()
		e.alarm = nil
	}
	if at.IsZero() || passed(at) {
		return
	}
	n := e.link.net
	e.alarm = time.AfterFunc(time.Until(at), func() {
		n.mu.Lock()
		e.cond.Broadcast()
		n.mu.Unlock()
	})
}

// LocalAddr is our address.
func (e *End) LocalAddr() net.Addr {
	if e.host == nil {
		return address(7000)
	}
	return address(20000 + e.link.Number%40000)
}

// RemoteAddr is the peer's.
func (e *End) RemoteAddr() net.Addr {
	if e.host == nil {
		return address(20000 + e.link.Number%40000)
	}
	return address(7000)
}

// Package sock is the transport under riposte's hot connections: a TCP socket
// outside the Go runtime's poller, so that one thread can try many sockets
// without a goroutine each, spin on them, or sleep until any of them has bytes.
//
//	conn.go    a socket as net.Conn
//	call.go    its two system calls, which go round the scheduler
//	dial.go    connections, plain or TLS
//	record.go  TLS records: crypto/tls is asked only when one has come
//	options.go what a socket is told when it has connected
//	waiter.go  sleeping until any of many has bytes
//
// A Conn is a net.Conn with one promise more: Read tries the socket before it
// looks at the deadline. With a deadline in the past it is therefore a
// non-blocking read, and crypto/tls works over it unchanged (its errors are
// temporary, so the record layer keeps what it has and goes on later).
//
// Waiting costs a system thread here, so it is meant for handshakes; the loop
// reads with a past deadline and waits in a Waiter.
package sock

import (
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// waitSlice bounds one wait for a blocking Read or Write, so that a deadline set
// meanwhile by another goroutine is noticed.
const waitSlice = 50 * time.Millisecond

// Conn is a connected TCP socket. One goroutine may read and one may write at a
// time; Close and the deadlines may come from any.
type Conn struct {
	fd            int
	refs          atomic.Int32 // 1 for being open, 1 for each call under way
	closeOnce     sync.Once
	rdead, wdead  atomic.Int64 // unix ns, 0: none
	local, remote net.Addr
	onMode        func(c *Conn, nonblocking bool)
	watched       bool // by a Waiter, whose lock guards it
}

// FromTCP takes the socket over from a runtime connection, which is closed.
func FromTCP(tc *net.TCPConn) (*Conn, error) {
	raw, err := tc.SyscallConn()
	if err != nil {
		return nil, fmt.Errorf("cannot take over the socket: %w", err)
	}
	fd := -1
	var dupErr error
	if err := raw.Control(func(f uintptr) {
		fd, dupErr = unix.FcntlInt(f, unix.F_DUPFD_CLOEXEC, 3)
	}); err != nil || dupErr != nil {
		return nil, fmt.Errorf("cannot take over the socket: %w", errors.Join(err, dupErr))
	}
	c := &Conn{fd: fd, local: tc.LocalAddr(), remote: tc.RemoteAddr()}
	c.refs.Store(1)
	// Closing the original only takes it out of the runtime's poller: the
	// connection lives on in the duplicate, which shares its non-blocking flag.
	if err := tc.Close(); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("cannot take over the socket: %w", err)
	}
	return c, nil
}

func (c *Conn) acquire() bool {
	for {
		n := c.refs.Load()
		if n <= 0 {
			return false
		}
		if c.refs.CompareAndSwap(n, n+1) {
			return true
		}
	}
}

func (c *Conn) release() {
	if c.refs.Add(-1) == 0 {
		_ = unix.Close(c.fd)
	}
}

// Read reads what is there; see the package comment for deadlines. io.EOF comes
// as (0, io.EOF) as usual.
func (c *Conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if !c.acquire() {
		return 0, net.ErrClosed
	}
	defer c.release()
	for {
		n, err := receive(c.fd, p)
		switch {
		case err == 0 && n > 0:
			return n, nil
		case err == 0:
			return 0, errEOF
		case err == unix.EINTR:
			continue
		case err != unix.EAGAIN:
			return 0, os.NewSyscallError("recv", err)
		}
		if c.rdead.Load() == pastMark {
			return 0, os.ErrDeadlineExceeded // no clock is read for what spins
		}
		if err := c.wait(unix.POLLIN, &c.rdead); err != nil {
			return 0, err
		}
	}
}

// Write sends all of p or fails. When the kernel's buffer is full it waits until
// the write deadline.
func (c *Conn) Write(p []byte) (int, error) {
	if !c.acquire() {
		return 0, net.ErrClosed
	}
	defer c.release()
	sent := 0
	for sent < len(p) {
		n, err := send(c.fd, p[sent:])
		switch {
		case err == 0:
			sent += n
			continue
		case err == unix.EINTR:
			continue
		case err != unix.EAGAIN:
			return sent, os.NewSyscallError("send", err)
		}
		if err := c.wait(unix.POLLOUT, &c.wdead); err != nil {
			return sent, err
		}
	}
	return sent, nil
}

// wait sleeps until the socket is ready, the deadline has passed or the
// connection is closed.
func (c *Conn) wait(events int16, deadline *atomic.Int64) error {
	for {
		slice := waitSlice
		if d := deadline.Load(); d != 0 {
			left := time.Until(time.Unix(0, d))
			if left <= 0 {
				return os.ErrDeadlineExceeded
			}
			slice = min(slice, left)
		}
		fds := [1]unix.PollFd{{Fd: int32(c.fd), Events: events}}
		n, err := unix.Poll(fds[:], int(slice/time.Millisecond)+1)
		if err != nil && err != unix.EINTR {
			return os.NewSyscallError("poll", err)
		}
		if c.refs.Load() <= 1 && c.closed() {
			return net.ErrClosed
		}
		if n > 0 {
			return nil
		}
	}
}

func (c *Conn) closed() bool { return c.rdead.Load() == closedMark }

// Marks in rdead, which as deadlines are long past, so that whoever misses one still
// stops.
const (
	closedMark = 1 // Close has been called
	pastMark   = 2 // a deadline so old that it can only mean: do not wait
)

// Close ends the connection and wakes whoever waits on it. The descriptor is given
// back when the last call under way has returned, never earlier: its number
// cannot be reused under a reader.
func (c *Conn) Close() error {
	c.closeOnce.Do(func() {
		if c.onMode != nil {
			c.onMode(c, false)
		}
		c.rdead.Store(closedMark)
		c.wdead.Store(closedMark)
		_ = unix.Shutdown(c.fd, unix.SHUT_RDWR)
		c.release()
	})
	return nil
}

// LocalAddr is our end.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr is the peer's end.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline sets both deadlines.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline bounds Read; a time in the past makes it non-blocking.
func (c *Conn) SetReadDeadline(t time.Time) error {
	if c.closed() {
		return net.ErrClosed
	}
	c.rdead.Store(deadlineNs(t))
	if c.onMode != nil && c.acquire() {
		defer c.release()
		c.onMode(c, !t.IsZero() && !t.After(time.Now()))
	}
	return nil
}

// SetWriteDeadline bounds Write.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if c.closed() {
		return net.ErrClosed
	}
	c.wdead.Store(deadlineNs(t))
	return nil
}

func deadlineNs(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	ns := t.UnixNano()
	if ns < int64(24*time.Hour) {
		return pastMark
	}
	return ns
}

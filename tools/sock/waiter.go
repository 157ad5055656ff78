package sock

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Waiter lets one loop sleep until any of its sockets has bytes or someone wakes
// it: the `park` policy. Connections come and go, and Wake is called, from any
// goroutine; one goroutine waits.
type Waiter struct {
	bell    [2]int // a pipe: reading end, writing end
	rung    atomic.Bool
	byte    [1]byte // fields, because a local would move to the heap
	sink    [8]byte
	mu      sync.Mutex
	watched []*Conn
	changed bool
	closed  bool
	fds     []unix.PollFd // owned by the waiting goroutine; the bell comes first
	held    []*Conn       // whose descriptors are in fds
}

// NewWaiter makes a waiter that watches nothing yet. Close gives its descriptors
// back.
func NewWaiter() (*Waiter, error) {
	w := new(Waiter)
	if err := unix.Pipe(w.bell[:]); err != nil {
		return nil, fmt.Errorf("cannot make a waiter: %w", err)
	}
	for _, fd := range w.bell {
		unix.CloseOnExec(fd)
		if err := unix.SetNonblock(fd, true); err != nil {
			return nil, fmt.Errorf("cannot make a waiter: %w", err)
		}
	}
	w.fds = []unix.PollFd{{Fd: int32(w.bell[0]), Events: unix.POLLIN}}
	return w, nil
}

// mode watches a connection while it is in non-blocking mode.
func (w *Waiter) mode(c *Conn, nonblocking bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.watched, c)
	switch {
	case w.closed:
		return
	case nonblocking && i < 0:
		w.watched = append(w.watched, c)
	case !nonblocking && i >= 0:
		w.watched = slices.Delete(w.watched, i, i+1)
	default:
		return
	}
	w.changed = true
}

// Wake ends the wait under way, or else the next one at once. While one wake is
// pending further ones cost an atomic exchange and no system call.
func (w *Waiter) Wake() {
	if w.rung.Swap(true) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		_, _ = unix.Write(w.bell[1], w.byte[:]) // full means rung already
	}
}

// Wait returns when a watched connection has bytes (or has ended), when it is
// woken, or after d. It allocates only when the set of connections has changed.
func (w *Waiter) Wait(d time.Duration) {
	w.refresh()
	ms := max(int(d/time.Millisecond), 1)
	n, err := unix.Poll(w.fds, ms)
	if err != nil && err != unix.EINTR {
		// Only descriptors out of bounds could get here; waiting blindly keeps
		// the loop alive without turning it into a spin.
		time.Sleep(d)
		return
	}
	if n > 0 && w.fds[0].Revents != 0 {
		_, _ = unix.Read(w.bell[0], w.sink[:])
		w.rung.Store(false)
	}
}

// refresh takes over a changed set. The held references keep descriptor numbers
// from being reused while poll may look at them.
func (w *Waiter) refresh() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.changed {
		return
	}
	w.changed = false
	w.drop()
	for _, c := range w.watched {
		if c.acquire() {
			w.held = append(w.held, c)
			w.fds = append(w.fds, unix.PollFd{Fd: int32(c.fd), Events: unix.POLLIN})
		}
	}
}

func (w *Waiter) drop() {
	for _, c := range w.held {
		c.release()
	}
	w.held, w.fds = w.held[:0], w.fds[:1]
}

// Close lets go of all connections and of the bell. The waiting goroutine calls
// it, after its last Wait; Wake may still be called.
func (w *Waiter) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.closed, w.watched = true, nil
	w.drop()
	for _, fd := range w.bell {
		_ = unix.Close(fd)
	}
}

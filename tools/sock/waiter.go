package sock

import (
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Waiter lets one loop sleep until any of its sockets has bytes: the `park`
// policy. Connections come and go from any goroutine; one goroutine waits.
type Waiter struct {
	mu      sync.Mutex
	watched []*Conn
	changed bool
	fds     []unix.PollFd // owned by the waiting goroutine
	held    []*Conn       // whose descriptors are in fds
}

// mode watches a connection while it is in non-blocking mode.
func (w *Waiter) mode(c *Conn, nonblocking bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.watched, c)
	switch {
	case nonblocking && i < 0:
		w.watched = append(w.watched, c)
	case !nonblocking && i >= 0:
		w.watched = slices.Delete(w.watched, i, i+1)
	default:
		return
	}
	w.changed = true
}

// Wait returns when a watched connection has bytes (or has ended), or after d. It
// allocates only when the set of connections has changed.
func (w *Waiter) Wait(d time.Duration) {
	w.refresh()
	ms := max(int(d/time.Millisecond), 1)
	if _, err := unix.Poll(w.fds, ms); err != nil && err != unix.EINTR {
		// Only a descriptor array out of bounds could get here; waiting
		// blindly keeps the loop alive without turning into a spin.
		time.Sleep(d)
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
	for _, c := range w.held {
		c.release()
	}
	w.held, w.fds = w.held[:0], w.fds[:0]
	for _, c := range w.watched {
		if c.acquire() {
			w.held = append(w.held, c)
			w.fds = append(w.fds, unix.PollFd{Fd: int32(c.fd), Events: unix.POLLIN})
		}
	}
}

// Close lets go of all connections; the waiter is not used afterwards.
func (w *Waiter) Close() {
	w.mu.Lock()
	w.watched, w.changed = nil, true
	w.mu.Unlock()
	w.refresh()
}

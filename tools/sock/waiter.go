package sock

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Waiter lets one loop sleep until any of its sockets has bytes or someone wakes
// it: the `park` policy. Connections come and go, and Wake is called, from any
// goroutine; one goroutine waits.
//
// It is an epoll set: the sockets are told to the kernel once and not with each
// sleep, as with poll, which for half a dozen of them costs some microseconds
// between a frame and whoever waits for it.
type Waiter struct {
	ep     int
	bell   int // an eventfd
	rung   atomic.Bool
	ring   [8]byte // what is written to the bell; fields, because locals would move to the heap
	sink   [8]byte // what is read from it
	events [16]unix.EpollEvent
	procs  int32      // of the Go scheduler, when the waiter was made
	mu     sync.Mutex // around changes of the set, not around waiting
	closed bool
}

// waiters is how many there are: each may keep a processor of the scheduler's.
var waiters atomic.Int32

// NewWaiter makes a waiter that watches nothing yet. Close gives its descriptors
// back.
func NewWaiter() (*Waiter, error) {
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("cannot make a waiter: %w", os.NewSyscallError("epoll_create1", err))
	}
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = unix.Close(ep)
		return nil, fmt.Errorf("cannot make a waiter: %w", os.NewSyscallError("eventfd", err))
	}
	w := &Waiter{ep: ep, bell: bell, procs: int32(runtime.GOMAXPROCS(0))}
	waiters.Add(1)
	binary.NativeEndian.PutUint64(w.ring[:], 1)
	if err := w.control(unix.EPOLL_CTL_ADD, bell); err != nil {
		w.Close()
		return nil, fmt.Errorf("cannot make a waiter: %w", err)
	}
	return w, nil
}

func (w *Waiter) control(op, fd int) error {
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}
	return os.NewSyscallError("epoll_ctl", unix.EpollCtl(w.ep, op, fd, &ev))
}

// mode watches a connection while it is in non-blocking mode. The caller keeps its
// descriptor from being closed meanwhile.
func (w *Waiter) mode(c *Conn, nonblocking bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || c.watched == nonblocking {
		return
	}
	c.watched = nonblocking
	if !nonblocking {
		_ = w.control(unix.EPOLL_CTL_DEL, c.fd) // it is about to be closed in any case
		return
	}
	if err := w.control(unix.EPOLL_CTL_ADD, c.fd); err != nil {
		// The kernel has no room for one more: the loop hears from this socket when
		// its sleep ends, which is bounded.
		c.watched = false
	}
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
		_, _ = unix.Write(w.bell, w.ring[:]) // full means rung already
	}
}

// Wait returns when a watched connection has bytes (or has ended), when it is
// woken, after d, or now and then without a reason. It allocates nothing.
//
// The thread sleeps without telling the Go scheduler, and keeps its processor, as
// long as there are more of them (see GOMAXPROCS) than waiters. Told, the scheduler's monitor
// takes the processor away 20 µs into every sleep, because the loop's goroutine has
// not been rescheduled for long, and looks again every 20 µs; then the way back from
// the sleep leads through the scheduler's lock, between a frame and whoever waits
// for it. A collection does not wait for the sleep to end: its signal ends it.
func (w *Waiter) Wait(d time.Duration) {
	ms := max(int(d/time.Millisecond), 1)
	n, err := 0, unix.Errno(0)
	if waiters.Load() < w.procs {
		n, err = sleep(w.ep, w.events[:], ms)
	} else {
		n, err = told(w.ep, w.events[:], ms)
	}
	if err != 0 && err != unix.EINTR {
		// Only a descriptor that is none could get here; waiting blindly keeps the
		// loop alive without turning it into a spin.
		time.Sleep(d)
		return
	}
	for i := range n {
		if int(w.events[i].Fd) == w.bell {
			_, _ = unix.Read(w.bell, w.sink[:])
			// Whoever rings from now on is either seen by the round of work that
			// follows, or ends the next wait.
			w.rung.Store(false)
		}
	}
}

// Close lets go of all connections and of the bell. The waiting goroutine calls
// it, after its last Wait; Wake may still be called.
func (w *Waiter) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		return
	}
	w.closed = true
	waiters.Add(-1)
	_ = unix.Close(w.bell)
	_ = unix.Close(w.ep)
}

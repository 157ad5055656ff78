package store

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A record goes into a page of the file that is mapped into memory, shared: the store
// is then in the kernel's page cache as surely as a write(2) would have put it there,
// without the system call. It survives the death of the process the same way; neither
// survives the loss of power before the kernel writes the page out.
//
// What write(2) would have told is told before: the room is allocated in the file
// system ahead of its use, so a full disk is an error in time. What cannot be foreseen,
// a device that fails or a file cut short from outside, arrives as a fault on the
// store; see Journal.caught.

const (
	// chunk is how much room is made at a time: some ten thousand orders.
	chunk = 4 << 20
	// spill is how far a window reaches over its chunk, so that the record that
	// passes its end lies whole in it: the most that a record may have.
	spill = 64 << 10
)

// window is a piece of the file in memory.
type window struct {
	mem  []byte
	base int64 // where mem begins in the file; a multiple of chunk
}

// file makes windows one behind the other, the next one while the last is written.
type file struct {
	f     *os.File
	allot func(f *os.File, off, size int64) error

	next    atomic.Pointer[window] // made ahead; taken by the writing goroutine
	used    atomic.Pointer[window] // given back by it
	pending atomic.Int64           // base of the window to be made, -1: none
	stop    chan struct{}
	made    sync.WaitGroup
}

// lookEvery is how often the next window's absence is noticed: with 4 MiB in reserve
// there is no hurry.
const lookEvery = 20 * time.Millisecond

// newFile maps the first window of f, which is empty, and starts making the next.
func newFile(f *os.File, allot func(f *os.File, off, size int64) error) (*file, *window, error) {
	m := &file{f: f, allot: allot, stop: make(chan struct{})}
	w, err := m.window(0)
	if err != nil {
		return nil, nil, err
	}
	m.pending.Store(chunk)
	m.made.Go(m.ahead)
	return m, w, nil
}

// ahead makes windows before they are needed, until stop.
func (m *file) ahead() {
	t := time.NewTicker(lookEvery)
	defer t.Stop()
	for {
		m.look()
		select {
		case <-m.stop:
			return
		case <-t.C:
		}
	}
}

// look makes the next window if it is missing and gives back one that is used up.
func (m *file) look() {
	if base := m.pending.Load(); base >= 0 {
		// An error is not told: the writer has room yet, and will see for itself.
		if w, err := m.window(base); err == nil {
			if m.pending.CompareAndSwap(base, -1) {
				m.next.Store(w)
			} else {
				_ = unix.Munmap(w.mem) // the writer could not wait
			}
		}
	}
	if w := m.used.Swap(nil); w != nil {
		_ = unix.Munmap(w.mem)
	}
}

// follow is the window behind w, which is used up. The writing goroutine calls it; it
// finds the window made, or makes it, if orders came faster.
func (m *file) follow(w *window) (*window, error) {
	next := m.next.Swap(nil)
	if next == nil {
		base := w.base + chunk
		if !m.pending.CompareAndSwap(base, -1) {
			// It is being handed over at this moment.
			for next == nil {
				next = m.next.Swap(nil)
			}
		} else {
			var err error
			if next, err = m.window(base); err != nil {
				return nil, err
			}
		}
	}
	if old := m.used.Swap(w); old != nil {
		_ = unix.Munmap(old.mem)
	}
	m.pending.Store(next.base + chunk)
	return next, nil
}

// window allots room for a window in the file and maps it, all of its pages writable
// without a fault.
func (m *file) window(base int64) (*window, error) {
	if err := m.allot(m.f, base, chunk+spill); err != nil {
		return nil, fmt.Errorf("cannot write the journal: no room for %d more bytes: %w", chunk+spill, err)
	}
	mem, err := unix.Mmap(int(m.f.Fd()), base, chunk+spill, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("cannot write the journal: cannot map %d bytes at %d: %w", chunk+spill, base, err)
	}
	if unix.Madvise(mem, unix.MADV_POPULATE_WRITE) != nil {
		// A kernel before 5.14. Adding nothing to a word of each page does the same,
		// also where the window before is still written: the pages are the same.
		for at := 0; at < len(mem); at += os.Getpagesize() {
			atomic.AddUint32((*uint32)(unsafe.Pointer(&mem[at])), 0)
		}
	}
	return &window{mem, base}, nil
}

// close ends the making of windows and cuts the file to size bytes.
func (m *file) close(last *window, size int64) error {
	close(m.stop)
	m.made.Wait()
	for _, w := range []*window{m.next.Load(), m.used.Load(), last} {
		if w != nil {
			_ = unix.Munmap(w.mem)
		}
	}
	return errors.Join(m.f.Truncate(size), m.f.Sync(), m.f.Close())
}

// allot gives a file blocks, all of them zeros, up to off+size.
func allot(f *os.File, off, size int64) error {
	for {
		err := unix.Fallocate(int(f.Fd()), 0, off, size)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS):
			return zeros(f, off, size)
		}
		return err
	}
}

// zeros is allot for file systems that have no such call: what is not there yet is
// written.
func zeros(f *os.File, off, size int64) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	b := make([]byte, 256<<10)
	for at := max(off, st.Size()); at < off+size; {
		n, err := f.WriteAt(b[:min(int64(len(b)), off+size-at)], at)
		if err != nil {
			return err
		}
		at += int64(n)
	}
	return nil
}

package store

import (
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"

	"riposte/core/fault"
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
	// chunkMost is how much room is made at a time: some ten thousand orders.
	chunkMost = 4 << 20
	// spill is how far a window reaches over its chunk, so that the record that
	// passes its end lies whole in it: the most that a record may have.
	spill = 64 << 10
)

// window is a piece of a file in memory.
type window struct {
	mem    []byte
	base   int64 // where mem begins in the file; a multiple of the chunk
	f      *os.File
	number uint64 // of the file
}

// window allots room for a window in a file and maps it, all of its pages writable
// without a fault.
func (k *keeper) window(f *os.File, number uint64, base int64) (*window, error) {
	size := k.chunk + spill
	if err := k.disk.allot(f, base, size); err != nil {
		return nil, fmt.Errorf("cannot write the journal: no room for %d more bytes: %w", size, err)
	}
	fault.At(fault.WindowAllotted)
	mem, err := k.disk.mmap(f, base, int(size))
	if err != nil {
		return nil, fmt.Errorf("cannot write the journal: cannot map %d bytes at %d: %w", size, base, err)
	}
	if unix.Madvise(mem, unix.MADV_POPULATE_WRITE) != nil {
		// A kernel before 5.14. Adding nothing to a word of each page does the same,
		// also where the window before is still written: the pages are the same.
		for at := 0; at < len(mem); at += os.Getpagesize() {
			atomic.AddUint32((*uint32)(unsafe.Pointer(&mem[at])), 0)
		}
	}
	fault.At(fault.WindowMapped)
	return &window{mem: mem, base: base, f: f, number: number}, nil
}

func (w *window) unmap() {
	if w != nil {
		_ = unix.Munmap(w.mem)
	}
}

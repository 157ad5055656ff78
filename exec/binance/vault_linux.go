package binance

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// errHeap marks memory that is not a mapping.
var errHeap = errors.New("no mapping")

// mapSecret is n bytes or more of anonymous memory, locked and left out of core dumps.
// An error is a warning: what could not be had is missing, the memory is there.
func mapSecret(n int) ([]byte, error) { return mapWith(n, unix.Mlock) }

func mapWith(n int, lock func([]byte) error) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, n, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return make([]byte, max(n, 0)), fmt.Errorf("keys lie on the heap: cannot map memory for them: %w (%w)", err, errHeap)
	}
	if err := unix.Madvise(b, unix.MADV_DONTDUMP); err != nil {
		return b, fmt.Errorf("keys would be part of a core dump: cannot leave their memory out (madvise): %w", err)
	}
	if err := lock(b); err != nil {
		return b, fmt.Errorf("keys may be swapped out: cannot lock their memory (mlock): %w; want an RLIMIT_MEMLOCK of 64 KiB or more (ulimit -l, LimitMEMLOCK= in a systemd unit)", err)
	}
	return b, nil
}

// unmapSecret gives back what mapSecret returned along with err.
func unmapSecret(b []byte, err error) {
	if !errors.Is(err, errHeap) {
		_ = unix.Munmap(b) // of our own mapping: it cannot fail
	}
}

package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Shared is one T in memory that every process sees which opens the same file: what
// one stores, the others load. T holds fixed-size atomics and no pointer, and its zero
// value is its beginning. The file's first bytes say what it is:
//
//	offset  size
//	 0      8   "riposte" and a version
//	 8      8   size of T, in bytes
//	16      36  the kernel's boot id: a file of an earlier boot starts anew
//	64      …   T
//
// Each process holds one of the file's slots, a number that no other has, as long as
// it lives: the kernel gives it back with the process, however that ends.
type Shared[T any] struct {
	Value *T
	Slot  int
	Left  []int // slots whose processes are gone; what they left behind is the caller's to clear

	mem  []byte
	file *os.File
}

const (
	sharedMagic  = "riposte\x01"
	sharedHeader = 64
	bootIDFile   = "/proc/sys/kernel/random/boot_id"
	// slotsAt is where the locks that stand for slots lie: no byte of the file.
	slotsAt = 1 << 40
)

// OpenShared opens or makes the file at path, for ourselves alone in a folder that is
// ours alone, and takes the first free of slots. Version and size of T are part of the
// file's name: programs that do not agree about T do not meet.
func OpenShared[T any](path string, slots int) (s *Shared[T], err error) {
	size := sharedHeader + int(unsafe.Sizeof(*new(T)))
	path = fmt.Sprintf("%s.v%d.%d", path, sharedMagic[7], size)
	fail := func(err error) (*Shared[T], error) {
		return nil, fmt.Errorf("cannot share memory in %s: %w", path, err)
	}
	if err := ownFolder(filepath.Dir(path)); err != nil {
		return fail(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return fail(err)
	}
	defer func() {
		if err != nil {
			_ = f.Close()
		}
	}()
	// Whoever comes first makes it; all others find it made.
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return fail(err)
	}
	defer func() { _ = unix.Flock(int(f.Fd()), unix.LOCK_UN) }()
	head := sharedHead(size - sharedHeader)
	if found := make([]byte, sharedHeader); !readAll(f, found) || string(found) != string(head) {
		if err := errors.Join(f.Truncate(0), f.Truncate(int64(size))); err != nil {
			return fail(err)
		}
		if _, err := f.WriteAt(head, 0); err != nil {
			return fail(err)
		}
	}
	s = &Shared[T]{file: f, Slot: -1}
	for i := range slots {
		switch err := lockSlot(f, i, unix.F_WRLCK); {
		case errors.Is(err, unix.EAGAIN) || errors.Is(err, unix.EACCES): // somebody lives there
		case err != nil:
			return fail(err)
		case s.Slot < 0:
			s.Slot = i
		default:
			s.Left = append(s.Left, i)
			if err := lockSlot(f, i, unix.F_UNLCK); err != nil {
				return fail(err)
			}
		}
	}
	if s.Slot < 0 {
		return fail(fmt.Errorf("found %d processes sharing it, want at most %d", slots, slots))
	}
	if s.mem, err = unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return fail(err)
	}
	s.Value = (*T)(unsafe.Pointer(&s.mem[sharedHeader]))
	return s, nil
}

// Close leaves the memory; nothing may use Value afterwards.
func (s *Shared[T]) Close() error {
	s.Value = nil
	return errors.Join(unix.Munmap(s.mem), s.file.Close())
}

func sharedHead(size int) []byte {
	b := append(make([]byte, 0, sharedHeader), sharedMagic...)
	b = binary.LittleEndian.AppendUint64(b, uint64(size))
	boot, _ := os.ReadFile(bootIDFile) // where there is none, all boots are one
	b = append(b, strings.TrimSpace(string(boot))...)
	return b[:min(len(b), sharedHeader)][:sharedHeader:sharedHeader]
}

func readAll(f *os.File, b []byte) bool {
	n, err := f.ReadAt(b, 0)
	return err == nil && n == len(b)
}

// lockSlot locks by open file description: closing another descriptor of the file in
// this process does not give it back.
func lockSlot(f *os.File, slot int, kind int16) error {
	return unix.FcntlFlock(f.Fd(), unix.F_OFD_SETLK, &unix.Flock_t{Type: kind, Start: slotsAt + int64(slot), Len: 1})
}

// ownFolder makes a folder for ourselves, or makes sure that one is: in a place where
// all may write, another could have made it.
func ownFolder(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Lstat(dir, &st); err != nil {
		return err
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFDIR:
		return fmt.Errorf("%s is no folder", dir)
	case int(st.Uid) != os.Geteuid():
		return fmt.Errorf("%s belongs to user %d, want ourselves, %d", dir, st.Uid, os.Geteuid())
	case st.Mode&0o022 != 0:
		return fmt.Errorf("%s has mode %o, want one that only we may write to", dir, st.Mode&0o777)
	}
	return nil
}

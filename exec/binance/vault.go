package binance

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"
)

// The bytes of keys, and what could sign in their place, lie outside the Go heap: in
// mappings that the kernel neither swaps out nor writes into a core dump, so no
// collection moves them, no heap dump holds them, and wiping them leaves no copy. What
// lies here holds no Go pointers: the collector does not look.
//
// Not here are the API key inside the requests that are laid out (whoever sees a
// request sees it) and the numbers of an RSA key, for which crypto/rsa keeps values of
// its own on the heap.

const (
	slotSize  = 1 << 10
	chunkSize = 32 << 10
)

// slot is memory for one secret. Its bytes are zero when it is taken.
type slot struct{ b []byte }

// vault is where slots come from. Any goroutine; cold.
var vault struct {
	sync.Mutex
	free  [][]byte
	warns []string // why some of it is less than was promised
}

// take is a slot of n bytes. It goes back by itself when nobody holds it any more, and
// its bytes are never unmapped: whoever still reads a wiped one reads zeros.
func take(n int) *slot {
	if n > slotSize {
		panic(fmt.Sprintf("BUG: a secret of %d bytes does not fit its slot of %d", n, slotSize))
	}
	vault.Lock()
	defer vault.Unlock()
	if len(vault.free) == 0 {
		chunk, err := mapSecret(chunkSize)
		warnSecret(err)
		for at := 0; at < len(chunk); at += slotSize {
			vault.free = append(vault.free, chunk[at:at+slotSize:at+slotSize])
		}
	}
	last := len(vault.free) - 1
	whole := vault.free[last]
	vault.free = vault.free[:last]
	s := &slot{whole[:n:n]}
	runtime.AddCleanup(s, func(whole []byte) {
		clear(whole)
		vault.Lock()
		defer vault.Unlock()
		vault.free = append(vault.free, whole)
	}, whole)
	return s
}

// wipe overwrites the slot, which may be used again afterwards.
func (s *slot) wipe() { clear(s.b) }

// in is a slot's memory as a T, which must hold no pointers. Whoever uses it keeps the
// slot alive.
func in[T any](s *slot) *T {
	if n := int(unsafe.Sizeof(*new(T))); n > len(s.b) {
		panic(fmt.Sprintf("BUG: %d bytes do not fit a slot of %d", n, len(s.b)))
	}
	return (*T)(unsafe.Pointer(unsafe.SliceData(s.b))) // a slot begins at a multiple of its size
}

// scratch is secret memory for a moment, such as a file on its way in.
func scratch(n int, use func(b []byte) error) error {
	b, err := mapSecret(n)
	vault.Lock()
	warnSecret(err)
	vault.Unlock()
	defer func() {
		clear(b)
		unmapSecret(b, err)
	}()
	return use(b[:n])
}

// warnSecret notes once why secret memory is less than it should be; vault is locked.
func warnSecret(err error) {
	if err != nil && len(vault.warns) == 0 {
		vault.warns = append(vault.warns, err.Error())
	}
}

// MemoryWarnings say in which way keys lie in memory less protected than they should,
// because this machine refused it; empty if nothing was refused.
func MemoryWarnings() []string {
	vault.Lock()
	defer vault.Unlock()
	return append([]string(nil), vault.warns...)
}

package floor

// #include "book.h"
import "C"

import (
	"fmt"
	"unsafe"
)

// What an Update is.
const (
	UpdateSet   = 0 // a level is set, then both bests are read
	UpdateImage = 1 // a level of a snapshot
	UpdateClear = 2 // the book is emptied, price and quantity mean nothing
)

// Update is one level of a recording, laid out as the C side reads it. Price and Qty
// are at 1e-8, side 0 is bids.
type Update struct {
	Price, Qty int64
	Side, Kind uint8
	_          [6]uint8
}

// Book is a flat array of ticks per side with a bitmap over it, in memory outside of
// Go's heap. One goroutine.
type Book struct{ b *C.struct_floor_book }

// NewBook makes an empty book for the prices lo to hi in steps of tick, at 1e-8.
// Others must not come. Close gives its memory back.
func NewBook(lo, hi, tick int64) (*Book, error) {
	if tick <= 0 || lo <= 0 || hi < lo || hi >= 1<<53 || (hi-lo)%tick != 0 {
		return nil, fmt.Errorf("cannot make a flat book: got prices %d to %d by %d, want whole steps below 2^53", lo, hi, tick)
	}
	b := C.floor_book_new(C.int64_t(lo), C.int64_t(hi), C.int64_t(tick))
	if b == nil {
		return nil, fmt.Errorf("cannot make a flat book: no memory for %d ticks", (hi-lo)/tick+1)
	}
	return &Book{b}, nil
}

// Close frees the book.
func (b *Book) Close() {
	C.floor_book_free(b.b)
	b.b = nil
}

// Replay takes all updates and returns a checksum of both bests after each set.
func (b *Book) Replay(u []Update) uint64 {
	if len(u) == 0 {
		return 0
	}
	return uint64(C.floor_book_replay(b.b, (*C.struct_floor_update)(unsafe.Pointer(&u[0])), C.int64_t(len(u))))
}

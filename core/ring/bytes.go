package ring

import (
	"encoding/binary"
	"fmt"
	"sync/atomic"
)

// Bytes carries byte messages of any length from one goroutine to one other: raw
// frames on their way to a recorder. A message lies in one piece, behind a header
// with its length; one that would not fit before the end of the memory starts anew at
// its beginning:
//
//	│ n │ message ...... │ n │ message .. │ wrap │ unused │
//
// Claim and Publish belong to the writing goroutine, Peek and Pop to the reading one,
// Len and Cap to anyone.
type Bytes struct {
	mem  []byte
	mask uint64

	_        pad
	next     uint64 // writer's: equals tail
	claimed  uint64 // writer's: what Publish adds
	headSeen uint64 // writer's: head as last looked at

	_    pad
	tail atomic.Uint64 // bytes ever published, headers and unused ends included

	_        pad
	first    uint64 // reader's: equals head
	tailSeen uint64 // reader's: tail as last looked at

	_    pad
	head atomic.Uint64

	_ pad
}

const (
	bytesHeader = 8
	bytesWrap   = ^uint64(0) // in place of a length: go on at the beginning
)

// NewBytes makes a ring of that many bytes, a power of two.
func NewBytes(capacity int) *Bytes {
	mustPowerOfTwo("ring capacity", capacity)
	if capacity < 2*bytesHeader {
		panic(fmt.Sprintf("BUG: byte ring of %d bytes, want at least %d", capacity, 2*bytesHeader))
	}
	return &Bytes{mem: make([]byte, capacity), mask: uint64(capacity - 1)}
}

// Most is the longest message that can ever be claimed: whatever lies at the end of
// the memory unused, it finds room.
func (b *Bytes) Most() int { return len(b.mem)/2 - bytesHeader }

// Claim is room for a message of n bytes, to be filled and published, or nil if there
// is none now. Claiming again without publishing takes the first back. A message
// longer than Most panics. Writer only.
func (b *Bytes) Claim(n int) []byte {
	if n < 0 || n > b.Most() {
		panic(fmt.Sprintf("BUG: message of %d bytes in a byte ring, want at most %d", n, b.Most()))
	}
	need := (uint64(n) + bytesHeader + 7) &^ 7
	at := b.next & b.mask
	end := uint64(len(b.mem)) - at
	skip := uint64(0)
	if need > end {
		skip = end
	}
	if b.next+skip+need-b.headSeen > uint64(len(b.mem)) {
		if b.headSeen = b.head.Load(); b.next+skip+need-b.headSeen > uint64(len(b.mem)) {
			return nil
		}
	}
	if skip > 0 {
		binary.NativeEndian.PutUint64(b.mem[at:], bytesWrap)
		at = 0
	}
	binary.NativeEndian.PutUint64(b.mem[at:], uint64(n))
	b.claimed = skip + need
	return b.mem[at+bytesHeader : at+bytesHeader+uint64(n) : at+bytesHeader+uint64(n)]
}

// Publish hands the claimed message to the reader. Writer only.
func (b *Bytes) Publish() {
	b.next += b.claimed
	b.claimed = 0
	b.tail.Store(b.next)
}

// Peek is the oldest message, nil if there is none; an empty message is empty and not
// nil. It is borrowed until Pop. Reader only.
func (b *Bytes) Peek() []byte {
	if b.first == b.tailSeen {
		if b.tailSeen = b.tail.Load(); b.first == b.tailSeen {
			return nil
		}
	}
	at := b.first & b.mask
	n := binary.NativeEndian.Uint64(b.mem[at:])
	if n == bytesWrap {
		b.first += uint64(len(b.mem)) - at
		at = 0
		n = binary.NativeEndian.Uint64(b.mem)
	}
	return b.mem[at+bytesHeader : at+bytesHeader+n : at+bytesHeader+n]
}

// Pop gives back what Peek lent. Reader only.
func (b *Bytes) Pop() {
	n := binary.NativeEndian.Uint64(b.mem[b.first&b.mask:])
	b.first += (n + bytesHeader + 7) &^ 7
	b.head.Store(b.first)
}

// Len is how many bytes are in use, headers included.
func (b *Bytes) Len() int {
	head := b.head.Load()
	return int(b.tail.Load() - head)
}

// Cap is how many bytes there are.
func (b *Bytes) Cap() int { return len(b.mem) }

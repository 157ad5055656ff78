package ring

import (
	"math/bits"
	"sync/atomic"
)

// Bells say which of many queues may have something unread, so that a reader of
// hundreds need not look at each: one bit per queue. A writer rings its bell after
// it has published; the reader takes all bells that were rung in one look and then
// peeks at those queues. Ringing may come from any goroutine, Take from one.
type Bells struct{ words []atomic.Uint64 }

// NewBells makes bells for n queues, all silent.
func NewBells(n int) *Bells { return &Bells{make([]atomic.Uint64, (n+63)/64)} }

// ring sets one bit. A bell that still rings is left alone: the reader has yet to
// take it, and will then see what was published before this look.
func (b *Bells) ring(word int, bit uint64) {
	if w := &b.words[word]; w.Load()&bit == 0 {
		w.Or(bit)
	}
}

// Take silences all bells and adds those that rang to set. Reader only.
func (b *Bells) Take(set *Set) {
	for i := range b.words {
		if w := &b.words[i]; w.Load() != 0 {
			set.words[i] |= w.Swap(0)
		}
	}
}

// Set is a set of small numbers, one goroutine's.
type Set struct{ words []uint64 }

// NewSet makes an empty set for the numbers below n.
func NewSet(n int) *Set { return &Set{make([]uint64, (n+63)/64)} }

// Add puts i in.
func (s *Set) Add(i int) { s.words[i>>6] |= 1 << (i & 63) }

// Remove takes i out.
func (s *Set) Remove(i int) { s.words[i>>6] &^= 1 << (i & 63) }

// Next is the smallest member at or after i and below end, or end if there is none.
func (s *Set) Next(i, end int) int {
	for i < end {
		if w := s.words[i>>6] >> (i & 63); w != 0 {
			return min(i+bits.TrailingZeros64(w), end)
		}
		i = (i | 63) + 1
	}
	return end
}

// Attach gives the queue the i-th bell, which every Publish then rings. It must
// happen before the writer starts.
func (q *Queue) Attach(b *Bells, i int) { q.bells, q.word, q.bit = b, i>>6, 1<<(i&63) }

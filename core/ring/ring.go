// Package ring carries fixed-size values from one goroutine to one other
// without locks, channels or allocation.
//
//	Ring     a bounded queue of values, one writer and one reader
//	Queue    one instrument's market events with their levels in ring memory
//	Bytes    byte messages of any length
//	Mailbox  the newest value only; the writer never waits
//	Bells    which of many queues have something, for a reader of hundreds
//
// # What must hold
//
// A reader sees a value whole or not at all, each exactly once and in the order
// written. A writer never touches memory that the reader may still be reading.
// A full ring is an answer the writer gets at once, never a wait.
//
// # Who owns a slot when
//
// Two counters that only grow split the slots. The writer owns [tail, head+cap),
// the reader owns [head, tail):
//
//	        head            tail             head+cap
//	          │   reader's    │    writer's     │
//	──────────┼───────────────┼─────────────────┼──────────
//	 released │ published,    │ free; Claim     │
//	          │ Pending       │ hands these out │
//
// The writer fills free slots in place and moves tail over them in one store;
// that store hands the slots over, because the reader's load of tail is ordered
// after everything written before it (sync/atomic operations are sequentially
// consistent in the Go memory model). The reader's store of head gives slots
// back the same way. Nobody else may touch a slot, and nobody writes a counter
// that is not theirs.
//
// # Why this shape
//
// The obvious ring lets both sides read both counters on every call; then each
// call drags the other core's cache line across. Here each side remembers the
// last value it saw of the other's counter and looks again only when that makes
// the ring seem full or empty, so a busy ring exchanges a counter once per
// batch. Four groups of fields sit on lines of their own, 128 bytes apart
// because processors fetch lines in pairs: what only the writer uses, tail, what
// only the reader uses, head. A sequence number inside each slot would save the
// reader one miss on a lone item, but a 64-byte event would then spill into a
// second line, and runs of slots could not be lent out as plain slices.
//
// Batches are the fast path: an atomic store costs about as much as copying an
// event, so Space and Commit, Pending and Release pay it once for many.
package ring

import (
	"fmt"
	"sync/atomic"
)

// pad keeps its neighbours at least two cache lines apart whatever the
// alignment of the struct around it.
type pad [128]byte

// Ring is a bounded queue of T from one goroutine to one other. Claim, Publish,
// Space and Commit belong to the writing goroutine, Pending and Release to the
// reading one, Len and Cap to anyone. Where one goroutine plays both sides it
// is simply a queue.
type Ring[T any] struct {
	slots []T
	mask  uint64

	_        pad
	next     uint64 // writer's: equals tail
	headSeen uint64 // writer's: head as last looked at

	_    pad
	tail atomic.Uint64 // written by the writer: slots ever published

	_        pad
	first    uint64 // reader's: equals head
	tailSeen uint64 // reader's: tail as last looked at

	_    pad
	head atomic.Uint64 // written by the reader: slots ever released

	_ pad
}

// New makes a ring of that many slots, a power of two; anything else panics,
// because sizes come from our own configuration, checked before.
func New[T any](capacity int) *Ring[T] {
	mustPowerOfTwo("ring capacity", capacity)
	return &Ring[T]{slots: make([]T, capacity), mask: uint64(capacity - 1)}
}

func mustPowerOfTwo(what string, n int) {
	if n < 1 || n&(n-1) != 0 {
		panic(fmt.Sprintf("BUG: %s is %d, want a power of two", what, n))
	}
}

// Claim is the next free slot, to be filled in place and then published, or nil
// if the ring is full. It holds whatever was there a lap ago. Claiming again
// without publishing gives the same slot. Writer only.
func (r *Ring[T]) Claim() *T {
	if r.next-r.headSeen > r.mask {
		if r.headSeen = r.head.Load(); r.next-r.headSeen > r.mask {
			return nil
		}
	}
	return &r.slots[r.next&r.mask]
}

// Publish hands the claimed slot to the reader. Writer only.
func (r *Ring[T]) Publish() { r.Commit(1) }

// Space lends up to n free slots that lie side by side, to be filled from the
// front and handed over with Commit. It may be shorter than n where the ring
// wraps or is nearly full; it is empty when full. Writer only.
func (r *Ring[T]) Space(n int) []T {
	free := r.mask + 1 - (r.next - r.headSeen)
	if free < uint64(n) {
		r.headSeen = r.head.Load()
		free = r.mask + 1 - (r.next - r.headSeen)
	}
	at := r.next & r.mask
	return r.slots[at : at+min(uint64(n), free, r.mask+1-at)]
}

// Commit hands the first n slots of the last Space to the reader, in one step.
// Writer only.
func (r *Ring[T]) Commit(n int) {
	r.next += uint64(n)
	if r.next-r.headSeen > r.mask+1 {
		panic("BUG: more slots published than were free")
	}
	r.tail.Store(r.next)
}

// Pending lends the published slots that lie side by side, oldest first; empty
// when there are none. They stay valid, and the reader's to change, until
// released. Where the ring wraps the rest follows in the next call. Reader only.
func (r *Ring[T]) Pending() []T {
	if r.tailSeen == r.first {
		r.tailSeen = r.tail.Load()
	}
	at := r.first & r.mask
	return r.slots[at : at+min(r.tailSeen-r.first, r.mask+1-at)]
}

// Release gives the first n slots of Pending back to the writer. Reader only.
func (r *Ring[T]) Release(n int) {
	if uint64(n) > r.tailSeen-r.first {
		panic("BUG: more slots released than were pending")
	}
	r.first += uint64(n)
	r.head.Store(r.first)
}

// Len is how many published slots are not yet released: exact for a goroutine
// that plays both sides, else a moment's estimate within 0 and Cap.
func (r *Ring[T]) Len() int { return length(&r.head, &r.tail, r.mask+1) }

// Cap is the number of slots.
func (r *Ring[T]) Cap() int { return len(r.slots) }

func length(head, tail *atomic.Uint64, capacity uint64) int {
	// head first: tail can only have grown since, so the difference is not
	// negative, but it may count slots that were reused in between.
	h := head.Load()
	return int(min(tail.Load()-h, capacity))
}

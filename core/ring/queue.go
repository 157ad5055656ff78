package ring

import (
	"fmt"
	"math/bits"
	"sync/atomic"

	"riposte/core"
)

// Queue carries one instrument's market events and their levels from the feed
// session, its writer, to the engine shard, its reader. Deltas wait here while a
// snapshot is fetched.
//
// Events lie in a ring of slots, their levels in an array beside it:
//
//	events   │ e7 │ e8 │ e9 │ .. │       one slot per event
//	spans    │ ●  │ ●  │ ●  │            where its levels start, how many
//	           │    │    └──────────┐
//	levels   │ e9 e9 e9 │ free … │ e7 e7 │ e8 e8 e8 e8 e8 ┊ e8 e8      ┊
//	         0                                        levels  + slack
//
// An event's levels are always one slice: they start below the nominal end and
// may run past it into the slack, which is as long as one event may be; the next
// event then starts at 0. The reader frees an event and its levels with the one
// counter of the event ring: the writer finds the end of free level memory in
// the span of the oldest unread event, which the writer wrote itself.
//
// Claim and Publish belong to the writing goroutine, Peek and Pop to the reading
// one, Len and Cap to anyone.
type Queue struct {
	events []core.Event
	spans  []span
	levels []core.Level
	mask   uint64 // of events
	lap    uint32 // nominal length of levels, a power of two
	most   uint32 // levels per event
	word   int    // where the bell is
	bit    uint64
	bells  *Bells // may be nil

	_        pad
	next     uint64 // writer's: equals tail
	headSeen uint64 // writer's: head as last looked at
	at       uint32 // writer's: where the next levels start, counted in laps, wrapping
	lookedAt uint32 // writer's: at when head was last looked at

	_    pad
	tail atomic.Uint64
	ends atomic.Uint64 // written by the writer, see End

	_        pad
	first    uint64 // reader's: equals head
	tailSeen uint64 // reader's: tail as last looked at

	_    pad
	head atomic.Uint64

	_ pad
}

// span is where an event's levels lie. start counts on over the laps, modulo
// 2^32, which is a multiple of every lap length.
type span struct{ start, n uint32 }

// restartAfter is how many levels the writer writes before it looks whether the
// queue has run empty, in which case it goes back to the start of the array: a
// reader that keeps up then keeps the whole traffic in a few warm cache lines,
// and memory that no burst ever needed is never touched.
const restartAfter = 256

// NewQueue makes a queue of that many events (a power of two) that share room
// for about that many levels (rounded up to a power of two), of which one event
// may have up to levelsPerEventMax. Sizes that cannot be panic.
func NewQueue(events, levels, levelsPerEventMax int) *Queue {
	mustPowerOfTwo("queue's event capacity", events)
	if levelsPerEventMax < 1 || levels < levelsPerEventMax || levels > 1<<30 {
		panic(fmt.Sprintf("BUG: queue for %d levels of which an event may have %d, want at least 1 per event, room for one event, at most 2^30",
			levels, levelsPerEventMax))
	}
	lap := uint32(1) << bits.Len32(uint32(levels-1))
	return &Queue{
		events: make([]core.Event, events),
		spans:  make([]span, events),
		levels: make([]core.Level, int(lap)+levelsPerEventMax),
		mask:   uint64(events - 1),
		lap:    lap,
		most:   uint32(levelsPerEventMax),
	}
}

// Claim lends the next event slot, and in lv the free level memory for it: lv
// has length 0 and capacity for as many levels as fit now, at most
// levelsPerEventMax, perhaps none. ev is nil if no event slot is free. Both hold
// leftovers of an earlier lap. Nothing is claimed until Publish. Writer only.
func (q *Queue) Claim() (ev *core.Event, lv []core.Level) {
	if q.next-q.headSeen > q.mask || q.at-q.lookedAt >= restartAfter {
		q.look()
		if q.next-q.headSeen > q.mask {
			return nil, nil
		}
	}
	free := q.free()
	if free < q.most {
		q.look()
		free = q.free()
	}
	i := q.at & (q.lap - 1)
	return &q.events[q.next&q.mask], q.levels[i : i : i+free]
}

// free is the level memory at q.at that is free and lies side by side.
func (q *Queue) free() uint32 {
	if q.headSeen == q.next {
		return q.most
	}
	oldest := q.spans[q.headSeen&q.mask].start
	if (oldest^q.at)&^(q.lap-1) == 0 {
		return q.most // same lap: all unread levels lie below, the slack is ours
	}
	return min(q.most, oldest+q.lap-q.at)
}

// look reads the reader's counter, and restarts the level array if nothing is
// unread.
func (q *Queue) look() {
	q.headSeen = q.head.Load()
	if q.headSeen == q.next {
		q.at = (q.at + q.lap - 1) &^ (q.lap - 1)
	}
	q.lookedAt = q.at
}

// Publish hands the claimed event to the reader with the first n levels of the
// lent memory. Writer only.
func (q *Queue) Publish(n int) {
	if q.next-q.headSeen > q.mask || uint(n) > uint(q.free()) {
		panic("BUG: event published without a claim, or with more levels than were lent")
	}
	q.spans[q.next&q.mask] = span{q.at, uint32(n)}
	q.at += uint32(n)
	if over := q.at & (q.lap - 1); over < uint32(n) {
		q.at -= over // reached the nominal end: the next event starts a lap
	}
	q.next++
	q.tail.Store(q.next)
	if q.bells != nil {
		q.bells.ring(q.word, q.bit)
	}
}

// End says that the event just published makes worthless what lies before it: a reader
// for whom events wait need not come to it to learn that. Writer only.
func (q *Queue) End() { q.ends.Store(q.ends.Load() + 1) }

// Ends is how often End was called. Any goroutine.
func (q *Queue) Ends() uint64 { return q.ends.Load() }

// Peek is the oldest unread event and its levels, nil if there is none. Both are
// valid until Pop and may be read again until then. Reader only.
func (q *Queue) Peek() (ev *core.Event, lv []core.Level) {
	if q.tailSeen == q.first {
		if q.tailSeen = q.tail.Load(); q.tailSeen == q.first {
			return nil, nil
		}
	}
	i := q.first & q.mask
	s := q.spans[i]
	at := s.start & (q.lap - 1)
	return &q.events[i], q.levels[at : at+s.n : at+s.n]
}

// Pop gives the event last peeked at back to the writer. Reader only.
func (q *Queue) Pop() {
	if q.tailSeen == q.first {
		panic("BUG: pop without an event peeked at")
	}
	q.first++
	q.head.Store(q.first)
}

// Len is how many events are unread; see Ring.Len.
func (q *Queue) Len() int { return length(&q.head, &q.tail, q.mask+1) }

// Cap is the number of event slots.
func (q *Queue) Cap() int { return len(q.events) }

// LevelsPerEventMax is the most levels an event can carry.
func (q *Queue) LevelsPerEventMax() int { return int(q.most) }

package book

import (
	"fmt"

	"riposte/core"
)

// State is how far a book can be trusted.
type State uint8

// The states. Only a Live book can be read.
//
//	           snapshot                 an event joins it
//	Syncing ──────────────► Syncing ────────────────────────► Live
//	   ▲                    (loaded)                           │ │
//	   └──────── snapshot ─────┐          missing, crossed,    │ │ line down,
//	                        Gapped ◄──── touch contradicts ────┘ │ queue overflowed
//	                        Stale  ◄─────────────────────────────┘  (from any state)
const (
	Syncing State = iota // nothing proven yet
	Live                 // every event since the snapshot is applied, none is missing
	Stale                // the line was lost; what was true may no longer be
	Gapped               // an event proved that the book is wrong
)

func (s State) String() string { return [...]string{"syncing", "live", "stale", "gapped"}[s] }

// Reason is why a book is not Live, or was not before.
type Reason uint8

// The reasons.
const (
	NoReason     Reason = iota
	EventMissing        // update ids leave a gap
	EventsBehind        // ids went back and stayed there: another sequence has begun
	BookCrossed         // bid at or above ask after a whole event
	TouchDiffers        // the best-price stream contradicts the book twice in a row
	LineLost            // the connection went down
	QueueFull           // the queue overflowed and events were lost
	RangeLeft           // the touch went beyond the depth that the snapshot told
	AuditDiffers        // a snapshot at the same update id contradicts the book
	DepthBehind         // a snapshot is ahead, and the events up to it do not come
)

func (r Reason) String() string {
	return [...]string{"", "event missing", "ids went back", "book crossed", "touch differs", "line lost", "queue full",
		"touch left the known range", "audit differs", "depth behind a snapshot"}[r]
}

// Verdict is what became of an event or snapshot, and so what to do with it.
type Verdict uint8

// The verdicts.
const (
	Applied Verdict = iota // done with it; the book has moved
	Dropped                // done with it; it told nothing new
	Wait                   // leave the event in the queue: a snapshot must come first
	Gap                    // likewise; this event proved the book wrong, see Status().Reason
	Refetch                // the snapshot is of no use: fetch another, leave the events in the queue
)

func (v Verdict) String() string {
	return [...]string{"applied", "dropped", "wait", "gap", "refetch"}[v]
}

// Counters add up over the life of a Sync.
type Counters struct {
	Applied, Dropped uint64 // events applied; events older than their snapshot
	Repeated         uint64 // events that a live book knew already
	Overlaps         uint64 // applied events that began within the known
	Gaps             uint64 // times the book turned out wrong
	LineDowns        uint64
	Overflows        uint64
	Snapshots        uint64 // loaded
	Renewals         uint64 // of them into a Live book that was ahead
	Refetches        uint64 // snapshots of no use: too old, or no book
	Levels           uint64 // in applied events
	AbsentDeletes    uint64 // levels removed that were not there
	TouchMatch       uint64 // tops compared equal with the best-price stream
	TouchDiffer      uint64 // compared different
}

// Status is the condition of a book for the record.
type Status struct {
	State  State
	Reason Reason // why it is not Live, or was not last time
	LastID uint64 // update id of the last event applied or snapshot loaded
	Loaded bool   // a snapshot is loaded
	// LastProof is up to when the book was last shown to be current: when a depth event
	// left the venue, or was read where the venue's time is not known. LastRead is when
	// it was read. Owed is when the oldest touch was read that depth has yet to confirm,
	// 0 if none has to. Silence proves nothing on a quiet symbol, but a debt that grows
	// old means that depth is behind.
	LastProof core.MonoNs
	LastRead  core.MonoNs
	Owed      core.MonoNs
	Counters  Counters
}

// repeatsMax is how many known events in a row, with no new one between them, are
// taken for late copies. Redundant lines repeat each other, one copy per event;
// a run this long means that the ids started over.
const repeatsMax = 256

// Sync decides what enters a Book and when the Book may be read. It is pure: it
// owns no queue, asks nobody for snapshots and knows no time. One goroutine, the
// instrument's shard, feeds it:
//
//	for ev, lv := q.Peek(); ev != nil; ev, lv = q.Peek() {
//		v := s.Delta(ev, lv)         // or Touch, LineDown, Overflow by ev.Kind
//		if v == Wait || v == Gap {
//			break                    // deltas wait in the queue; NeedsSnapshot says when to ask
//		}
//		q.Pop()
//	}
//
// An event is applied whole before anyone sees the book. A snapshot alone does
// not make a book Live: an event must show that the stream was up at the
// snapshot's id, either by joining it or by being older.
type Sync struct {
	book    *Book
	in      core.InstrumentID
	futures bool // which rule
	touches touches
	recent  *Recent // nil unless a snapshot for a Live book is under way

	state   State
	reason  Reason
	loaded  bool       // the book holds a snapshot, and all events since
	fresh   bool       // no event applied since that snapshot
	joined  bool       // an event showed that the stream covers it
	waiting bool       // an event is waiting for a snapshot
	waitsAt core.Event // that event
	lastID  uint64
	repeats int
	proof   proof
	count   Counters
}

// DefaultTouches is how many touches can run ahead of depth: 254 came within
// 100 ms in recordings.
const DefaultTouches = 256

// NewSync makes the state machine for an instrument, with an empty book of its
// own. window is New's, touches how many touches can run ahead of depth; 0 means
// the default.
func NewSync(in *core.Instrument, window, touches int) *Sync {
	if touches <= 0 {
		touches = DefaultTouches
	}
	return &Sync{
		book:    New(in.Filters.Tick, window),
		in:      in.ID,
		futures: in.Market != core.Spot,
		touches: newTouches(touches),
	}
}

// Delta takes one DepthDelta with its levels, bids first. On Wait and Gap it must
// be offered again after the next snapshot; else it is done with.
func (s *Sync) Delta(ev *core.Event, lv []core.Level) Verdict {
	if len(lv) != int(ev.Bids)+int(ev.Asks) {
		panic(fmt.Sprintf("BUG: depth event %d says %d bids and %d asks and comes with %d levels", ev.ID, ev.Bids, ev.Asks, len(lv)))
	}
	if !s.loaded {
		return s.hold(ev)
	}
	switch join(s.futures, s.fresh, ev, s.lastID) {
	case linkOld:
		return s.known(ev)
	case linkBreaks:
		if s.fresh && !s.joined {
			// Nothing was lost: the snapshot is older than the stream.
			s.loaded = false
			s.count.Refetches++
			return s.hold(ev)
		}
		return s.gap(ev, EventMissing)
	case linkOverlaps:
		s.count.Overlaps++
	}
	return s.apply(ev, lv)
}

func (s *Sync) hold(ev *core.Event) Verdict {
	if !s.waiting {
		s.waiting, s.waitsAt = true, *ev
	}
	return Wait
}

// known is for an event of which the book holds everything.
func (s *Sync) known(ev *core.Event) Verdict {
	if s.fresh {
		// The stream was up before the snapshot, so the next event must join it.
		s.count.Dropped++
		s.live(ev)
		return Dropped
	}
	s.count.Repeated++
	if s.repeats++; s.repeats >= repeatsMax {
		return s.gap(ev, EventsBehind)
	}
	return Dropped
}

func (s *Sync) apply(ev *core.Event, lv []core.Level) Verdict {
	absent := s.book.Apply(ev.ID, lv[:ev.Bids], lv[ev.Bids:])
	s.lastID, s.fresh, s.repeats = ev.ID, false, 0
	s.count.Applied++
	s.count.Levels += uint64(len(lv))
	s.count.AbsentDeletes += uint64(absent)
	if s.recent != nil {
		s.recent.add(ev, lv)
	}
	if s.book.Crossed() {
		return s.gap(ev, BookCrossed)
	}
	top := s.book.Top()
	switch s.touches.compare(&top) {
	case agrees:
		s.count.TouchMatch++
	case differs:
		s.count.TouchDiffer++
	case contradict:
		s.count.TouchDiffer++
		return s.gap(ev, TouchDiffers)
	}
	s.live(ev)
	return Applied
}

func (s *Sync) live(ev *core.Event) {
	s.state, s.joined = Live, true
	s.proof.add(ev.Recv, s.proof.left(ev.Recv, ev.VenueTime()))
}

func (s *Sync) gap(ev *core.Event, why Reason) Verdict {
	s.state, s.reason, s.loaded, s.waiting = Gapped, why, false, false
	s.touches.doubt(why == TouchDiffers)
	s.count.Gaps++
	s.hold(ev)
	return Gap
}

// Touch takes one Touch event. It never waits.
func (s *Sync) Touch(ev *core.Event) { s.touches.add(ev) }

// Snapshot takes a snapshot of this instrument. Applied: it is loaded, and the
// waiting events can be offered again. Refetch: it is older than the first
// waiting event, or no book at all. Dropped: the book in hand is newer, and what came
// since is not at hand. A Live book stays Live. The image is not kept.
func (s *Sync) Snapshot(im *Image) Verdict {
	if im.Instrument != s.in {
		panic(fmt.Sprintf("BUG: snapshot of instrument %d given to instrument %d", im.Instrument, s.in))
	}
	if im.Check() != nil || s.waiting && join(s.futures, true, &s.waitsAt, im.LastID) == linkBreaks {
		s.count.Refetches++
		return Refetch
	}
	if s.loaded && im.LastID < s.lastID {
		if s.state != Live || !s.recent.covers(im.LastID) {
			return Dropped
		}
		s.renew(im)
		return Applied
	}
	s.book.Load(im)
	if s.recent != nil {
		s.recent.begin(im.LastID)
	}
	s.lastID, s.loaded, s.fresh, s.waiting, s.repeats = im.LastID, true, true, false, 0
	s.count.Snapshots++
	if s.state != Live {
		s.state, s.joined = Syncing, false
	}
	return Applied
}

// LineDown says that the connection of this instrument's depth was lost.
func (s *Sync) LineDown() {
	s.count.LineDowns++
	s.stale(LineLost)
}

// Overflow says that events were lost because the queue was full. A book that
// was still waiting for its first snapshot goes on waiting: nothing was known that
// could have gone stale.
func (s *Sync) Overflow() {
	s.count.Overflows++
	first := s.state == Syncing && !s.loaded
	s.stale(QueueFull)
	if first {
		s.state = Syncing
	}
}

func (s *Sync) stale(why Reason) {
	s.state, s.reason, s.loaded, s.waiting = Stale, why, false, false
	s.touches.forget()
}

// NeedsSnapshot reports whether events wait for a snapshot. It turns true with
// the first event, not before: a snapshot fetched earlier may be older than the
// stream, and could not make the book Live any sooner.
func (s *Sync) NeedsSnapshot() bool { return !s.loaded && s.waiting }

// Live is the book if it may be read, else nil and false. It stays readable until
// the next call that changes s.
func (s *Sync) Live() (*Book, bool) {
	if s.state != Live {
		return nil, false
	}
	return s.book, true
}

// Top is the freshest best bid and ask by update id: the book's, or the newest
// touch's where that is ahead. It is zero unless the book is Live.
func (s *Sync) Top() core.Top {
	if s.state != Live {
		return core.Top{}
	}
	if s.touches.last.ID > s.lastID {
		return s.touches.last
	}
	return s.book.Top()
}

// Best is the prices of Top.
func (s *Sync) Best() (bid, ask core.Price) {
	if s.state != Live {
		return 0, 0
	}
	if s.touches.last.ID > s.lastID {
		return s.touches.last.Bid, s.touches.last.Ask
	}
	return s.book.best()
}

// TopProof is when the bytes were read that Top stands on.
func (s *Sync) TopProof() core.MonoNs {
	if s.touches.last.ID > s.lastID {
		return s.touches.recv
	}
	return s.proof.read
}

// LastID is the update id of the last event applied or snapshot loaded.
func (s *Sync) LastID() uint64 { return s.lastID }

// Loaded is the book as it is, Live or not: for whoever has just loaded it.
func (s *Sync) Loaded() *Book { return s.book }

// Blind reports whether the touch has left the depth that is known; see Book.Blind.
func (s *Sync) Blind() bool { return s.book.Blind() }

// State is how far the book can be trusted now.
func (s *Sync) State() State { return s.state }

// Owed is when the oldest touch was read that depth has yet to confirm, 0 if
// none has to; see Status.
func (s *Sync) Owed() core.MonoNs { return s.touches.owed() }

// Status is the whole condition.
func (s *Sync) Status() Status {
	return Status{
		State: s.state, Reason: s.reason, LastID: s.lastID, Loaded: s.loaded,
		LastProof: s.proof.at, LastRead: s.proof.read, Owed: s.touches.owed(), Counters: s.count,
	}
}

// SetTick passes a change of the instrument's tick on to the book.
func (s *Sync) SetTick(tick core.Price) { s.book.SetTick(tick) }

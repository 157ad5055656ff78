package feed

import (
	"time"

	"riposte/core"
	"riposte/core/ring"
)

// The arbiter joins connections that carry the same streams into one: what comes
// first is published, what follows is a copy. Order is the venue's own: update ids of
// depth and touches, trade ids, the times of candles and tickers.
//
//   - An event is new if it goes beyond what has been published of its instrument and
//     kind, and else a copy. A depth event that begins within the published and goes
//     beyond is new as a whole: its quantities are absolute.
//   - An event that leaves a gap is held back while another connection may still
//     bring what is missing (held.go). Otherwise it is published, and the book judges.
//   - A connection carries an instrument once it has been seen in step with what is
//     published: its ids overlap, or it was confirmed so long ago that nothing from
//     before can be under way. Only when the last that carries it is gone has the
//     instrument lost its line.
//
// It belongs to the loop goroutine of its connections and is the only writer of the
// queues.
type arbiter struct {
	queues []*ring.Queue
	clock  core.Clock
	served []core.InstrumentID
	owed   []uint8 // by instrument: what its queue has not been told yet
	debts  int     // instruments with something owed
	ended  uint8   // number of the line that ended last

	marks    [][kinds]mark // by instrument and kind
	candles  []*candles    // by instrument, nil without any
	sessions []*Session    // every connection that may write
	open     int           // of them, connected
	lines    []lineCount   // by number

	held    []heldEvent // events that wait for what is missing before them
	holding int         // how many
	hold    core.MonoNs // how long they may

	recent *recents
	cuts   [][]cut // by line and instrument
	gaps   *ring.Ring[GapRecord]

	aliveAt core.MonoNs // when to look next whom to tell that the line is alive
	levels  int         // the most that an event of any queue may have

	restarts, gapsLost uint64
}

// mark is how far one kind of event of one instrument has been published.
type mark struct {
	next   uint64      // the lowest id not yet published, 0: none has been since all began anew
	past   uint64      // what next was before that, where the ids went on
	pastAt core.MonoNs // and at
	at     core.MonoNs // when the newest published had been read
	copies uint32      // known events since
}

// anew forgets what has been published, but for where it ended: ids go on from there.
func (m *mark) anew() {
	if m.next == 0 {
		m.next, m.at = m.past, m.pastAt
	}
	*m = mark{past: m.next, pastAt: m.at}
}

// quietAfter is how long after its confirmation a stream that has said nothing is
// taken to be in step: whatever was sent before has arrived by then, on this
// connection or on the one it succeeds.
const quietAfter = core.MonoNs(3 * time.Second)

// copiesMax known events in a row, over at least copiesFor and with no new one between
// them, are not late copies any more: the venue has started its ids over, or once sent
// something under a wrong name. Of a slow stream a few are enough, over longer than any
// line lags behind another.
const (
	copiesMax = 256
	copiesFor = core.MonoNs(5 * time.Second)
	copiesFew = 8
	copiesLag = core.MonoNs(30 * time.Second)
)

func newArbiter(queues []*ring.Queue, streams []Subscription, clock core.Clock, lines int, hold time.Duration) *arbiter {
	a := &arbiter{queues: queues, clock: clock, owed: make([]uint8, len(queues)), marks: make([][kinds]mark, len(queues)),
		candles: make([]*candles, len(queues)), lines: make([]lineCount, lines), hold: core.MonoNs(hold), gaps: ring.New[GapRecord](gapRing), recent: new(recents)}
	for id, q := range queues {
		if q != nil {
			a.served = append(a.served, core.InstrumentID(id))
			a.levels = max(a.levels, q.LevelsPerEventMax())
		}
	}
	for _, sub := range streams {
		if sub.Kind == core.Kline && int(sub.Instrument) < len(queues) && a.candles[sub.Instrument] == nil {
			a.candles[sub.Instrument] = new(candles)
		}
	}
	for range lines {
		a.cuts = append(a.cuts, make([]cut, len(queues)))
	}
	return a
}

// fate is what becomes of an event.
type fate uint8

const (
	fresh fate = iota // to be published
	late              // a copy of what has been
	wait              // to be held back
)

// admit judges an event that the session has decoded; st is its stream, nil if it
// came unasked.
func (a *arbiter) admit(s *Session, st *stream, ev *core.Event) fate {
	if ev.Kind > core.AggTrade {
		return a.admitTimed(s, st, ev)
	}
	if st != nil && st.frozen && ev.Kind == core.DepthDelta {
		// Its renewal ends it soon, and nobody would see the hole which that leaves: the
		// line's end would not darken a book that it is not known to carry.
		s.count.Unproved++
		return late
	}
	m := &a.marks[ev.Instrument][ev.Kind]
	if ev.ID < m.next && !follows(ev, m.next) {
		return a.copied(s, st, m, ev)
	}
	if m.next != 0 {
		if need := needs(ev); need > m.next && a.open > 1 && (a.mayCome(s, ev, need) || a.lowest(ev.Instrument, ev.Kind) != nil) {
			return wait
		}
	}
	a.take(s, st, m, ev)
	return fresh
}

// take moves the mark over an event that will be published.
func (a *arbiter) take(s *Session, st *stream, m *mark, ev *core.Event) {
	if st != nil && !st.inStep {
		a.enter(s, st, m, ev)
	}
	if need := needs(ev); need > m.next {
		a.missed(m, ev, need)
	}
	m.next, m.at, m.copies = ev.ID+1, ev.Recv, 0
	c := &a.lines[s.slot]
	c.first++
	if a.open > 1 {
		a.recent.put(ev, s.slot)
	}
}

// copied counts an event that was known.
func (a *arbiter) copied(s *Session, st *stream, m *mark, ev *core.Event) fate {
	c := &a.lines[s.slot]
	c.copies++
	a.recent.lead(a.lines, ev, s.slot)
	if st != nil && !st.inStep && ev.ID+1 >= st.stepAt {
		a.enter(s, st, m, ev)
	}
	m.copies++
	if since := ev.Recv - m.at; m.copies >= copiesMax && since > copiesFor || m.copies >= copiesFew && since > copiesLag {
		a.restarted(ev.Instrument)
	}
	return late
}

// needs is the id up to which everything must have been published for the event to
// leave no gap: the mark it follows on. Kinds whose ids are not dense need nothing.
func needs(ev *core.Event) uint64 {
	switch ev.Kind {
	case core.DepthDelta:
		if prev := ev.PrevID(); prev != 0 {
			return prev + 1
		}
		return ev.FirstID()
	case core.Trade, core.AggTrade:
		return ev.ID
	}
	return 0
}

// follows reports whether a depth event that ends at the newest id still comes after
// it: futures may send one that changes nothing.
func follows(ev *core.Event, next uint64) bool {
	return ev.Kind == core.DepthDelta && ev.ID+1 == next && ev.PrevID() == ev.ID && ev.ID != 0
}

// mayCome reports whether a connection other than s may still bring what is missing
// before need.
func (a *arbiter) mayCome(s *Session, ev *core.Event, need uint64) bool {
	if len(a.held) == 0 {
		return false
	}
	for _, o := range a.sessions {
		if o == s || o.conn == nil {
			continue
		}
		if st := o.streamOf(ev.Instrument, ev.Kind); st != nil && st.confirmed != 0 && st.next < need && !st.frozen {
			return true
		}
	}
	return false
}

// restarted starts an instrument over whose ids have: nothing that is known of it can
// be told from what will come.
func (a *arbiter) restarted(id core.InstrumentID) {
	a.restarts++
	a.marks[id] = [kinds]mark{}
	a.candles[id].reset()
	a.forget(id)
	a.owe(id, owesDown)
}

// StartOver is for a recording that is played again: every id begins anew, which the
// venue itself does so rarely that it takes many events to be believed. Each instrument
// hears that its line was lost. The loop's.
func (s *Session) StartOver() {
	for _, id := range s.join.served {
		s.join.restarted(id)
	}
	for i := range s.streams {
		s.streams[i].next = 0
	}
	s.join.payAll()
}

// streamOf is the session's subscription to that kind of event, nil without one.
func (s *Session) streamOf(id core.InstrumentID, kind core.EventKind) *stream {
	if i := s.index[id][kind]; i != 0 {
		return &s.streams[i-1]
	}
	return nil
}

// carries reports whether the session brings the instrument's depth, or, where none is
// asked for, anything of it, in step with what is published.
func (s *Session) carries(id core.InstrumentID, now core.MonoNs) bool {
	if s.conn == nil {
		return false
	}
	st := s.streamOf(id, core.DepthDelta)
	if st == nil {
		return s.state == Live
	}
	return st.stands(now)
}

// stands reports whether the stream is in step with what is published, as far as can
// be known.
func (st *stream) stands(now core.MonoNs) bool {
	return st.confirmed != 0 && !st.frozen && (st.inStep || st.next == 0 && now-st.confirmed > quietAfter)
}

// left is called when a session has lost its connection, with what it carried before.
// Instruments that no other carries are told so; planned: the connection was replaced
// by one that carries all the same.
func (a *arbiter) left(s *Session, carried []bool, planned bool) {
	now := a.clock.Mono()
	a.ended = s.number
	for i, id := range a.served {
		a.part(s, id, now, planned)
		if carried[i] {
			a.dark(s, id)
		}
	}
	if a.holding > 0 {
		a.expire(now)
	}
}

// dark is called when a session carries an instrument no longer: if no other does, it
// is told so, and whoever comes next begins anew.
func (a *arbiter) dark(s *Session, id core.InstrumentID) {
	now := a.clock.Mono()
	for _, o := range a.sessions {
		if o != s && o.carries(id, now) {
			return
		}
	}
	a.ended = s.number
	a.marks[id][core.DepthDelta].anew()
	a.owe(id, owesDown)
}

const kinds = int(core.LineAlive) + 1

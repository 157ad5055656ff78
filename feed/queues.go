package feed

import (
	"time"

	"riposte/core"
)

// What a queue has not been told yet because it was full. It is told before
// anything else as soon as there is room, and until then this instrument's
// events are lost, which is just what it will be told.
const (
	owesDown     uint8 = 1 << iota // LineDown
	owesOverflow                   // Overflow
)

func (a *arbiter) owe(id core.InstrumentID, what uint8) {
	if a.owed[id] == 0 {
		a.debts++
	}
	a.owed[id] |= what
}

// overflow notes that an event of the instrument is lost: its queue, or its level
// memory, is full. The reader, once it hears of it, resyncs.
func (a *arbiter) overflow(s *Session, id core.InstrumentID) {
	s.count.LostEvents++
	s.count.Overflows++
	a.marks[id][core.DepthDelta].anew()
	a.forget(id)
	a.owe(id, owesOverflow)
}

// pay tells the instrument's queue what it is owed; false if it is still full.
func (a *arbiter) pay(id core.InstrumentID) bool {
	for _, d := range [...]struct {
		what uint8
		kind core.EventKind
	}{{owesDown, core.LineDown}, {owesOverflow, core.Overflow}} {
		if a.owed[id]&d.what == 0 {
			continue
		}
		ev, _ := a.queues[id].Claim()
		if ev == nil {
			return false
		}
		*ev = core.Event{Kind: d.kind, Line: a.ended, Instrument: id, Recv: a.clock.Mono()}
		a.queues[id].Publish(0)
		a.queues[id].End()
		a.owed[id] &^= d.what
	}
	a.debts--
	return true
}

func (a *arbiter) payAll() {
	for _, id := range a.served {
		if a.owed[id] != 0 {
			a.pay(id)
		}
	}
}

// aliveEvery is how often a quiet instrument is told that its line is alive.
const aliveEvery = core.MonoNs(500 * time.Millisecond)

// alive tells the instruments that have had nothing to say for a while that a line
// which carries them brought bytes meanwhile, be it a PONG: their books are as current
// as those bytes. Bytes of one connection arrive in order, so nothing sent before them
// is still under way. Which of its streams the venue has stopped feeding it cannot
// show; that is what watchStreams and the book's own cross-check are for.
func (a *arbiter) alive(now core.MonoNs) {
	if now < a.aliveAt {
		return
	}
	a.aliveAt = now + aliveEvery
	for _, id := range a.served {
		if a.owed[id] != 0 {
			continue
		}
		at, by := a.proof(id, now)
		if by == nil {
			continue
		}
		if told := &a.marks[id][core.LineAlive]; at > told.at {
			ev, _ := a.queues[id].Claim()
			if ev == nil {
				continue // a full queue is proof of life enough
			}
			told.at = at
			if by.dated == 0 {
				at -= core.MonoNs(by.slower())
			}
			*ev = core.Event{Kind: core.LineAlive, Line: by.number, Instrument: id, Recv: at, W: [4]int64{1: int64(by.datedAt) + by.slower(), 2: by.dated}}
			a.queues[id].Publish(0)
		}
	}
}

// proof is when the line that shows best that nothing more has come of an instrument's
// depth brought its last bytes; nil if depth speaks for itself or no line carries it. Of
// two lines that one shows more whose bytes left the venue last: how late the bytes are
// that no time was told of, its newest that the venue has dated says and by how much the
// line has fallen behind since, and what the venue's clock is off is the same for all. A
// line that has told no time goes last.
func (a *arbiter) proof(id core.InstrumentID, now core.MonoNs) (at core.MonoNs, by *Session) {
	var best int64
	for _, s := range a.sessions {
		if s.conn == nil || s.state != Live || !s.carries(id, now) {
			continue
		}
		stamp := core.MonoNs(s.conn.Stamp())
		if st := s.streamOf(id, core.DepthDelta); st != nil && st.last >= stamp-aliveEvery {
			return 0, nil
		}
		if left := int64(stamp) - int64(s.datedAt) - s.slower() + s.dated; by == nil || left > best {
			at, by, best = stamp, s, left
		}
	}
	return at, by
}

// slower is by how much more the connection's bytes may be late than its newest dated
// event was: messages that take long to come in whole hold up what is behind them.
func (s *Session) slower() int64 { return s.conn.Slow() - s.datedSlow }

package feed

import (
	"time"

	"riposte/core"
)

// GapRecord is one stretch of an instrument's depth that a line did not bring, because
// its connection was cut. It is written when the line is back and its first event shows
// where.
type GapRecord struct {
	Line       uint8
	Instrument core.InstrumentID
	// Covered: other lines brought all of it, and the joined stream has no gap.
	Covered     bool
	Last, First uint64      // the last update id before and the first after; Last 0: none before
	From, To    core.MonoNs // when the line was lost, when the first event came
}

// Duration is for how long the line did not bring the instrument.
func (g *GapRecord) Duration() time.Duration { return time.Duration(g.To - g.From) }

// gapRing is how many records wait to be read: two lines of 400 symbols cut at once.
const gapRing = 1024

// cut is where a line's depth of an instrument ended.
type cut struct {
	last uint64
	at   core.MonoNs // 0: it did not
}

// part notes where a lost session's depth of an instrument ends, unless another
// connection of the same line goes on with it.
func (a *arbiter) part(s *Session, id core.InstrumentID, now core.MonoNs, planned bool) {
	st := s.streamOf(id, core.DepthDelta)
	if st == nil || st.confirmed == 0 {
		return
	}
	next := st.next
	st.confirmed, st.next, st.inStep, st.frozen = 0, 0, false, false
	for _, o := range a.sessions {
		if o != s && o.slot == s.slot && o.carries(id, now) {
			return
		}
	}
	if c := &a.cuts[s.slot][id]; !planned && c.at == 0 {
		*c = cut{at: now}
		if next > 0 {
			c.last = next - 1
		}
	}
}

// enter is called when a stream of a connection first joins what is published: by an
// event that goes beyond it, or by a copy that shows the same ids.
func (a *arbiter) enter(s *Session, st *stream, m *mark, ev *core.Event) {
	st.inStep = true
	c := &a.cuts[s.slot][ev.Instrument]
	if ev.Kind != core.DepthDelta || c.at == 0 {
		return
	}
	if g := a.gaps.Claim(); g != nil {
		*g = GapRecord{Line: s.number, Instrument: ev.Instrument, Covered: m.next != 0 && needs(ev) <= m.next,
			Last: c.last, First: ev.FirstID(), From: c.at, To: ev.Recv}
		a.gaps.Publish()
	} else {
		a.gapsLost++
	}
	*c = cut{}
}

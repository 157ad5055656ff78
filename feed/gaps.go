package feed

import (
	"time"

	"riposte/core"
)

// GapRecord is one stretch of an instrument's events that was not brought: of its depth
// by a line whose connection was cut, written when the line is back and its first event
// shows where; or of any kind with dense ids by no line at all, cut or not, written when
// the joined stream goes on behind it.
type GapRecord struct {
	Line       uint8 // NoLine: none of them brought it
	Kind       core.EventKind
	Instrument core.InstrumentID
	// Covered: other lines brought all of it, and the joined stream has no gap.
	Covered bool
	// Last is the last id before the gap and First the first behind it, of updates or
	// trades; Last 0: none before.
	Last, First uint64
	From, To    core.MonoNs // when the line was lost, or its newest event came; when the first behind did
}

// NoLine is the Line of a gap that all lines have.
const NoLine = 0xff

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
	a.gap(GapRecord{Line: s.number, Kind: ev.Kind, Instrument: ev.Instrument, Covered: m.next != 0 && needs(ev) <= m.next,
		Last: c.last, First: ev.FirstID(), From: c.at, To: ev.Recv})
	*c = cut{}
}

// missed is called when the joined stream goes on with an event that leaves a gap: what
// lies between no line has brought, and none that comes later will be published.
func (a *arbiter) missed(m *mark, ev *core.Event, need uint64) {
	next, at := m.next, m.at
	if m.past > next {
		next, at = m.past, max(at, m.pastAt)
	}
	if next != 0 && need > next {
		a.gap(GapRecord{Line: NoLine, Kind: ev.Kind, Instrument: ev.Instrument, Last: next - 1, First: need, From: at, To: ev.Recv})
	}
}

func (a *arbiter) gap(r GapRecord) {
	g := a.gaps.Claim()
	if g == nil {
		a.gapsLost++
		return
	}
	*g = r
	a.gaps.Publish()
}

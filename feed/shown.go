package feed

import (
	"sync/atomic"

	"riposte/core"
)

// Shown is the newest update id of each instrument's book that somebody has seen beside
// its stream: a snapshot's. Where nothing of the stream has come as far for a while, its
// market has moved and the stream stands still, even if it is the only one of its market.
// Any goroutine.
type Shown struct{ ids []atomic.Uint64 }

// NewShown makes it for so many instruments.
func NewShown(instruments int) *Shown { return &Shown{make([]atomic.Uint64, instruments)} }

// See takes an id.
func (s *Shown) See(id core.InstrumentID, update uint64) {
	if int(id) >= len(s.ids) {
		return
	}
	for at := &s.ids[id]; ; {
		if old := at.Load(); update <= old || at.CompareAndSwap(old, update) {
			return
		}
	}
}

func (s *Shown) of(id core.InstrumentID) uint64 {
	if s == nil || int(id) >= len(s.ids) {
		return 0
	}
	return s.ids[id].Load()
}

// outrun reports whether a snapshot has shown for the stream's MaxAge what no line has
// brought, and they nothing at all.
func (s *Session) outrun(st *stream) bool {
	if st.Kind != core.DepthDelta {
		return false
	}
	m := &s.join.marks[st.Instrument][st.Kind]
	switch shown := s.shown.of(st.Instrument); {
	case m.next == 0 || shown < m.next:
		st.shownAt = 0
	case st.shownAt == 0 || st.shownNext != m.next:
		st.shownAt, st.shownNext = s.now, m.next
	default:
		return s.now-st.shownAt > core.MonoNs(st.MaxAge)
	}
	return false
}

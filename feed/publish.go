package feed

import (
	"riposte/core"
)

// What a queue has not been told yet because it was full. It is told before
// anything else as soon as there is room, and until then this instrument's
// events are lost, which is just what it will be told.
const (
	owesDown     uint8 = 1 << iota // LineDown
	owesOverflow                   // Overflow
)

func (s *Session) owe(id core.InstrumentID, what uint8) {
	if s.owed[id] == 0 {
		s.debts++
	}
	s.owed[id] |= what
}

// overflow notes that an event of the instrument is lost: its queue, or its level
// memory, is full. The reader, once it hears of it, resyncs.
func (s *Session) overflow(id core.InstrumentID) {
	s.count.LostEvents++
	s.count.Overflows++
	s.owe(id, owesOverflow)
}

// pay tells the instrument's queue what it is owed; false if it is still full.
func (s *Session) pay(id core.InstrumentID) bool {
	for _, d := range [...]struct {
		what uint8
		kind core.EventKind
	}{{owesDown, core.LineDown}, {owesOverflow, core.Overflow}} {
		if s.owed[id]&d.what == 0 {
			continue
		}
		ev, _ := s.queues[id].Claim()
		if ev == nil {
			return false
		}
		*ev = core.Event{Kind: d.kind, Line: s.number, Instrument: id, Recv: s.cfg.Clock.Mono()}
		s.queues[id].Publish(0)
		s.owed[id] &^= d.what
	}
	s.debts--
	return true
}

func (s *Session) payAll() {
	for _, id := range s.served {
		if s.owed[id] != 0 {
			s.pay(id)
		}
	}
}

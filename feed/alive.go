package feed

import (
	"time"

	"riposte/core"
)

// aliveEvery is how often a quiet instrument is told that its line is alive.
const aliveEvery = core.MonoNs(500 * time.Millisecond)

// alive tells the instruments that have had nothing to say for a while that the
// line brought bytes meanwhile, be it a PONG: their books are as current as those
// bytes. Bytes of one connection arrive in order, so nothing sent before them is
// still under way. Which of its streams the venue has stopped feeding it cannot
// show; that is what watchStreams and the book's own cross-check are for.
func (s *Session) alive() {
	if s.state != Live || s.now < s.aliveAt {
		return
	}
	s.aliveAt = s.now + aliveEvery
	at := core.MonoNs(s.conn.Stamp())
	if at == s.aliveTold {
		return // nothing came since: nothing new to tell
	}
	s.aliveTold = at
	for _, id := range s.served {
		if s.owed[id] != 0 || s.spoke(id) >= at-aliveEvery {
			continue
		}
		ev, _ := s.queues[id].Claim()
		if ev == nil {
			continue // a full queue is proof of life enough
		}
		*ev = core.Event{Kind: core.LineAlive, Line: s.number, Instrument: id, Recv: at}
		s.queues[id].Publish(0)
	}
}

// spoke is when the instrument's depth last brought something.
func (s *Session) spoke(id core.InstrumentID) core.MonoNs {
	if i := s.index[id][core.DepthDelta]; i != 0 {
		return s.streams[i-1].last
	}
	return 0
}

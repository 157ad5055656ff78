package exec

import (
	"sync/atomic"
	"time"

	"riposte/core"
)

// session is one connection of frames with any number of requests in flight, up to a
// bound. Answers are matched by id, never by their order. It is owned by the loop
// goroutine, except for dialed.
type session struct {
	conn     FrameConn
	state    sessionState
	loggedOn bool
	leaving  bool // its end is near: the venue announced it, or its key was changed
	retired  bool // it takes no more requests
	broken   bool // a write failed; what is in flight is told on the next poll

	flights []framed
	free    []uint8 // flights that are not in use
	serial  int64

	liveAt   core.MonoNs // since when it may take orders
	rotateAt core.MonoNs
	heard    uint64
	heardAt  core.MonoNs
	pingAt   core.MonoNs // of a ping without an answer, 0: none
	looked   core.MonoNs // when it was last read while idle
	writeBy  core.MonoNs // write deadline in force
	proved   core.MonoNs // when it last took a probe

	dialed atomic.Pointer[framesDialed] // put by the dialing goroutine, taken by the loop
}

type framesDialed struct {
	conn FrameConn
	err  error
}

// framed is one request in flight on a session.
type framed struct {
	flight
	id int64 // 0: not in use
}

type sessionState uint8

const (
	sessionDialing sessionState = iota
	sessionFresh                // connected
	sessionLogon                // the logon is under way
	sessionProving              // a first question is under way
	sessionLive
)

// Ids of requests have 13 digits, so that they are patched in place. The lowest bits say
// which flight it is, the others make it unique within the session.
const (
	frameIDBase = 1_000_000_000_000
	flightBits  = 6
	flightsMax  = 1 << flightBits
)

func newSession() *session {
	s := &session{flights: make([]framed, flightsMax), free: make([]uint8, 0, flightsMax)}
	for i := flightsMax - 1; i >= 0; i-- {
		s.free = append(s.free, uint8(i))
	}
	return s
}

func (s *session) inflight() int { return flightsMax - len(s.free) }

// ready reports whether it can take a request about an order.
func (s *session) ready() bool {
	return s != nil && s.state == sessionLive && !s.broken && !s.retired && len(s.free) > 0
}

// next is the envelope of the next request; see request.
func (s *session) next() Envelope {
	slot := int64(s.free[len(s.free)-1])
	return Envelope{ID: frameIDBase + s.serial<<flightBits + slot, LoggedOn: s.loggedOn}
}

// claim takes the flight that next spoke of.
func (s *session) claim() *framed {
	f := &s.flights[s.free[len(s.free)-1]]
	f.id = s.next().ID
	s.free = s.free[:len(s.free)-1]
	s.serial++
	return f
}

// find is the flight with that id, nil if its answer is no longer awaited.
func (s *session) find(id int64) *framed {
	slot := (id - frameIDBase) & (flightsMax - 1)
	if f := &s.flights[slot]; id > 0 && f.id == id {
		return f
	}
	return nil
}

// release gives a flight back and returns what it was.
func (s *session) release(f *framed) flight {
	was := f.flight
	s.free = append(s.free, uint8((f.id-frameIDBase)&(flightsMax-1)))
	f.id = 0
	return was
}

// oldest is when the request left that is without an answer for the longest time, 0 if
// there is none.
func (s *session) oldest() (at core.MonoNs) {
	if s.inflight() == 0 {
		return 0
	}
	for i := range s.flights {
		if f := &s.flights[i]; f.id != 0 && (at == 0 || f.sent < at) {
			at = f.sent
		}
	}
	return at
}

// lane is a place for a session: the one in use, the one that will replace it, and the
// one that was replaced and still waits for answers.
type lane struct {
	cur, next, old *session
	cancels        bool        // reserved for cancels
	redial         core.MonoNs // not before
	attempt        int         // dials since one has held
}

// wants reports whether the session in use needs a successor.
func (l *lane) wants(now core.MonoNs) bool {
	return l.cur == nil || l.cur.leaving || now >= l.cur.rotateAt
}

// settledAfter is how long a session must have been live for its end to be news, and not
// the old trouble.
const settledAfter = core.MonoNs(10 * time.Second)

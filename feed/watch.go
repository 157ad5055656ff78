package feed

import (
	"fmt"
	"time"

	"riposte/core"
)

// The watchdog. A socket that is open proves nothing, and silence proves nothing
// either: a quiet market sends no frames. Three questions tell them apart.
//
//   - Is anyone there? After LineConfig.Silence without a byte a PING of ours
//     asks; without a PONG the connection is dead (line.watch). This needs no
//     knowledge of the venue's own ping interval, which has changed before.
//   - Did the market move while its depth stood still? A trade or a change of the
//     touch changes the book: where a sibling stream of the same instrument
//     brings some and the depth stream brings nothing within its MaxAge, that
//     stream is frozen. So is one of which another line has brought something
//     MaxAge ago and it nothing since, one that a snapshot has run ahead of for as
//     long, and one that a connection which has yet to join has passed, quietAfter
//     ago: that one's events are not believed until then, so nothing else ends the
//     standstill. It is ended and subscribed again; if it freezes again, the
//     connection is replaced.
//   - Otherwise the instrument is quiet. That is counted and shown, and not an
//     alarm.

// stirring are the kinds of event that a change of the book comes with. Only depth
// streams must follow them: a trade against an iceberg order leaves the touch as
// it was.
var stirring = [...]core.EventKind{core.Touch, core.Trade, core.AggTrade}

// stirsNeeded is how many of them must have come in vain: one or two may cancel
// each other out between two depth events.
const stirsNeeded = 3

// watchStreams looks at every watched stream; an error is the reason to replace the
// connection.
func (s *Session) watchStreams() error {
	for i := range s.streams {
		st := &s.streams[i]
		if st.confirmed == 0 {
			continue
		}
		if st.first == 0 && st.FirstWithin > 0 && !st.alarmed && s.now-st.confirmed > core.MonoNs(st.FirstWithin) {
			st.alarmed = true
			s.count.Mute++
		}
		if st.again.step != noRenewal {
			continue
		}
		if s.passed(st) {
			if err := s.froze(st, st.passedAt, "a new connection went on"); err != nil {
				return err
			}
			continue
		}
		if st.MaxAge == 0 {
			continue
		}
		heard := max(st.last, st.confirmed)
		if st.behind == 0 && (st.Kind == core.DepthDelta || st.Kind == core.DepthTop) {
			for _, k := range stirring {
				if j := s.index[st.Instrument][k]; j != 0 && s.streams[j-1].last > heard {
					st.sibling = &s.streams[j-1]
					st.behind, st.stirs = st.sibling.last, st.sibling.messages-1
					break
				}
			}
		}
		if st.behind != 0 && s.now-st.behind > core.MonoNs(st.MaxAge) && st.sibling.messages-st.stirs >= stirsNeeded {
			if err := s.froze(st, st.behind, "its market moved"); err != nil {
				return err
			}
		} else if s.lags(st) {
			if err := s.froze(st, st.lagAt, "another line went on"); err != nil {
				return err
			}
		} else if s.outrun(st) {
			if err := s.froze(st, st.shownAt, "a snapshot showed that its market had moved"); err != nil {
				return err
			}
		}
		if !st.quiet && s.now-heard > core.MonoNs(st.MaxAge) {
			st.quiet = true
			s.count.Quiet++
		}
	}
	return nil
}

// lags reports whether other lines have brought something of this stream for its MaxAge
// that this connection has not, and it nothing at all.
func (s *Session) lags(st *stream) bool {
	switch m := &s.join.marks[st.Instrument][st.Kind]; {
	case st.Kind > core.AggTrade || st.next >= m.next || m.at <= st.confirmed:
		st.lagAt = 0
	case st.lagAt == 0 || st.lagged != st.messages:
		st.lagAt, st.lagged = s.now, st.messages
	default:
		return s.now-st.lagAt > core.MonoNs(st.MaxAge)
	}
	return false
}

// passed reports whether the stream has said nothing for quietAfter since an event of a
// connection that has yet to join was dropped for its sake: what it had on its way would
// have come.
func (s *Session) passed(st *stream) bool {
	if st.passedAt == 0 {
		return false
	}
	if st.passed != st.messages || st.frozen {
		st.passedAt = 0
		return false
	}
	return s.now-st.passedAt > quietAfter
}

// renewAgain is for how long after a renewal a stream that freezes again has not been
// mended by it.
const renewAgain = core.MonoNs(time.Minute)

// froze takes a stream that stands still while its market moves. What it brought is no
// longer current, and unless another line has it, its book is told so. The stream is
// renewed; if that was tried already, the connection is to be replaced.
func (s *Session) froze(st *stream, since core.MonoNs, how string) error {
	s.count.Frozen++
	stood := st.Kind == core.DepthDelta && st.stands(s.now)
	if st.frozen = true; stood {
		s.join.dark(s, st.Instrument)
	}
	st.behind, st.lagAt, st.shownAt, st.passedAt = 0, 0, 0, 0
	err := fmt.Errorf("stream %s is frozen: %s %v ago and it said nothing", st.Stream, how, duration(s.now-since))
	if s.listed && (st.tried == 0 || s.now-st.tried > renewAgain) {
		s.fault(err)
		s.renew(st)
		return nil
	}
	return err
}

package feed

import (
	"fmt"

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
//     stream is frozen, and the connection is replaced.
//   - Otherwise the instrument is quiet. That is counted and shown, and not an
//     alarm.

// stirring are the kinds of event that a change of the book comes with. Only depth
// streams must follow them: a trade against an iceberg order leaves the touch as
// it was.
var stirring = [...]core.EventKind{core.Touch, core.Trade, core.AggTrade}

// stirsNeeded is how many of them must have come in vain: one or two may cancel
// each other out between two depth events.
const stirsNeeded = 3

// watchStreams looks at every watched stream; an error is the reason to replace
// the connection.
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
			s.count.Frozen++
			return fmt.Errorf("stream %s is frozen: its market moved %v ago and it said nothing", st.Stream, duration(s.now-st.behind))
		}
		if !st.quiet && s.now-heard > core.MonoNs(st.MaxAge) {
			st.quiet = true
			s.count.Quiet++
		}
	}
	return nil
}

package feed

import (
	"sync/atomic"
	"time"

	"riposte/core"
)

// Counts are a session's counters, over all its connections.
type Counts struct {
	Results      [Results]uint64 // frames and array elements by what they were
	LostEvents   uint64          // events that found no room
	Overflows    uint64          // times that a queue was found full
	NoQueue      uint64          // events of instruments that this session does not serve
	Binary       uint64          // binary messages, which this venue does not send here
	StrayReplies uint64          // confirmations of nothing we asked
	Refused      uint64          // subscriptions that the venue refused
	Unanswered   uint64          // subscriptions without an answer in time
	Mute         uint64          // alarm: streams that were confirmed and brought no first message in time
	Frozen       uint64          // alarm: streams that stood still while their market moved
	Quiet        uint64          // streams older than their MaxAge on a live line: no alarm
}

// SessionStatus is a session as seen from outside.
type SessionStatus struct {
	LineStatus
	Counts
	Subscriptions int
}

// StreamStatus is one subscription as seen from outside.
type StreamStatus struct {
	Stream    string
	Confirmed bool
	Heard     bool        // a message came on this connection
	Quiet     bool        // older than its MaxAge, on a live line
	LastAt    core.MonoNs // when its newest message had been read, 0 if none ever
}

// counts is the loop's own; share copies it to where others may look.
type counts = Counts

type sharedCounts struct {
	results [Results]atomic.Uint64
	rest    [10]atomic.Uint64
}

func (c *sharedCounts) store(v *Counts) {
	for i := range v.Results {
		c.results[i].Store(v.Results[i])
	}
	for i, n := range [...]uint64{v.LostEvents, v.Overflows, v.NoQueue, v.Binary, v.StrayReplies, v.Refused, v.Unanswered, v.Mute, v.Frozen, v.Quiet} {
		c.rest[i].Store(n)
	}
}

func (c *sharedCounts) load() (v Counts) {
	for i := range v.Results {
		v.Results[i] = c.results[i].Load()
	}
	for i, n := range [...]*uint64{&v.LostEvents, &v.Overflows, &v.NoQueue, &v.Binary, &v.StrayReplies, &v.Refused, &v.Unanswered, &v.Mute, &v.Frozen, &v.Quiet} {
		*n = c.rest[i].Load()
	}
	return v
}

const (
	bitConfirmed = 1 << iota
	bitHeard
	bitQuiet
)

// share makes counters and streams visible to other goroutines.
func (s *Session) share() {
	s.shared.store(&s.count)
	for i := range s.streams {
		st := &s.streams[i]
		var bits uint32
		if st.confirmed != 0 {
			bits |= bitConfirmed
		}
		if st.first != 0 {
			bits |= bitHeard
		}
		if st.quiet {
			bits |= bitQuiet
		}
		st.sharedBits.Store(bits)
		st.sharedLast.Store(int64(st.last))
	}
}

// Streams is the state of every subscription; any goroutine.
func (s *Session) Streams() []StreamStatus {
	out := make([]StreamStatus, len(s.streams))
	for i := range s.streams {
		st := &s.streams[i]
		bits := st.sharedBits.Load()
		out[i] = StreamStatus{
			Stream: st.Stream, Confirmed: bits&bitConfirmed != 0, Heard: bits&bitHeard != 0, Quiet: bits&bitQuiet != 0,
			LastAt: core.MonoNs(st.sharedLast.Load()),
		}
	}
	return out
}

func duration(d core.MonoNs) time.Duration { return time.Duration(d).Round(time.Millisecond) }

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
	Unlisted     uint64          // streams confirmed that the server's own list did not have
	Renewed      uint64          // frozen streams that were ended and subscribed again
	Unproved     uint64          // depth events of a frozen stream that came before its renewal: not believed
}

// SessionStatus is a session as seen from outside.
type SessionStatus struct {
	LineStatus
	Counts
	Subscriptions int
	Listed        bool // the server's own list of subscriptions has been seen to have all
}

// LineReport is one of several lines as seen from outside, both its connections taken
// together.
type LineReport struct {
	SessionStatus
	Number uint8
	First  uint64    // events that it brought first
	Copies uint64    // events that it brought after another
	Held   uint64    // of its events, those held back for want of what is before them
	GaveUp uint64    // times that this did not come
	Missed uint64    // places where it lost events, whether or not another line had them
	Gone   uint64    // ids within those
	Back   uint64    // events with an id below one that the same connection had brought
	Lead   LeadTimes // by how much it was first
	// Succession: another connection is being made to replace the one in use.
	Succession bool
}

// Wins is the share of the events it brought that it brought first.
func (r *LineReport) Wins() float64 {
	if r.First+r.Copies == 0 {
		return 0
	}
	return float64(r.First) / float64(r.First+r.Copies)
}

// LinesStatus is redundant lines as seen from outside. What is embedded adds up over
// the lines; its State is that of the line that is furthest, ConnectedAt of the one
// connected last.
type LinesStatus struct {
	SessionStatus
	Lines    []LineReport
	Restarts uint64 // times that the venue started an instrument's ids over
	GapsLost uint64 // gap records that found their ring full
}

// sharedLines is what the loop counts of all lines together.
type sharedLines struct{ restarts, gapsLost atomic.Uint64 }

// share makes the arbiter's counters visible to other goroutines.
func (l *Lines) share() {
	for i := range l.shared {
		l.shared[i].store(&l.join.lines[i])
	}
	l.extra.restarts.Store(l.join.restarts)
	l.extra.gapsLost.Store(l.join.gapsLost)
}

// State is that of the line that is furthest: Live if any is. Any goroutine; it
// allocates nothing.
func (l *Lines) State() State {
	best := Idle
	for i := range l.slots {
		st := State(l.slots[i].now().status.state.Load())
		if st == Live {
			return Live
		}
		if best == Idle || st < Refused && st > best {
			best = st
		}
	}
	return best
}

// now is the connection in use; any goroutine.
func (sl *slot) now() *Session { return sl.both[sl.used.Load()] }

// Status is the lines as seen from outside; any goroutine.
func (l *Lines) Status() LinesStatus {
	out := LinesStatus{Lines: make([]LineReport, len(l.slots)), Restarts: l.extra.restarts.Load(), GapsLost: l.extra.gapsLost.Load()}
	for i := range l.slots {
		r := &out.Lines[i]
		used := l.slots[i].used.Load()
		cur, next := l.slots[i].both[used].Status(), l.slots[i].both[1-used].Status()
		r.SessionStatus, r.Number = cur, uint8(i)
		r.add(&next)
		r.Succession = next.State != Idle
		if r.LastError == "" || r.Succession && next.LastError != "" {
			r.LastError = next.LastError
		}
		sh := &l.shared[i]
		for j, n := range [...]*uint64{&r.First, &r.Copies, &r.Held, &r.GaveUp, &r.Missed, &r.Gone, &r.Back} {
			*n = sh.counts[j].Load()
		}
		r.Lead = sh.leadTimes()
		out.add(&r.SessionStatus)
		out.ConnectedAt, out.HeardAt = max(out.ConnectedAt, r.ConnectedAt), max(out.HeardAt, r.HeardAt)
		if r.State != Live && r.LastError != "" {
			out.LastError = r.LastError
		}
	}
	out.State, out.Subscriptions = l.State(), out.Lines[0].Subscriptions
	return out
}

// add adds the counters of o.
func (s *SessionStatus) add(o *SessionStatus) {
	for i := range s.Results {
		s.Results[i] += o.Results[i]
	}
	for _, p := range [...][2]*uint64{
		{&s.Connects, &o.Connects}, {&s.Connected, &o.Connected}, {&s.Lost, &o.Lost}, {&s.Rotations, &o.Rotations},
		{&s.Shutdowns, &o.Shutdowns}, {&s.Dead, &o.Dead}, {&s.PingsSent, &o.PingsSent}, {&s.Pings, &o.Pings}, {&s.Bytes, &o.Bytes},
		{&s.Reads, &o.Reads}, {&s.Messages, &o.Messages}, {&s.LostEvents, &o.LostEvents}, {&s.Overflows, &o.Overflows}, {&s.NoQueue, &o.NoQueue},
		{&s.Binary, &o.Binary}, {&s.StrayReplies, &o.StrayReplies}, {&s.Refused, &o.Refused}, {&s.Unanswered, &o.Unanswered},
		{&s.Mute, &o.Mute}, {&s.Frozen, &o.Frozen}, {&s.Quiet, &o.Quiet},
		{&s.Unlisted, &o.Unlisted}, {&s.Renewed, &o.Renewed}, {&s.Unproved, &o.Unproved},
	} {
		*p[0] += *p[1]
	}
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
	rest    [13]atomic.Uint64
	listed  atomic.Bool
}

func (c *sharedCounts) store(v *Counts) {
	for i := range v.Results {
		c.results[i].Store(v.Results[i])
	}
	for i, n := range [...]uint64{v.LostEvents, v.Overflows, v.NoQueue, v.Binary, v.StrayReplies, v.Refused, v.Unanswered, v.Mute, v.Frozen, v.Quiet, v.Unlisted, v.Renewed, v.Unproved} {
		c.rest[i].Store(n)
	}
}

func (c *sharedCounts) load() (v Counts) {
	for i := range v.Results {
		v.Results[i] = c.results[i].Load()
	}
	for i, n := range [...]*uint64{&v.LostEvents, &v.Overflows, &v.NoQueue, &v.Binary, &v.StrayReplies, &v.Refused, &v.Unanswered, &v.Mute, &v.Frozen, &v.Quiet, &v.Unlisted, &v.Renewed, &v.Unproved} {
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
	s.shared.listed.Store(s.listed && s.conn != nil)
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

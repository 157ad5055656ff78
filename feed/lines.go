package feed

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"riposte/core"
	"riposte/core/ring"
)

// LinesConfig is that of several market connections which carry the same.
type LinesConfig struct {
	// SessionConfig is each connection's, but for Codec and Line.
	SessionConfig
	// NewCodec makes a codec for one connection; each line has two in its life.
	NewCodec func() Codec
	// Count is how many lines there are, 1 to LinesMost. 0: 2.
	Count int
	// Hold is how long an event that leaves a gap waits for another line to bring what
	// is missing. 0: 100 ms; negative: not at all.
	Hold time.Duration
}

// holdUsual is Hold where none is given.
const holdUsual = 100 * time.Millisecond

// LinesMost is how many lines there may be.
const LinesMost = 8

// How long a successor may take to prove itself before another is tried.
const overlapWithin = core.MonoNs(15 * time.Second)

// Lines are redundant market connections. All bring the same streams, and the arbiter
// publishes what comes first. A line whose connection is about to end, by age, by the
// venue's announcement or because it has gone silent, first makes another, and breaks
// the old one when the ids of both have met. Lines are numbered from 0 on their events.
// One loop goroutine calls Step; the rest is for any.
type Lines struct {
	join  *arbiter
	clock core.Clock
	slots []slot
	look  core.MonoNs // when to tend the lines next

	shared []sharedLine
	extra  sharedLines
}

// slot is one line: the connection in use and the one that succeeds it.
type slot struct {
	cur, next *Session
	triedAt   core.MonoNs // since when the successor has been connected, 0: it is not

	both [2]*Session   // the two of them, for others to look at
	used atomic.Uint32 // which is in use
}

// NewLines checks the config and makes lines that will dial at the first Step.
func NewLines(cfg LinesConfig) (*Lines, error) {
	if cfg.Count == 0 {
		cfg.Count = 2
	}
	if cfg.Hold == 0 {
		cfg.Hold = holdUsual
	}
	switch {
	case cfg.NewCodec == nil:
		return nil, errors.New("cannot open the lines: no codec")
	case cfg.Count < 1 || cfg.Count > LinesMost:
		return nil, fmt.Errorf("cannot open the lines: got %d, want 1 to %d", cfg.Count, LinesMost)
	}
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if err := cfg.prepare(); err != nil {
		return nil, err
	}
	l := &Lines{join: newArbiter(cfg.Queues, cfg.Streams, cfg.Clock, cfg.Count, cfg.Hold), clock: cfg.Clock,
		slots: make([]slot, cfg.Count), shared: make([]sharedLine, cfg.Count)}
	if cfg.Hold > 0 {
		l.join.prepareHold()
	}
	for i := range l.slots {
		for j, to := range []**Session{&l.slots[i].cur, &l.slots[i].next} {
			one := cfg.SessionConfig
			one.Line, one.Codec = uint8(i), cfg.NewCodec()
			one.Seed = cfg.Seed + uint64(2*i+j)*0x9e3779b97f4a7c15
			s, err := newSession(one, l.join, uint8(i))
			if err != nil {
				return nil, err
			}
			s.successor = true
			*to = s
			l.slots[i].both[j] = s
		}
		l.slots[i].next.retire()
	}
	l.share()
	return l, nil
}

// Step does what there is to do without waiting and returns how much that was. The
// loop's.
func (l *Lines) Step() int {
	n := 0
	for i := range l.slots {
		sl := &l.slots[i]
		n += sl.cur.Step()
		if sl.next.state != Idle {
			n += sl.next.Step()
		}
	}
	if l.join.holding > 0 {
		l.join.expire(l.clock.Mono())
	}
	// The sessions have just looked at the clock.
	if now := max(l.slots[0].cur.now, l.slots[0].next.now); now >= l.look {
		l.look = now + lookEvery
		for i := range l.slots {
			l.tend(&l.slots[i], now)
		}
		l.share()
	}
	return n
}

// tend looks after one line's succession.
func (l *Lines) tend(sl *slot, now core.MonoNs) {
	cur, next := sl.cur, sl.next
	switch {
	case next.idle():
		if cur.leaving != nil && l.mayBegin(cur) {
			sl.triedAt = 0
			next.begin(now)
		}
	case cur.conn == nil && next.conn != nil, cur.state == Waiting && next.state == Dialing:
		l.take(sl) // the old one ended by itself
	case next.conn == nil:
		sl.triedAt = 0
		if cur.leaving == nil {
			next.leave() // and the trouble has passed
		}
	case next.ready(now):
		l.take(sl)
	case sl.triedAt == 0:
		sl.triedAt = now
	case now-sl.triedAt > overlapWithin:
		sl.triedAt = 0
		next.lost(errOverlap, false)
	}
}

var errOverlap = errors.New("a new connection's ids did not meet those of the old one, or a stream stayed silent")

// mayBegin lets one line after the other be replaced where there is time for it.
func (l *Lines) mayBegin(cur *Session) bool {
	if !errors.Is(cur.leaving, errRotate) {
		return true
	}
	for i := range l.slots {
		if o := &l.slots[i]; o.cur != cur && (!o.next.idle() || o.cur.state != Live) {
			return false
		}
	}
	return true
}

// take makes the successor the line's connection.
func (l *Lines) take(sl *slot) {
	sl.cur, sl.next = sl.next, sl.cur
	sl.triedAt = 0
	sl.used.Store(1 - sl.used.Load())
	sl.next.leave()
}

// ready reports whether the session has proved that it brings all that its line does:
// all confirmed, and each stream in step, or silent with its market.
func (s *Session) ready(now core.MonoNs) bool {
	if s.state != Live || !s.listed {
		return false
	}
	for i := range s.streams {
		st := &s.streams[i]
		if st.Kind > core.AggTrade || st.inStep {
			continue
		}
		if st.next != 0 || now-st.confirmed <= quietAfter || s.join.marks[st.Instrument][st.Kind].at > st.confirmed+quietAfter/2 {
			return false
		}
	}
	return true
}

// Gaps lends what lines did not bring since the last call; see ring.Ring.Pending and
// Release. One goroutine.
func (l *Lines) Gaps() *ring.Ring[GapRecord] { return l.join.gaps }

// Close ends all lines for good. The loop must have stopped calling Step.
func (l *Lines) Close(ctx context.Context) error {
	var errs []error
	for i := range l.slots {
		errs = append(errs, l.slots[i].cur.Close(ctx), l.slots[i].next.Close(ctx))
	}
	l.share()
	return errors.Join(errs...)
}

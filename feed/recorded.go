package feed

import (
	"fmt"
	"time"

	"riposte/core"
	"riposte/core/ring"
	"riposte/feed/ws"
)

// Recorded joins what several lines brought, read from a recording of them in the
// order of receipt, by the rules by which Lines joins it live. There is no connection:
// a line carries a stream from its first event of it on, and one that was cut for a
// while is waited for no longer than one that lags. One goroutine.
type Recorded struct {
	join  *arbiter
	clock core.Clock
	lines []*Session
}

// NewRecorded joins that many lines into the instruments' queues, by id. clock is the
// recording's and stands at an event's receive time, above 0, when it is taken. hold is
// as in LinesConfig.
func NewRecorded(queues []*ring.Queue, clock core.Clock, lines int, hold time.Duration) (*Recorded, error) {
	if lines < 1 || lines > LinesMost {
		return nil, fmt.Errorf("cannot join recorded lines: got %d, want 1 to %d", lines, LinesMost)
	}
	if hold == 0 {
		hold = holdUsual
	}
	var subs []Subscription
	for id, q := range queues {
		for kind := core.EventKind(1); q != nil && kind < core.LineDown; kind++ {
			subs = append(subs, Subscription{Instrument: core.InstrumentID(id), Kind: kind})
		}
	}
	r := &Recorded{join: newArbiter(queues, subs, clock, lines, hold), clock: clock}
	if hold > 0 {
		r.join.prepareHold()
	}
	r.join.open = lines
	for i := range lines {
		s := &Session{number: uint8(i), slot: uint8(i), queues: queues, join: r.join,
			streams: make([]stream, len(subs)), index: make([][kinds]int16, len(queues))}
		s.cfg.Clock = clock
		s.conn = new(ws.Conn) // says that the line is there; nothing is read from it
		for j, sub := range subs {
			s.streams[j].Subscription = sub
			s.index[sub.Instrument][sub.Kind] = int16(j + 1)
		}
		r.join.sessions = append(r.join.sessions, s)
		r.lines = append(r.lines, s)
	}
	return r, nil
}

// Take takes an event that a line brought now, and reports whether it was a copy of one
// known. What may be published by now, perhaps this event, is in the queues.
func (r *Recorded) Take(line int, ev *core.Event, lv []core.Level) (known bool) {
	now, s := r.clock.Mono(), r.lines[line]
	r.expire(now)
	st := s.brought(ev, now)
	if st != nil && st.confirmed == 0 {
		st.confirmed = now
	}
	switch r.join.admit(s, st, ev) {
	case fresh:
		r.join.put(s, ev, lv)
		if r.join.holding > 0 {
			r.join.follow(ev.Instrument, ev.Kind)
		}
	case wait:
		r.join.keep(s, ev, lv)
	case late:
		known = true
	}
	if r.join.debts > 0 {
		r.join.payAll()
	}
	return known
}

func (r *Recorded) expire(now core.MonoNs) {
	if r.join.holding > 0 {
		r.join.expire(now)
	}
}

// End is for the end of the recording: what waits has waited long enough.
func (r *Recorded) End() {
	for i := range r.join.held {
		if h := &r.join.held[i]; h.used {
			r.join.giveUp(h)
		}
	}
}

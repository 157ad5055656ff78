package feed

import (
	"riposte/core"
)

// heldMost is how many events may wait in all. It is a burst of one line that runs
// ahead of the other by some hundred milliseconds; when full the oldest go.
const heldMost = 256

// heldEvent is an event that leaves a gap, with its levels, while another line may
// still bring what is missing.
type heldEvent struct {
	used    bool
	session *Session
	until   core.MonoNs
	ev      core.Event
	lv      []core.Level
}

// keep holds an event back. Those before it that wait go first, and that may be at once.
func (a *arbiter) keep(s *Session, ev *core.Event, lv []core.Level) {
	if a.holding == len(a.held) {
		oldest := 0
		for i := range a.held {
			if a.held[i].until < a.held[oldest].until {
				oldest = i
			}
		}
		a.giveUp(&a.held[oldest])
	}
	for i := range a.held {
		h := &a.held[i]
		if h.used {
			continue
		}
		h.used, h.session, h.until, h.ev = true, s, ev.Recv+a.hold, *ev
		h.lv = append(h.lv[:0], lv...) // grows to the largest that ever waited here
		a.holding++
		a.lines[s.slot].held++
		if !a.mayCome(s, &h.ev, needs(&h.ev)) {
			a.giveUp(h)
		}
		return
	}
}

// prepareHold makes room for waiting events; without it none waits.
func (a *arbiter) prepareHold() {
	a.held = make([]heldEvent, heldMost)
	for i := range a.held {
		a.held[i].lv = make([]core.Level, 0, min(64, a.levels))
	}
}

// follow publishes what waited for an event of that kind, as far as it now joins.
func (a *arbiter) follow(id core.InstrumentID, kind core.EventKind) {
	for a.holding > 0 {
		h := a.lowest(id, kind)
		if h == nil {
			return
		}
		m := &a.marks[id][kind]
		if h.ev.ID >= m.next && needs(&h.ev) > m.next && m.next != 0 {
			return
		}
		a.release(h)
	}
}

// lowest is the waiting event of a kind that comes first in the venue's order.
func (a *arbiter) lowest(id core.InstrumentID, kind core.EventKind) (low *heldEvent) {
	if a.holding == 0 {
		return nil
	}
	for i := range a.held {
		h := &a.held[i]
		if h.used && h.ev.Instrument == id && h.ev.Kind == kind && (low == nil || h.ev.ID < low.ev.ID) {
			low = h
		}
	}
	return low
}

// release takes an event out and publishes it, unless it has become a copy.
func (a *arbiter) release(h *heldEvent) {
	h.used = false
	a.holding--
	s, ev := h.session, &h.ev
	st := s.streamOf(ev.Instrument, ev.Kind)
	m := &a.marks[ev.Instrument][ev.Kind]
	if ev.ID < m.next && !follows(ev, m.next) {
		a.copied(s, st, m, ev)
		return
	}
	a.take(s, st, m, ev)
	a.put(s, ev, h.lv)
}

// giveUp publishes all events of the kind that wait no later than h: what they lack
// will not come.
func (a *arbiter) giveUp(h *heldEvent) {
	id, kind, upTo := h.ev.Instrument, h.ev.Kind, h.ev.ID
	a.lines[h.session.slot].gaveUp++
	for low := a.lowest(id, kind); low != nil && low.ev.ID <= upTo; low = a.lowest(id, kind) {
		a.release(low)
	}
	a.follow(id, kind)
}

// expire publishes events that have waited long enough, or for nobody any more. One of
// a connection that has yet to join the stream is dropped instead while a line that is
// in step lags behind it: that line will bring it in its turn.
func (a *arbiter) expire(now core.MonoNs) {
	for i := range a.held {
		h := &a.held[i]
		switch {
		case !h.used:
		case !a.mayCome(h.session, &h.ev, needs(&h.ev)):
			a.giveUp(h)
		case now < h.until:
		case !h.session.streamOf(h.ev.Instrument, h.ev.Kind).inStep && a.lagging(h, now):
			h.used = false
			a.holding--
			a.lines[h.session.slot].copies++
		default:
			a.giveUp(h)
		}
	}
}

// lagging reports whether another connection is in step and has not passed the place
// that a waiting event lacks. Each such is told that it has been passed: if it says
// nothing from then on, it stands still (watchStreams).
func (a *arbiter) lagging(h *heldEvent, now core.MonoNs) (lags bool) {
	need := needs(&h.ev)
	for _, o := range a.sessions {
		if st := o.streamOf(h.ev.Instrument, h.ev.Kind); o != h.session && o.conn != nil && st != nil && st.inStep && !st.frozen && st.next < need {
			if lags = true; st.passedAt == 0 || st.passed != st.messages {
				st.passedAt, st.passed = now, st.messages
			}
		}
	}
	return lags
}

// forget drops what waits of an instrument whose book starts over: it is older than
// the news of that.
func (a *arbiter) forget(id core.InstrumentID) {
	for i := range a.held {
		if h := &a.held[i]; h.used && h.ev.Instrument == id {
			h.used = false
			a.holding--
		}
	}
}

// put copies an event into its queue.
func (a *arbiter) put(s *Session, ev *core.Event, lv []core.Level) {
	id := ev.Instrument
	if a.owed[id] != 0 && !a.pay(id) {
		s.count.LostEvents++
		return
	}
	slot, room := a.queues[id].Claim()
	if slot == nil || cap(room) < len(lv) {
		a.overflow(s, id)
		return
	}
	*slot = *ev
	copy(room[:len(lv)], lv)
	a.queues[id].Publish(len(lv))
}

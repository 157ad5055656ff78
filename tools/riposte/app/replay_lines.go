package app

import (
	"fmt"
	"slices"

	"riposte/core"
	"riposte/core/ring"
	"riposte/feed"
)

// replayLines joins the lines of a recording that has several, as the live feed does.
type replayLines struct {
	names  []string // labels, in order
	now    int      // the line that brought the frame at hand
	joined *feed.Recorded
	queues []*ring.Queue // what has been joined, by instrument
	first  int64         // receive time of the first line that has one
	ev     core.Event
	lv     []core.Level
}

func newReplayLines(s *tapeScan, instruments int, clock core.Clock) (*replayLines, error) {
	l := &replayLines{lv: make([]core.Level, 0, 1<<14)}
	for name := range s.labels {
		l.names = append(l.names, name)
	}
	slices.Sort(l.names)
	for range instruments {
		l.queues = append(l.queues, ring.NewQueue(1<<9, 1<<17, 1<<14)) // all that may be held back at once, and more
	}
	var err error
	l.joined, err = feed.NewRecorded(l.queues, clock, len(l.names), 0)
	return l, err
}

// tick moves the replay's clock to a line of the tape. Where lines are joined it keeps
// the recorded distances, because the wait for what is missing is measured by them.
func (r *replay) tick(recvNs int64) {
	r.clock.MonoNow++
	if l := r.lines; l != nil && recvNs != 0 {
		if l.first == 0 {
			l.first = recvNs
		}
		r.clock.MonoNow = max(r.clock.MonoNow, core.MonoNs(recvNs-l.first))
	}
}

// onLine tells whose the next frame is.
func (r *replay) onLine(label string) error {
	if r.lines == nil {
		return nil
	}
	at, known := slices.BinarySearch(r.lines.names, label)
	if !known {
		return fmt.Errorf("cannot replay: a frame of line %q, want one of %q as the tapes had at first reading", label, r.lines.names)
	}
	r.lines.now = at
	return nil
}

// lineFrame gives the arbiter what a frame says. Messages are counted once they are
// joined, so that a recording of two lines tells what one of a whole line does.
func (r *replay) lineFrame(payload []byte) error {
	l := r.lines
	n, res := r.decoder.DecodeRouted(payload, r.decoder.Route(payload), &l.ev, l.lv)
	if res != feed.Decoded {
		r.out.note(r.table, payload, &l.ev, nil, res)
		return nil
	}
	if l.joined.Take(l.now, &l.ev, l.lv[:n]) {
		r.out.Copies++
	}
	r.forward()
	return nil
}

// forward gives the shard what has been joined.
func (r *replay) forward() {
	for id, from := range r.lines.queues {
		for ev, lv := from.Peek(); ev != nil; ev, lv = from.Peek() {
			if ev.Kind < core.LineDown {
				r.out.note(r.table, nil, ev, lv, feed.Decoded)
			}
			into, mem := r.queues[id].Claim()
			*into = *ev
			n := copy(mem[:len(lv)], lv)
			r.queues[id].Publish(n)
			from.Pop()
			r.step()
		}
	}
}

package backtest

import (
	"fmt"
	"slices"

	"riposte/core"
	"riposte/core/ring"
	"riposte/feed"
)

// joined joins the lines of a recording by the rules of the live feed: the first copy
// counts, and what one line lost is waited for as long as another may bring it.
type joined struct {
	labels []string
	lines  *feed.Recorded
	queues []*ring.Queue // by instrument
	clock  core.ManualClock
	recv   int64 // of the frame at hand, by the recording's clock
}

func newJoined(labels []string, instruments int) (*joined, error) {
	j := &joined{labels: labels}
	for range instruments {
		j.queues = append(j.queues, ring.NewQueue(1<<9, 1<<17, levelsMost)) // all that may be held back at once, and more
	}
	var err error
	if j.lines, err = feed.NewRecorded(j.queues, &j.clock, len(labels), 0); err != nil {
		return nil, fmt.Errorf("cannot join the lines of the tapes: %w", err)
	}
	return j, nil
}

// put takes an event that a line brought, and hands on what is news by now.
func (j *joined) put(label string, now core.MonoNs, ev *core.Event, lv []core.Level, take func(*core.Event, []core.Level, int64) error) error {
	at, known := slices.BinarySearch(j.labels, label)
	if !known {
		return fmt.Errorf("cannot backtest: got a frame of line %q, want one of %q as the tapes had at first reading", label, j.labels)
	}
	j.clock.MonoNow = now + 1 // the arbiter's 0 is never
	ev.Recv = j.clock.MonoNow
	j.lines.Take(at, ev, lv)
	return j.hand(take)
}

// end hands on what still waits.
func (j *joined) end(take func(*core.Event, []core.Level, int64) error) error {
	j.lines.End()
	return j.hand(take)
}

func (j *joined) hand(take func(*core.Event, []core.Level, int64) error) error {
	for _, q := range j.queues {
		for ev, lv := q.Peek(); ev != nil; ev, lv = q.Peek() {
			if ev.Kind < core.LineDown { // ids tell of what is missing
				news := *ev
				if err := take(&news, lv, j.recv); err != nil {
					return err
				}
			}
			q.Pop()
		}
	}
	return nil
}

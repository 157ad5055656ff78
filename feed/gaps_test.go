package feed

import (
	"fmt"
	"net"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
)

// missing are the stretches that the arbiter says no line brought, as "kind from-to",
// with both ends missing.
func (j *joint) missing() (out []string) {
	for list := j.a.gaps.Pending(); len(list) > 0; list = j.a.gaps.Pending() {
		for _, g := range list {
			if g.Line == NoLine {
				out = append(out, fmt.Sprintf("%d %d-%d", g.Kind, g.Last+1, g.First-1))
			}
		}
		j.a.gaps.Release(len(list))
	}
	return out
}

// outage ends all lines; the first comes back.
func (j *joint) outage() {
	for _, s := range j.lines {
		if s.conn != nil {
			s.lost(net.ErrClosed, false)
		}
	}
	j.up(0)
}

func tradeOf(id int) core.Event { return core.Event{Kind: core.Trade, ID: uint64(id)} }

func TestArbiterTellsWhatNoLineBrought(t *testing.T) {
	for name, c := range map[string]struct {
		play func(j *joint)
		want []string
	}{
		"nothing, before the first event": {func(j *joint) {
			j.bring(0, delta(100, 105))
			j.bring(1, delta(100, 105))
			j.bring(0, delta(106, 110))
		}, nil},
		"what all lines lost": {func(j *joint) {
			for i := range 2 {
				j.bring(i, delta(1, 5))
			}
			for i := range 2 {
				j.bring(i, delta(9, 12))
			}
			j.pass(time.Second)
		}, []string{"1 6-8"}},
		"not what another line brought in time": {func(j *joint) {
			j.bring(0, delta(1, 5))
			j.bring(1, delta(1, 5))
			j.bring(0, delta(9, 12))
			j.bring(1, delta(6, 8))
			j.bring(1, delta(9, 12))
			j.pass(time.Second)
		}, nil},
		"what one line alone lost": {func(j *joint) {
			j.lines[1].lost(net.ErrClosed, false)
			j.bring(0, delta(1, 5))
			j.bring(0, delta(7, 7))
			j.bring(0, delta(8, 8))
		}, []string{"1 6-6"}},
		"trades by their ids": {func(j *joint) {
			for _, id := range []int{1, 2, 5, 6, 9} {
				j.bring(0, tradeOf(id))
				j.bring(1, tradeOf(id))
				j.pass(time.Second)
			}
		}, []string{"4 3-4", "4 7-8"}},
		"what passed while no line was up": {func(j *joint) {
			j.bring(0, delta(1, 5))
			j.outage()
			j.bring(0, delta(31, 40))
		}, []string{"1 6-30"}},
		"what passed over two losses of all lines": {func(j *joint) {
			j.bring(0, delta(1, 5))
			j.outage()
			j.outage()
			j.bring(0, delta(31, 40))
		}, []string{"1 6-30"}},
		"nothing where the loss of all lines lost nothing": {func(j *joint) {
			j.bring(0, delta(1, 5))
			j.outage()
			j.bring(0, delta(6, 7))
		}, nil},
		"no id twice where a line tells anew what was known": {func(j *joint) {
			j.bring(0, delta(1, 50))
			j.outage()
			j.bring(0, delta(20, 30))
			j.bring(0, delta(61, 70))
		}, []string{"1 51-60"}},
		"nothing where the venue's ids start over": {func(j *joint) {
			j.bring(0, delta(1000, 1000))
			for i := range 2 * copiesMax {
				j.bring(i%2, delta(i/2, i/2))
				j.pass(40 * time.Millisecond)
			}
		}, nil},
		"futures by the id that an event follows": {func(j *joint) {
			for _, of := range [][2]int{{0, 100}, {100, 250}, {260, 300}} { // previous and last
				for i := range 2 {
					ev := delta(of[0]+7, of[1])
					ev.W[1] = int64(of[0])
					j.bring(i, ev)
				}
				j.pass(time.Second)
			}
		}, []string{"1 251-260"}},
	} {
		t.Run(name, func(t *testing.T) {
			j := newJoint(t, 2)
			c.play(j)
			if got := j.missing(); !slices.Equal(got, c.want) {
				t.Fatalf("missing are %v, want %v", got, c.want)
			}
		})
	}
}

// Random losses on each of several lines, cuts of some or all of them included: what is
// missing between the first and the last event that was published is what the gap records
// say, id for id.
func TestGapRecordsAreWhatIsMissing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.IntRange(1, 4).Draw(t, "lines")
		kind := rapid.SampledFrom([]core.EventKind{core.DepthDelta, core.Trade, core.AggTrade}).Draw(t, "kind")
		share := rapid.SampledFrom([]int{1, 4, 8}).Draw(t, "of ten lost")
		j := newJoint(t, lines)
		next := 1
		var published []core.Event
		for range rapid.IntRange(1, 80).Draw(t, "events") {
			width := 1
			if kind == core.DepthDelta {
				width = rapid.IntRange(1, 5).Draw(t, "ids")
			}
			ev := delta(next, next+width-1)
			if ev.Kind = kind; kind != core.DepthDelta {
				ev.W = [4]int64{}
			}
			next += width
			for i, s := range j.lines {
				switch {
				case s.conn == nil:
					if rapid.IntRange(0, 3).Draw(t, "back") == 0 {
						j.up(i)
					}
				case rapid.IntRange(0, 19).Draw(t, "cut") == 0:
					s.lost(net.ErrClosed, false)
				case rapid.IntRange(0, 9).Draw(t, "lost") >= share:
					j.bring(i, ev)
				}
			}
			j.pass(time.Duration(rapid.IntRange(0, 150).Draw(t, "ms")) * time.Millisecond)
		}
		j.pass(time.Second)
		told := map[uint64]bool{}
		if j.a.gapsLost > 0 {
			t.Fatalf("%d gap records found no room", j.a.gapsLost)
		}
		for list := j.a.gaps.Pending(); len(list) > 0; list = j.a.gaps.Pending() {
			for _, g := range list {
				for id := g.Last + 1; g.Line == NoLine && id < g.First; id++ {
					if told[id] || g.Kind != kind || g.From > g.To {
						t.Fatalf("gap %+v, id %d told before: %v", g, id, told[id])
					}
					told[id] = true
				}
			}
			j.a.gaps.Release(len(list))
		}
		for _, ev := range j.take() {
			if ev.Kind == kind {
				published = append(published, ev)
			}
		}
		have := map[uint64]bool{}
		low, high := uint64(0), uint64(0)
		for i := range published {
			ev := &published[i]
			first := ev.ID
			if kind == core.DepthDelta {
				first = ev.FirstID()
			}
			if low == 0 {
				low = first
			}
			for id := first; id <= ev.ID; id++ {
				have[id] = true
			}
			high = max(high, ev.ID)
		}
		for id := uint64(1); id < uint64(next); id++ {
			if missing := id > low && id < high && !have[id]; missing != told[id] {
				t.Fatalf("id %d: missing %v, told %v; published from %d to %d", id, missing, told[id], low, high)
			}
		}
	})
}

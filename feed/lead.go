package feed

import (
	"math/bits"
	"sync/atomic"
	"time"

	"riposte/core"
)

// lineCount is what the arbiter counts of one line, over all its connections.
type lineCount struct {
	first  uint64 // events that it brought first
	copies uint64 // events that another line, or itself, had brought before
	held   uint64 // events held back for want of what is before them
	gaveUp uint64 // times that it did not come
	missed uint64 // places where this line lost events of a dense stream
	gone   uint64 // ids within them
	back   uint64 // events whose id was below one that this connection had brought
	lead   leads  // of its first arrivals, over the copies that followed
}

// recents remember which line brought an event first, and when, so that the copy
// tells by how much it was late. Places are shared by hash: what is overwritten
// before its copy comes is a sample lost.
type recents [recentPlaces]recent

const recentPlaces = 1024

type recent struct {
	key  uint64
	at   core.MonoNs
	line uint8
}

// recentKey is the event's identity, mixed so that its high bits are the place.
func recentKey(ev *core.Event) uint64 {
	return (ev.ID ^ uint64(ev.Kind)<<58 ^ uint64(ev.Instrument)<<40) * 0x9e3779b97f4a7c15
}

func (r *recents) put(ev *core.Event, line uint8) {
	k := recentKey(ev)
	r[k>>54] = recent{k, ev.Recv, line}
}

// lead notes by how much the line that brought ev first was ahead of this one.
func (r *recents) lead(lines []lineCount, ev *core.Event, line uint8) {
	k := recentKey(ev)
	if e := &r[k>>54]; e.key == k && e.line != line {
		lines[e.line].lead.add(ev.Recv - e.at)
		e.key = 0
	}
}

// leads is a histogram of times up to some minutes with four steps to each doubling.
type leads [leadSteps]uint64

const (
	leadSteps = 4 * 28
	leadShift = 10 // the first step is 1.024 µs wide
)

func (l *leads) add(d core.MonoNs) {
	l[leadStep(d)]++
}

func leadStep(d core.MonoNs) int {
	u := uint64(max(d, 0)) >> leadShift
	if u < 4 {
		return int(u)
	}
	n := bits.Len64(u) - 3 // doublings beyond the first four
	return min(4*(n+1)+int(u>>n)&3, leadSteps-1)
}

// leadTop is the upper end of a step.
func leadTop(step int) time.Duration {
	if step < 4 {
		return time.Duration(step+1) << leadShift
	}
	n := step/4 - 1
	return time.Duration(uint64(step&3+5)<<n) << leadShift
}

// LeadTimes are quantiles of by how much a line was first, 0 without samples.
type LeadTimes struct {
	Count         uint64
	P50, P99, Max time.Duration
}

// sharedLine is a lineCount for others to read.
type sharedLine struct {
	counts [7]atomic.Uint64
	lead   [leadSteps]atomic.Uint64
}

func (s *sharedLine) store(c *lineCount) {
	for i, n := range [...]uint64{c.first, c.copies, c.held, c.gaveUp, c.missed, c.gone, c.back} {
		s.counts[i].Store(n)
	}
	for i := range c.lead {
		if n := c.lead[i]; n != 0 {
			s.lead[i].Store(n)
		}
	}
}

func (s *sharedLine) leadTimes() (t LeadTimes) {
	var n [leadSteps]uint64
	for i := range n {
		n[i] = s.lead[i].Load()
		t.Count += n[i]
		if n[i] != 0 {
			t.Max = leadTop(i)
		}
	}
	at := func(q uint64) time.Duration { // in percent
		seen := uint64(0)
		for i := range n {
			if seen += n[i]; n[i] != 0 && seen*100 >= t.Count*q {
				return leadTop(i)
			}
		}
		return 0
	}
	t.P50, t.P99 = at(50), at(99)
	return t
}

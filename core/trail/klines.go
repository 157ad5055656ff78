package trail

import (
	"fmt"

	"riposte/core"
	"riposte/core/bar"
)

// klines is the closed klines of one stream: each opens where the one before ended. One
// that is missing is asked for; those behind it are held back until it has come, so
// that the series has no hole.
type klines struct {
	series *bar.Series
	next   core.WallNs // when the next closed one opens, 0: none yet
	seen   core.WallNs // bars that open before this are over: the newest open seen
	held   []bar.Bar   // closed, behind a missing one; its memory is the bound
	tries  int
	since  core.MonoNs // when the first of the missing was noticed

	filled, unfilled, doubles uint64
}

const heldMax = 64

func newKlines(v bar.Interval, keep int) klines {
	return klines{series: bar.NewSeries(v, keep), held: make([]bar.Bar, 0, heldMax)}
}

// kline takes a Kline event of a stream.
func (t *Trail) kline(ev *core.Event, lv []core.Level) Found {
	open, last := core.WallNs(ev.W[0]), core.WallNs(ev.W[1])
	for i := range t.klines {
		k := &t.klines[i]
		if v := k.series.Interval(); v.Matches(open, last) {
			if ev.Flags&core.FlagClosed == 0 {
				k.seen = max(k.seen, open)
				return Fresh
			}
			b := bar.FromKline(ev, lv, v.Next(open))
			return t.closed(k, &b, ev.Recv)
		}
	}
	return Fresh // of a stream that nobody follows
}

// closed takes one closed kline.
func (t *Trail) closed(k *klines, b *bar.Bar, _ core.MonoNs) Found {
	k.seen = max(k.seen, b.End)
	switch {
	case k.next == 0:
		k.next = b.Start
	case b.Start < k.next:
		k.doubles++
		return Double
	}
	if b.Start == k.next {
		t.push(k, b)
		t.release(k)
		return Fresh
	}
	for i := range k.held {
		if k.held[i].Start == b.Start {
			k.doubles++
			return Double
		}
	}
	if !t.cfg.Asks || len(k.held) == cap(k.held) {
		t.skip(k, b.Start)
		return t.closed(k, b, 0)
	}
	i := len(k.held)
	k.held = append(k.held, *b)
	for ; i > 0 && k.held[i-1].Start > b.Start; i-- {
		k.held[i], k.held[i-1] = k.held[i-1], k.held[i]
	}
	return Fresh
}

// skip gives missing klines up: the next one opens at an instant, or where the first
// that is held does.
func (t *Trail) skip(k *klines, to core.WallNs) {
	if len(k.held) > 0 {
		to = min(to, k.held[0].Start)
	}
	for at := k.next; at < to; at = k.series.Interval().Next(at) {
		k.unfilled++
	}
	k.next, k.tries = to, 0
	t.release(k)
}

func (t *Trail) push(k *klines, b *bar.Bar) {
	at := k.series.Push(b)
	k.next, k.tries = b.End, 0
	if s := t.builderOf(k.series.Interval()); s != nil {
		if ours := s.Series().Find(b.Start); ours != nil {
			t.compare(ours, at, k.series.Interval())
		}
	}
}

// release moves what was held back to the series as far as nothing is missing.
func (t *Trail) release(k *klines) {
	n := 0
	for n < len(k.held) && k.held[n].Start == k.next {
		t.push(k, &k.held[n])
		n++
	}
	k.held = k.held[:copy(k.held, k.held[n:])]
}

// missing is the span of klines that are closed by now and have not come.
func (k *klines) missing() (from, to core.WallNs, ok bool) {
	to = k.seen
	if len(k.held) > 0 {
		to = k.held[0].Start
	}
	return k.next, to, k.next != 0 && to > k.next
}

func (t *Trail) builderOf(v bar.Interval) *bar.Builder {
	for _, b := range t.builders {
		if b.Series().Interval() == v {
			return b
		}
	}
	return nil
}

// compareNew holds our newest n bars against the venue's.
func (t *Trail) compareNew(b *bar.Builder, n int) {
	v := b.Series().Interval()
	for i := range t.klines {
		k := &t.klines[i]
		if k.series.Interval() != v {
			continue
		}
		for ; n > 0; n-- {
			if ours := b.Series().At(n - 1); ours != nil {
				if theirs := k.series.Find(ours.Start); theirs != nil {
					t.compare(ours, theirs, v)
				}
			}
		}
	}
}

func (t *Trail) compare(ours, theirs *bar.Bar, v bar.Interval) {
	switch {
	case ours.Broken || theirs.Broken:
	case ours.Same(theirs):
		t.matched++
	default:
		t.differ++
		if t.firstDiffer == "" {
			t.firstDiffer = fmt.Sprintf("%s: ours %s, venue %s", v, ours, theirs)
		}
	}
}

package bar

import (
	"slices"

	"riposte/core"
)

// Builder makes the bars of one interval. Trades may come in any order, each once; a
// bar goes to Series when the caller says that everything up to its end is known. One
// goroutine. Nothing allocates once built.
type Builder struct {
	interval Interval
	series   *Series
	open     []Bar // with trades, not complete, by Start; its memory is the bound
	due      core.WallNs
	dueEnd   core.WallNs // when the next bar to become complete starts and ends; 0: not known
	from     core.WallNs // where the first of them started
	needs    bool        // a Seed, before anything is complete
	last     core.Price  // close of the newest trade before due
	lastID   int64
	lost     []span // times whose trades are missing for good
	counts   Counts
}

// Counts are a builder's counters.
type Counts struct {
	Bars   uint64 // complete
	Broken uint64 // of them, without all their trades
	Stray  uint64 // trades whose bar was complete already: it is wrong, and was believed too early
	Forced uint64 // bars told as broken because too many waited for a hole before them
}

type span struct{ from, to core.WallNs }

const lostKept = 16

// NewBuilder keeps that many complete bars, and lets as many as waiting have trades
// while one before them is not complete. A builder that needs a Seed completes nothing
// before it; one that does not begins with the first bar that it sees from its start.
func NewBuilder(v Interval, keep, waiting int, needs bool) *Builder {
	return &Builder{interval: v, series: NewSeries(v, keep), open: make([]Bar, 0, max(waiting, 2)), needs: needs, lastID: -1, lost: make([]span, 0, lostKept)}
}

// Series is the complete bars.
func (b *Builder) Series() *Series { return b.series }

// Counts are the counters.
func (b *Builder) Counts() Counts { return b.counts }

// Due is when the next bar to become complete ends, 0 while that is not known.
func (b *Builder) Due() core.WallNs { return b.dueEnd }

// Next is the bar that is to become complete next; start is 0 while that is not known.
func (b *Builder) Next() (start, end core.WallNs) { return b.due, b.dueEnd }

// Open is the bar that starts at an instant and is not complete, nil if it has no trades.
func (b *Builder) Open(start core.WallNs) *Bar {
	for i := range b.open {
		if b.open[i].Start == start {
			return &b.open[i]
		}
	}
	return nil
}

// Lowest is the lowest id of the trades in bars that are not complete, -1 without any.
func (b *Builder) Lowest() int64 {
	low := int64(-1)
	for i := range b.open {
		if id := b.open[i].First; low < 0 || id < low {
			low = id
		}
	}
	return low
}

// Current is the newest bar that has trades and is not complete, nil if there is none.
func (b *Builder) Current() *Bar {
	if n := len(b.open); n > 0 {
		return &b.open[n-1]
	}
	return nil
}

// Add takes one trade.
func (b *Builder) Add(t *Trade) {
	if n := len(b.open); n > 0 {
		if cur := &b.open[n-1]; t.Time >= cur.Start && t.Time < cur.End {
			cur.add(t)
			return
		}
	}
	b.place(t)
}

// place is Add of a trade that is not of the newest bar.
func (b *Builder) place(t *Trade) {
	if t.Time < b.due {
		if t.Time >= b.from {
			b.counts.Stray++
		} else {
			b.before(t)
		}
		return
	}
	start := b.interval.Open(t.Time)
	if b.due == 0 && !b.needs {
		b.start(b.interval.Next(start)) // this one was not seen from its start
		b.before(t)
		return
	}
	i := len(b.open)
	for i > 0 && b.open[i-1].Start > start {
		i--
	}
	if i > 0 && b.open[i-1].Start == start {
		b.open[i-1].add(t)
		return
	}
	if len(b.open) == cap(b.open) {
		b.force()
		b.place(t)
		return
	}
	b.open = slices.Insert(b.open, i, empty(start, b.interval.Next(start), 0))
	b.open[i].add(t)
}

// before remembers the newest price of what lies before the first bar.
func (b *Builder) before(t *Trade) {
	if t.Last > b.lastID {
		b.last, b.lastID = t.Price, t.Last
	}
}

// start makes the bar that starts at an instant the next to become complete.
func (b *Builder) start(at core.WallNs) {
	b.due, b.dueEnd = at, b.interval.Next(at)
	if b.from == 0 {
		b.from = at
	}
}

// Begin has a builder go on without the Seed that it needed: with the bar after the one
// that holds an instant.
func (b *Builder) Begin(at core.WallNs) {
	b.needs = false
	b.start(b.interval.Next(b.interval.Open(at)))
	b.dropBefore()
}

// dropBefore drops open bars from before the first one due.
func (b *Builder) dropBefore() {
	old := 0
	for old < len(b.open) && b.open[old].Start < b.due {
		b.last, b.lastID = b.open[old].Close, b.open[old].Last
		old++
	}
	b.open = b.open[:copy(b.open, b.open[old:])]
}

// Complete moves every bar that ends by an instant to the series: whoever calls it
// knows that no trade before that instant is missing.
func (b *Builder) Complete(until core.WallNs) {
	if b.due == 0 || b.needs {
		return
	}
	n := 0
	for b.dueEnd <= until {
		if n < len(b.open) && b.open[n].Start == b.due {
			b.push(&b.open[n])
			n++
			continue
		}
		next := b.interval.Open(until)
		if n < len(b.open) {
			next = min(next, b.open[n].Start)
		}
		// Of a long silence only as much is told as is kept.
		b.start(max(b.due, b.interval.Back(next, len(b.series.bars))))
		if b.due < next {
			e := empty(b.due, b.dueEnd, b.last)
			b.push(&e)
		}
	}
	if n > 0 {
		b.open = b.open[:copy(b.open, b.open[n:])]
	}
}

func (b *Builder) push(k *Bar) {
	for _, l := range b.lost {
		k.Broken = k.Broken || l.from < k.End && l.to >= k.Start
	}
	if k.Broken {
		b.counts.Broken++
	}
	b.counts.Bars++
	b.last, b.lastID = k.Close, max(b.lastID, k.Last)
	b.series.Push(k)
	b.start(k.End)
	if len(b.lost) > 0 {
		b.lost = slices.DeleteFunc(b.lost, func(l span) bool { return l.to < b.due })
	}
}

// force completes the oldest bar although trades before its end are missing, for want of
// room for another. Without a seed it is dropped.
func (b *Builder) force() {
	b.counts.Forced++
	b.Lose(b.open[0].Start, b.open[0].Start)
	if b.due == 0 || b.needs {
		b.open = b.open[:copy(b.open, b.open[1:])]
		return
	}
	b.Complete(b.open[0].End)
}

// Lose marks the bars that an instant from or to lies in, and all between, as broken:
// trades of that time are missing for good.
func (b *Builder) Lose(from, to core.WallNs) {
	if len(b.lost) == cap(b.lost) {
		l := &b.lost[len(b.lost)-1]
		l.from, l.to = min(from, l.from), max(to, l.to)
		return
	}
	b.lost = append(b.lost, span{from, to})
}

// History gives the builder complete bars from before its time, oldest first, the last
// of which ends where Seed's bar starts. Before Seed.
func (b *Builder) History(bars []Bar) {
	for i := range bars {
		b.series.Push(&bars[i])
		b.last = bars[i].Close
	}
}

// Seed says that base is everything from the start of the bar that holds an instant up
// to it, and that every trade from then on has been added or will be. Trades from before
// it that were added are not counted twice: they are not to be added.
func (b *Builder) Seed(at core.WallNs, base Bar) {
	b.needs = false
	b.start(b.interval.Open(at))
	base.Start, base.End = b.due, b.dueEnd
	b.dropBefore()
	switch {
	case base.Trades == 0:
		if b.last == 0 {
			b.last = base.Close
		}
	case len(b.open) > 0 && b.open[0].Start == b.due:
		base.Join(&b.open[0])
		b.open[0] = base
	default:
		if len(b.open) == cap(b.open) {
			b.force()
		}
		b.open = slices.Insert(b.open, 0, base)
	}
}

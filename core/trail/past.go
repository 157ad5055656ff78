package trail

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"riposte/core"
	"riposte/core/bar"
)

// The past is what a strategy begins with: bars from before the first trade, and the
// beginning of the bar that runs. Two things know it. Klines tell of whole seconds,
// minutes and hours that are over; trades tell what came after, up to the first one of
// the stream. They meet at a full second, the seam: trades of before it are in klines,
// trades from it on are added one by one.
//
//	… history of the interval │ hours │ minutes │ seconds │ trades asked for │ trades of the stream …
//	                          ▲ the running bar opens     ▲ seam             ▲ first live trade
//
// So a running bar costs what its last second costs, be it a minute's or a month's. Its
// first trade id, which klines do not tell, follows by counting: ids have no gaps.
type past struct {
	wanted, asking, done bool
	warm                 bool
	stage                pastStage
	from                 core.WallNs // the seam, 0: not known; trades before it are not added
	pages                []*Answer   // trades of before the first, newest page first
	base                 uint64      // the id they go down from
	spans                []pastSpan
	at                   int // of spans
	tries                int
	failed               string
	askNewest            core.MonoNs // not before, where the venue remembers no trade
}

type pastStage uint8

const (
	pastTrades pastStage = iota
	pastKlines
	pastOver
)

// pastSpan is klines wanted and what came.
type pastSpan struct {
	interval   bar.Interval
	start, end core.WallNs
	rows       []bar.Bar
}

// newestAgain is how long a symbol that the venue remembers no trade of waits for its
// first one before the venue is asked again.
const newestAgain = core.MonoNs(60e9)

// pagesMax bounds how many pages of trades are asked for in search of a full second.
const pagesMax = 20

func (t *Trail) pastQuestion() (a Ask, ok bool) {
	p := &t.past
	if !p.wanted || p.stage == pastOver {
		return Ask{}, false
	}
	if p.stage == pastTrades {
		a, ok = t.pageQuestion()
	} else {
		a, ok = t.spanQuestion()
	}
	p.asking = ok
	return a, ok
}

// pageQuestion asks for the trades before those that are known.
func (t *Trail) pageQuestion() (Ask, bool) {
	c, p := t.source(), &t.past
	a := Ask{Kind: t.kindOf(c), From: Newest, Limit: PageMax}
	switch {
	case c.started:
		if len(p.pages) == 0 {
			p.base = c.first
		}
		a.Limit = int(min(p.base, PageMax))
		a.From = p.base - uint64(a.Limit)
		if a.Limit == 0 {
			t.seam(bar.Second.Open(c.firstAt)) // the very first trade of the symbol
			return Ask{}, false
		}
	case t.heard == 0 || t.venueAt == 0 || t.heard-t.firstHeard < tailAfter || t.heard < p.askNewest:
		return Ask{}, false // the first trade of the stream may be on its way
	}
	return a, true
}

// spanQuestion asks for the next klines that are wanted.
func (t *Trail) spanQuestion() (Ask, bool) {
	p := &t.past
	if t.now() < p.from+core.WallNs(1e9) {
		return Ask{}, false // the second before the seam is hardly over
	}
	s := &p.spans[p.at]
	a := Ask{Kind: AskKlines, Interval: s.interval, Start: s.start, End: s.end, Limit: PageMax}
	if n := len(s.rows); n > 0 {
		a.Start = s.rows[n-1].End
	}
	return a, true
}

func (t *Trail) pastAnswer(a *Answer) {
	if t.past.stage == pastTrades {
		t.page(a)
	} else {
		t.span(a)
	}
}

// page takes trades of before the first.
func (t *Trail) page(a *Answer) {
	c, p := t.source(), &t.past
	if a.From == Newest {
		if c.started {
			return // a trade came meanwhile: it is what to go down from
		}
		if len(a.Events) == 0 {
			// The venue remembers no trade at all. What the first one follows on nobody
			// can say before it comes.
			p.askNewest = t.heard + newestAgain
			return
		}
		t.beginAt(a)
		a.From = 0
		if len(a.Events) == PageMax {
			a.From = a.Events[0].ID // else there are no older ones
		}
	}
	rows := a.Events
	for len(rows) > 0 && rows[len(rows)-1].ID >= p.base {
		rows = rows[:len(rows)-1]
	}
	a.Events = rows
	if len(rows) == 0 {
		t.seam(bar.Second.Open(min(c.firstAt, t.now())))
		return
	}
	if last := rows[len(rows)-1].ID; last+1 != p.base {
		if p.tries++; p.tries >= triesMax {
			t.fail(fmt.Sprintf("the trades before id %d end at %d", p.base, last))
		}
		return // not told whole: once more
	}
	p.tries = 0
	p.pages = append(p.pages, a)
	oldest := rows[0].TradeTime()
	seam := bar.Second.Next(bar.Second.Open(oldest))
	switch {
	case seam <= c.firstAt:
	case rows[0].ID > a.From || a.From == 0:
		seam = bar.Second.Open(oldest) // there are no older ones
	case len(p.pages) == pagesMax:
		t.fail(fmt.Sprintf("%d pages of trades do not reach back over a full second", pagesMax))
		return
	default:
		p.base = rows[0].ID
		return
	}
	t.seam(seam)
}

// beginAt starts the chain behind the newest trade, for a symbol that trades rarely.
// What has come since, the venue is asked once more.
func (t *Trail) beginAt(a *Answer) {
	c, p := t.source(), &t.past
	last := &a.Events[len(a.Events)-1]
	c.begin(last.ID+1, last.TradeTime())
	c.firstAt = math.MaxInt64
	c.blind, c.upAt = true, t.heard
	p.base = c.first
}

// seam fixes where klines end and trades begin, adds the trades, and lists the klines.
func (t *Trail) seam(at core.WallNs) {
	p := &t.past
	p.from, p.stage = at, pastKlines
	for _, a := range p.pages {
		for i := len(a.Events) - 1; i >= 0; i-- {
			ev, lv := a.event(i)
			t.add(ev, lv) // or not, if it is from before
		}
	}
	p.pages = nil
	second, minute, hour := at, bar.Minute.Open(at), bar.Hour.Open(at)
	lowest, longest := hour, bar.Second.Length()
	for _, b := range t.builders {
		v := b.Series().Interval()
		lowest, longest = min(lowest, v.Open(at)), max(longest, v.Length())
	}
	add := func(v bar.Interval, from, to core.WallNs) {
		if from < to {
			p.spans = append(p.spans, pastSpan{interval: v, start: from, end: to})
		}
	}
	add(bar.Hour, lowest, hour)
	if longest > bar.Minute.Length() {
		add(bar.Minute, hour, minute)
	}
	if longest > bar.Second.Length() {
		add(bar.Second, minute, second)
	}
	for _, b := range t.builders {
		v := b.Series().Interval()
		add(v, v.Back(v.Open(at), t.cfg.History), v.Open(at))
	}
}

// span takes klines.
func (t *Trail) span(a *Answer) {
	p := &t.past
	s := &p.spans[p.at]
	before := len(s.rows)
	for _, b := range a.Bars {
		if n := len(s.rows); b.Start >= s.start && b.End <= s.end && (n == 0 || b.Start == s.rows[n-1].End) {
			s.rows = append(s.rows, b)
		}
	}
	n := len(s.rows)
	switch {
	case n > 0 && s.rows[n-1].End == s.end:
	case n > before:
		p.tries = 0
		return // the next page
	case n == 0 && p.tries >= 2:
		// Told three times that there is nothing: the symbol is younger than that.
	case p.tries >= triesMax:
		t.fail(fmt.Sprintf("klines %s end at %d, want %d", s.interval, s.rows[n-1].End, s.end))
		return
	default:
		p.tries++
		return
	}
	p.tries = 0
	if p.at++; p.at == len(p.spans) {
		t.meet()
	}
}

// meet puts the past together with what came live.
func (t *Trail) meet() {
	p := &t.past
	seam := t.builders[0].Lowest() // id of the first trade from the seam on
	if seam < 0 {
		if seam = int64(t.trades.next); t.source() == &t.aggs {
			seam = t.aggLast + 1
		}
	}
	for _, b := range t.builders {
		v := b.Series().Interval()
		open := v.Open(p.from)
		base := bar.Bar{First: -1, Last: -1}
		for _, step := range []struct {
			v        bar.Interval
			from, to core.WallNs
		}{
			{bar.Hour, open, bar.Hour.Open(p.from)},
			{bar.Minute, max(open, bar.Hour.Open(p.from)), bar.Minute.Open(p.from)},
			{bar.Second, max(open, bar.Minute.Open(p.from)), p.from},
		} {
			for _, row := range p.rows(step.v, true) {
				if row.Start >= step.from && row.End <= step.to {
					base.Join(&row)
				}
			}
		}
		if base.Trades > 0 {
			base.First, base.Last = seam-base.Trades, seam-1
		}
		rows := slices.Clone(p.rows(v, false))
		number(rows, seam-base.Trades)
		b.History(rows)
		b.Seed(p.from, base)
	}
	p.stage, p.done, p.spans = pastOver, true, nil
	t.dueEnd = 0
}

// rows are the klines of an interval: those that the running bar is put together from,
// which come first in the list, or the history.
func (p *past) rows(v bar.Interval, steps bool) []bar.Bar {
	for i := range p.spans {
		j := i
		if !steps {
			j = len(p.spans) - 1 - i
		}
		if s := &p.spans[j]; s.interval == v && (s.end == v.Open(p.from)) {
			return s.rows
		}
	}
	return nil
}

// number gives bars their trade ids, backwards from the first id after them.
func number(rows []bar.Bar, next int64) {
	for i := len(rows) - 1; i >= 0; i-- {
		if b := &rows[i]; b.Trades > 0 && next >= b.Trades {
			b.First, b.Last = next-b.Trades, next-1
			next = b.First
		}
	}
}

// fail gives the past up: bars begin with the next whole one.
func (t *Trail) fail(why string) {
	p := &t.past
	p.failed, p.stage, p.pages, p.spans = cmp.Or(p.failed, why), pastOver, nil, nil
	for _, b := range t.builders {
		b.Begin(t.source().last)
	}
	t.dueEnd = 0
}

// Warm reports whether the past that was asked for is there and no trade since is
// missing. Without a wish for one it always is.
func (t *Trail) Warm() bool {
	if t.past.wanted && !t.past.warm {
		t.past.warm = t.past.done && len(t.source().holes) == 0
	}
	return !t.past.wanted || t.past.warm
}

package trail

import (
	"riposte/core"
	"riposte/core/bar"
)

// klineGrace is how long a closed kline may come after the first of its successor
// before it counts as missing.
const klineGrace = core.MonoNs(1500e6)

// Ask is the next question for the venue's memory, if there is one to be asked now. One
// stands at a time.
func (t *Trail) Ask(now core.MonoNs) (Ask, bool) {
	if !t.cfg.Asks || t.asking && now-t.askedAt < askAgain || now < t.retryAt {
		return Ask{}, false
	}
	t.proving = false
	a, ok := t.question(now)
	if !ok {
		return Ask{}, false
	}
	t.number++
	t.asked++
	a.Instrument, a.Number = t.id, t.number
	t.ask, t.asking, t.askedAt = a, true, now
	return a, true
}

func (t *Trail) question(now core.MonoNs) (Ask, bool) {
	if a, ok := t.pastQuestion(); ok {
		return a, true
	}
	for _, c := range [...]*chain{t.source(), &t.trades, &t.aggs} {
		if len(c.holes) > 0 {
			// A page costs the same however long it is: it takes in what holes it can.
			from := c.holes[0].From
			to := min(c.holes[0].To, from+PageMax-1)
			for i := range c.holes {
				if h := &c.holes[i]; h.To-from < PageMax {
					to = h.To
				}
			}
			return Ask{Kind: t.kindOf(c), From: from, Limit: int(to - from + 1)}, true
		}
		if c.blind && c.upAt != 0 && now-c.upAt > tailAfter {
			return Ask{Kind: t.kindOf(c), From: c.next, Limit: PageMax}, true
		}
	}
	if a, ok := t.proof(); ok {
		return a, true
	}
	for i := range t.klines {
		k := &t.klines[i]
		from, to, ok := k.missing()
		switch {
		case !ok:
			k.since = 0
		case k.since == 0:
			k.since = now
		case now-k.since >= klineGrace:
			return Ask{Kind: AskKlines, Interval: k.series.Interval(), Start: from, End: to, Limit: PageMax}, true
		}
	}
	return Ask{}, false
}

func (t *Trail) kindOf(c *chain) AskKind {
	if c == &t.aggs {
		return AskAggs
	}
	return AskTrades
}

func (t *Trail) chainAsked(k AskKind) *chain {
	if k == AskAggs {
		return &t.aggs
	}
	return &t.trades
}

// Begin takes an answer. What it returns is how many rows are to be taken in order, each
// with Take, before End. An answer to a question that no longer stands, and one that
// concerns the time before the first trade, has none.
func (t *Trail) Begin(a *Answer) int {
	switch {
	case !t.asking || a.Number != t.number:
		return 0
	case t.past.asking:
		t.pastAnswer(a)
		return 0
	case t.proving:
		t.proved(a)
		return 0
	case a.Kind == AskKlines:
		return len(a.Bars)
	}
	return len(a.Events)
}

// Take takes one row, writes it as the event that it would have been, flagged late, and
// says what it is: a Double is known already.
func (t *Trail) Take(a *Answer, i int, ev *core.Event, lv []core.Level) (levels []core.Level, found Found) {
	if a.Kind == AskKlines {
		return t.takeKline(a, i, ev, lv)
	}
	row, rowLevels := a.event(i)
	*ev = *row
	ev.Instrument = t.id
	ev.Flags |= core.FlagLate
	c := t.chainAsked(a.Kind)
	if found = c.take(ev.ID, ev.TradeTime(), t.heard); found == Fresh {
		c.late++ // of the tail: told now, and not by the stream
	}
	if found != Double && c == t.source() {
		t.add(ev, rowLevels)
	}
	if ev.TradeQty() == 0 {
		found = Double // an id without a trade: nothing to tell
	}
	return rowLevels, found
}

func (t *Trail) takeKline(a *Answer, i int, ev *core.Event, lv []core.Level) ([]core.Level, Found) {
	for j := range t.klines {
		k := &t.klines[j]
		if k.series.Interval() != a.Interval {
			continue
		}
		b := &a.Bars[i]
		if k.next == 0 || b.Start != k.next || b.End > a.End {
			return nil, Double
		}
		t.push(k, b)
		k.filled++
		*ev = core.Event{Instrument: t.id}
		if !b.ToKline(ev, lv) {
			return nil, Double // in the series all the same
		}
		ev.Flags |= core.FlagLate
		return lv[:4], Late
	}
	return nil, Double
}

// End finishes an answer: what the venue did not tell does not exist, is not there yet
// and asked for again, or is given up.
func (t *Trail) End(a *Answer, now core.MonoNs) {
	if !t.asking || a.Number != t.number {
		return
	}
	t.asking, t.retryAt = false, 0
	switch {
	case t.past.asking:
		t.past.asking = false
		if t.past.tries > 0 {
			t.retryAt = now + backoff(t.past.tries)
		}
	case t.proving:
		t.proving, t.retryAt = false, now+retryFirst
	case a.Kind == AskKlines:
		t.endKlines(a, now)
	default:
		t.endTrades(a, now)
	}
	t.complete()
}

func (t *Trail) endTrades(a *Answer, now core.MonoNs) {
	c := t.chainAsked(a.Kind)
	if n := len(a.Events); n > 0 {
		first, last := a.Events[0].ID, a.Events[n-1].ID
		if first > a.From {
			c.forget(a.From, first-1)
		}
		c.without(first, last)
	}
	if c.blind && a.From+uint64(len(a.Events)) >= c.next && len(a.Events) < a.Limit {
		c.blind = false // asked after the line had come back: what is newer comes by it
	}
	if len(a.Events) < PageMax {
		t.retryAt = now + askPause
	}
	for i := range c.holes {
		h := &c.holes[i]
		if a.From < h.From || a.From > h.To {
			continue
		}
		// Not all of it was told, and nothing behind it either: not there yet.
		if h.tries++; h.tries >= triesMax {
			c.forget(h.From, h.To)
			return
		}
		t.retryAt = now + backoff(h.tries)
		return
	}
}

// forget gives ids up that the venue does not have any more.
func (c *chain) forget(from, to uint64) {
	for i := len(c.holes) - 1; i >= 0; i-- {
		h := c.holes[i]
		if lo, hi := max(from, h.From), min(to, h.To); lo <= hi {
			h.From, h.To = lo, hi
			c.cut(i, lo, hi)
			c.giveUp(h)
		}
	}
}

func (t *Trail) endKlines(a *Answer, now core.MonoNs) {
	for i := range t.klines {
		k := &t.klines[i]
		if k.series.Interval() != a.Interval {
			continue
		}
		t.release(k)
		from, to, missing := k.missing()
		if !missing || from != a.Start {
			continue
		}
		if len(a.Bars) > 0 {
			t.skip(k, min(a.Bars[0].Start, to)) // the venue has none before it
			continue
		}
		if k.tries++; k.tries >= triesMax {
			t.skip(k, to)
			continue
		}
		t.retryAt = now + backoff(k.tries)
	}
}

func backoff(tries int) core.MonoNs {
	return min(retryFirst<<min(tries-1, 10), retryMost)
}

// Series is the venue's own closed klines of an interval, nil without a stream of them.
func (t *Trail) Series(v bar.Interval) *bar.Series {
	for i := range t.klines {
		if t.klines[i].series.Interval() == v {
			return t.klines[i].series
		}
	}
	return nil
}

package trail

import (
	"riposte/core"
)

// That time has passed proves nothing: the trades of a quiet minute and those of a
// minute whose frames were lost look alike until the next trade comes. What proves it is
// the venue's word: a later trade, a kline or ticker, which name the newest trade id for
// nothing, or the klines of the time in question, which are asked for (weight 2) when
// nothing else has come for a while.

const (
	// claimGrace is how long a trade may come after the kline or ticker that names it.
	claimGrace = core.MonoNs(1e9)
	// proofAfter is how long after its end a bar waits for a word that costs nothing.
	proofAfter = core.WallNs(3e9)
)

// word takes the newest trade id from a Kline or a ticker.
func (t *Trail) word(ev *core.Event) {
	c := &t.trades
	if !t.cfg.Trades || !c.started {
		return
	}
	if ev.ID > 0 && int64(ev.ID) > 0 && ev.ID >= c.next && ev.ID-c.next < c.refused+PageMax {
		if t.claimed <= c.next {
			t.claimedAt = t.heard
		}
		t.claimed = max(t.claimed, ev.ID+1)
		return
	}
	if ev.Kind != core.Kline || ev.Flags&core.FlagClosed == 0 || len(c.holes) > 0 || c.blind {
		return
	}
	open, trades := core.WallNs(ev.W[0]), ev.W[2]
	if trades > 0 && ev.ID < c.next || trades == 0 && max(c.last, t.proven) >= open {
		last := core.WallNs(ev.W[1]) // the bar's last millisecond, or microsecond
		t.proven = max(t.proven, last+1e6-last%1e6)
	}
}

// Told takes a ticker: the newest trade id it names shows trades that did not come.
func (t *Trail) Told(ev *core.Event) { t.word(ev) }

// overdue makes a hole of trades that were named and have not come.
func (t *Trail) overdue() {
	c := &t.trades
	switch {
	case t.claimed <= c.next:
		t.claimed = 0
	case t.heard-t.claimedAt > claimGrace:
		c.open(Hole{From: c.next, To: t.claimed - 1, Seen: t.claimedAt, After: c.last, Before: max(t.now(), c.last)})
		c.next, t.claimed = t.claimed, 0
	}
}

// proof asks for klines of bars that are over and of which nothing has been heard.
func (t *Trail) proof() (Ask, bool) {
	c := t.source()
	if !c.started || len(c.holes) > 0 || c.blind {
		return Ask{}, false
	}
	now := t.now()
	for _, b := range t.builders {
		start, end := b.Next()
		if start == 0 || now < end+proofAfter {
			continue
		}
		v := b.Series().Interval()
		t.proving = true
		return Ask{Kind: AskKlines, Interval: v, Start: start, End: v.Open(now - outOfOrder), Limit: PageMax}, true
	}
	return Ask{}, false
}

// proved holds klines against the bars that wait. If they tell of trades that we do not
// have, the tail is missing, and is asked for.
func (t *Trail) proved(a *Answer) {
	b := t.builderOf(a.Interval)
	if b == nil {
		return
	}
	for i := range a.Bars {
		k := &a.Bars[i]
		if start, _ := b.Next(); k.Start < start || k.End > a.End {
			continue
		}
		have := int64(0)
		if o := b.Open(k.Start); o != nil {
			have = o.Trades
		}
		if have != k.Trades {
			c := t.source()
			c.blind, c.upAt = true, t.heard-tailAfter-1
			return
		}
		t.proven = max(t.proven, k.End)
	}
}

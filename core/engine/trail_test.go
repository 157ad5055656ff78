package engine_test

import (
	"slices"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/bar"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/trail"
)

// barProbe is a strategy that hears of bars.
type barProbe struct {
	probe
	bars []bar.Bar
}

func (p *barProbe) Bar(_ *engine.View, _ bar.Interval, b *bar.Bar) { p.bars = append(p.bars, *b) }

func interval(t *testing.T, name string) bar.Interval {
	t.Helper()
	v, err := bar.Parse(name)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func trailWorld(t *testing.T, p engine.Strategy, s enginetest.Setup) *enginetest.World {
	t.Helper()
	s.Strategy = func(*core.Instrument) (engine.Strategy, error) { return p, nil }
	w, err := enginetest.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// asked runs the world until its shard has a question.
func asked(t *testing.T, w *enginetest.World) trail.Ask {
	t.Helper()
	for range 100 {
		w.Advance(100 * time.Millisecond)
		if p := w.Asks.Pending(); len(p) > 0 {
			a := p[0]
			w.Asks.Release(1)
			return a
		}
	}
	t.Fatal("nothing was asked")
	return trail.Ask{}
}

// answer gives trades of 1 at a price, or bars without trades.
func answer(w *enginetest.World, a trail.Ask, price core.Price) {
	ans := &trail.Answer{Ask: a}
	if a.Kind == trail.AskKlines {
		for at := a.Interval.Open(a.Start); at < a.End && len(ans.Bars) < a.Limit; at = a.Interval.Next(at) {
			ans.Bars = append(ans.Bars, bar.Bar{Start: at, End: a.Interval.Next(at), Open: price, High: price, Low: price, Close: price, First: -1, Last: -1})
		}
	} else {
		for i := range a.Limit {
			ans.Events = append(ans.Events, core.Event{Kind: core.Trade, ID: a.From + uint64(i), W: [4]int64{int64(price), core.Scale, int64(w.Clock.Now)}})
		}
	}
	*w.Answers.Claim() = ans
	w.Answers.Publish()
	w.Run()
}

// A trade that is told late completes the past: neither the price by which orders are
// judged nor the flow is moved by it, and the strategy can tell.
func TestLateTradeIsNotNow(t *testing.T) {
	var seen []core.Event
	p := &barProbe{probe: probe{t: t, market: func(_ *engine.View, ev *core.Event) {
		if ev.Kind == core.Trade {
			seen = append(seen, *ev)
		}
	}}}
	w := trailWorld(t, p, enginetest.Setup{Trail: &trail.Config{Trades: true, Bars: []bar.Interval{interval(t, "1s")}}})
	w.Quote(0, "100", "1", "101", "1")
	w.TradeAs(0, 1, enginetest.P("100"), core.Scale)
	w.TradeAs(0, 9, enginetest.P("101"), core.Scale)
	w.TradeAs(0, 5, enginetest.P("50"), 1000*core.Scale)  // out of order
	w.TradeAs(0, 9, enginetest.P("102"), 1000*core.Scale) // a copy
	w.Run()
	var flow float64
	var signals uint64
	look := func(v *engine.View) {
		flow, signals = v.Signals().Flow(v.Now()), v.Signals().Trades()
	}
	p.timer = look
	// The gate judges a price by the last trade: one near 50 is far from it.
	a := asked(t, w)
	if a.Kind != trail.AskTrades || a.From != 2 || a.Limit != 7 {
		t.Fatalf("asked %+v, want trades 2 to 8 at once", a)
	}
	answer(w, a, enginetest.P("50"))
	w.Advance(100 * time.Millisecond)
	if signals != 2 || flow > 2 || flow < 0 {
		t.Errorf("flow %v of %d trades, want that of the two that came in order", flow, signals)
	}
	var ids, late []uint64
	for i := range seen {
		ids = append(ids, seen[i].ID)
		if seen[i].Late() {
			late = append(late, seen[i].ID)
		}
	}
	if want := []uint64{1, 9, 5, 2, 3, 4, 6, 7, 8}; !slices.Equal(ids, want) || !slices.Equal(late, want[2:]) {
		t.Errorf("the strategy saw %v, late %v, want %v and all but 1 and 9 late", ids, late, want)
	}
	m := marketStats(t, w, 0)
	if m.Trail.Open != 0 || m.Trail.Doubles != 2 || m.Trail.Late != 7 || w.Shard.Stats().LateEvents != 6 {
		t.Errorf("%+v, %d late events", m.Trail, w.Shard.Stats().LateEvents)
	}
	// It still is: an order near the last price passes, near the late ones it does not.
	var near, far string
	p.timer = func(v *engine.View) {
		p.timer = nil
		_, r := v.Limit(core.Buy, enginetest.P("99.50"), core.Scale)
		near = r.String()
		_, r = v.Limit(core.Buy, enginetest.P("50"), core.Scale)
		far = r.String()
	}
	l := *w.Gate.Limits(0)
	l.CollarBps = 500
	if err := w.Gate.SetLimits(0, l); err != nil {
		t.Fatal(err)
	}
	w.Quote(0, "100", "1", "101", "1")
	w.Advance(200 * time.Millisecond)
	if near == far || far == "" {
		t.Errorf("an order near the last trade: %q, far from it: %q", near, far)
	}
}

func TestStrategyIsCalledOnceItsHistoryIsThere(t *testing.T) {
	p := &barProbe{probe: probe{t: t}}
	minute := interval(t, "1m")
	w := trailWorld(t, p, enginetest.Setup{Trail: &trail.Config{Trades: true, Bars: []bar.Interval{minute}, History: 5}})
	w.Quote(0, "100", "1", "101", "1")
	w.TradeAs(0, 5000, enginetest.P("100"), core.Scale)
	w.Run()
	questions := 0
	for w.Shard.Trail(0) != nil && !w.Shard.Trail(0).Warm() {
		w.Quote(0, "100", "1", "101", "1")
		w.Trade(0, enginetest.P("100"), core.Scale)
		if p.markets > 0 || p.timers > 0 {
			t.Fatal("the strategy was called before its history was there")
		}
		a := asked(t, w)
		if a.Kind == trail.AskTrades { // a thousand trades over half an hour
			ans := &trail.Answer{Ask: a}
			for i := range a.Limit {
				ans.Events = append(ans.Events, core.Event{Kind: core.Trade, ID: a.From + uint64(i), W: [4]int64{int64(enginetest.P("100")), core.Scale,
					int64(w.Clock.Now) - int64(a.Limit-i)*int64(time.Second)}})
			}
			*w.Answers.Claim() = ans
			w.Answers.Publish()
			w.Run()
		} else {
			answer(w, a, enginetest.P("100"))
		}
		if questions++; questions > 10 {
			t.Fatal("asks and asks")
		}
	}
	w.Quote(0, "100", "1", "101", "1")
	w.Advance(100 * time.Millisecond)
	if p.markets == 0 || p.timers == 0 {
		t.Error("the strategy is not called although its history is there")
	}
	s := w.Shard.Trail(0).Bars(minute)
	if s.Len() < 5 || len(p.bars) != 0 {
		t.Errorf("%d bars to look back on, told %d, want at least 5 and none told twice", s.Len(), len(p.bars))
	}
	for range 150 {
		w.Advance(time.Second)
		w.Quote(0, "100", "1", "101", "1")
		w.Trade(0, enginetest.P("100"), core.Scale)
	}
	w.Run()
	if len(p.bars) < 2 {
		t.Fatalf("told of %d bars in two and a half minutes", len(p.bars))
	}
	for i := 1; i < len(p.bars); i++ {
		if p.bars[i].Start != p.bars[i-1].End || p.bars[i].Trades != 60 {
			t.Errorf("bar %d is %v after %v", i, &p.bars[i], &p.bars[i-1])
		}
	}
}

func TestStrategyActsWithoutHistoryOnceItHasWaitedLongEnough(t *testing.T) {
	for _, after := range []time.Duration{0, 3 * time.Second} {
		p := &barProbe{probe: probe{t: t}}
		w := trailWorld(t, p, enginetest.Setup{ActAfter: after, Trail: &trail.Config{Trades: true, Bars: []bar.Interval{interval(t, "1m")}, History: 5}})
		for range 100 {
			w.Quote(0, "100", "1", "101", "1")
			w.Advance(100 * time.Millisecond)
		}
		if acts := p.markets > 0; acts != (after > 0) {
			t.Errorf("limit %v: called %d times in 10 s without history", after, p.markets)
		}
	}
}

// Events that are shed because a book waits for its snapshot are part of the bars all
// the same.
func TestTradesOfAFullQueueAreNotLostToBars(t *testing.T) {
	v := interval(t, "1s")
	w := trailWorld(t, &barProbe{probe: probe{t: t}}, enginetest.Setup{QueueEvents: 64, Trail: &trail.Config{Trades: true, Bars: []bar.Interval{v}}})
	w.Delta(0, 5, 6, nil, nil) // no snapshot comes
	for range 1000 {
		w.Advance(10 * time.Millisecond)
		w.Trade(0, enginetest.P("100"), core.Scale)
	}
	w.Run()
	s := w.Shard.Trail(0).Status()
	if s.Holes != 0 || s.Bars < 8 || w.Shard.Trail(0).Bars(v).At(0).Trades != 100 {
		t.Errorf("%+v, the newest bar is %v, want no hole and 100 trades a bar", s, w.Shard.Trail(0).Bars(v).At(0))
	}
}

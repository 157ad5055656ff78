package engine_test

import (
	"strconv"
	"strings"
	"testing"

	"riposte/core"
	"riposte/core/bar"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/trail"
)

// pastMarket is a market with a trade of one unit every ten seconds since the epoch, at
// prices that go up and down within the hour.
type pastMarket struct{ w *enginetest.World }

func (pastMarket) price(id int64) core.Price { return core.Price(1000+(id*7)%360) * core.Scale }

func (pastMarket) time(id int64) core.WallNs { return core.WallNs(id) * 10e9 }

// bar is what the venue's kline of that span says.
func (p pastMarket) bar(from, to core.WallNs) bar.Bar {
	first, last := int64((from+10e9-1)/10e9), int64((to-1)/10e9)
	if first > last {
		c := p.price(last)
		return bar.Bar{Start: from, End: to, Open: c, High: c, Low: c, Close: c, First: -1, Last: -1}
	}
	b := bar.Bar{Start: from, End: to, Open: p.price(first), Low: p.price(first), Close: p.price(last), First: first, Last: last, Trades: last - first + 1}
	for id := first; id <= last; id++ {
		b.High, b.Low = max(b.High, p.price(id)), min(b.Low, p.price(id))
		b.Volume = b.Volume.Add(bar.Units(core.Scale))
		b.Quote = b.Quote.Add(bar.Units(int64(p.price(id))))
	}
	return b
}

// answer is the venue's memory: it takes one question and answers it.
func (p pastMarket) answer(t *testing.T) bool {
	asks := p.w.Asks.Pending()
	if len(asks) == 0 {
		return false
	}
	a := &trail.Answer{Ask: asks[0]}
	p.w.Asks.Release(1)
	if a.Kind == trail.AskKlines {
		for at := a.Interval.Open(a.Start + core.WallNs(a.Interval.Length()) - 1); at < a.End && len(a.Bars) < a.Limit; at = a.Interval.Next(at) {
			a.Bars = append(a.Bars, p.bar(at, a.Interval.Next(at)))
		}
	} else {
		for id := int64(a.From); len(a.Events) < a.Limit && p.time(id) <= p.w.Clock.Wall(); id++ {
			a.Events = append(a.Events, core.Event{Kind: core.Trade, ID: uint64(id), W: [4]int64{int64(p.price(id)), core.Scale, int64(p.time(id))}})
		}
	}
	slot := p.w.Answers.Claim()
	if slot == nil {
		t.Fatal("no room for an answer")
	}
	*slot = a
	p.w.Answers.Publish()
	p.w.Run()
	return true
}

// With history a mean of fifty bars is there with the first live bar, and equal to
// that of the market's whole past; no rule fires on what is over.
func TestIndicatorsBeginWithHistory(t *testing.T) {
	f := new(follower)
	w, err := enginetest.New(enginetest.Setup{Trail: &trail.Config{Trades: true, Bars: []bar.Interval{bar.Minute}, History: 60},
		Strategy: func(*core.Instrument) (engine.Strategy, error) { return f, nil },
		Rules:    rulesOf(one{"mean", "1m", `sma(1m, 50) > 0`, "buy", "1", 1})})
	if err != nil {
		t.Fatal(err)
	}
	p := pastMarket{w}
	const first = 1441 // in the course of a minute
	for id := int64(first); id < first+18; id++ {
		w.Clock.Now = core.MonoNs(p.time(id))
		if id == first {
			w.Quote(0, "1000", "1", "1001", "1")
		}
		w.TradeAs(0, uint64(id), p.price(id), core.Scale)
		w.Mark(0, core.LineAlive)
		w.Run()
		w.Advance(2e8) // the timer asks
		for p.answer(t) {
			w.Advance(2e8)
		}
	}
	if len(f.log) != 3 {
		t.Fatalf("saw %v, want one signal for each minute that became complete: three", f.log)
	}
	sum := 0.0
	for i := range 50 {
		end := core.WallNs(first/6+3-i) * 60e9
		b := p.bar(end-60e9, end)
		sum += float64(b.Close) / core.Scale
	}
	want := strconv.FormatFloat(sum/50, 'g', 8, 64)
	if !strings.HasSuffix(f.log[2], "sma(1m, 50) = "+want) {
		t.Errorf("saw %s, want a mean of %s", f.log[2], want)
	}
}

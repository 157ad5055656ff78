package trail

import (
	"riposte/core"
	"riposte/core/bar"
)

// AskKind is what is asked for.
type AskKind uint8

// The kinds.
const (
	AskTrades AskKind = iota // trades from id From on, Limit of them
	AskAggs                  // aggregates likewise, by their own ids
	AskKlines                // bars of Interval that open from Start on and before End, Limit of them
)

func (k AskKind) String() string { return [...]string{"trades", "aggregates", "klines"}[k] }

// Newest as From asks for the newest trades, whatever their ids.
const Newest = ^uint64(0)

// Ask is one question to the venue's memory. It crosses a ring.
type Ask struct {
	Instrument core.InstrumentID
	Kind       AskKind
	From       uint64
	Limit      int
	Interval   bar.Interval
	Start, End core.WallNs
	Number     uint32 // of the question; its answer has the same
}

// Answer is what the venue's memory told. It crosses a ring and is not changed any
// more; the trail's shard owns what it points to.
type Answer struct {
	Ask
	// Events are Trades or AggTrades in the order of their ids, with one level each for
	// an AggTrade. An aggregate without trades has quantity 0.
	Events []core.Event
	Levels []core.Level
	Bars   []bar.Bar // of AskKlines, by Start; running ones are left out
}

// PageMax is the most rows that one question may ask for (Binance Spot API docs,
// 2026-07-21: trades, historicalTrades, aggTrades and klines).
const PageMax = 1000

// event is one of the answer's with its levels.
func (a *Answer) event(i int) (*core.Event, []core.Level) {
	ev := &a.Events[i]
	if ev.Kind == core.AggTrade {
		return ev, a.Levels[i : i+1]
	}
	return ev, nil
}

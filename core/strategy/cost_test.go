package strategy_test

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/risk"
	"riposte/core/strategy"
)

// asker compares with every event of the market.
type asker struct {
	meter strategy.Meter
	fees  strategy.Fees
	maker bool
	costs strategy.Costs
}

func (a *asker) Market(v *engine.View, ev *core.Event) {
	a.meter.See(v, ev)
	a.maker, a.costs = strategy.Cheapest(v, &a.meter, core.Buy, core.Scale, a.fees, 5*time.Second)
}
func (*asker) Report(*engine.View, *core.Report, *risk.Order) {}
func (*asker) Timer(*engine.View)                             {}

func asking(t testing.TB, fees strategy.Fees) (*enginetest.World, *asker) {
	t.Helper()
	a := &asker{fees: fees}
	w, err := enginetest.New(enginetest.Setup{Strategy: func(*core.Instrument) (engine.Strategy, error) { return a, nil }})
	if err != nil {
		t.Fatal(err)
	}
	w.Quote(0, "100", "1", "100.10", "1")
	w.Run()
	return w, a
}

// sellers trade at the bid, so much a tenth of a second.
func sellers(w *enginetest.World, n int, q core.Qty) {
	for range n {
		w.Publish(0, core.Event{Kind: core.Trade, ID: uint64(w.Clock.Now), Flags: core.FlagBuyerMaker, W: [4]int64{int64(px("100")), int64(q), int64(w.Clock.Now)}}, nil, nil)
		w.Clock.Now += core.MonoNs(100 * time.Millisecond)
		w.Run()
	}
}

func TestCheapestTakesUntilItKnowsTheMarket(t *testing.T) {
	w, a := asking(t, strategy.Fees{Maker: 10, Taker: 10})
	if a.maker || a.costs.Taker < 14.9 || a.costs.Taker > 15.1 {
		t.Errorf("with no trade seen: maker %v, %v; want to take for the fee of 10 and half a spread of 5", a.maker, &a.costs)
	}
	sellers(w, 50, core.Scale)
	if !a.maker || a.costs.Fill < 0.99 || a.costs.Maker > 5.1 || a.costs.Maker < 4.9 {
		t.Errorf("with ten times its size sold a second: maker %v, %v; want to post for the fee less half a spread", a.maker, &a.costs)
	}
}

func TestCheapestTakesWhereNobodyFillsWhatIsPosted(t *testing.T) {
	w, a := asking(t, strategy.Fees{Maker: 10, Taker: 4})
	for i := range 10 { // and the price moves
		w.Quote(0, [2]string{"100", "100.3"}[i%2], "1", [2]string{"100.10", "100.4"}[i%2], "1")
		sellers(w, 5, core.Scale/1000)
	}
	if a.maker || a.costs.Fill > 0.1 {
		t.Errorf("with hardly a trade: maker %v, %v; want to take", a.maker, &a.costs)
	}
	w.Top(0, core.Top{Bid: px("100.3"), BidQty: core.Scale, Ask: px("100.4"), AskQty: core.Scale / 4})
	w.Run()
	if a.costs.Impact == 0 {
		t.Errorf("a quarter of the size at the ask: %v; want the rest to cost more", &a.costs)
	}
}

func TestComparingAllocatesNothing(t *testing.T) {
	w, a := asking(t, strategy.Fees{Maker: 10, Taker: 10})
	sellers(w, 50, core.Scale)
	n := testing.AllocsPerRun(100, func() {
		w.Clock.Now += 1e6
		w.Trade(0, px("100"), core.Scale)
		w.Shard.Step()
	})
	if n != 0 || a.costs.Horizon == 0 {
		t.Errorf("%v allocations an event", n)
	}
}

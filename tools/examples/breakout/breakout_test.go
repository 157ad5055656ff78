package breakout_test

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/core/bar"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/trail"
	"riposte/tools/examples/breakout"
)

const tick = core.Price(core.Scale / 100)

// market is a world whose price a test walks, a bar a second.
type market struct {
	*enginetest.World
	mid core.Price
}

func open(t *testing.T) *market {
	t.Helper()
	second, err := bar.Parse("1s")
	if err != nil {
		t.Fatal(err)
	}
	w, err := enginetest.New(enginetest.Setup{Trail: &trail.Config{Trades: true, Bars: []bar.Interval{second}}, Strategy: func(in *core.Instrument) (engine.Strategy, error) {
		return breakout.New(in, engine.NewParams(map[string]any{"qty": "1", "bars": int64(5), "interval": "1s", "trail_bps": 10.0, "hold_max": "30s"}))
	}})
	if err != nil {
		t.Fatal(err)
	}
	return &market{w, 100 * core.Price(core.Scale)}
}

// seconds lets one bar after the other close at a price that moves by so many ticks each.
func (m *market) seconds(n int, by core.Price) (out []core.Intent) {
	for range n {
		m.mid += by * tick
		m.Top(0, core.Top{Bid: m.mid, BidQty: 9 * core.Scale, Ask: m.mid + tick, AskQty: 9 * core.Scale})
		m.Trade(0, m.mid, core.Scale)
		m.Advance(time.Second)
		out = append(out, m.Out()...)
	}
	return out
}

// in is a market in which it has just bought.
func in(t *testing.T) *market {
	t.Helper()
	m := open(t)
	if out := m.seconds(12, 0); len(out) != 0 {
		t.Fatalf("a flat market made it ask for %+v", out)
	}
	out := m.seconds(4, 2)
	if len(out) == 0 || out[0].Side != core.Buy || out[0].TIF != core.IOC || out[0].Qty != core.Scale || out[0].Price < m.mid {
		t.Fatalf("a close above all others made it ask for %+v, want one order that takes", out)
	}
	if len(out) != 1 {
		t.Fatalf("%d orders while the first is at work, want one", len(out))
	}
	m.Ack(out[0].ID)
	m.Fill(out[0].ID, core.Scale)
	m.Run()
	return m
}

func TestBreakoutLeavesByItsTrailingStop(t *testing.T) {
	m := in(t)
	if out := m.seconds(3, 5); len(out) != 0 {
		t.Fatalf("going its way it asked for %+v", out)
	}
	out := m.seconds(1, -30) // more than 10 bps below the best
	if len(out) != 1 || out[0].Side != core.Sell || out[0].Qty != core.Scale || out[0].Price > m.mid {
		t.Fatalf("beyond the trailing stop it asked for %+v, want all of it sold", out)
	}
}

func TestBreakoutLeavesAfterItsTime(t *testing.T) {
	m := in(t)
	out := m.seconds(40, 0)
	if len(out) != 1 || out[0].Side != core.Sell {
		t.Fatalf("after 40 s it asked for %+v, want all of it sold once after 30 s", out)
	}
}

func TestBreakoutBuysAgainOverDust(t *testing.T) {
	m := in(t)
	out := m.seconds(1, -30)
	m.Ack(out[0].ID)
	m.Fill(out[0].ID, out[0].Qty-1) // commission took it
	m.Done(out[0].ID, core.Expired)
	m.Run()
	m.seconds(8, 0)
	if out := m.seconds(4, 2); len(out) != 1 || out[0].Side != core.Buy {
		t.Fatalf("with 0.00000001 left over it asked for %+v, want the next entry", out)
	}
}

func TestBreakoutComplainsAboutWhatItDoesNotKnow(t *testing.T) {
	for name, values := range map[string]map[string]any{"name": {"bar": int64(3)}, "range": {"bars": int64(1)}, "interval": {"interval": "7s"}} {
		if _, err := breakout.New(&core.Instrument{Filters: core.Filters{QtyMin: 1}}, engine.NewParams(values)); err == nil {
			t.Errorf("%s: %v was taken", name, values)
		}
	}
}

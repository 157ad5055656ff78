package strategy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
)

func executing(t testing.TB, values params) *fake {
	t.Helper()
	f := newFake(t, world(t, "execution", values, enginetest.Setup{}))
	f.at(px("100"), px("100.02"))
	return f
}

func TestTwapTradesEachPartInItsTime(t *testing.T) {
	f := executing(t, params{"qty": "10", "within": "100s", "slices": int64(10), "style": "taker"})
	for part := range 10 {
		if want := core.Qty(part+1) * core.Scale; f.position() != want {
			t.Fatalf("in part %d it has %v, want %v", part+1, f.position(), want)
		}
		f.pass(10 * time.Second)
		f.pass(300 * time.Millisecond)
	}
	if says := f.says(); !strings.HasPrefix(says, "parent 1: done BUY 10 of 10 by twap at ") || !strings.Contains(says, "arrival 100.01") {
		t.Errorf("it says %q", says)
	}
}

// A posted part that does not trade in its time is taken with the next.
func TestTwapTakesWhatItPostedInVain(t *testing.T) {
	f := executing(t, params{"qty": "10", "side": "sell", "within": "100s", "slices": int64(10), "style": "auto"})
	for range 60 { // others trade much: posting is cheaper
		f.w.Trade(0, px("100.02"), 40*core.Scale)
		f.w.Clock.Now += core.MonoNs(20 * time.Millisecond)
		f.w.Run()
	}
	f.settle()
	f.pass(9 * time.Second) // the first part was taken: too little was known then
	f.pass(time.Second)
	if o := f.resting(core.LimitMaker); o == nil || o.Price != px("100.02") || f.position() != -core.Scale {
		t.Fatalf("with %v sold rests %+v, want the second part at the ask", -f.position(), o)
	}
	f.pass(9 * time.Second)
	f.pass(time.Second)
	f.pass(time.Second)
	if f.position() != -2*core.Scale {
		t.Errorf("after the second part's time it has sold %v, want 2", -f.position())
	}
}

func TestPovFollowsTheMarketsVolume(t *testing.T) {
	f := executing(t, params{"qty": "100", "within": "1h", "mode": "pov", "rate": 0.1, "style": "taker"})
	for i := range 20 {
		f.w.Trade(0, px("100.02"), 10*core.Scale)
		f.pass(400 * time.Millisecond)
		if want := core.Qty(i+1) * core.Scale; f.position() > want {
			t.Fatalf("after %d traded it has %v, want at most a tenth", 10*(i+1), f.position())
		}
	}
	if f.position() < 19*core.Scale {
		t.Errorf("of 200 traded it has %v, want 20", f.position())
	}
}

func TestIcebergShowsOnePartAtATime(t *testing.T) {
	f := executing(t, params{"qty": "5", "within": "1h", "mode": "iceberg", "show": "2"})
	for _, want := range []string{"2", "2", "1"} {
		o := f.resting(core.LimitMaker)
		if o == nil || o.Qty != enginetest.Q(want) || o.Price != px("100") {
			t.Fatalf("rests %+v, want %s at the bid", o, want)
		}
		f.part(0, o.Qty)
		f.pass(300 * time.Millisecond)
	}
	if f.position() != 5*core.Scale || len(f.open) != 0 {
		t.Errorf("in the end it has %v and %d orders", f.position(), len(f.open))
	}
}

func TestPegFollowsItsTouch(t *testing.T) {
	f := executing(t, params{"qty": "5", "within": "1h", "mode": "peg", "offset_ticks": int64(1), "limit": "100.50"})
	for _, c := range []struct{ bid, ask, want string }{{"100", "100.02", "99.99"}, {"100.10", "100.12", "100.09"}, {"100.20", "100.22", "100.19"}, {"101", "101.02", "100.5"}} {
		f.at(px(c.bid), px(c.ask))
		f.pass(300 * time.Millisecond)
		f.pass(300 * time.Millisecond)
		if o := f.resting(core.LimitMaker); o == nil || o.Price != px(c.want) || o.Qty != 5*core.Scale {
			t.Errorf("at a bid of %s rests %+v, want 5 at %s", c.bid, o, c.want)
		}
	}
}

func TestSweepStopsAtItsBound(t *testing.T) {
	f := executing(t, params{"qty": "5", "within": "1h", "mode": "sweep", "slippage_bps": 10.0})
	if f.position() != 5*core.Scale {
		t.Errorf("within the bound it has %v, want 5", f.position())
	}
	f = executing(t, params{"qty": "5", "within": "1h", "mode": "sweep", "slippage_bps": 10.0, "limit": "100.01"})
	f.at(px("100.05"), px("100.06"))
	if f.pass(time.Second); f.position() != 0 || len(f.all) != 0 {
		t.Errorf("with nothing within the limit it has %v and sent %+v", f.position(), f.all)
	}
}

func TestAParentEndsWithItsTime(t *testing.T) {
	f := executing(t, params{"qty": "5", "within": "2s", "mode": "iceberg", "show": "1"})
	f.part(0, core.Scale)
	f.pass(3 * time.Second)
	f.pass(time.Second)
	if says := f.says(); len(f.open) != 0 || !strings.HasPrefix(says, "parent 1: over BUY 1 of 5") {
		t.Errorf("%d orders are left, it says %q", len(f.open), says)
	}
}

// A new parent comes with a change of parameters; what the one before has done stays done.
func TestANewParentTakesThePlaceOfTheOld(t *testing.T) {
	values := params{"qty": "5", "within": "1h", "mode": "iceberg", "show": "1"}
	f := executing(t, values)
	f.part(0, core.Scale)
	other, err := build(t, "execution", params{"parent": int64(2), "qty": "3", "side": "sell", "within": "1h", "mode": "sweep"})(f.w.Table.Get(0))
	if err != nil {
		t.Fatal(err)
	}
	f.w.Command(engine.Command{Kind: engine.CmdTune, Tune: &engine.Tuning{Next: other}})
	f.w.Run()
	f.settle()
	f.pass(time.Second)
	if f.position() != core.Scale-3*core.Scale || len(f.open) != 0 {
		t.Errorf("position %v with %d orders, want 1 bought and 3 sold", f.position(), len(f.open))
	}
	if says := f.says(); !strings.HasPrefix(says, "parent 2: done SELL 3 of 3 by sweep") {
		t.Errorf("it says %q", says)
	}
}

// Whatever the market does: never more than the parent's quantity, never a price beyond
// limit, never a taking one beyond slippage from arrival, one child at a time.
func TestExecutionKeepsItsPromisesInAnyMarket(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		side := rapid.SampledFrom([]string{"buy", "sell"}).Draw(rt, "side")
		limit := map[string]string{"buy": "100.30", "sell": "99.70"}[side]
		values := params{"qty": "7", "side": side, "limit": limit, "within": rapid.SampledFrom([]string{"2s", "30s", "10m"}).Draw(rt, "within"),
			"mode":  rapid.SampledFrom([]string{"twap", "pov", "iceberg", "peg", "sweep"}).Draw(rt, "mode"),
			"style": rapid.SampledFrom([]string{"auto", "maker", "taker"}).Draw(rt, "style"), "slices": int64(rapid.IntRange(1, 20).Draw(rt, "slices")),
			"rate": 0.3, "show": "1", "offset_ticks": int64(rapid.IntRange(-3, 3).Draw(rt, "offset")), "slippage_bps": 25.0}
		f := newFake(t, world(t, "execution", values, enginetest.Setup{}))
		mid := 100 * core.Price(core.Scale)
		f.at(mid, mid+tick)
		rt.Repeat(map[string]func(*rapid.T){
			"move": func(t *rapid.T) {
				mid += core.Price(rapid.IntRange(-20, 20).Draw(t, "move")) * tick
				f.at(mid, mid+tick*core.Price(rapid.IntRange(1, 5).Draw(t, "spread")))
			},
			"pass": func(t *rapid.T) { f.pass(time.Duration(rapid.IntRange(1, 3000).Draw(t, "ms")) * time.Millisecond) },
			"trade": func(t *rapid.T) {
				f.w.Trade(0, mid+tick, core.Qty(rapid.IntRange(1, 20).Draw(t, "qty"))*core.Scale)
				f.w.Run()
				f.settle()
			},
			"fill a part": func(t *rapid.T) {
				if len(f.open) == 0 {
					t.SkipNow()
				}
				f.part(0, core.Qty(rapid.Int64Range(1, int64(core.Scale)).Draw(t, "qty")).LotFloor(1000)+1000)
			},
			"deaf": func(*rapid.T) { f.deaf = !f.deaf; f.settle() },
			"": func(t *rapid.T) {
				if p := f.position(); max(p, -p) > 7*core.Scale || side == "buy" && p < 0 || side == "sell" && p > 0 {
					t.Fatalf("position %v of a parent to %s 7", p, side)
				}
				if e := f.w.Gate.Exposure(0); e.Open > 2 || e.Buy > 0 && side == "sell" || e.Sell > 0 && side == "buy" {
					t.Fatalf("open are %+v", e)
				}
				for _, in := range f.all {
					if in.Kind != core.Place && in.Kind != core.Replace {
						continue
					}
					beyond := in.Side == core.Buy && in.Price > px(limit) || in.Side == core.Sell && in.Price < px(limit)
					far := max(in.Price-px("100"), px("100")-in.Price) > px("0.27")
					if beyond || in.TIF == core.IOC && far && (in.Side == core.Buy) == (in.Price > px("100")) || fmt.Sprint(in.Side) != strings.ToUpper(side) {
						t.Fatalf("out came %+v", in)
					}
				}
			},
		})
	})
}

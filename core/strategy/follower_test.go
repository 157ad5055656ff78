package strategy_test

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/core/engine/enginetest"
	"riposte/core/signal"
	"riposte/tools/riposte/rule"
)

// signals are "up" and "down", which fire while the touch leans that way: fired by lean.
func signals(horizon time.Duration) func(*core.Instrument) (*signal.Rules, error) {
	return func(*core.Instrument) (*signal.Rules, error) {
		r := new(signal.Rules)
		for _, s := range []rule.Source{
			{Name: "up", On: "event", When: "imbalance() > 0.5", Direction: "buy", Strength: "abs(imbalance())", Horizon: core.MonoNs(horizon)},
			{Name: "down", On: "event", When: "imbalance() < -0.5", Direction: "sell", Strength: "abs(imbalance())", Horizon: core.MonoNs(horizon)},
		} {
			if err := s.Add(r); err != nil {
				return nil, err
			}
		}
		return r, nil
	}
}

func followed(t testing.TB, values params) *fake {
	t.Helper()
	f := newFake(t, world(t, "follower", values, enginetest.Setup{Rules: signals(time.Hour)}))
	f.at(px("100"), px("100.02"))
	return f
}

// lean lets the signal of a side fire, at full strength.
func (f *fake) lean(side core.Side) {
	top := core.Top{Bid: f.bid, BidQty: 1000 * core.Scale, Ask: f.ask, AskQty: 1}
	if side == core.Sell {
		top.BidQty, top.AskQty = 1, 1000*core.Scale
	}
	f.w.Top(0, top)
	f.w.Run()
	f.settle()
	f.at(f.bid, f.ask)
}

var taking = params{"qty": "2", "size": "fixed", "entry": "taker"}

func TestFollowerEntersWithAStopAtTheVenue(t *testing.T) {
	f := followed(t, taking)
	f.lean(core.Buy)
	if f.position() != 2*core.Scale {
		t.Fatalf("position %v, want 2", f.position())
	}
	stop := f.resting(core.StopLossLimit)
	entry := f.all[0].Price // the fake trades at the order's price
	if stop == nil || stop.Side != core.Sell || stop.Qty != 2*core.Scale || stop.Stop >= entry || stop.Stop < entry-px("0.6") || stop.Price >= stop.Stop {
		t.Fatalf("rests %+v, want a stop of 2 half a percent below %v", stop, entry)
	}
	f.at(px("99.5"), px("99.52"))
	f.at(px("99"), px("99.02")) // through the trigger: the stop order itself trades where its limit allows
	f.pass(time.Second)
	f.pass(time.Second)
	if f.position() != 0 || len(f.open) != 0 {
		t.Errorf("after the stop it has %v and %d orders; it says %q", f.position(), len(f.open), f.says())
	}
}

// A gap through trigger and limit of the resting stop: it is closed around it.
func TestFollowerClosesWhatAGapLeavesBehind(t *testing.T) {
	f := followed(t, taking)
	f.lean(core.Buy)
	f.at(px("90"), px("90.02"))
	for range 4 {
		f.pass(300 * time.Millisecond)
	}
	if f.position() != 0 || len(f.open) != 0 {
		t.Errorf("a second after the gap it has %v and %d orders; it says %q", f.position(), len(f.open), f.says())
	}
}

// A venue that takes no stops: the local one does it.
func TestFollowerStopsWithoutARestingStop(t *testing.T) {
	f := followed(t, taking)
	f.noStops = true
	f.lean(core.Buy)
	f.pass(2 * time.Second)
	if f.position() != 2*core.Scale || f.resting(core.StopLossLimit) != nil {
		t.Fatalf("position %v, orders %+v", f.position(), f.open)
	}
	f.at(px("99.3"), px("99.32"))
	f.pass(time.Second)
	if f.position() != 0 {
		t.Errorf("beyond the stop it has %v; it says %q", f.position(), f.says())
	}
}

func TestFollowerTakesItsProfit(t *testing.T) {
	for _, rest := range []string{"stop", "both"} {
		f := followed(t, with(taking, params{"rest": rest}))
		f.lean(core.Buy)
		f.at(px("101.5"), px("101.52"))
		f.pass(time.Second)
		f.pass(time.Second)
		if says := f.says(); f.position() != 0 || len(f.open) != 0 || !strings.HasPrefix(says, "flat, 1 closed") {
			t.Errorf("rest %s: at a profit it has %v and %d orders; it says %q", rest, f.position(), len(f.open), says)
		}
	}
}

func TestFollowerTrailsItsStop(t *testing.T) {
	f := followed(t, with(taking, params{"trail_bps": 50.0, "take_bps": 0.0}))
	f.lean(core.Buy)
	first := f.resting(core.StopLossLimit).Stop
	f.at(px("103"), px("103.02"))
	f.pass(time.Second)
	second := f.resting(core.StopLossLimit)
	if second == nil || second.Stop <= first || second.Stop > px("102.49") || second.Stop < px("102.4") {
		t.Fatalf("at 103 rests %+v, want the stop half a percent behind", second)
	}
	f.at(px("102.8"), px("102.82"))
	f.pass(time.Second)
	if now := f.resting(core.StopLossLimit); now == nil || now.Stop != second.Stop {
		t.Errorf("on the way back rests %+v, want it to stay at %v", now, second.Stop)
	}
}

func TestFollowerLeavesWithTheHorizonOrASignal(t *testing.T) {
	f := followed(t, with(taking, params{"horizon": "5s"}))
	f.lean(core.Buy)
	f.pass(6 * time.Second)
	f.pass(time.Second)
	if f.position() != 0 || len(f.open) != 0 {
		t.Errorf("after its time it has %v", f.position())
	}
	f = followed(t, with(taking, params{"short": "allow"}))
	f.lean(core.Buy)
	f.lean(core.Sell)
	f.pass(time.Second)
	f.pass(time.Second)
	if stop := f.resting(core.StopLossLimit); f.position() != -2*core.Scale || stop == nil || stop.Side != core.Buy {
		t.Errorf("turned it has %v and rests %+v, want -2 with a stop above; it says %q", f.position(), stop, f.says())
	}
	f = followed(t, taking)
	f.lean(core.Sell)
	if f.position() != 0 || len(f.all) != 0 {
		t.Errorf("never short it sent %+v on a sale from flat", f.all)
	}
}

func TestFollowerPostsAndThenTakesItsEntry(t *testing.T) {
	for _, late := range []string{"take", "drop"} {
		f := followed(t, with(taking, params{"entry": "maker", "entry_wait": "1s", "late": late}))
		f.lean(core.Buy)
		if o := f.resting(core.LimitMaker); o == nil || o.Price != px("100") {
			t.Fatalf("rests %+v, want the entry at the bid", f.open)
		}
		f.pass(1100 * time.Millisecond)
		f.pass(100 * time.Millisecond)
		f.pass(time.Second)
		if want := map[string]core.Qty{"take": 2 * core.Scale}[late]; f.position() != want || f.resting(core.LimitMaker) != nil {
			t.Errorf("late %s: it has %v and %+v, want %v", late, f.position(), f.open, want)
		}
	}
}

func TestFollowerFollowsOnlyWhatItIsToldTo(t *testing.T) {
	f := followed(t, with(taking, params{"signals": []any{"down", "outside"}}))
	f.lean(core.Buy)
	if len(f.all) != 0 {
		t.Errorf("it followed another: %+v", f.all)
	}
}

// Whatever market, venue and signals do: never more than one position's size on a side, no
// sale from flat, and a position is never without a stop that rests or an armed local one:
// beyond the trigger it is gone within a second and a half of a venue that answers.
func TestFollowerKeepsItsPromisesInAnyMarket(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		values := params{"qty": "2", "size": "fixed", "entry": rapid.SampledFrom([]string{"auto", "maker", "taker"}).Draw(rt, "entry"), "entry_wait": "500ms",
			"stop_bps": 40.0, "take_bps": 60.0, "trail_bps": rapid.SampledFrom([]float64{0, 30}).Draw(rt, "trail"),
			"rest": rapid.SampledFrom([]string{"stop", "both", "none"}).Draw(rt, "rest"), "late": rapid.SampledFrom([]string{"take", "drop"}).Draw(rt, "late"),
			"slippage_bps": 50.0}
		f := newFake(t, world(t, "follower", values, enginetest.Setup{Rules: signals(time.Second)}))
		f.noStops = rapid.Bool().Draw(rt, "no stops")
		mid := 100 * core.Price(core.Scale)
		f.at(mid, mid+tick)
		rt.Repeat(map[string]func(*rapid.T){
			"move": func(t *rapid.T) {
				mid += core.Price(rapid.IntRange(-60, 60).Draw(t, "move")) * tick
				f.at(mid, mid+tick*core.Price(rapid.IntRange(1, 5).Draw(t, "spread")))
			},
			"signal": func(t *rapid.T) { f.lean(core.Side(rapid.IntRange(0, 1).Draw(t, "side"))) },
			"pass":   func(t *rapid.T) { f.pass(time.Duration(rapid.IntRange(1, 1500).Draw(t, "ms")) * time.Millisecond) },
			"fill a part": func(t *rapid.T) {
				for i := range f.open {
					if !f.open[i].wait {
						f.part(i, core.Qty(rapid.Int64Range(1000, int64(core.Scale)).Draw(t, "qty")).LotFloor(1000))
						return
					}
				}
				t.SkipNow()
			},
			"crash": func(t *rapid.T) {
				mid -= 2 * core.Scale
				f.at(mid, mid+tick)
				for range 8 {
					f.pass(300 * time.Millisecond)
				}
				if f.position() != 0 {
					t.Fatalf("two seconds after a fall by 2 %% it has %v; it says %q", f.position(), f.says())
				}
			},
			"": func(t *rapid.T) {
				if p := f.position(); p > 2*core.Scale || p < 0 {
					t.Fatalf("position %v, want 0 to 2", p)
				}
				if e := f.w.Gate.Exposure(0); e.Buy > 2*core.Scale || e.Position+e.Buy > 2*core.Scale && e.Sell == 0 {
					t.Fatalf("at stake are %+v", e)
				}
			},
		})
	})
}

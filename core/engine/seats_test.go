package engine_test

import (
	"testing"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/risk"
)

// pair are two strategies at one instrument that place on demand.
func pair(t *testing.T, s enginetest.Setup) (*enginetest.World, *[2]probe) {
	t.Helper()
	p := new([2]probe)
	s.Seats = func(*core.Instrument) ([]engine.Seat, error) {
		return []engine.Seat{{Number: 0, Strategy: &p[0]}, {Number: 1, Strategy: &p[1]}}, nil
	}
	w, err := enginetest.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return w, p
}

func TestEachStrategySeesItsOwnOrdersAndPosition(t *testing.T) {
	var told [2]int
	var ids [2]core.OrderID
	var seen [2]risk.Exposure
	var all risk.Exposure
	w, p := pair(t, enginetest.Setup{})
	for i := range p {
		p[i].market = func(v *engine.View, _ *core.Event) {
			if ids[i] == 0 {
				ids[i], _ = v.Limit(core.Buy, v.Top().Bid, core.Qty(i+1)*core.Scale)
			}
			if other := ids[1-i]; other != 0 && (v.Order(other) != nil || v.Cancel(other) == risk.None) {
				t.Errorf("strategy %d reaches the order of the other", i)
			}
			v.Orders(func(o *risk.Order) bool {
				if o.ID != ids[i] {
					t.Errorf("strategy %d is shown order %d", i, o.ID)
				}
				return true
			})
			seen[i], all = v.Exposure(), v.Account()
		}
		p[i].report = func(_ *engine.View, r *core.Report, _ *risk.Order) {
			told[i]++
			if r.ID != ids[i] {
				t.Errorf("strategy %d hears of order %d", i, r.ID)
			}
		}
	}
	w.Quote(0, "100", "1", "101", "1")
	w.Run()
	out := w.Out()
	if len(out) != 2 || out[0].Strategy != 0 || out[1].Strategy != 1 {
		t.Fatalf("out came %+v, want one order of each", out)
	}
	w.Fill(ids[0], core.Scale)
	w.Ack(ids[1])
	w.Run()
	w.Quote(0, "100.01", "1", "101", "1")
	w.Run()
	if told != [2]int{1, 1} {
		t.Errorf("told %v times, want each once", told)
	}
	if seen[0].Position != core.Scale || seen[0].Open != 0 || seen[1].Position != 0 || seen[1].Buy != 2*core.Scale || all.Position != core.Scale || all.Open != 1 {
		t.Errorf("they see %+v of %+v", seen, all)
	}
}

func TestStrategiesDoNotTradeWithEachOther(t *testing.T) {
	for _, allowed := range []bool{false, true} {
		var r risk.Refusal
		w, p := pair(t, enginetest.Setup{Account: risk.AccountLimits{OpenMax: 10, RateMax: 100, RateSpan: 1, RejectMax: 10, SelfMatch: !allowed}})
		p[0].market = func(v *engine.View, _ *core.Event) { v.Limit(core.Sell, v.Top().Ask, core.Scale) }
		p[1].market = func(v *engine.View, _ *core.Event) { _, r = v.Limit(core.Buy, v.Top().Ask, core.Scale) }
		w.Quote(0, "100", "1", "101", "1")
		w.Run()
		if want := map[bool]risk.Refusal{false: risk.RefusedSelfMatch, true: risk.None}[allowed]; r != want {
			t.Errorf("a buy into the other's sale, allowed %v: %v, want %v", allowed, r, want)
		}
	}
}

func TestAHaltOfOneStrategyEndsItsOrdersAlone(t *testing.T) {
	var ids [2]core.OrderID
	w, p := pair(t, enginetest.Setup{})
	for i := range p {
		p[i].market = func(v *engine.View, _ *core.Event) {
			if ids[i] == 0 && v.Halted() == 0 {
				ids[i], _ = v.Limit(core.Buy, v.Top().Bid, core.Scale)
			}
		}
	}
	w.Quote(0, "100", "1", "101", "1")
	w.Run()
	w.Out()
	w.Command(engine.Command{Kind: engine.CmdHalt, Scope: engine.ScopeStrategy, Strategy: 1, Cause: risk.HaltOperator})
	w.Run()
	if out := w.Out(); len(out) != 1 || out[0].Kind != core.Cancel || out[0].ID != ids[1] {
		t.Errorf("out came %+v, want the end of order %d", out, ids[1])
	}
}

func TestSeatsAreChecked(t *testing.T) {
	for name, seats := range map[string][]engine.Seat{
		"nil":   {{}},
		"twice": {{Number: 1, Strategy: &probe{}}, {Number: 1, Strategy: &probe{}}},
		"high":  {{Number: 99, Strategy: &probe{}}},
	} {
		_, err := enginetest.New(enginetest.Setup{Seats: func(*core.Instrument) ([]engine.Seat, error) { return seats, nil }})
		if err == nil {
			t.Errorf("%s: a shard was built", name)
		}
	}
}

package strategy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/risk"
)

func TestReflexSendsOneOrderPerChangeOfTheBestBid(t *testing.T) {
	w := world(t, "reflex", params{"qty": "0.5", "keep": int64(100)}, enginetest.Setup{})
	steps := []struct {
		bid, ask string
		want     string // price of the one order, empty: none
	}{
		{"100", "101", "100"}, // the first best bid is a change too
		{"100", "101", ""},
		{"100", "100.5", ""}, // the ask alone
		{"100.01", "100.5", "100.01"},
		{"100", "100.5", "100"},
		{"100", "100.5", ""},
		{"99.99", "100.5", "99.99"},
	}
	for i, s := range steps {
		out := quote(w, s.bid, s.ask)
		if s.want == "" {
			if len(out) != 0 {
				t.Fatalf("step %d: out came %+v, want nothing", i, out)
			}
			continue
		}
		want := core.Intent{Kind: core.Place, Side: core.Buy, Type: core.Limit, TIF: core.GTC, Price: enginetest.P(s.want), Qty: enginetest.Q("0.5")}
		if len(out) == 1 {
			want.ID = out[0].ID
		}
		if !slices.Equal(out, []core.Intent{want}) {
			t.Fatalf("step %d: out came %+v, want %+v", i, out, want)
		}
	}
	// Trades and touches that leave the best bid where it is are no cause.
	w.Trade(0, enginetest.P("99.99"), 1)
	w.Touch(0, core.Top{ID: 9000, Bid: enginetest.P("99.99"), BidQty: 7, Ask: enginetest.P("100.4"), AskQty: 7})
	w.Run()
	if out := w.Out(); len(out) != 0 {
		t.Fatalf("out came %+v, want nothing", out)
	}
	w.Touch(0, core.Top{ID: 9001, Bid: enginetest.P("99.98"), BidQty: 7, Ask: enginetest.P("100.4"), AskQty: 7})
	w.Run()
	if out := w.Out(); len(out) != 1 || out[0].Price != enginetest.P("99.98") {
		t.Errorf("out came %+v, want one order at the touch's bid", out)
	}
}

// What the gate refuses is not made up for: the change has passed.
func TestReflexDoesNotRepeatWhatTheGateRefused(t *testing.T) {
	w := world(t, "reflex", nil, enginetest.Setup{Halted: true})
	if out := quote(w, "100", "101"); len(out) != 0 {
		t.Fatalf("out came %+v from a halted gate", out)
	}
	w.Command(engine.Command{Kind: engine.CmdLift, Cause: risk.HaltNotReconciled})
	if out := quote(w, "100", "101"); len(out) != 0 {
		t.Fatalf("out came %+v, want nothing before the next change", out)
	}
	if out := quote(w, "100.01", "101"); len(out) != 1 {
		t.Errorf("out came %+v, want one order", out)
	}
}

func TestReflexCancelsTheOldestBeyondKeep(t *testing.T) {
	w := world(t, "reflex", params{"keep": int64(2)}, enginetest.Setup{})
	bids := []string{"100", "100.01", "100.02", "100.03", "100.04"}
	var placed, ended []core.OrderID
	for _, bid := range bids {
		for _, in := range quote(w, bid, "101") {
			if in.Kind == core.Place {
				placed = append(placed, in.ID)
				w.Ack(in.ID)
			} else {
				ended = append(ended, in.ID)
				w.Done(in.ID, core.Canceled)
			}
		}
	}
	w.Run()
	if !slices.Equal(ended, placed[:3]) || w.Gate.Live() != 2 {
		t.Errorf("placed %v, cancelled %v, %d live, want all but the newest two cancelled, oldest first", placed, ended, w.Gate.Live())
	}
}

// A cancel that finds no room is not forgotten: the order would work for ever.
func TestReflexTriesACancelAgainThatFoundNoRoom(t *testing.T) {
	w := world(t, "reflex", params{"keep": int64(1)}, enginetest.Setup{OutSize: 2})
	w.Quote(0, "100", "1", "101", "1")
	w.Run()
	first := w.Out()[0].ID
	// Two changes: the first takes a slot for its order and one for the cancel; what
	// the second wants finds the ring full.
	w.Quote(0, "100.01", "1", "101", "1")
	w.Run()
	second := w.Out()
	if len(second) != 2 || second[1].ID != first {
		t.Fatalf("out came %+v, want an order and the cancel of %d", second, first)
	}
	w.Report(core.Report{Kind: core.ReportCancelRejected, Status: core.New, ID: first})
	w.Quote(0, "100.02", "1", "101", "1")
	w.Run()
	for range 2 {
		w.Run()
	}
	out := w.Out()
	w.Advance(time.Second) // a timer finds room
	out = append(out, w.Out()...)
	var ended []core.OrderID
	for _, in := range out {
		if in.Kind == core.Cancel {
			ended = append(ended, in.ID)
		}
	}
	if !slices.Equal(ended, []core.OrderID{first, second[0].ID}) {
		t.Errorf("cancelled %v of %+v, want the one whose cancel was refused, then the older: %v", ended, out, []core.OrderID{first, second[0].ID})
	}
}

func TestReflexTakesItsOrderTypeFromParameters(t *testing.T) {
	for _, tif := range []core.TIF{core.GTC, core.IOC, core.FOK} {
		w := world(t, "reflex", params{"tif": tif.String()}, enginetest.Setup{})
		if out := quote(w, "100", "101"); len(out) != 1 || out[0].TIF != tif {
			t.Errorf("tif %v: out came %+v", tif, out)
		}
	}
}

func TestStrategyParameters(t *testing.T) {
	in := &core.Instrument{Symbol: "X", Filters: core.Filters{Tick: tick, Lot: 1000}}
	cases := []struct {
		strategy string
		values   params
		want     string // in the error; empty: none
	}{
		{"reflex", nil, ""},
		{"reflex", params{"qty": "1", "tif": "FOK", "keep": int64(1)}, ""},
		{"reflex", params{"keep": int64(0)}, "keep is 0, want a whole number from 1 to 1000"},
		{"reflex", params{"tif": "GTD"}, "tif is GTD, want one of GTC, IOC, FOK"},
		{"reflex", params{"slack_ticks": int64(1)}, "slack_ticks is not a parameter, want one of keep, qty, tif"},
		{"quoter", nil, ""},
		{"quoter", params{"qty": "1", "inventory": "5", "half_spread_bps": 1.5, "skew_bps": int64(0), "slack_ticks": int64(0), "slack_bps": 0.0,
			"life_min": "0s", "cooldown": "1h", "short": "never"}, ""},
		{"quoter", params{"qty": 1.0}, "qty is 1, want a quantity above 0 written as text"},
		{"quoter", params{"inventory": "0"}, "inventory is 0, want a quantity above 0"},
		{"quoter", params{"half_spread_bps": 1001.0}, "half_spread_bps is 1001, want a number from 0 to 1000"},
		{"quoter", params{"skew_bps": -1.0}, "skew_bps is -1, want a number from 0 to 1000"},
		{"quoter", params{"slack_ticks": int64(-1)}, "slack_ticks is -1, want a whole number from 0 to 1000000"},
		{"quoter", params{"slack_bps": "1"}, "slack_bps is 1, want a number"},
		{"quoter", params{"life_min": "2h"}, "life_min is 2h, want a duration from 0s to 1h0m0s"},
		{"quoter", params{"cooldown": int64(1)}, "cooldown is 1, want a duration"},
		{"quoter", params{"short": "no"}, "short is no, want one of allow, never"},
		{"quoter", params{"spread": 1.0}, "spread is not a parameter, want one of cooldown, flow_max, gamma, guard_for, half_spread_bps, inventory, kappa, life_min"},
		{"quoter", params{"model": "glft", "gamma": 0.5, "kappa": 2.0, "flow_max": 0.8, "sweep_bps": 3.0, "markout_bps": 1.0, "guard_for": "1s", "queue_bps": 0.5}, ""},
		{"quoter", params{"model": "as"}, "model is as, want one of fixed, glft"},
		{"follower", params{"signals": []any{"trend"}, "qty": "1", "trail_bps": 30.0, "rest": "both", "entry": "maker", "short": "allow"}, ""},
		{"follower", params{"signals": []any{"a", "a"}}, "want a list of words, each once"},
		{"follower", params{"stop_bps": -1.0}, "stop_bps is -1, want a number from 0 to 5000"},
		{"execution", nil, ""},
		{"execution", params{"side": "sell", "qty": "5", "limit": "99.5", "mode": "pov", "rate": 0.2}, ""},
		{"execution", params{"mode": "vwap"}, "mode is vwap, want one of twap, pov, iceberg, peg, sweep"},
		{"execution", params{"limit": "0"}, "limit is 0, want a price above 0"},
	}
	for _, c := range cases {
		st, err := build(t, c.strategy, c.values)(in)
		switch {
		case c.want == "" && (err != nil || st == nil):
			t.Errorf("%s %v: %v, want a strategy", c.strategy, c.values, err)
		case c.want != "" && (err == nil || st != nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s %v: got %v, %v, want no strategy and %q", c.strategy, c.values, st, err, c.want)
		}
	}
}

// Without qty the size is the least that the filters allow, with some to spare, and
// on the lot even where the least quantity is not.
func TestSmallestSizePassesTheFilters(t *testing.T) {
	for _, f := range []core.Filters{
		{Tick: tick, Lot: 1000, QtyMin: 1000, NotionalMin: 5 * core.Scale},
		{Tick: tick, Lot: core.Scale, QtyMin: core.Scale, NotionalMin: 5 * core.Scale},
		{Tick: tick, Lot: 10_000, QtyMin: 15_000},
		{Tick: tick, QtyMin: 3},
		{Tick: tick, Lot: 7, QtyMin: 1, NotionalMin: 1},
		{Tick: tick},
	} {
		for _, bid := range []string{"0.01", "1.37", "100", "61837.64", "1000000"} {
			w := world(t, "reflex", nil, enginetest.Setup{Filters: f})
			b := enginetest.P(bid)
			w.Top(0, core.Top{Bid: b, BidQty: 1, Ask: b + tick, AskQty: 1})
			w.Run()
			out := w.Out()
			if len(out) != 1 {
				t.Errorf("filters %+v at %s: refused, out came %+v", f, bid, out)
				continue
			}
			// Nothing much smaller would have been legal: the least, its tenth, two lots.
			least := max(f.QtyMin, core.Qty(core.NotionalOfAmount(f.NotionalMin).Div(uint64(b))))
			if most := least + least/9 + 2*max(f.Lot, 1); out[0].Qty > most {
				t.Errorf("filters %+v at %s: size %v, want at most %v", f, bid, out[0].Qty, most)
			}
		}
	}
}

package engine_test

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/risk"
)

// placing asks for one order with every event, of the strategy that its instrument
// has.
func placing(t *testing.T, symbols int) (*enginetest.World, []*risk.Refusal) {
	t.Helper()
	last := make([]*risk.Refusal, symbols)
	names := []string{"AUSDT", "BUSDT", "CUSDT"}[:symbols]
	w, err := enginetest.New(enginetest.Setup{Symbols: names, Seats: func(in *core.Instrument) ([]engine.Seat, error) {
		last[in.ID] = new(risk.Refusal)
		r := last[in.ID]
		return []engine.Seat{{Number: uint16(in.ID), Strategy: &probe{market: func(v *engine.View, _ *core.Event) {
			_, *r = v.Place(core.Intent{Type: core.Limit, Price: v.Top().Bid, Qty: core.Scale})
		}}}}, nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	return w, last
}

func quoteAll(w *enginetest.World, symbols int) {
	for i := range symbols {
		w.Quote(core.InstrumentID(i), "100", "1", "101", "1")
	}
	w.Run()
}

// Each scope stops its own orders, cancels them, and leaves the others alone.
func TestHaltReachesAsFarAsItsScope(t *testing.T) {
	for name, c := range map[string]struct {
		cmd     engine.Command
		stopped [3]bool
	}{
		"all":      {engine.Command{Kind: engine.CmdHalt, Cause: risk.HaltKilled}, [3]bool{true, true, true}},
		"symbol":   {engine.Command{Kind: engine.CmdHalt, Cause: risk.HaltKilled, Scope: engine.ScopeSymbol, Instrument: 1}, [3]bool{false, true, false}},
		"strategy": {engine.Command{Kind: engine.CmdHalt, Cause: risk.HaltKilled, Scope: engine.ScopeStrategy, Strategy: 2}, [3]bool{false, false, true}},
		"none":     {engine.Command{Kind: engine.CmdHalt, Cause: risk.HaltKilled, Scope: engine.ScopeSymbol, Instrument: 99}, [3]bool{}},
	} {
		t.Run(name, func(t *testing.T) {
			w, last := placing(t, 3)
			quoteAll(w, 3)
			owner := map[core.OrderID]core.InstrumentID{}
			for _, in := range w.Out() {
				owner[in.ID] = in.Instrument
			}
			w.Command(c.cmd)
			w.Run()
			var ended [3]bool
			for _, in := range w.Out() {
				if in.Kind == core.Place {
					t.Errorf("an order went out: %+v", in)
				}
				ended[in.Instrument] = true
			}
			if ended != c.stopped {
				t.Errorf("cancels went out for %v, want %v", ended, c.stopped)
			}
			quoteAll(w, 3)
			for i, r := range last {
				if (*r == risk.RefusedHalted) != c.stopped[i] {
					t.Errorf("instrument %d: %v, want halted %v", i, *r, c.stopped[i])
				}
			}
			w.Command(engine.Command{Kind: engine.CmdLift, Cause: risk.HaltKilled})
			quoteAll(w, 3)
			for i, r := range last {
				if *r != risk.None {
					t.Errorf("instrument %d after the lift: %v", i, *r)
				}
			}
		})
	}
}

// The record of halts is complete whatever the size of its ring, in the end.
func TestHaltsAreNotedAsTheyChange(t *testing.T) {
	w, _ := placing(t, 3)
	now := map[engine.HaltNote]bool{}
	take := func() {
		for p := w.Halts.Pending(); len(p) > 0; p = w.Halts.Pending() {
			for _, n := range p {
				n.At = 0
				causes := n.Causes
				n.Causes = 0
				delete(now, n)
				if causes != 0 {
					now[n] = true
				}
			}
			w.Halts.Release(len(p))
		}
	}
	for i := range 3 {
		w.Command(engine.Command{Kind: engine.CmdHalt, Cause: risk.HaltKilled, Scope: engine.ScopeSymbol, Instrument: core.InstrumentID(i)})
		w.Command(engine.Command{Kind: engine.CmdHalt, Cause: risk.HaltKilled, Scope: engine.ScopeStrategy, Strategy: uint16(i)})
	}
	w.Command(engine.Command{Kind: engine.CmdHalt, Cause: risk.HaltOperator})
	w.Run() // more than the ring holds
	take()
	for range 4 {
		w.Run()
		take()
	}
	if len(now) != 7 {
		t.Errorf("noted %v, want 7 scopes", now)
	}
	w.Command(engine.Command{Kind: engine.CmdLift, Cause: risk.HaltLatched})
	for range 4 {
		w.Run()
		take()
	}
	if len(now) != 0 {
		t.Errorf("after the lift noted %v", now)
	}
}

func TestFactsLimitsAndRulesReachTheGate(t *testing.T) {
	w, last := placing(t, 1)
	quoteAll(w, 1)
	rules := *w.Table.Get(0)
	rules.Filters.QtyMin = 2 * core.Scale
	w.Command(engine.Command{Kind: engine.CmdRules, Rules: &rules})
	quoteAll(w, 1)
	if *last[0] != risk.RefusedQtyBounds {
		t.Errorf("with a new least quantity: %v", *last[0])
	}
	rules.Filters.QtyMin = 1
	w.Command(engine.Command{Kind: engine.CmdRules, Rules: &rules})
	l := *w.Gate.Limits(0)
	l.QtyMax = core.Scale - 1
	set := func(l risk.Limits) { w.Command(engine.Command{Kind: engine.CmdLimits, Limits: &l}) }
	set(l)
	quoteAll(w, 1)
	if *last[0] != risk.RefusedQtyMax {
		t.Errorf("with a new limit: %v", *last[0])
	}
	l.QtyMax = 0
	set(l)
	w.Command(engine.Command{Kind: engine.CmdAccount})
	w.Command(engine.Command{Kind: 99})
	a := *w.Gate.Account()
	a.ClockErrorMax = time.Second
	w.Command(engine.Command{Kind: engine.CmdAccount, Account: &a})
	l.QtyMax = core.Scale
	set(l)
	quoteAll(w, 1)
	if *last[0] != risk.RefusedClock {
		t.Errorf("nobody has measured the clock: %v", *last[0])
	}
	w.Command(engine.Command{Kind: engine.CmdFacts, ClockError: time.Second, Audited: w.Clock.Now, RulesRead: w.Clock.Now})
	quoteAll(w, 1)
	if *last[0] != risk.None {
		t.Errorf("with all of it: %v", *last[0])
	}
	w.Advance(time.Second)
	if n := w.Shard.Stats().BadCommands; n != 3 {
		t.Errorf("%d commands could not be done, want 3", n)
	}
}

// A refusal leaves by the ring with what it was judged by.
func TestRefusalsAreTold(t *testing.T) {
	w, _ := placing(t, 1)
	l := *w.Gate.Limits(0)
	l.QtyMax = 1
	w.Command(engine.Command{Kind: engine.CmdLimits, Limits: &l})
	quoteAll(w, 1)
	p := w.Denials.Pending()
	if len(p) != 1 || p[0].Refusal != risk.RefusedQtyMax || p[0].Top.Bid != enginetest.P("100") || p[0].Intent.Qty != core.Scale {
		t.Errorf("told %+v", p)
	}
}

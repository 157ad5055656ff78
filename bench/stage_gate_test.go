package bench

import (
	"fmt"
	"testing"
	"time"

	"riposte/bench/callgrind"
	"riposte/core"
	"riposte/core/risk"
)

// round is how many orders are approved before they are ended again.
const round = 256

// rig builds a rig for a test. Where instructions are counted its time goes on by the
// reading, so that no timer depends on the machine.
func rig(t testing.TB, c *Corpus, o RigOptions) *Rig {
	t.Helper()
	if o.Clock == nil && callgrind.Running() {
		o.Clock = &StepClock{Step: 50}
	}
	r, err := NewRig(c, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// intents are orders as reflex makes them, around the touch of the corpus' end.
func intents(r *Rig) []core.Intent {
	top := r.shard.Sync(0).Top()
	tick := r.corpus.Table.Get(0).Filters.Tick
	out := make([]core.Intent, round)
	for i := range out {
		out[i] = core.Intent{Kind: core.Place, Side: core.Buy, Type: core.Limit, TIF: core.IOC, Price: top.Bid - core.Price(i%16)*tick, Qty: 1000 * core.Qty(1+i%7)}
	}
	return out
}

// everyControl is a gate with every control on, at its default where it has one, and
// wide enough for a round.
func everyControl(t testing.TB, r *Rig) *risk.Gate {
	tab := r.corpus.Table
	l := risk.Limits{QtyMax: 1e18, NotionalMax: 1e18, PositionMax: 1e18, OpenMax: 1000, StaleAfter: 1 << 61}.WithDefaults()
	a := risk.AccountLimits{Currency: tab.Get(0).Quote, GrossMax: 1e13, LossMax: 1e13, DrawdownMax: 1e13, UnknownValueMax: 1e13, OpenMax: 1000,
		RateMax: 1000, RateSpan: time.Second, StrategyRateMax: 1000, StrategySpan: time.Second, MessageMax: 2000, RatioMax: 1 << 40, SelfMatch: true}.WithDefaults()
	g, err := risk.NewGate(tab, map[core.InstrumentID]risk.Limits{0: l}, a)
	if err != nil {
		t.Fatal(err)
	}
	g.Lift(risk.HaltNotReconciled)
	g.ClockError(0)
	return g
}

// gateWork approves orders by the round and ends them again: against the rig's few
// limits, or every control there is. With alone only the approvals count.
func gateWork(t testing.TB, c *Corpus, every, alone bool) *work {
	r := rig(t, c, RigOptions{})
	r.Pass()
	g, in := r.gate, intents(r)
	sync := r.shard.Sync(0)
	now, wall := r.clock.Mono(), core.WallNs(1)
	tell := func() { now += 1000 }
	if every {
		g = everyControl(t, r)
		for i := range in {
			in[i].Qty = 1000 * core.Qty(1+i) // no two alike, and no two rounds within a second
		}
		top := sync.Top()
		tell = func() {
			now += core.MonoNs(time.Second)
			g.Traded(0, top.Ask)
			g.Averaged(0, top.Bid)
			g.Audited(now)
			g.RulesRead(now)
			g.Mark(0, top.Mid(), now)
			g.Revalue(now, wall)
		}
	}
	ids := make([]core.OrderID, round)
	slots := make([]risk.Approved, round)
	refused, open := 0, 0
	w := &work{items: 16 * round}
	if alone {
		w.clock = new(batch)
	}
	pass := func() {
		st := risk.Stamps{Decided: now}
		for i := range in {
			order := in[i]
			if why := g.Approve(&order, sync, &st, uint64(i), now, &slots[i]); why != risk.None || !slots[i].Valid() {
				refused++
			}
			ids[i] = order.ID
		}
	}
	w.pass = func() {
		for range w.items / round {
			tell()
			if alone {
				w.clock.start()
			}
			pass()
			if alone {
				w.clock.stop()
			}
			open += g.Live()
			for i, id := range ids {
				g.Report(&core.Report{Kind: core.ReportDone, Status: core.Expired, Instrument: 0, ID: id, Side: core.Buy, Qty: in[i].Qty, FeeAsset: core.NoAsset})
			}
		}
	}
	w.check = func() error {
		e := g.Exposure(0)
		if refused != 0 || e != (risk.Exposure{}) || open == 0 || open%round != 0 || g.Live() != 0 {
			return fmt.Errorf("got %d refusals, exposure %+v, %d orders left, want none; the last for: %v", refused, e, g.Live(), g.Denied().Refusal)
		}
		return nil
	}
	return w
}

// BenchmarkGate is one order held against every control and counted (controls), the
// same with the rig's few limits (approve), and that with the order's end (round).
func BenchmarkGate(b *testing.B) {
	c := corpus(b, Spot)
	stage(b, "controls", func(t testing.TB) *work { return gateWork(t, c, true, true) })
	stage(b, "approve", func(t testing.TB) *work { return gateWork(t, c, false, true) })
	stage(b, "round", func(t testing.TB) *work { return gateWork(t, c, false, false) })
}

func TestGateStillRefusesInTheRig(t *testing.T) {
	r := rig(t, corpus(t, Spot), RigOptions{})
	r.Pass()
	in := intents(r)[0]
	in.Price++ // off the grid
	var a risk.Approved
	if why := r.gate.Approve(&in, r.shard.Sync(0), &risk.Stamps{}, 1, r.clock.Mono(), &a); why != risk.RefusedTick {
		t.Fatalf("got %v for a price between two ticks, want %v", why, risk.RefusedTick)
	}
}

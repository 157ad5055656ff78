package bench

import (
	"fmt"
	"testing"

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

// gateWork approves orders by the round and ends them again. With alone only the
// approvals count.
func gateWork(t testing.TB, c *Corpus, alone bool) *work {
	r := rig(t, c, RigOptions{})
	r.Pass()
	in := intents(r)
	sync := r.shard.Sync(0)
	now := r.clock.Mono()
	ids := make([]core.OrderID, round)
	refused, open := 0, 0
	w := &work{items: 16 * round}
	if alone {
		w.clock = new(batch)
	}
	pass := func() {
		for i := range in {
			a, why := r.gate.Approve(in[i], sync, risk.Stamps{Decided: now}, uint64(i), now)
			if why != risk.None || !a.Valid() {
				refused++
			}
			in := a.Intent()
			ids[i] = in.ID
		}
	}
	w.pass = func() {
		for range w.items / round {
			now += 1000
			if alone {
				w.clock.start()
			}
			pass()
			if alone {
				w.clock.stop()
			}
			open += r.gate.Live()
			for i, id := range ids {
				r.gate.Report(&core.Report{Kind: core.ReportDone, Status: core.Expired, Instrument: 0, ID: id, Side: core.Buy, Qty: in[i].Qty, FeeAsset: core.NoAsset})
			}
		}
	}
	w.check = func() error {
		e := r.gate.Exposure(0)
		if refused != 0 || e != (risk.Exposure{}) || open == 0 || open%round != 0 || r.gate.Live() != 0 {
			return fmt.Errorf("got %d refusals, exposure %+v, %d orders left, want none", refused, e, r.gate.Live())
		}
		return nil
	}
	return w
}

// BenchmarkGate is one order held against every control and counted (approve), and
// the same with its end (round).
func BenchmarkGate(b *testing.B) {
	c := corpus(b, Spot)
	stage(b, "approve", func(t testing.TB) *work { return gateWork(t, c, true) })
	stage(b, "round", func(t testing.TB) *work { return gateWork(t, c, false) })
}

func TestGateStillRefusesInTheRig(t *testing.T) {
	r := rig(t, corpus(t, Spot), RigOptions{})
	r.Pass()
	in := intents(r)[0]
	in.Price++ // off the grid
	if _, why := r.gate.Approve(in, r.shard.Sync(0), risk.Stamps{}, 1, r.clock.Mono()); why != risk.RefusedTick {
		t.Fatalf("got %v for a price between two ticks, want %v", why, risk.RefusedTick)
	}
}

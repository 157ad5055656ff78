package engine_test

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/risk"

	_ "riposte/core/strategy"
)

// named builds a registered strategy with its defaults.
func named(t testing.TB, name string, values map[string]any) func(*core.Instrument) (engine.Strategy, error) {
	t.Helper()
	f, err := engine.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return func(in *core.Instrument) (engine.Strategy, error) { return f(in, engine.NewParams(values)) }
}

// script runs a random market and venue and returns every approval as bytes. All
// randomness comes from the seed, none from the shard.
func script(t *testing.T, strategy string, seed uint64) []byte {
	w, err := enginetest.New(scriptSetup(t, strategy))
	if err != nil {
		t.Fatal(err)
	}
	return scripted(t, w, seed)
}

func scriptSetup(t *testing.T, strategy string) enginetest.Setup {
	return enginetest.Setup{
		Symbols: []string{"AAA", "BBB", "CCC"}, Strategy: named(t, strategy, nil), OutSize: 16, QueueEvents: 64,
		Limits:  risk.Limits{QtyMax: 10 * core.Scale, NotionalMax: 1 << 50, PositionMax: 10_000, OpenMax: 6, CollarBps: 100, StaleAfter: 3 * time.Second},
		Account: risk.AccountLimits{OpenMax: 12, RateMax: 20, RateSpan: time.Second, RejectMax: 9},
	}
}

// scripted is script in a world.
func scripted(t *testing.T, w *enginetest.World, seed uint64) []byte {
	rng := rand.New(rand.NewPCG(seed, 1))
	w.Clock.Tick = 3
	bid := [3]core.Price{100 * core.Scale, 20 * core.Scale, core.Scale}
	var live []core.OrderID
	var log []byte
	for range 3000 {
		id := core.InstrumentID(rng.IntN(3))
		switch k := rng.IntN(100); {
		case k < 60:
			bid[id] += core.Price(rng.IntN(7)-3) * tick
			w.Top(id, core.Top{Bid: bid[id], BidQty: core.Qty(rng.Int64N(1e9) + 1), Ask: bid[id] + core.Price(1+rng.IntN(3))*tick, AskQty: core.Qty(rng.Int64N(1e9) + 1)})
		case k < 70:
			w.Trade(id, bid[id], core.Qty(rng.Int64N(1e9)))
		case k < 72:
			w.Break(id)
		case k < 73:
			w.Mark(id, core.LineDown)
			w.Forget(id)
		case k < 74:
			w.Command(engine.Command{Kind: engine.CommandKind(rng.IntN(3)), Cause: risk.HaltOperator})
		case k < 76:
			w.Command(engine.Command{Kind: engine.CmdLift, Cause: risk.HaltOperator | risk.HaltRejects})
		case k < 80:
			w.Clock.Now += core.MonoNs(rng.Int64N(1e9))
		case len(live) > 0:
			i := rng.IntN(len(live))
			order := live[i]
			switch rng.IntN(5) {
			case 0, 1:
				w.Ack(order)
			case 2:
				w.Fill(order, w.Intent(order).Qty/2)
			default:
				w.Done(order, []core.OrderStatus{core.Canceled, core.Filled, core.Rejected, core.NotSent}[rng.IntN(4)])
				live = append(live[:i], live[i+1:]...)
			}
		}
		w.Clock.Now += core.MonoNs(rng.Int64N(20e6))
		if rng.IntN(4) > 0 {
			w.Run()
		}
		if rng.IntN(3) > 0 {
			for _, a := range w.TakeApproved() {
				in, s := a.Intent(), *a.Stamps()
				if in.Kind == core.Place {
					live = append(live, in.ID)
				}
				for _, v := range []any{in, s, a.Input()} {
					var err error
					if log, err = binary.Append(log, binary.LittleEndian, v); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		if w.Queues[0].Len() > 20 || w.Queues[1].Len() > 20 || w.Queues[2].Len() > 20 || w.Reports.Len() > 20 || w.Commands.Len() > 20 {
			w.Run()
		}
		w.Wanted()
	}
	return log
}

// The same inputs with the same clock give the same decisions, to the byte and to
// the stamp.
func TestSameInputsGiveByteEqualIntents(t *testing.T) {
	for _, strategy := range []string{"reflex", "quoter"} {
		for seed := range uint64(12) {
			one, two := script(t, strategy, seed), script(t, strategy, seed)
			if string(one) != string(two) {
				t.Fatalf("%s, seed %d: %d and %d bytes of approvals differ", strategy, seed, len(one), len(two))
			}
			if len(one) < 100*50 {
				t.Errorf("%s, seed %d: only %d bytes of approvals, the script is too quiet to prove anything", strategy, seed, len(one))
			}
			if other := script(t, strategy, seed+100); string(other) == string(one) {
				t.Errorf("%s: seeds %d and %d give the same", strategy, seed, seed+100)
			}
		}
	}
}

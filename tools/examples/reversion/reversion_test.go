package reversion_test

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/tools/examples/reversion"
)

const tick = core.Price(core.Scale / 100)

func world(t *rapid.T, values map[string]any) *enginetest.World {
	w, err := enginetest.New(enginetest.Setup{Strategy: func(in *core.Instrument) (engine.Strategy, error) {
		return reversion.New(in, engine.NewParams(values))
	}})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestReversionNeverHoldsMoreThanItsBoundNorLessThanNothing(t *testing.T) {
	bought := 0
	rapid.Check(t, func(t *rapid.T) {
		w := world(t, map[string]any{"qty": "1", "bound": "3", "half_life": "500ms", "away_bps": 0.5, "lean": 0.0, "life": "1s"})
		mid, held := 100*core.Price(core.Scale), core.Qty(0)
		resting := map[core.OrderID]core.Intent{}
		for range rapid.IntRange(20, 200).Draw(t, "events") {
			mid += core.Price(rapid.IntRange(-20, 20).Draw(t, "move")) * tick
			w.Top(0, core.Top{Bid: mid, BidQty: core.Qty(rapid.IntRange(1, 9).Draw(t, "bid qty")) * core.Scale, Ask: mid + tick, AskQty: core.Scale})
			w.Advance(time.Duration(rapid.IntRange(1, 400).Draw(t, "ms")) * time.Millisecond)
			for _, in := range w.Out() {
				switch in.Kind {
				case core.Place:
					if len(resting) > 0 {
						t.Fatalf("%+v beside %+v, want one order at most", in, resting)
					}
					resting[in.ID] = in
					w.Ack(in.ID)
				case core.Cancel:
					delete(resting, in.ID)
					w.Done(in.ID, core.Canceled)
				}
			}
			for id, in := range resting {
				if rapid.Bool().Draw(t, "fills") {
					w.Fill(id, in.Qty)
					delete(resting, id)
					held += in.Qty * core.Qty(in.Side.Sign())
					bought++
				}
			}
			w.Run()
			if held < 0 || held > 3*core.Scale {
				t.Fatalf("it holds %v, want 0 to 3", held)
			}
		}
	})
	if bought == 0 {
		t.Error("it never traded, so nothing was tried")
	}
}

func TestReversionComplainsAboutWhatItDoesNotKnow(t *testing.T) {
	if _, err := reversion.New(&core.Instrument{Filters: core.Filters{QtyMin: 1}}, engine.NewParams(map[string]any{"halflife": "1s"})); err == nil {
		t.Error("a slip of the pen in a parameter's name was taken")
	}
}

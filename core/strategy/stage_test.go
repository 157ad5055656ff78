package strategy_test

import (
	"testing"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
)

const tick = core.Price(core.Scale / 100)

// params are a strategy's parameters as a config would give them.
type params = map[string]any

// build makes a registered strategy of the world's instruments.
func build(t testing.TB, name string, values params) func(*core.Instrument) (engine.Strategy, error) {
	t.Helper()
	f, err := engine.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return func(in *core.Instrument) (engine.Strategy, error) { return f(in, engine.NewParams(values)) }
}

func world(t testing.TB, name string, values params, s enginetest.Setup) *enginetest.World {
	t.Helper()
	s.Strategy = build(t, name, values)
	w, err := enginetest.New(s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// quote moves the market and returns what left because of it.
func quote(w *enginetest.World, bid, ask string) []core.Intent {
	w.Quote(0, bid, "1", ask, "1")
	w.Run()
	return w.Out()
}

// sides sorts new orders by side; a second one on a side is a failure.
func sides(t testing.TB, out []core.Intent) (bid, ask *core.Intent) {
	t.Helper()
	for i := range out {
		at := &bid
		if out[i].Side == core.Sell {
			at = &ask
		}
		if out[i].Kind != core.Place || *at != nil {
			t.Fatalf("out came %+v, want at most one new order on each side", out)
		}
		*at = &out[i]
	}
	return bid, ask
}

// cancels are the ids whose cancel left; anything else is a failure.
func cancels(t testing.TB, out []core.Intent) []core.OrderID {
	t.Helper()
	var ids []core.OrderID
	for _, in := range out {
		if in.Kind != core.Cancel {
			t.Fatalf("out came %+v, want cancels alone", out)
		}
		ids = append(ids, in.ID)
	}
	return ids
}

package backtest

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

// TestQueueModelsAreThoseOfTheLiterature holds the probability that a cancel stood behind
// against the closed forms of hftbacktest, at the commit that shared/style.md names.
func TestQueueModelsAreThoseOfTheLiterature(t *testing.T) {
	for _, tc := range []struct {
		name        string
		front, back float64
		want        float64
	}{
		{"risk", 7, 3, 1},
		{"front", 7, 3, 0},
		{"prob:1", 7, 3, 0.3},
		{"prob:2", 7, 3, 9.0 / 58},
		{"prob", 7, 3, 27.0 / 370},
		{"power2:2", 7, 3, 0.09},
		{"power3:2", 7, 3, 0.51},
		{"log", 7, 3, math.Log(4) / (math.Log(4) + math.Log(8))},
		{"log2", 7, 3, math.Log(4) / math.Log(11)},
		{"prob:2", 0, 3, 1},
		{"prob:2", 3, 0, 0},
		{"log", 0, 0, 1},
	} {
		q, err := ParseQueue(tc.name)
		if err != nil {
			t.Fatal(err)
		}
		if got := q.behind(tc.front, tc.back); math.Abs(got-tc.want) > 1e-12 {
			t.Errorf("%s with %v ahead and %v behind: %v stood behind, want %v", tc.name, tc.front, tc.back, got, tc.want)
		}
	}
	for _, bad := range []string{"", "prob:0", "prob:x", "risk:2", "log:1", "prob:101", "fifo"} {
		if q, err := ParseQueue(bad); err == nil {
			t.Errorf("queue model %q is taken as %v", bad, q)
		}
	}
}

// TestAPlaceOnlyMovesUp and is never behind what is shown, whatever comes in whatever
// order; under the model that gives nothing away it is never ahead of any other model's.
func TestAPlaceOnlyMovesUp(t *testing.T) {
	var models []Queue
	for _, name := range []string{"risk", "prob:2", "power2:2", "power3:1", "log", "log2", "front"} {
		q, err := ParseQueue(name)
		if err != nil {
			t.Fatal(err)
		}
		models = append(models, q)
	}
	rapid.Check(t, func(r *rapid.T) {
		places := make([]place, len(models))
		shown := core.Qty(rapid.IntRange(0, 100).Draw(r, "shown"))
		for i := range places {
			places[i].join(shown)
		}
		for range rapid.IntRange(1, 30).Draw(r, "steps") {
			q := core.Qty(rapid.IntRange(0, 100).Draw(r, "quantity"))
			kind := rapid.IntRange(0, 2).Draw(r, "kind")
			for i := range places {
				p := &places[i]
				before := p.front
				if kind == 2 {
					if left := p.trade(q); left < 0 || left > q {
						r.Fatalf("%v: %d of a trade of %d are left", models[i], left, q)
					}
				} else {
					p.showing(models[i], q, kind == 1, 1)
				}
				if p.front > before || p.front < 0 || p.front > max(p.shown, 0) && kind != 2 {
					r.Fatalf("%v: %d ahead after %d, of %d shown", models[i], p.front, before, p.shown)
				}
				if kind != 2 && p.front > places[0].front {
					r.Fatalf("%v: %d ahead where risk has %d", models[i], p.front, places[0].front)
				}
			}
		}
	})
}

// TestTheTouchBeforeItsTradeCountsOnce: the venue tells first that a level has shrunk and
// then of the trade that shrank it. Either order leaves the same place.
func TestTheTouchBeforeItsTradeCountsOnce(t *testing.T) {
	for _, name := range []string{"risk", "prob:2", "front"} {
		q, _ := ParseQueue(name)
		var a, b place
		a.join(10)
		b.join(10)
		a.showing(q, 7, true, 1)
		left := a.trade(3)
		a.showing(q, 7, false, 1)
		b.trade(3)
		b.showing(q, 7, true, 1)
		b.showing(q, 7, false, 1)
		if left != 0 || a.front != 7 || b.front != 7 {
			t.Errorf("%s: %d ahead with the touch first, %d with the trade first, want 7 in both; %d of the trade left", name, a.front, b.front, left)
		}
		// All of the level went, and a trade of more comes: what it had beyond the level is ours.
		a.join(5)
		a.showing(q, 0, true, 1)
		if left := a.trade(6); left != 1 {
			t.Errorf("%s: %d of a trade of 6 through 5 is left, want 1", name, left)
		}
	}
}

// TestCancelsMoveTheOrderUpByTheModelOnly: a trade that has come explains its part of what
// is gone.
func TestCancelsMoveTheOrderUpByTheModelOnly(t *testing.T) {
	for name, want := range map[string]core.Qty{"risk": 8, "front": 4, "prob:1": 6} {
		q, _ := ParseQueue(name)
		var p place
		p.join(10)
		p.showing(q, 20, false, 1) // as much behind
		p.trade(2)
		p.showing(q, 14, false, 1) // 2 traded, 4 cancelled
		if p.front != want {
			t.Errorf("%s: %d ahead, want %d", name, p.front, want)
		}
	}
}

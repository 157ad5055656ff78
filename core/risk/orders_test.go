package risk

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

// The table against a map, with ids chosen to collide: all homes lie in a few
// slots at the end of the index, so chains are long and wrap.
func TestOrderTableEqualsMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const instruments = 3
		capacity := rapid.IntRange(1, 20).Draw(t, "capacity")
		table := newOrderTable(capacity, instruments)
		size := core.OrderID(len(table.index))
		model := map[core.OrderID]Order{}
		var age []core.OrderID // oldest first
		drawID := func(t *rapid.T) core.OrderID {
			return 1 + size*core.OrderID(rapid.IntRange(0, 9).Draw(t, "lap")) + core.OrderID(rapid.SampledFrom([]int{0, 1, int(size) - 3, int(size) - 2}).Draw(t, "home"))
		}
		t.Repeat(map[string]func(*rapid.T){
			"add": func(t *rapid.T) {
				id := drawID(t)
				if _, dup := model[id]; dup || len(model) == capacity {
					t.SkipNow()
				}
				o := Order{ID: id, Instrument: core.InstrumentID(rapid.IntRange(0, instruments-1).Draw(t, "instrument")), Qty: core.Qty(len(age) + 1)}
				got := table.add(o.ID, o.Instrument)
				if got.ID != id || got.Qty != 0 || got.Cum != 0 || got.Canceling {
					t.Fatalf("added order %d, got %+v, want nothing else set", id, got)
				}
				got.Qty, got.Cum, got.Canceling = o.Qty, 1, true
				model[id] = o
				age = append(age, id)
			},
			"remove": func(t *rapid.T) {
				id := drawID(t)
				if len(age) > 0 && rapid.Bool().Draw(t, "known") {
					id = rapid.SampledFrom(age).Draw(t, "id")
				}
				table.remove(id) // of an unknown id: nothing happens
				delete(model, id)
				age = slices.DeleteFunc(age, func(a core.OrderID) bool { return a == id })
			},
			"": func(t *rapid.T) {
				if table.live != len(model) {
					t.Fatalf("%d live, want %d", table.live, len(model))
				}
				for lap := range core.OrderID(11) {
					for home := range size {
						id := lap*size + home
						o, want := table.find(id), model[id]
						if (o != nil) != (want.ID != 0) || o != nil && (o.ID != id || o.Qty != want.Qty || o.Instrument != want.Instrument) {
							t.Fatalf("order %d: found %+v, want %+v", id, o, want)
						}
					}
				}
				for i := range core.InstrumentID(instruments) {
					var got, want []core.OrderID
					for s := table.heads[i]; s != noSlot; s = table.slots[s].next {
						got = append(got, table.slots[s].ID)
					}
					for _, id := range slices.Backward(age) {
						if model[id].Instrument == i {
							want = append(want, id)
						}
					}
					if !slices.Equal(got, want) {
						t.Fatalf("orders of instrument %d are %v, want %v, newest first; all are %v", i, got, want, slices.Sorted(maps.Keys(model)))
					}
				}
			},
		})
	})
}

func TestEachWalksOneInstrumentNewestFirstUntilTold(t *testing.T) {
	s := newStage().open(t)
	for range 3 {
		s.must(t, limit(core.Buy, "100", "1"))
	}
	var got []core.OrderID
	s.gate.Each(symA, func(o *Order) bool { got = append(got, o.ID); return len(got) < 2 })
	if !slices.Equal(got, []core.OrderID{3, 2}) {
		t.Errorf("walked %v, want 3 and 2", got)
	}
	s.gate.Each(symB, func(o *Order) bool { t.Errorf("order %d is not of that instrument", o.ID); return true })
}

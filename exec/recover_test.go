package exec

import (
	"testing"

	"riposte/core"
	"riposte/core/journal"
)

// A strategy of this run knows nothing of what a former one rests: it is cancelled, unless
// the configuration says that it may work on.
func TestWorkingOrdersOfAFormerRunEndUnlessKept(t *testing.T) {
	for _, keep := range []bool{false, true} {
		rig := newTableRig(t, 8)
		former, err := NewIDs("rp", rig.ids.Epoch()-1)
		if err != nil {
			t.Fatal(err)
		}
		rig.Know(former.Epoch(), 9)
		g := &Gateway{cfg: Config{Instruments: core.NewInstruments()}, table: rig.Table}
		g.cfg.Instruments.Add(core.Instrument{Symbol: "ETHUSDT"})
		id, err := g.restore(&journal.Order{Client: former.ID(3), Symbol: "ETHUSDT", VenueID: 40, Price: 7, Qty: 100, Alive: true}, core.NoStrategy, keep)
		if err != nil {
			t.Fatal(err)
		}
		o := rig.Find(id)
		if o == nil {
			t.Fatal("the order is not held")
		}
		if o.adopted == keep {
			t.Errorf("to be kept %v: the order shall end %v", keep, o.adopted)
		}
	}
}

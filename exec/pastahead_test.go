package exec

import (
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/core/journal"
)

// journaled has what a table says written to a tape, as a run does.
func (r *tableRig) journaled(p *tape) {
	r.report = func(x *core.Report) { p.note(&journal.Report{Report: *x}) }
	r.ahead = func(o *Order) {
		h := &journal.Ahead{Order: o.ID, Cum: o.Cum}
		if st := o.Status(); st.Terminal() {
			h.End = st
		}
		p.note(h)
	}
}

// TestADeathTakesNothingBackOfAnOrder: whatever evidence of it there was, in whatever
// order, the next run has the same order as far as the last had it: it is over if it was
// over, though fills of it are still to be learned, and no less of it has traded. P10.
func TestADeathTakesNothingBackOfAnOrder(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		rig, p := newTableRig(r, 8), &tape{t: t}
		epoch := rig.ids.Epoch()
		p.begin(epoch, NewPast())
		p.note(&journal.Names{Instruments: []journal.InstrumentName{{Symbol: "ETHUSDT", Base: 2, Quote: 1}}})
		rig.journaled(p)
		o := rig.add(100)
		p.note(&journal.Intent{Order: o.ID, Client: o.Client, Symbol: "ETHUSDT", Price: o.Price, Qty: o.Qty})
		clues, _, _ := history(r, o)
		clues = rapid.Permutation(clues).Draw(r, "order")
		for _, c := range clues[:rapid.IntRange(0, len(clues)).Draw(r, "until")] {
			c.apply(rig, o)
		}
		for life := range uint64(2) { // the second finds it in a checkpoint
			was := *o
			past := p.past()
			if was.Complete() {
				if list := past.Orders(); len(list) > 0 && !list[0].Gone {
					r.Fatalf("it had ended as %v with all its fills, and is carried on as %+v", was.Status(), list[0])
				}
				return
			}
			next := newTableRig(r, 8)
			next.ids, next.Table.ids = nil, nil
			ids, err := NewIDs("rp", epoch+life+1)
			if err != nil {
				r.Fatal(err)
			}
			next.ids, next.Table.ids = ids, ids
			g := &Gateway{cfg: Config{Instruments: core.NewInstruments()}, table: next.Table}
			g.cfg.Instruments.Add(core.Instrument{Symbol: "BTCUSDT"})
			g.cfg.Instruments.Add(core.Instrument{Symbol: "ETHUSDT"})
			old := past.Orders()[0]
			id, err := g.restore(old, core.NoStrategy, true)
			if err != nil {
				r.Fatal(err)
			}
			if o = next.Find(id); o == nil {
				r.Fatalf("an order that was %v is not held", was.Status())
			}
			if was.Status().Terminal() && o.Status() != was.Status() {
				r.Errorf("an order that was %v is %v", was.Status(), o.Status())
			}
			if o.Cum < was.Cum || o.Filled != was.Filled || o.Complete() {
				r.Errorf("%d of it had traded, %d by fills; now %d and %d, complete %v", was.Cum, was.Filled, o.Cum, o.Filled, o.Complete())
			}
			past.Renumber(map[core.ClientID]core.OrderID{o.Client: id})
			epoch++
			p.begin(epoch, past)
		}
	})
}

package risk

import "riposte/core"

// adopt counts an order of ours that no approval of this run stands for: a former
// run's, or one that lives after all. What may still trade of it counts like any
// other's. Nil if there is no room to count it, or the gate does not know the
// instrument: then the worst case is not known.
func (g *Gate) adopt(r *core.Report) *Order {
	if int(r.Instrument) >= len(g.exposure) || g.orders.free == noSlot || r.Qty <= 0 || r.Cum < 0 || r.Cum > r.Qty {
		return nil
	}
	p := g.orders.add(r.ID, r.Instrument)
	p.Price, p.Qty, p.Cum, p.Side, p.VenueID, p.Strategy = r.Price, r.Qty, r.Cum, r.Side, r.VenueID, r.Strategy
	if int(p.Strategy) >= len(g.strategies) {
		p.Strategy = core.NoStrategy
	}
	p.at = g.cellAt(p.Strategy, p.Instrument)
	p.rests = r.Price > 0 // as far as anybody knows
	g.enter(p)
	g.status(p, r.Status)
	return p
}

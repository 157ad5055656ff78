package risk

import "riposte/core"

// Carry starts an instrument with the position that former runs left. It is called
// before the first order. What the position is worth at the first mid is what it counts
// as having cost: a day's loss is counted from the start of the run.
func (g *Gate) Carry(id core.InstrumentID, position core.Qty) {
	g.exposure[id].Position = position
	g.watch[id].carried = position != 0
}

// CarryOwn says how much of a carried position is a strategy's. It is called after Carry;
// what no strategy has is the account's own.
func (g *Gate) CarryOwn(strategy uint16, id core.InstrumentID, position core.Qty) {
	g.cell(strategy, id).Position = position
}

// carryOwn gives the strategies' parts of a carried position their cost.
func (g *Gate) carryOwn(id core.InstrumentID, mid core.Price) {
	for s := range g.strategies {
		c := g.cell(uint16(s), id)
		worth, _ := core.NotionalOf(mid, max(c.Position, -c.Position)).AmountFloor()
		if c.Position > 0 {
			worth = -worth
		}
		c.cash = worth
	}
}

// carry gives a carried position its cost.
func (w *watch) carry(position core.Qty, mid core.Price) {
	w.carried = false
	w.cost, _ = core.NotionalOf(mid, max(position, -position)).AmountFloor()
	w.cash = w.cost
	if position > 0 {
		w.cash = -w.cost
	}
}

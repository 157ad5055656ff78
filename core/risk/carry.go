package risk

import "riposte/core"

// Carry starts an instrument with the position that former runs left. It is called
// before the first order. What the position is worth at the first mid is what it counts
// as having cost: a day's loss is counted from the start of the run.
func (g *Gate) Carry(id core.InstrumentID, position core.Qty) {
	g.exposure[id].Position = position
	g.watch[id].carried = position != 0
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

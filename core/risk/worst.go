package risk

import (
	"riposte/core"
	"riposte/core/book"
)

// reach is where an order can trade, as far as the own book tells.
type reach struct {
	far  core.Price // the price that the collar judges: its limit, or the worst level it meets
	ref  core.Price // what far is held against: the mid, or the trigger of an order that waits
	dear core.Price // the most it can cost or bring, for its value
	edge core.Price // the touch it would take first, for the slippage; 0: takes nothing at once
	now  bool       // it is at the market at once, and does not wait for a trigger
	all  bool       // the known depth holds all of it
}

// reachOf is where an order can trade. The likely kinds, which have a price and do
// not wait, are done at once.
func (x *reach) of(in *core.Intent, top *core.Top, b *book.Book, l *Limits) {
	x.far, x.ref, x.dear, x.edge, x.now, x.all = in.Price, top.Mid(), in.Price, 0, true, true
	if in.Type >= core.MarketOrder {
		x.without(in, top, b, l)
	}
	if in.Side == core.Sell {
		x.dear = max(x.dear, top.Bid) // a sale below the best bid trades there or better
	}
}

// without is for orders that have no price, or wait for their trigger.
func (x *reach) without(in *core.Intent, top *core.Top, b *book.Book, l *Limits) {
	if in.Type == core.MarketOrder {
		var filled core.Qty
		x.far, filled = sweep(in, top, b)
		x.all = filled >= in.Qty // else nobody can say where the rest would trade
		x.dear, x.edge = x.far, touch(in.Side, top)
		return
	}
	x.now = false
	if in.Stop > 0 {
		x.ref, x.dear = in.Stop, max(in.Price, in.Stop)
	}
	if in.Type == core.StopLoss || in.Type == core.TakeProfit {
		// Once triggered it is a MARKET order: by then the market is at the trigger, or
		// beyond it by the slippage that such an order may have. A delta without a stop
		// triggers a delta from here at the latest.
		x.far = in.Stop
		if in.Stop == 0 {
			x.far = touch(in.Side, top)
		}
		x.ref = x.far
		x.dear = core.Price(core.NotionalOf(x.far, core.Qty(bps+int64(in.Trail)+l.SlippageBps)).Div(bps))
	}
}

func touch(s core.Side, top *core.Top) core.Price {
	if s == core.Buy {
		return top.Ask
	}
	return top.Bid
}

// money checks the limits that a human set for one order, at the worst price it can
// get. use is how much of the collar it takes towards the other side, in 1e-8 of the
// reference.
func (l *Limits) money(in *core.Intent, x *reach, w *watch, top *core.Top) (use int64, r Refusal) {
	if in.Qty > l.QtyMax {
		return 0, RefusedQtyMax
	}
	if !x.all || x.edge != 0 && l.SlippageBps > 0 && !within(x.far, x.edge, l.SlippageBps) {
		return 0, RefusedSlippage
	}
	if core.NotionalOf(x.dear, in.Qty).Cmp(core.NotionalOfAmount(l.NotionalMax)) > 0 {
		return 0, RefusedNotionalMax
	}
	if x.ref == 0 || top.Bid == 0 || top.Ask == 0 || !within(x.far, x.ref, l.CollarBps) {
		return 0, RefusedCollar
	}
	if !x.now {
		return 0, None
	}
	if w.last != 0 && !within(x.far, w.last, l.CollarBps) {
		return 0, RefusedCollar
	}
	if beyond := (x.far - x.ref) * core.Price(in.Side.Sign()); beyond > 0 && l.DriftBps > 0 {
		use = core.NotionalOf(beyond, core.Scale).Div(uint64(x.ref)) + 1
	}
	return use, None
}

// sweep walks the own book as a MARKET order would: the worst price it meets, the
// touch included where that is ahead of the depth, and how much it would fill.
func sweep(in *core.Intent, top *core.Top, b *book.Book) (core.Price, core.Qty) {
	_, worst, filled := b.Cost(in.Side, in.Qty)
	if in.Side == core.Buy {
		return max(worst, top.Ask), filled
	}
	return min(worst, top.Bid), filled
}

// within reports whether |p - ref| <= ref * n / 10000, exactly.
func within(p, ref core.Price, n int64) bool {
	return core.NotionalOf(p-ref, bps).Cmp(core.NotionalOf(ref, core.Qty(n))) <= 0
}

// better reports whether a price is nearer to the other side than another.
func better(s core.Side, p, than core.Price) bool {
	if s == core.Buy {
		return p > than
	}
	return p < than
}

// selfMatch reports whether an order that reaches to far would meet one of our own that rests, or may
// rest, on the other side.
func (g *Gate) selfMatch(in *core.Intent, far core.Price, w *watch) bool {
	other := in.Side.Opposite()
	if !w.bestOf[other] {
		g.findBest(in.Instrument, w, other)
	}
	best := w.best[other]
	return best != 0 && !better(in.Side, best, far) // a buy at or above the own ask, a sale at or below the own bid
}

// findBest looks for the own price nearest to the other side.
func (g *Gate) findBest(id core.InstrumentID, w *watch, side core.Side) {
	best := core.Price(0)
	for s := g.orders.heads[id]; s != noSlot; s = g.orders.slots[s].next {
		if o := &g.orders.slots[s]; o.rests && o.Side == side && (best == 0 || better(side, o.Price, best)) {
			best = o.Price
		}
	}
	w.best[side], w.bestOf[side] = best, true
}

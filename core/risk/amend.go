package risk

import (
	"riposte/core"
	"riposte/core/book"
)

// cancel lets the end of an own order pass, whatever is in force.
func (g *Gate) cancel(in *core.Intent, now core.MonoNs) Refusal {
	o := g.orders.find(in.ID)
	if o == nil {
		return RefusedUnknownOrder
	}
	if o.Canceling {
		return RefusedCancelPending
	}
	o.Canceling = true
	g.messages.add(now)
	name(in, o)
	in.Qty = o.Qty
	return None
}

func (g *Gate) cancelAll(in *core.Intent, now core.MonoNs) Refusal {
	if int(in.Instrument) >= len(g.exposure) {
		return RefusedMalformed
	}
	for s := g.orders.heads[in.Instrument]; s != noSlot; s = g.orders.slots[s].next {
		g.orders.slots[s].Canceling = true
		g.messages.add(now)
	}
	return None
}

// name fills in what an intent about a live order need not say.
func name(in *core.Intent, o *Order) {
	in.Instrument, in.Side, in.Strategy, in.Price, in.Type = o.Instrument, o.Side, o.Strategy, o.Price, o.Type
}

// amend lets an order become smaller. What is at stake falls when the venue has
// confirmed it (ReportAmended), not before. Binance Spot API docs, amend keep
// priority, 2026-07-21: the new quantity lies below the present one, and obeys the
// filters as a new order's does.
func (g *Gate) amend(in *core.Intent, now core.MonoNs) Refusal {
	o := g.orders.find(in.ID)
	if o == nil {
		return RefusedUnknownOrder
	}
	if o.Canceling || o.Amending {
		return RefusedCancelPending
	}
	w, inst := &g.watch[o.Instrument], &g.rules[o.Instrument]
	if o.Strategy == core.NoStrategy {
		return RefusedUnknownOrder // nobody's: it can only end
	}
	if halt := g.halt | w.halt | g.strategies[o.Strategy].halt; halt&^HaltReduceOnly != 0 {
		return RefusedHalted
	}
	if in.Qty <= o.Cum || in.Qty >= o.Qty {
		return RefusedAmend
	}
	f := &inst.Filters
	switch {
	case inst.Status != core.StatusTrading:
		return RefusedStatus
	case !inst.Features.Has(core.FeatureAmend):
		return RefusedFeature
	case f.AmendsMax > 0 && int(o.Amends) >= f.AmendsMax:
		return RefusedAmendsFilter
	}
	if r := lotRule(in.Qty, f.Lot, f.QtyMin, f.QtyMax); r != None {
		return r
	}
	if o.Price > 0 {
		if r := notionalRule(o.Price, o.Price, in.Qty, false, f); r != None {
			return r
		}
	}
	if r := g.budget(o.Strategy, now); r != None {
		return r
	}
	g.spend(o.Strategy, now)
	o.Amending = true
	name(in, o)
	return None
}

// replace lets a new order pass that names one to end for it. Until the old one has
// ended both count.
func (g *Gate) replace(in *core.Intent, sync *book.Sync, now core.MonoNs) Refusal {
	old := g.orders.find(in.Old)
	switch {
	case old == nil || old.Instrument != in.Instrument:
		return RefusedUnknownOrder
	case old.Canceling:
		return RefusedCancelPending
	case !g.rules[in.Instrument].Features.Has(core.FeatureReplace):
		return RefusedFeature
	}
	if r := g.place(in, sync, now); r != None {
		return r
	}
	old.Canceling = true
	return None
}

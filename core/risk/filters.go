package risk

import "riposte/core"

// checkFilters holds an order against the venue's own rules, so that what it would
// reject never leaves. Binance Spot API docs, filters, 2026-07-21: price and
// quantity are tested by their own modulus, a bound of 0 does not bind, MARKET
// orders have lot rules of their own.
func checkFilters(inst *core.Instrument, in *core.Intent, top *core.Top) Refusal {
	if inst.Status != core.StatusTrading {
		return RefusedStatus
	}
	if !inst.OrderTypes.Has(in.Type) {
		return RefusedType
	}
	f := &inst.Filters
	price := in.Price
	if in.Type == core.MarketOrder {
		if in.Price != 0 {
			return RefusedMalformed
		}
		if in.Side == core.Buy {
			price = top.Ask
		} else {
			price = top.Bid
		}
		if r := lotRule(in.Qty, f.MarketLot, f.MarketQtyMin, f.MarketQtyMax); r != None {
			return r
		}
	} else if r := priceRule(in.Price, f); r != None {
		return r
	}
	if r := lotRule(in.Qty, f.Lot, f.QtyMin, f.QtyMax); r != None {
		return r
	}
	market := in.Type == core.MarketOrder
	n := core.NotionalOf(price, in.Qty)
	if f.NotionalMin > 0 && (!market || f.NotionalMinMarket) && n.Cmp(core.NotionalOfAmount(f.NotionalMin)) < 0 {
		return RefusedNotionalFilter
	}
	if f.NotionalMax > 0 && (!market || f.NotionalMaxMarket) && n.Cmp(core.NotionalOfAmount(f.NotionalMax)) > 0 {
		return RefusedNotionalFilter
	}
	return None
}

func priceRule(p core.Price, f *core.Filters) Refusal {
	if p <= 0 || p < f.PriceMin || (f.PriceMax > 0 && p > f.PriceMax) {
		return RefusedPriceBounds
	}
	// A tick of 0 is a symbol that is not tradable yet: no price is on its grid.
	if f.Tick <= 0 || p%f.Tick != 0 {
		return RefusedTick
	}
	return None
}

func lotRule(q, lot, lo, hi core.Qty) Refusal {
	if q < lo || (hi > 0 && q > hi) {
		return RefusedQtyBounds
	}
	if lot > 0 && q%lot != 0 {
		return RefusedLot
	}
	return None
}

package risk

import "riposte/core"

// checkFilters holds an order against the venue's own rules, so that what it would
// reject never leaves. Binance Spot API docs, filters, 2026-07-21: price and
// quantity are tested by their own modulus, a bound of 0 does not bind, MARKET
// orders have lot rules of their own beside the general ones.
//
// Two rules can only be approached. PERCENT_PRICE and the notional of a MARKET
// order refer to a price that the venue computes (reference price, or the average
// of minutes): the mid and the touch stand in for it. MAX_POSITION counts the
// account's holdings, which the gate does not know; it is left to the venue.
func checkFilters(inst *core.Instrument, in *core.Intent, top *core.Top, open int) Refusal {
	if inst.Status != core.StatusTrading {
		return RefusedStatus
	}
	// An intent has no trigger price, so the types that need one cannot be meant.
	if in.Type > core.MarketOrder || !inst.OrderTypes.Has(in.Type) {
		return RefusedType
	}
	f := &inst.Filters
	price := in.Price
	if in.Type == core.MarketOrder {
		if in.Side == core.Buy {
			price = top.Ask
		} else {
			price = top.Bid
		}
		if r := lotRule(in.Qty, f.MarketLot, f.MarketQtyMin, f.MarketQtyMax); r != None {
			return r
		}
	} else {
		if r := priceRule(in.Price, f); r != None {
			return r
		}
		if r := percentRule(in, top.Mid(), f); r != None {
			return r
		}
	}
	if r := lotRule(in.Qty, f.Lot, f.QtyMin, f.QtyMax); r != None {
		return r
	}
	if r := notionalRule(core.NotionalOf(price, in.Qty), in.Type == core.MarketOrder, f); r != None {
		return r
	}
	if f.OrdersMax > 0 && open >= f.OrdersMax {
		return RefusedOrdersFilter
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

// percentRule is PERCENT_PRICE_BY_SIDE (and PERCENT_PRICE, whose multipliers are
// the same for both sides), exactly, with ref in place of the venue's price.
func percentRule(in *core.Intent, ref core.Price, f *core.Filters) Refusal {
	up, down := f.BidMulUp, f.BidMulDown
	if in.Side == core.Sell {
		up, down = f.AskMulUp, f.AskMulDown
	}
	if up|down == 0 || ref == 0 {
		return None
	}
	p := core.NotionalOf(in.Price, core.Scale)
	if up > 0 && p.Cmp(core.NotionalOf(ref, core.Qty(up))) > 0 || down > 0 && p.Cmp(core.NotionalOf(ref, core.Qty(down))) < 0 {
		return RefusedPercentPrice
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

func notionalRule(n core.Notional, market bool, f *core.Filters) Refusal {
	if f.NotionalMin > 0 && (!market || f.NotionalMinMarket) && n.Cmp(core.NotionalOfAmount(f.NotionalMin)) < 0 {
		return RefusedNotionalFilter
	}
	if f.NotionalMax > 0 && (!market || f.NotionalMaxMarket) && n.Cmp(core.NotionalOfAmount(f.NotionalMax)) > 0 {
		return RefusedNotionalFilter
	}
	return None
}

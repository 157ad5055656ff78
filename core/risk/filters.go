package risk

import "riposte/core"

// checkFilters holds an order against the venue's own rules, so that what it would
// reject never leaves. Binance Spot API docs, filters, 2026-07-21: price, stop price
// and quantity are tested by their own modulus, a bound of 0 does not bind, MARKET
// orders have lot rules of their own beside the general ones.
//
// Some rules refer to a price that the venue computes (its reference price, or the
// average of minutes), which can only be approached: an order must pass at each price
// that could be meant, the mid, the last trade and the average it told.
func checkFilters(inst *core.Instrument, in *core.Intent, top *core.Top, w *watch) Refusal {
	if inst.Status != core.StatusTrading {
		return RefusedStatus
	}
	if !inst.OrderTypes.Has(in.Type) {
		return RefusedType
	}
	f := &inst.Filters
	if in.Stop|core.Price(in.Iceberg)|core.Price(in.Trail) != 0 || in.STP != core.STPDefault {
		if r := extras(inst, in, top, w); r != None {
			return r
		}
	}
	low, high := in.Price, in.Price
	priceless := in.Type == core.MarketOrder || in.Type == core.StopLoss || in.Type == core.TakeProfit
	if priceless {
		low, high = span(in, top, w)
		if r := lotRule(in.Qty, f.MarketLot, f.MarketQtyMin, f.MarketQtyMax); r != None {
			return r
		}
	} else {
		if r := priceRule(in.Price, f); r != None {
			return r
		}
		if r := percentRule(in, f, top.Mid(), w.last, w.average); r != None {
			return r
		}
	}
	if r := lotRule(in.Qty, f.Lot, f.QtyMin, f.QtyMax); r != None {
		return r
	}
	return notionalRule(low, high, in.Qty, priceless, f)
}

// span is between which prices a venue may take the value of an order without one.
func span(in *core.Intent, top *core.Top, w *watch) (low, high core.Price) {
	low, high = top.Bid, top.Ask
	for _, p := range [...]core.Price{w.last, w.average, in.Stop} {
		if p != 0 {
			low, high = least(low, p), max(high, p)
		}
	}
	return low, high
}

// extras are the rules of what a plain order does not have.
func extras(inst *core.Instrument, in *core.Intent, top *core.Top, w *watch) Refusal {
	f := &inst.Filters
	if !inst.Features.Has(core.FeatureSTP(in.STP)) {
		return RefusedFeature
	}
	if in.Iceberg > 0 {
		if !inst.Features.Has(core.FeatureIceberg) {
			return RefusedFeature
		}
		if r := lotRule(in.Iceberg, f.Lot, f.QtyMin, f.QtyMax); r != None {
			return r
		}
		if parts := (in.Qty + in.Iceberg - 1) / in.Iceberg; f.PartsMax > 0 && parts > core.Qty(f.PartsMax) {
			return RefusedParts
		}
	}
	if in.Trail > 0 {
		if !inst.Features.Has(core.FeatureTrailing) {
			return RefusedFeature
		}
		lo, hi := f.TrailBelowMin, f.TrailBelowMax
		if above(in) {
			lo, hi = f.TrailAboveMin, f.TrailAboveMax
		}
		if int(in.Trail) < lo || hi > 0 && int(in.Trail) > hi {
			return RefusedTrailing
		}
	}
	if in.Stop > 0 {
		if r := priceRule(in.Stop, f); r != None {
			return r
		}
		// Binance Spot API docs, trading, 2026-07-21: the trigger must lie ahead of the
		// last price. Without one the touch that is nearer to it stands in.
		last := w.last
		if last == 0 {
			last = top.Mid()
		}
		if in.Trail == 0 && (above(in) && in.Stop <= last || !above(in) && in.Stop >= last) {
			return RefusedTrigger
		}
	}
	return None
}

// above reports whether an order triggers on a rise.
func above(in *core.Intent) bool {
	stop := in.Type == core.StopLoss || in.Type == core.StopLossLimit
	return stop == (in.Side == core.Buy)
}

// counts holds the numbers of open orders, and what the account would hold, against
// the venue's rules. Binance Spot API docs, filters, 2026-07-21.
func (g *Gate) counts(f *core.Filters, in *core.Intent, w *watch, e *Exposure) Refusal {
	if f.OrdersMax > 0 && e.Open >= f.OrdersMax || g.venue.OrdersMax > 0 && g.orders.live >= g.venue.OrdersMax {
		return RefusedOrdersFilter
	}
	if in.Type > core.MarketOrder && (f.AlgosMax > 0 && w.algos >= f.AlgosMax || g.venue.AlgosMax > 0 && g.algos >= g.venue.AlgosMax) {
		return RefusedAlgosFilter
	}
	if in.Iceberg > 0 && (f.IcebergsMax > 0 && w.icebergs >= f.IcebergsMax || g.venue.IcebergsMax > 0 && g.icebergs >= g.venue.IcebergsMax) {
		return RefusedIcebergsFilter
	}
	if f.PositionMax > 0 && in.Side == core.Buy {
		// Nobody who has not been told what is held can say that it stays below.
		q, told := g.Held(in.Instrument)
		held := Exposure{Position: q, Buy: e.Buy}
		if !told || !held.room(core.Buy, in.Qty, f.PositionMax) {
			return RefusedMaxPosition
		}
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
// the same for both sides), exactly, at each of the prices that may stand for the
// venue's; 0 is none.
func percentRule(in *core.Intent, f *core.Filters, mid, last, average core.Price) Refusal {
	up, down := f.BidMulUp, f.BidMulDown
	if in.Side == core.Sell {
		up, down = f.AskMulUp, f.AskMulDown
	}
	if up|down == 0 {
		return None
	}
	low, high := mid, mid
	if last != 0 {
		low, high = least(low, last), max(high, last)
	}
	if average != 0 {
		low, high = least(low, average), max(high, average)
	}
	if high == 0 {
		return None
	}
	p := core.NotionalOf(in.Price, core.Scale)
	if up > 0 && p.Cmp(core.NotionalOf(low, core.Qty(up))) > 0 || down > 0 && p.Cmp(core.NotionalOf(high, core.Qty(down))) < 0 {
		return RefusedPercentPrice
	}
	return None
}

// least is the smaller price that is one.
func least(a, b core.Price) core.Price {
	if a == 0 {
		return b
	}
	return min(a, b)
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

// notionalRule is NOTIONAL and MIN_NOTIONAL, at the lowest price that could be meant
// for the least and the highest for the most.
func notionalRule(low, high core.Price, q core.Qty, market bool, f *core.Filters) Refusal {
	if f.NotionalMin > 0 && (!market || f.NotionalMinMarket) && core.NotionalOf(low, q).Cmp(core.NotionalOfAmount(f.NotionalMin)) < 0 {
		return RefusedNotionalFilter
	}
	if f.NotionalMax > 0 && (!market || f.NotionalMaxMarket) && core.NotionalOf(high, q).Cmp(core.NotionalOfAmount(f.NotionalMax)) > 0 {
		return RefusedNotionalFilter
	}
	return None
}

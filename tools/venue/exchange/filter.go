package exchange

import "math/bits"

// candidate is an order as the filters see it, before it exists.
type candidate struct {
	in       *instrument
	acct     *account
	side     Side
	typ      OrderType
	market   bool  // takes at any price: MARKET and stops without a limit
	price    Fixed // 0 for a market order, and for a peg that the book must tell
	stop     Fixed // 0 if none
	trail    int64 // 0 if none
	qty      Fixed // 0 for a market order by quoteOrderQty
	iceberg  Fixed // 0 if none
	quoteQty Fixed

	// What it adds to the open orders and lists; 0 leaves a count unchecked.
	orders, algos, icebergs, lists int64
}

// candidate is what the filters see of an order. It adds to no count.
func (o *order) candidate() candidate {
	return candidate{
		in: o.in, acct: o.acct, side: o.side, typ: o.typ, market: o.market(), price: o.price, stop: o.stop, trail: o.trail,
		qty: o.qty, iceberg: o.iceberg, quoteQty: o.quoteQty,
	}
}

// filterChecks has one function per filter type: true passes. A filter without
// a function is checked where it applies (amends).
var filterChecks = [filterTypes]func(*Exchange, *Filter, *candidate) bool{
	PriceFilter:        passPrice,
	PercentPrice:       passPercent,
	PercentPriceBySide: passPercentBySide,
	LotSize:            passLot,
	MarketLotSize:      passMarketLot,
	MinNotional:        passNotional,
	Notional:           passNotional,
	IcebergParts:       passIcebergParts,
	MaxPosition:        passMaxPosition,
	TrailingDelta:      passTrailing,

	MaxNumOrders:                passCount,
	MaxNumAlgoOrders:            passCount,
	MaxNumIcebergOrders:         passCount,
	MaxNumOrderLists:            passCount,
	ExchangeMaxNumOrders:        passCount,
	ExchangeMaxNumAlgoOrders:    passCount,
	ExchangeMaxNumIcebergOrders: passCount,
	ExchangeMaxNumOrderLists:    passCount,
}

// filter runs the filters of the symbol in their published order, then those of
// the exchange. The venue documents no order among them.
func (x *Exchange) filter(c *candidate) *Reject {
	for i := range c.in.sym.Filters {
		f := &c.in.sym.Filters[i]
		if check := filterChecks[f.Type]; check != nil && !check(x, f, c) {
			return rejectFilter(f.Type)
		}
	}
	for i := range x.filters {
		f := &x.filters[i]
		if check := filterChecks[f.Type]; check != nil && !check(x, f, c) {
			return rejectFilter(f.Type)
		}
	}
	return x.filterAssets(c)
}

// filterPrices runs only the filters that look at the price: those of a pegged
// order once it has one.
func (x *Exchange) filterPrices(c *candidate) *Reject {
	for i := range c.in.sym.Filters {
		switch f := &c.in.sym.Filters[i]; f.Type {
		case PriceFilter, PercentPrice, PercentPriceBySide, MinNotional, Notional:
			if !filterChecks[f.Type](x, f, c) {
				return rejectFilter(f.Type)
			}
		}
	}
	return x.filterAssets(c)
}

// AssetLimit is MAX_ASSET: the most that one order may move of an asset.
type AssetLimit struct {
	Asset string
	Limit Fixed
}

// AssetLimits are the MAX_ASSET filters of a symbol's assets, by asset.
func (x *Exchange) AssetLimits(symbol string) (out []AssetLimit) {
	in := x.byName[symbol]
	for _, l := range x.limits {
		if in != nil && (l.Asset == in.sym.Base || l.Asset == in.sym.Quote) {
			out = append(out, l)
		}
	}
	return out
}

// filterAssets holds quantity under the limit of the base asset and notional
// under that of the quote asset. The text of its reject is not documented.
func (x *Exchange) filterAssets(c *candidate) *Reject {
	for i := range x.limits {
		l := &x.limits[i]
		over := l.Asset == c.in.sym.Base && c.qty > l.Limit
		if l.Asset == c.in.sym.Quote {
			price := c.price
			if c.market {
				price, _ = c.in.reference(0)
			}
			over = c.quoteQty > l.Limit || less128(l.Limit, One, price, c.qty)
		}
		if over {
			return reject(codeFilter, "Filter failure: MAX_ASSET")
		}
	}
	return nil
}

func passPrice(_ *Exchange, f *Filter, c *candidate) bool {
	return onGrid(f, c.price) && onGrid(f, c.stop)
}

// onGrid is PRICE_FILTER of one price, 0 if there is none.
func onGrid(f *Filter, price Fixed) bool {
	if price == 0 {
		return true
	}
	if f.MinPrice > 0 && price < f.MinPrice || f.MaxPrice > 0 && price > f.MaxPrice {
		return false
	}
	return f.TickSize == 0 || price%f.TickSize == 0
}

func passPercent(_ *Exchange, f *Filter, c *candidate) bool {
	return c.withinPercent(f.MultiplierDown, f.MultiplierUp, f.AvgPriceMins)
}

func passPercentBySide(_ *Exchange, f *Filter, c *candidate) bool {
	if c.side == Buy {
		return c.withinPercent(f.BidMultiplierDown, f.BidMultiplierUp, f.AvgPriceMins)
	}
	return c.withinPercent(f.AskMultiplierDown, f.AskMultiplierUp, f.AvgPriceMins)
}

// withinPercent reports ref × down <= price <= ref × up. Without any trade there
// is no reference and nothing to be compared with.
func (c *candidate) withinPercent(down, up Fixed, mins int) bool {
	if c.price == 0 {
		return true
	}
	ref, ok := c.in.reference(mins)
	if !ok {
		return true
	}
	return !less128(c.price, One, ref, down) && !less128(ref, up, c.price, One)
}

func passLot(_ *Exchange, f *Filter, c *candidate) bool {
	if c.qty == 0 {
		return c.quoteQty > 0
	}
	return inLot(f, c.qty) && (c.iceberg == 0 || inLot(f, c.iceberg))
}

// passIcebergParts is ceil(qty / icebergQty) <= limit.
func passIcebergParts(_ *Exchange, f *Filter, c *candidate) bool {
	return c.iceberg == 0 || (c.qty-1)/c.iceberg < f.Limit
}

// passTrailing takes the Above bounds for stops that wait for a price above, the
// Below bounds for the others; a bound of 0 is none.
func passTrailing(_ *Exchange, f *Filter, c *candidate) bool {
	if c.trail == 0 {
		return true
	}
	least, most := f.MinBelowDelta, f.MaxBelowDelta
	if upper(c.typ, c.side) {
		least, most = f.MinAboveDelta, f.MaxAboveDelta
	}
	return c.trail >= least && (most == 0 || c.trail <= most)
}

func passMarketLot(_ *Exchange, f *Filter, c *candidate) bool {
	return !c.market || c.qty == 0 || inLot(f, c.qty)
}

func inLot(f *Filter, qty Fixed) bool {
	if qty < f.MinQty || f.MaxQty > 0 && qty > f.MaxQty {
		return false
	}
	return f.StepSize == 0 || qty%f.StepSize == 0
}

// passNotional is MIN_NOTIONAL and NOTIONAL. A market order is measured at the
// reference price; without any trade it cannot pass. An amount too large for 64
// bits is above any maximum.
func passNotional(_ *Exchange, f *Filter, c *candidate) bool {
	checkMin, checkMax := true, f.MaxNotional > 0
	price := c.price
	if price == 0 && !c.market {
		return true // a peg is measured when it has its price
	}
	if c.market {
		checkMin, checkMax = f.ApplyMinToMarket, checkMax && f.ApplyMaxToMarket
		if !checkMin && !checkMax {
			return true
		}
		if c.quoteQty > 0 {
			return !(checkMin && c.quoteQty < f.MinNotional) && !(checkMax && c.quoteQty > f.MaxNotional)
		}
		var ok bool
		if price, ok = c.in.reference(f.AvgPriceMins); !ok {
			return false
		}
	}
	if checkMin && less128(price, c.qty, f.MinNotional, One) {
		return false
	}
	return !checkMax || !less128(f.MaxNotional, One, price, c.qty)
}

// passMaxPosition holds free + locked base + open buy quantity, this order
// included, under the limit. A sum beyond 64 bits fails too.
func passMaxPosition(_ *Exchange, f *Filter, c *candidate) bool {
	if c.side != Buy {
		return true
	}
	sum, carry := uint64(c.qty), uint64(0)
	add := func(v Fixed) {
		var out uint64
		sum, out = bits.Add64(sum, uint64(v), 0)
		carry += out
	}
	add(c.acct.free(c.in.base))
	if c.in.base < len(c.acct.bal) {
		add(c.acct.bal[c.in.base].locked)
	}
	for _, o := range c.acct.open {
		// Of two legs that exclude each other only one can buy.
		if o.in == c.in && o.side == Buy && (o.list.rival(o) == nil || o.list.legs[len(o.list.legs)-1] == o) {
			add(o.rem())
		}
	}
	return carry == 0 && sum <= uint64(f.MaxPosition)
}

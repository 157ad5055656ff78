package exchange

import "math/bits"

// candidate is an order as the filters see it, before it exists.
type candidate struct {
	in       *instrument
	acct     *account
	side     Side
	typ      OrderType
	price    Fixed // 0 for a market order
	qty      Fixed // 0 for a market order by quoteOrderQty
	quoteQty Fixed
}

func (c *candidate) isMarket() bool { return c.price == 0 }

// filterChecks has one function per filter type: true passes. A filter without
// a function restricts only what this exchange refuses anyway (icebergs, stops,
// trailing orders, lists) or is checked where it applies (amends); the kinds of
// order that issue to come bring their function along.
var filterChecks = [filterTypes]func(*Exchange, *Filter, *candidate) bool{
	PriceFilter:          passPrice,
	PercentPrice:         passPercent,
	PercentPriceBySide:   passPercentBySide,
	LotSize:              passLot,
	MarketLotSize:        passMarketLot,
	MinNotional:          passNotional,
	Notional:             passNotional,
	MaxNumOrders:         passMaxOrders,
	MaxPosition:          passMaxPosition,
	ExchangeMaxNumOrders: passExchangeMaxOrders,
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
	return nil
}

func passPrice(_ *Exchange, f *Filter, c *candidate) bool {
	if c.isMarket() {
		return true
	}
	if f.MinPrice > 0 && c.price < f.MinPrice || f.MaxPrice > 0 && c.price > f.MaxPrice {
		return false
	}
	return f.TickSize == 0 || c.price%f.TickSize == 0
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
	if c.isMarket() {
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
	return inLot(f, c.qty)
}

func passMarketLot(_ *Exchange, f *Filter, c *candidate) bool {
	return !c.isMarket() || c.qty == 0 || inLot(f, c.qty)
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
	if c.isMarket() {
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

func passMaxOrders(_ *Exchange, f *Filter, c *candidate) bool {
	n := int64(0)
	for _, o := range c.acct.open {
		if o.in == c.in {
			n++
		}
	}
	return n < f.Limit
}

func passExchangeMaxOrders(_ *Exchange, f *Filter, c *candidate) bool {
	return int64(len(c.acct.open)) < f.Limit
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
		if o.in == c.in && o.side == Buy {
			add(o.rem())
		}
	}
	return carry == 0 && sum <= uint64(f.MaxPosition)
}

package exchange

// count adds an order to what the candidate adds to the account's open orders.
func (c *candidate) count(typ OrderType, iceberg Fixed) {
	c.orders++
	if typ.stop() {
		c.algos++
	}
	if iceberg > 0 {
		c.icebergs++
	}
}

// filterCounts runs only the filters over numbers of orders and lists.
func (x *Exchange) filterCounts(c *candidate) *Reject {
	for _, list := range [2][]Filter{c.in.sym.Filters, x.filters} {
		for i := range list {
			if f := &list[i]; f.Type.counts() && !passCount(x, f, c) {
				return rejectFilter(f.Type)
			}
		}
	}
	return nil
}

func (t FilterType) counts() bool {
	switch t {
	case MaxNumOrders, MaxNumAlgoOrders, MaxNumIcebergOrders, MaxNumOrderLists:
		return true
	}
	return t.overExchange()
}

// passCount is every MAX_NUM filter: what is open on the symbol, or for the
// exchange's filters on all symbols, plus what the candidate adds. Stops count
// as algo orders as long as they are open, triggered or not.
func passCount(_ *Exchange, f *Filter, c *candidate) bool {
	adds, counts := c.adds(f.Type)
	if adds == 0 {
		return true
	}
	everywhere := f.Type.overExchange()
	n := adds
	if counts == nil {
		for _, l := range c.acct.openLists {
			if everywhere || l.in == c.in {
				n++
			}
		}
		return n <= f.Limit
	}
	for _, o := range c.acct.open {
		if (everywhere || o.in == c.in) && counts(o) {
			n++
		}
	}
	return n <= f.Limit
}

// adds is what a candidate adds to the count of a filter, and which open orders
// are counted; nil counts lists.
func (c *candidate) adds(t FilterType) (int64, func(*order) bool) {
	switch t {
	case MaxNumOrders, ExchangeMaxNumOrders:
		return c.orders, func(*order) bool { return true }
	case MaxNumAlgoOrders, ExchangeMaxNumAlgoOrders:
		return c.algos, func(o *order) bool { return o.typ.stop() }
	case MaxNumIcebergOrders, ExchangeMaxNumIcebergOrders:
		return c.icebergs, func(o *order) bool { return o.iceberg > 0 }
	}
	return c.lists, nil
}

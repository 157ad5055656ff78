package exchange

import "testing"

// withFilters is a desk whose BTCUSDT has exactly these filters.
func withFilters(t *testing.T, fs ...Filter) *desk {
	return newDesk(t, func(c *Config) { c.Symbols[0].Filters = fs })
}

func TestFiltersRejectWithTheirName(t *testing.T) {
	price := Filter{Type: PriceFilter, MinPrice: fx("10"), MaxPrice: fx("1000"), TickSize: fx("0.5")}
	lot := Filter{Type: LotSize, MinQty: fx("0.1"), MaxQty: fx("50"), StepSize: fx("0.1")}
	marketLot := Filter{Type: MarketLotSize, MinQty: fx("1"), MaxQty: fx("5"), StepSize: fx("0.5")}
	minNotional := Filter{Type: MinNotional, MinNotional: fx("20"), ApplyMinToMarket: true, AvgPriceMins: 5}
	notional := Filter{Type: Notional, MinNotional: fx("20"), ApplyMinToMarket: true, MaxNotional: fx("500"), ApplyMaxToMarket: true, AvgPriceMins: 5}
	percent := Filter{Type: PercentPrice, MultiplierDown: fx("0.5"), MultiplierUp: fx("2"), AvgPriceMins: 5}
	bySide := Filter{Type: PercentPriceBySide, BidMultiplierDown: fx("0.9"), BidMultiplierUp: fx("1.1"), AskMultiplierDown: fx("0.8"), AskMultiplierUp: fx("5"), AvgPriceMins: 5}
	// Every desk below has traded once, 1 at 100, so that the mean price is 100,
	// and has 50 bid at 90 and 50 asked at 110 where the filter lets it.
	for _, c := range []struct {
		name   string
		filter Filter
		order  string
		pass   bool
	}{
		{"price on the grid", price, "BUY LIMIT GTC 1@99.5", true},
		{"price off the grid", price, "BUY LIMIT GTC 1@99.6", false},
		{"price below", price, "BUY LIMIT GTC 1@9.5", false},
		{"price at the minimum", price, "BUY LIMIT GTC 1@10", true},
		{"price above", price, "SELL LIMIT GTC 1@1000.5", false},
		{"price at the maximum", price, "SELL LIMIT GTC 1@1000", true},
		{"market has no price", price, "BUY MARKET 1", true},

		{"quantity on the grid", lot, "BUY LIMIT GTC 0.3@99", true},
		{"quantity off the grid", lot, "BUY LIMIT GTC 0.35@99", false},
		{"quantity below", lot, "BUY LIMIT GTC 0.05@99", false},
		{"quantity above", lot, "BUY LIMIT GTC 50.1@99", false},
		{"quantity at the maximum", lot, "BUY LIMIT GTC 50@99", true},
		{"market quantity off the grid", lot, "BUY MARKET 0.35", false},

		{"market lot", marketLot, "BUY MARKET 1.5", true},
		{"market lot below", marketLot, "BUY MARKET 0.5", false},
		{"market lot above", marketLot, "BUY MARKET 5.5", false},
		{"market lot off the grid", marketLot, "BUY MARKET 1.2", false},
		{"market lot caps quote orders", marketLot, "BUY MARKET quote 5000", false},
		{"market lot is not for limits", marketLot, "BUY LIMIT GTC 7.3@99", true},

		{"min notional reached", minNotional, "BUY LIMIT GTC 0.2@100", true},
		{"min notional missed", minNotional, "BUY LIMIT GTC 0.2@99", false},
		{"min notional of market at the mean", minNotional, "BUY MARKET 0.19", false},
		{"min notional of market reached", minNotional, "BUY MARKET 0.2", true},
		{"min notional of quote order", minNotional, "BUY MARKET quote 19", false},

		{"notional inside", notional, "BUY LIMIT GTC 5@100", true},
		{"notional above", notional, "BUY LIMIT GTC 5.1@100", false},
		{"notional below", notional, "BUY LIMIT GTC 0.1@100", false},
		{"notional of market above", notional, "BUY MARKET 5.1", false},
		{"notional of market inside", notional, "BUY MARKET 5", true},
		{"notional of quote order above", notional, "BUY MARKET quote 501", false},

		{"percent inside", percent, "BUY LIMIT GTC 1@50", true},
		{"percent below", percent, "BUY LIMIT GTC 1@49.99", false},
		{"percent at the top", percent, "SELL LIMIT GTC 1@200", true},
		{"percent above", percent, "SELL LIMIT GTC 1@200.01", false},

		{"bid side inside", bySide, "BUY LIMIT GTC 1@90", true},
		{"bid side below", bySide, "BUY LIMIT GTC 1@89.99", false},
		{"bid side above", bySide, "BUY LIMIT IOC 1@110.01", false},
		{"ask side wider", bySide, "SELL LIMIT GTC 1@500", true},
		{"ask side below", bySide, "SELL LIMIT IOC 1@79.99", false},
	} {
		d := withFilters(t)
		d.place(0, "SELL LIMIT GTC 1@100")
		d.place(1, "BUY LIMIT GTC 1@100")
		d.place(0, "BUY LIMIT GTC 50@90")
		d.place(0, "SELL LIMIT GTC 50@110")
		d.x.byName["BTCUSDT"].sym.Filters = []Filter{c.filter}
		if c.pass {
			d.place(2, c.order)
			continue
		}
		d.refused(2, ticket(c.order), -1013, "Filter failure: "+c.filter.Type.String())
		if rej := d.x.Test(d.now, 2, ticket(c.order)); c.filter.Type != MarketLotSize && rej == nil {
			t.Errorf("%s: the test order passes", c.name)
		}
	}
}

func TestMarketOrderUnderNotionalNeedsATrade(t *testing.T) {
	d := withFilters(t, Filter{Type: Notional, MinNotional: fx("5"), ApplyMinToMarket: true, AvgPriceMins: 5})
	d.place(0, "SELL LIMIT GTC 1@100")
	d.refused(1, ticket("BUY MARKET 1"), -1013, "Filter failure: NOTIONAL")
	d.place(1, "BUY LIMIT GTC 0.5@100")
	d.place(1, "BUY MARKET 0.5")
}

func TestReferenceFallsBackToTheLastTrade(t *testing.T) {
	d := withFilters(t, Filter{Type: PercentPrice, MultiplierDown: fx("0.9"), MultiplierUp: fx("1.1"), AvgPriceMins: 5})
	d.place(0, "SELL LIMIT GTC 3@100")
	d.place(1, "BUY LIMIT GTC 3@100")
	d.place(0, "SELL LIMIT GTC 1@110")
	d.place(1, "BUY LIMIT GTC 1@110")
	// Mean 102.5: up to 112.75.
	d.refused(0, ticket("SELL LIMIT GTC 1@112.76"), -1013, "Filter failure: PERCENT_PRICE")
	d.place(0, "SELL LIMIT GTC 1@112.75")
	d.now += 6 * minute // the window is empty now: last trade 110, up to 121
	d.place(0, "SELL LIMIT GTC 1@121")
	d.refused(0, ticket("SELL LIMIT GTC 1@121.01"), -1013, "Filter failure: PERCENT_PRICE")
}

func TestOrderCountFilters(t *testing.T) {
	d := newDesk(t, func(c *Config) {
		other, _ := builtinSymbol("ETHUSDT")
		other.Filters = nil
		c.Symbols = append(c.Symbols, other)
		c.Symbols[0].Filters = []Filter{{Type: MaxNumOrders, Limit: 2}}
		c.ExchangeFilters = []Filter{{Type: ExchangeMaxNumOrders, Limit: 3}}
	})
	first := d.place(0, "BUY LIMIT GTC 1@100")
	d.place(0, "BUY LIMIT GTC 1@100")
	d.refused(0, ticket("BUY LIMIT GTC 1@100"), -1013, "Filter failure: MAX_NUM_ORDERS")
	d.place(1, "BUY LIMIT GTC 1@100")
	d.place(0, "BUY LIMIT GTC 1@100 sym=ETHUSDT")
	d.refused(0, ticket("BUY LIMIT GTC 1@100 sym=ETHUSDT"), -1013, "Filter failure: EXCHANGE_MAX_NUM_ORDERS")
	if _, rej := d.x.Cancel(d.now, 0, &CancelRequest{Symbol: "BTCUSDT", OrderID: Some(first.OrderID)}); rej != nil {
		t.Fatal(rej)
	}
	d.place(0, "BUY LIMIT GTC 1@100")
}

func TestMaxPositionCountsBalanceAndOpenBuys(t *testing.T) {
	d := withFilters(t, Filter{Type: MaxPosition, MaxPosition: fx("1010")})
	d.place(0, "SELL LIMIT GTC 400@200") // locked base still counts
	d.place(0, "BUY LIMIT GTC 6@100")
	d.refused(0, ticket("BUY LIMIT GTC 5@100"), -1013, "Filter failure: MAX_POSITION")
	d.place(0, "BUY LIMIT GTC 4@100")
	d.place(0, "SELL LIMIT GTC 1@200")
	d.x.byName["BTCUSDT"].sym.Filters[0].MaxPosition = 1<<63 - 1
	d.refused(0, &NewOrder{Symbol: "BTCUSDT", Side: Buy, Type: LimitOrder, TimeInForce: GTC, Quantity: Some(1<<63 - 1), Price: Some(1)},
		-1013, "Filter failure: MAX_POSITION")
}

func TestParametersAreChecked(t *testing.T) {
	d := newDesk(t, func(c *Config) {
		c.Symbols[0].BasePrecision, c.Symbols[0].QuotePrecision = 5, 2
		c.Symbols[0].Filters = nil
	})
	base := func(f func(*NewOrder)) *NewOrder {
		r := ticket("BUY LIMIT GTC 1@100")
		f(r)
		return r
	}
	for _, c := range []struct {
		r    *NewOrder
		code int
		msg  string
	}{
		{base(func(r *NewOrder) { r.Symbol = "NOPE" }), -1121, "Invalid symbol."},
		{base(func(r *NewOrder) { r.Side = 0 }), -1117, "Invalid side."},
		{base(func(r *NewOrder) { r.Type = 0 }), -1116, "Invalid orderType."},
		{base(func(r *NewOrder) { r.TimeInForce = TIFNone }), -1102, "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed."},
		{base(func(r *NewOrder) { r.TimeInForce = 9 }), -1115, "Invalid timeInForce."},
		{base(func(r *NewOrder) { r.Quantity = Opt{} }), -1102, "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed."},
		{base(func(r *NewOrder) { r.Price = Opt{} }), -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."},
		{base(func(r *NewOrder) { r.QuoteOrderQty = Some(One) }), -1106, "Parameter 'quoteOrderQty' sent when not required."},
		{base(func(r *NewOrder) { r.StopPrice = Some(One) }), -1106, "Parameter 'stopPrice' sent when not required."},
		{base(func(r *NewOrder) { r.Type = LimitMakerOrder }), -1114, "TimeInForce parameter sent when not required."},
		{base(func(r *NewOrder) { r.Type = MarketOrder }), -1114, "TimeInForce parameter sent when not required."},
		{base(func(r *NewOrder) { r.Type, r.TimeInForce = MarketOrder, TIFNone }), -1106, "Parameter 'price' sent when not required."},
		{&NewOrder{Symbol: "BTCUSDT", Side: Buy, Type: MarketOrder}, -1102, "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!"},
		{&NewOrder{Symbol: "BTCUSDT", Side: Buy, Type: MarketOrder, Quantity: Some(One), QuoteOrderQty: Some(One)}, -1128, "Combination of optional parameters invalid."},
		{base(func(r *NewOrder) { r.Quantity = Some(1) }), -1111, "Parameter 'quantity' has too much precision."},
		{base(func(r *NewOrder) { r.Price = Some(fx("100.001")) }), -1111, "Parameter 'price' has too much precision."},
		{base(func(r *NewOrder) { r.Quantity = Some(0) }), -2010, "Price * QTY is zero or less."},
		{base(func(r *NewOrder) { r.ClientOrderID = "bad id" }), -1100, "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'."},
		{base(func(r *NewOrder) { r.ClientOrderID = "1234567890123456789012345678901234567" }), -1100, "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'."},
		{base(func(r *NewOrder) { r.StrategyType = Some(999_999) }), -1134, "`strategyType` was less than 1000000."},
		{base(func(r *NewOrder) { r.TrailingDelta = Some(100) }), -1106, "Parameter 'trailingDelta' sent when not required."},
		{base(func(r *NewOrder) { r.Type = StopLossLimitOrder }), -1102, "Param 'stopPrice' or 'trailingDelta' must be sent, but both were empty/null!"},
		{base(func(r *NewOrder) { r.Type, r.StopPrice = StopLossLimitOrder, Some(0) }), -1102, "Mandatory parameter 'stopPrice' was not sent, was empty/null, or malformed."},
		{base(func(r *NewOrder) { r.Type, r.StopPrice = TakeProfitLimitOrder, Some(fx("1.001")) }), -1111, "Parameter 'stopPrice' has too much precision."},
		{base(func(r *NewOrder) { r.Type, r.TimeInForce, r.StopPrice = TakeProfitOrder, TIFNone, Some(One) }), -1106, "Parameter 'price' sent when not required."},
		{ticket("BUY STOP_LOSS 1 trail=0"), -1130, "Data sent for parameter 'trailingDelta' is not valid."},
		{ticket("BUY STOP_LOSS 1 stop=5 iceberg=0.5"), -1106, "Parameter 'icebergQty' sent when not required."},
		{ticket("BUY LIMIT IOC 1@100 iceberg=0.5"), -1014, "Unsupported order combination."},
		{ticket("BUY LIMIT GTC 1@100 iceberg=1"), -2010, "IcebergQty exceeds QTY."},
		{ticket("BUY LIMIT GTC 1@100 iceberg=0.000001"), -1111, "Parameter 'icebergQty' has too much precision."},
	} {
		d.refused(0, c.r, c.code, c.msg)
	}
	s := &d.x.byName["BTCUSDT"].sym
	s.OrderTypes, s.Iceberg, s.TrailingStop, s.Peg = []OrderType{LimitOrder, StopLossOrder}, false, false, false
	for _, c := range []struct{ order, kind string }{
		{"BUY MARKET 1", "Market"}, {"BUY LIMIT_MAKER 1@5", "Limit maker"}, {"BUY STOP_LOSS_LIMIT GTC 1@5 stop=5", "Stop loss limit"},
		{"BUY TAKE_PROFIT 1 stop=5", "Take profit"}, {"BUY TAKE_PROFIT_LIMIT GTC 1@5 stop=5", "Take profit limit"},
		{"BUY LIMIT GTC 1@5 iceberg=0.5", "Iceberg"}, {"BUY STOP_LOSS 1 trail=50", "Trailing stop"}, {"BUY LIMIT GTC 1@5 peg=PRIMARY_PEG", "Pegged"},
	} {
		d.refused(0, ticket(c.order), -2010, c.kind+" orders are not supported for this symbol.")
	}
}

func TestPublishedSymbolsAreWhatIsEnforced(t *testing.T) {
	d := newDesk(t, nil)
	s, ok := d.x.Symbol("BTCUSDT")
	if !ok || len(s.OrderTypes) != 7 || !s.Iceberg || !s.OCO || !s.OTO || !s.TrailingStop || !s.Peg || s.OPO {
		t.Errorf("got %+v, want all order types and lists but OPO", s)
	}
	if !s.CancelReplace || !s.Amend || !s.QuoteOrderQtyMarket {
		t.Errorf("got %+v, want cancelReplace, amend and quoteOrderQty", s)
	}
}

package risk

import (
	"testing"

	"riposte/core"
)

func TestVenueFiltersAtTheirEdges(t *testing.T) {
	cases := []struct {
		name string
		set  func(*core.Instrument)
		in   core.Intent
		want Refusal
	}{
		{"nothing binds", func(in *core.Instrument) { in.Filters = core.Filters{Tick: 1} }, core.Intent{Price: px("100"), Qty: 1}, None},
		{"tick 0: not tradable yet", func(in *core.Instrument) { in.Filters.Tick = 0 }, limit(core.Buy, "100", "1"), RefusedTick},
		{"tick 0 is nothing to a market order", func(in *core.Instrument) { in.Filters.Tick = 0 }, market(core.Buy, "1"), None},
		{"off the grid", nil, limit(core.Buy, "100.001", "1"), RefusedTick},
		{"the grid starts at 0, not at the least price", func(in *core.Instrument) { in.Filters.PriceMin = px("0.005") }, limit(core.Buy, "100", "1"), None},
		{"price 0", nil, limit(core.Buy, "0", "1"), RefusedPriceBounds},
		{"negative price", nil, core.Intent{Price: -px("100"), Qty: qt("1")}, RefusedPriceBounds},
		{"at the least price", func(in *core.Instrument) { in.Filters.PriceMin = px("100") }, limit(core.Buy, "100", "1"), None},
		{"below it", func(in *core.Instrument) { in.Filters.PriceMin = px("100") }, limit(core.Buy, "99.99", "1"), RefusedPriceBounds},
		{"at the highest price", func(in *core.Instrument) { in.Filters.PriceMax = px("100") }, limit(core.Buy, "100", "1"), None},
		{"above it", func(in *core.Instrument) { in.Filters.PriceMax = px("100") }, limit(core.Buy, "100.01", "1"), RefusedPriceBounds},
		// mid 100.01
		{"a buy at its upper multiple", func(in *core.Instrument) { in.Filters.BidMulUp = 2 * core.Scale }, limit(core.Buy, "100", "1"), None},
		{"a buy above it", func(in *core.Instrument) { in.Filters.BidMulUp = core.Scale / 2 }, limit(core.Buy, "60", "1"), RefusedPercentPrice},
		{"a buy below its lower multiple", func(in *core.Instrument) { in.Filters.BidMulDown = core.Scale }, limit(core.Buy, "100", "1"), RefusedPercentPrice},
		{"a buy at its lower multiple", func(in *core.Instrument) { in.Filters.BidMulDown = core.Scale }, limit(core.Buy, "100.01", "1"), None},
		{"a sale at its upper multiple", func(in *core.Instrument) { in.Filters.AskMulUp = core.Scale }, limit(core.Sell, "100.01", "1"), None},
		{"a sale above it", func(in *core.Instrument) { in.Filters.AskMulUp = core.Scale }, limit(core.Sell, "100.02", "1"), RefusedPercentPrice},
		{"a sale is not held by the buyers' multiples", func(in *core.Instrument) { in.Filters.BidMulUp = 1 }, limit(core.Sell, "100.02", "1"), None},
		{"least quantity", func(in *core.Instrument) { in.Filters.QtyMin = qt("1") }, limit(core.Buy, "100", "1"), None},
		{"below it", func(in *core.Instrument) { in.Filters.QtyMin = qt("1") }, limit(core.Buy, "100", "0.999"), RefusedQtyBounds},
		{"most quantity", func(in *core.Instrument) { in.Filters.QtyMax = qt("1") }, limit(core.Buy, "100", "1"), None},
		{"above it", func(in *core.Instrument) { in.Filters.QtyMax = qt("1") }, limit(core.Buy, "100", "1.001"), RefusedQtyBounds},
		{"off the lot", nil, limit(core.Buy, "100", "1.0001"), RefusedLot},
		{"a lot of 0 does not bind", func(in *core.Instrument) { in.Filters.Lot, in.Filters.QtyMin = 0, 0 }, core.Intent{Price: px("100"), Qty: 1}, None},
		{"market lot", func(in *core.Instrument) { in.Filters.MarketLot = qt("0.5") }, market(core.Buy, "1.5"), None},
		{"off the market lot", func(in *core.Instrument) { in.Filters.MarketLot = qt("0.5") }, market(core.Buy, "1.4"), RefusedLot},
		{"the market lot is nothing to a limit order", func(in *core.Instrument) { in.Filters.MarketLot = qt("0.5") }, limit(core.Buy, "100", "1.4"), None},
		{"a market order obeys the plain lot too", func(in *core.Instrument) { in.Filters.Lot = qt("1") }, market(core.Buy, "1.5"), RefusedLot},
		{"least market quantity", func(in *core.Instrument) { in.Filters.MarketQtyMin = qt("2") }, market(core.Buy, "1.999"), RefusedQtyBounds},
		{"most market quantity", func(in *core.Instrument) { in.Filters.MarketQtyMax = qt("2") }, market(core.Buy, "2.001"), RefusedQtyBounds},
		{"at the most market quantity", func(in *core.Instrument) { in.Filters.MarketQtyMax = qt("2") }, market(core.Buy, "2"), None},
		{"least notional", func(in *core.Instrument) { in.Filters.NotionalMin = am("100") }, limit(core.Buy, "100", "1"), None},
		{"below it by price", func(in *core.Instrument) { in.Filters.NotionalMin = am("100") }, limit(core.Buy, "99.99", "1"), RefusedNotionalFilter},
		{"below it by quantity", func(in *core.Instrument) { in.Filters.NotionalMin = am("100") }, limit(core.Buy, "100", "0.999"), RefusedNotionalFilter},
		{"most notional", func(in *core.Instrument) { in.Filters.NotionalMax = am("100") }, limit(core.Buy, "100", "1"), None},
		{"above it", func(in *core.Instrument) { in.Filters.NotionalMax = am("100") }, limit(core.Buy, "100", "1.001"), RefusedNotionalFilter},
		{"a market order where the least notional is not for it", func(in *core.Instrument) { in.Filters.NotionalMin = am("1000") }, market(core.Buy, "1"), None},
		{"and where it is", func(in *core.Instrument) { in.Filters.NotionalMin, in.Filters.NotionalMinMarket = am("1000"), true }, market(core.Buy, "1"), RefusedNotionalFilter},
		{"a market order where the most notional is not for it", func(in *core.Instrument) { in.Filters.NotionalMax = am("1") }, market(core.Sell, "1"), None},
		{"and where it is", func(in *core.Instrument) { in.Filters.NotionalMax, in.Filters.NotionalMaxMarket = am("1"), true }, market(core.Sell, "1"), RefusedNotionalFilter},
		{"an order count of 1, none open", func(in *core.Instrument) { in.Filters.OrdersMax = 1 }, limit(core.Buy, "100", "1"), None},
		{"trading halted", func(in *core.Instrument) { in.Status = core.StatusHalt }, limit(core.Buy, "100", "1"), RefusedStatus},
		{"in a break", func(in *core.Instrument) { in.Status = core.StatusBreak }, limit(core.Buy, "100", "1"), RefusedStatus},
		{"cancel only", func(in *core.Instrument) { in.Status = core.StatusCancelOnly }, limit(core.Buy, "100", "1"), RefusedStatus},
		{"status not known", func(in *core.Instrument) { in.Status = core.StatusUnknown }, limit(core.Buy, "100", "1"), RefusedStatus},
		{"type not taken", func(in *core.Instrument) { in.OrderTypes = core.OrderTypeSet(0).With(core.LimitMaker) }, limit(core.Buy, "100", "1"), RefusedType},
		{"type not taken, with its trigger", func(in *core.Instrument) { in.OrderTypes = core.OrderTypeSet(0).With(core.Limit) }, stop(core.StopLossLimit, core.Sell, "99", "99"), RefusedType},
		// last trade 100.01
		{"a stop below, for a sale", nil, stop(core.StopLossLimit, core.Sell, "100", "100"), None},
		{"a stop at the last price", func(in *core.Instrument) { in.Filters.Tick = px("0.01") }, stop(core.StopLossLimit, core.Sell, "100", "100.01"), RefusedTrigger},
		{"a stop above, for a buy", nil, stop(core.StopLossLimit, core.Buy, "100.02", "100.02"), None},
		{"a stop below, for a buy", nil, stop(core.StopLossLimit, core.Buy, "100.02", "100"), RefusedTrigger},
		{"profit above, for a sale", nil, stop(core.TakeProfitLimit, core.Sell, "101", "101"), None},
		{"profit below, for a sale", nil, stop(core.TakeProfitLimit, core.Sell, "101", "100"), RefusedTrigger},
		{"profit below, for a buy", nil, stop(core.TakeProfit, core.Buy, "", "99"), None},
		{"stop off tick", nil, stop(core.StopLoss, core.Sell, "", "99.005"), RefusedTick},
		{"stop below the least price", func(in *core.Instrument) { in.Filters.PriceMin = px("100") }, stop(core.StopLoss, core.Sell, "", "99"), RefusedPriceBounds},
		{"stop above the most price", func(in *core.Instrument) { in.Filters.PriceMax = px("101") }, stop(core.StopLoss, core.Buy, "", "101.01"), RefusedPriceBounds},
		{"a stop loss in market lots", func(in *core.Instrument) { in.Filters.MarketLot = qt("2") }, stop(core.StopLoss, core.Sell, "", "99"), RefusedLot},
		{"least notional of a stop loss, at its trigger", func(in *core.Instrument) { in.Filters.NotionalMin, in.Filters.NotionalMinMarket = am("99"), true }, stop(core.StopLoss, core.Sell, "", "99"), None},
		{"below it", func(in *core.Instrument) { in.Filters.NotionalMin, in.Filters.NotionalMinMarket = am("99"), true }, stop(core.StopLoss, core.Sell, "", "98.99"), RefusedNotionalFilter},
		{"most parts", func(in *core.Instrument) { in.Filters.PartsMax = 4 }, iceberg("1", "0.25"), None},
		{"one part more", func(in *core.Instrument) { in.Filters.PartsMax = 4 }, iceberg("1", "0.249"), RefusedParts},
		{"shown quantity off lot", nil, iceberg("1", "0.2505"), RefusedLot},
		{"shown quantity below the least", func(in *core.Instrument) { in.Filters.QtyMin = qt("0.3") }, iceberg("1", "0.25"), RefusedQtyBounds},
		{"no icebergs here", func(in *core.Instrument) { in.Features = 0 }, iceberg("1", "0.25"), RefusedFeature},
		{"an iceberg count of 1, none open", func(in *core.Instrument) { in.Filters.IcebergsMax = 1 }, iceberg("1", "0.25"), None},
		{"trail at the least below", func(in *core.Instrument) { in.Filters.TrailBelowMin, in.Filters.TrailBelowMax = 10, 2000 }, trail(core.StopLoss, core.Sell, 10), None},
		{"trail below it", func(in *core.Instrument) { in.Filters.TrailBelowMin, in.Filters.TrailBelowMax = 10, 2000 }, trail(core.StopLoss, core.Sell, 9), RefusedTrailing},
		{"trail at the most above", func(in *core.Instrument) { in.Filters.TrailAboveMin, in.Filters.TrailAboveMax = 10, 2000 }, trail(core.StopLoss, core.Buy, 2000), None},
		{"trail above it", func(in *core.Instrument) { in.Filters.TrailAboveMin, in.Filters.TrailAboveMax = 10, 2000 }, trail(core.StopLoss, core.Buy, 2001), RefusedTrailing},
		{"profit of a sale triggers above", func(in *core.Instrument) { in.Filters.TrailAboveMin, in.Filters.TrailAboveMax = 10, 2000 }, trail(core.TakeProfit, core.Sell, 9), RefusedTrailing},
		{"profit of a buy triggers below", func(in *core.Instrument) { in.Filters.TrailBelowMin, in.Filters.TrailBelowMax = 10, 2000 }, trail(core.TakeProfit, core.Buy, 9), RefusedTrailing},
		{"no trailing here", func(in *core.Instrument) { in.Features = 0 }, trail(core.StopLoss, core.Sell, 10), RefusedFeature},
		{"a mode that is taken", nil, core.Intent{Price: px("100"), Qty: qt("1"), STP: core.STPExpireMaker}, None},
		{"a mode that is not", func(in *core.Instrument) { in.Features &^= core.FeatureSTP(core.STPExpireMaker) }, core.Intent{Price: px("100"), Qty: qt("1"), STP: core.STPExpireMaker}, RefusedFeature},
		{"most held, nobody has told", func(in *core.Instrument) { in.Filters.PositionMax = qt("5") }, limit(core.Buy, "100", "1"), RefusedMaxPosition},
		{"a sale adds nothing to what is held", func(in *core.Instrument) { in.Filters.PositionMax = qt("5") }, limit(core.Sell, "100.02", "1"), None},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newStage()
			if c.set != nil {
				c.set(&s.table.List[symA])
			}
			s.open(t).want(t, c.in, c.want)
		})
	}
}

func stop(typ core.OrderType, side core.Side, price, at string) core.Intent {
	in := core.Intent{Type: typ, Side: side, Stop: px(at), Qty: qt("1")}
	if price != "" {
		in.Price = px(price)
	}
	return in
}

func trail(typ core.OrderType, side core.Side, delta uint16) core.Intent {
	return core.Intent{Type: typ, Side: side, Trail: delta, Qty: qt("1")}
}

func iceberg(qty, shown string) core.Intent {
	in := limit(core.Buy, "100", qty)
	in.Iceberg = qt(shown)
	return in
}

// The prices that a venue may take for its own reference all bind.
func TestPercentPriceHoldsAtMidLastAndAverage(t *testing.T) {
	for _, tell := range map[string]func(*Gate, core.Price){
		"last": func(g *Gate, p core.Price) { g.Traded(symA, p) }, "average": func(g *Gate, p core.Price) { g.Averaged(symA, p) },
	} {
		s := newStage()
		s.table.List[symA].Filters.BidMulUp, s.table.List[symA].Filters.BidMulDown = core.Scale*12/10, core.Scale*8/10
		s.open(t)
		tell(s.gate, px("90"))
		s.must(t, limit(core.Buy, "108", "1"))
		s.want(t, limit(core.Buy, "108.01", "1"), RefusedPercentPrice)
		tell(s.gate, px("110"))
		s.must(t, limit(core.Buy, "88", "1"))
		s.want(t, limit(core.Buy, "87.99", "1"), RefusedPercentPrice)
	}
}

func TestMaxPositionCountsHoldingsFillsAndOpenBuys(t *testing.T) {
	s := newStage()
	s.table.List[symA].Filters.PositionMax = qt("10")
	s.open(t)
	before := s.must(t, limit(core.Sell, "100.02", "2"))
	s.fill(before, core.Sell, qt("2"), core.Filled)
	s.gate.Holds(symA, qt("3"), -qt("2")) // that sale included
	id := s.must(t, limit(core.Buy, "100", "4"))
	s.fill(id, core.Buy, qt("1"), core.PartiallyFilled)
	s.must(t, limit(core.Buy, "100", "3"))
	s.want(t, limit(core.Buy, "100", "0.001"), RefusedMaxPosition)
}

func TestCountsOfOrdersThatWaitAndOfIcebergs(t *testing.T) {
	for name, c := range map[string]struct {
		set  func(*core.Instruments)
		in   core.Intent
		want Refusal
	}{
		"waiting":                 {func(t *core.Instruments) { t.List[symA].Filters.AlgosMax = 2 }, stop(core.StopLossLimit, core.Sell, "99", "99"), RefusedAlgosFilter},
		"waiting on the account":  {func(t *core.Instruments) { t.Account.AlgosMax = 2 }, stop(core.TakeProfit, core.Sell, "", "101"), RefusedAlgosFilter},
		"icebergs":                {func(t *core.Instruments) { t.List[symA].Filters.IcebergsMax = 2 }, iceberg("1", "0.5"), RefusedIcebergsFilter},
		"icebergs on the account": {func(t *core.Instruments) { t.Account.IcebergsMax = 2 }, iceberg("1", "0.5"), RefusedIcebergsFilter},
		"all on the account":      {func(t *core.Instruments) { t.Account.OrdersMax = 2 }, limit(core.Buy, "100", "1"), RefusedOrdersFilter},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			c.set(s.table)
			s.open(t)
			one := s.must(t, c.in)
			s.must(t, c.in)
			s.want(t, c.in, c.want)
			if c.want != RefusedOrdersFilter {
				s.must(t, limit(core.Buy, "100", "1"))
			}
			s.report(one, core.ReportDone, core.Canceled)
			s.must(t, c.in)
			s.want(t, c.in, c.want)
		})
	}
}

func TestVenueOrderCountIsHeld(t *testing.T) {
	s := newStage()
	s.table.List[symA].Filters.OrdersMax = 2
	s.open(t)
	s.must(t, limit(core.Buy, "100", "1"))
	id := s.must(t, limit(core.Sell, "101", "1"))
	s.want(t, limit(core.Buy, "100", "1"), RefusedOrdersFilter)
	s.report(id, core.ReportDone, core.Canceled)
	s.must(t, limit(core.Buy, "100", "1"))
}

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
		{"type that needs a trigger", nil, core.Intent{Type: core.StopLossLimit, Price: px("100"), Qty: qt("1")}, RefusedType},
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

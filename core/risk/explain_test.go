package risk

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

// explain is what the gate says of the newest refusal.
func (s *stage) explain(id core.InstrumentID) string {
	return Explain(s.gate.Denied(), s.gate.Instrument(id), s.gate.Limits(id), s.gate.Account())
}

// Pains 21: each refusal names the rule, the value that met it and the nearest legal
// one.
func TestRefusalNamesRuleValueAndNearestLegalValue(t *testing.T) {
	maker := limit(core.Buy, "100.003", "1")
	maker.Type = core.LimitMaker
	for name, c := range map[string]struct {
		set  func(*stage)
		in   core.Intent
		want []string
	}{
		"tick":           {nil, maker, []string{"AAAUSDT BUY LIMIT_MAKER: filter PRICE_FILTER: price off tick", "price 100.003", "multiples of 0.01", "nearest legal: price 100"}},
		"tick, up":       {nil, limit(core.Buy, "100.006", "1"), []string{"nearest legal: price 100.01"}},
		"stop tick":      {nil, stop(core.StopLoss, core.Sell, "", "99.004"), []string{"stop price 99.004", "nearest legal: stop price 99"}},
		"least price":    {func(s *stage) { s.table.List[symA].Filters.PriceMin = px("60") }, limit(core.Buy, "59", "1"), []string{"price 59", "nearest legal: price 60"}},
		"percent":        {func(s *stage) { f := &s.table.List[symA].Filters; f.BidMulUp = core.Scale * 11 / 10 }, limit(core.Buy, "111", "1"), []string{"filter PERCENT_PRICE", "price 111 at a mid of 100.01", "nearest legal: price 110.01"}},
		"lot":            {nil, limit(core.Buy, "100", "1.0005"), []string{"quantity off lot", "quantity 1.0005", "steps of 0.001", "nearest legal: quantity 1"}},
		"least quantity": {func(s *stage) { s.table.List[symA].Filters.QtyMin = qt("0.5") }, limit(core.Buy, "100", "0.1"), []string{"quantity 0.1", "nearest legal: quantity 0.5"}},
		"market lot":     {func(s *stage) { s.table.List[symA].Filters.MarketQtyMax = qt("2") }, market(core.Buy, "3"), []string{"quantity 3", "nearest legal: quantity 2"}},
		"notional":       {func(s *stage) { s.table.List[symA].Filters.NotionalMin = am("10") }, limit(core.Buy, "99.99", "0.05"), []string{"filter NOTIONAL: 0.05 at 99.99, want 10", "nearest legal: quantity 0.101"}},
		"parts":          {func(s *stage) { s.table.List[symA].Filters.PartsMax = 3 }, iceberg("1", "0.2"), []string{"filter ICEBERG_PARTS: 0.2 shown of 1, want at most 3 parts", "nearest legal: shown quantity 0.334"}},
		"trail":          {func(s *stage) { f := &s.table.List[symA].Filters; f.TrailBelowMin, f.TrailBelowMax = 10, 2000 }, trail(core.StopLoss, core.Sell, 5), []string{"filter TRAILING_DELTA: delta 5", "nearest legal: trailing delta 10"}},
		"trigger":        {nil, stop(core.StopLoss, core.Sell, "", "100.5"), []string{"stop would trigger at once: stop price 100.5", "nearest legal: stop price 100"}},
		"quantity":       {func(s *stage) { s.limits.QtyMax = qt("2") }, limit(core.Buy, "100", "3"), []string{"qty above max: 3, want at most 2", "nearest legal: quantity 2"}},
		"value":          {func(s *stage) { s.limits.NotionalMax = am("150") }, limit(core.Buy, "100", "3"), []string{"notional above max: 3 at 100, want at most 150", "nearest legal: quantity 1.5"}},
		"collar":         {func(s *stage) { s.limits.CollarBps = 100 }, limit(core.Buy, "102", "1"), []string{"price outside collar: 102 at a mid of 100.01", "within 100 bps", "nearest legal: price 101.01"}},
		"position":       {func(s *stage) { s.limits.PositionMax = qt("2") }, limit(core.Buy, "100", "3"), []string{"position limit: position 0", "3 more, want within 2", "nearest legal: quantity 2"}},
		"open":           {func(s *stage) { s.limits.OpenMax = 1; s.table.List[symA].Filters = core.Filters{Tick: 1} }, limit(core.Buy, "100", "1"), nil},
		"symbol":         {nil, core.Intent{Instrument: symC, Price: px("100"), Qty: qt("1")}, []string{"CCCUSDT BUY LIMIT: symbol not allowed: CCCUSDT; nearest legal: none until that changes"}},
		"halted":         {func(s *stage) {}, limit(core.Buy, "100", "1"), nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			if c.set != nil {
				c.set(s)
			}
			s.open(t)
			if c.want == nil {
				s.must(t, c.in)
				s.gate.Halt(HaltKilled | HaltLoss)
				c.in.Qty++
				s.want(t, c.in, RefusedHalted)
				c.want = []string{"halted: killed, loss limit"}
			} else if _, r := s.ask(c.in); r == None {
				t.Fatal("it was let through")
			}
			got := s.explain(c.in.Instrument)
			for _, part := range c.want {
				if !strings.Contains(got, part) {
					t.Errorf("%q does not tell %q", got, part)
				}
			}
			near, ok := Nearest(s.gate.Denied(), s.gate.Instrument(c.in.Instrument), s.gate.Limits(c.in.Instrument))
			if ok {
				s.must(t, near)
			}
		})
	}
}

// Whatever the filters and limits: the nearest legal value is not refused by the rule
// it was given for.
func TestNearestLegalValuePassesItsRule(t *testing.T) {
	amount := func(t *rapid.T, name string, lo, hi int64) int64 {
		return rapid.Int64Range(lo, hi).Draw(t, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := newStage()
		f := &s.table.List[symA].Filters
		*f = core.Filters{Tick: core.Price(amount(t, "tick", 1, 2_000_000)), Lot: core.Qty(amount(t, "lot", 1, 2_000_000))}
		f.QtyMin, f.QtyMax = f.Lot*core.Qty(amount(t, "min", 1, 9)), f.Lot*core.Qty(amount(t, "max", 1000, 1<<30))
		f.PriceMin, f.PriceMax = f.Tick*core.Price(amount(t, "low", 0, 9)), f.Tick*core.Price(amount(t, "high", 1<<20, 1<<40))
		f.MarketLot = f.Lot * core.Qty(amount(t, "market lot", 0, 3))
		f.NotionalMin, f.NotionalMinMarket = core.Amount(amount(t, "notional", 0, 100*core.Scale)), rapid.Bool().Draw(t, "of market orders too")
		f.NotionalMax = core.Amount(amount(t, "most notional", 0, 1) * 100_000 * core.Scale)
		f.BidMulUp, f.BidMulDown, f.AskMulUp, f.AskMulDown = 12*core.Scale/10, 8*core.Scale/10, 5*core.Scale, core.Scale/5
		f.TrailAboveMin, f.TrailAboveMax, f.TrailBelowMin, f.TrailBelowMax = 10, 2000, 20, 1000
		f.PartsMax = int(amount(t, "parts", 1, 20))
		l := &s.limits
		l.CollarBps, l.QtyMax = amount(t, "collar", 50, 9000), core.Qty(amount(t, "qty max", 1, 1000)*core.Scale)
		l.NotionalMax, l.PositionMax = core.Amount(amount(t, "notional max", 100, 100_000)*core.Scale), core.Qty(amount(t, "position max", 1, 2000)*core.Scale)
		g, err := NewGate(s.table, map[core.InstrumentID]Limits{symA: *l}, s.account)
		if err != nil {
			t.Fatal(err)
		}
		g.Lift(HaltNotReconciled)
		s.gate = g
		s.told()
		s.sync = s.bookOf(symA, []core.Level{{Price: px("100"), Qty: qt("5000")}}, []core.Level{{Price: px("100.02"), Qty: qt("5000")}})
		for range 8 {
			in := randomIntent(t, f)
			_, r := s.ask(in)
			if r == None {
				continue
			}
			near, ok := Nearest(g.Denied(), &s.table.List[symA], l)
			if !ok {
				continue
			}
			if _, again := s.ask(near); again == r {
				t.Fatalf("%+v refused by %q, and so is the nearest legal %+v; filters %+v", in, r, near, *f)
			}
		}
	})
}

// randomIntent is an order of any type, near the rules' edges more often than not.
func randomIntent(t *rapid.T, f *core.Filters) core.Intent {
	in := core.Intent{Side: core.Side(rapid.IntRange(0, 1).Draw(t, "side")), Type: core.OrderType(rapid.IntRange(0, 6).Draw(t, "type"))}
	price := func(name string) core.Price {
		p := core.Price(rapid.Int64Range(int64(px("60")), int64(px("150"))).Draw(t, name))
		if rapid.Bool().Draw(t, name+" on tick") {
			p = p.TickFloor(f.Tick)
		}
		return max(p, 1)
	}
	in.Qty = core.Qty(rapid.Int64Range(1, 4000*core.Scale).Draw(t, "qty") >> rapid.IntRange(0, 30).Draw(t, "smaller by"))
	if rapid.Bool().Draw(t, "on lot") {
		in.Qty = in.Qty.LotFloor(f.Lot)
	}
	in.Qty = max(in.Qty, 1)
	priced := in.Type == core.Limit || in.Type == core.LimitMaker || in.Type == core.StopLossLimit || in.Type == core.TakeProfitLimit
	if priced {
		in.Price = price("price")
		if in.Qty > 2 && rapid.IntRange(0, 3).Draw(t, "iceberg") == 0 {
			in.Iceberg = core.Qty(rapid.Int64Range(1, int64(in.Qty)-1).Draw(t, "shown"))
		}
	}
	if in.Type > core.MarketOrder {
		if rapid.Bool().Draw(t, "by a stop") {
			in.Stop = price("stop")
		} else {
			in.Trail = uint16(rapid.IntRange(1, 3000).Draw(t, "trail"))
		}
	}
	return in
}

// Where no value is legal, none is named.
func TestNoValueIsNamedWhereNoneIsLegal(t *testing.T) {
	notional := newStage()
	f := &notional.table.List[symA].Filters
	f.NotionalMin, f.NotionalMax, f.NotionalMinMarket, f.NotionalMaxMarket = am("100"), am("150"), true, true
	notional.open(t)
	// 100 at the market's 100 is at least 1, 150 at the trigger's 900 at most 0.166.
	notional.want(t, core.Intent{Type: core.StopLoss, Stop: px("900"), Qty: qt("0.5")}, RefusedNotionalFilter)
	percent := newStage()
	f = &percent.table.List[symA].Filters
	f.BidMulUp, f.BidMulDown = core.Scale*11/10, core.Scale*9/10
	percent.open(t)
	percent.gate.Averaged(symA, px("140")) // 126 at least, where the mid wants 110.01 at most
	percent.want(t, limit(core.Buy, "100", "1"), RefusedPercentPrice)
	for _, s := range []*stage{notional, percent} {
		if near, ok := Nearest(s.gate.Denied(), s.gate.Instrument(symA), s.gate.Limits(symA)); ok {
			t.Errorf("%v: %+v is named as legal", s.gate.Denied().Refusal, near)
		}
	}
}

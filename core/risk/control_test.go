package risk

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
)

// Each control is put at a boundary with all others out of the way: the order at
// it passes, the one a unit beyond is refused by it, and that one passes once the
// control is relaxed, so nothing else can have refused it.
func TestControlTripsAloneExactlyAtItsBoundary(t *testing.T) {
	maker := func(in core.Intent) core.Intent { in.Type = core.LimitMaker; return in }
	cases := []struct {
		name       string
		tighten    func(*stage)
		pass, trip core.Intent
		want       Refusal
	}{
		{"quantity", func(s *stage) { s.limits.QtyMax = qt("2") }, limit(core.Buy, "100", "2"), limit(core.Buy, "100", "2.001"), RefusedQtyMax},
		{"quantity of a sale", func(s *stage) { s.limits.QtyMax = qt("2") }, limit(core.Sell, "100.02", "2"), limit(core.Sell, "100.02", "2.001"), RefusedQtyMax},
		{"quantity of a market order", func(s *stage) { s.limits.QtyMax = qt("2") }, market(core.Buy, "2"), market(core.Buy, "2.001"), RefusedQtyMax},
		{"notional", func(s *stage) { s.limits.NotionalMax = am("200") }, limit(core.Buy, "100", "2"), limit(core.Buy, "100", "2.001"), RefusedNotionalMax},
		{"notional by price", func(s *stage) { s.limits.NotionalMax = am("200") }, limit(core.Buy, "100", "2"), limit(core.Buy, "100.01", "2"), RefusedNotionalMax},
		{"notional of a sale that trades at the bid", func(s *stage) { s.limits.NotionalMax = am("200") }, limit(core.Sell, "90", "2"), limit(core.Sell, "90", "2.001"), RefusedNotionalMax},
		{"notional of a market buy at the worst level", func(s *stage) { s.limits.NotionalMax = am("606") }, market(core.Buy, "6"), market(core.Buy, "6.001"), RefusedNotionalMax},
		{"notional of a market sale at the bid", func(s *stage) { s.limits.NotionalMax = am("200") }, market(core.Sell, "2"), market(core.Sell, "2.001"), RefusedNotionalMax},
		{"position, long", func(s *stage) { s.limits.PositionMax = qt("3") }, limit(core.Buy, "100", "3"), limit(core.Buy, "100", "3.001"), RefusedPosition},
		{"position, short", func(s *stage) { s.limits.PositionMax = qt("3") }, limit(core.Sell, "101", "3"), limit(core.Sell, "101", "3.001"), RefusedPosition},
		// mid 100.01; 100 bps are 1.0001
		{"collar below", func(s *stage) { s.limits.CollarBps = 100 }, limit(core.Buy, "99.01", "1"), limit(core.Buy, "99", "1"), RefusedCollar},
		{"collar above", func(s *stage) { s.limits.CollarBps = 100 }, limit(core.Buy, "101.01", "1"), limit(core.Buy, "101.02", "1"), RefusedCollar},
		{"collar of a sale below", func(s *stage) { s.limits.CollarBps = 100 }, maker(limit(core.Sell, "99.01", "1")), maker(limit(core.Sell, "99", "1")), RefusedCollar},
		{"collar of a sale above", func(s *stage) { s.limits.CollarBps = 100 }, limit(core.Sell, "101.01", "1"), limit(core.Sell, "101.02", "1"), RefusedCollar},
		{"collar of a market buy by the level it reaches", func(s *stage) { s.limits.CollarBps = 50 }, market(core.Buy, "5"), market(core.Buy, "5.001"), RefusedCollar},
		{"collar of a market sale by the level it reaches", func(s *stage) { s.limits.CollarBps = 50 }, market(core.Sell, "5"), market(core.Sell, "5.001"), RefusedCollar},
		{"own filter on quantity", func(s *stage) { s.table.List[symA].Filters.QtyMax = qt("2") }, limit(core.Buy, "100", "2"), limit(core.Buy, "100", "2.001"), RefusedQtyBounds},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := newStage()
			c.tighten(s)
			s.open(t).must(t, c.pass)
			s = newStage()
			c.tighten(s)
			s.open(t).want(t, c.trip, c.want)
			if got := s.gate.Refused(c.want); got != 1 || s.gate.RefusedTotal() != 1 || s.gate.ApprovedTotal() != 0 {
				t.Errorf("counted %d of %v in %d refusals and %d approvals, want 1, 1, 0", got, c.want, s.gate.RefusedTotal(), s.gate.ApprovedTotal())
			}
			if e := s.gate.Exposure(symA); e != (Exposure{}) {
				t.Errorf("a refusal left exposure %+v", e)
			}
			newStage().open(t).must(t, c.trip)
		})
	}
}

// The collar's edges do not fall on the grid in general; with a mid chosen so that
// they do, the price at the edge passes and one unit of 1e-8 beyond does not.
func TestCollarIsExactToTheLastUnit(t *testing.T) {
	s := newStage()
	s.table.List[symA].Filters.Tick = 1
	s.limits.CollarBps = 25
	s.open(t)
	s.gate.Traded(symA, px("40000"))
	s.sync = s.bookOf(symA, []core.Level{{Price: px("39999.99999998"), Qty: 1}}, []core.Level{{Price: px("40000.00000002"), Qty: 1}})
	for _, side := range []core.Side{core.Buy, core.Sell} {
		for edge, beyond := range map[string]string{"39900": "39899.99999999", "40100": "40100.00000001"} {
			id := s.must(t, limit(side, edge, "1"))
			s.want(t, limit(side, beyond, "1"), RefusedCollar)
			s.report(id, core.ReportDone, core.Canceled)
		}
	}
}

func TestNotionalDoesNotWrapAtAnySize(t *testing.T) {
	s := newStage()
	s.limits.QtyMax, s.limits.PositionMax = math.MaxInt64, math.MaxInt64
	s.limits.NotionalMax, s.limits.CollarBps = math.MaxInt64, 10_000
	s.table.List[symA].Filters = core.Filters{Tick: 1}
	s.open(t)
	s.gate.Traded(symA, 0)
	high := core.Price(math.MaxInt64 - 2)
	s.sync = s.bookOf(symA, []core.Level{{Price: high - 1, Qty: 1}}, []core.Level{{Price: high + 1, Qty: 1}})
	for _, q := range []core.Qty{math.MaxInt64, math.MaxInt64 - 1, 1 << 62, 1 << 40, core.Scale + 1} {
		s.want(t, core.Intent{Price: high, Qty: q}, RefusedNotionalMax)
	}
	// A whole unit at the highest price is exactly what an Amount can still say.
	s.limits.NotionalMax = core.Amount(high)
	s.open(t)
	s.gate.Traded(symA, 0)
	s.sync = s.bookOf(symA, []core.Level{{Price: high - 1, Qty: 1}}, []core.Level{{Price: high + 1, Qty: 1}})
	s.must(t, core.Intent{Price: high, Qty: core.Scale})
	s.want(t, core.Intent{Price: high, Qty: core.Scale + 1}, RefusedNotionalMax)
}

func TestPositionDoesNotWrapAtAnyLimit(t *testing.T) {
	const most = core.Qty(math.MaxInt64)
	cases := []struct {
		e     Exposure
		side  core.Side
		q     core.Qty
		limit core.Qty
		want  bool
	}{
		{Exposure{}, core.Buy, most, most, true},
		{Exposure{Position: -most}, core.Buy, most, most, true},
		{Exposure{Position: -most, Buy: most - 1}, core.Buy, 1, most, true},
		{Exposure{Position: -most, Buy: most - 1}, core.Buy, 2, most, false}, // true in arithmetic, beyond what can be counted
		{Exposure{Position: most}, core.Buy, 1, most, false},
		{Exposure{Position: most - 1}, core.Buy, 1, most, true},
		{Exposure{Position: most, Sell: most - 1}, core.Sell, 1, most, true},
		{Exposure{Position: -most + 1}, core.Sell, 1, most, true},
		{Exposure{Position: -most + 1}, core.Sell, 2, most, false},
		{Exposure{Position: most, Buy: most}, core.Buy, most, 1, false},
		{Exposure{Position: -5, Buy: 2}, core.Buy, 8, 5, true},
		{Exposure{Position: -5, Buy: 2}, core.Buy, 9, 5, false},
		{Exposure{Position: 5, Sell: 2}, core.Sell, 8, 5, true},
		{Exposure{Position: 5, Sell: 2}, core.Sell, 9, 5, false},
	}
	for _, c := range cases {
		if got := c.e.room(c.side, c.q, c.limit); got != c.want {
			t.Errorf("%+v: room for %v of %d within %d is %v, want %v", c.e, c.side, c.q, c.limit, got, c.want)
		}
	}
}

// Working, in-flight, unknown and cancelling orders all count on their side, and
// orders of the other side never make room.
func TestPositionCountsWhatIsInFlight(t *testing.T) {
	for _, side := range []core.Side{core.Buy, core.Sell} {
		price := [2]string{"100", "100.02"}
		s := newStage()
		s.limits.PositionMax = qt("10")
		s.open(t)
		filled := s.must(t, limit(side, price[side], "2"))
		s.fill(filled, side, qt("2"), core.Filled)
		working := s.must(t, limit(side, price[side], "3"))
		s.report(working, core.ReportAck, core.New)
		doubt := s.must(t, limit(side, price[side], "1"))
		s.report(doubt, core.ReportDoubt, core.Unknown)
		leaving := s.must(t, limit(side, price[side], "1"))
		s.must(t, core.Intent{Kind: core.Cancel, ID: leaving})
		s.must(t, limit(side.Opposite(), price[side.Opposite()], "10")) // counts on its own side only
		s.must(t, limit(side, price[side], "3"))
		s.want(t, limit(side, price[side], "0.001"), RefusedPosition)
		s.report(leaving, core.ReportDone, core.Canceled)
		s.must(t, limit(side, price[side], "1"))
		s.want(t, limit(side, price[side], "0.001"), RefusedPosition)
		s.report(doubt, core.ReportResolved, core.NotSent)
		s.must(t, limit(side, price[side], "1"))
		s.want(t, limit(side, price[side], "0.001"), RefusedPosition)
	}
}

func TestOpenOrdersPerSymbolAndAccount(t *testing.T) {
	s := newStage()
	s.limits.OpenMax, s.account.OpenMax = 2, 3
	s.open(t)
	other := s.bookOf(symB, []core.Level{{Price: px("100"), Qty: 1}}, []core.Level{{Price: px("100.02"), Qty: 1}})
	inB := limit(core.Buy, "100", "1")
	inB.Instrument = symB
	first := s.must(t, limit(core.Buy, "100", "1"))
	s.must(t, limit(core.Sell, "100.02", "1"))
	s.want(t, limit(core.Buy, "100", "1"), RefusedOpenOrders)
	if _, r := approve(s.gate, inB, other, s.now); r != None {
		t.Fatalf("the third order of the account: %v", r)
	}
	if _, r := approve(s.gate, inB, other, s.now); r != RefusedAccountOrders {
		t.Fatalf("the fourth order of the account: %v, want %v", r, RefusedAccountOrders)
	}
	s.report(first, core.ReportDone, core.Canceled)
	if _, r := approve(s.gate, inB, other, s.now); r != None {
		t.Fatalf("after one ended: %v", r)
	}
	s.want(t, limit(core.Buy, "100", "1"), RefusedAccountOrders)
	if got := s.gate.Live(); got != 3 {
		t.Errorf("%d orders live, want 3", got)
	}
}

// However approvals are spread, no window of one span holds more than RateMax, and
// an order is refused only if its own would.
func TestRateHoldsInAnyWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStage()
		s.account.RateMax = rapid.IntRange(1, 6).Draw(t, "rate max")
		s.account.RateSpan = time.Duration(rapid.IntRange(1, 50).Draw(t, "span"))
		g, err := NewGate(s.table, map[core.InstrumentID]Limits{symA: s.limits}, s.account)
		if err != nil {
			t.Fatal(err)
		}
		g.Lift(HaltNotReconciled)
		s.gate = g
		s.sync = s.bookOf(symA, []core.Level{{Price: px("100"), Qty: 1}}, []core.Level{{Price: px("100.02"), Qty: 1}})
		var sent []core.MonoNs
		for range rapid.IntRange(1, 60).Draw(t, "orders") {
			s.now += core.MonoNs(rapid.IntRange(0, 20).Draw(t, "pause"))
			inWindow := 0
			for _, at := range sent {
				if s.now-at < core.MonoNs(s.account.RateSpan) {
					inWindow++
				}
			}
			want := None
			if inWindow >= s.account.RateMax {
				want = RefusedRate
			}
			id, got := s.ask(limit(core.Buy, "100", "0.001"))
			if got != want {
				t.Fatalf("at %d after %v: got %v, want %v", s.now, sent, got, want)
			}
			if got == None {
				sent = append(sent, s.now)
				s.report(id, core.ReportDone, core.Canceled)
			}
		}
	})
}

func TestStaleBookIsRefused(t *testing.T) {
	buy := limit(core.Buy, "100", "1")
	t.Run("by age", func(t *testing.T) {
		s := newStage().open(t)
		s.now += core.MonoNs(time.Second)
		s.must(t, buy)
		s.now++
		s.want(t, buy, RefusedStale)
		s.sync.Alive(&core.Event{Recv: s.now})
		s.must(t, buy)
	})
	t.Run("by a touch that depth owes", func(t *testing.T) {
		s := newStage().open(t)
		ev := core.Event{Kind: core.Touch, ID: 11, Recv: s.now, W: [4]int64{int64(px("100")), 1, int64(px("100.02")), 1}}
		s.sync.Touch(&ev)
		s.now += core.MonoNs(time.Second)
		s.must(t, buy)
		s.now++
		// Proof by an event that does not reach the touch's id is no proof of it.
		s.sync.Delta(&core.Event{Kind: core.DepthDelta, ID: 10, W: [4]int64{10}, Recv: s.now}, nil)
		s.want(t, buy, RefusedStale)
		s.sync.Delta(&core.Event{Kind: core.DepthDelta, ID: 11, W: [4]int64{11}, Recv: s.now}, nil)
		s.must(t, buy)
	})
	for name, end := range map[string]func(*stage){
		"after its line was lost": func(s *stage) { s.sync.LineDown() },
		"after an overflow":       func(s *stage) { s.sync.Overflow() },
		"after a gap": func(s *stage) {
			s.sync.Delta(&core.Event{Kind: core.DepthDelta, ID: 99, W: [4]int64{98}, Recv: s.now}, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage().open(t)
			end(s)
			s.want(t, buy, RefusedStale)
			s.want(t, market(core.Buy, "1"), RefusedStale)
		})
	}
}

func TestOneSidedBookTakesNoOrder(t *testing.T) {
	s := newStage().open(t)
	s.sync = s.bookOf(symA, []core.Level{{Price: px("100"), Qty: qt("5")}}, nil)
	s.want(t, limit(core.Buy, "100", "1"), RefusedCollar)
	s.want(t, market(core.Buy, "1"), RefusedSlippage)
	s.want(t, market(core.Sell, "1"), RefusedCollar)
}

func TestMarketOrderIsRefusedBeyondTheKnownDepth(t *testing.T) {
	s := newStage().open(t)
	s.must(t, market(core.Buy, "10"))
	s.want(t, market(core.Buy, "10.001"), RefusedSlippage)
	s.want(t, market(core.Sell, "10.001"), RefusedSlippage)
}

// Where the touch is ahead of the depth, the order meets the touch.
func TestMarketOrderIsJudgedByTheTouchWhereThatIsAhead(t *testing.T) {
	s := newStage()
	s.limits.CollarBps = 100
	s.open(t)
	s.must(t, market(core.Buy, "1"))
	s.must(t, market(core.Sell, "1"))
	s.sync.Touch(&core.Event{Kind: core.Touch, ID: 11, Recv: s.now, W: [4]int64{int64(px("96")), 1, int64(px("104")), 1}})
	s.want(t, market(core.Buy, "1"), RefusedCollar) // 4 from a mid of 100
	s.want(t, market(core.Sell, "1"), RefusedCollar)
}

func TestWhatIsNoOrderIsMalformed(t *testing.T) {
	s := newStage().open(t)
	for name, spoil := range map[string]func(*core.Intent){
		"no quantity":            func(in *core.Intent) { in.Qty = 0 },
		"negative quantity":      func(in *core.Intent) { in.Qty = -1 },
		"no such side":           func(in *core.Intent) { in.Side = 2 },
		"no such type":           func(in *core.Intent) { in.Type = core.TakeProfitLimit + 1 },
		"no such tif":            func(in *core.Intent) { in.TIF = core.FOK + 1 },
		"no such kind":           func(in *core.Intent) { in.Kind = core.Replace + 1 },
		"no such strategy":       func(in *core.Intent) { in.Strategy = strategiesMost },
		"a stop that waits not":  func(in *core.Intent) { in.Stop = px("100") },
		"a trail that waits not": func(in *core.Intent) { in.Trail = 10 },
		"a wait for nothing":     func(in *core.Intent) { in.Type = core.StopLossLimit },
		"a priced stop loss":     func(in *core.Intent) { in.Type, in.Stop = core.StopLoss, px("101") },
		"a hidden stop loss":     func(in *core.Intent) { in.Type, in.Price, in.Stop, in.Iceberg = core.TakeProfit, 0, px("99"), 1 },
		"an iceberg for once":    func(in *core.Intent) { in.TIF, in.Iceberg = core.IOC, qt("0.5") },
		"an iceberg all shown":   func(in *core.Intent) { in.Iceberg = in.Qty },
		"a negative stop":        func(in *core.Intent) { in.Type, in.Stop = core.StopLossLimit, -1 },
		"no such mode":           func(in *core.Intent) { in.STP = core.STPTransfer + 1 },
		"no such instrument":     func(in *core.Intent) { in.Instrument = 77 },
		"post-only with a tif":   func(in *core.Intent) { in.Type, in.TIF = core.LimitMaker, core.IOC },
		"priced market order":    func(in *core.Intent) { in.Type = core.MarketOrder },
		"market order, tif":      func(in *core.Intent) { in.Type, in.Price, in.TIF = core.MarketOrder, 0, core.FOK },
		"cancel of nothing":      func(in *core.Intent) { *in = core.Intent{Kind: core.CancelAll, Instrument: 77} },
	} {
		in := limit(core.Buy, "100", "1")
		spoil(&in)
		if _, r := s.ask(in); r != RefusedMalformed {
			t.Errorf("%s: got %v, want %v", name, r, RefusedMalformed)
		}
	}
}

func TestSymbolWithoutLimitsIsNotAllowed(t *testing.T) {
	s := newStage().open(t)
	in := limit(core.Buy, "100", "1")
	in.Instrument = symC
	s.want(t, in, RefusedSymbol)
}

func TestLimitsWithoutAValueAreErrors(t *testing.T) {
	for name, spoil := range map[string]func(*Limits, *AccountLimits){
		"qty_max":      func(l *Limits, _ *AccountLimits) { l.QtyMax = 0 },
		"notional_max": func(l *Limits, _ *AccountLimits) { l.NotionalMax = -1 },
		"position_max": func(l *Limits, _ *AccountLimits) { l.PositionMax = 0 },
		"open_max":     func(l *Limits, _ *AccountLimits) { l.OpenMax = 0 },
		"collar_bps":   func(l *Limits, _ *AccountLimits) { l.CollarBps = 10_001 },
		"stale_after":  func(l *Limits, _ *AccountLimits) { l.StaleAfter = 0 },
		"rate_max":     func(_ *Limits, a *AccountLimits) { a.RateMax = 0 },
		"rate_span":    func(_ *Limits, a *AccountLimits) { a.RateSpan = -1 },
		"reject_max":   func(_ *Limits, a *AccountLimits) { a.RejectMax = 0 },
	} {
		s := newStage()
		spoil(&s.limits, &s.account)
		_, err := NewGate(s.table, map[core.InstrumentID]Limits{symA: s.limits}, s.account)
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a wrong %s gives %v, want an error that names it", name, err)
		}
	}
	s := newStage()
	s.account.OpenMax = 100_001
	bad := s.limits
	bad.QtyMax = 0
	limits := map[core.InstrumentID]Limits{symA: bad, symB: bad, 9: s.limits}
	_, err := NewGate(s.table, limits, s.account)
	for _, part := range []string{"open_max is 100001", "AAAUSDT: qty_max is 0", "BBBUSDT: qty_max", "instrument 9"} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v does not tell %q", err, part)
		}
	}
	if len(limits) != 3 {
		t.Error("the caller's limits were changed")
	}
}

package risk

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
)

// by is an order of a strategy.
func by(n uint16, in core.Intent) core.Intent {
	in.Strategy = n
	return in
}

func (s *stage) grant(t testing.TB, n uint16, b Budget) {
	t.Helper()
	if err := s.gate.Grant(n, &b, []core.InstrumentID{symA}); err != nil {
		t.Fatal(err)
	}
}

func TestEachStrategyHasItsOwnPartOfThePosition(t *testing.T) {
	s := newStage().open(t)
	a, b := s.must(t, by(0, limit(core.Buy, "100", "3"))), s.must(t, by(1, limit(core.Sell, "100.02", "2")))
	if o := s.gate.Own(0, symA); o != (Exposure{Buy: qt("3"), Open: 1}) {
		t.Errorf("the first has %+v, want 3 being bought", o)
	}
	s.fill(a, core.Buy, qt("1"), core.PartiallyFilled)
	s.fill(b, core.Sell, qt("2"), core.Filled)
	if o := s.gate.Own(0, symA); o != (Exposure{Position: qt("1"), Buy: qt("2"), Open: 1}) {
		t.Errorf("the first has %+v, want 1 and 2 being bought", o)
	}
	if o := s.gate.Own(1, symA); o != (Exposure{Position: -qt("2")}) {
		t.Errorf("the second has %+v, want -2", o)
	}
	if o := s.gate.Exposure(symA); o != (Exposure{Position: -qt("1"), Buy: qt("2"), Open: 1}) {
		t.Errorf("the account has %+v, want -1", o)
	}
}

func TestBudgetsBindTheirStrategyAlone(t *testing.T) {
	for name, c := range map[string]struct {
		budget Budget
		last   string // the quantity that still passes
		over   string
		want   Refusal
		text   string
	}{
		"position": {Budget{PositionMax: map[core.InstrumentID]core.Qty{symA: qt("3")}}, "3", "3.001", RefusedOwnPosition,
			"strategy mine: position 0 with 0 being bought and 0 being sold, 3.001 more, want within 3"},
		"gross": {Budget{GrossMax: am("300.03")}, "3", "3.001", RefusedOwnCapital, "strategy mine: 0 at stake before 3.001 more at 100, want at most 300.03"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, kind := range []core.OrderType{core.Limit, core.LimitMaker, core.StopLossLimit} {
				s := newStage()
				s.account.Currency = s.table.Asset("USDT")
				s.open(t)
				c.budget.Name = "mine"
				s.grant(t, 1, c.budget)
				over, last := by(1, limit(core.Buy, "100", c.over)), by(1, limit(core.Buy, "100", c.last))
				over.Type, last.Type = kind, kind
				if kind == core.StopLossLimit {
					over.Stop, last.Stop = px("101"), px("101")
				}
				s.want(t, over, c.want)
				if got := Explain(s.gate.Denied(), s.table.Get(symA), s.gate.Limits(symA), s.gate.Account()); kind == core.Limit && !strings.Contains(got, c.text) {
					t.Errorf("it says %q, want %q in it", got, c.text)
				}
				s.must(t, by(0, over))
				s.must(t, last)
				s.want(t, by(1, limit(core.Buy, "100", "0.001")), c.want)
				s.must(t, by(0, limit(core.Buy, "100", "0.001")))
			}
		})
	}
}

func TestARateBudgetTakesThePlaceOfTheAccounts(t *testing.T) {
	s := newStage()
	s.account.StrategyRateMax, s.account.StrategySpan = 1, time.Second
	s.open(t)
	s.grant(t, 1, Budget{Name: "mine", RateMax: 2, RateSpan: time.Minute})
	s.must(t, by(1, limit(core.Buy, "100", "1")))
	s.must(t, by(1, limit(core.Buy, "100", "1")))
	s.now += core.MonoNs(2 * time.Second)
	s.told()
	s.sync.Alive(&core.Event{Recv: s.now})
	s.want(t, by(1, limit(core.Buy, "100", "1")), RefusedStrategyRate)
	if got := Explain(s.gate.Denied(), s.table.Get(symA), s.gate.Limits(symA), s.gate.Account()); !strings.Contains(got, "strategy mine: want at most 2 in 1m0s") {
		t.Errorf("it says %q", got)
	}
	s.must(t, by(0, limit(core.Buy, "100", "1")))
}

func TestALossHaltsTheStrategyThatMadeIt(t *testing.T) {
	s := newStage()
	s.account.Currency = s.table.Asset("USDT")
	s.open(t)
	s.grant(t, 0, Budget{Name: "other", LossMax: am("10")})
	s.grant(t, 1, Budget{Name: "mine", LossMax: am("10")})
	id := s.must(t, by(1, limit(core.Buy, "100", "2")))
	s.gate.Report(&core.Report{Kind: core.ReportFill, Status: core.Filled, ID: id, Instrument: symA, Price: px("100"), Qty: qt("2"), Quote: am("200"),
		FeeAsset: s.table.Asset("USDT"), Fee: am("0.5"), Recv: s.now})
	mark := func(p string) {
		s.gate.Mark(symA, px(p), s.now)
		s.gate.Revalue(s.now, core.WallNs(1e18))
	}
	mark("95.26")
	if h := s.gate.HaltedStrategy(1); h != 0 || s.gate.DayPnLOf(1) != -am("9.98") {
		t.Fatalf("at %v it is halted for %v, want -9.98 and not", s.gate.DayPnLOf(1), h)
	}
	mark("95.25")
	if h := s.gate.HaltedStrategy(1); h != HaltLoss || s.gate.Halted() != 0 || s.gate.HaltedStrategy(0) != 0 {
		t.Fatalf("halted are %v, %v alone, %v the other; want the loser alone", s.gate.Halted(), h, s.gate.HaltedStrategy(0))
	}
	s.want(t, by(1, limit(core.Buy, "100", "1")), RefusedHalted)
	s.must(t, by(0, limit(core.Buy, "100", "1")))
	s.gate.Lift(HaltLoss)
	mark("95.25")
	if h := s.gate.HaltedStrategy(1); h != 0 || s.gate.DayPnLOf(1) != 0 {
		t.Errorf("after the lift at %v it is halted for %v, want another day", s.gate.DayPnLOf(1), h)
	}
}

// Whatever happens to whose orders, the parts add up to the account's.
func TestPartsAddUp(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := newStage()
		s.account.Currency = s.table.Asset("USDT")
		s.open(t)
		for n := range uint16(3) {
			s.grant(t, n, Budget{Name: "x", GrossMax: am("100000")})
		}
		s.gate.Carry(symA, qt("5"))
		s.gate.CarryOwn(1, symA, qt("3"))
		s.gate.CarryOwn(core.NoStrategy, symA, qt("2"))
		s.gate.Mark(symA, px("100"), s.now)
		var live []core.OrderID
		rt.Repeat(map[string]func(*rapid.T){
			"order": func(t *rapid.T) {
				s.now++
				side := core.Side(rapid.IntRange(0, 1).Draw(t, "side"))
				in := by(uint16(rapid.IntRange(0, 2).Draw(t, "who")), limit(side, [2]string{"100", "100.02"}[side], "2"))
				if id, r := s.ask(in); r == None {
					live = append(live, id)
				}
			},
			"adopt": func(t *rapid.T) {
				id := core.OrderID(1)<<40 + core.OrderID(len(live))
				who := rapid.SampledFrom([]uint16{0, 7, 99, core.NoStrategy}).Draw(t, "who")
				if _, ok := s.gate.Report(&core.Report{Kind: core.ReportAdopted, Status: core.New, ID: id, Instrument: symA, Strategy: who,
					Price: px("90"), Qty: qt("1"), Recv: s.now}); ok {
					live = append(live, id)
				}
			},
			"fill": func(t *rapid.T) {
				if len(live) == 0 {
					t.SkipNow()
				}
				o := s.gate.Find(rapid.SampledFrom(live).Draw(t, "order"))
				if o == nil {
					t.SkipNow()
				}
				st, q := core.PartiallyFilled, core.Qty(rapid.Int64Range(1, int64(o.Remaining())).Draw(t, "qty"))
				if q == o.Remaining() {
					st = core.Filled
				}
				s.fill(o.ID, o.Side, q, st)
			},
			"end": func(t *rapid.T) {
				if len(live) == 0 {
					t.SkipNow()
				}
				s.report(rapid.SampledFrom(live).Draw(t, "order"), core.ReportDone, rapid.SampledFrom([]core.OrderStatus{core.Canceled, core.NotSent}).Draw(t, "end"))
			},
			"revalue": func(*rapid.T) { s.gate.Revalue(s.now, core.WallNs(1e18)) },
			"": func(t *rapid.T) {
				var sum Exposure
				for n := range strategiesMost + 1 {
					o := s.gate.Own(uint16(n), symA)
					sum.Position, sum.Buy, sum.Sell, sum.Open = sum.Position+o.Position, sum.Buy+o.Buy, sum.Sell+o.Sell, sum.Open+o.Open
				}
				if sum != s.gate.Exposure(symA) {
					t.Fatalf("the parts are %+v, the account has %+v", sum, s.gate.Exposure(symA))
				}
			},
		})
	})
}

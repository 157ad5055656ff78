package risk

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
)

// trade is a fill with its money, of an order made for it.
func (s *stage) trade(t testing.TB, side core.Side, price, qty, fee string) {
	t.Helper()
	s.now++
	in := limit(side, [2]string{"100", "100.02"}[side], qty)
	id := s.must(t, in)
	r := core.Report{Kind: core.ReportFill, Status: core.Filled, ID: id, Instrument: symA, Side: side, Price: px(price), Qty: qt(qty),
		FeeAsset: s.table.Asset("USDT"), Fee: am(fee), Recv: s.now}
	r.Quote, _ = core.NotionalOf(r.Price, r.Qty).AmountFloor()
	s.gate.Report(&r)
}

// in USDT, with a limit of the day's loss and of the way down.
func losing(t testing.TB, loss, drawdown string) *stage {
	s := newStage()
	s.account.Currency = s.table.Asset("USDT")
	s.account.LossMax, s.account.DrawdownMax = am(loss), am(drawdown)
	return s.open(t)
}

func TestLossOfTheDayHaltsRealisedAndMarked(t *testing.T) {
	t.Run("realised", func(t *testing.T) {
		s := losing(t, "10", "1000")
		s.trade(t, core.Buy, "100", "2", "0")
		s.trade(t, core.Sell, "95.01", "2", "0") // 9.98
		if s.gate.Halted() != 0 {
			t.Fatalf("halted for %v at %v", s.gate.Halted(), s.gate.DayPnL())
		}
		s.trade(t, core.Buy, "100.01", "1", "0.02") // a fee brings it to 10
		if s.gate.Halted() != HaltLoss || s.gate.DayPnL() != -am("10") {
			t.Errorf("halted for %v at %v, want %v at -10", s.gate.Halted(), s.gate.DayPnL(), HaltLoss)
		}
		s.want(t, limit(core.Buy, "100", "1"), RefusedHalted)
	})
	t.Run("marked, by a gap in the market", func(t *testing.T) {
		s := losing(t, "10", "1000")
		s.trade(t, core.Buy, "100.01", "2", "0")
		s.gate.Mark(symA, px("95.02"), s.now)
		s.gate.Revalue(s.now, core.WallNs(1e18))
		if s.gate.Halted() != 0 {
			t.Fatalf("halted for %v at %v", s.gate.Halted(), s.gate.DayPnL())
		}
		s.gate.Mark(symA, px("95.01"), s.now)
		s.gate.Revalue(s.now, core.WallNs(1e18))
		if s.gate.Halted() != HaltLoss {
			t.Errorf("halted for %v at %v, want %v", s.gate.Halted(), s.gate.DayPnL(), HaltLoss)
		}
	})
	t.Run("short", func(t *testing.T) {
		s := losing(t, "10", "1000")
		s.trade(t, core.Sell, "100.01", "2", "0")
		s.gate.Mark(symA, px("105.01"), s.now)
		s.gate.Revalue(s.now, core.WallNs(1e18))
		if s.gate.Halted() != HaltLoss {
			t.Errorf("halted for %v at %v, want %v", s.gate.Halted(), s.gate.DayPnL(), HaltLoss)
		}
	})
	t.Run("a new day", func(t *testing.T) {
		s := losing(t, "10", "1000")
		s.trade(t, core.Buy, "100.01", "1", "9")
		s.gate.Revalue(s.now, core.WallNs(1e18)+dayNs)
		s.trade(t, core.Sell, "100.01", "1", "9")
		if s.gate.Halted() != 0 {
			t.Errorf("halted for %v: 9 of yesterday are not today's", s.gate.Halted())
		}
	})
}

func TestDrawdownIsCountedFromTheBestOfTheDay(t *testing.T) {
	s := losing(t, "1000", "10")
	s.trade(t, core.Buy, "100.01", "2", "0")
	for _, step := range []struct {
		mid  string
		want HaltCause
	}{{"110.01", 0}, {"105.02", 0}, {"112.01", 0}, {"107.02", 0}, {"107.01", HaltDrawdown}} {
		s.gate.Mark(symA, px(step.mid), s.now)
		s.gate.Revalue(s.now, core.WallNs(1e18))
		if s.gate.Halted() != step.want {
			t.Fatalf("at %s halted for %v, want %v", step.mid, s.gate.Halted(), step.want)
		}
	}
	s.gate.Lift(HaltDrawdown)
	s.gate.Revalue(s.now, core.WallNs(1e18))
	s.must(t, limit(core.Buy, "100", "1")) // whoever lifted it gave another 10
}

func TestLossesInARowHaltTheSymbol(t *testing.T) {
	s := newStage()
	s.account.LossesMax = 3
	s.account.Currency = s.table.Asset("USDT")
	s.open(t)
	lose := func() { s.trade(t, core.Buy, "100", "1", "0"); s.trade(t, core.Sell, "99.99", "1", "0") }
	lose()
	lose()
	s.trade(t, core.Buy, "100", "1", "0")
	s.trade(t, core.Sell, "100.02", "1", "0") // not in a row
	lose()
	s.trade(t, core.Sell, "100", "1", "0")
	s.trade(t, core.Buy, "100", "1", "0.01") // short, and lost to the fee
	if s.gate.HaltedSymbol(symA) != 0 {
		t.Fatalf("halted for %v after two in a row", s.gate.HaltedSymbol(symA))
	}
	lose()
	s.want(t, limit(core.Buy, "100", "1"), RefusedHalted)
	if s.gate.HaltedSymbol(symA) != HaltLosses {
		t.Errorf("halted for %v, want %v", s.gate.HaltedSymbol(symA), HaltLosses)
	}
}

// chain is a table in which worth in EUR is found over USDT, BTC against the grain.
func chain(t testing.TB, most string) (*Gate, map[string]core.InstrumentID) {
	t.Helper()
	table := core.NewInstruments()
	ids := map[string]core.InstrumentID{}
	for _, p := range [][2]string{{"XRP", "BTC"}, {"EUR", "USDT"}, {"BTC", "USDT"}, {"ADA", "DOGE"}} {
		id, err := table.Add(core.Instrument{Symbol: p[0] + p[1], Base: table.Asset(p[0]), Quote: table.Asset(p[1]), Status: core.StatusTrading,
			OrderTypes: core.OrderTypeSet(0).With(core.Limit), Filters: core.Filters{Tick: 1}})
		if err != nil {
			t.Fatal(err)
		}
		ids[p[0]+p[1]] = id
	}
	l := Limits{QtyMax: qt("1000000"), NotionalMax: am("1000000"), PositionMax: qt("1000000"), OpenMax: 100, CollarBps: 10_000, StaleAfter: time.Hour}
	limits := map[core.InstrumentID]Limits{}
	for _, id := range ids {
		limits[id] = l
	}
	g, err := NewGate(table, limits, AccountLimits{OpenMax: 100, RateMax: 1000, RateSpan: 1, RejectMax: 1, Currency: table.Asset("EUR"), GrossMax: am(most)})
	if err != nil {
		t.Fatal(err)
	}
	g.Lift(HaltNotReconciled)
	return g, ids
}

// 1000 XRP at 0.00002 BTC, 60000 USDT each, 1.25 USDT to the EUR: 960 EUR.
func TestCapitalIsCountedInTheAccountsCurrencyThroughOwnBooks(t *testing.T) {
	g, ids := chain(t, "1000")
	s := newStage()
	s.table = &core.Instruments{List: g.rules}
	s.gate = g
	s.sync = s.bookOf(ids["XRPBTC"], []core.Level{{Price: px("0.00001999"), Qty: 1}}, []core.Level{{Price: px("0.00002001"), Qty: 1}})
	buy := func(qty string) core.Intent {
		return core.Intent{Instrument: ids["XRPBTC"], Price: px("0.00002"), Qty: qt(qty), Type: core.Limit}
	}
	s.want(t, buy("1"), RefusedCapital) // no price is known yet
	if text := Explain(s.gate.Denied(), &s.table.List[0], &s.limits, &s.account); !strings.Contains(text, "a price in the account's currency has not been seen yet") {
		t.Errorf("got %q", text)
	}
	g.Mark(ids["BTCUSDT"], px("60000"), s.now)
	g.Revalue(s.now, 1e18)
	s.want(t, buy("1"), RefusedCapital) // still none to the EUR
	g.Mark(ids["EURUSDT"], px("1.25"), s.now)
	g.Revalue(s.now, 1e18)
	id := s.must(t, buy("1000"))
	if g.Gross() != am("960") {
		t.Errorf("gross is %v, want 960", g.Gross())
	}
	s.want(t, buy("42"), RefusedCapital) // 40.32 more
	s.must(t, buy("41"))                 // 39.36
	g.Report(&core.Report{Kind: core.ReportDone, Status: core.Canceled, ID: id, Instrument: ids["XRPBTC"]})
	if g.Gross() != am("39.36") {
		t.Errorf("gross is %v, want 39.36", g.Gross())
	}
	// A book that was not live for long has no price any more.
	s.now += markAgeMax + 1
	s.sync.Alive(&core.Event{Recv: s.now})
	g.Mark(ids["EURUSDT"], 0, s.now)
	g.Mark(ids["XRPBTC"], px("0.00002"), s.now)
	g.Mark(ids["BTCUSDT"], px("60000"), s.now)
	g.Revalue(s.now, 1e18)
	s.want(t, buy("1"), RefusedCapital)
	// Two assets that lead nowhere have none at all.
	s.sync = s.bookOf(ids["ADADOGE"], []core.Level{{Price: px("1"), Qty: 1}}, []core.Level{{Price: px("2"), Qty: 1}})
	s.want(t, core.Intent{Instrument: ids["ADADOGE"], Price: px("1"), Qty: qt("1")}, RefusedCapital)
}

// What the gate adds up step by step is never less than a fresh look at every exposure
// gives, and never beyond the threshold at the prices of the approval.
func TestGrossNeverExceedsTheThreshold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := newPlay(t, false)
		p.account.Currency = p.table.Asset("USDT")
		p.account.GrossMax = core.Amount(rapid.IntRange(1, 3000).Draw(t, "most")) * core.Scale
		g, err := NewGate(p.table, map[core.InstrumentID]Limits{symA: p.limits}, p.account)
		if err != nil {
			t.Fatal(err)
		}
		g.Lift(HaltNotReconciled)
		p.gate = g
		step := func(t *rapid.T) {
			if w, ok := worth(px("100.01"), new(g.Exposure(symA)).worst(), core.Scale); !ok || g.Gross() < w || g.Gross() > p.account.GrossMax {
				t.Fatalf("gross is %v, want at least %v and within %v", g.Gross(), w, p.account.GrossMax)
			}
		}
		place := func(t *rapid.T) {
			side := core.Side(rapid.IntRange(0, 1).Draw(t, "side"))
			q := core.Qty(rapid.IntRange(1, 12).Draw(t, "qty")) * core.Scale
			p.now++
			if id, r := p.ask(limit(side, [2]string{"100", "100.02"}[side], q.String())); r == None {
				p.model.orders = append(p.model.orders, naiveOrder{id: id, side: side, qty: q})
			}
		}
		t.Repeat(map[string]func(*rapid.T){"place": place, "place too": place, "trade": p.trade, "end": p.end, "cancel": p.cancel, "amended": p.amended, "": step})
	})
}

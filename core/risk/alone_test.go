package risk

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
)

// after lets time pass, with the book proved anew.
func (s *stage) after(d time.Duration) {
	s.now += core.MonoNs(d)
	s.sync.Alive(&core.Event{Recv: s.now})
}

// Controls that remember: each lets its limit pass and refuses one more, alone, and
// lets that one pass too when it is wider by one.
func TestControlThatRemembersTripsAloneAtItsBoundary(t *testing.T) {
	buy, sell := limit(core.Buy, "100", "1"), limit(core.Sell, "100.02", "1")
	different := func(i int) core.Intent { in := buy; in.Qty += core.Qty(i) * 100_000; return in }
	place := func(s *stage, t testing.TB, i int) core.OrderID { return s.must(t, different(i)) }
	doubt := func(s *stage, t testing.TB, i int) {
		s.report(place(s, t, i), core.ReportDoubt, core.Unknown)
	}
	cases := []struct {
		name  string
		limit func(s *stage, n int) // that n may be
		n     int
		one   func(s *stage, t testing.TB, i int) // one more
		trip  core.Intent
		want  Refusal
	}{
		{"unknown orders", func(s *stage, n int) { s.account.UnknownMax = n }, 3, doubt, sell, RefusedUnknownOrders},
		{"unknown value", func(s *stage, n int) { s.account.UnknownValueMax = core.Amount(n) * am("100") }, 3, doubt, sell, RefusedUnknownOrders},
		{"rate of the strategy", func(s *stage, n int) { s.account.StrategyRateMax, s.account.StrategySpan = n, time.Second }, 5,
			func(s *stage, t testing.TB, i int) { place(s, t, i) }, sell, RefusedStrategyRate},
		{"rate of the account", func(s *stage, n int) { s.account.RateMax, s.account.RateSpan = n, time.Second }, 5,
			func(s *stage, t testing.TB, i int) { place(s, t, i) }, sell, RefusedRate},
		{"cancel reserve", func(s *stage, n int) {
			s.account.MessageMax, s.account.ReservePercent, s.account.RateSpan = 2*n, 50, time.Second
		}, 4,
			func(s *stage, t testing.TB, i int) { place(s, t, i) }, sell, RefusedReserve},
		{"cancel reserve, used by cancels", func(s *stage, n int) {
			s.account.MessageMax, s.account.ReservePercent, s.account.RateSpan = 4*n, 50, time.Second
		}, 4,
			func(s *stage, t testing.TB, i int) { s.must(t, core.Intent{Kind: core.Cancel, ID: place(s, t, i)}) }, sell, RefusedReserve},
		{"repeats", func(s *stage, n int) { s.limits.RepeatMax = n }, 20,
			func(s *stage, t testing.TB, i int) {
				s.after(time.Second)
				s.report(s.must(t, buy), core.ReportDone, core.Canceled)
			}, buy, RefusedRepeat},
		{"fills", func(s *stage, n int) { s.limits.ExecutionMax = n - 1 }, 5,
			func(s *stage, t testing.TB, i int) { s.fill(place(s, t, i), core.Buy, different(i).Qty, core.Filled) }, sell, RefusedHalted},
		{"rejects in the span", func(s *stage, n int) { s.account.RejectSpanMax = n }, 10,
			func(s *stage, t testing.TB, i int) {
				s.after(time.Second)
				s.report(s.must(t, sell), core.ReportAck, core.New) // not in a row
				s.report(place(s, t, i), core.ReportDone, core.Rejected)
			}, buy, RefusedHalted},
		{"ratio", func(s *stage, n int) { s.account.RatioMax = n }, 7, func(s *stage, t testing.TB, i int) { place(s, t, i) }, sell, RefusedRatio},
		// mid 100.01, the buys at 101.01: each uses a little under 1 %
		{"collar budget", func(s *stage, n int) { s.limits.DriftBps = int64(n) * 100 }, 3,
			func(s *stage, t testing.TB, i int) {
				in := different(i)
				in.Price = px("101")
				s.must(t, in)
			}, limit(core.Buy, "101.01", "2"), RefusedDrift},
		{"worth at stake", func(s *stage, n int) {
			s.account.Currency, s.account.GrossMax = s.table.Asset("USDT"), core.Amount(n)*am("100.01")+am("2")
		}, 5,
			func(s *stage, t testing.TB, i int) { place(s, t, i) }, buy, RefusedCapital},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, wider := range []int{0, 1} {
				s := newStage()
				s.account.Currency = s.table.Asset("USDT")
				c.limit(s, c.n+wider)
				s.open(t)
				for i := range c.n {
					c.one(s, t, i)
				}
				if wider == 1 {
					s.must(t, c.trip)
					continue
				}
				s.want(t, c.trip, c.want)
				if n := s.gate.RefusedTotal(); n != 1 {
					t.Errorf("%d refusals, want the one", n)
				}
			}
		})
	}
}

func TestDuplicateIsRefusedForItsSpan(t *testing.T) {
	s := newStage()
	s.account.DuplicateSpan = 500 * time.Millisecond
	s.open(t)
	buy := limit(core.Buy, "100", "1")
	s.must(t, buy)
	s.after(500*time.Millisecond - 1)
	s.want(t, buy, RefusedDuplicate)
	for name, other := range map[string]core.Intent{
		"side": limit(core.Sell, "101", "1"), "price": limit(core.Buy, "99.99", "1"), "quantity": limit(core.Buy, "100", "1.001"),
		"type":     {Type: core.LimitMaker, Price: px("100"), Qty: qt("1")},
		"strategy": {Strategy: 3, Price: px("100"), Qty: qt("1")},
	} {
		if _, r := s.ask(other); r != None {
			t.Errorf("another %s: %v", name, r)
		}
	}
	s.after(1)
	s.must(t, buy) // what was refused does not count
}

// Any number of different orders in between: a repeated one is found again.
func TestRepeatsEqualAListOfAllOrders(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := new(repeats)
		type order struct {
			hash uint64
			at   core.MonoNs
		}
		var all []order
		const span = 100
		now := core.MonoNs(0)
		for range rapid.IntRange(1, 3*repeatsKept/2).Draw(t, "orders") {
			now += core.MonoNs(rapid.SampledFrom([]int{0, 0, 0, 1, 7}).Draw(t, "pause"))
			hash := uint64(rapid.IntRange(0, 40).Draw(t, "order"))<<12 | uint64(rapid.IntRange(0, 1).Draw(t, "home"))<<1 | 1 // few homes, long chains
			count, last := int64(0), never
			recent := all[max(0, len(all)-repeatsKept):]
			for _, o := range recent {
				if o.hash == hash && now-o.at < span {
					count++
					last = o.at
				}
			}
			if c, l := r.seen(hash, now, span); c != count || l != last {
				t.Fatalf("order %x at %d: seen %d, last %d, want %d, %d", hash, now, c, l, count, last)
			}
			r.add(hash, now)
			all = append(all, order{hash, now})
		}
	})
}

// A strategy that buys the same thing again and again is stopped for good: when the
// window has passed it still is, until somebody arms it anew.
func TestRepeatThrottleStaysUntilRearmed(t *testing.T) {
	s := newStage()
	s.limits.RepeatMax = 5
	s.open(t)
	buy := limit(core.Buy, "100", "1")
	sent := 0
	for range 1000 { // Knight: an order for every tick, filled every time
		s.after(10 * time.Millisecond)
		if id, r := s.ask(buy); r == None {
			sent++
			s.fill(id, core.Buy, buy.Qty, core.Filled)
		}
	}
	if sent != 5 {
		t.Errorf("%d orders left, want 5", sent)
	}
	s.after(time.Hour)
	s.want(t, buy, RefusedHalted)
	s.want(t, limit(core.Sell, "101", "1"), RefusedHalted)
	if s.gate.HaltedSymbol(symA) != HaltRepeat || s.gate.Halted() != 0 {
		t.Errorf("halted for %v and %v, want %v on the symbol alone", s.gate.HaltedSymbol(symA), s.gate.Halted(), HaltRepeat)
	}
	s.gate.Lift(HaltRepeat)
	s.must(t, buy)
}

func TestFreshnessOfWhatTheGateWasTold(t *testing.T) {
	buy := limit(core.Buy, "100", "1")
	t.Run("clock", func(t *testing.T) {
		s := newStage()
		s.account.ClockErrorMax = 250 * time.Millisecond
		s.open(t)
		s.gate.ClockError(250 * time.Millisecond)
		s.must(t, buy)
		s.gate.ClockError(250*time.Millisecond + 1)
		s.want(t, buy, RefusedClock)
	})
	t.Run("audit", func(t *testing.T) {
		s := newStage()
		s.account.AuditAgeMax = time.Minute
		s.open(t)
		s.after(time.Minute)
		s.must(t, buy)
		s.after(1)
		s.want(t, buy, RefusedAudit)
		s.gate.Audited(s.now)
		s.must(t, buy)
	})
	t.Run("rules", func(t *testing.T) {
		s := newStage()
		s.account.RulesAgeMax = 10 * time.Minute
		s.open(t)
		s.after(10 * time.Minute)
		s.must(t, buy)
		s.after(1)
		s.want(t, buy, RefusedRulesAge)
		s.gate.RulesRead(s.now)
		s.must(t, buy)
	})
	t.Run("nothing told at all", func(t *testing.T) {
		s := newStage()
		s.everyControl()
		g, err := NewGate(s.table, map[core.InstrumentID]Limits{symA: s.limits}, s.account)
		if err != nil {
			t.Fatal(err)
		}
		g.Lift(HaltNotReconciled)
		s.gate, s.sync = g, s.bookOf(symA, []core.Level{{Price: px("100"), Qty: 1}}, []core.Level{{Price: px("100.02"), Qty: 1}})
		s.want(t, buy, RefusedClock)
	})
}

func TestSlippageBoundWalksTheOwnBook(t *testing.T) {
	s := newStage()
	s.limits.SlippageBps = 97 // of 100.02: to 100.99
	s.open(t)
	s.must(t, market(core.Buy, "5"))
	s.want(t, market(core.Buy, "5.001"), RefusedSlippage)
	s.limits.SlippageBps = 98 // to 101.0002, which is beyond the next level
	s.open(t).must(t, market(core.Buy, "5.001"))
	s.limits.SlippageBps = 100 // of 100: to 99
	s.open(t).must(t, market(core.Sell, "5.001"))
	s.limits.SlippageBps = 99
	s.open(t).want(t, market(core.Sell, "5.001"), RefusedSlippage)
}

func TestCollarHoldsAgainstTheLastTradeToo(t *testing.T) {
	s := newStage()
	s.limits.CollarBps = 100
	s.open(t)
	s.gate.Traded(symA, px("99.50"))
	s.must(t, limit(core.Buy, "100.49", "1")) // 99.5 + 0.995
	s.want(t, limit(core.Buy, "100.5", "1"), RefusedCollar)
	s.gate.Traded(symA, 0) // none seen yet
	s.must(t, limit(core.Buy, "100.5", "1"))
}

// A walk in steps that each pass the collar.
func TestSlowWalkSpendsTheCollarBudget(t *testing.T) {
	s := newStage()
	s.limits.CollarBps, s.limits.DriftBps = 100, 300
	s.account.Span = time.Minute
	s.open(t)
	walk := func(want Refusal) {
		t.Helper()
		s.want(t, limit(core.Buy, "100.81", "1"), want) // 0.8 % above the mid
	}
	for range 3 {
		walk(None)
		s.after(time.Second)
	}
	walk(RefusedDrift)
	s.want(t, limit(core.Sell, "99.21", "1"), RefusedDrift)
	s.must(t, limit(core.Buy, "99.5", "1")) // away from the market: uses nothing
	s.after(57*time.Second - 1)
	walk(RefusedDrift)
	s.after(1) // the first is a minute old
	walk(None)
	walk(RefusedDrift)
}

func TestSelfMatchIsRefusedWhateverTheOwnOrderIs(t *testing.T) {
	for name, become := range map[string]func(*stage, core.OrderID){
		"in flight": func(*stage, core.OrderID) {},
		"working":   func(s *stage, id core.OrderID) { s.report(id, core.ReportAck, core.New) },
		"unknown":   func(s *stage, id core.OrderID) { s.report(id, core.ReportDoubt, core.Unknown) },
		"cancelling": func(s *stage, id core.OrderID) {
			approve(s.gate, core.Intent{Kind: core.Cancel, ID: id}, s.sync, s.now)
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStage()
			s.account.SelfMatch = true
			s.open(t)
			far := s.must(t, limit(core.Sell, "100.50", "1"))
			near := s.must(t, limit(core.Sell, "100.30", "1"))
			become(s, near)
			s.want(t, limit(core.Buy, "100.30", "1"), RefusedSelfMatch)
			s.must(t, limit(core.Buy, "100.29", "1"))
			s.want(t, limit(core.Sell, "100.29", "1"), RefusedSelfMatch)
			s.must(t, market(core.Buy, "5")) // ends at 100.02
			s.want(t, market(core.Buy, "6"), RefusedSelfMatch)
			s.report(near, core.ReportDone, core.Canceled)
			s.must(t, limit(core.Buy, "100.49", "1"))
			s.want(t, limit(core.Buy, "100.50", "1"), RefusedSelfMatch)
			s.report(far, core.ReportDone, core.Filled)
			s.must(t, limit(core.Buy, "100.50", "1"))
		})
	}
}

func TestReduceOnlyLetsPassWhatBringsThePositionNearerToZero(t *testing.T) {
	s := newStage().open(t)
	s.fill(s.must(t, limit(core.Buy, "100", "3")), core.Buy, qt("3"), core.Filled)
	s.gate.Halt(HaltReduceOnly)
	s.want(t, limit(core.Buy, "100", "1"), RefusedReduceOnly)
	s.want(t, limit(core.Sell, "100.02", "3.001"), RefusedReduceOnly)
	s.must(t, limit(core.Sell, "100.02", "2"))
	s.want(t, limit(core.Sell, "100.02", "1.001"), RefusedReduceOnly)
	s.must(t, limit(core.Sell, "100.02", "1"))
	s.gate.HaltSymbol(symA, HaltOperator) // a second cause has no exception
	s.want(t, limit(core.Sell, "100.02", "0.001"), RefusedHalted)
	s.gate.Lift(HaltOperator | HaltReduceOnly)
	s.must(t, limit(core.Buy, "100", "1"))
}

func TestHaltOfASymbolOrAStrategyStopsNoOther(t *testing.T) {
	s := newStage().open(t)
	other := s.bookOf(symB, []core.Level{{Price: px("100"), Qty: 1}}, []core.Level{{Price: px("100.02"), Qty: 1}})
	inB := limit(core.Buy, "100", "1")
	inB.Instrument = symB
	second := limit(core.Buy, "100", "1")
	second.Strategy = 2
	s.gate.HaltSymbol(symA, HaltKilled)
	s.want(t, second, RefusedHalted)
	if _, r := approve(s.gate, inB, other, s.now); r != None {
		t.Errorf("the other symbol: %v", r)
	}
	s.gate.Lift(HaltKilled)
	s.gate.HaltStrategy(2, HaltKilled)
	s.want(t, second, RefusedHalted)
	s.must(t, limit(core.Buy, "100", "1"))
	if s.gate.Halted() != 0 || s.gate.HaltedStrategy(2) != HaltKilled {
		t.Errorf("halted for %v, strategy 2 for %v", s.gate.Halted(), s.gate.HaltedStrategy(2))
	}
}

func TestRatioBeginsAnewWithTheDayAndGrowsWithTrades(t *testing.T) {
	s := newStage()
	s.account.RatioMax = 2
	s.open(t)
	one := func(i int) core.Intent { in := limit(core.Buy, "100", "1"); in.Qty += core.Qty(i) * 100_000; return in }
	first := s.must(t, one(0))
	s.must(t, one(1))
	s.want(t, one(2), RefusedRatio)
	s.fill(first, core.Buy, qt("0.5"), core.PartiallyFilled)
	s.want(t, one(2), RefusedRatio) // 2 for the first trade
	s.fill(first, core.Buy, qt("0.5"), core.Filled)
	s.must(t, one(2))
	s.must(t, one(3))
	s.want(t, one(4), RefusedRatio)
	s.gate.Revalue(s.now, core.WallNs(1e18)+dayNs)
	s.must(t, one(4))
}

func TestNewLimitsAreChecked(t *testing.T) {
	s := newStage().open(t)
	l := s.limits
	l.QtyMax = qt("2")
	if err := s.gate.SetLimits(symA, l); err != nil {
		t.Fatal(err)
	}
	s.want(t, limit(core.Buy, "100", "2.001"), RefusedQtyMax)
	l.PositionMax = 0
	if err := s.gate.SetLimits(symA, l); err == nil || !strings.Contains(err.Error(), "position_max") {
		t.Errorf("got %v, want an error that names position_max", err)
	}
	if err := s.gate.SetLimits(symC, s.limits); err == nil || !strings.Contains(err.Error(), "not traded") {
		t.Errorf("got %v, want an error: no limit lets in a symbol that had none", err)
	}
	a := s.account
	a.OpenMax = 1
	if err := s.gate.SetAccount(a); err != nil {
		t.Fatal(err)
	}
	s.must(t, limit(core.Buy, "100", "1"))
	s.want(t, limit(core.Buy, "100", "1.5"), RefusedAccountOrders)
	a.OpenMax = 1_000_000
	if err := s.gate.SetAccount(a); err == nil {
		t.Error("an account limit beyond all bounds was taken")
	}
	a.OpenMax = mostOrders
	if err := s.gate.SetAccount(a); err != nil || s.gate.Account().OpenMax != 1000 {
		t.Errorf("open_max is %d (%v), want at most the 1000 that the table has room for", s.gate.Account().OpenMax, err)
	}
}

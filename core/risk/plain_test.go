package risk

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
)

// twins are two gates with one history: the second holds every order against the
// controls one by one.
type twins struct {
	*stage
	slow *Gate
	ids  []core.OrderID
	wall core.WallNs

	all, plain int // orders asked for, and those that one look let through
}

func (w *twins) both(f func(g *Gate)) {
	f(w.gate)
	f(w.slow)
	clear(w.slow.bounds) // whatever was bound anew: nothing is plain to it
}

func (w *twins) same(t *rapid.T) {
	a, b := w.gate, w.slow
	if a.Exposure(symA) != b.Exposure(symA) || a.Gross() != b.Gross() || a.DayPnL() != b.DayPnL() || a.Halted() != b.Halted() ||
		a.HaltedSymbol(symA) != b.HaltedSymbol(symA) || a.refused != b.refused || a.watch[symA].money != b.watch[symA].money ||
		a.watch[symA].drift.sum != b.watch[symA].drift.sum || a.watch[symA].mark != b.watch[symA].mark {
		t.Fatalf("one look and one by one differ:\n%+v gross %v pnl %v halted %v %v\n%+v gross %v pnl %v halted %v %v",
			a.Exposure(symA), a.Gross(), a.DayPnL(), a.Halted(), a.HaltedSymbol(symA),
			b.Exposure(symA), b.Gross(), b.DayPnL(), b.Halted(), b.HaltedSymbol(symA))
	}
}

// rules are random rules and limits around orders of some hundred at 100; 0 switches off
// what can be.
func (w *twins) rules(t *rapid.T) {
	n := func(name string, lo, hi int64) int64 { return rapid.Int64Range(lo, hi).Draw(t, name) }
	off := func(name string, lo, hi int64) int64 {
		return rapid.SampledFrom([]int64{0, 0, 0, 0, 0, 1}).Draw(t, name+" on") * n(name, lo, hi)
	}
	f := &w.table.List[symA].Filters
	*f = core.Filters{Tick: core.Price(n("tick", 1, 8) * 500_000), Lot: core.Qty(off("lot", 1, 1<<24))}
	f.QtyMin, f.QtyMax = core.Qty(off("qty min", 1, core.Scale)), core.Qty(off("qty max of the venue", core.Scale, 20*core.Scale))
	f.PriceMin, f.PriceMax = core.Price(off("price min", 1, int64(px("99")))), core.Price(off("price max", int64(px("101")), math.MaxInt64))
	f.NotionalMin, f.NotionalMax = core.Amount(off("notional min", 1, int64(am("90")))), core.Amount(off("notional max of the venue", int64(am("200")), math.MaxInt64))
	f.BidMulUp, f.AskMulUp = off("bid up", core.Scale, 2*core.Scale), off("ask up", core.Scale, 2*core.Scale)
	f.BidMulDown, f.AskMulDown = off("bid down", core.Scale/2, core.Scale), off("ask down", core.Scale/2, core.Scale)
	f.OrdersMax, f.PositionMax = int(off("orders of the venue", 2, 10)), core.Qty(off("position of the venue", 1, 30*core.Scale))
	l := &w.limits
	l.QtyMax, l.NotionalMax = core.Qty(n("qty max", core.Scale, 20*core.Scale)), core.Amount(n("notional max", int64(am("300")), int64(am("3000"))))
	l.PositionMax, l.OpenMax = core.Qty(n("position max", 5*core.Scale, 60*core.Scale)), int(n("open max", 3, 30))
	l.CollarBps, l.DriftBps = rapid.SampledFrom([]int64{1000, 10_000, 100, 10}).Draw(t, "collar"), off("drift", 1, 1000)
	l.RepeatMax, l.StaleAfter = int(off("repeats", 1, 8)), time.Second
	a := &w.account
	a.Currency, a.GrossMax = w.table.Asset("USDT"), core.Amount(off("gross", int64(am("100")), int64(am("6000"))))
	a.LossMax, a.DrawdownMax = core.Amount(off("loss", 1, int64(am("90")))), core.Amount(off("drawdown", 1, int64(am("90"))))
	a.OpenMax, a.UnknownMax, a.UnknownValueMax = int(n("open of the account", 4, 40)), int(off("unknown", 1, 3)), core.Amount(off("unknown value", 1, int64(am("900"))))
	a.RateMax, a.RateSpan = int(n("rate", 5, 50)), time.Second
	a.StrategyRateMax, a.StrategySpan = int(off("rate of a strategy", 1, 20)), time.Second
	a.MessageMax, a.ReservePercent, a.RejectMax = int(off("messages", 10, 40)), int(n("reserve", 0, 60)), 40
	a.RatioMax, a.DuplicateSpan, a.Span = int(off("ratio", 1, 30)), time.Duration(off("duplicates", 1, 5e8)), 10*time.Second
	a.SelfMatch = rapid.Bool().Draw(t, "self match")
	a.ClockErrorMax, a.AuditAgeMax, a.RulesAgeMax = time.Duration(off("clock", 1, 1e9)), time.Duration(off("audit", 1e9, 1e11)), time.Duration(off("rules age", 1e9, 1e11))
}

func newTwins(t *rapid.T) *twins {
	w := &twins{stage: newStage(), wall: 1e18}
	w.rules(t)
	build := func() *Gate {
		g, err := NewGate(w.table, map[core.InstrumentID]Limits{symA: w.limits, symB: w.limits}, w.account)
		if err != nil {
			t.Fatal(err)
		}
		g.Lift(HaltNotReconciled)
		return g
	}
	w.gate, w.slow = build(), build()
	w.book(t)
	w.tell(t)
	return w
}

// book is another book, with some prices off any grid.
func (w *twins) book(t *rapid.T) {
	bid := core.Price(rapid.Int64Range(int64(px("98")), int64(px("102"))).Draw(t, "bid"))
	ask := bid + core.Price(rapid.Int64Range(1, int64(px("0.5"))).Draw(t, "spread"))
	w.sync = w.bookOf(symA, []core.Level{{Price: bid, Qty: qt("50")}}, []core.Level{{Price: ask, Qty: qt("50")}})
}

// tell is all that others tell the gate, some of it too bad to go on.
func (w *twins) tell(t *rapid.T) {
	price := func(name string) core.Price {
		return core.Price(rapid.SampledFrom([]int64{1, 1, 1, 0}).Draw(t, name+" known") * rapid.Int64Range(int64(px("98")), int64(px("102"))).Draw(t, name))
	}
	last, average, held := price("last"), price("average"), core.Qty(rapid.Int64Range(0, 20*core.Scale).Draw(t, "held"))
	clock := time.Duration(rapid.Int64Range(0, 1e9).Draw(t, "clock error") >> rapid.IntRange(0, 30).Draw(t, "smaller by"))
	top := w.sync.Top()
	w.both(func(g *Gate) {
		g.Traded(symA, last)
		g.Averaged(symA, average)
		g.Holds(symA, held, g.Exposure(symA).Position)
		g.ClockError(clock)
		g.Audited(w.now)
		g.RulesRead(w.now)
		g.Mark(symA, top.Mid(), w.now)
		g.Revalue(w.now, w.wall)
	})
}

func (w *twins) place(t *rapid.T) {
	w.now += core.MonoNs(rapid.Int64Range(0, 1e8).Draw(t, "pause") >> rapid.IntRange(0, 20).Draw(t, "shorter by"))
	f, top := &w.table.List[symA].Filters, w.sync.Top()
	in := core.Intent{Side: core.Side(rapid.IntRange(0, 1).Draw(t, "side")), Type: core.OrderType(rapid.IntRange(0, 1).Draw(t, "type")),
		Strategy: uint16(rapid.IntRange(0, 1).Draw(t, "strategy"))}
	if in.Type == core.Limit {
		in.TIF = core.TIF(rapid.IntRange(0, 2).Draw(t, "tif"))
	}
	in.STP = rapid.SampledFrom([]core.STP{core.STPDefault, core.STPDefault, core.STPDefault, core.STPExpireMaker, core.STPExpireMaker, core.STPNone}).Draw(t, "stp")
	in.Price = (top.Mid() + core.Price(rapid.Int64Range(-int64(px("3")), int64(px("3"))).Draw(t, "away")>>rapid.IntRange(0, 10).Draw(t, "nearer"))).TickFloor(f.Tick)
	in.Qty = max(core.Qty(rapid.Int64Range(core.Scale/2, 12*core.Scale).Draw(t, "qty")).LotFloor(max(f.Lot, core.Scale/8)), 1)
	if rapid.IntRange(0, 9).Draw(t, "spoil") == 9 {
		switch rapid.IntRange(0, 6).Draw(t, "how") {
		case 0:
			in.Price++
		case 1:
			in.Qty--
		case 2:
			in.TIF++
		case 3:
			in.Iceberg = in.Qty / 2
		case 4:
			in.Type, in.Price, in.TIF = core.MarketOrder, 0, core.GTC
		case 5:
			in.Side, in.Strategy = core.Side(rapid.IntRange(0, 2).Draw(t, "any side")), uint16(rapid.IntRange(0, 20).Draw(t, "any strategy"))
		case 6:
			in.STP, in.Price = core.STP(rapid.IntRange(0, 9).Draw(t, "any stp")), -in.Price
		}
	}
	if len(w.ids) > 0 && rapid.IntRange(0, 9).Draw(t, "replace") == 9 {
		in.Kind, in.Old = core.Replace, w.ids[len(w.ids)-1]
	}
	if w.all++; in.Kind == core.Place && w.gate.plain(&in, w.sync, w.now, new(tally)) {
		w.plain++
	}
	a, r := approve(w.gate, in, w.sync, w.now)
	b, s := approve(w.slow, in, w.sync, w.now)
	if r != s || a != b {
		t.Fatalf("%+v: got %v in one look, %v one by one; %+v and %+v", in, r, s, a, b)
	}
	if r == None {
		w.ids = append(w.ids, a.ID())
	}
}

// report is something that becomes known of an order, true or not.
func (w *twins) tellReport(t *rapid.T) {
	if len(w.ids) == 0 {
		t.SkipNow()
	}
	id := rapid.SampledFrom(w.ids).Draw(t, "order")
	r := core.Report{Kind: core.ReportKind(rapid.IntRange(0, int(core.ReportAmended)).Draw(t, "kind")), ID: id, Instrument: symA, FeeAsset: core.NoAsset, Recv: w.now}
	r.Status = core.OrderStatus(rapid.IntRange(int(core.New), int(core.Expired)).Draw(t, "status"))
	if o := w.gate.Find(id); o != nil {
		r.Side, r.Qty, r.Price = o.Side, max(o.Remaining()/2, 1), max(o.Price, 1)
	} else {
		r.Qty, r.Price = 1, px("100")
	}
	w.both(func(g *Gate) { g.Report(&r) })
}

// What one look lets through is what the controls let through one by one, and no other
// order is; what then counts is the same. The same limits and rules may change between.
func TestOneLookDecidesAsTheControlsOneByOne(t *testing.T) {
	plain, all := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		w := newTwins(t)
		defer func() { plain, all = plain+w.plain, all+w.all }()
		place := func(t *rapid.T) {
			if rapid.IntRange(0, 4).Draw(t, "still halted") > 0 {
				w.both(func(g *Gate) { g.Lift(1<<32 - 1) })
			}
			for range rapid.IntRange(1, 12).Draw(t, "orders") {
				w.place(t)
			}
		}
		t.Repeat(map[string]func(*rapid.T){
			"place": place, "place again": place, "report": w.tellReport, "tell": w.tell, "book": w.book,
			"day": func(*rapid.T) { w.wall += dayNs / 4 },
			"halt": func(t *rapid.T) {
				c := rapid.SampledFrom([]HaltCause{HaltOperator, HaltReduceOnly}).Draw(t, "cause")
				w.both(func(g *Gate) { g.HaltSymbol(symA, c) })
			},
			"rules": func(t *rapid.T) {
				w.rules(t)
				inst := &w.table.List[symA]
				inst.Status = rapid.SampledFrom([]core.Status{core.StatusTrading, core.StatusTrading, core.StatusTrading, core.StatusTrading, core.StatusHalt}).Draw(t, "status")
				w.both(func(g *Gate) {
					g.SetRules(inst)
					if err := g.SetLimits(symA, w.limits); err != nil {
						t.Fatal(err)
					}
					if err := g.SetAccount(w.account); err != nil {
						t.Fatal(err)
					}
				})
			},
			"": w.same,
		})
	})
	t.Logf("%d of %d orders were plain", plain, all)
	if plain == 0 {
		t.Errorf("none of %d orders was let through in one look: nothing was compared", all)
	}
}

// The usual orders do take the plain road, with every control on.
func TestUsualOrdersArePlain(t *testing.T) {
	s := forBench(t)
	for name, in := range map[string]core.Intent{
		"a quote": limit(core.Buy, "100", "1"), "a post-only one": {Type: core.LimitMaker, Price: px("100"), Qty: qt("1")},
		"a taking one": {TIF: core.IOC, Price: px("100.02"), Qty: qt("1")}, "a sale through the bid": limit(core.Sell, "99.50", "1"),
		"one with a mode": {Side: core.Sell, STP: core.STPExpireMaker, Price: px("100.05"), Qty: qt("1")},
	} {
		if !s.gate.plain(&in, s.sync, s.now, new(tally)) {
			t.Errorf("%s is not", name)
		}
	}
}

func TestDivisorTellsMultiples(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := rapid.Uint64Range(1, math.MaxInt64).Draw(t, "divisor") >> rapid.IntRange(0, 62).Draw(t, "smaller by")
		d = max(d, 1)
		v := divisorOf(d)
		n := rapid.Uint64().Draw(t, "number")
		for _, n := range []uint64{n, n - n%d, n - n%d + 1, n % d, 0, d, d - 1, math.MaxUint64} {
			if got := v.divides(n); got != (n%d == 0) {
				t.Fatalf("%d divides %d: %v", d, n, got)
			}
		}
	})
}

// near never says yes where within, which is exact, says no.
func TestNearIsNeverWiderThanTheCollar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStage()
		s.limits.CollarBps = rapid.Int64Range(1, bps).Draw(t, "bps")
		g, err := NewGate(s.table, map[core.InstrumentID]Limits{symA: s.limits}, s.account)
		if err != nil {
			t.Fatal(err)
		}
		ref := core.Price(rapid.Int64Range(-5, math.MaxInt64).Draw(t, "price") >> rapid.IntRange(0, 60).Draw(t, "smaller by"))
		edge := core.Price(core.NotionalOf(ref, core.Qty(s.limits.CollarBps)).Div(bps))
		yes := false
		for d := core.Price(-1000); d <= 1; d++ {
			for _, p := range []core.Price{ref + edge + d, ref - edge - d} {
				if p < 0 || edge+d < 0 {
					continue
				}
				n := near(p, ref, g.bounds[symA].collar)
				if n && !within(p, ref, s.limits.CollarBps) {
					t.Fatalf("%d is near %d, and not within %d bps of it", p, ref, s.limits.CollarBps)
				}
				yes = yes || n
			}
		}
		if !yes && edge > 1000 && ref > 0 {
			t.Fatalf("nothing is near %d", ref)
		}
	})
}

package risk

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/core/book"
)

func px(s string) core.Price {
	p, err := core.ParsePrice(s)
	if err != nil {
		panic(s)
	}
	return p
}

func qt(s string) core.Qty {
	q, err := core.ParseQty(s)
	if err != nil {
		panic(s)
	}
	return q
}

func am(s string) core.Amount { return core.Amount(qt(s)) }

// stage is a gate before one live book: 5 at 100.00 and 5 at 100.02, mid 100.01.
// Its limits bind nothing that an order of 1 at 100.00 does; a test tightens one.
type stage struct {
	table   *core.Instruments
	limits  Limits
	account AccountLimits
	sync    *book.Sync
	gate    *Gate
	now     core.MonoNs
}

const (
	symA core.InstrumentID = iota // what tests trade
	symB                          // traded too
	symC                          // in the table, not allowed
)

func newStage() *stage {
	s := &stage{
		table: core.NewInstruments(),
		limits: Limits{QtyMax: qt("1000"), NotionalMax: am("1000000"), PositionMax: qt("10000"), OpenMax: 1000,
			CollarBps: 5000, StaleAfter: time.Second},
		account: AccountLimits{OpenMax: 1000, RateMax: 1000, RateSpan: time.Second, RejectMax: 1000},
		now:     core.MonoNs(time.Hour),
	}
	all := core.OrderTypeSet(0).With(core.Limit).With(core.LimitMaker).With(core.MarketOrder).
		With(core.StopLoss).With(core.StopLossLimit).With(core.TakeProfit).With(core.TakeProfitLimit)
	for _, sym := range []string{"AAAUSDT", "BBBUSDT", "CCCUSDT"} {
		in := core.Instrument{Symbol: sym, Base: s.table.Asset(sym[:3]), Quote: s.table.Asset("USDT"), Status: core.StatusTrading, OrderTypes: all,
			Features: core.FeatureIceberg | core.FeatureTrailing | core.FeatureAmend | core.FeatureReplace | core.FeatureSTP(core.STPExpireMaker)}
		in.Filters = core.Filters{Tick: px("0.01"), Lot: qt("0.001"), QtyMin: qt("0.001")}
		if _, err := s.table.Add(in); err != nil {
			panic(err)
		}
	}
	return s
}

// open builds the gate and makes the book live, proved now.
func (s *stage) open(t testing.TB) *stage {
	t.Helper()
	g, err := NewGate(s.table, map[core.InstrumentID]Limits{symA: s.limits, symB: s.limits}, s.account)
	if err != nil {
		t.Fatal(err)
	}
	g.Lift(HaltNotReconciled)
	s.gate = g
	s.told()
	s.sync = s.bookOf(symA, []core.Level{{Price: px("100"), Qty: qt("5")}, {Price: px("99"), Qty: qt("5")}},
		[]core.Level{{Price: px("100.02"), Qty: qt("5")}, {Price: px("101"), Qty: qt("5")}})
	return s
}

// everyControl switches on what the stage leaves off, as wide as it goes.
func (s *stage) everyControl() {
	s.limits.DriftBps, s.limits.SlippageBps, s.limits.RepeatMax, s.limits.ExecutionMax = 10_000_000, 10_000, repeatsKept, 1000
	a := &s.account
	a.Currency = s.table.Asset("USDT")
	a.GrossMax, a.LossMax, a.DrawdownMax, a.UnknownValueMax = am("1000000000"), am("1000000000"), am("1000000000"), am("1000000000")
	a.UnknownMax, a.StrategyRateMax, a.StrategySpan, a.MessageMax, a.ReservePercent = 1000, 1000, 1, 2000, 30
	a.RejectSpanMax, a.LossesMax, a.RatioMax, a.DuplicateSpan, a.Span = 1000, 1<<40, 1<<40, 500*time.Millisecond, time.Minute
	a.SelfMatch = true
	a.ClockErrorMax, a.AuditAgeMax, a.RulesAgeMax = time.Second, 1<<62, 1<<62
}

// told tells the gate all that it wants to have been told.
func (s *stage) told() *stage {
	s.gate.ClockError(0)
	s.gate.Audited(s.now)
	s.gate.RulesRead(s.now)
	s.gate.Traded(symA, px("100.01"))
	s.gate.Mark(symA, px("100.01"), s.now)
	s.gate.Revalue(s.now, core.WallNs(1e18))
	return s
}

// bookOf makes a live book, proved now.
func (s *stage) bookOf(id core.InstrumentID, bids, asks []core.Level) *book.Sync {
	b := book.NewSync(s.table.Get(id), 0, 0)
	b.Snapshot(&book.Image{Instrument: id, LastID: 10, Bids: bids, Asks: asks, Limit: 1000})
	b.Delta(&core.Event{Kind: core.DepthDelta, Instrument: id, ID: 10, W: [4]int64{10}, Recv: s.now}, nil)
	return b
}

func limit(side core.Side, price, qty string) core.Intent {
	return core.Intent{Side: side, Type: core.Limit, Price: px(price), Qty: qt(qty)}
}

func market(side core.Side, qty string) core.Intent {
	return core.Intent{Side: side, Type: core.MarketOrder, Qty: qt(qty)}
}

// approve asks a gate; what is refused must not be valid.
func approve(g *Gate, in core.Intent, sync *book.Sync, now core.MonoNs) (a Approved, r Refusal) {
	a.sealed = true // as a slot of a ring is, the second time round
	r = g.Approve(&in, sync, &Stamps{}, 1, now, &a)
	return a, r
}

func (s *stage) ask(in core.Intent) (core.OrderID, Refusal) {
	a, r := approve(s.gate, in, s.sync, s.now)
	if (r == None) != a.Valid() {
		panic("an approval is valid exactly when there is no refusal")
	}
	return a.ID(), r
}

// must asks and wants a yes.
func (s *stage) must(t testing.TB, in core.Intent) core.OrderID {
	t.Helper()
	id, r := s.ask(in)
	if r != None {
		t.Fatalf("%+v refused: %v", in, r)
	}
	return id
}

// want asks and wants that answer.
func (s *stage) want(t testing.TB, in core.Intent, want Refusal) {
	t.Helper()
	if _, r := s.ask(in); r != want {
		t.Fatalf("%+v: got %q, want %q", in, r, want)
	}
}

func (s *stage) report(id core.OrderID, k core.ReportKind, st core.OrderStatus) (Order, bool) {
	return s.gate.Report(&core.Report{Kind: k, Status: st, ID: id, Instrument: symA, FeeAsset: core.NoAsset, Recv: s.now})
}

func (s *stage) fill(id core.OrderID, side core.Side, q core.Qty, st core.OrderStatus) (Order, bool) {
	return s.gate.Report(&core.Report{Kind: core.ReportFill, Status: st, ID: id, Instrument: symA, Side: side, Qty: q, FeeAsset: core.NoAsset, Recv: s.now})
}

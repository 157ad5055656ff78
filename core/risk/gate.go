// Package risk is the gate: the only door between a decision and the wire.
// Limits go in with the config; for each intent out comes an Approved or a
// Refusal.
//
// Exposure is counted in the worst case: an order counts in full from the moment
// it is approved until venue evidence says how much of it can no longer trade.
// Working, in-flight, unknown and cancelling orders are the same to it.
//
//	gate.go      Approve: the controls, in the order of the Refusal constants
//	plain.go     all of them in one look, for most orders
//	filters.go   the venue's own rules
//	worst.go     the worst price an order can get, and what depends on it
//	window.go    what is counted over a span: rates, repeats, use of the collar
//	capital.go   worth and loss in the account's currency
//	amend.go     amends and cancels
//	limits.go    what a human allows
//	told.go      what others tell the gate; halts
//	reports.go   what became of orders: exposure, breakers, counters
//	orders.go    the table of live orders
//	own.go       what each strategy has of it all, and its budget
//	ended.go     orders that ended without venue evidence, should they live after all
//	explain.go   what a refusal means: rule, value, nearest legal value
package risk

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"riposte/core"
	"riposte/core/book"
)

// Exposure is what one instrument has at stake. Buy and Sell are the quantities
// that may still trade on each side.
type Exposure struct {
	Position  core.Qty // net of all fills since the start, signed
	Buy, Sell core.Qty
	Open      int
}

// Gate approves or refuses. It is written by one goroutine, the engine shard
// that owns it.
type Gate struct {
	rules      []core.Instrument // by instrument: those now in force
	limits     []Limits          // zero for those not traded
	bounds     []bounds          // both together
	exposure   []Exposure
	own        []own // by strategy and instrument, see cell
	watch      []watch
	venue      core.AccountFilters
	account    AccountLimits
	strategies []strategy
	orders     orderTable
	ended      endedRing
	lastID     core.OrderID

	halt        HaltCause
	haltChanges uint64
	unpriced    bool // something at stake has no price
	clockError  time.Duration
	auditAt     core.MonoNs
	rulesAt     core.MonoNs
	trusted     core.MonoNs // until then what was told is fresh enough
	span        core.MonoNs // account.Span
	openMost    int         // of account and venue

	sent         window // the last RateMax orders, amends and replaces
	messages     window // and, with cancels, as many as orders may have been
	rejected     window
	rejects      int // in a row
	unknown      int
	unknownValue core.Amount
	algos        int
	icebergs     int
	capital      capital
	repeats      repeats

	refused  [refusals]uint64
	denied   Denial
	approved uint64
}

// spareOrders is room in the order table beyond the account's limit, for orders
// that turn out to live after their end had been told.
const spareOrders = 64

// NewGate builds a gate that is halted (HaltNotReconciled). limits holds one entry
// for each instrument that may be traded; intents for others are refused. The
// error names every limit that is wrong.
func NewGate(t *core.Instruments, limits map[core.InstrumentID]Limits, account AccountLimits) (*Gate, error) {
	errs := []error{account.check()}
	known := make([]Limits, len(t.List))
	for _, id := range slices.Sorted(maps.Keys(limits)) {
		if int(id) >= len(known) {
			errs = append(errs, fmt.Errorf("cannot use limits of instrument %d: want one of the %d in the table", id, len(known)))
			continue
		}
		l := limits[id]
		errs = append(errs, l.check(t.List[id].Symbol))
		known[id] = l
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if account.Span == 0 {
		account.Span = defaultSpan
	}
	g := &Gate{
		rules:      slices.Clone(t.List),
		venue:      t.Account,
		limits:     known,
		bounds:     make([]bounds, len(t.List)),
		account:    account,
		exposure:   make([]Exposure, len(t.List)),
		own:        make([]own, (strategiesMost+1)*len(t.List)),
		watch:      make([]watch, len(t.List)),
		strategies: make([]strategy, strategiesMost),
		orders:     newOrderTable(account.OpenMax+spareOrders, len(t.List)),
		halt:       HaltNotReconciled,
		clockError: unknownClock,
		auditAt:    never,
		rulesAt:    never,
		span:       core.MonoNs(account.Span),
		sent:       newWindow(account.RateMax),
		messages:   newWindow(account.MessageMax * (percent - account.ReservePercent) / percent),
		rejected:   newWindow(account.RejectSpanMax),
		capital:    newCapital(t, account.Currency),
	}
	wanted := map[core.AssetID]bool{}
	for i := range g.watch {
		l, w := &known[i], &g.watch[i]
		w.bestOf = [2]bool{true, true} // none
		w.executions = newWindow(l.ExecutionMax)
		g.bind(core.InstrumentID(i))
		if l.DriftBps > 0 {
			w.drift.ring = make([]driftUse, driftKept)
		}
		if l.QtyMax > 0 {
			wanted[t.List[i].Quote], wanted[t.List[i].Base] = true, true
		}
	}
	for a, name := range t.Assets {
		wanted[core.AssetID(a)] = wanted[core.AssetID(a)] || name == feeToken
	}
	g.capital.need(t, wanted)
	for i := range g.strategies {
		g.strategies[i].sent, g.strategies[i].span = newWindow(account.StrategyRateMax), core.MonoNs(account.StrategySpan)
	}
	g.bindAccount()
	return g, nil
}

// feeToken is the asset in which a venue may take its fees whatever is traded.
const feeToken = "BNB"

// Approve decides on one intent. sync is the book state of the intent's instrument;
// st holds the stamps up to Decided, now is the time for which the controls are
// evaluated. On approval out is the Approved, and of a Place or Replace the order
// exists and counts, and in has got its ID; else out is not Valid. Cancels pass every
// limit and every halt.
func (g *Gate) Approve(in *core.Intent, sync *book.Sync, st *Stamps, input uint64, now core.MonoNs, out *Approved) Refusal {
	var r Refusal
	switch in.Kind {
	case core.Place:
		r = g.place(in, sync, now)
	case core.Cancel:
		r = g.cancel(in, now)
	case core.CancelAll:
		r = g.cancelAll(in, now)
	case core.Amend:
		r = g.amend(in, now)
	case core.Replace:
		r = g.replace(in, sync, now)
	default:
		r = RefusedMalformed
	}
	if r != None {
		out.sealed = false
		g.refuse(r, in, sync, now)
		return r
	}
	g.approved++
	out.intent, out.stamps, out.input, out.sealed = *in, *st, input, true
	out.stamps.Approved = now
	return None
}

// tally is what the approval of an order counts, beside the order itself.
type tally struct {
	mid   core.Price  // of the moment
	use   int64       // of the collar's budget, in 1e-8
	hash  uint64      // of the order, 0 where nobody counts repeats
	gross core.Amount // what the instrument is worth with it, where that is limited
	own   core.Amount // and what of it is the strategy's
}

// place holds an order against every control and makes it count.
func (g *Gate) place(in *core.Intent, sync *book.Sync, now core.MonoNs) Refusal {
	var t tally
	if !g.plain(in, sync, now, &t) {
		t = tally{}
		if r := g.controls(in, sync, now, &t); r != None {
			return r
		}
	}
	g.take(in, now, &t)
	return None
}

// controls is one pass over all of them, cheap and likely ones first where the order
// does not matter to who reads the refusal.
func (g *Gate) controls(in *core.Intent, sync *book.Sync, now core.MonoNs, t *tally) Refusal {
	if malformed(in) || int(in.Instrument) >= len(g.limits) || int(in.Strategy) >= len(g.strategies) {
		return RefusedMalformed
	}
	l, w, e, a := &g.limits[in.Instrument], &g.watch[in.Instrument], &g.exposure[in.Instrument], &g.account
	if halt := g.halt | w.halt | g.strategies[in.Strategy].halt; halt != 0 {
		if halt != HaltReduceOnly {
			return RefusedHalted
		}
		if !e.reduces(in.Side, in.Qty) {
			return RefusedReduceOnly
		}
	}
	if l.QtyMax == 0 {
		return RefusedSymbol
	}
	b, live := sync.Live()
	if !live || !l.current(sync, now) {
		return RefusedStale
	}
	if r := g.fresh(now); r != None {
		return r
	}
	inst, top := &g.rules[in.Instrument], sync.Top()
	if r := checkFilters(inst, in, &top, w); r != None {
		return r
	}
	if r := g.counts(&inst.Filters, in, w, e); r != None {
		return r
	}
	var x reach
	x.of(in, &top, b, l)
	var r Refusal
	if t.use, r = l.money(in, &x, w, &top); r != None {
		return r
	}
	if t.use > 0 && !w.drift.room(now, g.span, t.use, l.DriftBps*(core.Scale/bps)) {
		return RefusedDrift
	}
	if x.now && a.SelfMatch && g.selfMatch(in, x.far, w) {
		return RefusedSelfMatch
	}
	switch {
	case e.Open >= l.OpenMax:
		return RefusedOpenOrders
	case g.orders.live >= a.OpenMax:
		return RefusedAccountOrders
	case a.UnknownMax > 0 && g.unknown >= a.UnknownMax, a.UnknownValueMax > 0 && g.unknownValue >= a.UnknownValueMax:
		return RefusedUnknownOrders
	case !e.room(in.Side, in.Qty, l.PositionMax):
		return RefusedPosition
	}
	t.mid = top.Mid()
	var ok bool
	if t.gross, ok = g.threshold(in.Instrument, in.Side, in.Qty, max(t.mid, x.far)); !ok {
		return RefusedCapital
	}
	if g.strategies[in.Strategy].budget != nil {
		if t.own, r = g.afford(in, max(t.mid, x.far)); r != None {
			return r
		}
	}
	if l.RepeatMax > 0 || a.DuplicateSpan > 0 {
		t.hash = key(in)
		count, last := g.repeats.seen(t.hash, now, g.span)
		if now-last < core.MonoNs(a.DuplicateSpan) {
			return RefusedDuplicate
		}
		if l.RepeatMax > 0 && count >= int64(l.RepeatMax) {
			g.raise(&w.halt, HaltRepeat)
			return RefusedRepeat
		}
	}
	if a.RatioMax > 0 && g.capital.orders >= uint64(a.RatioMax)*max(g.capital.trades, 1) {
		return RefusedRatio
	}
	return g.budget(in.Strategy, now)
}

// take makes an order count that has passed.
func (g *Gate) take(in *core.Intent, now core.MonoNs, t *tally) {
	w := &g.watch[in.Instrument]
	g.spend(in.Strategy, now)
	g.capital.orders++
	if t.hash != 0 {
		g.repeats.add(t.hash, now)
	}
	if t.use > 0 {
		w.drift.add(now, t.use)
	}
	w.mark, w.markAt = t.mid, now
	if g.account.GrossMax > 0 {
		g.capital.gross += t.gross - w.gross
		w.gross = t.gross
	}
	if t.own != 0 {
		s, c := &g.strategies[in.Strategy], g.cell(in.Strategy, in.Instrument)
		s.gross += t.own - c.gross
		c.gross = t.own
	}
	g.lastID++
	in.ID = g.lastID
	o := g.orders.add(in.ID, in.Instrument)
	o.Price, o.Qty, o.Approved = in.Price, in.Qty, now
	o.Strategy, o.Side, o.Type, o.at = in.Strategy, in.Side, in.Type, g.cellAt(in.Strategy, in.Instrument)
	o.waits, o.iceberg = in.Type > core.MarketOrder, in.Iceberg > 0
	o.rests = in.Type <= core.LimitMaker && in.TIF == core.GTC
	g.enter(o)
}

// fresh is about what the gate must have been told lately.
func (g *Gate) fresh(now core.MonoNs) Refusal {
	a := &g.account
	switch {
	case a.ClockErrorMax > 0 && g.clockError > a.ClockErrorMax:
		return RefusedClock
	case a.AuditAgeMax > 0 && now-g.auditAt > core.MonoNs(a.AuditAgeMax):
		return RefusedAudit
	case a.RulesAgeMax > 0 && now-g.rulesAt > core.MonoNs(a.RulesAgeMax):
		return RefusedRulesAge
	}
	return None
}

// budget reports whether every budget has one message left that is no cancel.
func (g *Gate) budget(strategy uint16, now core.MonoNs) Refusal {
	a, s := &g.account, &g.strategies[strategy]
	switch {
	case s.sent.full(now, s.span):
		return RefusedStrategyRate
	case g.sent.full(now, core.MonoNs(a.RateSpan)):
		return RefusedRate
	case g.messages.full(now, core.MonoNs(a.RateSpan)):
		return RefusedReserve
	}
	return None
}

// spend takes one message that is no cancel from every budget.
func (g *Gate) spend(strategy uint16, now core.MonoNs) {
	g.strategies[strategy].sent.add(now)
	g.sent.add(now)
	g.messages.add(now)
}

// malformed reports what no order can be, whatever the symbol.
func malformed(in *core.Intent) bool {
	if in.Qty <= 0 || in.Side > core.Sell || in.Type > core.TakeProfitLimit || in.TIF > core.FOK || in.STP > core.STPTransfer ||
		in.Iceberg|core.Qty(in.Stop) < 0 {
		return true
	}
	if in.Type == core.Limit && in.Iceberg|core.Qty(in.Stop)|core.Qty(in.Trail) == 0 {
		return false // the likely one
	}
	switch in.Type {
	case core.LimitMaker:
		if in.TIF != core.GTC {
			return true
		}
	case core.MarketOrder, core.StopLoss, core.TakeProfit:
		if in.TIF != core.GTC || in.Price != 0 || in.Iceberg != 0 {
			return true
		}
	}
	waits := in.Type > core.MarketOrder
	if triggered := in.Stop != 0 || in.Trail != 0; triggered != waits {
		return true
	}
	return in.Iceberg != 0 && (in.TIF != core.GTC || in.Iceberg >= in.Qty)
}

// enter makes an order count.
func (g *Gate) enter(o *Order) {
	e, c, w := &g.exposure[o.Instrument], &g.own[o.at], &g.watch[o.Instrument]
	e.Open++
	c.Open++
	*e.open(o.Side) += o.Remaining()
	*c.open(o.Side) += o.Remaining()
	if o.waits {
		w.algos++
		g.algos++
	}
	if o.iceberg {
		w.icebergs++
		g.icebergs++
	}
	if best := &w.best[o.Side]; o.rests && w.bestOf[o.Side] && (*best == 0 || better(o.Side, o.Price, *best)) {
		*best = o.Price
	}
}

// leave takes an order out of the table and of what is at stake.
func (g *Gate) leave(o *Order) {
	e, c, w := &g.exposure[o.Instrument], &g.own[o.at], &g.watch[o.Instrument]
	*e.open(o.Side) -= o.Remaining()
	*c.open(o.Side) -= o.Remaining()
	e.Open--
	c.Open--
	if o.waits {
		w.algos--
		g.algos--
	}
	if o.iceberg {
		w.icebergs--
		g.icebergs--
	}
	if o.rests && o.Price == w.best[o.Side] {
		w.best[o.Side], w.bestOf[o.Side] = 0, e.Open == 0
	}
	if o.Status == core.Unknown {
		g.unknown--
		g.unknownValue -= o.doubt
	}
	g.orders.remove(o.ID)
}

// current reports whether a Live book was proved current lately and does not owe
// the touch stream a change for long.
func (l *Limits) current(sync *book.Sync, now core.MonoNs) bool {
	if now-sync.LastProof() > core.MonoNs(l.StaleAfter) {
		return false
	}
	owed := sync.Owed()
	return owed == 0 || now-owed <= core.MonoNs(l.StaleAfter)
}

// open is the quantity at stake on a side.
func (e *Exposure) open(s core.Side) *core.Qty {
	if s == core.Sell {
		return &e.Sell
	}
	return &e.Buy
}

// room reports whether one more order of q leaves the worst case of its side
// within limit: everything on that side trades, nothing on the other does. No
// term can overflow, whatever the limit.
func (e *Exposure) room(s core.Side, q, limit core.Qty) bool {
	open, net := e.Buy, e.Position
	if s == core.Sell {
		open, net = e.Sell, -e.Position
	}
	if open > math.MaxInt64-q {
		return false
	}
	open += q
	if net > 0 {
		return net <= limit-open
	}
	return net+open <= limit
}

// reduces reports whether an order brings the position nearer to 0 whatever else on
// its side trades before.
func (e *Exposure) reduces(s core.Side, q core.Qty) bool {
	if s == core.Buy {
		return e.Position < 0 && q <= -e.Position-e.Buy
	}
	return e.Position > 0 && q <= e.Position-e.Sell
}

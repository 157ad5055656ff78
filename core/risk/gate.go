// Package risk is the gate: the only door between a decision and the wire.
// Limits go in with the config; for each intent out comes an Approved or a
// Refusal.
//
// Exposure is counted in the worst case: an order counts in full from the moment
// it is approved until venue evidence says how much of it can no longer trade.
// Working, in-flight, unknown and cancelling orders are the same to it.
//
//	gate.go      Approve: the controls, in the order of the Refusal constants
//	filters.go   the venue's own rules
//	limits.go    what a human allows
//	reports.go   what became of orders: exposure, halts, counters
//	orders.go    the table of live orders
//	ended.go     orders that ended without venue evidence, should they live after all
package risk

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

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
	instruments *core.Instruments
	limits      []Limits // by instrument; zero for those not traded
	account     AccountLimits
	exposure    []Exposure
	orders      orderTable
	ended       endedRing
	lastID      core.OrderID
	sent        []core.MonoNs // ring of the last RateMax approvals
	sentAt      int
	rejects     int // in a row
	halt        HaltCause
	refused     [refusals]uint64
	approved    uint64
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
	g := &Gate{
		instruments: t,
		limits:      known,
		account:     account,
		exposure:    make([]Exposure, len(t.List)),
		orders:      newOrderTable(account.OpenMax+spareOrders, len(t.List)),
		sent:        make([]core.MonoNs, account.RateMax),
		halt:        HaltNotReconciled,
	}
	for i := range g.sent {
		g.sent[i] = -1 << 62 // never
	}
	return g, nil
}

// Approve decides on one intent. sync is the book state of the intent's
// instrument; st holds the stamps up to Decided, now is the time for which the
// controls are evaluated. On approval of a Place the order exists and counts,
// and the intent has got its ID. Cancels pass every limit and every halt.
func (g *Gate) Approve(in core.Intent, sync *book.Sync, st Stamps, input uint64, now core.MonoNs) (Approved, Refusal) {
	var r Refusal
	switch in.Kind {
	case core.Place:
		r = g.place(&in, sync, now)
	case core.Cancel:
		r = g.cancel(&in)
	case core.CancelAll:
		r = g.cancelAll(&in)
	default:
		r = RefusedMalformed
	}
	if r != None {
		g.refused[r]++
		return Approved{}, r
	}
	g.approved++
	st.Approved = now
	return Approved{intent: in, stamps: st, input: input, sealed: true}, None
}

func (g *Gate) place(in *core.Intent, sync *book.Sync, now core.MonoNs) Refusal {
	if g.halt != 0 {
		return RefusedHalted
	}
	if malformed(in) || int(in.Instrument) >= len(g.limits) {
		return RefusedMalformed
	}
	l := &g.limits[in.Instrument]
	if l.QtyMax == 0 {
		return RefusedSymbol
	}
	b, live := sync.Live()
	if !live || !l.current(sync, now) {
		return RefusedStale
	}
	inst, e, top := g.instruments.Get(in.Instrument), &g.exposure[in.Instrument], sync.Top()
	if r := checkFilters(inst, in, &top, e.Open); r != None {
		return r
	}
	if r := l.money(in, &top, b); r != None {
		return r
	}
	if e.Open >= l.OpenMax {
		return RefusedOpenOrders
	}
	if g.orders.live >= g.account.OpenMax {
		return RefusedAccountOrders
	}
	if !e.room(in.Side, in.Qty, l.PositionMax) {
		return RefusedPosition
	}
	if now-g.sent[g.sentAt] < core.MonoNs(g.account.RateSpan) {
		return RefusedRate
	}
	g.sent[g.sentAt] = now
	if g.sentAt++; g.sentAt == len(g.sent) {
		g.sentAt = 0
	}
	g.lastID++
	in.ID = g.lastID
	o := g.orders.add(in.ID, in.Instrument)
	o.Price, o.Qty, o.Approved = in.Price, in.Qty, now
	o.Strategy, o.Side, o.Type, o.Status = in.Strategy, in.Side, in.Type, core.PendingNew
	e.Open++
	*e.open(in.Side) += in.Qty
	return None
}

// malformed reports what no order can be, whatever the symbol.
func malformed(in *core.Intent) bool {
	switch {
	case in.Qty <= 0, in.Side > core.Sell, in.Type > core.TakeProfitLimit, in.TIF > core.FOK:
		return true
	case in.Stop|core.Price(in.Iceberg)|core.Price(in.Trail) != 0, in.STP > core.STPTransfer:
		return true
	case in.Type == core.LimitMaker:
		return in.TIF != core.GTC
	case in.Type == core.MarketOrder:
		return in.TIF != core.GTC || in.Price != 0
	}
	return false
}

// leave takes an order out of the table and of what is at stake.
func (g *Gate) leave(o *Order) {
	e := &g.exposure[o.Instrument]
	*e.open(o.Side) -= o.Remaining()
	e.Open--
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

// money checks the limits that a human set, at the worst price the order can get.
func (l *Limits) money(in *core.Intent, top *core.Top, b *book.Book) Refusal {
	if in.Qty > l.QtyMax {
		return RefusedQtyMax
	}
	far, dear := in.Price, in.Price // for the collar, for the value
	if in.Type == core.MarketOrder {
		var filled core.Qty
		if far, filled = sweep(in, top, b); filled < in.Qty {
			return RefusedCollar // nobody can say where the rest would trade
		}
		dear = far
	}
	if in.Side == core.Sell {
		dear = max(dear, top.Bid) // a sale below the best bid trades there or better
	}
	if core.NotionalOf(dear, in.Qty).Cmp(core.NotionalOfAmount(l.NotionalMax)) > 0 {
		return RefusedNotionalMax
	}
	if mid := top.Mid(); mid == 0 || !within(far, mid, l.CollarBps) {
		return RefusedCollar
	}
	return None
}

// sweep walks the own book as a MARKET order would: the worst price it meets, the
// touch included where that is ahead of the depth, and how much it would fill.
func sweep(in *core.Intent, top *core.Top, b *book.Book) (core.Price, core.Qty) {
	_, worst, filled := b.Cost(in.Side, in.Qty)
	if in.Side == core.Buy {
		return max(worst, top.Ask), filled
	}
	return min(worst, top.Bid), filled
}

// within reports whether |p - mid| <= mid * bps / 10000, exactly.
func within(p, mid core.Price, bps int64) bool {
	return core.NotionalOf(p-mid, 10_000).Cmp(core.NotionalOf(mid, core.Qty(bps))) <= 0
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

func (g *Gate) cancel(in *core.Intent) Refusal {
	o := g.orders.find(in.ID)
	if o == nil {
		return RefusedUnknownOrder
	}
	if o.Canceling {
		return RefusedCancelPending
	}
	o.Canceling = true
	in.Instrument, in.Side, in.Strategy = o.Instrument, o.Side, o.Strategy
	in.Price, in.Qty, in.Type = o.Price, o.Qty, o.Type
	return None
}

func (g *Gate) cancelAll(in *core.Intent) Refusal {
	if int(in.Instrument) >= len(g.exposure) {
		return RefusedMalformed
	}
	for s := g.orders.heads[in.Instrument]; s != noSlot; s = g.orders.slots[s].next {
		g.orders.slots[s].Canceling = true
	}
	return None
}

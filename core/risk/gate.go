// Package risk is the gate: the only door between a decision and the wire.
// Limits go in with the config; for each intent out comes an Approved or a
// Refusal.
//
// Exposure is counted in the worst case: an order counts in full from the moment
// it is approved until venue evidence says how much of it can no longer trade.
// Working, in-flight, unknown and cancelling orders are the same to it.
package risk

import (
	"riposte/core"
	"riposte/core/book"
)

// Exposure is what one instrument has at stake. Buy and Sell are the quantities
// that may still trade on each side.
type Exposure struct {
	Position  core.Qty // net of all fills, signed
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
	lastID      core.OrderID
	sent        []core.MonoNs // ring of the last RateMax approvals
	sentAt      int
	rejects     int // in a row
	halt        HaltCause
	refused     [refusals]uint64
	approved    uint64
}

// NewGate builds a gate that is halted (HaltNotReconciled). limits holds one entry
// for each instrument that may be traded; intents for others are refused.
func NewGate(t *core.Instruments, limits map[core.InstrumentID]Limits, account AccountLimits) (*Gate, error) {
	if err := account.check(); err != nil {
		return nil, err
	}
	g := &Gate{
		instruments: t,
		limits:      make([]Limits, len(t.List)),
		account:     account,
		exposure:    make([]Exposure, len(t.List)),
		orders:      newOrderTable(account.OpenMax, len(t.List)),
		sent:        make([]core.MonoNs, account.RateMax),
		halt:        HaltNotReconciled,
	}
	for i := range g.sent {
		g.sent[i] = -1 << 62 // never
	}
	for id, l := range limits {
		if err := l.check(t.Get(id).Symbol); err != nil {
			return nil, err
		}
		g.limits[id] = l
	}
	return g, nil
}

// Approve decides on one intent. sync is the book state of the intent's
// instrument; st holds the stamps up to Decided, now is the time of approval. On
// approval of a Place the order exists and counts, and the intent has got its ID.
func (g *Gate) Approve(in core.Intent, sync *book.Sync, st Stamps, input uint64, now core.MonoNs) (Approved, Refusal) {
	var r Refusal
	switch in.Kind {
	case core.Place:
		r = g.place(&in, sync, now)
	case core.Cancel:
		r = g.cancel(&in)
	case core.CancelAll:
		g.markAllCanceling(in.Instrument)
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
	if int(in.Instrument) >= len(g.limits) || in.Qty <= 0 || in.Side > core.Sell || in.Type > core.TakeProfitLimit {
		return RefusedMalformed
	}
	l := &g.limits[in.Instrument]
	if l.QtyMax == 0 {
		return RefusedMalformed
	}
	if !l.current(sync, now) {
		return RefusedStale
	}
	inst := g.instruments.Get(in.Instrument)
	top := sync.Top()
	if r := checkFilters(inst, in, &top); r != None {
		return r
	}
	if r := l.money(in, &top); r != None {
		return r
	}
	e := &g.exposure[in.Instrument]
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
	g.orders.add(Order{ID: in.ID, Instrument: in.Instrument, Strategy: in.Strategy, Side: in.Side, Type: in.Type,
		Price: in.Price, Qty: in.Qty, Status: core.PendingNew, Approved: now})
	e.Open++
	*e.open(in.Side) += in.Qty
	return None
}

// current reports whether the book is Live, was proved current lately and does not
// owe the touch stream a change for long.
func (l *Limits) current(sync *book.Sync, now core.MonoNs) bool {
	if _, live := sync.Live(); !live || now-sync.LastProof() > core.MonoNs(l.StaleAfter) {
		return false
	}
	owed := sync.Owed()
	return owed == 0 || now-owed <= core.MonoNs(l.StaleAfter)
}

// money checks the limits that a human set, at the worst price the order can get.
func (l *Limits) money(in *core.Intent, top *core.Top) Refusal {
	if in.Qty > l.QtyMax {
		return RefusedQtyMax
	}
	worst := in.Price
	if in.Type == core.MarketOrder {
		worst = max(top.Bid, top.Ask)
	}
	if core.NotionalOf(worst, in.Qty).Cmp(core.NotionalOfAmount(l.NotionalMax)) > 0 {
		return RefusedNotionalMax
	}
	if in.Type != core.MarketOrder {
		mid := top.Mid()
		if mid == 0 || !within(in.Price, mid, l.CollarBps) {
			return RefusedCollar
		}
	}
	return None
}

// within reports whether |p - mid| <= mid * bps / 10000, exactly.
func within(p, mid core.Price, bps int64) bool {
	d := p - mid
	if d < 0 {
		d = -d
	}
	return core.NotionalOf(d, 10_000).Cmp(core.NotionalOf(mid, core.Qty(bps))) <= 0
}

// open is the quantity at stake on a side.
func (e *Exposure) open(s core.Side) *core.Qty {
	if s == core.Sell {
		return &e.Sell
	}
	return &e.Buy
}

// room reports whether one more order of q leaves the worst case of its side
// within limit: everything on that side trades, nothing on the other does.
func (e *Exposure) room(s core.Side, q, limit core.Qty) bool {
	if s == core.Buy {
		return e.Position+e.Buy <= limit-q
	}
	return e.Sell-e.Position <= limit-q
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

func (g *Gate) markAllCanceling(id core.InstrumentID) {
	for s := g.orders.heads[id]; s != noSlot; s = g.orders.slots[s].next {
		g.orders.slots[s].Canceling = true
	}
}

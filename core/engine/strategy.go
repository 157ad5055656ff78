package engine

import (
	"riposte/core"
	"riposte/core/bar"
	"riposte/core/book"
	"riposte/core/risk"
	"riposte/core/signal"
)

// Strategy decides for one instrument. The shard calls it on its own goroutine,
// one call at a time, so a strategy needs no locks; it must not block, keep a
// *View beyond the call's meaning, or start goroutines that use one.
//
// Market is called only while the instrument's book is Live, after a whole event
// has been applied: a strategy cannot see a book that is not proved.
type Strategy interface {
	// Market tells of one market event: a depth delta, a new touch, a trade.
	Market(v *View, ev *core.Event)
	// Report tells what became of one of this instrument's own orders. o is the
	// order as it stands after the report, valid during the call; the gate has
	// forgotten it if ended. The book need not be Live. Only the strategy that asked for
	// an order hears of it.
	Report(v *View, r *core.Report, o *risk.Order)
	// Timer is called at the shard's timer interval while the book is Live, and when a
	// signal from outside has been accepted, which is then in View.Fired.
	Timer(v *View)
}

// Factory builds the strategy of one instrument from its parameters. An unknown or
// illegal parameter is an error.
type Factory func(in *core.Instrument, p *Params) (Strategy, error)

// BarStrategy is a strategy that wants to hear of complete bars. It is called once for
// each that becomes complete from when it may act on, in order, the book Live or not;
// what was there before is in View.Bars.
type BarStrategy interface {
	Strategy
	Bar(v *View, in bar.Interval, b *bar.Bar)
}

// Seat is a strategy at an instrument, under the strategy's number: the gate's
// (risk.Budget), by which orders, fills and halts are told apart. The same strategy of the
// configuration has the same number at each of its instruments.
type Seat struct {
	Number   uint16
	Strategy Strategy
	// Make builds another of the strategy, with these parameters other than the
	// configuration's; nil where parameters do not change. See Maker.
	Make func(set map[string]string) (Strategy, error)
}

// seat is one strategy at one instrument, within a shard.
type seat struct {
	Seat
	view View
	bars BarStrategy // nil if it does not want to hear of them
	says Saying      // nil if it has nothing to say
}

// View is what a strategy sees and can do: its instrument's market, its own orders and
// position, and the way to the gate. Several strategies may be at one instrument; each sees
// the others only in Account. It belongs to the shard's goroutine.
type View struct {
	s *Shard
	m *market
	n uint16 // of the strategy
}

// Strategy is the number under which the strategy's orders go.
func (v *View) Strategy() uint16 { return v.n }

// Instrument is the symbol with its rules.
func (v *View) Instrument() *core.Instrument { return v.m.inst }

// Top is the freshest best bid and ask, by update id, of book and touch stream.
func (v *View) Top() core.Top { return v.m.top }

// Live reports whether the book may be read. It always may inside Market and
// Timer; a report can come at any time.
func (v *View) Live() bool {
	_, live := v.m.sync.Live()
	return live
}

// Book is the whole ladder. Only while Live; read, do not keep. It
// may be up to one depth interval older than Top.
func (v *View) Book() *book.Book {
	b, live := v.m.sync.Live()
	if !live {
		panic("BUG: a strategy was called for a book that is not Live")
	}
	return b
}

// Signals are the instrument's streaming signals.
func (v *View) Signals() *signal.Set { return &v.m.signals }

// Bars are the complete bars of an interval of the configuration, and the venue's own
// klines where only their stream is subscribed; nil if there are none.
func (v *View) Bars(in bar.Interval) *bar.Series {
	if v.m.trail == nil {
		return nil
	}
	return v.m.trail.Bars(in)
}

// Warm reports whether the history that the configuration asks for is there. Until then a
// strategy is not called, unless the configuration has it act without after a while.
func (v *View) Warm() bool { return v.m.trail == nil || v.m.trail.Warm() }

// Levels are those of the event that Market is called for.
func (v *View) Levels() []core.Level { return v.m.levels }

// Now is the monotonic time of this call, read once per input.
func (v *View) Now() core.MonoNs { return v.s.now }

// Exposure is the strategy's own position at the instrument and what of its own orders
// may still trade. With a single strategy that is the account's, but for what nobody
// began: orders and positions of a former run that had another strategy.
func (v *View) Exposure() risk.Exposure { return v.s.gate.Own(v.n, v.m.id) }

// Account is the same of all strategies together, which is what the limits of the
// instrument bind.
func (v *View) Account() risk.Exposure { return v.s.gate.Exposure(v.m.id) }

// Orders calls f for each own live order of the instrument, newest first, until f
// returns false. f must not place or cancel; collect ids and do it after.
func (v *View) Orders(f func(*risk.Order) bool) { v.s.gate.EachOf(v.n, v.m.id, f) }

// Order is one own live order of the instrument, nil if it has ended or is another
// strategy's. Valid until the next call that places or cancels.
func (v *View) Order(id core.OrderID) *risk.Order {
	if o := v.s.gate.Find(id); o != nil && o.Instrument == v.m.id && o.Strategy == v.n {
		return o
	}
	return nil
}

// Halted is why the strategy may send nothing new on this instrument, 0 while trading is
// active.
func (v *View) Halted() risk.HaltCause {
	return v.s.gate.Halted() | v.s.gate.HaltedSymbol(v.m.id) | v.s.gate.HaltedStrategy(v.n)
}

// Denied is the newest refusal with what it was judged by, valid until something is
// asked for again; risk.Nearest makes the nearest legal order of it.
func (v *View) Denied() *risk.Denial { return v.s.gate.Denied() }

// Limits are those in force for the instrument.
func (v *View) Limits() *risk.Limits { return v.s.gate.Limits(v.m.id) }

// Sellable is how much of a long position an order at a price can sell: all of it
// rounded down to the lot, less what is being sold already. It is 0 where the venue
// would not take so little; the rest, up to the whole position, is then dust.
func (v *View) Sellable(p core.Price) (q, dust core.Qty) {
	e, f := v.Exposure(), &v.m.inst.Filters
	free := max(e.Position-e.Sell, 0)
	q = free.LotFloor(f.Lot)
	if q < f.QtyMin || core.NotionalOf(p, q).Cmp(core.NotionalOfAmount(f.NotionalMin)) < 0 {
		q = 0
	}
	return q, free - q
}

// Place asks the gate for a new order. in needs Side, Type, TIF, Price (0 for
// MARKET) and Qty. The id is valid only with risk.None.
func (v *View) Place(in core.Intent) (core.OrderID, risk.Refusal) {
	in.Kind, in.Strategy = core.Place, v.n
	return v.s.ask(v.m, in)
}

// Limit places a LIMIT order that stays until cancelled.
func (v *View) Limit(side core.Side, p core.Price, q core.Qty) (core.OrderID, risk.Refusal) {
	return v.Place(core.Intent{Side: side, Type: core.Limit, TIF: core.GTC, Price: p, Qty: q})
}

// Post places a LIMIT_MAKER order: the venue rejects it where it would take.
func (v *View) Post(side core.Side, p core.Price, q core.Qty) (core.OrderID, risk.Refusal) {
	return v.Place(core.Intent{Side: side, Type: core.LimitMaker, Price: p, Qty: q})
}

// Cancel asks for the end of an own order of the instrument. Cancels pass every
// limit and every halt; RefusedOutboundFull is the one refusal to try again after.
func (v *View) Cancel(id core.OrderID) risk.Refusal {
	if v.Order(id) == nil {
		return risk.RefusedUnknownOrder
	}
	_, r := v.s.ask(v.m, core.Intent{Kind: core.Cancel, Strategy: v.n, ID: id})
	return r
}

// Amend asks that an own order become smaller, to q in all; it keeps its place in the
// queue. It counts as before until the venue has confirmed it.
func (v *View) Amend(id core.OrderID, q core.Qty) risk.Refusal {
	if v.Order(id) == nil {
		return risk.RefusedUnknownOrder
	}
	_, r := v.s.ask(v.m, core.Intent{Kind: core.Amend, Strategy: v.n, ID: id, Qty: q})
	return r
}

// Replace asks for a new order in the place of an own one, in one request: the new one
// comes to be only if the old one has ended. Both count until then.
func (v *View) Replace(old core.OrderID, in core.Intent) (core.OrderID, risk.Refusal) {
	if v.Order(old) == nil {
		return 0, risk.RefusedUnknownOrder
	}
	in.Kind, in.Old, in.Strategy = core.Replace, old, v.n
	return v.s.ask(v.m, in)
}

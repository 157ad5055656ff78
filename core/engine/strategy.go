package engine

import (
	"riposte/core"
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
	// forgotten it if ended. The book need not be Live.
	Report(v *View, r *core.Report, o *risk.Order)
	// Timer is called at the shard's timer interval while the book is Live.
	Timer(v *View)
}

// Factory builds the strategy of one instrument from its parameters. An unknown or
// illegal parameter is an error.
type Factory func(in *core.Instrument, p *Params) (Strategy, error)

// View is what a strategy sees and can do: its instrument's market, its own
// orders, and the way to the gate. It belongs to the shard's goroutine.
type View struct {
	s *Shard
	m *market
}

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

// Now is the monotonic time of this call, read once per input.
func (v *View) Now() core.MonoNs { return v.s.now }

// Exposure is the instrument's position and what may still trade.
func (v *View) Exposure() risk.Exposure { return v.s.gate.Exposure(v.m.id) }

// Orders calls f for each own live order of the instrument, newest first, until f
// returns false. f must not place or cancel; collect ids and do it after.
func (v *View) Orders(f func(*risk.Order) bool) { v.s.gate.Each(v.m.id, f) }

// Order is one own live order of the instrument, nil if it has ended. Valid until
// the next call that places or cancels.
func (v *View) Order(id core.OrderID) *risk.Order {
	if o := v.s.gate.Find(id); o != nil && o.Instrument == v.m.id {
		return o
	}
	return nil
}

// Halted is why nothing new may be sent, 0 while trading is active.
func (v *View) Halted() risk.HaltCause { return v.s.gate.Halted() }

// Place asks the gate for a new order. in needs Side, Type, TIF, Price (0 for
// MARKET) and Qty. The id is valid only with risk.None.
func (v *View) Place(in core.Intent) (core.OrderID, risk.Refusal) {
	in.Kind = core.Place
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
	_, r := v.s.ask(v.m, core.Intent{Kind: core.Cancel, ID: id})
	return r
}

package risk

import (
	"fmt"
	"math"
	"time"

	"riposte/core"
)

// unknownClock is the uncertainty of a clock that nobody has measured.
const unknownClock = time.Duration(math.MaxInt64)

// watch is what the gate keeps of one instrument beside its exposure: what others
// have told, and what its controls remember.
type watch struct {
	halt    HaltCause
	mark    core.Price // its mid when the book was last live, 0: not known
	last    core.Price // of the last trade, 0: none seen
	average core.Price // as the venue tells it, 0: not told
	markAt  core.MonoNs

	best     [2]core.Price // the own resting price of a side that is nearest to the other, 0: none
	bestOf   [2]bool       // whether best is known
	algos    int           // own orders that wait for a trigger
	icebergs int

	held     core.Qty // of the base asset in the account with fills up to a position of heldAt
	heldAt   core.Qty
	heldTold bool

	money
	drift      drift
	executions window
}

// Traded tells the price of a trade between others.
func (g *Gate) Traded(id core.InstrumentID, p core.Price) { g.watch[id].last = p }

// Averaged tells the venue's own average price.
func (g *Gate) Averaged(id core.InstrumentID, p core.Price) { g.watch[id].average = p }

// Holds tells how much of an instrument's base asset the account has, free and locked,
// with the fills that have made its position at. Those which the gate has not heard of
// yet, and those which it has heard of since, are told apart by that.
func (g *Gate) Holds(id core.InstrumentID, q, at core.Qty) {
	w := &g.watch[id]
	w.held, w.heldAt, w.heldTold = q, at, true
}

// Held is how much of an instrument's base asset the account has by all that the gate
// knows. Not ok: nobody has told.
func (g *Gate) Held(id core.InstrumentID) (q core.Qty, ok bool) {
	w := &g.watch[id]
	return w.held + g.exposure[id].Position - w.heldAt, w.heldTold
}

// ClockError tells how far off the venue's time may be as we know it.
func (g *Gate) ClockError(d time.Duration) {
	g.clockError = d
	g.trust()
}

// Audited tells when the account was last found in order.
func (g *Gate) Audited(at core.MonoNs) {
	g.auditAt = at
	g.trust()
}

// RulesRead tells when the venue's rules were last read.
func (g *Gate) RulesRead(at core.MonoNs) {
	g.rulesAt = at
	g.trust()
}

// SetRules takes over the rules of an instrument: status, order types, features and
// filters. Its id, symbol and assets stay.
func (g *Gate) SetRules(in *core.Instrument) {
	r := &g.rules[in.ID]
	r.Status, r.OrderTypes, r.Features, r.Filters = in.Status, in.OrderTypes, in.Features, in.Filters
	g.bind(in.ID)
}

// Instrument is an instrument with the rules now in force. It stays the same value
// over a change of rules, and is only read.
func (g *Gate) Instrument(id core.InstrumentID) *core.Instrument { return &g.rules[id] }

// Limits are those in force for an instrument.
func (g *Gate) Limits(id core.InstrumentID) *Limits { return &g.limits[id] }

// Account is the limits in force for all of them.
func (g *Gate) Account() *AccountLimits { return &g.account }

// SetLimits replaces an instrument's limits while trading goes on, but for
// ExecutionMax, whose memory is laid out at the start. Whether a higher one may come
// into force is decided before.
func (g *Gate) SetLimits(id core.InstrumentID, l Limits) error {
	if int(id) >= len(g.limits) || g.limits[id].QtyMax == 0 {
		return fmt.Errorf("cannot change limits of instrument %d: it is not traded", id)
	}
	if err := l.check(g.rules[id].Symbol); err != nil {
		return err
	}
	l.ExecutionMax = g.limits[id].ExecutionMax
	if l.DriftBps > 0 && g.watch[id].drift.ring == nil {
		g.watch[id].drift.ring = make([]driftUse, driftKept)
	}
	g.limits[id] = l
	g.bind(id)
	return nil
}

// SetAccount replaces the limits over all instruments, but for those of rates and
// spans, whose memory is laid out at the start; OpenMax does not go beyond that either.
func (g *Gate) SetAccount(l AccountLimits) error {
	if err := l.check(); err != nil {
		return err
	}
	was := g.account
	g.account = l
	a := &g.account
	a.Currency, a.RateMax, a.RateSpan, a.StrategyRateMax, a.StrategySpan = was.Currency, was.RateMax, was.RateSpan, was.StrategyRateMax, was.StrategySpan
	a.MessageMax, a.ReservePercent, a.RejectSpanMax, a.Span = was.MessageMax, was.ReservePercent, was.RejectSpanMax, was.Span
	a.OpenMax = min(a.OpenMax, len(g.orders.slots)-spareOrders)
	g.bindAccount()
	g.judge()
	return nil
}

// Halt stops new orders; cancels go on. Causes add up.
func (g *Gate) Halt(c HaltCause) { g.raise(&g.halt, c) }

// HaltSymbol stops new orders of one instrument.
func (g *Gate) HaltSymbol(id core.InstrumentID, c HaltCause) { g.raise(&g.watch[id].halt, c) }

// HaltStrategy stops new orders of one strategy.
func (g *Gate) HaltStrategy(n uint16, c HaltCause) {
	if int(n) < len(g.strategies) {
		g.raise(&g.strategies[n].halt, c)
	}
}

func (g *Gate) raise(h *HaltCause, c HaltCause) {
	if *h&c != c {
		*h |= c
		g.haltChanges++
	}
}

// HaltChanges counts how often a halt has come or gone, anywhere.
func (g *Gate) HaltChanges() uint64 { return g.haltChanges }

// Lift removes causes wherever they are; trading resumes when none is left.
func (g *Gate) Lift(c HaltCause) {
	g.haltChanges++
	g.halt &^= c
	for i := range g.watch {
		g.watch[i].halt &^= c
	}
	for i := range g.strategies {
		g.strategies[i].halt &^= c
	}
	if c&HaltRejects != 0 {
		g.rejects = 0
		g.rejected = newWindow(g.account.RejectSpanMax)
	}
	if c&HaltRepeat != 0 {
		g.repeats.forget()
	}
	if c&(HaltLosses|HaltExecutions) != 0 {
		for i := range g.watch {
			w := &g.watch[i]
			w.losses = 0
			w.executions = newWindow(len(w.executions.at))
		}
	}
	if c&(HaltLoss|HaltDrawdown) != 0 {
		// Whoever lifts the day's loss gives the day another one.
		g.capital.dayFrom, g.capital.dayBest = g.capital.pnl, 0
		g.newDay()
	}
}

// Halted is the causes in force for all, 0 while active.
func (g *Gate) Halted() HaltCause { return g.halt }

// HaltedSymbol is the causes in force for one instrument alone.
func (g *Gate) HaltedSymbol(id core.InstrumentID) HaltCause { return g.watch[id].halt }

// HaltedStrategy is the causes in force for one strategy alone.
func (g *Gate) HaltedStrategy(n uint16) HaltCause {
	if int(n) >= len(g.strategies) {
		return 0
	}
	return g.strategies[n].halt
}

// Strategies is how many strategies the gate tells apart.
func (g *Gate) Strategies() int { return len(g.strategies) }

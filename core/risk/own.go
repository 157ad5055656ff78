package risk

import (
	"fmt"
	"time"

	"riposte/core"
)

// Each strategy's own part of what the account has, and the budget that binds it. An order
// and its fills are those of the strategy that asked for them; what no strategy of this
// run has begun is the account's own (core.NoStrategy). The parts add up to Exposure.

// Budget is what one strategy may do, within the limits of the account that bind all of
// them together. What is 0 binds nothing. It is not changed once it is in force: another
// one takes its place.
type Budget struct {
	Name        string                         // of the strategy, for who reads a refusal
	PositionMax map[core.InstrumentID]core.Qty // |own position|, with all of its orders that could still trade
	GrossMax    core.Amount                    // sum of its worst positions at their mids, in the account's currency
	LossMax     core.Amount                    // of a UTC day, realised and marked; then the strategy halts alone
	RateMax     int                            // orders, amends and replaces within RateSpan; 0: the account's for each strategy
	RateSpan    time.Duration
}

// strategy is what the gate keeps of one strategy.
type strategy struct {
	halt HaltCause
	sent window
	span core.MonoNs // of sent

	budget  *Budget    // nil: nothing beyond the account's limits
	limit   []core.Qty // PositionMax by instrument
	trades  []core.InstrumentID
	gross   core.Amount // in currency
	pnl     core.Amount // since the start, fees in third assets too
	dayFrom core.Amount // pnl when the day began
	blind   bool        // something it has at stake has no price
}

// own is what a strategy has at one instrument.
type own struct {
	Exposure
	cash  core.Amount // quote, fees in quote included
	pnl   core.Amount // in currency: cash and the position at its mark
	gross core.Amount // in currency: the worst position at its mark, rounded up
}

func (b *Budget) check() error {
	bad := func(name string, got any, want string) error {
		return fmt.Errorf("cannot use the budget of strategy %s: %s is %v, want %s", b.Name, name, got, want)
	}
	for _, q := range b.PositionMax {
		if q < 0 {
			return bad("position_max", q, "0 or more")
		}
	}
	switch {
	case b.GrossMax < 0:
		return bad("gross_max", b.GrossMax, "0 or more")
	case b.LossMax < 0:
		return bad("loss_max", b.LossMax, "0 or more")
	case b.RateMax < 0 || b.RateMax > mostRate:
		return bad("rate_max", b.RateMax, "0 to 1000000")
	case b.RateMax > 0 && (b.RateSpan <= 0 || b.RateSpan > mostRateSpan):
		return bad("rate_span", b.RateSpan, "more than 0 and at most 24h")
	}
	return nil
}

// Grant gives a strategy its budget, and tells which instruments it trades. It is called
// before the first order; what has been counted until then stays.
func (g *Gate) Grant(n uint16, b *Budget, trades []core.InstrumentID) error {
	if int(n) >= len(g.strategies) {
		return fmt.Errorf("cannot use strategy %s: it is number %d, want at most %d of them", b.Name, n, len(g.strategies))
	}
	if err := b.check(); err != nil {
		return err
	}
	s := &g.strategies[n]
	s.budget, s.trades, s.limit = b, trades, make([]core.Qty, len(g.rules))
	for id, q := range b.PositionMax {
		if int(id) < len(s.limit) {
			s.limit[id] = q
		}
	}
	if b.RateMax > 0 {
		s.sent, s.span = newWindow(b.RateMax), core.MonoNs(b.RateSpan)
	}
	return nil
}

// cell is a strategy's part of an instrument; the account's own for a number that is no
// strategy's.
func (g *Gate) cell(strategy uint16, id core.InstrumentID) *own {
	return &g.own[g.cellAt(strategy, id)]
}

func (g *Gate) cellAt(strategy uint16, id core.InstrumentID) int32 {
	return int32(min(int(strategy), strategiesMost)*len(g.rules) + int(id))
}

// Own is what a strategy has at stake at an instrument.
func (g *Gate) Own(strategy uint16, id core.InstrumentID) Exposure {
	return g.cell(strategy, id).Exposure
}

// OwnPnL is what a strategy has earned with an instrument since the start, in the
// account's currency, its position at the mid. 0 for one without a budget.
func (g *Gate) OwnPnL(strategy uint16, id core.InstrumentID) core.Amount {
	return g.cell(strategy, id).pnl
}

// DayPnLOf is what a strategy has earned since the UTC day began; 0 without a budget.
func (g *Gate) DayPnLOf(n uint16) core.Amount {
	if int(n) >= len(g.strategies) {
		return 0
	}
	return g.strategies[n].pnl - g.strategies[n].dayFrom
}

// GrossOf is the worst worth of a strategy's positions; 0 without a budget.
func (g *Gate) GrossOf(n uint16) core.Amount {
	if int(n) >= len(g.strategies) {
		return 0
	}
	return g.strategies[n].gross
}

// afford reports whether a strategy's budget has room for an order, and what the
// instrument's part of its gross worth would be with it. What has no price is not known to.
func (g *Gate) afford(in *core.Intent, price core.Price) (gross core.Amount, r Refusal) {
	s, c := &g.strategies[in.Strategy], g.cell(in.Strategy, in.Instrument)
	if most := s.limit[in.Instrument]; most > 0 && !c.room(in.Side, in.Qty, most) {
		return 0, RefusedOwnPosition
	}
	if s.budget.GrossMax == 0 {
		return 0, None
	}
	e := c.Exposure
	*e.open(in.Side) += in.Qty
	gross, ok := worth(price, e.worst(), g.capital.rates[g.rules[in.Instrument].Quote])
	if !ok || s.blind || s.gross-c.gross+gross > s.budget.GrossMax {
		return 0, RefusedOwnCapital
	}
	return gross, None
}

// valueOwn recomputes what a strategy has at stake at an instrument and has earned there.
func (g *Gate) valueOwn(n uint16, id core.InstrumentID) {
	if int(n) >= len(g.strategies) || g.strategies[n].budget == nil {
		return
	}
	s, c, mark := &g.strategies[n], g.cell(n, id), g.watch[id].mark
	rate := g.capital.rates[g.rules[id].Quote]
	gross, _ := worth(mark, c.worst(), rate)
	pnl, ok := worth(mark, c.Position, rate)
	if !ok || rate == 0 {
		pnl = c.pnl // not known now: what was known last
	} else {
		if c.Position < 0 {
			pnl = -pnl
		}
		cash, _ := worth(rate, core.Qty(c.cash), core.Scale)
		if c.cash < 0 {
			cash = -cash
		}
		pnl += cash
	}
	s.gross += gross - c.gross
	s.pnl += pnl - c.pnl
	c.gross, c.pnl = gross, pnl
}

// revalueOwn brings all of it up to date, at the shard's timer.
func (g *Gate) revalueOwn() {
	for n := range g.strategies {
		s := &g.strategies[n]
		if s.budget == nil {
			continue
		}
		s.blind = false
		for _, id := range s.trades {
			g.valueOwn(uint16(n), id)
			if g.cell(uint16(n), id).worst() != 0 && (g.watch[id].mark == 0 || g.capital.rates[g.rules[id].Quote] == 0) {
				s.blind = true
			}
		}
	}
}

// judgeOwn halts strategies that have lost more than they may, each alone.
func (g *Gate) judgeOwn() {
	for n := range g.strategies {
		s := &g.strategies[n]
		if s.budget != nil && s.budget.LossMax > 0 && s.dayFrom-s.pnl >= s.budget.LossMax {
			g.raise(&s.halt, HaltLoss)
		}
	}
}

func (g *Gate) feeOwn(n uint16, fee core.Amount) {
	if int(n) < len(g.strategies) {
		g.strategies[n].pnl -= fee
	}
}

func (g *Gate) newDay() {
	for n := range g.strategies {
		g.strategies[n].dayFrom = g.strategies[n].pnl
	}
}

// whose names the strategy that was refused, "" where nobody has named it.
func (d *Denial) whose() string {
	if d.Budget == nil {
		return ""
	}
	return "strategy " + d.Budget.Name + ": "
}

func (d *Denial) overBudget() string {
	b, e, in := d.Budget, &d.Own, &d.Intent
	if d.Refusal == RefusedOwnPosition {
		return fmt.Sprintf("%sposition %v with %v being bought and %v being sold, %v more, want within %v", d.whose(), e.Position, e.Buy, e.Sell, in.Qty,
			b.PositionMax[in.Instrument])
	}
	return fmt.Sprintf("%s%v at stake before %v more at %v, want at most %v", d.whose(), d.OwnGross, in.Qty, d.price(), b.GrossMax)
}

package sql

import (
	"fmt"
	"math/bits"

	"riposte/core"
)

// position is what fills have made of one symbol. The cost of what is held is an average:
// what leaves takes its share, rounded down, so that of cash and cost together no unit is
// ever lost: realised is always cash, plus cost of a long position or less that of a short.
type position struct {
	base, quote string
	net         core.Qty    // bought less sold
	cash        core.Amount // quote received less paid
	baseFees    core.Qty    // commissions in the base asset, which are not in net
	quoteFees   core.Amount // in the quote, not in cash
	baseWorth   core.Amount // what baseFees were worth at their own trades' prices
	cost        core.Amount // what net was bought, or sold, for
	realised    core.Amount // before commissions
	fills       int64
	mark        int64 // the newest trade that an audit has read, -1: none
}

// fill books one trade. What no int64 holds is an error: it would be a balance no venue
// can have.
func (p *position) fill(side core.Side, qty core.Qty, quote core.Amount) error {
	sign := core.Qty(side.Sign())
	left, rest := qty, quote
	if p.net != 0 && (p.net > 0) != (sign > 0) {
		held := p.net * sign * -1
		closed := min(qty, held)
		got, ok := share(quote, int64(closed), int64(qty))
		paid, ok2 := share(p.cost, int64(closed), int64(held))
		if !ok || !ok2 {
			return fmt.Errorf("cannot book a fill of %v for %v", qty, quote)
		}
		p.cost -= paid
		p.realised += (paid - got) * core.Amount(sign)
		left, rest = qty-closed, quote-got
	}
	if left > 0 {
		p.cost += rest
	}
	p.net += sign * qty
	p.cash -= core.Amount(sign) * quote
	p.fills++
	return nil
}

// fee books a commission; one in a third asset is nothing to a position.
func (p *position) fee(asset string, fee core.Amount, qty core.Qty, quote core.Amount) error {
	switch asset {
	case p.base:
		worth, ok := share(quote, int64(fee), int64(qty))
		if !ok {
			return fmt.Errorf("cannot book a commission of %v on %v for %v", fee, qty, quote)
		}
		p.baseFees += core.Qty(fee)
		p.baseWorth += worth
	case p.quote:
		p.quoteFees += fee
	}
	return nil
}

// carried sets what another account of the same fills says, where ours had not seen them
// all. What it cost is taken to be what was paid, so nothing is realised by it.
func (p *position) carried(net, baseFees core.Qty, cash, quoteFees core.Amount, mark int64) {
	if p.net != net || p.cash != cash {
		p.net, p.cash, p.cost = net, cash, -cash
		if net < 0 {
			p.cost = cash
		}
		p.realised = 0
		if net == 0 {
			p.cost, p.realised = 0, cash
		}
	}
	p.baseFees, p.quoteFees, p.mark = baseFees, quoteFees, max(p.mark, mark)
}

// share is a times part of whole, rounded down: part is at most whole, or the result must
// fit all the same.
func share(a core.Amount, part, whole int64) (core.Amount, bool) {
	if a < 0 {
		s, ok := share(-a, part, whole)
		return -s, ok
	}
	if part < 0 || whole <= 0 {
		return 0, false
	}
	hi, lo := bits.Mul64(uint64(a), uint64(part))
	if hi >= uint64(whole) {
		return 0, false
	}
	q, _ := bits.Div64(hi, lo, uint64(whole))
	return core.Amount(q), q < 1<<63
}

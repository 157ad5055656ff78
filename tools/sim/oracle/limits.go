package oracle

import (
	"fmt"
	"maps"
	"slices"
)

// worst is P11: whatever of the own orders trades, no limit is passed. It is worked out
// anew from the venue's books whenever the venue takes an order.
type worst struct {
	rules    *Rules
	position map[string]int64 // by symbol, commissions in the base taken off
	open     map[venueOrder]*resting
}

type resting struct {
	sell bool
	qty  int64
	left int64
}

func newWorst(r *Rules) *worst {
	return &worst{rules: r, position: map[string]int64{}, open: map[venueOrder]*resting{}}
}

// Promise is P11.
func (*worst) Promise() string { return "P11" }

// See takes a fact.
func (p *worst) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case Accepted:
		if !w.Foreign {
			p.open[venueOrder{w.Symbol, w.Order}] = &resting{w.Sell, w.Qty, w.Qty}
			p.judge(&w, found)
		}
	case Traded:
		if w.Foreign {
			return
		}
		q := w.Qty
		if o := p.open[venueOrder{w.Symbol, w.Order}]; o != nil {
			o.left -= q
		}
		if w.Sell {
			q = -q
		}
		if w.FeeAsset == p.rules.Symbols[w.Symbol].Base {
			q -= w.Fee
		}
		p.position[w.Symbol] += q
	case Shrunk:
		if o := p.open[venueOrder{w.Symbol, w.Order}]; o != nil {
			o.left, o.qty = o.left+w.Qty-o.qty, w.Qty
		}
	case Ended:
		delete(p.open, venueOrder{w.Symbol, w.Order})
	}
}

func (p *worst) judge(a *Accepted, found func(string)) {
	limit, ok := p.rules.Symbols[a.Symbol]
	if !ok {
		found(fmt.Sprintf("%s is on %s, which is not to be traded", a.Client, a.Symbol))
		return
	}
	var buy, sell int64
	orders := 0
	for id, o := range p.open {
		switch {
		case id.symbol != a.Symbol:
			continue
		case o.sell:
			sell += o.left
		default:
			buy += o.left
		}
		orders++
	}
	held := p.position[a.Symbol]
	if long := held + buy; !a.Sell && long > limit.PositionMax {
		found(fmt.Sprintf("with %s the position of %s may become %d, want at most %d: %d is held and %d may still be bought", a.Client, a.Symbol, long, limit.PositionMax, held, buy))
	}
	if short := sell - held; a.Sell && short > limit.PositionMax {
		found(fmt.Sprintf("with %s the position of %s may become %d, want at least %d: %d is held and %d may still be sold", a.Client, a.Symbol, -short, -limit.PositionMax, held, sell))
	}
	if orders > limit.OpenMax {
		found(fmt.Sprintf("with %s there are %d orders on %s, want at most %d", a.Client, orders, a.Symbol, limit.OpenMax))
	}
	if a.Qty > limit.QtyMax {
		found(fmt.Sprintf("%s is of %d, want at most %d", a.Client, a.Qty, limit.QtyMax))
	}
	if value, ok := times(a.Price, a.Qty); !ok || value > limit.NotionalMax {
		found(fmt.Sprintf("%s is worth %d, want at most %d", a.Client, value, limit.NotionalMax))
	}
}

// rates is P11 for what is limited in time: how many orders leave within a span. An
// approved order may wait for its wire, so the span is shorter by that.
type rates struct {
	rules *Rules
	sent  []int64
}

func newRates(r *Rules) *rates { return &rates{rules: r} }

// Promise is P11.
func (*rates) Promise() string { return "P11" }

// See takes a fact.
func (r *rates) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case Died:
		r.sent = r.sent[:0] // a new life knows nothing of the old one's pace
	case *Request:
		if !w.Creates() {
			return
		}
		r.sent = append(r.sent, f.At)
		for _, l := range []struct {
			most int
			span int64
		}{{r.rules.RateMax, r.rules.RateSpan}, {r.rules.StrategyRateMax, r.rules.StrategyRateSpan}} {
			span := l.span - r.rules.Life - 10*ms
			if n := len(r.sent); l.most > 0 && n > l.most && f.At-r.sent[n-1-l.most] < span {
				found(fmt.Sprintf("%d orders left within %d ms, want at most %d", l.most+1, (f.At-r.sent[n-1-l.most])/ms, l.most))
			}
		}
		if n := len(r.sent) - 2*max(r.rules.RateMax, r.rules.StrategyRateMax); n > 0 {
			r.sent = slices.Delete(r.sent, 0, n)
		}
	}
}

// bounds is P22: whatever can fill has a most.
type bounds struct{ told map[string]bool }

func newBounds() *bounds { return &bounds{map[string]bool{}} }

// Promise is P22.
func (*bounds) Promise() string { return "P22" }

// See takes a fact.
func (b *bounds) See(f *Fact, found func(string)) {
	d, ok := f.What.(Dump)
	if !ok {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(d.Sizes)) {
		if s := d.Sizes[name]; s.Now > s.Most && !b.told[name] {
			b.told[name] = true
			found(fmt.Sprintf("%s holds %d, want at most %d", name, s.Now, s.Most))
		}
	}
}

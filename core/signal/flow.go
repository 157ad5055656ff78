package signal

import (
	"math"

	"riposte/core"
)

// OFI is the order-flow imbalance of Cont, Kukanov and Stoikov ("The price impact of
// order book events", 2014): what each change of the touch adds to the bid and takes
// from the ask, in base, summed over a window that fades. A bid that rises counts
// with its whole quantity, one that falls with that of the bid it leaves, one that
// stays with its change; the ask likewise with the sign turned. Ready after one
// half-life.
type OFI struct {
	s     sum
	last  core.Top
	begun bool
}

// NewOFI takes the half-life in seconds.
func NewOFI(half float64) *OFI { return &OFI{s: sum{fade: fade{half: half}}} }

// OnTop takes a two-sided best bid and ask.
func (o *OFI) OnTop(t *core.Top, now core.MonoNs) {
	e := core.Qty(0)
	if o.begun {
		if t.Bid >= o.last.Bid {
			e += t.BidQty
		}
		if t.Bid <= o.last.Bid {
			e -= o.last.BidQty
		}
		if t.Ask <= o.last.Ask {
			e -= t.AskQty
		}
		if t.Ask >= o.last.Ask {
			e += o.last.AskQty
		}
	}
	o.last, o.begun = *t, true
	if e != 0 || !o.s.begun {
		o.s.add(float64(e)/core.Scale, now)
	}
}

// Value is in base, above 0 where buyers press.
func (o *OFI) Value(_ int, now core.MonoNs) (float64, bool) { return o.s.value(now) }

// Reset forgets all.
func (o *OFI) Reset() {
	o.s.reset()
	o.begun = false
}

// Flow is what has traded over a window that fades: bought less sold, all of it, and
// the trades. Ready one half-life after the first trade.
type Flow struct {
	fade
	signed, all, trades float64
}

// NewFlow takes the half-life in seconds.
func NewFlow(half float64) *Flow { return &Flow{fade: fade{half: half}} }

// OnTrade takes a trade between others.
func (f *Flow) OnTrade(_ core.Price, q core.Qty, aggressor core.Side, now core.MonoNs) {
	v, counts := float64(q)/core.Scale, 1.0
	if !f.begun {
		counts = 0 // the rate is of those after the one that began the window
	}
	keep := 1 - f.age(now)
	f.signed = f.signed*keep + float64(aggressor.Sign())*v
	f.all = f.all*keep + v
	f.trades = f.trades*keep + counts
}

// Value is bought less sold in base (0), the same as a part of all, -1 to +1 (1), all
// of it in base (2), or trades a second (3). A part of nothing is not there.
func (f *Flow) Value(i int, now core.MonoNs) (float64, bool) {
	ok, gone := f.ready(now), f.ageing(now)
	switch i {
	case 0:
		return f.signed * (1 - gone), ok
	case 1:
		return f.signed / f.all, ok && f.all > 0
	case 2:
		return f.all * (1 - gone), ok
	}
	weight := f.weight + gone*(1-f.weight)
	return f.trades * (1 - gone) * math.Ln2 / (weight * f.half), ok
}

// Reset forgets all.
func (f *Flow) Reset() { *f = Flow{fade: fade{half: f.half}} }

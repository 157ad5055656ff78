// Package strategy holds riposte's own strategies. A new one is a new file here,
// or a package of the user's own that calls engine.Register.
package strategy

import (
	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
)

func init() {
	engine.Register("reflex", NewReflex)
	engine.Register("quoter", NewQuoter)
}

// Reflex sends one LIMIT buy at the best bid for every change of the best bid's
// price that the gate lets through: the yardstick for tick-to-order. It cancels
// its oldest order once more than keep are live.
type Reflex struct {
	qty  core.Qty
	tif  core.TIF
	keep int
	last core.Price
	live []core.OrderID // oldest first, at most keep+1
}

// NewReflex reads qty (default: the smallest legal order), tif (GTC, IOC, FOK) and
// keep.
func NewReflex(in *core.Instrument, p *engine.Params) (engine.Strategy, error) {
	r := &Reflex{
		qty:  p.Qty("qty", 0),
		keep: int(p.Int("keep", 4, 1, 1000)),
	}
	r.tif, _ = core.ParseTIF(p.Choice("tif", "GTC", "GTC", "IOC", "FOK"))
	if err := p.Done(); err != nil {
		return nil, err
	}
	r.live = make([]core.OrderID, 0, r.keep+1)
	return r, nil
}

// Market sends when the best bid's price has changed.
func (r *Reflex) Market(v *engine.View, _ *core.Event) {
	top := v.Top()
	if top.Bid == r.last || top.Bid == 0 {
		return
	}
	qty := r.qty
	if qty == 0 {
		qty = smallest(v.Instrument(), top.Bid)
	}
	id, refusal := v.Place(core.Intent{Side: core.Buy, Type: core.Limit, TIF: r.tif, Price: top.Bid, Qty: qty})
	r.last = top.Bid
	if refusal == risk.None {
		r.live = append(r.live, id)
	}
	if len(r.live) > r.keep {
		v.Cancel(r.live[0])
		r.live = append(r.live[:0], r.live[1:]...)
	}
}

// Report forgets orders that have ended.
func (r *Reflex) Report(_ *engine.View, rep *core.Report, o *risk.Order) {
	if !o.Status.Terminal() {
		return
	}
	for i, id := range r.live {
		if id == rep.ID {
			r.live = append(r.live[:i], r.live[i+1:]...)
			return
		}
	}
}

// Timer does nothing: reflex acts on the market alone.
func (r *Reflex) Timer(*engine.View) {}

// smallest is the least quantity that the symbol's lot and notional rules allow
// at that price, with a tenth to spare so that a small move does not undo it.
func smallest(in *core.Instrument, p core.Price) core.Qty {
	f := &in.Filters
	q := max(f.QtyMin, f.Lot)
	if p <= 0 || f.NotionalMin <= 0 {
		return q
	}
	need := core.NotionalOfAmount(f.NotionalMin + f.NotionalMin/10)
	n := core.Qty(need.Div(uint64(p))).LotFloor(f.Lot) + max(f.Lot, 1)
	return max(q, n)
}

package strategy

import (
	"slices"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
)

// Reflex sends one LIMIT buy at the best bid for every change of the best bid's
// price that the gate lets through: the yardstick for tick-to-order. It cancels
// its oldest orders once more than keep are live.
//
// Parameters: qty (default: the smallest legal order), tif (GTC, IOC or FOK) and
// keep (1 to 1000, default 4).
//
// Risk: it buys and never sells; nothing but the gate's position limit ends that.
// It is a measuring instrument, not a way to trade.
type Reflex struct {
	qty  core.Qty
	tif  core.TIF
	keep int
	last core.Price
	live []core.OrderID // no cancel asked for yet, oldest first; never grows
}

// NewReflex builds a Reflex; see there for the parameters.
func NewReflex(_ *core.Instrument, p *engine.Params) (engine.Strategy, error) {
	r := &Reflex{
		qty:  p.Qty("qty", 0),
		keep: int(p.Int("keep", 4, 1, 1000)),
	}
	r.tif, _ = core.ParseTIF(p.Choice("tif", "GTC", "GTC", "IOC", "FOK"))
	if err := p.Done(); err != nil {
		return nil, err
	}
	// Room for as many again whose cancel could not be handed on or was refused.
	r.live = make([]core.OrderID, 0, 2*r.keep+2)
	return r, nil
}

// Market sends when the best bid's price has changed.
func (r *Reflex) Market(v *engine.View, _ *core.Event) {
	top := v.Top()
	if top.Bid == r.last || top.Bid == 0 {
		return
	}
	r.last = top.Bid
	if len(r.live) < cap(r.live) {
		qty := r.qty
		if qty == 0 {
			qty = smallest(v.Instrument(), top.Bid)
		}
		id, refusal := v.Place(core.Intent{Side: core.Buy, Type: core.Limit, TIF: r.tif, Price: top.Bid, Qty: qty})
		if refusal == risk.None {
			r.live = append(r.live, id)
		}
	}
	r.trim(v)
}

// trim cancels the oldest beyond keep. One whose cancel finds no room is kept and
// tried again.
func (r *Reflex) trim(v *engine.View) {
	n := 0
	for len(r.live)-n > r.keep && v.Cancel(r.live[n]) != risk.RefusedOutboundFull {
		n++
	}
	r.live = append(r.live[:0], r.live[n:]...)
}

// Report forgets orders that have ended, and takes back those that work after all:
// a cancel was refused, or their end was told in error.
func (r *Reflex) Report(v *engine.View, rep *core.Report, o *risk.Order) {
	i := slices.Index(r.live, rep.ID)
	switch {
	case o.Status.Terminal():
		if i >= 0 {
			r.live = append(r.live[:i], r.live[i+1:]...)
		}
	case i >= 0 || o.Canceling:
	case len(r.live) < cap(r.live):
		r.live = append(r.live, 0)
		copy(r.live[1:], r.live)
		r.live[0] = rep.ID
	default:
		v.Cancel(rep.ID)
	}
}

// Timer cancels what could not be cancelled before.
func (r *Reflex) Timer(v *engine.View) { r.trim(v) }

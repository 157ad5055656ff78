package strategy

import (
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
)

// Quoter rests one post-only order on each side around the microprice and leans
// against its inventory: the longer it is, the lower it quotes, and at its
// inventory bound it quotes one side only. It replaces an order by cancelling it
// and placing the next one when the venue has confirmed the end of the first, so
// it never has two orders on a side.
type Quoter struct {
	qty       core.Qty
	inventory core.Qty
	halfBps   float64
	skewBps   float64
	slack     core.Price // in ticks at construction, then a price
	lifeMin   core.MonoNs
	sides     [2]quote
}

type quote struct {
	id core.OrderID // 0: none
	at core.MonoNs
}

// NewQuoter reads qty (default: the smallest legal order), inventory (default 20
// times qty), half_spread_bps, skew_bps, slack_ticks and life_min.
func NewQuoter(in *core.Instrument, p *engine.Params) (engine.Strategy, error) {
	q := &Quoter{
		qty:       p.Qty("qty", 0),
		inventory: p.Qty("inventory", 0),
		halfBps:   p.Float("half_spread_bps", 0, 0, 1000),
		skewBps:   p.Float("skew_bps", 2, 0, 1000),
		slack:     core.Price(p.Int("slack_ticks", 2, 0, 1_000_000)) * in.Filters.Tick,
		lifeMin:   core.MonoNs(p.Duration("life_min", 250*time.Millisecond, 0, time.Hour)),
	}
	return q, p.Done()
}

// Market requotes when the wanted prices have left the resting ones behind.
func (q *Quoter) Market(v *engine.View, ev *core.Event) {
	if ev.Kind == core.Touch || ev.Kind == core.DepthDelta {
		q.requote(v)
	}
}

// Timer requotes too, for a market too quiet to do it.
func (q *Quoter) Timer(v *engine.View) { q.requote(v) }

// Report frees a side whose order has ended.
func (q *Quoter) Report(_ *engine.View, r *core.Report, o *risk.Order) {
	if o.Status.Terminal() && q.sides[r.Side].id == r.ID {
		q.sides[r.Side].id = 0
	}
}

func (q *Quoter) requote(v *engine.View) {
	sig, top := v.Signals(), v.Top()
	if !sig.Ready() || top.Bid == 0 || top.Ask == 0 || v.Halted() != 0 {
		return
	}
	size := q.qty
	if size == 0 {
		size = smallest(v.Instrument(), top.Ask)
	}
	bound := q.inventory
	if bound == 0 {
		bound = 20 * size
	}
	e := v.Exposure()
	lean := float64(e.Position) / float64(bound) // -1 short, +1 long
	fair := sig.Microprice() * (1 - lean*q.skewBps/1e4)
	half := fair * q.halfBps / 1e4
	tick := v.Instrument().Filters.Tick
	// A bid rounds down and an ask rounds up: rounding never narrows the spread.
	bid := min(core.Price(fair-half).TickFloor(tick), top.Ask-tick)
	ask := max(core.Price(fair+half).TickCeil(tick), top.Bid+tick)
	q.side(v, core.Buy, min(bid, top.Bid+tick), size, e.Position < bound)
	q.side(v, core.Sell, max(ask, top.Ask-tick), size, e.Position > -bound)
}

// side moves one side towards the wanted price: place, leave or cancel.
func (q *Quoter) side(v *engine.View, s core.Side, want core.Price, size core.Qty, wanted bool) {
	mine := &q.sides[s]
	if mine.id == 0 {
		if wanted && v.Now()-mine.at >= q.lifeMin {
			mine.at = v.Now()
			if id, r := v.Post(s, want, size); r == risk.None {
				mine.id = id
			}
		}
		return
	}
	o := v.Order(mine.id)
	if o == nil {
		mine.id = 0
		return
	}
	off := o.Price - want
	if off < 0 {
		off = -off
	}
	if !o.Canceling && (!wanted || off > q.slack) && v.Now()-mine.at >= q.lifeMin {
		v.Cancel(mine.id)
	}
}

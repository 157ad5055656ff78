// Package reversion is an example of a user's own strategy: it buys what has fallen below
// its own short average while the book leans up, and sells what it has bought back into
// it. It knows of riposte what the README's section "Add a strategy" tells.
package reversion

import (
	"math"
	"strconv"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
)

func init() { engine.Register("reversion", New) }

// Reversion rests at most one order and holds at most bound.
//
//	parameter  default  range        meaning
//	qty        least    > 0          size of an order, in base; default: the symbol's least
//	bound      5 * qty  > 0          most that it holds
//	half_life  10s      100ms to 1h  of the average of the microprice
//	away_bps   1        0 to 1000    how far below the average it buys, above it sells
//	lean       0.2      0 to 1       least imbalance towards the bid to buy
//	life       2s       10ms to 1m   an order that has not traded so long is taken back
//
// Risks. It buys into a fall, and a fall can go on: bound is what that can cost. It posts,
// so it is filled when somebody wants to get rid of what it buys.
type Reversion struct {
	parameters
	mean float64 // of the microprice; a signal, and so a float
	at   core.MonoNs
	id   core.OrderID // resting, 0: none
	born core.MonoNs
	next core.MonoNs // nothing is asked for before
}

type parameters struct {
	qty, bound core.Qty
	halfLife   float64 // ns
	away, lean float64
	life       core.MonoNs
}

// pause is how long it rests after a refusal or a reject.
const pause = core.MonoNs(time.Second)

// New builds one for an instrument.
func New(in *core.Instrument, p *engine.Params) (engine.Strategy, error) {
	s := &Reversion{}
	s.qty = p.Qty("qty", in.Filters.QtyMin)
	s.bound = p.Qty("bound", 5*s.qty)
	s.halfLife = float64(p.Duration("half_life", 10*time.Second, 100*time.Millisecond, time.Hour))
	s.away, s.lean = p.Float("away_bps", 1, 0, 1000), p.Float("lean", 0.2, 0, 1)
	s.life = core.MonoNs(p.Duration("life", 2*time.Second, 10*time.Millisecond, time.Minute))
	if err := p.Done(); err != nil {
		return nil, err
	}
	return s, nil
}

// Tune takes new parameters over; the average stays.
func (s *Reversion) Tune(_ *engine.View, next engine.Strategy) {
	s.parameters = next.(*Reversion).parameters
}

// Market moves the average and looks whether the price has left it.
func (s *Reversion) Market(v *engine.View, ev *core.Event) {
	if ev.Kind != core.Touch && ev.Kind != core.DepthDelta || !v.Signals().Ready() {
		return
	}
	micro, first := v.Signals().Microprice(), s.at == 0
	old := math.Exp2(-float64(v.Now()-s.at) / s.halfLife)
	s.at = v.Now()
	if first {
		s.mean = micro
		return
	}
	s.mean = old*s.mean + (1-old)*micro
	if s.id != 0 || v.Now() < s.next {
		return
	}
	top, held := v.Top(), v.Exposure().Position
	off := (micro/s.mean - 1) * 1e4
	switch {
	case off < -s.away && v.Signals().Imbalance() > s.lean && held+s.qty <= s.bound:
		s.post(v, core.Buy, top.Bid, s.qty)
	case off > s.away && held > 0:
		if q, _ := v.Sellable(top.Ask); q > 0 {
			s.post(v, core.Sell, top.Ask, min(q, s.qty))
		}
	}
}

func (s *Reversion) post(v *engine.View, side core.Side, p core.Price, q core.Qty) {
	id, refusal := v.Post(side, p, q)
	if refusal != risk.None {
		s.next = v.Now() + pause
		return
	}
	s.id, s.born = id, v.Now()
}

// Timer takes an old order back.
func (s *Reversion) Timer(v *engine.View) {
	if o := v.Order(s.id); o != nil && !o.Canceling && v.Now()-s.born > s.life {
		v.Cancel(s.id)
	}
}

// Report follows the one order.
func (s *Reversion) Report(v *engine.View, r *core.Report, o *risk.Order) {
	switch {
	case r.ID != s.id:
		if !o.Status.Terminal() && !o.Canceling {
			v.Cancel(r.ID) // of a former run
		}
	case o.Status.Terminal():
		s.id = 0
		if o.Cum == 0 {
			s.next = v.Now() + pause
		}
	}
}

// Say tells how it stands.
func (s *Reversion) Say(v *engine.View, dst []byte) []byte {
	if s.mean == 0 || !v.Signals().Ready() {
		return append(dst, "has no average yet"...)
	}
	dst = strconv.AppendFloat(dst, (v.Signals().Microprice()/s.mean-1)*1e4, 'f', 2, 64)
	return append(dst, " bps off the average"...)
}

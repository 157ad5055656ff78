package strategy

import (
	"fmt"
	"math"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
)

// How a Follower leaves: where the stop belongs, what rests, and the way out.

// mean is what the position cost a unit.
func (f *Follower) mean() core.Price {
	if f.bought == 0 {
		return 0
	}
	return core.Price(f.paid.Div(uint64(f.bought)))
}

// stopAt is where the stop belongs, 0: nowhere.
func (f *Follower) stopAt() core.Price {
	if f.stopBps == 0 && f.trailBps == 0 {
		return 0
	}
	exit := f.side.Opposite()
	at := core.Price(0)
	if f.stopBps > 0 {
		at = beyond(exit, f.mean(), f.stopBps, f.in.Filters.Tick)
	}
	if f.trailBps > 0 && f.best > 0 {
		trail := beyond(exit, f.best, f.trailBps, f.in.Filters.Tick)
		if at == 0 || (trail-at)*core.Price(f.side.Sign()) > 0 {
			at = trail
		}
	}
	return at
}

func (f *Follower) tendPosition(v *engine.View, now core.MonoNs) {
	q := f.held(v)
	if q == 0 {
		f.done(v)
		return
	}
	top := v.Top()
	at := touchOf(&top, f.side) // what an exit would get
	if (at-f.best)*core.Price(f.side.Sign()) > 0 {
		f.best = at
	}
	if p := f.stopAt(); p != 0 && (f.trigger == 0 || (p-f.trigger)*core.Price(f.side.Sign()) >= core.Price(float64(p)*f.step/1e4)) {
		f.trigger = p
	}
	switch {
	case f.until > 0 && now >= f.until:
		f.close(v, "its time was over")
		return
	case f.takeBps > 0 && (at-beyond(f.side, f.mean(), f.takeBps, f.in.Filters.Tick))*core.Price(f.side.Sign()) >= 0 && f.exit == 0:
		f.close(v, "take-profit")
		return
	case f.trigger != 0 && (at-f.trigger)*core.Price(f.side.Sign()) <= 0:
		if f.lost == 0 {
			f.lost = now
		}
		if f.stop == 0 || now-f.lost >= gapGrace {
			f.close(v, "stop")
		}
		return
	}
	f.lost = 0
	f.guard(v, q, now)
}

// guard keeps the resting orders as they should be.
func (f *Follower) guard(v *engine.View, q core.Qty, now core.MonoNs) {
	if now < f.next || v.Halted() != 0 {
		return
	}
	exit := f.side.Opposite()
	tick := f.in.Filters.Tick
	if f.rests && f.trigger != 0 && f.moved == 0 {
		in := core.Intent{Side: exit, Type: core.StopLossLimit, TIF: core.GTC, Stop: f.trigger, Price: beyond(exit, f.trigger, f.slippage, tick), Qty: q}
		switch o := v.Order(f.stop); {
		case o == nil:
			f.rest(v, &f.stop, in)
		case o.Canceling || o.Price == in.Price && o.Remaining() == q:
		case f.in.Features.Has(core.FeatureReplace) && o.Status >= core.New:
			if id, r := v.Replace(f.stop, in); r == risk.None {
				f.stop, f.moved = id, f.stop
				return
			}
			f.next = now + childPause
		default:
			v.Cancel(f.stop) // the local one stays armed
		}
	}
	if f.both && f.takeBps > 0 && f.exit == 0 {
		f.rest(v, &f.exit, core.Intent{Side: exit, Type: core.Limit, TIF: core.GTC, Price: beyond(f.side, f.mean(), f.takeBps, tick).TickCeil(tick), Qty: q})
	}
}

// rest asks for an order that rests; refused, it is asked for again later, and watched
// locally until then.
func (f *Follower) rest(v *engine.View, id *core.OrderID, in core.Intent) {
	got, r := v.Place(in)
	if r != risk.None {
		f.next = v.Now() + 4*childPause
		return
	}
	*id = got
	f.taking = false
}

// close begins to leave the position, or what of it is being entered.
func (f *Follower) close(v *engine.View, why string) {
	if f.state == closing {
		return
	}
	f.state, f.why = closing, why
	f.tendClose(v, v.Now())
}

// tendClose cancels what rests, then takes until it is flat.
func (f *Follower) tendClose(v *engine.View, now core.MonoNs) {
	open := false
	for _, id := range [...]core.OrderID{f.entry, f.stop, f.moved, f.exit} {
		o := v.Order(id)
		if o == nil {
			continue
		}
		open = true
		if !o.Canceling && !(id == f.exit && f.taking) && now >= f.next {
			v.Cancel(id)
		}
	}
	if open || now < f.next {
		return
	}
	q := f.held(v)
	if q == 0 {
		f.done(v)
		return
	}
	id, r := f.order(v, f.side.Opposite(), q, true)
	f.next = now + childPause
	if r == risk.None {
		f.exit, f.taking = id, true
		f.tries++
	}
}

// done is a position that is over: what still rests goes first.
func (f *Follower) done(v *engine.View) {
	for _, id := range [...]core.OrderID{f.entry, f.stop, f.moved, f.exit} {
		if v.Order(id) == nil {
			continue
		}
		if f.state != closing {
			f.close(v, "an exit that rested has traded")
		}
		return
	}
	if f.bought > 0 {
		f.trades++
	}
	turn := f.turn
	f.state, f.bought, f.turn, f.taking, f.tries = flat, 0, nil, false, 0
	if turn != nil && v.Now() < turn.till {
		f.enter(v, *turn)
	}
}

// Say tells of the position.
func (f *Follower) Say(v *engine.View, dst []byte) []byte {
	dst = fmt.Appendf(dst, "%s, %d closed", followText[f.state], f.trades)
	switch f.state {
	case flat:
		if f.why != "" {
			dst = fmt.Appendf(dst, ", the last by: %s", f.why)
		}
		return dst
	case closing:
		dst = fmt.Appendf(dst, " (%s)", f.why)
	}
	dst = fmt.Appendf(dst, ": %v %v", f.side, v.Exposure().Position)
	if f.bought > 0 {
		dst = fmt.Appendf(dst, " at %v", f.mean())
	}
	if f.trigger > 0 && f.state == holding {
		where := "local"
		if f.stop != 0 {
			where = "at the venue"
		}
		dst = fmt.Appendf(dst, ", stop %v %s", f.trigger, where)
	}
	if f.until > 0 {
		dst = fmt.Appendf(dst, ", %.0f s left", math.Max(0, float64(f.until-v.Now())/1e9))
	}
	if f.style == "auto" && f.costs.Horizon > 0 {
		dst = fmt.Appendf(dst, "; %v", &f.costs)
	}
	return dst
}

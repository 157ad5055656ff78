package exec

import (
	"errors"

	"riposte/core"
	"riposte/core/fault"
	"riposte/core/risk"
)

// answered takes a complete answer off a wire.
func (g *Gateway) answered(w *wire, a *Answer) {
	o := g.unpin(&w.flight)
	v := &g.verdict
	v.reset()
	g.codec.Answer(w.kind, o, a, v)
	recv := g.clock.Mono()
	g.router.took(RouteREST, w.kind, recv-w.sent, recv)
	if v.Class == ClassUnknown {
		// Whatever confused us may have left the wire out of step.
		g.pool.discard(w, recv)
	}
	g.heard(&w.flight, o, v, recv)
}

// heard takes what the answer to a request said. o is the order concerned, nil if there
// is none or it is no longer held.
func (g *Gateway) heard(f *flight, o *Order, v *Verdict, recv core.MonoNs) {
	fault.At(fault.AnswerRead)
	venue := g.time.At(recv)
	g.budget.SawWeight(v.Weight, venue)
	if f.kind == RequestPlace {
		g.inflight--
		g.budget.SawOrders(v.OrdersShort, v.OrdersDay, g.inflight, venue)
	}
	g.heed(v, venue, recv)
	if o == nil {
		return
	}
	for i := range v.Execs {
		v.Execs[i].Recv = recv
		g.table.Apply(&v.Execs[i])
	}
	switch f.kind {
	case RequestPlace:
		g.placed(o, v, recv)
	case RequestCancel:
		g.canceled(f, o, v)
	case RequestStatus:
		if v.Class == ClassAccepted && o.Filled < o.Cum {
			o.ask.soon(recv + core.MonoNs(g.cfg.FillGrace))
		}
	}
	g.after(o)
	fault.At(fault.AnswerApplied)
}

func (v *Verdict) reset() {
	*v = Verdict{Execs: v.Execs[:0], Weight: -1, OrdersShort: -1, OrdersDay: -1}
}

func (g *Gateway) unpin(f *flight) *Order {
	o := g.table.at(f.slot, f.gen)
	if o != nil {
		o.pins--
	}
	f.slot = none
	return o
}

// heed obeys what an answer says beyond its order.
func (g *Gateway) heed(v *Verdict, venue core.WallNs, now core.MonoNs) {
	if v.Lockout {
		g.Stats.Limited++
		if v.OrderLimit {
			g.budget.OrderLockout(v.RetryAfter, venue, now)
		} else {
			g.budget.Lockout(v.RetryAfter, venue, now)
		}
	}
	if v.KeyRefused {
		g.keyCode.Store(v.Code)
		g.raise(risk.HaltKey)
	}
	if v.ClockOff {
		// Measured anew once; refused again right after that, a human must look.
		if g.clockOff++; g.clockOff > 1 {
			g.Stats.ClockAlarms++
		}
		g.startClock()
	} else if v.Class == ClassAccepted {
		g.clockOff = 0
	}
}

func (g *Gateway) placed(o *Order, v *Verdict, recv core.MonoNs) {
	switch v.Class {
	case ClassAccepted:
		if !o.Complete() && o.Filled < o.Cum {
			o.ask.soon(recv + core.MonoNs(g.cfg.FillGrace))
		}
	case ClassRefused, ClassLimited:
		if v.Duplicate {
			// Our ids are sent once: if the venue has one already, something between
			// us doubled it, and the other copy may be working.
			g.doubt(o)
			return
		}
		g.Stats.Rejected++
		g.Stats.LastCode = v.Code
		n := copy(g.Stats.LastMsg[:], v.Msg)
		clear(g.Stats.LastMsg[n:])
		g.table.Refuse(o, v.Code, recv)
	case ClassUnknown:
		g.doubt(o)
	}
}

// canceled takes what one attempt to cancel came to. Where another is under way with
// the same target, its answer decides: the venue says of the later copy that there is no
// such order.
func (g *Gateway) canceled(f *flight, o *Order, v *Verdict) {
	g.attempted(f, o)
	switch {
	case v.Class == ClassAccepted:
		o.cancel.want, o.cancel.settle = false, false
	case o.Status().Terminal():
	case v.Class == ClassUnknown || v.GoneOrder:
		g.cancelOpen(o, v.Code)
		if v.GoneOrder {
			o.cancel.gone = g.now
		}
	case o.cancel.flying == 0 && !o.cancel.settle:
		o.cancel.barred = v.KeyRefused
		g.cancelFailed(o, v.Code)
	}
}

// attempted notes that one attempt to cancel o is no longer under way.
func (g *Gateway) attempted(f *flight, o *Order) {
	if f.counted {
		f.counted = false
		o.cancel.flying--
	}
}

// lost hears that a request will have no answer.
func (g *Gateway) lost(f *flight, why error) {
	if f.kind == RequestPlace {
		g.inflight--
	}
	o := g.unpin(f)
	if o == nil {
		return
	}
	if f.kind == RequestPlace {
		if !o.Status().Terminal() && !o.alive {
			g.doubt(o)
		}
		return
	}
	if f.kind != RequestCancel {
		return
	}
	g.attempted(f, o)
	var a AnswerError
	if errors.As(why, &a) {
		g.Stats.AnswersUnknown++
	}
	if !o.Status().Terminal() {
		g.cancelOpen(o, 0)
	}
}

// slow hears that an answer is late. It is listened for all the same.
func (g *Gateway) slow(f *flight) {
	o := g.table.at(f.slot, f.gen)
	if o == nil || o.Status().Terminal() {
		return
	}
	if f.kind == RequestPlace {
		if !o.alive {
			g.doubt(o)
			g.tryCancel(o)
		}
		return
	}
	if f.kind != RequestCancel {
		return
	}
	g.attempted(f, o)
	g.cancelOpen(o, 0)
}

// probe lays out a probe if the budget allows one.
func (g *Gateway) probe(r *Request) bool {
	if ok, _ := g.budget.TakeWeight(1, false, g.time.At(g.now), g.now); !ok {
		return false
	}
	g.codec.Probe(r)
	return true
}

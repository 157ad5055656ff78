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
	if w.kind == RequestReplace {
		g.codec.AnswerReplace(o, g.table.at(w.old, w.oldGen), a, v)
	} else {
		g.codec.Answer(w.kind, o, a, v)
	}
	recv := g.clock.Mono()
	g.router.took(RouteREST, w.kind, recv-w.sent, recv)
	if v.Class == ClassUnknown || w.kind == RequestReplace && v.Old.Class == ClassUnknown {
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
	g.budget.SawWeight(v.Weight, g.time.At(f.sent)-core.WallNs(g.time.Error()), venue)
	if f.kind.places() {
		// What came to its end while this one was under way may not be in the count that
		// it brings: answers of several connections overtake each other.
		g.inflight--
		g.budget.SawOrders(v.OrdersShort, v.OrdersDay, g.inflight+int(g.concluded-f.before), venue)
		g.concluded++
	}
	g.heed(v, venue, recv)
	old := g.unpinOld(f)
	if o == nil && old == nil {
		return
	}
	for i := range v.Execs {
		v.Execs[i].Recv = recv
		g.table.Apply(&v.Execs[i])
	}
	if o != nil {
		g.concludes(f, o, v, recv)
		g.after(o)
	}
	if old != nil { // last: whoever hears that it stays knows what became of the new one
		g.canceled(f, old, &v.Old, v.KeyRefused)
		g.after(old)
	}
	fault.At(fault.AnswerApplied)
}

// concludes follows up on what the answer said of the order that the request was about.
func (g *Gateway) concludes(f *flight, o *Order, v *Verdict, recv core.MonoNs) {
	switch f.kind {
	case RequestPlace, RequestReplace:
		g.placed(o, v, recv)
	case RequestCancel:
		g.canceled(f, o, &Half{v.Class, v.Code, v.GoneOrder}, v.KeyRefused)
	case RequestAmend:
		g.amended(o, v, recv)
	case RequestStatus:
		if v.Class == ClassAccepted && o.Filled < o.Cum {
			o.ask.soon(recv + core.MonoNs(g.cfg.FillGrace))
		}
	}
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

// unpinOld is unpin for the order that a replace was to end, nil for other requests.
func (g *Gateway) unpinOld(f *flight) *Order {
	o := g.table.at(f.old, f.oldGen)
	if o != nil {
		o.pins--
	}
	f.old = none
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
		if v.Untried {
			g.table.NotSent(o, recv)
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
func (g *Gateway) canceled(f *flight, o *Order, h *Half, keyRefused bool) {
	g.attempted(f, o)
	switch {
	case h.Class == ClassAccepted:
		o.cancel.want, o.cancel.settle = false, false
	case o.Status().Terminal():
	case h.Class == ClassUnknown || h.Gone:
		g.cancelOpen(o, h.Code)
		if h.Gone {
			o.cancel.gone, o.cancel.early = g.now, !o.alive
		}
	case o.cancel.flying == 0:
		o.cancel.barred = keyRefused
		if o.cancel.settle { // what became of an attempt before is open yet
			g.cancelOpen(o, h.Code)
			return
		}
		g.cancelFailed(o, h.Code)
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
	if f.kind.places() {
		g.inflight--
		g.concluded++
	}
	var a AnswerError
	if errors.As(why, &a) && f.kind == RequestCancel {
		g.Stats.AnswersUnknown++
	}
	o, old := g.unpin(f), g.unpinOld(f)
	g.unheard(f, o, old)
}

// unheard leaves open what became of a request that has no answer, or none yet: for the
// order concerned, and for the one that it was to end.
func (g *Gateway) unheard(f *flight, o, old *Order) {
	if f.kind == RequestCancel {
		o, old = nil, o
	}
	if old != nil {
		g.attempted(f, old)
		if !old.Status().Terminal() {
			g.cancelOpen(old, 0)
		}
	}
	switch {
	case o == nil || o.Status().Terminal():
	case f.kind == RequestAmend:
		g.amendOpen(o)
	case f.kind.places() && !o.alive:
		g.doubt(o)
	}
}

// slow hears that an answer is late. It is listened for all the same.
func (g *Gateway) slow(f *flight) {
	o := g.table.at(f.slot, f.gen)
	g.unheard(f, o, g.table.at(f.old, f.oldGen))
	if o != nil && f.kind.places() {
		g.tryCancel(o)
	}
}

// probe lays out a probe if the budget allows one.
func (g *Gateway) probe(r *Request) bool {
	if ok, _ := g.budget.TakeWeight(1, ForMarket, g.time.At(g.now), g.now); !ok {
		return false
	}
	g.codec.Probe(r)
	return true
}

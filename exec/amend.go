package exec

import (
	"time"

	"riposte/core"
	"riposte/core/risk"
)

// Requests about an order that works already: an amend makes it smaller, a replace ends
// it and places another in the same request. Both take a wire, so that one request is in
// flight on it; the codecs of frames do not know them.
//
// A replace is two things to the venue, and each has an outcome of its own: the cancel
// of the old order counts among the attempts to cancel it, and the new order is as any
// other. Where the answer is lost both are open and each is settled by what ends doubt
// elsewhere. The venue stops where the cancel fails (STOP_ON_FAILURE), so an order that
// traded meanwhile is not followed by a second one: the new one ends as NotSent. Should
// the venue show it all the same, it lives.
//
// An amend only lowers. It waits in no line: what finds no wire is refused, and whoever
// decided may decide again. It obeys halts as the gate has it, which lets it pass only
// HaltReduceOnly: while trading is stopped own orders are cancelled, and nothing else
// leaves. Its answer lost, the order's state is read until it shows the new quantity, or
// until it can no longer come to have it and does not.

// amendState is what is going on about amending an order.
type amendState struct {
	qty    core.Qty
	flying bool
	open   bool        // its outcome is
	proof  core.WallNs // open: a read of the venue at this time or later counts
	code   int32
}

// target is an order that may be amended or replaced, nil if it has ended, is ending, or
// has shown no sign of life: on a wire of its own a request could overtake it.
func (g *Gateway) target(id core.OrderID) *Order {
	o := g.table.Find(id)
	if o == nil || !o.alive || o.Status().Terminal() || o.cancel.want || o.cancel.flying > 0 || o.cancel.settle {
		return nil
	}
	return o
}

// stays tells the engine that an order which was to be amended or replaced is as it was.
// Of one that has ended the end has been told.
func (g *Gateway) stays(id core.OrderID) {
	if o := g.table.Find(id); o != nil && !o.saidDone {
		g.table.CancelRefused(o, 0, g.now)
	}
}

// amend sends that an order is to become smaller, or tells that it is not.
func (g *Gateway) amend(a *risk.Approved, in *core.Intent, now core.MonoNs) {
	if g.Halted()&^risk.HaltReduceOnly != 0 {
		g.refuse(in, RefusedHalted)
		return
	}
	x := g.wire()
	if x.none() || g.late(a, now) {
		g.refuse(in, RefusedLate)
		return
	}
	o := g.target(in.ID)
	if o == nil || o.amend.flying || o.amend.open || in.Qty <= o.Cum || in.Qty >= o.Qty {
		g.refuse(in, RefusedTarget)
		return
	}
	// Weight 4, order count 0 (Binance Spot API docs, 2026-07-21).
	if !g.mayAsk(4) {
		g.refuse(in, RefusedBudget)
		return
	}
	if g.codec.Amend(o, in.Qty, g.time.At(now), &g.req) != EncodeOK {
		g.refuse(in, RefusedEncode)
		return
	}
	encoded := g.clock.Mono()
	g.rec = SentRecord{Kind: RequestAmend, Intent: *in, Client: o.Client, VenueID: o.VenueID, Stamp: g.req.Stamp, Window: g.req.Window,
		At: now, Input: a.Input(), Path: x.path}
	if err := g.cfg.Journal.Sent(&g.rec); err != nil {
		g.raise(risk.HaltJournal)
		g.refuse(in, RefusedJournal)
		return
	}
	if why, may := g.lastLook(a); !may {
		g.cfg.Journal.Unsent(&g.rec, why)
		g.refuse(in, why)
		return
	}
	o.amend = amendState{qty: in.Qty, flying: true,
		proof: g.req.Stamp + core.WallNs(g.req.Window) + core.WallNs(g.cfg.ProofMargin) + core.WallNs(g.time.Error())}
	taken, err := g.send(&x, RequestAmend, o, now)
	written := g.clock.Mono()
	if err != nil {
		o.pins--
		if taken == 0 {
			o.amend = amendState{}
			g.refuse(in, RefusedWire)
			return
		}
		g.Stats.Amends++
		g.amendOpen(o)
		return
	}
	g.Stats.Amends++
	g.stamp(a, in, x.path, encoded, written)
}

// amended takes what the venue answered to an amend. What it did, the order's evidence
// has told already.
func (g *Gateway) amended(o *Order, v *Verdict, recv core.MonoNs) {
	switch {
	case !o.amend.flying && !o.amend.open || o.Status().Terminal(): // settled by what came before
	case v.Class == ClassUnknown:
		o.amend.code = v.Code
		g.amendOpen(o)
	case v.Class == ClassAccepted && o.low <= o.amend.qty:
		o.amend = amendState{}
	default:
		g.amendFailed(o, v.Code)
		if v.GoneOrder {
			o.ask.soon(recv)
		}
	}
}

// amendOpen leaves open whether an amend was done, unless that is known already.
func (g *Gateway) amendOpen(o *Order) {
	if o.low <= o.amend.qty {
		o.amend = amendState{}
		return
	}
	if !o.amend.open {
		g.Stats.AnswersUnknown++
	}
	o.amend.flying, o.amend.open = false, true
	o.ask.soon(g.now + core.MonoNs(50*time.Millisecond))
}

func (g *Gateway) amendFailed(o *Order, code int32) {
	o.amend = amendState{}
	g.table.CancelRefused(o, code, g.now)
}

// settleAmend weighs evidence about an order whose amend is open. asked is when the
// venue was asked, 0 if it told by itself: an order that has not become smaller when it
// no longer can will not.
func (g *Gateway) settleAmend(o *Order, asked core.WallNs) {
	switch m := &o.amend; {
	case !m.open:
	case o.Status().Terminal() || o.low <= m.qty:
		*m = amendState{}
	case asked > m.proof:
		g.amendFailed(o, m.code)
	}
}

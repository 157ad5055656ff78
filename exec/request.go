package exec

import (
	"time"

	"riposte/core"
	"riposte/core/fault"
	"riposte/core/risk"
)

// cancelState is what is going on about cancelling an order.
type cancelState struct {
	want   bool        // it shall end
	sticky bool        // ask again until it has ended
	flying int8        // attempts under way
	barred bool        // refused for its key; see Gateway.barred
	settle bool        // an attempt's outcome is open: the state is read before another, for a while
	again  core.MonoNs // settle: until when
	gone   core.MonoNs // when the venue last said that it knows no such working order, 0: it has not
	early  bool        // gone: it was not known then that the order had come there
	code   int32
	tries  uint8
	next   core.MonoNs // not before
	input  uint64      // of the engine that asked for it, 0: the gateway did
}

// intake takes approvals off the ring. Orders that find no wire wait in line; cancels
// do not wait behind them.
func (g *Gateway) intake(now core.MonoNs) int {
	work := g.retryWaiting(now)
	pending := g.in.Pending()
	n := 0
	for n < len(pending) && g.waitN < len(g.waiting) {
		g.take(&pending[n], now)
		n++
	}
	if n > 0 {
		g.in.Release(n)
	}
	return work + n
}

func (g *Gateway) retryWaiting(now core.MonoNs) int {
	n := 0
	for g.waitN > 0 {
		a := &g.waiting[g.waitAt]
		g.intent = a.Intent()
		x := g.wayFor(&g.intent)
		if x.none() && !g.late(a, now) {
			break
		}
		g.place(a, &g.intent, &x, now)
		g.waitAt = (g.waitAt + 1) % len(g.waiting)
		g.waitN--
		n++
	}
	return n
}

func (g *Gateway) take(a *risk.Approved, now core.MonoNs) {
	g.intent = a.Intent()
	in := &g.intent
	if !a.Valid() {
		if asserts {
			panic("BUG: an intent reached the gateway that the gate has not approved")
		}
		g.refuse(in, RefusedInvalid)
		return
	}
	switch in.Kind {
	case core.Cancel:
		g.cancelIntent(in, a.Input())
	case core.CancelAll:
		g.cancelInstrument(in.Instrument, a.Input())
	case core.Place, core.Replace:
		x := g.wayFor(in)
		if g.waitN > 0 || (x.none() && g.halt.Load() == 0) {
			g.waiting[(g.waitAt+g.waitN)%len(g.waiting)] = *a
			g.waitN++
			return
		}
		g.place(a, in, &x, now)
	case core.Amend:
		g.amend(a, in, now)
	}
}

// late reports whether an approval, whose intent is g.intent, has waited too long: for
// TimeToLive, or for its own life.
func (g *Gateway) late(a *risk.Approved, now core.MonoNs) bool {
	life := core.MonoNs(g.intent.LifeUs) * 1000
	return now-a.At() > core.MonoNs(g.cfg.TimeToLive) || life > 0 && now-a.Decided() >= life
}

// refuse ends an order of which no byte was made, and tells that one which was to be
// amended or replaced is as it was.
func (g *Gateway) refuse(in *core.Intent, why Refusal) {
	g.Stats.Refused[why]++
	switch in.Kind {
	case core.Place, core.Replace:
	case core.Amend:
		g.stays(in.ID)
		return
	default:
		return
	}
	g.emit(&core.Report{Kind: core.ReportDone, Status: core.NotSent, Side: in.Side, Instrument: in.Instrument,
		FeeAsset: core.NoAsset, ID: in.ID, TradeID: -1, Recv: g.now})
	if in.Kind == core.Replace {
		g.stays(in.Old)
	}
}

// place sends a new order by x, alone or in the place of another, or ends it. The order
// of things is the promise: budget, bytes, table, journal, and only then the wire.
func (g *Gateway) place(a *risk.Approved, in *core.Intent, x *way, now core.MonoNs) {
	switch {
	case g.halt.Load() != 0:
		g.refuse(in, RefusedHalted)
		return
	case x.none() || g.late(a, now):
		g.refuse(in, RefusedLate)
		return
	case g.cfg.UnknownMax > 0 && g.table.UnknownOf(in.Instrument) >= g.cfg.UnknownMax:
		g.refuse(in, RefusedUnknown)
		return
	}
	kind, old, venueID := RequestPlace, (*Order)(nil), int64(0)
	if in.Kind == core.Replace {
		if old = g.target(in.Old); old == nil {
			g.refuse(in, RefusedTarget)
			return
		}
		kind, venueID = RequestReplace, old.VenueID
	}
	fault.At(fault.OrderTaken)
	venue := g.time.At(now)
	if !g.budget.TakeOrder(venue, now) {
		g.refuse(in, RefusedBudget)
		return
	}
	if e := g.layPlace(x, in, old, g.time.At(a.Decided()), venue); e != EncodeOK {
		g.budget.GiveOrder(venue)
		why := RefusedEncode
		if e == EncodeLate {
			why = RefusedLate
		}
		g.refuse(in, why)
		return
	}
	fault.At(fault.OrderEncoded)
	encoded := g.clock.Mono()
	o := g.table.Add(in, &g.req)
	if o == nil {
		g.budget.GiveOrder(venue)
		g.refuse(in, RefusedTable)
		return
	}
	fault.At(fault.OrderAdded)
	g.rec = SentRecord{Kind: kind, Intent: *in, Client: g.req.Client, VenueID: venueID, Stamp: g.req.Stamp, Window: g.req.Window,
		At: now, Input: a.Input(), Presigned: g.req.Presigned, Path: x.path}
	if err := g.cfg.Journal.Sent(&g.rec); err != nil {
		g.raise(risk.HaltJournal)
		g.unsent(o, in, RefusedJournal, venue)
		return
	}
	o.Sent = now
	fault.At(fault.PlaceBefore)
	if why, may := g.lastLook(a); !may {
		g.cfg.Journal.Unsent(&g.rec, why)
		g.unsent(o, in, why, venue)
		return
	}
	taken, err := g.send(x, kind, o, now)
	written := g.clock.Mono()
	fault.At(fault.PlaceWritten)
	if err != nil {
		o.pins--
		if taken == 0 {
			g.cfg.Journal.Unsent(&g.rec, RefusedWire)
			g.unsent(o, in, RefusedWire, venue)
			return
		}
		g.Stats.Sent++
		if old != nil {
			g.cancelOpen(old, 0)
		}
		g.doubt(o)
		return
	}
	if old != nil {
		g.Stats.Replaces++
		x.w.ends(old)
	}
	g.inflight++
	g.router.routes[x.path.Route()].sent++
	g.Stats.Sent++
	if g.req.Presigned {
		g.Stats.Presigned++
	}
	g.stamp(a, in, x.path, encoded, written)
}

func (g *Gateway) unsent(o *Order, in *core.Intent, why Refusal, venue core.WallNs) {
	g.Stats.Refused[why]++
	g.budget.GiveOrder(venue)
	g.table.NotSent(o, g.now)
	if in.Kind == core.Replace {
		g.stays(in.Old)
	}
}

func (g *Gateway) stamp(a *risk.Approved, in *core.Intent, path Path, encoded, written core.MonoNs) {
	g.written = WrittenRecord{Kind: in.Kind, Approved: a, Stamp: g.req.Stamp, Encoded: encoded, Written: written, Bytes: len(g.req.Bytes), Routes: g.router.expected()}
	g.cfg.Journal.Written(&g.written)
	if g.cfg.Stamps == nil {
		return
	}
	s := g.cfg.Stamps.Claim()
	if s == nil {
		g.Stats.StampsDropped++
		return
	}
	*s = Stamp{Stamps: *a.Stamps(), Encoded: encoded, Written: written, ID: in.ID, Input: a.Input(), Kind: in.Kind, Presigned: g.req.Presigned, Path: path}
	g.cfg.Stamps.Publish()
}

// doubt makes an order unknown and has it asked about, after a moment in which the
// user stream may tell by itself.
func (g *Gateway) doubt(o *Order) {
	g.Stats.AnswersUnknown++
	g.table.Doubt(o, g.now)
	o.ask.soon(g.now + core.MonoNs(50*time.Millisecond))
	g.inquire(o)
}

func (g *Gateway) cancelIntent(in *core.Intent, input uint64) {
	for i := range g.waitN { // not sent yet: it never will be
		at := (g.waitAt + i) % len(g.waiting)
		wait := g.waiting[at].Intent()
		if wait.ID != in.ID {
			continue
		}
		for ; i < g.waitN-1; i++ {
			g.waiting[(g.waitAt+i)%len(g.waiting)] = g.waiting[(g.waitAt+i+1)%len(g.waiting)]
		}
		g.waitN--
		g.refuse(&wait, RefusedWithdrawn)
		return
	}
	o := g.table.Find(in.ID)
	if o == nil || o.saidDone {
		g.emit(&core.Report{Kind: core.ReportCancelRejected, Status: core.NotSent, Instrument: in.Instrument, Side: in.Side,
			FeeAsset: core.NoAsset, ID: in.ID, TradeID: -1, Recv: g.now})
		return
	}
	o.cancel.input = input
	g.wantCancel(o, false)
}

func (g *Gateway) cancelInstrument(id core.InstrumentID, input uint64) {
	for n := g.waitN; n > 0; n-- {
		wait := g.waiting[g.waitAt].Intent()
		if wait.Instrument == id {
			g.refuse(&wait, RefusedWithdrawn)
		} else {
			g.waiting[(g.waitAt+g.waitN)%len(g.waiting)] = g.waiting[g.waitAt]
			g.waitN++
		}
		g.waitAt = (g.waitAt + 1) % len(g.waiting)
		g.waitN--
	}
	g.table.EachLive(func(o *Order) {
		if o.Instrument == id {
			o.cancel.input = input
			g.wantCancel(o, true)
		}
	})
}

// withdrawAll ends the orders that wait for a wire.
func (g *Gateway) withdrawAll() {
	for ; g.waitN > 0; g.waitN-- {
		wait := g.waiting[g.waitAt].Intent()
		g.refuse(&wait, RefusedWithdrawn)
		g.waitAt = (g.waitAt + 1) % len(g.waiting)
	}
}

func (g *Gateway) wantCancel(o *Order, sticky bool) {
	o.cancel.want = true
	o.cancel.sticky = o.cancel.sticky || sticky
	g.tryCancel(o)
}

// tryCancel sends the cancel of o if it is time. An order whose answer is awaited
// is not cancelled yet: on another wire the cancel could overtake it, find nothing,
// and leave the order working.
func (g *Gateway) tryCancel(o *Order) {
	c := &o.cancel
	if !c.want || c.flying > 0 || g.now < c.next || o.Status().Terminal() || c.settle && (c.gone > 0 || g.now < c.again) {
		return
	}
	if !o.alive && !o.doubt {
		return
	}
	if g.budget.Silent(g.now) || g.barred(&c.barred) {
		return
	}
	first, second := g.cancelWays()
	if first.none() {
		g.cancelsWait = true
		return
	}
	tries := c.tries
	sent := g.sendCancel(o, &first)
	if !second.none() && g.sendCancel(o, &second) {
		g.Stats.Hedged++
		sent = true
	}
	if !sent && c.tries != tries {
		g.cancelOpen(o, 0)
	}
}

// cancelAgain goes on with cancels that found no connection free, until that is so again.
func (g *Gateway) cancelAgain(o *Order) {
	if o.cancel.want && !g.cancelsWait {
		g.tryCancel(o)
	}
}

// sendCancel makes one attempt to cancel o; false if it is not under way.
func (g *Gateway) sendCancel(o *Order, x *way) bool {
	c := &o.cancel
	if e := g.layCancel(x, o, g.time.At(g.now)); e != EncodeOK {
		if c.flying == 0 {
			g.cancelFailed(o, 0)
		}
		return false
	}
	fault.At(fault.CancelBefore)
	g.rec = SentRecord{Kind: RequestCancel, Intent: core.Intent{Kind: core.Cancel, ID: o.ID, Instrument: o.Instrument, Side: o.Side, Strategy: o.Strategy},
		Client: o.Client, VenueID: o.VenueID, Stamp: g.req.Stamp, Window: g.req.Window, At: g.now, Input: c.input, Path: x.path}
	if err := g.cfg.Journal.Sent(&g.rec); err != nil {
		// A cancel only lowers risk: it goes on when the disk does not.
		g.raise(risk.HaltJournal)
	}
	fault.At(fault.CancelNoted)
	c.tries++
	g.Stats.Cancels++
	fault.At(fault.CancelSend)
	if _, err := g.send(x, RequestCancel, o, g.now); err != nil {
		o.pins--
		return false
	}
	c.flying++
	fault.At(fault.CancelWritten)
	return true
}

// settleGrace is how long the state of an order whose cancel was lost is waited for. Who
// answers no question may still take a cancel, and one too many harms nobody: the venue says
// that it knows no such working order.
const settleGrace = core.MonoNs(time.Second)

// hedgeGrace is how long the answer to one of two attempts may follow that to the other
// before the order is asked about.
const hedgeGrace = core.MonoNs(50 * time.Millisecond)

// cancelOpen notes that an attempt may or may not have worked.
func (g *Gateway) cancelOpen(o *Order, code int32) {
	o.cancel.code = code
	o.cancel.settle, o.cancel.again = true, g.now+settleGrace
	at := g.now
	if o.cancel.flying > 0 {
		at += hedgeGrace // the other attempt's answer is likely on its way
	}
	o.ask.soon(at)
}

// goneFor is how long a read that shows an order at work is taken for a stale one, after
// the venue has answered a cancel that it knows no such working order.
const goneFor = core.MonoNs(30 * time.Second)

// stillThere weighs a read that shows an order at work while the outcome of its cancel
// is open. The read side may lag behind the engine by many seconds: an engine that said
// "unknown order" is believed longer than a replica that still has it.
func (g *Gateway) stillThere(o *Order, now core.MonoNs) {
	if c := &o.cancel; c.gone > 0 && now-c.gone < goneFor {
		return // settle stays, and it is asked again
	}
	g.cancelFailed(o, o.cancel.code)
}

// cancelFailed notes that an attempt did not work and the order still may.
func (g *Gateway) cancelFailed(o *Order, code int32) {
	c := &o.cancel
	c.settle, c.gone, c.early = false, 0, false
	if c.sticky {
		c.next = g.now + core.MonoNs(50*time.Millisecond)<<min(c.tries, 6)
		return
	}
	*c = cancelState{flying: c.flying}
	g.table.CancelRefused(o, code, g.now)
}

// after follows up on evidence about o.
func (g *Gateway) after(o *Order) {
	if o.Status().Terminal() {
		o.cancel.want, o.cancel.settle, o.amend = false, false, amendState{}
		return
	}
	g.settleAmend(o, 0)
	if o.adopted {
		o.cancel.want, o.cancel.sticky = true, true // no strategy waits for it any more
	}
	if c := &o.cancel; c.early && o.alive {
		// The cancel was there before the order, or the order has ended since: that would be
		// told, and one cancel more harms nobody.
		c.settle, c.gone, c.early = false, 0, false
	}
	if o.cancel.want {
		g.tryCancel(o)
	}
}

package risk

import "riposte/core"

// Report applies what became known of one of our orders. It returns the order's
// record as it stands after the report (a copy: the slot is freed at the end),
// and ok false if the gate never knew it, or knew it and it has already ended; a
// late fill of an ended order still moves the position.
//
// An order that had been told as Rejected or NotSent and lives after all
// (ReportResolved with a state that is not terminal) counts again. If it cannot
// be counted, because nothing is known of it any more, trading halts with
// HaltMismatch: the worst case is then not known.
func (g *Gate) Report(r *core.Report) (o Order, ok bool) {
	if r.Kind == core.ReportFill {
		g.fill(r)
	}
	p := g.orders.find(r.ID)
	if p == nil {
		if r.Kind != core.ReportResolved || r.Status.Terminal() {
			return Order{}, false
		}
		if p = g.revive(r); p == nil {
			g.halt |= HaltMismatch
			return Order{}, false
		}
	}
	if r.VenueID != 0 {
		p.VenueID = r.VenueID
	}
	switch r.Kind {
	case core.ReportFill:
		g.rejects = 0
		traded := min(r.Qty, p.Remaining())
		*g.exposure[p.Instrument].open(p.Side) -= traded
		p.Cum += traded
		p.Status = r.Status
	case core.ReportAck:
		g.rejects = 0
		p.Status = r.Status
	case core.ReportCancelRejected:
		p.Canceling = false
	case core.ReportDoubt:
		p.Status = core.Unknown
	case core.ReportResolved, core.ReportDone:
		p.Status = r.Status
		if r.Status == core.Rejected {
			g.countReject()
		}
	}
	o = *p
	if o.Status.Terminal() {
		g.leave(p)
		if o.Status == core.Rejected || o.Status == core.NotSent {
			g.ended.add(&o)
		}
	}
	return o, true
}

// fill moves the position. A commission in the base asset is base we do not hold.
func (g *Gate) fill(r *core.Report) {
	pos := &g.exposure[r.Instrument].Position
	*pos += core.Qty(r.Side.Sign()) * r.Qty
	if r.FeeAsset == g.instruments.Get(r.Instrument).Base {
		*pos -= core.Qty(r.Fee)
	}
}

// revive puts an ended order back into the table, nil if that cannot be done.
func (g *Gate) revive(r *core.Report) *Order {
	if g.orders.free == noSlot {
		return nil
	}
	o, ok := g.ended.take(r.ID)
	if !ok {
		return nil
	}
	o.Cum = min(max(o.Cum, r.Cum), o.Qty)
	p := g.orders.add(o.ID, o.Instrument)
	o.next, o.prev, o.Canceling = p.next, p.prev, false // its old neighbours are not there any more
	*p = o
	e := &g.exposure[o.Instrument]
	e.Open++
	*e.open(o.Side) += o.Remaining()
	return p
}

func (g *Gate) countReject() {
	if g.rejects++; g.rejects >= g.account.RejectMax {
		g.halt |= HaltRejects
	}
}

// Halt stops new orders; cancels go on. Causes add up.
func (g *Gate) Halt(c HaltCause) { g.halt |= c }

// Lift removes causes; trading resumes when none is left.
func (g *Gate) Lift(c HaltCause) {
	g.halt &^= c
	if c&HaltRejects != 0 {
		g.rejects = 0
	}
}

// Halted is the causes in force, 0 while active.
func (g *Gate) Halted() HaltCause { return g.halt }

// Exposure is what an instrument has at stake.
func (g *Gate) Exposure(id core.InstrumentID) Exposure { return g.exposure[id] }

// Find is the record of a live order, nil if there is none. Valid until the next
// call that changes the gate.
func (g *Gate) Find(id core.OrderID) *Order { return g.orders.find(id) }

// Each calls f for every live order of an instrument, newest first, until f
// returns false. f must not change the gate.
func (g *Gate) Each(id core.InstrumentID, f func(*Order) bool) {
	for s := g.orders.heads[id]; s != noSlot; s = g.orders.slots[s].next {
		if !f(&g.orders.slots[s]) {
			return
		}
	}
}

// Live is how many orders count in exposure now.
func (g *Gate) Live() int { return g.orders.live }

// Refused is how often a refusal was given.
func (g *Gate) Refused(r Refusal) uint64 { return g.refused[r] }

// RefusedTotal is how many intents were refused.
func (g *Gate) RefusedTotal() (n uint64) {
	for _, c := range g.refused {
		n += c
	}
	return n
}

// ApprovedTotal is how many intents passed, cancels included.
func (g *Gate) ApprovedTotal() uint64 { return g.approved }

// Unplaced takes back the approval of an order that could not be handed on: it no
// longer counts in exposure nor in ApprovedTotal. Its place in the order rate stays
// used, which errs on the safe side.
func (g *Gate) Unplaced(id core.OrderID) {
	o := g.orders.find(id)
	if o == nil {
		return
	}
	g.leave(o)
	g.approved--
	g.refused[RefusedOutboundFull]++
}

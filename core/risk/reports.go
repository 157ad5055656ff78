package risk

import "riposte/core"

// Report applies what became known of one of our orders. It returns the order's
// record as it stands after the report (a copy: the slot is freed at the end),
// and ok false if the gate never knew it, or knew it and it has already ended; a
// late fill of an ended order still moves the position.
func (g *Gate) Report(r *core.Report) (o Order, ok bool) {
	if r.Kind == core.ReportFill {
		pos := &g.exposure[r.Instrument].Position
		*pos += core.Qty(r.Side.Sign()) * r.Qty
		// A commission in the base asset is base we do not hold.
		if r.FeeAsset == g.instruments.Get(r.Instrument).Base {
			*pos -= core.Qty(r.Fee)
		}
	}
	p := g.orders.find(r.ID)
	if p == nil {
		return Order{}, false
	}
	e := &g.exposure[p.Instrument]
	if r.VenueID != 0 {
		p.VenueID = r.VenueID
	}
	switch r.Kind {
	case core.ReportFill:
		g.rejects = 0
		*e.open(p.Side) -= min(r.Qty, p.Remaining())
		p.Cum = min(p.Cum+r.Qty, p.Qty)
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
	if !p.Status.Terminal() {
		return *p, true
	}
	*e.open(p.Side) -= p.Remaining()
	e.Open--
	o = *p
	g.orders.remove(o.ID)
	return o, true
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

// Unplaced takes an approval back whose Approved could not be handed on (the
// outbound ring was full), as if it had never been given.
func (g *Gate) Unplaced(id core.OrderID) {
	o := g.orders.find(id)
	if o == nil {
		return
	}
	e := &g.exposure[o.Instrument]
	*e.open(o.Side) -= o.Remaining()
	e.Open--
	g.orders.remove(id)
	g.refused[RefusedOutboundFull]++
}

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
// HaltMismatch: the worst case is then not known. The same goes for an order that is
// Adopted.
func (g *Gate) Report(r *core.Report) (o Order, ok bool) {
	p := g.orders.find(r.ID)
	whose := r.Strategy
	if p != nil {
		whose = p.Strategy
	}
	if r.Kind == core.ReportFill {
		g.fill(r, whose)
	}
	if p == nil {
		switch {
		case r.Kind == core.ReportAdopted:
			p = g.adopt(r)
		case r.Kind == core.ReportResolved && !r.Status.Terminal():
			p = g.revive(r)
		default:
			if r.Kind == core.ReportFill {
				g.settle(r, whose)
			}
			return Order{}, false
		}
		if p == nil {
			g.raise(&g.halt, HaltMismatch)
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
		*g.own[p.at].open(p.Side) -= traded
		p.Cum += traded
		g.status(p, r.Status)
	case core.ReportAck:
		g.rejects = 0
		g.status(p, r.Status)
	case core.ReportCancelRejected:
		p.Canceling, p.Amending = false, false
	case core.ReportAmended:
		q := max(r.Qty, p.Cum)
		*g.exposure[p.Instrument].open(p.Side) += q - p.Qty
		*g.own[p.at].open(p.Side) += q - p.Qty
		p.Qty, p.Amending = q, false
		p.Amends++
	case core.ReportDoubt:
		g.status(p, core.Unknown)
	case core.ReportResolved, core.ReportDone:
		g.status(p, r.Status)
		if r.Status == core.Rejected {
			g.countReject(r.Recv)
		}
	}
	o = *p
	if o.Status.Terminal() {
		g.leave(p)
		if o.Status == core.Rejected || o.Status == core.NotSent {
			g.ended.add(&o)
		}
	}
	g.settle(r, o.Strategy)
	return o, true
}

// settle brings the worth of what a report has changed up to date.
func (g *Gate) settle(r *core.Report, whose uint16) {
	if r.Kind == core.ReportFill || r.Kind == core.ReportAmended || r.Status.Terminal() || r.Kind == core.ReportResolved || r.Kind == core.ReportAdopted {
		g.value(r.Instrument)
		g.valueOwn(whose, r.Instrument)
	}
	if r.Kind == core.ReportFill {
		g.judge()
	}
}

// status moves an order on, and into or out of what is unknown.
func (g *Gate) status(p *Order, to core.OrderStatus) {
	if (p.Status == core.Unknown) == (to == core.Unknown) {
		p.Status = to
		return
	}
	if to == core.Unknown {
		// What has no price cannot be said to be within the limit of value.
		mark := max(p.Price, g.watch[p.Instrument].mark)
		v, ok := worth(mark, p.Remaining(), g.capital.rates[g.rules[p.Instrument].Quote])
		if !ok {
			v = grossMost
		}
		p.doubt = v
		g.unknown++
		g.unknownValue += v
	} else {
		g.unknown--
		g.unknownValue -= p.doubt
		p.doubt = 0
	}
	p.Status = to
}

// fill moves money and position. A commission in the base asset is base we do not
// hold.
func (g *Gate) fill(r *core.Report, whose uint16) {
	g.book(r, whose)
	g.capital.trades++
	change := core.Qty(r.Side.Sign()) * r.Qty
	if r.FeeAsset == g.rules[r.Instrument].Base {
		change -= core.Qty(r.Fee)
	}
	g.exposure[r.Instrument].Position += change
	g.cell(whose, r.Instrument).Position += change
	w := &g.watch[r.Instrument]
	if w.executions.full(r.Recv, g.span) {
		g.raise(&w.halt, HaltExecutions)
	}
	w.executions.add(r.Recv)
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
	o.next, o.prev = p.next, p.prev // its old neighbours are not there any more
	o.Canceling, o.Amending, o.doubt = false, false, 0
	*p = o
	g.enter(p)
	return p
}

func (g *Gate) countReject(at core.MonoNs) {
	g.rejects++
	if g.rejects >= g.account.RejectMax || g.lateReject(at) {
		g.raise(&g.halt, HaltRejects)
	}
}

// lateReject counts a reject and reports whether it is the last that the span allows.
func (g *Gate) lateReject(at core.MonoNs) bool {
	g.rejected.add(at)
	return g.rejected.full(at, g.span)
}

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

// EachOf is Each of those that are one strategy's.
func (g *Gate) EachOf(strategy uint16, id core.InstrumentID, f func(*Order) bool) {
	for s := g.orders.heads[id]; s != noSlot; s = g.orders.slots[s].next {
		if o := &g.orders.slots[s]; o.Strategy == strategy && !f(o) {
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
	in, whose := o.Instrument, o.Strategy
	g.leave(o)
	g.value(in)
	g.valueOwn(whose, in)
	g.approved--
	g.refused[RefusedOutboundFull]++
}

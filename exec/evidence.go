package exec

import "riposte/core"

// Apply takes one piece of venue evidence. It returns the order concerned, or nil
// if the evidence is about an order that is not ours or no longer held.
func (t *Table) Apply(e *core.Execution) *Order {
	o := t.find(e)
	if o == nil {
		return nil
	}
	if e.Recv > o.Heard {
		o.Heard = e.Recv
	}
	if e.VenueID != 0 && !t.named(o, e.VenueID) {
		// Two venue orders under one client id: ours was duplicated on its way.
		t.Stats.Contradictions++
		return o
	}
	if !o.alive && (o.refused || o.gone) && (e.Kind != core.ExecRejected || e.Status != core.Rejected) {
		t.Stats.Contradictions++ // adopted; see settle
	}
	o.alive = true
	if e.Status.Terminal() && e.Status != core.NotSent {
		o.endAs(e.Status, e.Code, t)
	}
	if e.Qty > 0 && e.Qty < o.low {
		o.low = e.Qty // amended: a quantity is only ever lowered, so the lowest is the newest
	}
	fill := e.Kind == core.ExecTrade && e.TradeID >= 0 && e.LastQty > 0
	if fill && !t.addFill(o, e.TradeID) {
		t.Stats.Duplicates++
		fill = false
	}
	if fill {
		if o.Filled += e.LastQty; o.Filled > o.whole {
			t.Stats.Contradictions++
		}
	}
	o.Cum = max(o.Cum, e.Cum, o.Filled)
	if o.end == core.Filled {
		o.Cum = max(o.Cum, o.low)
	}
	// More may have traded before an amend than it leaves: the order then ends with what
	// has traded.
	o.Qty = max(o.low, min(o.Cum, o.whole))
	t.settle(o, e, fill)
	return o
}

// named notes the venue's id of an order; false if it has another one.
func (t *Table) named(o *Order, venueID int64) bool {
	if o.VenueID == 0 {
		o.VenueID = venueID
		t.index.put(key{keyVenue + uint32(o.Instrument), uint64(venueID)}, o.slot)
	}
	return o.VenueID == venueID
}

func (o *Order) endAs(st core.OrderStatus, code int32, t *Table) {
	if o.end != core.PendingNew && o.end != st {
		t.Stats.Contradictions++
	}
	// Of ends that contradict each other the one furthest from Filled loses, so
	// that the outcome does not depend on which came first.
	if o.end == core.PendingNew || st < o.end {
		o.end = st
	}
	if st == core.Rejected && code != 0 {
		o.Code = code
	}
}

// find looks an execution's order up and sorts out what is not ours.
func (t *Table) find(e *core.Execution) *Order {
	client := e.Client.Bytes()
	if len(client) == 0 {
		// Fills told by myTrades carry no client id, only the venue's.
		if o := t.byVenue(e.Instrument, e.VenueID); o != nil {
			return o
		}
	}
	epoch, seq, owner := t.ids.Parse(client)
	if owner == Foreign {
		t.Stats.Foreign++
		t.show(e)
		return nil
	}
	if k, ok := t.keyOf(epoch, seq); ok {
		if s, ok := t.index.get(k); ok && t.slots[s].Instrument == e.Instrument {
			return &t.slots[s]
		}
	}
	return t.stray(e, epoch, seq)
}

// byVenue is the order with the venue's id, nil if it is not held.
func (t *Table) byVenue(id core.InstrumentID, venueID int64) *Order {
	if venueID == 0 || id == core.NoInstrument {
		return nil
	}
	if s, ok := t.index.get(key{keyVenue + uint32(id), uint64(venueID)}); ok {
		return &t.slots[s]
	}
	return nil
}

// show keeps an execution that is not ours for display.
func (t *Table) show(e *core.Execution) {
	if len(t.foreign) < cap(t.foreign) {
		t.foreign = append(t.foreign, *e)
		return
	}
	t.foreign[t.foreignAt] = *e
	t.foreignAt = (t.foreignAt + 1) % len(t.foreign)
}

// Refuse notes that an answer said the order was not taken.
func (t *Table) Refuse(o *Order, code int32, recv core.MonoNs) {
	o.refused, o.Code, o.Heard = true, code, recv
	// A rejected order may also be told of by the stream, before its answer.
	if o.alive && o.end != core.Rejected {
		t.Stats.Contradictions++
	}
	t.settle(o, &core.Execution{Recv: recv}, false)
}

// Doubt notes that the answer to the order was lost: it may exist.
func (t *Table) Doubt(o *Order, now core.MonoNs) {
	o.doubt = true
	t.settle(o, &core.Execution{Recv: now}, false)
}

// NotSent notes that the venue never got the order: no byte left, or the absence
// is proved.
func (t *Table) NotSent(o *Order, now core.MonoNs) {
	o.gone = true
	t.settle(o, &core.Execution{Recv: now}, false)
}

// CancelRefused tells the engine that a cancel did nothing.
func (t *Table) CancelRefused(o *Order, code int32, recv core.MonoNs) {
	r := o.base(core.ReportCancelRejected, &core.Execution{Recv: recv})
	r.Code = code
	t.tell(r)
}

// settle reports what is new about o. e is the evidence that made it so; fill
// says that it is a fill not seen before.
func (t *Table) settle(o *Order, e *core.Execution, fill bool) {
	st := o.Status()
	if st == core.Unknown && !o.saidDoubt {
		o.saidDoubt = true
		t.doubted(o, 1)
		t.Stats.Doubts++
		t.say(o, core.ReportDoubt, e)
	}
	if o.saidDone && !st.Terminal() {
		// Alive after all. It is reported like doubt that ended, and lives again.
		o.saidDone, o.saidDoubt, o.adopted = false, true, true
		t.doubted(o, 1)
		t.Stats.Adopted++
		delete(t.tombs, tombKey{o.Epoch, o.Seq})
		o.liveAt = int32(len(t.live))
		t.live = append(t.live, o.slot)
	}
	done := o.Complete()
	// Fills come between the end of doubt and the end of the order, so the end is
	// told with the doubt only when there is no fill left to tell.
	if o.saidDoubt && st != core.Unknown {
		o.saidDoubt = false
		t.doubted(o, -1)
		r := o.base(core.ReportResolved, e)
		if fill {
			r.Status = core.New
			if o.Filled > e.LastQty {
				r.Status = core.PartiallyFilled
			}
			r.Cum = o.Filled - e.LastQty
		}
		t.tell(r)
	}
	if o.alive && !o.saidAck && o.end != core.Rejected {
		o.saidAck = true
		t.Stats.Acked++
		r := o.base(core.ReportAck, e)
		r.Status = core.New
		if fill {
			r.Cum = o.Filled - e.LastQty
		}
		t.tell(r)
	}
	if o.alive && o.Qty != o.saidQty {
		o.saidQty = o.Qty
		r := o.base(core.ReportAmended, e)
		if fill {
			r.Cum = o.Filled - e.LastQty
		}
		if r.Status.Terminal() {
			r.Status = core.PartiallyFilled // its end is told by Done
		}
		r.Price, r.Qty = o.Price, o.Qty
		t.tell(r)
	}
	if fill {
		t.Stats.Filled++
		r := o.base(core.ReportFill, e)
		if r.Status.Terminal() && r.Status != core.Filled {
			r.Status = core.PartiallyFilled // Done follows and says how it ended
		}
		r.Maker, r.TradeID, r.Price, r.Qty = e.Maker, e.TradeID, e.LastPrice, e.LastQty
		r.Quote, r.Fee, r.FeeAsset = e.LastQuote, e.Fee, e.FeeAsset
		t.tell(r)
	}
	if !done && (o.saidEnd != o.end || o.saidCum < o.Cum && o.Filled < o.Cum) {
		o.saidEnd, o.saidCum = o.end, o.Cum
		if t.ahead != nil {
			t.ahead(o)
		}
	}
	if done && !o.saidDone {
		o.saidDone = true
		t.retire(o)
		t.Stats.Done++
		if st == core.Rejected {
			t.Stats.Rejected++
		}
		t.say(o, core.ReportDone, e)
	}
}

func (t *Table) say(o *Order, k core.ReportKind, e *core.Execution) {
	t.tell(o.base(k, e))
}

// tell hands a report on from memory of the table's own: passing the address of a
// local to a function value would allocate it.
func (t *Table) tell(r core.Report) {
	t.out = r
	t.report(&t.out)
}

func (o *Order) base(k core.ReportKind, e *core.Execution) core.Report {
	r := core.Report{
		Kind: k, Status: o.told(), Side: o.Side, Instrument: o.Instrument, FeeAsset: core.NoAsset,
		Strategy: o.Strategy, ID: o.ID, VenueID: o.VenueID, TradeID: -1, Cum: o.Filled, VenueTime: e.Time, Recv: e.Recv,
	}
	if r.Status == core.Rejected {
		r.Code = o.Code
	}
	return r
}

// retire takes o out of the live list and lets its slot wait for reuse.
func (t *Table) retire(o *Order) {
	last := len(t.live) - 1
	moved := t.live[last]
	t.live[o.liveAt] = moved
	t.slots[moved].liveAt = o.liveAt
	t.live = t.live[:last]
	o.liveAt = none
	if !o.queued { // an order that was adopted after its end waits there already
		t.pushEnded(o.slot)
	}
}

package exchange

// Cancel ends an open order, on the book or beside it. If it is a leg of a list,
// the whole list is cancelled. It works in every trading phase.
func (x *Exchange) Cancel(now Micros, id AccountID, r *CancelRequest) (*CancelReport, *Reject) {
	x.command(now, "cancel", id, r.Symbol)
	if x.log.on() {
		x.log.cancel(r)
	}
	o, rej := x.findToCancel(x.account(id), r)
	if rej != nil {
		x.log.reject(rej)
		return nil, rej
	}
	rep := x.cancel(o, r.NewClientOrderID)
	x.commit(o.in)
	return rep, nil
}

// findToCancel is the open order a cancel means (section 7.2: by orderId, then
// the client id must match too if both are sent).
func (x *Exchange) findToCancel(a *account, r *CancelRequest) (*order, *Reject) {
	in := x.byName[r.Symbol]
	if in == nil {
		return nil, rejectSymbol()
	}
	if r.NewClientOrderID != "" && !validClientID(r.NewClientOrderID) {
		return nil, rejectIllegal("newClientOrderId", clientIDRange)
	}
	if !r.OrderID.Set && r.OrigClientOrderID == "" {
		return nil, rejectEither("orderId", "origClientOrderId")
	}
	if a == nil || a.disabled {
		return nil, reject(codeCancelReject, textAccountOff)
	}
	o := a.lookup(in, r.OrderID, r.OrigClientOrderID)
	if o == nil || o.status.Ended() {
		return nil, reject(codeCancelReject, textUnknownOrder)
	}
	if r.OrigClientOrderID != "" && o.clientID != r.OrigClientOrderID {
		return nil, reject(codeCancelReject, textUnknownOrder)
	}
	switch {
	case r.Restriction == CancelOnlyNew && o.status != StatusNew,
		r.Restriction == CancelOnlyPartiallyFilled && o.status != StatusPartiallyFilled:
		return nil, reject(codeCancelReject, textRestricted)
	}
	return o, nil
}

// lookup finds an order by id, or else by client id.
func (a *account) lookup(in *instrument, id Opt, clientID string) *order {
	if id.Set {
		return a.byID[orderKey{in.no, id.V}]
	}
	return a.byClient[clientKey{in.no, clientID}]
}

// cancel ends an open order, or the list it is a leg of, and reports it. cancelID
// is the id of the cancel; empty lets the exchange make one.
func (x *Exchange) cancel(o *order, cancelID string) *CancelReport {
	if cancelID == "" {
		cancelID = o.acct.makeClientID(o.in)
	}
	if o.list != nil {
		return &CancelReport{List: x.cancelList(o.list, cancelID)}
	}
	return x.cancelOne(o, cancelID)
}

func (x *Exchange) cancelOne(o *order, cancelID string) *CancelReport {
	x.withdraw(o)
	o.status, o.updated = StatusCanceled, x.now
	x.relock(o, 0)
	x.reportCanceled(o, cancelID)
	x.touch(o.acct, o.in)
	x.end(o)
	return &CancelReport{Order: o.snapshot(), CancelID: cancelID, TransactTime: x.now}
}

// withdraw takes an open order away from where it stands: the book, beside it,
// or, pending, nowhere.
func (x *Exchange) withdraw(o *order) {
	switch {
	case o.lvl != nil:
		x.pull(o)
	case o.waiting:
		o.unwait()
	}
}

// pull takes a resting order off its level.
func (x *Exchange) pull(o *order) {
	b := o.in.book(o.side)
	price, before := o.price, o.lvl.total()
	l := b.unlink(o)
	after := l.total()
	b.dropIfEmpty(l)
	o.in.touched(o.side, price, before, after)
}

// CancelAll cancels every open order and list of an account on a symbol, oldest
// first.
func (x *Exchange) CancelAll(now Micros, id AccountID, symbol string) ([]CancelReport, *Reject) {
	x.command(now, "cancelAll", id, symbol)
	out, rej := x.cancelAll(x.account(id), symbol)
	x.log.reject(rej)
	x.commit(x.byName[symbol])
	return out, rej
}

func (x *Exchange) cancelAll(a *account, symbol string) ([]CancelReport, *Reject) {
	in := x.byName[symbol]
	if in == nil {
		return nil, rejectSymbol()
	}
	if a == nil || a.disabled {
		return nil, reject(codeCancelReject, textAccountOff)
	}
	var open []*order
	for _, o := range a.open {
		if o.in == in {
			open = append(open, o)
		}
	}
	if len(open) == 0 {
		return nil, reject(codeCancelReject, textUnknownOrder)
	}
	// One id for the whole command, as the venue answers it.
	cancelID := a.makeClientID(in)
	out := make([]CancelReport, 0, len(open))
	for _, o := range open {
		if !o.status.Ended() { // not ended with its list
			out = append(out, *x.cancel(o, cancelID))
		}
	}
	return out, nil
}

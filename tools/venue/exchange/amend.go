package exchange

// amendment is one entry of an order's amend history.
type amendment struct {
	executionID int64
	oldID       string
	newID       string
	oldQty      Fixed
	newQty      Fixed
	time        Micros
}

const (
	textAmendIncrease = "Order amend (quantity increase) is not supported."
	textAmendNothing  = "The requested action would change no state; rejecting."
	textAmendOff      = "Order amend is not supported for this symbol."
)

// Amend reduces an order's quantity and keeps its place in the queue (section
// 7.4). An amend that leaves nothing to trade ends the order as EXPIRED.
func (x *Exchange) Amend(now Micros, id AccountID, r *AmendRequest) (*AmendReport, *Reject) {
	x.command(now, "amend", id, r.Symbol)
	if x.log.on() {
		x.log.amend(r)
	}
	o, rej := x.findToAmend(x.account(id), r)
	if rej != nil {
		x.log.reject(rej)
		return nil, rej
	}
	rep := x.amend(o, r)
	x.commit(o.in)
	return rep, nil
}

func (x *Exchange) findToAmend(a *account, r *AmendRequest) (*order, *Reject) {
	in := x.byName[r.Symbol]
	switch {
	case in == nil:
		return nil, rejectSymbol()
	case !r.OrderID.Set && r.OrigClientOrderID == "":
		return nil, rejectEither("orderId", "origClientOrderId")
	case !r.NewQty.Set || r.NewQty.V <= 0:
		return nil, rejectMandatory("newQty")
	case r.NewClientOrderID != "" && !validClientID(r.NewClientOrderID):
		return nil, rejectIllegal("newClientOrderId", clientIDRange)
	case a == nil || a.disabled:
		return nil, reject(codeAmendReject, textAccountOff)
	case !in.sym.Amend:
		return nil, reject(codeAmendReject, textAmendOff)
	case in.sym.Status != Trading && in.sym.Status != CancelOnly:
		return nil, reject(codeAmendReject, textClosed)
	}
	o := a.lookup(in, r.OrderID, r.OrigClientOrderID)
	switch {
	case o == nil || o.status.Ended():
		return nil, reject(codeAmendReject, textUnknownOrder)
	case r.OrigClientOrderID != "" && o.clientID != r.OrigClientOrderID:
		return nil, reject(codeAmendReject, textUnknownOrder)
	case o.typ == MarketOrder:
		return nil, reject(codeAmendReject, textUnknownOrder)
	case r.NewQty.V > o.qty:
		return nil, reject(codeAmendReject, textAmendIncrease)
	case r.NewQty.V == o.qty:
		return nil, reject(codeAmendReject, textAmendNothing)
	}
	if f := in.sym.filter(MaxNumOrderAmends); f != nil && int64(len(o.amends)) >= f.Limit {
		return nil, reject(codeAmendReject, "Filter failure: "+MaxNumOrderAmends.String())
	}
	if f := in.sym.filter(LotSize); f != nil && !inLot(f, r.NewQty.V) {
		return nil, rejectFilter(LotSize)
	}
	if id := r.NewClientOrderID; id != "" && id != o.clientID {
		if other := a.byClient[clientKey{in.no, id}]; other != nil && !other.status.Ended() {
			return nil, reject(codeAmendReject, textDuplicate)
		}
	}
	return o, nil
}

// amend reduces an order and, since two legs that exclude each other are of one
// quantity, its twin.
func (x *Exchange) amend(o *order, r *AmendRequest) *AmendReport {
	oldID, oldQty := o.clientID, o.qty
	newID := r.NewClientOrderID
	if newID == "" {
		newID = o.acct.makeClientID(o.in)
	}
	x.resize(o, r.NewQty.V)
	twin := o.list.twin(o)
	if twin != nil && !twin.status.Ended() {
		x.resize(twin, r.NewQty.V)
	} else {
		twin = nil
	}
	if o.status != StatusPendingNew {
		x.relock(o, o.rem())
	}
	o.rename(newID)
	x.touch(o.acct, o.in)
	exec := x.replaced(o, oldID, oldQty)
	if twin != nil {
		x.replaced(twin, twin.clientID, oldQty)
	}
	rep := &AmendReport{OrigClientOrderID: oldID, TransactTime: x.now, ExecutionID: exec, OldQty: oldQty}
	if l := o.list; l != nil {
		l.updated = x.now
		s := l.state(ListUpdated)
		rep.List = &s
		if newID != oldID {
			x.sendList(l, s)
		}
	}
	for _, leg := range [2]*order{o, twin} {
		if leg != nil && leg.rem() <= 0 && !leg.status.Ended() {
			x.expire(leg, ExpiryExchangeCanceled)
		}
	}
	rep.Order = o.snapshot()
	return rep
}

// resize gives an open order its new quantity where it stands. One of which
// nothing is left leaves the book.
func (x *Exchange) resize(o *order, qty Fixed) {
	l := o.lvl
	if l == nil {
		o.qty = qty
		return
	}
	b, before, price := o.in.book(o.side), l.total(), o.price
	if rem := qty - o.exec - o.prevent; rem > 0 {
		b.shrink(o, rem)
	} else {
		b.unlink(o)
	}
	o.qty = qty
	after := l.total()
	b.dropIfEmpty(l)
	if after != before {
		o.in.touched(o.side, price, before, after)
	}
}

// rename gives an order another client id.
func (o *order) rename(id string) {
	if id == o.clientID {
		return
	}
	a := o.acct
	if old := (clientKey{o.in.no, o.clientID}); a.byClient[old] == o {
		delete(a.byClient, old)
	}
	o.clientID = id
	a.byClient[clientKey{o.in.no, id}] = o
}

// replaced reports an amend, files it, and returns its execution id.
func (x *Exchange) replaced(o *order, oldID string, oldQty Fixed) int64 {
	o.updated = x.now
	exec := x.reportReplaced(o, oldID)
	o.amends = append(o.amends, amendment{exec, oldID, o.clientID, oldQty, o.qty, x.now})
	return exec
}

// Amendment is one entry of GET /api/v3/order/amendments.
type Amendment struct {
	Symbol            string
	OrderID           int64
	ExecutionID       int64
	OrigClientOrderID string
	NewClientOrderID  string
	OrigQty, NewQty   Fixed
	Time              Micros
}

// Amendments lists the amends of an order from an execution id on, oldest first.
func (x *Exchange) Amendments(id AccountID, symbol string, orderID int64, fromExecution Opt, limit int) ([]Amendment, *Reject) {
	in := x.byName[symbol]
	a := x.account(id)
	if in == nil {
		return nil, rejectSymbol()
	}
	if a == nil {
		return nil, reject(codeNoSuchOrder, textNoOrder)
	}
	o := a.byID[orderKey{in.no, orderID}]
	if o == nil {
		return nil, reject(codeNoSuchOrder, textNoOrder)
	}
	limit = clampLimit(limit)
	out := []Amendment{}
	for _, m := range o.amends {
		if fromExecution.Set && m.executionID < fromExecution.V || len(out) == limit {
			continue
		}
		out = append(out, Amendment{symbol, o.id, m.executionID, m.oldID, m.newID, m.oldQty, m.newQty, m.time})
	}
	return out, nil
}

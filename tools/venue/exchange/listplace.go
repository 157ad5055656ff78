package exchange

// PlaceList puts the legs of an OCO, OTO or OTOCO into the engine, all or none.
// A reject has changed nothing.
func (x *Exchange) PlaceList(now Micros, id AccountID, r *NewList) (*ListReport, *Reject) {
	x.command(now, "placeList", id, r.Symbol)
	if x.log.on() {
		x.log.newList(r)
	}
	l, rej := x.prepareList(x.account(id), r)
	if rej != nil {
		x.log.reject(rej)
		return nil, rej
	}
	rep, rej := x.submitList(l)
	if rej != nil {
		x.log.reject(rej)
	}
	x.commit(l.in)
	return rep, rej
}

// prepareList checks a list up to the engine's door. Counts of orders and lists
// are checked for the list as a whole (since 2025-08-27).
func (x *Exchange) prepareList(a *account, r *NewList) (*orderList, *Reject) {
	in := x.byName[r.Symbol]
	if in == nil {
		return nil, rejectSymbol()
	}
	if r.ClientID != "" && !validClientID(r.ClientID) {
		return nil, rejectIllegal("listClientOrderId", clientIDRange)
	}
	if rej := in.checkStructure(r); rej != nil {
		return nil, rej
	}
	l := &orderList{in: in, acct: a, kind: OTO, clientID: r.ClientID}
	if r.Kind == ListOCO {
		l.kind = OCO
	}
	total := candidate{in: in, acct: a, lists: 1}
	for i := range r.Legs {
		o, rej := x.prepare(a, &r.Legs[i], false)
		if rej != nil {
			return nil, rej
		}
		o.list = l
		l.legs = append(l.legs, o)
		total.count(o.typ, o.iceberg)
	}
	return l, x.filterCounts(&total)
}

// checkStructure checks what a list may be made of (section 7.5 of the venue
// page). The codes are the errors page's; of their texts the page says nothing.
func (in *instrument) checkStructure(r *NewList) *Reject {
	legs := r.Legs
	want := 2
	if r.Kind == ListOTOCO {
		want = 3
	}
	switch {
	case len(legs) != want:
		return reject(codeComposition, textComposition)
	case r.Kind != ListOTO && !in.sym.OCO:
		return reject(codeNewRejected, "OCO orders are not supported for this symbol")
	case r.Kind != ListOCO && !in.sym.OTO:
		return reject(codeNewRejected, "OTO orders are not supported for this symbol.")
	case r.Kind == ListOCO:
		return checkPair(&legs[0], &legs[1])
	}
	for i := range legs {
		if legs[i].QuoteOrderQty.Set {
			return rejectNotRequired(legs[i].param("quoteOrderQty"))
		}
	}
	if t := legs[0].Type; t != LimitOrder && t != LimitMakerOrder {
		return reject(codeComposition, textComposition)
	}
	if r.Kind == ListOTOCO {
		return checkPair(&legs[1], &legs[2])
	}
	return nil
}

// checkPair checks the types of two legs that exclude each other.
func checkPair(above, below *NewOrder) *Reject {
	limits := 0
	for _, r := range [2]*NewOrder{above, below} {
		switch {
		case r.Type == LimitMakerOrder:
			limits++
		case !r.Type.stop():
			return reject(codeOCOType, "Order type not supported in OCO.")
		case r.IcebergQty.Set && r.IcebergQty.V > 0 && r.TimeInForce != GTC && r.TimeInForce != TIFNone:
			return reject(codeOCOIceberg, "Parameter '"+r.param("icebergQty")+"' is not supported if '"+r.param("timeInForce")+"' is not GTC.")
		}
	}
	loss := func(t OrderType) bool { return t == StopLossOrder || t == StopLossLimitOrder }
	profit := func(t OrderType) bool { return t == TakeProfitOrder || t == TakeProfitLimitOrder }
	buy := above.Side == Buy
	switch {
	case limits == 2:
		return reject(codeOCOLimits, "At least one OCO order must be contingent.")
	case buy && above.Type == LimitMakerOrder:
		return reject(codeOCOBuyLimit, "A limit order in a buy OCO must be below.")
	case !buy && below.Type == LimitMakerOrder:
		return reject(codeOCOSellLimit, "A limit order in a sell OCO must be above.")
	case buy && loss(below.Type):
		return reject(codeOCOBuyStop, "A stop loss order in a buy OCO must be above.")
	case !buy && loss(above.Type):
		return reject(codeOCOSellStop, "A stop loss order in a sell OCO must be below.")
	case buy && profit(above.Type):
		return reject(codeOCOBuyProfit, "A take profit order in a buy OCO must be below.")
	case !buy && profit(below.Type):
		return reject(codeOCOSellProfit, "A take profit order in a sell OCO must be above.")
	}
	return nil
}

// submitList is the engine's side: what works now must fit the book and be paid
// for, pending legs are only filed.
func (x *Exchange) submitList(l *orderList) (*ListReport, *Reject) {
	a := l.acct
	if rej := a.duplicates(l); rej != nil {
		return nil, rej
	}
	first := l.legs
	if l.kind == OTO {
		first = l.legs[:1]
	}
	if why, rej := x.fitAll(first); rej != nil {
		return nil, x.turnAwayList(l, why, rej)
	}
	x.number(l)
	a.lists = append(a.lists, l)
	a.openLists = append(a.openLists, l)
	for _, o := range l.legs {
		x.accept(o)
	}
	x.sendList(l, l.state(ListExecStarted))
	x.lockAll(l, first)
	for _, o := range first {
		x.begin(o)
	}
	for _, o := range l.pending() {
		o.status = StatusPendingNew
		x.reportNew(o)
	}
	rep := &ListReport{List: l.state(ListExecStarted), Reports: make([]OrderReport, len(l.legs))}
	for i, o := range l.legs {
		r := &rep.Reports[i]
		r.TransactTime, r.TradeGroupID = x.now, a.tradeGroup()
		if o.status == StatusNew && !o.waiting {
			x.work(o, r)
		}
	}
	for i, o := range l.legs {
		rep.Reports[i].Order = o.snapshot()
	}
	return rep, nil
}

// duplicates refuses client ids that an open order or list has already.
func (a *account) duplicates(l *orderList) *Reject {
	dup := reject(codeNewRejected, textDuplicate)
	for _, open := range a.openLists {
		if l.clientID != "" && open.clientID == l.clientID {
			return dup
		}
	}
	for i, o := range l.legs {
		if a.taken(o) {
			return dup
		}
		for _, other := range l.legs[:i] {
			if o.clientID != "" && o.clientID == other.clientID {
				return dup
			}
		}
	}
	return nil
}

// number gives a list its id, which is unique over all symbols, and its times.
func (x *Exchange) number(l *orderList) {
	x.nextList++
	l.id, l.created, l.updated = x.nextList, x.now, x.now
	if l.clientID == "" {
		l.clientID = l.acct.makeClientID(l.in)
	}
}

// turnAwayList reports a list that the engine refused: each leg as REJECTED,
// then the list. It is not kept and has changed no balance.
func (x *Exchange) turnAwayList(l *orderList, why RejectReason, rej *Reject) *Reject {
	if why == RejectNone {
		return rej
	}
	x.number(l)
	for _, o := range l.legs {
		_ = x.turnAway(o, why, rej)
	}
	s := l.state(ListResponse)
	s.Reject = why
	x.sendList(l, s)
	return rej
}

// CancelList cancels a list by its id or client id. It works in every trading phase.
func (x *Exchange) CancelList(now Micros, id AccountID, r *CancelListRequest) (*ListReport, *Reject) {
	x.command(now, "cancelList", id, r.Symbol)
	if x.log.on() {
		x.log.cancel(&CancelRequest{OrderID: r.ListID, OrigClientOrderID: r.ClientID, NewClientOrderID: r.NewClientOrderID})
	}
	l, rej := x.findList(x.account(id), r)
	if rej != nil {
		x.log.reject(rej)
		return nil, rej
	}
	rep := x.cancelList(l, r.NewClientOrderID)
	x.commit(l.in)
	return rep, nil
}

func (x *Exchange) findList(a *account, r *CancelListRequest) (*orderList, *Reject) {
	in := x.byName[r.Symbol]
	switch {
	case in == nil:
		return nil, rejectSymbol()
	case r.NewClientOrderID != "" && !validClientID(r.NewClientOrderID):
		return nil, rejectIllegal("newClientOrderId", clientIDRange)
	case !r.ListID.Set && r.ClientID == "":
		return nil, rejectEither("orderListId", "listClientOrderId")
	case a == nil || a.disabled:
		return nil, reject(codeCancelReject, textAccountOff)
	}
	l := a.lookupList(r.ListID, r.ClientID)
	if l == nil || l.done || l.in != in || r.ClientID != "" && l.clientID != r.ClientID {
		return nil, reject(codeCancelReject, textUnknownOrder)
	}
	return l, nil
}

package exchange

// Reports are numbered by one counter per symbol that also counts the house's
// reports, which nobody receives: execution ids rise with gaps, as on the venue
// (checklist item 31).

// newReport fills what every report of an order has in common, or returns nil
// if nobody receives it.
func (x *Exchange) newReport(o *order, kind ExecutionType) *ExecutionReport {
	id := o.in.nextExec
	o.in.nextExec++
	if !o.acct.user() {
		return nil
	}
	r := &x.report
	*r = ExecutionReport{
		EventTime: x.now, Symbol: o.in.sym.Name, ClientOrderID: o.clientID, Side: o.side, Type: o.typ, TimeInForce: o.tif,
		Quantity: o.qty, Price: o.asked, OrderListID: o.list.number(), Exec: kind, Status: o.status, OrderID: o.id,
		CumQty: o.exec, TransactTime: x.now, TradeID: -1, ExecutionID: id,
		OnBook:    o.working && !o.status.Ended() && (!o.market() || kind == ExecNew),
		StopPrice: o.stop, IcebergQty: o.iceberg, TrailingDelta: o.trail, TrailingTime: o.trailAt, Peg: o.peg, PeggedPrice: o.selected(),
		OrderTime: o.created, CumQuote: o.cumQuote, QuoteOrderQty: o.quoteQty, WorkingTime: o.workedAt, STP: o.stp,
		StrategyID: o.strategyID, StrategyType: o.strategyTy, ExpiryReason: o.expiry,
		PreventedMatchID: -1, PreventedQty: o.prevent, TradeGroupID: -1, CounterOrderID: -1,
	}
	return r
}

func (x *Exchange) send(o *order, r *ExecutionReport) {
	if x.log.on() {
		x.log.execution(o.acct.id, r)
	}
	x.sink.Execution(o.acct.id, r)
}

func (x *Exchange) reportNew(o *order) {
	if r := x.newReport(o, ExecNew); r != nil {
		x.send(o, r)
	}
}

func (x *Exchange) reportRejected(o *order, why RejectReason) {
	if r := x.newReport(o, ExecRejected); r != nil {
		r.Reject = why
		x.send(o, r)
	}
}

func (x *Exchange) reportTrade(o *order, t *Trade, maker bool, c charge) {
	if r := x.newReport(o, ExecTrade); r != nil {
		r.LastQty, r.LastPrice, r.LastQuote = t.Qty, t.Price, t.QuoteQty
		r.Commission, r.CommAsset, r.TradeID, r.Maker = c.amount, x.assets[c.asset], t.ID, maker
		x.send(o, r)
	}
}

func (x *Exchange) reportCanceled(o *order, cancelID string) {
	if r := x.newReport(o, ExecCanceled); r != nil {
		r.ClientOrderID, r.OrigClientID = cancelID, o.clientID
		x.send(o, r)
	}
}

func (x *Exchange) reportExpired(o *order) {
	if r := x.newReport(o, ExecExpired); r != nil {
		x.send(o, r)
	}
}

// reportReplaced reports an amend and returns its execution id. Which ids c and
// C hold is not documented; here c is the id after the amend and C the one
// before it, as for a cancel.
func (x *Exchange) reportReplaced(o *order, oldID string) int64 {
	r := x.newReport(o, ExecReplaced)
	if r == nil {
		return o.in.nextExec - 1
	}
	r.OrigClientID = oldID
	x.send(o, r)
	return r.ExecutionID
}

func (x *Exchange) reportPrevented(o, counter *order, lost, meet Fixed, pm *PreventedMatch) {
	if r := x.newReport(o, ExecTradePrevention); r != nil {
		r.PreventedMatchID, r.LastPrevented, r.TradeGroupID = pm.ID, lost, pm.TradeGroupID
		r.CounterOrderID, r.CounterSymbol = counter.id, counter.in.sym.Name
		r.PreventedExecQty, r.PreventedExecPx, r.PreventedExecQuo = meet, pm.Price, mul(pm.Price, meet)
		x.send(o, r)
	}
}

// selected is the price a peg has chosen, 0 before.
func (o *order) selected() Fixed {
	if o.peg.Price == PegNone || !o.working {
		return 0
	}
	return o.price
}

// snapshot is the order as queries and answers show it.
func (o *order) snapshot() Order {
	return Order{
		Symbol: o.in.sym.Name, OrderID: o.id, OrderListID: o.list.number(), ClientOrderID: o.clientID, Side: o.side, Type: o.typ,
		TimeInForce: o.tif, Status: o.status, Price: o.asked, OrigQty: o.qty, ExecutedQty: o.exec, CumQuote: o.cumQuote,
		QuoteOrderQty: o.quoteQty, PreventedQty: o.prevent, PreventedMatchID: o.lastMatch, Time: o.created,
		UpdateTime: o.updated, WorkingTime: o.workedAt, IsWorking: o.working, STP: o.stp, ExpiryReason: o.expiry,
		StrategyID: o.strategyID, StrategyType: o.strategyTy, StopPrice: o.stop, IcebergQty: o.iceberg,
		TrailingDelta: o.trail, TrailingTime: o.trailAt, Peg: o.peg, PeggedPrice: o.selected(),
	}
}

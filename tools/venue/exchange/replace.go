package exchange

// CancelReplace cancels an order and places another in one step (section 7.3).
// A Reject means that nothing was tried: parameters, filters and status of the
// new order are checked before the cancel. Everything else is in the report.
func (x *Exchange) CancelReplace(now Micros, id AccountID, r *ReplaceRequest) (*ReplaceReport, *Reject) {
	x.command(now, "cancelReplace", id, r.New.Symbol)
	if x.log.on() {
		x.log.cancel(&r.Cancel)
		x.log.newOrder(&r.New)
	}
	a := x.account(id)
	next, rej := x.prepare(a, &r.New, true)
	if rej == nil && !next.in.sym.CancelReplace {
		rej = reject(codeNewRejected, "Order cancel-replace is not supported for this symbol.")
	}
	if rej == nil && !r.Cancel.OrderID.Set && r.Cancel.OrigClientOrderID == "" {
		rej = rejectEither("cancelOrderId", "cancelOrigClientOrderId")
	}
	if rej != nil {
		x.log.reject(rej)
		return nil, rej
	}
	rep := &ReplaceReport{}
	c := r.Cancel
	c.Symbol = r.New.Symbol
	if old, rej := x.findToCancel(a, &c); rej != nil {
		rep.CancelResult, rep.CancelReject = Failure, rej
	} else {
		rep.CancelResult, rep.Cancel = Success, x.cancel(old, c.NewClientOrderID)
	}
	switch {
	case rep.CancelResult == Failure && !r.AllowFailure:
		rep.NewResult = NotAttempted
	case r.NewRefused != nil:
		rep.NewResult, rep.NewReject = Failure, r.NewRefused
	default:
		rep.NewResult = Success
		if rep.New, rep.NewReject = x.submit(next); rep.NewReject != nil {
			rep.NewResult = Failure
		}
	}
	switch {
	case rep.CancelResult == Success && rep.NewResult == Success:
	case rep.CancelResult == Success || rep.NewResult == Success:
		rep.Code = codeReplacePartly
	default:
		rep.Code = codeReplaceFailed
	}
	x.log.reject(rep.CancelReject)
	x.log.reject(rep.NewReject)
	x.commit(next.in)
	return rep, nil
}

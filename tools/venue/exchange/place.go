package exchange

import "strconv"

// Place puts an order into the engine. The answer holds what ACK, RESULT and
// FULL need. A reject has changed nothing.
func (x *Exchange) Place(now Micros, id AccountID, r *NewOrder) (*OrderReport, *Reject) {
	x.command(now, "place", id, r.Symbol)
	if x.log.on() {
		x.log.newOrder(r)
	}
	o, rej := x.prepare(x.account(id), r, true)
	if rej != nil {
		x.log.reject(rej)
		return nil, rej
	}
	rep, rej := x.submit(o)
	if rej != nil {
		x.log.reject(rej)
	}
	x.commit(o.in)
	return rep, rej
}

// submit is the engine's side of a placement: duplicate id, post-only, trigger,
// funds, then NEW, matching, and the rest on the book or expired.
func (x *Exchange) submit(o *order) (*OrderReport, *Reject) {
	if o.acct.taken(o) {
		return nil, reject(codeNewRejected, textDuplicate)
	}
	if why, rej := x.fits(o); rej != nil {
		return nil, x.turnAway(o, why, rej)
	}
	x.accept(o)
	if o.typ != MarketOrder {
		x.lock(o)
	}
	x.begin(o)
	rep := &OrderReport{TransactTime: x.now, TradeGroupID: o.acct.tradeGroup()}
	if !o.waiting {
		x.work(o, rep)
	}
	rep.Order = o.snapshot()
	return rep, nil
}

// taken reports whether an open order has o's client id.
func (a *account) taken(o *order) bool {
	old := a.byClient[clientKey{o.in.no, o.clientID}]
	return o.clientID != "" && old != nil && !old.status.Ended()
}

// fits checks what only the engine knows: the book and the funds.
func (x *Exchange) fits(o *order) (RejectReason, *Reject) {
	if why, rej := x.fitsBook(o); rej != nil {
		return why, rej
	}
	if o.typ == MarketOrder {
		return x.sizeMarket(o)
	}
	return pays(o, o.lockFor(o.qty))
}

func (x *Exchange) fitsBook(o *order) (RejectReason, *Reject) {
	if !o.typ.stop() {
		if rej := x.fixPeg(o); rej != nil {
			return RejectNone, rej
		}
	}
	switch {
	case o.typ == LimitMakerOrder && o.in.crosses(o):
		return RejectWouldMatch, reject(codeNewRejected, textWouldMatch)
	case o.wouldTrigger():
		return RejectStopTrigger, reject(codeNewRejected, textWouldTrigger)
	}
	return RejectNone, nil
}

// accept gives the order its id and place in the account.
func (x *Exchange) accept(o *order) {
	a, in := o.acct, o.in
	o.id = in.nextOrder
	in.nextOrder++
	if o.clientID == "" {
		o.clientID = a.makeClientID(in)
	}
	o.created, o.updated, o.workedAt = x.now, x.now, -1
	a.remember(o)
	x.touch(a, in)
}

// begin reports NEW of an order whose funds are locked: it works from now on, or
// waits for its trigger.
func (x *Exchange) begin(o *order) {
	o.status = StatusNew
	if o.typ.stop() {
		o.wait()
	} else {
		o.working, o.workedAt = true, x.now
	}
	x.reportNew(o)
}

// turnAway reports an engine reject that has a reason of its own. The order has
// an id, is not kept, and has changed no balance.
func (x *Exchange) turnAway(o *order, why RejectReason, rej *Reject) *Reject {
	if why == RejectNone {
		return rej
	}
	o.id = o.in.nextOrder
	o.in.nextOrder++
	if o.clientID == "" {
		o.clientID = o.acct.makeClientID(o.in)
	}
	o.created, o.updated, o.workedAt, o.status = x.now, x.now, -1, StatusRejected
	x.reportRejected(o, why)
	return rej
}

// work matches an order and settles its remainder.
func (x *Exchange) work(o *order, rep *OrderReport) {
	in := o.in
	o.bound()
	if o.tif == FOK && in.available(o) < o.rem() {
		x.expire(o, ExpiryFOK)
		return
	}
	x.match(o, rep)
	switch {
	case o.status.Ended():
	case o.stopped():
		x.expire(o, ExpiryPriceRange)
	case o.market():
		x.expire(o, ExpiryLiquidity)
	case o.tif == IOC:
		x.expire(o, ExpiryIOC)
	default:
		x.rest(o)
	}
}

// rest puts what is left of o on the book.
func (x *Exchange) rest(o *order) {
	b := o.in.book(o.side)
	before := Fixed(0)
	if l := b.find(o.price); l != nil {
		before = l.total()
	}
	l := b.push(o)
	o.in.touched(o.side, o.price, before, l.total())
}

// makeClientID is 22 characters, like the ids the venue makes.
func (a *account) makeClientID(in *instrument) string {
	a.nextID++
	b := append(make([]byte, 0, 24), "x-"...)
	b = strconv.AppendInt(b, int64(a.id), 36)
	b = append(b, '-')
	n := strconv.AppendUint(nil, a.nextID, 36)
	for i := len(b) + len(n); i < 22; i++ {
		b = append(b, '0')
	}
	return string(append(b, n...))
}

// remember files an accepted order under its account.
func (a *account) remember(o *order) {
	a.open = append(a.open, o)
	a.orders[o.in.no] = append(a.orders[o.in.no], o)
	a.byID[orderKey{o.in.no, o.id}] = o
	a.byClient[clientKey{o.in.no, o.clientID}] = o
}

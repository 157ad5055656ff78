package exchange

// houseOrder makes an accepted order of the market's account, reusing ended ones.
// Its funds are not locked yet.
func (x *Exchange) houseOrder(in *instrument, side Side, price, qty Fixed, tif TimeInForce) *order {
	var o *order
	if n := len(x.freeOrders); n > 0 {
		o, x.freeOrders = x.freeOrders[n-1], x.freeOrders[:n-1]
	} else {
		o = new(order)
	}
	*o = order{
		id: in.nextOrder, in: in, acct: in.house, side: side, typ: LimitOrder, tif: tif, stp: STPNone, status: StatusNew,
		working: true, price: price, qty: qty, created: x.now, updated: x.now, workedAt: x.now, lastMatch: -1,
	}
	in.nextOrder++
	in.nextExec++ // its NEW report, which nobody receives
	return o
}

// houseLimit places an order of the house like anyone's: it may trade, and what
// is left rests (GTC) or goes (IOC). It returns the order if it rests.
func (x *Exchange) houseLimit(in *instrument, side Side, price, qty Fixed, tif TimeInForce) *order {
	o := x.houseOrder(in, side, price, qty, tif)
	x.lock(o)
	x.match(o, nil)
	if o.status.Ended() {
		return nil
	}
	if tif == GTC {
		x.rest(o)
		return o
	}
	x.expire(o, ExpiryIOC)
	return nil
}

// houseCancel takes an order of the house off the book.
func (x *Exchange) houseCancel(o *order) {
	x.pull(o)
	o.status = StatusCanceled
	x.relock(o, 0)
	o.in.nextExec++
	x.end(o)
}

// houseReduce makes a resting order of the house smaller; it keeps its place.
func (x *Exchange) houseReduce(o *order, qty Fixed) {
	l := o.lvl
	before := l.total()
	o.in.book(o.side).shrink(o, qty-o.exec-o.prevent)
	o.qty = qty
	x.relock(o, o.rem())
	o.in.nextExec++
	o.in.touched(o.side, o.price, before, l.total())
}

package exchange

// crosses reports whether o would trade at once.
func (in *instrument) crosses(o *order) bool {
	best := in.book(o.side.other()).best
	return best != nil && o.wants(best.price)
}

// reaches reports whether o may trade at price as a taker.
func (o *order) reaches(price Fixed) bool { return o.wants(price) && !o.outside(price) }

// wants reports whether price is as good as o's limit.
func (o *order) wants(price Fixed) bool {
	if o.market() {
		return true
	}
	if o.side == Buy {
		return price <= o.price
	}
	return price >= o.price
}

// match lets o take from the other side, best price and oldest first, at the
// makers' prices. One trade per maker; one aggregate trade per price.
func (x *Exchange) match(o *order, rep *OrderReport) {
	opp := o.in.book(o.side.other())
	for o.rem() > 0 && !o.status.Ended() {
		l := opp.best
		if l == nil || !o.reaches(l.price) {
			return
		}
		price, before := l.price, l.total()
		x.agg = AggTrade{}
		for o.rem() > 0 && !o.status.Ended() && !l.empty() {
			x.takeFront(o, opp, l, rep)
		}
		after := l.total()
		opp.dropIfEmpty(l)
		if after != before { // an iceberg may display as much as before
			o.in.touched(opp.side, price, before, after)
		}
		x.publishAgg(o.in)
	}
}

// takeFront lets o meet the front of a level: the tape's quantity before the
// first order, or that order.
func (x *Exchange) takeFront(o *order, opp *book, l *level, rep *OrderReport) {
	m := l.head
	if m == nil || m.ahead > 0 && l.ext > 0 {
		q := min(o.rem(), l.ext)
		if m != nil {
			q = min(q, m.ahead)
		}
		l.eat(q)
		x.fill(o, nil, l.price, q, rep)
		return
	}
	if o.prevents(m) {
		x.prevent(o, m, opp, rep)
		return
	}
	q := min(o.rem(), m.visible())
	opp.draw(m, q)
	x.fill(o, m, l.price, q, rep)
	opp.refill(m)
}

// eat takes q of the tape's quantity from the front of the queue.
func (l *level) eat(q Fixed) {
	l.ext -= q
	for o := l.head; o != nil; o = o.next {
		o.ahead = max(o.ahead-q, 0)
	}
}

// fill is one trade between taker and maker at the maker's price. Either may be
// nil: the tape's side, which the house account stands for. Quantities left are
// up to the caller; balances, counters, reports and market data are done here.
func (x *Exchange) fill(taker, maker *order, price, q Fixed, rep *OrderReport) {
	o := taker
	if o == nil {
		o = maker
	}
	in := o.in
	takerSide := o.side
	if taker == nil {
		takerSide = o.side.other()
	}
	t := &x.trade
	*t = Trade{
		Symbol: in.sym.Name, ID: in.nextTrade, Price: price, Qty: q, QuoteQty: mul(price, q),
		BuyOrderID: -1, SellOrderID: -1, Time: x.now, BuyerIsMaker: takerSide == Sell,
	}
	buyer, seller := taker, maker
	if takerSide == Sell {
		buyer, seller = maker, taker
	}
	if buyer != nil {
		t.BuyOrderID = buyer.id
	}
	if seller != nil {
		t.SellOrderID = seller.id
	}
	in.traded(t)
	buyCharge := x.settle(in, buyer, Buy, buyer == taker, t)
	sellCharge := x.settle(in, seller, Sell, seller == taker, t)
	takerCharge, makerCharge := buyCharge, sellCharge
	if takerSide == Sell {
		takerCharge, makerCharge = sellCharge, buyCharge
	}
	x.progress(taker, t, false, takerCharge, rep)
	x.progress(maker, t, true, makerCharge, nil)
	in.trip(price)
}

// traded numbers a trade and publishes it.
func (in *instrument) traded(t *Trade) {
	x := in.x
	in.nextTrade++
	in.tape.add(t)
	if x.log.on() {
		x.log.trade(t)
	}
	if in.sym.Status != Break {
		x.sink.Trade(t)
	}
	x.addAgg(in, t)
}

// settle moves one side's money: the buyer pays quote and receives base, the
// seller the other way round; then the commission, by default out of what is received.
func (x *Exchange) settle(in *instrument, o *order, side Side, taker bool, t *Trade) charge {
	a := in.house
	if o != nil {
		a = o.acct
	}
	pays, gets, paid, got := in.quote, in.base, t.QuoteQty, t.Qty
	if side == Sell {
		pays, gets, paid, got = in.base, in.quote, t.Qty, t.QuoteQty
	}
	locked := o != nil && !o.market()
	if locked {
		if o.list != nil {
			o.list.claim(o)
		}
		o.locked -= paid
		x.move(a, pays, 0, -paid, LedgerTrade, o, t.ID)
	} else {
		x.move(a, pays, -paid, 0, LedgerTrade, o, t.ID)
	}
	x.move(a, gets, got, 0, LedgerTrade, o, t.ID)
	r := a.maker
	if taker {
		r = a.taker
	}
	if r <= 0 {
		return charge{0, gets}
	}
	c := charge{mul(got, r), gets}
	if locked || x.assets[pays] != commissionToken { // else the rest of the order may need what is free
		c = x.commission(a, gets, got, r)
	}
	x.move(a, c.asset, -c.amount, 0, LedgerCommission, o, t.ID)
	x.move(x.fees, c.asset, c.amount, 0, LedgerCommission, nil, t.ID)
	return c
}

// progress advances an order by a trade, releases what its lock no longer
// needs, and reports.
func (x *Exchange) progress(o *order, t *Trade, maker bool, c charge, rep *OrderReport) {
	if o == nil {
		return
	}
	o.exec += t.Qty
	o.cumQuote += t.QuoteQty
	o.updated = t.Time
	o.status = StatusPartiallyFilled
	if o.rem() == 0 && !o.drained {
		o.status = StatusFilled
	}
	loser := o.list.wins(o)
	if !o.market() {
		x.relock(o, o.rem())
	}
	x.reportTrade(o, t, maker, c)
	if rep != nil {
		rep.Fills = append(rep.Fills, Fill{t.Price, t.Qty, c.amount, x.assets[c.asset], t.ID})
	}
	if o.acct.user() {
		o.acct.addFill(x, UserTrade{
			Symbol: t.Symbol, ID: t.ID, OrderID: o.id, OrderListID: o.list.number(), Price: t.Price, Qty: t.Qty, QuoteQty: t.QuoteQty,
			Commission: c.amount, CommissionAsset: x.assets[c.asset], Time: t.Time, IsBuyer: o.side == Buy, IsMaker: maker,
		})
	}
	x.beaten(loser)
	if o.status == StatusFilled {
		x.end(o)
	}
}

// addAgg grows the running aggregate: the trades of one taker at one price.
func (x *Exchange) addAgg(in *instrument, t *Trade) {
	if x.agg.Qty == 0 {
		x.agg = AggTrade{Symbol: t.Symbol, ID: in.nextAgg, Price: t.Price, FirstID: t.ID, Time: t.Time, BuyerIsMaker: t.BuyerIsMaker}
	}
	x.agg.Qty += t.Qty
	x.agg.LastID = t.ID
}

func (x *Exchange) publishAgg(in *instrument) {
	if x.agg.Qty == 0 {
		return
	}
	in.nextAgg++
	in.tape.addAgg(&x.agg)
	if in.sym.Status != Break {
		x.sink.AggTrade(&x.agg)
	}
	x.agg = AggTrade{}
}

// expire ends the remainder of an order that is not on the book.
func (x *Exchange) expire(o *order, why ExpiryReason) {
	o.status, o.expiry, o.updated = StatusExpired, why, x.now
	if o.locked > 0 {
		x.relock(o, 0)
	}
	x.reportExpired(o)
	x.end(o)
}

// end files a finished order: out of the open ones, into the bounded history.
func (x *Exchange) end(o *order) {
	a := o.acct
	if !a.user() {
		if o.lvl == nil {
			x.freeOrders = append(x.freeOrders, o)
		}
		return
	}
	for i, p := range a.open {
		if p == o {
			a.open = append(a.open[:i], a.open[i+1:]...)
			break
		}
	}
	if a.ended++; a.ended > x.ordersKept+x.ordersKept/4 {
		a.forget(a.ended - x.ordersKept)
	}
	if o.list != nil {
		x.legEnded(o)
	}
}

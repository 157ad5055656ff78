package exchange

// prevents reports whether taker o and maker m may not trade with each other:
// same account, or accounts of one trade group, and a mode that minds. The
// taker's mode decides (section 7.8 of the venue page).
func (o *order) prevents(m *order) bool {
	if o.stp == STPNone || o.stp == STPDefault {
		return false
	}
	return o.acct == m.acct || o.acct.group != 0 && o.acct.group == m.acct.group
}

// prevent applies the taker's mode to a meeting of o with resting m. What a mode
// expires is counted as prevented quantity, so that for every order
// origQty - executedQty - preventedQuantity is what can still trade.
func (x *Exchange) prevent(o, m *order, opp *book, rep *OrderReport) {
	meet := min(o.rem(), m.visible())
	price := m.price
	var takerLoses, makerLoses Fixed
	switch o.stp {
	case STPExpireTaker:
		takerLoses = o.rem()
	case STPExpireMaker:
		makerLoses = m.rem()
	case STPExpireBoth:
		takerLoses, makerLoses = o.rem(), m.rem()
	default: // DECREMENT, and TRANSFER within one account
		takerLoses, makerLoses = meet, meet
	}
	in := o.in
	pm := PreventedMatch{
		ID: in.nextPrevented, Symbol: in.sym.Name, TakerOrderID: o.id, MakerOrderID: m.id, TradeGroupID: o.acct.tradeGroup(),
		STP: o.stp, Price: price, TakerPreventedQuantity: takerLoses, MakerPreventedQuantity: makerLoses, Time: x.now,
	}
	in.nextPrevented++
	if rep != nil {
		rep.Prevented = append(rep.Prevented, pm)
	}
	o.acct.addPrevented(x, pm)
	if m.acct != o.acct {
		m.acct.addPrevented(x, pm)
	}
	if makerLoses > 0 {
		opp.draw(m, makerLoses)
	}
	x.lose(o, m, takerLoses, meet, &pm)
	x.lose(m, o, makerLoses, meet, &pm)
	opp.refill(m)
}

// lose takes prevented quantity from one order and reports it.
func (x *Exchange) lose(o, counter *order, q, meet Fixed, pm *PreventedMatch) {
	if q == 0 {
		return
	}
	o.prevent += q
	o.lastMatch = pm.ID
	o.updated = x.now
	if o.rem() == 0 {
		o.status = StatusExpiredInMatch
	}
	if !o.market() {
		x.relock(o, o.rem())
	}
	x.reportPrevented(o, counter, q, meet, pm)
	if o.status.Ended() {
		x.end(o)
	}
}

func (a *account) addPrevented(x *Exchange, pm PreventedMatch) {
	if !a.user() {
		return
	}
	a.prevented = append(a.prevented, pm)
	if n := len(a.prevented); n > 2*x.tradesKept {
		a.prevented = append(a.prevented[:0], a.prevented[n-x.tradesKept:]...)
	}
}

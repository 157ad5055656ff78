package exchange

// orderList is one OCO, OTO or OTOCO list in the engine (section 7.5 of the
// venue page). Two legs of which only one may trade are a pair: an OCO's legs,
// or the last two of an OTOCO. A pair holds the larger of its two needs once, in
// whichever leg claimed it last.
type orderList struct {
	id       int64
	in       *instrument
	acct     *account
	kind     Contingency
	clientID string
	legs     []*order // OCO: above, below; OTO: working, then what it sets going
	pair     bool     // the last two legs are open and exclude each other
	ending   bool     // a command or a leg ends the rest of the list right now
	done     bool
	created  Micros
	updated  Micros
}

// number is the orderListId on the wire: -1 for no list.
func (l *orderList) number() int64 {
	if l == nil {
		return -1
	}
	return l.id
}

// pending are the legs that wait for the working one; none in an OCO.
func (l *orderList) pending() []*order {
	if l.kind == OCO {
		return nil
	}
	return l.legs[1:]
}

// twin is the other leg of o's pair, open or not, nil if o has none.
func (l *orderList) twin(o *order) *order {
	if l == nil {
		return nil
	}
	n := len(l.legs)
	if l.kind == OTO && n < 3 {
		return nil
	}
	switch o {
	case l.legs[n-2]:
		return l.legs[n-1]
	case l.legs[n-1]:
		return l.legs[n-2]
	}
	return nil
}

// rival is the open leg that o excludes, nil if there is none.
func (l *orderList) rival(o *order) *order {
	if l == nil || !l.pair {
		return nil
	}
	if t := l.twin(o); t != nil && !t.status.Ended() {
		return t
	}
	return nil
}

// claim makes o the leg that holds what its pair has locked, also from a leg
// that has just ended.
func (l *orderList) claim(o *order) {
	if t := l.twin(o); t != nil && l.pair {
		o.locked, t.locked = o.locked+t.locked, 0
	}
}

// lockPair locks the larger need of two legs once.
func (x *Exchange) lockPair(l *orderList, a, b *order) {
	a.locked = max(a.lockFor(a.rem()), b.lockFor(b.rem()))
	x.move(a.acct, a.lockAsset(), -a.locked, a.locked, LedgerLock, a, -1)
	l.pair = true
}

// wins makes o the one of its pair that trades, with all that the pair has
// locked, and returns the other one, whose end is to be reported; nil if there
// is none.
func (l *orderList) wins(o *order) *order {
	r := l.rival(o)
	if r != nil {
		l.claim(o)
		l.pair = false
	}
	return r
}

// beaten ends the leg that lost to its rival, if there is one.
func (x *Exchange) beaten(o *order) {
	if o != nil {
		x.withdraw(o)
		x.expire(o, ExpiryOCOTrigger)
	}
}

// legEnded lets a list react to the end of one leg: a filled working order sets
// the pending legs going when the transaction is done, any other end of a leg
// ends the list.
func (x *Exchange) legEnded(o *order) {
	l := o.list
	if !l.ending {
		l.ending = true
		if r := l.rival(o); r != nil {
			l.claim(r)
			l.pair = false
			x.withdraw(r)
			x.expire(r, ExpiryExchangeCanceled)
		}
		if len(l.pending()) > 0 && o == l.legs[0] {
			if o.status == StatusFilled {
				x.follow = append(x.follow, followUp{list: l})
			} else {
				x.expireAll(l.pending(), ExpiryOTOPhaseOne)
			}
		}
		l.ending = false
	}
	x.finish(l)
}

func (x *Exchange) expireAll(legs []*order, why ExpiryReason) {
	for _, o := range legs {
		if !o.status.Ended() {
			x.withdraw(o)
			x.expire(o, why)
		}
	}
}

// finish files a list whose legs have all ended.
func (x *Exchange) finish(l *orderList) {
	if l.done {
		return
	}
	for _, o := range l.legs {
		if !o.status.Ended() {
			return
		}
	}
	l.done, l.updated = true, x.now
	l.acct.openLists = without(l.acct.openLists, l)
	x.sendList(l, l.state(ListAllDone))
	l.acct.forgetLists(x.ordersKept)
}

// activate makes the pending legs of a list orders of their own. Legs that the
// engine cannot take now, for want of funds or because a price is on the wrong
// side, expire as REJECTED.
func (x *Exchange) activate(l *orderList) {
	legs := l.pending()
	if l.done {
		return
	}
	x.touch(l.acct, l.in)
	if _, rej := x.fitAll(legs); rej != nil {
		x.expireAll(legs, ExpiryRejected)
		return
	}
	x.lockAll(l, legs)
	for _, o := range legs {
		o.updated = x.now
		x.begin(o)
	}
	for _, o := range legs {
		if !o.waiting {
			x.work(o, nil)
		}
	}
}

// fitAll is fits for one order or for a pair.
func (x *Exchange) fitAll(legs []*order) (RejectReason, *Reject) {
	if len(legs) == 1 {
		return x.fits(legs[0])
	}
	return x.pairFits(legs[0], legs[1])
}

func (x *Exchange) lockAll(l *orderList, legs []*order) {
	switch {
	case len(legs) == 2:
		x.lockPair(l, legs[0], legs[1])
	case legs[0].typ != MarketOrder:
		x.lock(legs[0])
	}
}

// pairFits checks two legs that exclude each other, above and below: prices in
// their order around the last one, and funds for the dearer of them.
func (x *Exchange) pairFits(above, below *order) (RejectReason, *Reject) {
	for _, o := range [2]*order{above, below} {
		if !o.typ.stop() {
			if rej := x.fixPeg(o); rej != nil {
				return RejectNone, rej
			}
		}
	}
	if !above.in.apart(above, below) {
		return RejectOCOPrices, reject(codeNewRejected, textOCOPrices)
	}
	for _, o := range [2]*order{above, below} {
		if why, rej := x.fitsBook(o); rej != nil {
			return why, rej
		}
	}
	return pays(above, max(above.lockFor(above.rem()), below.lockFor(below.rem())))
}

// apart reports above > last price > below. A trailing stop without stopPrice
// has no price to compare, nor has a symbol that never traded.
func (in *instrument) apart(above, below *order) bool {
	up, low, last := above.level(), below.level(), in.tape.last
	switch {
	case up > 0 && last > 0 && up <= last, low > 0 && last > 0 && low >= last:
		return false
	}
	return up == 0 || low == 0 || up > low
}

// level is the price a leg stands for: that of a limit, the stopPrice of a stop.
func (o *order) level() Fixed {
	if o.typ.stop() {
		return o.stop
	}
	return o.price
}

// cancelList cancels every open leg of a list.
func (x *Exchange) cancelList(l *orderList, cancelID string) *ListReport {
	if cancelID == "" {
		cancelID = l.acct.makeClientID(l.in)
	}
	rep := &ListReport{}
	l.ending, l.pair = true, false
	for _, o := range l.legs {
		if !o.status.Ended() {
			rep.Cancels = append(rep.Cancels, *x.cancelOne(o, cancelID))
		}
	}
	rep.List = l.state(ListAllDone)
	return rep
}

// without is list without the first v, in the same memory.
func without[T comparable](list []T, v T) []T {
	for i, p := range list {
		if p == v {
			return append(list[:i], list[i+1:]...)
		}
	}
	return list
}

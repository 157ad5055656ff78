package exchange

// sizeMarket turns a market order into a quantity it can pay for. An order by
// quoteOrderQty that wants more than the book has is drained: it takes what is
// there and then expires.
func (x *Exchange) sizeMarket(o *order) (RejectReason, *Reject) {
	if o.quoteQty > 0 {
		if rej := o.in.sizeByQuote(o); rej != nil {
			return RejectNone, rej
		}
	}
	return pays(o, o.takes())
}

// pays is the reject of an order that needs more than its account has free.
func pays(o *order, need Fixed) (RejectReason, *Reject) {
	if o.acct.free(o.lockAsset()) < need {
		return RejectBalance, reject(codeNewRejected, textInsufficient)
	}
	return RejectNone, nil
}

// sizeByQuote finds the largest multiple of the lot that spends (buy) or
// brings (sell) no more than quoteOrderQty at the prices of the book.
func (in *instrument) sizeByQuote(o *order) *Reject {
	left, qty := o.quoteQty, Fixed(0)
	enough := false
	in.reachable(o, func(price, avail Fixed) bool {
		afford, ok := mulDiv(left, One, price)
		if !ok {
			afford = 1<<63 - 1
		}
		if afford <= avail {
			qty += afford
			enough = true
			return false
		}
		qty += avail
		left -= mul(price, avail)
		return true
	})
	qty -= qty % in.lot
	lotF, marketF := in.sym.filter(LotSize), in.sym.filter(MarketLotSize)
	switch {
	case lotF != nil && qty < lotF.MinQty:
		return reject(codeNewRejected, textNoLotDepth)
	case marketF != nil && qty < marketF.MinQty:
		return reject(codeNewRejected, textNoMarketDepth)
	case qty == 0:
		return reject(codeNewRejected, textNoDepth)
	case lotF != nil && lotF.MaxQty > 0 && qty > lotF.MaxQty:
		return rejectFilter(LotSize)
	case marketF != nil && marketF.MaxQty > 0 && qty > marketF.MaxQty:
		return rejectFilter(MarketLotSize)
	}
	o.qty, o.drained = qty, !enough
	return nil
}

// reachable calls f with price and quantity of each piece of the book that o
// could take now, best first, until f returns false. What self-trade prevention
// would take away is left out.
func (in *instrument) reachable(o *order, f func(price, qty Fixed) bool) {
	in.book(o.side.other()).walk(func(l *level) bool {
		if !o.reaches(l.price) {
			return false
		}
		if o.stp == STPNone {
			return f(l.price, l.depth())
		}
		q := wide{}
		q.add(l.ext)
		stop := false
		for m := l.head; m != nil; m = m.next {
			if o.prevents(m) {
				if o.stp == STPExpireTaker || o.stp == STPExpireBoth {
					stop = true
					break
				}
				continue
			}
			q.add(m.rem())
		}
		if q.zero() {
			return !stop
		}
		return f(l.price, q.sat()) && !stop
	})
}

// available is what o could take now, at most its remainder.
func (in *instrument) available(o *order) Fixed {
	got := Fixed(0)
	in.reachable(o, func(_, qty Fixed) bool {
		got += min(qty, o.rem()-got)
		return got < o.rem()
	})
	return got
}

// cost is an upper bound of the quote a market buy spends now: the exact sum
// rounded down once, which the sum of trades rounded down one by one cannot pass.
func (in *instrument) cost(o *order) Fixed {
	var sum wide
	left := o.rem()
	in.reachable(o, func(price, qty Fixed) bool {
		q := min(qty, left)
		left -= q
		sum.addProduct(price, q)
		return left > 0
	})
	return sum.over(One)
}

package exchange

// PriceRange is the PRICE_RANGE execution rule of a symbol: as a taker a buy may
// only trade inside reference × Bid, a sell inside reference × Ask. A multiplier
// of 0 leaves its direction unbounded; so does a symbol without a reference price
// (section 6.2 of the venue page, live since March 2026).
type PriceRange struct {
	BidUp, BidDown, AskUp, AskDown Fixed
}

// SetRange changes a symbol's PRICE_RANGE rule for takers from now on.
func (x *Exchange) SetRange(now Micros, symbol string, r PriceRange) *Reject {
	x.command(now, "range", 0, symbol)
	in := x.byName[symbol]
	if in == nil {
		return rejectSymbol()
	}
	if x.log.on() {
		x.log.word("  range").num(r.BidUp).num(r.BidDown).num(r.AskUp).num(r.AskDown).end()
	}
	in.sym.Range = r
	x.log.flush()
	return nil
}

// SetReference gives a symbol a reference price from outside; Opt{} makes it
// null. Filters and the PRICE_RANGE rule measure against it (since 2026-05-08).
func (x *Exchange) SetReference(now Micros, symbol string, price Opt) *Reject {
	x.command(now, "reference", 0, symbol)
	in := x.byName[symbol]
	if in == nil {
		return rejectSymbol()
	}
	if x.log.on() {
		x.log.word("  at").opt(price).end()
	}
	in.ref, in.refTime = price, x.now
	x.log.flush()
	return nil
}

// Reference is a symbol's reference price and when it was set; the time is 0 if
// it never was.
func (x *Exchange) Reference(symbol string) (price Opt, at Micros) {
	if in := x.byName[symbol]; in != nil {
		return in.ref, in.refTime
	}
	return Opt{}, 0
}

// bound fixes the prices that o may take at, once, as it enters its taker phase.
func (o *order) bound() {
	in := o.in
	o.takeMin, o.takeMax = 0, 0
	if !in.ref.Set || in.sym.Range == (PriceRange{}) {
		return
	}
	up, down := in.sym.Range.BidUp, in.sym.Range.BidDown
	if o.side == Sell {
		up, down = in.sym.Range.AskUp, in.sym.Range.AskDown
	}
	if up > 0 {
		if v, ok := mulDiv(in.ref.V, up, One); ok {
			o.takeMax = v
		}
	}
	if down > 0 {
		// Rounded up: the bound itself is inside, what is below it is not.
		if v, ok := mulDiv(in.ref.V, down, One); ok {
			o.takeMin = v
			if less128(v, One, in.ref.V, down) {
				o.takeMin++
			}
		}
	}
}

// outside reports whether the PRICE_RANGE rule keeps o from taking at price.
func (o *order) outside(price Fixed) bool {
	return o.takeMax > 0 && price > o.takeMax || price < o.takeMin
}

// stopped reports whether the best price that o wants to take is outside its
// range: then it may not rest either.
func (o *order) stopped() bool {
	best := o.in.book(o.side.other()).best
	return best != nil && o.wants(best.price) && o.outside(best.price)
}

package exchange

// diff sets the levels of a recorded depth event. An event as old as what a top
// has already told is still applied: quantities are absolute, and the levels a
// top does not show are only told here.
func (m *tapeMarket) diff(l *lane, e *TapeEvent) {
	stale := e.Last < l.lastU
	for _, lv := range e.Bids {
		m.set(l, Buy, lv.Price, lv.Qty, false)
	}
	for _, lv := range e.Asks {
		m.set(l, Sell, lv.Price, lv.Qty, false)
	}
	if !stale {
		l.lastU = e.Last
	}
	m.uncross(l)
}

// top sets the touch of a recorded bookTicker: what was better on either side is
// gone.
func (m *tapeMarket) top(l *lane, e *TapeEvent) {
	if e.Last <= l.lastU {
		return
	}
	l.lastU = e.Last
	for _, side := range [2]Side{Buy, Sell} {
		touch := e.Bids
		if side == Sell {
			touch = e.Asks
		}
		b := l.in.book(side)
		for p := b.bestTape(); p != 0 && (len(touch) == 0 || b.better(p, touch[0].Price)); p = b.bestTape() {
			m.set(l, side, p, 0, false)
		}
		// A top repeats the side that did not change: only news sets a level
		// anew, else it would give back what an account has taken.
		if len(touch) > 0 && l.shown[side][touch[0].Price] != touch[0].Qty {
			m.set(l, side, touch[0].Price, touch[0].Qty, true)
		}
	}
	m.uncross(l)
}

// bestTape is the best price with quantity of the tape; 0 if there is none.
func (b *book) bestTape() (price Fixed) {
	b.walk(func(l *level) bool {
		if l.ext > 0 {
			price = l.price
			return false
		}
		return true
	})
	return price
}

// set makes qty the tape's quantity of a level. Orders in the queue keep what is
// ahead of them as far as qty allows. byTop marks a reduction that a trade may
// still explain: the venue sends the top before the trade that made it.
func (m *tapeMarket) set(l *lane, side Side, price, qty Fixed, byTop bool) {
	if qty == 0 {
		delete(l.shown[side], price)
	} else {
		l.shown[side][price] = qty
	}
	b := l.in.book(side)
	lv := b.find(price)
	if lv == nil {
		if qty == 0 {
			return
		}
		lv = b.at(price)
	}
	before := lv.total()
	if !byTop {
		lv.credit = 0
	} else if qty < lv.ext {
		lv.credit += lv.ext - qty
	}
	lv.ext = qty
	for o := lv.head; o != nil; o = o.next {
		if !byTop {
			o.cut = 0
		}
		if o.ahead > qty {
			if byTop {
				o.cut += o.ahead - qty
			}
			o.ahead = qty
		}
	}
	after := lv.total()
	b.dropIfEmpty(lv)
	if after != before {
		l.in.touched(side, price, before, after)
	}
}

// uncross lets orders of accounts trade with the tape's levels that now reach
// them: the tape takes, the order's price holds.
func (m *tapeMarket) uncross(l *lane) {
	in := l.in
	for {
		bid, ask := in.bids.best, in.asks.best
		if bid == nil || ask == nil || bid.price < ask.price {
			return
		}
		switch {
		case ask.head != nil && bid.ext > 0:
			m.reach(in, ask, bid, Buy)
		case bid.head != nil && ask.ext > 0:
			m.reach(in, bid, ask, Sell)
		case ask.ext > 0 && bid.ext > 0:
			// A recording that crosses itself; the bid was set first.
			price, before := bid.price, bid.total()
			bid.ext = 0
			after := bid.total()
			in.bids.dropIfEmpty(bid)
			in.touched(Buy, price, before, after)
		default:
			return
		}
	}
}

// reach fills the first order of level own against the tape's quantity of level
// ext, which is on side taker.
func (m *tapeMarket) reach(in *instrument, own, ext *level, taker Side) {
	ob, eb := in.book(taker.other()), in.book(taker)
	o := own.head
	q := min(o.visible(), ext.ext)
	ownPrice, ownBefore := own.price, own.total()
	extPrice, extBefore := ext.price, ext.total()
	// No order of accounts stands behind what is taken here: it would have
	// traded with o already.
	ext.ext -= q
	ob.draw(o, q)
	m.x.agg = AggTrade{}
	m.x.fill(nil, o, ownPrice, q, nil)
	ob.refill(o)
	ownAfter, extAfter := own.total(), ext.total()
	ob.dropIfEmpty(own)
	eb.dropIfEmpty(ext)
	if ownAfter != ownBefore {
		in.touched(taker.other(), ownPrice, ownBefore, ownAfter)
	}
	in.touched(taker, extPrice, extBefore, extAfter)
	m.x.publishAgg(in)
}

// trade lets a recorded trade consume the maker side: orders of accounts at
// better prices, then the queue at its price.
func (m *tapeMarket) trade(l *lane, e *TapeEvent) {
	in := l.in
	makerSide, takerSide := Sell, Buy
	if e.BuyerIsMaker {
		makerSide, takerSide = Buy, Sell
	}
	b := in.book(makerSide)
	left := e.Qty
	for left > 0 {
		lv := b.best
		for lv != nil && lv.head == nil && b.better(lv.price, e.Price) {
			lv = b.behind(worse(b, lv.price, in.tick))
		}
		if lv == nil || !b.better(lv.price, e.Price) {
			break
		}
		left -= m.hit(in, b, lv, left)
	}
	if left > 0 {
		m.consume(in, b, e.Price, left, takerSide)
	}
}

func worse(b *book, price, tick Fixed) Fixed {
	if b.side == Buy {
		return price - tick
	}
	return price + tick
}

// hit fills the first order of a level by at most q and returns how much.
func (m *tapeMarket) hit(in *instrument, b *book, lv *level, q Fixed) Fixed {
	o := lv.head
	price, before := lv.price, lv.total()
	q = min(q, o.visible())
	b.draw(o, q)
	m.x.agg = AggTrade{}
	m.x.fill(nil, o, price, q, nil)
	b.refill(o)
	after := lv.total()
	b.dropIfEmpty(lv)
	if after != before {
		in.touched(b.side, price, before, after)
	}
	m.x.publishAgg(in)
	return q
}

// consume takes q from the queue of a price. What is the tape's own is printed
// as one trade, unless orders of accounts stand in between; so is what finds
// nobody, because the tape's level lagged behind its trade.
func (m *tapeMarket) consume(in *instrument, b *book, price, q Fixed, taker Side) {
	tape := Fixed(0)
	for lv := b.find(price); q > 0 && lv != nil && lv.head != nil; {
		o := lv.head
		gone := min(q, o.cut) // left the queue already when the top told of it
		if part := gone + min(q-gone, o.ahead); part > 0 {
			m.leave(in, b, lv, part)
			tape += part
			q -= part
			continue
		}
		m.print(in, price, tape, taker)
		tape = 0
		q -= m.hit(in, b, lv, q)
		lv = b.find(price)
	}
	if lv := b.find(price); lv != nil && q > 0 {
		m.leave(in, b, lv, min(q, satAdd(lv.ext, lv.credit)))
	}
	m.print(in, price, tape+q, taker)
}

// leave takes tape quantity off the front of a level, as far as a top has not
// done so already; orders move up likewise, as far as it has not moved them.
func (m *tapeMarket) leave(in *instrument, b *book, lv *level, tape Fixed) {
	price, before := lv.price, lv.total()
	known := min(tape, lv.credit)
	lv.credit -= known
	lv.ext -= min(tape-known, lv.ext)
	for o := lv.head; o != nil; o = o.next {
		c := min(o.cut, tape)
		o.cut -= c
		o.ahead = min(max(o.ahead-(tape-c), 0), lv.ext)
	}
	after := lv.total()
	b.dropIfEmpty(lv)
	if after != before {
		in.touched(b.side, price, before, after)
	}
}

// print publishes a trade in which no account took part.
func (m *tapeMarket) print(in *instrument, price, qty Fixed, taker Side) {
	if qty == 0 {
		return
	}
	x := m.x
	t := &x.trade
	*t = Trade{
		Symbol: in.sym.Name, ID: in.nextTrade, Price: price, Qty: qty, QuoteQty: mul(price, qty),
		BuyOrderID: -1, SellOrderID: -1, Time: x.now, BuyerIsMaker: taker == Sell,
	}
	x.agg = AggTrade{}
	in.traded(t)
	x.publishAgg(in)
	in.trip(price)
}

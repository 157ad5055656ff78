package exchange

import "math"

func (t *trader) side() Side { return Buy + Side(t.r.IntN(2)) }

// away is the price d basis points behind touch on a side.
func (t *trader) away(side Side, touch Fixed, d float64) Fixed {
	step := Fixed(d / 1e4 * float64(touch))
	step -= step % t.in.tick
	if side == Buy {
		return max(touch-step, t.in.tick)
	}
	return touch + step
}

// workLevel adds, removes or changes a level at a log-normal distance.
func (t *trader) workLevel() {
	side := t.side()
	b := t.in.book(side)
	if b.best == nil {
		return // keepSpread brings the side back
	}
	touch := b.best.price
	u := t.r.Float64()
	if u < t.p.FlickerShare {
		t.flicker(side, touch)
		return
	}
	d := t.logNormal(t.p.DistMed, t.p.DistSD)
	if t.r.Float64() < t.p.FarShare {
		d = t.p.Flat * math.Pow(t.p.Reach/t.p.Flat, t.r.Float64())
	}
	price := t.away(side, touch, min(d, t.p.Reach))
	if u < t.p.FlickerShare+t.p.ChangeShare {
		t.changeLevel(b, price)
		return
	}
	t.turnLevel(b, price, d)
}

// flicker places an order near the touch that will be gone in a moment: what a
// client sees as the delete of a level it never had.
func (t *trader) flicker(side Side, touch Fixed) {
	price := t.away(side, touch, t.logNormal(1.3, 1.3))
	o := t.m.x.houseLimit(t.in, side, price, t.levelQty(), GTC)
	if o == nil {
		return
	}
	t.m.push(agentEvent{
		at: t.m.x.now + 200 + Micros(t.r.ExpFloat64()*8000), who: t.no, kind: agentLeave, side: side, price: price, id: o.id,
	})
}

func (t *trader) leave(e agentEvent) {
	if l := t.in.book(e.side).find(e.price); l != nil {
		for o := l.head; o != nil; o = o.next {
			if o.id == e.id {
				t.m.x.houseCancel(o)
				return
			}
		}
	}
}

// nearest is the level next to a price, the touch excluded if there is another.
func (b *book) nearest(price Fixed) *level {
	far, near := b.behind(price), b.before(price)
	if far == nil || near != nil && near != b.best && abs(near.price-price) < abs(far.price-price) {
		return near
	}
	return far
}

func abs(v int64) int64 {
	if v < 0 {
		return -v
	}
	return v
}

// changeLevel changes the quantity of the level next to a price, up or down.
func (t *trader) changeLevel(b *book, price Fixed) {
	l := b.nearest(price)
	o := t.pick(l)
	if o == nil || t.r.IntN(2) == 0 && l.n < 4 {
		t.m.x.houseLimit(t.in, b.side, l.price, t.levelQty(), GTC)
		return
	}
	if l.n > 1 {
		t.m.x.houseCancel(o)
		return
	}
	qty := t.lotFloor(Fixed(float64(o.qty) * (0.1 + 0.8*t.r.Float64())))
	if qty > o.exec && qty < o.qty {
		t.m.x.houseReduce(o, qty)
		return
	}
	t.m.x.houseLimit(t.in, b.side, l.price, t.levelQty(), GTC)
}

// turnLevel makes a level at a price or removes the one next to it, whichever
// brings the density there nearer to what it should be.
func (t *trader) turnLevel(b *book, price Fixed, d float64) {
	far, near := b.behind(price), b.before(price)
	if far == nil || near == nil {
		t.m.x.houseLimit(t.in, b.side, price, t.levelQty(), GTC)
		return
	}
	gap := float64(abs(near.price-far.price)) / float64(price) * 1e4
	if s := t.spacing(d); t.r.Float64()*(gap+2*s) < gap {
		t.m.x.houseLimit(t.in, b.side, price, t.levelQty(), GTC)
		return
	}
	if l := b.nearest(price); l != b.best {
		t.clearLevel(l)
	}
}

// clearLevel cancels every house order of a level.
func (t *trader) clearLevel(l *level) {
	for o := l.head; o != nil; {
		next := o.next
		last := l.n == 1 // the level is reused once it is empty
		if o.acct == t.in.house {
			t.m.x.houseCancel(o)
		}
		if last {
			return
		}
		o = next
	}
}

// pick is a random house order of a level, nil if there is none.
func (t *trader) pick(l *level) *order {
	var got *order
	n := 0
	for o := l.head; o != nil && n < 64; o = o.next {
		if o.acct == t.in.house {
			n++
			if t.r.IntN(n) == 0 {
				got = o
			}
		}
	}
	return got
}

// workTouch joins the queue at the touch or leaves it; long queues are left more
// often than joined.
func (t *trader) workTouch() {
	side := t.side()
	b := t.in.book(side)
	l := b.best
	if l == nil {
		return
	}
	if n := float64(l.n); t.r.Float64()*(n+t.p.TouchQueue) < n {
		if o := t.pick(l); o != nil && (l.n > 1 || t.r.Float64() < 0.05) {
			t.m.x.houseCancel(o)
			return
		}
	}
	t.m.x.houseLimit(t.in, side, l.price, t.touchQty(), GTC)
}

// take sends a taker: mostly a small one against the front order, sometimes one
// that goes through many. It leans towards the fair price.
func (t *trader) take() {
	bid, ask := t.in.bids.best, t.in.asks.best
	if bid == nil || ask == nil {
		return
	}
	side := t.side()
	switch {
	case t.fair > float64(ask.price):
		side = t.lean(Buy)
	case t.fair < float64(bid.price):
		side = t.lean(Sell)
	}
	opp := t.in.book(side.other())
	if t.r.Float64() >= t.p.BurstShare {
		qty := t.takeQty()
		if t.r.Float64() < t.p.LargeShare {
			qty = t.lots(t.logNormal(t.p.LargeValue/8, 1))
		}
		t.m.x.houseLimit(t.in, side, opp.best.price, min(qty, opp.best.total()), IOC)
		return
	}
	k := int(2 * math.Pow(1-t.r.Float64(), -1/t.p.BurstTail))
	qty, limit := t.front(opp, min(k, t.p.BurstMax))
	t.m.x.houseLimit(t.in, side, limit, qty, IOC)
	// Half of the price a sweep made stays.
	if best := opp.best; best != nil && t.r.IntN(2) == 0 {
		if p := float64(best.price); side == Buy && p > t.fair+float64(t.in.tick) || side == Sell && p < t.fair-float64(t.in.tick) {
			t.fair = (t.fair + p) / 2
		}
	}
}

func (t *trader) lean(s Side) Side {
	if t.r.Float64() < 0.85 {
		return s
	}
	return s.other()
}

// front is the quantity of the first k orders of a side within two basis points
// of its touch, and the price of the last of them.
func (t *trader) front(b *book, k int) (qty, limit Fixed) {
	touch := b.best.price
	b.walk(func(l *level) bool {
		if l != b.best && float64(abs(l.price-touch)) > 2e-4*float64(touch) {
			return false
		}
		limit = l.price
		if k >= l.n {
			qty += l.total()
			k -= l.n
			return k > 0
		}
		for o := l.head; k > 0; o, k = o.next, k-1 {
			qty += o.visible()
		}
		return false
	})
	return qty, limit
}

// jump moves the fair price; the touch will follow.
func (t *trader) jump() {
	d := t.r.ExpFloat64() * t.p.JumpBps / 1e4
	if t.r.IntN(2) == 0 {
		d = -d
	}
	t.fair *= math.Exp(d)
	t.fair += (t.anchor - t.fair) * t.p.Revert
	t.follow()
}

func (t *trader) follow() {
	if !t.chasing {
		t.chasing = true
		t.at(t.m.x.now+20+Micros(t.r.ExpFloat64()*1500), agentChase)
	}
}

// chase takes away the best level that stands in the fair price's way: its
// makers pull back, or somebody takes it. Levels with orders of others are
// always taken, so that nobody is left behind at a stale price.
func (t *trader) chase() {
	side := Buy
	if t.fair < float64(t.in.tick) {
		return
	}
	bid, ask := t.in.bids.best, t.in.asks.best
	var l *level
	switch {
	case ask != nil && float64(ask.price) < t.fair:
		l = ask
	case bid != nil && float64(bid.price) > t.fair:
		l, side = bid, Sell
	default:
		return
	}
	switch {
	case t.r.Float64() < 0.15:
		// One taker clears the way to the fair price.
		t.m.x.houseLimit(t.in, side, t.grid(t.fair), t.through(t.in.book(side.other())), IOC)
	case t.r.Float64() < 0.25 || t.foreign(l):
		t.m.x.houseLimit(t.in, side, l.price, l.total(), IOC)
	default:
		t.clearLevel(l)
	}
	t.follow()
}

// through is the quantity of a side up to the fair price.
func (t *trader) through(b *book) (qty Fixed) {
	b.walk(func(l *level) bool {
		if p := float64(l.price); b.side == Sell && p > t.fair || b.side == Buy && p < t.fair {
			return false
		}
		qty = satAdd(qty, l.total())
		return true
	})
	return max(qty, t.in.lot)
}

func (t *trader) foreign(l *level) bool {
	for o := l.head; o != nil; o = o.next {
		if o.acct != t.in.house {
			return true
		}
	}
	return false
}

// keepSpread queues a refill while the spread is wider than agents like, or a
// side is gone.
func (t *trader) keepSpread() {
	if t.refilling || !t.wide() {
		return
	}
	t.refilling = true
	mean := 1200.0
	if t.p.Exponential {
		mean = 250_000
	}
	t.at(t.m.x.now+10+Micros(t.r.ExpFloat64()*mean), agentRefill)
}

func (t *trader) wide() bool {
	bid, ask := t.in.bids.best, t.in.asks.best
	return bid == nil || ask == nil || ask.price-bid.price > t.in.tick*t.p.SpreadTicks
}

// refill brings bid and ask together again around the fair price, sometimes in
// several steps.
func (t *trader) refill() {
	in := t.in
	spread := in.tick * t.p.SpreadTicks
	bid, ask := in.bids.best, in.asks.best
	x := t.m.x
	switch {
	case bid == nil && ask == nil:
		x.houseLimit(in, Buy, t.grid(t.fair), t.touchQty(), GTC)
		x.houseLimit(in, Sell, t.grid(t.fair)+spread, t.touchQty(), GTC)
	case bid == nil:
		x.houseLimit(in, Buy, max(min(t.grid(t.fair), ask.price-spread), in.tick), t.touchQty(), GTC)
	case ask == nil:
		x.houseLimit(in, Sell, max(t.grid(t.fair), bid.price)+spread, t.touchQty(), GTC)
	case ask.price-bid.price > spread:
		want := min(max(t.grid(t.fair), bid.price), ask.price-spread)
		if want > bid.price && (want >= ask.price-spread || t.r.IntN(2) == 0) {
			x.houseLimit(in, Buy, t.part(bid.price, want), t.touchQty(), GTC)
		} else {
			x.houseLimit(in, Sell, ask.price-(t.part(want+spread, ask.price)-want-spread), t.touchQty(), GTC)
		}
	}
}

// part is a price above from, at most to: mostly to itself.
func (t *trader) part(from, to Fixed) Fixed {
	n := (to - from) / t.in.tick
	if n > 2 && t.r.Float64() < 0.25 {
		return from + t.in.tick*(1+t.r.Int64N(n-1))
	}
	return to
}

package exchange

import "github.com/tidwall/btree"

// order is one order in the engine. Orders of accounts live as long as their
// history is kept; orders of the house are reused after they end.
type order struct {
	next, prev *order // queue of the level, oldest first
	lvl        *level // nil unless resting

	id       int64
	in       *instrument
	acct     *account
	side     Side
	typ      OrderType
	tif      TimeInForce
	stp      STPMode
	status   OrderStatus
	expiry   ExpiryReason
	working  bool  // has been on the book or in the taker phase
	waiting  bool  // a stop beside the book, see stop.go
	drained  bool  // quoteOrderQty wanted more than the book had: filled, yet to expire
	price    Fixed // the limit the engine works with; see asked and reserve
	asked    Fixed // the price as sent: 0 for a pegged order without one
	reserve  Fixed // what a buy without a limit yet locks per unit, 0 otherwise
	qty      Fixed
	exec     Fixed
	prevent  Fixed
	cumQuote Fixed
	quoteQty Fixed // quoteOrderQty as sent
	locked   Fixed // quote for a buy, base for a sell; see lockFor
	stop     Fixed // stopPrice, 0 if none
	trail    int64 // trailingDelta in basis points, 0 if none
	trailAt  Micros
	extreme  Fixed // lowest (buy) or highest (sell) trade price since trailAt
	iceberg  Fixed // icebergQty, 0 if none
	shown    Fixed // what a resting iceberg displays of its remainder
	takeMin  Fixed // prices it may take at, see bound; 0 is none
	takeMax  Fixed
	peg      Peg
	list     *orderList // nil unless it is a leg

	// ahead is the quantity of a tape that is in the queue before this order;
	// cut is what a top of the tape took off ahead and no trade has explained yet.
	ahead, cut Fixed

	clientID   string
	created    Micros
	updated    Micros
	workedAt   Micros
	lastMatch  int64 // newest prevented match id, -1 if none
	amends     []amendment
	strategyID Opt
	strategyTy Opt
}

// rem is what can still trade: qty - executed - prevented (section 7.8).
func (o *order) rem() Fixed { return o.qty - o.exec - o.prevent }

// visible is what the book displays of a resting order.
func (o *order) visible() Fixed {
	if o.iceberg == 0 {
		return o.rem()
	}
	return o.shown
}

// market reports whether the order takes at any price: MARKET, or a stop
// without a limit. Such an order locks nothing once it works.
func (o *order) market() bool { return !o.typ.priced() }

// level is one price: a queue of orders and, in a market that is a tape, the
// tape's displayed quantity.
type level struct {
	price      Fixed
	sum        wide  // displayed quantity of the queue
	hidden     wide  // what icebergs of the queue do not display
	ext        Fixed // quantity of the tape, less what takers ate since it was set
	credit     Fixed // what tops of the tape took off ext and no trade has explained yet
	head, tail *order
	n          int // orders in the queue
}

func (l *level) total() Fixed {
	w := l.sum
	w.add(l.ext)
	return w.sat()
}

// depth is what a taker can get here: the displayed quantity and the hidden one.
func (l *level) depth() Fixed {
	w := l.sum
	w.hi += l.hidden.hi
	w.add(l.ext)
	if w.hi != 0 || w.lo>>63 != 0 || l.hidden.lo>>63 != 0 {
		return 1<<63 - 1
	}
	w.add(Fixed(l.hidden.lo))
	return w.sat()
}

func (l *level) empty() bool { return l.n == 0 && l.ext == 0 }

// book is one side of an instrument.
type book struct {
	side Side
	tree btree.Map[Fixed, *level]
	best *level // nil if empty
	pool []*level
}

// better reports whether price a is nearer to the other side than b.
func (b *book) better(a, c Fixed) bool {
	if b.side == Buy {
		return a > c
	}
	return a < c
}

func (b *book) find(price Fixed) *level {
	if b.best != nil && b.best.price == price {
		return b.best
	}
	l, _ := b.tree.Get(price)
	return l
}

// at returns the level of a price, making it if it is not there.
func (b *book) at(price Fixed) *level {
	if l := b.find(price); l != nil {
		return l
	}
	var l *level
	if n := len(b.pool); n > 0 {
		l, b.pool = b.pool[n-1], b.pool[:n-1]
	} else {
		l = new(level)
	}
	l.price = price
	b.tree.Set(price, l)
	if b.best == nil || b.better(price, b.best.price) {
		b.best = l
	}
	return l
}

// dropIfEmpty takes an empty level out of the book.
func (b *book) dropIfEmpty(l *level) {
	if !l.empty() {
		return
	}
	b.tree.Delete(l.price)
	if b.best == l {
		b.best = nil
		if b.side == Buy {
			_, b.best, _ = b.tree.Max()
		} else {
			_, b.best, _ = b.tree.Min()
		}
	}
	*l = level{}
	b.pool = append(b.pool, l)
}

// walk calls f for each level, best first, until it returns false.
func (b *book) walk(f func(l *level) bool) {
	if b.side == Buy {
		b.tree.Reverse(func(_ Fixed, l *level) bool { return f(l) })
		return
	}
	b.tree.Scan(func(_ Fixed, l *level) bool { return f(l) })
}

// behind is the first level at price or further from the touch; nil if none.
func (b *book) behind(price Fixed) (found *level) {
	stop := func(_ Fixed, l *level) bool { found = l; return false }
	if b.side == Buy {
		b.tree.Descend(price, stop)
	} else {
		b.tree.Ascend(price, stop)
	}
	return found
}

// before is the first level at price or nearer to the touch; nil if none.
func (b *book) before(price Fixed) (found *level) {
	stop := func(_ Fixed, l *level) bool { found = l; return false }
	if b.side == Buy {
		b.tree.Ascend(price, stop)
	} else {
		b.tree.Descend(price, stop)
	}
	return found
}

// levels is the number of prices on this side.
func (b *book) levels() int { return b.tree.Len() }

// push queues o behind everyone else at its price. Own quantity of a tape that
// is displayed there stands before it.
func (b *book) push(o *order) *level {
	l := b.at(o.price)
	o.lvl, o.ahead, o.cut = l, l.ext, 0
	o.prev, o.next = l.tail, nil
	if l.tail == nil {
		l.head = o
	} else {
		l.tail.next = o
	}
	l.tail = o
	l.n++
	if o.iceberg > 0 {
		o.shown = min(o.iceberg, o.rem())
		l.hidden.add(o.rem() - o.shown)
	}
	l.sum.add(o.visible())
	return l
}

// draw takes q off a resting order, at most what it displays, before the order's
// own quantities change. An order of which nothing is left leaves the queue.
func (b *book) draw(o *order, q Fixed) {
	if q == o.rem() {
		b.unlink(o)
		return
	}
	o.lvl.sum.sub(q)
	if o.iceberg > 0 {
		o.shown -= q
	}
}

// refill lets an iceberg whose displayed part is gone display the next one,
// behind everyone else at its price.
func (b *book) refill(o *order) {
	if o.iceberg > 0 && o.lvl != nil && o.shown == 0 {
		b.unlink(o)
		b.push(o)
	}
}

// shrink makes a resting order of rem smaller without moving it: an iceberg
// displays less only if less than its displayed part is left.
func (b *book) shrink(o *order, rem Fixed) {
	l, shows := o.lvl, min(o.visible(), rem)
	l.sum.sub(o.visible() - shows)
	l.hidden.sub(o.rem() - o.visible())
	l.hidden.add(rem - shows)
	if o.iceberg > 0 {
		o.shown = shows
	}
}

// unlink takes o out of its queue. The level stays, even if it is empty now;
// rem must not have changed since the level's sum was last told.
func (b *book) unlink(o *order) *level {
	l := o.lvl
	if o.prev == nil {
		l.head = o.next
	} else {
		o.prev.next = o.next
	}
	if o.next == nil {
		l.tail = o.prev
	} else {
		o.next.prev = o.prev
	}
	l.n--
	l.sum.sub(o.visible())
	if o.iceberg > 0 {
		l.hidden.sub(o.rem() - o.shown)
	}
	o.lvl, o.prev, o.next = nil, nil, nil
	return l
}

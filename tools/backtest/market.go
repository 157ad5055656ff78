package backtest

import (
	"slices"

	"riposte/core"
	"riposte/core/book"
)

// market is one symbol at the venue: the recorded book, the queues, own orders.
type market struct {
	x        *Exchange
	id       core.InstrumentID
	in       core.Instrument
	sync     *book.Sync
	waiting  []waitingEvent // depth that came before its snapshot
	touch    core.Top       // newest of the stream of best prices
	last     core.Price     // of the last trade
	own      [2][]*order    // resting, best price and oldest first
	stops    []*order       // waiting for their trigger, oldest first
	taken    [2][]core.Level
	nextID   int64 // of orders
	tradeID  int64
	touching bool // the tape has a stream of best prices
}

// event moves the recorded market on. It belongs to the exchange's goroutine.
func (m *market) event(ev *core.Event, lv []core.Level) {
	switch ev.Kind {
	case core.DepthDelta:
		m.depth(ev, lv)
	case core.Touch:
		m.best(ev)
	case core.Trade:
		m.traded(ev)
	case core.AggTrade:
		if !m.x.trades[m.id] {
			m.traded(ev)
		}
	case kindImage:
		m.image(imageOf(ev, lv))
	case kindRules:
		// Orders that rest stay, as at the venue.
		if m.x.ruled != nil && adopt(&m.in, &m.x.ruled[ev.W[0]]) {
			m.sync.SetTick(m.in.Filters.Tick)
		}
	case kindHole:
		m.sync.LineDown()
		m.touch = core.Top{}
	}
}

func (m *market) image(im *book.Image) {
	if m.sync.Snapshot(im) != book.Applied {
		return
	}
	for _, w := range m.waiting {
		m.sync.Delta(&w.ev, w.lv)
	}
	m.waiting = m.waiting[:0]
	// What has happened to the queues meanwhile nobody saw.
	for side := range m.own {
		m.taken[side] = m.taken[side][:0]
		for _, o := range m.own[side] {
			o.place.showing(m.x.opt.Queue, m.shown(o.side, o.price), false, m.in.Filters.Lot)
		}
	}
	m.uncross()
}

func (m *market) depth(ev *core.Event, lv []core.Level) {
	switch m.sync.Delta(ev, lv) {
	case book.Wait, book.Gap:
		m.waiting = append(m.waiting, waitingEvent{*ev, slices.Clone(lv)})
		return
	case book.Applied:
	default:
		return
	}
	if len(m.own[0])|len(m.own[1])|len(m.taken[0])|len(m.taken[1]) != 0 {
		fresh := m.touch.ID > ev.ID
		m.levels(core.Buy, lv[:ev.Bids], fresh)
		m.levels(core.Sell, lv[ev.Bids:], fresh)
		m.uncross()
	}
}

// levels shows what a depth event sets to the own orders of a side. fresh: the stream of
// best prices is ahead of it and knows the touch and all before it better.
func (m *market) levels(side core.Side, lv []core.Level, fresh bool) {
	own, taken := m.own[side], &m.taken[side]
	if len(own)|len(*taken) == 0 {
		return
	}
	touch := m.touch.Bid
	if side == core.Sell {
		touch = m.touch.Ask
	}
	for i := range lv {
		p := lv[i].Price
		if fresh && !better(side, touch, p) {
			continue
		}
		for _, o := range own {
			if o.price == p {
				o.place.showing(m.x.opt.Queue, lv[i].Qty, false, m.in.Filters.Lot)
			}
		}
		m.restore(side, p)
	}
}

// best takes the stream of best prices: what was better on either side is gone.
func (m *market) best(ev *core.Event) {
	m.sync.Touch(ev)
	was := m.touch
	if ev.ID <= was.ID {
		return
	}
	m.touch, m.touching = ev.Top(), true
	if ev.ID <= m.sync.LastID() || len(m.own[0])|len(m.own[1])|len(m.taken[0])|len(m.taken[1]) == 0 {
		return
	}
	t := &m.touch
	m.front(core.Buy, t.Bid, t.BidQty, was.Bid == t.Bid && was.BidQty == t.BidQty)
	m.front(core.Sell, t.Ask, t.AskQty, was.Ask == t.Ask && was.AskQty == t.AskQty)
	m.uncross()
}

// front shows a side's new best price to its own orders. A touch repeats the side that
// has not changed: that is no news, and gives nothing back that was taken.
func (m *market) front(side core.Side, price core.Price, qty core.Qty, same bool) {
	for _, o := range m.own[side] {
		switch {
		case o.price == price:
			o.place.showing(m.x.opt.Queue, qty, true, m.in.Filters.Lot)
		case price == 0 || better(side, o.price, price):
			o.place.showing(m.x.opt.Queue, 0, true, m.in.Filters.Lot)
		}
	}
	taken := m.taken[side]
	for i := len(taken) - 1; i >= 0; i-- {
		if p := taken[i].Price; better(side, p, price) || p == price && !same {
			m.restore(side, p)
		}
	}
}

// traded lets a recorded trade meet own orders: those at better prices first, up to its
// quantity, then the queue at its price.
func (m *market) traded(ev *core.Event) {
	if ev.Late() {
		return
	}
	price, side := ev.TradePrice(), ev.Aggressor().Opposite()
	m.last = price
	if own := m.own[side]; len(own) > 0 && !better(side, price, own[0].price) {
		left := ev.TradeQty()
		for i := 0; i < len(m.own[side]) && left > 0; {
			o := m.own[side][i]
			if better(side, price, o.price) {
				break
			}
			through := left
			if o.price == price {
				through = o.place.trade(left)
			}
			if q := min(through, o.visible()); q > 0 {
				left -= q
				m.x.fill(m, o, o.price, q, true)
			}
			if i < len(m.own[side]) && m.own[side][i] == o {
				i++ // else it has ended, or gone to the end of its queue
			}
		}
	}
	m.trip(price)
}

// uncross lets what is shown on the other side trade with own orders that it reaches.
func (m *market) uncross() {
	bid, ask := m.sync.Best()
	for side := core.Buy; side <= core.Sell; side++ {
		for len(m.own[side]) > 0 {
			// What was taken only moves the other side's best further away.
			if top := [2]core.Price{core.Buy: ask, core.Sell: bid}[side]; top == 0 || better(side, top, m.own[side][0].price) {
				break
			}
			o := m.own[side][0]
			lv, ok := m.bestOf(side.Opposite())
			if !ok || better(side, lv.Price, o.price) {
				break
			}
			q := min(lv.Qty, o.visible())
			m.take(side.Opposite(), lv.Price, q)
			m.x.fill(m, o, o.price, q, true)
		}
	}
}

// better reports whether a is nearer to the other side than b.
func better(side core.Side, a, b core.Price) bool {
	if side == core.Buy {
		return a > b
	}
	return a < b
}

// walk goes along what others show on a side, best first: the book, but for the touch
// where the stream of best prices is ahead, less what own orders have taken. Beyond the
// depth that the last snapshot told only what has changed since is known, and nothing else
// is there: a recording has few snapshots, and its market may have moved far from them.
type walk struct {
	m     *market
	side  core.Side
	c     book.Cursor
	front core.Level // of the touch, still to be given; price 0: none
	after core.Price // levels up to here the touch has told; 0: none
}

// walk is ok where there is a book.
func (m *market) walk(side core.Side) (w walk, ok bool) {
	b, live := m.sync.Live()
	if !live {
		return w, false
	}
	w = walk{m: m, side: side, c: b.Cursor(side)}
	if m.touch.ID > m.sync.LastID() {
		w.front = core.Level{Price: m.touch.Bid, Qty: m.touch.BidQty}
		if side == core.Sell {
			w.front = core.Level{Price: m.touch.Ask, Qty: m.touch.AskQty}
		}
		w.after = w.front.Price
	}
	return w, true
}

// next is the next level that has something; not ok behind the last.
func (w *walk) next() (core.Level, bool) {
	for {
		lv, ok := w.front, w.front.Price != 0
		if ok {
			w.front = core.Level{}
		} else if lv, ok = w.c.Next(); !ok {
			return lv, false
		} else if w.after != 0 && !better(w.side, w.after, lv.Price) {
			continue
		}
		for _, t := range w.m.taken[w.side] {
			if t.Price == lv.Price {
				lv.Qty -= t.Qty
			}
		}
		if lv.Qty > 0 {
			return lv, true
		}
	}
}

// bestOf is the best level of a side that has something left.
func (m *market) bestOf(side core.Side) (core.Level, bool) {
	w, ok := m.walk(side)
	if !ok {
		return core.Level{}, false
	}
	return w.next()
}

// shown is what others show at a price, taken or not.
func (m *market) shown(side core.Side, price core.Price) core.Qty {
	w, ok := m.walk(side)
	if !ok {
		return 0
	}
	if t := w.front; t.Price != 0 {
		if price == t.Price {
			return t.Qty
		}
		if better(side, price, t.Price) {
			return 0
		}
	}
	for lv, ok := w.c.Next(); ok && !better(side, price, lv.Price); lv, ok = w.c.Next() {
		if lv.Price == price {
			return lv.Qty
		}
	}
	return 0
}

// take notes that own orders took from a level of others.
func (m *market) take(side core.Side, p core.Price, q core.Qty) {
	for i := range m.taken[side] {
		if m.taken[side][i].Price == p {
			m.taken[side][i].Qty += q
			return
		}
	}
	m.taken[side] = append(m.taken[side], core.Level{Price: p, Qty: q})
}

// restore forgets what was taken from a level, because the recording sets it anew.
func (m *market) restore(side core.Side, p core.Price) {
	t := m.taken[side]
	for i := range t {
		if t[i].Price == p {
			t[i] = t[len(t)-1]
			m.taken[side] = t[:len(t)-1]
			return
		}
	}
}

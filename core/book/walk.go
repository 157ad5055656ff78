package book

import "riposte/core"

// Cursor walks one side best first without allocating. It is valid until the
// book changes. Within the indexed window a step costs a few ns; the first step
// beyond puts the far levels in order, which costs some µs if they have changed
// since the last time, 100 µs after many changes.
type Cursor struct {
	l    *ladder
	side core.Side
	slot uint64 // logical slot to look from
	have bool   // slot is occupied and not yet given
	far  bool   // far has been put in order
	at   int    // next key of its order
}

// Cursor starts a walk over a side at its best level.
func (b *Book) Cursor(side core.Side) Cursor {
	c := Cursor{l: &b.sides[side], side: side}
	c.seek(0)
	return c
}

func (c *Cursor) seek(slot uint64) {
	if c.have = false; c.l.near > 0 {
		c.slot, c.have = c.l.next(slot)
	}
}

// Next is the next level; ok is false after the last.
func (c *Cursor) Next() (lv core.Level, ok bool) {
	l := c.l
	key := int64(noKey)
	if c.have {
		key = l.keyAt(c.slot)
	}
	if l.far.least < key {
		if lv, ok := c.nextFar(key); ok {
			return lv, true
		}
	}
	if !c.have {
		return core.Level{}, false
	}
	lv = core.Level{Price: core.Price(keyOf(c.side, key)), Qty: l.qty[(c.slot+l.off)&l.mask]}
	c.seek(c.slot + 1)
	return lv, true
}

// nextFar is the next far level if it comes before key.
func (c *Cursor) nextFar(key int64) (core.Level, bool) {
	f := &c.l.far
	if first, _ := f.first(); first > key {
		return core.Level{}, false // what was before key has gone
	}
	if !c.far {
		f.sort()
		c.far = true
	}
	for ; c.at < len(f.order) && f.order[c.at] < key; c.at++ {
		if q := f.get(f.order[c.at]); q > 0 {
			lv := core.Level{Price: core.Price(keyOf(c.side, f.order[c.at])), Qty: q}
			c.at++
			return lv, true
		}
	}
	return core.Level{}, false
}

// Walk calls f with the levels of a side, best first, until f returns false.
func (b *Book) Walk(side core.Side, f func(core.Level) bool) {
	for c := b.Cursor(side); ; {
		if lv, ok := c.Next(); !ok || !f(lv) {
			return
		}
	}
}

// Levels appends the best levels of a side to dst until its capacity is used,
// best first. It never allocates; capacity beyond Len gets them all.
func (b *Book) Levels(side core.Side, dst []core.Level) []core.Level {
	c := b.Cursor(side)
	for len(dst) < cap(dst) {
		lv, ok := c.Next()
		if !ok {
			break
		}
		dst = append(dst, lv)
	}
	return dst
}

// Cost is what a taker's order of that side and size would meet in the book as
// it is: the value traded, the worst price, and how much of qty the trusted
// range fills. Depth beyond that range is not counted, so filled below qty means
// "not known to be there", not "not there". A Buy takes asks.
func (b *Book) Cost(side core.Side, qty core.Qty) (value core.Notional, worst core.Price, filled core.Qty) {
	book := side.Opposite()
	edge := keyOf(book, b.edge[book])
	for c := b.Cursor(book); filled < qty; {
		lv, ok := c.Next()
		if !ok || keyOf(book, lv.Price) > edge {
			break
		}
		take := min(lv.Qty, qty-filled)
		value = value.Add(core.NotionalOf(lv.Price, take))
		worst = lv.Price
		filled += take
	}
	return value, worst, filled
}

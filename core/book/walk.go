package book

import "riposte/core"

// Cursor walks one side best first without allocating. It is valid until the
// book changes.
type Cursor struct {
	l    *ladder
	side core.Side
	slot uint64 // logical slot to look from
	have bool   // slot is occupied and not yet given
	c, i int    // next entry of far
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
	if c.c < len(l.far.chunks) {
		k := l.far.chunks[c.c]
		if e := k.e[c.i]; e.key < key {
			if c.i++; c.i == k.n {
				c.c, c.i = c.c+1, 0
			}
			return core.Level{Price: core.Price(keyOf(c.side, e.key)), Qty: e.qty}, true
		}
	}
	if !c.have {
		return core.Level{}, false
	}
	lv = core.Level{Price: core.Price(keyOf(c.side, key)), Qty: l.qty[(c.slot+l.off)&l.mask]}
	c.seek(c.slot + 1)
	return lv, true
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

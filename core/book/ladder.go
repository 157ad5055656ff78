package book

import (
	"math/bits"

	"riposte/core"
)

// ladder is one side of a book. It works on keys, which grow away from the
// touch on either side: an ask's key is its price, a bid's the negated price. So
// the best level has the smallest key and one code serves both sides.
//
//	key    lo                best                                lo+span
//	       │ room to improve  │ levels, thinning out              │
//	slots  [ · · · · · · · ·  █ █ · █ · · · █ · · · · · · ·  · · ·]   far: █   █    █
//
// Near the touch every tick has a slot: its quantity in qty, its occupancy in
// one bit of occ. The slots form a circle, so that moving the window moves only
// the levels that enter or leave it. All else, far levels and those off the tick
// grid, is in far. The best is kept, not searched: only its removal searches,
// and the next one is nearly always in the same word of bits.
type ladder struct {
	lo   int64  // key of logical slot 0, a multiple of 64 ticks below the best's
	span uint64 // slots times tick; 0: no window
	tick uint64
	inv  uint64 // 2^63/tick rounded up, see slot
	off  uint64 // physical slot of logical slot 0, a multiple of 64
	mask uint64 // slots - 1
	qty  []core.Qty
	occ  []uint64

	best    int64 // key of the best level, noKey if the side is empty
	bestQty core.Qty
	near    int // levels in the window

	far far

	// What recent changes were, for choosing the window; see settle.
	ops, outside, offGrid int
}

const (
	slotsMin = 1024    // three sixteenths of the slots must be a multiple of 64
	slotsMax = 1 << 16 // half a megabyte per side
	spanMax  = 1 << 56 // leaves room to compute with keys up to 2^62
)

// keyOf turns a price into a key; the same turns a key into a price.
func keyOf[T ~int64](s core.Side, v T) int64 {
	if s == core.Buy {
		return -int64(v)
	}
	return int64(v)
}

func (l *ladder) reset() {
	clear(l.qty)
	clear(l.occ)
	l.near = 0
	l.far.reset()
	l.best, l.bestQty = noKey, 0
}

// shape gives an empty ladder a window of that many slots of one tick. A tick of
// 0, or one so large that the window would not fit the range of prices, gives
// none.
func (l *ladder) shape(slots int, tick core.Price) {
	l.tick, l.inv, l.span, l.lo, l.off = uint64(tick), 0, 0, 0, 0
	if slots != len(l.qty) {
		l.qty, l.occ = make([]core.Qty, slots), make([]uint64, slots/64)
		l.mask = uint64(slots - 1)
	}
	if tick > 0 && uint64(tick) <= spanMax/uint64(slots) {
		l.inv = (1<<63 + uint64(tick) - 1) / uint64(tick)
		l.span = uint64(slots) * uint64(tick)
	}
}

// set puts the quantity at key, removing the level if it is not above zero. It
// returns 1 where a removal found nothing to remove, else 0.
func (l *ladder) set(key int64, qty core.Qty) (absent int) {
	d := uint64(key - l.lo)
	if d >= l.span {
		l.outside++
		return l.setFar(key, qty)
	}
	// d/tick as a product: inv exceeds 2^63/tick by less than one, so for a
	// multiple of tick below 2^56 the quotient is exact; for any other d the
	// remainder is not zero, whichever way the quotient was off.
	slot, _ := bits.Mul64(d<<1, l.inv)
	if slot*l.tick != d {
		l.offGrid++
		return l.setFar(key, qty)
	}
	p := (slot + l.off) & l.mask
	l.qty[p] = qty
	// Without branches: whether a level is new, changed or removed cannot be
	// predicted, and a wrong guess costs as much as all the rest.
	word := &l.occ[p>>6]
	had := *word >> (p & 63) & 1
	has := uint64(-qty) >> 63
	*word = *word&^(1<<(p&63)) | has<<(p&63)
	l.near += int(has) - int(had)
	if key <= l.best {
		l.touched(key, qty)
	}
	return int(1 ^ (had | has))
}

func (l *ladder) setFar(key int64, qty core.Qty) (absent int) {
	had := l.far.set(key, qty)
	if key <= l.best {
		l.touched(key, qty)
	}
	if had || qty > 0 {
		return 0
	}
	return 1
}

// touched keeps the best after a change at or before it.
func (l *ladder) touched(key int64, qty core.Qty) {
	switch {
	case qty > 0:
		l.best, l.bestQty = key, qty
	case key == l.best && key != noKey:
		l.findBest()
	}
}

// findBest looks for the best level after the old one went, from there on.
func (l *ladder) findBest() {
	from := l.best
	l.best, l.bestQty = noKey, 0
	if l.near > 0 {
		// The old best may lie outside the window or off the grid; no slot before
		// it is occupied, so any start at or before it will do.
		start := uint64(0)
		if d := uint64(from - l.lo); d < l.span {
			start = d / l.tick
		}
		if slot, ok := l.next(start); ok {
			l.best, l.bestQty = l.keyAt(slot), l.qty[(slot+l.off)&l.mask]
		}
	}
	if l.far.least < l.best {
		if key, qty := l.far.first(); key < l.best {
			l.best, l.bestQty = key, qty
		}
	}
}

// next is the first occupied logical slot at or after slot.
func (l *ladder) next(slot uint64) (uint64, bool) {
	last := l.mask >> 6
	if slot > l.mask {
		return 0, false
	}
	w := slot >> 6
	bitsHere := l.occ[(w+l.off>>6)&last] &^ (1<<(slot&63) - 1)
	for bitsHere == 0 {
		if w == last {
			return 0, false
		}
		w++
		bitsHere = l.occ[(w+l.off>>6)&last]
	}
	return w<<6 | uint64(bits.TrailingZeros64(bitsHere)), true
}

func (l *ladder) keyAt(slot uint64) int64 { return l.lo + int64(slot*l.tick) }

// len is how many levels the side has.
func (l *ladder) len() int { return l.near + l.far.n }

// wanted is where the window should start for the best as it is: with three
// sixteenths of the slots before it. Slots at prices of zero and less just stay empty.
func (l *ladder) wanted() int64 {
	step := int64(l.tick) * 64
	r := l.best % step
	if r < 0 {
		r += step
	}
	return l.best - r - int64(l.span/16*3)
}

// placeable says whether there is a best that a window can follow. Keys beyond
// 2^62, four times the venue's highest price, stay in far.
func (l *ladder) placeable() bool {
	return l.span != 0 && l.best < 1<<62 && l.best > -1<<62
}

// follow moves the window after the best if that has come close to its start or
// into its far half. It is called between events, so a best that shows up for
// part of an event moves nothing.
func (l *ladder) follow() {
	if d := uint64(l.best - l.lo); d >= l.span/32 && d < l.span/2 || !l.placeable() {
		return
	}
	if to := l.wanted(); to != l.lo {
		l.move(to)
	}
}

// move shifts the window so that it starts at key to: levels it leaves behind go
// to far, levels it comes over come in.
func (l *ladder) move(to int64) {
	slots := l.mask + 1
	shift, ahead := uint64(to-l.lo)/l.tick, true
	if to < l.lo {
		shift, ahead = uint64(l.lo-to)/l.tick, false
	}
	switch {
	case shift >= slots:
		l.evict(0, slots)
		l.lo, l.off = to, 0
		l.admit(0, slots)
	case ahead:
		l.evict(0, shift)
		l.lo, l.off = to, (l.off+shift)&l.mask
		l.admit(slots-shift, slots)
	default:
		l.evict(slots-shift, slots)
		l.lo, l.off = to, (l.off-shift)&l.mask
		l.admit(0, shift)
	}
}

// evict moves the levels of logical slots [from, to) into far.
func (l *ladder) evict(from, to uint64) {
	last := l.mask >> 6
	for w := from >> 6; w < to>>6; w++ {
		word := &l.occ[(w+l.off>>6)&last]
		for *word != 0 {
			slot := w<<6 | uint64(bits.TrailingZeros64(*word))
			*word &= *word - 1
			q := &l.qty[(slot+l.off)&l.mask]
			l.far.set(l.keyAt(slot), *q)
			*q = 0
			l.near--
		}
	}
}

// admit moves the levels that logical slots [from, to) can hold out of far.
func (l *ladder) admit(from, to uint64) {
	l.far.extract(l.keyAt(from), l.keyAt(to), func(key int64, qty core.Qty) bool {
		d := uint64(key - l.lo)
		if d%l.tick != 0 {
			return false
		}
		p := (d/l.tick + l.off) & l.mask
		l.qty[p] = qty
		l.occ[p>>6] |= 1 << (p & 63)
		l.near++
		return true
	})
}

// reshape gives a ladder with levels another window.
func (l *ladder) reshape(slots int, tick core.Price) {
	if l.span != 0 {
		l.evict(0, l.mask+1)
	}
	l.shape(slots, tick)
	if l.placeable() {
		l.lo = l.wanted()
		l.admit(0, l.mask+1)
	}
}

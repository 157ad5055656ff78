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
	// A price's logical slot is rotr(price*mul + add, rot); see place. slots is 0
	// where there is no window.
	mul, add uint64
	rot      int
	slots    uint64
	off      uint64 // physical slot of logical slot 0, a multiple of 64
	mask     uint64 // slots - 1
	reach    uint64 // changes of slots below it may change the best
	qty      []core.Qty
	occ      []uint64
	near     int // levels in the window

	best    int64 // key of the best level, noKey if the side is empty
	bestQty core.Qty

	lo   int64  // key of logical slot 0, a multiple of 64 ticks below the best's
	span uint64 // slots times tick; 0: no window
	tick uint64
	inv  uint64 // inverse of tick's odd part modulo 2^64
	side core.Side

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
	// By the bits: a wide window holds few levels, and most of it was never touched.
	for w, word := range l.occ {
		for ; word != 0; word &= word - 1 {
			l.qty[w<<6|bits.TrailingZeros64(word)] = 0
		}
		l.occ[w] = 0
	}
	l.near = 0
	l.far.reset()
	l.setBest(noKey, 0)
}

// shape gives an empty ladder a window of that many slots of one tick. A tick of
// 0, or one so large that the window would not fit the range of prices, gives
// none.
func (l *ladder) shape(slots int, tick core.Price) {
	l.tick, l.span, l.slots, l.off = uint64(tick), 0, 0, 0
	if slots != len(l.qty) {
		l.qty, l.occ = make([]core.Qty, slots), make([]uint64, slots/64)
		l.mask = uint64(slots - 1)
	}
	if tick > 0 && uint64(tick) <= spanMax/uint64(slots) {
		l.slots = uint64(slots)
		l.span = l.slots * l.tick
		l.rot = -bits.TrailingZeros64(l.tick)
		l.inv = inverse(l.tick >> -l.rot)
	}
	l.start(0)
}

// inverse of an odd number modulo 2^64, by Newton's iteration: each step doubles
// the bits that are right, and n itself has the lowest three.
func inverse(n uint64) uint64 {
	x := n
	for range 5 {
		x *= 2 - n*x
	}
	return x
}

// start makes lo the key of logical slot 0. What lies in the window is the
// caller's business.
func (l *ladder) start(lo int64) {
	l.lo = lo
	l.mul, l.add = l.inv, -uint64(lo)*l.inv
	if l.side == core.Buy {
		l.mul = -l.inv
	}
	l.setBest(l.best, l.bestQty)
}

// place is the logical slot of a price: below slots if the window has one for it,
// anything above for a price outside the window or off the grid. Multiplying by
// the inverse of the tick's odd part and rotating its factors of two to the top
// is a bijection of all 64-bit numbers that takes slot times tick to slot, so one
// comparison answers both questions, and nothing is divided.
func (l *ladder) place(price core.Price) uint64 {
	return bits.RotateLeft64(uint64(price)*l.mul+l.add, l.rot)
}

// apply sets levels one after the other: their absolute quantity, and those that
// are not above zero are removed. absent is how many removals found nothing, bad
// how many prices were none.
func (l *ladder) apply(lv []core.Level) (absent, bad int) {
	l.ops += len(lv)
	for i := range lv {
		price, qty := lv[i].Price, lv[i].Qty
		if !isPrice(price) {
			bad++
			continue
		}
		slot := l.place(price)
		if slot >= l.slots {
			absent += l.setFar(price, qty)
			continue
		}
		absent += l.setNear(slot, qty)
		if slot < l.reach {
			l.lead(slot, qty)
		}
	}
	return absent, bad
}

// set is apply for one level.
func (l *ladder) set(price core.Price, qty core.Qty) (absent int) {
	l.ops++
	slot := l.place(price)
	if slot >= l.slots {
		return l.setFar(price, qty)
	}
	absent = l.setNear(slot, qty)
	if slot < l.reach {
		l.lead(slot, qty)
	}
	return absent
}

// setNear has no branches: whether a level is new, changed or removed cannot be
// predicted, and a wrong guess costs as much as all the rest.
func (l *ladder) setNear(slot uint64, qty core.Qty) (absent int) {
	p := (slot + l.off) & l.mask
	at := &l.qty[p]
	had, has := uint64(-*at)>>63, uint64(-qty)>>63
	*at = qty
	l.occ[p>>6] ^= (had ^ has) << (p & 63)
	l.near += int(has) - int(had)
	return int(1 ^ (had | has))
}

// lead keeps the best after a change of a slot within reach of it.
func (l *ladder) lead(slot uint64, qty core.Qty) {
	if key := l.keyAt(slot); qty > 0 {
		l.best, l.bestQty, l.reach = key, qty, slot+1
	} else if key == l.best {
		l.findBest()
	}
}

func (l *ladder) setFar(price core.Price, qty core.Qty) (absent int) {
	key := keyOf(l.side, price)
	if d := uint64(key - l.lo); d < l.span {
		l.offGrid++
	} else {
		l.outside++
	}
	absent = l.far.set(key, qty)
	switch {
	case key > l.best:
	case qty > 0:
		l.setBest(key, qty)
	case key == l.best:
		l.findBest()
	}
	return absent
}

// setBest makes any level the best.
func (l *ladder) setBest(key int64, qty core.Qty) {
	l.best, l.bestQty = key, qty
	switch d := uint64(key - l.lo); {
	case l.slots == 0 || key < l.lo:
		l.reach = 0
	case d >= l.span:
		l.reach = l.slots
	default:
		l.reach = d/l.tick + 1
	}
}

// findBest looks for the best level after the old one went, from there on.
func (l *ladder) findBest() {
	l.best, l.bestQty = noKey, 0
	if l.near > 0 {
		// No slot before the old best is occupied.
		if slot, ok := l.next(max(l.reach, 1) - 1); ok {
			l.best, l.bestQty, l.reach = l.keyAt(slot), l.qty[(slot+l.off)&l.mask], slot+1
		}
	}
	if l.far.least < l.best {
		if key, qty := l.far.first(); key < l.best {
			l.best, l.bestQty = key, qty
		}
		l.setBest(l.best, l.bestQty)
	} else if l.best == noKey {
		l.reach = l.slots
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
	return l.slots != 0 && l.best < 1<<62 && l.best > -1<<62
}

// calm reports that the window is where and what it should be: the best has not
// come close to its start nor into its far half, and it is not time to tune.
func (l *ladder) calm() bool {
	return l.reach-l.slots/32-1 < l.slots/2-l.slots/32 && l.ops < tuneEvery
}

// follow moves the window after the best where that is not calm. It is called
// between events, so a best that shows up for part of an event moves nothing.
func (l *ladder) follow() {
	if at := l.reach - 1; at-l.slots/32 < l.slots/2-l.slots/32 || !l.placeable() {
		return
	}
	if to := l.wanted(); to != l.lo {
		l.move(to)
	}
}

// move shifts the window so that it starts at key to: levels it leaves behind go
// to far, levels it comes over come in.
func (l *ladder) move(to int64) {
	shift, ahead := uint64(to-l.lo)/l.tick, true
	if to < l.lo {
		shift, ahead = uint64(l.lo-to)/l.tick, false
	}
	switch {
	case shift >= l.slots:
		l.evict(0, l.slots)
		l.off = 0
		l.start(to)
		l.admit(0, l.slots)
	case ahead:
		l.evict(0, shift)
		l.off = (l.off + shift) & l.mask
		l.start(to)
		l.admit(l.slots-shift, l.slots)
	default:
		l.evict(l.slots-shift, l.slots)
		l.off = (l.off - shift) & l.mask
		l.start(to)
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
	if l.slots != 0 {
		l.evict(0, l.slots)
	}
	l.shape(slots, tick)
	if l.placeable() {
		l.start(l.wanted())
		l.admit(0, l.slots)
	}
}

package book

import "riposte/core"

// The windows work for any prices, but they are fast only where most levels find
// a slot. So each side counts what misses, and every few thousand changes the
// book draws the consequence: many off the grid, and the tick is not what the
// instrument says (it changed, or is not known); many beyond the window, and
// the window is too small.

const (
	tuneEvery = 4096 // changes of one side between two looks
	nearest   = 128  // levels that decide on a tick
)

func (b *Book) tune(side core.Side) {
	l := &b.sides[side]
	switch {
	case l.slots == 0 || l.offGrid > l.ops/4:
		var prices [2 * nearest]core.Price
		b.retick(tickOf(b.nearestPrices(prices[:0])))
	case l.outside > l.ops/16 && len(l.qty) < b.slots:
		l.reshape(2*len(l.qty), b.tick)
	}
	l.ops, l.outside, l.offGrid = 0, 0, 0
}

func (b *Book) retick(tick core.Price) {
	if tick == b.tick {
		return
	}
	b.tick = tick
	for s := range b.sides {
		l := &b.sides[s]
		l.reshape(len(l.qty), tick)
		l.ops, l.outside, l.offGrid = 0, 0, 0
	}
}

func (b *Book) nearestPrices(dst []core.Price) []core.Price {
	for s := range b.sides {
		c := b.Cursor(core.Side(s))
		for range nearest {
			lv, ok := c.Next()
			if !ok {
				break
			}
			dst = append(dst, lv.Price)
		}
	}
	return dst
}

// tickFor is the tick to index an image by: the instrument's where the levels
// near the touch keep to it.
func tickFor(told core.Price, im *Image) core.Price {
	var buf [2 * nearest]core.Price
	prices := buf[:0]
	for _, lv := range [2][]core.Level{im.Bids, im.Asks} {
		for _, l := range lv[:min(nearest, len(lv))] {
			prices = append(prices, l.Price)
		}
	}
	if told > 0 && 4*onGrid(prices, told) >= 3*len(prices) {
		return told
	}
	return tickOf(prices)
}

// tickOf is the largest of 1, 2 and 5 times a power of ten (at 1e-8) that
// divides at least seven of eight of the prices, 0 if there are none. The few
// that may differ are levels left from before a change of tick.
func tickOf(prices []core.Price) core.Price {
	if len(prices) == 0 {
		return 0
	}
	for decade := core.Price(1e12); decade > 0; decade /= 10 {
		for _, m := range [3]core.Price{5, 2, 1} {
			if 8*onGrid(prices, m*decade) >= 7*len(prices) {
				return m * decade
			}
		}
	}
	return 1
}

func onGrid(prices []core.Price, tick core.Price) (n int) {
	for _, p := range prices {
		if p%tick == 0 {
			n++
		}
	}
	return n
}

// slotsFor is how large a window the levels of an image, best first, call for:
// three quarters of them should be in it.
func (b *Book) slotsFor(lv []core.Level) int {
	slots := slotsMin
	if len(lv) == 0 || b.tick == 0 {
		return slots
	}
	reach := lv[len(lv)*3/4].Price - lv[0].Price
	ticks := max(reach, -reach) / b.tick
	for slots < b.slots && core.Price(slots) < ticks+ticks/4 {
		slots *= 2
	}
	return slots
}

package binance

import (
	"time"

	"riposte/core"
	"riposte/exec"
)

// A ladder holds likely next orders of one template, signed ahead: the quantity of the
// last order, at the prices that wanted finds. A hit saves encoding and signing and
// costs a comparison per rung. Each rung has a client id reserved for it, so using one
// takes nothing else along, and none is used twice. Beside the rungs the next order at
// any other price is drafted: all but its price is laid out and hashed.
//
// Both are made in the pauses, one small piece per idle Step, and signed anew before
// they have aged half of recvWindow; an older one is never used. A rung whose price
// is no longer wanted stays until its place is needed: touches flip back.
type ladder struct {
	template
	tick   core.Price
	side   core.Side
	book   *forms
	prices []core.Price // of the rungs, 0 where there is none; apart, to be searched
	rungs  []rung
	spare  sheet // the next miss
	size   int   // how many rungs it may have

	qty   core.Qty // of the last order
	used  [usedKept]core.Price
	want  []core.Price // what is to be signed, the likeliest first
	at    int          // how far signing has come in want
	turn  uint32       // counts the lists of what is wanted
	stale bool         // want is to be made anew
	known bool         // in Codec.active: there was an order
	busy  bool         // in Codec.busy
	fresh core.WallNs  // nothing will have aged before
}

type rung struct {
	sheet
	stamp core.WallNs
	turn  uint32 // when it was last wanted
}

// touch is where the market of an instrument is, as last hinted: the best prices of
// each side, best first, 0 where there are fewer.
type touch [2][touchDepth]core.Price

const (
	touchDepth = exec.HintDepth
	usedKept   = 4
	// RungsMax is the most orders that may be signed ahead per ladder.
	RungsMax = 64
	// anyPrice is the price of the one rung that MARKET orders need.
	anyPrice core.Price = 1
)

// find is a rung that holds exactly this order, signed recently enough, and not after
// the order was decided: it would outlive its life by as much.
func (l *ladder) find(price core.Price, qty core.Qty, born, now core.WallNs, half time.Duration) (int, bool) {
	for i, p := range l.prices {
		if p == price {
			r := &l.rungs[i]
			return i, r.qty == qty && r.stamp <= born && now-r.stamp <= core.WallNs(half)
		}
	}
	return 0, false
}

// ordered notes an order, so that the rungs follow it.
func (l *ladder) ordered(price core.Price, qty core.Qty) {
	l.qty, l.stale = qty, true
	for i, p := range l.used {
		if p == price || i == len(l.used)-1 {
			copy(l.used[1:i+1], l.used[:i])
			l.used[0] = price
			return
		}
	}
}

// wanted lists what is worth signing, the likeliest first: the touch, the places
// inside the spread next to either side, where the touch goes when what is best is
// taken away (the levels behind it), what was used lately, and then outwards from both
// sides. Over the recordings, orders at every new best bid: 16 rungs hold 54 % (spot,
// a tick of 1.6e-7 of the price) and 81 % (futures, a tick of 3.5e-6) of the next
// orders, 32 rungs 60 % and 93 %, three ticks around the touch 19 % and 61 %.
func (l *ladder) wanted() {
	l.want = l.want[:0]
	if l.market {
		l.add(anyPrice)
		return
	}
	own, far := &l.book.touch[l.side], &l.book.touch[l.side.Opposite()]
	in := l.tick // one tick inwards, seen from our side
	if l.side == core.Sell {
		in = -in
	}
	best := own[0]
	if best == 0 {
		best = l.used[0]
	}
	l.add(best)
	l.add(best + in)
	if far[0] != 0 {
		l.add(far[0] - in)
	}
	for _, p := range own[1:4] {
		l.add(p)
	}
	l.add(l.used[0])
	l.add(l.used[1])
	l.add(best - in)
	for _, p := range own[4:] {
		l.add(p)
	}
	for k := core.Price(2); len(l.want) < cap(l.want) && k < RungsMax && l.tick > 0; k++ {
		l.add(best + k*in)
		if far[0] != 0 {
			l.add(far[0] - k*in)
		}
		l.add(best - k*in)
	}
}

func (l *ladder) add(p core.Price) {
	if p <= 0 || len(l.want) == cap(l.want) {
		return
	}
	for _, q := range l.want {
		if p == q {
			return
		}
	}
	l.want = append(l.want, p)
}

// step does one piece of what there is to do; false when all is as it should be.
func (c *Codec) step(l *ladder, now core.WallNs) bool {
	if l.spare.t == nil {
		l.grow()
	}
	if !l.spare.fits(l.qty, now) {
		c.reserve(&l.spare)
		c.frame.draft(&l.spare, c.ids, l.qty, now)
		return true
	}
	if l.stale {
		l.stale, l.at = false, 0
		l.turn++
		l.fresh = now + core.WallNs(c.half)
		l.wanted()
		for _, p := range l.want {
			if i := l.holding(p); i >= 0 {
				l.rungs[i].turn = l.turn
			}
		}
		return true
	}
	for ; l.at < len(l.want); l.at++ {
		price := l.want[l.at]
		i := l.holding(price)
		if i < 0 {
			i = l.oldest()
		} else if r := &l.rungs[i]; r.qty == l.qty {
			if due := r.stamp + core.WallNs(c.half*3/4); now < due && now > r.stamp-core.WallNs(500*time.Millisecond) {
				l.fresh = min(l.fresh, due)
				continue
			}
		}
		c.signRung(l, i, price, now)
		l.at++
		return true
	}
	return false
}

// grow takes memory, when the first order of a kind shows that there will be others.
func (l *ladder) grow() {
	l.spare.take(&l.template)
	l.prices = make([]core.Price, l.size)
	l.rungs = make([]rung, l.size)
	// Some rungs are left for what was wanted before.
	l.want = make([]core.Price, 0, l.size-l.size/8)
	for i := range l.rungs {
		l.rungs[i].take(&l.template)
	}
}

func (l *ladder) holding(price core.Price) int {
	for i, p := range l.prices {
		if p == price {
			return i
		}
	}
	return -1
}

// oldest is the rung that was not wanted for the longest time, an empty one first.
func (l *ladder) oldest() int {
	best := 0
	for i := range l.rungs {
		if l.prices[i] == 0 {
			return i
		}
		if l.turn-l.rungs[i].turn > l.turn-l.rungs[best].turn {
			best = i
		}
	}
	return best
}

func (c *Codec) signRung(l *ladder, i int, price core.Price, now core.WallNs) {
	r := &l.rungs[i]
	if !r.fits(l.qty, now) {
		c.reserve(&r.sheet)
		c.frame.draft(&r.sheet, c.ids, l.qty, now)
	}
	c.frame.finish(&r.sheet, price, now)
	l.fresh = min(l.fresh, now+core.WallNs(c.half*3/4))
	l.prices[i], r.stamp, r.turn = price, now, l.turn
	c.Stats.Signed++
}

// reserve gives a sheet an id of its own, if it has none.
func (c *Codec) reserve(s *sheet) {
	if s.seq == 0 {
		s.seq = c.ids.Next()
	}
}

func (l *ladder) wipe() {
	l.template.wipe()
	l.spare.wipe()
	for i := range l.rungs {
		l.rungs[i].wipe()
		l.prices[i] = 0
	}
}

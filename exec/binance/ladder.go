package binance

import (
	"time"

	"riposte/core"
)

// A ladder holds a few likely next orders of one instrument and side, signed ahead:
// the type and quantity of the last order, at prices around the touch (or around
// the last price, while nobody hints where the touch is). A hit saves encoding and
// signing and costs a comparison per rung. Each rung has a client id reserved for
// it, so using one takes nothing else along. Rungs are signed one per idle Step
// and signed anew before they have aged half of recvWindow; an older one is never
// used.
type ladder struct {
	rungs  []rung
	t      *template // of the last order, nil before the first
	qty    core.Qty
	center core.Price
	tick   core.Price
	hinted bool // center follows the touch
	dirty  bool // some rung may not be what it should
	fresh  core.WallNs
}

type rung struct {
	buf   []byte // the whole request, while ready
	t     *template
	price core.Price
	qty   core.Qty
	seq   uint64
	stamp core.WallNs
	ready bool
}

// ladderOffsets are the rungs' distances from the center in ticks, nearest first.
var ladderOffsets = [...]core.Price{0, 1, -1, 2, -2, 3, -3}

// find is a rung that holds exactly this order, signed recently enough.
func (l *ladder) find(t *template, price core.Price, qty core.Qty, now core.WallNs, half time.Duration) *rung {
	for i := range l.rungs {
		r := &l.rungs[i]
		if r.ready && r.price == price && r.qty == qty && r.t == t && usable(now-r.stamp, half) {
			return r
		}
	}
	return nil
}

// usable: not older than half the window, and not so far ahead of a clock that was
// set back that the venue would refuse it.
func usable(age core.WallNs, half time.Duration) bool {
	return age <= core.WallNs(half) && age > -core.WallNs(900*time.Millisecond)
}

// used notes an order, so that the rungs follow it.
func (l *ladder) used(t *template, price core.Price, qty core.Qty) {
	l.t, l.qty, l.dirty = t, qty, true
	if !l.hinted {
		l.center = price
	}
}

// hint moves the center to the touch.
func (l *ladder) hint(touch core.Price) {
	if touch <= 0 || (l.hinted && touch == l.center) {
		return
	}
	l.center, l.hinted, l.dirty = touch, true, true
}

// refresh signs at most one rung; false when all are as they should be.
func (c *Codec) refresh(l *ladder, now core.WallNs) bool {
	if l.t == nil {
		return false
	}
	n := len(l.rungs)
	if l.t.market {
		n = min(n, 1) // a MARKET order has no price to guess
	}
	if !l.dirty && now < l.fresh {
		return false
	}
	// A rung counts as wanted if its price is one of the n wanted; the first wanted
	// price without a rung takes a rung that is not wanted.
	l.fresh = now + core.WallNs(c.half)
	for i := range n {
		price := l.wanted(i)
		if price < 0 {
			continue
		}
		if r := l.holding(price); r != nil {
			if due := r.stamp + core.WallNs(c.half*3/4); now < due && now > r.stamp-core.WallNs(500*time.Millisecond) {
				l.fresh = min(l.fresh, due)
				continue
			}
			c.signRung(l, r, price, now)
			return true
		}
		if r := l.spare(n); r != nil {
			c.signRung(l, r, price, now)
			return true
		}
	}
	l.dirty = false
	return false
}

func (l *ladder) wanted(i int) core.Price {
	if l.t.market {
		return 0
	}
	p := l.center + ladderOffsets[i]*l.tick
	if p <= 0 {
		return -1
	}
	return p
}

func (l *ladder) holding(price core.Price) *rung {
	for i := range l.rungs {
		if r := &l.rungs[i]; r.ready && r.t == l.t && r.qty == l.qty && r.price == price {
			return r
		}
	}
	return nil
}

// spare is a rung that holds nothing wanted.
func (l *ladder) spare(n int) *rung {
	for i := range l.rungs {
		r := &l.rungs[i]
		if !r.ready || r.t != l.t || r.qty != l.qty {
			return r
		}
		off := (r.price - l.center) / max(l.tick, 1)
		if wanted := off*max(l.tick, 1) == r.price-l.center && off >= -core.Price(n/2) && off <= core.Price(n/2); !wanted {
			return r
		}
	}
	return nil
}

func (c *Codec) signRung(l *ladder, r *rung, price core.Price, now core.WallNs) {
	if r.seq == 0 {
		r.seq = c.ids.Next()
	}
	if r.t != l.t {
		r.buf = append(r.buf[:0], l.t.buf[:l.t.fixed]...)
	}
	r.t, r.price, r.qty, r.stamp = l.t, price, l.qty, now
	r.buf = c.frame.fillOrder(l.t, r.buf, r.seq, now, price, l.qty)
	r.ready = true
	c.Stats.Signed++
}

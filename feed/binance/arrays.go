package binance

import (
	"slices"

	"riposte/core"
)

// The general road's levels: read where their arrays are met, into the lent memory,
// in whatever order an object tells its sides.

const (
	bidSlots = 1<<(26+'b'-'a') | 1<<slotBids
	askSlots = 1<<(26+'a'-'a') | 1<<slotAsks
)

// tryLevels reads the array at b[i] as levels if its key is one that holds some;
// -1 if it is not such an array, which may still be legal JSON.
func (d *Decoder) tryLevels(b []byte, i int, o *object, slot, depth int) int {
	bit := uint64(1) << slot
	if bit&(bidSlots|askSlots) == 0 || o.dup {
		return -1
	}
	if d.levelOwner != o {
		o.scattered = o.tried != 0
		d.levelOwner, d.filled = o, 0
	}
	before := d.filled
	end, n, sound := d.levels(b, i, depth+1)
	if end < 0 {
		d.filled = before
		return -1
	}
	if o.tried == 0 && bit&askSlots != 0 {
		o.first = core.Sell
	} else if o.tried == 0 {
		o.first = core.Buy
	}
	o.tried |= bit
	if sound {
		o.isLevels |= bit
	}
	if d.filled-before < n {
		o.overflown = true
	}
	if bit&askSlots != 0 {
		o.asks = n
	} else {
		o.bids = n
	}
	return end
}

// levels reads [["price","qty"],...] into the lent memory behind what it holds,
// and counts on when that is full. A level may have more elements, as it did
// until 2018. sound is false if a number is unreadable; end is -1 if the array
// has another shape.
func (d *Decoder) levels(b []byte, i, depth int) (end, n int, sound bool) {
	sound = true
	if n, end = d.plainLevels(b, i+1); end > 0 {
		d.filled += n
		return end, n, true
	}
	if i = skipWS(b, i+1); i < len(b) && b[i] == ']' {
		return i + 1, 0, true
	}
	for {
		if i >= len(b) || b[i] != '[' {
			return -1, 0, false
		}
		var price, qty int64
		var ok1, ok2 bool
		if price, i, ok1 = d.decimalAt(b, skipWS(b, i+1)); i < 0 {
			return -1, 0, false
		}
		if i = skipWS(b, i); i >= len(b) || b[i] != ',' {
			return -1, 0, false
		}
		if qty, i, ok2 = d.decimalAt(b, skipWS(b, i+1)); i < 0 {
			return -1, 0, false
		}
		sound = sound && ok1 && ok2
		i = skipWS(b, i)
		for i < len(b) && b[i] == ',' {
			if i = skipValue(b, skipWS(b, i+1), depth+1); i < 0 {
				return -1, 0, false
			}
			i = skipWS(b, i)
		}
		if i >= len(b) || b[i] != ']' {
			return -1, 0, false
		}
		if d.filled < len(d.lv) {
			d.lv[d.filled] = core.Level{Price: core.Price(price), Qty: core.Qty(qty)}
			d.filled++
		}
		n++
		if i = skipWS(b, i+1); i >= len(b) {
			return -1, 0, false
		}
		if b[i] == ']' {
			return i + 1, n, sound
		}
		if b[i] != ',' {
			return -1, 0, false
		}
		i = skipWS(b, i+1)
	}
}

// plainLevels reads levels without white space or more than their two numbers by the
// fast road's readers; next is -1 for others.
func (d *Decoder) plainLevels(b []byte, i int) (n, next int) {
	lv := d.lv[d.filled:]
	if d.vectors && len(b)-i >= levelsWorth {
		var f form
		if _, at, _ := measured(b, i, &f); at < 0 {
			return 0, -1
		}
		if f.frac <= 8 && f.qfrac <= 8 {
			if _, n, next = vectorSides(b, i, nil, lv, uint8(f.frac), uint8(f.qfrac)); next > 0 {
				return n, next
			}
		}
	}
	return fastLevels(b, i, lv)
}

// levelsWorth is how many bytes must follow for the vectors to be worth starting.
const levelsWorth = 200

// sides puts bids before asks, as an event has them, in the lent memory, where
// they lie in the order in which the frame told them. It returns false if the
// object does not hold both as sound levels.
func (d *Decoder) sides(b []byte, o *object, bids, asks int) bool {
	need := uint64(1)<<bids | 1<<asks
	if o.isLevels&need != need {
		return false
	}
	if d.levelOwner != o || o.scattered || o.tried != need {
		// Another array of levels, of this object or another, came between or
		// after: read the two again.
		d.levelOwner, d.filled = o, 0
		_, o.bids, _ = d.levels(b, int(o.at[bids].lo), 1)
		_, o.asks, _ = d.levels(b, int(o.at[asks].lo), 1)
		o.overflown = d.filled < o.bids+o.asks
		return true
	}
	if o.first == core.Sell && !o.overflown {
		all := d.lv[:o.bids+o.asks]
		slices.Reverse(all[:o.asks])
		slices.Reverse(all[o.asks:])
		slices.Reverse(all)
	}
	return true
}

package exchange

import "slices"

// Stops wait beside the book until a trade of their symbol triggers them: at or
// above stopPrice for STOP_LOSS BUY and TAKE_PROFIT SELL, at or below it for the
// other two (section 7.1 of the venue page). A trailing stop follows the trades
// once it tracks (section 7.10).
//
// A trade only marks the stops it reaches, in the order in which they were
// accepted; they run one after the other when the order or market event that
// made the trade is done (chain.go). That order among stops of one trade is a
// choice of this venue: none is documented.

// stop reports whether orders of the type wait for a trigger.
func (v OrderType) stop() bool { return v >= StopLossOrder }

// priced reports whether orders of the type have a limit price.
func (v OrderType) priced() bool {
	return v == LimitOrder || v == LimitMakerOrder || v == StopLossLimitOrder || v == TakeProfitLimitOrder
}

// timed reports whether orders of the type carry a time in force.
func (v OrderType) timed() bool { return v.priced() && v != LimitMakerOrder }

// upper reports whether the order waits for a price above: STOP_LOSS BUY and
// TAKE_PROFIT SELL. TRAILING_DELTA calls these two "above".
func upper(typ OrderType, side Side) bool {
	if typ == StopLossOrder || typ == StopLossLimitOrder {
		return side == Buy
	}
	return side == Sell
}

// reached reports whether price is at the order's stopPrice or beyond it.
func (o *order) reached(price Fixed) bool {
	if upper(o.typ, o.side) {
		return price >= o.stop
	}
	return price <= o.stop
}

// wouldTrigger reports whether a stop stands on the wrong side of the last price.
func (o *order) wouldTrigger() bool {
	last := o.in.tape.last
	return o.typ.stop() && o.stop > 0 && last > 0 && o.reached(last)
}

// wait puts an accepted stop beside the book. A trailing stop without stopPrice
// has the last price as the base of its tracking, which the next trade starts.
func (o *order) wait() {
	o.waiting, o.trailAt = true, -1
	if o.trail > 0 && o.stop == 0 {
		o.extreme = o.in.tape.last
	}
	o.in.stops = append(o.in.stops, o)
}

// unwait takes a stop away from beside the book.
func (o *order) unwait() {
	o.waiting = false
	if i := slices.Index(o.in.stops, o); i >= 0 {
		o.in.stops = slices.Delete(o.in.stops, i, i+1)
	}
}

// trip marks every stop that a trade at price triggers.
func (in *instrument) trip(price Fixed) {
	if len(in.stops) == 0 {
		return
	}
	in.stops = slices.DeleteFunc(in.stops, func(o *order) bool {
		if !o.trips(price) {
			return false
		}
		in.x.follow = append(in.x.follow, followUp{order: o})
		return true
	})
}

// trips reports whether a trade at price triggers the stop, and lets it track.
func (o *order) trips(price Fixed) bool {
	if o.trail == 0 {
		return o.reached(price)
	}
	if o.trailAt < 0 {
		if o.stop > 0 && !o.reached(price) {
			return false
		}
		o.trailAt = o.in.x.now
		if o.stop > 0 || o.extreme == 0 {
			o.extreme = price
		}
	}
	const whole = 10_000 // basis points
	if o.side == Buy {
		o.extreme = min(o.extreme, price)
		return !less128(price, whole, o.extreme, whole+o.trail)
	}
	o.extreme = max(o.extreme, price)
	return !less128(o.extreme, whole-o.trail, price, whole)
}

// trigger turns a stop into the MARKET or LIMIT order it stands for. What it can
// no longer be, because the book has no price for its peg, a filter refuses that
// price or the account cannot pay, ends as EXPIRED with the reason REJECTED.
func (x *Exchange) trigger(o *order) {
	if o.status.Ended() {
		return
	}
	o.waiting = false
	x.touch(o.acct, o.in)
	x.beaten(o.list.wins(o))
	if x.fixPeg(o) != nil || !x.refund(o) {
		x.expire(o, ExpiryRejected)
		return
	}
	o.working, o.workedAt, o.updated = true, x.now, x.now
	x.reportNew(o)
	x.work(o, nil)
}

// refund exchanges what a waiting stop has locked for what the triggered order
// needs; false if the account does not have that.
func (x *Exchange) refund(o *order) bool {
	if o.market() {
		x.relock(o, 0)
		return o.acct.free(o.lockAsset()) >= o.takes()
	}
	need := o.lockFor(o.rem())
	if o.acct.free(o.lockAsset())+o.locked < need {
		return false
	}
	x.relock(o, o.rem())
	return true
}

// takes is what a market order is about to spend.
func (o *order) takes() Fixed {
	if o.side == Buy {
		return o.in.cost(o)
	}
	return o.rem()
}

package exchange

import "math"

// Ids start somewhere in the middle of a venue's life.
const (
	firstUpdateID = 20_000_000_000
	firstTradeID  = 3_000_000_000
	firstOrderID  = 10_000_000_000
)

// open sets up the symbol before trading: ids, fair price, history, book.
func (t *trader) open(historyMinutes int) {
	in := t.in
	start := float64(in.sym.StartPrice)
	if start == 0 {
		start = 20_000 * float64(in.tick) // half a basis point per tick
	}
	t.fair, t.anchor = start, start
	q, ok := usd[in.sym.Quote]
	if !ok {
		q = 1
	}
	t.valueOf = 1e16 / (start * q)
	in.updateID = firstUpdateID + t.r.Int64N(firstUpdateID)
	in.nextTrade = firstTradeID + t.r.Int64N(firstTradeID)
	in.nextAgg = in.nextTrade * 3 / 4
	in.nextOrder = firstOrderID + t.r.Int64N(firstOrderID)
	in.nextExec = in.nextOrder*2 + t.r.Int64N(firstOrderID)
	if historyMinutes == 0 {
		historyMinutes = 1500
	}
	t.past(historyMinutes)
	t.build(Buy)
	t.build(Sell)
}

// build lays out one side of the initial book from the touch outwards.
func (t *trader) build(side Side) {
	in := t.in
	spread := in.tick * t.p.SpreadTicks
	bid := t.grid(t.fair)
	price := bid
	if side == Sell {
		price = bid + spread
	}
	touch := float64(price)
	for i := 0; ; i++ {
		if i == 0 {
			for j := 0; j < int(t.p.TouchQueue); j++ {
				t.rest(side, price, t.touchQty())
			}
		} else {
			t.rest(side, price, t.levelQty())
		}
		d := math.Abs(float64(price)-touch) / touch * 1e4
		step := max(in.tick, t.grid(t.r.ExpFloat64()*t.spacing(d)*touch/1e4))
		if side == Buy {
			price -= step
		} else {
			price += step
		}
		if price < in.tick || d > t.p.Reach {
			return
		}
	}
}

// rest puts a new house order on the book at once; it must not cross.
func (t *trader) rest(side Side, price, qty Fixed) {
	x := t.m.x
	o := x.houseOrder(t.in, side, price, qty, GTC)
	x.lock(o)
	x.rest(o)
}

// past makes one-minute bars up to Start, a random walk ending at the start
// price with about the traffic the agents will make, and ids without a gap.
func (t *trader) past(minutes int) {
	if minutes <= 0 {
		return
	}
	in := t.in
	tape := &in.tape
	minutes = min(minutes, minutesKept)
	first := in.x.now - in.x.now%minute - Micros(minutes)*minute
	bars := make([]bar, minutes)
	sd := t.p.JumpBps / 1e4 * math.Sqrt(2*60*t.p.JumpRate)
	c := t.fair
	for i := minutes - 1; i >= 0; i-- { // backwards, so that it ends where trading starts
		b := &bars[i]
		o := c * math.Exp(sd*t.r.NormFloat64())
		o += (t.anchor - o) * 60 * t.p.JumpRate * t.p.Revert
		hi, lo := max(o, c)*(1+sd/2*t.r.Float64()), min(o, c)*(1-sd/2*t.r.Float64())
		b.open = first + Micros(i)*minute
		b.o, b.c, b.h, b.l = t.grid(o), t.grid(c), t.grid(hi), t.grid(lo)
		b.count = int64(1 + t.poisson(t.p.TakerRate*60*2.7))
		value := float64(b.count) * (t.p.TakeValue*2 + t.p.LargeShare*t.p.LargeValue*3) * (0.5 + t.r.Float64())
		b.vol = t.lots(value)
		b.quote = mul(b.vol, (b.o+b.c)/2)
		share := 0.3 + 0.4*t.r.Float64()
		b.takerBase = t.lotFloor(Fixed(float64(b.vol) * share))
		b.takerQuote = min(mul(b.takerBase, (b.o+b.c)/2), b.quote)
		c = o
	}
	for i := range bars {
		b := &bars[i]
		b.firstID = in.nextTrade
		in.nextTrade += b.count
		b.lastID = in.nextTrade - 1
	}
	tape.minutes = bars
	tape.last, tape.lastTime = bars[minutes-1].c, first+Micros(minutes)*minute-1
	tape.lastQty = in.lot
}

// grid is the price on the tick grid at or below v, at least one tick.
func (t *trader) grid(v float64) Fixed {
	p := Fixed(v)
	return max(p-p%t.in.tick, t.in.tick)
}

func (t *trader) lotFloor(q Fixed) Fixed { return max(q-q%t.in.lot, t.in.lot) }

// lots is the quantity worth a value in US dollars.
func (t *trader) lots(value float64) Fixed {
	return t.lotFloor(Fixed(min(value*t.valueOf, 1e16)))
}

func (t *trader) logNormal(median, sd float64) float64 {
	return median * math.Exp(sd*t.r.NormFloat64())
}

// levelQty is the size of an order away from the touch; at least what the
// venue's notional filters let through.
func (t *trader) levelQty() Fixed { return t.lots(max(t.logNormal(t.p.LevelValue, t.p.LevelSD), 6)) }

// touchQty is the size of an order in a touch queue: many small, some large.
func (t *trader) touchQty() Fixed {
	if t.r.Float64() < 0.2 {
		return t.lots(max(t.logNormal(t.p.LargeValue, t.p.LargeSD), 6))
	}
	return t.takeQty()
}

func (t *trader) takeQty() Fixed { return t.lots(max(t.logNormal(t.p.TakeValue, t.p.TakeSD), 5.2)) }

// spacing is the mean distance of levels at a distance d from the touch, both
// in basis points, never under a tick.
func (t *trader) spacing(d float64) float64 {
	s := t.p.Spacing
	if d > t.p.Flat {
		s *= math.Pow(d/t.p.Flat, 1.5)
	}
	return max(s, float64(t.in.tick)/t.fair*1e4)
}

package risk

import (
	"math"
	"math/bits"

	"riposte/core"
	"riposte/core/book"
)

// The plain road: one look at an order as most are, LIMIT or LIMIT_MAKER without
// trigger or hidden part, that says yes only where every control does. What it is not
// sure of goes through the controls one by one, which know the answer and its name. It
// is short because what does not change from order to order is worked out ahead, in
// bounds.

// bounds are rules and limits of one instrument together, as a plain order meets them.
// They are made anew whenever either changes.
type bounds struct {
	takes    [2]uint8 // by type: the times in force that are taken, as bits
	modes    uint8    // the self-trade modes that are taken, as bits
	position bool     // MAX_POSITION binds buys: not for the plain road
	open     int      // fewer orders than this may be open
	least    core.Qty // PRICE_FILTER, LOT_SIZE and QtyMax
	most     core.Qty
	low      core.Price
	high     core.Price
	tick     divisor
	lot      divisor
	poor     core.Notional // NOTIONAL and NotionalMax
	rich     core.Notional
	collar   uint64 // as a fraction of 2^64, never more than it is
	stale    core.MonoNs
	drift    int64 // in 1e-8; 0: off
	repeats  int64
	limit    core.Qty // PositionMax
	percent  bool     // the venue's multiples bind
	inside   bool     // and what is within the collar of a price is within its multiples
}

// bind makes the bounds of an instrument. Whatever the plain road cannot hold an order
// to makes it take none.
func (g *Gate) bind(id core.InstrumentID) {
	inst, l := &g.rules[id], &g.limits[id]
	f, b := &inst.Filters, &g.bounds[id]
	*b = bounds{}
	if l.QtyMax <= 0 || inst.Status != core.StatusTrading || f.Tick <= 0 {
		return
	}
	if inst.OrderTypes.Has(core.Limit) {
		b.takes[core.Limit] = 1<<core.GTC | 1<<core.IOC | 1<<core.FOK
	}
	if inst.OrderTypes.Has(core.LimitMaker) {
		b.takes[core.LimitMaker] = 1 << core.GTC
	}
	for m := core.STPDefault; m <= core.STPTransfer; m++ {
		if inst.Features.Has(core.FeatureSTP(m)) {
			b.modes |= 1 << m
		}
	}
	b.position = f.PositionMax > 0
	b.open = lower(l.OpenMax, f.OrdersMax)
	b.least, b.most = max(f.QtyMin, 1), lower(l.QtyMax, f.QtyMax)
	b.low, b.high = max(f.PriceMin, 1), lower(math.MaxInt64, f.PriceMax)
	b.tick, b.lot = divisorOf(uint64(f.Tick)), divisorOf(uint64(max(f.Lot, 1)))
	b.poor, b.rich = core.NotionalOfAmount(max(f.NotionalMin, 0)), core.NotionalOfAmount(lower(l.NotionalMax, f.NotionalMax))
	b.collar = math.MaxUint64
	if l.CollarBps < bps {
		b.collar, _ = bits.Div64(uint64(l.CollarBps), 0, bps)
	}
	b.stale, b.limit, b.repeats = core.MonoNs(l.StaleAfter), l.PositionMax, int64(l.RepeatMax)
	b.drift = l.DriftBps * (core.Scale / bps)
	b.percent, b.inside = f.BidMulUp|f.BidMulDown|f.AskMulUp|f.AskMulDown != 0, l.inside(f)
}

// inside reports whether what is within the collar of a price is within the venue's
// multiples of it.
func (l *Limits) inside(f *core.Filters) bool {
	up, down := (bps+l.CollarBps)*(core.Scale/bps), (bps-l.CollarBps)*(core.Scale/bps)
	return (f.BidMulUp <= 0 || f.BidMulUp >= up) && (f.AskMulUp <= 0 || f.AskMulUp >= up) && f.BidMulDown <= down && f.AskMulDown <= down
}

// lower is the lower of our limit and the venue's, which does not bind at 0.
func lower[T ~int | ~int64](ours, venues T) T {
	if venues > 0 {
		return min(ours, venues)
	}
	return ours
}

// bindAccount is bind for what the account's limits bind.
func (g *Gate) bindAccount() {
	g.openMost = lower(g.account.OpenMax, g.venue.OrdersMax)
	g.trust()
}

// trust works out until when what the gate was told is fresh enough.
func (g *Gate) trust() {
	a := &g.account
	g.trusted = math.MaxInt64
	if a.ClockErrorMax > 0 && g.clockError > a.ClockErrorMax {
		g.trusted = math.MinInt64
	}
	for _, t := range [...]struct{ at, age core.MonoNs }{{g.auditAt, core.MonoNs(a.AuditAgeMax)}, {g.rulesAt, core.MonoNs(a.RulesAgeMax)}} {
		if t.age > 0 && t.at <= math.MaxInt64-t.age {
			g.trusted = min(g.trusted, t.at+t.age)
		}
	}
}

// plain reports whether an order is a plain one that passes all controls; t is then
// what its approval counts. False says nothing.
func (g *Gate) plain(in *core.Intent, sync *book.Sync, now core.MonoNs, t *tally) bool {
	if int(in.Instrument) >= len(g.bounds) || int(in.Strategy) >= len(g.strategies) ||
		in.Type > core.LimitMaker || in.Side > core.Sell || in.Stop|core.Price(in.Iceberg)|core.Price(in.Trail) != 0 {
		return false
	}
	b, w, e, a, s := &g.bounds[in.Instrument], &g.watch[in.Instrument], &g.exposure[in.Instrument], &g.account, &g.strategies[in.Strategy]
	if b.takes[in.Type]>>in.TIF&1&(b.modes>>in.STP) == 0 || g.halt|w.halt|s.halt != 0 || now > g.trusted ||
		e.Open >= b.open || g.orders.live >= g.openMost || g.unknown != 0 || b.position && in.Side == core.Buy {
		return false
	}
	owed := sync.Owed()
	if sync.State() != book.Live || now-sync.LastProof() > b.stale || owed != 0 && now-owed > b.stale {
		return false
	}
	p, q := in.Price, in.Qty
	if q < b.least || q > b.most || p < b.low || p > b.high || !b.tick.divides(uint64(p)) || !b.lot.divides(uint64(q)) {
		return false
	}
	bid, ask := sync.Best()
	if bid <= 0 || ask <= 0 {
		return false
	}
	mid := bid + (ask-bid)/2
	if !near(p, mid, b.collar) || w.last != 0 && !near(p, w.last, b.collar) {
		return false
	}
	if b.percent && (!b.inside || w.average != 0 && !near(p, w.average, b.collar)) &&
		percentRule(in, &g.rules[in.Instrument].Filters, mid, w.last, w.average) != None {
		return false
	}
	value := core.NotionalOf(p, q)
	dear := value
	if in.Side == core.Sell && p < bid {
		dear = core.NotionalOf(bid, q)
	}
	if value.Cmp(b.poor) < 0 || dear.Cmp(b.rich) > 0 || !e.room(in.Side, q, b.limit) {
		return false
	}
	t.mid = mid
	if beyond := (p - mid) * core.Price(in.Side.Sign()); beyond > 0 && b.drift > 0 {
		t.use = core.NotionalOf(beyond, core.Scale).Div(uint64(mid)) + 1
		if !w.drift.room(now, g.span, t.use, b.drift) {
			return false
		}
	}
	if a.SelfMatch && g.selfMatch(in, p, w) {
		return false
	}
	var ok bool
	if t.gross, ok = g.threshold(in.Instrument, in.Side, q, max(mid, p)); !ok {
		return false
	}
	if s.budget != nil {
		var r Refusal
		if t.own, r = g.afford(in, max(mid, p)); r != None {
			return false
		}
	}
	if b.repeats > 0 || a.DuplicateSpan > 0 {
		t.hash = key(in)
		count, last := g.repeats.seen(t.hash, now, g.span)
		if now-last < core.MonoNs(a.DuplicateSpan) || b.repeats > 0 && count >= b.repeats {
			return false
		}
	}
	if a.RatioMax > 0 && g.capital.orders >= uint64(a.RatioMax)*max(g.capital.trades, 1) {
		return false
	}
	return !s.sent.full(now, s.span) && !g.sent.full(now, core.MonoNs(a.RateSpan)) && !g.messages.full(now, core.MonoNs(a.RateSpan))
}

// near reports whether two prices are within a fraction of the second, in 1 / 2^64.
func near(p, ref core.Price, fraction uint64) bool {
	reach, _ := bits.Mul64(uint64(ref), fraction)
	d := p - ref
	if d < 0 {
		d = -d
	}
	return ref > 0 && uint64(d) <= reach
}

// divisor tells the multiples of a number without a division: those times the inverse
// of its odd part are small once what is left of it is turned to the top.
type divisor struct {
	inverse, most uint64
	shift         uint8
}

// divisorOf is for d from 1.
func divisorOf(d uint64) divisor {
	shift := bits.TrailingZeros64(d)
	odd := d >> shift
	x := odd // right in 3 bits, and in twice as many after each step
	for range 5 {
		x *= 2 - odd*x
	}
	return divisor{inverse: x, most: math.MaxUint64 / d, shift: uint8(shift)}
}

func (d *divisor) divides(n uint64) bool {
	return bits.RotateLeft64(n*d.inverse, -int(d.shift)) <= d.most
}

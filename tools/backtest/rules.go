package backtest

import (
	"riposte/core"
)

// rules holds an order against all that the venue asks before it takes one; 0 is taken.
// Binance Spot API docs, filters and errors, 2026-07-21.
func (x *Exchange) rules(m *market, o *order, age, life core.MonoNs) int32 {
	if life > 0 && age > life {
		return codeLate
	}
	if !x.countsLeft() {
		return codeTooMany
	}
	if code := x.filters(m, o); code != 0 {
		return code
	}
	if o.waits {
		if o.trail == 0 && m.last != 0 && o.tripped(m.last) {
			return codeRejected // would trigger immediately
		}
		return 0
	}
	best, ok := m.bestOf(o.side.Opposite())
	if o.typ == core.LimitMaker && (ok && o.reaches(best.Price) || m.meetsOwn(o)) {
		return codeRejected // would immediately match and take
	}
	return 0
}

// meetsOwn reports whether an own order of the other side is in its way.
func (m *market) meetsOwn(o *order) bool {
	own := m.own[o.side.Opposite()]
	return len(own) > 0 && o.reaches(own[0].price)
}

// filters are the symbol's own rules, by the rules that the table has.
func (x *Exchange) filters(m *market, o *order) int32 {
	f := &m.in.Filters
	if m.in.Status != core.StatusTrading {
		return codeRejected // the market is closed
	}
	low, high := o.price, o.price
	if o.priceless() {
		low, high = m.last, m.last
		if low == 0 {
			low = m.mid()
			high = low
		}
		if !inLots(o.qty, f.MarketLot, f.MarketQtyMin, f.MarketQtyMax) {
			return codeFilter
		}
	} else if !onGrid(o.price, f) || !m.withinPercent(o) {
		return codeFilter
	}
	if o.stop > 0 && !onGrid(o.stop, f) {
		return codeFilter
	}
	if !inLots(o.qty, f.Lot, f.QtyMin, f.QtyMax) || !m.worthIt(o, low, high) || m.tooMany(o) {
		return codeFilter
	}
	if o.iceberg > 0 {
		parts := (o.qty + o.iceberg - 1) / o.iceberg
		if !inLots(o.iceberg, f.Lot, f.QtyMin, f.QtyMax) || f.PartsMax > 0 && parts > core.Qty(f.PartsMax) {
			return codeFilter
		}
	}
	if o.trail > 0 {
		lo, hi := f.TrailBelowMin, f.TrailBelowMax
		if o.rises() {
			lo, hi = f.TrailAboveMin, f.TrailAboveMax
		}
		if int(o.trail) < lo || hi > 0 && int(o.trail) > hi {
			return codeFilter
		}
	}
	return 0
}

func onGrid(p core.Price, f *core.Filters) bool {
	return p > 0 && p >= f.PriceMin && (f.PriceMax == 0 || p <= f.PriceMax) && (f.Tick == 0 || p%f.Tick == 0)
}

func inLots(q, lot, lo, hi core.Qty) bool {
	return q > 0 && q >= lo && (hi == 0 || q <= hi) && (lot == 0 || q%lot == 0)
}

// withinPercent is PERCENT_PRICE_BY_SIDE by the last price, for the venue's average is not
// in a recording.
func (m *market) withinPercent(o *order) bool {
	f, ref := &m.in.Filters, m.last
	if ref == 0 {
		ref = m.mid()
	}
	up, down := f.BidMulUp, f.BidMulDown
	if o.side == core.Sell {
		up, down = f.AskMulUp, f.AskMulDown
	}
	if ref == 0 || up|down == 0 {
		return true
	}
	p := core.NotionalOf(o.price, core.Scale)
	return (up == 0 || p.Cmp(core.NotionalOf(ref, core.Qty(up))) <= 0) && (down == 0 || p.Cmp(core.NotionalOf(ref, core.Qty(down))) >= 0)
}

func (m *market) worthIt(o *order, low, high core.Price) bool {
	f, free := &m.in.Filters, o.priceless()
	if f.NotionalMin > 0 && (!free || f.NotionalMinMarket) && core.NotionalOf(low, o.qty).Cmp(core.NotionalOfAmount(f.NotionalMin)) < 0 {
		return false
	}
	return f.NotionalMax == 0 || free && !f.NotionalMaxMarket || core.NotionalOf(high, o.qty).Cmp(core.NotionalOfAmount(f.NotionalMax)) <= 0
}

// tooMany is MAX_NUM_ORDERS and MAX_NUM_ALGO_ORDERS.
func (m *market) tooMany(o *order) bool {
	f := &m.in.Filters
	open := len(m.own[0]) + len(m.own[1]) + len(m.stops)
	return f.OrdersMax > 0 && open >= f.OrdersMax || f.AlgosMax > 0 && o.waits && len(m.stops) >= f.AlgosMax
}

// window counts unfilled orders within one of the venue's intervals, which begin at
// multiples of their length.
type window struct {
	limit OrderLimit
	from  core.WallNs
	n     int
}

func (x *Exchange) countsLeft() bool {
	now := x.start + core.WallNs(x.now)
	for i := range x.windows {
		w := &x.windows[i]
		if from := now - now%w.limit.Span; from != w.from {
			w.from, w.n = from, 0
		}
		if w.n >= w.limit.Most {
			return false
		}
	}
	return true
}

// count counts an order as unfilled, uncount gives back for its first fill: one for a
// taker; five are told for a maker, of which one is assumed too.
func (x *Exchange) count(o *order) {
	o.countedFor = true
	for i := range x.windows {
		x.windows[i].n++
	}
}

func (x *Exchange) uncount(o *order) {
	if !o.countedFor {
		return
	}
	o.countedFor = false
	for i := range x.windows {
		x.windows[i].n = max(x.windows[i].n-1, 0)
	}
}

// Funds is what the account has of an asset.
func (x *Exchange) Funds(a core.AssetID) core.Balance { return x.funds[a] }

// asset is what an order's side pays with.
func (m *market) pays(side core.Side) core.AssetID {
	if side == core.Buy {
		return m.in.Quote
	}
	return m.in.Base
}

// need is what an order must have locked for what is left of it.
func (m *market) need(o *order) core.Amount {
	if o.side == core.Sell {
		return core.Amount(o.left())
	}
	if o.priceless() {
		return 0 // taken from what is free as it trades
	}
	a, ok := core.NotionalOf(o.price, o.left()).AmountCeil()
	if !ok {
		return 1 << 62
	}
	return a
}

// lock sets funds aside; false if there are not enough.
func (x *Exchange) lock(m *market, o *order) bool {
	need := m.need(o)
	b := &x.funds[m.pays(o.side)]
	if need > b.Free || o.side == core.Buy && o.priceless() && b.Free <= 0 {
		return false
	}
	b.Free -= need
	b.Locked += need
	o.locked = need
	return true
}

// unlock keeps so much of an order's lock and gives the rest back.
func (x *Exchange) unlock(o *order, keep core.Amount) {
	if o.locked <= keep {
		return
	}
	b := &x.funds[x.markets[o.in].pays(o.side)]
	b.Locked -= o.locked - keep
	b.Free += o.locked - keep
	o.locked = keep
}

func (x *Exchange) relock(m *market, o *order) { x.unlock(o, m.need(o)) }

// affords is how much of the base asset the free quote buys at a price, whole lots.
func (x *Exchange) affords(m *market, p core.Price) core.Qty {
	free := max(x.funds[m.in.Quote].Free, 0)
	q := core.Qty(core.NotionalOfAmount(free).Div(uint64(p)))
	return q.LotFloor(max(m.in.Filters.Lot, 1))
}

// settle moves the money of a trade: what was locked or is free pays, and the commission
// goes from what came in, or in BNB at a discount where there is enough of it (Binance
// Spot API docs, commission FAQ, 2026-07-21). The venue's rounding is not documented;
// here it is down.
func (x *Exchange) settle(m *market, o *order, p core.Price, q core.Qty, maker bool) (quote, fee core.Amount, asset core.AssetID) {
	quote, _ = core.NotionalOf(p, q).AmountFloor()
	paid, got, gets := quote, core.Amount(q), m.in.Base
	if o.side == core.Sell {
		paid, got, gets = core.Amount(q), quote, m.in.Quote
	}
	b := &x.funds[m.pays(o.side)]
	if o.locked >= paid {
		o.locked -= paid
		b.Locked -= paid
		x.relock(m, o) // traded better than its limit
	} else {
		b.Locked -= o.locked
		b.Free -= paid - o.locked
		o.locked = 0
	}
	x.funds[gets].Free += got
	rate := x.opt.Taker
	if maker {
		rate = x.opt.Maker
	}
	if rate <= 0 {
		return quote, 0, core.NoAsset
	}
	fee, asset = scaled(got, rate), gets
	if x.opt.Fee == FeeBNB {
		if v := x.inBNB(m, scaled(quote, rate)); v > 0 && v <= x.funds[x.bnb].Free {
			fee, asset = v, x.bnb
		}
	}
	x.funds[asset].Free -= fee
	return quote, fee, asset
}

// scaled is an amount times a rate at 1e-8, rounded down.
func scaled(a core.Amount, rate int64) core.Amount {
	v, _ := core.NotionalOf(core.Price(a), core.Qty(rate)).AmountFloor()
	return v
}

// discount is what is paid of a commission in BNB, at 1e-8; see the venue's own for why.
const discount = 75_000_000

// inBNB is what a fee in an instrument's quote asset is in BNB, discounted; 0: no price.
func (x *Exchange) inBNB(m *market, fee core.Amount) core.Amount {
	price := x.opt.BNBPrice
	if m.in.Quote == x.bnb {
		price = core.Scale
	}
	for _, other := range x.markets {
		if other.in.Base == x.bnb && other.in.Quote == m.in.Quote && other.last != 0 {
			price = other.last
		}
	}
	if price == 0 {
		return 0
	}
	return core.Amount(core.NotionalOfAmount(scaled(fee, discount)).Div(uint64(price)))
}

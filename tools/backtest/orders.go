package backtest

import (
	"riposte/core"
)

// Codes of the venue's rejects (Binance Spot API docs, errors, 2026-07-21).
const (
	codeFilter       = -1013
	codeTooMany      = -1015
	codeLate         = -1021
	codeRejected     = -2010
	codeCancelReject = -2011
	codeAmendReject  = -2038
)

// place takes a new order: rules, funds, matching, and what is left rests or expires.
func (x *Exchange) place(m *market, r *request) {
	o, code := x.take(m, r)
	if code != 0 {
		x.reject(o, code)
		return
	}
	x.work(m, o)
}

// take makes an order of a request and holds it against the rules; code is why it was
// not taken. A taken one is acknowledged and its funds are locked.
func (x *Exchange) take(m *market, r *request) (o *order, code int32) {
	in := &r.in
	o = x.newOrder()
	o.id, o.in, o.strategy, o.side, o.typ, o.tif, o.price, o.qty = in.ID, m.id, in.Strategy, in.Side, in.Type, in.TIF, in.Price, in.Qty
	o.stop, o.trail, o.iceberg = in.Stop, int64(in.Trail), in.Iceberg
	o.waits = in.Type > core.MarketOrder
	o.arrived = x.start + core.WallNs(x.now)
	if code = x.rules(m, o, x.now-r.sent, core.MonoNs(in.LifeUs)*1000); code != 0 {
		return o, code
	}
	if !x.lock(m, o) {
		return o, codeRejected
	}
	o.venueID = m.nextID
	m.nextID++
	x.count(o)
	x.tell(o, core.ReportAck, core.New)
	return o, 0
}

func (x *Exchange) reject(o *order, code int32) {
	x.Stats.Rejected++
	x.Stats.Codes[code]++
	x.tell(o, core.ReportDone, core.Rejected).Code = code
	x.orders = append(x.orders, o)
}

// work lets an order that was taken act: it waits for its trigger, or takes, and rests.
func (x *Exchange) work(m *market, o *order) {
	if o.waits {
		if o.trail > 0 && o.stop == 0 {
			o.tracking, o.extreme = true, m.last
		}
		m.stops = append(m.stops, o)
		return
	}
	market := o.priceless()
	if o.tif == core.FOK && !market && m.available(o) < o.left() {
		x.end(o, core.Expired)
		return
	}
	if o.typ != core.LimitMaker {
		x.match(m, o)
	}
	switch {
	case o.left() == 0:
		x.end(o, core.Filled)
	case market || o.tif != core.GTC:
		x.end(o, core.Expired)
	default:
		m.rest(o)
	}
}

// priceless reports whether the order takes at any price once it works.
func (o *order) priceless() bool {
	return o.typ == core.MarketOrder || o.typ == core.StopLoss || o.typ == core.TakeProfit
}

// reaches reports whether the order trades at a price of the other side.
func (o *order) reaches(p core.Price) bool { return o.priceless() || !better(o.side, p, o.price) }

// available is how much an order would find at once.
func (m *market) available(o *order) (q core.Qty) {
	w, ok := m.walk(o.side.Opposite())
	if !ok {
		return 0
	}
	for lv, ok := w.next(); ok && o.reaches(lv.Price) && q < o.left(); lv, ok = w.next() {
		q += lv.Qty
	}
	return q
}

// match takes from the recorded depth, best price first. Own orders that it would meet
// on its way expire, as the venue's default EXPIRE_MAKER has it.
func (x *Exchange) match(m *market, o *order) {
	other := o.side.Opposite()
	w, ok := m.walk(other)
	if !ok {
		return
	}
	for o.left() > 0 {
		lv, ok := w.next()
		for len(m.own[other]) > 0 {
			mine := m.own[other][0]
			if !o.reaches(mine.price) || ok && better(other, lv.Price, mine.price) {
				break
			}
			m.leave(mine)
			x.end(mine, core.Expired)
		}
		if !ok || !o.reaches(lv.Price) {
			return
		}
		q := min(lv.Qty, o.left())
		if o.priceless() && o.side == core.Buy {
			if q = min(q, x.affords(m, lv.Price)); q == 0 {
				return
			}
		}
		if x.opt.Consumed {
			m.take(other, lv.Price, q)
		}
		x.fill(m, o, lv.Price, q, false)
	}
}

// fill is one trade of an own order. A resting one that is done, or whose shown part is,
// leaves its place.
func (x *Exchange) fill(m *market, o *order, p core.Price, q core.Qty, maker bool) {
	o.cum += q
	x.Stats.Fills++
	st := core.PartiallyFilled
	if o.left() == 0 {
		st = core.Filled
	}
	quote, fee, asset := x.settle(m, o, p, q, maker)
	x.uncount(o)
	r := x.tell(o, core.ReportFill, st)
	r.Maker, r.TradeID, r.Price, r.Qty, r.Quote, r.Fee, r.FeeAsset = maker, m.tradeID, p, q, quote, fee, asset
	m.tradeID++
	if x.seen != nil {
		f := Fill{At: x.now, Known: x.toUs.last, Order: o.id, Instrument: m.id, Strategy: o.strategy, Side: o.side, Maker: maker, Price: p, Qty: q,
			Quote: quote, Fee: fee, FeeAsset: asset, Mid: m.mid()}
		x.seen(&f)
	}
	if !maker {
		return
	}
	x.Stats.MakerFills++
	if o.left() == 0 {
		m.leave(o)
		x.end(o, core.Filled)
		return
	}
	if o.iceberg > 0 {
		if o.part -= q; o.part == 0 {
			m.leave(o) // the next part stands at the end
			m.rest(o)
		}
	}
}

// mid is the middle of what others show.
func (m *market) mid() core.Price {
	bid, okBid := m.bestOf(core.Buy)
	ask, okAsk := m.bestOf(core.Sell)
	if !okBid || !okAsk {
		return m.last
	}
	return bid.Price + (ask.Price-bid.Price)/2
}

func (x *Exchange) cancel(m *market, id core.OrderID) {
	o := m.find(id)
	if o == nil {
		x.cancelRejected(m, id, codeCancelReject)
		return
	}
	m.leave(o)
	x.end(o, core.Canceled)
}

// cancelRejected tells that there was nothing to act on, or that it may not be.
func (x *Exchange) cancelRejected(m *market, id core.OrderID, code int32) {
	x.Stats.CancelRejected++
	x.Stats.Codes[code]++
	o := order{id: id, in: m.id}
	if live := m.find(id); live != nil {
		o = *live
	}
	x.tell(&o, core.ReportCancelRejected, core.New).Code = code
}

func (x *Exchange) cancelAll(m *market) {
	for _, list := range [...]*[]*order{&m.own[0], &m.own[1], &m.stops} {
		for len(*list) > 0 {
			o := (*list)[0]
			m.leave(o)
			x.end(o, core.Canceled)
		}
	}
}

// amend lowers an order's quantity; it keeps its place.
func (x *Exchange) amend(m *market, in *core.Intent) {
	o := m.find(in.ID)
	switch {
	case o == nil:
		x.cancelRejected(m, in.ID, codeCancelReject)
		return
	case in.Qty <= o.cum || in.Qty >= o.qty:
		x.cancelRejected(m, in.ID, codeAmendReject)
		return
	}
	o.qty = in.Qty
	x.relock(m, o)
	st := core.New
	if o.cum > 0 {
		st = core.PartiallyFilled
	}
	r := x.tell(o, core.ReportAmended, st)
	r.Price, r.Qty = o.price, o.qty
}

// replace ends one order and places another. Where the first cannot be ended the second
// is not tried (STOP_ON_FAILURE); where the second breaks a filter nothing is done.
func (x *Exchange) replace(m *market, r *request) {
	old := m.find(r.in.Old)
	if old == nil {
		x.cancelRejected(m, r.in.Old, codeCancelReject)
		o := order{id: r.in.ID, in: m.id, side: r.in.Side}
		x.tell(&o, core.ReportDone, core.NotSent)
		return
	}
	probe := order{in: m.id, side: r.in.Side, typ: r.in.Type, tif: r.in.TIF, price: r.in.Price, qty: r.in.Qty, stop: r.in.Stop, iceberg: r.in.Iceberg, trail: int64(r.in.Trail)}
	if code := x.filters(m, &probe); code != 0 {
		x.cancelRejected(m, r.in.Old, code)
		o := order{id: r.in.ID, in: m.id, side: r.in.Side}
		x.Stats.Rejected++
		x.tell(&o, core.ReportDone, core.Rejected).Code = code
		return
	}
	m.leave(old)
	x.end(old, core.Canceled)
	x.place(m, r)
}

// trip has a trade trigger the orders that wait for its price. A trailing stop follows
// the best price since it began to, which without a stop price is at once (Binance Spot
// API docs, trailing stop FAQ, 2026-07-21); with one it begins when the price is reached.
func (m *market) trip(last core.Price) {
	for i := 0; i < len(m.stops); {
		o := m.stops[i]
		if !o.tripped(last) {
			i++
			continue
		}
		m.leave(o)
		o.waits = false
		m.x.work(m, o)
	}
}

// rises reports whether it triggers on a rise.
func (o *order) rises() bool {
	stop := o.typ == core.StopLoss || o.typ == core.StopLossLimit
	return stop == (o.side == core.Buy)
}

func (o *order) tripped(last core.Price) bool {
	reached := last <= o.stop
	if o.rises() {
		reached = last >= o.stop
	}
	if o.trail == 0 {
		return reached
	}
	if !o.tracking {
		if !reached {
			return false
		}
		o.tracking, o.extreme = true, last
	}
	const unit = 10_000
	if o.side == core.Buy {
		o.extreme = least(o.extreme, last)
		return core.NotionalOf(last, unit).Cmp(core.NotionalOf(o.extreme, core.Qty(unit+o.trail))) >= 0
	}
	o.extreme = max(o.extreme, last)
	return core.NotionalOf(last, unit).Cmp(core.NotionalOf(o.extreme, core.Qty(unit-o.trail))) <= 0
}

// least is the lower price that is one.
func least(a, b core.Price) core.Price {
	if a == 0 {
		return b
	}
	return min(a, b)
}

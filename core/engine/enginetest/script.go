package enginetest

import (
	"riposte/core"
	"riposte/core/book"
)

// P is a price written as a decimal.
func P(s string) core.Price {
	p, err := core.ParsePrice(s)
	if err != nil {
		panic(s + ": " + err.Error())
	}
	return p
}

// Q is a quantity written as a decimal.
func Q(s string) core.Qty {
	q, err := core.ParseQty(s)
	if err != nil {
		panic(s + ": " + err.Error())
	}
	return q
}

// Levels reads pairs of price and quantity.
func Levels(pairs ...string) []core.Level {
	lv := make([]core.Level, 0, len(pairs)/2)
	for i := 0; i+1 < len(pairs); i += 2 {
		lv = append(lv, core.Level{Price: P(pairs[i]), Qty: Q(pairs[i+1])})
	}
	return lv
}

// Publish puts one event with its levels into an instrument's queue, read now, and
// reports whether there was room.
func (w *World) Publish(id core.InstrumentID, ev core.Event, bids, asks []core.Level) bool {
	slot, lv := w.Queues[id].Claim()
	if slot == nil || cap(lv) < len(bids)+len(asks) {
		return false
	}
	ev.Instrument, ev.Recv = id, w.Clock.Now
	ev.Bids, ev.Asks = uint16(len(bids)), uint16(len(asks))
	*slot = ev
	lv = append(append(lv, bids...), asks...)
	w.Queues[id].Publish(len(lv))
	if ev.Kind == core.LineDown || ev.Kind == core.Overflow {
		w.Queues[id].End()
	}
	return true
}

func (w *World) publish(id core.InstrumentID, ev core.Event, bids, asks []core.Level) {
	if !w.Publish(id, ev, bids, asks) {
		panic("the script publishes one more event than the queue holds: run the world in between")
	}
}

// Delta publishes a depth event over the update ids first to last.
func (w *World) Delta(id core.InstrumentID, first, last uint64, bids, asks []core.Level) {
	w.publish(id, core.Event{Kind: core.DepthDelta, ID: last, W: [4]int64{int64(first)}}, bids, asks)
}

// Touch publishes a best bid and ask.
func (w *World) Touch(id core.InstrumentID, t core.Top) {
	w.publish(id, core.Event{Kind: core.Touch, ID: t.ID, W: [4]int64{int64(t.Bid), int64(t.BidQty), int64(t.Ask), int64(t.AskQty)}}, nil, nil)
}

// Trade publishes a trade between others, of the next id, at the world's time.
func (w *World) Trade(id core.InstrumentID, p core.Price, q core.Qty) {
	w.between[id]++
	w.TradeAs(id, w.between[id], p, q)
}

// TradeAs is Trade with an id, which may leave others out.
func (w *World) TradeAs(id core.InstrumentID, trade uint64, p core.Price, q core.Qty) {
	w.between[id] = max(w.between[id], trade)
	w.publish(id, core.Event{Kind: core.Trade, ID: trade, W: [4]int64{int64(p), int64(q), int64(w.Clock.Now)}}, nil, nil)
}

// Mark publishes an event without payload: LineDown, Overflow, LineAlive.
func (w *World) Mark(id core.InstrumentID, k core.EventKind) {
	w.publish(id, core.Event{Kind: k}, nil, nil)
}

// Snapshot hands the shard a book that stands at an update id.
func (w *World) Snapshot(id core.InstrumentID, last uint64, bids, asks []core.Level) {
	*mustSlot(w.Images.Claim(), "snapshot") = &book.Image{Instrument: id, LastID: last, Bids: bids, Asks: asks, Limit: 1000}
	w.Images.Publish()
}

// Quote makes the instrument's book consist of these two levels: by a snapshot and
// an event that proves it the first time, then by deltas that follow each other.
func (w *World) Quote(id core.InstrumentID, bid, bidQty, ask, askQty string) {
	w.Top(id, core.Top{Bid: P(bid), BidQty: Q(bidQty), Ask: P(ask), AskQty: Q(askQty)})
}

// Top is Quote with numbers; the update id is the world's own. A side whose price
// is 0 is emptied.
func (w *World) Top(id core.InstrumentID, t core.Top) {
	was := &w.quotes[id]
	side := func(oldPrice, price core.Price, qty core.Qty) (lv []core.Level) {
		if oldPrice != 0 && oldPrice != price {
			lv = append(lv, core.Level{Price: oldPrice})
		}
		if price != 0 {
			lv = append(lv, core.Level{Price: price, Qty: qty})
		}
		return lv
	}
	bids, asks := side(was.Bid, t.Bid, t.BidQty), side(was.Ask, t.Ask, t.AskQty)
	w.ids[id]++
	t.ID = w.ids[id]
	if was.ID == 0 {
		w.Snapshot(id, t.ID-1, bids, asks)
	}
	w.Delta(id, t.ID, t.ID, bids, asks)
	*was = t
}

// Break publishes a depth event that does not follow the last Quote, and
// forgets that one.
func (w *World) Break(id core.InstrumentID) {
	w.Delta(id, w.ids[id]+10, w.ids[id]+10, nil, nil)
	w.Forget(id)
}

// Forget makes the next Quote begin with a snapshot, a thousand ids on, as it must
// after a LineDown or an Overflow.
func (w *World) Forget(id core.InstrumentID) {
	w.ids[id] += 1000
	w.quotes[id] = core.Top{}
}

// Report hands the shard a report. Side and instrument are taken from the order.
func (w *World) Report(r core.Report) {
	in := w.orders[r.ID]
	r.Side, r.Instrument, r.Strategy, r.Recv = in.Side, in.Instrument, in.Strategy, w.Clock.Now
	if r.Kind != core.ReportFill {
		r.FeeAsset, r.TradeID = core.NoAsset, -1
	}
	*mustSlot(w.Reports.Claim(), "report") = r
	w.Reports.Publish()
}

// Ack says that the venue took an order that has come Out.
func (w *World) Ack(id core.OrderID) {
	w.Report(core.Report{Kind: core.ReportAck, Status: core.New, ID: id, VenueID: int64(id) + 1_000_000})
}

// Fill trades a quantity of an order at its price, without a commission.
func (w *World) Fill(id core.OrderID, q core.Qty) {
	in := w.orders[id]
	w.cum[id] += q
	w.trades++
	st := core.PartiallyFilled
	if w.cum[id] >= in.Qty {
		st = core.Filled
	}
	quote, _ := core.NotionalOf(in.Price, q).AmountFloor()
	w.Report(core.Report{Kind: core.ReportFill, Status: st, ID: id, TradeID: w.trades, Price: in.Price, Qty: q, Cum: w.cum[id],
		Quote: quote, FeeAsset: core.NoAsset})
}

// Amended says that an order is of q in all from now on.
func (w *World) Amended(id core.OrderID, q core.Qty) {
	in := w.orders[id]
	in.Qty = q
	w.orders[id] = in
	w.Report(core.Report{Kind: core.ReportAmended, Status: core.New, ID: id, Qty: q, Cum: w.cum[id]})
}

// Done says how an order ended.
func (w *World) Done(id core.OrderID, st core.OrderStatus) {
	w.Report(core.Report{Kind: core.ReportDone, Status: st, ID: id, Cum: w.cum[id]})
}

// Intent is what an order that came Out was.
func (w *World) Intent(id core.OrderID) core.Intent { return w.orders[id] }

package backtest

import (
	"riposte/core"
	"riposte/feed"
	"riposte/tools/tape"
)

// synth makes up a touch for a symbol of which there are trades alone, so that there is
// a book to decide on and a queue to stand in. It is one level a side: the last price on
// the side that was hit, the other side SpreadTicks away, and on both as much as an
// average trade has had so far. A kline alone becomes four trades of a quarter of
// its volume each, at open, the nearer extreme, the farther one and close, evenly over its
// span: what happened within it nobody knows.
//
// It shows how a strategy behaves over long histories. What it says about fills of
// resting orders is a guess with nothing behind it.
type synth struct {
	id     uint64 // update id of the book
	was    core.Top
	qty    core.Qty // of a level: the mean of trades so far
	n      int64    // how many they were
	trades bool     // the tape has trades of it: klines are only shown
	trade  uint64   // id of the last trade made of a kline
}

// A kline's levels are pairs, see core.Kline.
func klineOf(lv []core.Level) (open, high, low, last core.Price, volume core.Qty) {
	return lv[0].Price, core.Price(lv[0].Qty), lv[1].Price, core.Price(lv[1].Qty), core.Qty(lv[2].Price)
}

// measure is a pass over the tape for the grid of prices, which is a rule and no news, and
// for whether there are trades.
func (d *decoding) measure() error {
	var ev core.Event
	return d.src.Each(func(l *tape.Line) error {
		if !l.Frame() {
			return nil
		}
		n, res := d.decoder.Decode(l.Payload, &ev, d.lv)
		if res != feed.Decoded {
			return nil
		}
		s, sym := &d.synth[ev.Instrument], &d.head.Symbols[ev.Instrument]
		switch {
		case ev.Kind == core.Trade, ev.Kind == core.AggTrade:
			s.trades = true
			sym.Tick, sym.Lot = divide(sym.Tick, ev.TradePrice()), divide(sym.Lot, ev.TradeQty())
		case ev.Kind == core.Kline && n == 4:
			open, high, low, last, volume := klineOf(d.lv[:n])
			for _, p := range [...]core.Price{open, high, low, last} {
				sym.Tick = divide(sym.Tick, p)
			}
			sym.Lot = divide(sym.Lot, volume)
		}
		return nil
	})
}

// synthesize writes an event of a tape without books, and the book that goes with it.
func (d *decoding) synthesize(ev *core.Event, lv []core.Level) error {
	s := &d.synth[ev.Instrument]
	switch {
	case ev.Kind == core.Trade, ev.Kind == core.AggTrade:
		return d.traded(ev, lv)
	case ev.Kind != core.Kline || s.trades || ev.Flags&core.FlagClosed == 0 || len(lv) != 4:
		return d.w.put(ev, lv)
	}
	open, high, low, last, volume := klineOf(lv)
	path := [4]core.Price{open, high, low, last}
	if last-open > 0 == (high-open > open-low) && high-open > open-low {
		path[1], path[2] = low, high
	}
	span := core.MonoNs(ev.W[1]-ev.W[0]) / 4
	left, before := volume, path[0]
	for i, p := range path {
		q := volume / 4
		if i == 3 {
			q = left
		}
		left -= q
		if q <= 0 {
			continue
		}
		s.trade++
		at := max(ev.Recv-core.MonoNs(3-i)*span, d.w.last)
		t := &core.Event{Kind: core.Trade, Instrument: ev.Instrument, Recv: at, ID: s.trade,
			W: [4]int64{int64(p), int64(q), int64(d.w.first) + int64(at)}}
		if p < before {
			t.Flags = core.FlagBuyerMaker
		}
		before = p
		if err := d.traded(t, nil); err != nil {
			return err
		}
	}
	return d.w.put(ev, lv)
}

// traded writes a trade and moves the touch to it. The trade comes first: what rests is
// met by it before the touch is there.
func (d *decoding) traded(ev *core.Event, lv []core.Level) error {
	s, sym := &d.synth[ev.Instrument], &d.head.Symbols[ev.Instrument]
	spread := core.Price(max(d.src.SpreadTicks, 1)) * max(sym.Tick, 1)
	s.n++
	s.qty += (ev.TradeQty() - s.qty) / core.Qty(s.n)
	top := core.Top{Bid: ev.TradePrice(), BidQty: max(s.qty, sym.Lot, 1), AskQty: max(s.qty, sym.Lot, 1)}
	if ev.Aggressor() == core.Buy {
		top.Bid -= spread
	}
	top.Ask = top.Bid + spread
	if top.Bid <= 0 {
		return d.w.put(ev, lv) // a price below its own grid: no touch to make of it
	}
	if s.id == 0 {
		s.id, sym.Book = 1, true
		im := &core.Event{Kind: kindImage, Instrument: ev.Instrument, Recv: ev.Recv, ID: s.id, Bids: 1, Asks: 1}
		if err := d.w.put(im, []core.Level{{Price: top.Bid, Qty: top.BidQty}, {Price: top.Ask, Qty: top.AskQty}}); err != nil {
			return err
		}
		s.was = top
		if err := d.quote(ev, top); err != nil {
			return err
		}
	}
	if err := d.w.put(ev, lv); err != nil {
		return err
	}
	return d.quote(ev, top)
}

// quote writes the depth event that leads to a top; it is written too where nothing has
// changed, as proof that the book is current.
func (d *decoding) quote(ev *core.Event, top core.Top) error {
	s := &d.synth[ev.Instrument]
	var lv [4]core.Level
	n := 0
	add := func(p core.Price, q core.Qty) { lv[n] = core.Level{Price: p, Qty: q}; n++ }
	if s.was.Bid != top.Bid {
		add(s.was.Bid, 0)
	}
	add(top.Bid, top.BidQty)
	bids := n
	if s.was.Ask != top.Ask {
		add(s.was.Ask, 0)
	}
	add(top.Ask, top.AskQty)
	s.was = top
	s.id++
	return d.w.put(&core.Event{Kind: core.DepthDelta, Instrument: ev.Instrument, Recv: ev.Recv, ID: s.id,
		W: [4]int64{int64(s.id), 0, int64(d.w.first) + int64(ev.Recv)}, Bids: uint16(bids), Asks: uint16(n - bids)}, lv[:n])
}

package bar

import (
	"fmt"
	"math"
	"math/bits"

	"riposte/core"
)

// Trade is what a bar is made of: one trade, or what one taker order traded at one
// price, which is several that share all but their quantities.
type Trade struct {
	First, Last int64 // trade ids
	Price       core.Price
	Qty         core.Qty
	Time        core.WallNs
	TakerBuy    bool // the buyer was the aggressor
}

// FromEvent reads a Trade or an AggTrade, whose last id is in its one level.
func FromEvent(ev *core.Event, lv []core.Level) Trade {
	t := Trade{First: int64(ev.ID), Last: int64(ev.ID), Price: ev.TradePrice(), Qty: ev.TradeQty(), Time: ev.TradeTime(), TakerBuy: ev.Flags&core.FlagBuyerMaker == 0}
	if ev.Kind == core.AggTrade && len(lv) > 0 {
		t.First, t.Last = ev.W[3], int64(lv[0].Price)
	}
	return t
}

// Bar is the trades of a span of time. Its fields are the venue's kline's. A bar
// without trades has the close before it as all four prices.
type Bar struct {
	Start, End             core.WallNs // End is the next bar's Start
	Open, High, Low, Close core.Price
	Volume, Quote          Sum // base and quote asset
	TakerBase, TakerQuote  Sum // of them, what buyers took
	Trades                 int64
	First, Last            int64 // trade ids, -1 without trades, or where the venue did not tell them
	Broken                 bool  // trades of it are missing for good
}

// quoteOf is what a trade was worth: the venue cuts the product after the eighth
// decimal, trade by trade, and adds up what is left (recorded answers of
// /api/v3/trades, ETHBTC 2023-03-20: 0.064362 times 0.0158 is told as 0.00101691). Of
// an aggregate of several trades only the sum can be cut, so where tick times lot is
// below 1e-8 it may be a unit a trade higher.
func quoteOf(p core.Price, q core.Qty) Sum {
	hi, lo := bits.Mul64(uint64(p), uint64(q))
	if hi < core.Scale {
		v, _ := bits.Div64(hi, lo, core.Scale)
		return Sum{Lo: v}
	}
	v, rest := hi/core.Scale, hi%core.Scale
	w, _ := bits.Div64(rest, lo, core.Scale)
	return Sum{v, w}
}

func empty(start, end core.WallNs, last core.Price) Bar {
	return Bar{Start: start, End: end, Open: last, High: last, Low: last, Close: last, First: -1, Last: -1}
}

// add takes one trade into the bar. Trades may come in any order of ids: the lowest
// makes the open, the highest the close.
func (b *Bar) add(t *Trade) {
	if b.Trades == 0 {
		b.Open, b.High, b.Low, b.Close, b.First, b.Last = t.Price, t.Price, t.Price, t.Price, t.First, t.Last
	} else {
		b.High, b.Low = max(b.High, t.Price), min(b.Low, t.Price)
		if t.Last > b.Last {
			b.Close, b.Last = t.Price, t.Last
		}
		if t.First < b.First {
			b.Open, b.First = t.Price, t.First
		}
	}
	b.Trades += t.Last - t.First + 1
	quote, qty := quoteOf(t.Price, t.Qty), Units(int64(t.Qty))
	b.Volume, b.Quote = b.Volume.Add(qty), b.Quote.Add(quote)
	if t.TakerBuy {
		b.TakerBase, b.TakerQuote = b.TakerBase.Add(qty), b.TakerQuote.Add(quote)
	}
}

// Join takes a bar's trades, all of them later than b's own, into b.
func (b *Bar) Join(o *Bar) {
	b.Broken = b.Broken || o.Broken
	if o.Trades == 0 {
		return
	}
	if b.Trades == 0 {
		b.Open, b.High, b.Low, b.First = o.Open, o.High, o.Low, o.First
	}
	b.High, b.Low, b.Close, b.Last = max(b.High, o.High), min(b.Low, o.Low), o.Close, o.Last
	b.Trades += o.Trades
	b.Volume, b.Quote = b.Volume.Add(o.Volume), b.Quote.Add(o.Quote)
	b.TakerBase, b.TakerQuote = b.TakerBase.Add(o.TakerBase), b.TakerQuote.Add(o.TakerQuote)
}

// VWAP is the mean price by volume, rounded down to 1e-8; the close of a bar without
// trades.
func (b *Bar) VWAP() core.Price {
	if b.Volume.IsZero() {
		return b.Close
	}
	return b.Quote.over(b.Volume)
}

// FromKline reads a Kline event. end is when the bar ends.
func FromKline(ev *core.Event, lv []core.Level, end core.WallNs) Bar {
	b := Bar{Start: core.WallNs(ev.W[0]), End: end, Trades: ev.W[2], First: ev.W[3], Last: int64(ev.ID)}
	if len(lv) >= 4 {
		b.Open, b.High, b.Low, b.Close = lv[0].Price, core.Price(lv[0].Qty), lv[1].Price, core.Price(lv[1].Qty)
		b.Volume, b.Quote = Units(int64(lv[2].Price)), Units(int64(lv[2].Qty))
		b.TakerBase, b.TakerQuote = Units(int64(lv[3].Price)), Units(int64(lv[3].Qty))
	}
	if b.Trades == 0 {
		b.First, b.Last = -1, -1
	}
	return b
}

// ToKline writes the bar as a closed Kline event with its four levels; ok is false where
// a volume is beyond what an event can carry.
func (b *Bar) ToKline(ev *core.Event, lv []core.Level) (ok bool) {
	for _, s := range [...]Sum{b.Volume, b.Quote, b.TakerBase, b.TakerQuote} {
		if s.Hi != 0 || s.Lo > math.MaxInt64 {
			return false
		}
	}
	ev.Kind, ev.Flags, ev.Bids, ev.Asks, ev.ID = core.Kline, core.FlagClosed, 4, 0, uint64(b.Last)
	ev.W = [4]int64{int64(b.Start), int64(b.End) - 1e6, b.Trades, b.First}
	lv[0] = core.Level{Price: b.Open, Qty: core.Qty(b.High)}
	lv[1] = core.Level{Price: b.Low, Qty: core.Qty(b.Close)}
	lv[2] = core.Level{Price: core.Price(b.Volume.Lo), Qty: core.Qty(b.Quote.Lo)}
	lv[3] = core.Level{Price: core.Price(b.TakerBase.Lo), Qty: core.Qty(b.TakerQuote.Lo)}
	return true
}

// Same reports whether two bars tell the same. Ids count where both know them, and
// Broken does not: it says what we know of ourselves.
func (b *Bar) Same(o *Bar) bool {
	x, y := *b, *o
	x.Broken, y.Broken = false, false
	if x.First < 0 || y.First < 0 {
		x.First, y.First, x.Last, y.Last = 0, 0, 0, 0
	}
	return x == y
}

// String is the bar on one line.
func (b *Bar) String() string {
	return fmt.Sprintf("%d-%d %v %v %v %v v %v q %v n %d taker %v %v ids %d-%d", b.Start, b.End, b.Open, b.High, b.Low, b.Close,
		b.Volume, b.Quote, b.Trades, b.TakerBase, b.TakerQuote, b.First, b.Last)
}

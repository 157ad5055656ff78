package exchange

import (
	"math/bits"
	"sort"
)

// Ticker is the rolling window of a symbol up to Now, to the minute: its first
// bar opens at the minute that holds Now - window, so the window may be up to
// 59.999 s wider (as section 4.3 of the venue page allows). False for an unknown
// symbol.
func (x *Exchange) Ticker(symbol string, window Micros) (Ticker, bool) {
	in := x.byName[symbol]
	if in == nil {
		return Ticker{}, false
	}
	t := &in.tape
	from := x.now - window
	from -= from % minute
	i := sort.Search(len(t.minutes), func(i int) bool { return t.minutes[i].open >= from })
	var sum bar
	for j := i; j < len(t.minutes); j++ {
		sum.join(&t.minutes[j])
	}
	top := in.currentTop(x.now)
	out := Ticker{
		Symbol: symbol, Last: t.last, LastQty: t.lastQty, Bid: top.Bid, Ask: top.Ask, Open: sum.o, High: sum.h, Low: sum.l,
		Volume: sum.vol, Quote: sum.quote, OpenTime: x.now - window, CloseTime: x.now, FirstID: sum.firstID, LastID: sum.lastID, Count: sum.count,
	}
	if sum.count == 0 {
		out.Open, out.High, out.Low, out.FirstID, out.LastID = t.last, t.last, t.last, -1, -1
	}
	out.PrevClose = out.Open
	if i > 0 {
		out.PrevClose = t.minutes[i-1].c
	}
	if out.VWAP = t.last; sum.vol > 0 {
		out.VWAP, _ = mulDiv(sum.quote, One, sum.vol)
	}
	out.Change = out.Last - out.Open
	out.ChangePct = percent(out.Change, out.Open)
	return out, true
}

// percent is change / open × 100 scaled 1e-8, towards zero.
func percent(change, open Fixed) Fixed {
	if open <= 0 {
		return 0
	}
	u := uint64(change)
	if change < 0 {
		u = -u
	}
	hi, lo := bits.Mul64(u, uint64(100*One))
	if hi >= uint64(open) {
		return 0
	}
	q, _ := bits.Div64(hi, lo, uint64(open))
	if q>>63 != 0 {
		return 0
	}
	if change < 0 {
		return -Fixed(q)
	}
	return Fixed(q)
}

// AvgPrice is the volume weighted mean of the last five minutes, or the last
// price if nothing traded in them; false for an unknown symbol or one that has
// no price yet.
func (x *Exchange) AvgPrice(symbol string) (AvgPrice, bool) {
	in := x.byName[symbol]
	if in == nil {
		return AvgPrice{}, false
	}
	p, ok := in.reference(5)
	return AvgPrice{Symbol: symbol, Mins: 5, Price: p, CloseTime: in.tape.lastTime}, ok
}

// LastPrice is the price of the last trade; false if there was none.
func (x *Exchange) LastPrice(symbol string) (Fixed, bool) {
	in := x.byName[symbol]
	if in == nil || in.tape.last == 0 {
		return 0, false
	}
	return in.tape.last, true
}

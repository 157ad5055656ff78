package binance

import (
	"riposte/core"
)

// The fast road. Every reader below takes the index of a payload's first key and
// returns the index behind its closing brace, or -1 as soon as a byte is not the
// expected one: then the general road reads the frame from its start. What is
// accepted here is accepted there with the same result; FuzzDecode holds the two
// and the slow twin together.

// fast decodes a frame whose beginning Route recognised; n is -1 if the rest is
// not as expected.
func (d *Decoder) fast(b []byte, r Route, ev *core.Event, lv []core.Level) (n int) {
	ev.Instrument = r.Instrument
	sym := d.syms.fields[r.Instrument]
	i := int(r.At)
	switch r.Hint & hintShape {
	case shapeTouch:
		i = d.fastTouch(b, i, sym, ev)
	case shapeDelta:
		n, i = d.fastDelta(b, i, sym, ev, lv)
	case shapeTrade:
		i = d.fastTrade(b, i, sym, ev)
	case shapeAgg:
		n, i = d.fastAgg(b, i, sym, ev, lv)
	case shapePartial:
		if lit(b, i, `"lastUpdateId":`) {
			n, i = d.fastTop(b, i, ev, lv)
		} else if n, i = d.fastDelta(b, i, sym, ev, lv); i > 0 {
			ev.Kind = core.DepthTop
			ev.W[0], ev.W[1] = 0, 0
		}
	}
	if i < 0 {
		return -1
	}
	if r.Hint&hintWrapped != 0 {
		if i >= len(b) || b[i] != '}' {
			return -1
		}
		i++
	}
	if i != len(b) {
		return -1
	}
	return n
}

// pass is the index behind s, which must stand at i; -1 stays -1.
func pass(b []byte, i int, s string) int {
	if i < 0 || !lit(b, i, s) {
		return -1
	}
	return i + len(s)
}

// time reads the venue time that starts at b[i], in ns.
func (d *Decoder) time(b []byte, i int) (int64, int) {
	v, i := number(b, i)
	ns, ok := nanoseconds(v, d.unit, d.timeMax)
	if !ok {
		return 0, -1
	}
	return ns, i
}

// fastTouch: spot {"u":1,"s":S,"b":..,"B":..,"a":..,"A":..}; USD-M
// {"e":"bookTicker","u":1,"s":S,...,"T":1,"E":1}; COIN-M
// {"u":1,"e":"bookTicker","s":S,"ps":P,...,"T":1,"E":1}.
func (d *Decoder) fastTouch(b []byte, i int, sym string, ev *core.Event) int {
	futures := false
	if lit(b, i, `"e":"bookTicker",`) {
		i += 17
		futures = true
	}
	if !lit(b, i, `"u":`) {
		return -1
	}
	id, i := number(b, i+4)
	if i = pass(b, i, `,`); i < 0 {
		return -1
	}
	if !futures && lit(b, i, `"e":"bookTicker",`) {
		i += 17
		futures = true
	}
	if i = pass(b, i, sym); i < 0 {
		return -1
	}
	if futures && lit(b, i, `"ps":`) {
		if i = skipPair(b, i+5); i < 0 {
			return -1
		}
	}
	var w [4]int64
	if !lit(b, i, `"b":"`) {
		return -1
	}
	if w[0], i = decimal(b, i+5); i < 0 {
		return -1
	}
	if !lit(b, i, `,"B":"`) {
		return -1
	}
	if w[1], i = decimal(b, i+6); i < 0 {
		return -1
	}
	if !lit(b, i, `,"a":"`) {
		return -1
	}
	if w[2], i = decimal(b, i+6); i < 0 {
		return -1
	}
	if !lit(b, i, `,"A":"`) {
		return -1
	}
	if w[3], i = decimal(b, i+6); i < 0 {
		return -1
	}
	if futures {
		if !lit(b, i, `,"T":`) {
			return -1
		}
		if _, i = number(b, i+5); i < 0 {
			return -1
		}
		if !lit(b, i, `,"E":`) {
			return -1
		}
		_, i = number(b, i+5)
	}
	ev.Kind, ev.Flags, ev.Bids, ev.Asks = core.Touch, 0, 0, 0
	ev.ID, ev.W = uint64(id), w
	return pass(b, i, `}`)
}

// skipPair passes the COIN-M pair name and the comma behind it.
func skipPair(b []byte, i int) int {
	if i >= len(b) || b[i] != '"' {
		return -1
	}
	i, _ = skipString(b, i)
	return pass(b, i, `,`)
}

// fastTrade: spot {"e":"trade","E":1,"s":S,"t":1,"p":..,"q":..,"T":1,"m":true,
// "M":true}, until 2024-06 with "b" and "a" before T; futures tell T before s and
// "X":"MARKET" before m.
func (d *Decoder) fastTrade(b []byte, i int, sym string, ev *core.Event) int {
	if !lit(b, i, `"e":"trade","E":`) {
		return -1
	}
	_, i = number(b, i+16)
	if i = pass(b, i, `,`); i < 0 {
		return -1
	}
	var at, id, price, qty int64
	futures := lit(b, i, `"T":`)
	if futures {
		at, i = d.time(b, i+4)
		i = pass(b, i, `,`)
	}
	if i = pass(b, i, sym); i < 0 {
		return -1
	}
	if !lit(b, i, `"t":`) {
		return -1
	}
	if id, i = number(b, i+4); i < 0 {
		return -1
	}
	if !lit(b, i, `,"p":"`) {
		return -1
	}
	if price, i = decimal(b, i+6); i < 0 {
		return -1
	}
	if !lit(b, i, `,"q":"`) {
		return -1
	}
	if qty, i = decimal(b, i+6); i < 0 {
		return -1
	}
	if futures {
		i = pass(b, i, `,"X":"MARKET"`)
	} else {
		if lit(b, i, `,"b":`) {
			if _, i = number(b, i+5); i < 0 || !lit(b, i, `,"a":`) {
				return -1
			}
			if _, i = number(b, i+5); i < 0 {
				return -1
			}
		}
		if !lit(b, i, `,"T":`) {
			return -1
		}
		at, i = d.time(b, i+5)
	}
	var maker uint8
	if maker, i = makerAfter(b, i); i < 0 {
		return -1
	}
	if !futures {
		i = ignoredFlag(b, i)
	}
	ev.Kind, ev.Flags, ev.Bids, ev.Asks = core.Trade, maker, 0, 0
	ev.ID, ev.W = uint64(id), [4]int64{price, qty, at}
	return pass(b, i, `}`)
}

// makerAfter reads ,"m":true or false.
func makerAfter(b []byte, i int) (flag uint8, next int) {
	if i < 0 {
		return 0, -1
	}
	if lit(b, i, `,"m":true`) {
		return core.FlagBuyerMaker, i + 9
	}
	return 0, pass(b, i, `,"m":false`)
}

// ignoredFlag passes ,"M":true, which the venue documents as "ignore".
func ignoredFlag(b []byte, i int) int {
	if i >= 0 && lit(b, i, `,"M":true`) {
		return i + 9
	}
	return i
}

// fastAgg: spot {"e":"aggTrade","E":1,"s":S,"a":1,"p":..,"q":..,"f":1,"l":1,
// "T":1,"m":true,"M":true}; futures tell a before s and no M.
func (d *Decoder) fastAgg(b []byte, i int, sym string, ev *core.Event, lv []core.Level) (n, next int) {
	if !lit(b, i, `"e":"aggTrade",`) || !lit(b, i+15, `"E":`) {
		return 0, -1
	}
	_, i = number(b, i+19)
	if i = pass(b, i, `,`); i < 0 || cap(lv) == 0 {
		return 0, -1
	}
	var id, price, qty, first, last, at int64
	if lit(b, i, `"a":`) {
		id, i = number(b, i+4)
		i = pass(b, i, `,`)
		i = pass(b, i, sym)
	} else {
		if i = pass(b, i, sym); i < 0 || !lit(b, i, `"a":`) {
			return 0, -1
		}
		id, i = number(b, i+4)
		i = pass(b, i, `,`)
	}
	if i < 0 {
		return 0, -1
	}
	if !lit(b, i, `"p":"`) {
		return 0, -1
	}
	if price, i = decimal(b, i+5); i < 0 {
		return 0, -1
	}
	if !lit(b, i, `,"q":"`) {
		return 0, -1
	}
	if qty, i = decimal(b, i+6); i < 0 {
		return 0, -1
	}
	if !lit(b, i, `,"f":`) {
		return 0, -1
	}
	if first, i = number(b, i+5); i < 0 {
		return 0, -1
	}
	if !lit(b, i, `,"l":`) {
		return 0, -1
	}
	if last, i = number(b, i+5); i < 0 {
		return 0, -1
	}
	if !lit(b, i, `,"T":`) {
		return 0, -1
	}
	at, i = d.time(b, i+5)
	maker, i := makerAfter(b, i)
	i = ignoredFlag(b, i)
	ev.Kind, ev.Flags, ev.Bids, ev.Asks = core.AggTrade, maker, 1, 0
	ev.ID, ev.W = uint64(id), [4]int64{price, qty, at, first}
	lv[:1][0] = core.Level{Price: core.Price(last)}
	return 1, pass(b, i, `}`)
}

// fastDelta: spot {"e":"depthUpdate","E":1,"s":S,"U":1,"u":1,"b":[..],"a":[..]};
// futures tell T before s and "pu" before b, COIN-M "ps" behind s.
func (d *Decoder) fastDelta(b []byte, i int, sym string, ev *core.Event, lv []core.Level) (n, next int) {
	if !lit(b, i, `"e":"depthUpdate`) || !lit(b, i+16, `","E":`) {
		return 0, -1
	}
	at, i := d.time(b, i+22)
	if i = pass(b, i, `,`); i < 0 {
		return 0, -1
	}
	futures := lit(b, i, `"T":`)
	if futures {
		_, i = number(b, i+4)
		i = pass(b, i, `,`)
	}
	if i = pass(b, i, sym); i < 0 {
		return 0, -1
	}
	if futures && lit(b, i, `"ps":`) {
		if i = skipPair(b, i+5); i < 0 {
			return 0, -1
		}
	}
	var first, last, prev int64
	if !lit(b, i, `"U":`) {
		return 0, -1
	}
	if first, i = number(b, i+4); i < 0 {
		return 0, -1
	}
	if !lit(b, i, `,"u":`) {
		return 0, -1
	}
	if last, i = number(b, i+5); i < 0 {
		return 0, -1
	}
	if futures {
		if !lit(b, i, `,"pu":`) {
			return 0, -1
		}
		if prev, i = number(b, i+6); i < 0 {
			return 0, -1
		}
	}
	ev.Kind, ev.Flags = core.DepthDelta, 0
	ev.ID, ev.W = uint64(last), [4]int64{first, prev, at}
	if i = pass(b, i, `,"b":[`); i < 0 {
		return 0, -1
	}
	return d.fastSides(b, i, `,"a":[`, ev, lv)
}

// fastTop: {"lastUpdateId":1,"bids":[..],"asks":[..]}.
func (d *Decoder) fastTop(b []byte, i int, ev *core.Event, lv []core.Level) (n, next int) {
	if !lit(b, i, `"lastUpdateId":`) {
		return 0, -1
	}
	id, i := number(b, i+15)
	if i = pass(b, i, `,"bids":[`); i < 0 {
		return 0, -1
	}
	ev.Kind, ev.Flags = core.DepthTop, 0
	ev.ID, ev.W = uint64(id), [4]int64{}
	return d.fastSides(b, i, `,"asks":[`, ev, lv)
}

// fastSides reads bids, asks and the closing brace; i stands behind the bids'
// opening bracket.
func (d *Decoder) fastSides(b []byte, i int, between string, ev *core.Event, lv []core.Level) (n, next int) {
	lv = lv[:cap(lv)]
	bids, i := fastLevels(b, i, lv)
	if i = pass(b, i, between); i < 0 || bids > maxLevels {
		return 0, -1
	}
	asks, i := fastLevels(b, i, lv[bids:])
	if i = pass(b, i, `}`); i < 0 || asks > maxLevels {
		return 0, -1
	}
	ev.Bids, ev.Asks = uint16(bids), uint16(asks)
	return bids + asks, i
}

package binance

import (
	"unsafe"

	"riposte/core"
)

// The fast road. Every reader below reads a payload whose beginning a template
// has recognised: it starts at the first number, returns how many levels it wrote
// and the index behind the payload's closing brace, or -1 as soon as something is
// not as expected: then the general road reads the frame from its start. What is
// accepted here is accepted there with the same result; FuzzDecode holds the two
// and the slow twin together.

// fast decodes a frame by its stream's template; n is -1 if the rest of it is not
// as expected.
func (d *Decoder) fast(b []byte, t *template, ev *core.Event, lv []core.Level) (n int) {
	i := -1
	switch t.shape {
	case touchShape, touchFutures:
		i = d.touch(b, t, ev)
	case deltaShape, deltaFutures:
		n, i = d.delta(b, t, ev, lv)
	case tradeShape, tradeFutures:
		i = d.trade(b, t, ev)
	case aggShape, aggFutures:
		n, i = d.agg(b, t, ev, lv)
	case topShape:
		n, i = d.depthTop(b, t, ev, lv)
	case klineShape:
		n, i = d.candle(b, t, ev, lv)
	case tickerShape:
		n, i = d.ticker(b, t, ev, lv)
	case miniShape:
		n, i = d.mini(b, t, ev, lv)
	}
	if i < 0 || (t.wrap == 2 && !lit(b, i, `}`)) || i+int(t.wrap)-1 != len(b) {
		return -1
	}
	if t.layouts != 0 {
		d.layouts[t.layouts-1].learn(b, t)
	}
	ev.Instrument = t.route.Instrument
	return n
}

// pass is the index behind s, which must stand at i; -1 stays -1.
func pass(b []byte, i int, s string) int {
	if i < 0 || !lit(b, i, s) {
		return -1
	}
	return i + len(s)
}

// passMid passes the template's text between the first numbers.
func (t *template) passMid(b []byte, i int) int {
	n := int(t.mid)
	if i < 0 || len(b)-i < n || !same(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i), unsafe.Pointer(&t.midText), n) {
		return -1
	}
	return i + n
}

// passMid2 passes a candle's other text.
func (t *template) passMid2(b []byte, i int) int {
	n := int(t.mid2)
	if len(b)-i < n || !same(unsafe.Add(unsafe.Pointer(unsafe.SliceData(b)), i), unsafe.Pointer(&t.mid2Text), n) {
		return -1
	}
	return i + n
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

// touch: spot {"u":1,"s":S,"b":..,"B":..,"a":..,"A":..}; USD-M
// {"e":"bookTicker","u":1,"s":S,...,"T":1,"E":1}; COIN-M
// {"u":1,"e":"bookTicker","s":S,"ps":P,...,"T":1,"E":1}.
func (d *Decoder) touch(b []byte, t *template, ev *core.Event) int {
	id, i := number(b, int(t.route.At))
	if i = t.passMid(b, i); i < 0 {
		return -1
	}
	if i = decimals(b, i, "BaA", ev.W[:]); i < 0 {
		return -1
	}
	if t.shape == touchFutures {
		if !lit(b, i, `,"T":`) {
			return -1
		}
		if _, i = number(b, i+5); i < 0 || !lit(b, i, `,"E":`) {
			return -1
		}
		_, i = number(b, i+5)
	}
	ev.Kind, ev.Flags, ev.Bids, ev.Asks = core.Touch, 0, 0, 0
	ev.ID = uint64(id)
	return pass(b, i, `}`)
}

// trade: spot {"e":"trade","E":1,"s":S,"t":1,"p":..,"q":..,"T":1,"m":true,
// "M":true}, until 2024-06 with "b" and "a" before T; futures tell T before s and
// "X":"MARKET" before m.
func (d *Decoder) trade(b []byte, t *template, ev *core.Event) int {
	_, i := number(b, int(t.route.At))
	var at int64
	if t.shape == tradeFutures {
		if i = pass(b, i, `,"T":`); i < 0 {
			return -1
		}
		at, i = d.time(b, i)
	}
	if i = t.passMid(b, i); i < 0 {
		return -1
	}
	id, i := number(b, i)
	if i < 0 || !lit(b, i, `,"p":"`) {
		return -1
	}
	if i = decimals(b, i+6, "q", ev.W[:2]); i < 0 {
		return -1
	}
	if t.shape == tradeFutures {
		i = pass(b, i, `,"X":"MARKET"`)
	} else {
		if !lit(b, i, `,"T":`) {
			if !lit(b, i, `,"b":`) {
				return -1
			}
			if _, i = number(b, i+5); i < 0 || !lit(b, i, `,"a":`) {
				return -1
			}
			if _, i = number(b, i+5); i < 0 || !lit(b, i, `,"T":`) {
				return -1
			}
		}
		at, i = d.time(b, i+5)
	}
	maker, i := maker(b, i)
	if i < 0 {
		return -1
	}
	ev.Kind, ev.Flags, ev.Bids, ev.Asks = core.Trade, maker, 0, 0
	ev.ID, ev.W[2], ev.W[3] = uint64(id), at, 0
	return pass(b, i, `}`)
}

// maker reads ,"m":true or false, and passes the ,"M":true behind it, which the
// venue documents as "ignore".
func maker(b []byte, i int) (flag uint8, next int) {
	if i < 0 {
		return 0, -1
	}
	if lit(b, i, `,"m":true`) {
		flag, i = core.FlagBuyerMaker, i+9
	} else if i = pass(b, i, `,"m":false`); i < 0 {
		return 0, -1
	}
	if lit(b, i, `,"M":true`) {
		i += 9
	}
	return flag, i
}

// agg: spot {"e":"aggTrade","E":1,"s":S,"a":1,"p":..,"q":..,"f":1,"l":1,
// "T":1,"m":true,"M":true}; futures tell a before s and no M.
func (d *Decoder) agg(b []byte, t *template, ev *core.Event, lv []core.Level) (n, next int) {
	_, i := number(b, int(t.route.At))
	var id, first, last, at int64
	if t.shape == aggFutures {
		if i = pass(b, i, `,"a":`); i < 0 {
			return 0, -1
		}
		id, i = number(b, i)
		i = t.passMid(b, i)
	} else {
		if i = t.passMid(b, i); i < 0 {
			return 0, -1
		}
		id, i = number(b, i)
		i = pass(b, i, `,"p":"`)
	}
	if i < 0 || cap(lv) == 0 {
		return 0, -1
	}
	if i = decimals(b, i, "q", ev.W[:2]); i < 0 || !lit(b, i, `,"f":`) {
		return 0, -1
	}
	if first, i = number(b, i+5); i < 0 || !lit(b, i, `,"l":`) {
		return 0, -1
	}
	if last, i = number(b, i+5); i < 0 || !lit(b, i, `,"T":`) {
		return 0, -1
	}
	at, i = d.time(b, i+5)
	maker, i := maker(b, i)
	ev.Kind, ev.Flags, ev.Bids, ev.Asks = core.AggTrade, maker, 1, 0
	ev.ID, ev.W[2], ev.W[3] = uint64(id), at, first
	lv[:1][0] = core.Level{Price: core.Price(last)}
	return 1, pass(b, i, `}`)
}

// delta: spot {"e":"depthUpdate","E":1,"s":S,"U":1,"u":1,"b":[..],"a":[..]};
// futures tell T before s and "pu" before b, COIN-M "ps" behind s.
func (d *Decoder) delta(b []byte, t *template, ev *core.Event, lv []core.Level) (n, next int) {
	at, i := d.time(b, int(t.route.At))
	futures := t.shape == deltaFutures
	if futures {
		if i = pass(b, i, `,"T":`); i < 0 {
			return 0, -1
		}
		_, i = number(b, i)
	}
	if i = t.passMid(b, i); i < 0 {
		return 0, -1
	}
	var first, last, prev int64
	if first, i = number(b, i); i < 0 || !lit(b, i, `,"u":`) {
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
	ev.Kind = core.DepthDelta
	if t.partial {
		ev.Kind, first, prev = core.DepthTop, 0, 0 // futures' partial depth
	}
	ev.Flags = 0
	ev.ID, ev.W = uint64(last), [4]int64{first, prev, at}
	if !lit(b, i, `,"b":[`) {
		return 0, -1
	}
	return d.sidesOf(b, i+6, t, gapDelta, ev, lv)
}

// depthTop: {"lastUpdateId":1,"bids":[..],"asks":[..]}.
func (d *Decoder) depthTop(b []byte, t *template, ev *core.Event, lv []core.Level) (n, next int) {
	id, i := number(b, int(t.route.At))
	if i = pass(b, i, `,"bids":[`); i < 0 {
		return 0, -1
	}
	ev.Kind, ev.Flags = core.DepthTop, 0
	ev.ID, ev.W = uint64(id), [4]int64{}
	return d.sidesOf(b, i, t, gapTop, ev, lv)
}

// gap is the text from behind the bids to the asks' first bracket, or level. Its
// last byte is a bracket.
type gap struct {
	word, care uint64 // its first bytes, at most eight, and which of the word they are
	len        int
	text       string
}

func newGap(text string) *gap {
	g := &gap{len: len(text), text: text, care: ^uint64(0)}
	if len(text) < 8 {
		g.care >>= 64 - 8*len(text)
	}
	for i := range min(len(text), 8) {
		g.word |= uint64(text[i]) << (8 * i)
	}
	return g
}

var gapDelta, gapTop = newGap(`,"a":[`), newGap(`,"asks":[`)

// sidesOf reads bids, asks and the closing brace; i stands behind the bids'
// opening bracket.
func (d *Decoder) sidesOf(b []byte, i int, t *template, between *gap, ev *core.Event, lv []core.Level) (n, next int) {
	lv = lv[:cap(lv)]
	if d.vectors {
		if t.rest == 0 {
			var bids int
			if bids, n, next = vectorSides(b, i, between, lv, t.frac, t.qfrac); next > 0 && max(bids, n-bids) <= maxLevels && lit(b, next, `}`) {
				ev.Bids, ev.Asks = uint16(bids), uint16(n-bids)
				return n, next + 1
			}
		} else {
			t.rest--
		}
	}
	first := i
	bids, i := sideOf(b, i, lv)
	if i = pass(b, i, between.text); i < 0 || bids > maxLevels {
		return 0, -1
	}
	if bids == 0 {
		first = i
	}
	asks, i := sideOf(b, i, lv[bids:])
	if i = pass(b, i, `}`); i < 0 || asks > maxLevels {
		return 0, -1
	}
	if d.vectors {
		t.learnDigits(b, first)
	}
	ev.Bids, ev.Asks = uint16(bids), uint16(asks)
	return bids + asks, i
}

// sideOf reads the levels of one side from behind the opening bracket.
func sideOf(b []byte, i int, lv []core.Level) (n, next int) {
	if i < len(b) && b[i] == ']' {
		return 0, i + 1
	}
	return fastLevels(b, i, lv)
}

// vectorRest is how many frames of a stream the vector reader is not tried on after
// it has failed on one whose digits it knew: some books have numbers too long for it.
const vectorRest = 32

// learnDigits takes the digits behind the point from the first level.
func (t *template) learnDigits(b []byte, i int) {
	var f form
	if _, i, _ = measured(b, i, &f); i < 0 || f.frac > 8 || f.qfrac > 8 {
		return
	}
	switch {
	case t.frac != uint8(f.frac) || t.qfrac != uint8(f.qfrac):
		t.frac, t.qfrac = uint8(f.frac), uint8(f.qfrac)
	case t.rest == 0:
		t.rest = vectorRest
	}
}

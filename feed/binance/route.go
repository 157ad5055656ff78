package binance

import (
	"encoding/binary"
	"math/bits"

	"riposte/core"
)

// A route's hint is which of the fast readers a payload is for, and whether it
// lies in the combined wrapper; its At is where the payload's first key starts, 0
// if the beginning was not recognised.
const (
	shapeTouch uint16 = iota
	shapeTrade
	shapeAgg
	shapeDelta
	shapePartial

	hintWrapped uint16 = 1 << 8
	hintShape          = hintWrapped - 1
)

func le(s string) uint64 { return binary.LittleEndian.Uint64([]byte(s)) }

// The first eight bytes of a stream's type, as words to switch on.
var (
	wordStream   = le(`{"stream`)
	wordBook     = le(`bookTick`)
	wordTrade    = le(`trade","`)
	wordAgg      = le(`aggTrade`)
	wordDepth100 = le(`depth@10`)
	wordDepth    = le(`depth","`)
	wordDepth0   = le(`depth@0m`)
	wordDepth500 = le(`depth@50`)
	wordDepth5   = le(`depth5@1`)
	wordDepth10  = le(`depth10@`)
	wordDepth20  = le(`depth20@`)
	wordDepth5s  = le(`depth5",`)
	wordDepth10s = le(`depth10"`)
	wordDepth20s = le(`depth20"`)
)

// Route looks at a frame's beginning. A frame that does not begin as the venue's
// do has no instrument here; decoding still finds it.
func (d *Decoder) Route(b []byte) Route {
	if len(b) < 32 {
		return Route{Instrument: core.NoInstrument}
	}
	if binary.LittleEndian.Uint64(b) != wordStream || !lit(b, 8, `":"`) {
		return d.routeRaw(b)
	}
	// The symbol ends at the first @; a quote or backslash before it makes the
	// lookup fail, which is as good as looking for them.
	const from = 11
	i := from
	for {
		if m := marks(word(b, i), '@'); m != 0 {
			i += bits.TrailingZeros64(m) >> 3
			break
		}
		if i += 8; i >= len(b) {
			return Route{Instrument: core.NoInstrument}
		}
	}
	r := Route{Instrument: d.syms.LookupStream(b[from:i])}
	if r.Instrument == core.NoInstrument {
		return r
	}
	i++
	var rest string
	switch word(b, i) {
	case wordBook:
		r.Hint, rest = shapeTouch|hintWrapped, `er","data":{`
	case wordTrade:
		r.Hint, rest = shapeTrade|hintWrapped, `data":{`
	case wordAgg:
		r.Hint, rest = shapeAgg|hintWrapped, `","data":{`
	case wordDepth100:
		r.Hint, rest = shapeDelta|hintWrapped, `0ms","data":{`
	case wordDepth:
		r.Hint, rest = shapeDelta|hintWrapped, `data":{`
	case wordDepth0:
		r.Hint, rest = shapeDelta|hintWrapped, `s","data":{`
	case wordDepth500:
		r.Hint, rest = shapeDelta|hintWrapped, `0ms","data":{`
	case wordDepth5:
		r.Hint, rest = shapePartial|hintWrapped, `00ms","data":{`
	case wordDepth10, wordDepth20:
		r.Hint, rest = shapePartial|hintWrapped, `100ms","data":{`
	case wordDepth5s:
		r.Hint, rest = shapePartial|hintWrapped, `"data":{`
	case wordDepth10s, wordDepth20s:
		r.Hint, rest = shapePartial|hintWrapped, `,"data":{`
	default:
		return r
	}
	if i += 8; lit(b, i, rest) {
		r.At = int32(i + len(rest))
	}
	return r
}

// routeRaw looks at an unwrapped payload, which tells its symbol itself.
func (d *Decoder) routeRaw(b []byte) Route {
	r := Route{Instrument: core.NoInstrument}
	i := 0
	switch {
	case lit(b, 0, `{"e":"trade","E":`):
		r.Hint, i = shapeTrade, 17
	case lit(b, 0, `{"e":"aggTrade","E":`):
		// Futures tell the id before the symbol.
		r.Hint, i = shapeAgg, 20
	case lit(b, 0, `{"e":"depthUpdate","E":`):
		r.Hint, i = shapeDelta, 23
		if d.raw.Partial {
			r.Hint = shapePartial
		}
	case lit(b, 0, `{"e":"bookTicker","u":`):
		r.Hint, i = shapeTouch, 22
	case lit(b, 0, `{"u":`):
		r.Hint, i = shapeTouch, 5
	case lit(b, 0, `{"lastUpdateId":`):
		r.Hint, r.Instrument = shapePartial, d.raw.Instrument
		if r.Instrument != core.NoInstrument {
			r.At = 1
		}
		return r
	default:
		return r
	}
	if _, i = number(b, i); i < 0 {
		return r
	}
	switch {
	case r.Hint == shapeTouch && lit(b, i, `,"e":"bookTicker"`):
		i += 17
	case lit(b, i, `,"T":`):
		if _, i = number(b, i+5); i < 0 {
			return r
		}
	case lit(b, i, `,"a":`):
		if _, i = number(b, i+5); i < 0 {
			return r
		}
	}
	if !lit(b, i, `,"s":"`) {
		return r
	}
	i += 6
	end, _ := skipString(b, i-1)
	if end < 0 {
		return r
	}
	r.Instrument = d.syms.Lookup(b[i : end-1])
	if r.Instrument != core.NoInstrument && (d.raw.Instrument == core.NoInstrument || d.raw.Instrument == r.Instrument) {
		r.At = 1
	}
	return r
}

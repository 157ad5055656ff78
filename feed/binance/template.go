package binance

import (
	"encoding/binary"
	"math/bits"
	"unsafe"

	"riposte/core"
)

// A template is how one stream's frames begin and what stands between their first
// numbers, learnt from a frame that was read the long way. A stream says the same
// words in every frame, symbol included, so the next frame is compared with them
// as a whole, eight bytes at a time, and nothing is looked up.
//
// Templates lie in a table keyed by the 24 bytes in which combined frames tell
// their stream apart. A stream that finds no place, or a frame that does not begin
// as its stream's last one did, only takes longer.
type template struct {
	key   uint64
	route Route // what Route answers
	shape shape
	wrap  uint8 // closing braces at the frame's end
	// partial: what looks like changes of the book are its best levels, whole.
	partial bool
	// Digits behind the point of a depth stream's prices and quantities, and how
	// many sides the vector reader still rests.
	frac, qfrac, rest uint8
	// layouts, of a stream of small frames, are one above their index; 0: none.
	// owned are those that came with the place in the table.
	layouts, owned uint16
	// mids are lengths of text: between the first numbers and, in a candle, the
	// second time.
	mid, mid2 uint8
	text      [textMax]byte // up to the first number; route.At long
	midText   [midMax]byte
	mid2Text  [midMax]byte
}

const (
	textMax = 96
	midMax  = 64

	// probes is how many places a template may take.
	probes = 4
	// keyAt is where a combined frame's stream name begins, behind {"stream":",
	// and keyEnd where the bytes that make a template's key end.
	keyAt  = 11
	keyEnd = keyAt + 24
)

// shape is which reader a payload is for.
type shape uint8

const (
	noShape shape = iota
	touchShape
	touchFutures
	tradeShape
	tradeFutures
	aggShape
	aggFutures
	deltaShape
	deltaFutures
	topShape
	klineShape
	tickerShape
	miniShape
)

// variants are the payloads that have a reader: the text in front of the first
// number, that between it and a second number if one comes before the symbol, the
// text before and behind the symbol.
var variants = [...]struct {
	shape                        shape
	first, second, before, after string
}{
	{touchShape, `"u":`, ``, `,`, `"b":"`},
	{touchFutures, `"e":"bookTicker","u":`, ``, `,`, `"b":"`},
	{touchFutures, `"u":`, ``, `,"e":"bookTicker",`, `"b":"`},
	{tradeShape, `"e":"trade","E":`, ``, `,`, `"t":`},
	{tradeFutures, `"e":"trade","E":`, `,"T":`, `,`, `"t":`},
	{aggShape, `"e":"aggTrade","E":`, ``, `,`, `"a":`},
	{aggFutures, `"e":"aggTrade","E":`, `,"a":`, `,`, `"p":"`},
	{deltaShape, `"e":"depthUpdate","E":`, ``, `,`, `"U":`},
	{deltaFutures, `"e":"depthUpdate","E":`, `,"T":`, `,`, `"U":`},
	{topShape, `"lastUpdateId":`, ``, ``, ``},
	{klineShape, `"e":"kline","E":`, ``, `,`, `"k":{"t":`},
	{tickerShape, `"e":"24hrTicker","E":`, ``, `,`, `"p":"`},
	{miniShape, `"e":"24hrMiniTicker","E":`, ``, `,`, `"c":"`},
}

// templateTable has room for several streams of each symbol.
func templateTable(symbols int) []template {
	size := 16
	for size < 6*symbols && size < 1<<13 {
		size *= 2
	}
	return make([]template, size)
}

// layoutTable has room for two streams of small frames of each symbol.
func layoutTable(symbols int) []layouts { return make([]layouts, 0, min(2*symbols, 1<<11)) }

// same compares n bytes, at least eight.
func same(p, q unsafe.Pointer, n int) bool {
	var diff uint64
	for k := 0; k < n-8; k += 8 {
		diff |= at64(p, k) ^ at64(q, k)
	}
	return diff|(at64(p, n-8)^at64(q, n-8)) == 0
}

// Route looks at a frame's beginning. A frame that does not begin as the venue's
// do has no instrument here; decoding still finds it.
func (d *Decoder) Route(b []byte) Route {
	if len(b) < keyEnd {
		return Route{Instrument: core.NoInstrument}
	}
	p := unsafe.Pointer(unsafe.SliceData(b))
	key := streamKey(p)
	t := &d.templates[key>>40&uint64(len(d.templates)-1)]
	if n := int(t.route.At); t.key == key && n <= len(b) && same(p, unsafe.Pointer(&t.text), n) {
		return t.route
	}
	return d.routeSlow(b, key)
}

func streamKey(p unsafe.Pointer) uint64 {
	k := (at64(p, keyAt) ^ bits.RotateLeft64(at64(p, keyAt+8), 19) ^ bits.RotateLeft64(at64(p, keyAt+16), 41)) * 0x9e3779b97f4a7c15
	return k | 1 // an empty place has key 0
}

// routeSlow looks where else a template may be, and learns one.
func (d *Decoder) routeSlow(b []byte, key uint64) Route {
	p := unsafe.Pointer(unsafe.SliceData(b))
	mask := uint64(len(d.templates) - 1)
	for k := uint64(1); k < probes; k++ {
		t := &d.templates[(key>>40+k)&mask]
		if n := int(t.route.At); t.key == key && n <= len(b) && same(p, unsafe.Pointer(&t.text), n) {
			return t.route
		}
	}
	if at64(p, 0) != wordStream || !lit(b, 8, `":"`) {
		return d.routeRaw(b)
	}
	end, escaped := skipString(b, keyAt-1)
	if end < 0 || escaped {
		return Route{Instrument: core.NoInstrument}
	}
	d.scratch = d.scratch[:0]
	st := d.stream(b[keyAt : end-1])
	if st.id == core.NoInstrument || !lit(b, end, `,"data":{`) {
		return Route{Instrument: st.id}
	}
	return d.learn(b, end+9, key, st, 2)
}

// routeRaw looks at an unwrapped payload, which tells its symbol itself.
func (d *Decoder) routeRaw(b []byte) Route {
	r := Route{Instrument: d.raw.Instrument}
	if b[0] != '{' {
		return Route{Instrument: core.NoInstrument}
	}
	if !lit(b, 0, `{"lastUpdateId":`) {
		i := rawSymbol(b)
		if i < 0 {
			return Route{Instrument: core.NoInstrument}
		}
		end, _ := skipString(b, i-1)
		if end < 0 {
			return Route{Instrument: core.NoInstrument}
		}
		r.Instrument = d.syms.Lookup(b[i : end-1])
		if d.raw.Instrument != core.NoInstrument && d.raw.Instrument != r.Instrument {
			return r
		}
	}
	if r.Instrument == core.NoInstrument {
		return r
	}
	// Payloads of a symbol differ in their first words: the key of their
	// template. The rest of it is compared by the reader.
	p := unsafe.Pointer(unsafe.SliceData(b))
	key := (at64(p, 0)^bits.RotateLeft64(at64(p, 8)&0xffff, 40)^uint64(r.Instrument)<<17)*0x9e3779b97f4a7c15 | 1
	mask := uint64(len(d.templates) - 1)
	for k := range uint64(probes) {
		t := &d.templates[(key>>40+k)&mask]
		if n := int(t.route.At); t.key == key && n <= len(b) && t.route.Instrument == r.Instrument && string(b[:n]) == string(t.text[:n]) {
			return t.route
		}
	}
	return d.learn(b, 1, key, streamName{id: r.Instrument, partial: d.raw.Partial}, 1)
}

// rawSymbol is where the symbol of an unwrapped payload in the venue's own order
// starts, -1 if the payload is another.
func rawSymbol(b []byte) int {
	for v := range variants {
		x := &variants[v]
		i := 1 + len(x.first)
		if x.before == "" || !lit(b, 1, x.first) {
			continue
		}
		if _, i = number(b, i); i < 0 {
			return -1
		}
		if x.second != "" {
			if !lit(b, i, x.second) {
				continue
			}
			if _, i = number(b, i+len(x.second)); i < 0 {
				return -1
			}
		}
		if lit(b, i, x.before) && lit(b, i+len(x.before), `"s":"`) {
			return i + len(x.before) + 5
		}
	}
	return -1
}

// learn makes a template of a frame whose payload's first key is at b[at]; wrap is
// how many braces close it. Where the payload is none that has a reader, the route
// tells the instrument only.
func (d *Decoder) learn(b []byte, at int, key uint64, st streamName, wrap uint8) Route {
	r := Route{Instrument: st.id}
	for v := range variants {
		x := &variants[v]
		if !lit(b, at, x.first) {
			continue
		}
		t := template{key: key, route: r, shape: x.shape, wrap: wrap}
		i := at + len(x.first)
		t.route.At = int32(i)
		if i > textMax {
			return r
		}
		copy(t.text[:], b[:i])
		if !d.learnMids(b, i, v, st.id, &t) {
			continue
		}
		t.partial, t.frac, t.qfrac = st.partial, 8, 8 // spot's digits
		return d.keep(&t)
	}
	return r
}

// learnMids takes what lies between the numbers, the first of which is at b[i].
func (d *Decoder) learnMids(b []byte, i, variant int, id core.InstrumentID, t *template) bool {
	x := &variants[variant]
	_, i = number(b, i)
	if x.before == "" {
		return i > 0
	}
	if x.second != "" && i > 0 {
		if !lit(b, i, x.second) {
			return false
		}
		_, i = number(b, i+len(x.second))
	}
	if i < 0 || !lit(b, i, x.before) || !lit(b, i+len(x.before), d.syms.fields[id]) {
		return false
	}
	end := i + len(x.before) + len(d.syms.fields[id])
	if lit(b, end, `"ps":"`) { // COIN-M names the pair too
		if end, _ = skipString(b, end+5); end < 0 || !lit(b, end, `,`) {
			return false
		}
		end++
	}
	if !lit(b, end, x.after) {
		return false
	}
	end += len(x.after)
	if end-i > midMax {
		return false
	}
	t.mid = uint8(copy(t.midText[:], b[i:end]))
	if t.shape != klineShape {
		return true
	}
	// A candle tells its symbol again, and its interval.
	if _, i = number(b, end); i < 0 || !lit(b, i, `,"T":`) {
		return false
	}
	if _, i = number(b, i+5); i < 0 || !lit(b, i, `,`) || !lit(b, i+1, d.syms.fields[id]) {
		return false
	}
	end = i + 1 + len(d.syms.fields[id])
	if !lit(b, end, `"i":"`) {
		return false
	}
	if end, _ = skipString(b, end+4); end < 0 || !lit(b, end, `,"f":`) {
		return false
	}
	end += 5
	if end-i > midMax {
		return false
	}
	t.mid2 = uint8(copy(t.mid2Text[:], b[i:end]))
	return true
}

// keep puts a template into the table: in the place of the one it replaces, else in
// a free one, else in the first.
func (d *Decoder) keep(t *template) Route {
	mask := uint64(len(d.templates) - 1)
	at := t.key >> 40 & mask
	for k := range uint64(probes) {
		i := (t.key>>40 + k) & mask
		if old := d.templates[i].key; old == 0 || old == t.key {
			at = i
			break
		}
	}
	t.route.Hint = uint16(at)
	t.owned = d.templates[at].owned
	if t.shape <= tradeFutures && d.vectors {
		if d.layouts == nil {
			d.layouts = layoutTable(d.syms.Count())
		}
		if t.owned != 0 {
			d.layouts[t.owned-1] = layouts{}
		} else if len(d.layouts) < cap(d.layouts) {
			d.layouts = d.layouts[:len(d.layouts)+1]
			t.owned = uint16(len(d.layouts))
		}
		t.layouts = t.owned
	}
	d.templates[at] = *t
	return t.route
}

// forget drops the template of a stream that has changed its words, so that the
// next frame teaches them.
func (d *Decoder) forget(r Route) {
	if t := &d.templates[r.Hint]; t.route == r {
		*t = template{owned: t.owned}
	}
}

func le(s string) uint64 { return binary.LittleEndian.Uint64([]byte(s)) }

var wordStream = le(`{"stream`)

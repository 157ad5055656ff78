package binance

import (
	"math"
	"math/bits"
	"os"
	"unsafe"

	"riposte/core"
	"riposte/feed"
)

// Result is the session's word for what a frame turned out to be.
type Result = feed.Result

// Reply is the session's word for the answer to a request.
type Reply = feed.Reply

// Route is the session's word for a look at a frame's beginning.
type Route = feed.Route

// The results, for callers that use the decoder without a session.
const (
	Decoded       = feed.Decoded
	Control       = feed.Control
	Shutdown      = feed.Shutdown
	Many          = feed.Many
	Ignored       = feed.Ignored
	UnknownSymbol = feed.UnknownSymbol
	Malformed     = feed.Malformed
	Full          = feed.Full
)

// Raw says what a socket on a bare /ws/<stream> carries, because partial depth
// tells neither its symbol nor, on futures, that it is partial.
type Raw struct {
	Instrument core.InstrumentID // NoInstrument unless the socket carries one symbol
	Partial    bool              // the stream is <symbol>@depth5, 10 or 20
}

// Stats counts what a decoder has seen. It is the owner's; copy it to read it
// elsewhere.
type Stats struct {
	Fast, General uint64 // events decoded by each road
	Results       [feed.Results]uint64
	UnknownFields uint64 // in decoded events that took the general road
}

// Decoder turns the frames of one connection into events. The time unit is the
// connection's, as asked for in its URL. One goroutine; no allocation, except
// that the first frame with escapes in its strings may make a small buffer, and
// the first touch or trade a table of layouts.
type Decoder struct {
	syms *Symbols
	unit int64 // ns per venue time unit
	raw  Raw

	timeMax int64 // the latest venue time that fits in ns

	reply  Reply
	stats  Stats
	noFast bool

	vectors   bool
	templates []template
	layouts   []layouts
	numbers   [8]int64 // of a small frame
	names     [1 << namesBits]knownStream

	// the general road's working memory
	top, data, sub object
	levelOwner     *object
	lv             []core.Level
	filled         int
	scratch        []byte
	manyAt         int
	manyDepth      int
	manyStream     streamName
}

// NewDecoder makes a decoder for a connection that sends times in unit and, if
// it is not a combined one, what raw tells.
func NewDecoder(syms *Symbols, unit core.TimeUnit, raw Raw) *Decoder {
	return &Decoder{syms: syms, unit: unit.Ns(), raw: raw, timeMax: math.MaxInt64 / unit.Ns(), vectors: useVectors, templates: templateTable(syms.Count())}
}

// GeneralOnly makes the decoder leave out the fast road: for tests and for
// measuring what it is worth.
func (d *Decoder) GeneralOnly() *Decoder {
	d.noFast = true
	return d
}

// ScalarOnly makes the decoder leave the machine's vector instructions alone: for
// tests and for measuring what they are worth.
func (d *Decoder) ScalarOnly() *Decoder {
	d.vectors = false
	return d
}

// useVectors can be switched off from outside, should a machine's vectors be slow
// or not to be trusted: RIPOSTE_VECTORS=off.
var useVectors = hasVectors && os.Getenv("RIPOSTE_VECTORS") != "off"

// Stats points at the counters, which the decoding goroutine writes.
func (d *Decoder) Stats() *Stats { return &d.stats }

// Reply is what the last frame with result Control said. Both error shapes are
// read: nested, as seen on the wire, and flat, as documented (Binance Spot API
// docs, WebSocket streams, 2026-07-21).
func (d *Decoder) Reply() *Reply { return &d.reply }

// Decode reads one frame, raw or in the combined wrapper. It fills ev except for
// Recv, Line and DecodeNs, writes the event's levels to lv[:n] within cap(lv),
// and keeps neither. frame is only borrowed: no event points into it. Prices and
// quantities are at 1e-8; a number that does not fit, has digits beyond 1e-8 or
// is negative where it must not be makes the frame Malformed.
func (d *Decoder) Decode(frame []byte, ev *core.Event, lv []core.Level) (n int, res Result) {
	return d.DecodeRouted(frame, d.Route(frame), ev, lv)
}

// DecodeRouted is Decode for a frame that Route has looked at.
func (d *Decoder) DecodeRouted(frame []byte, r Route, ev *core.Event, lv []core.Level) (n int, res Result) {
	if r.At > 0 && !d.noFast {
		if t := &d.templates[r.Hint]; t.route == r {
			if t.layouts != 0 && d.small(frame, t, ev) {
				d.stats.Fast++
				d.stats.Results[Decoded]++
				return 0, Decoded
			}
			if n = d.fast(frame, t, ev, lv); n >= 0 {
				d.stats.Fast++
				d.stats.Results[Decoded]++
				return n, Decoded
			}
		}
	}
	n, res = d.general(frame, ev, lv)
	d.stats.Results[res]++
	if res == Decoded && r.At > 0 && !d.noFast {
		d.forget(r)
	}
	return n, res
}

// NextOf decodes the next event of a frame that gave Many; more is false, and
// nothing else of meaning, after the last.
func (d *Decoder) NextOf(frame []byte, ev *core.Event, lv []core.Level) (n int, res Result, more bool) {
	i := skipWS(frame, d.manyAt)
	if i >= len(frame) || frame[i] == ']' || d.manyAt == 0 {
		d.manyAt = 0
		return 0, Ignored, false
	}
	end := skipValue(frame, i, d.manyDepth)
	if end < 0 {
		panic("BUG: element of an array of events is not JSON; the array was")
	}
	d.manyAt = skipWS(frame, end)
	if frame[d.manyAt] == ',' {
		d.manyAt++
	}
	d.scratch = d.scratch[:0]
	d.lv, d.levelOwner, d.filled = lv[:cap(lv)], nil, 0
	if frame[i] != '{' {
		res = Malformed
	} else {
		d.object(frame, i, &d.data, d.manyDepth+1)
		n, res = d.event(frame, &d.data, d.manyStream, false, ev)
	}
	d.lv = nil
	d.stats.Results[res]++
	return n, res, true
}

// general decodes any frame in one pass over its JSON.
func (d *Decoder) general(frame []byte, ev *core.Event, lv []core.Level) (n int, res Result) {
	d.scratch = d.scratch[:0]
	d.lv, d.levelOwner, d.filled = lv[:cap(lv)], nil, 0
	n, res = d.frame(frame, ev)
	d.lv = nil // lent memory is not ours any more
	if res == Decoded {
		d.stats.General++
	}
	return n, res
}

func (d *Decoder) frame(b []byte, ev *core.Event) (n int, res Result) {
	i := skipWS(b, 0)
	if i >= len(b) {
		return 0, Malformed
	}
	if b[i] != '{' {
		end := skipValue(b, i, 0)
		if end < 0 || skipWS(b, end) != len(b) {
			return 0, Malformed
		}
		if b[i] != '[' {
			return 0, Ignored
		}
		d.manyAt, d.manyDepth, d.manyStream = i+1, 1, streamName{id: core.NoInstrument}
		return 0, Many
	}
	end := d.object(b, i, &d.top, 1)
	if end < 0 || skipWS(b, end) != len(b) || d.top.dup {
		return 0, Malformed
	}
	if !d.top.has(slotStream) || !d.top.has(slotData) {
		return d.event(b, &d.top, streamName{id: d.raw.Instrument, partial: d.raw.Partial}, true, ev)
	}
	name, ok := d.text(b, &d.top, slotStream)
	if !ok {
		return 0, Malformed
	}
	st := d.known(name)
	switch at := d.top.at[slotData]; b[at.lo] {
	case '{':
		return d.event(b, &d.data, st, false, ev)
	case '[':
		d.manyAt, d.manyDepth, d.manyStream = int(at.lo)+1, 2, st
		return 0, Many
	}
	return 0, Ignored
}

// streamName is what a stream's name says about its events.
type streamName struct {
	id      core.InstrumentID // NoInstrument if it names no symbol of the table
	partial bool              // depth5, depth10, depth20: the best levels as a whole
}

// knownStream is a stream's name and what it says.
type knownStream struct {
	says streamName
	len  int
	name [40]byte
}

// known is stream for a name that was mostly looked at before.
func (d *Decoder) known(name []byte) streamName {
	if len(name) < 8 || len(name) > len(knownStream{}.name) {
		return d.stream(name)
	}
	p := unsafe.Pointer(unsafe.SliceData(name))
	h := (at64(p, 0) ^ bits.RotateLeft64(at64(p, len(name)-8), 23)) * 0x9e3779b97f4a7c15
	k := &d.names[h>>(64-namesBits)]
	if k.len != len(name) || !same(p, unsafe.Pointer(&k.name), len(name)) {
		k.says = d.stream(name)
		k.len = copy(k.name[:], name)
	}
	return k.says
}

const namesBits = 6

// stream reads "<symbol>@<type>". The symbol may be percent-encoded.
func (d *Decoder) stream(name []byte) (st streamName) {
	st.id = core.NoInstrument
	at := -1
	escaped := false
	for i, c := range name {
		if c == '@' && at < 0 {
			at = i
		}
		escaped = escaped || c == '%'
	}
	if at < 0 {
		return st
	}
	sym, kind := name[:at], name[at+1:]
	if escaped {
		from := len(d.scratch)
		var ok bool
		if d.scratch, ok = appendPercentDecoded(d.scratch, sym); ok {
			sym = d.scratch[from:]
		}
	}
	st.id = d.syms.LookupStream(sym)
	for _, p := range [...]string{"depth5", "depth10", "depth20"} {
		if lit(kind, 0, p) && (len(kind) == len(p) || kind[len(p)] == '@') {
			st.partial = true
		}
	}
	return st
}

func appendPercentDecoded(dst, s []byte) ([]byte, bool) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '%' {
			if i+3 > len(s) {
				return dst, false
			}
			r, ok := hexRune(s[i+1 : i+3])
			if !ok {
				return dst, false
			}
			c = byte(r)
			i += 2
		}
		dst = append(dst, c)
	}
	return dst, true
}

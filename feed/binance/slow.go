package binance

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"net/url"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"riposte/core"
)

// Slow is the decoder written a third time, in the plainest way, on fastjson and
// encoding/json: the oracle of tests and fuzzing, and the peer of benchmarks. It
// allocates freely. One goroutine.
type Slow struct {
	Symbols *Symbols
	Unit    core.TimeUnit
	Raw     Raw
	Levels  int // capacity that an event's levels have

	p fastjson.Parser
}

// SlowEvent is one event with its levels, if Result is Decoded.
type SlowEvent struct {
	Result Result
	Event  core.Event
	Levels []core.Level
}

// Decode reads one frame: a single event, or for Many all of them. The reply is
// set where the result is Control.
func (s *Slow) Decode(frame []byte) (events []SlowEvent, res Result, reply Reply) {
	// fastjson is lenient and its Validate misses control characters before an
	// escape; the standard library decides what is JSON.
	if !json.Valid(frame) || nesting(frame) > maxNesting {
		return nil, Malformed, reply
	}
	v, err := s.p.ParseBytes(frame)
	if err != nil {
		return nil, Malformed, reply
	}
	switch v.Type() {
	case fastjson.TypeArray:
		return s.many(v, slowStream{id: core.NoInstrument}), Many, reply
	case fastjson.TypeObject:
	default:
		return nil, Ignored, reply
	}
	top := v.GetObject()
	if repeats(top) {
		return nil, Malformed, reply
	}
	name, data := top.Get("stream"), top.Get("data")
	if name == nil || data == nil {
		if reply, ok := control(top); ok {
			return nil, Control, reply
		}
		e := s.event(top, slowStream{s.Raw.Instrument, s.Raw.Partial})
		return []SlowEvent{e}, e.Result, reply
	}
	if name.Type() != fastjson.TypeString {
		return nil, Malformed, reply
	}
	st := s.stream(string(name.GetStringBytes()))
	switch data.Type() {
	case fastjson.TypeArray:
		return s.many(data, st), Many, reply
	case fastjson.TypeObject:
		e := s.event(data.GetObject(), st)
		return []SlowEvent{e}, e.Result, reply
	}
	return nil, Ignored, reply
}

func (s *Slow) many(v *fastjson.Value, st slowStream) (out []SlowEvent) {
	for _, el := range v.GetArray() {
		if el.Type() != fastjson.TypeObject {
			out = append(out, SlowEvent{Result: Malformed})
			continue
		}
		out = append(out, s.event(el.GetObject(), st))
	}
	return out
}

type slowStream struct {
	id      core.InstrumentID
	partial bool
}

func (s *Slow) stream(name string) slowStream {
	sym, kind, ok := strings.Cut(name, "@")
	if !ok {
		return slowStream{id: core.NoInstrument}
	}
	if plain, err := url.PathUnescape(sym); err == nil {
		sym = plain
	}
	kind, _, _ = strings.Cut(kind, "@")
	partial := kind == "depth5" || kind == "depth10" || kind == "depth20"
	for i := range s.Symbols.Count() {
		if strings.ToLower(s.Symbols.Name(core.InstrumentID(i))) == sym {
			return slowStream{core.InstrumentID(i), partial}
		}
	}
	return slowStream{core.NoInstrument, partial}
}

var slowKinds = map[string]core.EventKind{
	"depthUpdate": core.DepthDelta, "bookTicker": core.Touch, "trade": core.Trade, "aggTrade": core.AggTrade,
	"kline": core.Kline, "24hrTicker": core.Ticker24h, "24hrMiniTicker": core.MiniTicker, "avgPrice": core.AvgPrice,
}

func (s *Slow) event(o *fastjson.Object, st slowStream) (out SlowEvent) {
	fail := func(r Result) SlowEvent { return SlowEvent{Result: r} }
	if repeats(o) {
		return fail(Malformed)
	}
	has := func(keys ...string) bool {
		for _, k := range keys {
			if o.Get(k) == nil {
				return false
			}
		}
		return true
	}
	var kind core.EventKind
	switch e := o.Get("e"); {
	case e == nil && has("lastUpdateId", "bids", "asks"):
		kind = core.DepthTop
	case e == nil && has("u", "b", "B", "a", "A"):
		kind = core.Touch
	case e == nil:
		return fail(Ignored)
	case e.Type() != fastjson.TypeString:
		return fail(Malformed)
	case string(e.GetStringBytes()) == "serverShutdown":
		return fail(Shutdown)
	default:
		if kind = slowKinds[string(e.GetStringBytes())]; kind == 0 {
			return fail(Ignored)
		}
	}
	if kind == core.DepthDelta && st.partial {
		kind = core.DepthTop
	}
	id := st.id
	if v := o.Get("s"); v != nil {
		if v.Type() != fastjson.TypeString {
			return fail(Malformed)
		}
		id = core.NoInstrument
		for i := range s.Symbols.Count() {
			if s.Symbols.Name(core.InstrumentID(i)) == string(v.GetStringBytes()) {
				id = core.InstrumentID(i)
			}
		}
		if id != core.NoInstrument && st.id != core.NoInstrument && id != st.id {
			return fail(Malformed)
		}
	}
	if id == core.NoInstrument {
		return fail(UnknownSymbol)
	}
	r := slowReader{o: o, unit: s.Unit.Ns()}
	ev := core.Event{Kind: kind, Instrument: id}
	var lv []core.Level
	switch kind {
	case core.DepthDelta, core.DepthTop:
		bids, asks := "b", "a"
		if v := o.Get("lastUpdateId"); kind == core.DepthTop && v != nil {
			bids, asks = "bids", "asks"
			ev.ID = uint64(r.count("lastUpdateId"))
		} else {
			ev.ID = uint64(r.count("u"))
		}
		if kind == core.DepthDelta {
			ev.W[0] = r.count("U")
			if has("pu") {
				ev.W[1] = r.count("pu")
			}
		}
		if has("E") {
			ev.W[2] = r.time("E")
		}
		b, a := r.levels(bids), r.levels(asks)
		lv = append(b, a...)
		if !r.bad && (len(b) > maxLevels || len(a) > maxLevels) {
			return fail(Full)
		}
		ev.Bids, ev.Asks = uint16(len(b)), uint16(len(a))
	case core.Touch:
		ev.ID = uint64(r.count("u"))
		ev.W = [4]int64{r.dec("b"), r.dec("B"), r.dec("a"), r.dec("A")}
	case core.Trade:
		ev.ID = uint64(r.count("t"))
		ev.W = [4]int64{r.dec("p"), r.dec("q"), r.time("T"), 0}
		ev.Flags = flagIf(r.boolean("m"), core.FlagBuyerMaker)
	case core.AggTrade:
		ev.ID = uint64(r.count("a"))
		ev.W = [4]int64{r.dec("p"), r.dec("q"), r.time("T"), r.integer("f")}
		ev.Flags = flagIf(r.boolean("m"), core.FlagBuyerMaker)
		lv = []core.Level{{Price: core.Price(r.integer("l"))}}
	case core.Kline:
		k := slowReader{o: o.Get("k").GetObject(), unit: r.unit}
		if k.o == nil || repeats(k.o) {
			return fail(Malformed)
		}
		ev.ID = uint64(k.lastTrade())
		ev.W = [4]int64{k.time("t"), k.time("T"), k.count("n"), k.integer("f")}
		ev.Flags = flagIf(k.boolean("x"), core.FlagClosed)
		lv = []core.Level{k.pair(k.dec("o"), k.dec("h")), k.pair(k.dec("l"), k.dec("c")),
			k.pair(k.volume("v"), k.volume("q")), k.pair(k.volume("V"), k.volume("Q"))}
		r.bad = r.bad || k.bad
	case core.Ticker24h:
		ev.ID = uint64(r.lastTrade())
		ev.W = [4]int64{r.time("E"), r.dec("c"), r.dec("o"), r.count("n")}
		lv = []core.Level{r.pair(r.dec("h"), r.dec("l")), r.pair(r.volume("v"), r.volume("q")), {}, {}}
		for i, keys := range [2][2]string{{"b", "B"}, {"a", "A"}} {
			if has(keys[0]) {
				lv[2+i].Price = core.Price(r.dec(keys[0]))
			}
			if has(keys[1]) {
				lv[2+i].Qty = core.Qty(r.dec(keys[1]))
			}
		}
	case core.MiniTicker:
		ev.W = [4]int64{r.time("E"), r.dec("c"), r.dec("o"), 0}
		lv = []core.Level{r.pair(r.dec("h"), r.dec("l")), r.pair(r.volume("v"), r.volume("q"))}
	case core.AvgPrice:
		ev.W = [4]int64{r.dec("w"), r.time("T"), 0, 0}
	}
	if kind != core.DepthDelta && kind != core.DepthTop {
		ev.Bids = uint16(len(lv))
	}
	if r.bad {
		return fail(Malformed)
	}
	if len(lv) > s.Levels {
		return fail(Full)
	}
	return SlowEvent{Decoded, ev, lv}
}

// slowReader reads fields of one object; bad is set by the first that is missing
// or unreadable.
type slowReader struct {
	o    *fastjson.Object
	unit int64
	bad  bool
}

func (r *slowReader) text(key string) (string, bool) {
	v := r.o.Get(key)
	if v == nil || v.Type() != fastjson.TypeString {
		r.bad = true
		return "", false
	}
	return string(v.GetStringBytes()), true
}

func (r *slowReader) dec(key string) int64 {
	s, _ := r.text(key)
	v, err := core.ParseDecimal(s)
	r.bad = r.bad || err != nil
	return v
}

func (r *slowReader) volume(key string) int64 {
	s, _ := r.text(key)
	v, err := core.ParseDecimal(s)
	if errors.Is(err, core.ErrDecimalOverflow) {
		return math.MaxInt64
	}
	r.bad = r.bad || err != nil
	return v
}

func (r *slowReader) integer(key string) int64 {
	v := r.o.Get(key)
	if v == nil || v.Type() != fastjson.TypeNumber {
		r.bad = true
		return 0
	}
	n, err := strconv.ParseInt(v.String(), 10, 64)
	if err != nil || n == math.MinInt64 {
		r.bad = true
	}
	return n
}

func (r *slowReader) count(key string) int64 {
	v := r.integer(key)
	r.bad = r.bad || v < 0
	return v
}

func (r *slowReader) time(key string) int64 {
	v := r.count(key)
	if v > math.MaxInt64/r.unit {
		r.bad = true
		return 0
	}
	return v * r.unit
}

func (r *slowReader) lastTrade() int64 {
	if r.o.Get("L") == nil {
		return 0
	}
	return max(r.integer("L"), 0)
}

func (r *slowReader) boolean(key string) bool {
	v := r.o.Get(key)
	if v == nil || (v.Type() != fastjson.TypeTrue && v.Type() != fastjson.TypeFalse) {
		r.bad = true
		return false
	}
	return v.Type() == fastjson.TypeTrue
}

func (r *slowReader) pair(a, b int64) core.Level {
	return core.Level{Price: core.Price(a), Qty: core.Qty(b)}
}

func (r *slowReader) levels(key string) (out []core.Level) {
	v := r.o.Get(key)
	if v == nil || v.Type() != fastjson.TypeArray {
		r.bad = true
		return nil
	}
	for _, l := range v.GetArray() {
		pair := l.GetArray()
		if len(pair) < 2 || pair[0].Type() != fastjson.TypeString || pair[1].Type() != fastjson.TypeString {
			r.bad = true
			return nil
		}
		p, err1 := core.ParseDecimal(string(pair[0].GetStringBytes()))
		q, err2 := core.ParseDecimal(string(pair[1].GetStringBytes()))
		r.bad = r.bad || err1 != nil || err2 != nil
		out = append(out, core.Level{Price: core.Price(p), Qty: core.Qty(q)})
	}
	return out
}

// repeats reports whether a key that means something comes twice.
func repeats(o *fastjson.Object) (twice bool) {
	seen := map[string]bool{}
	o.Visit(func(key []byte, _ *fastjson.Value) {
		switch k := string(key); {
		case keySlot(key) < 0:
		case seen[k]:
			twice = true
		default:
			seen[k] = true
		}
	})
	return twice
}

// nesting is the depth of objects and arrays in legal JSON.
func nesting(b []byte) (deepest int) {
	dec := json.NewDecoder(bytes.NewReader(b))
	depth := 0
	for {
		t, err := dec.Token()
		if err != nil {
			return deepest
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
			deepest = max(deepest, depth)
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

// control reads the reply to a request, if o is one.
func control(o *fastjson.Object) (r Reply, ok bool) {
	if o.Get("e") != nil || (o.Get("lastUpdateId") != nil && o.Get("bids") != nil && o.Get("asks") != nil) ||
		(o.Get("u") != nil && o.Get("b") != nil && o.Get("B") != nil && o.Get("a") != nil && o.Get("A") != nil) {
		return r, false
	}
	result, fault, code, msg := o.Get("result"), o.Get("error"), o.Get("code"), o.Get("msg")
	if result == nil && fault == nil && (code == nil || msg == nil) {
		return r, false
	}
	r.OK = true
	if id := o.Get("id"); id != nil && id.Type() == fastjson.TypeNumber {
		n, err := strconv.ParseInt(id.String(), 10, 64)
		if err == nil && n != math.MinInt64 {
			r.ID, r.HasID = n, true
		}
	}
	if fault != nil && fault.Type() != fastjson.TypeNull {
		r.OK = false
		code, msg = fault.Get("code"), fault.Get("msg")
	} else if result != nil || code == nil {
		return r, true
	}
	r.OK = false
	if code != nil && code.Type() == fastjson.TypeNumber {
		if n, err := strconv.ParseInt(code.String(), 10, 32); err == nil {
			r.Code = int32(n)
		}
	}
	if msg != nil && msg.Type() == fastjson.TypeString {
		r.Msg = append([]byte{}, msg.GetStringBytes()...)
	}
	return r, true
}

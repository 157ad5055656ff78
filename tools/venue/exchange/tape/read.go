// Package tape reads recordings for a tape market and writes new ones from
// agents, both in the line format of the recordings' README: gzip, one line per
// frame, receive time in ns, kind, payload, separated by tabs.
package tape

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"

	"riposte/tools/venue/exchange"
)

// maxLine bounds one line: a snapshot of 5000 levels a side is about 400 kB.
const maxLine = 16 << 20

// Load reads recordings from files, which are one stream in the given order.
func Load(paths ...string) (*exchange.Recording, error) {
	r := newReader()
	for _, p := range paths {
		if err := r.file(p); err != nil {
			return nil, fmt.Errorf("cannot read recording %s: %w", p, err)
		}
	}
	return r.done()
}

// Read reads one recording, gzip or plain.
func Read(src io.Reader) (*exchange.Recording, error) {
	r := newReader()
	if err := r.stream(src); err != nil {
		return nil, fmt.Errorf("cannot read recording: %w", err)
	}
	return r.done()
}

type reader struct {
	rec     *exchange.Recording
	symbols map[string]int32
	hasTape map[int32]bool // symbols with a trade stream
	aggs    map[int]bool   // events made of aggTrade frames
	parser  fastjson.Parser
	last    exchange.Micros
	lines   int
}

func newReader() *reader {
	return &reader{rec: &exchange.Recording{}, symbols: map[string]int32{}, hasTape: map[int32]bool{}, aggs: map[int]bool{}}
}

func (r *reader) file(path string) (err error) {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	return r.stream(f)
}

func (r *reader) stream(src io.Reader) error {
	in := bufio.NewReaderSize(src, 1<<16)
	if head, _ := in.Peek(2); bytes.Equal(head, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(in)
		if err != nil {
			return err
		}
		in = bufio.NewReaderSize(z, 1<<16)
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 1<<16), maxLine)
	for n := 1; lines.Scan(); n++ {
		if err := r.line(lines.Bytes()); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	return lines.Err()
}

// line takes one recorded frame. Frames that are not of the four kinds a tape
// plays are left out.
func (r *reader) line(b []byte) error {
	first := bytes.IndexByte(b, '\t')
	if first < 0 {
		return fmt.Errorf("got %d bytes without a tab, want receive time, kind and payload", len(b))
	}
	second := bytes.IndexByte(b[first+1:], '\t')
	if second < 0 {
		return fmt.Errorf("got one tab, want receive time, kind and payload")
	}
	kind, payload := string(b[first+1:first+1+second]), b[first+second+2:]
	if first > 0 {
		ns, err := strconv.ParseInt(string(b[:first]), 10, 64)
		if err != nil || ns <= 0 {
			return fmt.Errorf("got receive time %q, want Unix nanoseconds", b[:first])
		}
		// A recorder's clock may be set back; the tape's does not run backwards.
		r.last = max(r.last, ns/1000)
	}
	v, err := r.parser.ParseBytes(payload)
	if err != nil {
		return fmt.Errorf("cannot parse payload: %w", err)
	}
	r.lines++
	switch {
	case strings.HasPrefix(kind, "rest:"):
		return r.rest(kind[len("rest:"):], v)
	case kind == "ws" || strings.HasPrefix(kind, "ws:"):
		return r.frame(v)
	}
	return nil
}

func (r *reader) rest(path string, v *fastjson.Value) error {
	name, ok := depthSymbol(path)
	if !ok {
		return nil
	}
	e := exchange.TapeEvent{Kind: exchange.TapeSnapshot, Last: v.GetInt64("lastUpdateId"), Symbol: r.symbol(name), Time: r.last}
	return r.book(&e, v, "bids", "asks")
}

// depthSymbol is the symbol of a spot depth request; false for anything else.
func depthSymbol(path string) (string, bool) {
	query, ok := strings.CutPrefix(path, "/api/v3/depth?")
	if !ok {
		return "", false
	}
	for _, kv := range strings.Split(query, "&") {
		if s, ok := strings.CutPrefix(kv, "symbol="); ok {
			return s, true
		}
	}
	return "", false
}

func (r *reader) frame(v *fastjson.Value) error {
	data := v
	if d := v.Get("data"); d != nil {
		data = d
	}
	e := exchange.TapeEvent{Time: r.last}
	name := string(data.GetStringBytes("s"))
	kind := string(data.GetStringBytes("e"))
	if name == "" {
		return nil
	}
	switch {
	case kind == "depthUpdate":
		if data.Get("pu") != nil {
			return fmt.Errorf("got a futures depth event, want spot: a tape market is spot only")
		}
		e.Kind, e.First, e.Last, e.Symbol = exchange.TapeDiff, data.GetInt64("U"), data.GetInt64("u"), r.symbol(name)
		return r.book(&e, data, "b", "a")
	case kind == "trade", kind == "aggTrade":
		e.Kind, e.Last, e.BuyerIsMaker, e.Symbol = exchange.TapeTrade, data.GetInt64("t"), data.GetBool("m"), r.symbol(name)
		if kind == "trade" {
			r.hasTape[e.Symbol] = true
		} else {
			e.Last = data.GetInt64("f")
			r.aggs[len(r.rec.Events)] = true
		}
		var err error
		if e.Price, err = number(data.Get("p")); err == nil {
			e.Qty, err = number(data.Get("q"))
		}
		if err != nil {
			return err
		}
		if _, err := exchange.Product(e.Price, e.Qty); err != nil || e.Price == 0 || e.Qty == 0 {
			return fmt.Errorf("got a trade of %d at %d, want a positive amount that fits 64 bits", e.Qty, e.Price)
		}
	case kind == "" && data.Get("B") != nil && data.Get("A") != nil:
		e.Kind, e.Last, e.Symbol = exchange.TapeTop, data.GetInt64("u"), r.symbol(name)
		var err error
		if e.Bids, err = touch(data, "b", "B"); err == nil {
			e.Asks, err = touch(data, "a", "A")
		}
		if err != nil {
			return err
		}
	default:
		return nil
	}
	r.rec.Events = append(r.rec.Events, e)
	return nil
}

func (r *reader) symbol(name string) int32 {
	n, ok := r.symbols[name]
	if !ok {
		n = int32(len(r.rec.Symbols))
		r.symbols[name] = n
		r.rec.Symbols = append(r.rec.Symbols, name)
	}
	return n
}

func (r *reader) book(e *exchange.TapeEvent, v *fastjson.Value, bids, asks string) (err error) {
	if e.Last <= 0 || e.Last == math.MaxInt64 {
		return fmt.Errorf("got update id %d, want a positive one", e.Last)
	}
	if e.Bids, err = levels(v.GetArray(bids)); err != nil {
		return err
	}
	if e.Asks, err = levels(v.GetArray(asks)); err != nil {
		return err
	}
	r.rec.Events = append(r.rec.Events, *e)
	return nil
}

func levels(vs []*fastjson.Value) ([]exchange.Level, error) {
	if len(vs) == 0 {
		return nil, nil
	}
	out := make([]exchange.Level, len(vs))
	for i, v := range vs {
		pair := v.GetArray()
		if len(pair) < 2 {
			return nil, fmt.Errorf("got a level of %d values, want price and quantity", len(pair))
		}
		var err error
		if out[i].Price, err = number(pair[0]); err != nil {
			return nil, err
		}
		if out[i].Qty, err = number(pair[1]); err != nil {
			return nil, err
		}
		if out[i].Price == 0 {
			return nil, fmt.Errorf("got a level at price 0")
		}
		if _, err := exchange.Product(out[i].Price, out[i].Qty); err != nil {
			return nil, fmt.Errorf("got a level of %d at %d, want an amount that fits 64 bits", out[i].Qty, out[i].Price)
		}
	}
	return out, nil
}

// touch is one side of a bookTicker, empty if there is nothing.
func touch(v *fastjson.Value, price, qty string) ([]exchange.Level, error) {
	p, err := number(v.Get(price))
	if err != nil {
		return nil, err
	}
	q, err := number(v.Get(qty))
	if err != nil {
		return nil, err
	}
	if p == 0 || q == 0 {
		return nil, nil
	}
	if _, err := exchange.Product(p, q); err != nil {
		return nil, fmt.Errorf("got a touch of %d at %d, want an amount that fits 64 bits", q, p)
	}
	return []exchange.Level{{Price: p, Qty: q}}, nil
}

func number(v *fastjson.Value) (exchange.Fixed, error) {
	if v == nil || v.Type() != fastjson.TypeString {
		return 0, fmt.Errorf("got no string, want a price or quantity")
	}
	s := string(v.GetStringBytes())
	n, err := exchange.ParseFixed(s)
	if err != nil {
		return 0, fmt.Errorf("got number %q: %w", s, err)
	}
	return n, nil
}

// done drops the aggregates of symbols that have single trades too.
func (r *reader) done() (*exchange.Recording, error) {
	if r.lines == 0 {
		return nil, fmt.Errorf("cannot use recording: it is empty")
	}
	if len(r.aggs) > 0 {
		kept := r.rec.Events[:0]
		for i, e := range r.rec.Events {
			if !r.aggs[i] || !r.hasTape[e.Symbol] {
				kept = append(kept, e)
			}
		}
		r.rec.Events = kept
	}
	if len(r.rec.Events) == 0 {
		return nil, fmt.Errorf("cannot use recording: no depth, bookTicker or trade among its %d lines", r.lines)
	}
	return r.rec, nil
}

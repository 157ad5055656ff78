package peers

import (
	"bytes"
	"slices"
	"unsafe"

	"github.com/bytedance/sonic"
	gbtree "github.com/google/btree"
	"github.com/valyala/fastjson"

	"riposte/bench"
	"riposte/core"
	"riposte/core/book"
)

// stacks are what one builds from libraries: a parser, a structure for each side of
// the book, and between them the venue's rules for joining events to a snapshot.
var stacks = []struct {
	name  string
	read  func() reading
	sides func() [2]side
}{
	{"json-iterator+slice", jsoniterReading, sliceSides},
	{"json-iterator+btree", jsoniterReading, btreeSides},
	{"fastjson+btree", fastjsonReading, btreeSides},
	{"sonic+btree", sonicReading, btreeSides},
	{"go-binance+btree", goBinanceReading, btreeSides},
}

// message is one decoded frame. Its levels are good until the next.
type message struct {
	first, last, prev int64 // of a depth event
	flow              uint64
	bids, asks        []core.Level
}

// reading decodes one frame of a kind.
type reading func(kind core.EventKind, f []byte, m *message)

// side is one side of a book, best first by key.
type side interface {
	clear()
	set(key int64, l core.Level)
	best() core.Level
}

// stack is one recording's state. It looks into the stream's name by hand, as all
// frames begin with it.
type stack struct {
	c      *bench.Corpus
	read   reading
	sides  [2]side
	held   []message // until the snapshot is there
	synced bool
	joined bool // an event has followed the snapshot
	last   int64
	msg    message
	sum    wholeSum
}

func newStack(c *bench.Corpus, read reading, sides func() [2]side) *stack {
	return &stack{c: c, read: read, sides: sides()}
}

func (s *stack) pass() uint64 {
	s.sum, s.synced, s.held = wholeSum{}, false, s.held[:0]
	for i := range s.c.Lines {
		if im := s.c.Lines[i].Image; im != nil {
			s.load(im)
		} else {
			s.frame(s.c.Lines[i].Frame)
		}
	}
	return s.sum.value()
}

func (s *stack) frame(f []byte) {
	at := bytes.IndexByte(f, '@')
	var kind core.EventKind
	switch rest := f[at+1:]; {
	case bytes.HasPrefix(rest, []byte("depth")):
		kind = core.DepthDelta
	case bytes.HasPrefix(rest, []byte("bookTicker")):
		kind = core.Touch
	case bytes.HasPrefix(rest, []byte("trade")):
		kind = core.Trade
	default:
		return
	}
	m := &s.msg
	s.read(kind, f, m)
	switch {
	case kind != core.DepthDelta:
		s.sum.flow += m.flow
	case s.synced:
		s.apply(m)
	default:
		held := *m
		held.bids, held.asks = slices.Clone(m.bids), slices.Clone(m.asks)
		s.held = append(s.held, held)
	}
}

func (s *stack) load(im *book.Image) {
	for k, list := range [2][]core.Level{im.Bids, im.Asks} {
		s.sides[k].clear()
		for _, l := range list {
			s.sides[k].set(keyOf(k, l), l)
		}
	}
	s.synced, s.joined, s.last = true, false, int64(im.LastID)
	for i := range s.held {
		s.apply(&s.held[i])
	}
}

// apply holds an event against the venue's rules (Binance Spot and USD-M API docs,
// 2026-07-21) and sets its levels.
func (s *stack) apply(m *message) {
	futures := s.c.Market != core.Spot
	if futures && m.last < s.last || !futures && m.last <= s.last {
		return
	}
	joins := m.first <= s.last+1
	if futures {
		joins = m.prev == s.last || !s.joined && m.first <= s.last
	}
	if !joins {
		panic("the recording has a gap")
	}
	s.joined, s.last = true, m.last
	for k, list := range [2][]core.Level{m.bids, m.asks} {
		for _, l := range list {
			s.sides[k].set(keyOf(k, l), l)
		}
	}
	s.sum.top(s.sides[core.Buy].best(), s.sides[core.Sell].best())
}

func keyOf(side int, l core.Level) int64 {
	if side == int(core.Buy) {
		return -int64(l.Price)
	}
	return int64(l.Price)
}

type btreeSide struct{ t *gbtree.BTreeG[node] }

func btreeSides() [2]side {
	return [2]side{&btreeSide{gbtree.NewG(32, less)}, &btreeSide{gbtree.NewG(32, less)}}
}

func (b *btreeSide) clear() { b.t.Clear(true) }

func (b *btreeSide) set(key int64, l core.Level) {
	if n := (node{key, l}); l.Qty == 0 {
		b.t.Delete(n)
	} else {
		b.t.ReplaceOrInsert(n)
	}
}

func (b *btreeSide) best() core.Level {
	n, _ := b.t.Min()
	return n.lv
}

// sliceSide is sorted with the best last, where most changes are.
type sliceSide struct{ list []node }

func sliceSides() [2]side { return [2]side{new(sliceSide), new(sliceSide)} }

func (b *sliceSide) clear() { b.list = b.list[:0] }

func (b *sliceSide) set(key int64, l core.Level) {
	at, found := findWorst(b.list, key)
	switch {
	case found && l.Qty == 0:
		b.list = slices.Delete(b.list, at, at+1)
	case found:
		b.list[at].lv.Qty = l.Qty
	case l.Qty != 0:
		b.list = slices.Insert(b.list, at, node{key, l})
	}
}

func (b *sliceSide) best() core.Level {
	if n := len(b.list); n > 0 {
		return b.list[n-1].lv
	}
	return core.Level{}
}

// append2 is a level from two numbers in text.
func append2[T ~string | ~[]byte](dst []core.Level, price, qty T) []core.Level {
	return append(dst, core.Level{Price: core.Price(num(price)), Qty: core.Qty(num(qty))})
}

func jsoniterReading() reading {
	v := newJsoniterPull()
	return func(kind core.EventKind, f []byte, m *message) {
		v.read(kind, f)
		if kind != core.DepthDelta {
			m.flow = v.sum(kind)
			return
		}
		m.first, m.last, m.prev = v.bigU, v.u, v.prev
		m.bids, m.asks = m.bids[:0], m.asks[:0]
		for i := 0; i < len(v.levels); i += 2 {
			l := core.Level{Price: core.Price(v.levels[i]), Qty: core.Qty(v.levels[i+1])}
			if i/2 < v.bids {
				m.bids = append(m.bids, l)
			} else {
				m.asks = append(m.asks, l)
			}
		}
	}
}

func fastjsonReading() reading {
	var p fastjson.Parser
	return func(kind core.EventKind, f []byte, m *message) {
		v, err := p.ParseBytes(f)
		must(err)
		d := v.Get("data")
		if kind != core.DepthDelta {
			m.flow = fastjsonFlow(kind, d)
			return
		}
		m.first, m.last, m.prev = d.GetInt64("U"), d.GetInt64("u"), d.GetInt64("pu")
		levels := func(dst []core.Level, key string) []core.Level {
			for _, l := range d.GetArray(key) {
				pair := l.GetArray()
				dst = append2(dst, pair[0].GetStringBytes(), pair[1].GetStringBytes())
			}
			return dst
		}
		m.bids, m.asks = levels(m.bids[:0], "b"), levels(m.asks[:0], "a")
	}
}

func sonicReading() reading {
	var touch touchFrame
	var trade tradeFrame
	var depth depthFrame
	return func(kind core.EventKind, f []byte, m *message) {
		text := unsafe.String(unsafe.SliceData(f), len(f))
		switch kind {
		case core.Touch:
			must(sonic.ConfigFastest.UnmarshalFromString(text, &touch))
			m.flow = touch.sum()
		case core.Trade:
			must(sonic.ConfigFastest.UnmarshalFromString(text, &trade))
			m.flow = trade.sum()
		default:
			d := &depth.Data
			d.Bids, d.Asks = d.Bids[:0], d.Asks[:0]
			must(sonic.ConfigFastest.UnmarshalFromString(text, &depth))
			m.first, m.last, m.prev = d.First, d.Last, d.Prev
			m.bids, m.asks = pairs(m.bids[:0], d.Bids), pairs(m.asks[:0], d.Asks)
		}
	}
}

func pairs(dst []core.Level, list [][2]string) []core.Level {
	for i := range list {
		dst = append2(dst, list[i][0], list[i][1])
	}
	return dst
}

func goBinanceReading() reading {
	touch, trade := goBinanceDecode(core.Touch), goBinanceDecode(core.Trade)
	return func(kind core.EventKind, f []byte, m *message) {
		switch kind {
		case core.Touch:
			m.flow = touch(f)
			return
		case core.Trade:
			m.flow = trade(f)
			return
		}
		v, prev := goBinanceDepth(f)
		m.first, m.last, m.prev = v.FirstUpdateID, v.LastUpdateID, prev
		m.bids, m.asks = m.bids[:0], m.asks[:0]
		for _, l := range v.Bids {
			m.bids = append2(m.bids, l.Price, l.Quantity)
		}
		for _, l := range v.Asks {
			m.asks = append2(m.asks, l.Price, l.Quantity)
		}
	}
}

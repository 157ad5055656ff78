package backtest

import (
	"slices"

	"riposte/core"
	"riposte/core/book"
)

// Laps repeats a file of events as if the market had gone on: times, update ids and trade
// ids go on where the lap before ended, and between two laps one depth event a symbol
// takes its book from where it ended back to where it began, so that books stay live.
//
// A lap after the first begins behind the last snapshot with which all books could be
// live; what lies before it is played once.
type Laps struct {
	Events *Events
	Count  int // 1: as recorded
	begin  int // offset at which laps after the first begin
	span   core.MonoNs
	ids    []uint64       // by symbol: by how many its update ids go on in a lap
	trades [][2]uint64    // likewise of trades and aggregates
	seams  [][]core.Level // by symbol: from the end's book to the beginning's, bids first
	tops   []core.Top     // by symbol: of the beginning
	bids   []int          // of them
	last   []uint64       // newest update id of the first lap, of depth or touch
	depth  []uint64       // and of depth: the seam goes on from there
	rules  []int64        // by symbol: the place of its rules where a lap begins, -1: not told
}

// seamGap is the time between two laps.
const seamGap = core.MonoNs(100e6)

// NewLaps measures a file for being repeated; count 1 costs nothing.
func NewLaps(e *Events, count int) *Laps {
	l := &Laps{Events: e, Count: max(count, 1)}
	if l.Count == 1 {
		return l
	}
	n := len(e.Symbols)
	l.ids, l.trades, l.seams, l.bids = make([]uint64, n), make([][2]uint64, n), make([][]core.Level, n), make([]int, n)
	l.last, l.depth, l.tops, l.rules = make([]uint64, n), make([]uint64, n), make([]core.Top, n), slices.Repeat([]int64{-1}, n)
	l.begin, l.span = l.start(), e.Span+seamGap
	syncs := make([]*book.Sync, n)
	images := make([][2][]core.Level, n)
	first, touched := make([]uint64, n), make([]bool, n)
	tr := make([][2][2]uint64, n) // first and last, of trades and aggregates
	waiting := make([][]waitingEvent, n)
	for i := range syncs {
		syncs[i] = book.NewSync(&core.Instrument{ID: core.InstrumentID(i), Market: e.Market, Filters: core.Filters{Tick: e.Symbols[i].Tick}}, 0, 0)
	}
	at := core.MonoNs(0)
	for off := 0; off < len(e.events); {
		if off == l.begin {
			for i, s := range syncs {
				images[i] = [2][]core.Level{sideOf(s, core.Buy), sideOf(s, core.Sell)}
				first[i] = s.LastID()
			}
		}
		ev, lv, next := e.at(off)
		if off >= l.begin && at == 0 {
			at = ev.Recv
		}
		off = next
		if ev.Instrument == core.NoInstrument {
			continue
		}
		i := ev.Instrument
		switch ev.Kind {
		case kindImage:
			syncs[i].Snapshot(imageOf(ev, lv))
			for _, w := range waiting[i] {
				syncs[i].Delta(&w.ev, w.lv)
			}
			waiting[i] = nil
		case core.DepthDelta:
			if v := syncs[i].Delta(ev, lv); v == book.Wait || v == book.Gap {
				waiting[i] = append(waiting[i], waitingEvent{*ev, lv})
			}
		case kindRules:
			if off <= l.begin {
				l.rules[i] = ev.W[0]
			}
		case core.Touch:
			l.last[i], touched[i] = max(l.last[i], ev.ID), true
		case core.Trade:
			span(&tr[i][0], ev.ID)
		case core.AggTrade:
			span(&tr[i][1], ev.ID)
		}
	}
	l.span -= at
	for i, s := range syncs {
		l.depth[i] = s.LastID()
		if l.depth[i] == 0 {
			l.last[i] = 0 // no book
		}
		l.last[i] = max(l.last[i], l.depth[i])
		l.ids[i] = l.last[i] - first[i] + 1 // and one for the seam
		for k := range tr[i] {
			if tr[i][k][1] > 0 {
				l.trades[i][k] = tr[i][k][1] - tr[i][k][0] + 1
			}
		}
		bids := difference(sideOf(s, core.Buy), images[i][core.Buy])
		l.bids[i] = len(bids)
		l.seams[i] = append(bids, difference(sideOf(s, core.Sell), images[i][core.Sell])...)
		if b, a := images[i][core.Buy], images[i][core.Sell]; touched[i] && len(b) > 0 && len(a) > 0 {
			l.tops[i] = core.Top{Bid: b[0].Price, BidQty: b[0].Qty, Ask: a[0].Price, AskQty: a[0].Qty}
		}
	}
	return l
}

func span(s *[2]uint64, id uint64) {
	if s[0] == 0 || id < s[0] {
		s[0] = id
	}
	s[1] = max(s[1], id)
}

// start is the offset behind the last symbol's first snapshot.
func (l *Laps) start() int {
	seen := make([]bool, len(l.Events.Symbols))
	begin := 0
	for off := 0; off < len(l.Events.events); {
		ev, _, next := l.Events.at(off)
		if ev.Kind == kindImage && !seen[ev.Instrument] {
			seen[ev.Instrument] = true
			begin = next
		}
		off = next
	}
	return begin
}

type waitingEvent struct {
	ev core.Event
	lv []core.Level
}

func imageOf(ev *core.Event, lv []core.Level) *book.Image {
	return &book.Image{Instrument: ev.Instrument, LastID: ev.ID, Bids: lv[:ev.Bids], Asks: lv[ev.Bids:], Limit: int(ev.W[0])}
}

func sideOf(s *book.Sync, side core.Side) []core.Level {
	b := s.Loaded()
	return b.Levels(side, make([]core.Level, 0, b.Len(side)))
}

// difference is what turns one side into another, both best first.
func difference(from, to []core.Level) (out []core.Level) {
	want := map[core.Price]core.Qty{}
	for _, x := range to {
		want[x.Price] = x.Qty
	}
	for _, x := range from {
		switch q, ok := want[x.Price]; {
		case !ok:
			out = append(out, core.Level{Price: x.Price})
		case q != x.Qty:
			out = append(out, core.Level{Price: x.Price, Qty: q})
		}
		delete(want, x.Price)
	}
	for _, x := range to {
		if _, ok := want[x.Price]; ok {
			out = append(out, x)
		}
	}
	return out
}

// Total is how many events there are in all laps, about: seams and the way in apart.
func (l *Laps) Total() uint64 { return l.Events.Head.Events * uint64(l.Count) }

// Length is about how long all laps take.
func (l *Laps) Length() core.MonoNs {
	return l.Events.Span + core.MonoNs(l.Count-1)*l.span
}

// cursor reads laps in order. Its event is the file's in the first lap and its own
// memory later; both are valid until the next call of next.
type cursor struct {
	laps  *Laps
	off   int
	lap   int
	shift core.MonoNs
	seam  int // three times the symbol whose seam is next, 1 for its depth, 2 for its rules; -1 within a lap
	own   core.Event
	ev    *core.Event
	lv    []core.Level
}

func (l *Laps) cursor() cursor { return cursor{laps: l, seam: -1} }

// next moves on to the next event; false at the end.
func (c *cursor) next() bool {
	e := c.laps.Events
	if c.seam >= 0 {
		return c.stitch()
	}
	if c.off >= len(e.events) {
		if c.lap+1 >= c.laps.Count {
			return false
		}
		c.seam = 0
		return c.stitch()
	}
	c.ev, c.lv, c.off = e.at(c.off)
	if c.lap > 0 {
		c.moved()
	}
	return true
}

// moved makes the event one of a later lap.
func (c *cursor) moved() {
	l := c.laps
	c.own = *c.ev
	c.ev = &c.own
	ev := c.ev
	ev.Recv += c.shift
	if ev.Instrument == core.NoInstrument {
		return
	}
	n := uint64(c.lap)
	switch i := ev.Instrument; ev.Kind {
	case kindImage:
		ev.ID += n * l.ids[i]
	case core.DepthDelta:
		ev.ID += n * l.ids[i]
		ev.W[0] += int64(n * l.ids[i])
		if ev.W[1] != 0 {
			ev.W[1] += int64(n * l.ids[i])
		}
		ev.W[2] += int64(c.shift)
	case core.DepthTop, core.Touch:
		ev.ID += n * l.ids[i]
	case core.Trade:
		ev.ID += n * l.trades[i][0]
		ev.W[2] += int64(c.shift)
	case core.AggTrade:
		ev.ID += n * l.trades[i][1]
		ev.W[2] += int64(c.shift)
		ev.W[3] += int64(n * l.trades[i][0])
	case core.Kline:
		ev.W[0] += int64(c.shift)
		ev.W[1] += int64(c.shift)
	}
}

// stitch gives the seam of a symbol, and after the last the first event of the next lap.
func (c *cursor) stitch() bool {
	l := c.laps
	for ; c.seam < 3*len(l.ids); c.seam++ {
		i, part := c.seam/3, c.seam%3
		switch {
		case part == 2 && l.rules[i] < 0:
			continue // not told
		case part < 2 && l.last[i] == 0, part == 0 && l.tops[i].Bid == 0:
			continue // no book, or no top
		}
		id, at := l.last[i]+uint64(c.lap)*l.ids[i]+1, l.Events.Span+c.shift+seamGap/2
		c.own = core.Event{Kind: core.Touch, Instrument: core.InstrumentID(i), ID: id, Recv: at}
		c.ev, c.lv = &c.own, nil
		switch t := &l.tops[i]; part {
		case 2: // they may have changed since
			c.own.Kind, c.own.W[0] = kindRules, l.rules[i]
		case 0:
			c.own.W = [4]int64{int64(t.Bid), int64(t.BidQty), int64(t.Ask), int64(t.AskQty)}
		default:
			c.own.Kind, c.lv = core.DepthDelta, l.seams[i]
			from := l.depth[i] + uint64(c.lap)*l.ids[i]
			c.own.W = [4]int64{int64(from + 1), int64(from), int64(l.Events.Start) + int64(at)}
			c.own.Bids, c.own.Asks = uint16(l.bids[i]), uint16(len(c.lv)-l.bids[i])
		}
		c.seam++
		return true
	}
	c.seam = -1
	c.lap++
	c.shift += l.span
	c.off = l.begin
	return c.next()
}

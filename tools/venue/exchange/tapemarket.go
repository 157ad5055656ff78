package exchange

import (
	"fmt"
	"maps"
	"math"
	"slices"
)

// TapeKind says what a recorded event is.
type TapeKind uint8

// The recorded events a tape plays.
const (
	TapeSnapshot TapeKind = iota + 1 // Bids and Asks are the book at Last
	TapeDiff                         // Bids and Asks are levels changed by First..Last
	TapeTop                          // Bids[0] and Asks[0] are the touch at Last
	TapeTrade                        // Price, Qty, BuyerIsMaker; Last is the trade id
)

// TapeEvent is one event of a recording. Symbol is an index into
// Recording.Symbols; Time is when it was received, in the recorder's clock.
type TapeEvent struct {
	Time         Micros
	First, Last  int64
	Bids, Asks   []Level
	Price, Qty   Fixed
	Symbol       int32
	Kind         TapeKind
	BuyerIsMaker bool
}

// Recording is a recording in memory: the tape package reads them from files.
// Events are in receive order. It is only read and may serve many markets.
type Recording struct {
	Symbols []string
	Events  []TapeEvent
}

// TapeOptions say how a recording is played.
type TapeOptions struct {
	Recording *Recording
	// Loop starts again from the snapshots when the recording is over. Without
	// it the book stays as the recording left it.
	Loop bool
	// Speed is how many times faster than recorded it is played, 0: 1. The recorded
	// order of events is kept whatever the speed.
	Speed float64
}

// Tape is a market that replays a recording: it sets the displayed quantity of
// every level, its trades consume that, and orders of accounts stand in the
// queues in between.
//
//   - The book of a symbol at Start is its snapshot with the events that were
//     received before it applied; everything after it is played at its receive
//     time, moved so that the recording begins at Start.
//   - An order joins a level behind what is displayed there. Trades at the price
//     consume what is ahead first, then the order. A level that shrinks without
//     a trade is taken to shrink behind the order as far as it can: the
//     conservative choice.
//   - A trade at a worse price fills the order first, up to the trade's quantity;
//     so does a touch of the other side that reaches the order's price, up to the
//     quantity displayed there.
//   - What accounts take from a level is gone until the tape sets that level to a
//     new quantity.
//
// Update ids start at the snapshot's, trade ids at the first trade's; both then
// count what this venue does. A recorded trade is one aggregate trade.
func Tape(o TapeOptions) Market { return &tapeMarket{opt: o} }

type tapeMarket struct {
	x     *Exchange
	opt   TapeOptions
	lanes []*lane // by Recording symbol, nil if the exchange does not list it
	pos   int
	start Micros // when the first event is played
	base  Micros // recorded time of the first event
}

// lane is a tape's state of one symbol.
type lane struct {
	in     *instrument
	first  int // index of the first event to play
	snap   [3]map[Fixed]Fixed
	shown  [3]map[Fixed]Fixed // what the tape last said, by side and price
	asleep bool               // the tape went on while the symbol did not trade
	startU int64              // update id of snap
	lastU  int64              // of the newest diff or top played
}

func (m *tapeMarket) attach(x *Exchange, _ uint64) error {
	m.x = x
	rec := m.opt.Recording
	if rec == nil || len(rec.Events) == 0 {
		return fmt.Errorf("tape has no events")
	}
	if m.opt.Speed < 0 || math.IsInf(m.opt.Speed, 0) || math.IsNaN(m.opt.Speed) {
		return fmt.Errorf("tape speed is %v, want more than 0", m.opt.Speed)
	}
	m.lanes = make([]*lane, len(rec.Symbols))
	for i, name := range rec.Symbols {
		if in := x.byName[name]; in != nil {
			x.addHouse(in)
			m.lanes[i] = &lane{in: in, first: -1}
		}
	}
	m.base = rec.Events[0].Time
	m.start = x.now
	if err := m.sync(); err != nil {
		return err
	}
	for _, in := range x.insts {
		if in.house == nil {
			return fmt.Errorf("tape has no symbol %q: it has %v", in.sym.Name, rec.Symbols)
		}
	}
	for _, l := range m.lanes {
		if l == nil {
			continue
		}
		if l.first < 0 {
			return fmt.Errorf("tape has no depth snapshot of %q, so its book cannot be known", l.in.sym.Name)
		}
		l.startU = l.lastU
		l.in.nextTrade, l.in.nextAgg, l.in.nextOrder, l.in.nextExec = m.firstTrade(l), 1, 1, 1
		m.replace(l, l.snap)
		l.in.updateID = l.startU // laying out the first book counts for nothing
	}
	m.skip()
	return nil
}

// sync finds each symbol's snapshot and brings it forward by the diffs that were
// received before it but are newer (venue page 5.1).
func (m *tapeMarket) sync() error {
	events := m.opt.Recording.Events
	for i := range events {
		e := &events[i]
		l := m.lanes[e.Symbol]
		if l == nil || e.Kind != TapeSnapshot || l.first >= 0 {
			continue
		}
		l.first, l.lastU = i+1, e.Last
		l.snap[Buy], l.snap[Sell] = map[Fixed]Fixed{}, map[Fixed]Fixed{}
		apply(l.snap[Buy], e.Bids)
		apply(l.snap[Sell], e.Asks)
		for j := 0; j < i; j++ {
			d := &events[j]
			if d.Symbol != e.Symbol || d.Kind != TapeDiff || d.Last <= l.lastU {
				continue
			}
			if d.First > l.lastU+1 {
				return fmt.Errorf("tape has a gap in %q: got U %d after u %d", l.in.sym.Name, d.First, l.lastU)
			}
			apply(l.snap[Buy], d.Bids)
			apply(l.snap[Sell], d.Asks)
			l.lastU = d.Last
		}
	}
	return nil
}

func apply(book map[Fixed]Fixed, ls []Level) {
	for _, l := range ls {
		if l.Qty == 0 {
			delete(book, l.Price)
		} else {
			book[l.Price] = l.Qty
		}
	}
}

func (m *tapeMarket) firstTrade(l *lane) int64 {
	for i := range m.opt.Recording.Events {
		if e := &m.opt.Recording.Events[i]; e.Kind == TapeTrade && m.lanes[e.Symbol] == l {
			return e.Last
		}
	}
	return 1
}

// replace puts a whole book in place of the tape's current one. Orders of
// accounts stay and trade if they cross it.
func (m *tapeMarket) replace(l *lane, want [3]map[Fixed]Fixed) {
	for _, side := range [2]Side{Buy, Sell} {
		prices := make([]Fixed, 0, len(want[side]))
		l.in.book(side).walk(func(lv *level) bool {
			if _, stays := want[side][lv.price]; !stays && lv.ext > 0 {
				prices = append(prices, lv.price)
			}
			return true
		})
		for p := range want[side] {
			prices = append(prices, p)
		}
		slices.Sort(prices) // map order must not number the changes
		l.shown[side] = make(map[Fixed]Fixed, len(want[side]))
		for _, p := range prices {
			m.set(l, side, p, want[side][p], false)
		}
	}
	m.uncross(l)
}

// doze follows the tape while a symbol does not trade: nothing moves on the
// venue, but what the tape shows is remembered for when it trades again.
func (l *lane) doze(e *TapeEvent) {
	l.asleep = true
	if e.Kind == TapeDiff {
		apply(l.shown[Buy], e.Bids)
		apply(l.shown[Sell], e.Asks)
		l.lastU = max(l.lastU, e.Last)
	}
}

// skip moves to the next event to play.
func (m *tapeMarket) skip() {
	events := m.opt.Recording.Events
	for ; m.pos < len(events); m.pos++ {
		e := &events[m.pos]
		if l := m.lanes[e.Symbol]; l != nil && m.pos >= l.first && e.Kind != TapeSnapshot {
			return
		}
	}
}

func (m *tapeMarket) next() (Micros, bool) {
	events := m.opt.Recording.Events
	if m.pos < len(events) {
		return m.when(events[m.pos].Time), true
	}
	if !m.opt.Loop {
		return 0, false
	}
	// One window of silence, then from the top.
	return m.when(events[len(events)-1].Time) + 100*millisecond, true
}

// when a recorded instant is played.
func (m *tapeMarket) when(recorded Micros) Micros {
	if m.opt.Speed == 0 {
		return m.start + recorded - m.base
	}
	return m.start + Micros(float64(recorded-m.base)/m.opt.Speed)
}

func (m *tapeMarket) step() {
	events := m.opt.Recording.Events
	if m.pos >= len(events) {
		t, _ := m.next()
		m.start = t
		m.pos = 0
		m.skip()
		for _, l := range m.lanes {
			if l == nil {
				continue
			}
			l.lastU = l.startU
			if l.in.sym.Status != Trading {
				l.asleep = true
				for side := range l.snap {
					l.shown[side] = maps.Clone(l.snap[side])
				}
				continue
			}
			m.replace(l, l.snap)
			m.x.commit(l.in)
		}
		return
	}
	e := &events[m.pos]
	l := m.lanes[e.Symbol]
	m.pos++
	m.skip()
	if l.in.sym.Status != Trading {
		l.doze(e)
		return
	}
	if l.asleep {
		l.asleep = false
		m.replace(l, l.shown)
	}
	switch e.Kind {
	case TapeDiff:
		m.diff(l, e)
	case TapeTop:
		m.top(l, e)
	case TapeTrade:
		m.trade(l, e)
	}
	m.x.commit(l.in)
}

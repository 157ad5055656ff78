package engine

import (
	"fmt"
	"math"
	"slices"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/core/signal"
	"riposte/core/trail"
)

// wantAgain is how long an asked-for snapshot may take before it is asked for
// again; the fetcher keeps at most one request in flight per instrument anyway.
const wantAgain = core.MonoNs(30e9)

// market is one instrument within a shard: its queue's reading end, the book, the
// signals and the strategies.
type market struct {
	id       core.InstrumentID
	at       int // in the shard's list
	inst     *core.Instrument
	queue    *ring.Queue
	sync     *book.Sync
	signals  signal.Set
	ruled    ruled
	seats    []seat   // the strategies that trade it
	top      core.Top // the freshest; what the strategy sees
	wantedAt core.MonoNs
	wanted   bool
	wasLive  bool
	blocked  bool           // the head of the queue waits for a snapshot
	useless  int            // snapshots that came for it and could not bridge it
	since    core.MonoNs    // when the first of them came
	ends     uint64         // of the queue's ends, those that were come to
	owes     bool           // a CancelAll found the outbound ring full
	halted   risk.HaltCause // this instrument alone, as last seen
	lost     bool           // out of sight for LostAfter, and its orders cancelled
	stats    *ring.Mailbox[MarketStats]
	known    known
	noted    bool // the head of the queue is in the input log
	outside  outside

	trail   *trail.Trail // of its trades, nil if they are not followed
	bars    barTeller
	unready bool         // its strategies wait for history
	levels  []core.Level // of the event being shown

	// Money, from fills alone: what the position cost, what fees took.
	cash     core.Amount // quote
	fees     feeTable
	fills    uint64
	traded   core.Qty
	lastFill core.Price
}

func newMarket(s *Shard, in *core.Instrument, q *ring.Queue, seats []Seat) (*market, error) {
	m := &market{id: in.ID, inst: in, queue: q, stats: ring.NewMailbox[MarketStats]()}
	m.sync = book.NewSync(in, s.cfg.Window, 0)
	for _, t := range seats {
		taken := slices.ContainsFunc(m.seats, func(o seat) bool { return o.Number == t.Number })
		if t.Strategy == nil || taken || int(t.Number) >= s.gate.Strategies() {
			return nil, fmt.Errorf("cannot build the shard: strategy number %d at %s is nil, taken or not below %d", t.Number, in.Symbol, s.gate.Strategies())
		}
		bars, _ := t.Strategy.(BarStrategy)
		says, _ := t.Strategy.(Saying)
		m.seats = append(m.seats, seat{Seat: t, view: View{s: s, m: m, n: t.Number}, bars: bars, says: says})
	}
	m.follow(s)
	return m, nil
}

// drain serves an instrument's queue, at most a batch, and stops early once
// something has been handed on: an order must not wait behind events that came
// after its cause. Depth events that wait for a snapshot stay in the queue, and
// what is behind them waits too; until the snapshot comes the queue is only kept
// from overflowing.
func (s *Shard) drain(m *market) int {
	n := 0
	if m.blocked {
		s.busy.Remove(m.at)
		return s.makeRoom(m)
	}
	for n < marketBatch && !s.handed {
		ev, lv := s.peek(m)
		if ev == nil {
			s.busy.Remove(m.at)
			break
		}
		s.begin()
		s.serving = ev
		taken := s.now
		s.stamps.Recv = ev.Recv
		s.stamps.Decoded = ev.Recv + core.MonoNs(ev.DecodeNs)
		out := s.event(m, ev, lv)
		if out == waits {
			s.input-- // not taken: it will be served again
		}
		if out == waits || out == broke {
			m.blocked = true
			s.busy.Remove(m.at)
			n += s.makeRoom(m)
			break
		}
		s.sample(ev, taken)
		if out == shown {
			m.levels = lv
			s.decide(m, ev)
			m.levels = nil
		}
		m.queue.Pop()
		m.noted = false
		n++
	}
	return n
}

// outcome is what became of an event.
type outcome uint8

const (
	waits outcome = iota // left in the queue; nothing has changed
	broke                // left in the queue; it demoted the book
	quiet                // taken; nothing for a strategy to see
	shown                // taken; the strategy may want to act on it
)

// event applies one event.
func (s *Shard) event(m *market, ev *core.Event, lv []core.Level) outcome {
	out := shown
	switch ev.Kind {
	case core.DepthDelta:
		out = s.depth(m, ev, lv)
	case core.Touch:
		m.sync.Touch(ev)
		s.look(m)
	case core.AvgPrice:
		s.gate.Averaged(m.id, core.Price(ev.W[0]))
		out = quiet
	case core.Trade, core.AggTrade:
		out = s.traded(m, ev, lv)
	case core.Kline:
		if m.trail != nil && m.trail.Live(ev, lv) == trail.Double {
			out = quiet
		}
	case core.Ticker24h, core.MiniTicker:
		if m.trail != nil {
			m.trail.Told(ev)
		}
	case core.LineAlive:
		m.sync.Alive(ev)
		m.heard(ev, 0)
		out = quiet
	case core.LineDown:
		m.ends++
		m.sync.LineDown()
		m.down()
		s.demoted(m)
		out = quiet
	case core.Overflow:
		m.ends++
		m.sync.Overflow()
		m.down()
		s.demoted(m)
		out = quiet
	}
	if out >= quiet {
		s.counts.Events++
		s.stamps.Applied = s.clock.Mono()
	}
	return out
}

func (s *Shard) depth(m *market, ev *core.Event, lv []core.Level) outcome {
	switch m.sync.Delta(ev, lv) {
	case book.Wait:
		s.want(m, false)
		return waits
	case book.Gap:
		// The event that shows the gap is the first of a new sequence: it waits
		// for the next snapshot.
		s.demoted(m)
		s.want(m, false)
		return broke
	case book.Applied:
		if s.cfg.Depth.Levels > 0 && m.sync.Blind() {
			m.sync.Doubt(book.RangeLeft)
			s.demoted(m)
			return quiet
		}
		m.heard(ev, ev.VenueTime())
		s.look(m)
		if m.known.held != nil && ev.ID >= m.known.held.LastID {
			s.settle(m, m.known.held)
		}
		m.ruled.depth(m.sync, s.now)
		if s.cfg.Observer != nil {
			s.cfg.Observer.DepthApplied(m.id, m.sync, ev)
		}
		return shown
	}
	// An event older than its snapshot moves nothing, but it may have been the
	// proof that made the book Live.
	if !m.wasLive {
		s.look(m)
	}
	return quiet
}

// look takes over the top that an input left behind.
func (s *Shard) look(m *market) {
	if !m.wasLive {
		if _, live := m.sync.Live(); live {
			s.risen(m)
		}
	}
	m.top = m.sync.Top()
	m.signals.OnTop(&m.top, s.now)
	m.ruled.top(&m.top, s.now)
}

// decide shows the event to the strategies, if the book may be read, after the rules.
func (s *Shard) decide(m *market, ev *core.Event) {
	s.fire(m)
	if _, live := m.sync.Live(); !live || m.unready {
		return
	}
	for i := range m.seats {
		t := &m.seats[i]
		t.Strategy.Market(&t.view, ev)
	}
}

// makeRoom keeps the newest half of a queue that fills while its head waits for a
// snapshot. What is dropped would have preceded the snapshot anyway, or else the
// snapshot will show the gap. The book is told, because touches were dropped too
// and what it remembers of them no longer is the whole.
func (s *Shard) makeRoom(m *market) (shed int) {
	if !s.crowded(m, 0.75, 0) {
		return 0
	}
	for s.crowded(m, 0.5, shed) {
		ev, lv := s.peek(m)
		if ev == nil {
			break
		}
		m.pop(ev, lv)
		shed++
	}
	if s.log != nil {
		s.log.shed(m, shed)
	}
	s.counts.Shed += uint64(shed)
	m.useless = 0
	m.sync.Overflow()
	s.unblock(m) // another event is the head now, and the book has forgotten the old one
	return shed
}

// pop drops the head of the queue without having it served.
func (m *market) pop(ev *core.Event, lv []core.Level) {
	if ev.Kind == core.LineDown || ev.Kind == core.Overflow {
		m.ends++
		m.down()
	}
	m.shed(ev, lv)
	m.queue.Pop()
	m.noted = false
}

// passEnds drops what waits in front of a line's end: a book made of it would be Live
// until the end is come to, although the line has long gone.
func (s *Shard) passEnds(m *market) {
	to := m.queue.Ends()
	if s.log != nil {
		to = s.log.ends(to)
	}
	if int64(to-m.ends) <= 0 {
		return
	}
	for m.ends != to {
		ev, lv := s.peek(m)
		if ev == nil {
			panic("BUG: a queue says that it has an end, and is empty")
		}
		m.pop(ev, lv)
		s.counts.Shed++
	}
	m.useless = 0
	m.sync.LineDown()
	s.demoted(m)
}

// Snapshots that cannot bridge the waiting event, so many and over so long, say that it
// is the event that does not belong here: the venue has started its ids over, or sent
// something under a wrong name. Snapshots may be 30 s old.
const (
	uselessMax = 3
	bridgeMost = core.MonoNs(45e9)
)

// disbelieve drops an event that no snapshot bridges, so that what follows it gets its
// chance.
func (s *Shard) disbelieve(m *market) {
	if !m.blocked || m.useless < uselessMax || s.now-m.since < bridgeMost {
		return
	}
	if ev, lv := s.peek(m); ev != nil {
		m.pop(ev, lv)
		s.counts.Shed++
	}
	m.useless = 0
	m.sync.Overflow()
	s.unblock(m)
}

// want asks for a snapshot that events wait for; again, if the last one was of no use.
func (s *Shard) want(m *market, again bool) {
	if m.wanted && s.now-m.wantedAt < wantAgain {
		return
	}
	if slot := s.cfg.Want.Claim(); !s.outside(slot == nil) {
		*slot = book.Want{Instrument: m.id, Purpose: book.ForBridge, Again: again, Down: uint16(min(s.known.down, math.MaxUint16))}
		s.cfg.Want.Publish()
		m.wanted, m.wantedAt = true, s.now
		if m.known.wantAt == 0 {
			m.known.wantAt = s.now
		}
	}
}

// snapshot hands an image to the book. One that is too old to bridge the waiting
// events is asked for again; the events keep waiting.
func (s *Shard) snapshot(m *market, img *book.Image) {
	if m.wasLive && img.Purpose != book.ForBridge {
		s.deeper(m, img)
		return
	}
	m.wanted = false
	s.passEnds(m)
	s.unblock(m)
	switch m.sync.Snapshot(img) {
	case book.Refetch:
		s.counts.Refetches++
		if m.useless++; m.useless == 1 {
			m.since = s.now
		}
		s.want(m, true)
	case book.Applied:
		s.counts.Snapshots++
		m.useless = 0
		s.loaded(m, img)
		s.look(m)
	}
}

// unblock has the head of a queue offered to the book once more.
func (s *Shard) unblock(m *market) {
	m.blocked = false
	s.busy.Add(m.at)
}

// demoted is called on every event that takes a book out of Live: own orders on a
// market that cannot be seen are ended.
func (s *Shard) demoted(m *market) {
	if m.wasLive {
		s.fallen(m)
	}
	m.top = core.Top{}
	m.signals.Reset()
	m.ruled.blind()
	s.cancelAll(m)
}

func (s *Shard) timer(m *market) {
	s.disbelieve(m)
	if m.blocked && !m.wanted || m.wanted && s.now-m.wantedAt >= wantAgain {
		s.want(m, false)
	}
	if m.known.asked {
		s.overdue(m)
	}
	_, live := m.sync.Live()
	if live && s.cfg.LostAfter > 0 {
		s.see(m)
	}
	s.tend(m)
	s.fire(m)
	if !live || m.unready {
		return
	}
	for i := range m.seats {
		t := &m.seats[i]
		t.Strategy.Timer(&t.view)
	}
}

// see cancels what rests on a market that has been out of sight for long, once each
// time. A book that is not Live had its orders cancelled when it was demoted.
func (s *Shard) see(m *market) {
	lost := s.now-m.sync.LastProof() > core.MonoNs(s.cfg.LostAfter)
	if lost && !m.lost {
		s.counts.Lost++
		s.cancelAll(m)
	}
	m.lost = lost
}

func (s *Shard) sample(ev *core.Event, taken core.MonoNs) {
	if s.cfg.Stages == nil {
		return
	}
	slot := s.cfg.Stages.Claim()
	if slot == nil {
		s.counts.StagesLost++
		return
	}
	*slot = StageSample{Kind: ev.Kind, DecodeNs: ev.DecodeNs,
		QueueNs: span(s.stamps.Decoded, taken), ApplyNs: span(taken, s.stamps.Applied)}
	s.cfg.Stages.Publish()
}

func span(from, to core.MonoNs) uint32 {
	return uint32(min(max(to-from, 0), 1<<32-1))
}

// account books a fill's money: price times quantity leaves or enters the cash,
// the fee leaves the asset it was taken from.
func (m *market) account(r *core.Report) {
	if r.Kind != core.ReportFill {
		return
	}
	m.fills++
	m.traded += r.Qty
	m.lastFill = r.Price
	m.cash -= core.Amount(r.Side.Sign()) * r.Quote
	if r.FeeAsset == m.inst.Quote {
		m.cash -= r.Fee
	}
	m.fees.add(r.FeeAsset, r.Fee)
}

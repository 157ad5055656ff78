package engine

import (
	"errors"
	"fmt"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/core/signal"
	"riposte/core/trail"
)

// marketBatch bounds how many events of one instrument are served before the
// others get their turn, so one busy symbol cannot starve the rest.
const marketBatch = 256

// StageSample is the time one market event spent in the shard's early stages,
// for the cold side's histograms.
type StageSample struct {
	Kind     core.EventKind
	DecodeNs uint32 // bytes read until decoded
	QueueNs  uint32 // decoded until taken from its ring
	ApplyNs  uint32 // taken until applied and signals updated
}

// Observer is told of each depth event once it has been applied, on the shard's
// goroutine: audit and replay hang on it. nil in a plain run.
type Observer interface {
	DepthApplied(id core.InstrumentID, s *book.Sync, ev *core.Event)
}

// Config is all that a shard is built from. The rings' other ends belong to other
// rooms.
type Config struct {
	Instruments *core.Instruments
	Clock       core.Clock
	Gate        *risk.Gate
	Queues      []*ring.Queue // by instrument; nil where an instrument is not followed
	Strategies  [][]Seat      // by instrument, in the order in which they are asked; none where it is only watched
	Reports     *ring.Ring[core.Report]
	Images      *ring.Ring[*book.Image]
	Commands    *ring.Ring[Command]
	Out         *ring.Ring[risk.Approved]
	Want        *ring.Ring[book.Want]   // snapshots asked for
	Stages      *ring.Ring[StageSample] // may be nil
	Observer    Observer                // may be nil
	Depth       DepthConfig
	// Trails say what is followed of each instrument's trades, bars and klines; nil follows
	// none. Asks and Answers lead to the venue's memory and back; nil if nobody asks it.
	Trails  []trail.Config
	Asks    *ring.Ring[trail.Ask]
	Answers *ring.Ring[*trail.Answer]
	// ActAfter is how long a strategy waits for the history that was asked for before it
	// acts without; 0 waits until it is there.
	ActAfter time.Duration
	// Refused is told of each refusal of the gate, for the journal, with what it was judged
	// by; may be nil.
	Refused    func(d *risk.Denial, input uint64)
	Chosen     func(c *Choice)          // is told why orders were posted or taken, for the journal; may be nil
	Denials    *ring.Ring[risk.Denial]  // refusals with what they were judged by, for who asks why; may be nil, full drops
	Halts      *ring.Ring[HaltNote]     // halts as they change, for the record that survives a restart; may be nil
	Rules      []*signal.Rules          // of the configuration's signals, by instrument; nil where there are none
	Fired      *ring.Ring[signal.Fired] // signals as they fire, for the record; may be nil, full drops
	Airlock    AirlockConfig
	Score      ScoreConfig
	Window     int // of each book, see book.New; 0 is the default
	TimerEvery time.Duration
	StatsEvery time.Duration
	// PauseMax is how long the process may stand still (stopped, starved, suspended)
	// before it trusts nothing it has: what its sockets hold is then old, and would be
	// taken for new. 0 is no such limit.
	PauseMax time.Duration
	// LostAfter is how long the market may be out of sight before own orders on it
	// are cancelled, although its book has not shown a gap. 0 is never.
	LostAfter time.Duration
	Inputs    *Log // keeps all that decisions depend on; may be nil
}

// Shard is the loop over its instruments. Step, and all that it reaches, belongs
// to one goroutine; Stats and MarketStats may be read from any.
type Shard struct {
	cfg     Config
	gate    *risk.Gate
	clock   core.Clock
	log     *Log // may be nil
	markets []*market
	byID    []*market // by instrument, nil where not followed

	now       core.MonoNs
	startedAt core.MonoNs // the first timer
	input     uint64
	stamps    risk.Stamps // of the input being served
	cause     CauseKind   // likewise
	serving   *core.Event // likewise, nil if it is none
	bells     *ring.Bells // rung by the queues' writers
	busy      *ring.Set   // markets whose queue may have something to serve
	turn      int         // market whose queue is served next
	owing     int         // markets whose CancelAll found the outbound ring full
	known     depth
	handed    bool // something went out in this Step
	halted    halts
	memory    memory     // the answer being taken
	choice    Choice     // being told; kept here so that it is not allocated
	told      risk.Order // of the report being served; kept here so that it is not allocated
	lock      lock       // signals from outside
	scores    scores     // and what came of all

	timerAt, statsAt core.MonoNs
	posted           int // markets whose statistics of this interval are out
	counts           Counts
	stats            *ring.Mailbox[Stats]
}

// NewShard checks cfg and builds a shard with every book Syncing.
func NewShard(cfg Config) (*Shard, error) {
	n := len(cfg.Instruments.List)
	if len(cfg.Queues) != n || len(cfg.Strategies) != n {
		return nil, fmt.Errorf("cannot build the shard: got %d queues and %d strategies, want %d, one for each instrument",
			len(cfg.Queues), len(cfg.Strategies), n)
	}
	if cfg.Clock == nil || cfg.Gate == nil || cfg.Reports == nil || cfg.Images == nil || cfg.Commands == nil || cfg.Out == nil || cfg.Want == nil {
		return nil, errors.New("cannot build the shard: its clock, gate or one of its rings is nil, want all but Stages")
	}
	if cfg.TimerEvery <= 0 || cfg.StatsEvery <= 0 {
		return nil, fmt.Errorf("cannot build the shard: timer interval is %v and stats interval %v, want more than 0", cfg.TimerEvery, cfg.StatsEvery)
	}
	s := &Shard{cfg: cfg, gate: cfg.Gate, clock: cfg.Clock, byID: make([]*market, n), stats: ring.NewMailbox[Stats]()}
	s.halted.strategies = make([]risk.HaltCause, cfg.Gate.Strategies())
	s.halted.noted = make([]risk.HaltCause, 1+n+cfg.Gate.Strategies())
	for i, q := range cfg.Queues {
		if q == nil {
			continue
		}
		m, err := newMarket(s, cfg.Gate.Instrument(core.InstrumentID(i)), q, cfg.Strategies[i])
		if err != nil {
			return nil, err
		}
		if m.ruled, err = newRuled(s, m); err != nil {
			return nil, err
		}
		m.at = len(s.markets)
		s.markets = append(s.markets, m)
		s.byID[i] = m
	}
	s.openLog()
	s.memory.rows = -1
	s.bells, s.busy = ring.NewBells(len(s.markets)), ring.NewSet(len(s.markets))
	for _, m := range s.markets {
		m.queue.Attach(s.bells, m.at)
		s.busy.Add(m.at) // something may have been published before
	}
	s.openDepth()
	if err := s.openScores(); err != nil {
		return nil, err
	}
	return s, nil
}

// Step serves what is waiting and returns how many inputs it took, 0 when idle.
func (s *Shard) Step() int {
	s.handed = false
	n := s.commands() + s.reports() + s.stop() + s.images() + s.answers() + s.alerts()
	n += s.serve()
	// What was handed on is sent first, and a market that has not had its turn yet may have the
	// end of its book waiting: no strategy's timer is to see it as Live.
	if !s.handed && (n == 0 || s.now >= s.timerAt || s.posted < len(s.markets)) {
		s.readClock()
		n += s.timers()
	}
	if s.log != nil {
		s.log.end(s, n > 0)
	}
	return n
}

// serve takes what waits in the queues whose bell was rung, from the one whose
// turn it is around to the one before. What has been handed on ends the round:
// whoever sends it gets its turn.
func (s *Shard) serve() (n int) {
	s.bells.Take(s.busy)
	from := s.turn
	for _, part := range [2][2]int{{from, len(s.markets)}, {0, from}} {
		for i := s.busy.Next(part[0], part[1]); i < part[1]; i = s.busy.Next(i+1, part[1]) {
			n += s.drain(s.markets[i])
			if s.handed {
				if s.turn = i + 1; s.turn == len(s.markets) {
					s.turn = 0
				}
				return n
			}
		}
	}
	return n
}

// begin numbers an input and fixes its time.
func (s *Shard) begin() {
	s.readClock()
	s.input++
	s.serving = nil
	s.stamps = risk.Stamps{Recv: s.now, Decoded: s.now, Applied: s.now}
}

// readClock takes the time, and notices when the process had been standing still.
func (s *Shard) readClock() {
	before := s.now
	s.now = s.clock.Mono()
	if s.cfg.PauseMax > 0 && s.now-before > core.MonoNs(s.cfg.PauseMax) && before > 0 {
		s.paused()
	}
}

// paused demotes every book: the process stood still, and what has come meanwhile says
// nothing of now. Snapshots, which are asked for now, do.
func (s *Shard) paused() {
	s.counts.Pauses++
	s.because(CausePause)
	s.input++
	s.stamps = risk.Stamps{Recv: s.now, Decoded: s.now, Applied: s.now}
	for _, m := range s.markets {
		m.sync.LineDown()
		s.demoted(m)
	}
}

// commands serves all that were published before the call; a ring's end splits
// them in two.
func (s *Shard) commands() (n int) {
	for n < s.cfg.Commands.Cap() {
		cmds := s.cfg.Commands.Pending()
		if len(cmds) == 0 {
			break
		}
		for i := range cmds {
			s.because(CauseCommand)
			if s.log != nil {
				s.log.command(&cmds[i])
			}
			s.begin()
			s.command(&cmds[i])
		}
		s.cfg.Commands.Release(len(cmds))
		n += len(cmds)
	}
	return n
}

// reports serves all that were published before the call, so that no market event
// after it is judged by a position that is known to be old.
func (s *Shard) reports() (n int) {
	for n < s.cfg.Reports.Cap() {
		reports := s.cfg.Reports.Pending()
		if len(reports) == 0 {
			break
		}
		for i := range reports {
			s.because(CauseReport)
			if s.log != nil {
				s.log.report(&reports[i])
			}
			s.begin()
			s.report(&reports[i])
		}
		s.cfg.Reports.Release(len(reports))
		n += len(reports)
	}
	return n
}

func (s *Shard) report(r *core.Report) {
	m := s.market(r.Instrument)
	if m == nil {
		s.counts.StrayReports++
		return
	}
	s.count(r)
	m.account(r)
	var ok bool
	if s.told, ok = s.gate.Report(r); !ok {
		return
	}
	for i := range m.seats {
		if t := &m.seats[i]; t.Number == s.told.Strategy {
			t.Strategy.Report(&t.view, r, &s.told)
		}
	}
}

// market is the instrument's, nil if this shard does not follow it.
func (s *Shard) market(id core.InstrumentID) *market {
	if int(id) >= len(s.byID) {
		return nil
	}
	return s.byID[id]
}

func (s *Shard) images() int {
	images := s.cfg.Images.Pending()
	for i, img := range images {
		s.because(CauseSnapshot)
		if s.log != nil {
			s.log.image(img)
		}
		s.begin()
		if m := s.market(img.Instrument); m != nil {
			s.snapshot(m, img)
		}
		images[i] = nil // the ring must not keep a snapshot alive
	}
	s.cfg.Images.Release(len(images))
	return len(images)
}

func (s *Shard) timers() int {
	n := 0
	if s.now >= s.timerAt {
		if s.timerAt == 0 {
			s.startedAt = s.now
		}
		s.timerAt = s.now + core.MonoNs(s.cfg.TimerEvery)
		s.because(CauseTimer)
		s.begin()
		s.revalue()
		for _, m := range s.markets {
			s.timer(m)
		}
		s.deepen()
		s.marks()
		n++
	}
	s.judge()
	if s.now >= s.statsAt {
		s.statsAt = s.now + core.MonoNs(s.cfg.StatsEvery)
		s.publish()
	}
	s.post()
	return n
}

// ask takes a strategy's intent to the gate and hands an approval on. The slot is
// claimed first: an approval that cannot be handed on must not come to be.
func (s *Shard) ask(m *market, in core.Intent) (core.OrderID, risk.Refusal) {
	out := s.cfg.Out
	slot := out.Claim()
	// The last quarter of the ring is for cancels: orders must not shut them out.
	places := in.Kind == core.Place || in.Kind == core.Replace
	if s.outside(slot == nil || places && out.Len() >= out.Cap()-out.Cap()/4) {
		s.counts.OutFull++
		return 0, risk.RefusedOutboundFull
	}
	in.Instrument = m.id
	st := s.stamps
	st.Decided = s.clock.Mono()
	if r := s.gate.Approve(&in, m.sync, &st, s.input, st.Decided, slot); r != risk.None {
		s.refused()
		if s.log != nil {
			s.log.refused(&in, r, &st, s.input)
		}
		return 0, r
	}
	slot.Stamps().Approved = s.clock.Mono()
	s.ground(slot.Basis(), m)
	if s.log != nil {
		s.log.approved(slot)
	}
	out.Publish()
	s.handed = true
	switch {
	case places:
		s.counts.Orders++
	case in.Kind == core.Amend:
		s.counts.Amends++
	default:
		s.counts.Cancels++
	}
	return in.ID, risk.None
}

// refused tells whoever keeps a record.
func (s *Shard) refused() {
	if s.cfg.Refused != nil {
		s.cfg.Refused(s.gate.Denied(), s.input)
	}
	if s.cfg.Denials == nil {
		return
	}
	if slot := s.cfg.Denials.Claim(); slot != nil {
		*slot = *s.gate.Denied()
		s.cfg.Denials.Publish()
	} else {
		s.counts.DenialsLost++
	}
}

// revalue tells the gate what every market is worth now, and the time of day.
func (s *Shard) revalue() {
	for _, m := range s.markets {
		mid := core.Price(0)
		if _, live := m.sync.Live(); live {
			mid = m.top.Mid()
		}
		s.gate.Mark(m.id, mid, s.now)
	}
	s.gate.Revalue(s.now, s.clock.Wall())
}

// cancelAll asks for the end of an instrument's own orders. If the outbound ring
// is full it is owed, and asked again until it is through.
func (s *Shard) cancelAll(m *market) {
	if m.owes {
		m.owes = false
		s.owing--
	}
	if s.gate.Exposure(m.id).Open == 0 {
		return
	}
	if _, r := s.ask(m, core.Intent{Kind: core.CancelAll, Strategy: core.NoStrategy}); r == risk.RefusedOutboundFull {
		m.owes = true
		s.owing++
	}
}

// ground notes what a decision was made on.
func (s *Shard) ground(b *risk.Basis, m *market) {
	s.gate.Basis(b, m.id, m.sync, s.now)
	b.Top, b.Cause, b.Event, b.EventID, b.Venue = m.top, uint8(s.cause), 0, 0, 0
	ev := s.serving
	if ev == nil {
		return
	}
	b.Cause, b.Event, b.EventID = uint8(CauseEvent), ev.Kind, ev.ID
	switch ev.Kind {
	case core.DepthDelta, core.Trade, core.AggTrade:
		b.Venue = core.WallNs(ev.W[2])
	}
}

package engine

import (
	"fmt"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/book"
	"riposte/core/ring"
	"riposte/core/signal"
)

// AirlockConfig is what a shard needs to hear signals from outside. The zero value hears
// none.
type AirlockConfig struct {
	Alerts *ring.Ring[airlock.Alert]
	// Sources are by the configuration's order: an alert's Source less one.
	Sources []AirlockSource
	// Heard is told of every signal, own ones too, and what became of it, for the journal;
	// Verdicts are the same for who shows them. Either may be nil, full drops.
	Heard    func(*airlock.Verdict)
	Verdicts *ring.Ring[airlock.Verdict]
}

// AirlockSource is one source: its name in the configuration, its bounds and how much
// its signals intend.
type AirlockSource struct {
	Name   string
	Bounds airlock.Bounds
	Sizes  []core.Qty // by instrument; 0: it may not speak of it
}

// queuedMost is how many signals can wait for a person; one more is refused.
const queuedMost = 32

// lock is what the shard keeps of signals from outside. It belongs to its goroutine.
type lock struct {
	number     uint64      // of the signal heard last, own ones too
	venueAt    core.WallNs // the venue's time at the monotonic clock's 0, 0: not told
	clockError core.MonoNs
	facts      airlock.Facts
	verdict    airlock.Verdict // of the signal being heard; kept here so that it is not allocated
	queued     []airlock.Verdict
	accepted   [1]signal.Fired // on its input
}

// SourceCounts are what became of one source's signals since the start. Own signals'
// are in Outcomes[airlock.Own].
type SourceCounts struct {
	Heard    uint64
	Outcomes [4]uint64 // by airlock.Outcome
	Gates    [airlock.Gates]uint64
	Queued   int // waiting now
}

// outside is what a market keeps for judging signals from outside.
type outside struct {
	last core.Price // trade
	day  airlock.DayFacts
}

// alerts takes signals from outside, until one has led to an order.
func (s *Shard) alerts() (n int) {
	ring := s.cfg.Airlock.Alerts
	if ring == nil {
		return 0
	}
	for n < ring.Cap() && !s.handed {
		list := ring.Pending()
		if len(list) == 0 {
			return n
		}
		s.because(CauseAlert)
		if s.log != nil {
			s.log.alert(&list[0])
		}
		s.begin()
		s.hear(&list[0], false)
		ring.Release(1)
		n++
	}
	return n
}

// hear judges one alert. One that a person has approved is judged again, by the market of
// now, and does not wait a second time.
func (s *Shard) hear(a *airlock.Alert, approved bool) {
	if a.Source == 0 || int(a.Source) > len(s.cfg.Airlock.Sources) {
		s.counts.StrayAlerts++
		return
	}
	src := &s.cfg.Airlock.Sources[a.Source-1]
	m := s.market(a.Instrument)
	k := &s.lock
	k.facts = airlock.Facts{Weight: airlock.Ratio(s.scores.weight(int(a.Source)-1) * core.Scale)}
	if k.venueAt > 0 {
		k.facts.Venue = k.venueAt + core.WallNs(s.now)
		k.facts.ClockError = k.clockError
	}
	if m != nil && a.Failed == airlock.None {
		s.witness(m, a, src, &k.facts)
	}
	src.Bounds.Judge(a, &k.facts, &k.verdict)
	v := &k.verdict
	if v.Outcome == airlock.Queued && approved {
		v.Outcome = airlock.Accepted
	}
	if v.Outcome == airlock.Queued && len(k.queued) == queuedMost {
		v.Outcome, v.Failed = airlock.Refused, airlock.Approval
		v.Readings[airlock.Approval] = airlock.Reading{Value: int64(k.facts.Venue - a.Issued), State: airlock.Measured}
	}
	if !approved {
		k.number++
		v.Number = k.number
	}
	s.conclude(m, v, int(a.Source)-1, !approved)
	switch v.Outcome {
	case airlock.Queued:
		k.queued = append(k.queued, *v)
	case airlock.Accepted:
		s.pass(m, v)
	}
}

// witness gathers what an alert is judged by, as of now.
func (s *Shard) witness(m *market, a *airlock.Alert, src *AirlockSource, f *airlock.Facts) {
	if int(m.id) >= len(src.Sizes) || len(m.seats) == 0 {
		return
	}
	f.Size = src.Sizes[m.id]
	l, e, acc := s.gate.Limits(m.id), s.gate.Exposure(m.id), s.gate.Account()
	f.ProofMax = core.MonoNs(l.StaleAfter)
	f.Last, f.Day, f.DayAge = m.outside.last, m.outside.day, s.now-m.outside.day.At
	f.Halted = int64(s.gate.Halted() | s.gate.HaltedSymbol(m.id))
	f.Worst, f.WorstMax = e.Position+e.Buy+f.Size, l.PositionMax
	if a.Side == core.Sell {
		f.Worst = -e.Position + e.Sell + f.Size
	}
	f.Lost, f.LossMax = -s.gate.DayPnL(), acc.LossMax
	f.Opposite = int64(m.ruled.opposite(a.Side, s.now))
	b, live := m.sync.Live()
	if !live || m.unready {
		return
	}
	s.walk(b, m, a, src, f)
}

// walk reads the book, as an order of the intended size would meet it.
func (s *Shard) walk(b *book.Book, m *market, a *airlock.Alert, src *AirlockSource, f *airlock.Facts) {
	f.Live, f.Proof, f.Touch = true, s.now-m.sync.LastProof(), m.top
	if owed := m.sync.Owed(); owed != 0 {
		f.Proof = max(f.Proof, s.now-owed)
	}
	f.Bid, f.Ask = b.Best(core.Buy).Price, b.Best(core.Sell).Price
	f.Value, _, f.Filled = b.Cost(a.Side, f.Size)
	if f.Deep = f.Filled; src.Bounds.DepthTimes > 1 && f.Filled == f.Size {
		_, _, f.Deep = b.Cost(a.Side, f.Size*core.Qty(min(src.Bounds.DepthTimes, depthTimesMost)))
	}
}

// depthTimesMost keeps the product of a size and its multiple in range.
const depthTimesMost = 1000

// opposite is how many own signals in force say the other side.
func (r *ruled) opposite(side core.Side, now core.MonoNs) (n int) {
	if r.rules == nil {
		return 0
	}
	for i := range r.rules.List() {
		if f := r.rules.Active(i, now); f != nil && f.Side != side {
			n++
		}
	}
	return n
}

// conclude puts a verdict on record and has the signal marked out.
func (s *Shard) conclude(m *market, v *airlock.Verdict, key int, mark bool) {
	v.Input, v.At = s.input, s.now
	c := &s.scores.list[key].counts
	if mark {
		c.Heard++
	}
	c.Outcomes[v.Outcome]++
	if v.Outcome == airlock.Refused {
		c.Gates[v.Failed]++
	}
	if mark && m != nil && v.Alert.Failed == airlock.None {
		s.scores.mark(s, m, v, key)
	}
	if s.cfg.Airlock.Heard != nil {
		s.cfg.Airlock.Heard(v)
	}
	if s.cfg.Airlock.Verdicts == nil {
		return
	}
	if slot := s.cfg.Airlock.Verdicts.Claim(); slot != nil {
		*slot = *v
		s.cfg.Airlock.Verdicts.Publish()
	} else {
		s.counts.VerdictsLost++
	}
}

// pass tells the strategies of an accepted signal, as they are told of an own one.
func (s *Shard) pass(m *market, v *airlock.Verdict) {
	a := &v.Alert
	s.lock.accepted[0] = signal.Fired{Source: a.Source, Instrument: m.id, Side: a.Side, Strength: float64(v.Scaled) / core.Scale,
		At: s.now, Until: s.now + a.Horizon, Input: s.input}
	for i := range m.seats {
		t := &m.seats[i]
		t.Strategy.Timer(&t.view)
	}
}

// approve lets a queued signal pass, if it still stands up to the market of now.
func (s *Shard) approve(number uint64) {
	q := s.lock.queued
	for i := range q {
		if q[i].Number != number {
			continue
		}
		s.lock.verdict.Number = number
		a := q[i].Alert
		s.lock.queued = append(q[:i], q[i+1:]...)
		s.hear(&a, true)
		return
	}
	s.counts.BadCommands++
}

// expire refuses queued signals that have grown too old to be judged.
func (s *Shard) expire() {
	q := s.lock.queued
	for i := 0; i < len(q); {
		v := &q[i]
		src := &s.cfg.Airlock.Sources[v.Alert.Source-1]
		age := s.lock.venueAt + core.WallNs(s.now) - v.Alert.Issued
		if core.MonoNs(age) <= src.Bounds.AgeMax {
			i++
			continue
		}
		s.because(CauseTimer)
		s.begin()
		v.Outcome, v.Failed, v.Scaled = airlock.Refused, airlock.Approval, 0
		v.Readings[airlock.Approval] = airlock.Reading{Value: int64(age), Bound: int64(src.Bounds.AgeMax), State: airlock.Measured}
		s.conclude(s.market(v.Alert.Instrument), v, int(v.Alert.Source)-1, false)
		q = append(q[:i], q[i+1:]...)
		s.lock.queued = q
	}
}

// checkAirlock is NewShard's.
func (s *Shard) checkAirlock() error {
	for i := range s.cfg.Airlock.Sources {
		if n := len(s.cfg.Airlock.Sources[i].Sizes); n != len(s.byID) {
			return fmt.Errorf("cannot build the shard: source %d has %d sizes, want %d, one for each instrument", i+1, n, len(s.byID))
		}
	}
	if len(s.cfg.Airlock.Sources) > 0 {
		s.lock.queued = make([]airlock.Verdict, 0, queuedMost)
	}
	return nil
}

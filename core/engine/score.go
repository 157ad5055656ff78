package engine

import (
	"fmt"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/ring"
	"riposte/core/signal"
)

// ScoreConfig is how signals are marked out. The zero value marks none.
type ScoreConfig struct {
	How signal.Scoring
	// Begin are the scores to go on from: first of the sources of the airlock, in their
	// order, then of the configuration's rules.
	Begin []signal.Score
	Rules [][]uint16 // by instrument and place of its rule: which of Begin
	// Marked is told of each mark and the score it is in, for the journal; may be nil.
	Marked func(m *signal.Marked, source int, s *signal.Score)
}

// ScoreStats are the scores as of one instant, in the order of ScoreConfig.Begin.
type ScoreStats struct {
	List []SourceStats
}

// SourceStats is one source as of one instant.
type SourceStats struct {
	SourceCounts
	Score   signal.Score
	Weight  float64
	Waiting int    // signals with marks to come
	NotKept uint64 // signals that are not marked: too many wait
	NoPrice uint64 // that are not: their market could not be seen
}

// scores is all that is scored. It belongs to the shard's goroutine; only stats is read
// elsewhere.
type scores struct {
	how   signal.Scoring
	list  []scored
	free  []core.MonoNs // by source and instrument: until when its signals overlap
	n     int           // instruments
	out   signal.Marked
	own   airlock.Verdict
	stats *ring.Mailbox[ScoreStats]
	due   core.MonoNs
	mid   func(core.InstrumentID) core.Price
}

// scored is one source.
type scored struct {
	score            signal.Score
	marks            *signal.Marks
	counts           SourceCounts
	notKept, noPrice uint64
}

// scoresEvery is how often they are published: they change slowly, and are long.
const scoresEvery = core.MonoNs(1e9)

func (s *Shard) openScores() error {
	c, x := &s.cfg.Score, &s.scores
	if len(c.Begin) < len(s.cfg.Airlock.Sources) {
		return fmt.Errorf("cannot build the shard: %d scores to begin with, want one for each of %d sources", len(c.Begin), len(s.cfg.Airlock.Sources))
	}
	for _, rules := range c.Rules {
		for _, at := range rules {
			if int(at) >= len(c.Begin) {
				return fmt.Errorf("cannot build the shard: a rule's score is number %d of %d", at, len(c.Begin))
			}
		}
	}
	x.how, x.n = c.How, len(s.byID)
	for i := range c.Begin {
		x.list = append(x.list, scored{score: c.Begin[i], marks: signal.NewMarks()})
	}
	x.free = make([]core.MonoNs, len(x.list)*x.n)
	x.stats = ring.NewMailbox[ScoreStats]()
	x.mid = func(id core.InstrumentID) core.Price {
		m := s.market(id)
		if _, live := m.sync.Live(); !live {
			return 0
		}
		return m.top.Mid()
	}
	return s.checkAirlock()
}

func (x *scores) weight(i int) float64 { return x.list[i].score.Weight(&x.how) }

// mark begins to mark out a signal that was heard.
func (x *scores) mark(s *Shard, m *market, v *airlock.Verdict, key int) {
	src, mid := &x.list[key], m.top.Mid()
	if _, live := m.sync.Live(); !live || mid == 0 {
		src.noPrice++
		return
	}
	fee := x.how.RuleFees
	if m.outside.day.At > 0 {
		fee = float64(m.outside.day.Fee) / float64(airlock.Bp)
	}
	a := &v.Alert
	h := signal.Heard{Number: v.Number, Instrument: m.id, Side: a.Side, Own: uint8(signal.Nearest(a.Horizon)), At: s.now, Mid: mid,
		Cost: float64(m.top.Ask-m.top.Bid)/2/float64(mid)*1e4 + fee}
	free := &x.free[key*x.n+int(m.id)]
	h.Weighs = s.now >= *free
	if !src.marks.Add(&h) {
		src.notKept++
		return
	}
	if h.Weighs {
		*free = s.now + signal.HorizonAt[h.Own]
	}
}

// heardOwn puts an own signal on record, as those from outside are.
func (s *Shard) heardOwn(m *market, f *signal.Fired) {
	x := &s.scores
	if int(m.id) >= len(s.cfg.Score.Rules) {
		return
	}
	s.lock.number++
	v := &x.own
	v.Number, v.Outcome, v.Rule, v.Mid = s.lock.number, airlock.Own, f.Rule, m.top.Mid()
	if s.lock.venueAt > 0 {
		v.Venue = s.lock.venueAt + core.WallNs(s.now)
	}
	v.Scaled = airlock.Ratio(f.Strength * core.Scale)
	v.Alert = airlock.Alert{Instrument: m.id, Side: f.Side, Strength: v.Scaled, Horizon: f.Until - f.At, Recv: s.now}
	s.conclude(m, v, int(s.cfg.Score.Rules[m.id][f.Rule]), true)
}

// marks takes the marks that have come due. It is an input, since weights come of it.
func (s *Shard) marks() {
	x := &s.scores
	for i := range x.list {
		src := &x.list[i]
		for src.marks.Due(s.now, x.mid, &x.out) {
			src.score.Add(&x.out, &x.how)
			if s.cfg.Score.Marked != nil {
				s.cfg.Score.Marked(&x.out, i, &src.score)
			}
		}
	}
	if len(s.lock.queued) > 0 {
		s.expire()
	}
	if len(x.list) > 0 && s.now >= x.due {
		x.due = s.now + scoresEvery
		x.publish(s)
	}
}

func (x *scores) publish(s *Shard) {
	d := x.stats.Draft()
	if d.List == nil {
		d.List = make([]SourceStats, len(x.list)) // once for each of the mailbox's buffers
	}
	for i := range x.list {
		src := &x.list[i]
		d.List[i] = SourceStats{SourceCounts: src.counts, Score: src.score, Weight: x.weight(i), Waiting: src.marks.Waiting(), NotKept: src.notKept, NoPrice: src.noPrice}
	}
	for i := range s.lock.queued {
		d.List[s.lock.queued[i].Alert.Source-1].Queued++
	}
	x.stats.Post()
}

// Scores are the newest published ones; one reading goroutine.
func (s *Shard) Scores() *ScoreStats {
	v, _ := s.scores.stats.Latest()
	return v
}

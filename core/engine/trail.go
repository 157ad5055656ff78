package engine

import (
	"riposte/core"
	"riposte/core/trail"
)

// memory is the answer of the venue's memory that is being taken: a page of trades is
// longer than one Step may keep the market waiting.
type memory struct {
	row, rows int
	noted     bool // the answer is in the input log
	event     core.Event
	levels    [4]core.Level
}

// barTeller tells strategies of complete bars.
type barTeller struct {
	seen uint64
	told []uint64 // by builder: how many of its bars
}

// follow makes the market's trail, if its trades are to be followed.
func (m *market) follow(s *Shard) {
	if int(m.id) >= len(s.cfg.Trails) {
		return
	}
	cfg := s.cfg.Trails[m.id]
	cfg.Asks = s.cfg.Asks != nil && s.cfg.Answers != nil
	m.trail = trail.New(m.id, cfg)
	m.unready = !m.trail.Warm()
	m.bars.told = make([]uint64, len(m.trail.Builders()))
}

// traded takes a trade between others. One that is late is part of the past: its price
// is not the last one, and its flow is not now.
func (s *Shard) traded(m *market, ev *core.Event, lv []core.Level) outcome {
	if m.trail != nil {
		m.heard(ev, ev.TradeTime())
		switch m.trail.Live(ev, lv) {
		case trail.Double:
			return quiet
		case trail.Late:
			return shown
		}
		if m.trail.Completed() != m.bars.seen {
			s.tell(m)
		}
	}
	s.gate.Traded(m.id, ev.TradePrice())
	m.outside.last = ev.TradePrice()
	m.signals.OnTrade(ev.TradeQty(), ev.Aggressor(), s.now)
	m.ruled.trade(ev, s.now)
	return shown
}

func (m *market) heard(ev *core.Event, venue core.WallNs) {
	if m.trail != nil {
		m.trail.Heard(ev.Recv, venue)
	}
}

func (m *market) down() {
	if m.trail != nil {
		m.trail.Down()
	}
}

// shed takes what bars need of an event that is dropped because its queue is full.
func (m *market) shed(ev *core.Event, lv []core.Level) {
	switch ev.Kind {
	case core.Trade, core.AggTrade, core.Kline:
		if m.trail != nil {
			m.trail.Live(ev, lv)
		}
	}
}

// tell hands newly complete bars to the strategies that want them and may act.
func (s *Shard) tell(m *market) {
	m.bars.seen = m.trail.Completed()
	for i, b := range m.trail.Builders() {
		series := b.Series()
		n := min(series.Total()-m.bars.told[i], uint64(series.Len()))
		m.bars.told[i] = series.Total()
		if m.unready {
			continue
		}
		for ; n > 0; n-- {
			b := series.At(int(n - 1))
			for j := range m.seats {
				if t := &m.seats[j]; t.bars != nil {
					t.bars.Bar(&t.view, series.Interval(), b)
				}
			}
		}
	}
}

// answers takes what the venue's memory told, row by row, in order. Each row is an input.
func (s *Shard) answers() (n int) {
	if s.cfg.Answers == nil {
		return 0
	}
	for n < marketBatch && !s.handed {
		list := s.cfg.Answers.Pending()
		if len(list) == 0 {
			return n
		}
		a := list[0]
		if s.log != nil && !s.memory.noted {
			s.memory.noted = true
			s.log.history(a)
		}
		m := s.market(a.Instrument)
		if m == nil || m.trail == nil {
			s.answered(list)
			continue
		}
		if s.memory.rows < 0 {
			s.memory.row, s.memory.rows = 0, m.trail.Begin(a)
		}
		if s.memory.row == s.memory.rows {
			s.begin()
			m.trail.End(a, s.now)
			s.answered(list)
			s.tend(m)
			n++
			continue
		}
		s.because(CauseHistory)
		s.begin()
		lv, found := m.trail.Take(a, s.memory.row, &s.memory.event, s.memory.levels[:])
		s.memory.row++
		n++
		if found != trail.Double {
			s.counts.LateEvents++
			m.levels = lv
			s.decide(m, &s.memory.event)
			m.levels = nil
		}
	}
	return n
}

func (s *Shard) answered(list []*trail.Answer) {
	list[0] = nil // the ring must not keep a page alive
	s.cfg.Answers.Release(1)
	s.memory.rows, s.memory.noted = -1, false
}

// tend completes bars whose time has passed, asks the next question, and lets the
// strategy act once what was to be there is.
func (s *Shard) tend(m *market) {
	if m.trail == nil {
		return
	}
	m.trail.Tick()
	if m.unready {
		m.unready = !m.trail.Warm() && (s.cfg.ActAfter <= 0 || s.now-s.startedAt < core.MonoNs(s.cfg.ActAfter))
		if !m.unready {
			// It begins with the bars that are there; from here on it is told.
			for i, b := range m.trail.Builders() {
				m.bars.told[i] = b.Series().Total()
			}
		}
	}
	if m.trail.Completed() != m.bars.seen {
		s.tell(m)
	}
	if _, live := m.sync.Live(); !live || s.cfg.Asks == nil {
		return // its book comes first: snapshots are paid from the same weight
	}
	if slot := s.cfg.Asks.Claim(); !s.outside(slot == nil) {
		if a, ok := m.trail.Ask(s.now); ok {
			*slot = a
			s.cfg.Asks.Publish()
		}
	}
}

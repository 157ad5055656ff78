package app

import (
	"slices"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/core/signal"
	"riposte/core/trail"
)

// shard is all that a configuration says of a shard, its queues among it: the same for
// whoever trades by it and for whoever decides again what was decided. The clock and the
// rings to other rooms are the caller's. rank says by instrument whose book comes first.
func (c *Config) shard(t *core.Instruments, tr *trading, rank []int) (engine.Config, error) {
	s := engine.Config{
		Instruments: t, Gate: tr.gate, Strategies: tr.seats, Window: c.Market.bookWindow(len(t.List)),
		Depth:      engine.DepthConfig{Levels: c.Market.SnapshotLimit, RenewAt: c.Recovery.RenewAt, Rank: rank, Audit: c.Recovery.AuditShare > 0},
		TimerEvery: c.Loop.Timer.Duration, StatsEvery: statsEvery, PauseMax: pauseMax, LostAfter: c.DeadMan.LostAfter.Duration, ActAfter: c.Bars.ActAfter.Duration,
	}
	for _, size := range c.queueSizes(t) {
		s.Queues = append(s.Queues, ring.NewQueue(size.events, size.levels, size.perEvent))
	}
	follow := c.trail()
	s.Trails = slices.Repeat([]trail.Config{follow}, len(t.List))
	s.Airlock, s.Score = c.airlock(t), c.scoring(t, nil)
	if len(c.Signals) == 0 {
		return s, nil
	}
	s.Rules = make([]*signal.Rules, len(t.List))
	for _, sym := range c.Market.Symbols {
		in, ok := t.Lookup(sym)
		if !ok {
			continue
		}
		var err error
		if s.Rules[in.ID], err = c.rules(sym); err != nil {
			return s, err
		}
	}
	s.Score = c.scoring(t, s.Rules)
	return s, nil
}

// queueSizes are the sizes by instrument.
func (c *Config) queueSizes(t *core.Instruments) []queueSize {
	traded := c.traded()
	is := make([]bool, len(c.Market.Symbols))
	for i, sym := range c.Market.Symbols {
		is[i] = slices.Contains(traded, sym)
	}
	sizes := make([]queueSize, len(t.List))
	for i, size := range c.Market.queueSizes(is) {
		if in, ok := t.Lookup(c.Market.Symbols[i]); ok {
			sizes[in.ID] = size
		}
	}
	return sizes
}

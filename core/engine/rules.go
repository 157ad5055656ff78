package engine

import (
	"fmt"

	"riposte/core"
	"riposte/core/bar"
	"riposte/core/book"
	"riposte/core/signal"
)

// ruled is a market's rules with what they look at of its book; empty where the
// configuration has none, and then it costs a comparison an event.
type ruled struct {
	rules      *signal.Rules
	sources    []source     // by series
	bids, asks []core.Level // the best levels, as deep as an indicator looks
	bar        signal.Bar   // being handed on; kept here so that it is not allocated
}

// source is where a series of bars of time comes from.
type source struct {
	series *bar.Series // nil for bars that the rules make of trades themselves
	taken  uint64
}

// newRuled takes the market's rules and finds the bars that they read.
func newRuled(s *Shard, m *market) (r ruled, err error) {
	if int(m.id) >= len(s.cfg.Rules) || s.cfg.Rules[m.id] == nil {
		return r, nil
	}
	r.rules = s.cfg.Rules[m.id]
	r.bids, r.asks = make([]core.Level, 0, r.rules.Levels()), make([]core.Level, 0, r.rules.Levels())
	for i := 0; ; i++ {
		of, ok := r.rules.Of(i)
		if !ok {
			return r, nil
		}
		var src source
		if of.Span > 0 {
			if src.series = m.barsOf(of); src.series == nil {
				return r, fmt.Errorf("cannot build the shard: the rules of %s read bars of %v, which nobody makes", m.inst.Symbol, of)
			}
		}
		r.sources = append(r.sources, src)
	}
}

// barsOf are the complete bars of a series of time, nil if nobody makes them.
func (m *market) barsOf(of signal.Series) *bar.Series {
	v, err := bar.Parse(of.Interval())
	if err != nil || m.trail == nil {
		return nil
	}
	if of.Kind == signal.KlineBars {
		return m.trail.Series(v)
	}
	for _, b := range m.trail.Builders() {
		if b.Series().Interval() == v {
			return b.Series()
		}
	}
	return nil
}

// depth shows the rules the best levels of a book that an event has changed.
func (r *ruled) depth(sync *book.Sync, now core.MonoNs) {
	if cap(r.bids) == 0 {
		return
	}
	if b, live := sync.Live(); live {
		r.bids, r.asks = b.Levels(core.Buy, r.bids[:0]), b.Levels(core.Sell, r.asks[:0])
		r.rules.OnDepth(r.bids, r.asks, now)
	}
}

func (r *ruled) top(t *core.Top, now core.MonoNs) {
	if r.rules != nil {
		r.rules.OnTop(t, now)
	}
}

func (r *ruled) trade(ev *core.Event, now core.MonoNs) {
	if r.rules != nil {
		r.rules.OnTrade(ev.TradePrice(), ev.TradeQty(), ev.Aggressor(), ev.TradeTime(), now)
	}
}

// pull takes the bars of time that have become complete, in order. Those that were
// there when the strategy may first act, and those that come before, are history:
// indicators take them and no rule is looked at.
func (r *ruled) pull(unready bool) {
	for i := range r.sources {
		src := &r.sources[i]
		if src.series == nil || src.series.Total() == src.taken {
			continue
		}
		n := min(src.series.Total()-src.taken, uint64(src.series.Len()))
		history := unready || src.taken == 0 && n > 1
		src.taken = src.series.Total()
		for ; n > 0; n-- {
			b := src.series.At(int(n - 1))
			r.bar = signal.Bar{Start: b.Start, End: b.End, Open: b.Open, High: b.High, Low: b.Low, Close: b.Close,
				Volume: b.Volume.Float(), Quote: b.Quote.Float(), TakerBuy: b.TakerBase.Float(), Trades: b.Trades}
			if history {
				r.rules.History(i, &r.bar)
			} else {
				r.rules.OnBar(i, &r.bar)
			}
		}
	}
}

// blind is called when the book is demoted.
func (r *ruled) blind() {
	if r.rules != nil {
		r.rules.Blind()
	}
}

// fire looks at the rules that this input has given something to look at. What fires
// is handed to whoever keeps a record, before the strategy sees it.
func (s *Shard) fire(m *market) {
	if m.ruled.rules == nil {
		return
	}
	m.ruled.pull(m.unready)
	_, live := m.sync.Live()
	fired := m.ruled.rules.Look(m.id, live && !m.unready, s.now, s.input)
	s.counts.Signals += uint64(len(fired))
	for i := range fired {
		s.heardOwn(m, &fired[i])
	}
	if s.cfg.Fired == nil {
		return
	}
	for i := range fired {
		if slot := s.cfg.Fired.Claim(); slot != nil {
			*slot = fired[i]
			s.cfg.Fired.Publish()
		} else {
			s.counts.SignalsLost++
		}
	}
}

// Fired are the signals of the configuration's rules that fired on this very input, or
// the one from outside that was accepted with it, valid during the call. The strategy is
// called for an event or timer whether or not a rule has fired; for a signal from outside
// its Timer is called, out of turn.
func (v *View) Fired() []signal.Fired {
	if f := v.s.lock.accepted[:]; f[0].Input == v.s.input && f[0].Instrument == v.m.id && f[0].Source > 0 {
		return f
	}
	return v.m.ruled.rules.Fired(v.s.input)
}

// NameOf is what the configuration calls a signal that fired: its rule or its source.
func (v *View) NameOf(f *signal.Fired) string {
	if f.Source > 0 {
		return v.s.cfg.Airlock.Sources[f.Source-1].Name
	}
	return v.m.ruled.rules.List()[f.Rule].Name
}

// Rules are the configuration's rules for the instrument, nil without any: which
// signals are in force, and what they are called. Read only.
func (v *View) Rules() *signal.Rules { return v.m.ruled.rules }

package store

import (
	"riposte/core/airlock"
	"riposte/core/journal"
	"riposte/core/signal"
)

// signals is what the journal keeps to note signals without allocating.
type signals struct {
	heard    journal.Signal
	mark     journal.MarkOut
	readings [airlock.Gates]journal.Reading
}

// Heard records a signal and what became of it. source is its name, or that of the rule.
func (j *Journal) Heard(v *airlock.Verdict, source string) {
	a, r := &v.Alert, &j.signals.heard
	symbol := ""
	if int(a.Instrument) < len(j.table.List) {
		symbol = j.table.List[a.Instrument].Symbol
	}
	*r = journal.Signal{Number: v.Number, Input: v.Input, Source: source, Own: a.Source == 0, Symbol: symbol, Side: a.Side, Outcome: uint8(v.Outcome),
		Failed: uint8(v.Failed), Price: a.Price, Mid: v.Mid, Strength: int64(a.Strength), Scaled: int64(v.Scaled), Horizon: a.Horizon, Issued: a.Issued,
		Heard: v.Venue, Wall: j.clock.Wall()}
	if a.Source > 0 {
		r.Told, r.ID, r.Why = a.Symbol.String(), a.ID.String(), a.Why.String()
	}
	r.Readings = j.signals.readings[:0]
	for g, x := range v.Readings {
		if x.State != airlock.Unmeasured {
			r.Readings = append(r.Readings, journal.Reading{Gate: uint8(g), State: uint8(x.State), Value: x.Value, Bound: x.Bound})
		}
	}
	j.note(r)
}

// MarkedOut records what the price did after a signal.
func (j *Journal) MarkedOut(m *signal.Marked, source string) {
	j.signals.mark = journal.MarkOut{Number: m.Number, Source: source, Horizon: signal.HorizonAt[m.Horizon], Price: m.After, Edge: m.Edge, Wall: j.clock.Wall()}
	j.note(&j.signals.mark)
}

// Scored records what a source is worth.
func (j *Journal) Scored(source string, s *signal.Score, weight float64) {
	w := &s.Weigh
	j.note(&journal.Score{Source: source, N: w.N, Hits: w.Hits, Sum: w.Sum, Sum2: w.Sum2, Weight: weight, Wall: j.clock.Wall()})
}

package sim

import (
	"slices"
	"time"
)

// Shrink looks for a plan with fewer choices that still fails: what follows the failure,
// which was at, is left out, then whole classes of event, then the time after the last
// one, then events one by one (ddmin), then the world is made plainer. fails runs a plan.
func Shrink(p *Plan, at time.Duration, fails func(*Plan) bool) *Plan {
	s := &shrinking{best: p.clone(), fails: fails}
	if end := at + time.Second; end < p.Time {
		s.try(func(q *Plan) {
			q.Time = end
			q.Events = slices.DeleteFunc(q.Events, func(e Event) bool { return e.At > at })
		})
	}
	for _, k := range Kinds() {
		s.try(func(q *Plan) { q.Events = slices.DeleteFunc(q.Events, func(e Event) bool { return e.Kind == k }) })
	}
	s.events()
	s.cut()
	for _, plainer := range []func(*Work){
		func(k *Work) { k.Symbols = k.Symbols[:1] },
		func(k *Work) { k.Forward, k.Engine, k.Answer = 0, 0, 0 },
		func(k *Work) { k.Lag = 0 }, func(k *Work) { k.Offset = 0 }, func(k *Work) { k.Race = 0 }, func(k *Work) { k.BNB = false },
		func(k *Work) { k.Behind = false }, func(k *Work) { k.Lean, k.Fee, k.Weight, k.Orders = 0, 0, 0, 0 },
		func(k *Work) { k.Limits = nil }, func(k *Work) { delete(k.Set, "market.queue_events") },
		func(k *Work) { k.Set = nil },
	} {
		s.try(func(q *Plan) { plainer(&q.Work) })
	}
	s.events()
	return s.best
}

type shrinking struct {
	best  *Plan
	fails func(*Plan) bool
}

func (p *Plan) clone() *Plan {
	q := *p
	q.Events = slices.Clone(p.Events)
	q.Classes = nil
	q.Work.Symbols = slices.Clone(p.Work.Symbols)
	if p.Work.Set != nil {
		q.Work.Set = map[string]string{}
		for k, v := range p.Work.Set {
			q.Work.Set[k] = v
		}
	}
	return &q
}

// try keeps a change if the plan still fails with it.
func (s *shrinking) try(change func(*Plan)) bool {
	q := s.best.clone()
	change(q)
	if !s.fails(q) {
		return false
	}
	s.best = q
	return true
}

// events leaves out halves, quarters and so on down to single events.
func (s *shrinking) events() {
	for size := max(len(s.best.Events)/2, 1); size >= 1; size /= 2 {
		for at := 0; at < len(s.best.Events); {
			end := min(at+size, len(s.best.Events))
			if !s.try(func(q *Plan) { q.Events = slices.Delete(q.Events, at, end) }) {
				at = end
			}
		}
	}
}

// cut ends the faults sooner.
func (s *shrinking) cut() {
	for {
		last := time.Duration(0)
		if n := len(s.best.Events); n > 0 {
			last = s.best.Events[n-1].At
		}
		shorter := last + (s.best.Time-last)/2
		if s.best.Time-shorter < 5*time.Second || !s.try(func(q *Plan) { q.Time = shorter }) {
			return
		}
	}
}

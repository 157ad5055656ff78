package engine

import "maps"

// Tuned is a strategy whose parameters may change while it runs. next is another of the
// same Factory, built from all parameters as they are from now on and so checked by the same
// code as at the start; it has seen nothing and is never asked. The strategy takes next's
// parameters and keeps its own state: orders, position, what it has measured. The book
// need not be Live.
type Tuned interface {
	Strategy
	Tune(v *View, next Strategy)
}

// Text is a parameter's value as a person writes it on a command line: each read of Params
// finds in it what it wants, or complains.
type Text string

// Tuning is a change of parameters on its way to the shard: all that differ from the
// configuration from then on, name to value.
type Tuning struct {
	Set  map[string]string
	Next Strategy `json:"-"` // built from them; nil: the shard has its seat build it
}

// Maker is a factory with the parameters of a seat's configuration: what a Seat builds its
// strategy by, anew with some of them changed.
func Maker(build func(*Params) (Strategy, error), values map[string]any) func(set map[string]string) (Strategy, error) {
	return func(set map[string]string) (Strategy, error) {
		all := maps.Clone(values)
		if all == nil {
			all = map[string]any{}
		}
		for name, text := range set {
			all[name] = Text(text)
		}
		return build(NewParams(all))
	}
}

// tune hands a strategy its new parameters; false if it cannot take them.
func (s *Shard) tune(c *Command) bool {
	m := s.market(c.Instrument)
	if m == nil || c.Tune == nil {
		return false
	}
	for i := range m.seats {
		t := &m.seats[i]
		to, ok := t.Strategy.(Tuned)
		if t.Number != c.Strategy || !ok {
			continue
		}
		next := c.Tune.Next
		if next == nil {
			if t.Make == nil {
				return false
			}
			var err error
			if next, err = t.Make(c.Tune.Set); err != nil {
				return false
			}
		}
		to.Tune(&t.view, next)
		return true
	}
	return false
}

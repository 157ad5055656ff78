package app

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/journal"
)

// tunedKey is one strategy at one instrument.
type tunedKey struct {
	strategy uint16
	id       core.InstrumentID
}

// textMost is how long a name or a value in the journal may be.
const textMost = 255

// tune changes parameters of a strategy while it runs, at all of its symbols or at one. They
// are checked as at the start, all of them before any is in force; each is on record before
// the strategy hears of it, and counts until the process ends: the next start goes by the
// configuration. Any goroutine.
func (c *control) tune(o *order) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := slices.Index(c.d.strategies, o.Strategy)
	if n < 0 {
		return "", fmt.Errorf("parameter change refused: strategy is %q, want one of %q", o.Strategy, c.d.strategies)
	}
	if len(o.Set) == 0 {
		return "", errors.New("parameter change refused: nothing is set, want names with their new values")
	}
	for name, value := range o.Set {
		if len(name) > textMost || len(value) > textMost {
			return "", fmt.Errorf("parameter change refused: a name or value has more than %d bytes", textMost)
		}
	}
	list, err := c.tunings(uint16(n), o)
	if err != nil {
		return "", fmt.Errorf("parameter change refused: %w", err)
	}
	var words []string
	for _, name := range slices.Sorted(maps.Keys(o.Set)) {
		words = append(words, name+" "+o.Set[name])
	}
	a := o.act()
	a.Op, a.When, a.What = "params", time.Now(), strings.TrimSpace(o.Strategy+" "+o.Symbol)+": "+strings.Join(words, ", ")
	if err := writeAct(c.dir, a); err != nil {
		return "", err
	}
	for i := range list {
		cmd := &list[i]
		c.tuned[tunedKey{cmd.Strategy, cmd.Instrument}] = cmd.Tune.Set
		e := errand{Command: *cmd, by: a}
		for _, name := range slices.Sorted(maps.Keys(o.Set)) {
			e.tuned = append(e.tuned, journal.Param{Strategy: o.Strategy, Symbol: c.d.table.Get(cmd.Instrument).Symbol, Name: name, Value: o.Set[name],
				Who: a.Who, Why: a.Why})
		}
		c.queue(e)
	}
	c.d.engineWait.Wake()
	return "in force: " + a.What, nil
}

// tunings are the commands of a change, each with a strategy that the parameters have been
// checked by. Lock held.
func (c *control) tunings(n uint16, o *order) (list []engine.Command, err error) {
	for i, seats := range c.d.seats {
		id := core.InstrumentID(i)
		symbol := c.d.table.Get(id).Symbol
		if o.Symbol != "" && o.Symbol != symbol {
			continue
		}
		for _, s := range seats {
			if s.Number != n {
				continue
			}
			if _, ok := s.Strategy.(engine.Tuned); !ok || s.Make == nil {
				return nil, fmt.Errorf("strategy %s takes no parameters while it runs", o.Strategy)
			}
			set := maps.Clone(c.tuned[tunedKey{n, id}])
			if set == nil {
				set = map[string]string{}
			}
			maps.Copy(set, o.Set)
			next, err := s.Make(set)
			if err != nil {
				return nil, fmt.Errorf("%s on %s: %w", o.Strategy, symbol, err)
			}
			list = append(list, engine.Command{Kind: engine.CmdTune, Instrument: id, Strategy: n, Tune: &engine.Tuning{Set: set, Next: next}})
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("strategy %s does not trade %s", o.Strategy, o.Symbol)
	}
	return list, nil
}

// tunedWords are the parameters that differ from the configuration, by strategy and symbol.
func (c *control) tunedWords() map[string]map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.tuned) == 0 {
		return nil
	}
	all := map[string]map[string]string{}
	for k, set := range c.tuned {
		all[c.d.strategies[k.strategy]+" "+c.d.table.Get(k.id).Symbol] = maps.Clone(set)
	}
	return all
}

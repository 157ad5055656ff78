package app

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
)

// StrategyConfig is [strategy]: the only one, bound by the account's limits alone.
type StrategyConfig struct {
	Name    string         `toml:"name"`
	Symbols []string       `toml:"symbols"`
	Params  map[string]any `toml:"params"`
}

// SeveralConfig is one [strategies.NAME]: a strategy beside others, with a budget of its
// own under the account's limits. What is left out of the budget binds nothing.
type SeveralConfig struct {
	Kind        string              `toml:"kind"`
	Symbols     []string            `toml:"symbols"`
	Params      map[string]any      `toml:"params"`
	PositionMax map[string]quantity `toml:"position_max"`
	GrossMax    quantity            `toml:"gross_max"`
	LossMax     quantity            `toml:"loss_max"`
	RateMax     int                 `toml:"rate_max"`
	RateSpan    duration            `toml:"rate_span"`
}

// unnamed is the name of a strategy that no file has named.
const unnamed = "\x00"

// strategiesMost is how many strategies one process may have: fewer than the gate tells
// apart, which leaves numbers for those of former runs.
const strategiesMost = 12

// strategyNameMost is how long the name of a strategy may be, in bytes.
const strategyNameMost = 32

// nameStrategy gives the strategy the name it has where the file says nothing: usual, or
// none beside strategies.
func (c *Config) nameStrategy(usual string) {
	if c.Strategy.Name != unnamed {
		return
	}
	if c.Strategy.Name = usual; len(c.Several) > 0 {
		c.Strategy.Name = ""
	}
}

// strategyNames are the names of all strategies in the order of their numbers.
func (c *Config) strategyNames() []string {
	if c.Strategy.Name != "" {
		return []string{c.Strategy.Name}
	}
	return slices.Sorted(maps.Keys(c.Several))
}

// strategyOf is a strategy by its name.
func (c *Config) strategyOf(name string) SeveralConfig {
	s := c.Several[name]
	if c.Strategy.Name != "" {
		s = SeveralConfig{Kind: name, Symbols: c.Strategy.Symbols, Params: c.Strategy.Params}
	}
	if len(s.Symbols) == 0 {
		s.Symbols = c.Market.Symbols
	}
	return s
}

// fixSymbols writes down which symbols each strategy has, before more are only watched.
func (c *Config) fixSymbols() {
	if c.Strategy.Name != "" {
		c.Strategy.Symbols = c.traded()
	}
	for name := range c.Several {
		c.Several[name] = c.strategyOf(name)
	}
}

// traded is the symbols that strategies get: those of the only one in its order, those of
// several in the market's.
func (c *Config) traded() []string {
	names := c.strategyNames()
	if len(names) == 0 {
		return nil
	}
	all := c.strategyOf(names[0]).Symbols
	if len(names) == 1 {
		return all
	}
	all = slices.Clone(all)
	for _, name := range names[1:] {
		all = append(all, c.strategyOf(name).Symbols...)
	}
	place := func(s string) int { return slices.Index(c.Market.Symbols, s) }
	slices.SortStableFunc(all, func(a, b string) int { return place(a) - place(b) })
	return slices.Compact(all)
}

func (c *Config) checkStrategies() error {
	var errs []error
	if c.Strategy.Name != "" && len(c.Several) > 0 {
		errs = append(errs, fmt.Errorf("strategy.name is %q beside strategies.%s: want one form or the other", c.Strategy.Name, slices.Sorted(maps.Keys(c.Several))[0]))
		return errors.Join(errs...)
	}
	errs = append(errs, between("strategies, how many,", len(c.Several), 0, strategiesMost))
	for _, name := range c.strategyNames() {
		s, at := c.strategyOf(name), "strategies."+name
		if c.Strategy.Name != "" {
			at = "strategy"
			if _, err := engine.Lookup(name); err != nil {
				errs = append(errs, fmt.Errorf("strategy.name: %w", err))
			}
		} else {
			errs = append(errs, s.check(at, name))
		}
		seen := map[string]bool{}
		for _, sym := range s.Symbols {
			if !slices.Contains(c.Market.Symbols, sym) || seen[sym] {
				errs = append(errs, want(at+".symbols", fmt.Sprintf("%q", sym), "only symbols that market.symbols has too, each once"))
			}
			seen[sym] = true
		}
		for _, sym := range slices.Sorted(maps.Keys(s.PositionMax)) {
			if !seen[sym] {
				errs = append(errs, want(at+".position_max", fmt.Sprintf("%q", sym), "only symbols that it trades"))
			}
		}
	}
	for _, s := range c.traded() {
		if _, ok := c.Limits[s]; !ok {
			errs = append(errs, fmt.Errorf("limits.%s is missing, want qty_max, notional_max, position_max and the rest: limits have no default", s))
		}
	}
	return errors.Join(errs...)
}

func (s *SeveralConfig) check(at, name string) error {
	var errs []error
	if len(name) > strategyNameMost || strings.ContainsFunc(name, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-')
	}) {
		errs = append(errs, fmt.Errorf("strategies.%s has no good name, want 1 to %d of a-z, A-Z, 0-9, _ and -", name, strategyNameMost))
	}
	if _, err := engine.Lookup(s.Kind); err != nil {
		errs = append(errs, fmt.Errorf("%s.kind: %w", at, err))
	}
	errs = append(errs, between(at+".rate_max", s.RateMax, 0, 1_000_000))
	if s.RateMax > 0 {
		errs = append(errs, span(at+".rate_span", s.RateSpan, 1_000_000, 24*3600*1e9))
	}
	return errors.Join(errs...)
}

// budget is what the strategy may do, with its symbols found in a table.
func (s *SeveralConfig) budget(name string, t *core.Instruments) *risk.Budget {
	b := &risk.Budget{Name: name, PositionMax: map[core.InstrumentID]core.Qty{}, GrossMax: core.Amount(s.GrossMax.e8), LossMax: core.Amount(s.LossMax.e8),
		RateMax: s.RateMax, RateSpan: s.RateSpan.Duration}
	for sym, q := range s.PositionMax {
		if in, ok := t.Lookup(sym); ok {
			b.PositionMax[in.ID] = core.Qty(q.e8)
		}
	}
	return b
}

// trading is all of a configuration that decides about orders, for a table of
// instruments: whoever runs a shard by it, live or on recordings, has it from here.
type trading struct {
	gate   *risk.Gate
	seats  [][]engine.Seat     // by instrument, for engine.Config
	names  []string            // of the strategies, by number
	traded []core.InstrumentID // not nil
}

// trading builds gate and strategies. Every symbol that is traded is in the table.
func (c *Config) trading(t *core.Instruments) (*trading, error) {
	tr := &trading{seats: make([][]engine.Seat, len(t.List)), names: c.strategyNames(), traded: []core.InstrumentID{}}
	limits := map[core.InstrumentID]risk.Limits{}
	for _, sym := range c.traded() {
		in, ok := t.Lookup(sym)
		if !ok {
			return nil, fmt.Errorf("cannot trade %s: no such symbol is known", sym)
		}
		limits[in.ID] = c.Limits[sym].limits()
		tr.traded = append(tr.traded, in.ID)
	}
	account, err := c.Account.limits(t)
	if err != nil {
		return nil, err
	}
	if tr.gate, err = risk.NewGate(t, limits, account); err != nil {
		return nil, err
	}
	for n, name := range tr.names {
		s := c.strategyOf(name)
		trades, err := tr.seat(t, uint16(n), name, &s)
		if err != nil {
			return nil, err
		}
		if err := c.checkFollows(tr.seats, uint16(n), name); err != nil {
			return nil, err
		}
		if err := tr.gate.Grant(uint16(n), s.budget(name, t), trades); err != nil {
			return nil, err
		}
	}
	return tr, nil
}

// tryStrategies makes each strategy once, for symbols whose rules bind nothing, as the
// venue's are not known here: names, types and ranges of parameters are what a start would
// complain of first.
func (c *Config) tryStrategies() error {
	t := core.NewInstruments()
	for _, sym := range c.traded() {
		if _, err := t.Add(core.Instrument{Symbol: sym, Filters: core.Filters{Tick: 1, PriceMin: 1, PriceMax: math.MaxInt64, Lot: 1, QtyMin: 1, QtyMax: math.MaxInt64}}); err != nil {
			return err
		}
	}
	tr := &trading{seats: make([][]engine.Seat, len(t.List))}
	for n, name := range c.strategyNames() {
		s := c.strategyOf(name)
		if _, err := tr.seat(t, uint16(n), name, &s); err != nil {
			return err
		}
		if err := c.checkFollows(tr.seats, uint16(n), name); err != nil {
			return err
		}
	}
	return nil
}

// checkFollows finds signals that a strategy waits for and that nobody makes.
func (c *Config) checkFollows(seats [][]engine.Seat, n uint16, name string) error {
	for _, list := range seats {
		for _, t := range list {
			f, ok := t.Strategy.(interface{ Follows() []string })
			if !ok || t.Number != n {
				continue
			}
			for _, word := range f.Follows() {
				if _, rule := c.Signals[word]; rule {
					continue
				}
				if _, source := c.Sources[word]; !source {
					return fmt.Errorf("strategy %s follows %q, want a name that [signals.%s] or [sources.%s] has", name, word, word, word)
				}
			}
		}
	}
	return nil
}

// seat makes a strategy for each of its instruments.
func (tr *trading) seat(t *core.Instruments, n uint16, name string, s *SeveralConfig) (trades []core.InstrumentID, err error) {
	build, err := engine.Lookup(s.Kind)
	if err != nil {
		return nil, err
	}
	for _, sym := range s.Symbols {
		in, _ := t.Lookup(sym)
		again := engine.Maker(func(p *engine.Params) (engine.Strategy, error) { return build(in, p) }, s.Params)
		one, err := again(nil)
		if err != nil {
			return nil, fmt.Errorf("strategy %s on %s: %w", name, sym, err)
		}
		tr.seats[in.ID] = append(tr.seats[in.ID], engine.Seat{Number: n, Strategy: one, Make: again})
		trades = append(trades, in.ID)
	}
	return trades, nil
}

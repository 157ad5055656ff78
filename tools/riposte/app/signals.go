package app

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/core/signal"
	"riposte/tools/riposte/rule"
)

// SignalConfig is one table of [signals]: a rule that watches the market and tells
// strategies what it sees.
type SignalConfig struct {
	On        string   `toml:"on"`
	When      string   `toml:"when"`
	Direction string   `toml:"direction"`
	Strength  any      `toml:"strength"` // text, or a number
	Horizon   duration `toml:"horizon"`
	Symbols   []string `toml:"symbols"`
}

// names are the configured signals in order, so that no run depends on a map's.
func (c *Config) signalNames() []string { return slices.Sorted(maps.Keys(c.Signals)) }

// rules compiles the signals of one symbol; nil where it has none.
func (c *Config) rules(symbol string) (*signal.Rules, error) {
	r := new(signal.Rules)
	for _, name := range c.signalNames() {
		s := c.Signals[name]
		if len(s.Symbols) > 0 && !slices.Contains(s.Symbols, symbol) {
			continue
		}
		if err := s.source(name).Add(r); err != nil {
			return nil, fmt.Errorf("signals.%s on %s: %w", name, symbol, err)
		}
	}
	if len(r.List()) == 0 {
		return nil, nil
	}
	return r, nil
}

func (s *SignalConfig) source(name string) *rule.Source {
	strength := "1"
	switch v := s.Strength.(type) {
	case string:
		strength = v
	case float64:
		strength = strconv.FormatFloat(v, 'f', -1, 64)
	case int64:
		strength = strconv.FormatInt(v, 10)
	}
	return &rule.Source{Name: name, On: s.On, When: s.When, Direction: s.Direction, Strength: strength, Horizon: core.MonoNs(s.Horizon.Duration)}
}

var signalName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,32}$`)

// checkSignals compiles every signal, each alone so that all errors are told and then
// those of each symbol together.
func (c *Config) checkSignals() error {
	var errs []error
	for _, name := range c.signalNames() {
		s, key := c.Signals[name], "signals."+name
		if !signalName.MatchString(name) {
			errs = append(errs, want("signals", fmt.Sprintf("%q", name), "names of 1 to 32 letters, digits, - and _"))
		}
		switch s.Strength.(type) {
		case nil, string, float64, int64:
		default:
			errs = append(errs, want(key+".strength", s.Strength, "a number from 0 to 1 or an expression"))
		}
		errs = append(errs, span(key+".horizon", s.Horizon, time.Millisecond, 24*time.Hour))
		for _, sym := range s.Symbols {
			if !slices.Contains(c.Market.Symbols, sym) {
				errs = append(errs, want(key+".symbols", fmt.Sprintf("%q", sym), "only symbols that market.symbols has too"))
			}
		}
		r := new(signal.Rules)
		if err := s.source(name).Add(r); err != nil {
			errs = append(errs, c.pointed(key, err)...)
			continue
		}
		errs = append(errs, c.checkFed(key, r))
	}
	if errors.Join(errs...) != nil {
		return errors.Join(errs...)
	}
	for _, sym := range c.Market.Symbols {
		if _, err := c.rules(sym); err != nil {
			return err
		}
	}
	return nil
}

// pointed adds to each of a signal's errors its place in the file.
func (c *Config) pointed(key string, err error) (out []error) {
	list := []error{err}
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		list = joined.Unwrap()
	}
	for _, e := range list {
		var at *rule.FieldError
		if !errors.As(e, &at) {
			out = append(out, fmt.Errorf("%s: %w", key, e))
			continue
		}
		text := fmt.Sprintf("%s.%s: %s", key, at.Field, at.Err.Text)
		if mark := c.mark(strings.Split(key+"."+at.Field, "."), at.Err.At, at.Err.End); mark != "" {
			text += "\n" + mark
		}
		out = append(out, errors.New(text))
	}
	return out
}

// checkFed makes sure that what a signal's indicators read is subscribed.
func (c *Config) checkFed(key string, r *signal.Rules) error {
	trades := slices.Contains(c.Market.Streams, "trade") || slices.Contains(c.Market.Streams, "aggTrade")
	lacks := func(what, list, entry string) error {
		return fmt.Errorf("%s reads %s, and %s has no %s", key, what, list, entry)
	}
	var errs []error
	if r.Reads(signal.Trades) && !trades {
		errs = append(errs, lacks("trades", "market.streams", "trade or aggTrade"))
	}
	for i := 0; ; i++ {
		s, ok := r.Of(i)
		if !ok {
			return errors.Join(errs...)
		}
		switch {
		case s.Kind == signal.TimeBars && !slices.Contains(c.Bars.Intervals, s.Interval()):
			errs = append(errs, lacks("bars of "+s.Interval(), "bars.intervals", strconv.Quote(s.Interval())))
		case s.Kind == signal.KlineBars && !slices.Contains(c.Market.Streams, "kline_"+s.Interval()):
			errs = append(errs, lacks("klines of "+s.Interval(), "market.streams", "kline_"+s.Interval()))
		case s.Span == 0 && !trades:
			errs = append(errs, lacks("bars of "+s.String(), "market.streams", "trade or aggTrade"))
		}
	}
}

// signalRing is how many signals may fire between two collections; what finds it full
// is counted and not shown, and strategies have seen it all the same.
const signalRing = 1 << 10

// signalsSeen is what has fired, for the status. The engine's thread fills the ring and
// never waits for it; the printing goroutine reads.
type signalsSeen struct {
	ring  *ring.Ring[signal.Fired]
	rules []*signal.Rules // by instrument
	last  map[signalKey]*signalReport
}

type signalKey struct {
	id   core.InstrumentID
	rule uint16
}

// signalReport is one signal of one symbol in a report.
type signalReport struct {
	Symbol string `json:"symbol"`
	Name   string `json:"name"`
	Fired  uint64 `json:"fired"`
	Last   string `json:"last"` // its newest reason, with numbers
}

// addRules has what the shard's rules say shown.
func (d *desk) addRules(shard *engine.Config) {
	if shard.Rules == nil {
		return
	}
	d.signals = &signalsSeen{ring: ring.New[signal.Fired](signalRing), rules: shard.Rules, last: map[signalKey]*signalReport{}}
	shard.Fired = d.signals.ring
}

// reportSignals takes what has fired and tells how often, and why last.
func (d *desk) reportSignals(r *report) {
	f := d.signals
	if f == nil {
		return
	}
	for list := f.ring.Pending(); len(list) > 0; list = f.ring.Pending() {
		for i := range list {
			x := &list[i]
			rules, key := f.rules[x.Instrument], signalKey{x.Instrument, x.Rule}
			if f.last[key] == nil {
				f.last[key] = &signalReport{Symbol: d.table.Get(x.Instrument).Symbol, Name: rules.List()[x.Rule].Name}
			}
			f.last[key].Fired++
			f.last[key].Last = rules.Reason(x)
		}
		f.ring.Release(len(list))
	}
	if lost := d.shard.Stats().SignalsLost; lost > 0 {
		r.Problems = append(r.Problems, fmt.Sprintf("%d signals fired that are not shown here: strategies have seen them", lost))
	}
	for i := range d.table.List {
		if m := d.shard.MarketStats(d.table.List[i].ID); m != nil && m.Rules.Holes > 0 {
			r.Problems = append(r.Problems, fmt.Sprintf("%s: indicators of signals began anew %d times, after bars that are missing", d.table.List[i].Symbol, m.Rules.Holes))
		}
	}
	for _, s := range f.last {
		r.Signals = append(r.Signals, *s)
	}
	slices.SortFunc(r.Signals, func(a, b signalReport) int {
		return strings.Compare(a.Symbol+" "+a.Name, b.Symbol+" "+b.Name)
	})
}

package engine

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"riposte/core"
)

// Params are a strategy's parameters as the config gives them, name to value.
// Each read marks its name as known; Done complains about the rest, so a slip of
// the pen is an error and not a default. Cold path, one goroutine.
type Params struct {
	values map[string]any
	known  map[string]bool
	errs   []string
}

// NewParams wraps the values of one config table.
func NewParams(values map[string]any) *Params {
	return &Params{values: values, known: map[string]bool{}}
}

func (p *Params) get(name string) (any, bool) {
	p.known[name] = true
	v, ok := p.values[name]
	return v, ok
}

func (p *Params) bad(name string, got any, want string) {
	p.errs = append(p.errs, fmt.Sprintf("%s is %v, want %s", name, got, want))
}

// Int reads a whole number between lo and hi; def if it is not given.
func (p *Params) Int(name string, def, lo, hi int64) int64 {
	v, ok := p.get(name)
	if !ok {
		return def
	}
	n, ok := v.(int64)
	if !ok || n < lo || n > hi {
		p.bad(name, v, fmt.Sprintf("a whole number from %d to %d", lo, hi))
		return def
	}
	return n
}

// Float reads a number between lo and hi; def if it is not given.
func (p *Params) Float(name string, def, lo, hi float64) float64 {
	v, ok := p.get(name)
	if !ok {
		return def
	}
	var f float64
	switch n := v.(type) {
	case float64:
		f = n
	case int64:
		f = float64(n)
	default:
		f = math.NaN()
	}
	if !(f >= lo && f <= hi) {
		p.bad(name, v, fmt.Sprintf("a number from %v to %v", lo, hi))
		return def
	}
	return f
}

// Qty reads a quantity, written as text ("0.001") so that no float touches it;
// def if it is not given.
func (p *Params) Qty(name string, def core.Qty) core.Qty {
	v, ok := p.get(name)
	if !ok {
		return def
	}
	s, ok := v.(string)
	q, err := core.ParseQty(s)
	if !ok || err != nil || q <= 0 {
		p.bad(name, v, `a quantity above 0 written as text, such as "0.001"`)
		return def
	}
	return q
}

// Duration reads a duration between lo and hi, written as text ("250ms"); def if it
// is not given.
func (p *Params) Duration(name string, def, lo, hi time.Duration) time.Duration {
	v, ok := p.get(name)
	if !ok {
		return def
	}
	s, _ := v.(string)
	d, err := time.ParseDuration(s)
	if err != nil || d < lo || d > hi {
		p.bad(name, v, fmt.Sprintf("a duration from %v to %v", lo, hi))
		return def
	}
	return d
}

// Choice reads one of the given words; def if it is not given.
func (p *Params) Choice(name, def string, words ...string) string {
	v, ok := p.get(name)
	if !ok {
		return def
	}
	s, _ := v.(string)
	if !slices.Contains(words, s) {
		p.bad(name, v, "one of "+strings.Join(words, ", "))
		return def
	}
	return s
}

// Done returns one error for everything that was wrong: illegal values and names
// that the strategy never asked for.
func (p *Params) Done() error {
	errs := p.errs
	for _, name := range slices.Sorted(maps.Keys(p.values)) {
		if !p.known[name] {
			errs = append(errs, fmt.Sprintf("%s is not a parameter, want one of %s", name,
				strings.Join(slices.Sorted(maps.Keys(p.known)), ", ")))
		}
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("cannot use the strategy's parameters: %s", strings.Join(errs, "; "))
}

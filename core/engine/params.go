package engine

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
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

// word is a value that is written as text.
func word(v any) (string, bool) {
	if t, is := v.(Text); is {
		return string(t), true
	}
	s, ok := v.(string)
	return s, ok
}

// Int reads a whole number between lo and hi; def if it is not given.
func (p *Params) Int(name string, def, lo, hi int64) int64 {
	v, ok := p.get(name)
	if !ok {
		return def
	}
	n, ok := v.(int64)
	if t, is := v.(Text); is {
		var err error
		n, err = strconv.ParseInt(string(t), 10, 64)
		ok = err == nil
	}
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
	case Text:
		var err error
		if f, err = strconv.ParseFloat(string(n), 64); err != nil {
			f = math.NaN()
		}
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
	s, ok := word(v)
	q, err := core.ParseQty(s)
	if !ok || err != nil || q <= 0 {
		p.bad(name, v, `a quantity above 0 written as text, such as "0.001"`)
		return def
	}
	return q
}

// Price reads a price, written as text likewise; def if it is not given.
func (p *Params) Price(name string, def core.Price) core.Price {
	v, ok := p.get(name)
	if !ok {
		return def
	}
	s, ok := word(v)
	q, err := core.ParsePrice(s)
	if !ok || err != nil || q <= 0 {
		p.bad(name, v, `a price above 0 written as text, such as "61000.5"`)
		return def
	}
	return q
}

// Words reads a list of words, each of them once; none if it is not given. As text they are
// separated by commas.
func (p *Params) Words(name string) (words []string) {
	v, ok := p.get(name)
	if !ok {
		return nil
	}
	good := true
	switch l := v.(type) {
	case Text:
		words = strings.Split(string(l), ",")
	case []string:
		words = l
	case []any:
		for _, w := range l {
			s, is := w.(string)
			good = good && is
			words = append(words, s)
		}
	default:
		good = false
	}
	for i, w := range words {
		good = good && w != "" && !slices.Contains(words[:i], w)
	}
	if !good {
		p.bad(name, v, `a list of words, each once, such as ["trend", "dip"]`)
		return nil
	}
	return words
}

// Duration reads a duration between lo and hi, written as text ("250ms"); def if it
// is not given.
func (p *Params) Duration(name string, def, lo, hi time.Duration) time.Duration {
	v, ok := p.get(name)
	if !ok {
		return def
	}
	s, _ := word(v)
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
	s, _ := word(v)
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

package signal

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"riposte/core"
)

// Indicator is one streaming indicator with one or more outputs. Beside this it takes
// what it is fed with: OnBar, OnTop, OnTrade or OnDepth.
type Indicator interface {
	// Value is output i at now; ok is false while the indicator is not ready.
	Value(i int, now core.MonoNs) (v float64, ok bool)
	// Reset forgets all: the indicator is not ready again.
	Reset()
}

type (
	ofBars   interface{ OnBar(*Bar) }
	ofTouch  interface{ OnTop(*core.Top, core.MonoNs) }
	ofTrades interface {
		OnTrade(core.Price, core.Qty, core.Side, core.MonoNs)
	}
	ofDepth interface {
		OnDepth(bids, asks []core.Level, now core.MonoNs)
		Levels() int
	}
)

// Feed is what an indicator is fed with.
type Feed uint8

// The feeds.
const (
	Bars Feed = iota + 1
	Touch
	Trades
	Depth
)

// String is the feed's name.
func (f Feed) String() string { return [...]string{"nothing", "bars", "touch", "trades", "depth"}[f] }

// Unit is what a value is measured in: powers of the quote and the base asset, and a
// scale. A price is quote per base.
type Unit struct {
	Quote, Base int8
	Scale       Scale
}

// Scale is what a number without a dimension counts.
type Scale uint8

// The scales.
const (
	Ones Scale = iota
	Percents
	BasisPoints
)

// The units of the indicators.
var (
	Number  = Unit{}
	Percent = Unit{Scale: Percents}
	Bps     = Unit{Scale: BasisPoints}
	InPrice = Unit{Quote: 1, Base: -1}
	InBase  = Unit{Base: 1}
	InQuote = Unit{Quote: 1}
)

// String names the unit.
func (u Unit) String() string {
	switch u {
	case Number:
		return "a number"
	case Percent:
		return "percent"
	case Bps:
		return "bps"
	case InPrice:
		return "a price"
	case InBase:
		return "base"
	case InQuote:
		return "quote"
	}
	return fmt.Sprintf("quote^%d base^%d", u.Quote, u.Base) + [...]string{"", " percent", " bps"}[u.Scale]
}

// ArgKind is what may stand for a parameter.
type ArgKind uint8

// The kinds of argument.
const (
	Length ArgKind = iota // a whole number
	Real                  // any number
	Span                  // a duration; its value is in seconds
)

// Param is one parameter of an indicator.
type Param struct {
	Name   string
	Kind   ArgKind
	Lo, Hi float64
	Def    float64 // NaN: it must be given
}

// Arg is one argument. A span is in seconds.
type Arg struct {
	V    float64
	Span bool
}

// Spec is one name of the registry.
type Spec struct {
	Name, Doc string
	Of        Feed
	Unit      Unit
	Params    []Param
	family    *family // those of one family share their state where they are given the same
	out       int
}

type output struct {
	name string
	unit Unit
	doc  string
}

// family is an indicator with its outputs, each of which has a name.
type family struct {
	of      Feed
	params  []Param
	build   func(a []float64) Indicator
	check   func(a []float64) error // of arguments together; may be nil
	outputs []output
}

var specs = func() (all []*Spec) {
	for i := range catalog {
		f := &catalog[i]
		for k, o := range f.outputs {
			all = append(all, &Spec{o.name, o.doc, f.of, o.unit, f.params, f, k})
		}
	}
	slices.SortFunc(all, func(a, b *Spec) int { return strings.Compare(a.Name, b.Name) })
	return all
}()

// Specs are all indicators by name.
func Specs() []*Spec { return specs }

// Lookup finds an indicator by its name.
func Lookup(name string) (*Spec, error) {
	i, ok := slices.BinarySearchFunc(specs, name, func(s *Spec, n string) int { return strings.Compare(s.Name, n) })
	if !ok {
		return nil, fmt.Errorf("%q is no indicator, want one such as %s", name, strings.Join(nearest(name), ", "))
	}
	return specs[i], nil
}

// nearest are the three names that a wrong one was most likely meant to be.
func nearest(name string) (out []string) {
	best := slices.Clone(specs)
	slices.SortStableFunc(best, func(a, b *Spec) int { return edits(a.Name, name) - edits(b.Name, name) })
	for _, s := range best[:3] {
		out = append(out, s.Name)
	}
	return out
}

// edits is how many letters must be put in, left out or changed to make b of a.
func edits(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			keep := diagonal
			if a[i] != b[j] {
				keep++
			}
			diagonal = row[j+1]
			row[j+1] = min(keep, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Signature is how the indicator is written, with its defaults.
func (s *Spec) Signature() string {
	var parts []string
	if s.Of == Bars {
		parts = append(parts, "bars")
	}
	for _, p := range s.Params {
		text := p.Name
		if !math.IsNaN(p.Def) {
			text += " = " + p.text(p.Def)
		}
		parts = append(parts, text)
	}
	return s.Name + "(" + strings.Join(parts, ", ") + ")"
}

func (p *Param) text(v float64) string {
	t := strconv.FormatFloat(v, 'f', -1, 64)
	if p.Kind == Span {
		t += "s"
	}
	return t
}

// args checks what was given and puts the defaults in.
func (s *Spec) args(given []Arg) ([]float64, error) {
	if len(given) > len(s.Params) {
		return nil, fmt.Errorf("got %d arguments beside the bars, want %s", len(given), s.Signature())
	}
	vals := make([]float64, len(s.Params))
	for i := range s.Params {
		p := &s.Params[i]
		if i >= len(given) {
			if math.IsNaN(p.Def) {
				return nil, fmt.Errorf("%s is missing, want %s", p.Name, s.Signature())
			}
			vals[i] = p.Def
			continue
		}
		a := given[i]
		if err := p.check(a); err != nil {
			return nil, err
		}
		vals[i] = a.V
	}
	if s.family.check != nil {
		return vals, s.family.check(vals)
	}
	return vals, nil
}

func (p *Param) check(a Arg) error {
	what := [...]string{"a whole number", "a number", "a duration"}[p.Kind]
	got := Param{Kind: Real}
	if a.Span {
		got.Kind = Span
	}
	if a.Span != (p.Kind == Span) || !(a.V >= p.Lo && a.V <= p.Hi) || p.Kind == Length && a.V != math.Trunc(a.V) {
		return fmt.Errorf("%s is %s, want %s from %s to %s", p.Name, got.text(a.V), what, p.text(p.Lo), p.text(p.Hi))
	}
	return nil
}

// Build makes an indicator alone, and says which of its outputs the name is.
func (s *Spec) Build(given ...Arg) (in Indicator, out int, err error) {
	vals, err := s.args(given)
	if err != nil {
		return nil, 0, fmt.Errorf("cannot use %s: %w", s.Name, err)
	}
	return s.family.build(vals), s.out, nil
}

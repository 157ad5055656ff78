package rule

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"riposte/core"
	"riposte/core/signal"
)

// Source is a signal as the configuration writes it.
type Source struct {
	Name      string
	On        string // "event", "bar 1m", "bar kline 1m", "bar 100 ticks"
	When      string
	Direction string
	Strength  string
	Horizon   core.MonoNs
}

// FieldError is an error in one of a signal's texts.
type FieldError struct {
	Field string // as the configuration calls it
	Err   *Error
}

// Error names the field.
func (e *FieldError) Error() string { return e.Field + ": " + e.Err.Text }

// Add compiles a signal for the rules of one symbol. The error joins everything that is
// wrong, each a *FieldError where it has a place.
func (s *Source) Add(r *signal.Rules) error {
	u := signal.Rule{Name: s.Name, Horizon: s.Horizon, Text: strings.Join(strings.Fields(s.When), " ")}
	var errs []error
	var err error
	if u.On, err = trigger(s.On); err != nil {
		errs = append(errs, &FieldError{"on", &Error{0, len([]rune(s.On)), err.Error()}})
	}
	for _, f := range []struct {
		name, text string
		kind       Kind
		to         *signal.Program
	}{{"when", s.When, Truth, &u.When}, {"direction", s.Direction, Direction, &u.Direction}, {"strength", s.Strength, Strength, &u.Strength}} {
		c, err := Compile(f.text, f.kind, &r.Panel)
		var at *Error
		if errors.As(err, &at) {
			errs = append(errs, &FieldError{f.name, at})
		}
		*f.to = c.Program
		for _, slot := range c.Slots {
			if !slices.Contains(u.Slots, slot) {
				u.Slots = append(u.Slots, slot)
			}
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	return r.AddRule(u)
}

// trigger reads when a rule is looked at.
func trigger(text string) (signal.Trigger, error) {
	if text == "event" {
		return signal.Trigger{Event: true}, nil
	}
	of, ok := strings.CutPrefix(text, "bar ")
	if !ok {
		return signal.Trigger{}, fmt.Errorf(`it is %q, want "event" or bars such as "bar 1m", "bar kline 1m", "bar 100 ticks"`, text)
	}
	series, err := signal.ParseSeries(of)
	return signal.Trigger{Series: series}, err
}

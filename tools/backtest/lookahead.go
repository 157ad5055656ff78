package backtest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"riposte/core"
)

// Cut is one comparison of a test for look-ahead.
type Cut struct {
	At       core.MonoNs // where the tape was made to end
	Compared int         // decisions up to there
}

// Foreknown is a decision that came out differently where the future was taken away: it,
// or something it was made of, knew what had not happened yet.
type Foreknown struct {
	Cut       core.MonoNs
	Number    int       // of the decision, from 1
	Whole     *Decision // on the whole tape, nil: none
	Shortened *Decision // on the one that ended at Cut, nil: none
}

// first is the earlier of the two, or the only one.
func (f *Foreknown) first() *Decision {
	if f.Whole == nil || f.Shortened != nil && f.Shortened.At < f.Whole.At {
		return f.Shortened
	}
	return f.Whole
}

func (f *Foreknown) Error() string {
	return fmt.Sprintf("look-ahead: decision %d, at %v, knew what came after %v: on the whole tape it was %s, on the tape up to there %s",
		f.Number, time.Duration(f.first().At), time.Duration(f.Cut), f.Whole, f.Shortened)
}

func (d *Decision) String() string {
	if d == nil {
		return "not made"
	}
	kind := [...]string{"place", "cancel", "cancel all", "amend", "replace"}[d.Intent.Kind]
	if d.Intent.Kind == core.Cancel || d.Intent.Kind == core.CancelAll {
		return fmt.Sprintf("%s of order %d at %v", kind, d.Intent.ID, time.Duration(d.At))
	}
	return fmt.Sprintf("%s %v %v %v at %v, order %d, at %v", kind, d.Intent.Side, d.Intent.Type, d.Intent.Qty, d.Intent.Price, d.Intent.ID, time.Duration(d.At))
}

// Lookahead decides again on tapes that end at n instants and compares: up to there all
// decisions must be the same, for what has not happened cannot have been known. shorten
// makes the tape that ends at an instant, run a run of a tape that keeps its decisions.
// It finds whatever reads ahead in what it is given, be it a strategy, an indicator or
// this package; a decision that would have been the same anyway shows nothing.
func Lookahead(ctx context.Context, whole *Events, n int, shorten func(core.MonoNs) (*Events, error), run func(*Events) (*Run, error)) (cuts []Cut, err error) {
	decide := func(e *Events) ([]Decision, core.MonoNs, error) {
		r, err := run(e)
		if err != nil {
			return nil, 0, err
		}
		if _, err = r.Play(ctx); err != nil {
			return nil, 0, err
		}
		// The venue is one feed's latency ahead of us, and its reports may be faster.
		return r.Decisions(), e.Span - r.feed, nil
	}
	all, _, err := decide(whole)
	if err != nil {
		return nil, err
	}
	for i := range n {
		at := whole.Span / core.MonoNs(n+1) * core.MonoNs(i+1)
		c, err := compareCut(all, at, shorten, decide)
		if err != nil {
			return cuts, err
		}
		cuts = append(cuts, c)
	}
	return cuts, nil
}

func compareCut(all []Decision, at core.MonoNs, shorten func(core.MonoNs) (*Events, error), decide func(*Events) ([]Decision, core.MonoNs, error)) (c Cut, err error) {
	e, err := shorten(at)
	if err != nil {
		return c, err
	}
	defer func() { err = errors.Join(err, e.Close()) }()
	some, until, err := decide(e)
	if errors.Is(err, errShort) {
		return Cut{At: at}, nil // nothing had been decided yet
	}
	if err != nil {
		return c, err
	}
	get := func(list []Decision, i int) *Decision {
		if i < len(list) && list[i].At < until {
			return &list[i]
		}
		return nil
	}
	for i := 0; ; i++ {
		a, b := get(all, i), get(some, i)
		switch {
		case a == nil && b == nil:
			return Cut{At: at, Compared: i}, nil
		case a == nil || b == nil || a.Hash != b.Hash:
			return c, &Foreknown{Cut: at, Number: i + 1, Whole: a, Shortened: b}
		}
	}
}

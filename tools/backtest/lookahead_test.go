package backtest

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
)

// oracle buys when the bid will be higher in a second than it is: it has a finger in the
// tape that it is run on.
type oracle struct {
	watcher
	events *Events
	last   core.MonoNs
	honest bool
}

func (o *oracle) Market(v *engine.View, _ *core.Event) {
	now := v.Now() - epoch
	if now-o.last < core.MonoNs(700*time.Millisecond) {
		return
	}
	bid := core.Price(0)
	c := NewLaps(o.events, 1).cursor()
	for c.next() && c.ev.Recv <= now+core.MonoNs(time.Second) {
		if c.ev.Kind == core.Trade && (!o.honest || c.ev.Recv <= now) {
			bid = c.ev.TradePrice()
		}
	}
	if top := v.Top(); bid > top.Bid {
		if _, r := v.Limit(core.Buy, top.Bid, core.Scale/100); r == risk.None {
			o.last = now
		}
	}
}

// TestLookaheadCatchesWhoKnowsTheFuture and lets those pass who do not: the first decision
// that changes where the future is taken away is named.
func TestLookaheadCatchesWhoKnowsTheFuture(t *testing.T) {
	lines := busy().lines
	whole := decoded(t, source(t, lines))
	shorten := func(at core.MonoNs) (*Events, error) {
		n := 0
		for _, l := range lines {
			if ns := strings.SplitN(l, "\t", 2)[0]; ns > fmtNs(core.MonoNs(scriptStart)*1e6+at) {
				break
			}
			n++
		}
		return decodeAgain(t, lines[:n])
	}
	test := func(make func(*Events) func(*core.Instrument) (engine.Strategy, error)) ([]Cut, error) {
		return Lookahead(context.Background(), whole, 5, shorten, func(e *Events) (*Run, error) {
			c := config(t, e, 1, table("0.01", "0.001"), make(e))
			c.Keep.Decisions = true
			return New(c)
		})
	}
	of := func(honest bool) func(*Events) func(*core.Instrument) (engine.Strategy, error) {
		return func(e *Events) func(*core.Instrument) (engine.Strategy, error) {
			return func(*core.Instrument) (engine.Strategy, error) {
				return &oracle{events: e, honest: honest}, nil
			}
		}
	}
	var f *Foreknown
	if _, err := test(of(false)); !errors.As(err, &f) || !strings.Contains(err.Error(), "look-ahead: decision") {
		t.Errorf("the oracle is not caught: %v", err)
	} else if at := f.first().At; at > f.Cut || at < f.Cut-core.MonoNs(time.Second) {
		t.Errorf("%v: want a decision of the second before the cut", err)
	}
	for name, make := range map[string]func(*Events) func(*core.Instrument) (engine.Strategy, error){
		"an honest one": of(true),
		"the quoter":    func(*Events) func(*core.Instrument) (engine.Strategy, error) { return quoter(lively) },
	} {
		cuts, err := test(make)
		if err != nil || len(cuts) != 5 || cuts[4].Compared == 0 {
			t.Errorf("%s: %v, %+v; want 5 cuts with decisions and no error", name, err, cuts)
		}
	}
}

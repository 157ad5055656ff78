package engine_test

import (
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/risk"
)

// TestDataThatALineDeliversLateIsNotFresh: P3 by the venue's time. Events come without a
// break; only what the venue has dated them tells that they are old.
func TestDataThatALineDeliversLateIsNotFresh(t *testing.T) {
	const origin = core.WallNs(1_722_000_000e9)
	for name, c := range map[string]struct {
		delay, skew, bound time.Duration // of the line; of the clock as we know it, and what it admits
		trades             bool          // the market is quiet: only other markets of the line have something to say
		refused            bool
	}{
		"a line that is late by 5 s":                        {delay: 5 * time.Second, bound: 20 * time.Millisecond, refused: true},
		"a line that is late by 5 s, a quiet market":        {delay: 5 * time.Second, bound: 20 * time.Millisecond, trades: true, refused: true},
		"a prompt line":                                     {delay: 3 * time.Millisecond, bound: 20 * time.Millisecond},
		"a prompt line, a quiet market":                     {delay: 3 * time.Millisecond, bound: 20 * time.Millisecond, trades: true},
		"a clock that is ahead by as much as it may":        {delay: 3 * time.Millisecond, skew: 240 * time.Millisecond, bound: 240 * time.Millisecond},
		"a clock that is ahead, and too old data behind it": {delay: time.Second, skew: 240 * time.Millisecond, bound: 240 * time.Millisecond, refused: true},
		"a clock that is behind by as much as it may":       {delay: 3 * time.Millisecond, skew: -240 * time.Millisecond, bound: 240 * time.Millisecond},
		"late by what the limit allows":                     {delay: 190 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			p := &probe{market: func(v *engine.View, _ *core.Event) { v.Limit(core.Buy, v.Top().Bid, core.Scale) }}
			w := newWorld(t, p, enginetest.Setup{Limits: risk.Limits{QtyMax: 1 << 50, NotionalMax: 1 << 60, PositionMax: 1 << 60, OpenMax: 1000, CollarBps: 10_000, StaleAfter: 300 * time.Millisecond}})
			w.Command(engine.Command{Kind: engine.CmdFacts, VenueAt: origin + core.WallNs(c.skew), ClockError: c.bound, Audited: w.Clock.Now, RulesRead: w.Clock.Now})
			w.Run()
			dated := func() int64 { return int64(origin) + int64(w.Clock.Now) - int64(c.delay) }
			bids, asks := enginetest.Levels("100", "1"), enginetest.Levels("101", "1")
			w.Snapshot(0, 999, bids, asks)
			for i := range uint64(20) {
				w.Advance(100 * time.Millisecond)
				switch {
				case !c.trades || i == 0:
					w.Publish(0, core.Event{Kind: core.DepthDelta, ID: 1000 + i, W: [4]int64{int64(1000 + i), 0, dated(), 0}}, bids, nil)
				default:
					w.Publish(0, core.Event{Kind: core.LineAlive, W: [4]int64{0, int64(w.Clock.Now), dated(), 0}}, nil, nil)
					w.Run()
					w.Trade(0, enginetest.P("100"), core.Scale)
				}
				w.Run()
			}
			n := len(w.Out())
			if !c.refused {
				if n != 20 || w.Gate.Refused(risk.RefusedStale) != 0 {
					t.Fatalf("%d orders of 20, %d were refused as stale: %s", n, w.Gate.Refused(risk.RefusedStale),
						risk.Explain(w.Gate.Denied(), w.Gate.Instrument(0), w.Gate.Limits(0), w.Gate.Account()))
				}
				return
			}
			if n != 0 {
				t.Errorf("%d orders on data that is %v old", n, c.delay)
			}
			told := risk.Explain(w.Gate.Denied(), w.Gate.Instrument(0), w.Gate.Limits(0), w.Gate.Account())
			if want := "by the venue's time"; !strings.Contains(told, "stale book") || !strings.Contains(told, want) || !strings.Contains(told, "read 0s ago") {
				t.Errorf("told %q, want the age, and that it is %s", told, want)
			}
		})
	}
}

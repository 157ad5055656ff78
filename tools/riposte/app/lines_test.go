package app

import (
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"riposte/feed"
)

// count is a number of trials: few by default, else by the environment.
func count(t *testing.T, env string, few int) int {
	text := os.Getenv(env)
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s is %q, want a number", env, text)
	}
	return n
}

// Connections are replaced by age while a market trades, the account's too: no book is
// ever demoted or fetched again, no line reports a hole that another did not fill, and
// trading never stops. RIPOSTE_ROTATIONS=50 and RIPOSTE_ROTATE_EVERY=1m are the full run.
func TestRunRotatesWithoutAGap(t *testing.T) {
	n := uint64(count(t, "RIPOSTE_ROTATIONS", 2))
	for _, lines := range []string{"1", "2"} {
		d := started(t, simConfig(t, "lines = 2", "lines = "+lines, `rotate_age = "23h"`, `rotate_age = "`+rotateEvery(t)+`"`))
		wait(t, "trading", d, func(r *report) bool { return r.Acks >= 2 && settled(r) })
		was := d.report()
		ups := d.user.Status().Ups
		for done := uint64(0); done < n; {
			before := d.market.Status().Rotations
			wait(t, "a rotation on lines = "+lines, d, func(*report) bool {
				st := d.market.Status()
				return st.Rotations > before && !slices.ContainsFunc(st.Lines, func(l feed.LineReport) bool { return l.Succession })
			})
			done = d.market.Status().Rotations
		}
		wait(t, "the account's connection replaced", d, func(*report) bool { return d.keeper.renewed.Load() > 0 })
		r := d.report()
		st := d.market.Status()
		// A process that stood still for want of a processor demotes all its books, which
		// is not the lines' doing.
		downs, pauses := uint64(0), d.shard.Stats().Pauses
		for i := range d.table.List {
			downs += d.shard.MarketStats(d.table.List[i].ID).Sync.Counters.LineDowns
		}
		if r.Gaps != was.Gaps || downs != pauses*uint64(r.Books) || r.LineGapsTotal != 0 {
			t.Errorf("lines = %s: %d gaps, %d books told that their line is down, %d gap records over %d rotations and %d pauses of the process; want none but by pauses", lines,
				r.Gaps-was.Gaps, downs, r.LineGapsTotal, st.Rotations, pauses)
		}
		t.Logf("lines = %s: %d rotations of the market, %d of the account (%d subscriptions before), %d orders, %d books compared, %d different, %d pauses of the process",
			lines, st.Rotations, d.keeper.renewed.Load(), ups, r.Orders, r.BooksCompared, r.BookDifferences, pauses)
		finish(t, d)
	}
}

// A depth stream that stops on every connection while its market moves is noticed, and
// no order leaves on its book meanwhile. RIPOSTE_FREEZES=200 is the full run.
func TestRunNoticesAFrozenStream(t *testing.T) {
	n := count(t, "RIPOSTE_FREEZES", 2)
	d := started(t, simConfig(t, `frozen_after = "5s"`, `frozen_after = "300ms"`, "snapshot_limit = 1000", "snapshot_limit = 100",
		"symbols = []", `symbols = ["BTCUSDT"]`, `margin = "10s"`, `margin = "1s"`, `span = "60s"`, `span = "2s"`))
	wait(t, "trading", d, func(r *report) bool { return r.Acks >= 2 && settled(r) })
	var took []time.Duration
	for i := range n {
		wait(t, "a settled market", d, settled)
		before := d.market.Status().Frozen
		fault(t, d, "freeze btcusdt@depth@100ms 700ms")
		from := time.Now()
		noticed := time.Duration(0)
		wait(t, "the freeze noticed "+strconv.Itoa(i), d, func(*report) bool {
			if noticed == 0 && d.market.Status().Frozen > before {
				noticed = time.Since(from)
			}
			// The market may happen to stand still for as long: then nothing was frozen.
			return noticed != 0 || time.Since(from) > 2*time.Second
		})
		// Both lines notice it, and the stream may freeze once more after its renewal: the
		// next freeze is not to be taken for this one.
		wait(t, "the end of the freeze", d, func(r *report) bool { return time.Since(from) > 1200*time.Millisecond && settled(r) })
		if noticed != 0 {
			took = append(took, noticed)
		}
	}
	wait(t, "a settled market", d, settled)
	if len(took) == 0 {
		t.Fatal("no freeze was noticed")
	}
	slices.Sort(took)
	st := d.market.Status()
	t.Logf("%d freezes, %d noticed, p50 %v, p99 %v, max %v; %d streams renewed, %d connections replaced", n, len(took),
		took[len(took)/2], took[len(took)*99/100], took[len(took)-1], st.Renewed, st.Lost)
	finish(t, d)
}

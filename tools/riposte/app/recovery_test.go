package app

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"riposte/core"
)

// fromEnv is a count that acceptance runs raise.
func fromEnv(t *testing.T, name string, usual int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// watching is a configuration that follows many symbols and trades none, without a
// comparison of every event: there, audits alone find what is wrong.
func watching(t *testing.T, symbols int, edits ...string) *Config {
	t.Helper()
	return simConfig(t, append([]string{`name = "quoter"`, `name = ""`, "slack_ticks = 2", "", `life_min = "250ms"`, "", "symbols = 0", fmt.Sprintf("symbols = %d", symbols),
		`"trade"]`, `]`, "audit = true", "audit = false"}, edits...)...)
}

// Acceptance runs take 400 symbols and a weight of 6000 (RIPOSTE_SYMBOLS).
func TestManyBooksComeBackInsideTheWeight(t *testing.T) {
	n := fromEnv(t, "RIPOSTE_SYMBOLS", 40)
	d := started(t, watching(t, n))
	live := func(r *report) bool { return r.Books == n && r.BooksLive == n && r.Recovery.Start.Books == n }
	wait(t, "every book live", d, live)
	r := d.report()
	t.Logf("start: %+v, snapshots %v, weight used %d", r.Recovery.Start, r.Recovery.Snapshots, d.dealer.view().weight.Weight)
	if got := r.Recovery.Snapshots["bridge"]; got.Count < uint64(n) || got.Count > uint64(n)+uint64(n)/10+2 {
		t.Errorf("%d snapshots for %d books, want one for each, and hardly more", got.Count, n)
	}
	before := r.Demotions
	fault(t, d, "cut streams")
	wait(t, "every book lost and live again", d, func(r *report) bool { return r.Demotions >= before+uint64(n) && live(r) })
	r = d.report()
	t.Logf("again: %+v, snapshots %v, bridge p50 %s p99 %s", *r.Recovery.Outage, r.Recovery.Snapshots, short(r.Recovery.Bridge.P50), short(r.Recovery.Bridge.P99))
	if r.Recovery.Lockouts != 0 || r.Recovery.Audits.Different != 0 {
		t.Errorf("the venue refused %d times, %d audited books differ (%s); want none", r.Recovery.Lockouts, r.Recovery.Audits.Different, r.Recovery.Audits.First)
	}
	finishWatching(t, d)
}

// finishWatching stops a desk that has no orders.
func finishWatching(t *testing.T, d *desk) {
	t.Helper()
	if r := d.shutdown(); !r.Clean || r.Gaps != 0 && r.Recovery.Audits.Different == 0 && r.Recovery.Resync == nil {
		t.Errorf("clean %v, problems %q", r.Clean, r.Problems)
	}
}

// Acceptance runs force 200 gaps (RIPOSTE_RESYNCS).
func TestOneBookIsResyncedAtOnce(t *testing.T) {
	n := fromEnv(t, "RIPOSTE_RESYNCS", 5)
	symbols := []string{"BTCUSDT", "ETHUSDT"}
	d := started(t, watching(t, 0, "snapshot_limit = 1000", "snapshot_limit = 100", "lines = 2", "lines = 1"))
	live := func(r *report) bool { return r.BooksLive == r.Books }
	wait(t, "every book live", d, func(r *report) bool { return live(r) && r.Recovery.Start.Books == r.Books })
	for i := range n {
		gaps := d.report().Gaps
		fault(t, d, "drop depth "+symbols[i%len(symbols)]+" 1")
		wait(t, "a lost event noticed and mended", d, func(r *report) bool {
			return r.Gaps > gaps && live(r) && r.Recovery.Resync != nil && r.Recovery.Resync.Count > int64(i)
		})
	}
	r := d.report()
	q := r.Recovery.Resync
	t.Logf("%d forced gaps: out of Live for p50 %s, p99 %s, at most %s; snapshots %v", q.Count, short(q.P50), short(q.P99), short(q.Max), r.Recovery.Snapshots)
	if q.Count < int64(n) || r.Recovery.Lockouts != 0 {
		t.Errorf("%d resyncs of %d gaps, %d refusals, want all and none", q.Count, n, r.Recovery.Lockouts)
	}
	finishWatching(t, d)
}

// Snapshots that are as old as the venue's caches get are fetched again, ever more slowly,
// until one is of use; the others on the connection do not notice.
func TestStaleSnapshotsHoldUpNobodyElse(t *testing.T) {
	const stale = 3
	d := started(t, watching(t, 0, "snapshot_limit = 1000", "snapshot_limit = 100", "lines = 2", "lines = 1", "audit_share = 10", "audit_share = 0"))
	// The venue must have a past to tell of.
	wait(t, "every book live for a while", d, func(r *report) bool { return r.Recovery.Start.Books == r.Books && r.Seconds > 3 })
	before := d.report()
	fault(t, d, fmt.Sprintf("stale depth ETHUSDT %d", stale))
	fault(t, d, "drop depth ETHUSDT 1")
	wait(t, "the book live again", d, func(r *report) bool { return r.Gaps > before.Gaps && r.BooksLive == r.Books })
	r := d.report()
	got := r.Recovery.Snapshots["bridge"].Count - before.Recovery.Snapshots["bridge"].Count
	if r.Demotions != before.Demotions+1 || r.Recovery.TooOld == 0 || got > stale+4 {
		t.Errorf("%d books lost, %d snapshots too old, %d fetched; want one, some, and about %d", r.Demotions-before.Demotions, r.Recovery.TooOld, got, stale)
	}
	t.Logf("%d snapshots, %d too old, then live after %s", got, r.Recovery.TooOld, short(r.Recovery.Resync.Max))
	finishWatching(t, d)
}

// corrupter changes one level of a book behind everybody's back, on the loop's thread.
type corrupter struct {
	d    *desk
	what atomic.Pointer[core.Instrument]
	done atomic.Pointer[string]
}

func (c *corrupter) Step() int {
	in := c.what.Load()
	if in == nil || c.done.Load() != nil {
		return 0
	}
	b, live := c.d.shard.Sync(in.ID).Live()
	if !live || b.Len(core.Buy) < 60 {
		return 0
	}
	// Far enough from the touch to stay: a level that changes is right again.
	lv := b.Levels(core.Buy, make([]core.Level, 0, 60))[59]
	b.Set(core.Buy, lv.Price, lv.Qty+core.Scale)
	text := lv.Price.String()
	c.done.Store(&text)
	return 1
}

func TestAuditOfALiveRunFindsACorruptedLevel(t *testing.T) {
	d, err := openDesk(watching(t, 12, "audit_share = 10", "audit_share = 50", "snapshot_limit = 1000", "snapshot_limit = 200"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	c := &corrupter{d: d}
	d.witness = c
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	wait(t, "every book live and audited", d, func(r *report) bool {
		return r.BooksLive == r.Books && r.Recovery.Audits.Unaudited == 0
	})
	before := d.report().Recovery.Audits
	if before.Different != 0 || before.Levels == 0 {
		t.Fatalf("audits of right books: %+v, want levels compared and none different", before)
	}
	in, _ := d.table.Lookup("LTCBTC")
	c.what.Store(in)
	at := time.Now()
	wait(t, "the corrupted level found and mended", d, func(r *report) bool {
		return r.Recovery.Audits.Different > 0 && r.BooksLive == r.Books && r.Recovery.Resync != nil
	})
	r := d.report()
	a := r.Recovery.Audits
	t.Logf("found after %v and %d audits of other books: %s; longest cycle %.1f s", time.Since(at).Round(time.Millisecond), a.Books-before.Books-1, a.First, a.Cycle)
	// A cycle, and what was under way when the level was corrupted.
	if a.Different != 1 || !strings.Contains(a.First, "LTCBTC") || !strings.Contains(a.First, "BUY "+*c.done.Load()+" holds") || a.Books-before.Books > uint64(r.Books)+2 {
		t.Errorf("%d books differ, %q after %d audits, want one, %s at %s, within %d", a.Different, a.First, a.Books-before.Books, in.Symbol, *c.done.Load(), r.Books)
	}
	if !slices.ContainsFunc(r.Problems, func(p string) bool { return strings.Contains(p, a.First) }) {
		t.Errorf("problems are %q, want the difference among them", r.Problems)
	}
	finishWatching(t, d)
}

func TestManySymbolsAreWidenedAndBounded(t *testing.T) {
	c := watching(t, 400)
	if n := len(c.Market.Symbols); n != 400 || c.Market.Symbols[0] != "BTCUSDT" || c.Market.Symbols[399] != "M0377USDT" || len(c.traded()) != 0 {
		t.Errorf("%d symbols from %s to %s, %d traded; want 400 from BTCUSDT to M0377USDT and none", n, c.Market.Symbols[0], c.Market.Symbols[n-1], len(c.traded()))
	}
	if c, err := parseConfig("test.toml", defaultTOML, "sim.symbols=40"); err != nil || len(c.Market.Symbols) != 40 || len(c.traded()) != 5 {
		t.Errorf("%v: got %+v, want 40 symbols of which the 5 of market.symbols are traded", err, c)
	}
	_, err := parseConfig("test.toml", defaultTOML, "sim.symbols=400")
	if err == nil || !strings.Contains(err.Error(), "market.symbols times market.streams is 1200, want at most 1024") {
		t.Errorf("got %v, want 1200 streams refused", err)
	}
}

func TestLeastTimeToSpendWeight(t *testing.T) {
	at := core.WallNs(90 * time.Second) // half a minute before the next edge
	for _, c := range []struct {
		weight, room, used int
		want               time.Duration
	}{{2000, 3600, 0, 0}, {2000, 3600, 1600, 0}, {2000, 3600, 1601, 30 * time.Second}, {2000, 3600, 5000, 30 * time.Second},
		{3601, 3600, 3600, 90 * time.Second}, {7200, 3600, 3600, 90 * time.Second}, {0, 0, 0, 0}} {
		if got := least(c.weight, c.room, c.used, at); got != c.want {
			t.Errorf("%d of %d a minute with %d used: got %v, want %v", c.weight, c.room, c.used, got, c.want)
		}
	}
}

package app

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"riposte/core"
)

// cuts is how often each kind of connection is cut; acceptance runs take 50.
var cuts = flag.Int("cuts", 3, "cuts of each kind of connection, and damages of each kind to depth events")

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		program()
	}
	if args := os.Getenv(lifeArgs); args != "" {
		os.Exit(life(args))
	}
	goleak.VerifyTestMain(m)
}

// simConfig is the built-in configuration with a faster depth stream, so that a
// short run sees many events, and without files.
func simConfig(t *testing.T, edits ...string) *Config {
	t.Helper()
	text := string(defaultTOML)
	edits = append([]string{`depth_interval = "100ms"`, `depth_interval = "20ms"`, `dir = ".riposte"`, fmt.Sprintf("dir = %q", t.TempDir())}, edits...)
	for i := 0; i < len(edits); i += 2 {
		if !strings.Contains(text, edits[i]) {
			t.Fatalf("the built-in configuration has no %q", edits[i])
		}
		text = strings.Replace(text, edits[i], edits[i+1], 1)
	}
	c, err := parseConfig("test.toml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// started is a desk that trades until the test ends; prepare changes it before anything
// is opened.
func started(t *testing.T, cfg *Config, prepare ...func(*desk)) *desk {
	t.Helper()
	d, err := openDeskWith(cfg, func(d *desk) {
		for _, p := range prepare {
			p(d)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	d.witness = &witness{d: d}
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	return d
}

// witness stands between shard and gateway and looks at each order that is about
// to leave: its book must be Live at that moment. The shard ends its Step when it
// has handed something on, so nothing has changed in between.
type witness struct {
	d         *desk
	seen, bad atomic.Uint64
}

// Step looks and takes nothing.
func (w *witness) Step() int {
	list := w.d.approved.Pending()
	for i := range list {
		in := list[i].Intent()
		if in.Kind != core.Place && in.Kind != core.Replace {
			continue
		}
		w.seen.Add(1)
		if _, live := w.d.shard.Sync(in.Instrument).Live(); !live {
			w.bad.Add(1)
		}
	}
	return 0
}

// wait polls cond until it holds. Two minutes are a guard against hanging only: long
// series of cuts may wait for the next minute of the venue's weight.
func wait(t *testing.T, what string, d *desk, cond func(r *report) bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	said, from := time.Now(), time.Now()
	if !until(ctx, func() bool {
		r := d.report()
		if testing.Verbose() && time.Since(said) > 2*time.Second {
			said = time.Now()
			t.Logf("%s: %.0f s, state %q, books %d of %d, unknown %d, problems %q, refusals %v", what, time.Since(from).Seconds(), r.State, r.BooksLive, r.Books, r.Unknown, r.Problems, r.Refusals)
		}
		return cond(r)
	}) {
		r := d.report()
		t.Fatalf("%s: not within two minutes; state %q, books %d of %d, problems %q", what, r.State, r.BooksLive, r.Books, r.Problems)
	}
}

func settled(r *report) bool { return r.State == "active" && r.BooksLive == r.Books && r.Unknown == 0 }

// finish stops the desk and holds what is left against the venue's own books.
func finish(t *testing.T, d *desk) *report {
	t.Helper()
	r := d.shutdown()
	if !r.Clean || r.Mismatches != 0 || r.Unknown != 0 || r.OpenAtVenue != 0 {
		t.Errorf("clean %v, %d mismatches %q, %d unknown, %d open at the venue; want a clean end; problems %q",
			r.Clean, r.Mismatches, r.Differences, r.Unknown, r.OpenAtVenue, r.Problems)
	}
	open, err := d.sim.OpenOrders("")
	if err != nil || len(open) != 0 {
		t.Errorf("the venue still holds %d orders of ours (%v)", len(open), err)
	}
	balances, err := d.sim.Balances("")
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range balances {
		a, ok := d.table.AssetID(b.Asset)
		if !ok {
			continue
		}
		if ours := d.gateway.Ledger().Owned(a); int64(ours) != b.Free+b.Locked {
			t.Errorf("%s: our ledger says %v, the venue's %v", b.Asset, ours, core.Amount(b.Free+b.Locked))
		}
	}
	w := d.witness.(*witness)
	if w.bad.Load() != 0 || w.seen.Load() < r.Orders {
		t.Errorf("%d of %d orders left while their book was not live, %d were sent; want none and all seen", w.bad.Load(), w.seen.Load(), r.Orders)
	}
	if r.BookDifferences != 0 {
		t.Errorf("%d of %d audited books differ from the venue's: %q", r.BookDifferences, r.BooksCompared, r.Problems)
	}
	return r
}

func TestRunTradesReconcilesAndLeavesNothingBehind(t *testing.T) {
	for name, edits := range map[string][]string{
		"inline":            nil,
		"pinned, TLS, spin": {`threads = "inline"`, `threads = "pinned"`, "tls = false", "tls = true", `wait = "park"`, `wait = "spin"`},
		"microseconds":      {`time_unit = "ms"`, `time_unit = "us"`},
	} {
		t.Run(name, func(t *testing.T) {
			d := started(t, simConfig(t, edits...))
			wait(t, "trading", d, func(r *report) bool {
				return r.Fills >= 3 && r.Orders >= 5 && r.BooksCompared >= 100 && r.Latency["total"].Count > 0 && settled(r)
			})
			r := finish(t, d)
			if r.Gaps != 0 || r.Rejects > r.Orders/2 {
				t.Errorf("%d gaps, %d rejects of %d orders; want none, few", r.Gaps, r.Rejects, r.Orders)
			}
			if q := r.Latency["total"]; q.Count == 0 || q.P50 <= 0 {
				t.Errorf("no frame-to-order times: %+v", r.Latency)
			}
		})
	}
}

func TestRunSurvivesCutsOfEveryConnectionAndDamagedDepth(t *testing.T) {
	// Snapshots of 100 levels cost 5 of the venue's weight: resyncs by the dozen
	// then stay inside its minute.
	// One line, so that what it loses is lost.
	// One traded symbol keeps the requotes after each resync inside the venue's 50
	// orders in 10 seconds.
	d := started(t, simConfig(t, "lines = 2", "lines = 1", "snapshot_limit = 1000", "snapshot_limit = 100", "symbols = []", `symbols = ["BTCUSDT"]`,
		`margin = "10s"`, `margin = "1s"`, `span = "60s"`, `span = "2s"`))
	wait(t, "first orders", d, func(r *report) bool { return r.Acks >= 2 && settled(r) })
	for i := range *cuts {
		if testing.Verbose() {
			r := d.report()
			t.Logf("round %d after %.1f s: %d orders, %d gaps, %d snapshots, weight %d", i, r.Seconds, r.Orders, r.Gaps, r.Snapshots, d.dealer.view().weight.Weight)
		}
		// A line that is lost young backs off, as it should: each cut here hits
		// connections that have proved themselves.
		wait(t, "grown connections", d, func(r *report) bool {
			return settled(r) && d.age(d.market.Status().ConnectedAt) > proved && d.age(d.user.Status().ConnectedAt) > proved
		})
		lost := d.market.Status().LineStatus.Lost
		fault(t, d, "cut streams")
		wait(t, "market connection lost and back", d, func(r *report) bool { return d.market.Status().LineStatus.Lost > lost && settled(r) })

		lost = d.user.Status().LineStatus.Lost
		fault(t, d, "cut wsapi")
		wait(t, "account connection lost and back", d, func(r *report) bool { return d.user.Status().LineStatus.Lost > lost && settled(r) })

		acks := d.report().Acks
		fault(t, d, "cut rest")
		wait(t, "an order acknowledged over new connections", d, func(r *report) bool { return r.Acks > acks && settled(r) })

		// The account stream may tell of the order before its connection breaks:
		// then there is nothing to doubt.
		answers := d.sim.Faults().Counts()["lose"]
		fault(t, d, "lose orders taken reset 1")
		wait(t, "an order whose answer was lost known all the same", d, func(r *report) bool {
			return d.sim.Faults().Counts()["lose"] > answers && settled(r)
		})

		gaps := d.report().Gaps
		fault(t, d, "drop depth BTCUSDT 1")
		wait(t, "a lost event noticed and mended", d, func(r *report) bool { return r.Gaps > gaps && settled(r) })
		gaps = d.report().Gaps
		fault(t, d, "swap depth ETHUSDT 1")
		wait(t, "a swapped pair noticed and mended", d, func(r *report) bool { return r.Gaps > gaps && settled(r) })
		gaps = d.report().Gaps
		seen := d.sim.Faults().Counts()["double"]
		fault(t, d, "double depth BTCUSDT 1")
		wait(t, "a doubled event sent", d, func(r *report) bool { return d.sim.Faults().Counts()["double"] > seen })
		if g := d.report().Gaps; g != gaps {
			t.Errorf("a doubled event caused %d gaps, want none: quantities are absolute", g-gaps)
		}
	}
	doubts := d.report().Doubts
	fault(t, d, "lose orders untaken 503 1")
	wait(t, "an order that never arrived proved absent", d, func(r *report) bool { return r.Doubts > doubts && settled(r) })
	r := finish(t, d)
	if r.Demotions == 0 {
		t.Error("no book was ever demoted although connections were cut")
	}
	t.Logf("%d orders, %d fills, %d demotions, %d gaps, %d snapshots, %d doubts, %d connects, %d books compared",
		r.Orders, r.Fills, r.Demotions, r.Gaps, r.Snapshots, r.Doubts, r.Connects, r.BooksCompared)
}

// proved is a little more than the age from which a lost line is redialed at once.
const proved = 1200 * time.Millisecond

// age is how long ago an instant was, 0 if it has not come.
func (d *desk) age(at core.MonoNs) time.Duration {
	if at == 0 {
		return 0
	}
	return time.Duration(d.clock.Mono() - at)
}

func fault(t *testing.T, d *desk, line string) {
	t.Helper()
	if err := d.sim.Faults().Do(line); err != nil {
		t.Fatal(err)
	}
}

func TestRunJSONEndsWithOneFinalObject(t *testing.T) {
	t.Chdir(t.TempDir())
	var out, errs bytes.Buffer
	if code := run([]string{"run", "--json", "--for", "2500ms"}, &out, &errs); code != exitOK {
		t.Fatalf("exit %d: %s%s", code, errs.String(), out.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) < 3 {
		t.Fatalf("got %d lines, want one a second and the final one", len(lines))
	}
	for i, line := range lines {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("line %d: %v", i+1, err)
		}
		final, _ := r["final"].(bool)
		if final != (i == len(lines)-1) {
			t.Errorf("line %d of %d: final is %v", i+1, len(lines), final)
		}
		for _, key := range []string{"frames", "books_live", "gaps", "orders", "fills", "rejects", "unknown", "position", "pnl", "latency"} {
			if _, ok := r[key]; !ok {
				t.Errorf("line %d has no %q", i+1, key)
			}
		}
	}
}

func TestRunRefusesLiveWithoutItsFlag(t *testing.T) {
	file := filepath.Join(t.TempDir(), "live.toml")
	text := strings.Replace(string(defaultTOML), `environment = "sim"`,
		`environment = "live"`+"\nacknowledge = \"real money is at risk\"", 1)
	text = strings.Replace(text, `key_file = ""`, `key_file = "key"`, 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{file: "want --live on the command line too", file + ".none": "cannot read the config"} {
		var out, errs bytes.Buffer
		if code := run([]string{"run", "--config", path}, &out, &errs); code != exitUsage || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: exit %d, %q; want %d and %q", path, code, errs.String(), exitUsage, want)
		}
	}
}

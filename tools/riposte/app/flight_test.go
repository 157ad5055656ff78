package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"riposte/core"
)

// recorded is a stage clock with a flight recorder whose clock stands where the test
// puts it.
func recorded(t *testing.T, edit func(*LatencyConfig)) (*stageClock, *core.ManualClock, string) {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "made", "for", "it")
	cfg := LatencyConfig{FlightRecorder: true, Window: duration{time.Second}, DumpEvery: duration{10 * time.Second}, DumpFiles: 3, DumpDir: dir}
	edit(&cfg)
	if err := cfg.check(); err != nil {
		t.Fatal(err)
	}
	clock := &core.ManualClock{WallNow: 1_700_000_000_000_000_000, MonoNow: 3_600_000_000_000}
	c := newStageClock()
	var err error
	if c.flight, err = newFlightRecorder(cfg, clock); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.flight.close)
	return c, clock, dir
}

// order lets one order of that total pass, and a file under way be finished.
func (c *stageClock) pass(id core.OrderID, total time.Duration) {
	c.put(stampOf(id, 1000, 100, 100, 100, 100, 100, core.MonoNs(total)-500))
	c.collect()
	c.flight.writing.Wait()
}

func files(t *testing.T, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestSlowOrderIsDumpedOnceInAWhile(t *testing.T) {
	c, clock, dir := recorded(t, func(cfg *LatencyConfig) { cfg.DumpOver = duration{time.Millisecond} })
	c.pass(1, time.Millisecond)
	if got := files(t, dir); len(got) != 0 {
		t.Fatalf("an order at the limit left %q, want nothing", got)
	}
	c.pass(2, time.Millisecond+1)
	c.pass(3, time.Second)
	clock.Advance(9 * time.Second)
	c.pass(4, time.Second)
	var r report
	c.figures(&r)
	if len(r.Traces) != 1 || r.Traces[0].Order != 2 || r.Traces[0].Limit != 1e6 || r.Traces[0].Stages["write"] != 1e6+1-500 {
		t.Fatalf("got dumps %+v, want the first slow order's alone within 10 s", r.Traces)
	}
	text, err := os.ReadFile(r.Traces[0].File)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(text, []byte("go 1.")) || !bytes.Contains(text[:16], []byte("trace")) || !bytes.Contains(text, []byte("order 2: written")) {
		t.Errorf("file begins %q, want a Go trace that names the order", text[:min(16, len(text))])
	}
	if line := r.Traces[0].String(); !strings.Contains(line, "order 2 took 1000.0µs, more than 1000.0µs: decode 100ns") || !strings.Contains(line, r.Traces[0].File) {
		t.Errorf("got %q", line)
	}
	clock.Advance(time.Second)
	c.pass(5, time.Second)
	clock.Advance(time.Hour)
	c.pass(6, time.Second)
	clock.Advance(time.Hour)
	c.pass(7, time.Second)
	c.figures(&r)
	if got := files(t, dir); len(got) != 3 || len(r.Traces) != 3 || r.Traces[2].Order != 6 {
		t.Errorf("got %d files, dumps %+v; want 3 of them, as many as allowed", len(got), r.Traces)
	}
}

func TestOrderFarBeyondTheUsualIsDumped(t *testing.T) {
	c, _, dir := recorded(t, func(cfg *LatencyConfig) { cfg.DumpFactor = 10 })
	usual := func(n int) {
		for i := range n {
			c.put(stampOf(core.OrderID(i), 1000, 100, 100, 100, 100, 100, 9500))
		}
		c.collect()
	}
	usual(flightSamples - 1)
	c.pass(1, time.Second)
	if got := files(t, dir); len(got) != 0 {
		t.Fatalf("%d orders make a p99.9: got %q, want nothing yet", flightSamples-1, got)
	}
	usual(5 * flightSamples)
	// The p99.9 is 10 µs, up to the width of its bucket.
	c.pass(2, 99*time.Microsecond)
	if got := files(t, dir); len(got) != 0 {
		t.Fatalf("less than ten times the usual left %q", got)
	}
	c.pass(3, 102*time.Microsecond)
	var r report
	c.figures(&r)
	if len(r.Traces) != 1 || r.Traces[0].Order != 3 || r.Traces[0].Limit < 99_000 || r.Traces[0].Limit > 101_000 {
		t.Errorf("got %+v, want order 3 above about 100 µs", r.Traces)
	}
}

func TestOrdersThatNoMarketEventCausedAreNotJudged(t *testing.T) {
	c, _, dir := recorded(t, func(cfg *LatencyConfig) { cfg.DumpOver = duration{time.Millisecond} })
	c.put(stampOf(1, 1000, 0, 0, 5e9, 1, 1, 1))
	c.collect()
	c.flight.writing.Wait()
	if got := files(t, dir); len(got) != 0 {
		t.Errorf("got %q, want nothing: no frame waited", got)
	}
}

func TestDumpThatCannotBeWrittenIsTold(t *testing.T) {
	c, _, dir := recorded(t, func(cfg *LatencyConfig) { cfg.DumpOver = duration{time.Millisecond} })
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	c.pass(1, time.Second)
	var r report
	c.figures(&r)
	if len(r.Traces) != 1 || r.Traces[0].File != "" || !strings.Contains(r.Traces[0].String(), "cannot write the trace of a slow order") {
		t.Errorf("got %+v, want the error", r.Traces)
	}
}

func TestRunDumpsASlowOrder(t *testing.T) {
	dir := t.TempDir()
	d := started(t, simConfig(t, `name = "quoter"`, `name = "reflex"`, "slack_ticks = 2\nlife_min = \"250ms\"\n", "",
		"flight_recorder = false", "flight_recorder = true", `dump_over = "0s"`, `dump_over = "1ns"`, `dump_dir = ".riposte"`, "dump_dir = \""+dir+"\""))
	wait(t, "a trace", d, func(r *report) bool { return len(r.Traces) > 0 && settled(r) })
	r := finish(t, d)
	if got := files(t, dir); len(got) != len(r.Traces) || r.Traces[0].File != got[0] {
		t.Errorf("files %q, dumps %+v; want one each", got, r.Traces)
	}
}

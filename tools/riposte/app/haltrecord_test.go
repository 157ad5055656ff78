package app

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"

	"riposte/core/journal"
	"riposte/core/risk"
	"riposte/tools/store"
)

// journaled are the records of a kind in a folder's journal.
func journaled[T any, P interface {
	*T
	journal.Payload
}](t *testing.T, dir string, kind journal.Kind) (all []T) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.journal"))
	if err != nil || len(files) == 0 {
		t.Fatalf("found journals %v, %v in %s", files, err, dir)
	}
	for _, name := range files {
		r, err := store.OpenReader(name)
		if err != nil {
			t.Fatal(err)
		}
		for {
			rec, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if rec.Kind != kind {
				continue
			}
			var one T
			if err := P(&one).Decode(&rec); err != nil {
				t.Fatal(err)
			}
			all = append(all, one)
		}
		_ = r.Close()
	}
	return all
}

// Halts of a symbol and of all, their end, and changed limits, with who did it and why,
// can be read from the journal alone.
func TestTheJournalTellsWhoHaltedAndWhichLimitsChanged(t *testing.T) {
	d := running(t)
	waitFor(t, "orders at work", func() bool { v := d.dealer.view(); return v != nil && v.live > 0 })
	tell := func(path string, o order) {
		t.Helper()
		o.Who = "me"
		if _, err := tellEngine(d.cfg, path, &o); err != nil {
			t.Fatal(err)
		}
	}
	tell("/limits", order{Reason: "smaller", Symbol: "BTCUSDT", Set: map[string]string{"qty_max": "0.005"}})
	tell("/halt", order{Reason: "one of them", Symbol: "BTCUSDT"})
	waitFor(t, "the symbol's record", func() bool { list, err := readHalts(d.cfg.Journal.Dir); return err == nil && len(list) == 1 })
	tell("/halt", order{Reason: "all of them"})
	waitFor(t, "both records", func() bool { list, err := readHalts(d.cfg.Journal.Dir); return err == nil && len(list) == 2 })
	waitFor(t, "the halts posted", func() bool { return d.dealer.view().halted&risk.HaltKilled != 0 })
	sent := d.dealer.view().stats.Sent
	tell("/resume", order{Reason: "over"})
	waitFor(t, "orders again", func() bool { return d.dealer.view().stats.Sent > sent })
	dir := d.cfg.Journal.Dir
	d.end(t)

	var told []string
	for _, h := range journaled[journal.Halt](t, dir, journal.KindHalt) {
		if risk.HaltCause(h.Code)&risk.HaltKilled != 0 {
			told = append(told, map[bool]string{true: "on", false: "off"}[h.On]+" by "+h.Who+": "+h.Text)
		}
	}
	for _, want := range []string{"on by me: symbol BTCUSDT: one of them", "off by me: over", "off by me: symbol BTCUSDT: over"} {
		if !slices.Contains(told, want) {
			t.Errorf("the journal tells %q, want %q among it", told, want)
		}
	}
	if !slices.Contains(told, "on by me: all of them") && !slices.Contains(told, "on by engine: killed") {
		t.Errorf("the journal tells %q, want the halt of all among it", told)
	}
	limits := journaled[journal.Limit](t, dir, journal.KindLimit)
	if n := slices.Index(limits, journal.Limit{Scope: "BTCUSDT", Name: "qty_max", Value: "0.005"}); n < 0 {
		t.Errorf("the journal does not tell of the changed limit: %v", limits)
	}
}

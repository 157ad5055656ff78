package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestABrokenJournalStopsOrdersAndCancelsGoOn takes the journal's file away under a run
// that trades, as a failing disk does: no new order from then on, the open ones are
// cancelled and confirmed, and one line says what is wrong.
func TestABrokenJournalStopsOrdersAndCancelsGoOn(t *testing.T) {
	cfg := simConfig(t)
	d, err := openDesk(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	wait(t, "open orders", d, func(r *report) bool { return r.Open >= 2 && r.Fills >= 1 })
	files, err := filepath.Glob(filepath.Join(cfg.Journal.Dir, "*.journal"))
	if err != nil || len(files) != 1 {
		t.Fatalf("got %v and %v, want one file", files, err)
	}
	if err := os.Truncate(files[0], 0); err != nil {
		t.Fatal(err)
	}
	var sent uint64
	wait(t, "a halt, and every order gone", d, func(r *report) bool {
		sent = r.Orders
		return strings.Contains(r.State, "journal error") && r.Open == 0
	})
	audits := d.report().Audits
	d.dealer.auditAsked.Store(true)
	wait(t, "another audit", d, func(r *report) bool { return r.Audits > audits })
	r := d.shutdown()
	told := 0
	for _, p := range r.Problems {
		if strings.Contains(p, "cannot write the journal: the file does not take a record") {
			told++
		}
	}
	if told != 1 || r.Orders != sent || r.OpenAtVenue != 0 {
		t.Errorf("told %d times, %d orders after %d, %d open at the venue; want once, no more, none: %q", told, r.Orders, sent, r.OpenAtVenue, r.Problems)
	}
	if err := d.close(); err == nil || !strings.Contains(err.Error(), "cannot write the journal") {
		t.Errorf("closing: %v, want the journal's error", err)
	}
}

package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"riposte/exec"
	"riposte/tools/store"
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

// TestAFolderIsOfOneAccount: what a real account's runs left is neither taken for
// another's nor written over by a run on the embedded venue.
func TestAFolderIsOfOneAccount(t *testing.T) {
	const live, sim = "live https://api.binance.com", embeddedAccount + " http://127.0.0.1:1"
	for _, c := range []struct {
		past, prefix, now string
		want              string // part of the refusal, "" none
		kept              bool
	}{
		{"", "", live, "", true},
		{live, "rp", live, "", true},
		{live, "other", live, "want a folder for each", true},
		{"testnet https://testnet.binance.vision", "rp", live, "want a folder for each", true},
		{live, "rp", sim, "want a folder for each", true},
		{sim, "rp", live, "", false},
		{sim, "rp", sim, "", false},
	} {
		p := exec.NewPast()
		if p.Account, p.Prefix = c.past, c.prefix; c.past != "" {
			p.Epoch = 7
		}
		p.Symbols["BTCUSDT"] = &exec.PastPosition{Net: 5}
		d := &desk{cfg: simConfig(t), folder: &store.Folder{Past: p}}
		name, rest, _ := strings.Cut(c.now, " http")
		d.sites = sites{name: name, rest: "http" + rest}
		err := d.past()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("past of %q, run of %q: %v, want %q", c.past, c.now, err, c.want)
		}
		if kept := len(p.Symbols) == 1; kept != c.kept {
			t.Errorf("past of %q, run of %q: kept %v, want %v", c.past, c.now, kept, c.kept)
		}
	}
}

package sql

import (
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/journal"
	"riposte/exec"
	"riposte/tools/store"
)

func eventually(t testing.TB, what string, cond func() bool) {
	t.Helper()
	guard := time.Now().Add(time.Minute)
	for !cond() {
		if time.Now().After(guard) {
			t.Fatalf("%s: not within a minute", what)
		}
		runtime.Gosched()
	}
}

func liveJournal(t testing.TB, dir string) *store.Journal {
	t.Helper()
	table := core.NewInstruments()
	if _, err := table.Add(core.Instrument{Symbol: "BTCUSDT", Base: table.Asset("BTC"), Quote: table.Asset("USDT")}); err != nil {
		t.Fatal(err)
	}
	j, err := store.OpenJournal(dir, table, core.NewSystemClock(), &store.Session{Version: "v", Account: "sim", FileBytes: 64 << 10})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func order(t testing.TB, j *store.Journal, n int) {
	t.Helper()
	id := core.OrderID(n)
	rec := exec.SentRecord{Intent: core.Intent{Kind: core.Place, ID: id, Price: 5, Qty: 6}, Client: clientOf(1, n), Stamp: core.WallNs(n)}
	if err := j.Sent(&rec); err != nil {
		t.Fatal(err)
	}
	j.Reported(&core.Report{Kind: core.ReportAck, Status: core.New, ID: id, VenueID: int64(n), TradeID: -1, FeeAsset: core.NoAsset})
	j.Reported(&core.Report{Kind: core.ReportFill, Status: core.Filled, ID: id, VenueID: int64(n), TradeID: int64(n), Price: 5, Qty: 6, Cum: 6, Quote: 30, FeeAsset: core.NoAsset})
	j.Reported(&core.Report{Kind: core.ReportDone, Status: core.Filled, ID: id, VenueID: int64(n), TradeID: -1, Cum: 6, FeeAsset: core.NoAsset})
}

// TestAFollowerKeepsUpWithALiveJournal follows a journal through several files while it
// is written.
func TestAFollowerKeepsUpWithALiveJournal(t *testing.T) {
	dir := t.TempDir()
	f := Follow(dir)
	j := liveJournal(t, dir)
	orders := 0
	eventually(t, "several files", func() bool {
		orders++
		order(t, j, orders)
		files, _ := filepath.Glob(filepath.Join(dir, "*.journal"))
		return len(files) > 3
	})
	eventually(t, "all is in the store while the journal is open", func() bool { return f.Status().Seq == j.Seq() })
	for range 10 {
		orders++
		order(t, j, orders)
	}
	if err := j.Close(true, ""); err != nil {
		t.Fatal(err)
	}
	f.Close()
	if s := f.Status(); s.Err != nil || s.Rows != s.Seq {
		t.Errorf("status is %+v, want every record written once", s)
	}
	if got := rows(t, dir, (*Reader).Fills, Query{}); len(got) != orders {
		t.Errorf("%d fills, want %d", len(got), orders)
	}
	if s := rows(t, dir, (*Reader).Sessions, Query{}); len(s) != 1 || !s[0].Clean {
		t.Errorf("sessions are %+v, want one that ended", s)
	}
}

func TestTroubleWithTheStoreIsToldAndNothingElse(t *testing.T) {
	dir := t.TempDir()
	b := story(t, dir)
	w := caughtUp(t, dir)
	f := Follow(dir)
	eventually(t, "a second writer says so", func() bool {
		err := f.Status().Err
		return err != nil && strings.Contains(err.Error(), "another riposte has it")
	})
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b.place(7, 99, "BTCUSDT", core.Buy, 1, 1)
	b.flush()
	eventually(t, "it goes on once the store is free", func() bool { s := f.Status(); return s.Err == nil && s.Seq == b.seq })
	f.Close()
}

func TestDamageInTheJournalIsToldWithItsPlace(t *testing.T) {
	dir := t.TempDir()
	b := story(t, dir)
	b.seq += 3 // records that are missing
	b.note(&journal.SessionEnd{})
	b.flush()
	f := Follow(dir)
	eventually(t, "damage is told", func() bool {
		err := f.Status().Err
		return err != nil && strings.Contains(err.Error(), "journal is damaged in "+b.name())
	})
	f.Close()
}

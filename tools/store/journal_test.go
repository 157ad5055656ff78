package store

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/journal"
	"riposte/exec"
)

func table(t *testing.T) *core.Instruments {
	t.Helper()
	tab := core.NewInstruments()
	if _, err := tab.Add(core.Instrument{Symbol: "BTCUSDT"}); err != nil {
		t.Fatal(err)
	}
	return tab
}

func open(t *testing.T) *Journal {
	t.Helper()
	clock := &core.ManualClock{WallNow: core.WallNs(time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC).UnixNano())}
	j, err := OpenJournal(filepath.Join(t.TempDir(), "new", "dir"), table(t), clock, Info{Epoch: 7, Version: "v"})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func kinds(t *testing.T, name string) (list []journal.Kind) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := journal.NewReader(f)
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return list
		}
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, rec.Kind)
	}
}

func sent(id core.OrderID) *exec.SentRecord {
	return &exec.SentRecord{Intent: core.Intent{Kind: core.Place, ID: id, Price: 5, Qty: 6}}
}

func TestIntentIsInTheFileWhenSentReturns(t *testing.T) {
	j := open(t)
	j.Reported(&core.Report{Kind: core.ReportAck, ID: 1})
	if n := len(kinds(t, j.Name())); n != 1 {
		t.Errorf("got %d records, want the session's start alone: a report may wait", n)
	}
	if err := j.Sent(sent(2)); err != nil {
		t.Fatal(err)
	}
	want := []journal.Kind{journal.KindSessionStart, journal.KindReport, journal.KindIntent}
	got := kinds(t, j.Name())
	if len(got) != len(want) || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("got %v, want %v", got, want)
	}
	j.Unsent(sent(2))
	if err := j.Close(true, ""); err != nil {
		t.Fatal(err)
	}
	if got := kinds(t, j.Name()); len(got) != 5 || got[3] != journal.KindReport || got[4] != journal.KindSessionEnd {
		t.Errorf("got %v, want a report of the unsent order and the session's end behind", got)
	}
}

func TestAFailedWriteIsKeptAndNothingIsAcceptedAfterIt(t *testing.T) {
	j := open(t)
	j.f.Close() // as good as a disk that refuses
	err := j.Sent(sent(1))
	if err == nil || !strings.Contains(err.Error(), "cannot write the journal") {
		t.Fatalf("got %v, want the write's error", err)
	}
	if again := j.Sent(sent(2)); !errors.Is(again, j.Err()) || again == nil {
		t.Errorf("got %v, want the first error again", again)
	}
}

func TestAFolderThatCannotBeMadeIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenJournal(filepath.Join(file, "x"), table(t), new(core.ManualClock), Info{}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v, want an error that names %s", err, file)
	}
}

func TestSentAndReportedDoNotAllocate(t *testing.T) {
	j := open(t)
	rec, rep := sent(1), &core.Report{Kind: core.ReportAck, ID: 1}
	if n := testing.AllocsPerRun(200, func() {
		if err := j.Sent(rec); err != nil {
			t.Error(err)
		}
		j.Reported(rep)
	}); n != 0 {
		t.Errorf("got %v allocations, want 0", n)
	}
}

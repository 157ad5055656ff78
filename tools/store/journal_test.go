package store

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"riposte/core"
	"riposte/core/journal"
	"riposte/exec"
)

func table(t testing.TB) *core.Instruments {
	t.Helper()
	tab := core.NewInstruments()
	if _, err := tab.Add(core.Instrument{Symbol: "BTCUSDT"}); err != nil {
		t.Fatal(err)
	}
	return tab
}

func clock() core.Clock {
	return &core.ManualClock{WallNow: core.WallNs(time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC).UnixNano())}
}

// open is a journal that is closed at the end, if the test has not done so.
func open(t testing.TB) *Journal { return openWith(t, allot) }

func openWith(t testing.TB, allot func(*os.File, int64, int64) error) *Journal {
	t.Helper()
	j, err := openJournal(filepath.Join(t.TempDir(), "new", "dir"), table(t), clock(), Info{Epoch: 7, Version: "v"}, allot)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close(false, "end of test") })
	return j
}

// kinds are the records of a file, which must end well.
func kinds(t testing.TB, name string) (list []journal.Kind) {
	t.Helper()
	list, err := readKinds(name)
	if !errors.Is(err, io.EOF) {
		t.Fatal(err)
	}
	return list
}

func readKinds(name string) (list []journal.Kind, err error) {
	r, err := OpenReader(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		rec, err := r.Next()
		if err != nil {
			return list, err
		}
		list = append(list, rec.Kind)
	}
}

func sent(id core.OrderID) *exec.SentRecord {
	return &exec.SentRecord{Intent: core.Intent{Kind: core.Place, ID: id, Price: 5, Qty: 6}}
}

func TestWhatIsNotedIsInTheFileWhenTheCallReturns(t *testing.T) {
	j := open(t)
	j.Reported(&core.Report{Kind: core.ReportAck, ID: 1})
	if got := kinds(t, j.Name()); len(got) != 2 || got[1] != journal.KindReport {
		t.Errorf("got %v, want the session's start and the report", got)
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

// TestAClosedJournalIsRecordsAlone: the codec's own reader, which knows of no room kept
// ahead, reads it to a clean end.
func TestAClosedJournalIsRecordsAlone(t *testing.T) {
	j := open(t)
	if err := j.Sent(sent(1)); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(true, "bye"); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(j.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for r := journal.NewReader(f); ; n++ {
		if _, err = r.Next(); err != nil {
			break
		}
	}
	if !errors.Is(err, io.EOF) || n != 3 {
		t.Errorf("got %d records and %v, want 3 and the end", n, err)
	}
}

// TestALongRunGoesThroughManyWindows writes on faster than windows are made ahead, and
// reads every order back.
func TestNothingIsAcceptedAfterClose(t *testing.T) {
	j := open(t)
	if err := j.Close(true, ""); err != nil {
		t.Fatal(err)
	}
	if err := j.Sent(sent(1)); !errors.Is(err, errClosed) {
		t.Errorf("got %v, want %v", err, errClosed)
	}
	j.Reported(&core.Report{})
	if err := j.Close(true, ""); !errors.Is(err, errClosed) {
		t.Errorf("closing again: got %v, want %v", err, errClosed)
	}
}

func TestALongRunGoesThroughManyWindows(t *testing.T) {
	j := open(t)
	orders := 0
	for j.win.base < 2*chunk {
		orders++
		if err := j.Sent(sent(core.OrderID(orders))); err != nil {
			t.Fatal(err)
		}
		if orders%3 == 0 {
			j.Reported(&core.Report{ID: core.OrderID(orders)})
		}
	}
	if err := j.Close(true, ""); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader(j.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for want := core.OrderID(1); ; {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			if int(want) != orders+1 {
				t.Errorf("got %d orders back, want %d", want-1, orders)
			}
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind != journal.KindIntent {
			continue
		}
		var in journal.Intent
		if err := in.Decode(&rec); err != nil || in.Order != want {
			t.Fatalf("got order %d and %v, want %d", in.Order, err, want)
		}
		want++
	}
}

// TestTheNextWindowIsMadeAhead waits for it, then fills the first: nothing is allotted
// on the way.
func TestTheNextWindowIsMadeAhead(t *testing.T) {
	j := open(t)
	guard := time.Now().Add(30 * time.Second)
	for j.file.next.Load() == nil {
		if time.Now().After(guard) {
			t.Fatal("no window was made ahead within 30 s")
		}
		runtime.Gosched()
	}
	made := j.file.next.Load()
	for j.win.base == 0 {
		if err := j.Sent(sent(1)); err != nil {
			t.Fatal(err)
		}
	}
	if j.win != made {
		t.Error("the window made ahead was not used")
	}
}

func TestAFullDiskIsAnErrorBeforeTheOrderAndItIsKept(t *testing.T) {
	full := errors.New("no space left on device")
	j := openWith(t, func(f *os.File, off, size int64) error {
		if off > 0 {
			return full
		}
		return allot(f, off, size)
	})
	n, err := 0, error(nil)
	for ; err == nil; n++ {
		err = j.Sent(sent(core.OrderID(n + 1)))
	}
	if !errors.Is(err, full) || !strings.Contains(err.Error(), "cannot write the journal") {
		t.Fatalf("got %v, want the disk's error", err)
	}
	if again := j.Sent(sent(1)); !errors.Is(again, j.Err()) || again == nil {
		t.Errorf("got %v, want the first error again", again)
	}
	if got := len(kinds(t, j.Name())); got != n {
		t.Errorf("got %d records, want the session's start and the %d orders that were accepted", got, n-1)
	}
	if err := j.Close(true, ""); !errors.Is(err, full) {
		t.Errorf("closing: got %v, want the first error", err)
	}
}

func TestAJournalThatFindsNoRoomIsNotOpened(t *testing.T) {
	full := errors.New("no space left on device")
	_, err := openJournal(t.TempDir(), table(t), clock(), Info{}, func(*os.File, int64, int64) error { return full })
	if !errors.Is(err, full) {
		t.Errorf("got %v, want the disk's error", err)
	}
}

// TestAFileCutShortIsAnErrorNotACrash takes the pages away under the journal, as a
// failing device does.
func TestAFileCutShortIsAnErrorNotACrash(t *testing.T) {
	j := openWith(t, func(f *os.File, off, size int64) error {
		if off > 0 {
			return errors.New("not now: it would make the file longer again")
		}
		return allot(f, off, size)
	})
	if err := os.Truncate(j.Name(), 0); err != nil {
		t.Fatal(err)
	}
	err := j.Sent(sent(1))
	if err == nil || !strings.Contains(err.Error(), "does not take a record at") {
		t.Fatalf("got %v, want an error that says where", err)
	}
	if again := j.Sent(sent(2)); !errors.Is(again, j.Err()) {
		t.Errorf("got %v, want the first error again", again)
	}
	j.Reported(&core.Report{}) // must not touch the file either
}

func TestRoomIsMadeWhereTheFileSystemCannotReserveIt(t *testing.T) {
	j := openWith(t, zeros)
	for j.win.base == 0 {
		if err := j.Sent(sent(1)); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(true, ""); err != nil {
		t.Fatal(err)
	}
	if got := kinds(t, j.Name()); got[len(got)-1] != journal.KindSessionEnd {
		t.Errorf("the journal ends with %v, want its session's end", got[len(got)-1])
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

// BenchmarkSent is one intent noted: mapped as the journal does, and by write(2) of the
// same bytes to the same file system, which is what it replaces.
func BenchmarkSent(b *testing.B) {
	rec := sent(1)
	rec.Client, _ = core.MakeClientID("rp-t8kq2c1-0000002f")
	b.Run("mapped", func(b *testing.B) {
		j := open(b)
		b.ReportAllocs()
		for b.Loop() {
			if err := j.Sent(rec); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("write", func(b *testing.B) {
		f, err := os.OpenFile(filepath.Join(b.TempDir(), "file"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
		if err != nil {
			b.Fatal(err)
		}
		defer f.Close()
		in := journal.Intent{Kind: core.Place, Order: 1, Price: 5, Qty: 6, Client: rec.Client, Symbol: "BTCUSDT"}
		buf := make([]byte, 0, 512)
		var seq uint64
		b.ReportAllocs()
		for b.Loop() {
			seq++
			if _, err := unix.Write(int(f.Fd()), in.Append(buf[:0], seq)); err != nil {
				b.Fatal(err)
			}
		}
	})
}

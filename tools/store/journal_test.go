package store

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
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
func open(t testing.TB) *Journal { return openWith(t, disk{}) }

// begun is how many records stand at the head of a first run's journal: segment, session
// start, names, checkpoint.
const begun = 4

func openWith(t testing.TB, d disk) *Journal {
	t.Helper()
	j, err := openIn(filepath.Join(t.TempDir(), "new", "dir"), table(t), d, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = j.Close(false, "end of test") })
	return j
}

func openIn(dir string, table *core.Instruments, d disk, fileBytes int64) (*Journal, error) {
	f, err := openFolder(dir, clock(), d)
	if err != nil {
		return nil, err
	}
	f.still = fileBytes > 0
	return f.Begin(table, &Session{Version: "v", FileBytes: fileBytes})
}

// keep does the keeper's work, for a journal that openIn has made with a size of files.
func keep(j *Journal) {
	if j.folder.still {
		j.keeper.make()
		j.keeper.finishOne()
	}
}

// from fails an operation from its nth time on.
func from(op string, n int, err error) disk {
	var at atomic.Int32
	return disk{func(this string) error {
		if this == op && int(at.Add(1)) >= n {
			return err
		}
		return nil
	}}
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
	client, _ := core.MakeClientID(fmt.Sprintf("rp-0000007-%08d", id))
	return &exec.SentRecord{Intent: core.Intent{Kind: core.Place, ID: id, Price: 5, Qty: 6}, Client: client, Window: time.Second}
}

func TestWhatIsNotedIsInTheFileWhenTheCallReturns(t *testing.T) {
	j := open(t)
	j.Reported(&core.Report{Kind: core.ReportAck, ID: 1})
	if got := kinds(t, j.Name()); len(got) != begun+1 || got[begun] != journal.KindReport {
		t.Errorf("got %v, want the session's start and the report", got)
	}
	if err := j.Sent(sent(2)); err != nil {
		t.Fatal(err)
	}
	want := []journal.Kind{journal.KindSegment, journal.KindSessionStart, journal.KindNames, journal.KindCheckpoint, journal.KindReport, journal.KindIntent}
	got := kinds(t, j.Name())
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	j.Unsent(sent(2), exec.RefusedWire)
	name := j.Name()
	if err := j.Close(true, ""); err != nil {
		t.Fatal(err)
	}
	if got := kinds(t, name); !slices.Equal(got, append(want, journal.KindRefusal, journal.KindReport, journal.KindSessionEnd)) {
		t.Errorf("got %v, want the reason, a report of the unsent order and the session's end behind", got)
	}
}

// TestAClosedJournalIsRecordsAlone: the codec's own reader, which knows of no room kept
// ahead, reads it to a clean end.
func TestAClosedJournalIsRecordsAlone(t *testing.T) {
	j := open(t)
	if err := j.Sent(sent(1)); err != nil {
		t.Fatal(err)
	}
	name := j.Name()
	if err := j.Close(true, "bye"); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(name)
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
	if !errors.Is(err, io.EOF) || n != begun+2 {
		t.Errorf("got %d records and %v, want %d and the end", n, err, begun+2)
	}
}

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

// TestALongRunGoesThroughManyWindows writes on faster than windows are made ahead, and
// reads every order back.
func TestALongRunGoesThroughManyWindows(t *testing.T) {
	j := open(t)
	orders := 0
	for j.win.base < 2*chunkMost {
		orders++
		if err := j.Sent(sent(core.OrderID(orders))); err != nil {
			t.Fatal(err)
		}
		if orders%3 == 0 {
			j.Reported(&core.Report{ID: core.OrderID(orders)})
		}
	}
	name := j.Name()
	if err := j.Close(true, ""); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReader(name)
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
	for j.keeper.next.Load() == nil {
		if time.Now().After(guard) {
			t.Fatal("no window was made ahead within 30 s")
		}
		runtime.Gosched()
	}
	made := j.keeper.next.Load()
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
	j := openWith(t, from("allot", 2, full))
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
	name := j.Name()
	if got := len(kinds(t, name)); got != begun+n-1 {
		t.Errorf("got %d records, want the session's start and the %d orders that were accepted", got, n-1)
	}
	if err := j.Close(true, ""); !errors.Is(err, full) {
		t.Errorf("closing: got %v, want the first error", err)
	}
}

// TestAFileCutShortIsAnErrorNotACrash takes the pages away under the journal, as a
// failing device does.
func TestAFileCutShortIsAnErrorNotACrash(t *testing.T) {
	// No second window, which would make the file longer again.
	var one atomic.Int32
	j := openWith(t, disk{func(op string) error {
		if op == "allot" && one.Add(1) > 1 {
			runtime.Goexit()
		}
		return nil
	}})
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
	j := openWith(t, from("allot", 1, unix.EOPNOTSUPP))
	for j.win.base == 0 {
		if err := j.Sent(sent(1)); err != nil {
			t.Fatal(err)
		}
	}
	name := j.Name()
	if err := j.Close(true, ""); err != nil {
		t.Fatal(err)
	}
	if got := kinds(t, name); got[len(got)-1] != journal.KindSessionEnd {
		t.Errorf("the journal ends with %v, want its session's end", got[len(got)-1])
	}
}

func TestAFolderThatCannotBeMadeIsNamed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenJournal(filepath.Join(file, "x"), table(t), new(core.ManualClock), &Session{}); err == nil || !strings.Contains(err.Error(), file) {
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

// counter counts from any goroutine.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) next() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	return c.n
}

package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"riposte/core"
	"riposte/core/journal"
	"riposte/core/risk"
)

// life runs one life in dir: orders, then an end or, if dies, a death. It returns the
// number of records after it.
func life(t testing.TB, dir string, orders int, dies bool, fileBytes int64) uint64 {
	t.Helper()
	j, err := openIn(dir, table(t), disk{}, fileBytes)
	if err != nil {
		t.Fatal(err)
	}
	for i := range orders {
		keep(j)
		if err := j.Sent(sent(core.OrderID(i + 1))); err != nil {
			t.Fatal(err)
		}
		j.Reported(&core.Report{Kind: core.ReportAck, Status: core.New, ID: core.OrderID(i + 1), VenueID: int64(i + 100)})
	}
	seq := j.Seq()
	if !dies {
		if err := j.Close(true, ""); err != nil {
			t.Fatal(err)
		}
		return seq + 1
	}
	kill(j)
	return seq
}

// kill leaves a journal as a death does: nothing is finished, and the lock is gone.
func kill(j *Journal) {
	close(j.keeper.stop)
	j.keeper.made.Wait()
	for u := j.keeper.used.Load(); u != nil; u = u.before {
		u.w.unmap()
		if u.end > 0 {
			_ = u.w.f.Close()
		}
	}
	if w := j.keeper.next.Load(); w != nil {
		w.unmap()
		if w.f != j.win.f {
			_ = w.f.Close()
		}
	}
	j.win.unmap()
	_ = j.win.f.Close()
	j.folder.Close()
}

func journalFiles(t testing.TB, dir string) []string {
	t.Helper()
	list, err := filepath.Glob(filepath.Join(dir, "*"+suffix))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(list)
	return list
}

func TestEachLifeGoesOnWhereTheLastLeftOff(t *testing.T) {
	dir := t.TempDir()
	var epochs []uint64
	for i := range 12 {
		f, err := OpenFolder(dir, clock())
		if err != nil {
			t.Fatal(err)
		}
		if got, want := len(f.Past.Orders()), i*3; got != want {
			t.Fatalf("life %d finds %d orders, want %d", i, got, want)
		}
		if slices.Contains(epochs, f.Epoch) || f.Epoch <= f.Past.Epoch {
			t.Fatalf("life %d has epoch %d after %v, want a new one", i, f.Epoch, epochs)
		}
		epochs = append(epochs, f.Epoch)
		ids := map[core.ClientID]core.OrderID{}
		for n, o := range f.Past.Orders() {
			ids[o.Client] = core.OrderID(n + 1)
		}
		f.Past.Renumber(ids)
		j, err := f.Begin(table(t), &Session{})
		if err != nil {
			t.Fatal(err)
		}
		for n := range 3 {
			r := sent(core.OrderID(i*3 + n + 1))
			r.Intent.ID = core.OrderID(1000 + n)
			if err := j.Sent(r); err != nil {
				t.Fatal(err)
			}
		}
		if i%3 == 0 {
			kill(j)
		} else if err := j.Close(i%3 == 1, ""); err != nil {
			t.Fatal(err)
		}
	}
	v, err := Verify(dir)
	if err != nil {
		t.Fatal(err)
	}
	if v.Files != 12 || v.Chained != 11 || v.Torn != 0 || v.Kinds[journal.KindIntent] != 36 {
		t.Errorf("verified %+v, want 12 files, 11 of them summed, 36 intents and nothing torn", v)
	}
}

func TestTheSameFolderTwiceIsRefused(t *testing.T) {
	dir := t.TempDir()
	j, err := OpenJournal(dir, table(t), clock(), &Session{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = OpenFolder(dir, clock())
	if want := "another riposte has it (process " + strconv.Itoa(os.Getpid()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
	if err := j.Close(true, ""); err != nil {
		t.Fatal(err)
	}
	f, err := OpenFolder(dir, clock())
	if err != nil {
		t.Fatal(err)
	}
	f.Close()
}

func TestARunInFullFilesIsReadFromItsCheckpointOn(t *testing.T) {
	dir := t.TempDir()
	life(t, dir, 10, false, 0)
	last := life(t, dir, 2000, true, fileLeast)
	names := journalFiles(t, dir)
	if len(names) < 3 {
		t.Fatalf("got %d files of %d bytes for 2000 orders, want more", len(names), fileLeast)
	}
	f, err := OpenFolder(dir, clock())
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if f.seq != last || len(f.Past.Orders()) != 2000 || f.base != 2 {
		t.Errorf("read up to record %d, %d orders, from file %d; want %d, 2000 (the run before did not carry its own over), 2", f.seq, len(f.Past.Orders()), f.base, last)
	}
	for _, o := range f.Past.Orders() {
		if !o.Alive || o.VenueID != int64(o.ID)+99 {
			t.Fatalf("order %+v, want it alive under the venue's id", o)
		}
	}
}

// TestDamageIsRefusedAndNamed damages the files of former runs in every way that a disk
// or a hand can.
func TestDamageIsRefusedAndNamed(t *testing.T) {
	make := func(t *testing.T) (string, []string) {
		dir := t.TempDir()
		life(t, dir, 5, false, 0)
		life(t, dir, 900, true, fileLeast)
		life(t, dir, 5, true, 0)
		names := journalFiles(t, dir)
		if len(names) < 4 {
			t.Fatalf("got %d files, want at least 4", len(names))
		}
		return dir, names
	}
	change := func(name string, f func([]byte) []byte) {
		b, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(name, f(b), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for what, c := range map[string]struct {
		do   func(t *testing.T, names []string)
		want string
		only bool // seen by Verify alone: no start reads that far back
	}{
		"a byte of the newest run's first record": {func(_ *testing.T, n []string) {
			change(n[len(n)-1], func(b []byte) []byte { b[30] ^= 1; return b })
		}, "at offset 0: found", false},
		"a file in the middle gone": {func(t *testing.T, n []string) {
			if err := os.Remove(n[1]); err != nil {
				t.Fatal(err)
			}
		}, "found none of that name", false},
		"two files in each other's place": {func(t *testing.T, n []string) {
			for _, r := range [][2]string{{n[1], "x"}, {n[2], n[1]}, {"x", n[2]}} {
				if r[0] == "x" {
					r[0] = filepath.Join(filepath.Dir(n[0]), "x")
				}
				if r[1] == "x" {
					r[1] = filepath.Join(filepath.Dir(n[0]), "x")
				}
				if err := os.Rename(r[0], r[1]); err != nil {
					t.Fatal(err)
				}
			}
		}, "", true},
		"a whole record, rightly summed, changed in an old file": {func(_ *testing.T, n []string) {
			change(n[0], func(b []byte) []byte {
				r := journal.NewReader(bytes.NewReader(b))
				var out []byte
				for {
					rec, err := r.Next()
					if err != nil {
						return out
					}
					if rec.Kind == journal.KindIntent {
						rec.Payload[30] ^= 1
					}
					out = journal.Append(out, &rec)
				}
			})
		}, "SHA-256", true},
		"a finished file cut at a record": {func(_ *testing.T, n []string) {
			change(n[0], func(b []byte) []byte {
				r := journal.NewReader(bytes.NewReader(b))
				_, _ = r.Next()
				return b[:r.Offset()]
			})
		}, "", true},
	} {
		t.Run(what, func(t *testing.T) {
			dir, names := make(t)
			c.do(t, names)
			before := contents(t, dir)
			var broken *Broken
			if _, err := Verify(dir); !errors.As(err, &broken) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("verifying: %v, want damage named with %q", err, c.want)
			}
			if c.only {
				return
			}
			if _, err := OpenFolder(dir, clock()); !errors.As(err, &broken) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("opening: %v, want damage named with %q", err, c.want)
			}
			if after := contents(t, dir); after != before {
				t.Error("a refused journal was changed")
			}
		})
	}
}

// contents is every file of the folder that holds records.
func contents(t *testing.T, dir string) string {
	t.Helper()
	var all strings.Builder
	for _, name := range journalFiles(t, dir) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&all, "%s %q\n", name, b)
	}
	return all.String()
}

// TestEveryOperationThatFailsStopsOrders fails each operation of the disk in turn, from
// its nth on, through a life with several files: the life is refused at its start, or
// takes no order after the failure is known; the next life finds every order that was
// taken.
func TestEveryOperationThatFailsStopsOrders(t *testing.T) {
	broken := errors.New("input/output error")
	total := 0
	for n := 1; ; n++ {
		dir := t.TempDir()
		life(t, dir, 3, true, 0)
		var at counter
		d := disk{func(string) error {
			if at.next() >= n {
				return broken
			}
			return nil
		}}
		taken := 0
		j, err := openIn(dir, table(t), d, fileLeast)
		if err == nil {
			for taken = range 700 {
				// The keeper's work is done between orders, so that each failure has its place.
				keep(j)
				if err = j.Sent(sent(core.OrderID(taken + 1))); err != nil {
					break
				}
				if taken == 699 {
					taken++
				}
			}
			if trouble := j.Trouble(); trouble != nil && err == nil {
				t.Fatalf("operation %d failed (%v) and all orders were taken", n, trouble)
			}
			if e := j.Close(true, ""); err == nil && at.n >= n && e == nil {
				t.Fatalf("operation %d failed and nobody told", n)
			} else {
				err = errors.Join(err, e)
			}
		}
		if err != nil && !errors.Is(err, broken) {
			t.Fatalf("operation %d: %v, want the disk's error", n, err)
		}
		f, e := OpenFolder(dir, clock())
		if e != nil {
			t.Fatalf("operation %d failed; the next life: %v", n, e)
		}
		if got := len(f.Past.Orders()); taken > 0 && got != taken {
			t.Fatalf("operation %d failed: the next life finds %d orders, want the %d that were taken", n, got, taken)
		}
		f.Close()
		if err == nil {
			break
		}
		total++
	}
	if total < 20 {
		t.Errorf("only %d operations were tried, want at least 20", total)
	}
	t.Logf("%d operations failed in turn", total)
}

func TestAProbeThatFailsStopsOrders(t *testing.T) {
	broken := errors.New("read-only file system")
	j := openWith(t, from("probe", 1, broken))
	j.keeper.probe(nil)
	if err := j.Sent(sent(1)); !errors.Is(err, broken) || !strings.Contains(err.Error(), "does not take bytes any more") {
		t.Errorf("got %v, want the disk's error", err)
	}
}

func TestRefusalsThatAreAlikeAreCounted(t *testing.T) {
	j := open(t)
	in := core.Intent{Kind: core.Place, Strategy: 3, Price: 5, Qty: 6}
	c := j.clock.(*core.ManualClock)
	for range 100_000 {
		j.Refused(&risk.Denial{Refusal: risk.RefusedPosition, Intent: in}, 7)
	}
	j.Refused(&risk.Denial{Refusal: risk.RefusedRate, Intent: in}, 8)
	c.Advance(2e9)
	j.Tick()
	j.Refused(&risk.Denial{Refusal: risk.RefusedPosition, Intent: in}, 9)
	name := j.Name()
	if err := j.Close(true, ""); err != nil {
		t.Fatal(err)
	}
	var got []string
	r, err := OpenReader(name)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		var ref journal.Refusal
		if rec.Kind == journal.KindRefusal && ref.Decode(&rec) == nil {
			got = append(got, fmt.Sprint(ref.Count, " ", ref.Text, " ", ref.Input))
		}
	}
	if want := []string{"1 position limit 7", "1 message rate 8", "99999 position limit 7", "1 position limit 9"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestEveryTruncationOfTheNewestFileIsTold cuts the newest file of a run that died, and
// of one that ended, at every length: what is lost at its end is found out, what was
// never records is not missed.
func TestEveryTruncationOfTheNewestFileIsTold(t *testing.T) {
	for _, dies := range []bool{true, false} {
		dir := t.TempDir()
		life(t, dir, 3, false, 0)
		last := life(t, dir, 12, dies, fileLeast)
		name := journalFiles(t, dir)[1]
		whole, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		end := len(bytes.TrimRight(whole, "\x00"))
		silent, tried, step := 0, 0, 23 // all lengths of the last records, some of the rest
		if os.Getenv("RIPOSTE_JOURNAL_BYTES") != "" {
			step = 1
		}
		for size := min(end+100, len(whole)); size >= 0; size-- {
			if size < end-600 && size%step != 0 {
				continue
			}
			tried++
			if err := os.Truncate(name, int64(size)); err != nil {
				t.Fatal(err)
			}
			c := newChecker(dir)
			files := []segment{{number: 1}, {number: 2}}
			for i := range files {
				if err := c.file(&files[i], func(*journal.Record) error { return nil }); err != nil {
					t.Fatal(err)
				}
			}
			if err := c.chains(files); err != nil {
				t.Fatal(err)
			}
			s := &files[1]
			if told := s.cut > 0 || s.short; c.seq < last && !told && size > 0 {
				silent++
				t.Errorf("cut at %d of %d: records up to %d of %d, and nothing is told", size, end, c.seq, last)
			}
		}
		t.Logf("dies %v: %d lengths, %d silent", dies, tried, silent)
	}
}

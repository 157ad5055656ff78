package tape

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"riposte/core"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bubbleClock tells the bubble's time.
type bubbleClock struct{ began time.Time }

func (c bubbleClock) Wall() core.WallNs { return core.WallNs(time.Now().UnixNano()) }
func (c bubbleClock) Mono() core.MonoNs { return core.MonoNs(time.Since(c.began)) + 1 }

// recorded is all lines of a folder's files, in order.
func recorded(t *testing.T, dir string) (list []said) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.tsv.zst"))
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	for _, name := range names {
		r, err := Open(name)
		if err != nil {
			if st, serr := os.Stat(name); serr == nil && st.Size() < 4 {
				continue
			}
			t.Fatal(err)
		}
		got, err := readAll(r)
		if err != nil {
			t.Fatal(err)
		}
		r.Close()
		list = append(list, got...)
	}
	return list
}

func payloads(list []said) (out []string) {
	for _, s := range list {
		if s.note != NoteMeta {
			out = append(out, s.payload)
		}
	}
	return out
}

func TestARecorderKeepsAllInTheOrderOfItsTimes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := bubbleClock{time.Now()}
		dir := t.TempDir()
		r, err := NewRecorder(RecorderConfig{Dir: dir, Clock: c, Meta: Meta{Venue: "sim", Market: "spot", TimeUnit: "ms"}})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for i := range 500 {
			text := fmt.Sprintf(`{"n":%d}`, i)
			want = append(want, text)
			if i%7 == 3 {
				r.REST("/api/v3/depth?symbol=BTCUSDT", []byte(text))
			} else {
				r.Frame(uint8(i%2), c.Mono(), []byte(text))
			}
			time.Sleep(3 * time.Millisecond)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		got := recorded(t, dir)
		if !slices.Equal(payloads(got), want) {
			t.Errorf("got %d lines, want %d in order", len(payloads(got)), len(want))
		}
		if got[0].note != NoteMeta || !strings.Contains(got[0].payload, `"time_unit":"ms"`) || !strings.Contains(got[0].payload, `"recording":1`) {
			t.Errorf("first line is %+v, want what this is", got[0])
		}
		if !slices.IsSortedFunc(got, func(a, b said) int { return int(a.recv - b.recv) }) {
			t.Error("receive times go back")
		}
		if s := r.Status(); s.Lines != 500 || s.Lost != 0 || s.Files != 1 || s.Waiting != 0 || s.Trouble != "" {
			t.Errorf("status %+v", s)
		}
	})
}

func TestWhatFindsNoRoomIsCountedAndTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := bubbleClock{time.Now()}
		dir := t.TempDir()
		r, err := NewRecorder(RecorderConfig{Dir: dir, Clock: c, Room: 1 << 10})
		if err != nil {
			t.Fatal(err)
		}
		frame := []byte(strings.Repeat("x", 100))
		for range 20 { // of which 8 fit until the writer comes
			r.Frame(0, c.Mono(), frame)
		}
		r.Frame(0, c.Mono(), make([]byte, 4096)) // never fits
		lost := r.Status().Lost
		time.Sleep(time.Second)
		r.Frame(0, c.Mono(), []byte("after"))
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		got := payloads(recorded(t, dir))
		kept := len(got) - 2 // the gap, "after"
		if lost == 0 || kept+int(lost) != 21 {
			t.Fatalf("kept %d, lost %d of 21", kept, lost)
		}
		if want := fmt.Sprintf(`{"why":"the recorder could not take them","frames":%d}`, lost); !slices.Contains(got, want) {
			t.Errorf("got %q, want a line %s", got, want)
		}
	})
}

func TestFilesOfARunFollowEachOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := bubbleClock{time.Now()}
		dir := t.TempDir()
		r, err := NewRecorder(RecorderConfig{Dir: dir, Clock: c, FileMost: 2000, FlushEvery: 20 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 300 {
			r.Frame(0, c.Mono(), fmt.Appendf(nil, `{"n":%d}`, i))
			time.Sleep(20 * time.Millisecond)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		got := payloads(recorded(t, dir))
		for i := range 300 {
			if want := fmt.Sprintf(`{"n":%d}`, i); i >= len(got) || got[i] != want {
				t.Fatalf("line %d of %d is not %s", i, len(got), want)
			}
		}
		if s := r.Status(); s.Files < 3 {
			t.Errorf("got %d files", s.Files)
		}
	})
}

// moody is a disk that fails from the n-th write on until it is mended.
type moody struct {
	mu     sync.Mutex
	left   int
	broken bool
}

var errDisk = errors.New("no space left on device")

func (m *moody) create(name string) (io.WriteCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.broken {
		return nil, errDisk
	}
	f, err := os.Create(name)
	return &moodyFile{m, f}, err
}

type moodyFile struct {
	m *moody
	*os.File
}

func (f *moodyFile) Write(p []byte) (int, error) {
	f.m.mu.Lock()
	defer f.m.mu.Unlock()
	if f.m.left--; f.m.left < 0 {
		f.m.broken = true
		n, _ := f.File.Write(p[:len(p)/2])
		return n, errDisk
	}
	return f.File.Write(p)
}

func (m *moody) mend() {
	m.mu.Lock()
	m.broken, m.left = false, 1<<30
	m.mu.Unlock()
}

func TestDiskTroubleAtAnyWriteIsShownAndGotOver(t *testing.T) {
	for n := 1; n < 12; n++ { // the first write is the file's first line, told by NewRecorder
		synctest.Test(t, func(t *testing.T) {
			c := bubbleClock{time.Now()}
			dir := t.TempDir()
			disk := &moody{left: n}
			r, err := NewRecorder(RecorderConfig{Dir: dir, Clock: c, Create: disk.create, FlushEvery: 100 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			i := 0
			bring := func(count int) {
				for range count {
					r.Frame(0, c.Mono(), fmt.Appendf(nil, `{"n":%d}`, i))
					i++
					time.Sleep(10 * time.Millisecond)
				}
			}
			bring(200)
			s := r.Status()
			if !strings.Contains(s.Trouble, errDisk.Error()) || s.Lost == 0 {
				t.Fatalf("write %d fails: status %+v, want the trouble and what was lost", n, s)
			}
			disk.mend()
			time.Sleep(6 * time.Second)
			bring(50)
			if s := r.Status(); s.Trouble != "" || s.Files != 2 {
				t.Errorf("write %d failed, then the disk was mended: status %+v", n, s)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			got := payloads(recorded(t, dir))
			gaps, next, kept := 0, 0, 0
			for _, text := range got {
				var k int
				if strings.Contains(text, "could not take") {
					gaps++
				} else if _, err := fmt.Sscanf(text, `{"n":%d}`, &k); err != nil || k < next {
					t.Fatalf("line %q after %d", text, next)
				} else {
					next = k + 1
					kept++
				}
			}
			if lost := r.Status().Lost; kept+int(lost) != 250 {
				t.Errorf("write %d failed: %d of 250 kept and %d said to be lost", n, kept, lost)
			}
			if gaps == 0 || next != 250 {
				t.Errorf("write %d failed: %d gaps told, last line %d of 250", n, gaps, next)
			}
		})
	}
}

func TestAFolderThatCannotBeIsToldAtTheStart(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := NewRecorder(RecorderConfig{Dir: filepath.Join(file, "dir"), Clock: bubbleClock{}}); err == nil || !strings.Contains(err.Error(), "cannot record") {
		t.Errorf("got %v", err)
	}
}

func TestBringingAFrameDoesNotAllocate(t *testing.T) {
	r, err := NewRecorder(RecorderConfig{Dir: t.TempDir(), Clock: bubbleClock{time.Now()}})
	if err != nil {
		t.Fatal(err)
	}
	frame := make([]byte, 300)
	if n := testing.AllocsPerRun(100, func() { r.Frame(0, 1, frame) }); n > 0.5 { // the writer's are not the bringer's
		t.Errorf("got %v allocations a frame, want 0", n)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
}

func BenchmarkRecorderFrame(b *testing.B) {
	r, err := NewRecorder(RecorderConfig{Dir: b.TempDir(), Clock: bubbleClock{time.Now()}})
	if err != nil {
		b.Fatal(err)
	}
	frame := []byte(`{"stream":"btcusdt@bookTicker","data":{"u":50093239189,"s":"BTCUSDT","b":"61737.63000000","B":"1.54698000","a":"61737.64000000","A":"0.32329000"}}`)
	b.SetBytes(int64(len(frame)))
	for b.Loop() {
		r.Frame(0, 1, frame)
	}
	if err := r.Close(); err != nil {
		b.Fatal(err)
	}
}

// stuck is a disk that does not answer until it is let go.
type stuck struct{ gate chan struct{} }

func (s stuck) Write(p []byte) (int, error) { <-s.gate; return len(p), nil }
func (s stuck) Close() error                { return nil }

func TestAStuckDiskDelaysNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := stuck{make(chan struct{}, 1)}
		disk.gate <- struct{}{} // for the first line of the file
		c := bubbleClock{time.Now()}
		r, err := NewRecorder(RecorderConfig{Dir: t.TempDir(), Clock: c, Room: 1 << 12, FlushEvery: 50 * time.Millisecond,
			Create: func(string) (io.WriteCloser, error) { return disk, nil }})
		if err != nil {
			t.Fatal(err)
		}
		from := time.Now()
		for range 10_000 {
			r.Frame(0, c.Mono(), []byte("frame"))
			r.REST("/api/v3/x", []byte("{}"))
		}
		time.Sleep(time.Minute)
		for range 10_000 {
			r.Frame(0, c.Mono(), []byte("frame"))
			r.REST("/api/v3/x", []byte("{}"))
		}
		if waited := time.Since(from) - time.Minute; waited != 0 {
			t.Errorf("bringing frames took %v of virtual time, want none", waited)
		}
		if s := r.Status(); s.Lost < 30_000 || s.Waiting > 1<<12 {
			t.Errorf("status %+v, want nearly all lost and no more than 4 KiB waiting", s)
		}
		close(disk.gate)
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestAGapOfALineIsARecord(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := bubbleClock{time.Now()}
		dir := t.TempDir()
		r, err := NewRecorder(RecorderConfig{Dir: dir, Clock: c})
		if err != nil {
			t.Fatal(err)
		}
		r.Frame(0, c.Mono(), []byte("before"))
		time.Sleep(time.Millisecond)
		r.Gap(Gap{Why: "a line did not bring it", Line: "0", Symbol: "BTCUSDT", Stream: "depth", Last: 7, First: 12, Covered: true, Ns: 5, Ended: 9})
		time.Sleep(time.Millisecond)
		r.Frame(0, c.Mono(), []byte("after"))
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		got := recorded(t, dir)
		want := `{"why":"a line did not bring it","line":"0","symbol":"BTCUSDT","stream":"depth","last":7,"first":12,"covered":true,"ns":5,"ended":9}`
		if len(got) != 4 || got[2].note != NoteGap || got[2].payload != want {
			t.Errorf("got %+v, want the gap between the frames", got)
		}
	})
}

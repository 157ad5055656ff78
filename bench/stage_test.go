package bench

import (
	"slices"
	"testing"
	"time"

	"riposte/bench/callgrind"
)

// work is one stage's work on a whole corpus. pass does it once and is what is
// timed; check looks at what the last pass did.
type work struct {
	items  int // per pass
	bytes  int // per pass, 0 where bytes mean nothing
	pass   func()
	check  func() error
	levels int // per pass, where a level is the smaller item
	// perSecond says that items per second are what is asked for.
	perSecond bool
	clock     *batch // where only parts of a pass count
	reset     func() // forgets what warming up has measured
	after     func(b *testing.B)
}

// kept makes cleanups those of the whole benchmark: Go calls a benchmark's function
// several times, and what it works with is made once.
type kept struct {
	testing.TB
	whole testing.TB
}

// Cleanup runs f when the whole benchmark is over.
func (k kept) Cleanup(f func()) { k.whole.Cleanup(f) }

// TempDir is the whole benchmark's too.
func (k kept) TempDir() string { return k.whole.TempDir() }

// stage runs one benchmark on work that is made when it is first needed.
func stage(b *testing.B, name string, make func(t testing.TB) *work) {
	b.Helper()
	var w *work
	b.Run(name, func(sub *testing.B) {
		if w == nil {
			w = make(kept{sub, b})
		}
		run(sub, w)
		if w.after != nil {
			w.after(sub)
		}
	})
}

// run times whole passes until b.N items are done, and no less than one. The
// standard figures are per item of what was really done, which b.N is not.
func run(b *testing.B, w *work) {
	b.Helper()
	if w.items == 0 {
		b.Fatal("nothing to do: the corpus has no such items")
	}
	b.ReportAllocs()
	w.pass() // buffers grow to their size, caches fill
	if err := w.check(); err != nil {
		b.Fatal(err)
	}
	if w.clock != nil {
		w.clock.spent = 0
	}
	if w.reset != nil {
		w.reset()
	}
	passes := make([]time.Duration, 0, 1<<12) // the first of them, if there are more
	from := time.Now()
	clock := func() time.Duration {
		if w.clock != nil {
			return w.clock.spent
		}
		return time.Since(from)
	}
	var heap Heap
	heap.Start()
	b.ResetTimer()
	done := 0
	for done < b.N {
		before := clock()
		w.pass()
		if len(passes) < cap(passes) {
			passes = append(passes, clock()-before)
		}
		done += w.items
	}
	b.StopTimer()
	heap.Stop()
	if err := w.check(); err != nil {
		b.Fatal(err)
	}
	spent := b.Elapsed()
	if w.clock != nil {
		spent = w.clock.spent
	}
	perItem := float64(spent) / float64(done)
	b.ReportMetric(perItem, "ns/op")
	// What others take of the processor is in the mean; compare sets it beside peers
	// by the median pass.
	slices.Sort(passes)
	b.ReportMetric(float64(passes[len(passes)/2])/float64(w.items), "typical-ns/op")
	b.ReportMetric(float64(heap.Mallocs)/float64(done), "allocs/op")
	b.ReportMetric(float64(heap.Bytes)/float64(done), "B/op")
	if w.bytes > 0 {
		b.ReportMetric(float64(w.bytes)/float64(w.items)/perItem*1e3, "MB/s")
	}
	if w.perSecond {
		b.ReportMetric(1e3/perItem, "M-items/s")
	}
	if w.levels > 0 {
		b.ReportMetric(perItem*float64(w.items)/float64(w.levels), "ns/level")
	}
}

// noAllocs is the other half of each stage: the same work, and not one allocation
// in a whole pass.
func noAllocs(t *testing.T, w *work) {
	t.Helper()
	w.pass()
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
	// What a stage allocates it allocates in every pass. One of the runtime's own
	// (a mark worker, a timer) or a keep-alive every ten seconds does not come
	// three times in a row.
	least := testing.AllocsPerRun(1, w.pass)
	for range 2 {
		if least != 0 {
			least = min(least, testing.AllocsPerRun(1, w.pass))
		}
	}
	if least != 0 {
		t.Errorf("got at least %v allocations in a pass of %d items, want 0", least, w.items)
	}
	if err := w.check(); err != nil {
		t.Fatal(err)
	}
}

// batch collects time that is measured piece by piece, where the work between the
// pieces is not to be counted; or instructions, with counting.
type batch struct {
	spent    time.Duration
	from     time.Time
	counting bool
}

func (t *batch) start() {
	if t.counting {
		callgrind.Begin()
		return
	}
	t.from = time.Now()
}

func (t *batch) stop() {
	if t.counting {
		callgrind.End()
		return
	}
	t.spent += time.Since(t.from)
}

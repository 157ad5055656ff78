package bench

import (
	"bytes"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"testing"

	"riposte/core"
)

// replayWork takes a corpus through decoder, queue, recovery, book and top.
func replayWork(t testing.TB, c *Corpus, hashing bool) *work {
	r, err := NewReplay(c, SizesOfFew)
	if err != nil {
		t.Fatal(err)
	}
	if hashing {
		r.HashTops()
	}
	return &work{items: c.Frames, bytes: c.Bytes, perSecond: true, pass: r.Pass, check: func() error {
		if r.Past != 0 {
			return fmt.Errorf("got %d events too large for their queues, want 0", r.Past)
		}
		return r.Check()
	}}
}

// dealWork is replayWork over many symbols, and what they take of memory.
func dealWork(t testing.TB, c *Corpus, symbols, stretch int, interleaved bool) *work {
	d, err := Deal(c, symbols, stretch, manyLevels, interleaved)
	if err != nil {
		t.Fatal(err)
	}
	before := memory(t)
	r, err := NewReplay(d, SizesOfMany)
	if err != nil {
		t.Fatal(err)
	}
	r.Pass()
	after := memory(t)
	w := &work{items: d.Frames, bytes: d.Bytes, perSecond: true, clock: new(batch), check: r.Check}
	w.pass = func() {
		from := r.Start() // a snapshot for every thousand frames is not what is asked about
		w.clock.start()
		r.Run(from)
		w.clock.stop()
	}
	levels := 0
	for i := range d.Lines {
		if im := d.Lines[i].Image; im != nil {
			levels += len(im.Bids) + len(im.Asks)
		}
	}
	w.after = func(b *testing.B) {
		books := 0
		for _, s := range r.syncs {
			if book, live := s.Live(); live {
				books += book.Bytes()
			}
		}
		b.ReportMetric(float64(books)/float64(symbols)/1024, "book-KiB/symbol")
		b.ReportMetric(float64(after.heap-before.heap)/float64(symbols)/1024, "heap-KiB/symbol")
		b.ReportMetric(float64(after.resident-before.resident)/float64(symbols)/1024, "resident-KiB/symbol")
		b.ReportMetric(float64(levels)/float64(symbols), "levels/book")
		b.ReportMetric(1e6*float64(r.Past)/float64(d.Frames), "ppm-too-large")
	}
	return w
}

// use is what the process has: on the heap, and in the machine's memory.
type use struct{ heap, resident int64 }

func memory(t testing.TB) use {
	debug.FreeOSMemory()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, err := strconv.ParseInt(string(bytes.Fields(text)[1]), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return use{int64(m.HeapAlloc), pages * int64(os.Getpagesize())}
}

// The figures of the many-symbols row.
const (
	manySymbols = 400
	manyFrames  = 1000 // per symbol
	manyLevels  = 1000 // a side in its snapshot
)

// BenchmarkReplay is one frame through decoder, queue, recovery, book and top of book,
// whole recordings at full speed on one core. hashed hashes the top after every
// applied event besides, as the reference results are made. many is 400 symbols at
// once, frame by frame in random order, each with a stretch of the recording and a
// book of its own; one by one is the very same frames, a symbol after the other, so
// that the difference is what 400 at once cost.
func BenchmarkReplay(b *testing.B) {
	for _, name := range []string{Spot, Linear} {
		stage(b, name, func(t testing.TB) *work { return replayWork(t, corpus(t, name), false) })
		stage(b, name+"/hashed", func(t testing.TB) *work { return replayWork(t, corpus(t, name), true) })
	}
	stage(b, "both", func(t testing.TB) *work {
		one, two := replayWork(t, corpus(t, Spot), false), replayWork(t, corpus(t, Linear), false)
		return &work{items: one.items + two.items, bytes: one.bytes + two.bytes, perSecond: true,
			pass: func() { one.pass(); two.pass() },
			check: func() error {
				if err := one.check(); err != nil {
					return err
				}
				return two.check()
			}}
	})
	stage(b, "many/interleaved", func(t testing.TB) *work { return dealWork(t, corpus(t, Spot), manySymbols, manyFrames, true) })
	stage(b, "many/onebyone", func(t testing.TB) *work { return dealWork(t, corpus(t, Spot), manySymbols, manyFrames, false) })
}

func TestReplayGivesTheReferenceBooksAndTops(t *testing.T) {
	for _, name := range []string{Spot, Linear, Multi, Fixed} {
		if raceOn && name == Linear {
			continue
		}
		t.Run(name, func(t *testing.T) {
			w := replayWork(t, corpus(t, name), true)
			for range 2 {
				w.pass()
				if err := w.check(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

func TestADealtCorpusGivesEachSymbolTheBookOfItsStretch(t *testing.T) {
	c := corpus(t, Fixed)
	ends := map[string]bool{}
	for _, interleaved := range []bool{true, false} {
		d, err := Deal(c, 40, 500, 1000, interleaved)
		if err != nil {
			t.Fatal(err)
		}
		if d.Frames != 40*500 || len(d.Table.List) != 40 || len(d.Want) != 40 {
			t.Fatalf("got %d frames of %d symbols with %d references, want 20000 of 40 with 40", d.Frames, len(d.Table.List), len(d.Want))
		}
		w := replayWork(t, d, false)
		w.pass()
		if err := w.check(); err != nil {
			t.Fatalf("interleaved %v: %v", interleaved, err)
		}
		for _, want := range d.Want {
			ends[want.Final] = true
		}
	}
	if len(ends) < 20 {
		t.Errorf("got %d different books at the ends of 40 stretches, want most of them to differ", len(ends))
	}
}

func TestDealRefusesWhatItCannotDeal(t *testing.T) {
	c := corpus(t, Fixed)
	futures := *c
	futures.Market = core.LinearFutures
	for i, f := range []func() (*Corpus, error){
		func() (*Corpus, error) { return Deal(c, 0, 10, 10, true) },
		func() (*Corpus, error) { return Deal(c, 1001, 10, 10, true) },
		func() (*Corpus, error) { return Deal(c, 10, c.Frames, 10, true) },
		func() (*Corpus, error) { return Deal(c, 10, 10, 0, true) },
		func() (*Corpus, error) { return Deal(&futures, 10, 10, 10, true) },
	} {
		if _, err := f(); err == nil {
			t.Errorf("case %d: got no error, want one", i)
		}
	}
}

package bench

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/ring"
	"riposte/feed/binance"
)

// decoded is a corpus as events, the input of every stage behind the decoder.
type decoded struct {
	events []core.Event
	levels [][]core.Level
	images []*book.Image // by event: the snapshots that came just before it
	total  int           // levels of depth events
}

var decodedBy sync.Map // corpus name to *decoded

func events(t testing.TB, c *Corpus) *decoded {
	t.Helper()
	if d, ok := decodedBy.Load(c.Name); ok {
		return d.(*decoded)
	}
	syms, err := binance.NewSymbols(c.Table)
	if err != nil {
		t.Fatal(err)
	}
	dec := binance.NewDecoder(syms, core.Milliseconds, binance.Raw{Instrument: core.NoInstrument})
	d := new(decoded)
	lv := make([]core.Level, 0, levelsMax)
	var image *book.Image
	for i := range c.Lines {
		l := &c.Lines[i]
		if l.Image != nil {
			image = l.Image
			continue
		}
		var ev core.Event
		n, res := dec.Decode(l.Frame, &ev, lv)
		if res == binance.Ignored {
			continue
		}
		if res != binance.Decoded {
			t.Fatalf("frame %.80q: got %v, want decoded", l.Frame, res)
		}
		ev.Recv = core.MonoNs(i + 1)
		d.events = append(d.events, ev)
		d.levels = append(d.levels, append([]core.Level(nil), lv[:n]...))
		d.images = append(d.images, image)
		image = nil
		if ev.Kind == core.DepthDelta {
			d.total += n
		}
	}
	decodedBy.Store(c.Name, d)
	return d
}

// put copies an event into the queue, as the decoder would write it there.
func put(q *ring.Queue, ev *core.Event, lv []core.Level) bool {
	slot, mem := q.Claim()
	if slot == nil || cap(mem) < len(lv) {
		return false
	}
	*slot = *ev
	q.Publish(copy(mem[:len(lv)], lv))
	return true
}

// ringWork hands every event of the corpus from one side of a queue to the other on
// one goroutine, as the inline loop does.
func ringWork(t testing.TB, c *Corpus) *work {
	d := events(t, c)
	var want, got uint64
	for i := range d.events {
		want = fold(want, &d.events[i], d.levels[i])
	}
	q := ring.NewQueue(1<<12, 1<<16, levelsMax)
	full := 0
	return &work{
		items: len(d.events),
		pass: func() {
			got = 0
			for i := range d.events {
				if !put(q, &d.events[i], d.levels[i]) {
					full++
				}
				ev, lv := q.Peek()
				got = fold(got, ev, lv)
				q.Pop()
			}
		},
		check: func() error {
			if got != want || full != 0 {
				return fmt.Errorf("got checksum %x and %d events that did not fit, want %x and 0", got, full, want)
			}
			return nil
		},
	}
}

// crossWork is the same between two goroutines.
func crossWork(t testing.TB, c *Corpus) *work {
	d := events(t, c)
	var want, got uint64
	for i := range d.events {
		want = fold(want, &d.events[i], d.levels[i])
	}
	q := ring.NewQueue(1<<12, 1<<16, levelsMax)
	go_, done := make(chan struct{}), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer close(done)
		for range go_ {
			for i := range d.events {
				for !put(q, &d.events[i], d.levels[i]) {
					runtime.Gosched()
				}
			}
		}
	}()
	t.Cleanup(func() { close(go_); <-done })
	return &work{
		items: len(d.events),
		pass: func() {
			got = 0
			go_ <- struct{}{}
			for n := 0; n < len(d.events); {
				ev, lv := q.Peek()
				if ev == nil {
					runtime.Gosched()
					continue
				}
				got = fold(got, ev, lv)
				q.Pop()
				n++
			}
		},
		check: func() error {
			if got != want {
				return fmt.Errorf("got checksum %x, want %x", got, want)
			}
			return nil
		},
	}
}

// item is a value of one cache line.
type item [8]uint64

// batchWork hands values over by the runs of slots that the ring lends.
func batchWork(n int) *work {
	r := ring.New[item](1024)
	const total = 1 << 16
	var got uint64
	return &work{
		items: total,
		pass: func() {
			got = 0
			for i := uint64(0); i < total; {
				space := r.Space(n)
				for k := range space {
					space[k][0] = i + uint64(k)
				}
				r.Commit(len(space))
				i += uint64(len(space))
				pending := r.Pending()
				for k := range pending {
					got += pending[k][0]
				}
				r.Release(len(pending))
			}
		},
		check: func() error {
			if want := uint64(total) * (total - 1) / 2; got != want {
				return fmt.Errorf("got sum %d, want %d", got, want)
			}
			return nil
		},
	}
}

// BenchmarkRing is one event handed over with its levels: on one goroutine, and
// between two; and one value of 64 bytes in batches of 16.
func BenchmarkRing(b *testing.B) {
	c := corpus(b, Spot)
	stage(b, "queue/inline", func(t testing.TB) *work { return ringWork(t, c) })
	stage(b, "queue/cross", func(t testing.TB) *work { return crossWork(t, c) })
	stage(b, "items/batch16", func(testing.TB) *work { return batchWork(16) })
}

package bench

import (
	"fmt"
	"runtime"
	"testing"

	"riposte/core"
	"riposte/core/ring"
)

var decodedBy = map[*Corpus]*Events{}

// events decodes a corpus once.
func events(t testing.TB, c *Corpus) *Events {
	t.Helper()
	if d := decodedBy[c]; d != nil {
		return d
	}
	d, err := c.Events()
	if err != nil {
		t.Fatal(err)
	}
	decodedBy[c] = d
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
	for i := range d.Events {
		want = fold(want, &d.Events[i], d.Levels[i])
	}
	q := ring.NewQueue(1<<12, 1<<16, LevelsMax)
	full := 0
	return &work{
		items: len(d.Events),
		pass: func() {
			got = 0
			for i := range d.Events {
				if !put(q, &d.Events[i], d.Levels[i]) {
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

// queueWork is ringWork by halves: events are published in runs that the queue has
// room for and then taken out, and only one half counts.
func queueWork(t testing.TB, c *Corpus, publish bool) *work {
	d := events(t, c)
	w := &work{items: len(d.Events), clock: new(batch)}
	var want, got uint64
	for i := range d.Events {
		want = fold(want, &d.Events[i], d.Levels[i])
	}
	q := ring.NewQueue(1<<12, 1<<16, LevelsMax)
	full := 0
	half := func(on bool, f func()) {
		if on {
			w.clock.start()
			defer w.clock.stop()
		}
		f()
	}
	w.pass = func() {
		got = 0
		for from := 0; from < len(d.Events); from += run64 {
			to := min(from+run64, len(d.Events))
			half(publish, func() {
				for i := from; i < to; i++ {
					if !put(q, &d.Events[i], d.Levels[i]) {
						full++
					}
				}
			})
			half(!publish, func() {
				for ev, lv := q.Peek(); ev != nil; ev, lv = q.Peek() {
					got = fold(got, ev, lv)
					q.Pop()
				}
			})
		}
	}
	w.check = func() error {
		if got != want || full != 0 {
			return fmt.Errorf("got checksum %x and %d events that did not fit, want %x and 0", got, full, want)
		}
		return nil
	}
	return w
}

// run64 is how many events queueWork publishes before it takes them out.
const run64 = 64

// crossWork is the same between two goroutines.
func crossWork(t testing.TB, c *Corpus) *work {
	d := events(t, c)
	var want, got uint64
	for i := range d.Events {
		want = fold(want, &d.Events[i], d.Levels[i])
	}
	q := ring.NewQueue(1<<12, 1<<16, LevelsMax)
	go_, done := make(chan struct{}), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer close(done)
		for range go_ {
			for i := range d.Events {
				for !put(q, &d.Events[i], d.Levels[i]) {
					runtime.Gosched()
				}
			}
		}
	}()
	t.Cleanup(func() { close(go_); <-done })
	return &work{
		items: len(d.Events),
		pass: func() {
			got = 0
			go_ <- struct{}{}
			for n := 0; n < len(d.Events); {
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

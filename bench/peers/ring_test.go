package peers

import (
	"runtime"
	"testing"

	"riposte/core"
	"riposte/core/ring"
)

const (
	ringSize  = 1 << 10
	ringItems = 1 << 16
)

func ringSum(sum uint64, ev *core.Event) uint64 { return sum*31 + ev.ID ^ uint64(ev.W[0]) }

func fill(ev *core.Event, i int) { ev.ID, ev.W[0] = uint64(i), int64(i)*7 }

// crossing runs write on a thread of its own for each pass, and read on the caller's.
func crossing(b *testing.B, write, read func() uint64) func() uint64 {
	again, done := make(chan struct{}), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer close(done)
		for range again {
			write()
		}
	}()
	b.Cleanup(func() { close(again); <-done })
	return func() uint64 {
		again <- struct{}{}
		return read()
	}
}

// BenchmarkRing is one event of 64 bytes handed over: on one goroutine, and to
// another.
func BenchmarkRing(b *testing.B) {
	r, inline := ring.New[core.Event](ringSize), make(chan core.Event, ringSize)
	contest(b, match{name: "inline", items: ringItems, list: []contender{
		{name: ours, pass: func() (sum uint64) {
			for i := range ringItems {
				fill(r.Claim(), i)
				r.Publish()
				sum = ringSum(sum, &r.Pending()[0])
				r.Release(1)
			}
			return sum
		}},
		{name: "channel", pass: func() (sum uint64) {
			for i := range ringItems {
				var ev core.Event
				fill(&ev, i)
				inline <- ev
				ev = <-inline
				sum = ringSum(sum, &ev)
			}
			return sum
		}},
	}})
	x, ch := ring.New[core.Event](ringSize), make(chan core.Event, ringSize)
	contest(b, match{name: "cross", items: ringItems, list: []contender{
		{name: ours, pass: crossing(b, func() uint64 {
			for i := 0; i < ringItems; i++ {
				ev := x.Claim()
				for ; ev == nil; ev = x.Claim() {
					runtime.Gosched()
				}
				fill(ev, i)
				x.Publish()
			}
			return 0
		}, func() (sum uint64) {
			for n := 0; n < ringItems; {
				list := x.Pending()
				if len(list) == 0 {
					runtime.Gosched()
					continue
				}
				for i := range list {
					sum = ringSum(sum, &list[i])
				}
				x.Release(len(list))
				n += len(list)
			}
			return sum
		})},
		{name: "channel", pass: crossing(b, func() uint64 {
			for i := range ringItems {
				var ev core.Event
				fill(&ev, i)
				ch <- ev
			}
			return 0
		}, func() (sum uint64) {
			for range ringItems {
				ev := <-ch
				sum = ringSum(sum, &ev)
			}
			return sum
		})},
	}})
}

package ring

import (
	"runtime"
	"testing"

	"riposte/core"
)

// BenchmarkRingInline is one goroutine playing both sides, one item at a time:
// what the ring costs where the loop is not split over threads.
func BenchmarkRingInline(b *testing.B) {
	r := New[item](1024)
	b.ReportAllocs()
	for i := range b.N {
		r.Claim().w[0] = uint64(i)
		r.Publish()
		p := r.Pending()
		if p[0].w[0] != uint64(i) {
			b.Fatal("wrong item")
		}
		r.Release(1)
	}
}

// BenchmarkRingBatch streams 64-byte items in batches of 16 between two locked
// threads; time is per item.
func BenchmarkRingBatch(b *testing.B) { benchmarkStream(b, 16) }

// BenchmarkRingOneByOne is the same stream published item by item.
func BenchmarkRingOneByOne(b *testing.B) { benchmarkStream(b, 1) }

func benchmarkStream(b *testing.B, batch int) {
	r := New[item](1024)
	b.ReportAllocs()
	b.SetBytes(64)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for v := 0; v < b.N; {
			s := r.Space(min(batch, b.N-v))
			for i := range s {
				s[i] = item{[8]uint64{uint64(v)}}
				v++
			}
			if len(s) > 0 {
				r.Commit(len(s))
			}
		}
	}()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for want := 0; want < b.N; {
		p := r.Pending()
		for i := range p {
			if p[i].w[0] != uint64(want) {
				b.Fatal("wrong item")
			}
			want++
		}
		if len(p) > 0 {
			r.Release(len(p))
		}
	}
}

// BenchmarkRingOneWay bounces an item between two locked threads over two rings;
// time is per one-way hand-over.
func BenchmarkRingOneWay(b *testing.B) {
	to, fro := New[item](64), New[item](64)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for n := 0; n < b.N; {
			if p := to.Pending(); len(p) > 0 {
				*fro.Claim() = p[0]
				fro.Publish()
				to.Release(1)
				n += 2
			}
		}
	}()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for n := 0; n < b.N; n += 2 {
		to.Claim().w[0] = uint64(n)
		to.Publish()
		for len(fro.Pending()) == 0 {
			continue
		}
		if fro.Pending()[0].w[0] != uint64(n) {
			b.Fatal("wrong item")
		}
		fro.Release(1)
	}
}

// BenchmarkQueueInline is a depth event of 20 levels through the instrument
// queue on one goroutine.
func BenchmarkQueueInline(b *testing.B) {
	q := NewQueue(1024, 8192, 2048)
	b.ReportAllocs()
	for i := range b.N {
		ev, lv := q.Claim()
		ev.ID = uint64(i)
		lv = lv[:20]
		for j := range lv {
			lv[j] = core.Level{Price: core.Price(i), Qty: core.Qty(j)}
		}
		q.Publish(20)
		if ev, lv = q.Peek(); ev.ID != uint64(i) || len(lv) != 20 {
			b.Fatal("wrong event")
		}
		q.Pop()
	}
}

package peers

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"riposte/bench/peers/floor"
	"riposte/core/ring"
)

const (
	ringSize   = 1024
	ringTrips  = 1 << 11 // there and back, in a pass
	ringItems  = 1 << 14 // in a stream
	ringBatch  = 16
	ringBatchN = ringItems / ringBatch
)

// item is one cache line.
type item [8]uint64

func (it *item) fill(v uint64) { *it = item{v, v + 1, v + 2, v + 3, v + 4, v + 5, v + 6, v + 7} }

// look adds an item to the checksum; floors do the same.
func (it *item) look(sum uint64) uint64 { return (sum*31 + it[0]) ^ it[7] }

// cpus are two processors that this process may use; none if there are no two.
func cpus() []int {
	var set unix.CPUSet
	must(unix.SchedGetaffinity(0, &set))
	var out []int
	for i := 0; len(out) < 2 && i < 1024; i++ {
		if set.IsSet(i) {
			out = append(out, i)
		}
	}
	if len(out) < 2 {
		return nil
	}
	return out
}

// pin keeps the calling goroutine on a processor until the function that it returns
// is called.
func pin(cpu int) (unpin func()) {
	runtime.LockOSThread()
	var before, one unix.CPUSet
	must(unix.SchedGetaffinity(0, &before))
	one.Set(cpu)
	must(unix.SchedSetaffinity(0, &one))
	return func() {
		must(unix.SchedSetaffinity(0, &before))
		runtime.UnlockOSThread()
	}
}

// hand is one way to hand items over between two goroutines, other on one processor
// and mine on the other if they are pinned. mine returns the checksum.
type hand struct {
	name     string
	unpinned bool
	other    func()
	mine     func() uint64
}

// crossing makes contenders of hands: for each pass other runs on a goroutine of its
// own that stays where it is between passes.
func crossing(tb testing.TB, list []hand) (out []contender) {
	on := cpus()
	for _, h := range list {
		if on == nil {
			out = append(out, contender{name: h.name, miss: "needs two processors"})
			continue
		}
		again, done := make(chan struct{}), make(chan struct{})
		var there atomic.Bool
		go func() {
			defer close(done)
			if !h.unpinned {
				defer pin(on[1])()
			}
			for range again {
				there.Store(true)
				h.other()
				done <- struct{}{}
			}
		}()
		tb.Cleanup(func() { close(again); <-done })
		spent := new(time.Duration)
		out = append(out, contender{name: h.name, spent: spent, pass: func() uint64 {
			if !h.unpinned {
				defer pin(on[0])()
			}
			again <- struct{}{}
			for !there.Swap(false) {
				if h.unpinned {
					runtime.Gosched()
				}
			}
			from := time.Now()
			sum := h.mine()
			*spent = time.Since(from)
			<-done
			return sum
		}})
	}
	return out
}

// inC makes a contender of a floor, which has a thread of its own for the other half.
func inC(name string, run func(cpu int) (uint64, time.Duration)) contender {
	on := cpus()
	if on == nil {
		return contender{name: name, miss: "needs two processors"}
	}
	spent := new(time.Duration)
	return contender{name: name, spent: spent, pass: func() (sum uint64) {
		defer pin(on[0])()
		sum, *spent = run(on[1])
		return sum
	}}
}

func ringMatches(tb testing.TB) []match {
	if cpus() == nil {
		tb.Skip("needs two processors")
	}
	bounce := append(crossing(tb, []hand{riposteBounce(), xsyncBounce(), workivaBounce(), channelBounce("channel-pinned", false), channelBounce("channel", true), lineBounce()}),
		inC("floor-c-ring", func(cpu int) (uint64, time.Duration) { return floor.BounceRing(cpu, ringTrips) }),
		inC("limit-c-line", func(cpu int) (uint64, time.Duration) { return floor.BounceLine(cpu, ringTrips) }))
	single := append(crossing(tb, []hand{riposteSingle(), xsyncSingle(), workivaSingle(), channelSingle("channel-pinned", false), channelSingle("channel", true)}),
		inC("floor-c-ring", func(cpu int) (uint64, time.Duration) { return floor.StreamRing(cpu, ringItems, 1) }))
	batched := append(crossing(tb, []hand{riposteBatched(), xsyncBatched(), channelBatched("channel-pinned", false), channelBatched("channel", true)}),
		inC("floor-c-ring", func(cpu int) (uint64, time.Duration) { return floor.StreamRing(cpu, ringItems, ringBatch) }))
	return []match{
		{name: "one-way", items: 2 * ringTrips, list: bounce},
		{name: "single", items: ringItems, list: single},
		{name: "batch16", items: ringItems, list: batched},
		{name: "inline16", items: ringItems, list: inlineRings()},
	}
}

func TestRingsAgree(t *testing.T) { allAgree(t, ringMatches(t)) }

// BenchmarkRing is 64 bytes handed over between two threads that are pinned and spin:
// one-way is half the time there and back; single is a stream item by item, batch16
// one by sixteens. inline16 is both sides on one goroutine. The contender channel leaves both goroutines to the scheduler.
func BenchmarkRing(b *testing.B) {
	for _, m := range ringMatches(b) {
		contest(b, m)
	}
}

func riposteBounce() hand {
	to, from := ring.New[item](ringSize), ring.New[item](ringSize)
	return hand{name: ours, other: func() {
		for n := 0; n < ringTrips; {
			if p := to.Pending(); len(p) > 0 {
				*from.Claim() = p[0]
				from.Publish()
				to.Release(1)
				n++
			}
		}
	}, mine: func() (sum uint64) {
		for i := range uint64(ringTrips) {
			to.Claim().fill(i)
			to.Publish()
			p := from.Pending()
			for len(p) == 0 {
				p = from.Pending()
			}
			sum = p[0].look(sum)
			from.Release(1)
		}
		return sum
	}}
}

func riposteSingle() hand {
	r := ring.New[item](ringSize)
	return hand{name: ours, other: func() {
		for i := uint64(0); i < ringItems; {
			if it := r.Claim(); it != nil {
				it.fill(i)
				r.Publish()
				i++
			}
		}
	}, mine: func() (sum uint64) {
		for n := 0; n < ringItems; {
			if p := r.Pending(); len(p) > 0 {
				sum = p[0].look(sum)
				r.Release(1)
				n++
			}
		}
		return sum
	}}
}

func riposteBatched() hand {
	r := ring.New[item](ringSize)
	return hand{name: ours, other: func() {
		for i := uint64(0); i < ringItems; {
			s := r.Space(ringBatch)
			for k := range s {
				s[k].fill(i)
				i++
			}
			r.Commit(len(s))
		}
	}, mine: func() (sum uint64) {
		for n := 0; n < ringItems; {
			p := r.Pending()
			for k := range p {
				sum = p[k].look(sum)
			}
			if len(p) > 0 {
				r.Release(len(p))
			}
			n += len(p)
		}
		return sum
	}}
}

// inlineRings are batches on one goroutine.
func inlineRings() []contender {
	r := ring.New[item](ringSize)
	ch := make(chan [ringBatch]item, ringSize/ringBatch)
	return []contender{
		{name: ours, pass: func() (sum uint64) {
			for i := uint64(0); i < ringItems; {
				s := r.Space(ringBatch)
				for k := range s {
					s[k].fill(i)
					i++
				}
				r.Commit(len(s))
				p := r.Pending()
				for k := range p {
					sum = p[k].look(sum)
				}
				r.Release(len(p))
			}
			return sum
		}},
		{name: "channel", pass: func() (sum uint64) {
			var s [ringBatch]item
			for i := uint64(0); i < ringItems; {
				for k := range s {
					s[k].fill(i)
					i++
				}
				ch <- s
				s = <-ch
				for k := range s {
					sum = s[k].look(sum)
				}
			}
			return sum
		}},
	}
}

// lineBounce is one cache line and nothing else, in Go.
func lineBounce() hand {
	var line struct {
		_ [128]byte
		v atomic.Uint64
		_ [128]byte
	}
	return hand{name: "limit-line", other: func() {
		for v := uint64(1); v < 2*ringTrips; v += 2 {
			for line.v.Load() != v {
				continue
			}
			line.v.Store(v + 1)
		}
	}, mine: func() (sum uint64) {
		var it item
		for i := range uint64(ringTrips) {
			line.v.Store(2*i + 1)
			for line.v.Load() != 2*i+2 {
				continue
			}
			it[0], it[7] = i, i+7
			sum = it.look(sum)
		}
		line.v.Store(0)
		return sum
	}}
}

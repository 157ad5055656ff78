package backtest

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"time"

	"riposte/core"
)

// Latency is how long things are under way between here and the venue, one way. Orders
// overtake no orders and reports no reports, as on one connection.
type Latency struct {
	Order  Delay       // from the decision until the venue acts on it
	Report Delay       // from there until we know
	Feed   core.MonoNs // from a market event until it was received: the same for all
}

// Delay is a constant, or is drawn from a sample.
type Delay struct {
	Constant core.MonoNs
	Sample   []core.MonoNs // in order; nil: Constant
}

// ConstantLatency is the same way both ways and for the feed.
func ConstantLatency(d time.Duration) Latency {
	n := core.MonoNs(d)
	return Latency{Order: Delay{Constant: n}, Report: Delay{Constant: n}, Feed: n}
}

// RoundTrips makes latencies of a sample of round trips, an order's answers: half of each
// is the way there and half the way back, and the feed takes the shortest half.
func RoundTrips(trips []core.MonoNs) (Latency, error) {
	if len(trips) == 0 {
		return Latency{}, fmt.Errorf("cannot draw latencies: got no round trips, want at least one")
	}
	halves := make([]core.MonoNs, 0, len(trips))
	for _, t := range trips {
		if t < 0 {
			return Latency{}, fmt.Errorf("cannot draw latencies: got a round trip of %v, want none below 0", time.Duration(t))
		}
		halves = append(halves, t/2)
	}
	slices.Sort(halves)
	d := Delay{Sample: halves}
	return Latency{Order: d, Report: d, Feed: halves[0]}, nil
}

// LagLatency makes latencies of how far receive times were behind the venue's times in the
// recording. The two clocks agree up to a constant, so the shortest lag counts as base and
// the rest as what came on top of it.
func LagLatency(lag []int64, base time.Duration) (Latency, error) {
	if len(lag) == 0 {
		return Latency{}, fmt.Errorf("cannot draw latencies from the recording: no event in it tells the venue's time")
	}
	d := Delay{}
	for _, l := range lag {
		d.Sample = append(d.Sample, core.MonoNs(base)+core.MonoNs(l-lag[0]))
	}
	return Latency{Order: d, Report: d, Feed: core.MonoNs(base)}, nil
}

// ReadRoundTrips reads a file of round trips, a duration such as 1.2ms on each line.
func ReadRoundTrips(name string) (trips []core.MonoNs, err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read latencies: %w", err)
	}
	defer f.Close()
	sc := bufio.NewScanner(f)
	for line := 1; sc.Scan(); line++ {
		text := strings.TrimSpace(sc.Text())
		if text == "" || text[0] == '#' {
			continue
		}
		d, err := time.ParseDuration(text)
		if err != nil || d < 0 {
			return nil, fmt.Errorf("cannot read latencies: line %d of %s is %q, want a duration such as 1.2ms", line, name, text)
		}
		trips = append(trips, core.MonoNs(d))
	}
	return trips, sc.Err()
}

// way is one direction: what is sent arrives later, and in order.
type way struct {
	delay Delay
	rng   *rand.Rand
	last  core.MonoNs
}

func newWay(d Delay, seed, stream uint64) way {
	return way{delay: d, rng: rand.New(rand.NewPCG(seed, stream))}
}

// arrives is when something sent now arrives.
func (w *way) arrives(now core.MonoNs) core.MonoNs {
	d := w.delay.Constant
	if n := len(w.delay.Sample); n > 0 {
		d = w.delay.Sample[w.rng.IntN(n)]
	}
	w.last = max(w.last, now+d)
	return w.last
}

// pipe holds what is under way in one direction, oldest first. It grows to the most that
// was ever under way and no further.
type pipe[T any] struct {
	list []T
	from int
}

func (p *pipe[T]) push() *T {
	if p.from > 0 && len(p.list) == cap(p.list) {
		n := copy(p.list, p.list[p.from:])
		p.list, p.from = p.list[:n], 0
	}
	var zero T
	p.list = append(p.list, zero)
	return &p.list[len(p.list)-1]
}

// head is the oldest, nil if there is none.
func (p *pipe[T]) head() *T {
	if p.from == len(p.list) {
		return nil
	}
	return &p.list[p.from]
}

func (p *pipe[T]) pop() {
	if p.from++; p.from == len(p.list) {
		p.list, p.from = p.list[:0], 0
	}
}

package app

import (
	"fmt"
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/exec"
)

// The stage clock says where the time between a frame's bytes and an order's bytes
// went. The loop only reads the clock and leaves records in two rings; everything
// here runs on an ordinary goroutine.
//
//	bytes read ─ decoded ─ applied ─ decided ─ approved ─ encoded ─ written
//	         decode    apply    decide    gate      encode    write          of each order
//	└──────────────────────────────── total ──────────────────────────┘
//
// Each stage ends where the next begins, so the stages of an order add up to its total
// to the nanosecond. The sums in the report are exact, and add up too.
const (
	stageDecode = iota
	stageApply  // its wait in the queue included, which the events' figures tell apart
	stageDecide
	stageGate
	stageEncode
	stageWrite
	stageTotal
	stageCount
)

var stageName = [stageCount]string{"decode", "apply", "decide", "gate", "encode", "write", "total"}

// Stages of every market event, whether an order came of it or not.
const (
	eventDecode = iota
	eventQueue
	eventApply
	eventCount
)

var eventName = [eventCount]string{"decode", "queue", "apply"}

// stageTimes are one order's times by stage, in nanoseconds.
type stageTimes [stageCount]int64

// timesOf takes a stamp apart. ok is false where an instant lies before the one
// before it.
func timesOf(st *exec.Stamp) (t stageTimes, ok bool) {
	at := [stageTotal + 1]core.MonoNs{st.Recv, st.Decoded, st.Applied, st.Decided, st.Approved, st.Encoded, st.Written}
	for i := range stageTotal {
		t[i] = int64(at[i+1] - at[i])
		if t[i] < 0 {
			return t, false
		}
	}
	t[stageTotal] = int64(st.Written - st.Recv)
	return t, true
}

// byMarket reports whether a market event was the cause of an order, rather than a
// timer, a command or a report, whose first three instants are one.
func byMarket(st *exec.Stamp) bool { return st.Recv != st.Applied }

// histogramMax is the largest time told apart; what is longer counts as this, except
// in sum and maximum.
const histogramMax = int64(10 * time.Second)

// figure is one stage: a histogram from 1 ns to 10 s at three digits, and the exact
// sum and maximum.
type figure struct {
	h        *hdrhistogram.Histogram
	sum, max int64
}

func (f *figure) record(ns int64) {
	if f.h == nil {
		f.h = hdrhistogram.New(1, histogramMax, 3)
	}
	f.sum += ns
	f.max = max(f.max, ns)
	// It fails only beyond the range that min keeps to.
	_ = f.h.RecordValue(min(ns, histogramMax))
}

// quantiles are one stage's figures in nanoseconds.
type quantiles struct {
	Count int64 `json:"count"`
	Sum   int64 `json:"sum_ns"`
	P50   int64 `json:"p50_ns"`
	P99   int64 `json:"p99_ns"`
	P999  int64 `json:"p999_ns"`
	P9999 int64 `json:"p9999_ns"`
	Max   int64 `json:"max_ns"`
}

func (f *figure) quantiles() quantiles {
	// A bucket's upper end may lie above the largest value in it.
	at := func(q float64) int64 { return min(f.h.ValueAtQuantile(q), f.max) }
	return quantiles{Count: f.h.TotalCount(), Sum: f.sum, P50: at(50), P99: at(99), P999: at(99.9), P9999: at(99.99), Max: f.max}
}

func figuresOf(list []figure, names []string) map[string]quantiles {
	out := make(map[string]quantiles, len(list))
	for i := range list {
		if list[i].h != nil {
			out[names[i]] = list[i].quantiles()
		}
	}
	return out
}

// collectEvery is how often the rings are emptied: their sizes are the bursts that
// fit between.
const collectEvery = 100 * time.Millisecond

// stageClock gathers what the loop recorded. Any goroutine; a mutex sees to it that
// the rings have one reader at a time.
type stageClock struct {
	stages *ring.Ring[engine.StageSample]
	stamps *ring.Ring[exec.Stamp]
	flight *flightRecorder                // nil without one
	tap    func(*exec.Stamp, *stageTimes) // tests see each order here; nil otherwise

	mu         sync.Mutex
	events     [eventCount]figure
	market     [stageCount]figure // orders that a market event caused
	other      [stageCount]figure // the rest; their time begins with the timer or report
	disordered uint64

	stop chan struct{}
	done sync.WaitGroup
}

func newStageClock() *stageClock {
	return &stageClock{stages: ring.New[engine.StageSample](stageRing), stamps: ring.New[exec.Stamp](stampRing)}
}

// start collects until halt.
func (c *stageClock) start() {
	c.stop = make(chan struct{})
	c.done.Go(func() {
		t := time.NewTicker(collectEvery)
		defer t.Stop()
		for {
			select {
			case <-c.stop:
				return
			case <-t.C:
				c.collect()
			}
		}
	})
}

// halt ends collecting; what is still in the rings is for the next collect.
func (c *stageClock) halt() {
	if c.stop != nil {
		close(c.stop)
		c.done.Wait()
		c.stop = nil
	}
}

// collect empties both rings into the histograms.
func (c *stageClock) collect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for list := c.stages.Pending(); len(list) > 0; list = c.stages.Pending() {
		for i := range list {
			c.events[eventDecode].record(int64(list[i].DecodeNs))
			c.events[eventQueue].record(int64(list[i].QueueNs))
			c.events[eventApply].record(int64(list[i].ApplyNs))
		}
		c.stages.Release(len(list))
	}
	if c.flight != nil {
		c.flight.learn(&c.market[stageTotal])
	}
	for list := c.stamps.Pending(); len(list) > 0; list = c.stamps.Pending() {
		for i := range list {
			if k := list[i].Kind; k == core.Place || k == core.Replace {
				c.order(&list[i])
			}
		}
		c.stamps.Release(len(list))
	}
}

func (c *stageClock) order(st *exec.Stamp) {
	t, ok := timesOf(st)
	if !ok {
		c.disordered++
		return
	}
	list, from := &c.other, stageDecide
	if byMarket(st) {
		list, from = &c.market, stageDecode
	}
	for i := from; i < stageCount; i++ {
		list[i].record(t[i])
	}
	if c.tap != nil {
		c.tap(st, &t)
	}
	if c.flight != nil && list == &c.market {
		c.flight.judge(st, &t)
	}
}

// figures brings everything recorded so far into a report.
func (c *stageClock) figures(r *report) {
	c.collect()
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Latency = figuresOf(c.market[:], stageName[:])
	r.LatencyOther = figuresOf(c.other[:], stageName[:])
	r.LatencyEvents = figuresOf(c.events[:], eventName[:])
	if c.disordered > 0 {
		r.Problems = append(r.Problems, fmt.Sprintf("BUG: %d orders have stage times out of order", c.disordered))
	}
	if c.flight != nil {
		r.Traces = c.flight.dumps()
	}
}

// short prints nanoseconds in the unit a person reads at a glance.
func short(ns int64) string {
	switch {
	case ns < 10_000:
		return fmt.Sprintf("%dns", ns)
	case ns < 10_000_000:
		return fmt.Sprintf("%.1fµs", float64(ns)/1e3)
	case ns < 10_000_000_000:
		return fmt.Sprintf("%.1fms", float64(ns)/1e6)
	}
	return fmt.Sprintf("%.1fs", float64(ns)/1e9)
}

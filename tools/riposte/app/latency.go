package app

import (
	"fmt"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// The stages of a frame's way to an order, in order. Each is the time from the end
// of the one before; total is from the bytes having been read to the order having
// been written.
const (
	stageDecode = iota
	stageQueue
	stageApply
	stageDecide
	stageGate
	stageEncode
	stageWrite
	stageTotal
	stages
)

var stageName = [stages]string{"decode", "queue", "apply", "decide", "gate", "encode", "write", "total"}

// histogramMax is the largest time told apart; what is longer counts as this.
const histogramMax = int64(10 * time.Second)

// latencies are the histograms of all stages, 1 ns to 10 s at three digits. They
// are recorded on the cold side, from records that the loop left in rings. One
// goroutine.
type latencies struct {
	h    [stages]*hdrhistogram.Histogram
	over uint64
}

func newLatencies() *latencies {
	l := new(latencies)
	for i := range l.h {
		l.h[i] = hdrhistogram.New(1, histogramMax, 3)
	}
	return l
}

func (l *latencies) record(stage int, ns int64) {
	if ns < 1 {
		ns = 1
	}
	if ns > histogramMax {
		ns = histogramMax
		l.over++
	}
	if err := l.h[stage].RecordValue(ns); err != nil {
		l.over++
	}
}

// quantiles are one stage's figures in nanoseconds.
type quantiles struct {
	Count int64 `json:"count"`
	P50   int64 `json:"p50_ns"`
	P99   int64 `json:"p99_ns"`
	P999  int64 `json:"p999_ns"`
	Max   int64 `json:"max_ns"`
}

func (l *latencies) figures() map[string]quantiles {
	out := make(map[string]quantiles, stages)
	for i, h := range l.h {
		if h.TotalCount() == 0 {
			continue
		}
		out[stageName[i]] = quantiles{h.TotalCount(), h.ValueAtQuantile(50), h.ValueAtQuantile(99), h.ValueAtQuantile(99.9), h.Max()}
	}
	return out
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

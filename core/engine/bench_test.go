package engine_test

import (
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/risk"
)

// path is one symbol with its book Live, ready to be sent touches, and a venue that
// answers by hand without allocating.
type path struct {
	w    *enginetest.World
	id   uint64
	out  int
	mid  core.Price
	step core.Price
}

func newPath(tb testing.TB, strategy string, values map[string]any) *path {
	return newPathWith(tb, strategy, values, nil)
}

// newPathWith is newPath with an input log.
func newPathWith(tb testing.TB, strategy string, values map[string]any, inputs *engine.Log) *path {
	w, err := enginetest.New(enginetest.Setup{Inputs: inputs, Strategy: named(tb, strategy, values), Stages: true,
		Limits:  risk.Limits{QtyMax: core.Scale, NotionalMax: 1 << 50, PositionMax: 1 << 60, OpenMax: 100, CollarBps: 100, StaleAfter: 1000 * time.Hour},
		Account: risk.AccountLimits{OpenMax: 100, RateMax: 100, RateSpan: 1, RejectMax: 1000}})
	if err != nil {
		tb.Fatal(err)
	}
	w.Quote(0, "99.99", "1", "100.01", "1")
	w.Run()
	w.Out()
	return &path{w: w, id: 1000, mid: 100 * core.Scale, step: tick}
}

// touch sends one touch whose best bid has moved and runs the shard over it.
func (p *path) touch() {
	p.step = -p.step
	p.mid += p.step
	p.id++
	w := p.w
	w.Clock.Now += 1e9
	ev, _ := w.Queues[0].Claim()
	*ev = core.Event{Kind: core.Touch, Recv: w.Clock.Now, ID: p.id, W: [4]int64{int64(p.mid - tick), core.Scale, int64(p.mid + tick), core.Scale}}
	w.Queues[0].Publish(0)
	w.Shard.Step()
}

// answer takes what came out and says of each order or cancel that the order ended.
func (p *path) answer() {
	w := p.w
	for a := w.Approved.Pending(); len(a) > 0; a = w.Approved.Pending() {
		for i := range a {
			in := a[i].Intent()
			if in.Kind == core.Place {
				p.out++
				p.report(&in, core.ReportAck, core.New)
			} else {
				p.report(&in, core.ReportDone, core.Canceled)
			}
		}
		w.Approved.Release(len(a))
	}
	if s := w.Stages.Pending(); len(s) > 0 {
		w.Stages.Release(len(s))
	}
	w.Shard.Step()
}

func (p *path) report(in *core.Intent, k core.ReportKind, st core.OrderStatus) {
	*p.w.Reports.Claim() = core.Report{Kind: k, Status: st, ID: in.ID, Side: in.Side, FeeAsset: core.NoAsset}
	p.w.Reports.Publish()
}

// From the event in its ring to the intent in the ring out, with the answers and the
// published figures on top, nothing is allocated.
func TestEventToIntentDoesNotAllocate(t *testing.T) {
	for name, values := range map[string]map[string]any{"reflex": {"keep": int64(2)}, "quoter": {"life_min": "0s", "slack_ticks": int64(0), "slack_bps": 0.0},
		"quoter by the model": {"life_min": "0s", "slack_ticks": int64(0), "slack_bps": 0.0, "model": "glft", "flow_max": 0.9, "sweep_bps": 50.0, "markout_bps": 5.0, "queue_bps": 0.01}} {
		p := newPath(t, strings.Fields(name)[0], values)
		n := testing.AllocsPerRun(500, func() {
			p.touch()
			p.answer()
			p.answer()
		})
		if n != 0 {
			t.Errorf("%s: %v allocations per event, want 0", name, n)
		}
		if p.out < 200 {
			t.Errorf("%s: only %d orders came out of 500 touches", name, p.out)
		}
	}
}

func TestDepthEventDoesNotAllocate(t *testing.T) {
	p := newPath(t, "quoter", nil)
	w := p.w
	bids, asks := enginetest.Levels("99.98", "1", "99.97", "0"), enginetest.Levels("100.02", "3")
	n := testing.AllocsPerRun(500, func() {
		p.id++
		ev, lv := w.Queues[0].Claim()
		*ev = core.Event{Kind: core.DepthDelta, ID: p.id, W: [4]int64{int64(p.id)}, Bids: 2, Asks: 1, Recv: w.Clock.Now}
		lv = append(append(lv, bids...), asks...)
		w.Queues[0].Publish(len(lv))
		w.Clock.Now += 1e6
		w.Shard.Step()
		p.answer()
	})
	if n != 0 {
		t.Errorf("%v allocations per depth event, want 0", n)
	}
}

// BenchmarkShardTouchToIntent is the way of one best-price event through the shard:
// ring, book, signals, strategy, gate, ring out. Each event leads to an order; what
// the venue answers is left out of the figure of "order" and is "with answers".
func BenchmarkShardTouchToIntent(b *testing.B) {
	b.Run("order", func(b *testing.B) {
		p := newPath(b, "reflex", map[string]any{"keep": int64(2)})
		b.ReportAllocs()
		b.ResetTimer()
		for n := 0; n < b.N; {
			batch := min(32, b.N-n)
			for range batch {
				p.touch()
			}
			n += batch
			b.StopTimer()
			p.answer()
			for p.w.Gate.Live() > 2 {
				p.answer()
			}
			b.StartTimer()
		}
		b.StopTimer()
		if p.out != b.N {
			b.Fatalf("%d orders out of %d touches", p.out, b.N)
		}
	})
	b.Run("with answers", func(b *testing.B) {
		p := newPath(b, "reflex", map[string]any{"keep": int64(2)})
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			p.touch()
			p.answer()
			n++
		}
		if p.out != n {
			b.Fatalf("%d orders out of %d touches", p.out, n)
		}
	})
	b.Run("no order", func(b *testing.B) {
		p := newPath(b, "reflex", nil)
		w := p.w
		b.ReportAllocs()
		for b.Loop() {
			p.id++
			ev, _ := w.Queues[0].Claim()
			*ev = core.Event{Kind: core.Touch, Recv: w.Clock.Now, ID: p.id, W: [4]int64{int64(p.mid - tick), int64(p.id), int64(p.mid + tick), core.Scale}}
			w.Queues[0].Publish(0)
			w.Shard.Step()
			if s := w.Stages.Pending(); len(s) > 32 {
				w.Stages.Release(len(s))
			}
		}
	})
}

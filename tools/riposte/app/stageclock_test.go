package app

import (
	"strings"
	"sync/atomic"
	"testing"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
	"riposte/exec"
)

// stampOf is an order read at recv that then took these times, stage by stage.
func stampOf(id core.OrderID, recv core.MonoNs, stages ...core.MonoNs) exec.Stamp {
	var at [stageTotal + 1]core.MonoNs
	at[0] = recv
	for i := range stageTotal {
		at[i+1] = at[i] + stages[i]
	}
	return exec.Stamp{Stamps: risk.Stamps{Recv: at[0], Decoded: at[1], Applied: at[2], Decided: at[3], Approved: at[4]},
		Encoded: at[5], Written: at[6], ID: id, Kind: core.Place}
}

func (c *stageClock) put(st exec.Stamp) {
	*c.stamps.Claim() = st
	c.stamps.Publish()
}

func TestStagesOfAnOrderAddUpToItsTotal(t *testing.T) {
	c := newStageClock()
	c.put(stampOf(1, 1000, 80, 300, 40, 50, 330, 4300))
	c.put(stampOf(2, 2000, 90, 200, 0, 60, 40, 5000))
	timer := stampOf(3, 3000, 0, 0, 700, 50, 300, 4000)
	c.put(timer)
	cancel := stampOf(4, 4000, 1, 1, 1, 1, 1, 1)
	cancel.Kind = core.Cancel
	c.put(cancel)
	*c.stages.Claim() = engine.StageSample{Kind: core.Touch, DecodeNs: 80, QueueNs: 100, ApplyNs: 200}
	c.stages.Publish()
	var r report
	c.figures(&r)
	var sum int64
	for _, name := range stageName[:stageTotal] {
		q := r.Latency[name]
		if q.Count != 2 {
			t.Errorf("%s: %d orders, want the 2 that the market caused", name, q.Count)
		}
		sum += q.Sum
	}
	if total := r.Latency["total"]; sum != total.Sum || total.Sum != 5100+5390 || total.Max != 5390 || total.P9999 != 5390 {
		t.Errorf("stages sum up to %d, total %+v; want 10490 and 5390 at most", sum, total)
	}
	if q, ok := r.LatencyOther["total"]; !ok || q.Sum != 5050 {
		t.Errorf("order of a timer: %+v, want 5050 ns", q)
	}
	if _, ok := r.LatencyOther["decode"]; ok {
		t.Error("an order of a timer has a time to decode, want none")
	}
	if q := r.LatencyEvents["queue"]; q.Count != 1 || q.Sum != 100 {
		t.Errorf("events: %+v, want one that waited 100 ns", q)
	}
}

func TestStagesOutOfOrderAreSaidAndNotCounted(t *testing.T) {
	c := newStageClock()
	c.put(stampOf(1, 1000, 80, 300, -1, 50, 330, 4300))
	var r report
	c.figures(&r)
	if len(r.Latency) != 0 || len(r.Problems) != 1 || !strings.Contains(r.Problems[0], "out of order") {
		t.Errorf("got %v and problems %q, want no figures and one problem", r.Latency, r.Problems)
	}
}

// Longer than the histogram tells apart is still exact in sum and maximum.
func TestStageSumsStayExactBeyondTheHistogram(t *testing.T) {
	c := newStageClock()
	c.put(stampOf(1, 1000, 1, 2, 3, 4, 5, 25e9))
	var r report
	c.figures(&r)
	if q := r.Latency["write"]; q.Sum != 25e9 || q.Max != 25e9 || q.Count != 1 {
		t.Errorf("got %+v, want 25 s in sum and maximum", q)
	}
}

// On real stamps of a run: for every order the stages add up to the total, and so do
// the sums of the report.
func TestStagesAddUpOnARun(t *testing.T) {
	cfg := simConfig(t, `name = "quoter"`, `name = "reflex"`, "slack_ticks = 2\nlife_min = \"250ms\"\n", "")
	d, err := openDesk(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	var seen, wrong atomic.Int64
	d.stages.tap = func(st *exec.Stamp, times *stageTimes) {
		seen.Add(1)
		var sum int64
		for _, ns := range times[:stageTotal] {
			sum += ns
		}
		if sum != times[stageTotal] || sum != int64(st.Written-st.Recv) {
			wrong.Add(1)
		}
	}
	d.witness = &witness{d: d}
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	wait(t, "orders that the market caused", d, func(r *report) bool { return r.Latency["total"].Count >= 20 && settled(r) })
	r := finish(t, d)
	if seen.Load() == 0 || wrong.Load() != 0 {
		t.Errorf("%d of %d orders have stages that do not add up", wrong.Load(), seen.Load())
	}
	for name, m := range map[string]map[string]quantiles{"market": r.Latency, "other": r.LatencyOther} {
		var sum int64
		for _, stage := range stageName[:stageTotal] {
			sum += m[stage].Sum
		}
		if sum != m["total"].Sum {
			t.Errorf("%s: stages sum up to %d ns, total to %d", name, sum, m["total"].Sum)
		}
	}
	if all := r.Latency["total"].Count + r.LatencyOther["total"].Count; all != seen.Load() || uint64(all) != r.Orders-r.SamplesLost {
		t.Errorf("%d orders in the figures, %d seen, %d sent, %d samples lost", all, seen.Load(), r.Orders, r.SamplesLost)
	}
}

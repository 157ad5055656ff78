package exec_test

import (
	"testing"
	"time"

	"riposte/core"
)

// leanReplaceRig is a gateway whose venue costs nothing, with one order at work.
func leanReplaceRig(t testing.TB) (*rig, *leanConn, core.OrderID) {
	r, venue := leanRig(t)
	for i := range r.table.List {
		r.table.List[i].Features = ^core.Features(0)
	}
	r.openGate()
	id := r.buy(100_00000000)
	r.g.Step()
	r.g.Step()
	r.swallow()
	return r, venue, id
}

// turn replaces the order at work, takes the answer with its fill, and all reports.
func (r *rig) turn(old core.OrderID) core.OrderID {
	id := r.replace(old)
	r.g.Step()
	r.g.Step()
	r.swallow()
	if s := r.stamp.Pending(); len(s) > 0 {
		r.stamp.Release(len(s))
	}
	r.clock.ns.Add(100_000)
	return id
}

func TestReplacesThroughTheGatewayDoNotAllocate(t *testing.T) {
	r, _, id := leanReplaceRig(t)
	for range 500 { // parsers, tables and fills reach their size
		id = r.turn(id)
	}
	before := r.g.Stats
	if n := testing.AllocsPerRun(1000, func() { id = r.turn(id) }); n != 0 {
		t.Errorf("a replace, its answer, a fill and the reports allocate %v times, want 0", n)
	}
	if now := r.g.Stats; now.Replaces-before.Replaces != 1001 || now.AnswersUnknown != 0 || r.g.Table().Live() != 1 || r.g.Ledger().Position(0) != 1502_00000000 {
		t.Errorf("stats %+v, %d live, position %v", now, r.g.Table().Live(), r.g.Ledger().Position(0))
	}
}

// BenchmarkReplaceToWire times the Step that finds an approved replace in its ring and
// ends with the write call returned (an in-memory wire, so without the kernel); ns/op
// adds the rest of the round: the answer, a fill, the reports. See
// BenchmarkApprovedToWire.
func BenchmarkReplaceToWire(b *testing.B) {
	r, venue, id := leanReplaceRig(b)
	for range 200 {
		id = r.turn(id)
	}
	spent := time.Duration(0)
	b.ReportAllocs()
	for b.Loop() {
		id = r.replace(id)
		venue.hold = true // the answer is the next Step's work
		from := time.Now()
		r.g.Step()
		spent += time.Since(from)
		venue.hold = false
		r.g.Step()
		r.swallow()
		r.stamp.Release(len(r.stamp.Pending()))
		r.clock.ns.Add(100_000)
	}
	b.ReportMetric(float64(spent.Nanoseconds())/float64(b.N), "ns/send")
	if r.g.Stats.AnswersUnknown != 0 || r.g.Table().Live() != 1 {
		b.Fatalf("%+v", r.g.Stats)
	}
}

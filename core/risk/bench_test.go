package risk

import (
	"testing"
	"time"

	"riposte/core"
)

// life takes one order through everything that can happen to it.
func (s *stage) life(in core.Intent) {
	s.now += core.MonoNs(time.Second)
	a, r := approve(s.gate, in, s.sync, s.now)
	if r != None {
		panic(r.String())
	}
	id := a.ID()
	s.report(id, core.ReportDoubt, core.Unknown)
	s.report(id, core.ReportResolved, core.New)
	s.report(id, core.ReportAck, core.New)
	s.fill(id, in.Side, in.Qty/2, core.PartiallyFilled)
	approve(s.gate, core.Intent{Kind: core.Cancel, ID: id}, s.sync, s.now)
	s.report(id, core.ReportCancelRejected, core.New)
	approve(s.gate, core.Intent{Kind: core.CancelAll}, s.sync, s.now)
	s.report(id, core.ReportDone, core.NotSent)
	s.report(id, core.ReportResolved, core.New)
	s.report(id, core.ReportDone, core.Canceled)
}

func forBench(tb testing.TB) *stage {
	s := newStage()
	s.account.RateMax, s.account.RateSpan = 1000, 1
	s.everyControl()
	s.limits.StaleAfter = 1 << 62
	s.limits.PositionMax = 1 << 62
	f := &s.table.List[symA].Filters
	f.PriceMin, f.PriceMax, f.QtyMax = px("0.01"), px("1000000"), qt("9000")
	f.NotionalMin, f.NotionalMax, f.OrdersMax = am("5"), am("9000000"), 200
	f.BidMulUp, f.BidMulDown, f.AskMulUp, f.AskMulDown = 5*core.Scale, core.Scale/5, 5*core.Scale, core.Scale/5
	return s.open(tb)
}

func TestApproveAndReportDoNotAllocate(t *testing.T) {
	s := forBench(t)
	for name, in := range map[string]core.Intent{"limit": limit(core.Buy, "100", "1"), "market": market(core.Sell, "1")} {
		if n := testing.AllocsPerRun(200, func() { s.life(in) }); n != 0 {
			t.Errorf("%s: %v allocations for the life of an order, want 0", name, n)
		}
	}
	refused := limit(core.Buy, "100", "2000")
	if n := testing.AllocsPerRun(200, func() { s.ask(refused) }); n != 0 {
		t.Errorf("%v allocations for a refusal, want 0", n)
	}
}

// BenchmarkGate is all controls with every filter set. The order is taken back each
// time (Unplaced) so that the next one meets the same gate; that is in the figure.
func BenchmarkGate(b *testing.B) {
	run := func(name string, in core.Intent, want Refusal) {
		b.Run(name, func(b *testing.B) {
			s := forBench(b)
			var a Approved
			b.ReportAllocs()
			for b.Loop() {
				s.now += core.MonoNs(time.Second) // no duplicate of the one before
				r := s.gate.Approve(&in, s.sync, &Stamps{}, 1, s.now, &a)
				if r != want {
					b.Fatalf("got %v, want %v", r, want)
				}
				if r == None {
					s.gate.Unplaced(a.ID())
				}
			}
		})
	}
	run("limit", limit(core.Buy, "100", "1"), None)
	run("market", market(core.Buy, "6"), None)
	run("refused", limit(core.Buy, "100", "2000"), RefusedQtyMax)
}

// BenchmarkReport is an order's ordinary life after its approval: ack, two fills.
func BenchmarkReport(b *testing.B) {
	s := forBench(b)
	in := limit(core.Buy, "100", "1")
	out := limit(core.Sell, "100.02", "1")
	b.ReportAllocs()
	for b.Loop() {
		for _, in := range []core.Intent{in, out} {
			s.now += core.MonoNs(time.Second)
			id, r := s.ask(in)
			if r != None {
				b.Fatal(r)
			}
			s.report(id, core.ReportAck, core.New)
			s.fill(id, in.Side, in.Qty/2, core.PartiallyFilled)
			s.fill(id, in.Side, in.Qty/2, core.Filled)
		}
	}
	if e := s.gate.Exposure(symA); e != (Exposure{}) || s.gate.Gross() != 0 {
		b.Fatalf("exposure %+v at the end, want none", e)
	}
}

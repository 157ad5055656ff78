package signal

import (
	"math"
	"testing"

	"riposte/core"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*max(1, math.Abs(want)) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestMicropriceLeansToTheThinSide(t *testing.T) {
	var s Set
	if s.Ready() {
		t.Fatal("ready before any top")
	}
	s.OnTop(&core.Top{Bid: 100, BidQty: 3, Ask: 104, AskQty: 1}, 1)
	near(t, "microprice", s.Microprice(), 103)
	near(t, "imbalance", s.Imbalance(), 0.5)
	s.OnTop(&core.Top{Bid: 0, Ask: 104, AskQty: 1}, 2)
	near(t, "microprice after a one-sided top", s.Microprice(), 103)
}

func TestFlowHalvesInItsHalfLife(t *testing.T) {
	var s Set
	s.OnTrade(8*core.Scale, core.Buy, 0)
	near(t, "flow at once", s.Flow(0), 8)
	near(t, "flow after two seconds", s.Flow(2e9), 4)
	s.OnTrade(6*core.Scale, core.Sell, 4e9)
	near(t, "flow after a sale", s.Flow(4e9), 2-6)
}

func TestVolatilityOfAConstantStepIsThatStep(t *testing.T) {
	var s Set
	mid, up := 1e12, true
	for i := range 2000 {
		p := mid
		if up {
			p *= 1 + 1e-4
		}
		up = !up
		s.OnTop(&core.Top{Bid: core.Price(p), BidQty: 1, Ask: core.Price(p), AskQty: 1}, core.MonoNs(i+1)*1e9)
	}
	if v := s.VolatilityBps(); v < 0.98 || v > 1.02 {
		t.Errorf("one basis point a second: got %.4f bps", v)
	}
}

func TestSignalsDoNotAllocate(t *testing.T) {
	var s Set
	top := core.Top{Bid: 100, BidQty: 3, Ask: 104, AskQty: 1}
	now := core.MonoNs(0)
	if n := testing.AllocsPerRun(1000, func() {
		now += 1e6
		top.Bid ^= 1
		s.OnTop(&top, now)
		s.OnTrade(5, core.Sell, now)
	}); n != 0 {
		t.Errorf("got %v allocations an event, want 0", n)
	}
}

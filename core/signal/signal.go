package signal

import (
	"math"

	"riposte/core"
)

// Half-lives of the exponential averages, in seconds: long enough to smooth a
// burst of one order's trades, short enough to follow a move.
const (
	flowHalfLife = 2.0
	volHalfLife  = 30.0
)

// Set is the signals of one instrument. One goroutine, the shard's. The zero value
// is ready to be fed.
type Set struct {
	top     core.Top
	flow    float64
	flowAt  core.MonoNs
	varRate float64 // variance of log mid per second
	lastMid float64
	lastAt  core.MonoNs
	touches uint64
	trades  uint64
}

// Reset forgets everything, for a book that starts anew.
func (s *Set) Reset() { *s = Set{} }

// OnTop takes a new best bid and ask. A top with an empty side changes nothing.
func (s *Set) OnTop(t *core.Top, now core.MonoNs) {
	if t.Bid == 0 || t.Ask == 0 {
		return
	}
	s.top = *t
	mid := (float64(t.Bid) + float64(t.Ask)) / 2
	s.onMid(mid, now)
	s.touches++
}

// onMid keeps the variance per second of the log mid by an exponential average
// weighted by time, so that the rate of events does not matter.
func (s *Set) onMid(mid float64, now core.MonoNs) {
	if s.lastMid == 0 {
		s.lastMid, s.lastAt = mid, now
		return
	}
	if mid == s.lastMid {
		return
	}
	dt := float64(now-s.lastAt) / 1e9
	if dt <= 0 {
		dt = 1e-9
	}
	r := log1p((mid - s.lastMid) / s.lastMid)
	w := faded(dt / volHalfLife)
	s.varRate += w * (r*r/dt - s.varRate)
	s.lastMid, s.lastAt = mid, now
}

// OnTrade takes one trade between others.
func (s *Set) OnTrade(q core.Qty, aggressor core.Side, now core.MonoNs) {
	s.decay(now)
	s.flow += float64(aggressor.Sign()) * float64(q) / core.Scale
	s.trades++
}

func (s *Set) decay(now core.MonoNs) {
	if dt := float64(now-s.flowAt) / 1e9; dt > 0 {
		s.flow -= s.flow * faded(dt/flowHalfLife)
		s.flowAt = now
	}
}

// log1p is math.Log1p. Nearly all mids move by less than a hundredth of a percent,
// where four terms are exact to the last bit or two and ten times as fast.
func log1p(x float64) float64 {
	if x > 1e-4 || x < -1e-4 {
		return math.Log1p(x)
	}
	return x * (1 - x*(1./2-x*(1./3-x*(1./4))))
}

// faded is how much of a quantity is gone after some half-lives, 1 - 2^-t. Events
// follow each other closely, so here too a short series nearly always does.
func faded(t float64) float64 {
	z := t * math.Ln2
	if z > 1e-2 {
		return -math.Expm1(-z)
	}
	return z * (1 - z*(1./2-z*(1./6-z*(1./24-z*(1./120-z*(1./720))))))
}

// Ready reports whether a two-sided top has been seen; before that every signal
// is meaningless, not zero.
func (s *Set) Ready() bool { return s.touches > 0 }

// Microprice is the touch weighted by the opposite quantity, in units of 1e-8: the
// price to which the next trade is pulled.
func (s *Set) Microprice() float64 { return microprice(&s.top) }

func microprice(t *core.Top) float64 {
	bid, ask := float64(t.Bid), float64(t.Ask)
	bq, aq := float64(t.BidQty), float64(t.AskQty)
	if bq+aq <= 0 {
		return (bid + ask) / 2
	}
	return (bid*aq + ask*bq) / (bq + aq)
}

// Imbalance is (bid - ask) / (bid + ask) of the touch quantities, -1 to +1.
func (s *Set) Imbalance() float64 { return imbalance(&s.top) }

func imbalance(t *core.Top) float64 {
	bq, aq := float64(t.BidQty), float64(t.AskQty)
	if bq+aq <= 0 {
		return 0
	}
	return (bq - aq) / (bq + aq)
}

// Flow is the signed traded quantity (buyers positive) with a half-life of two
// seconds, in whole units of base, as of now.
func (s *Set) Flow(now core.MonoNs) float64 {
	s.decay(now)
	return s.flow
}

// VolatilityBps is the standard deviation of the mid's return over one second, in
// 1/10000.
func (s *Set) VolatilityBps() float64 { return math.Sqrt(s.varRate) * 1e4 }

// Top is the last two-sided best bid and ask.
func (s *Set) Top() core.Top { return s.top }

// Touches and Trades count what has been taken in.
func (s *Set) Touches() uint64 { return s.touches }

// Trades counts the trades taken in.
func (s *Set) Trades() uint64 { return s.trades }

package signal

import (
	"math"

	"riposte/core"
)

// touchNow are the numbers that the newest two-sided touch alone gives. Ready with it.
type touchNow struct {
	top core.Top
	f   func(*core.Top) float64
}

// OnTop takes a two-sided best bid and ask.
func (n *touchNow) OnTop(t *core.Top, _ core.MonoNs) { n.top = *t }

// Value is the number.
func (n *touchNow) Value(int, core.MonoNs) (float64, bool) {
	if n.top.Bid == 0 {
		return 0, false
	}
	return n.f(&n.top), true
}

// Reset forgets the touch.
func (n *touchNow) Reset() { n.top = core.Top{} }

func mid(t *core.Top) float64 { return (whole(t.Bid) + whole(t.Ask)) / 2 }

// spreadBps is ask less bid in 1/10000 of their middle.
func spreadBps(t *core.Top) float64 { return 1e4 * whole(t.Ask-t.Bid) / mid(t) }

// heldTouch is the mean over time of a number of the touch, and the deviation from
// it, over a window that fades. Ready after one half-life.
type heldTouch struct {
	h held
	f func(*core.Top) float64
}

// OnTop takes a two-sided best bid and ask.
func (s *heldTouch) OnTop(t *core.Top, now core.MonoNs) { s.h.set(s.f(t), now) }

// Value is the mean (0) or the standard deviation (1).
func (s *heldTouch) Value(i int, now core.MonoNs) (float64, bool) {
	mean, dev, ok := s.h.value(now)
	if i == 0 {
		return mean, ok
	}
	return dev, ok
}

// Reset forgets all.
func (s *heldTouch) Reset() { s.h.reset() }

// Volatility is the deviation of the mid's log return over a second: the root of the
// squared returns of all its moves, fading, over the time in which they happened.
// Ready after one half-life.
type Volatility struct {
	squares sum
	last    float64
}

// NewVolatility takes the half-life in seconds.
func NewVolatility(half float64) *Volatility {
	return &Volatility{squares: sum{fade: fade{half: half}}}
}

// OnTop takes a two-sided best bid and ask.
func (v *Volatility) OnTop(t *core.Top, now core.MonoNs) {
	m := mid(t)
	r := 0.0
	if v.last > 0 {
		r = log1p((m - v.last) / v.last)
	}
	v.last = m
	if r != 0 || !v.squares.begun {
		v.squares.add(r*r, now)
	}
}

// Value is in 1/10000 per root of a second.
func (v *Volatility) Value(_ int, now core.MonoNs) (float64, bool) {
	s, ok := v.squares.value(now)
	if !ok {
		return 0, false
	}
	f := &v.squares.fade
	weight := f.weight + f.ageing(now)*(1-f.weight)
	return 1e4 * math.Sqrt(max(s, 0)*math.Ln2/(weight*f.half)), true
}

// Reset forgets all.
func (v *Volatility) Reset() {
	v.squares.reset()
	v.last = 0
}

// DepthImbalance is (bids - asks) / (bids + asks) over the n best levels of each side,
// a level k places from the best weighing 1 - k/n. Ready with the first book that has
// both sides. It costs n, not the book.
type DepthImbalance struct {
	n     int
	bids  float64
	asks  float64
	ready bool
}

// NewDepthImbalance takes the number of levels.
func NewDepthImbalance(n int) *DepthImbalance { return &DepthImbalance{n: n} }

// Levels is how many levels of each side it looks at.
func (d *DepthImbalance) Levels() int { return d.n }

// OnDepth takes the best levels of both sides, best first.
func (d *DepthImbalance) OnDepth(bids, asks []core.Level, _ core.MonoNs) {
	d.bids, d.asks = d.weigh(bids), d.weigh(asks)
	d.ready = d.bids > 0 && d.asks > 0
}

func (d *DepthImbalance) weigh(lv []core.Level) (w float64) {
	lv = lv[:min(len(lv), d.n)]
	for k := range lv {
		w += float64(lv[k].Qty) * float64(d.n-k)
	}
	return w
}

// Value is -1 (all asks) to +1 (all bids).
func (d *DepthImbalance) Value(int, core.MonoNs) (float64, bool) {
	return (d.bids - d.asks) / (d.bids + d.asks), d.ready
}

// Reset forgets the book.
func (d *DepthImbalance) Reset() { d.ready = false }

package strategy

import (
	"math"

	"riposte/core"
	"riposte/core/engine"
)

// Meter is what a strategy measures of the trades between others, by exponential averages
// over time: how much is traded per second by each side's takers, how often, and how far
// from the mid. Fed by See; the zero value has seen nothing. One goroutine, the shard's.
type Meter struct {
	volume [2]float64 // base units per second, by the taker's side
	rate   float64    // trades per second
	reach  float64    // mean distance of a trade from the mid of before, in 1/10000
	at     core.MonoNs
	since  core.MonoNs // of the first trade
	trades uint64
	total  core.Qty // traded since the start
}

// tapeHalfLife is of all averages, in seconds: some dozens of trades on a busy symbol,
// and soon enough to notice that it has become quiet.
const tapeHalfLife = 20.0

// tapeFew is how many trades there have to be before the averages are worth anything.
const tapeFew = 20

// See takes an event; all but trades are left alone. Late trades are none of now.
func (t *Meter) See(v *engine.View, ev *core.Event) {
	if ev.Kind != core.Trade && ev.Kind != core.AggTrade || ev.Late() {
		return
	}
	now := v.Now()
	if t.trades == 0 {
		t.since, t.at = now, now
	}
	t.fade(now)
	const per = math.Ln2 / tapeHalfLife
	t.volume[ev.Aggressor()] += per * float64(ev.TradeQty()) / core.Scale
	t.rate += per
	top := v.Signals().Top()
	if mid := float64(top.Mid()); mid > 0 {
		far := math.Abs(float64(ev.TradePrice())-mid) / mid * 1e4
		w := max(0.02, 1/float64(t.trades+1))
		t.reach += w * (far - t.reach)
	}
	t.trades++
	t.total += ev.TradeQty()
}

// fade lets the averages decay to now.
func (t *Meter) fade(now core.MonoNs) {
	dt := float64(now-t.at) / 1e9
	if dt <= 0 {
		return
	}
	keep := math.Exp2(-dt / tapeHalfLife)
	t.volume[0] *= keep
	t.volume[1] *= keep
	t.rate *= keep
	t.at = now
}

// ready reports whether enough has been seen.
func (t *Meter) ready() bool { return t.trades >= tapeFew }

// perSecond is how much that side's takers trade a second, in base units. While the tape is
// young the averages have not filled; they are scaled up.
func (t *Meter) perSecond(taker core.Side, now core.MonoNs) float64 {
	t.fade(now)
	return t.volume[taker] / t.filled(now)
}

// filled is which share of a long-run average there can be by now.
func (t *Meter) filled(now core.MonoNs) float64 {
	age := float64(now-t.since) / 1e9
	return max(1-math.Exp2(-age/tapeHalfLife), 0.05)
}

// arrivals is how many trades there are a second.
func (t *Meter) arrivals(now core.MonoNs) float64 {
	t.fade(now)
	return t.rate / t.filled(now)
}

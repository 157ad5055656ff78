package signal

import "riposte/core"

// Bar is what indicators read of a closed bar of any series. Volumes are in whole
// units, as floats: they may need more than 64 bits as integers, and nothing of a
// signal goes back into money.
type Bar struct {
	Start, End             core.WallNs // End is the next bar's Start where bars are of time
	Open, High, Low, Close core.Price
	Volume, Quote          float64 // base and quote asset
	TakerBuy               float64 // of Volume, what buyers took
	Trades                 int64
}

// whole is a price in whole units.
func whole(p core.Price) float64 { return float64(p) / core.Scale }

// add takes a trade into a bar under way; the first opens it.
func (b *Bar) add(p core.Price, q core.Qty, aggressor core.Side, at core.WallNs) {
	if b.Trades == 0 {
		*b = Bar{Start: at, Open: p, High: p, Low: p}
	}
	v := float64(q) / core.Scale
	b.High, b.Low, b.Close, b.End = max(b.High, p), min(b.Low, p), p, at
	b.Volume += v
	b.Quote += v * whole(p)
	if aggressor == core.Buy {
		b.TakerBuy += v
	}
	b.Trades++
}

// Counted makes bars of a number of trades or of a traded quantity. A trade belongs
// wholly to one bar: the one that reaches the quantity closes it, however far beyond
// it goes. Trades come in the order in which they were heard; one that is told late
// stays out, for its bar is closed. One goroutine; the zero value closes no bar.
type Counted struct {
	trades int64
	volume float64
	open   Bar
}

// NewCounted makes bars of n trades, or of a quantity where that is not 0.
func NewCounted(n int64, volume core.Qty) Counted {
	return Counted{trades: n, volume: float64(volume) / core.Scale}
}

// Trade takes one trade and reports whether it has closed a bar, which is then in
// *out.
func (c *Counted) Trade(p core.Price, q core.Qty, aggressor core.Side, at core.WallNs, out *Bar) bool {
	c.open.add(p, q, aggressor, at)
	switch {
	case c.volume > 0 && c.open.Volume < c.volume:
		return false
	case c.volume <= 0 && (c.trades <= 0 || c.open.Trades < c.trades):
		return false
	}
	*out = c.open
	c.open.Trades = 0
	return true
}

// Reset drops the bar under way.
func (c *Counted) Reset() { c.open.Trades = 0 }

package signal

import "riposte/core"

// DonchianBreak is +1 when a bar closes above the highest high of the n bars before
// it, -1 below their lowest low, 0 otherwise. Ready after n + 1 bars.
type DonchianBreak struct {
	d     Donchian
	found float64
	ready bool
}

// NewDonchianBreak takes the number of bars.
func NewDonchianBreak(n int) *DonchianBreak { return &DonchianBreak{d: *NewDonchian(n)} }

// OnBar takes a closed bar.
func (d *DonchianBreak) OnBar(b *Bar) {
	d.found = 0
	if d.ready = d.d.high.full(); d.ready {
		switch {
		case int64(b.Close) > d.d.high.value():
			d.found = 1
		case int64(b.Close) < -d.d.low.value():
			d.found = -1
		}
	}
	d.d.OnBar(b)
}

// Value is +1, -1 or 0.
func (d *DonchianBreak) Value(int, core.MonoNs) (float64, bool) { return d.found, d.ready }

// Reset forgets all.
func (d *DonchianBreak) Reset() {
	d.d.Reset()
	d.found, d.ready = 0, false
}

// ATRBreak is +1 when a bar closes more than k average true ranges above the close
// before it, -1 when as far below, 0 otherwise; the average is of the n bars before.
// Ready after n + 2 bars.
type ATRBreak struct {
	a     ATR
	k     float64
	found float64
	ready bool
}

// NewATRBreak takes the number of bars and of true ranges.
func NewATRBreak(n int, k float64) *ATRBreak { return &ATRBreak{a: *NewATR(n), k: k} }

// OnBar takes a closed bar.
func (a *ATRBreak) OnBar(b *Bar) {
	a.found = 0
	atr, ok := a.a.Value(0, 0)
	if a.ready = ok; ok {
		switch move := whole(b.Close) - a.a.last; {
		case move > a.k*atr:
			a.found = 1
		case -move > a.k*atr:
			a.found = -1
		}
	}
	a.a.OnBar(b)
}

// Value is +1, -1 or 0.
func (a *ATRBreak) Value(int, core.MonoNs) (float64, bool) { return a.found, a.ready }

// Reset forgets all.
func (a *ATRBreak) Reset() {
	a.a.Reset()
	a.found, a.ready = 0, false
}

// Compression is 1 when the newest bar has the narrowest range of the last n, 0
// otherwise (NR4, NR7); several equally narrow ones are all the narrowest. Ready
// after n bars.
type Compression struct {
	narrow highest // of the negated ranges
	last   core.Price
}

// NewCompression takes the number of bars.
func NewCompression(n int) *Compression { return &Compression{narrow: newHighest(n)} }

// OnBar takes a closed bar.
func (c *Compression) OnBar(b *Bar) {
	c.last = b.High - b.Low
	c.narrow.push(-int64(c.last))
}

// Value is 1 or 0.
func (c *Compression) Value(int, core.MonoNs) (float64, bool) {
	return float64(yes(int64(c.last) == -c.narrow.value())), c.narrow.full()
}

// Reset forgets all.
func (c *Compression) Reset() { c.narrow.reset() }

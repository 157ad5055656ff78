package signal

import "riposte/core"

// trueRange is how far the price went in a bar, from the close before it where that
// lies outside the bar.
type trueRange struct {
	last  core.Price
	begun bool
}

// next is the bar's true range in whole units; ok is false for the first bar, which
// has no close before it.
func (t *trueRange) next(b *Bar) (tr float64, ok bool) {
	hi, lo := b.High, b.Low
	if ok = t.begun; ok {
		hi, lo = max(hi, t.last), min(lo, t.last)
	}
	t.last, t.begun = b.Close, true
	return whole(hi - lo), ok
}

// ATR is Wilder's average of the true range over n bars. Ready after n true ranges,
// which is n + 1 bars.
type ATR struct {
	tr   trueRange
	s    smooth
	last float64
}

// NewATR averages over n bars.
func NewATR(n int) *ATR { return &ATR{s: newWilder(n)} }

// OnBar takes a closed bar.
func (a *ATR) OnBar(b *Bar) {
	if tr, ok := a.tr.next(b); ok {
		a.s.push(tr)
	}
	a.last = whole(b.Close)
}

// Value is the average in quote (0), or in percent of the close (1).
func (a *ATR) Value(i int, _ core.MonoNs) (float64, bool) {
	v, ok := a.s.value()
	if i == 0 {
		return v, ok
	}
	return 100 * v / a.last, ok && a.last > 0
}

// Reset forgets all.
func (a *ATR) Reset() {
	a.tr = trueRange{}
	a.s.reset()
}

// ADX is Wilder's directional movement: how much of the true range was a move up
// (+DI), how much a move down (-DI), and the average over n bars of how one-sided
// that was (ADX), in percent. As the common libraries do, the sums begin with n - 1
// bars. +DI and -DI are ready after n + 1 bars, ADX after 2n.
type ADX struct {
	n               float64
	taken           int // bars with a bar before them
	high, low       core.Price
	tr              trueRange
	up, down, moves float64
	dx              smooth
}

// NewADX averages over n bars.
func NewADX(n int) *ADX { return &ADX{n: float64(n), dx: newWilder(n)} }

// OnBar takes a closed bar.
func (a *ADX) OnBar(b *Bar) {
	up, down := whole(b.High-a.high), whole(a.low-b.Low)
	a.high, a.low = b.High, b.Low
	tr, ok := a.tr.next(b)
	if !ok {
		return
	}
	if a.taken++; float64(a.taken) >= a.n {
		a.up -= a.up / a.n
		a.down -= a.down / a.n
		a.moves -= a.moves / a.n
	}
	switch {
	case down > 0 && up < down:
		a.down += down
	case up > 0 && up > down:
		a.up += up
	}
	a.moves += tr
	if float64(a.taken) >= a.n {
		dx := 0.0
		moved := a.up + a.down
		if moved > 0 && a.moves > 0 {
			dx = 100 * max(a.up-a.down, a.down-a.up) / moved
		} else if _, ok := a.dx.value(); ok {
			return // nothing has moved: there is no direction to average
		}
		a.dx.push(dx)
	}
}

// Value is ADX (0), +DI (1) or -DI (2).
func (a *ADX) Value(i int, _ core.MonoNs) (float64, bool) {
	if i == 0 {
		return a.dx.value()
	}
	ok := float64(a.taken) >= a.n && a.moves > 0
	if i == 1 {
		return 100 * a.up / a.moves, ok
	}
	return 100 * a.down / a.moves, ok
}

// Reset forgets all.
func (a *ADX) Reset() { *a = ADX{n: a.n, dx: smooth{k: a.dx.k, n: a.dx.n}} }

// Donchian is the highest high and the lowest low of the last n bars, the newest
// among them. Ready after n.
type Donchian struct{ high, low highest }

// NewDonchian takes the number of bars.
func NewDonchian(n int) *Donchian { return &Donchian{newHighest(n), newHighest(n)} }

// OnBar takes a closed bar.
func (d *Donchian) OnBar(b *Bar) {
	d.high.push(int64(b.High))
	d.low.push(-int64(b.Low))
}

// Value is the upper edge (0), the middle (1) or the lower edge (2), in quote.
func (d *Donchian) Value(i int, _ core.MonoNs) (float64, bool) {
	if !d.high.full() {
		return 0, false
	}
	hi, lo := whole(core.Price(d.high.value())), whole(core.Price(-d.low.value()))
	switch i {
	case 0:
		return hi, true
	case 1:
		return (hi + lo) / 2, true
	}
	return lo, true
}

// Reset forgets all.
func (d *Donchian) Reset() {
	d.high.reset()
	d.low.reset()
}

package signal

import (
	"math"

	"riposte/core"
)

// RSI is Wilder's relative strength: the part of all moves that went up, in percent.
// Ready after n moves, which is n + 1 bars, if any of them moved the price.
type RSI struct {
	up, down smooth
	last     float64
	begun    bool
}

// NewRSI averages over n moves.
func NewRSI(n int) *RSI { return &RSI{up: newWilder(n), down: newWilder(n)} }

// OnBar takes a closed bar.
func (r *RSI) OnBar(b *Bar) {
	x := whole(b.Close)
	if d := x - r.last; r.begun {
		r.up.push(max(d, 0))
		r.down.push(max(-d, 0))
	}
	r.last, r.begun = x, true
}

// Value is 0 (all down) to 100 (all up).
func (r *RSI) Value(int, core.MonoNs) (float64, bool) {
	up, ok := r.up.value()
	all := up + r.down.x
	return 100 * up / all, ok && all > 0
}

// Reset forgets all.
func (r *RSI) Reset() {
	r.up.reset()
	r.down.reset()
	r.begun = false
}

// Stochastic is where the close lies in the range of the last n bars, in percent,
// averaged over smooth bars (%K), and that averaged over signal bars (%D). In a range
// without width the close lies in the middle. Ready after n + smooth - 1 bars, %D
// after signal - 1 more.
type Stochastic struct {
	high, low highest
	k, d      mean
}

// NewStochastic takes the three lengths.
func NewStochastic(n, smooth, signal int) *Stochastic {
	return &Stochastic{newHighest(n), newHighest(n), newMean(smooth), newMean(signal)}
}

// OnBar takes a closed bar.
func (s *Stochastic) OnBar(b *Bar) {
	s.high.push(int64(b.High))
	s.low.push(-int64(b.Low))
	if !s.high.full() {
		return
	}
	at, bottom := 50.0, -s.low.value()
	if width := s.high.value() - bottom; width > 0 {
		at = 100 * float64(int64(b.Close)-bottom) / float64(width)
	}
	s.k.push(at)
	if k, ok := s.k.value(); ok {
		s.d.push(k)
	}
}

// Value is %K (0) or %D (1).
func (s *Stochastic) Value(i int, _ core.MonoNs) (float64, bool) {
	if i == 0 {
		return s.k.value()
	}
	return s.d.value()
}

// Reset forgets all.
func (s *Stochastic) Reset() {
	s.high.reset()
	s.low.reset()
	s.k.reset()
	s.d.reset()
}

// OBV is the volume of bars that closed higher less that of those that closed lower,
// since the first bar, whose volume it begins with. Ready with the first bar; only
// its changes mean something.
type OBV struct {
	last  core.Price
	v     float64
	begun bool
}

// OnBar takes a closed bar.
func (o *OBV) OnBar(b *Bar) {
	switch {
	case !o.begun || b.Close > o.last:
		o.v += b.Volume
	case b.Close < o.last:
		o.v -= b.Volume
	}
	o.last, o.begun = b.Close, true
}

// Value is in base.
func (o *OBV) Value(int, core.MonoNs) (float64, bool) { return o.v, o.begun }

// Reset forgets all.
func (o *OBV) Reset() { *o = OBV{} }

// RealizedVol is the root of the mean squared log return from close to close over n
// returns, which is n + 1 bars.
type RealizedVol struct {
	m    mean
	last float64
}

// NewRealizedVol takes the number of returns.
func NewRealizedVol(n int) *RealizedVol { return &RealizedVol{m: newMean(n)} }

// OnBar takes a closed bar.
func (r *RealizedVol) OnBar(b *Bar) {
	x := whole(b.Close)
	if r.last > 0 {
		d := log1p((x - r.last) / r.last)
		r.m.push(d * d)
	}
	r.last = x
}

// Value is in 1/10000 per bar.
func (r *RealizedVol) Value(int, core.MonoNs) (float64, bool) {
	v, ok := r.m.value()
	return 1e4 * math.Sqrt(max(v, 0)), ok
}

// Reset forgets all.
func (r *RealizedVol) Reset() {
	r.m.reset()
	r.last = 0
}

// field is one number of a bar, as it was so many bars ago.
type field struct {
	w   window
	ago int
	of  func(*Bar) float64
}

func newField(ago int, of func(*Bar) float64) *field {
	return &field{w: newWindow(ago + 1), ago: ago, of: of}
}

// OnBar takes a closed bar.
func (f *field) OnBar(b *Bar) { f.w.push(f.of(b)) }

// Value is the number.
func (f *field) Value(int, core.MonoNs) (float64, bool) { return f.w.ago(f.ago), f.w.full }

// Reset forgets all.
func (f *field) Reset() { f.w.reset() }

package signal

import "riposte/core"

// SMA is the mean close of the last n bars. Ready after n.
type SMA struct{ m mean }

// NewSMA averages n closes.
func NewSMA(n int) *SMA { return &SMA{newMean(n)} }

// OnBar takes a closed bar.
func (s *SMA) OnBar(b *Bar) { s.m.push(whole(b.Close)) }

// Value is the mean, in quote.
func (s *SMA) Value(int, core.MonoNs) (float64, bool) { return s.m.value() }

// Reset forgets all.
func (s *SMA) Reset() { s.m.reset() }

// smooth is an exponential average that begins with the mean of its first n values,
// as the common libraries do. k is the weight of the newest.
type smooth struct {
	k float64
	n int
	i int // values taken, up to n
	x float64
}

func newSmooth(n int) smooth { return smooth{k: 2 / float64(n+1), n: n} }

// newWilder is Wilder's average, whose newest value weighs 1/n.
func newWilder(n int) smooth { return smooth{k: 1 / float64(n), n: n} }

func (s *smooth) push(x float64) {
	if s.i < s.n {
		s.i++
		s.x += x
		if s.i == s.n {
			s.x /= float64(s.n)
		}
		return
	}
	s.x += s.k * (x - s.x)
}

func (s *smooth) value() (float64, bool) { return s.x, s.i == s.n }

func (s *smooth) reset() { s.i, s.x = 0, 0 }

// EMA is the exponential mean of closes with weight 2/(n+1) for the newest, begun
// with the mean of the first n. Ready after n.
type EMA struct{ s smooth }

// NewEMA averages over n bars.
func NewEMA(n int) *EMA { return &EMA{newSmooth(n)} }

// OnBar takes a closed bar.
func (e *EMA) OnBar(b *Bar) { e.s.push(whole(b.Close)) }

// Value is the average, in quote.
func (e *EMA) Value(int, core.MonoNs) (float64, bool) { return e.s.value() }

// Reset forgets all.
func (e *EMA) Reset() { e.s.reset() }

// MACD is the fast less the slow EMA of closes, each begun by its own first values;
// an EMA of that, the signal line; and their difference, the histogram. The line is
// ready after slow bars, the rest after slow + signal - 1.
type MACD struct{ fast, slow, signal smooth }

// NewMACD takes the three lengths; fast is less than slow.
func NewMACD(fast, slow, signal int) *MACD {
	return &MACD{newSmooth(fast), newSmooth(slow), newSmooth(signal)}
}

// OnBar takes a closed bar.
func (m *MACD) OnBar(b *Bar) {
	x := whole(b.Close)
	m.fast.push(x)
	m.slow.push(x)
	if slow, ok := m.slow.value(); ok {
		m.signal.push(m.fast.x - slow)
	}
}

// Value is the line (0), the signal line (1) or the histogram (2), in quote.
func (m *MACD) Value(i int, _ core.MonoNs) (float64, bool) {
	slow, ok := m.slow.value()
	line := m.fast.x - slow
	if i == 0 {
		return line, ok
	}
	signal, ok := m.signal.value()
	if i == 1 {
		return signal, ok
	}
	return line - signal, ok
}

// Reset forgets all.
func (m *MACD) Reset() {
	m.fast.reset()
	m.slow.reset()
	m.signal.reset()
}

// Bollinger is the mean of n closes with a band of k standard deviations (of all n,
// not of a sample) on each side. Ready after n.
type Bollinger struct {
	s    scatter
	k    float64
	last float64
}

// NewBollinger takes the number of bars and of deviations.
func NewBollinger(n int, k float64) *Bollinger { return &Bollinger{s: newScatter(n), k: k} }

// OnBar takes a closed bar.
func (b *Bollinger) OnBar(bar *Bar) {
	b.last = whole(bar.Close)
	b.s.push(b.last)
}

// Value is the upper band (0), the middle (1), the lower band (2), in quote; the bands'
// width in percent of the middle (3); or where the close lies between them, 0 at the
// lower and 1 at the upper band (4), which is nowhere while the band has no width.
func (b *Bollinger) Value(i int, _ core.MonoNs) (float64, bool) {
	half := b.k * b.s.dev()
	switch i {
	case 0:
		return b.s.mean + half, b.s.w.full
	case 1:
		return b.s.mean, b.s.w.full
	case 2:
		return b.s.mean - half, b.s.w.full
	case 3:
		return 200 * half / b.s.mean, b.s.w.full && b.s.mean > 0
	}
	return (b.last - b.s.mean + half) / (2 * half), b.s.w.full && half > 0
}

// Reset forgets all.
func (b *Bollinger) Reset() { b.s.reset() }

// VWAP is the quote traded over the base traded of the last n bars. Ready after n,
// if anything has traded in them.
type VWAP struct{ quote, base mean }

// NewVWAP takes the number of bars.
func NewVWAP(n int) *VWAP { return &VWAP{newMean(n), newMean(n)} }

// OnBar takes a closed bar.
func (v *VWAP) OnBar(b *Bar) {
	v.quote.push(b.Quote)
	v.base.push(b.Volume)
}

// Value is the mean price by volume, in quote.
func (v *VWAP) Value(int, core.MonoNs) (float64, bool) {
	q, ok := v.quote.value()
	base, _ := v.base.value()
	return q / base, ok && base > 0
}

// Reset forgets all.
func (v *VWAP) Reset() {
	v.quote.reset()
	v.base.reset()
}

// DayVWAP is the quote traded over the base traded since the UTC day began. It is
// ready with the first bar that traded of a day whose beginning it has seen: with the
// first bar of all it is not, unless that is the day's first.
type DayVWAP struct {
	quote, base float64
	day         core.WallNs
	begun       bool
	whole       bool // the day is known from its beginning
}

const dayNs = core.WallNs(86400e9)

// OnBar takes a closed bar.
func (v *DayVWAP) OnBar(b *Bar) {
	if day := b.Start - b.Start%dayNs; !v.begun || day != v.day {
		*v = DayVWAP{day: day, begun: true, whole: v.begun || b.Start == day}
	}
	v.quote += b.Quote
	v.base += b.Volume
}

// Value is the day's mean price by volume, in quote.
func (v *DayVWAP) Value(int, core.MonoNs) (float64, bool) {
	return v.quote / v.base, v.whole && v.base > 0
}

// Reset forgets all.
func (v *DayVWAP) Reset() { *v = DayVWAP{} }

// TWAP is the mean of n bars' own middle, (open + high + low + close) / 4: of bars of
// time it is a mean price by time. Ready after n.
type TWAP struct{ m mean }

// NewTWAP takes the number of bars.
func NewTWAP(n int) *TWAP { return &TWAP{newMean(n)} }

// OnBar takes a closed bar.
func (t *TWAP) OnBar(b *Bar) {
	t.m.push((whole(b.Open) + whole(b.High) + whole(b.Low) + whole(b.Close)) / 4)
}

// Value is the mean, in quote.
func (t *TWAP) Value(int, core.MonoNs) (float64, bool) { return t.m.value() }

// Reset forgets all.
func (t *TWAP) Reset() { t.m.reset() }

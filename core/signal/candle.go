package signal

import "riposte/core"

// candle is one bar as the patterns look at it.
type candle struct{ open, high, low, close core.Price }

func (c *candle) up() bool          { return c.close > c.open }
func (c *candle) down() bool        { return c.close < c.open }
func (c *candle) top() core.Price   { return max(c.open, c.close) }
func (c *candle) foot() core.Price  { return min(c.open, c.close) }
func (c *candle) body() core.Price  { return c.top() - c.foot() }
func (c *candle) span() core.Price  { return c.high - c.low }
func (c *candle) above() core.Price { return c.high - c.top() } // upper shadow
func (c *candle) below() core.Price { return c.foot() - c.low } // lower shadow

// candlesKept are the newest candles of a pattern: up to three that form it, and five
// before them that it is measured by.
const (
	candlesKept = 8
	trendBars   = 5
)

// candles are the newest bars, [0] the newest.
type candles [candlesKept]candle

// trend is where the price came from before the pattern of n bars: the close before
// it against the one four bars earlier.
func (c *candles) trend(n int) int {
	switch was, is := c[n+trendBars-1].close, c[n].close; {
	case is > was:
		return 1
	case is < was:
		return -1
	}
	return 0
}

// long reports whether candle i has a body of at least half its span and of at least
// the mean body of the five before it.
func (c *candles) long(i int) bool {
	sum := core.Price(0)
	for k := i + 1; k <= i+trendBars; k++ {
		sum += c[k].body()
	}
	b := c[i].body()
	return b > 0 && 2*b >= c[i].span() && trendBars*b >= sum
}

// Candle is one candlestick pattern, looked for at every bar: +1 where it speaks for
// higher prices, or is there and speaks for neither, -1 for lower, 0 where it is not.
// All is decided in integers. Markets that never close open where they closed, so
// no pattern asks for a gap between bars. Ready when it has the bars that it looks at.
type Candle struct {
	f     func(*candles) int
	need  int
	taken int
	c     candles
	found int
}

func newCandle(need int, f func(*candles) int) *Candle { return &Candle{f: f, need: need} }

// OnBar takes a closed bar.
func (p *Candle) OnBar(b *Bar) {
	copy(p.c[1:], p.c[:])
	p.c[0] = candle{b.Open, b.High, b.Low, b.Close}
	if p.taken++; p.taken >= p.need {
		p.found = p.f(&p.c)
	}
}

// Value is +1, -1 or 0.
func (p *Candle) Value(int, core.MonoNs) (float64, bool) {
	return float64(p.found), p.taken >= p.need
}

// Reset forgets all.
func (p *Candle) Reset() { p.taken, p.found = 0, 0 }

func yes(is bool) int {
	if is {
		return 1
	}
	return 0
}

// doji: opened and closed within a tenth of its span.
func doji(c *candles) int { return yes(c[0].span() > 0 && 10*c[0].body() <= c[0].span()) }

// spinningTop: a body of less than a third of the span, in the middle of it.
func spinningTop(c *candles) int {
	k := &c[0]
	return yes(10*k.body() > k.span() && 3*k.body() < k.span() && k.above() > k.body() && k.below() > k.body())
}

// marubozu: nearly all body, and a long one.
func marubozu(c *candles) int {
	if k := &c[0]; !c.long(0) || 20*(k.above()+k.below()) > k.span() {
		return 0
	}
	return 2*yes(c[0].up()) - 1
}

// hammered: a small body at the top of its span, and a shadow below of twice the body
// at least.
func hammered(k *candle) bool {
	return k.span() > 0 && 3*k.body() <= k.span() && k.below() >= 2*k.body() && 10*k.above() <= k.span()
}

// upside is the candle turned around.
func upside(k *candle) *candle { return &candle{-k.open, -k.low, -k.high, -k.close} }

func hammer(c *candles) int         { return yes(c.trend(1) < 0 && hammered(&c[0])) }
func hangingMan(c *candles) int     { return -yes(c.trend(1) > 0 && hammered(&c[0])) }
func invertedHammer(c *candles) int { return yes(c.trend(1) < 0 && hammered(upside(&c[0]))) }
func shootingStar(c *candles) int   { return -yes(c.trend(1) > 0 && hammered(upside(&c[0]))) }

// engulfing: a body around the whole body of the candle before, in the other direction.
func engulfing(c *candles) int {
	a, b := &c[1], &c[0]
	if b.body() <= a.body() || b.top() < a.top() || b.foot() > a.foot() {
		return 0
	}
	return yes(a.down() && b.up()) - yes(a.up() && b.down())
}

// harami: a body within the long body of the candle before, in the other direction.
func harami(c *candles) int {
	a, b := &c[1], &c[0]
	if !c.long(1) || b.body() >= a.body() || b.top() > a.top() || b.foot() < a.foot() {
		return 0
	}
	return yes(a.down() && b.up()) - yes(a.up() && b.down())
}

// piercing: after a long candle down, one that takes back more than half of it but
// not all (+1); the same after a long candle up is the dark cloud (-1).
func piercing(c *candles) int {
	a, b := &c[1], &c[0]
	if !c.long(1) {
		return 0
	}
	middle := a.open + a.close // twice the middle, which need not be a whole number
	return yes(a.down() && b.up() && b.open <= a.close && 2*b.close > middle && b.close < a.open) -
		yes(a.up() && b.down() && b.open >= a.close && 2*b.close < middle && b.close > a.open)
}

// star: a long candle down, a small one at its lower end, one that takes back more
// than half of the first: the morning star (+1). The other way around it is the
// evening star (-1).
func star(c *candles) int {
	a, b, d := &c[2], &c[1], &c[0]
	if !c.long(2) || 3*b.body() > a.body() {
		return 0
	}
	middle := a.open + a.close // twice the middle, which need not be a whole number
	return yes(a.down() && 2*b.top() < middle && d.up() && 2*d.close > middle) -
		yes(a.up() && 2*b.foot() > middle && d.down() && 2*d.close < middle)
}

// three: three candles up in a row, each with a body of half its span at least, each
// opened within the body before and closed beyond it: the soldiers (+1). Three down
// are the crows (-1).
func three(c *candles) int {
	up, down := true, true
	for i := 2; i >= 0; i-- {
		k := &c[i]
		solid := 2*k.body() >= k.span()
		up, down = up && k.up() && solid, down && k.down() && solid
		if i < 2 {
			was := &c[i+1]
			within := k.open >= was.foot() && k.open <= was.top()
			up, down = up && within && k.close > was.close, down && within && k.close < was.close
		}
	}
	return yes(up) - yes(down)
}

// tweezer: after a fall, a candle down and one up with lows within a twentieth of the
// first one's span of each other (+1); after a rise, one up and one down with such
// highs (-1).
func tweezer(c *candles) int {
	a, b := &c[1], &c[0]
	near := func(x, y core.Price) bool { return 20*max(x-y, y-x) <= a.span() }
	return yes(c.trend(2) < 0 && a.down() && b.up() && near(a.low, b.low)) -
		yes(c.trend(2) > 0 && a.up() && b.down() && near(a.high, b.high))
}

// insideBar: wholly within the bar before.
func insideBar(c *candles) int {
	return yes(c[0].high <= c[1].high && c[0].low >= c[1].low && c[0].span() < c[1].span())
}

// outsideBar: beyond the bar before on both sides, and in which direction it closed.
func outsideBar(c *candles) int {
	if c[0].high <= c[1].high || c[0].low >= c[1].low {
		return 0
	}
	return yes(c[0].up()) - yes(c[0].down())
}

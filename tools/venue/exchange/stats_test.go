package exchange

import (
	"math"
	"slices"
	"testing"
)

const testStart Micros = 1_723_161_253_937_085

// meter measures a market the way the recordings were measured: depth diffs
// every 100 ms against a book kept from them, tops and trades as they come.
type meter struct {
	Discard
	x      *Exchange
	symbol string
	book   [3]map[Fixed]Fixed

	tops, topMoves   int
	lastTop          Top
	trades           []Trade
	perSecond        map[Micros]int
	logLevels        []float64
	spans, levels    int64
	oneSided         int
	kinds            map[string]int
	dist             []float64
	spread           []Fixed
	events, skipped  int
	eventMoves       int
	checkedTop       int
	topMismatch      int
	setQty, tradeQty []float64
}

func (m *meter) Top(t *Top) {
	if t.Symbol != m.symbol {
		return
	}
	m.tops++
	m.perSecond[t.Time/second]++
	if t.Bid.Price != m.lastTop.Bid.Price || t.Ask.Price != m.lastTop.Ask.Price {
		m.topMoves++
	}
	m.lastTop = *t
}

func (m *meter) Trade(t *Trade) {
	if t.Symbol == m.symbol {
		m.trades = append(m.trades, *t)
		m.tradeQty = append(m.tradeQty, float64(t.Qty)/1e8)
		m.perSecond[t.Time/second]++
	}
}

func (m *meter) best(s Side) Fixed {
	var best Fixed
	for p := range m.book[s] {
		if best == 0 || (s == Buy) == (p > best) {
			best = p
		}
	}
	return best
}

func (m *meter) diff(d *DepthDiff) {
	m.perSecond[m.x.Now()/second]++
	m.events++
	bid, ask := m.best(Buy), m.best(Sell)
	m.logLevels = append(m.logLevels, math.Log(float64(1+len(d.Bids)+len(d.Asks))))
	m.levels += int64(len(d.Bids) + len(d.Asks))
	m.spans += d.Last - d.First + 1
	if len(d.Bids) == 0 || len(d.Asks) == 0 {
		m.oneSided++
	}
	m.side(Buy, d.Bids, bid)
	m.side(Sell, d.Asks, ask)
	nb, na := m.best(Buy), m.best(Sell)
	if nb != bid || na != ask {
		m.eventMoves++
	}
	m.spread = append(m.spread, na-nb)
	m.checkedTop++
	if nb != m.lastTop.Bid.Price || m.book[Buy][nb] != m.lastTop.Bid.Qty || na != m.lastTop.Ask.Price || m.book[Sell][na] != m.lastTop.Ask.Qty {
		m.topMismatch++
	}
}

func (m *meter) side(s Side, ls []Level, touch Fixed) {
	for _, l := range ls {
		old, was := m.book[s][l.Price]
		switch {
		case l.Qty == 0 && was:
			m.kinds["delete"]++
			delete(m.book[s], l.Price)
		case l.Qty == 0:
			m.kinds["absent"]++
		case !was:
			m.kinds["new"]++
		case old == l.Qty:
			m.kinds["same"]++
		default:
			m.kinds["change"]++
		}
		d := float64(touch-l.Price) / float64(touch) * 1e4
		if s == Sell {
			d = -d
		}
		switch {
		case d == 0:
			m.kinds["touch"]++
		case d < 0:
			m.kinds["inside"]++
		}
		if l.Qty != 0 {
			m.book[s][l.Price] = l.Qty
			m.setQty = append(m.setQty, float64(l.Qty)/1e8)
		}
		m.dist = append(m.dist, d)
	}
}

// measure runs agents on a symbol and collects what a client would see.
func measure(t testing.TB, symbol string, seed uint64, seconds int) *meter {
	t.Helper()
	syms, err := BuiltinSymbols(symbol)
	if err != nil {
		t.Fatal(err)
	}
	m := &meter{symbol: symbol, perSecond: map[Micros]int{}, kinds: map[string]int{}}
	m.x, err = New(Config{Seed: seed, Start: testStart, Symbols: syms, Market: Agents(AgentOptions{})}, m)
	if err != nil {
		t.Fatal(err)
	}
	c, rej := m.x.NewDepthCursor(symbol)
	if rej != nil {
		t.Fatal(rej)
	}
	_, bids, asks, _ := m.x.Depth(symbol, 1000)
	m.book[Buy], m.book[Sell] = map[Fixed]Fixed{}, map[Fixed]Fixed{}
	for _, l := range bids {
		m.book[Buy][l.Price] = l.Qty
	}
	for _, l := range asks {
		m.book[Sell][l.Price] = l.Qty
	}
	m.lastTop, _ = m.x.BookTicker(symbol)
	for now := testStart; now < testStart+Micros(seconds)*second; now += 100 * millisecond {
		m.x.Advance(now)
		if d, ok := m.x.FlushDepth(c); ok {
			m.diff(&d)
		} else {
			m.skipped++
		}
	}
	return m
}

func quantile[T int64 | float64](v []T, q float64) T {
	if len(v) == 0 {
		return 0
	}
	s := slices.Clone(v)
	slices.Sort(s)
	return s[int(q*float64(len(s)-1))]
}

func meanSD(v []float64) (mean, sd float64) {
	for _, x := range v {
		mean += x
	}
	mean /= float64(len(v))
	for _, x := range v {
		sd += (x - mean) * (x - mean)
	}
	return mean, math.Sqrt(sd / float64(len(v)))
}

func autocorr(v []float64, lag int) float64 {
	mean, sd := meanSD(v)
	s := 0.0
	for i := lag; i < len(v); i++ {
		s += (v[i] - mean) * (v[i-lag] - mean)
	}
	return s / float64(len(v)-lag) / (sd * sd)
}

// sharing is the share of trades that have another trade in their millisecond.
func sharing(ts []Trade) (share float64, most int) {
	n := map[Micros]int{}
	for i := range ts {
		n[ts[i].Time/millisecond]++
	}
	with := 0
	for _, c := range n {
		if c > 1 {
			with += c
		}
		most = max(most, c)
	}
	return float64(with) / float64(max(len(ts), 1)), most
}

func (m *meter) report(t testing.TB, seconds int) {
	rates := []float64{}
	for _, n := range m.perSecond {
		rates = append(rates, float64(n))
	}
	mean, sd := meanSD(m.logLevels)
	share, most := sharing(m.trades)
	all := float64(m.levels)
	f := func(k string) float64 { return 100 * float64(m.kinds[k]) / all }
	t.Logf("%s: frames/s p1 %.0f p50 %.0f p90 %.0f p99 %.0f; tops/s %.1f moves %.1f%%; trades/s %.1f sharing %.0f%% most %d", m.symbol,
		quantile(rates, .01), quantile(rates, .5), quantile(rates, .9), quantile(rates, .99),
		float64(m.tops)/float64(seconds), 100*float64(m.topMoves)/float64(m.tops), float64(len(m.trades))/float64(seconds), 100*share, most)
	t.Logf("levels mean %.2f sd %.2f ac1 %.2f ac10 %.2f; levels/span %.2f; one-sided %.1f%%; skipped %d of %d; moves %.1f%%", mean, sd,
		autocorr(m.logLevels, 1), autocorr(m.logLevels, 10), all/float64(m.spans), 100*float64(m.oneSided)/float64(m.events), m.skipped, m.events,
		100*float64(m.eventMoves)/float64(m.events))
	t.Logf("delete %.1f absent %.1f new %.1f change %.1f same %.1f; touch %.1f inside %.1f", f("delete"), f("absent"), f("new"), f("change"), f("same"), f("touch"), f("inside"))
	t.Logf("distance p50 %.1f p75 %.1f p90 %.1f p99 %.0f max %.0f; spread ticks p50 %d p99 %d", quantile(m.dist, .5), quantile(m.dist, .75), quantile(m.dist, .9), quantile(m.dist, .99), quantile(m.dist, 1),
		quantile(m.spread, .5)/m.x.byName[m.symbol].tick, quantile(m.spread, .99)/m.x.byName[m.symbol].tick)
	bid, ask := m.x.byName[m.symbol].bids.levels(), m.x.byName[m.symbol].asks.levels()
	t.Logf("book %d/%d; set qty p5 %.5f p50 %.5f p95 %.3f; trade qty p5 %.5f p50 %.5f p95 %.5f; top mismatch %d of %d; mid %.2f fair", bid, ask,
		quantile(m.setQty, .05), quantile(m.setQty, .5), quantile(m.setQty, .95), quantile(m.tradeQty, .05), quantile(m.tradeQty, .5), quantile(m.tradeQty, .95),
		m.topMismatch, m.checkedTop, float64(m.lastTop.Bid.Price)/1e8)
}

func within(t *testing.T, what string, got, lo, hi float64) {
	t.Helper()
	if !(got >= lo && got <= hi) {
		t.Errorf("%s: got %.3f, want %g to %g", what, got, lo, hi)
	}
}

// TestAgentsFollowRecordedStatistics holds the agents to the recipe of the
// recorded statistics. The ranges are wide: they say "looks like it", and the
// seeds are fixed, so a pass cannot depend on luck.
func TestAgentsFollowRecordedStatistics(t *testing.T) {
	const seconds = 240
	for _, c := range []struct {
		symbol               string
		newLo, newHi         float64 // share of new levels
		changeLo, changeHi   float64
		framesP50, framesP99 float64 // recorded
		topsPerSecond        float64
		tradesPerSecond      float64
	}{
		{"BTCUSDT", 0.30, 0.48, 0.06, 0.18, 106, 582, 112, 31},
		{"ETHUSDT", 0.18, 0.32, 0.33, 0.52, 101, 459, 90, 22},
	} {
		for seed := uint64(1); seed <= 2; seed++ {
			m := measure(t, c.symbol, seed, seconds)
			m.report(t, seconds)
			rates := []float64{}
			for _, n := range m.perSecond {
				rates = append(rates, float64(n))
			}
			within(t, "frames/s p50 over recorded", quantile(rates, .5)/c.framesP50, 0.6, 1.6)
			within(t, "frames/s p99 over recorded", quantile(rates, .99)/c.framesP99, 0.5, 2)
			within(t, "tops/s over recorded", float64(m.tops)/seconds/c.topsPerSecond, 0.6, 1.6)
			within(t, "trades/s over recorded", float64(len(m.trades))/seconds/c.tradesPerSecond, 0.6, 2)
			within(t, "share of tops that move a price", float64(m.topMoves)/float64(m.tops), 0.04, 0.14)
			mean, sd := meanSD(m.logLevels)
			within(t, "log levels mean", mean, 2.7, 3.5)
			within(t, "log levels sd", sd, 0.8, 1.25)
			within(t, "log levels autocorrelation, lag 1", autocorr(m.logLevels, 1), 0.45, 0.8)
			within(t, "log levels autocorrelation, lag 10", autocorr(m.logLevels, 10), 0.1, 0.45)
			within(t, "levels over id span", float64(m.levels)/float64(m.spans), 0.5, 0.9)
			within(t, "share of one-sided events", float64(m.oneSided)/float64(m.events), 0.01, 0.07)
			within(t, "share of events that move a best price", float64(m.eventMoves)/float64(m.events), 0.05, 0.25)
			share, most := sharing(m.trades)
			within(t, "share of trades sharing their millisecond", share, 0.6, 0.92)
			within(t, "most trades in a millisecond", float64(most), 30, 800)
			all := float64(m.levels)
			within(t, "share of new levels", float64(m.kinds["new"])/all, c.newLo, c.newHi)
			within(t, "share of changed levels", float64(m.kinds["change"])/all, c.changeLo, c.changeHi)
			within(t, "share of deletes of absent levels", float64(m.kinds["absent"])/all, 0.02, 0.16)
			within(t, "distance p50, bps", quantile(m.dist, .5), 3, 10)
			within(t, "distance p75, bps", quantile(m.dist, .75), 9, 22)
			within(t, "distance p90, bps", quantile(m.dist, .9), 17, 45)
			within(t, "distance p99, bps", quantile(m.dist, .99), 100, 1500)
			tick := m.x.byName[c.symbol].tick
			within(t, "spread p50, ticks", float64(quantile(m.spread, .5)/tick), 1, 1)
			within(t, "spread p99, ticks", float64(quantile(m.spread, .99)/tick), 1, 3)
			_, bids, asks, _ := m.x.Depth(c.symbol, 0)
			within(t, "bid levels", float64(len(bids)), 1000, 5000)
			within(t, "ask levels", float64(len(asks)), 1000, 5000)
			if m.topMismatch != 0 {
				t.Errorf("%s: the book of diffs differs from the newest top after %d of %d events", c.symbol, m.topMismatch, m.checkedTop)
			}
		}
	}
}

func TestQuietSymbolsStayQuiet(t *testing.T) {
	const seconds = 300
	for _, symbol := range []string{"NKNUSDT", "BLZETH", "LRCBTC"} {
		m := measure(t, symbol, 3, seconds)
		m.report(t, seconds)
		mean, _ := meanSD(m.logLevels)
		within(t, symbol+" levels per event", math.Exp(mean)-1, 1, 3)
		within(t, symbol+" events per second", float64(m.events)/seconds, 0.2, 5)
		within(t, symbol+" one-sided events", float64(m.oneSided)/float64(m.events), 0.4, 1)
		within(t, symbol+" events that move a best price", float64(m.eventMoves)/float64(m.events), 0, 0.3)
		within(t, symbol+" spread p50, ticks", float64(quantile(m.spread, .5)/m.x.byName[symbol].tick), 1, 60)
		if m.topMismatch != 0 {
			t.Errorf("%s: the book of diffs differs from the newest top after %d of %d events", symbol, m.topMismatch, m.checkedTop)
		}
	}
}

// TestPricesStaySaneForHours runs two hours of a medium and a quiet symbol, and
// with them the slow drift of book and price that a minute does not show.
func TestPricesStaySaneForHours(t *testing.T) {
	syms, err := BuiltinSymbols("BNBBTC", "NKNUSDT")
	if err != nil {
		t.Fatal(err)
	}
	x, err := New(Config{Seed: 9, Start: testStart, Symbols: syms, Market: Agents(AgentOptions{})}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for h := Micros(1); h <= 8; h++ {
		x.Advance(testStart + h*15*minute)
		for _, s := range syms {
			top, _ := x.BookTicker(s.Name)
			if top.Bid.Price <= 0 || top.Ask.Price <= top.Bid.Price {
				t.Fatalf("%s after %d quarters: got top %+v", s.Name, h, top)
			}
			within(t, s.Name+" price over start", float64(top.Bid.Price)/float64(s.StartPrice), 0.9, 1.1)
			_, bids, asks, _ := x.Depth(s.Name, 0)
			if len(bids) < 20 || len(asks) < 20 || len(bids) > 5000 || len(asks) > 5000 {
				t.Errorf("%s after %d quarters: got %d bid and %d ask levels", s.Name, h, len(bids), len(asks))
			}
		}
	}
}

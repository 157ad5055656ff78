package signal

import (
	"math"
	"math/rand/v2"
	"testing"

	"riposte/core"
)

// ticks are a market that moves: what a recording tells, or a made one where there is none.
func ticks(t *testing.T) []heard {
	if m := recorded(); m != nil {
		return m.events
	}
	t.Log("the recordings are not on this machine: a made market alone")
	rng, p := rand.New(rand.NewPCG(4, 4)), core.Price(60000*core.Scale)
	events := make([]heard, 20_000)
	for i := range events {
		p += core.Price(rng.IntN(5)-2) * core.Scale / 100
		now := core.MonoNs(i) * 2e7
		if i%4 == 0 {
			events[i] = heard{now: now, price: p, qty: core.Qty(rng.Int64N(1e8) + 1), side: core.Side(rng.IntN(2))}
		} else {
			events[i] = heard{now: now, top: core.Top{Bid: p, BidQty: core.Qty(rng.Int64N(1e8) + 1), Ask: p + core.Scale/100, AskQty: core.Qty(rng.Int64N(1e8) + 1)}}
		}
	}
	return events
}

// What is kept up event by event equals the definition, summed anew over the whole past.
// The definition's exponential is exact; the stream's short series and thousands of
// steps may differ by 1e-10.
func TestFadingWindowsEqualTheirDefinition(t *testing.T) {
	const half = 7.0
	names := []string{"ofi", "vol", "flow", "flow_share", "turnover", "trade_rate", "spread_mean", "spread_dev", "mid_twap", "mid_dev"}
	in, out := make([]Indicator, len(names)), make([]int, len(names))
	for i, n := range names {
		in[i], out[i] = build(t, n, half)
	}
	events := ticks(t)
	worst := map[string]float64{}
	for k := range events {
		e := &events[k]
		for i := range in {
			switch x := in[i].(type) {
			case ofTouch:
				if e.top.Bid != 0 {
					x.OnTop(&e.top, e.now)
				}
			case ofTrades:
				if e.top.Bid == 0 {
					x.OnTrade(e.price, e.qty, e.side, e.now)
				}
			}
		}
		if k%4001 != 4000 && k != len(events)-1 {
			continue
		}
		now := e.now + 3e8
		want := defined(events[:k+1], now, half)
		for i, n := range names {
			got, ok := in[i].Value(out[i], now)
			if !ok {
				t.Fatalf("%s is not ready after %d events", n, k)
			}
			off := math.Abs(got-want[n]) / math.Max(math.Abs(want[n]), want["by "+n])
			worst[n] = max(worst[n], off)
			if !(off < 1e-10) {
				t.Errorf("%s after %d events is %v, by its definition %v: off by %.2g", n, k, got, want[n], off)
			}
		}
	}
	for _, n := range names {
		t.Logf("%-12s off by %.1e, allowed 1e-10", n, worst[n])
	}
}

// defined is what the fading windows are by definition. Differences of large numbers
// are measured by those, under "by " and the name.
func defined(events []heard, now core.MonoNs, half float64) map[string]float64 {
	v := map[string]float64{}
	weigh := func(at core.MonoNs) float64 { return math.Exp2(-float64(now-at) / (1e9 * half)) }
	var last *core.Top
	var lastAt, firstTop, firstTrade core.MonoNs
	var squares float64
	trades := 0
	// Sums over time of what was held between two touches.
	var sum0 float64
	var sums, squaresOf [2]float64
	hold := func(t *core.Top, from, to core.MonoNs) {
		w := weigh(to) - weigh(from)
		sum0 += w
		for i, x := range [2]float64{spreadBps(t), mid(t)} {
			sums[i] += w * x
		}
	}
	for i := range events {
		e := &events[i]
		if e.top.Bid == 0 {
			q := float64(e.qty) / core.Scale
			if trades++; trades == 1 {
				firstTrade = e.now
			} else {
				v["trade_rate"] += weigh(e.now)
			}
			v["flow"] += float64(e.side.Sign()) * q * weigh(e.now)
			v["turnover"] += q * weigh(e.now)
			continue
		}
		if last == nil {
			firstTop = e.now
		} else {
			n, o := &e.top, last
			x := 0.0
			if n.Bid >= o.Bid {
				x += float64(n.BidQty)
			}
			if n.Bid <= o.Bid {
				x -= float64(o.BidQty)
			}
			if n.Ask <= o.Ask {
				x -= float64(n.AskQty)
			}
			if n.Ask >= o.Ask {
				x += float64(o.AskQty)
			}
			v["ofi"] += x / core.Scale * weigh(e.now)
			v["by ofi"] += math.Abs(x) / core.Scale * weigh(e.now)
			r := math.Log(mid(n) / mid(o))
			squares += r * r * weigh(e.now)
			hold(o, lastAt, e.now)
		}
		last, lastAt = &e.top, e.now
	}
	hold(last, lastAt, now)
	mean := [2]float64{sums[0] / sum0, sums[1] / sum0}
	last = nil
	add := func(t *core.Top, from, to core.MonoNs) {
		for i, x := range [2]float64{spreadBps(t), mid(t)} {
			squaresOf[i] += (weigh(to) - weigh(from)) * (x - mean[i]) * (x - mean[i])
		}
	}
	for i := range events {
		if e := &events[i]; e.top.Bid != 0 {
			if last != nil {
				add(last, lastAt, e.now)
			}
			last, lastAt = &e.top, e.now
		}
	}
	add(last, lastAt, now)
	v["flow_share"], v["by flow"], v["by flow_share"] = v["flow"]/v["turnover"], v["turnover"], 1
	perSecond := math.Ln2 / half
	v["trade_rate"] *= perSecond / (1 - weigh(firstTrade))
	v["vol"] = 1e4 * math.Sqrt(squares*perSecond/(1-weigh(firstTop)))
	v["spread_mean"], v["mid_twap"] = mean[0], mean[1]
	v["spread_dev"], v["mid_dev"] = math.Sqrt(squaresOf[0]/sum0), math.Sqrt(squaresOf[1]/sum0)
	return v
}

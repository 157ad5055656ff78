package signal

import (
	"math"
	"math/rand/v2"
	"testing"

	"riposte/core"
)

// line is bars whose close goes from one price by a constant step, a unit of base each.
func line(n int, from, step float64) []Bar {
	bars := make([]Bar, n)
	for i := range bars {
		p := core.Price(math.Round((from + float64(i)*step) * core.Scale))
		at := core.WallNs(i) * 60e9
		bars[i] = Bar{Start: at, End: at + 60e9, Open: p, High: p, Low: p, Close: p, Volume: 1, Quote: whole(p), Trades: 1}
	}
	return bars
}

func run(t *testing.T, bars []Bar, name string, args ...float64) float64 {
	t.Helper()
	in, out := build(t, name, args...)
	for i := range bars {
		in.(ofBars).OnBar(&bars[i])
	}
	v, ok := in.Value(out, 0)
	if !ok {
		t.Fatalf("%s%v is not ready after %d bars", name, args, len(bars))
	}
	return v
}

func TestIndicatorsOfAStraightLineAreWhatAPencilSays(t *testing.T) {
	up := line(500, 1000, 1) // ends at 1499
	for _, c := range []struct {
		name string
		args []float64
		want float64
	}{
		{"close", nil, 1499}, {"close", []float64{3}, 1496}, {"high", []float64{1}, 1498},
		{"volume", nil, 1}, {"trades", nil, 1}, {"taker_buy", nil, 0},
		{"sma", []float64{10}, 1494.5}, {"ema", []float64{10}, 1494.5}, // an EMA lags by (n-1)/2
		{"macd", nil, 7}, {"macd_signal", nil, 7}, {"macd_hist", nil, 0},
		{"bb_middle", []float64{10, 2}, 1494.5}, {"bb_upper", []float64{10, 2}, 1494.5 + 2*math.Sqrt(99./12)},
		{"bb_lower", []float64{10, 2}, 1494.5 - 2*math.Sqrt(99./12)}, {"bb_width", []float64{10, 2}, 400 * math.Sqrt(99./12) / 1494.5},
		{"bb_position", []float64{10, 1.5}, (4.5 + 1.5*math.Sqrt(99./12)) / (3 * math.Sqrt(99./12))},
		{"vwap", []float64{10}, 1494.5}, {"twap", []float64{10}, 1494.5}, {"vwap_day", nil, 1249.5},
		{"rsi", []float64{14}, 100}, {"stoch_k", nil, 100}, {"stoch_d", nil, 100}, {"obv", nil, 500},
		{"atr", nil, 1}, {"atr_pct", nil, 100. / 1499}, {"adx", nil, 100}, {"plus_di", nil, 100}, {"minus_di", nil, 0},
		{"dc_upper", nil, 1499}, {"dc_lower", nil, 1480}, {"dc_middle", nil, 1489.5},
		{"dc_break", nil, 1}, {"atr_break", []float64{14, 2}, 0}, {"atr_break", []float64{14, 0.5}, 1}, {"narrow", nil, 1},
	} {
		near(t, c.name, run(t, up, c.name, c.args...), c.want)
	}
	near(t, "rsi of a fall", run(t, line(100, 1000, -1), "rsi", 14), 0)
	near(t, "stochastic of a flat market", run(t, line(100, 1000, 0), "stoch_k"), 50)
	near(t, "a fall below the range", run(t, line(100, 1000, -1), "dc_break"), -1)

	grow := make([]Bar, 100) // each close is e^0.001 times the one before
	for i := range grow {
		grow[i] = line(1, 1000*math.Exp(0.001*float64(i)), 0)[0]
	}
	if got := run(t, grow, "rv", 20); math.Abs(got-10) > 1e-5 {
		t.Errorf("realised volatility of ten basis points a bar is %v", got)
	}
}

func TestAMarketThatDoesNotMoveHasNoRelativeStrengthAndNoBand(t *testing.T) {
	flat := line(100, 1000, 0)
	for _, name := range []string{"rsi", "bb_position", "plus_di"} {
		in, out := build(t, name)
		for i := range flat {
			in.(ofBars).OnBar(&flat[i])
		}
		if v, ok := in.Value(out, 0); ok {
			t.Errorf("%s of a flat market is %v, want nothing", name, v)
		}
	}
}

func TestDayVWAPBeginsWithTheDayAndNotWithTheProgram(t *testing.T) {
	bars := line(3000, 1000, 1) // two days of minutes, from midnight
	v := new(DayVWAP)
	for i := range bars[700:] {
		b := &bars[700+i]
		v.OnBar(b)
		if _, ok := v.Value(0, 0); ok != (b.Start >= dayNs) {
			t.Fatalf("ready is %v at minute %d of a run that began at minute 700", ok, b.Start/60e9)
		}
	}
	near(t, "the third day's", run(t, bars, "vwap_day"), 1000+(2880+2999)/2.)
}

func top(bid, bidQty, ask, askQty float64) *core.Top {
	u := func(x float64) int64 { return int64(math.Round(x * core.Scale)) }
	return &core.Top{Bid: core.Price(u(bid)), BidQty: core.Qty(u(bidQty)), Ask: core.Price(u(ask)), AskQty: core.Qty(u(askQty))}
}

func TestTouchNumbersAreTheirFormulas(t *testing.T) {
	for name, want := range map[string]float64{"bid": 99, "ask": 101, "mid": 100, "microprice": 100.5, "imbalance": 0.5, "spread": 200} {
		in, out := build(t, name)
		if _, ok := in.Value(out, 0); ok {
			t.Errorf("%s is ready before any touch", name)
		}
		in.(ofTouch).OnTop(top(99, 3, 101, 1), 1)
		got, _ := in.Value(out, 1)
		near(t, name, got, want)
	}
	in, out := build(t, "depth_imbalance", 3)
	lv := func(q ...float64) (out []core.Level) {
		for _, x := range q {
			out = append(out, core.Level{Price: 1, Qty: core.Qty(x * core.Scale)})
		}
		return out
	}
	in.(ofDepth).OnDepth(lv(3, 2, 1, 100), lv(1, 1), 0)
	got, ok := in.Value(out, 0)
	near(t, "depth imbalance", got, (9+4+1.-5)/(14+5))
	if in.(ofDepth).OnDepth(lv(1), nil, 0); !ok {
		t.Error("depth imbalance is not ready after a book")
	} else if _, ok = in.Value(out, 0); ok {
		t.Error("depth imbalance is ready on a book without asks")
	}
}

// The cases of Cont, Kukanov and Stoikov's definition, one change of the touch each.
func TestOrderFlowImbalanceCountsEachChangeOfTheTouch(t *testing.T) {
	for _, c := range []struct {
		what string
		next *core.Top
		want float64
	}{
		{"bid grows", top(99, 12, 101, 20), 2}, {"bid shrinks", top(99, 4, 101, 20), -6},
		{"bid rises", top(99.5, 7, 101, 20), 7}, {"bid falls", top(98, 50, 101, 20), -10},
		{"ask grows", top(99, 10, 101, 23), -3}, {"ask shrinks", top(99, 10, 101, 15), 5},
		{"ask falls", top(99, 10, 100, 8), -8}, {"ask rises", top(99, 10, 102, 1), 20},
		{"both", top(99.5, 7, 102, 1), 27}, {"neither", top(99, 10, 101, 20), 0},
	} {
		o := NewOFI(10)
		o.OnTop(top(99, 10, 101, 20), 0)
		o.OnTop(c.next, 10e9)
		got, ok := o.Value(0, 10e9)
		near(t, c.what, got, c.want)
		if !ok {
			t.Error("not ready after a half-life")
		}
		got, _ = o.Value(0, 20e9)
		near(t, c.what+", a half-life later", got, c.want/2)
	}
}

func TestFlowIsSignedFadesAndCounts(t *testing.T) {
	f := NewFlow(10)
	for i := range 2000 {
		side := core.Buy
		if i%4 == 0 {
			side = core.Sell
		}
		f.OnTrade(1, core.Scale, side, core.MonoNs(i)*1e8)
	}
	now := core.MonoNs(1999e8)
	share, _ := f.Value(1, now)
	rate, _ := f.Value(3, now)
	all, _ := f.Value(2, now)
	if math.Abs(share-0.5) > 0.01 || math.Abs(rate-10) > 0.1 || math.Abs(all-10*10/math.Ln2) > 1 {
		t.Errorf("three of four trades buy, ten a second of one each: share %v, rate %v, turnover %v", share, rate, all)
	}
	signed, _ := f.Value(0, now)
	later, _ := f.Value(0, now+10e9)
	near(t, "flow a half-life later", later, signed/2)
	if again, _ := f.Value(1, now+10e9); again != share {
		t.Errorf("the share fades from %v to %v", share, again)
	}
}

func TestSpreadsMeanIsByTimeAndNotByEvents(t *testing.T) {
	in, _ := build(t, "spread_mean", 10)
	s := in.(*heldTouch)
	// A second at 100 bps, then three at 200, over and over; many touches in the first.
	now := core.MonoNs(0)
	for range 100 {
		for range 10 {
			s.OnTop(top(99.5, 1, 100.5, 1), now)
			now += 1e8
		}
		s.OnTop(top(99, 1, 101, 1), now)
		now += 3e9
	}
	mean, _ := s.Value(0, now)
	dev, _ := s.Value(1, now)
	if math.Abs(mean-175) > 10 || math.Abs(dev-math.Sqrt(0.25*0.75)*100) > 5 {
		t.Errorf("a quarter of the time 100, else 200: mean %v, deviation %v", mean, dev)
	}
}

func TestVolatilityIsTheWalksOwnHoweverOftenItMoves(t *testing.T) {
	for _, every := range []float64{0.01, 0.1, 1} {
		rng, v := rand.New(rand.NewPCG(9, 9)), NewVolatility(200)
		p := 50000.0
		for i := range int(4000 / every) {
			p *= 1 + 2e-4*math.Sqrt(every)*rng.NormFloat64()
			v.OnTop(top(p-0.005, 1, p+0.005, 1), core.MonoNs(float64(i)*every*1e9))
		}
		got, ok := v.Value(0, core.MonoNs(4000e9))
		if !ok || math.Abs(got-2) > 0.2 {
			t.Errorf("two basis points a second, moved every %v s: got %v", every, got)
		}
	}
}

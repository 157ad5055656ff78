package signal

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
)

func TestSeriesAreReadAsTheyAreWritten(t *testing.T) {
	for text, want := range map[string]Series{
		"1m": {Kind: TimeBars, Span: time.Minute}, "kline 4h": {Kind: KlineBars, Span: 4 * time.Hour},
		"100 ticks": {Kind: TickBars, Trades: 100}, "2.5 base": {Kind: VolumeBars, Volume: 2.5 * core.Scale},
	} {
		got, err := ParseSeries(text)
		if err != nil || got != want || got.String() != text {
			t.Errorf("%q is %+v (%v), %v, want %+v", text, got, got, err, want)
		}
	}
	for _, text := range []string{"", "1x", "2m", "60s", "kline", "kline 7m", "0 ticks", "-3 ticks", "1.5 ticks", "2000000 ticks", "0 base", "x base", "5 quote", "1m 1m 1m"} {
		if s, err := ParseSeries(text); err == nil || !strings.HasPrefix(err.Error(), "cannot use bars") {
			t.Errorf("%q is %v, %v, want an error", text, s, err)
		}
	}
}

func TestWrongUsesOfIndicatorsAreSaidInOneLine(t *testing.T) {
	minute := Series{Kind: TimeBars, Span: time.Minute}
	n := func(v ...float64) (out []Arg) {
		for _, x := range v {
			out = append(out, Arg{V: x})
		}
		return out
	}
	for _, c := range []struct {
		name string
		of   Series
		args []Arg
		want string
	}{
		{"emma", minute, n(20), `"emma" is no indicator, want one such as ema, `},
		{"ema", minute, nil, "cannot use ema: length is missing, want ema(bars, length)"},
		{"ema", minute, n(1), "cannot use ema: length is 1, want a whole number from 2 to 4096"},
		{"ema", minute, n(2.5), "cannot use ema: length is 2.5, want a whole number from 2 to 4096"},
		{"ema", minute, n(5000), "cannot use ema: length is 5000, want a whole number from 2 to 4096"},
		{"ema", minute, []Arg{{V: 20, Span: true}}, "cannot use ema: length is 20s, want a whole number from 2 to 4096"},
		{"ema", minute, n(20, 3), "cannot use ema: got 2 arguments beside the bars, want ema(bars, length)"},
		{"ema", Series{}, n(20), "cannot use ema: it reads bars and got none, want ema(bars, length) with bars such as 1m"},
		{"imbalance", minute, nil, "cannot use imbalance: it reads the touch and got bars of 1m, want imbalance()"},
		{"flow", minute, nil, "cannot use flow: it reads the trades and got bars of 1m, want flow(half_life)"},
		{"flow", Series{}, n(2), "cannot use flow: half_life is 2, want a duration from 0.1s to 86400s"},
		{"depth_imbalance", Series{}, n(51), "cannot use depth_imbalance: levels is 51, want a whole number from 1 to 50"},
		{"macd", minute, n(26, 12), "cannot use macd: fast is not less than slow"},
		{"bb_upper", minute, n(20, 0), "cannot use bb_upper: deviations is 0, want a number from 0.1 to 10"},
	} {
		s, err := Lookup(c.name)
		if err == nil {
			_, err = new(Panel).Add(s, c.of, c.args...)
		}
		if err == nil || !strings.HasPrefix(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want %s", c.name, err, c.want)
		}
	}
}

func TestWhatIsNamedTwiceIsKeptOnce(t *testing.T) {
	p := new(Panel)
	add := func(name string, series Series, args ...Arg) int {
		t.Helper()
		s, err := Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		slot, err := p.Add(s, series, args...)
		if err != nil {
			t.Fatal(err)
		}
		return slot
	}
	minute, hour := Series{Kind: TimeBars, Span: time.Minute}, Series{Kind: TimeBars, Span: time.Hour}
	line, hist := add("macd", minute), add("macd_hist", minute, Arg{V: 12}, Arg{V: 26})
	if again := add("macd", minute, Arg{V: 12}); again != line || len(p.made) != 1 || line == hist {
		t.Errorf("macd is in slots %d and %d, its histogram in %d, made %d times", line, again, hist, len(p.made))
	}
	add("macd", hour)
	add("macd", minute, Arg{V: 5})
	if len(p.made) != 3 || p.Name(hist) != "macd_hist(1m)" || p.Unit(hist) != InPrice {
		t.Errorf("made %d, the histogram is %s in %v", len(p.made), p.Name(hist), p.Unit(hist))
	}
	for i := p.Slots(); i < SlotsMax; i++ {
		add("sma", minute, Arg{V: float64(i + 2)})
	}
	s, _ := Lookup("atr")
	if _, err := p.Add(s, minute); err == nil || !strings.Contains(err.Error(), "64") {
		t.Errorf("one more than the bound: %v", err)
	}
}

// whole panel: every indicator that there is, with its defaults or the least that is
// allowed, on two series.
func everything(t testing.TB) (panels []*Panel) {
	p := new(Panel)
	for _, s := range Specs() {
		for _, text := range []string{"1m", "3 ticks"} {
			series, err := ParseSeries(text)
			if err != nil {
				t.Fatal(err)
			}
			if s.Of != Bars {
				series = Series{}
			}
			if p.Slots() == SlotsMax {
				panels, p = append(panels, p), new(Panel)
			}
			if _, err := p.Add(s, series, least(s)...); err != nil {
				t.Fatal(err)
			}
		}
	}
	return append(panels, p)
}

// least are the arguments of parameters without a default.
func least(s *Spec) (args []Arg) {
	for _, p := range s.Params {
		v := p.Def
		if v != v {
			v = max(p.Lo, min(p.Hi, 20))
		}
		args = append(args, Arg{V: v, Span: p.Kind == Span})
	}
	return args
}

// said is what tell hands on; it lies here so that it is not the test that allocates.
var said struct {
	top    core.Top
	levels [2]core.Level
}

// tell feeds a panel one step of a market made of numbers.
func tell(p *Panel, b *Bar, i int, now core.MonoNs) {
	q := core.Qty(1+i%7) * core.Scale
	said.top = core.Top{Bid: b.Low, BidQty: q, Ask: b.High + 1, AskQty: 3 * core.Scale}
	p.OnTop(&said.top, now)
	p.OnTrade(b.Close, q, core.Side(i&1), b.Start, now)
	said.levels = [2]core.Level{{Price: b.Low, Qty: q}, {Price: b.Low - 1, Qty: 2 * q}}
	p.OnDepth(said.levels[:], said.levels[:1], now)
	for k := 0; ; k++ {
		s, ok := p.Of(k)
		if !ok {
			break
		}
		if s.Span > 0 {
			p.OnBar(k, b)
		}
	}
}

func TestEveryIndicatorIsReadyInTimeStaysInItsRangeAndAllocatesNothing(t *testing.T) {
	bars := walk(11, 400, 100, 1e-3)
	for _, p := range everything(t) {
		i, sink := 0, 0.0
		step := func() {
			tell(p, &bars[i%len(bars)], i, core.MonoNs(i)*1e9)
			for s := range p.Slots() {
				v, _ := p.Value(s, core.MonoNs(i)*1e9)
				sink += v
			}
			i++
		}
		for s := range p.Slots() {
			if v, ok := p.Value(s, 0); ok {
				t.Errorf("%s is ready with %v before anything", p.Name(s), v)
			}
		}
		for range 300 {
			step()
		}
		for s := range p.Slots() {
			v, ok := p.Value(s, 300e9)
			if !ok {
				t.Errorf("%s is not ready after 300 bars", p.Name(s))
			}
			if lo, hi, bound := rangeOf(p.slots[s].name, p.Unit(s)); bound && !(v >= lo && v <= hi) {
				t.Errorf("%s is %v, want %v to %v", p.Name(s), v, lo, hi)
			}
		}
		if n := testing.AllocsPerRun(500, step); n != 0 {
			t.Errorf("got %v allocations a step, want 0", n)
		}
		for k := range p.made {
			p.made[k].in.Reset()
		}
		for s := range p.Slots() {
			if v, ok := p.Value(s, 0); ok {
				t.Errorf("%s is ready with %v after a reset", p.Name(s), v)
			}
		}
	}
}

func rangeOf(name string, u Unit) (lo, hi float64, bound bool) {
	name, _, _ = strings.Cut(name, "(")
	switch {
	case strings.HasSuffix(name, "imbalance") || name == "flow_share":
		return -1, 1, true
	case name == "rsi" || strings.HasPrefix(name, "stoch") || name == "adx" || strings.HasSuffix(name, "_di"):
		return 0, 100, true
	case u == InPrice && !strings.HasPrefix(name, "macd") && !strings.HasPrefix(name, "atr") && name != "mid_dev":
		return 50, 200, true // where the walk is
	case u == Bps:
		return 0, 1e4, true
	}
	return 0, 0, false
}

// What was seen before a reset leaves no trace, in any of them.
func TestAResetIndicatorIsANewOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		bars := walk(rapid.Uint64().Draw(rt, "seed"), 60, 100, 1e-2)
		cut := rapid.IntRange(0, 60).Draw(rt, "cut")
		for k, used := range everything(t) {
			fresh := everything(t)[k]
			for i := range cut {
				tell(used, &bars[i], i, core.MonoNs(i)*1e9)
			}
			used.Blind()
			for m := range used.made {
				used.made[m].in.Reset()
			}
			for i := range used.series {
				used.series[i].bars = 0
			}
			for i := range bars {
				now := core.MonoNs(100+i) * 1e9
				tell(used, &bars[i], i, now)
				tell(fresh, &bars[i], i, now)
			}
			for s := range used.Slots() {
				a, okA := used.Value(s, 170e9)
				b, okB := fresh.Value(s, 170e9)
				if okA != okB || okA && a != b {
					rt.Fatalf("%s is %v, %v after a reset and %v, %v in a new one", used.Name(s), a, okA, b, okB)
				}
			}
		}
	})
}

func TestBarsAreTakenOnceAndInOrder(t *testing.T) {
	p := new(Panel)
	s, _ := Lookup("sma")
	minute := Series{Kind: TimeBars, Span: time.Minute}
	slot, err := p.Add(s, minute, Arg{V: 3})
	if err != nil {
		t.Fatal(err)
	}
	bars := line(20, 100, 1)
	take := func(i int, want bool) {
		t.Helper()
		if got := p.OnBar(0, &bars[i]); got != want {
			t.Errorf("bar %d taken: %v, want %v", i, got, want)
		}
	}
	value := func(want float64, ready bool) {
		t.Helper()
		v, ok := p.Value(slot, 0)
		if ok != ready || ready && v != want {
			t.Errorf("got %v, %v, want %v, %v", v, ok, want, ready)
		}
	}
	for i := range 4 {
		take(i, true)
	}
	value(102, true)
	take(3, false) // told again
	take(1, false) // corrected after the fact
	value(102, true)
	take(6, true) // two are missing: a mean of 102, 103 and 106 is none of three minutes
	value(0, false)
	take(7, true)
	take(8, true)
	value(107, true)
	if p.Late() != 2 || p.Holes() != 1 {
		t.Errorf("got %d late and %d holes, want 2 and 1", p.Late(), p.Holes())
	}
}

func TestCountedBarsHoldWhatTheirTradesSay(t *testing.T) {
	ticks, volume := NewCounted(3, 0), NewCounted(0, 2*core.Scale)
	var b Bar
	closed := ""
	for i, q := range []core.Qty{core.Scale, core.Scale / 2, core.Scale, 5 * core.Scale} {
		p := core.Price(100+[]int64{3, 9, 1, 5}[i]) * core.Scale
		side := core.Side(i & 1)
		if ticks.Trade(p, q, side, core.WallNs(i), &b) {
			closed += "t"
			want := Bar{Start: 0, End: 2, Open: 103 * core.Scale, High: 109 * core.Scale, Low: 101 * core.Scale, Close: 101 * core.Scale,
				Volume: 2.5, Quote: 103 + 54.5 + 101, TakerBuy: 2, Trades: 3}
			if b != want {
				t.Errorf("three trades make %+v, want %+v", b, want)
			}
		}
		if volume.Trade(p, q, side, core.WallNs(i), &b) {
			closed += "v"
			if b.Trades != []int64{0, 0, 3, 1}[i] || b.Volume != []float64{0, 0, 2.5, 5}[i] {
				t.Errorf("after trade %d: %+v", i, b)
			}
		}
	}
	if closed != "tvv" {
		t.Errorf("closed %s, want tvv", closed)
	}
}

// BenchmarkIndicators is one event taken into an indicator, and its value read.
func BenchmarkIndicators(b *testing.B) {
	bars := walk(1, 4096, 60000, 1e-4)
	for _, s := range Specs() {
		b.Run(s.Name, func(b *testing.B) {
			in, out, err := s.Build(least(s)...)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			sum, now := 0.0, core.MonoNs(0)
			var t core.Top
			var lv [50]core.Level
			for i := range lv {
				lv[i].Qty = core.Qty(i+1) * core.Scale
			}
			for i := range b.N {
				bar := &bars[i&4095]
				now += 1e6
				switch in := in.(type) {
				case ofBars:
					in.OnBar(bar)
				case ofTouch:
					t = core.Top{Bid: bar.Low, BidQty: 5, Ask: bar.High + 1, AskQty: core.Qty(i&7 + 1)}
					in.OnTop(&t, now)
				case ofTrades:
					in.OnTrade(bar.Close, 5, core.Buy, now)
				case ofDepth:
					in.OnDepth(lv[:], lv[:], now)
				}
				v, _ := in.Value(out, now)
				sum += v
			}
			if sum == 0.125 {
				b.Log(sum)
			}
		})
	}
}

package signal

import (
	"fmt"
	"math"
	"slices"
	"testing"

	talib "github.com/markcheno/go-talib"
)

// columns are bars as the oracle takes them.
type columns struct{ high, low, close, volume, middle []float64 }

func columnsOf(bars []Bar) (c columns) {
	for i := range bars {
		b := &bars[i]
		c.high, c.low, c.close = append(c.high, whole(b.High)), append(c.low, whole(b.Low)), append(c.close, whole(b.Close))
		c.volume = append(c.volume, b.Volume)
	}
	c.middle = talib.AvgPrice(opens(bars), c.high, c.low, c.close)
	return c
}

func opens(bars []Bar) (o []float64) {
	for i := range bars {
		o = append(o, whole(bars[i].Open))
	}
	return o
}

// asked is one indicator beside its oracle, go-talib. ready is the first bar, from 0,
// with a value; what the oracle says before is cut off, and settle bars more where it
// begins in another way that fades. allowed is the difference, as a part of by(i), that
// each may have.
type asked struct {
	name    string
	args    []float64
	ready   int
	settle  int
	oracle  func(columns) []float64
	by      func(c columns, i int) float64
	allowed float64
	except  func(c columns, i int) bool // what the oracle answers otherwise by intent; may be nil
}

func byPrice(c columns, i int) float64   { return c.close[i] }
func byHundred(columns, int) float64     { return 100 }
func byVolume(c columns, i int) float64  { return talib.Sum(c.volume[:i+1], i+1)[i] }
func first(a, _, _ []float64) []float64  { return a }
func second(_, b, _ []float64) []float64 { return b }
func third(_, _, c []float64) []float64  { return c }

// flat reports whether one of the last five ranges of 14 bars has no width: there the
// oracle puts the close at the bottom and we in the middle.
func flat(c columns, i int) bool {
	for k := max(13, i-4); k <= i; k++ {
		if slices.Max(c.high[k-13:k+1]) == slices.Min(c.low[k-13:k+1]) {
			return true
		}
	}
	return false
}

// bands asks at a price of about a thousand: go-talib takes a variance below 1e-14 for
// none at all.
func bands(c columns, n int) (upper, middle, lower []float64) {
	k := 1000 / c.close[0]
	upper, middle, lower = talib.BBands(scaled(c.close, k), n, 2, 2, talib.SMA)
	return scaled(upper, 1/k), scaled(middle, 1/k), scaled(lower, 1/k)
}

// units are the columns in whole units of 1e-8. Directional movement compares
// differences of prices, and only between whole numbers do equal ones come out equal.
func units(c columns) columns {
	whole := func(v []float64) (out []float64) {
		for _, x := range v {
			out = append(out, math.Round(x*1e8))
		}
		return out
	}
	return columns{high: whole(c.high), low: whole(c.low), close: whole(c.close)}
}

func scaled(v []float64, k float64) (out []float64) {
	for _, x := range v {
		out = append(out, k*x)
	}
	return out
}

// askedOf is the whole comparison. go-talib takes the variance as a mean of squares less
// a squared mean, which loses all but some seven digits at these prices; what is ours is
// held against two passes in TestWindowsEqualTwoPasses. It begins MACD's signal line at
// 0 instead of with a mean, which weighs less than 1e-12 after 150 bars.
var askedOf = []asked{
	{"sma", []float64{20}, 19, 0, func(c columns) []float64 { return talib.Sma(c.close, 20) }, byPrice, 1e-13, nil},
	{"sma", []float64{300}, 299, 0, func(c columns) []float64 { return talib.Sma(c.close, 300) }, byPrice, 1e-13, nil},
	{"ema", []float64{20}, 19, 0, func(c columns) []float64 { return talib.Ema(c.close, 20) }, byPrice, 1e-14, nil},
	{"ema", []float64{200}, 199, 0, func(c columns) []float64 { return talib.Ema(c.close, 200) }, byPrice, 1e-14, nil},
	{"twap", []float64{15}, 14, 0, func(c columns) []float64 { return talib.Sma(c.middle, 15) }, byPrice, 1e-13, nil},
	{"macd", nil, 25, 8, func(c columns) []float64 { return first(talib.Macd(c.close, 12, 26, 9)) }, byPrice, 1e-14, nil},
	{"macd_signal", nil, 33, 150, func(c columns) []float64 { return second(talib.Macd(c.close, 12, 26, 9)) }, byPrice, 1e-14, nil},
	{"macd_hist", nil, 33, 150, func(c columns) []float64 { return third(talib.Macd(c.close, 12, 26, 9)) }, byPrice, 1e-14, nil},
	{"bb_upper", []float64{20, 2}, 19, 0, func(c columns) []float64 { return first(bands(c, 20)) }, byPrice, 1e-7, nil},
	{"bb_middle", []float64{20, 2}, 19, 0, func(c columns) []float64 { return second(bands(c, 20)) }, byPrice, 1e-13, nil},
	{"bb_lower", []float64{20, 2}, 19, 0, func(c columns) []float64 { return third(bands(c, 20)) }, byPrice, 1e-7, nil},
	{"rsi", []float64{14}, 14, 0, func(c columns) []float64 { return talib.Rsi(c.close, 14) }, byHundred, 1e-14, nil},
	{"rsi", []float64{2}, 2, 0, func(c columns) []float64 { return talib.Rsi(c.close, 2) }, byHundred, 1e-14, nil},
	{"atr", []float64{14}, 14, 0, func(c columns) []float64 { return talib.Atr(c.high, c.low, c.close, 14) }, byPrice, 1e-14, nil},
	{"atr_pct", []float64{14}, 14, 0, func(c columns) []float64 { return talib.Natr(c.high, c.low, c.close, 14) }, byHundred, 1e-14, nil},
	{"adx", []float64{14}, 27, 0, func(c columns) []float64 { u := units(c); return talib.Adx(u.high, u.low, u.close, 14) }, byHundred, 1e-14, nil},
	{"plus_di", []float64{14}, 14, 0, func(c columns) []float64 { u := units(c); return talib.PlusDI(u.high, u.low, u.close, 14) }, byHundred, 1e-14, nil},
	{"minus_di", []float64{14}, 14, 0, func(c columns) []float64 { u := units(c); return talib.MinusDI(u.high, u.low, u.close, 14) }, byHundred, 1e-14, nil},
	{"dc_upper", []float64{20}, 19, 0, func(c columns) []float64 { return talib.Max(c.high, 20) }, byPrice, 0, nil},
	{"dc_lower", []float64{20}, 19, 0, func(c columns) []float64 { return talib.Min(c.low, 20) }, byPrice, 0, nil},
	{"dc_middle", []float64{20}, 19, 0, func(c columns) []float64 { return talib.MidPrice(c.high, c.low, 20) }, byPrice, 1e-14, nil},
	{"stoch_k", []float64{14, 3, 3}, 15, 2, func(c columns) []float64 {
		u := units(c)
		k, _ := talib.Stoch(u.high, u.low, u.close, 14, 3, talib.SMA, 3, talib.SMA)
		return k
	}, byHundred, 1e-13, flat},
	{"stoch_d", []float64{14, 3, 3}, 17, 0, func(c columns) []float64 {
		u := units(c)
		_, d := talib.Stoch(u.high, u.low, u.close, 14, 3, talib.SMA, 3, talib.SMA)
		return d
	}, byHundred, 1e-13, flat},
	{"obv", nil, 0, 0, func(c columns) []float64 { return talib.Obv(c.close, c.volume) }, byVolume, 1e-13, nil},
}

func TestIndicatorsEqualTheOracle(t *testing.T) {
	for _, a := range askedOf {
		worst := 0.0
		for name, bars := range inputs(t) {
			c := columnsOf(bars)
			want := a.oracle(c)
			in, out := build(t, a.name, a.args...)
			for i := range bars {
				in.(ofBars).OnBar(&bars[i])
				got, ok := in.Value(out, 0)
				if ok != (i >= a.ready) {
					t.Fatalf("%s on %s: ready is %v at bar %d, want it from bar %d on", a.name, name, ok, i, a.ready)
				}
				if i < a.ready+a.settle || a.except != nil && a.except(c, i) {
					continue
				}
				off := math.Abs(got-want[i]) / a.by(c, i)
				worst = max(worst, off)
				if !(off <= a.allowed) {
					t.Fatalf("%s%v on %s, bar %d: got %v, the oracle has %v: off by %.2g, want at most %.2g", a.name, a.args, name, i, got, want[i], off, a.allowed)
				}
			}
		}
		t.Logf("%-12s %-10s off by %.1e, allowed %.0e", a.name, fmt.Sprint(a.args), worst, a.allowed)
	}
}

// Sums that are moved along must not wear out.
func TestAYearOfMinutesDoesNotDrift(t *testing.T) {
	const n = 525_600
	bars := walk(5, n, 60000, 1e-4)
	sma, bb := NewSMA(1000), NewBollinger(1000, 2)
	for i := range bars {
		sma.OnBar(&bars[i])
		bb.OnBar(&bars[i])
	}
	var last []float64
	for _, b := range bars[n-1000:] {
		last = append(last, whole(b.Close))
	}
	mean, dev := twoPasses(last)
	got, _ := sma.Value(0, 0)
	upper, _ := bb.Value(0, 0)
	if off := math.Abs(got-mean) / mean; off > 1e-14 {
		t.Errorf("SMA is off by %.2g", off)
	}
	if off := math.Abs(upper-mean-2*dev) / (2 * dev); off > 1e-9 {
		t.Errorf("the band is off by %.2g of its width", off)
	}
}

// twoPasses are mean and standard deviation as the book defines them.
func twoPasses(v []float64) (mean, dev float64) {
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for _, x := range v {
		dev += (x - mean) * (x - mean) / float64(len(v))
	}
	return mean, math.Sqrt(dev)
}

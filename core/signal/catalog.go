package signal

import (
	"errors"
	"math"

	"riposte/core"
)

// lengthMax bounds what an indicator may remember: 4096 bars.
const lengthMax = 4096

func length(name string, def float64) Param { return Param{name, Length, 2, lengthMax, def} }

// must is the default of a parameter that has none.
var must = math.NaN()

var (
	halfLife = []Param{{"half_life", Span, 0.1, 86400, must}}
	bars     = []Param{length("length", must)}
)

func one(name string, unit Unit, doc string) []output { return []output{{name, unit, doc}} }

func barField(name string, unit Unit, doc string, of func(*Bar) float64) family {
	return family{of: Bars, params: []Param{{"ago", Length, 0, 1000, 0}}, outputs: one(name, unit, doc),
		build: func(a []float64) Indicator { return newField(int(a[0]), of) }}
}

func touchFamily(name string, unit Unit, doc string, f func(*core.Top) float64) family {
	return family{of: Touch, outputs: one(name, unit, doc), build: func([]float64) Indicator { return &touchNow{f: f} }}
}

func heldFamily(f func(*core.Top) float64, outputs ...output) family {
	return family{of: Touch, params: halfLife, outputs: outputs,
		build: func(a []float64) Indicator { return &heldTouch{h: held{fade: fade{half: a[0]}}, f: f} }}
}

func pattern(name string, need int, doc string, f func(*candles) int) family {
	return family{of: Bars, outputs: one(name, Number, doc), build: func([]float64) Indicator { return newCandle(need, f) }}
}

// catalog is every indicator with its names. The functions in the first part read
// bars; ago = 1 is the bar before the newest.
var catalog = []family{
	barField("open", InPrice, "first price of the bar", func(b *Bar) float64 { return whole(b.Open) }),
	barField("high", InPrice, "highest price of the bar", func(b *Bar) float64 { return whole(b.High) }),
	barField("low", InPrice, "lowest price of the bar", func(b *Bar) float64 { return whole(b.Low) }),
	barField("close", InPrice, "last price of the bar", func(b *Bar) float64 { return whole(b.Close) }),
	barField("volume", InBase, "traded quantity of the bar", func(b *Bar) float64 { return b.Volume }),
	barField("taker_buy", InBase, "quantity of the bar that buyers took", func(b *Bar) float64 { return b.TakerBuy }),
	barField("trades", Number, "trades of the bar", func(b *Bar) float64 { return float64(b.Trades) }),
	{of: Bars, params: bars, outputs: one("sma", InPrice, "mean of the last closes"),
		build: func(a []float64) Indicator { return NewSMA(int(a[0])) }},
	{of: Bars, params: bars, outputs: one("ema", InPrice, "exponential mean of closes, begun with their mean"),
		build: func(a []float64) Indicator { return NewEMA(int(a[0])) }},
	{of: Bars, params: []Param{length("fast", 12), length("slow", 26), length("signal", 9)},
		outputs: []output{{"macd", InPrice, "fast less slow EMA"}, {"macd_signal", InPrice, "EMA of macd"}, {"macd_hist", InPrice, "macd less macd_signal"}},
		check: func(a []float64) error {
			if a[0] >= a[1] {
				return errors.New("fast is not less than slow")
			}
			return nil
		},
		build: func(a []float64) Indicator { return NewMACD(int(a[0]), int(a[1]), int(a[2])) }},
	{of: Bars, params: []Param{length("length", 20), {"deviations", Real, 0.1, 10, 2}},
		outputs: []output{{"bb_upper", InPrice, "Bollinger's upper band"}, {"bb_middle", InPrice, "mean of the last closes"},
			{"bb_lower", InPrice, "Bollinger's lower band"}, {"bb_width", Percent, "upper less lower band in percent of the middle"},
			{"bb_position", Number, "where the close lies: 0 at the lower band, 1 at the upper"}},
		build: func(a []float64) Indicator { return NewBollinger(int(a[0]), a[1]) }},
	{of: Bars, params: bars, outputs: one("vwap", InPrice, "mean price by volume of the last bars"),
		build: func(a []float64) Indicator { return NewVWAP(int(a[0])) }},
	{of: Bars, outputs: one("vwap_day", InPrice, "mean price by volume since the UTC day began"),
		build: func([]float64) Indicator { return new(DayVWAP) }},
	{of: Bars, params: bars, outputs: one("twap", InPrice, "mean of (open + high + low + close) / 4 of the last bars"),
		build: func(a []float64) Indicator { return NewTWAP(int(a[0])) }},
	{of: Bars, params: []Param{length("length", 14)}, outputs: one("rsi", Percent, "Wilder's relative strength, 0 to 100"),
		build: func(a []float64) Indicator { return NewRSI(int(a[0])) }},
	{of: Bars, params: []Param{length("length", 14), {"smooth", Length, 1, lengthMax, 3}, {"signal", Length, 1, lengthMax, 3}},
		outputs: []output{{"stoch_k", Percent, "where the close lies in the last bars' range, smoothed"}, {"stoch_d", Percent, "mean of stoch_k"}},
		build:   func(a []float64) Indicator { return NewStochastic(int(a[0]), int(a[1]), int(a[2])) }},
	{of: Bars, outputs: one("obv", InBase, "volume of bars that closed higher less that of those lower"),
		build: func([]float64) Indicator { return new(OBV) }},
	{of: Bars, params: bars, outputs: one("rv", Bps, "realised volatility per bar: root of the mean squared log return"),
		build: func(a []float64) Indicator { return NewRealizedVol(int(a[0])) }},
	{of: Bars, params: []Param{length("length", 14)},
		outputs: []output{{"atr", InPrice, "Wilder's average true range"}, {"atr_pct", Percent, "atr in percent of the close"}},
		build:   func(a []float64) Indicator { return NewATR(int(a[0])) }},
	{of: Bars, params: []Param{length("length", 14)},
		outputs: []output{{"adx", Percent, "Wilder's average directional index"}, {"plus_di", Percent, "its move up"}, {"minus_di", Percent, "its move down"}},
		build:   func(a []float64) Indicator { return NewADX(int(a[0])) }},
	{of: Bars, params: []Param{length("length", 20)},
		outputs: []output{{"dc_upper", InPrice, "highest high of the last bars"}, {"dc_middle", InPrice, "middle of the last bars' range"}, {"dc_lower", InPrice, "lowest low of the last bars"}},
		build:   func(a []float64) Indicator { return NewDonchian(int(a[0])) }},

	pattern("doji", 1, "opened and closed at one price, nearly", doji),
	pattern("spinning_top", 1, "a small body between two longer shadows", spinningTop),
	pattern("marubozu", 6, "a long body without shadows, +1 up, -1 down", marubozu),
	pattern("hammer", 6, "after a fall, a long shadow below (+1)", hammer),
	pattern("hanging_man", 6, "after a rise, a long shadow below (-1)", hangingMan),
	pattern("inverted_hammer", 6, "after a fall, a long shadow above (+1)", invertedHammer),
	pattern("shooting_star", 6, "after a rise, a long shadow above (-1)", shootingStar),
	pattern("engulfing", 2, "a body around the opposite one before, +1 up, -1 down", engulfing),
	pattern("harami", 7, "a body within the long opposite one before, +1 up, -1 down", harami),
	pattern("piercing", 7, "piercing line (+1), dark cloud cover (-1)", piercing),
	pattern("star", 8, "morning star (+1), evening star (-1)", star),
	pattern("three_soldiers", 3, "three white soldiers (+1), three black crows (-1)", three),
	pattern("tweezer", 7, "tweezer bottom (+1), top (-1)", tweezer),
	pattern("inside_bar", 2, "wholly within the bar before", insideBar),
	pattern("outside_bar", 2, "beyond the bar before on both sides, +1 closed up, -1 down", outsideBar),
	{of: Bars, params: []Param{length("length", 20)}, outputs: one("dc_break", Number, "closed above (+1) or below (-1) the range of the bars before"),
		build: func(a []float64) Indicator { return NewDonchianBreak(int(a[0])) }},
	{of: Bars, params: []Param{length("length", 14), {"ranges", Real, 0.1, 100, 2}}, outputs: one("atr_break", Number, "closed more than so many true ranges above (+1) or below (-1) the close before"),
		build: func(a []float64) Indicator { return NewATRBreak(int(a[0]), a[1]) }},
	{of: Bars, params: []Param{length("length", 7)}, outputs: one("narrow", Number, "narrowest range of the last bars (NR4, NR7)"),
		build: func(a []float64) Indicator { return NewCompression(int(a[0])) }},

	touchFamily("bid", InPrice, "best bid", func(t *core.Top) float64 { return whole(t.Bid) }),
	touchFamily("ask", InPrice, "best ask", func(t *core.Top) float64 { return whole(t.Ask) }),
	touchFamily("mid", InPrice, "middle of the touch", mid),
	touchFamily("microprice", InPrice, "touch weighted by the opposite quantities", func(t *core.Top) float64 { return microprice(t) / core.Scale }),
	touchFamily("imbalance", Number, "(bid - ask) / (bid + ask) of the touch's quantities", imbalance),
	touchFamily("spread", Bps, "ask less bid", spreadBps),
	heldFamily(spreadBps, output{"spread_mean", Bps, "mean spread by time"}, output{"spread_dev", Bps, "its standard deviation"}),
	heldFamily(mid, output{"mid_twap", InPrice, "mean mid by time"}, output{"mid_dev", InPrice, "its standard deviation"}),
	{of: Touch, params: halfLife, outputs: one("ofi", InBase, "order-flow imbalance of the touch (Cont, Kukanov, Stoikov)"),
		build: func(a []float64) Indicator { return NewOFI(a[0]) }},
	{of: Touch, params: halfLife, outputs: one("vol", Bps, "realised volatility of the mid per root of a second"),
		build: func(a []float64) Indicator { return NewVolatility(a[0]) }},
	{of: Trades, params: halfLife,
		outputs: []output{{"flow", InBase, "bought less sold"}, {"flow_share", Number, "bought less sold as a part of all, -1 to +1"},
			{"turnover", InBase, "traded quantity"}, {"trade_rate", Number, "trades a second"}},
		build: func(a []float64) Indicator { return NewFlow(a[0]) }},
	{of: Depth, params: []Param{{"levels", Length, 1, 50, must}}, outputs: one("depth_imbalance", Number, "(bids - asks) / (bids + asks) of the best levels, the nearer the heavier"),
		build: func(a []float64) Indicator { return NewDepthImbalance(int(a[0])) }},
}

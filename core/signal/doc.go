// Package signal computes what strategies read of a market: streaming, O(1) per
// event, no allocation. Signals are the one place where floats are allowed;
// one that becomes a price is rounded by name (Price.TickFloor, TickCeil).
//
//	signal.go      the few that every strategy has at hand
//	bar.go         what indicators read of a bar; tick and volume bars made of trades
//	series.go      which bars: "1m", "100 ticks", "5 base", "kline 1m"
//	window.go      the last n values, their mean, spread and extremes
//	fade.go        averages that forget with a half-life
//	average.go     SMA, EMA, MACD, Bollinger, VWAP, TWAP
//	momentum.go    RSI, Stochastic, OBV, realised volatility
//	trend.go       true range, ATR, ADX, Donchian
//	candle.go      candlestick patterns
//	breakout.go    breakouts and compression
//	touch.go       microprice, imbalance, spread and volatility of the touch
//	flow.go        order-flow imbalance and trade flow
//	registry.go    all of them by name, with parameters that are checked
//	catalog.go     the table of names
//	panel.go       those that one instrument's rules name, fed from one place
//	program.go     an expression over a panel, compiled
//	rules.go       the configuration's signals: when they fire, and for how long
//	mark.go        signals that wait for what the price did after them
//	score.go       what a source of signals is worth by that
//
// An indicator that has not seen enough is not ready: its value comes with ok =
// false, never as a zero. Bars are taken once, in order, when nothing can change
// them any more. One that is repeated or comes late is refused and counted; one
// after a hole makes the indicators of its series begin anew, because a mean of
// twenty bars that are not consecutive is not what its name says.
package signal

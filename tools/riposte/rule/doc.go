// Package rule reads the expressions of the configuration's signals and compiles them
// to what core/signal evaluates.
//
// The language is that of github.com/expr-lang/expr, whose parser reads it; here its
// numbers, comparisons, and, or, not, ?: and the functions abs, min, max, crossed_above
// and crossed_below, with every indicator of core/signal as a function:
//
//	ema(1m, 20) > ema(1m, 50) and imbalance() > 0.3
//	crossed_above(close(1m), bb_upper(1m)) and spread() < 2
//
// A duration is written bare (1m, 250ms); bars that are no interval of time are
// written as text ("100 ticks", "kline 1m"). Names, arguments, types and units are
// checked at the start: a price is not compared with a percentage.
//
// Only the parser is the library's. Its own machine boxes each number it touches; a
// program of core/signal allocates nothing and knows what is not ready. The two are
// held against each other by test.
package rule

// Package bar makes bars of trades: open, high, low, close, volumes, counts and trade
// ids over the venue's own intervals, equal to the venue's klines to the last digit.
//
//	interval.go  when a bar opens and ends
//	sum.go       volumes, which need more than 64 bits
//	bar.go       one bar; trades may be added to it in any order
//	builder.go   the bars of one interval: open ones, and which of them are complete
//	series.go    the complete ones, newest first
//
// A bar is told as complete once nothing can change it any more: its time is over, and
// no trade that may belong to it is missing. When that is the case the caller knows,
// who follows the trade ids (core/trail). One goroutine; nothing allocates once built.
package bar

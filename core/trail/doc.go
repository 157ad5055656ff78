// Package trail follows one instrument's public trades without a hole: trade ids are
// gapless per symbol, so the first event that shows a jump shows a hole, which is asked
// for from the venue's memory, filled in order and told as late. Until it is filled no
// bar that it could change is told as complete.
//
//	chain.go    ids that follow each other: what is new, late, double; the open holes
//	trail.go    one instrument: its chains, bars and klines joined
//	ask.go      what is asked of the venue's memory, and what it answers
//	fill.go     answers, taken trade by trade
//	past.go     the bars that a strategy starts with, and how they meet live trades
//	            without hole or double
//	proof.go    what shows that nothing was traded, where no trade follows
//	klines.go   closed klines that follow each other, and their comparison with ours
//	status.go   figures
//
// All of it is the shard's, on its goroutine: pure, without a clock or a connection.
// What it wants is asked for by Ask and comes back by Begin, Take and End. Nothing
// allocates on the way of a live event.
package trail

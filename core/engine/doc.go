// Package engine is the decision core: one shard owns the books, signals,
// strategies and the gate of its instruments and is written by one goroutine.
//
// Every input that can change a decision — market event, order report, snapshot,
// command, timer — enters through Shard.Step, which gives each the next input
// number. Time is read once per input. The same inputs with the same times give
// the same decisions.
//
// Order of service within a Step: commands, then reports (what we own), then
// snapshots, then markets, then timers. Reports come before markets so that a
// strategy never decides on a position that is known to be old.
//
// A symbol whose book is not Live is not shown to its strategy; on demotion its
// own orders are cancelled, since nothing can judge them any more.
package engine

// Package engine is the decision core: one shard owns the books, signals,
// strategies and the gate of its instruments and is written by one goroutine.
//
// Every input that can change a decision — market event, order report, snapshot,
// command, timer — enters through Shard.Step, which gives each the next input
// number. A strategy sees one time per input; the clock is read again where an
// order goes to the gate, which judges the book's age and the order rate by that
// later time. The same inputs with the same clock readings and room in the
// outbound ring give the same decisions, to the byte.
//
// An input log (inputs.go) keeps those inputs, readings and decisions, and a Replay
// decides again and says where it differs. What is added to what a Step takes, or asks of
// other goroutines, is added to the log, in inputs.go, inputs_codec.go and replay.go.
//
// Order of service within a Step: commands, then reports (what we own), then
// snapshots, then what the venue's memory told of missed trades (trail.go), then
// signals from outside (airlock.go), then markets, then timers. Reports come before
// markets so that a strategy never decides on a position that is known to be old. As soon
// as an event has led to an order the Step ends: whoever sends it gets its turn, and timers
// wait for a Step in which all markets had theirs. Not for long: the gate's rates bound how
// often in a row something is handed on.
//
// A Live book's depth is kept up in the background (depth.go): more of it, further along
// with the touch, and now and then held against a snapshot.
//
// A symbol whose book is not Live is not shown to its strategy; on demotion its
// own orders are cancelled, since nothing can judge them any more. Likewise all
// own orders when a new cause halts trading. A cancel of the shard's own that
// finds the outbound ring full is repeated until it is through.
package engine

// Package book keeps one instrument's order book and the proof that it is true.
//
//	Book    the ladder: set levels, read the top, walk the depth
//	Sync    what may go into a Book and when it may be read: snapshots, update
//	        ids, gaps, the cross-check against the touch
//	Image   a book as one snapshot told it
//	Audit   a book held against a snapshot at the same update id
//
// Map of the files: ladder.go one side, slots near the touch; far.go the levels
// beyond; tune.go the choice of window; walk.go and canonical.go reading;
// sync.go the state machine, rule.go the venues' update-id rules, touch.go the
// cross-check; want.go why a snapshot is asked for, recent.go how one that is older
// than a Live book becomes of use, audit.go the comparison.
//
// Everything here belongs to one goroutine, the engine shard of the instrument,
// does no I/O, knows no clock, and allocates only while a book grows.
package book

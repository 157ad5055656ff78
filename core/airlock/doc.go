// Package airlock judges signals from outside before anything becomes of them: one that
// the market here does not bear out is refused, by the first gate that it fails, with
// the numbers of all gates. It is given numbers and looks at nothing itself, so the same
// alert with the same facts is judged the same, live and in replay.
//
//	alert.go   an alert as it crosses from the intake to the shard, and its text
//	gate.go    the gates in their order, with their units and their words
//	judge.go   bounds, facts, and the verdict
//
// Gates up to Rate are the intake's: what it found wrong comes along in the alert, and
// nothing else of it is believed. All others are judged by the shard, at one instant,
// from its own book, its own trades, the venue's statistics and its own account.
package airlock

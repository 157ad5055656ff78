// Package exec takes approved intents to the venue and brings back what became
// of them. It knows HTTP but no venue: what a request looks like and what an
// answer means comes from a Codec (exec/binance).
//
//	ring of risk.Approved ─► Gateway ─► Codec (bytes, signed) ─► Journal ─► Pool: a warm wire
//	ring of core.Report   ◄─ Table  ◄─ Codec (evidence) ◄─ AnswerReader ◄──────┘
//	                           ▲ user stream (OnExecution), queries and audits (cold)
//
// The files, in reading order:
//
//	exec.go       the two things it needs from outside: Codec and Journal
//	ids.go        client order ids: prefix, boot epoch, sequence
//	answer.go     incremental HTTP/1.1 answer reader
//	wire.go       one connection, one request in flight (flight.go)
//	pool.go       the warm wires: dial, probe, choose, replace, discard
//	frame.go      the second route: connections of frames, and their dialect
//	session.go    one of them, many requests in flight; sessions.go all of them,
//	              lanes.go their lives: logon, signs of life, replacement
//	router.go     which route an order takes (meter.go), way.go by which connection
//	table.go      order state: evidence in any order, one truth out
//	gateway.go    the Step that joins all of it; request.go sends, amend.go what is
//	              about an order that works, outcome.go hears, resolver.go asks
//	handover.go   another codec, for another key, between two Steps
//	keyrefused.go what a refused key bars until it is changed
//	budget.go     weights, order counts, lock-outs
//	venueclock.go what time it is at the venue, and how sure we are
//	resolver.go   ends doubt by asking, never by guessing
//	ledger.go     balances and positions from fills, exact
//	reconcile.go  our view against the venue's, as a list of differences
//	past.go       what a journal tells of former lives
//	recover.go    how a start takes them over
//
// Threads. One goroutine, the loop, calls Step and the On... methods; it owns
// wires, table and ledger. Dialing and REST calls run on goroutines of their own
// and hand over through single-slot atomics polled by Step. Budget and
// VenueClock may be used from any goroutine.
//
// Truth. The outcome of a request is accepted, refused or unknown. Nothing that
// creates an order is ever sent twice; only venue evidence ends doubt.
package exec

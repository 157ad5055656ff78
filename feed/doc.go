// Package feed brings bytes in and hands events out: the sessions that keep a
// venue's connections alive, subscribed and watched, and the fetchers of
// snapshots and of missed trades. It knows no venue; a venue's codec is given to it (codec.go).
//
//	session.go    one market connection: subscribe, confirm, decode into queues
//	lines.go      redundant connections, each replaced before it ends
//	arbiter.go    what comes first is published; gaps wait for another line (held.go, timed.go)
//	gaps.go       what a line did not bring
//	lead.go       who was first, and by how much
//	queues.go     the queues' side: what a full queue and a lost line become, signs of life
//	watch.go      silence, told apart from death
//	user.go       one WebSocket API connection: the account's own events
//	errands.go    what both cold fetchers share: so many at a time, answers by a ring
//	snapshots.go  cold fetcher of snapshots: most urgent and most important first, inside
//	              the venue's weight, small ones where it does not suffice for all
//	backfill.go   cold fetcher of trades and klines that a trail has missed
//	line.go       what both kinds of connection share: dial, back off, rotate, ping
//	budget.go     the venue's allowance of connection attempts, shared by all
//	backoff.go    exponential backoff with full jitter
//
// Threads. Step of every object here is called by one loop goroutine and does
// what there is to do without waiting. Dialing, handshakes and fetching happen
// on ordinary goroutines that the object starts, and end before its Close
// returns. Counters and states may be read from any goroutine.
//
// Redundant lines: each Session decodes straight into the queue's next slot, and the
// arbiter decides whether that slot is published. All connections are stepped by one
// goroutine, so the queues keep one writer however many lines there are.
package feed

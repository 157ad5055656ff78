// Package feed brings bytes in and hands events out: the sessions that keep a
// venue's connections alive, subscribed and watched, and the fetcher of
// snapshots. It knows no venue; a venue's codec is given to it (codec.go).
//
//	session.go    one market connection: subscribe, confirm, decode into queues
//	publish.go    the queues' side: what a full queue and a lost line become
//	watch.go      silence, told apart from death
//	alive.go      quiet instruments hear that their line is alive
//	user.go       one WebSocket API connection: the account's own events
//	snapshots.go  cold fetcher of snapshots, most important first
//	line.go       what both kinds of connection share: dial, back off, rotate, ping
//	budget.go     the venue's allowance of connection attempts, shared by all
//	backoff.go    exponential backoff with full jitter
//
// Threads. Step of every object here is called by one loop goroutine and does
// what there is to do without waiting. Dialing, handshakes and fetching happen
// on ordinary goroutines that the object starts, and end before its Close
// returns. Counters and states may be read from any goroutine.
//
// Redundant lines: a Session stamps its line number on every event, and keeps
// nothing that another line would need. Joining several is the arbiter's work.
package feed

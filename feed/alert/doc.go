// Package alert hears signals from outside: messages in JSON that come to a webhook or on
// a WebSocket, of whatever shape, and makes core/airlock's alerts of them.
//
//	mapping.go   which fields of a message say what; the strict reading of it
//	auth.go      who a message is from: HMAC over timestamp and body, or a token
//	seen.go      what has been heard before, bounded
//	source.go    one source: all checks in order, counters, the way to the shard
//	inbox.go     the ring to the shard, for many writers
//	socket.go    a WebSocket source: dial, subscribe, read, come back
//
// A message that is not what it should be is refused with one line that names the source
// and the field, and counted; nothing of it is believed. What is refused here still goes
// to the shard, a few a second at most, so that the journal has it. All of this is cold:
// it runs on goroutines of its own, the shard reads a ring.
package alert

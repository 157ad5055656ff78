// Package journal is the record format of everything that must survive the
// process: what was intended, sent, heard and refused. It is a codec without
// files; who writes where, and when it is synced, is decided elsewhere.
//
// A journal is records one after the other, all numbers little endian:
//
//	offset  size
//	 0      4    length   bytes from offset 8 to the end: 10 + payload
//	 4      4    checksum CRC-32C of the length and of all from offset 8
//	 8      8    sequence one more than the record before
//	16      1    kind
//	17      1    version  of the payload's layout
//	18      …    payload
//
// Payloads are fields in a fixed order, a text as one byte of length and its
// bytes, a list of levels as a four-byte count and pairs of price and quantity.
// The struct of a kind lists its fields in their order on disk. A new field goes
// to the end under a new version; what a version meant never changes, and a program
// reads all versions up to its own.
//
//	session.go   a run's start and end, halts, limits in force, audits
//	order.go     intents, reports, refusals
//	state.go     files and their sums; what a run starts from
//	market.go    market events and snapshots
//	signal.go    signals heard, what became of them, what the price did after
//
// # Damage
//
// A crash can leave the last record incomplete, and that tail, and only that, may
// be cut off. So a record that does not check is one of two things, and the
// Reader reads on to find out which: if no valid record follows, it is a torn
// tail; if one does, records that were once whole are damaged or missing, and no
// journal in that state may be continued. The checksum covers the length, so a
// damaged length cannot make the reader skip records silently, and the sequence
// shows records that are gone as a whole.
package journal

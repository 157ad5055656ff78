// Package oracle judges an engine from outside. It is shown every byte that the engine
// read from and wrote to its connections, what the venue's exchange did, what stands on
// disk, and a narrow dump of what the engine believes, in the order in which it all
// happened; each checker holds that against one promise. It shares nothing with the
// engine: bytes are parsed here a second time, numbers are plain int64 at 1e-8, times are
// virtual nanoseconds.
//
//	oracle.go   facts, checkers and the sheet that collects what they found
//	fact.go     what can happen
//	wire.go     the bytes of one connection, both ways: HTTP/1.1, then frames after an upgrade
//	message.go  what requests, answers and frames say
//	number.go   decimal numbers
//	journal.go  the least that can be said of a journal's bytes
//	book.go     P2, P3: what a strategy saw, and how old an order's data was
//	intent.go   P4, P12: on disk before on the wire, and under our own name
//	doubt.go    P6, P10: what became of orders; heard.go what the stream told of them
//	limits.go   P11, P22: the worst case, and what has a bound
//	halt.go     P13, P14: halts hold
//	account.go  P16, P17, P21: cut off, not reconciled, not alone
//	wayout.go   P15: there is a way to cancel
//	disk.go     P18, P19; clock.go P20; citizen.go P25; face.go P26
//	story.go    the story of each order against the venue's
//
// A checker says nothing when it is not sure: what it does say is a violation.
package oracle

// Package store keeps what must survive the process on disk: for now the order
// journal.
//
//	journal.go   one run's journal: what is noted, and when
//	window.go    the piece of the file that is in memory, and the next one, made ahead
//	reader.go    a journal read back: what is record, room kept ahead, or damage
package store

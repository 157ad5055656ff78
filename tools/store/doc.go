// Package store keeps what must survive the process on disk, and what the processes of
// a host share.
//
//	folder.go    a journal's folder: one process has it; the epoch of each run
//	recover.go   the first half of a start: files read back and held against each other
//	journal.go   one run's journal: what is noted, and when
//	refused.go   refusals that are alike, counted
//	window.go    the piece of a file that is in memory
//	keeper.go    windows and files made ahead, finished ones summed; trouble with the disk
//	reader.go    a file read back: what is record, room kept ahead, or damage
//	verify.go    a whole journal held against itself
//	tail.go      records read on while they are being written
//	disk.go      the file system, as far as the journal uses it
//	shared.go    memory that all processes of a host see
package store

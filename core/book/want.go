package book

import "riposte/core"

// Purpose is what a snapshot is wanted for, most urgent first.
type Purpose uint8

// The purposes.
const (
	ForBridge Purpose = iota // events wait for it: the book cannot be read until it comes
	ForEdge                  // a Live book's touch nears the end of what is known
	ForRange                 // a Live book knows less depth than it should
	ForAudit                 // a Live book is to be held against it
	Purposes                 // how many there are
)

func (p Purpose) String() string { return [...]string{"bridge", "edge", "range", "audit"}[p] }

// Want is one instrument's request for a snapshot; it crosses a ring from the shard
// to whoever fetches.
type Want struct {
	Instrument core.InstrumentID
	Purpose    Purpose
	Again      bool   // the last one was of no use: do not hurry
	Down       uint16 // books of the shard that are not Live, this one included
	Levels     uint16 // how many a side suffice, 0: as many as can be had
}

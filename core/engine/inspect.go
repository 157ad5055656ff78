package engine

import (
	"riposte/core"
	"riposte/core/book"
	"riposte/core/trail"
)

// Sync is the book state of a followed instrument, nil of others: for replay and
// tests, on the shard's goroutine.
func (s *Shard) Sync(id core.InstrumentID) *book.Sync {
	if m := s.byID[id]; m != nil {
		return m.sync
	}
	return nil
}

// Trail is what is followed of an instrument's trades, nil without: for tests, likewise.
func (s *Shard) Trail(id core.InstrumentID) *trail.Trail {
	if m := s.byID[id]; m != nil {
		return m.trail
	}
	return nil
}

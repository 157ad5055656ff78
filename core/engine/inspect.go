package engine

import (
	"riposte/core"
	"riposte/core/book"
)

// Sync is the book state of a followed instrument, nil of others: for replay and
// tests, on the shard's goroutine.
func (s *Shard) Sync(id core.InstrumentID) *book.Sync {
	if m := s.byID[id]; m != nil {
		return m.sync
	}
	return nil
}

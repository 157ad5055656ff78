package bar

import "riposte/core"

// Series is the newest complete bars of one interval, without holes: each starts where
// the one before ends. One goroutine writes and reads it.
type Series struct {
	interval Interval
	bars     []Bar // a ring
	total    uint64
}

// NewSeries keeps that many bars.
func NewSeries(v Interval, keep int) *Series {
	return &Series{interval: v, bars: make([]Bar, max(keep, 1))}
}

// Interval is the bars'.
func (s *Series) Interval() Interval { return s.interval }

// Len is how many bars are kept now.
func (s *Series) Len() int { return int(min(s.total, uint64(len(s.bars)))) }

// Total is how many there ever were.
func (s *Series) Total() uint64 { return s.total }

// At is a bar, 0 the newest; nil beyond Len. It stays what it is until the next event.
func (s *Series) At(i int) *Bar {
	if i < 0 || i >= s.Len() {
		return nil
	}
	return &s.bars[(s.total-1-uint64(i))%uint64(len(s.bars))]
}

// Find is the bar that starts at an instant, nil if it is not kept.
func (s *Series) Find(start core.WallNs) *Bar {
	lo, hi := 0, s.Len() // newest first: starts fall
	for lo < hi {
		if mid := (lo + hi) / 2; s.At(mid).Start > start {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if b := s.At(lo); b != nil && b.Start == start {
		return b
	}
	return nil
}

// Push adds the next bar and returns where it lies.
func (s *Series) Push(b *Bar) *Bar {
	at := &s.bars[s.total%uint64(len(s.bars))]
	*at = *b
	s.total++
	return at
}

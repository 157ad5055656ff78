package trail

// Status is an instrument's trail in figures.
type Status struct {
	Late, Doubles uint64 // trades and aggregates told late, or twice
	Holes         uint64 // ever seen
	Open          int    // of them, open now
	OpenIDs       uint64 // that are missing now
	Restarts      uint64 // times that the venue started its ids over
	Absent        uint64 // ids that the venue says nothing is behind
	Unfilled      uint64 // holes given up,
	UnfilledIDs   uint64 // and the ids in them
	LastUnfilled  [2]uint64
	AggTears      uint64 // aggregates that did not begin with the trade after the one before

	Bars    uint64 // complete, all intervals
	Broken  uint64 // of them, with trades missing for good
	Stray   uint64 // trades that came after their bar was told as complete
	Matched uint64 // bars equal to the venue's kline
	Differ  uint64 // bars that are not
	First   string // the first that was not

	KlinesFilled, KlinesUnfilled uint64
	Asked                        uint64 // questions to the venue's memory

	Wanted, Warm bool   // a past; is it there
	Failed       string // why it will not be
}

// Status is the figures now. Cold.
func (t *Trail) Status() Status {
	s := Status{Matched: t.matched, Differ: t.differ, First: t.firstDiffer, Asked: t.asked, AggTears: t.aggTears,
		Wanted: t.past.wanted, Warm: t.Warm(), Failed: t.past.failed}
	for _, c := range [...]*chain{&t.trades, &t.aggs} {
		s.Late += c.late
		s.Doubles += c.doubles
		s.Holes += c.found
		s.Absent += c.absent
		s.Restarts += c.restarts
		s.Unfilled += c.unfilled
		s.UnfilledIDs += c.unfilledIDs
		if c.unfilled > 0 {
			s.LastUnfilled = [2]uint64{c.lastUnfilled.From, c.lastUnfilled.To}
		}
		s.Open += len(c.holes)
		for i := range c.holes {
			s.OpenIDs += c.holes[i].Size()
		}
	}
	for _, b := range t.builders {
		n := b.Counts()
		s.Bars += n.Bars
		s.Broken += n.Broken
		s.Stray += n.Stray
	}
	for i := range t.klines {
		s.KlinesFilled += t.klines[i].filled
		s.KlinesUnfilled += t.klines[i].unfilled
	}
	return s
}

// Holes are the open holes of the trades, or of the aggregates, oldest first. They are
// the trail's own, to be looked at before the next event.
func (t *Trail) Holes(aggs bool) []Hole {
	if aggs {
		return t.aggs.holes
	}
	return t.trades.holes
}

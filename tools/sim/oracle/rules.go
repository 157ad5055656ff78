package oracle

// Rules are what the engine was told to keep to. Durations are
// nanoseconds, quantities and amounts at 1e-8.
type Rules struct {
	Prefix  string // of client ids
	Symbols map[string]Symbol

	RateMax          int // order-creating requests within RateSpan
	RateSpan         int64
	StrategyRateMax  int
	StrategyRateSpan int64
	RejectMax        int // refusals in a row before trading stops

	Stale       int64 // how old a market's data may be
	ClockError  int64 // by which the engine may mistake the venue's time and still trade
	Life        int64 // how long an approved order may wait for its wire
	Window      int64 // the recvWindow of orders
	Margin      int64 // beyond it, before absence proves anything
	Span        int64 // from the first absence to the last
	LostAfter   int64 // of account stream or market, before own orders are cancelled
	KeepsOrders bool  // a restart lets orders of former lives work on
	Silence     int64 // how long the account's connection may be silent before it counts as dead

	VenueNow func(at int64) int64 // the venue's time, in ns, at a time of facts
}

// Symbol is what may be done on one, and what it is made of.
type Symbol struct {
	Base, Quote string
	PositionMax int64
	QtyMax      int64
	NotionalMax int64
	OpenMax     int
}

// All are the checkers of this package, for one run.
func All(r *Rules) []Checker {
	return []Checker{
		newSeen(r), newAge(r), newIntent(), newTag(r), newDoubt(r), newMonotone(), newHeard(r), newStory(), newWorst(r), newRates(r), newBounds(),
		newHalt(r), newRejects(r), newKey(), newWayOut(r), newDeadMan(r), newReconciled(r), newForeign(r), newDamage(), newDisk(),
		newClock(r), newCitizen(), newFace(),
	}
}

const (
	ms  = int64(1e6)
	sec = int64(1e9)
)

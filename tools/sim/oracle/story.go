package oracle

import "fmt"

// story is P10, seen from both sides: what the engine says of an order is at all times
// something that the venue could have told it. An order is a register that the venue alone
// writes, in an order that it alone decides: not there, then taken, then traded more and
// more, then over. The engine reads it late, and through answers that were lost, so it may
// be behind and may not know; it may not be ahead, and what it takes for the end must be
// the end.
type story struct {
	orders map[string]*register
	byID   map[venueOrder]*register
}

type venueOrder struct {
	symbol string
	id     int64
}

type register struct {
	client string
	traded int64
	qty    int64
	end    string // "" while it works
	told   bool   // a violation of it was told: one is enough
}

func newStory() *story {
	return &story{orders: map[string]*register{}, byID: map[venueOrder]*register{}}
}

// Promise is P10.
func (*story) Promise() string { return "P10" }

// See takes a fact.
func (s *story) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case Accepted:
		if w.Foreign {
			return
		}
		r := &register{client: w.Client, qty: w.Qty}
		s.orders[w.Client], s.byID[venueOrder{w.Symbol, w.Order}] = r, r
	case Traded:
		if r := s.byID[venueOrder{w.Symbol, w.Order}]; r != nil {
			r.traded += w.Qty
		}
	case Shrunk:
		if r := s.byID[venueOrder{w.Symbol, w.Order}]; r != nil {
			r.qty = w.Qty
		}
	case Ended:
		if r := s.byID[venueOrder{w.Symbol, w.Order}]; r != nil {
			r.end = w.Status
		}
	case Dump:
		for i := range w.Orders {
			s.hold(&w.Orders[i], found)
		}
	}
}

// hold holds what the engine says of an order against its register.
func (s *story) hold(o *OrderDump, found func(string)) {
	r := s.orders[o.Client]
	if r == nil {
		r = &register{client: o.Client} // the venue has never seen it
		if o.Cum > 0 || ended(o.Status) && o.Status != stateNotSent && o.Status != stateRejected {
			found(fmt.Sprintf("%s is %s with %d traded, and the venue has not taken it", o.Client, o.Status, o.Cum))
		}
		return
	}
	if r.told {
		return
	}
	says := func(format string, args ...any) {
		r.told = true
		found(fmt.Sprintf(format, args...))
	}
	switch {
	case o.Cum > r.traded:
		says("%s has traded %d by the engine, %d by the venue", o.Client, o.Cum, r.traded)
	case o.Status == stateNotSent || o.Status == stateRejected:
		says("%s is %s by the engine, and the venue took it", o.Client, o.Status)
	case o.Status == stateFilled && r.traded < r.qty && r.end != stateFilled:
		says("%s is over by the engine, and the venue has traded %d of %d", o.Client, r.traded, r.qty)
	case ended(o.Status) && r.end == "":
		says("%s is %s by the engine and still works", o.Client, o.Status)
	case ended(o.Status) && o.Status != r.end:
		says("%s is %s by the engine, %s by the venue", o.Client, o.Status, r.end)
	}
}

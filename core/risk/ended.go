package risk

import "riposte/core"

// endedMax is how many are remembered; an order that comes back after that halts
// trading, see Report.
const endedMax = 1024

// endedRing remembers orders that ended without evidence from the venue's book:
// Rejected (an answer said so) and NotSent (nobody ever saw them). Such an end can
// turn out wrong, long after: a lagging read, an answer of another request. The
// order then counts again with all that may still trade. Newest kept; searched
// only in that rare case.
type endedRing struct {
	orders [endedMax]Order
	at, n  int
}

func (e *endedRing) add(o *Order) {
	e.orders[e.at] = *o
	e.at = (e.at + 1) % endedMax
	e.n = min(e.n+1, endedMax)
}

// take finds an order and forgets it.
func (e *endedRing) take(id core.OrderID) (Order, bool) {
	for i := range e.orders[:e.n] {
		if e.orders[i].ID == id {
			o := e.orders[i]
			e.orders[i].ID = 0
			return o, true
		}
	}
	return Order{}, false
}

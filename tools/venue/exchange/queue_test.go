package exchange

import "fmt"

// queueModel rebuilds the queues of a book from execution reports alone, as the
// documentation says they work, and says when a maker traded out of its turn: not
// at the best price, not first in line, or more than it displayed. It is only
// told of accounts, so it serves a venue without a market.
type queueModel struct {
	side  [3][]*queued // in the order of queueing
	fresh []*queued    // working, not on the book yet
}

type queued struct {
	id             int64
	side           Side
	price          Fixed
	rem            Fixed
	shown, iceberg Fixed
	rests          bool
}

func (q *queued) display() { q.shown = min(q.rem, q.iceberg) }

// report follows one report; the error is an order out of its turn.
func (m *queueModel) report(r *ExecutionReport) error {
	rem := r.Quantity - r.CumQty - r.PreventedQty
	switch r.Exec {
	case ExecNew:
		if r.OnBook {
			m.settle() // whoever took before rests before the next one takes
			m.add(r, rem)
		}
		return nil
	case ExecTrade:
		if r.Maker {
			return m.made(r, rem)
		}
	}
	q := m.find(r.OrderID)
	if q == nil {
		return nil
	}
	lost := q.rem - rem
	q.rem = rem
	switch {
	case r.Status.Ended():
		m.drop(q)
	case r.Exec == ExecReplaced:
		q.shown = min(q.shown, rem)
	case m.index(q) >= 0:
		q.shown -= lost
		m.refill(q)
	}
	return nil
}

func (m *queueModel) add(r *ExecutionReport, rem Fixed) {
	price := r.Price
	if r.PeggedPrice > 0 {
		price = r.PeggedPrice
	}
	iceberg := r.IcebergQty
	if iceberg == 0 {
		iceberg = 1<<63 - 1
	}
	m.fresh = append(m.fresh, &queued{id: r.OrderID, side: r.Side, price: price, rem: rem, iceberg: iceberg, rests: r.Type.priced() && r.TimeInForce == GTC})
}

// settle puts what is left of the orders that took onto the book, behind everyone.
func (m *queueModel) settle() {
	for _, q := range m.fresh {
		if q.rests && q.rem > 0 {
			q.display()
			m.side[q.side] = append(m.side[q.side], q)
		}
	}
	m.fresh = m.fresh[:0]
}

// made is a fill of a resting order.
func (m *queueModel) made(r *ExecutionReport, rem Fixed) error {
	var best *queued
	for _, q := range m.side[r.Side] {
		if best == nil || r.Side == Buy && q.price > best.price || r.Side == Sell && q.price < best.price {
			best = q
		}
	}
	if best == nil || best.id != r.OrderID || best.price != r.LastPrice || r.LastQty > best.shown {
		return fmt.Errorf("order %d traded %d at %d out of its turn, first is %+v", r.OrderID, r.LastQty, r.LastPrice, best)
	}
	best.rem, best.shown = rem, best.shown-r.LastQty
	if r.Status.Ended() {
		m.drop(best)
	} else {
		m.refill(best)
	}
	return nil
}

func (m *queueModel) refill(q *queued) {
	if q.shown == 0 {
		m.drop(q)
		q.display()
		m.side[q.side] = append(m.side[q.side], q)
	}
}

func (m *queueModel) find(id int64) *queued {
	for _, list := range [3][]*queued{m.side[Buy], m.side[Sell], m.fresh} {
		for _, q := range list {
			if q.id == id {
				return q
			}
		}
	}
	return nil
}

func (m *queueModel) index(q *queued) int {
	for i, p := range m.side[q.side] {
		if p == q {
			return i
		}
	}
	return -1
}

func (m *queueModel) drop(q *queued) {
	m.side[q.side] = without(m.side[q.side], q)
	m.fresh = without(m.fresh, q)
}

// compare says whether the displayed book is the model's.
func (m *queueModel) compare(bids, asks []Level) error {
	for side, levels := range map[Side][]Level{Buy: bids, Sell: asks} {
		want := map[Fixed]Fixed{}
		for _, q := range m.side[side] {
			want[q.price] += q.shown
		}
		if len(want) != len(levels) {
			return fmt.Errorf("%s: the reports make %d levels, the book has %d", side, len(want), len(levels))
		}
		for _, l := range levels {
			if want[l.Price] != l.Qty {
				return fmt.Errorf("%s at %d: the reports make %d, the book has %d", side, l.Price, want[l.Price], l.Qty)
			}
		}
	}
	return nil
}

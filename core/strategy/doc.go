// Package strategy holds riposte's own strategies. A new one is a new file here,
// or a package of the user's own that calls engine.Register.
//
//	reflex   one order per change of the best bid: the yardstick of tick-to-order
//	quoter   rests a post-only order on each side and leans against its inventory; by fixed
//	         distances, or by a model of the market's own figures (model.go)
//	follower trades signals: entry, stop, take-profit, trailing stop, time
//	execution carries out one order: twap, pov, iceberg, peg, sweep
//
// meter.go measures the trades between others, cost.go compares posting with taking.
package strategy

import (
	"riposte/core"
	"riposte/core/engine"
)

func init() {
	engine.Register("reflex", NewReflex)
	engine.Register("quoter", NewQuoter)
	engine.Register("follower", NewFollower)
	engine.Register("execution", NewExecution)
}

// smallest is the least quantity that the symbol's lot and notional rules allow
// at that price, with a tenth to spare so that a small move does not undo it.
func smallest(in *core.Instrument, p core.Price) core.Qty {
	f := &in.Filters
	lot := max(f.Lot, 1)
	q := max(f.QtyMin, lot)
	if p > 0 && f.NotionalMin > 0 {
		need := core.NotionalOfAmount(f.NotionalMin + f.NotionalMin/10)
		q = max(q, core.Qty(need.Div(uint64(p)))+1)
	}
	if off := q % lot; off != 0 {
		q += lot - off
	}
	return q
}

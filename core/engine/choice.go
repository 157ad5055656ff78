package engine

import (
	"time"

	"riposte/core"
)

// Choice is why an order was posted, or taken at once: what each was expected to cost
// against the mid, in 1/10000 of the value, and what that was made of. For the record; it
// decides nothing.
type Choice struct {
	Order      core.OrderID
	Input      uint64
	Instrument core.InstrumentID
	Strategy   uint16
	Maker      bool    // it was posted
	MakerBps   float64 // expected cost of posting; the lower one was chosen
	TakerBps   float64 // and of taking
	Spread     float64 // half of it
	Impact     float64 // of taking all of it, beyond the half spread
	Fill       float64 // probability that the posted one trades within Horizon
	Adverse    float64 // the mid's expected move against a posted one that trades
	Miss       float64 // and away from one that does not
	Horizon    time.Duration
}

// Chose tells the record by which costs an own order was chosen; c.Order is
// the id that it gave.
func (v *View) Chose(c Choice) {
	if v.s.cfg.Chosen != nil {
		c.Input, c.Instrument, c.Strategy = v.s.input, v.m.id, v.n
		v.s.choice = c
		v.s.cfg.Chosen(&v.s.choice)
	}
}

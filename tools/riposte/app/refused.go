package app

import (
	"riposte/core"
	"riposte/core/ring"
	"riposte/core/risk"
)

// refusals keeps, for each reason, what the gate's newest refusal was judged by. The
// engine's thread fills the ring and never waits for it; the printing goroutine reads.
type refusals struct {
	ring *ring.Ring[risk.Denial]
	last [risk.RefusalCount]string
}

func newRefusals() *refusals { return &refusals{ring: ring.New[risk.Denial](denialsRing)} }

// explain takes what has come: which rule, what value met it, the nearest legal one.
func (f *refusals) explain(d *desk) {
	for list := f.ring.Pending(); len(list) > 0; list = f.ring.Pending() {
		for i := range list {
			x := &list[i]
			if int(x.Intent.Instrument) >= len(d.table.List) {
				continue
			}
			in := d.table.Get(x.Intent.Instrument)
			limits, account := d.control.limitsOf(in.ID)
			f.last[x.Refusal] = risk.Explain(x, in, &limits, &account)
		}
		f.ring.Release(len(list))
	}
}

// limitsOf is a copy of the limits in force.
func (c *control) limitsOf(id core.InstrumentID) (risk.Limits, risk.AccountLimits) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.limitsSet[id], c.accountSet
}

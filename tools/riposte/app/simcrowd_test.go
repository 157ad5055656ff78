package app

import (
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
)

// Strategies for what quoters hardly meet: orders that outlive most faults, and more
// orders at once than there are ways for.

func init() {
	engine.Register("watched-deep", func(*core.Instrument, *engine.Params) (engine.Strategy, error) {
		return watched{&deep{}, simWatching.r.life}, nil
	})
	engine.Register("watched-burst", func(*core.Instrument, *engine.Params) (engine.Strategy, error) {
		return watched{&burst{}, simWatching.r.life}, nil
	})
}

// deep rests orders that hardly ever trade, and takes each back after a while.
type deep struct{ turn uint64 }

// Market does nothing.
func (d *deep) Market(*engine.View, *core.Event) {}

// Report does nothing.
func (d *deep) Report(*engine.View, *core.Report, *risk.Order) {}

// Timer rests one order more, or takes one back.
func (d *deep) Timer(v *engine.View) {
	const each, life = 5, core.MonoNs(30 * time.Second)
	if d.turn++; d.turn%each != 0 {
		return
	}
	top, in := v.Top(), v.Instrument()
	if top.Bid == 0 || top.Ask == 0 {
		return
	}
	var old core.OrderID
	v.Orders(func(o *risk.Order) bool {
		if v.Now()-o.Approved > life && !o.Canceling {
			old = o.ID
		}
		return old == 0
	})
	if old != 0 {
		v.Cancel(old)
		return
	}
	away := core.Price(1 + d.turn/each%10) // thousandths
	q := (v.Limits().QtyMax / 2).LotFloor(in.Filters.Lot)
	if d.turn/each%2 == 0 {
		_, _ = v.Limit(core.Buy, top.Bid-top.Bid/1000*away/in.Filters.Tick*in.Filters.Tick, q)
	} else {
		_, _ = v.Limit(core.Sell, top.Ask+top.Ask/1000*away/in.Filters.Tick*in.Filters.Tick, q)
	}
}

// burst asks for many orders in one call, and for as many cancels in one later.
type burst struct {
	turn uint64
	last core.MonoNs
}

// Market asks for many.
func (b *burst) Market(v *engine.View, _ *core.Event) {
	const pause, many = core.MonoNs(700 * time.Millisecond), 8
	top, in := v.Top(), v.Instrument()
	if v.Now()-b.last < pause || top.Bid == 0 || top.Ask == 0 {
		return
	}
	b.last = v.Now()
	if b.turn++; b.turn%4 == 0 {
		var ids []core.OrderID
		v.Orders(func(o *risk.Order) bool {
			ids = append(ids, o.ID)
			return true
		})
		for _, id := range ids {
			v.Cancel(id)
		}
		return
	}
	q := (v.Limits().QtyMax / 2).LotFloor(in.Filters.Lot)
	for i := range core.Price(many) {
		tick := in.Filters.Tick * (1 + i)
		if i%2 == 0 {
			_, _ = v.Limit(core.Buy, top.Bid-tick, q)
		} else {
			_, _ = v.Limit(core.Sell, top.Ask+tick, q)
		}
	}
}

// Report does nothing.
func (b *burst) Report(*engine.View, *core.Report, *risk.Order) {}

// Timer does nothing.
func (b *burst) Timer(*engine.View) {}

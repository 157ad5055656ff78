package strategy_test

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/core/engine/enginetest"
)

// fake is a venue of one instrument that does what an exchange does with orders: it takes
// them, trades what crosses at the order's price, lets the rest rest, triggers stops, cancels
// and replaces. Nothing is ever taken away from its touch.
type fake struct {
	t        testing.TB
	w        *enginetest.World
	bid, ask core.Price
	open     []resting
	all      []core.Intent // that came, oldest first
	deaf     bool          // answers nothing; what comes waits
	unheard  []core.Intent
	noStops  bool // refuses what waits for a trigger
}

type resting struct {
	in   core.Intent
	left core.Qty
	wait bool // for its trigger
}

func newFake(t testing.TB, w *enginetest.World) *fake {
	return &fake{t: t, w: w}
}

// at moves the market, and time on by a little.
func (f *fake) at(bid, ask core.Price) {
	f.bid, f.ask = bid, ask
	f.w.Top(0, core.Top{Bid: bid, BidQty: 50 * core.Scale, Ask: ask, AskQty: 50 * core.Scale})
	f.w.Clock.Now += core.MonoNs(10 * time.Millisecond)
	f.w.Run()
	f.settle()
}

// pass lets time pass.
func (f *fake) pass(d time.Duration) {
	f.w.Advance(d)
	f.settle()
}

// settle answers until nobody has anything to say any more.
func (f *fake) settle() {
	for range 1000 {
		f.trigger()
		out := append(f.unheard, f.w.Out()...)
		f.unheard = nil
		if f.deaf {
			f.all, f.unheard = append(f.all, out[min(len(f.unheard), len(out)):]...), out
			return
		}
		if len(out) == 0 {
			return
		}
		for _, in := range out {
			f.all = append(f.all, in)
			f.take(in)
		}
		f.w.Run()
	}
	f.t.Fatal("strategy and venue have always something to say")
}

func (f *fake) take(in core.Intent) {
	switch in.Kind {
	case core.Place:
		f.place(in)
	case core.Cancel:
		if !f.end(in.ID, core.Canceled) {
			f.w.Report(core.Report{Kind: core.ReportCancelRejected, Status: core.Filled, ID: in.ID})
		}
	case core.Replace:
		if f.end(in.Old, core.Canceled) {
			f.place(in)
			return
		}
		f.w.Done(in.ID, core.NotSent)
		f.w.Report(core.Report{Kind: core.ReportCancelRejected, Status: core.Filled, ID: in.Old})
	case core.CancelAll:
		for len(f.open) > 0 {
			f.end(f.open[0].in.ID, core.Canceled)
		}
	default:
		f.t.Fatalf("out came %+v", in)
	}
}

func (f *fake) end(id core.OrderID, st core.OrderStatus) bool {
	for i := range f.open {
		if f.open[i].in.ID == id {
			f.open = append(f.open[:i], f.open[i+1:]...)
			f.w.Done(id, st)
			return true
		}
	}
	return false
}

func (f *fake) crosses(in *core.Intent) bool {
	return in.Side == core.Buy && in.Price >= f.ask || in.Side == core.Sell && in.Price <= f.bid
}

func (f *fake) triggered(in *core.Intent) bool {
	return in.Side == core.Sell && f.bid <= in.Stop || in.Side == core.Buy && f.ask >= in.Stop
}

func (f *fake) place(in core.Intent) {
	if in.Type == core.StopLossLimit {
		if f.noStops || f.triggered(&in) {
			f.w.Done(in.ID, core.Rejected)
			return
		}
		f.w.Ack(in.ID)
		f.open = append(f.open, resting{in, in.Qty, true})
		return
	}
	switch crosses := f.crosses(&in); {
	case in.Type == core.LimitMaker && crosses:
		f.w.Done(in.ID, core.Rejected)
	case crosses:
		f.w.Fill(in.ID, in.Qty)
	case in.TIF == core.IOC:
		f.w.Done(in.ID, core.Expired)
	default:
		f.w.Ack(in.ID)
		f.open = append(f.open, resting{in, in.Qty, false})
	}
}

// trigger lets what the market has come to trade.
func (f *fake) trigger() {
	for i := 0; i < len(f.open); i++ {
		o := &f.open[i]
		o.wait = o.wait && !f.triggered(&o.in)
		if !o.wait && f.crosses(&o.in) {
			id, q := o.in.ID, o.left
			f.open = append(f.open[:i], f.open[i+1:]...)
			f.w.Fill(id, q)
			i--
		}
	}
	f.w.Run()
}

// part trades some of a resting order.
func (f *fake) part(i int, q core.Qty) {
	o := &f.open[i]
	if q >= o.left {
		id, q := o.in.ID, o.left
		f.open = append(f.open[:i], f.open[i+1:]...)
		f.w.Fill(id, q)
	} else {
		o.left -= q
		f.w.Fill(o.in.ID, q)
	}
	f.w.Run()
	f.settle()
}

// resting of that type, nil without.
func (f *fake) resting(kind core.OrderType) *core.Intent {
	for i := range f.open {
		if f.open[i].in.Type == kind {
			return &f.open[i].in
		}
	}
	return nil
}

func (f *fake) position() core.Qty { return f.w.Gate.Exposure(0).Position }

func (f *fake) says() string {
	f.w.Advance(200 * time.Millisecond)
	f.settle()
	f.w.Advance(200 * time.Millisecond)
	return string(f.w.Shard.MarketStats(0).Seats[0].Says)
}

func px(s string) core.Price { return enginetest.P(s) }

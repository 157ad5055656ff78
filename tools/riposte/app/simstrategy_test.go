package app

import (
	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
	"riposte/tools/sim/oracle"
)

// Strategies of simulated worlds: the built-in ones, watched, and one that wants more than
// it may have.

// simWatching is the eye of the run under way: strategies are made by name.
var simWatching *simEye

func init() {
	for _, name := range []string{"quoter", "reflex"} {
		engine.Register("watched-"+name, func(in *core.Instrument, p *engine.Params) (engine.Strategy, error) {
			make, err := engine.Lookup(name)
			if err != nil {
				return nil, err
			}
			s, err := make(in, p)
			return watched{s, simWatching.r.life}, err
		})
	}
	engine.Register("watched-greedy", func(*core.Instrument, *engine.Params) (engine.Strategy, error) {
		return watched{&greedy{}, simWatching.r.life}, nil
	})
}

// watched tells what a strategy is shown before that sees it.
type watched struct {
	engine.Strategy
	life *simLife
}

func (w watched) tell(v *engine.View, c oracle.Called) {
	if w.life.stage.Load() == lifeKilled {
		return
	}
	c.Symbol, c.Live = v.Instrument().Symbol, v.Live()
	if c.Live {
		c.Book = int64(v.Book().ID())
	}
	w.life.r.eye.see(c)
}

func (w watched) Market(v *engine.View, ev *core.Event) {
	w.tell(v, oracle.Called{Event: true})
	w.Strategy.Market(v, ev)
}

func (w watched) Report(v *engine.View, r *core.Report, o *risk.Order) {
	w.tell(v, oracle.Called{Report: true})
	w.Strategy.Report(v, r, o)
}

func (w watched) Timer(v *engine.View) {
	w.tell(v, oracle.Called{})
	w.Strategy.Timer(v)
}

// greedy asks for all that the gate gives: it buys until nothing more may be bought, then
// sells as far as it goes, by orders that trade at once, in part, or rest, at events and
// without any. What it rests it takes back now and then.
type greedy struct {
	turn  uint64
	short bool
}

// Market asks at every event of some.
func (g *greedy) Market(v *engine.View, _ *core.Event) {
	if g.turn++; g.turn%3 == 0 {
		g.ask(v)
	}
}

// Report asks again as soon as something has come of an order.
func (g *greedy) Report(v *engine.View, _ *core.Report, o *risk.Order) {
	if v.Live() && o.Status.Terminal() {
		g.ask(v)
	}
}

// Timer asks also when the market is quiet.
func (g *greedy) Timer(v *engine.View) {
	g.turn++
	g.ask(v)
	if g.turn%11 == 0 {
		g.change(v)
	}
}

// change takes one of the resting orders back, makes it smaller, or puts another in its
// place.
func (g *greedy) change(v *engine.View) {
	var rests risk.Order
	v.Orders(func(o *risk.Order) bool {
		if !o.Canceling {
			rests = *o
		}
		return rests.ID == 0
	})
	if rests.ID == 0 {
		return
	}
	in := v.Instrument()
	switch g.turn % 3 {
	case 0:
		v.Cancel(rests.ID)
	case 1:
		v.Amend(rests.ID, (rests.Qty / 2).LotFloor(in.Filters.Lot))
	case 2:
		_, _ = v.Replace(rests.ID, core.Intent{Side: rests.Side, Type: core.Limit, TIF: core.GTC, Qty: rests.Qty,
			Price: rests.Price - core.Price(rests.Side.Sign())*in.Filters.Tick})
	}
}

// ask makes each wish another one: the gate throttles those that are alike.
func (g *greedy) ask(v *engine.View) {
	top, in := v.Top(), v.Instrument()
	if top.Bid == 0 || top.Ask == 0 {
		return
	}
	most := v.Limits().QtyMax
	q := (most/2 + most/64*core.Qty(g.turn%32)).LotFloor(in.Filters.Lot)
	side, p := core.Buy, top.Ask
	if g.short {
		side, p = core.Sell, top.Bid
	}
	order := core.Intent{Side: side, Type: core.Limit, TIF: core.GTC, Price: p, Qty: q}
	switch g.turn % 4 {
	case 0:
		order.TIF = core.IOC
	case 1, 2: // rests, a few ticks behind
		order.Price -= core.Price(side.Sign()) * in.Filters.Tick * core.Price(1+g.turn%50)
	}
	if _, refusal := v.Place(order); refusal == risk.RefusedPosition {
		g.short = !g.short
	}
}

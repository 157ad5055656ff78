package strategy

import (
	"math"
	"slices"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
	"riposte/core/signal"
)

// Follower trades signals: own rules of the configuration and accepted signals from
// outside, by the names of rules and sources. It holds one position at a time: a signal's side, qty times its
// strength; it enters as maker or taker by expected cost (Cheapest), and leaves by a stop, a
// take-profit, a trailing stop, the end of the signal's horizon, or an opposite signal.
//
// A stop rests at the venue as STOP_LOSS_LIMIT, slippage_bps beyond its trigger, so that it
// works when this process does not; it moves with the trail in one request (replace). Beside
// it a local one is always armed: where the resting one was refused or ended, or the price
// ran through it, the position is closed by orders that take within slippage_bps of the
// touch, one after the other until it is flat. With rest = "both" the take-profit rests as a
// LIMIT too, and the fill of one cancels the other; on spot that needs the base asset twice
// over while both rest, so by default it is watched locally and taken when it comes.
//
//	parameter     default  range         meaning
//	signals       all      names         which it follows; empty: every one
//	qty           smallest > 0           position at strength 1, in base; default: the least
//	                                     that the venue takes, whatever the strength
//	size          strength strength,fixed  whether a weaker signal gets a smaller position
//	entry         auto     auto,maker,taker
//	entry_wait    2s       10ms to 10m   how long a posted entry may wait
//	late          take     take,drop     what becomes of an entry that has not traded by then
//	stop_bps      50       0 to 5000     distance of the stop from the entry, 0: none
//	take_bps      100      0 to 5000     distance of the take-profit, 0: none
//	trail_bps     0        0 to 5000     the stop follows the best price at this distance, 0: it stays
//	trail_step    5        0.1 to 1000   by how much, in 1/10000, it moves at least
//	horizon       0s       0s to 24h     time exit; 0s: the signal's own horizon
//	rest          stop     stop,both,none  what rests at the venue
//	short         never    allow,never   whether it follows a sale from flat
//	reverse       allow    allow,never   whether an opposite signal turns the position
//	slippage_bps  20       0 to 1000     how far beyond touch or trigger anything is taken
//	maker_bps     10       -10 to 100    the account's fees
//	taker_bps     10       0 to 100
//
// Risks. It is as good as its signals. A stop limits a loss in a market that trades through
// its levels; in a gap it is taken beyond, bounded by slippage_bps a time but not in sum. What
// is left below the least quantity of the venue stays as dust. After a restart a position
// that it had is kept and guarded by a fresh stop from the price of now: the signal's
// horizon and best price are forgotten.
type Follower struct {
	following
	in    *core.Instrument
	tape  Meter
	state followState
	side  core.Side // of the position, or of what is being entered
	entry core.OrderID
	exit  core.OrderID // take-profit at the venue, or the order that closes
	stop  core.OrderID
	moved core.OrderID // the stop that a replace is to end

	entered core.MonoNs // when it was decided
	until   core.MonoNs // time exit
	paid    core.Notional
	bought  core.Qty    // on the position's side, for its mean price
	best    core.Price  // since the entry, for the trail
	trigger core.Price  // of the stop, 0: none
	lost    core.MonoNs // when the price was first beyond the stop, 0: it is not
	late    core.Qty    // of a posted entry that did not trade in time: it is taken
	taking  bool        // exit closes the position at once
	tries   int         // such exits so far: each reaches deeper, up to slippage_bps
	next    core.MonoNs
	turn    *pending // what follows once it is flat
	turned  pending
	why     string
	costs   Costs
	trades  uint64 // closed positions
}

// following is its parameters.
type following struct {
	signals                          []string
	qty                              core.Qty
	fixed                            bool
	style                            string
	wait, horizon                    core.MonoNs
	drop, short, reverse             bool
	stopBps, takeBps, trailBps, step float64
	rests, both                      bool
	slippage                         float64
	fees                             Fees
}

// pending is an entry to be made.
type pending struct {
	side core.Side
	qty  core.Qty
	till core.MonoNs
}

type followState uint8

const (
	flat followState = iota
	entering
	holding
	closing
)

var followText = [...]string{"flat", "entering", "holding", "closing"}

// gapGrace is how long a resting stop whose trigger was passed may take to trade before the
// position is closed around it.
const gapGrace = core.MonoNs(500 * time.Millisecond)

// NewFollower builds a Follower; see there for the parameters.
func NewFollower(in *core.Instrument, p *engine.Params) (engine.Strategy, error) {
	f := &Follower{in: in, following: following{signals: p.Words("signals"), qty: p.Qty("qty", 0), fixed: p.Choice("size", "strength", "strength", "fixed") == "fixed",
		style: p.Choice("entry", "auto", "auto", "maker", "taker"), wait: core.MonoNs(p.Duration("entry_wait", 2*time.Second, 10*time.Millisecond, 10*time.Minute)),
		horizon: core.MonoNs(p.Duration("horizon", 0, 0, 24*time.Hour)), drop: p.Choice("late", "take", "take", "drop") == "drop",
		short: p.Choice("short", "never", "allow", "never") == "allow", reverse: p.Choice("reverse", "allow", "allow", "never") == "allow",
		stopBps: p.Float("stop_bps", 50, 0, 5000), takeBps: p.Float("take_bps", 100, 0, 5000), trailBps: p.Float("trail_bps", 0, 0, 5000),
		step: p.Float("trail_step", 5, 0.1, 1000), slippage: p.Float("slippage_bps", 20, 0, 1000), fees: feesOf(p)}}
	rest := p.Choice("rest", "stop", "stop", "both", "none")
	f.rests, f.both = rest != "none" && in.OrderTypes.Has(core.StopLossLimit), rest == "both"
	if err := p.Done(); err != nil {
		return nil, err
	}
	return f, nil
}

// Tune takes over parameters; a position stays, and its stop moves to where they put it.
func (f *Follower) Tune(_ *engine.View, next engine.Strategy) {
	f.following = next.(*Follower).following
	if f.state == holding {
		f.trigger = f.stopAt()
	}
}

// Market hears signals, and looks after the position.
func (f *Follower) Market(v *engine.View, ev *core.Event) {
	f.tape.See(v, ev)
	f.hear(v)
	f.tend(v)
}

// Timer does the same: signals of bars and from outside come between events too.
func (f *Follower) Timer(v *engine.View) {
	f.hear(v)
	f.tend(v)
}

// hear takes the signals of this input.
func (f *Follower) hear(v *engine.View) {
	for i := range v.Fired() {
		if s := &v.Fired()[i]; f.follows(v, s) {
			f.signal(v, s)
		}
	}
}

func (f *Follower) follows(v *engine.View, s *signal.Fired) bool {
	return len(f.signals) == 0 || slices.Contains(f.signals, v.NameOf(s))
}

// Follows are the names of the signals that it follows; none are all. Whoever builds it
// can tell whether there are such.
func (f *Follower) Follows() []string { return f.signals }

func (f *Follower) signal(v *engine.View, s *signal.Fired) {
	unit := f.qty
	top := v.Top()
	if unit == 0 {
		unit = smallest(f.in, touchOf(&top, s.Side))
	}
	want := pending{s.Side, unit, s.Until}
	if !f.fixed && f.qty > 0 {
		want.qty = core.Qty(float64(unit) * min(max(s.Strength, 0), 1))
	}
	if f.horizon > 0 {
		want.till = v.Now() + f.horizon
	}
	switch {
	case f.state == flat:
		if s.Side == core.Buy || f.short {
			f.enter(v, want)
		}
	case s.Side == f.side:
		f.until = max(f.until, want.till)
		if f.state != closing {
			f.turn = nil
		}
	case f.reverse:
		if s.Side == core.Buy || f.short {
			f.turned, f.turn = want, &f.turned
		}
		f.close(v, "turned by a signal")
	}
}

// enter asks for the position.
func (f *Follower) enter(v *engine.View, want pending) {
	top := v.Top()
	if v.Halted() != 0 || v.Now() < f.next || top.Bid <= 0 || top.Ask <= 0 {
		return
	}
	q := lots(f.in, want.qty, touchOf(&top, want.side))
	if q == 0 {
		return
	}
	take := f.style == "taker"
	if f.style == "auto" {
		maker := false
		maker, f.costs = Cheapest(v, &f.tape, want.side, q, f.fees, time.Duration(f.wait))
		take = !maker
	}
	id, r := f.order(v, want.side, q, take)
	if r != risk.None {
		f.next = v.Now() + childPause
		return
	}
	if f.style == "auto" {
		f.costs.chose(v, id, !take)
	}
	f.state, f.side, f.entry, f.entered, f.until = entering, want.side, id, v.Now(), want.till
	f.paid, f.bought, f.best, f.trigger, f.lost, f.late, f.turn = core.Notional{}, 0, 0, 0, 0, 0, nil
	f.why = ""
}

// order takes within slippage_bps of the touch, or posts at it.
func (f *Follower) order(v *engine.View, side core.Side, q core.Qty, take bool) (core.OrderID, risk.Refusal) {
	top, tick := v.Top(), f.in.Filters.Tick
	if take {
		bound := beyond(side, touchOf(&top, side.Opposite()), f.slippage, tick)
		p := deepEnough(v, side, q, bound, math.Pow(4, float64(f.tries)), tick)
		return v.Place(core.Intent{Side: side, Type: core.Limit, TIF: core.IOC, Price: p, Qty: q})
	}
	return v.Post(side, touchOf(&top, side), q)
}

// held is the position on its side, as far as the venue takes it back.
func (f *Follower) held(v *engine.View) core.Qty {
	top := v.Top()
	p := v.Exposure().Position * core.Qty(f.side.Sign())
	return lots(f.in, max(p, 0), touchOf(&top, f.side.Opposite()))
}

// tend is one look at what there is.
func (f *Follower) tend(v *engine.View) {
	top, now := v.Top(), v.Now()
	if top.Bid <= 0 || top.Ask <= 0 {
		return
	}
	f.forget(v)
	switch f.state {
	case flat:
		f.found(v)
	case entering:
		f.tendEntry(v)
	case holding:
		f.tendPosition(v, now)
	case closing:
		f.tendClose(v, now)
	}
}

// forget drops orders that have ended.
func (f *Follower) forget(v *engine.View) {
	for _, id := range [...]*core.OrderID{&f.entry, &f.exit, &f.stop, &f.moved} {
		if *id != 0 && v.Order(*id) == nil {
			*id = 0
		}
	}
	if f.stop == 0 && f.moved != 0 {
		f.stop, f.moved = f.moved, 0
	}
}

// found takes over a position that is there from before: a former run's.
func (f *Follower) found(v *engine.View) {
	p := v.Exposure().Position
	f.side = core.Buy
	if p < 0 {
		f.side = core.Sell
	}
	top := v.Top()
	if p == 0 || f.held(v) == 0 {
		return
	}
	q := max(p, -p)
	f.state, f.bought, f.paid = holding, q, core.NotionalOf(top.Mid(), q)
	f.best, f.until, f.lost = top.Mid(), 0, 0
	if f.horizon > 0 {
		f.until = v.Now() + f.horizon
	}
	f.trigger = f.stopAt()
}

func (f *Follower) tendEntry(v *engine.View) {
	now := v.Now()
	o := v.Order(f.entry)
	if o == nil && f.late > 0 {
		q := lots(f.in, f.late, v.Top().Bid)
		if f.late = 0; q > 0 {
			if id, r := f.order(v, f.side, q, true); r == risk.None {
				f.entry = id
				return
			}
		}
	}
	if o == nil {
		if f.held(v) == 0 {
			f.state = flat
			return
		}
		f.state, f.best = holding, f.mean()
		f.trigger = f.stopAt()
		f.tendPosition(v, now)
		return
	}
	if f.bought > 0 { // what has traded already is guarded like all of it
		top := v.Top()
		f.best = f.mean()
		if stop := f.stopAt(); stop != 0 && (touchOf(&top, f.side)-stop)*core.Price(f.side.Sign()) <= 0 {
			f.close(v, "stop")
			return
		}
	}
	if now-f.entered < f.wait || o.Canceling || now < f.next {
		return
	}
	left := o.Remaining()
	if v.Cancel(f.entry) == risk.None && !f.drop {
		f.late = left
	}
}

// Report books the position's price; what becomes of orders is read from the view.
func (f *Follower) Report(v *engine.View, r *core.Report, o *risk.Order) {
	if r.Kind == core.ReportFill && o.Side == f.side {
		f.paid = f.paid.Add(core.NotionalOf(r.Price, r.Qty))
		f.bought += r.Qty
	}
	switch {
	case r.ID != f.entry && r.ID != f.stop && r.ID != f.moved && r.ID != f.exit:
		if !o.Status.Terminal() && !o.Canceling {
			v.Cancel(r.ID)
		}
	case r.Kind == core.ReportCancelRejected, o.Status == core.Rejected, o.Status == core.NotSent:
		f.next = v.Now() + childPause
	}
}

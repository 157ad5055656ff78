package strategy

import (
	"math"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
)

// Quoter rests one post-only order on each side of a fair price and leans against
// its inventory: the longer it is, the lower it quotes both sides, and at its
// bound it quotes one side only.
//
// The fair price is the microprice, moved against the inventory by
// skew_bps * position / inventory. A quote lies half_spread_bps from it, rounded
// away from it to the tick, is never better than the touch by more than a tick and
// never crosses it. With half_spread_bps = 0 it joins the touch and does not
// improve on it; leaning still moves it back.
//
// An order is replaced only if its price is off by more than the slack and it is
// life_min old; the size left of a partial fill is no reason. How, requote says:
//
//   - cancel: it is cancelled, and the next one placed after the venue has confirmed
//     its end. There are never two on a side.
//
//   - replace: one request ends it and places the next one, half the time without a
//     quote; the venue does not place that where the first has traded instead. Both
//     count until it has answered, so where the bound has no room for both, or the
//     request was refused, it is cancelled all the same. An order that is too large
//     for its bound becomes smaller (amend) and keeps its place in the queue.
//
//     parameter        default   range       meaning
//     qty              smallest  > 0         size of a quote, in base; default: what the filters just allow
//     inventory        20 * qty  > 0         bound of |position|, in base; no fill can pass it
//     half_spread_bps  0         0 to 1000   distance from the fair price; 0 joins the touch
//     skew_bps         2         0 to 1000   how far a full inventory moves the fair price
//     slack_ticks      2         0 to 10^6   how far a quote may be off, whichever of the
//     slack_bps        0.5       0 to 1000     two allows more
//     life_min         250ms     0 to 1h     an order is not replaced before
//     cooldown         500ms     0 to 1h     pause of a side after its order has filled
//     short            allow     allow,never never: sells only what it has bought in this run
//     requote          cancel    cancel,replace how an order gives way to the next
//     model            fixed     fixed,glft  where quotes lie, see model.go for it and what follows
//     gamma            0.05      0.0001 to 10  glft: aversion to inventory, per 1/10000
//     kappa            0         0 to 1000   glft: how trades thin out, per 1/10000; 0: as measured
//     flow_max         0         0 to 1      guard: share of one side's takers in the flow; 0: off
//     sweep_bps        0         0 to 1000   guard: a jump of the touch within 100 ms; 0: off
//     markout_bps      0         0 to 1000   guard: loss of own fills after a second; 0: off
//     guard_for        500ms     0 to 1m     how long a guarded side stays away
//     queue_bps        0         0 to 100    what the front of a queue is worth; 0: nothing
//
// Quotes are pulled at once, whatever their age, when trading halts or a side of
// the market is empty. A refusal, a reject or a refused cancel makes the side pause
// for half a second, so that nothing is asked for in a loop.
//
// Risks. It earns the spread and loses to whoever knows more: in a trend it buys
// all the way down to its bound, and holds. Joining the touch it is filled last and
// mostly when the price is about to pass through. It does not watch fees; with a
// spread narrower than two maker fees it pays to trade. It does not stop at a loss.
type Quoter struct {
	quoting
	sides  [2]quote
	unit   core.Qty // size in use; follows the price where qty is not given
	unitAt core.Price
	watch  watch // of the market, for the model and the guard
}

// quoting is its parameters.
type quoting struct {
	qty, inventory             core.Qty
	halfBps, skewBps, slackBps float64
	slack                      core.Price
	lifeMin, cooldown          core.MonoNs
	short, replaces            bool
	modelling
}

// quote is one side's state.
type quote struct {
	id    core.OrderID // live order, 0: none
	old   core.OrderID // the one that id replaces, 0: none
	stiff bool         // an amend or replace of id was refused: it is only cancelled
	since core.MonoNs  // when it was placed
	next  core.MonoNs  // nothing is asked for on this side before
	ahead core.Qty     // estimate of what rests before id at its price; kept only with queue_bps
}

// live are the side's orders, 0 where there is none.
func (q *quote) live() [2]core.OrderID { return [...]core.OrderID{q.id, q.old} }

// pause is how long a side rests after a refusal, a reject or a refused cancel.
const pause = core.MonoNs(500 * time.Millisecond)

// NewQuoter builds a Quoter; see there for the parameters.
func NewQuoter(in *core.Instrument, p *engine.Params) (engine.Strategy, error) {
	q := &Quoter{quoting: quoting{
		qty:       p.Qty("qty", 0),
		inventory: p.Qty("inventory", 0),
		halfBps:   p.Float("half_spread_bps", 0, 0, 1000),
		skewBps:   p.Float("skew_bps", 2, 0, 1000),
		slack:     core.Price(p.Int("slack_ticks", 2, 0, 1_000_000)) * in.Filters.Tick,
		slackBps:  p.Float("slack_bps", 0.5, 0, 1000),
		lifeMin:   core.MonoNs(p.Duration("life_min", 250*time.Millisecond, 0, time.Hour)),
		cooldown:  core.MonoNs(p.Duration("cooldown", 500*time.Millisecond, 0, time.Hour)),
		short:     p.Choice("short", "allow", "allow", "never") == "allow",
		replaces:  p.Choice("requote", "cancel", "cancel", "replace") == "replace",
		modelling: modellingOf(p),
	}}
	if err := p.Done(); err != nil {
		return nil, err
	}
	return q, nil
}

// Tune takes over parameters; orders and position stay, and the next event requotes.
func (q *Quoter) Tune(_ *engine.View, next engine.Strategy) {
	q.quoting = next.(*Quoter).quoting
	q.unitAt = 0
}

// Market requotes when the touch may have moved.
func (q *Quoter) Market(v *engine.View, ev *core.Event) {
	if q.watches {
		q.look(v, ev)
	}
	if ev.Kind == core.Touch || ev.Kind == core.DepthDelta {
		q.requote(v)
	}
}

// Timer requotes too, for a market too quiet to do it.
func (q *Quoter) Timer(v *engine.View) { q.requote(v) }

// Report frees a side whose order has ended, and ends an order that is not the
// side's own: one that was told as ended and lives after all.
func (q *Quoter) Report(v *engine.View, r *core.Report, o *risk.Order) {
	mine := &q.sides[o.Side]
	if q.watches && r.Kind == core.ReportFill {
		q.watch.filled(o.Side, r.Price, v.Now())
	}
	switch {
	case r.ID != mine.id && r.ID != mine.old:
		if !o.Status.Terminal() && !o.Canceling {
			v.Cancel(r.ID)
		}
		return
	case r.Kind == core.ReportCancelRejected:
		mine.next = v.Now() + pause
		mine.stiff = true
		if r.ID == mine.old && !o.Status.Terminal() {
			q.stays(v, mine)
		}
	}
	switch o.Status {
	case core.Filled:
		mine.next = v.Now() + q.cooldown
	case core.Rejected, core.NotSent:
		mine.next = v.Now() + pause
	}
	if o.Status.Terminal() {
		if r.ID == mine.id {
			mine.id = 0
		} else {
			mine.old = 0
		}
	}
}

// stays takes an order back that was to be replaced and works on. While it is not known
// that the next one did not come to be, it has to go.
func (q *Quoter) stays(v *engine.View, mine *quote) {
	if mine.id == 0 {
		mine.id, mine.old = mine.old, 0
		return
	}
	v.Cancel(mine.old)
}

func (q *Quoter) requote(v *engine.View) {
	top, tick := v.Top(), v.Instrument().Filters.Tick
	if v.Halted() != 0 || !v.Signals().Ready() || top.Bid <= 0 || top.Ask <= 0 || tick <= 0 {
		q.pull(v, core.Buy)
		q.pull(v, core.Sell)
		return
	}
	q.size(v.Instrument(), top.Bid)
	position := v.Exposure().Position
	bound := q.bound()
	bid, ask := q.prices(v.Signals().Microprice(), position, &top, tick)
	if q.watches {
		bid, ask = q.model(v, position, &top, bid, ask)
	}
	// Not into an own order of the other side either.
	for _, id := range q.sides[core.Sell].live() {
		if o := v.Order(id); o != nil {
			bid = min(bid, o.Price-tick)
		}
	}
	for _, id := range q.sides[core.Buy].live() {
		if o := v.Order(id); o != nil {
			ask = max(ask, o.Price+tick)
		}
	}
	floor := -bound
	if !q.short {
		floor = 0
	}
	q.quoteSide(v, core.Buy, bid, bound-position)
	q.quoteSide(v, core.Sell, ask, position-floor)
}

// quoteSide moves a side, or pulls it while the guard is up.
func (q *Quoter) quoteSide(v *engine.View, s core.Side, want core.Price, room core.Qty) {
	if q.watches && v.Now() < q.watch.shy[s] {
		q.pull(v, s)
		return
	}
	q.side(v, s, want, room)
}

// prices are the wanted quotes. Rounding never brings them nearer to the fair
// price; a bid of 0 means that none is possible.
func (q *Quoter) prices(micro float64, position core.Qty, top *core.Top, tick core.Price) (bid, ask core.Price) {
	lean := min(max(float64(position)/float64(q.bound()), -1), 1) // -1 short, +1 long
	fair := micro * (1 - lean*q.skewBps/1e4)
	half := fair * q.halfBps / 1e4
	better := tick
	if q.halfBps == 0 {
		better = 0
	}
	bid = core.Price(math.Floor(fair - half)).TickFloor(tick)
	ask = core.Price(math.Ceil(fair + half)).TickCeil(tick)
	bid = min(bid, top.Bid+better, top.Ask-tick)
	ask = max(ask, top.Ask-better, top.Bid+tick)
	return max(bid, 0), ask
}

// size sets the size of new quotes. Where it follows from the filters it is worked
// out again only after the price has moved by more than a hundredth.
func (q *Quoter) size(in *core.Instrument, p core.Price) {
	if q.qty > 0 {
		q.unit = q.qty
		return
	}
	if off := p - q.unitAt; max(off, -off) > q.unitAt/100 {
		// The bid may lie below the touch by the half spread and the lean, and has to
		// satisfy the least notional there.
		low := core.Price(float64(p) * (1 - min(q.halfBps+q.skewBps, 5000)/1e4))
		q.unit, q.unitAt = smallest(in, low), p
	}
}

func (q *Quoter) bound() core.Qty {
	if q.inventory > 0 {
		return q.inventory
	}
	return 20 * q.unit
}

// side moves one side towards the wanted price: place, leave or cancel. room is how
// much may still trade on it.
func (q *Quoter) side(v *engine.View, s core.Side, want core.Price, room core.Qty) {
	mine := &q.sides[s]
	now := v.Now()
	if v.Order(mine.old) == nil {
		mine.old = 0
	}
	if mine.id == 0 {
		if now < mine.next || want <= 0 || mine.old != 0 || room < q.unit {
			return
		}
		id, r := v.Post(s, want, q.unit)
		if r != risk.None {
			mine.next = now + pause
			return
		}
		mine.id, mine.stiff, mine.since = id, false, now
		if q.queueBps > 0 {
			mine.ahead = levelOf(v, s, want)
		}
		return
	}
	o := v.Order(mine.id)
	if o == nil {
		mine.id = 0
		return
	}
	off := max(o.Price-want, want-o.Price)
	switch {
	case o.Canceling || now < mine.next:
	case o.Remaining() > room: // it could pass the bound
		if !o.Amending && !q.shrink(v, mine, o, room) {
			v.Cancel(mine.id)
		}
	case off > q.tolerance(want)+q.worth(v, mine, o) && now-mine.since >= q.lifeMin:
		if !q.replace(v, mine, o, want, room) {
			v.Cancel(mine.id)
		}
	}
}

// shrink makes an order smaller that may trade more than there is room for; false if it
// cannot.
func (q *Quoter) shrink(v *engine.View, mine *quote, o *risk.Order, room core.Qty) bool {
	if !q.replaces || mine.stiff || mine.old != 0 {
		return false
	}
	qty := (o.Cum + max(room, 0)).LotFloor(v.Instrument().Filters.Lot)
	return qty > o.Cum && v.Amend(mine.id, qty) == risk.None
}

// replace puts the next order in the place of o; false if it cannot. All of o but the
// last bit may trade before it ends, so there has to be room for both.
func (q *Quoter) replace(v *engine.View, mine *quote, o *risk.Order, want core.Price, room core.Qty) bool {
	if !q.replaces || mine.stiff || mine.old != 0 || want <= 0 || room-o.Remaining() < q.unit || o.Status < core.New {
		return false
	}
	id, r := v.Replace(mine.id, core.Intent{Side: o.Side, Type: core.LimitMaker, Price: want, Qty: q.unit})
	if r != risk.None {
		return false
	}
	mine.id, mine.old, mine.since = id, mine.id, v.Now()
	if q.queueBps > 0 {
		mine.ahead = levelOf(v, o.Side, want)
	}
	return true
}

// tolerance is how far a resting quote may be off.
func (q *Quoter) tolerance(p core.Price) core.Price {
	return max(q.slack, core.Price(float64(p)*q.slackBps/1e4))
}

// pull cancels a side's order at once.
func (q *Quoter) pull(v *engine.View, s core.Side) {
	mine := &q.sides[s]
	for _, id := range mine.live() {
		if o := v.Order(id); o != nil && !o.Canceling && v.Now() >= mine.next {
			v.Cancel(id)
		}
	}
}

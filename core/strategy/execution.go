package strategy

import (
	"fmt"
	"math"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
)

// Execution carries out one parent order: a side and a quantity within a time, not worse
// than a price. The parent comes from the parameters at the start, or from a change of
// them while it runs (`riposte params`); a new number in parent begins another one in its
// place. Modes:
//
//   - twap: an equal part of the quantity in each of slices equal parts of the time.
//
//   - pov: the share rate of what is traded in the market meanwhile, its own trades
//     included.
//
//   - iceberg: one order of show at a time at its side's touch, the next once it has
//     traded; nobody sees the rest.
//
//   - peg: all of it at its side's touch, offset_ticks behind (or, below 0, ahead), and
//     along with it: it is cancelled, and the next one placed after its end, so that never
//     more than the quantity can trade.
//
//   - sweep: takes what stands within slippage_bps of the arrival price, again and again as
//     it fills up.
//
//     parameter     default  range        meaning
//     parent        1        0 to 10^9    number of the parent order; 0: none
//     side          buy      buy,sell
//     qty           none     > 0          of the parent, in base; none: nothing to do
//     limit         none     > 0          worst price of any child order
//     within        5m       1s to 24h    time from the begin; what is left then is left
//     mode          twap     twap,pov,iceberg,peg,sweep
//     slices        10       1 to 10000   twap: into how many parts
//     rate          0.1      0.001 to 0.5 pov: share of the market's volume
//     show          qty/10   > 0          iceberg: size of a child
//     offset_ticks  0        -100 to 1000 peg: how far behind the touch
//     slippage_bps  20       0 to 1000    how far from the arrival price anything is taken
//     style         auto     auto,maker,taker  twap, pov: how a part trades; auto: see Cheapest
//     maker_bps     10       -10 to 100   the account's fees
//     taker_bps     10       0 to 100
//
// A part that was posted and has not traded when the next is due is taken. Every price is
// within limit, and within slippage_bps of the arrival price where it takes. Progress,
// arrival price, and slippage against that and against the market's VWAP are in the status.
//
// Risks. It trades whatever the market does until its bounds stop it: a limit and
// slippage_bps are what stands between a parent order and a bad market. twap and pov can be
// read by others. A peg follows a touch that others move. When the time is over, or what is
// left is less than the venue takes, the rest stays undone; the status says so. After a
// restart a parent of the configuration begins anew: what it had done is in the position.
type Execution struct {
	order    parent
	child    core.OrderID // at work, 0: none
	since    core.MonoNs
	next     core.MonoNs // nothing new is asked for before
	taking   bool        // child takes
	late     core.Qty    // of a part that did not trade in its time: it is taken
	work     progress
	tape     Meter
	costs    Costs
	compared bool // the child being asked for is chosen by costs
	refused  risk.Refusal
}

// parent is the order and how it is to be carried out: the parameters.
type parent struct {
	number         int64
	side           core.Side
	qty, show      core.Qty
	limit          core.Price
	within         core.MonoNs
	mode, style    string
	slices, offset int64
	rate, slippage float64
	fees           Fees
	tick           core.Price
	in             *core.Instrument
}

// progress is what has become of it.
type progress struct {
	begun, over bool
	start       core.MonoNs
	arrival     core.Price    // mid when it began
	done        core.Qty      // traded
	value       core.Notional // price times quantity of that
	seen        core.Qty      // traded in the market meanwhile
	seenValue   core.Notional
	slice       int64
}

// childPause is how long it rests after a refusal or a reject, and between sweeps.
const childPause = core.MonoNs(250 * time.Millisecond)

// NewExecution builds an Execution; see there for the parameters.
func NewExecution(in *core.Instrument, p *engine.Params) (engine.Strategy, error) {
	o := parent{number: p.Int("parent", 1, 0, 1_000_000_000), qty: p.Qty("qty", 0), limit: p.Price("limit", 0),
		within: core.MonoNs(p.Duration("within", 5*time.Minute, time.Second, 24*time.Hour)),
		mode:   p.Choice("mode", "twap", "twap", "pov", "iceberg", "peg", "sweep"), style: p.Choice("style", "auto", "auto", "maker", "taker"),
		slices: p.Int("slices", 10, 1, 10_000), rate: p.Float("rate", 0.1, 0.001, 0.5), show: p.Qty("show", 0),
		offset: p.Int("offset_ticks", 0, -100, 1000), slippage: p.Float("slippage_bps", 20, 0, 1000), fees: feesOf(p),
		tick: max(in.Filters.Tick, 1), in: in}
	if p.Choice("side", "buy", "buy", "sell") == "sell" {
		o.side = core.Sell
	}
	if o.show == 0 {
		o.show = o.qty / 10
	}
	if err := p.Done(); err != nil {
		return nil, err
	}
	return &Execution{order: o}, nil
}

// Tune takes over parameters. Another parent number ends the present parent and begins the
// next; with the same one the rest of the present goes on by the new parameters.
func (x *Execution) Tune(v *engine.View, next engine.Strategy) {
	to := next.(*Execution).order
	if to.number != x.order.number {
		x.work, x.late = progress{}, 0
	}
	x.order = to
	x.pull(v)
}

// Market follows the tape and goes on.
func (x *Execution) Market(v *engine.View, ev *core.Event) {
	x.tape.See(v, ev)
	if w := &x.work; w.begun && (ev.Kind == core.Trade || ev.Kind == core.AggTrade) && !ev.Late() {
		w.seen += ev.TradeQty()
		w.seenValue = w.seenValue.Add(core.NotionalOf(ev.TradePrice(), ev.TradeQty()))
	}
	x.step(v)
}

// Timer goes on too, for a market too quiet to do it.
func (x *Execution) Timer(v *engine.View) { x.step(v) }

// Report books what has traded and frees what has ended.
func (x *Execution) Report(v *engine.View, r *core.Report, o *risk.Order) {
	if r.Kind == core.ReportFill && o.Side == x.order.side && x.work.begun {
		x.work.done += r.Qty
		x.work.value = x.work.value.Add(core.NotionalOf(r.Price, r.Qty))
	}
	switch {
	case r.ID != x.child:
		if !o.Status.Terminal() && !o.Canceling {
			v.Cancel(r.ID) // it lives although it had been told as ended
		}
		return
	case r.Kind == core.ReportCancelRejected, o.Status == core.Rejected, o.Status == core.NotSent:
		x.next = v.Now() + childPause
	}
	if !o.Status.Terminal() {
		return
	}
	x.child = 0
	if x.taking {
		x.next = max(x.next, v.Now()+childPause)
	}
}

// left is what has still to be done.
func (x *Execution) left() core.Qty { return x.order.qty - x.work.done }

// step is one look at the parent.
func (x *Execution) step(v *engine.View) {
	o, w, top, now := &x.order, &x.work, v.Top(), v.Now()
	if o.number == 0 || o.qty == 0 || w.over || top.Bid <= 0 || top.Ask <= 0 {
		x.pull(v)
		return
	}
	if v.Halted() != 0 {
		return // the shard ends what is open
	}
	if !w.begun {
		*w = progress{begun: true, start: now, arrival: top.Mid()}
	}
	c := v.Order(x.child)
	if c == nil {
		x.child = 0
	}
	if left := x.left(); left <= 0 || now-w.start >= o.within || c == nil && lots(o.in, left, o.touch(&top)) == 0 {
		if x.pull(v); x.child == 0 {
			w.over = true
		}
		return
	}
	if c != nil {
		x.tend(v, c, &top)
		return
	}
	if now < x.next {
		return
	}
	x.ask(v, &top)
}

func (o *parent) touch(top *core.Top) core.Price { return touchOf(top, o.side) }

// bound is the worst price at which it takes: the limit, and slippage_bps from arrival.
func (x *Execution) bound() core.Price {
	p := beyond(x.order.side, x.work.arrival, x.order.slippage, x.order.tick)
	return x.order.capped(p)
}

// capped is p, or the limit where that is stricter.
func (o *parent) capped(p core.Price) core.Price {
	switch {
	case o.limit == 0:
	case o.side == core.Buy:
		p = min(p, o.limit.TickFloor(o.tick))
	default:
		p = max(p, o.limit.TickCeil(o.tick))
	}
	return p
}

// due is how much of the parent should have traded or be at work by now.
func (x *Execution) due(now core.MonoNs) core.Qty {
	o, w := &x.order, &x.work
	switch o.mode {
	case "twap":
		k := min(int64(now-w.start)*o.slices/int64(o.within)+1, o.slices)
		return core.Qty(math.Ceil(float64(o.qty) * float64(k) / float64(o.slices)))
	case "pov":
		return min(core.Qty(float64(w.seen)*o.rate), o.qty)
	}
	return o.qty
}

// sliceLeft is the time until the part that is due now should have traded.
func (x *Execution) sliceLeft(now core.MonoNs) time.Duration {
	o, w := &x.order, &x.work
	if o.mode != "twap" {
		return 5 * time.Second
	}
	each := o.within / core.MonoNs(o.slices)
	return time.Duration(each - (now-w.start)%each)
}

// ask begins the next child.
func (x *Execution) ask(v *engine.View, top *core.Top) {
	o, now := &x.order, v.Now()
	q := min(x.due(now)-x.work.done, x.left())
	touch := o.touch(top)
	if rest := x.left() - q; rest > 0 && lots(o.in, rest, touch) == 0 {
		q = x.left() // no rest that the venue would not take
	}
	take, price := false, touch
	x.compared = false
	switch o.mode {
	case "iceberg":
		q = min(q, max(o.show, smallest(o.in, touch)))
	case "peg":
		price -= core.Price(o.side.Sign()*o.offset) * o.tick
		price = x.behind(price, top)
	case "sweep":
		take = true
	default:
		take = o.style == "taker"
		if o.style == "auto" {
			maker := false
			x.compared = true
			if maker, x.costs = Cheapest(v, &x.tape, o.side, q, o.fees, x.sliceLeft(now)); !maker {
				take = true
			}
		}
	}
	if late := min(x.late, x.left()); late > 0 && o.mode == "twap" {
		take, x.compared, q, x.late = true, false, max(late, smallest(o.in, touch)), 0
		q = min(q, x.left())
	}
	if take {
		x.take(v, q)
		return
	}
	x.post(v, q, price)
}

// behind keeps a posted price from crossing.
func (x *Execution) behind(p core.Price, top *core.Top) core.Price {
	if x.order.side == core.Buy {
		return min(p, top.Ask-x.order.tick)
	}
	return max(p, top.Bid+x.order.tick)
}

// take asks for an order that trades at once or not at all, as far as the bound.
func (x *Execution) take(v *engine.View, q core.Qty) {
	o, p, top := &x.order, x.bound(), v.Top()
	if far := touchOf(&top, o.side.Opposite()); (far-p)*core.Price(o.side.Sign()) > 0 {
		return // nothing stands within the bound
	}
	if q = lots(o.in, q, p); q == 0 {
		return
	}
	p = deepEnough(v, o.side, q, p, 1, o.tick)
	x.placed(v, core.Intent{Side: o.side, Type: core.Limit, TIF: core.IOC, Price: p, Qty: q}, true)
}

func (x *Execution) post(v *engine.View, q core.Qty, p core.Price) {
	p = x.order.capped(p)
	x.placed(v, core.Intent{Side: x.order.side, Type: core.LimitMaker, Price: p, Qty: lots(x.order.in, q, p)}, false)
}

func (x *Execution) placed(v *engine.View, in core.Intent, take bool) {
	if in.Qty == 0 || in.Price <= 0 {
		return
	}
	id, r := v.Place(in)
	if x.refused = r; r != risk.None {
		x.next = v.Now() + childPause
		return
	}
	x.child, x.taking, x.since = id, take, v.Now()
	if x.compared {
		x.costs.chose(v, id, !take)
	}
	x.work.slice = x.sliceOf(v.Now())
}

func (x *Execution) sliceOf(now core.MonoNs) int64 {
	return int64(now-x.work.start) * x.order.slices / int64(x.order.within)
}

// tend looks after a child at work: it follows the touch, or gives way to the next part.
func (x *Execution) tend(v *engine.View, c *risk.Order, top *core.Top) {
	o, now := &x.order, v.Now()
	if c.Canceling || x.taking || now < x.next {
		return
	}
	want := o.touch(top)
	switch o.mode {
	case "twap":
		if x.sliceOf(now) > x.work.slice { // its time is over: what is left of it is taken with the next
			if v.Cancel(c.ID) == risk.None && o.style != "maker" {
				x.late = c.Remaining()
			}
			return
		}
	case "peg":
		want = x.behind(want-core.Price(o.side.Sign()*o.offset)*o.tick, top)
	}
	if want = o.capped(want); want == c.Price || now-x.since < core.MonoNs(200*time.Millisecond) {
		return
	}
	v.Cancel(c.ID) // and not a replace: what traded meanwhile would come on top
}

// pull ends what is at work.
func (x *Execution) pull(v *engine.View) {
	o := v.Order(x.child)
	if o == nil {
		x.child = 0
		return
	}
	if !o.Canceling && v.Now() >= x.next {
		v.Cancel(x.child)
	}
}

// Say tells how far it is and how well it did.
func (x *Execution) Say(_ *engine.View, dst []byte) []byte {
	o, w := &x.order, &x.work
	if o.number == 0 || o.qty == 0 {
		return append(dst, "nothing to do"...)
	}
	state := "working"
	switch {
	case w.over && x.left() <= 0:
		state = "done"
	case w.over:
		state = "over"
	case !w.begun:
		state = "waiting"
	}
	dst = fmt.Appendf(dst, "parent %d: %s %v %v of %v by %s", o.number, state, o.side, w.done, o.qty, o.mode)
	if w.done > 0 {
		mean := core.Price(w.value.Div(uint64(w.done)))
		dst = fmt.Appendf(dst, " at %v, arrival %v, slippage %.2f bps", mean, w.arrival, x.worse(mean, w.arrival))
		if w.seen > 0 {
			vwap := core.Price(w.seenValue.Div(uint64(w.seen)))
			dst = fmt.Appendf(dst, ", %.2f bps against the market's VWAP %v", x.worse(mean, vwap), vwap)
		}
	}
	if o.style == "auto" && x.costs.Horizon > 0 && !w.over {
		dst = fmt.Appendf(dst, "; %v", &x.costs)
	}
	return dst
}

// worse is how much worse a price is than another, in 1/10000.
func (x *Execution) worse(p, than core.Price) float64 {
	return float64(x.order.side.Sign()) * float64(p-than) / float64(than) * 1e4
}

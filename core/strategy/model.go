package strategy

import (
	"math"
	"strconv"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/risk"
)

// The quoter's model, its guard and what a place in the queue is worth. All of it is off
// unless its parameters ask for it.
//
// Model glft (Guéant, Lehalle and Fernandez-Tapia, the closed form for a long horizon of
// what Avellaneda and Stoikov began): with the mid's variance s^2 per second, trades that
// come A times a second and thin out with exp(-kappa * distance), and an aversion to
// inventory gamma, the best quotes lie
//
//	bid: base + (2n+1)/2 * skew below the fair price     base = ln(1 + gamma/kappa) / gamma
//	ask: base - (2n-1)/2 * skew above it                 skew = sqrt(s^2 gamma / (2 kappa A) * (1 + gamma/kappa)^(1 + kappa/gamma))
//
// where n is the inventory in quotes. Distances are in 1/10000 of the price, s from the
// volatility signal, A and kappa from the trades (Meter). Until 20 trades have been seen the
// fixed quotes hold.
//
// The guard takes a side away, or moves it back, when whoever trades seems to know more:
//   - one side's takers make up more than flow_max of the flow: the side they hit stays away;
//   - the touch jumps by sweep_bps within 100 ms: the side it jumped over stays away;
//   - own fills lose more than markout_bps within a second, on average of the last dozen:
//     both sides move back by as much as they lose.
//
// A resting order's place in its queue: what rested at its price when it was placed, less
// what has traded there, and never more than what rests there now. The front of a queue is
// worth queue_bps, its end nothing; an order is moved only for more than that.

// modelling is the model's parameters.
type modelling struct {
	glft                              bool
	gamma, kappa                      float64
	flowMax, sweep, markout, queueBps float64
	guardFor                          core.MonoNs
	watches                           bool // any of it is on
}

func modellingOf(p *engine.Params) modelling {
	m := modelling{glft: p.Choice("model", "fixed", "fixed", "glft") == "glft", gamma: p.Float("gamma", 0.05, 0.0001, 10), kappa: p.Float("kappa", 0, 0, 1000),
		flowMax: p.Float("flow_max", 0, 0, 1), sweep: p.Float("sweep_bps", 0, 0, 1000), markout: p.Float("markout_bps", 0, 0, 1000),
		queueBps: p.Float("queue_bps", 0, 0, 100), guardFor: core.MonoNs(p.Duration("guard_for", 500*time.Millisecond, 0, time.Minute))}
	m.watches = m.glft || m.flowMax > 0 || m.sweep > 0 || m.markout > 0 || m.queueBps > 0
	return m
}

// ownFill is one of the last own fills that has not been marked out yet.
type ownFill struct {
	side  core.Side
	price core.Price
	at    core.MonoNs
}

const (
	fillsKept   = 16
	markAfter   = core.MonoNs(time.Second)
	sweepWithin = core.MonoNs(100 * time.Millisecond)
	// kappaLeast and kappaMost bound what is measured of trades that all lie at one distance.
	kappaLeast = 0.01
	kappaMost  = 20
)

// watch is what the quoter has seen of the market.
type watch struct {
	tape    Meter
	fills   [fillsKept]ownFill
	head, n int
	loss    float64        // mean loss of own fills after a second, 1/10000
	shy     [2]core.MonoNs // until then that side stays away
	was     core.Top       // some time within sweepWithin ago
	wasAt   core.MonoNs
	base    float64 // of the model, as last used
	skew    float64
	guarded uint64 // times a side was taken away
}

func (w *watch) filled(s core.Side, p core.Price, now core.MonoNs) {
	if w.n < fillsKept {
		w.fills[(w.head+w.n)%fillsKept] = ownFill{s, p, now}
		w.n++
	}
}

// marked holds fills that are a second old against the mid.
func (w *watch) marked(mid float64, now core.MonoNs) {
	for w.n > 0 && now-w.fills[w.head].at >= markAfter {
		f := &w.fills[w.head]
		w.head, w.n = (w.head+1)%fillsKept, w.n-1
		lost := -float64(f.side.Sign()) * (mid - float64(f.price)) / float64(f.price) * 1e4
		w.loss += (lost - w.loss) / 12
	}
}

func (q *Quoter) away(s core.Side, now core.MonoNs) {
	if now >= q.watch.shy[s] {
		q.watch.guarded++
	}
	q.watch.shy[s] = now + q.guardFor
}

// look takes an event for all that is measured.
func (q *Quoter) look(v *engine.View, ev *core.Event) {
	w, now, top := &q.watch, v.Now(), v.Top()
	w.tape.See(v, ev)
	if top.Bid <= 0 || top.Ask <= 0 {
		return
	}
	w.marked(float64(top.Mid()), now)
	if ev.Kind == core.Trade || ev.Kind == core.AggTrade {
		if !ev.Late() {
			q.traded(ev, now)
		}
		return
	}
	if q.sweep > 0 {
		if w.wasAt != 0 && now-w.wasAt <= sweepWithin {
			if float64(w.was.Bid-top.Bid) > q.sweep/1e4*float64(top.Bid) {
				q.away(core.Buy, now)
			}
			if float64(top.Ask-w.was.Ask) > q.sweep/1e4*float64(top.Ask) {
				q.away(core.Sell, now)
			}
		}
		if now-w.wasAt > sweepWithin {
			w.was, w.wasAt = top, now
		}
	}
}

// traded moves own orders forward in their queues, and looks at the flow.
func (q *Quoter) traded(ev *core.Event, now core.MonoNs) {
	taker := ev.Aggressor()
	hit := taker.Opposite()
	if mine := &q.sides[hit]; mine.id != 0 && mine.ahead > 0 {
		mine.ahead = max(mine.ahead-ev.TradeQty(), 0)
	}
	w := &q.watch
	if q.flowMax > 0 && w.tape.ready() {
		mine, all := w.tape.volume[taker], w.tape.volume[0]+w.tape.volume[1]
		if all > 0 && mine/all > q.flowMax {
			q.away(hit, now)
		}
	}
}

// model moves the wanted quotes to where the model has them, and back from a market that
// takes them for a loss. It is never better than the touch by more than a tick.
func (q *Quoter) model(v *engine.View, position core.Qty, top *core.Top, bid, ask core.Price) (core.Price, core.Price) {
	tick, fair := v.Instrument().Filters.Tick, v.Signals().Microprice()
	if w := &q.watch; q.glft && w.tape.ready() {
		kappa := q.kappa
		if kappa == 0 {
			kappa = min(max(1/max(w.tape.reach, 1e-9), kappaLeast), kappaMost)
		}
		a := max(w.tape.arrivals(v.Now())/2, 1e-3) // on each side
		vol := v.Signals().VolatilityBps()
		w.base = math.Log1p(q.gamma/kappa) / q.gamma
		w.skew = math.Sqrt(vol * vol * q.gamma / (2 * kappa * a) * math.Pow(1+q.gamma/kappa, 1+kappa/q.gamma))
		n := float64(position) / float64(max(q.unit, 1))
		down, up := max(w.base+(2*n+1)/2*w.skew, 0), max(w.base-(2*n-1)/2*w.skew, 0)
		bid = core.Price(math.Floor(fair * max(1-down/1e4, 0))).TickFloor(tick)
		ask = core.Price(math.Ceil(fair * (1 + up/1e4))).TickCeil(tick)
		bid, ask = min(bid, top.Bid+tick, top.Ask-tick), max(ask, top.Ask-tick, top.Bid+tick)
	}
	if q.markout > 0 && q.watch.loss > q.markout {
		back := core.Price(fair * q.watch.loss / 1e4)
		bid, ask = (bid - back).TickFloor(tick), (ask + back).TickCeil(tick)
	}
	return max(bid, 0), ask
}

// levelsSeen bounds how deep an own price is looked for in the book.
const levelsSeen = 20

// levelOf is what rests at a price of a side of the book, 0 where that is not near the touch.
func levelOf(v *engine.View, s core.Side, p core.Price) core.Qty {
	c := v.Book().Cursor(s)
	for range levelsSeen {
		lv, ok := c.Next()
		if !ok || (lv.Price-p)*core.Price(s.Sign()) < 0 {
			return 0
		}
		if lv.Price == p {
			return lv.Qty
		}
	}
	return 0
}

// worth is what an order's place in its queue is worth, as a distance in price.
func (q *Quoter) worth(v *engine.View, mine *quote, o *risk.Order) core.Price {
	if q.queueBps == 0 || o.Status < core.New {
		return 0
	}
	rests := max(levelOf(v, o.Side, o.Price), o.Remaining())
	mine.ahead = min(mine.ahead, rests-o.Remaining())
	front := 1 - float64(mine.ahead)/float64(rests)
	return core.Price(float64(o.Price) * q.queueBps / 1e4 * front)
}

// Say tells what the quoter measures. It allocates nothing: it is on the shard's thread.
func (q *Quoter) Say(v *engine.View, dst []byte) []byte {
	if !q.watches {
		return dst
	}
	w := &q.watch
	if q.glft && w.tape.ready() {
		dst = figure(dst, "model: half spread ", w.base, 3)
		dst = figure(dst, " bps, skew ", w.skew, 3)
		dst = figure(dst, " bps a quote; volatility ", v.Signals().VolatilityBps(), 2)
		dst = figure(dst, " bps, ", w.tape.arrivals(v.Now()), 1)
		dst = figure(dst, " trades/s, reach ", w.tape.reach, 3)
		dst = append(dst, " bps; "...)
	}
	dst = figure(dst, "own fills lose ", w.loss, 2)
	dst = figure(dst, " bps in a second, sides taken away ", float64(w.guarded), 0)
	dst = append(dst, " times"...)
	for s, mine := range q.sides {
		if o := v.Order(mine.id); o != nil && q.queueBps > 0 {
			dst = append(append(append(dst, "; "...), core.Side(s).String()...), ' ')
			dst = core.AppendDecimal(dst, int64(o.Price))
			dst = core.AppendDecimal(append(dst, " behind "...), int64(mine.ahead))
		}
	}
	return dst
}

func figure(dst []byte, text string, v float64, digits int) []byte {
	return strconv.AppendFloat(append(dst, text...), v, 'f', digits, 64)
}

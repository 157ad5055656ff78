// Package breakout is an example of a user's own strategy: it buys when a bar closes
// above all of the last n closes, and leaves by a trailing stop or after a time. It knows
// of riposte what the README's section "Add a strategy" tells.
package breakout

import (
	"strconv"
	"time"

	"riposte/core"
	"riposte/core/bar"
	"riposte/core/engine"
	"riposte/core/risk"
)

func init() { engine.Register("breakout", New) }

// Breakout holds one long position at a time.
//
//	parameter  default  range        meaning
//	qty        least    > 0          what is bought, in base; default: the symbol's least
//	bars       20       2 to 400     closes to be above; bars.keep must hold as many
//	interval   1m       a bar        one of bars.intervals
//	reach_bps  3        0 to 100     how far beyond the ask, and below the bid, it takes
//	trail_bps  20       1 to 1000    way down from the best bid since the entry that ends it
//	hold_max   10m      1s to 24h    longest time in a position
//
// Risks. Most breakouts fail, and each costs the spread and two taker fees. Between two
// events the price can pass the trailing stop by any distance; nothing rests at the venue.
type Breakout struct {
	parameters
	id    core.OrderID // at work, 0: none
	next  core.MonoNs  // nothing is asked for before
	since core.MonoNs  // of the entry
	best  core.Price   // highest bid since
}

type parameters struct {
	qty          core.Qty
	bars         int
	every        bar.Interval
	reach, trail int64 // hundredths of a basis point
	hold         core.MonoNs
}

// pause is how long it rests after a refusal or an order that did not trade.
const pause = core.MonoNs(time.Second)

// New builds one for an instrument.
func New(in *core.Instrument, p *engine.Params) (engine.Strategy, error) {
	s := &Breakout{parameters: parameters{
		qty:   p.Qty("qty", in.Filters.QtyMin),
		bars:  int(p.Int("bars", 20, 2, 400)),
		reach: int64(p.Float("reach_bps", 3, 0, 100) * 100),
		trail: int64(p.Float("trail_bps", 20, 1, 1000) * 100),
		hold:  core.MonoNs(p.Duration("hold_max", 10*time.Minute, time.Second, 24*time.Hour)),
	}}
	every, err := bar.Parse(p.Choice("interval", "1m", "1s", "1m", "3m", "5m", "15m", "1h"))
	if err != nil {
		return nil, err
	}
	s.every = every
	if err := p.Done(); err != nil {
		return nil, err
	}
	return s, nil
}

// Tune takes new parameters over; a position stays what it is.
func (s *Breakout) Tune(_ *engine.View, next engine.Strategy) {
	s.parameters = next.(*Breakout).parameters
}

// Bar looks for a breakout in the bar that has just become complete.
func (s *Breakout) Bar(v *engine.View, in bar.Interval, b *bar.Bar) {
	if in != s.every || !v.Live() || s.id != 0 || v.Now() < s.next || holds(v) {
		return
	}
	bars := v.Bars(in)
	if bars == nil || bars.Len() <= s.bars {
		return
	}
	for i := 1; i <= s.bars; i++ { // 0 is b itself
		if bars.At(i).Close >= b.Close {
			return
		}
	}
	top, tick := v.Top(), v.Instrument().Filters.Tick
	s.take(v, core.Buy, (top.Ask + part(top.Ask, s.reach)).TickCeil(tick), s.qty)
}

// Market watches the trailing stop.
func (s *Breakout) Market(v *engine.View, _ *core.Event) { s.watch(v) }

// Timer watches the time.
func (s *Breakout) Timer(v *engine.View) { s.watch(v) }

func (s *Breakout) watch(v *engine.View) {
	top := v.Top()
	s.best = max(s.best, top.Bid)
	if s.id != 0 || v.Now() < s.next || !holds(v) {
		return
	}
	if top.Bid > s.best-part(s.best, s.trail) && v.Now()-s.since < s.hold {
		return
	}
	low := (top.Bid - part(top.Bid, s.reach)).TickFloor(v.Instrument().Filters.Tick)
	if q, _ := v.Sellable(low); q > 0 {
		s.take(v, core.Sell, low, q)
	}
}

// take asks for an order that trades at once or not at all.
func (s *Breakout) take(v *engine.View, side core.Side, p core.Price, q core.Qty) {
	id, refusal := v.Place(core.Intent{Side: side, Type: core.Limit, TIF: core.IOC, Price: p, Qty: q})
	if refusal != risk.None {
		s.next = v.Now() + pause
		return
	}
	s.id = id
}

// Report follows the one order.
func (s *Breakout) Report(v *engine.View, r *core.Report, o *risk.Order) {
	if r.ID != s.id {
		if !o.Status.Terminal() && !o.Canceling {
			v.Cancel(r.ID) // of a former run
		}
		return
	}
	if !o.Status.Terminal() {
		return
	}
	s.id = 0
	if o.Cum == 0 {
		s.next = v.Now() + pause
	} else if o.Side == core.Buy {
		s.since, s.best = v.Now(), v.Top().Bid
	}
}

// Say tells how it stands.
func (s *Breakout) Say(v *engine.View, dst []byte) []byte {
	if !v.Live() || !holds(v) {
		return append(dst, "waits for a close above the others"...)
	}
	dst = strconv.AppendInt(append(dst, "in since "...), int64(v.Now()-s.since)/1e9, 10)
	return core.AppendDecimal(append(dst, " s, leaves below "...), int64(s.best-part(s.best, s.trail)))
}

// holds reports whether there is something that can be sold: commission in the base asset
// leaves dust that the venue takes in no order.
func holds(v *engine.View) bool {
	q, _ := v.Sellable(v.Top().Bid)
	return q > 0
}

// part is so many hundredths of a basis point of a price.
func part(p core.Price, hundredths int64) core.Price {
	// In two parts, so that neither a high price overflows nor a low one vanishes.
	whole, rest := int64(p)/1_000_000, int64(p)%1_000_000
	return core.Price(whole*hundredths + rest*hundredths/1_000_000)
}

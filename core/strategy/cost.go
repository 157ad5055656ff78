package strategy

import (
	"fmt"
	"math"
	"time"

	"riposte/core"
	"riposte/core/engine"
)

// Fees are what the account pays, in 1/10000 of the value; the venue tells them per
// account, so they are parameters (maker_bps, taker_bps).
type Fees struct{ Maker, Taker float64 }

func feesOf(p *engine.Params) Fees {
	return Fees{p.Float("maker_bps", 10, -10, 100), p.Float("taker_bps", 10, 0, 100)}
}

// unknownCost is what posting costs where too little was traded to know.
const unknownCost = 10_000

// Costs are what an order is expected to cost against the mid of now, taken at once or
// posted at the touch, in 1/10000 of its value; less is better, below 0 is a gain.
type Costs struct {
	Taker, Maker float64
	Spread       float64 // half of it
	Impact       float64 // what taking all of it costs beyond the half spread
	Fill         float64 // probability that the posted order fills within the horizon
	Adverse      float64 // what the mid is expected to move against a posted order that fills
	Miss         float64 // and away from one that does not, to be taken then
	Horizon      time.Duration
}

// String explains the choice.
func (c *Costs) String() string {
	if c.Maker == unknownCost {
		return fmt.Sprintf("taker: %.2f bps (half spread %.2f, impact %.2f); too little was traded to know what posting costs", c.Taker, c.Spread, c.Impact)
	}
	way, than := "maker", "taker"
	if c.Taker <= c.Maker {
		way, than = than, way
	}
	return fmt.Sprintf("%s: maker %.2f bps (fills in %v with %.0f %%, then adverse %.2f, else %.2f away), taker %.2f bps (half spread %.2f, impact %.2f); %s costs more",
		way, c.Maker, c.Horizon, 100*c.Fill, c.Adverse, c.Miss, c.Taker, c.Spread, c.Impact, than)
}

// Cheapest compares taking an order at once with posting it at its side's touch for a
// while and taking what is left then. What is posted waits behind the quantity that rests
// there: it fills as takers of the other side come, at the rate seen lately; who fills it
// knows more, and one that does not fill sees the price go; both by the volatility over
// the time it takes. Where too little was traded yet to know, it takes. No allocation.
func Cheapest(v *engine.View, t *Meter, side core.Side, q core.Qty, fees Fees, horizon time.Duration) (maker bool, c Costs) {
	top, now := v.Top(), v.Now()
	mid := float64(top.Mid())
	c.Horizon = horizon
	if mid <= 0 || top.Bid <= 0 || top.Ask <= 0 {
		return false, c
	}
	c.Spread = float64(top.Ask-top.Bid) / 2 / mid * 1e4
	value, worst, filled := v.Book().Cost(side, q)
	switch {
	case filled >= q:
		mean := float64(value.Div(uint64(filled)))
		c.Impact = max(math.Abs(mean-mid)/mid*1e4-c.Spread, 0)
	default: // the rest lies beyond what is known: as far again, and a half spread for its share
		if filled > 0 {
			c.Impact = max(math.Abs(float64(worst)-mid)/mid*1e4-c.Spread, 0) * 2
		}
		c.Impact += c.Spread * (1 - float64(filled)/float64(q))
	}
	c.Taker = fees.Taker + c.Spread + c.Impact
	if !t.ready() {
		c.Maker = unknownCost
		return false, c
	}
	ahead := float64(top.BidQty)
	if side == core.Sell {
		ahead = float64(top.AskQty)
	}
	wait, rate := horizon.Seconds(), t.perSecond(side.Opposite(), now)
	takes := (ahead + float64(q)) / core.Scale / max(rate, 1e-12) // seconds until all of it has traded
	c.Fill = 1 - math.Exp(-wait/takes)
	vol := v.Signals().VolatilityBps()
	c.Adverse = 0.5 * vol * math.Sqrt(min(takes, wait))
	c.Miss = 0.4 * vol * math.Sqrt(wait) // the mean of the half of a normal move that goes away
	c.Maker = c.Fill*(fees.Maker-c.Spread+c.Adverse) + (1-c.Fill)*(c.Taker+c.Miss)
	return c.Maker < c.Taker, c
}

// chose puts the comparison by which an order was chosen on record.
func (c *Costs) chose(v *engine.View, id core.OrderID, maker bool) {
	v.Chose(engine.Choice{Order: id, Maker: maker, MakerBps: c.Maker, TakerBps: c.Taker, Spread: c.Spread, Impact: c.Impact, Fill: c.Fill,
		Adverse: c.Adverse, Miss: c.Miss, Horizon: c.Horizon})
}

// beyond is a price that far, in 1/10000, on the side to which a taker goes: up for a
// buy; rounded towards p to the tick.
func beyond(side core.Side, p core.Price, bps float64, tick core.Price) core.Price {
	if side == core.Buy {
		return core.Price(float64(p) * (1 + bps/1e4)).TickFloor(tick)
	}
	return core.Price(math.Ceil(float64(p) * (1 - bps/1e4))).TickCeil(tick)
}

// deepEnough is the price at which an order that takes q at once reaches as deep as the book
// calls for and margin, in 1/10000, beyond, but not beyond bound: a price no deeper than needed
// meets fewer own orders, and spends less of what the gate allows.
func deepEnough(v *engine.View, side core.Side, q core.Qty, bound core.Price, margin float64, tick core.Price) core.Price {
	_, worst, filled := v.Book().Cost(side, q)
	if filled < q {
		return bound
	}
	top := v.Top()
	touch := touchOf(&top, side.Opposite())
	if side == core.Buy {
		return min(bound, max(beyond(side, max(worst, touch), margin, tick), touch))
	}
	return max(bound, min(beyond(side, min(worst, touch), margin, tick), touch))
}

// touchOf is the best price of a side.
func touchOf(top *core.Top, side core.Side) core.Price {
	if side == core.Buy {
		return top.Bid
	}
	return top.Ask
}

// lots is q on the symbol's lot, 0 where the venue would not take so little at that price.
func lots(in *core.Instrument, q core.Qty, p core.Price) core.Qty {
	f := &in.Filters
	if q = q.LotFloor(max(f.Lot, 1)); q < f.QtyMin || q <= 0 || core.NotionalOf(p, q).Cmp(core.NotionalOfAmount(f.NotionalMin)) < 0 {
		return 0
	}
	if f.QtyMax > 0 {
		q = min(q, f.QtyMax)
	}
	return q
}

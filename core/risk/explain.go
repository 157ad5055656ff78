package risk

import (
	"fmt"
	"math"
	"time"

	"riposte/core"
	"riposte/core/book"
)

// Denial is one refusal with what it was judged by: for logs, reports and whoever
// asks why. Fixed size; it crosses a ring.
type Denial struct {
	Refusal  Refusal
	Halt     HaltCause // in force for the instrument
	Intent   core.Intent
	Top      core.Top
	Last     core.Price
	Average  core.Price
	Order    Order // the order that a Cancel, Amend or Replace names
	Exposure Exposure
	Own      Exposure // of the strategy that asked
	OwnGross core.Amount
	Budget   *Budget  // its own, nil without one; only read
	Held     core.Qty // of the base asset, MAX_POSITION's
	Live     int      // of the account
	Unknown  int
	Gross    core.Amount
	Unpriced bool // the worth of this or of something held is not known: no price yet
	Clock    time.Duration
	Book     book.State
	// When the book, the account and the venue's rules were last found to be current,
	// and when that was asked.
	Proved, Audited, RulesRead, At core.MonoNs
	Read                           core.MonoNs // when the bytes of the book's proof had been read
	Orders, Trades                 uint64      // of the day
}

// Denied is the newest refusal. Valid until the next call of Approve.
func (g *Gate) Denied() *Denial { return &g.denied }

// refuse counts a refusal and keeps what it was judged by.
func (g *Gate) refuse(r Refusal, in *core.Intent, sync *book.Sync, now core.MonoNs) {
	g.refused[r]++
	d := &g.denied
	d.Refusal, d.Intent, d.Halt = r, *in, g.halt
	d.Live, d.Unknown, d.Gross, d.Clock = g.orders.live, g.unknown, g.capital.gross, g.clockError
	d.Audited, d.RulesRead, d.At, d.Orders, d.Trades = g.auditAt, g.rulesAt, now, g.capital.orders, g.capital.trades
	d.Unpriced = r == RefusedCapital && (g.unpriced || g.capital.rates[g.rules[in.Instrument].Quote] == 0)
	d.Top, d.Book, d.Proved, d.Read = core.Top{}, book.Syncing, 0, 0
	if sync != nil {
		d.Top, d.Book, d.Proved, d.Read = sync.Top(), sync.State(), sync.LastProof(), sync.LastRead()
	}
	d.Order = Order{}
	if in.Kind != core.Place {
		id := in.ID
		if in.Kind == core.Replace {
			id = in.Old
		}
		if o := g.orders.find(id); o != nil {
			d.Order = *o
		}
	}
	if int(in.Instrument) >= len(g.watch) {
		return
	}
	w := &g.watch[in.Instrument]
	d.Halt |= w.halt
	d.Own, d.OwnGross, d.Budget = g.Own(in.Strategy, in.Instrument), 0, nil
	if int(in.Strategy) < len(g.strategies) {
		s := &g.strategies[in.Strategy]
		d.Halt |= s.halt
		d.OwnGross, d.Budget = s.gross, s.budget
	}
	d.Last, d.Average, d.Exposure = w.last, w.average, g.exposure[in.Instrument]
	d.Held, _ = g.Held(in.Instrument)
}

// Explain says of a refusal which rule it was, what value met it, and, where there is
// one, the nearest legal value: one line. inst holds the rules in force, l and a the
// limits. Cold side; it allocates.
func Explain(d *Denial, inst *core.Instrument, l *Limits, a *AccountLimits) string {
	rule := d.Refusal.String()
	value := d.value(inst, l, a)
	if value != "" {
		rule += ": " + value
	}
	if near, ok := Nearest(d, inst, l); ok {
		return fmt.Sprintf("%s %v %s: %s; nearest legal: %s", inst.Symbol, d.Intent.Side, d.Intent.Type, rule, changes(&d.Intent, &near))
	}
	return fmt.Sprintf("%s %v %s: %s; nearest legal: none until that changes", inst.Symbol, d.Intent.Side, d.Intent.Type, rule)
}

// changes names what two intents differ in, by the second's values.
func changes(from, to *core.Intent) string {
	s := ""
	add := func(differ bool, format string, v any) {
		if !differ {
			return
		}
		if s != "" {
			s += ", "
		}
		s += fmt.Sprintf(format, v)
	}
	add(from.Price != to.Price, "price %v", to.Price)
	add(from.Stop != to.Stop, "stop price %v", to.Stop)
	add(from.Qty != to.Qty, "quantity %v", to.Qty)
	add(from.Iceberg != to.Iceberg, "shown quantity %v", to.Iceberg)
	add(from.Trail != to.Trail, "trailing delta %v", to.Trail)
	return s
}

// value is what met the rule, beside what the rule wants.
func (d *Denial) value(inst *core.Instrument, l *Limits, a *AccountLimits) string {
	in, f, e := &d.Intent, &inst.Filters, &d.Exposure
	switch d.Refusal {
	case RefusedHalted:
		return d.Halt.String()
	case RefusedReduceOnly:
		return fmt.Sprintf("%v %v at a position of %v", in.Side, in.Qty, e.Position)
	case RefusedSymbol:
		return inst.Symbol
	case RefusedStale:
		if d.Proved != 0 && d.Proved < d.Read && d.At-d.Proved > core.MonoNs(l.StaleAfter) {
			return fmt.Sprintf("%v, left the venue %s by the venue's time, read %s, want within %v", d.Book, d.ago(d.Proved), d.ago(d.Read), l.StaleAfter)
		}
		return fmt.Sprintf("%v, proved %s by when it was read, want within %v", d.Book, d.ago(d.Proved), l.StaleAfter)
	case RefusedAudit:
		return fmt.Sprintf("found in order %s, want within %v", d.ago(d.Audited), a.AuditAgeMax)
	case RefusedRulesAge:
		return fmt.Sprintf("read %s, want within %v", d.ago(d.RulesRead), a.RulesAgeMax)
	case RefusedRatio:
		return fmt.Sprintf("%d orders for %d trades, want at most %d for each", d.Orders, d.Trades, a.RatioMax)
	case RefusedStrategyRate:
		most, span := a.StrategyRateMax, a.StrategySpan
		if b := d.Budget; b != nil && b.RateMax > 0 {
			most, span = b.RateMax, b.RateSpan
		}
		return fmt.Sprintf("%swant at most %d in %v", d.whose(), most, span)
	case RefusedOwnPosition, RefusedOwnCapital:
		return d.overBudget()
	case RefusedRate, RefusedReserve:
		return fmt.Sprintf("want at most %d orders, and %d messages less %d%% for cancels, in %v", a.RateMax, a.MessageMax, a.ReservePercent, a.RateSpan)
	case RefusedUnknownOrder, RefusedCancelPending, RefusedAmendsFilter:
		return fmt.Sprintf("order %d, amended %d times, want at most %d", max(d.Intent.ID, d.Intent.Old), d.Order.Amends, f.AmendsMax)
	case RefusedClock:
		if d.Clock == unknownClock {
			return fmt.Sprintf("nobody has measured it, want within %v", a.ClockErrorMax)
		}
		return fmt.Sprintf("off by up to %v, want within %v", d.Clock, a.ClockErrorMax)
	case RefusedStatus:
		return inst.Status.String()
	case RefusedType, RefusedFeature:
		return fmt.Sprintf("%v on %s", in.Type, inst.Symbol)
	case RefusedPriceBounds:
		return fmt.Sprintf("price %v, stop price %v, want %v to %v", in.Price, in.Stop, f.PriceMin, f.PriceMax)
	case RefusedTick:
		return fmt.Sprintf("price %v, stop price %v, want multiples of %v", in.Price, in.Stop, f.Tick)
	case RefusedPercentPrice:
		return fmt.Sprintf("price %v at a mid of %v, last %v, average %v", in.Price, d.Top.Mid(), d.Last, d.Average)
	case RefusedTrailing:
		return fmt.Sprintf("delta %d, want %d to %d above or %d to %d below", in.Trail, f.TrailAboveMin, f.TrailAboveMax, f.TrailBelowMin, f.TrailBelowMax)
	case RefusedTrigger:
		return fmt.Sprintf("stop price %v at a mid of %v, last %v", in.Stop, d.Top.Mid(), d.Last)
	case RefusedQtyBounds, RefusedLot:
		return fmt.Sprintf("quantity %v, shown %v, want %v to %v in steps of %v, MARKET %v to %v in steps of %v", in.Qty, in.Iceberg,
			f.QtyMin, f.QtyMax, f.Lot, f.MarketQtyMin, f.MarketQtyMax, f.MarketLot)
	case RefusedParts:
		return fmt.Sprintf("%v shown of %v, want at most %d parts", in.Iceberg, in.Qty, f.PartsMax)
	case RefusedNotionalFilter:
		return fmt.Sprintf("%v at %v, want %v to %v", in.Qty, d.price(), f.NotionalMin, f.NotionalMax)
	case RefusedMaxPosition:
		return fmt.Sprintf("%v held, %v being bought, %v more, want at most %v", d.Held, e.Buy, in.Qty, f.PositionMax)
	case RefusedOrdersFilter:
		return fmt.Sprintf("%d open, want at most %d", e.Open, f.OrdersMax)
	case RefusedAlgosFilter, RefusedIcebergsFilter:
		return fmt.Sprintf("want at most %d that wait for a trigger, %d with a hidden part", f.AlgosMax, f.IcebergsMax)
	case RefusedQtyMax:
		return fmt.Sprintf("%v, want at most %v", in.Qty, l.QtyMax)
	case RefusedSlippage:
		return fmt.Sprintf("%v from a touch of %v, want all of it within %d bps", in.Qty, touch(in.Side, &d.Top), l.SlippageBps)
	case RefusedNotionalMax:
		return fmt.Sprintf("%v at %v, want at most %v", in.Qty, d.price(), l.NotionalMax)
	case RefusedCollar:
		return fmt.Sprintf("%v at a mid of %v, last %v, want within %d bps", d.price(), d.Top.Mid(), d.Last, l.CollarBps)
	case RefusedDrift:
		return fmt.Sprintf("want at most %d bps over %v", l.DriftBps, a.Span)
	case RefusedOpenOrders:
		return fmt.Sprintf("%d, want at most %d", e.Open, l.OpenMax)
	case RefusedAccountOrders:
		return fmt.Sprintf("%d, want at most %d", d.Live, a.OpenMax)
	case RefusedUnknownOrders:
		return fmt.Sprintf("%d, want below %d", d.Unknown, a.UnknownMax)
	case RefusedPosition:
		return fmt.Sprintf("position %v with %v being bought and %v being sold, %v more, want within %v", e.Position, e.Buy, e.Sell, in.Qty, l.PositionMax)
	case RefusedCapital:
		if d.Unpriced {
			return fmt.Sprintf("%v at %v is worth nobody knows what: a price in the account's currency has not been seen yet", in.Qty, d.price())
		}
		return fmt.Sprintf("%v at stake before %v more at %v, want at most %v", d.Gross, in.Qty, d.price(), a.GrossMax)
	case RefusedAmend:
		return fmt.Sprintf("%v, want between %v and %v", in.Qty, d.Order.Cum, d.Order.Qty)
	case RefusedSelfMatch, RefusedDuplicate, RefusedRepeat:
		return fmt.Sprintf("%v at %v", in.Qty, d.price())
	}
	return ""
}

// ago is how long before the refusal something was.
func (d *Denial) ago(at core.MonoNs) string {
	if at <= 0 {
		return "never"
	}
	return fmt.Sprintf("%v ago", time.Duration(d.At-at))
}

// price is the order's own, or where it would trade.
func (d *Denial) price() core.Price {
	switch {
	case d.Intent.Price != 0:
		return d.Intent.Price
	case d.Intent.Stop != 0:
		return d.Intent.Stop
	}
	return touch(d.Intent.Side, &d.Top)
}

// Nearest is the intent with the one value changed that the refusal was about, to the
// nearest that passes this rule (another may still refuse it). ok is false where no
// value helps.
func Nearest(d *Denial, inst *core.Instrument, l *Limits) (near core.Intent, ok bool) {
	near = d.Intent
	in, f := &d.Intent, &inst.Filters
	switch d.Refusal {
	case RefusedPriceBounds, RefusedTick:
		if f.Tick <= 0 {
			return near, false
		}
		if in.Price != 0 || !waits(in.Type) && in.Type != core.MarketOrder {
			near.Price = onGrid(in.Price, f)
		}
		if in.Stop != 0 {
			near.Stop = onGrid(in.Stop, f)
		}
	case RefusedPercentPrice:
		near.Price = d.within(f)
		return near, near.Price > 0 && percentRule(&near, f, d.Top.Mid(), d.Last, d.Average) == None
	case RefusedTrailing:
		lo, hi := f.TrailBelowMin, f.TrailBelowMax
		if above(in) {
			lo, hi = f.TrailAboveMin, f.TrailAboveMax
		}
		near.Trail = uint16(min(max(int(in.Trail), lo), max(hi, lo)))
	case RefusedTrigger:
		last := d.Last
		if last == 0 {
			last = d.Top.Mid()
		}
		if above(in) {
			near.Stop = (last + 1).TickCeil(f.Tick)
		} else {
			near.Stop = (last - 1).TickFloor(f.Tick)
		}
	case RefusedQtyBounds, RefusedLot:
		near.Qty, near.Iceberg = d.lots(f)
	case RefusedParts:
		near.Iceberg = lotCeil((in.Qty+core.Qty(f.PartsMax)-1)/core.Qty(f.PartsMax), f.Lot)
	case RefusedNotionalFilter:
		near.Qty, ok = d.notional(f)
		return near, ok
	case RefusedQtyMax:
		near.Qty = l.QtyMax.LotFloor(step(in.Type, f))
	case RefusedNotionalMax:
		near.Qty = min(in.Qty, affordable(d.dear(l), l.NotionalMax)).LotFloor(step(in.Type, f))
	case RefusedPosition:
		near.Qty = d.Exposure.left(in.Side, l.PositionMax).LotFloor(step(in.Type, f))
	case RefusedMaxPosition:
		near.Qty = (f.PositionMax - d.Held - d.Exposure.Buy).LotFloor(step(in.Type, f))
	case RefusedCollar:
		near.Price = d.collar(l, f)
	case RefusedAmend:
		near.Qty = (d.Order.Qty - 1).LotFloor(f.Lot)
		ok = near.Qty > d.Order.Cum
		return near, ok
	}
	return near, near != *in && near.Qty > 0 && near.Price >= 0 && (near.Price > 0 || in.Price == 0) && near.Stop >= 0
}

func waits(t core.OrderType) bool { return t > core.MarketOrder }

func onGrid(p core.Price, f *core.Filters) core.Price {
	down := p.TickFloor(f.Tick)
	if p-down > f.Tick/2 && down <= math.MaxInt64-f.Tick {
		down += f.Tick
	}
	if f.PriceMax > 0 && down > f.PriceMax {
		down = f.PriceMax.TickFloor(f.Tick)
	}
	return max(down, max(f.PriceMin, 1).TickCeil(f.Tick))
}

// step is the quantity step of a type: for a MARKET order the coarser of two, which
// divide each other on every symbol seen.
func step(t core.OrderType, f *core.Filters) core.Qty {
	if t == core.MarketOrder {
		return max(f.Lot, f.MarketLot)
	}
	return f.Lot
}

func lotCeil(q, lot core.Qty) core.Qty {
	if down := q.LotFloor(lot); down != q {
		return down + lot
	}
	return q
}

// lots is the quantity, and the shown one, on their steps and within their bounds.
func (d *Denial) lots(f *core.Filters) (q, shown core.Qty) {
	fit := func(q core.Qty, lot, lo, hi core.Qty) core.Qty {
		if hi > 0 {
			q = min(q, hi)
		}
		return max(q.LotFloor(lot), lotCeil(lo, lot))
	}
	in := &d.Intent
	lot, lo, hi := step(in.Type, f), f.QtyMin, f.QtyMax
	if in.Price == 0 && in.Kind != core.Amend {
		lo = max(lo, f.MarketQtyMin)
		if f.MarketQtyMax > 0 && (hi == 0 || f.MarketQtyMax < hi) {
			hi = f.MarketQtyMax
		}
		lot = max(lot, f.MarketLot)
	}
	q, shown = fit(in.Qty, lot, lo, hi), in.Iceberg
	if shown > 0 {
		shown = fit(shown, f.Lot, f.QtyMin, f.QtyMax)
	}
	return q, shown
}

// notional is the quantity nearest to the wanted one whose value the venue takes at every
// price that could be meant. Where those lie far apart there may be none.
func (d *Denial) notional(f *core.Filters) (q core.Qty, ok bool) {
	in := &d.Intent
	low, high := in.Price, in.Price
	if in.Kind == core.Amend {
		low, high = d.Order.Price, d.Order.Price
	} else if in.Price == 0 {
		low, high = span(in, &d.Top, &watch{last: d.Last, average: d.Average})
	}
	if low <= 0 {
		return in.Qty, false
	}
	lot := max(step(in.Type, f), 1)
	priceless := in.Price == 0 && in.Kind != core.Amend
	if (!priceless || f.NotionalMinMarket) && core.NotionalOf(low, in.Qty).Cmp(core.NotionalOfAmount(f.NotionalMin)) < 0 {
		least := core.Qty(core.NotionalOfAmount(f.NotionalMin).Div(uint64(low)))
		if core.NotionalOf(low, least).Cmp(core.NotionalOfAmount(f.NotionalMin)) < 0 {
			least++
		}
		q = lotCeil(least, lot)
	} else {
		q = affordable(high, f.NotionalMax).LotFloor(lot)
	}
	return q, q > 0 && notionalRule(low, high, q, priceless, f) == None
}

// affordable is how much an amount buys at a price.
func affordable(p core.Price, a core.Amount) core.Qty {
	if p <= 0 {
		return 0
	}
	return core.Qty(core.NotionalOfAmount(a).Div(uint64(p)))
}

// dear is the price by which the order's value is judged, as near as top and limits
// tell it.
func (d *Denial) dear(l *Limits) core.Price {
	p := max(d.price(), d.Intent.Stop)
	if d.Intent.Side == core.Sell {
		p = max(p, d.Top.Bid)
	}
	if d.Intent.Price == 0 {
		return core.Price(core.NotionalOf(p, core.Qty(bps+l.SlippageBps+int64(d.Intent.Trail))).Div(bps)) + 1
	}
	return p
}

// left is how much more of a side the limit has room for.
func (e *Exposure) left(s core.Side, limit core.Qty) core.Qty {
	if s == core.Sell {
		return max(limit-e.Sell+e.Position, 0)
	}
	return max(limit-e.Buy-e.Position, 0)
}

// within is the price nearest to the wanted one inside the venue's multiples of all prices
// that could be meant, if there is one.
func (d *Denial) within(f *core.Filters) core.Price {
	up, down := f.BidMulUp, f.BidMulDown
	if d.Intent.Side == core.Sell {
		up, down = f.AskMulUp, f.AskMulDown
	}
	p := d.Intent.Price
	for _, ref := range [...]core.Price{d.Top.Mid(), d.Last, d.Average} {
		if ref == 0 {
			continue
		}
		if most := core.Price(core.NotionalOf(ref, core.Qty(up)).Div(core.Scale)); up > 0 && p > most {
			p = most.TickFloor(f.Tick)
		}
		if least := core.NotionalOf(ref, core.Qty(down)); down > 0 && core.NotionalOf(p, core.Scale).Cmp(least) < 0 {
			p = core.Price(least.Div(core.Scale) + 1).TickCeil(f.Tick)
		}
	}
	return p
}

// collar is the price nearest to the wanted one inside our own collar, 0 if none.
func (d *Denial) collar(l *Limits, f *core.Filters) core.Price {
	in := &d.Intent
	if in.Price == 0 || d.Top.Mid() == 0 {
		return in.Price
	}
	refs := [2]core.Price{d.Top.Mid(), d.Last}
	if waits(in.Type) {
		refs = [2]core.Price{in.Stop, 0}
		if in.Stop == 0 {
			refs[0] = d.Top.Mid()
		}
	}
	p := in.Price
	for _, ref := range refs {
		if ref == 0 {
			continue
		}
		reach := core.Price(core.NotionalOf(ref, core.Qty(l.CollarBps)).Div(bps))
		if p > ref+reach {
			p = (ref + reach).TickFloor(f.Tick)
		}
		if p < ref-reach {
			p = (ref - reach).TickCeil(f.Tick)
		}
	}
	return p
}

package risk

import (
	"math"

	"riposte/core"
)

// What an instrument is worth in the account's currency is found through the shard's
// own books: from the currency a tree of legs leads to each asset that something is
// quoted in. Rates are brought up to date by Revalue, at the shard's timer; between
// two of those the instrument that an order is for is judged by its mid of now.

// leg is one step from an asset that has a rate to one that gets it.
type leg struct {
	asset core.AssetID
	via   core.InstrumentID
	quote bool // the new asset is via's quote; else its base
}

// markAgeMax is how long a mid may be used after its book was last live. Beyond, the
// worth of what is held there is not known, and nothing that adds to it is approved.
const markAgeMax = core.MonoNs(60e9)

// money is what an instrument's fills have brought.
type money struct {
	cash   core.Amount // quote, fees in quote included
	cost   core.Amount // quote that the present position cost, by size
	pnl    core.Amount // in currency: cash and the position at its mark
	gross  core.Amount // in currency: the worst position at its mark, rounded up
	losses int         // closing fills at a loss, in a row

	carried bool // the position is a former run's and has not been given a cost yet
}

// capital is the account's money. One goroutine, the gate's.
type capital struct {
	legs    []leg
	rates   []core.Price // currency per whole unit of an asset, 0: not known
	gross   core.Amount
	pnl     core.Amount // since the start
	dayFrom core.Amount // pnl when the day began
	dayBest core.Amount // since then
	day     int64       // UTC, 0: not told yet
	orders  uint64      // of the day
	trades  uint64
}

const dayNs = core.WallNs(24 * 3600 * 1e9)

// newCapital finds the legs to every asset that can be reached, nearest first.
func newCapital(t *core.Instruments, currency core.AssetID) capital {
	c := capital{rates: make([]core.Price, len(t.Assets))}
	if int(currency) >= len(c.rates) {
		return c
	}
	c.rates[currency] = core.Scale
	reached := make([]bool, len(c.rates))
	reached[currency] = true
	for frontier := []core.AssetID{currency}; len(frontier) > 0; {
		var next []core.AssetID
		for i := range t.List {
			in := &t.List[i]
			for _, from := range frontier {
				to, quote := in.Base, false
				if in.Base == from {
					to, quote = in.Quote, true
				} else if in.Quote != from {
					continue
				}
				if !reached[to] {
					reached[to] = true
					c.legs = append(c.legs, leg{to, in.ID, quote})
					next = append(next, to)
				}
			}
		}
		frontier = next
	}
	return c
}

// need drops the legs that lead to nothing that is asked for.
func (c *capital) need(t *core.Instruments, wanted map[core.AssetID]bool) {
	kept := c.legs[:0:0]
	for i := len(c.legs) - 1; i >= 0; i-- {
		l := c.legs[i]
		if !wanted[l.asset] {
			continue
		}
		from := t.List[l.via].Quote
		if l.quote {
			from = t.List[l.via].Base
		}
		wanted[from] = true
		kept = append([]leg{l}, kept...)
	}
	c.legs = kept
}

// Mark tells an instrument's mid, 0 where its book is not live. The shard calls it
// at its timer, then Revalue.
func (g *Gate) Mark(id core.InstrumentID, mid core.Price, now core.MonoNs) {
	w := &g.watch[id]
	switch {
	case mid != 0:
		w.mark, w.markAt = mid, now
		if w.carried {
			w.carry(g.exposure[id].Position, mid)
			g.carryOwn(id, mid)
		}
	case now-w.markAt > markAgeMax:
		w.mark = 0
	}
}

// Revalue brings rates, worth and losses up to date and begins the day anew when it
// has ended.
func (g *Gate) Revalue(now core.MonoNs, wall core.WallNs) {
	c := &g.capital
	for _, l := range c.legs {
		in, w := &g.rules[l.via], &g.watch[l.via]
		rate := core.Price(0)
		if w.mark != 0 {
			if l.quote {
				if r := core.NotionalOf(c.rates[in.Base], core.Scale).Div(uint64(w.mark)); r < math.MaxInt64 {
					rate = core.Price(r)
				}
			} else if a, ok := core.NotionalOf(w.mark, core.Qty(c.rates[in.Quote])).AmountCeil(); ok {
				rate = core.Price(a)
			}
		}
		c.rates[l.asset] = rate
	}
	g.unpriced = false
	for i := range g.watch {
		if g.exposure[i] == (Exposure{}) && g.watch[i].money == (money{}) {
			continue
		}
		g.value(core.InstrumentID(i))
		if g.exposure[i].worst() != 0 && (g.watch[i].mark == 0 || c.rates[g.rules[i].Quote] == 0) {
			g.unpriced = true
		}
	}
	if day := int64(wall / dayNs); day != c.day {
		if c.day != 0 {
			c.dayFrom, c.dayBest, c.orders, c.trades = c.pnl, 0, 0, 0
			g.newDay()
		}
		c.day = day
	}
	g.revalueOwn()
	g.judge()
	g.repeats.expire(now, g.span)
}

// value recomputes what an instrument has at stake and what it has earned.
func (g *Gate) value(id core.InstrumentID) {
	w, e, c := &g.watch[id], &g.exposure[id], &g.capital
	rate := c.rates[g.rules[id].Quote]
	gross, _ := worth(w.mark, e.worst(), rate)
	pnl, ok := worth(w.mark, e.Position, rate)
	if !ok || rate == 0 {
		pnl = w.pnl // not known now: what was known last
	} else {
		if e.Position < 0 {
			pnl = -pnl
		}
		cash, _ := worth(rate, core.Qty(w.cash), core.Scale)
		if w.cash < 0 {
			cash = -cash
		}
		pnl += cash
	}
	c.gross += gross - w.gross
	c.pnl += pnl - w.pnl
	w.gross, w.pnl = gross, pnl
}

// worth is |q| at a price, times a rate, rounded up. ok is false where a price is
// missing or the result fits no Amount; it is then 0 or the most there is.
func worth(p core.Price, q core.Qty, rate core.Price) (a core.Amount, ok bool) {
	if q == 0 {
		return 0, true
	}
	if p == 0 || rate == 0 {
		return 0, false
	}
	a, ok = core.NotionalOf(p, q).AmountCeil()
	if ok && rate != core.Scale {
		a, ok = core.NotionalOf(rate, core.Qty(a)).AmountCeil()
	}
	if a > grossMost {
		return grossMost, false
	}
	return a, ok
}

// grossMost bounds one instrument's worth, so that a sum of 65535 does not wrap.
const grossMost = core.Amount(math.MaxInt64 >> 17)

// worst is the larger of the positions that could come about, by size.
func (e *Exposure) worst() core.Qty {
	long, short := e.Position+e.Buy, e.Sell-e.Position
	return max(long, short)
}

// threshold reports whether an order of q on top keeps the account's gross worth
// within its limit, and what the instrument's would be. What has no price is not
// known to.
func (g *Gate) threshold(id core.InstrumentID, side core.Side, q core.Qty, price core.Price) (gross core.Amount, ok bool) {
	most := g.account.GrossMax
	if most == 0 {
		return 0, true
	}
	e := g.exposure[id]
	*e.open(side) += q
	gross, ok = worth(price, e.worst(), g.capital.rates[g.rules[id].Quote])
	return gross, ok && !g.unpriced && g.capital.gross-g.watch[id].gross+gross <= most
}

// judge halts when the day's loss, or the way down from its best, is too much.
func (g *Gate) judge() {
	c := &g.capital
	day := c.pnl - c.dayFrom
	c.dayBest = max(c.dayBest, day)
	if most := g.account.LossMax; most > 0 && -day >= most {
		g.raise(&g.halt, HaltLoss)
	}
	if most := g.account.DrawdownMax; most > 0 && c.dayBest-day >= most {
		g.raise(&g.halt, HaltDrawdown)
	}
	g.judgeOwn()
}

// book takes a fill's money. It is called before the fill moves the position.
func (g *Gate) book(r *core.Report, whose uint16) {
	w, in := &g.watch[r.Instrument], &g.rules[r.Instrument]
	quote := r.Quote
	if quote == 0 {
		quote, _ = core.NotionalOf(r.Price, r.Qty).AmountFloor()
	}
	fee := core.Amount(0)
	switch r.FeeAsset {
	case in.Quote:
		fee = r.Fee
	case in.Base, core.NoAsset:
	default:
		// A third asset's fee counts at its price of now; one without any counts
		// nothing, and the ledger still has it to the last unit.
		if f, ok := worth(g.capital.rates[r.FeeAsset], core.Qty(r.Fee), core.Scale); ok {
			g.capital.pnl -= f
			g.feeOwn(whose, f)
		}
	}
	paid := core.Amount(r.Side.Sign())*quote + fee
	w.cash -= paid
	g.cell(whose, r.Instrument).cash -= paid
	if w.mark == 0 {
		w.mark = r.Price
	}
	pos := g.exposure[r.Instrument].Position
	opens := pos == 0 || (pos > 0) == (r.Side == core.Buy)
	if opens {
		w.cost += quote
		return
	}
	size := max(pos, -pos)
	closed := min(r.Qty, size)
	share := core.Amount(core.NotionalOf(core.Price(w.cost), closed).Div(uint64(size)))
	got := quote
	if r.Qty > size {
		got = core.Amount(core.NotionalOf(core.Price(quote), size).Div(uint64(r.Qty)))
	}
	earned := core.Amount(r.Side.Sign())*(share-got) - fee
	w.cost += quote - got - share // what goes beyond the position opens the other way
	switch {
	case earned > 0:
		w.losses = 0
	case earned < 0:
		if w.losses++; g.account.LossesMax > 0 && w.losses >= g.account.LossesMax {
			g.raise(&w.halt, HaltLosses)
		}
	}
}

// DayPnL is what was earned since the UTC day began, in the account's currency,
// open positions at their marks.
func (g *Gate) DayPnL() core.Amount { return g.capital.pnl - g.capital.dayFrom }

// Gross is the worst worth of all positions, in the account's currency.
func (g *Gate) Gross() core.Amount { return g.capital.gross }

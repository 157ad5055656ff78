package exchange

// trades is the bounded market data memory of one instrument: the newest trades
// and aggregates, and bars of one second and one minute, from which every kline,
// ticker and average is computed.
type trades struct {
	in       *instrument
	keep     int
	recent   []Trade
	aggs     []AggTrade
	seconds  []bar
	minutes  []bar
	last     Fixed // price of the last trade, or where the market started; 0 = none
	lastQty  Fixed
	lastTime Micros
}

// Bars kept: a little more than one query can ask for; of minutes eight days.
const (
	secondsKept = 4000
	minutesKept = 8 * 1440
)

// bar sums the trades of one second or minute. Sums stop at the int64 maximum.
type bar struct {
	open                   Micros
	o, h, l, c             Fixed
	vol, quote             Fixed
	takerBase, takerQuote  Fixed
	firstID, lastID, count int64
}

func (t *trades) init(in *instrument, keep int) { t.in, t.keep = in, keep }

func satAdd(a, b Fixed) Fixed {
	if s := a + b; s >= a {
		return s
	}
	return 1<<63 - 1
}

// add records a trade.
func (t *trades) add(tr *Trade) {
	t.recent = push(t.recent, *tr, t.keep)
	t.last, t.lastQty, t.lastTime = tr.Price, tr.Qty, tr.Time
	t.seconds = addToBars(t.seconds, tr, second, secondsKept)
	t.minutes = addToBars(t.minutes, tr, minute, minutesKept)
}

func (t *trades) addAgg(a *AggTrade) { t.aggs = push(t.aggs, *a, t.keep) }

// push appends and lets the slice grow to twice keep before the older half goes.
func push[T any](s []T, v T, keep int) []T {
	if len(s) >= 2*keep {
		n := copy(s, s[len(s)-keep+1:])
		s = s[:n]
	}
	return append(s, v)
}

func addToBars(bars []bar, tr *Trade, width Micros, keep int) []bar {
	open := tr.Time - tr.Time%width
	if n := len(bars); n == 0 || bars[n-1].open != open {
		bars = push(bars, bar{open: open, o: tr.Price, h: tr.Price, l: tr.Price, firstID: tr.ID}, keep)
	}
	b := &bars[len(bars)-1]
	b.h, b.l, b.c = max(b.h, tr.Price), min(b.l, tr.Price), tr.Price
	b.vol, b.quote = satAdd(b.vol, tr.Qty), satAdd(b.quote, tr.QuoteQty)
	if !tr.BuyerIsMaker {
		b.takerBase, b.takerQuote = satAdd(b.takerBase, tr.Qty), satAdd(b.takerQuote, tr.QuoteQty)
	}
	b.lastID = tr.ID
	b.count++
	return bars
}

// join adds a later bar to b.
func (b *bar) join(c *bar) {
	if b.count == 0 {
		open := b.open
		*b = *c
		b.open = open
		return
	}
	b.h, b.l, b.c = max(b.h, c.h), min(b.l, c.l), c.c
	b.vol, b.quote = satAdd(b.vol, c.vol), satAdd(b.quote, c.quote)
	b.takerBase, b.takerQuote = satAdd(b.takerBase, c.takerBase), satAdd(b.takerQuote, c.takerQuote)
	b.lastID = c.lastID
	b.count += c.count
}

// reference is what the percent and notional filters measure against: the
// reference price if there is one (since 2026-05-08), else the volume weighted mean of the last mins minutes; the last price if mins is 0 or
// nothing traded in them; false without any price (section 11 of the venue page).
func (in *instrument) reference(mins int) (Fixed, bool) {
	if in.ref.Set {
		return in.ref.V, true
	}
	t := &in.tape
	if mins > 0 {
		if p := t.mean(in.x.now - Micros(mins)*minute); p > 0 {
			return p, true
		}
	}
	return t.last, t.last > 0
}

// mean is the volume weighted price of the trades since a time, to the second;
// 0 if there were none.
func (t *trades) mean(since Micros) Fixed {
	var vol, quote wide
	for i := len(t.seconds) - 1; i >= 0 && t.seconds[i].open >= since; i-- {
		vol.add(t.seconds[i].vol)
		quote.add(t.seconds[i].quote)
	}
	if vol.zero() || vol.hi != 0 || quote.hi != 0 {
		return 0
	}
	p, ok := mulDiv(int64(quote.lo), One, int64(vol.lo))
	if !ok {
		return 0
	}
	return p
}

// Trades are recent trades of a symbol: the newest limit, or limit from an id on.
func (x *Exchange) Trades(symbol string, fromID Opt, limit int) ([]Trade, *Reject) {
	in := x.byName[symbol]
	if in == nil {
		return nil, rejectSymbol()
	}
	all := in.tape.recent
	first, last := window(len(all), clampLimit(limit), fromID, Opt{}, Opt{},
		func(i int) (int64, Micros) { return all[i].ID, all[i].Time })
	return append([]Trade{}, all[first:last]...), nil
}

// AggTrades are recent aggregate trades of a symbol.
func (x *Exchange) AggTrades(symbol string, q AggQuery) ([]AggTrade, *Reject) {
	in := x.byName[symbol]
	if in == nil {
		return nil, rejectSymbol()
	}
	all := in.tape.aggs
	first, last := window(len(all), clampLimit(q.Limit), q.FromID, q.StartTime, q.EndTime,
		func(i int) (int64, Micros) { return all[i].ID, all[i].Time })
	return append([]AggTrade{}, all[first:last]...), nil
}

package venue

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"riposte/tools/venue/exchange"
	"riposte/tools/venue/wire"
)

func pingOp(_ *call, b []byte) ([]byte, *apiError) { return append(b, '{', '}'), nil }

func timeOp(c *call, b []byte) ([]byte, *apiError) {
	w := enc{b: b, us: c.us}
	w.open('{')
	w.time("serverTime", c.srv.clock.now())
	w.close('}')
	return w.b, nil
}

// depthWeight follows the limit (Binance Spot API docs, 2026-07-21).
func depthWeight(c *call) int {
	n, err := c.limit(100, 5000)
	switch {
	case err != nil || n <= 100:
		return 5
	case n <= 500:
		return 25
	case n <= 1000:
		return 50
	}
	return 250
}

func depthOp(c *call, b []byte) ([]byte, *apiError) {
	sel, err := c.oneMarket()
	if err != nil {
		return b, err
	}
	n, err := c.limit(100, 5000)
	if err != nil {
		return b, err
	}
	var id int64
	var bids, asks []exchange.Level
	err = c.engine(func(x *exchange.Exchange, now int64) *apiError {
		if err := sel.apply(x); err != nil {
			return err
		}
		var rej *exchange.Reject
		id, bids, asks, rej = c.srv.faults.snapshot(x, sel.names[0], n, now)
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	return wire.AppendDepth(b, id, bids, asks), nil
}

// oneMarket is a mandatory symbol with an optional symbolStatus.
func (c *call) oneMarket() (selection, *apiError) {
	if _, err := c.market(); err != nil {
		return selection{}, err
	}
	return c.selected()
}

func tradesOp(c *call, b []byte) ([]byte, *apiError) {
	symbol, err := c.market()
	if err != nil {
		return b, err
	}
	n, err := c.limit(500, 1000)
	if err != nil {
		return b, err
	}
	from := exchange.Opt{}
	if strings.Contains(c.op.path, "historical") {
		if from, err = c.int("fromId"); err != nil {
			return b, err
		}
	}
	var list []exchange.Trade
	err = c.engine(func(x *exchange.Exchange, _ int64) *apiError {
		var rej *exchange.Reject
		list, rej = x.Trades(symbol, from, n)
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.open('[')
	for i := range list {
		t := &list[i]
		w.open('{')
		w.int("id", t.ID)
		w.fixed("price", t.Price)
		w.fixed("qty", t.Qty)
		w.fixed("quoteQty", t.QuoteQty)
		w.time("time", t.Time)
		w.bool("isBuyerMaker", t.BuyerIsMaker)
		w.bool("isBestMatch", true)
		w.close('}')
	}
	w.close(']')
	return w.b, nil
}

func aggTradesOp(c *call, b []byte) ([]byte, *apiError) {
	symbol, err := c.market()
	if err != nil {
		return b, err
	}
	var q exchange.AggQuery
	if q.FromID, err = c.int("fromId"); err != nil {
		return b, err
	}
	if q.StartTime, q.EndTime, err = c.span(0); err != nil {
		return b, err
	}
	if q.Limit, err = c.limit(500, 1000); err != nil {
		return b, err
	}
	if q.FromID.Set && (q.StartTime.Set || q.EndTime.Set) {
		return b, bad(-1128, "Combination of optional parameters invalid.")
	}
	var list []exchange.AggTrade
	err = c.engine(func(x *exchange.Exchange, _ int64) *apiError {
		var rej *exchange.Reject
		list, rej = x.AggTrades(symbol, q)
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.open('[')
	for i := range list {
		t := &list[i]
		w.open('{')
		w.int("a", t.ID)
		w.fixed("p", t.Price)
		w.fixed("q", t.Qty)
		w.int("f", t.FirstID)
		w.int("l", t.LastID)
		w.time("T", t.Time)
		w.bool("m", t.BuyerIsMaker)
		w.bool("M", true)
		w.close('}')
	}
	w.close(']')
	return w.b, nil
}

func klinesOp(c *call, b []byte) ([]byte, *apiError) {
	symbol, err := c.market()
	if err != nil {
		return b, err
	}
	var q exchange.KlineQuery
	text, err := c.need("interval")
	if err != nil {
		return b, err
	}
	var ok bool
	if q.Interval, ok = exchange.ParseInterval(text); !ok {
		return b, bad(-1120, "Invalid interval.")
	}
	if q.StartTime, q.EndTime, err = c.span(0); err != nil {
		return b, err
	}
	if q.Limit, err = c.limit(500, 1000); err != nil {
		return b, err
	}
	if zone, sent, err := c.text("timeZone"); err != nil {
		return b, err
	} else if sent {
		if q.Offset, ok = parseZone(zone); !ok {
			return b, bad(-1130, "Data sent for parameter 'timeZone' is not valid.")
		}
	}
	var list []exchange.Kline
	err = c.engine(func(x *exchange.Exchange, _ int64) *apiError {
		var rej *exchange.Reject
		list, rej = x.Klines(symbol, q)
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.open('[')
	for i := range list {
		k := &list[i]
		w.open('[')
		w.b = appendTime(w.b, k.OpenTime, c.us)
		for _, v := range []int64{k.Open, k.High, k.Low, k.Close, k.Volume} {
			w.b = appendFixed(append(w.b, ','), v)
		}
		w.b = appendTime(append(w.b, ','), k.CloseTime, c.us)
		w.b = appendFixed(append(w.b, ','), k.Quote)
		w.b = strconv.AppendInt(append(w.b, ','), k.Trades, 10)
		w.b = appendFixed(append(w.b, ','), k.TakerBase)
		w.b = appendFixed(append(w.b, ','), k.TakerQuote)
		w.b = append(w.b, `,"0"]`...)
	}
	w.close(']')
	return w.b, nil
}

// parseZone reads "0", "8", "-1:00", "05:45" in [-12:00, +14:00] as µs.
func parseZone(s string) (int64, bool) {
	sign := int64(1)
	if rest, neg := strings.CutPrefix(s, "-"); neg {
		sign, s = -1, rest
	} else {
		s = strings.TrimPrefix(s, "+")
	}
	hText, mText, hasM := strings.Cut(s, ":")
	h, err := strconv.ParseUint(hText, 10, 8)
	if err != nil || len(hText) > 2 {
		return 0, false
	}
	var m uint64
	if hasM {
		if m, err = strconv.ParseUint(mText, 10, 8); err != nil || len(mText) != 2 || m > 59 {
			return 0, false
		}
	}
	off := sign * int64(h*60+m)
	if off < -12*60 || off > 14*60 {
		return 0, false
	}
	return off * time.Minute.Microseconds(), true
}

func avgPriceOp(c *call, b []byte) ([]byte, *apiError) {
	symbol, err := c.market()
	if err != nil {
		return b, err
	}
	var avg exchange.AvgPrice
	if err = c.engine(func(x *exchange.Exchange, _ int64) *apiError { avg, _ = x.AvgPrice(symbol); return nil }); err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.open('{')
	w.int("mins", int64(avg.Mins))
	w.fixed("price", avg.Price)
	w.time("closeTime", avg.CloseTime)
	w.close('}')
	return w.b, nil
}

// tickerForm says which of the ticker endpoints prints.
type tickerForm uint8

const (
	tickerDay tickerForm = iota
	tickerRolling
	tickerPrice
	tickerBook
)

func dayWeight(c *call) int {
	sel, err := c.selected()
	switch n := len(sel.names); {
	case err != nil || sel.single || c.p.has("symbols") && n <= 20:
		return 2
	case c.p.has("symbols") && n <= 100:
		return 40
	}
	return 80
}

func rollingWeight(c *call) int {
	sel, err := c.selected()
	if err != nil {
		return 4
	}
	return min(200, 4*len(sel.names))
}

func simpleWeight(c *call) int {
	if c.p.has("symbol") {
		return 2
	}
	return 4
}

func tickerOp(form tickerForm) func(c *call, b []byte) ([]byte, *apiError) {
	return func(c *call, b []byte) ([]byte, *apiError) {
		window := exchange.Day
		if form == tickerRolling {
			if !c.p.has("symbol") && !c.p.has("symbols") {
				return b, errEither("symbol", "symbols")
			}
			text, sent, err := c.text("windowSize")
			if err != nil {
				return b, err
			}
			var ok bool
			if window, ok = parseWindow(text); sent && !ok {
				return b, bad(-1130, "Data sent for parameter 'windowSize' is not valid.")
			} else if !sent {
				window = exchange.Day
			}
		}
		sel, err := c.selected()
		if err != nil {
			return b, err
		}
		mini := false
		if form <= tickerRolling {
			text, sent, err := c.text("type")
			if err != nil {
				return b, err
			}
			if mini = text == "MINI"; sent && !mini && text != "FULL" {
				return b, bad(-1139, "Invalid ticker type.")
			}
		}
		var list []exchange.Ticker
		err = c.engine(func(x *exchange.Exchange, _ int64) *apiError {
			if err := sel.apply(x); err != nil {
				return err
			}
			list = tickers(x, sel.names, form, window)
			return nil
		})
		if err != nil {
			return b, err
		}
		if sel.single && len(list) == 0 {
			return b, errSymbol()
		}
		w := enc{b: b, us: c.us}
		if !sel.single {
			w.open('[')
		}
		for i := range list {
			w.tickerObject(&list[i], form, mini)
		}
		if !sel.single {
			w.close(']')
		}
		return w.b, nil
	}
}

func tickers(x *exchange.Exchange, names []string, form tickerForm, window int64) []exchange.Ticker {
	list := make([]exchange.Ticker, 0, len(names))
	for _, n := range names {
		if form == tickerBook {
			if top, ok := x.BookTicker(n); ok {
				list = append(list, exchange.Ticker{Symbol: n, Bid: top.Bid, Ask: top.Ask})
			}
			continue
		}
		if tk, ok := x.Ticker(n, window); ok {
			tk.Symbol = n
			list = append(list, tk)
		}
	}
	return list
}

// parseWindow reads 1m..59m, 1h..23h, 1d..7d as µs.
func parseWindow(s string) (int64, bool) {
	if len(s) < 2 {
		return 0, false
	}
	n, err := strconv.Atoi(s[:len(s)-1])
	if err != nil || n < 1 {
		return 0, false
	}
	units := "mhd"
	most := []int{59, 23, 7}
	spans := []time.Duration{time.Minute, time.Hour, 24 * time.Hour}
	i := strings.IndexByte(units, s[len(s)-1])
	if i < 0 || n > most[i] {
		return 0, false
	}
	return int64(n) * spans[i].Microseconds(), true
}

func (w *enc) tickerObject(t *exchange.Ticker, form tickerForm, mini bool) {
	w.open('{')
	w.str("symbol", t.Symbol)
	switch form {
	case tickerPrice:
		w.fixed("price", t.Last)
		w.close('}')
		return
	case tickerBook:
		w.fixed("bidPrice", t.Bid.Price)
		w.fixed("bidQty", t.Bid.Qty)
		w.fixed("askPrice", t.Ask.Price)
		w.fixed("askQty", t.Ask.Qty)
		w.close('}')
		return
	}
	if !mini {
		w.fixed("priceChange", t.Change)
		w.key("priceChangePercent")
		w.b = append(wire.AppendPercent(append(w.b, '"'), t.ChangePct), '"')
		w.fixed("weightedAvgPrice", t.VWAP)
		if form == tickerDay {
			w.fixed("prevClosePrice", t.PrevClose)
		}
	}
	w.fixed("lastPrice", t.Last)
	if !mini && form == tickerDay {
		w.fixed("lastQty", t.LastQty)
		w.fixed("bidPrice", t.Bid.Price)
		w.fixed("bidQty", t.Bid.Qty)
		w.fixed("askPrice", t.Ask.Price)
		w.fixed("askQty", t.Ask.Qty)
	}
	w.fixed("openPrice", t.Open)
	w.fixed("highPrice", t.High)
	w.fixed("lowPrice", t.Low)
	w.fixed("volume", t.Volume)
	w.fixed("quoteVolume", t.Quote)
	w.time("openTime", t.OpenTime)
	w.time("closeTime", t.CloseTime)
	w.int("firstId", t.FirstID)
	w.int("lastId", t.LastID)
	w.int("count", t.Count)
	w.close('}')
}

// remember keeps the book ids of the last ten seconds for stale snapshots.
func (h *hub) remember() {
	for _, m := range h.order {
		if top, ok := h.srv.x.BookTicker(m.name); ok {
			m.stale = append(m.stale, top.UpdateID)
			if len(m.stale) > 10 {
				m.stale = slices.Delete(m.stale, 0, 1)
			}
		}
	}
}

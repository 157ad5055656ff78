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
	w.time("serverTime", c.srv.gate())
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
	if q.Offset, err = c.zone(); err != nil {
		return b, err
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

// zone reads timeZone as µs; UTC if absent.
func (c *call) zone() (int64, *apiError) {
	text, sent, err := c.text("timeZone")
	if err != nil || !sent {
		return 0, err
	}
	off, ok := parseZone(text)
	if !ok {
		return 0, bad(-1130, "Data sent for parameter 'timeZone' is not valid.")
	}
	return off, nil
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

// blockTradesOp has nothing to tell: no block trades are made here. fromId is mandatory.
func blockTradesOp(c *call, b []byte) ([]byte, *apiError) {
	if _, err := c.market(); err != nil {
		return b, err
	}
	from, err := c.int("fromId")
	if err != nil {
		return b, err
	}
	if !from.Set {
		return b, errMandatory("fromId")
	}
	if _, err := c.limit(500, 1000); err != nil {
		return b, err
	}
	return append(b, "[]"...), nil
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

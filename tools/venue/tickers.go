package venue

import (
	"strconv"
	"strings"
	"time"

	"riposte/tools/venue/exchange"
	"riposte/tools/venue/wire"
)

// tickerForm says which of the ticker endpoints prints.
type tickerForm uint8

const (
	tickerDay tickerForm = iota
	tickerRolling
	tickerTradingDay
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
		window, zone := exchange.Day, int64(0)
		if form == tickerRolling || form == tickerTradingDay {
			if !c.p.has("symbol") && !c.p.has("symbols") {
				return b, errEither("symbol", "symbols")
			}
		}
		if form == tickerTradingDay {
			var err *apiError
			if zone, err = c.zone(); err != nil {
				return b, err
			}
		}
		if form == tickerRolling {
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
		if form <= tickerTradingDay {
			text, sent, err := c.text("type")
			if err != nil {
				return b, err
			}
			if mini = text == "MINI"; sent && !mini && text != "FULL" {
				return b, bad(-1139, "Invalid ticker type.")
			}
		}
		var list []exchange.Ticker
		err = c.engine(func(x *exchange.Exchange, now int64) *apiError {
			if err := sel.apply(x); err != nil {
				return err
			}
			if form == tickerTradingDay {
				window = (now + zone) % exchange.Day
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
			switch form {
			case tickerRolling:
				tk.OpenTime = minuteOf(tk.OpenTime)
			case tickerTradingDay:
				tk.CloseTime = tk.OpenTime + exchange.Day - 1000
			}
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

// minuteOf is where a rolling window opens: on a minute, so that it may be up to 59.999 s wider than asked for
// (Binance Spot API docs, 2026-07-21).
func minuteOf(t int64) int64 { return t - t%time.Minute.Microseconds() }

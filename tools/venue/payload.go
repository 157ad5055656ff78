package venue

import (
	"strconv"

	"riposte/tools/venue/exchange"
)

// The payloads of market streams and user events. Each appends one JSON object; us selects microseconds for times.
// Members and their order follow the Binance Spot API docs (2026-07-21) and recorded frames.

func appendTrade(b []byte, t *exchange.Trade, now int64, us bool) []byte {
	w := enc{b: b, us: us}
	w.open('{')
	w.str("e", "trade")
	w.time("E", now)
	w.str("s", t.Symbol)
	w.int("t", t.ID)
	w.fixed("p", t.Price)
	w.fixed("q", t.Qty)
	w.time("T", t.Time)
	w.bool("m", t.BuyerIsMaker)
	w.bool("M", true)
	w.close('}')
	return w.b
}

func appendAggTrade(b []byte, t *exchange.AggTrade, now int64, us bool) []byte {
	w := enc{b: b, us: us}
	w.open('{')
	w.str("e", "aggTrade")
	w.time("E", now)
	w.str("s", t.Symbol)
	w.int("a", t.ID)
	w.fixed("p", t.Price)
	w.fixed("q", t.Qty)
	w.int("f", t.FirstID)
	w.int("l", t.LastID)
	w.time("T", t.Time)
	w.bool("m", t.BuyerIsMaker)
	w.bool("M", true)
	w.close('}')
	return w.b
}

// appendBookTicker carries neither event type nor time.
func appendBookTicker(b []byte, t *exchange.Top) []byte {
	w := enc{b: b}
	w.open('{')
	w.int("u", t.UpdateID)
	w.str("s", t.Symbol)
	w.fixed("b", t.Bid.Price)
	w.fixed("B", t.Bid.Qty)
	w.fixed("a", t.Ask.Price)
	w.fixed("A", t.Ask.Qty)
	w.close('}')
	return w.b
}

func appendDepthUpdate(b []byte, d *exchange.DepthDiff, now int64, us bool) []byte {
	w := enc{b: b, us: us}
	w.open('{')
	w.str("e", "depthUpdate")
	w.time("E", now)
	w.str("s", d.Symbol)
	w.int("U", d.First)
	w.int("u", d.Last)
	w.levels("b", d.Bids)
	w.levels("a", d.Asks)
	w.close('}')
	return w.b
}

// appendPartialDepth carries no symbol: only the combined wrapper tells whose book it is.
func appendPartialDepth(b []byte, id int64, bids, asks []exchange.Level) []byte {
	w := enc{b: b}
	w.open('{')
	w.int("lastUpdateId", id)
	w.levels("bids", bids)
	w.levels("asks", asks)
	w.close('}')
	return w.b
}

func appendKline(b []byte, k *exchange.Kline, interval string, now int64, us bool) []byte {
	w := enc{b: b, us: us}
	w.open('{')
	w.str("e", "kline")
	w.time("E", now)
	w.str("s", k.Symbol)
	w.key("k")
	w.open('{')
	w.time("t", k.OpenTime)
	w.time("T", k.CloseTime)
	w.str("s", k.Symbol)
	w.str("i", interval)
	w.int("f", k.FirstID)
	w.int("L", k.LastID)
	w.fixed("o", k.Open)
	w.fixed("c", k.Close)
	w.fixed("h", k.High)
	w.fixed("l", k.Low)
	w.fixed("v", k.Volume)
	w.int("n", k.Trades)
	w.bool("x", k.Closed)
	w.fixed("q", k.Quote)
	w.fixed("V", k.TakerBase)
	w.fixed("Q", k.TakerQuote)
	w.str("B", "0")
	w.close('}')
	w.close('}')
	return w.b
}

func appendTicker(b []byte, t *exchange.Ticker, now int64, us bool) []byte {
	w := enc{b: b, us: us}
	w.open('{')
	w.str("e", "24hrTicker")
	w.time("E", now)
	w.str("s", t.Symbol)
	w.fixed("p", t.Change)
	w.key("P")
	w.b = appendDecimals(w.b, t.ChangePct, 3)
	w.fixed("w", t.VWAP)
	w.fixed("x", t.PrevClose)
	w.fixed("c", t.Last)
	w.fixed("Q", t.LastQty)
	w.fixed("b", t.Bid.Price)
	w.fixed("B", t.Bid.Qty)
	w.fixed("a", t.Ask.Price)
	w.fixed("A", t.Ask.Qty)
	w.fixed("o", t.Open)
	w.fixed("h", t.High)
	w.fixed("l", t.Low)
	w.fixed("v", t.Volume)
	w.fixed("q", t.Quote)
	w.window(t)
	w.close('}')
	return w.b
}

func (w *enc) window(t *exchange.Ticker) {
	w.time("O", t.OpenTime)
	w.time("C", t.CloseTime)
	w.int("F", t.FirstID)
	w.int("L", t.LastID)
	w.int("n", t.Count)
}

func appendMiniTicker(b []byte, t *exchange.Ticker, now int64, us bool) []byte {
	w := enc{b: b, us: us}
	w.open('{')
	w.str("e", "24hrMiniTicker")
	w.time("E", now)
	w.str("s", t.Symbol)
	w.fixed("c", t.Last)
	w.fixed("o", t.Open)
	w.fixed("h", t.High)
	w.fixed("l", t.Low)
	w.fixed("v", t.Volume)
	w.fixed("q", t.Quote)
	w.close('}')
	return w.b
}

// appendRollingTicker is the event of ticker_<window>: "1hTicker" and so on.
func appendRollingTicker(b []byte, t *exchange.Ticker, window string, now int64, us bool) []byte {
	w := enc{b: b, us: us}
	w.open('{')
	w.str("e", window+"Ticker")
	w.time("E", now)
	w.str("s", t.Symbol)
	w.fixed("p", t.Change)
	w.key("P")
	w.b = appendDecimals(w.b, t.ChangePct, 3)
	w.fixed("o", t.Open)
	w.fixed("h", t.High)
	w.fixed("l", t.Low)
	w.fixed("c", t.Last)
	w.fixed("w", t.VWAP)
	w.fixed("v", t.Volume)
	w.fixed("q", t.Quote)
	w.window(t)
	w.close('}')
	return w.b
}

func appendAvgPrice(b []byte, a *exchange.AvgPrice, now int64, us bool) []byte {
	w := enc{b: b, us: us}
	w.open('{')
	w.str("e", "avgPrice")
	w.time("E", now)
	w.str("s", a.Symbol)
	w.str("i", strconv.Itoa(a.Mins)+"m")
	w.fixed("w", a.Price)
	w.time("T", a.CloseTime)
	w.close('}')
	return w.b
}

// appendExecutionReport prints every letter of an executionReport; the conditional ones only under their condition.
func appendExecutionReport(b []byte, r *exchange.ExecutionReport, us bool) []byte {
	w := enc{b: b, us: us}
	w.open('{')
	w.str("e", "executionReport")
	w.time("E", r.EventTime)
	w.str("s", r.Symbol)
	w.str("c", r.ClientOrderID)
	w.str("S", r.Side.String())
	w.str("o", r.Type.String())
	tif := r.TimeInForce.String()
	if tif == "" {
		tif = "GTC"
	}
	w.str("f", tif)
	w.fixed("q", r.Quantity)
	w.fixed("p", r.Price)
	w.fixed("P", r.StopPrice)
	w.fixed("F", r.IcebergQty)
	w.int("g", r.OrderListID)
	w.str("C", r.OrigClientID)
	w.str("x", r.Exec.String())
	w.str("X", r.Status.String())
	w.str("r", r.Reject.String())
	w.int("i", r.OrderID)
	w.fixed("l", r.LastQty)
	w.fixed("z", r.CumQty)
	w.fixed("L", r.LastPrice)
	if r.CommAsset == "" {
		w.str("n", "0")
		w.raw("N", []byte("null"))
	} else {
		w.fixed("n", r.Commission)
		w.str("N", r.CommAsset)
	}
	w.time("T", r.TransactTime)
	w.int("t", r.TradeID)
	w.prevention(r)
	w.int("I", r.ExecutionID)
	w.bool("w", r.OnBook)
	w.bool("m", r.Maker)
	w.bool("M", r.Exec == exchange.ExecTrade)
	w.time("O", r.OrderTime)
	w.fixed("Z", r.CumQuote)
	w.fixed("Y", r.LastQuote)
	w.fixed("Q", r.QuoteOrderQty)
	if r.WorkingTime > 0 {
		w.time("W", r.WorkingTime)
	}
	w.str("V", r.STP.String())
	if r.StrategyID.Set {
		w.int("j", r.StrategyID.V)
	}
	if r.StrategyType.Set {
		w.int("J", r.StrategyType.V)
	}
	if r.ExpiryReason != exchange.ExpiryNone {
		w.str("eR", r.ExpiryReason.String())
	}
	w.close('}')
	return w.b
}

// prevention are the letters of self-trade prevention.
func (w *enc) prevention(r *exchange.ExecutionReport) {
	if r.PreventedMatchID < 0 {
		return
	}
	w.int("v", r.PreventedMatchID)
	w.fixed("A", r.PreventedQty)
	if r.Exec != exchange.ExecTradePrevention {
		return
	}
	w.fixed("B", r.LastPrevented)
	if r.TradeGroupID >= 0 {
		w.int("u", r.TradeGroupID)
	}
	w.int("U", r.CounterOrderID)
	w.str("Cs", r.CounterSymbol)
	w.fixed("pl", r.PreventedExecQty)
	w.fixed("pL", r.PreventedExecPx)
	w.fixed("pY", r.PreventedExecQuo)
}

func appendAccountPosition(b []byte, list []exchange.Balance, t int64, us bool) []byte {
	w := enc{b: b, us: us}
	w.open('{')
	w.str("e", "outboundAccountPosition")
	w.time("E", t)
	w.time("u", t)
	w.key("B")
	w.open('[')
	for i := range list {
		w.open('{')
		w.str("a", list[i].Asset)
		w.fixed("f", list[i].Free)
		w.fixed("l", list[i].Locked)
		w.close('}')
	}
	w.close(']')
	w.close('}')
	return w.b
}

package venue

import "riposte/tools/venue/exchange"

// User events. Each function appends one JSON object; us selects microseconds for times. Members and their order
// follow recorded events (2026-03-02) and the Binance Spot API docs, 2026-07-21.

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
	if r.TrailingDelta > 0 {
		w.int("d", r.TrailingDelta)
		if r.TrailingTime > 0 {
			w.time("D", r.TrailingTime)
		}
	}
	if r.StrategyID.Set {
		w.int("j", r.StrategyID.V)
	}
	if r.StrategyType.Set {
		w.int("J", r.StrategyType.V)
	}
	if p := &r.Peg; p.Price != exchange.PegNone {
		w.str("gP", p.Price.String())
		if p.Offset != exchange.PegOffsetNone {
			w.str("gOT", p.Offset.String())
			w.int("gOV", p.Value.V)
		}
		if r.PeggedPrice > 0 {
			w.fixed("gp", r.PeggedPrice)
		}
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

// appendBalanceUpdate is money that came or went without a trade: d is a delta (Binance Spot
// API docs, 2026-07-21).
func appendBalanceUpdate(b []byte, asset string, delta exchange.Fixed, t int64, us bool) []byte {
	w := enc{b: b, us: us}
	w.open('{')
	w.str("e", "balanceUpdate")
	w.time("E", t)
	w.str("a", asset)
	w.fixed("d", delta)
	w.time("T", t)
	w.close('}')
	return w.b
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

package venue

import "riposte/tools/venue/exchange"

// orderHead is what every order object begins with.
func (w *enc) orderHead(o *exchange.Order, client string) {
	w.str("symbol", o.Symbol)
	w.int("orderId", o.OrderID)
	w.int("orderListId", o.OrderListID)
	w.str("clientOrderId", client)
}

// orderBody is the common part of RESULT answers.
func (w *enc) orderBody(o *exchange.Order) {
	w.fixed("price", o.Price)
	w.fixed("origQty", o.OrigQty)
	w.fixed("executedQty", o.ExecutedQty)
	w.fixed("origQuoteOrderQty", o.QuoteOrderQty)
	w.fixed("cummulativeQuoteQty", o.CumQuote)
	w.str("status", o.Status.String())
	w.str("timeInForce", tifText(o))
	w.str("type", o.Type.String())
	w.str("side", o.Side.String())
}

// tifText is GTC for types that carry no time in force: that is what the venue prints (recorded answer of a MARKET
// order, 2021-04-14).
func tifText(o *exchange.Order) string {
	if t := o.TimeInForce.String(); t != "" {
		return t
	}
	return "GTC"
}

// conditional are the members that appear only under their condition.
func (w *enc) conditional(o *exchange.Order) {
	if o.StopPrice > 0 {
		w.fixed("stopPrice", o.StopPrice)
	}
	if o.IcebergQty > 0 {
		w.fixed("icebergQty", o.IcebergQty)
	}
	if o.TrailingDelta > 0 {
		w.int("trailingDelta", o.TrailingDelta)
		w.time("trailingTime", o.TrailingTime)
	}
	if o.StrategyID.Set {
		w.int("strategyId", o.StrategyID.V)
	}
	if o.StrategyType.Set {
		w.int("strategyType", o.StrategyType.V)
	}
	if o.PreventedQty > 0 {
		w.int("preventedMatchId", o.PreventedMatchID)
		w.fixed("preventedQuantity", o.PreventedQty)
	}
	w.peg(&o.Peg, o.PeggedPrice)
	if o.ExpiryReason != exchange.ExpiryNone {
		w.str("expiryReason", o.ExpiryReason.String())
	}
}

// peg are the members of a pegged order; the price it got only once it has one.
func (w *enc) peg(p *exchange.Peg, price int64) {
	if p.Price == exchange.PegNone {
		return
	}
	w.str("pegPriceType", p.Price.String())
	if p.Offset != exchange.PegOffsetNone {
		w.str("pegOffsetType", p.Offset.String())
		w.int("pegOffsetValue", p.Value.V)
	}
	if price > 0 {
		w.fixed("peggedPrice", price)
	}
}

// placed is the answer to a placement: ACK, RESULT or FULL.
func (w *enc) placed(r *exchange.OrderReport, resp string) {
	w.open('{')
	w.orderHead(&r.Order, r.ClientOrderID)
	w.time("transactTime", r.TransactTime)
	if resp == "ACK" {
		w.close('}')
		return
	}
	w.orderBody(&r.Order)
	w.time("workingTime", r.WorkingTime)
	if resp == "FULL" {
		w.key("fills")
		w.open('[')
		for i := range r.Fills {
			f := &r.Fills[i]
			w.open('{')
			w.fixed("price", f.Price)
			w.fixed("qty", f.Qty)
			w.fixed("commission", f.Commission)
			w.str("commissionAsset", f.CommissionAsset)
			w.int("tradeId", f.TradeID)
			w.close('}')
		}
		w.close(']')
	}
	w.str("selfTradePreventionMode", r.STP.String())
	w.conditional(&r.Order)
	if len(r.Prevented) > 0 {
		if r.TradeGroupID >= 0 {
			w.int("tradeGroupId", r.TradeGroupID)
		}
		w.key("preventedMatches")
		w.open('[')
		for i := range r.Prevented {
			m := &r.Prevented[i]
			w.open('{')
			w.int("preventedMatchId", m.ID)
			w.str("makerSymbol", m.Symbol)
			w.int("makerOrderId", m.MakerOrderID)
			w.fixed("price", m.Price)
			w.fixed("takerPreventedQuantity", m.TakerPreventedQuantity)
			w.fixed("makerPreventedQuantity", m.MakerPreventedQuantity)
			w.close('}')
		}
		w.close(']')
	}
	w.close('}')
}

// canceled is the answer to a cancel: origClientOrderId is the order's id, clientOrderId this cancel's. A leg of a list
// answers with its list.
func (w *enc) canceled(r *exchange.CancelReport) {
	if r.List != nil {
		w.listReport(r.List, "")
		return
	}
	w.open('{')
	w.str("symbol", r.Symbol)
	w.str("origClientOrderId", r.ClientOrderID)
	w.int("orderId", r.OrderID)
	w.int("orderListId", r.OrderListID)
	w.str("clientOrderId", r.CancelID)
	w.time("transactTime", r.TransactTime)
	w.orderBody(&r.Order)
	w.str("selfTradePreventionMode", r.STP.String())
	w.conditional(&r.Order)
	w.close('}')
}

// order is an order in a query.
func (w *enc) order(o *exchange.Order) {
	w.open('{')
	w.orderHead(o, o.ClientOrderID)
	w.fixed("price", o.Price)
	w.fixed("origQty", o.OrigQty)
	w.fixed("executedQty", o.ExecutedQty)
	w.fixed("cummulativeQuoteQty", o.CumQuote)
	w.str("status", o.Status.String())
	w.str("timeInForce", tifText(o))
	w.str("type", o.Type.String())
	w.str("side", o.Side.String())
	w.fixed("stopPrice", o.StopPrice)
	w.fixed("icebergQty", o.IcebergQty)
	w.time("time", o.Time)
	w.time("updateTime", o.UpdateTime)
	w.bool("isWorking", o.IsWorking)
	w.time("workingTime", o.WorkingTime)
	w.fixed("origQuoteOrderQty", o.QuoteOrderQty)
	w.str("selfTradePreventionMode", o.STP.String())
	c := *o
	c.StopPrice, c.IcebergQty = 0, 0 // always present above
	w.conditional(&c)
	w.close('}')
}

// amended is the answer to an amend; its member names differ from every other answer's.
func (w *enc) amended(r *exchange.AmendReport) {
	w.open('{')
	w.time("transactTime", r.TransactTime)
	w.int("executionId", r.ExecutionID)
	w.key("amendedOrder")
	w.open('{')
	w.str("symbol", r.Symbol)
	w.int("orderId", r.OrderID)
	w.int("orderListId", r.OrderListID)
	w.str("origClientOrderId", r.OrigClientOrderID)
	w.str("clientOrderId", r.ClientOrderID)
	w.fixed("price", r.Price)
	w.fixed("qty", r.OrigQty)
	w.fixed("executedQty", r.ExecutedQty)
	w.fixed("preventedQty", r.PreventedQty)
	w.fixed("quoteOrderQty", r.QuoteOrderQty)
	w.fixed("cumulativeQuoteQty", r.CumQuote)
	w.str("status", r.Status.String())
	w.str("timeInForce", tifText(&r.Order))
	w.str("type", r.Type.String())
	w.str("side", r.Side.String())
	w.time("workingTime", r.WorkingTime)
	w.str("selfTradePreventionMode", r.STP.String())
	w.close('}')
	if s := r.List; s != nil {
		w.key("listStatus")
		w.open('{')
		w.listHead(s)
		w.str("symbol", s.Symbol)
		w.listOrders(s)
		w.close('}')
	}
	w.close('}')
}

func (w *enc) amendments(list []exchange.Amendment) {
	w.open('[')
	for i := range list {
		a := &list[i]
		w.open('{')
		w.str("symbol", a.Symbol)
		w.int("orderId", a.OrderID)
		w.int("executionId", a.ExecutionID)
		w.str("origClientOrderId", a.OrigClientOrderID)
		w.str("newClientOrderId", a.NewClientOrderID)
		w.fixed("origQty", a.OrigQty)
		w.fixed("newQty", a.NewQty)
		w.time("time", a.Time)
		w.close('}')
	}
	w.close(']')
}

// replaced is the body of a cancelReplace, or the data of its error.
func (w *enc) replaced(r *exchange.ReplaceReport, resp string) {
	w.open('{')
	w.str("cancelResult", r.CancelResult.String())
	w.str("newOrderResult", r.NewResult.String())
	w.key("cancelResponse")
	switch {
	case r.Cancel != nil:
		w.canceled(r.Cancel)
	case r.CancelReject != nil:
		w.reject(r.CancelReject)
	default:
		w.b = append(w.b, "null"...)
	}
	w.key("newOrderResponse")
	switch {
	case r.New != nil:
		w.placed(r.New, resp)
	case r.NewReject != nil:
		w.reject(r.NewReject)
	default:
		w.b = append(w.b, "null"...)
	}
	w.close('}')
}

func (w *enc) reject(r *exchange.Reject) {
	w.open('{')
	w.int("code", int64(r.Code))
	w.str("msg", r.Msg)
	w.close('}')
}

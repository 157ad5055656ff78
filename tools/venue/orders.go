package venue

import (
	"bytes"
	"net/http"

	"riposte/tools/venue/exchange"
)

var orderParams = []string{"symbol", "side", "type", "timeInForce", "quantity", "quoteOrderQty", "price", "stopPrice",
	"trailingDelta", "icebergQty", "newClientOrderId", "strategyId", "strategyType", "newOrderRespType",
	"selfTradePreventionMode", "pegPriceType", "pegOffsetType", "pegOffsetValue", "computeCommissionRates"}

// newOrder reads the parameters of order.place.
func (c *call) newOrder() (*exchange.NewOrder, *apiError) {
	r := &exchange.NewOrder{}
	var err *apiError
	if r.Symbol, err = c.symbol(); err != nil {
		return nil, err
	}
	if r.Side, r.Type, err = c.sideAndType(); err != nil {
		return nil, err
	}
	if v, ok, err := c.text("timeInForce"); err != nil {
		return nil, err
	} else if ok {
		if r.TimeInForce, ok = exchange.ParseTimeInForce(v); !ok {
			return nil, bad(-1115, "Invalid timeInForce.")
		}
	}
	for _, f := range []struct {
		name string
		dst  *exchange.Opt
		read func(string) (exchange.Opt, *apiError)
	}{{"quantity", &r.Quantity, c.fixed}, {"quoteOrderQty", &r.QuoteOrderQty, c.fixed}, {"price", &r.Price, c.fixed},
		{"stopPrice", &r.StopPrice, c.fixed}, {"icebergQty", &r.IcebergQty, c.fixed}, {"trailingDelta", &r.TrailingDelta, c.int},
		{"strategyId", &r.StrategyID, c.int}, {"strategyType", &r.StrategyType, c.int}} {
		if *f.dst, err = f.read(f.name); err != nil {
			return nil, err
		}
	}
	if r.StrategyType.Set && r.StrategyType.V < 1_000_000 {
		return nil, bad(-1134, "`strategyType` was less than 1000000.")
	}
	if r.ClientOrderID, err = c.clientID("newClientOrderId"); err != nil {
		return nil, err
	}
	if v, ok, err := c.text("selfTradePreventionMode"); err != nil {
		return nil, err
	} else if ok {
		if r.STP, ok = exchange.ParseSTPMode(v); !ok {
			return nil, bad(-1130, "Data sent for parameter 'selfTradePreventionMode' is not valid.")
		}
	}
	r.Pegged = c.p.has("pegPriceType") || c.p.has("pegOffsetType") || c.p.has("pegOffsetValue")
	return r, c.complete(r)
}

func (c *call) sideAndType() (exchange.Side, exchange.OrderType, *apiError) {
	v, err := c.need("side")
	if err != nil {
		return 0, 0, err
	}
	side, ok := exchange.ParseSide(v)
	if !ok {
		return 0, 0, bad(-1117, "Invalid side.")
	}
	if v, err = c.need("type"); err != nil {
		return 0, 0, err
	}
	typ, ok := exchange.ParseOrderType(v)
	if !ok {
		return 0, 0, bad(-1116, "Invalid orderType.")
	}
	return side, typ, nil
}

// complete checks the parameters that each type makes mandatory (Binance Spot API docs, 2026-07-21).
func (c *call) complete(r *exchange.NewOrder) *apiError {
	typ := r.Type.String()
	limit := typ == "LIMIT" || typ == "STOP_LOSS_LIMIT" || typ == "TAKE_PROFIT_LIMIT"
	if limit && !c.p.has("timeInForce") {
		return errMandatory("timeInForce")
	}
	if !limit && c.p.has("timeInForce") {
		return bad(-1106, "Parameter 'timeInForce' sent when not required.")
	}
	if typ == "MARKET" {
		switch {
		case !r.Quantity.Set && !r.QuoteOrderQty.Set:
			return errEither("quantity", "quoteOrderQty")
		case r.Quantity.Set && r.QuoteOrderQty.Set:
			return bad(-1106, "Parameter 'quoteOrderQty' sent when not required.")
		case r.Price.Set:
			return bad(-1106, "Parameter 'price' sent when not required.")
		}
	} else {
		if !r.Quantity.Set {
			return errMandatory("quantity")
		}
		if r.QuoteOrderQty.Set {
			return bad(-1106, "Parameter 'quoteOrderQty' sent when not required.")
		}
		if (limit || typ == "LIMIT_MAKER") && !r.Price.Set && !r.Pegged {
			return errMandatory("price")
		}
	}
	stop := typ == "STOP_LOSS" || typ == "TAKE_PROFIT" || typ == "STOP_LOSS_LIMIT" || typ == "TAKE_PROFIT_LIMIT"
	if stop && !r.StopPrice.Set && !r.TrailingDelta.Set {
		return errEither("stopPrice", "trailingDelta")
	}
	if !stop && r.StopPrice.Set {
		return bad(-1106, "Parameter 'stopPrice' sent when not required.")
	}
	return nil
}

// respType is newOrderRespType; MARKET and LIMIT answer FULL by default, the others ACK.
func (c *call) respType(t exchange.OrderType) (string, *apiError) {
	v, ok, err := c.text("newOrderRespType")
	if err != nil {
		return "", err
	}
	if !ok {
		if n := t.String(); n == "MARKET" || n == "LIMIT" {
			return "FULL", nil
		}
		return "ACK", nil
	}
	if v != "ACK" && v != "RESULT" && v != "FULL" {
		return "", bad(-1130, "Data sent for parameter 'newOrderRespType' is not valid.")
	}
	return v, nil
}

func placeOrder(c *call, b []byte) ([]byte, *apiError) {
	r, err := c.newOrder()
	if err != nil {
		return b, err
	}
	resp, err := c.respType(r.Type)
	if err != nil {
		return b, err
	}
	var rep *exchange.OrderReport
	err = c.engine(func(x *exchange.Exchange, now int64) *apiError {
		var rej *exchange.Reject
		rep, rej = x.Place(now, c.account, r)
		return fromReject(rej)
	})
	if err != nil {
		c.srv.stats.rejects.Add(1)
		return b, err
	}
	c.srv.stats.orders.Add(1)
	w := enc{b: b, us: c.us}
	w.placed(rep, resp)
	return w.b, nil
}

func testOrder(c *call, b []byte) ([]byte, *apiError) {
	r, err := c.newOrder()
	if err != nil {
		return b, err
	}
	if _, err = c.respType(r.Type); err != nil {
		return b, err
	}
	rates, err := c.flag("computeCommissionRates", false)
	if err != nil {
		return b, err
	}
	var acct exchange.AccountState
	var discount int64
	err = c.engine(func(x *exchange.Exchange, now int64) *apiError {
		acct, discount = x.Account(c.account), x.Discount()
		return fromReject(x.Test(now, c.account, r))
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b}
	w.open('{')
	if rates {
		w.rates("standardCommissionForOrder", acct.MakerRate, acct.TakerRate, false)
		w.rates("specialCommissionForOrder", 0, 0, false)
		w.rates("taxCommissionForOrder", 0, 0, false)
		w.discount(acct.PayBNB, discount)
	}
	w.close('}')
	return w.b, nil
}

// orderRef reads orderId and origClientOrderId; one of them must be there.
func (c *call) orderRef(idName, clientName string) (exchange.Opt, string, *apiError) {
	id, err := c.int(idName)
	if err != nil {
		return id, "", err
	}
	client, err := c.clientID(clientName)
	if err != nil {
		return id, "", err
	}
	if !id.Set && client == "" {
		return id, "", errEither(clientName, idName)
	}
	return id, client, nil
}

func cancelOrder(c *call, b []byte) ([]byte, *apiError) {
	r := &exchange.CancelRequest{}
	var err *apiError
	if r.Symbol, err = c.symbol(); err != nil {
		return b, err
	}
	if r.OrderID, r.OrigClientOrderID, err = c.orderRef("orderId", "origClientOrderId"); err != nil {
		return b, err
	}
	if r.NewClientOrderID, err = c.clientID("newClientOrderId"); err != nil {
		return b, err
	}
	if r.Restriction, err = c.restriction(); err != nil {
		return b, err
	}
	var rep *exchange.CancelReport
	err = c.engine(func(x *exchange.Exchange, now int64) *apiError {
		var rej *exchange.Reject
		rep, rej = x.Cancel(now, c.account, r)
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.canceled(rep)
	return w.b, nil
}

func (c *call) restriction() (exchange.CancelRestriction, *apiError) {
	v, ok, err := c.text("cancelRestrictions")
	if err != nil || !ok {
		return 0, err
	}
	r, ok := exchange.ParseCancelRestriction(v)
	if !ok {
		return 0, bad(-1145, "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`.")
	}
	return r, nil
}

func cancelAll(c *call, b []byte) ([]byte, *apiError) {
	symbol, err := c.symbol()
	if err != nil {
		return b, err
	}
	var list []exchange.CancelReport
	err = c.engine(func(x *exchange.Exchange, now int64) *apiError {
		var rej *exchange.Reject
		list, rej = x.CancelAll(now, c.account, symbol)
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.open('[')
	for i := range list {
		w.canceled(&list[i])
	}
	w.close(']')
	return w.b, nil
}

func amendOrder(c *call, b []byte) ([]byte, *apiError) {
	r := &exchange.AmendRequest{}
	var err *apiError
	if r.Symbol, err = c.symbol(); err != nil {
		return b, err
	}
	if r.OrderID, r.OrigClientOrderID, err = c.orderRef("orderId", "origClientOrderId"); err != nil {
		return b, err
	}
	if r.NewClientOrderID, err = c.clientID("newClientOrderId"); err != nil {
		return b, err
	}
	if r.NewQty, err = c.fixed("newQty"); err != nil {
		return b, err
	}
	if !r.NewQty.Set {
		return b, errMandatory("newQty")
	}
	var rep *exchange.AmendReport
	err = c.engine(func(x *exchange.Exchange, now int64) *apiError {
		var rej *exchange.Reject
		rep, rej = x.Amend(now, c.account, r)
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.amended(rep)
	return w.b, nil
}

func replaceOrder(c *call, b []byte) ([]byte, *apiError) {
	r, err := c.replaceRequest()
	if err != nil {
		return b, err
	}
	cancelOnly := false
	if v, ok, err := c.text("orderRateLimitExceededMode"); err != nil {
		return b, err
	} else if ok {
		if cancelOnly = v == "CANCEL_ONLY"; !cancelOnly && v != "DO_NOTHING" {
			return b, bad(-1130, "Data sent for parameter 'orderRateLimitExceededMode' is not valid.")
		}
	}
	resp, err := c.respType(r.New.Type)
	if err != nil {
		return b, err
	}
	var rep *exchange.ReplaceReport
	// The count is taken here and not by engine: with CANCEL_ONLY a full count still cancels.
	one := *c.op
	one.orders = 0
	c.op = &one
	err = c.engine(func(x *exchange.Exchange, now int64) *apiError {
		over := c.srv.counts[c.account].add(now, 1)
		c.counted = append(c.counted[:0], c.srv.counts[c.account].windows...)
		if over != nil {
			if !cancelOnly {
				return over
			}
			r.NewRefused = &exchange.Reject{Code: over.code, Msg: over.msg}
		}
		var rej *exchange.Reject
		rep, rej = x.CancelReplace(now, c.account, r)
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.replaced(rep, resp)
	if rep.Code == 0 {
		return w.b, nil
	}
	data := bytes.Clone(w.b[len(b):]) // b's memory is used again for the error
	if rep.Code == -2021 {
		return b, &apiError{status: http.StatusConflict, code: -2021, msg: "Order cancel-replace partially failed.", data: data}
	}
	return b, &apiError{status: http.StatusBadRequest, code: -2022, msg: "Order cancel-replace failed.", data: data}
}

func (c *call) replaceRequest() (*exchange.ReplaceRequest, *apiError) {
	r := &exchange.ReplaceRequest{}
	o, err := c.newOrder()
	if err != nil {
		return nil, err
	}
	r.New = *o
	mode, err := c.need("cancelReplaceMode")
	if err != nil {
		return nil, err
	}
	if r.AllowFailure = mode == "ALLOW_FAILURE"; !r.AllowFailure && mode != "STOP_ON_FAILURE" {
		return nil, bad(-1130, "Data sent for parameter 'cancelReplaceMode' is not valid.")
	}
	r.Cancel.Symbol = o.Symbol
	if r.Cancel.OrderID, r.Cancel.OrigClientOrderID, err = c.orderRef("cancelOrderId", "cancelOrigClientOrderId"); err != nil {
		return nil, err
	}
	if r.Cancel.NewClientOrderID, err = c.clientID("cancelNewClientOrderId"); err != nil {
		return nil, err
	}
	r.Cancel.Restriction, err = c.restriction()
	return r, err
}

package venue

import (
	"bytes"
	"net/http"

	"riposte/tools/venue/exchange"
)

// orderRespType is newOrderRespType of an order; MARKET and LIMIT answer FULL by default, the others ACK.
func (c *call) orderRespType(t exchange.OrderType) (string, *apiError) {
	if t == exchange.MarketOrder || t == exchange.LimitOrder {
		return c.respType("FULL")
	}
	return c.respType("ACK")
}

// respType is newOrderRespType, def if it was not sent.
func (c *call) respType(def string) (string, *apiError) {
	v, ok, err := c.text("newOrderRespType")
	if err != nil {
		return "", err
	}
	if !ok {
		return def, nil
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
	resp, err := c.orderRespType(r.Type)
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
	if _, err = c.orderRespType(r.Type); err != nil {
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
	if rep.Status.Ended() {
		// An amend that ends the order costs no weight (since 2026-04-02).
		free := *c.op
		free.free = true
		c.op = &free
	}
	w := enc{b: b, us: c.us}
	w.amended(rep)
	return w.b, nil
}

func amendments(c *call, b []byte) ([]byte, *apiError) {
	symbol, err := c.market()
	if err != nil {
		return b, err
	}
	id, err := c.int("orderId")
	if err != nil {
		return b, err
	}
	if !id.Set {
		return b, errMandatory("orderId")
	}
	from, err := c.int("fromExecutionId")
	if err != nil {
		return b, err
	}
	n, err := c.limit(500, 1000)
	if err != nil {
		return b, err
	}
	var list []exchange.Amendment
	err = c.engine(func(x *exchange.Exchange, _ int64) *apiError {
		var rej *exchange.Reject
		list, rej = x.Amendments(c.account, symbol, id.V, from, n)
		return fromReject(rej)
	})
	if err != nil {
		return b, err
	}
	w := enc{b: b, us: c.us}
	w.amendments(list)
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
	resp, err := c.orderRespType(r.New.Type)
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
		if rep, rej = x.CancelReplace(now, c.account, r); rej != nil && rej.Code > -2000 && over == nil {
			// Refused before the engine, as with a new order: nothing was placed.
			c.srv.counts[c.account].filled(now, 1)
			c.counted = append(c.counted[:0], c.srv.counts[c.account].windows...)
		}
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

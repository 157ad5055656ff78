package binance

import (
	"testing"

	"riposte/core"
	"riposte/exec"
)

// FuzzColdBodies: no panic in any parser of cold bodies.
func FuzzColdBodies(f *testing.F) {
	f.Add([]byte("[" + orderBody + "]"))
	f.Add([]byte("[" + tradeBody + "]"))
	f.Add([]byte(orderBody))
	f.Add([]byte(fullBody))
	f.Add([]byte("[" + cancelBody + "," + listCanceled + "]"))
	f.Add([]byte(`{"code":-2021,"msg":"m","data":{"cancelResult":"SUCCESS","newOrderResult":"FAILURE","cancelResponse":` + cancelBody + `,"newOrderResponse":{"code":-2010,"msg":"x"}}}`))
	f.Add([]byte(`{"canTrade":true,"balances":[{"asset":"BTC","free":"1","locked":"0.1"}]}`))
	f.Add([]byte(`[[1499040000000,"0.0","0.8","0.0","0.01","1",1499644799999,"2",308,"1","2","0"]]`))
	f.Add([]byte(`{"rateLimits":[{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":1}]}`))
	r := &REST{cfg: RESTConfig{Instruments: instruments(f)}}
	f.Fuzz(func(t *testing.T, b []byte) {
		if es, err := r.parseOrders(b); err == nil {
			for _, e := range es {
				if e.VenueID <= 0 || e.Cum > e.Qty && e.Status != core.Expired && e.Status != core.New {
					t.Fatalf("order %+v", e)
				}
			}
		}
		_, _ = r.parseOrder(b, "clientOrderId", core.ClientID{}, 0)
		_, _ = r.parseMyTrades(b)
		q := &ReplaceRequest{}
		_, _ = parseEach(b, r.canceledOf)
		for _, status := range []int{200, 400, 409, 429} {
			ce := &exec.CallError{Class: exec.ClassRefused, Status: status, Code: -2021}
			if got, err := r.replaced(&call{}, &answer{status: status, body: b}, ce, q); err == nil {
				t.Fatalf("half a replace without an error: %+v", got)
			}
		}
		_, _ = parseCommission(b, "")
		_, _ = r.parseList(b, idsPlaced)
		_, _ = parseEach(b, parseTicker)
		_, _ = parseEach(b, preventedOf)
		_, _ = parseKlines(b)
		_, _ = parseTrades(b)
		_, _ = parseAccount(b)
		_, _ = parseRestrictions(b)
		_, _ = ParseLimits(b)
		_, _ = parseTime(b)
	})
}

// TestAnOrderAmendedBelowItsFillsIsUnderstood: it is told with more executed than it has,
// and was asked about for ever while that was taken for nonsense.
func TestAnOrderAmendedBelowItsFillsIsUnderstood(t *testing.T) {
	r := &REST{cfg: RESTConfig{Instruments: instruments(t)}}
	for status, want := range map[string]bool{"EXPIRED": true, "PARTIALLY_FILLED": false, "NEW": false} {
		e, err := r.parseOrder([]byte(`{"symbol":"BTCUSDT","orderId":7,"clientOrderId":"rp-9qvnf7o-000000fb","price":"2693.60","origQty":"0.0796","executedQty":"0.0901","cummulativeQuoteQty":"242.69",`+
			`"status":"`+status+`","timeInForce":"GTC","type":"LIMIT","side":"BUY"}`), "clientOrderId", core.ClientID{}, 7)
		if got := err == nil && e.VenueID == 7 && e.Cum == 9010000; got != want {
			t.Errorf("%s: understood %v, want %v: %+v, %v", status, got, want, e, err)
		}
	}
}

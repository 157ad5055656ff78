package binance

import (
	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/exec"
)

// AnswerReplace reads every row of the venue's table (Binance Spot API docs, cancel an
// existing order and send a new order, 2026-07-21): 200, both were done; 400 with -2022,
// the cancel failed and the new order was not attempted, or failed too; 409 with -2021,
// one of the two was done; -1015 inside -2021, with 409 or 429, the cancel was. Any other
// error came before either. What a half does not say for certain is open, whatever the
// other says.
func (c *Codec) AnswerReplace(o, old *exec.Order, a *exec.Answer, v *exec.Verdict) {
	readUsage(a, v)
	v.Class, v.Old = exec.ClassUnknown, exec.Half{}
	var doc *fastjson.Value
	if a.JSON {
		doc, _ = c.parser.ParseBytes(a.Body)
	}
	code := 0
	if doc != nil {
		code = errorCode(doc)
	}
	halves := doc
	if a.Status != 200 || code != 0 {
		refused(a.Status, code, doc.GetStringBytes("msg"), a.RetryAfter, v)
		if a.Status >= 500 || code != -2021 && code != -2022 {
			v.Old = exec.Half{Class: v.Class, Code: v.Code, Gone: v.GoneOrder}
			return
		}
		v.Class, halves = exec.ClassUnknown, doc.Get("data")
	}
	if halves == nil || halves.Type() != fastjson.TypeObject {
		return
	}
	c.cancelHalf(halves, old, a.Status, v)
	c.newHalf(halves, o, a.Status, v)
}

// cancelHalf reads what became of the old order. A 200 says that both halves were done,
// and where one of them says otherwise it is open.
func (c *answers) cancelHalf(halves *fastjson.Value, old *exec.Order, status int, v *exec.Verdict) {
	reply := halves.Get("cancelResponse")
	switch string(halves.GetStringBytes("cancelResult")) {
	case "SUCCESS":
		if n := len(v.Execs); old != nil && reply != nil && c.order(reply, exec.RequestCancel, old, v) {
			v.Old.Class = exec.ClassAccepted
		} else {
			v.Execs = v.Execs[:n]
		}
	case "FAILURE":
		if code := failure(reply); code != 0 && status != 200 {
			v.Old = exec.Half{Class: exec.ClassRefused, Code: int32(code), Gone: code == -2011 || code == -2013}
		}
	}
}

// newHalf reads what became of the new order.
func (c *answers) newHalf(halves *fastjson.Value, o *exec.Order, status int, v *exec.Verdict) {
	reply := halves.Get("newOrderResponse")
	switch string(halves.GetStringBytes("newOrderResult")) {
	case "SUCCESS":
		if n := len(v.Execs); o != nil && reply != nil && c.order(reply, exec.RequestPlace, o, v) {
			v.Class = exec.ClassAccepted
		} else {
			v.Execs = v.Execs[:n]
		}
	case "FAILURE":
		if code := failure(reply); code != 0 && status != 200 {
			refused(status, code, reply.GetStringBytes("msg"), v.RetryAfter, v)
		}
	case "NOT_ATTEMPTED":
		if status != 200 {
			v.Class, v.Untried = exec.ClassRefused, true
		}
	}
}

// failure is the code of a half that was not done, 0 if it says nothing that could be
// relied upon.
func failure(reply *fastjson.Value) int {
	if reply == nil {
		return 0
	}
	if code := errorCode(reply); !openCode(code) {
		return code
	}
	return 0
}

// amended reads the answer to an amend, whose members have names of their own (Binance
// Spot API docs, 2026-07-21). It reports false if that is not about o or cannot be
// understood.
func (c *answers) amended(doc *fastjson.Value, o *exec.Order, v *exec.Verdict) bool {
	got := doc.Get("amendedOrder")
	if got == nil || string(got.GetStringBytes("symbol")) != c.instruments.Get(o.Instrument).Symbol ||
		string(got.GetStringBytes("clientOrderId")) != string(o.Client.Bytes()) {
		return false
	}
	id := got.GetInt64("orderId")
	if id <= 0 || o.VenueID != 0 && id != o.VenueID || got.Get("status") == nil {
		return false
	}
	price, err1 := core.ParsePrice(got.GetStringBytes("price"))
	qty, err2 := core.ParseQty(got.GetStringBytes("qty"))
	cum, err3 := core.ParseQty(got.GetStringBytes("executedQty"))
	quote, err4 := core.ParseSignedDecimal(got.GetStringBytes("cumulativeQuoteQty"))
	status := statusOf(got.GetStringBytes("status"))
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || cum > qty && status != core.Expired {
		return false
	}
	v.Execs = append(v.Execs, core.Execution{Kind: core.ExecStatus, Status: status, Side: o.Side, Type: o.Type, TIF: o.TIF,
		Instrument: o.Instrument, FeeAsset: core.NoAsset, Client: o.Client, VenueID: id, ExecID: doc.GetInt64("executionId"), TradeID: -1,
		Price: price, Qty: qty, Cum: cum, CumQuote: core.Amount(quote), Time: core.WallNs(doc.GetInt64("transactTime") * 1e6)})
	return true
}

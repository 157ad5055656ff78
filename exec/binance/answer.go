package binance

import (
	"time"

	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/exec"
)

// Answer reads the answer to a hot request; see exec.Codec.
func (c *Codec) Answer(kind exec.RequestKind, o *exec.Order, a *exec.Answer, v *exec.Verdict) {
	readUsage(a, v)
	v.Class = exec.ClassUnknown
	var doc *fastjson.Value
	if a.JSON {
		doc, _ = c.parser.ParseBytes(a.Body)
	}
	code := 0
	if doc != nil {
		code = errorCode(doc)
	}
	if a.Status != 200 || code != 0 {
		refused(a.Status, code, doc.GetStringBytes("msg"), a.RetryAfter, v)
		return
	}
	if doc == nil || doc.Type() != fastjson.TypeObject {
		return
	}
	switch kind {
	case exec.RequestProbe:
		v.Class = exec.ClassAccepted
	case exec.RequestPlace, exec.RequestCancel:
		if o != nil && c.order(doc, kind, o, v) {
			v.Class = exec.ClassAccepted
		} else {
			v.Execs = v.Execs[:0]
		}
	case exec.RequestAmend:
		if o != nil && c.amended(doc, o, v) {
			v.Class = exec.ClassAccepted
		}
	}
}

// answers reads bodies of answers, which are the same over REST and the WebSocket API. It
// allocates nothing once the parser has grown to the largest one.
type answers struct {
	instruments *core.Instruments
	parser      fastjson.Parser

	UnknownAssets uint64 // commissions in assets that are not in the table
}

// refused reads an error: its HTTP status, code and text, and for how long the venue
// demands silence, 0 if it did not say.
func refused(status, code int, msg []byte, retry time.Duration, v *exec.Verdict) {
	v.Code, v.Msg = int32(code), msg
	v.Class = classify(status, code)
	if v.Class == exec.ClassAccepted {
		v.Class = exec.ClassUnknown
	}
	v.Lockout, v.RetryAfter = limited(status, code), retry
	v.OrderLimit = code == -1015
	if status == 418 && v.RetryAfter == 0 {
		v.RetryAfter = 2 * time.Minute // the shortest ban there is
	}
	v.KeyRefused = keyRefused(code)
	v.ClockOff = code == -1021
	v.GoneOrder = code == -2011 || code == -2013
	v.Duplicate = code == -2010 && string(v.Msg) == "Duplicate order sent."
}

// errorCode is the code of an error body, 0 if it is none.
func errorCode(doc *fastjson.Value) int {
	v := doc.Get("code")
	if v == nil || doc.Get("msg") == nil {
		return 0
	}
	n, err := v.Int64()
	if err != nil || n < -1<<31 || n >= 0 {
		return 0
	}
	return int(n)
}

// order reads an order object as a status and, of a FULL answer, its fills. It
// reports false if the object is not about o or cannot be understood.
func (c *answers) order(doc *fastjson.Value, kind exec.RequestKind, o *exec.Order, v *exec.Verdict) bool {
	in := c.instruments.Get(o.Instrument)
	if string(doc.GetStringBytes("symbol")) != in.Symbol {
		return false
	}
	name := "clientOrderId"
	if kind == exec.RequestCancel {
		name = "origClientOrderId"
	}
	if string(doc.GetStringBytes(name)) != string(o.Client.Bytes()) {
		return false
	}
	e := core.Execution{Kind: core.ExecStatus, Instrument: o.Instrument, FeeAsset: core.NoAsset, Client: o.Client, TradeID: -1}
	if !readOrder(doc, &e) || (o.VenueID != 0 && e.VenueID != o.VenueID) {
		return false
	}
	first := len(v.Execs) + 1 // of its fills
	v.Execs = append(v.Execs, e)
	fills := doc.GetArray("fills")
	for i, f := range fills {
		t := e
		t.Kind = core.ExecTrade
		if !c.readFill(f, &t) {
			return false
		}
		if i == len(fills)-1 {
			c.squareQuote(v.Execs[first:], &t, &e)
		}
		v.Execs = append(v.Execs, t)
	}
	return true
}

// squareQuote gives the last fill what the others leave of the venue's own sum, if
// these are all the fills: a fill in an answer has no amount of its own, and the
// venue's rounding is the truth.
func (c *answers) squareQuote(others []core.Execution, last, order *core.Execution) {
	qty, quote := last.LastQty, core.Amount(0)
	for i := range others {
		qty += others[i].LastQty
		quote += others[i].LastQuote
	}
	if rest := order.CumQuote - quote; qty == order.Cum && rest-last.LastQuote >= -1 && rest-last.LastQuote <= core.Amount(len(others)+1) {
		last.LastQuote = rest
	}
}

func (c *answers) readFill(f *fastjson.Value, t *core.Execution) bool {
	price, err1 := core.ParsePrice(f.GetStringBytes("price"))
	qty, err2 := core.ParseQty(f.GetStringBytes("qty"))
	fee, err3 := core.ParseSignedDecimal(f.GetStringBytes("commission"))
	id := f.Get("tradeId")
	if err1 != nil || err2 != nil || err3 != nil || id == nil || qty <= 0 {
		return false
	}
	trade, err := id.Int64()
	if err != nil {
		return false
	}
	t.TradeID, t.LastPrice, t.LastQty, t.Fee = trade, price, qty, core.Amount(fee)
	t.LastQuote, _ = core.NotionalOf(price, qty).AmountFloor()
	t.FeeAsset = core.NoAsset
	if asset, ok := c.instruments.AssetID(string(f.GetStringBytes("commissionAsset"))); ok {
		t.FeeAsset = asset
	} else if fee != 0 {
		c.UnknownAssets++
	}
	return true
}

// readOrder reads what placement, cancel and query answers have in common. An ACK
// answer, without status, reads as New.
func readOrder(doc *fastjson.Value, e *core.Execution) bool {
	id := doc.Get("orderId")
	if id == nil {
		return false
	}
	n, err := id.Int64()
	if err != nil || n <= 0 {
		return false
	}
	e.VenueID = n
	e.Status = core.New
	if t := doc.GetInt64("transactTime"); t > 0 {
		e.Time = core.WallNs(t * 1e6)
	} else if t := doc.GetInt64("updateTime"); t > 0 {
		e.Time = core.WallNs(t * 1e6)
	}
	if doc.Get("status") == nil {
		return true
	}
	e.Status = statusOf(doc.GetStringBytes("status"))
	e.Side = core.Buy
	if string(doc.GetStringBytes("side")) == "SELL" {
		e.Side = core.Sell
	}
	price, err1 := core.ParsePrice(doc.GetStringBytes("price"))
	qty, err2 := core.ParseQty(doc.GetStringBytes("origQty"))
	cum, err3 := core.ParseQty(doc.GetStringBytes("executedQty"))
	quote, err4 := core.ParseSignedDecimal(doc.GetStringBytes("cummulativeQuoteQty"))
	// More than its quantity has traded of an order that was amended below what had
	// traded by then, and such a one is over as EXPIRED.
	if err1 != nil || err2 != nil || err3 != nil || err4 != nil || cum > qty && e.Status != core.Expired {
		return false
	}
	e.Price, e.Qty, e.Cum, e.CumQuote = price, qty, cum, core.Amount(quote)
	if t, ok := core.ParseOrderType(string(doc.GetStringBytes("type"))); ok {
		e.Type = t
	}
	if t, ok := core.ParseTIF(string(doc.GetStringBytes("timeInForce"))); ok {
		e.TIF = t
	}
	return true
}

// statusOf maps the venue's words (section 13 of the facts). A word not known yet
// reads as New: the order lives, and what becomes of it will be asked.
func statusOf(s []byte) core.OrderStatus {
	switch string(s) {
	case "PARTIALLY_FILLED":
		return core.PartiallyFilled
	case "FILLED":
		return core.Filled
	case "CANCELED":
		return core.Canceled
	case "REJECTED":
		return core.Rejected
	case "EXPIRED", "EXPIRED_IN_MATCH":
		return core.Expired
	}
	return core.New
}

const headerPrefix = "x-mbx-"

// HeaderPrefix is what exec.PoolConfig.KeepHeaders must be for this codec.
const HeaderPrefix = headerPrefix

// readUsage reads X-MBX-USED-WEIGHT-1M and X-MBX-ORDER-COUNT-<n><letter>. Of several
// order counts the one per day is told by its letter, any other is the short one.
func readUsage(a *exec.Answer, v *exec.Verdict) {
	for i := range a.Headers() {
		name, value := a.HeaderAt(i)
		n, ok := parseCount(value)
		if !ok {
			continue
		}
		const orders = headerPrefix + "order-count-"
		switch {
		case string(name) == headerPrefix+"used-weight-1m":
			v.Weight = n
		case len(name) > len(orders) && string(name[:len(orders)]) == orders:
			if name[len(name)-1] == 'd' {
				v.OrdersDay = n
			} else {
				v.OrdersShort = n
			}
		}
	}
}

func parseCount(b []byte) (int32, bool) {
	if len(b) == 0 || len(b) > 9 {
		return 0, false
	}
	n := int32(0)
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int32(c-'0')
	}
	return n, true
}

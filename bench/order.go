package bench

import (
	"bytes"
	"strconv"
)

// Order is what a new order request says. Its slices lie in the request.
type Order struct {
	Symbol, Side, Type, TIF, Price, Qty, Client []byte
}

// ParseOrder reads a whole request; ok is false if it is not a new order. It does
// not check the signature and allocates nothing.
func ParseOrder(req []byte) (o Order, ok bool) {
	const head = "POST /api/v3/order?"
	if len(req) < len(head) || string(req[:len(head)]) != head {
		return o, false
	}
	end := bytes.IndexByte(req[len(head):], ' ')
	if end < 0 {
		return o, false
	}
	for q := req[len(head) : len(head)+end]; len(q) > 0; {
		var pair []byte
		if i := bytes.IndexByte(q, '&'); i >= 0 {
			pair, q = q[:i], q[i+1:]
		} else {
			pair, q = q, nil
		}
		i := bytes.IndexByte(pair, '=')
		if i < 0 {
			return o, false
		}
		v := pair[i+1:]
		switch string(pair[:i]) {
		case "symbol":
			o.Symbol = v
		case "side":
			o.Side = v
		case "type":
			o.Type = v
		case "timeInForce":
			o.TIF = v
		case "price":
			o.Price = v
		case "quantity":
			o.Qty = v
		case "newClientOrderId":
			o.Client = v
		}
	}
	return o, len(o.Symbol) > 0 && len(o.Client) > 0
}

// AppendAnswer appends the whole HTTP answer by which the venue says that the order
// came, found nothing to trade with and ended: EXPIRED, so that nothing of it is
// left. Form of a FULL answer as in the Binance Spot API docs, 2026-07-21.
func AppendAnswer(dst []byte, o *Order, id, unixMs int64) []byte {
	const mark = "Content-Length: 000\r\n\r\n"
	dst = append(dst, "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nx-mbx-used-weight-1m: 1\r\nx-mbx-order-count-10s: 1\r\nx-mbx-order-count-1d: 1\r\n"+mark...)
	at := len(dst)
	dst = append(dst, `{"symbol":"`...)
	dst = append(dst, o.Symbol...)
	dst = append(dst, `","orderId":`...)
	dst = strconv.AppendInt(dst, id, 10)
	dst = append(dst, `,"orderListId":-1,"clientOrderId":"`...)
	dst = append(dst, o.Client...)
	dst = append(dst, `","transactTime":`...)
	dst = strconv.AppendInt(dst, unixMs, 10)
	dst = append(dst, `,"price":"`...)
	dst = append(dst, o.Price...)
	dst = append(dst, `","origQty":"`...)
	dst = append(dst, o.Qty...)
	dst = append(dst, `","executedQty":"0.00000000","origQuoteOrderQty":"0.00000000","cummulativeQuoteQty":"0.00000000","status":"EXPIRED","timeInForce":"`...)
	dst = append(dst, o.TIF...)
	dst = append(dst, `","type":"`...)
	dst = append(dst, o.Type...)
	dst = append(dst, `","side":"`...)
	dst = append(dst, o.Side...)
	dst = append(dst, `","workingTime":`...)
	dst = strconv.AppendInt(dst, unixMs, 10)
	dst = append(dst, `,"fills":[],"selfTradePreventionMode":"EXPIRE_MAKER"}`...)
	n := len(dst) - at
	for i := at - len("\r\n\r\n") - 1; n > 0; i-- {
		dst[i] = byte('0' + n%10)
		n /= 10
	}
	return dst
}

package binance

import (
	"time"

	"riposte/core"
	"riposte/exec"
)

// Requests about an order that works already go over REST alone. The WebSocket API has
// both (order.cancelReplace, order.amend.keepPriority; Binance Spot API docs,
// 2026-07-21), and they could be laid out in frames like any other; but an order that
// works has been answered, so there is no hurry that a second dialect would pay for.

const (
	cancelIDName     = "&cancelOrderId="
	cancelClientName = "&cancelOrigClientOrderId="
	newQtyName       = "&newQty="
	newClientName    = "&newClientOrderId="
)

// replace is the constant part of replaces. The venue looks at the new order's filters
// and at the order count before it cancels, and does not try the new order where the
// cancel fails: POST /api/v3/order/cancelReplace (Binance Spot API docs, 2026-07-21).
func (f *frame) replace(symbol string, side core.Side, idHead string) template {
	t := f.longhand("POST /api/v3/order/cancelReplace?", "cancelReplaceMode=STOP_ON_FAILURE&", symbol, side, idHead)
	t.room += len(cancelClientName) + clientMost
	return t
}

// Replace lays out and signs an order of any type in the place of another, which it names
// by the venue's id if that is known.
func (c *Codec) Replace(in *core.Intent, old *exec.Order, born, now core.WallNs, r *exec.Request) exec.EncodeError {
	if int(in.Instrument) >= len(c.books) || c.books[in.Instrument] == nil || old.Instrument != in.Instrument {
		return exec.EncodeInstrument
	}
	return c.longhand(&c.books[in.Instrument].after[in.Side&1], in, old, born, now, r)
}

// amend is the constant part of amends: PUT /api/v3/order/amend/keepPriority (Binance
// Spot API docs, 2026-07-21).
func (f *frame) amend(symbol string) template {
	params := "symbol=" + string(appendEscaped(nil, symbol)) + "&recvWindow=" + f.window + timestampName
	t := f.template("PUT /api/v3/order/amend/keepPriority?", params, f.post, false)
	t.room += len(newQtyName+newClientName+clientIDName) + numberMost + 2*clientMost
	return t
}

// Amend lays out and signs that an order is to be of qty in all. It keeps its client id:
// the venue would give it one at random, and would know it by no other from then on.
func (c *Codec) Amend(o *exec.Order, qty core.Qty, now core.WallNs, r *exec.Request) exec.EncodeError {
	switch {
	case int(o.Instrument) >= len(c.books) || c.books[o.Instrument] == nil:
		return exec.EncodeInstrument
	case qty <= 0:
		return exec.EncodeNumber
	case c.wiped:
		return exec.EncodeNoKey
	}
	t := &c.books[o.Instrument].amend
	b := c.spelled[:cap(c.spelled)]
	n := copy(b, t.buf)
	putStamp(b[n:], stampOf(now))
	n += stampDigits
	n = putNumber(b, n, newQtyName, int64(qty))
	n += copy(b[n:], newClientName)
	n += copy(b[n:], o.Client.Bytes())
	n = putRef(b, n, o, orderIDName, clientIDName)
	r.Bytes = c.frame.seal(t, b, n)
	r.Seq, r.Client, r.Stamp, r.Window, r.Presigned = o.Seq, o.Client, now-now%core.WallNs(time.Millisecond), c.window, false
	return exec.EncodeOK
}

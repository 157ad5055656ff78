package binance

import (
	"time"

	"riposte/core"
	"riposte/exec"
)

// Most orders are plain: a limit or market order that lives as long as the configured
// recvWindow. Those have templates and ladders. Every other one, a stop, an iceberg, a
// mode of self-trade prevention, a life of its own, is written in longhand when it is
// wanted: behind the constant beginning, whose hash is kept, each parameter by name. That
// is two more blocks to hash than a plain order has, and no memory per order.
//
// The life of an order is its recvWindow: what remains of it at the moment of signing, to
// the microsecond (recvWindow takes milliseconds with up to three decimals, Binance Spot
// API docs, 2026-07-21). An order that is held up on its way, in a socket or in a queue
// of the venue's, dies there instead of trading on an old view.

const (
	typeName     = "&type="
	tifName      = "&timeInForce="
	windowName   = "&recvWindow="
	stopName     = "&stopPrice="
	trailName    = "&trailingDelta="
	icebergName  = "&icebergQty="
	stpName      = "&selfTradePreventionMode="
	longhandMost = len(typeName+"TAKE_PROFIT_LIMIT"+tifName+"GTC"+windowName+stopName+trailName+icebergName+stpName+"EXPIRE_TAKER") + 4*numberMost
)

// longhand is the constant part of orders that have no template of their own.
func (f *frame) longhand(start, first, symbol string, side core.Side, idHead string) template {
	params := first + "symbol=" + string(appendEscaped(nil, symbol)) + "&side=" + side.String() + "&newOrderRespType=FULL&newClientOrderId=" + idHead
	t := f.template(start, params, f.post, false)
	t.room += longhandMost
	return t
}

// longhand lays out and signs an order of any type, which takes the place of old if that
// is not nil.
func (c *Codec) longhand(t *template, in *core.Intent, old *exec.Order, born, now core.WallNs, r *exec.Request) exec.EncodeError {
	if e := checkIntent(in); e != exec.EncodeOK {
		return e
	}
	window, ok := c.remains(in, born, now)
	if !ok {
		return exec.EncodeLate
	}
	if c.wiped {
		return exec.EncodeNoKey
	}
	c.Stats.Misses++
	b := c.spelled[:cap(c.spelled)]
	n := copy(b, t.buf)
	r.Seq = c.ids.Next()
	r.Client = c.ids.ID(r.Seq)
	exec.PutSeq(b[n:], r.Seq)
	n += exec.SeqDigits
	n = putText(b, n, typeName, in.Type.String())
	if hasTIF(in.Type) {
		n = putText(b, n, tifName, in.TIF.String())
	}
	n = putNumber(b, n, quantityName, int64(in.Qty))
	if hasPrice(in.Type) {
		n = putNumber(b, n, priceName, int64(in.Price))
	}
	if in.Stop > 0 {
		n = putNumber(b, n, stopName, int64(in.Stop))
	}
	if in.Trail > 0 {
		n += copy(b[n:], trailName)
		n += putUint(b[n:], uint64(in.Trail))
	}
	if in.Iceberg > 0 {
		n = putNumber(b, n, icebergName, int64(in.Iceberg))
	}
	if in.STP != core.STPDefault {
		n = putText(b, n, stpName, in.STP.String())
	}
	if old != nil {
		n = putRef(b, n, old, cancelIDName, cancelClientName)
	}
	n += copy(b[n:], windowName)
	n += putWindow(b[n:], window)
	n += copy(b[n:], timestampName)
	putStamp(b[n:], stampOf(now))
	n += stampDigits
	r.Bytes = c.frame.seal(t, b, n)
	r.Stamp, r.Window, r.Presigned = now-now%1e6, window, false
	return exec.EncodeOK
}

// seal signs a request whose payload ends at n and puts the tail behind it.
func (f *frame) seal(t *template, b []byte, n int) []byte {
	end := n
	n += copy(b[n:], signatureName)
	if f.hmac != nil {
		b = f.hmac.appendFrom(b[:n], &t.mid, b[t.payload+t.mid.of():end])
	} else {
		b = f.signer.AppendREST(b[:n], b[t.payload:end])
	}
	return append(b, t.tail...)
}

// remains is the recvWindow that ends with the order's life, for a timestamp of now cut
// to milliseconds; false when that is over. A life is at most what the venue allows.
func (c *Codec) remains(in *core.Intent, born, now core.WallNs) (time.Duration, bool) {
	return remains(in, c.window, born, now)
}

func remains(in *core.Intent, usual time.Duration, born, now core.WallNs) (time.Duration, bool) {
	life := usual
	if in.LifeUs > 0 {
		life = min(time.Duration(in.LifeUs)*time.Microsecond, recvWindowMax)
	}
	left := life - time.Duration(now-born)
	if left < time.Microsecond {
		return 0, false
	}
	left = min(left+time.Duration(now%1e6), recvWindowMax)
	return left - left%time.Microsecond, true
}

// checkIntent refuses what the venue could only misread: numbers that are missing or that
// belong to another type.
func checkIntent(in *core.Intent) exec.EncodeError {
	if in.Type > core.TakeProfitLimit || in.TIF > core.FOK || in.STP > core.STPTransfer {
		return exec.EncodeType
	}
	waits := in.Type >= core.StopLoss
	switch {
	case in.Qty <= 0 || in.Side > core.Sell || in.Stop < 0:
		return exec.EncodeNumber
	case hasPrice(in.Type) && in.Price <= 0:
		return exec.EncodeNumber
	case waits != (in.Stop > 0 || in.Trail > 0):
		return exec.EncodeNumber
	case in.Iceberg != 0 && (in.Iceberg < 0 || in.Iceberg >= in.Qty || !hasPrice(in.Type)):
		return exec.EncodeNumber
	case in.Iceberg > 0 && in.TIF != core.GTC:
		return exec.EncodeType
	}
	return exec.EncodeOK
}

// hasPrice: the types that may rest at a price.
func hasPrice(t core.OrderType) bool {
	return t == core.Limit || t == core.LimitMaker || t == core.StopLossLimit || t == core.TakeProfitLimit
}

// hasTIF: the types that carry a time in force.
func hasTIF(t core.OrderType) bool {
	return t == core.Limit || t == core.StopLossLimit || t == core.TakeProfitLimit
}

func putText(b []byte, n int, name, value string) int {
	n += copy(b[n:], name)
	return n + copy(b[n:], value)
}

func putNumber(b []byte, n int, name string, v int64) int {
	n += copy(b[n:], name)
	return n + putDecimal(b[n:], v)
}

// putWindow writes a recvWindow in milliseconds. Room as for putDecimal.
func putWindow(b []byte, w time.Duration) int {
	return putDecimal(b, int64(w/time.Microsecond)*(core.Scale/1000))
}

package binance

import (
	"strconv"
	"time"

	"riposte/core"
	"riposte/exec"
)

// Place is order.place. See Codec.Place for what born means.
func (c *Frames) Place(in *core.Intent, born, now core.WallNs, env exec.Envelope, r *exec.Request) exec.EncodeError {
	forms, e := c.book(in.Instrument, env)
	if e != exec.EncodeOK {
		return e
	}
	if e := checkIntent(in); e != exec.EncodeOK {
		return e
	}
	kind, plain := kindOf(in)
	stamp, window := born, c.window
	var f *frameForm
	var b []byte
	if plain {
		if now-born >= core.WallNs(c.window) {
			return exec.EncodeLate
		}
		f = &forms.orders[in.Side][kind]
		b = f.buf[:cap(f.buf)]
	} else {
		var ok bool
		if window, ok = remains(in, c.window, born, now); !ok {
			return exec.EncodeLate
		}
		stamp = now - now%1e6
		f = &forms.other[in.Side]
		b = c.other
		copy(b, f.buf)
	}
	n := len(f.buf)
	seq := c.ids.Next()
	putStamp(b[idAt:], uint64(env.ID))
	putStamp(b[f.stamp:], stampOf(stamp))
	exec.PutSeq(b[f.seq:], seq)
	n += copy(b[n:], `,"quantity":"`)
	n += putDecimal(b[n:], int64(in.Qty))
	if hasPrice(in.Type) {
		n += copy(b[n:], `","price":"`)
		n += putDecimal(b[n:], int64(in.Price))
	}
	n += copy(b[n:], `"`)
	if !plain {
		n = putRest(b, n, in, window)
	}
	r.Client = c.ids.ID(seq)
	if !env.LoggedOn {
		n = c.sign(b, n, c.orderPayload(in, forms.symbol, plain, window, stampOf(stamp), r.Client.Bytes()))
	}
	n += copy(b[n:], "}}")
	r.Bytes, r.Seq, r.Stamp, r.Window, r.Presigned = b[:n], seq, stamp, window, false
	return exec.EncodeOK
}

// putRest writes what only orders in longhand have.
func putRest(b []byte, n int, in *core.Intent, window time.Duration) int {
	n += copy(b[n:], `,"type":"`)
	n += copy(b[n:], in.Type.String())
	if hasTIF(in.Type) {
		n += copy(b[n:], `","timeInForce":"`)
		n += copy(b[n:], in.TIF.String())
	}
	if in.Stop > 0 {
		n += copy(b[n:], `","stopPrice":"`)
		n += putDecimal(b[n:], int64(in.Stop))
	}
	if in.Iceberg > 0 {
		n += copy(b[n:], `","icebergQty":"`)
		n += putDecimal(b[n:], int64(in.Iceberg))
	}
	if in.STP != core.STPDefault {
		n += copy(b[n:], `","selfTradePreventionMode":"`)
		n += copy(b[n:], in.STP.String())
	}
	n += copy(b[n:], `"`)
	if in.Trail > 0 {
		n += copy(b[n:], `,"trailingDelta":`)
		n += putUint(b[n:], uint64(in.Trail))
	}
	n += copy(b[n:], `,"recvWindow":`)
	return n + putWindow(b[n:], window)
}

// orderPayload is what the signature of an order covers: all its parameters, sorted.
func (c *Frames) orderPayload(in *core.Intent, symbol string, plain bool, window time.Duration, stamp uint64, client []byte) []byte {
	p := c.payload()
	if in.Iceberg > 0 {
		p = core.AppendDecimal(append(p, "icebergQty="...), int64(in.Iceberg))
		p = append(p, '&')
	}
	p = append(append(p, "newClientOrderId="...), client...)
	p = append(p, "&newOrderRespType=FULL"...)
	if hasPrice(in.Type) {
		p = core.AppendDecimal(append(p, priceName...), int64(in.Price))
	}
	p = core.AppendDecimal(append(p, quantityName...), int64(in.Qty))
	p = append(p, windowName...)
	if plain {
		p = append(p, c.usual...)
	} else {
		p = core.AppendDecimal(p, int64(window/time.Microsecond)*(core.Scale/1000))
	}
	if in.STP != core.STPDefault {
		p = append(append(p, stpName...), in.STP.String()...)
	}
	p = append(append(p, "&side="...), in.Side.String()...)
	if in.Stop > 0 {
		p = core.AppendDecimal(append(p, stopName...), int64(in.Stop))
	}
	p = append(append(p, "&symbol="...), symbol...)
	if hasTIF(in.Type) {
		p = append(append(p, tifName...), in.TIF.String()...)
	}
	p = appendStamp(append(p, timestampName...), stamp)
	if in.Trail > 0 {
		p = appendUint(append(p, trailName...), uint64(in.Trail))
	}
	return append(append(p, typeName...), in.Type.String()...)
}

func appendUint(b []byte, v uint64) []byte { return strconv.AppendUint(b, v, 10) }

// appendStamp appends a time in milliseconds, as putStamp writes it.
func appendStamp(b []byte, ms uint64) []byte {
	b = append(b, stampHole...)
	putStamp(b[len(b)-stampDigits:], ms)
	return b
}

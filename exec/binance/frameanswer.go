package binance

import (
	"time"

	"github.com/valyala/fastjson"

	"riposte/exec"
)

// Open says what a message is. It is kept for Answer until the next one.
func (c *Frames) Open(msg []byte) (exec.FrameKind, int64) {
	doc, err := c.parser.ParseBytes(msg)
	c.doc = doc
	if err != nil || doc.Type() != fastjson.TypeObject {
		c.doc = nil
		return exec.FrameJunk, 0
	}
	id := doc.Get("id")
	if id == nil {
		if doc.Get("event") == nil {
			return exec.FrameJunk, 0
		}
		if string(doc.GetStringBytes("event", "e")) == "serverShutdown" {
			return exec.FrameShutdown, 0
		}
		return exec.FrameEvent, 0
	}
	if n, err := id.Int64(); err == nil {
		return exec.FrameAnswer, n
	}
	// A key that was revoked while the session was logged on is told with id null after
	// the next request (Binance Spot API docs, 2026-07-21). Any other error without an id
	// leaves open which request it refuses.
	if doc.GetInt("status") == 401 {
		return exec.FrameRevoked, 0
	}
	return exec.FrameJunk, 0
}

// Answer reads the message last opened; see exec.FrameCodec.
func (c *Frames) Answer(kind exec.RequestKind, o *exec.Order, v *exec.Verdict) {
	v.Class = exec.ClassUnknown
	doc := c.doc
	if doc == nil {
		return
	}
	readLimits(doc.GetArray("rateLimits"), v)
	status := doc.GetInt("status")
	if fault := doc.Get("error"); fault != nil || status != 200 {
		code := 0
		var msg []byte
		if fault != nil {
			code, msg = errorCode(fault), fault.GetStringBytes("msg")
		}
		refused(status, code, msg, retryAfter(fault.Get("data")), v)
		return
	}
	result := doc.Get("result")
	if result == nil || result.Type() != fastjson.TypeObject {
		return
	}
	if kind == exec.RequestProbe || kind == exec.RequestLogon {
		v.Class = exec.ClassAccepted
		return
	}
	if o != nil && c.order(result, kind, o, v) {
		v.Class = exec.ClassAccepted
	} else {
		v.Execs = v.Execs[:0]
	}
}

// retryAfter is how long the venue demands silence. The WebSocket API tells when it ends,
// and what time it is there (Binance Spot API docs, 2026-07-21).
func retryAfter(data *fastjson.Value) time.Duration {
	until, now := data.GetInt64("retryAfter"), data.GetInt64("serverTime")
	if now <= 0 || until <= now || until-now > int64(72*time.Hour/time.Millisecond) {
		return 0
	}
	return time.Duration(until-now) * time.Millisecond
}

// readLimits reads how much of its limits a request has left used. Of several order counts
// the one per day is told by its interval, any other is the short one.
func readLimits(list []*fastjson.Value, v *exec.Verdict) {
	for _, l := range list {
		n := l.GetInt("count")
		if n < 0 || n > 1<<30 || l.Get("count") == nil {
			continue
		}
		switch string(l.GetStringBytes("rateLimitType")) {
		case "REQUEST_WEIGHT":
			v.Weight = int32(n)
		case "ORDERS":
			if string(l.GetStringBytes("interval")) == "DAY" {
				v.OrdersDay = int32(n)
			} else {
				v.OrdersShort = int32(n)
			}
		}
	}
}

package oracle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// message takes one whole message of frames: way 0 is the engine's.
func (c *conn) message(b []byte, way int, show func(any)) {
	m := object(b)
	if m == nil {
		if way == 1 {
			show(Garbled{Conn: c.id})
		}
		return
	}
	if way == 0 {
		r := &Request{Conn: c.id, ID: text(m.get("id")), Method: text(m.get("method")), Args: map[string]string{}}
		for _, p := range object(m.get("params")) {
			if r.Args[p.name] = text(p.value); p.value == nil {
				delete(r.Args, p.name)
			}
		}
		if len(r.Args) == 0 {
			r.Streams = names(m.get("params"))
		}
		r.Key = r.Args["apiKey"] != ""
		c.waits = append(c.waits, r)
		show(r)
		return
	}
	if data := object(m.get("data")); data != nil && m.get("stream") != nil {
		m = data
	} else if event := object(m.get("event")); event != nil {
		m = event
	}
	switch text(m.get("e")) {
	case "depthUpdate":
		show(Depth{Conn: c.id, Symbol: text(m.get("s")), First: whole(m.get("U")), Last: whole(m.get("u"))})
	case "executionReport":
		a := Account{Conn: c.id, Client: text(m.get("c")), Symbol: text(m.get("s")), Order: whole(m.get("i")), Trade: whole(m.get("t")), Status: text(m.get("X"))}
		if orig := text(m.get("C")); orig != "" {
			a.Client = orig
		}
		a.Cum, _ = decimal(text(m.get("z")))
		show(a)
	case "eventStreamTerminated":
		show(Account{Conn: c.id, Termination: true})
	case "":
		c.untold(m, b, show)
	}
}

// names are the texts of a list, nil if it is none.
func names(b json.RawMessage) (list []string) {
	if json.Unmarshal(b, &list) != nil {
		return nil
	}
	return list
}

// untold is a message that does not name its kind: the best price, or an answer.
func (c *conn) untold(m members, b []byte, show func(any)) {
	if m.get("u") != nil && m.get("b") != nil && m.get("a") != nil {
		show(Touch{Conn: c.id, Symbol: text(m.get("s")), ID: whole(m.get("u"))})
		return
	}
	id := text(m.get("id"))
	if id == "" {
		return
	}
	a := Reply{Conn: c.id, Status: int(whole(m.get("status"))), Body: b}
	if e := object(m.get("error")); e != nil {
		a.Code = int(whole(e.get("code")))
		if data := object(e.get("data")); data != nil {
			a.Retry = max(whole(data.get("retryAfter"))-whole(data.get("serverTime")), 0) * 1e6
		}
	}
	for i, r := range c.waits {
		if r.ID == id {
			a.For = r
			c.waits = append(c.waits[:i:i], c.waits[i+1:]...)
			break
		}
	}
	show(a)
	if !json.Valid(b) {
		show(Garbled{Conn: c.id})
	}
}

// answered shows what the answer to a call says of the market.
func answered(a *Reply, show func(any)) {
	if a.For == nil || a.Status != 200 || a.For.Path != "/api/v3/depth" {
		return
	}
	var m struct{ LastUpdateID int64 }
	if json.Unmarshal(a.Body, &m) == nil {
		show(Depth{Conn: a.Conn, Symbol: a.For.Args["symbol"], Last: m.LastUpdateID})
	}
}

func errorCode(b []byte) int {
	if !bytes.Contains(b, []byte(`"msg"`)) {
		return 0
	}
	var m struct {
		Code int
		Msg  *string
	}
	if json.Unmarshal(b, &m) != nil || m.Msg == nil || m.Code >= 0 {
		return 0
	}
	return m.Code
}

func whole(v json.RawMessage) int64 {
	i, _ := strconv.ParseInt(string(v), 10, 64)
	return i
}

// Snapshot reports whether the event is one: it names no first id.
func (d *Depth) Snapshot() bool { return d.First == 0 }

// Creates reports whether the request can create an order.
func (r *Request) Creates() bool {
	switch {
	case r.Path == "/api/v3/order" || r.Path == "/api/v3/order/cancelReplace":
		return r.Method == "POST"
	case strings.HasPrefix(r.Path, "/api/v3/orderList") || r.Path == "/api/v3/sor/order":
		return r.Method == "POST"
	}
	switch r.Method {
	case "order.place", "order.cancelReplace", "orderList.place", "orderList.place.oco", "orderList.place.oto", "sor.order.place":
		return true
	}
	return false
}

// Cancels reports whether it is to end an order.
func (r *Request) Cancels() bool {
	return r.Path != "" && r.Method == "DELETE" && strings.HasPrefix(r.Path, "/api/v3/o") ||
		r.Method == "order.cancel" || r.Method == "openOrders.cancelAll" || r.Method == "order.cancelReplace" || r.Path == "/api/v3/order/cancelReplace"
}

// Client is the client id of the order that it creates, or is about.
func (r *Request) Client() string {
	if id := r.Args["newClientOrderId"]; id != "" && r.Creates() {
		return id
	}
	if id := r.Args["origClientOrderId"]; id != "" {
		return id
	}
	return r.Args["cancelOrigClientOrderId"]
}

// number is an argument at 1e-8.
func (r *Request) number(name string) int64 {
	v, _ := decimal(r.Args[name])
	return v
}

// stamp is the time that the request was signed with, and window for how long after it the
// venue may act, in ns.
func (r *Request) stamp() (at, window int64) {
	at, _ = strconv.ParseInt(r.Args["timestamp"], 10, 64)
	return at * ms, r.number("recvWindow") / (scale / ms)
}

func (r *Request) String() string {
	return fmt.Sprintf("%s %s %s %s %s@%s", r.Method, r.Path, r.Args["symbol"], r.Client(), r.Args["quantity"], r.Args["price"])
}

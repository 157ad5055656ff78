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
		r := &Request{Conn: c.id, ID: text(m["id"]), Method: text(m["method"]), Args: map[string]string{}}
		for k, v := range object(m["params"]) {
			r.Args[k] = text(v)
		}
		if len(r.Args) == 0 {
			r.Streams = names(m["params"])
		}
		r.Key = r.Args["apiKey"] != ""
		c.waits = append(c.waits, r)
		show(r)
		return
	}
	if data := object(m["data"]); data != nil && m["stream"] != nil {
		m = data
	} else if event := object(m["event"]); event != nil {
		m = event
	}
	switch text(m["e"]) {
	case "depthUpdate":
		show(Depth{Conn: c.id, Symbol: text(m["s"]), First: whole(m["U"]), Last: whole(m["u"])})
	case "executionReport":
		a := Account{Conn: c.id, Client: text(m["c"]), Symbol: text(m["s"]), Order: whole(m["i"]), Trade: whole(m["t"]), Status: text(m["X"])}
		if orig := text(m["C"]); orig != "" {
			a.Client = orig
		}
		a.Cum, _ = decimal(text(m["z"]))
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
func (c *conn) untold(m map[string]json.RawMessage, b []byte, show func(any)) {
	if m["u"] != nil && m["b"] != nil && m["a"] != nil {
		show(Touch{Conn: c.id, Symbol: text(m["s"]), ID: whole(m["u"])})
		return
	}
	id := text(m["id"])
	if id == "" {
		return
	}
	a := Reply{Conn: c.id, Status: int(whole(m["status"])), Body: b}
	if e := object(m["error"]); e != nil {
		a.Code = int(whole(e["code"]))
		if data := object(e["data"]); data != nil {
			a.Retry = max(whole(data["retryAfter"])-whole(data["serverTime"]), 0) * 1e6
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

// object is the members of a JSON object, each as it stands there; nil of anything else.
// What nobody asks for, the levels of books above all, is not read.
func object(b []byte) (m map[string]json.RawMessage) {
	if len(b) == 0 || json.NewDecoder(bytes.NewReader(b)).Decode(&m) != nil {
		return nil
	}
	for name, v := range m {
		if string(v) == "null" {
			delete(m, name)
		}
	}
	return m
}

// text is a JSON text or number as it stands there, "" for anything else.
func text(v json.RawMessage) string {
	switch {
	case len(v) == 0:
	case v[0] == '"':
		var s string
		if json.Unmarshal(v, &s) == nil {
			return s
		}
	case v[0] == '-' || v[0] >= '0' && v[0] <= '9':
		return string(v)
	}
	return ""
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

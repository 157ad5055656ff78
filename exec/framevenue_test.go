package exec_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"riposte/exec"
	"riposte/exec/binance"
)

// frameVenue is the scripted venue at the other end of the sessions. It logs sessions on
// and answers questions by itself; what it does with orders is handle's to say.
type frameVenue struct {
	t        testing.TB
	conns    []*frameConn
	mu       sync.Mutex // conns only: dials come from other goroutines
	requests []frameCall
	handle   func(q *frameCall)
	dialFail atomic.Bool
	refuse   string // the error of a logon, "" if it succeeds
	logons   int
	pings    int // questions, not PING frames
}

// frameCall is one request as the venue received it.
type frameCall struct {
	method string
	id     int64
	query  url.Values // as a REST request would have had them
	conn   *frameConn
}

// frameConn is one session in memory.
type frameConn struct {
	v      *frameVenue
	in     [][]byte
	heard  uint64
	closed bool // by the venue
	ended  bool // by us
	mute   bool // nothing comes any more, not even a sign of life
	broken bool // writes fail
}

func (c *frameConn) Next() ([]byte, error) {
	if len(c.in) == 0 || c.mute {
		if c.closed {
			return nil, io.EOF
		}
		return nil, nil
	}
	msg := c.in[0]
	c.in = c.in[1:]
	c.heard++
	return msg, nil
}

func (c *frameConn) Send(p []byte) error {
	if c.broken || c.closed {
		return errors.New("broken pipe")
	}
	c.v.take(c, p)
	return nil
}

func (c *frameConn) Ping() error {
	if !c.mute {
		c.heard++
	}
	return nil
}

func (c *frameConn) Heard() uint64                    { return c.heard }
func (c *frameConn) SetWriteDeadline(time.Time) error { return nil }
func (c *frameConn) Close() error                     { c.ended = true; return nil }

func (c *frameConn) push(text string) { c.in = append(c.in, []byte(text)) }

func (v *frameVenue) dial(context.Context) (exec.FrameConn, error) {
	if v.dialFail.Load() {
		return nil, errors.New("no route")
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	c := &frameConn{v: v}
	v.conns = append(v.conns, c)
	return c, nil
}

// alive are the connections that neither side has closed.
func (v *frameVenue) alive() (list []*frameConn) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, c := range v.conns {
		if !c.closed && !c.ended {
			list = append(list, c)
		}
	}
	return list
}

func (v *frameVenue) take(c *frameConn, p []byte) {
	var m struct {
		ID     int64
		Method string
		Params map[string]json.RawMessage
	}
	if err := json.Unmarshal(p, &m); err != nil {
		v.t.Errorf("venue got a frame it cannot read: %v\n%q", err, p)
		return
	}
	q := frameCall{method: m.Method, id: m.ID, query: url.Values{}, conn: c}
	for name, raw := range m.Params {
		q.query.Set(name, strings.Trim(string(raw), `"`))
	}
	switch q.method {
	case "session.logon":
		v.logons++
		if v.refuse != "" {
			q.fail(401, v.refuse)
			return
		}
		q.answer(`{"apiKey":"x","authorizedSince":1,"connectedSince":1,"returnRateLimits":false,"serverTime":1,"userDataStream":false}`)
	case "ping":
		v.pings++
		q.answer("{}")
	default:
		v.requests = append(v.requests, q)
		v.handle(&q)
	}
}

// answer is a success, with limits as the venue tells them.
func (q *frameCall) answer(result string) {
	q.conn.push(fmt.Sprintf(`{"id":%d,"status":200,"result":%s,"rateLimits":[{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000,"count":7}]}`, q.id, result))
}

func (q *frameCall) fail(status int, body string) {
	q.conn.push(fmt.Sprintf(`{"id":%d,"status":%d,"error":%s,"rateLimits":[]}`, q.id, status, body))
}

// place accepts a new order.
func (q *frameCall) place(id int64) {
	q.answer(placed(&request{query: q.query}, id, "NEW", "0.00000000"))
}

func (v *frameVenue) count(method string) int {
	return len(slices.DeleteFunc(slices.Clone(v.requests), func(q frameCall) bool { return q.method != method }))
}

// twoRoutes is a rig with sessions beside its wires. Orders that come by either rest in
// one book.
type twoRoutes struct {
	*rig
	ws   *frameVenue
	book map[int64]string // client id by venue id
}

// newTwoRoutes has one session for orders and one for cancels, logged on with an Ed25519
// key, beside two wires for orders and one for cancels.
func newTwoRoutes(t testing.TB, opts ...rigOption) *twoRoutes {
	v := &frameVenue{t: t}
	key, err := binance.NewEd25519Key("vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zv", ed25519.NewKeyFromSeed(make([]byte, 32)))
	must(t, err)
	x := &twoRoutes{ws: v, book: map[int64]string{}}
	v.handle = x.frame
	x.rig = newRig(t, append([]rigOption{func(c *exec.Config) {
		f, err := binance.NewFrames(binance.Config{Instruments: c.Instruments, Key: key, IDs: c.IDs})
		must(t, err)
		c.Sessions = &exec.SessionConfig{Dial: v.dial, Codec: f, Seed: 1}
		c.HedgeCancels = true
	}}, opts...)...)
	x.srv.handle = x.rest
	x.warmSessions()
	return x
}

func (x *twoRoutes) warmSessions() {
	x.t.Helper()
	x.until("sessions are warm", func() bool {
		o, c := x.g.Sessions().Ready()
		return o == 1 && c == 1
	})
}

func (x *twoRoutes) rest(q *request) {
	if q.method == "DELETE" {
		if body, ok := x.cancelled(q.query); ok {
			q.conn.push(answer(200, body))
		} else {
			q.conn.push(answer(400, `{"code":-2011,"msg":"Unknown order sent."}`))
		}
		return
	}
	x.next++
	x.book[x.next] = q.query.Get("newClientOrderId")
	q.conn.push(answer(200, placed(q, x.next, "NEW", "0.00000000")))
}

func (x *twoRoutes) frame(q *frameCall) {
	switch q.method {
	case "order.cancel":
		if body, ok := x.cancelled(q.query); ok {
			q.answer(body)
		} else {
			q.fail(400, `{"code":-2011,"msg":"Unknown order sent."}`)
		}
	case "order.place":
		x.next++
		x.book[x.next] = q.query.Get("newClientOrderId")
		q.place(x.next)
	case "order.status":
		for id, c := range x.book {
			if c == q.query.Get("origClientOrderId") || fmt.Sprint(id) == q.query.Get("orderId") {
				q.answer(fmt.Sprintf(`{"symbol":"%s","orderId":%d,"clientOrderId":"%s","price":"100","origQty":"2","executedQty":"0","cummulativeQuoteQty":"0","status":"NEW","timeInForce":"GTC","type":"LIMIT","side":"BUY","updateTime":1}`,
					q.query.Get("symbol"), id, c))
				return
			}
		}
		q.fail(400, `{"code":-2013,"msg":"Order does not exist."}`)
	default:
		x.t.Errorf("venue got method %q", q.method)
	}
}

// cancelled takes an order out of the book.
func (x *twoRoutes) cancelled(q url.Values) (string, bool) {
	for v, c := range x.book {
		if fmt.Sprint(v) == q.Get("orderId") || c == q.Get("origClientOrderId") {
			delete(x.book, v)
			return canceled(q.Get("symbol"), v, c, "2.00000000", "0.00000000"), true
		}
	}
	return "", false
}

// routed sends orders until n new ones have been taken, and says how many came by each
// route.
func (x *twoRoutes) routed(n int) (rest, ws int) {
	x.t.Helper()
	r0, w0 := x.srv.count("POST"), x.ws.count("order.place")
	for range n {
		x.buy(100_00000000)
		x.steps(3)
	}
	x.until("all are answered", func() bool { return x.g.Table().Live() == x.g.Table().Live()-x.pending() })
	return x.srv.count("POST") - r0, x.ws.count("order.place") - w0
}

// pending is how many orders have no answer yet.
func (x *twoRoutes) pending() (n int) {
	x.g.Table().EachLive(func(o *exec.Order) {
		if o.Heard == 0 {
			n++
		}
	})
	return n
}

package binance

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/exec"
)

// A request of the WebSocket API is one JSON object in one frame:
//
//	{"id":1000000000064,"method":"order.place","params":{"symbol":"BTCUSDT","side":"BUY","type":"LIMIT",
//	 "timeInForce":"GTC","newOrderRespType":"FULL","recvWindow":5000,"timestamp":1499827319559,
//	 "newClientOrderId":"rp-t8kq2c1-0000002f","quantity":"1","price":"0.1"}}
//
// For each instrument, side and plain type it lies ready, with holes of fixed width for
// id, timestamp and the client id's sequence; quantity and price, whose widths vary, come
// last. On a session that is logged on that is all there is to do. Where the key cannot
// log on, apiKey and a signature over all parameters, sorted by name and not encoded in
// any way, follow (Binance Spot API docs, 2026-07-21).

// Frames is Binance Spot's WebSocket API dialect for the hot path. It implements
// exec.FrameCodec. One goroutine, the gateway's loop.
type Frames struct {
	answers
	ids    *exec.IDs
	signer Signer
	hmac   *hmacSigner // signer if it is one, to use its midstate
	mid    midstate    // behind the whole blocks of prefix
	window time.Duration
	usual  string // recvWindow in milliseconds
	books  []*frameForms
	ping   frameForm
	other  []byte // memory of orders in longhand
	logon  *WSSigner
	ready  []byte // memory of logons
	prefix []byte // every payload's beginning: apiKey=...&
	apiKey []byte // as a JSON text
	sorted []byte // memory of payloads
	signs  bool   // the key cannot log a session on
	wiped  bool
	doc    *fastjson.Value // the message last opened
}

var _ exec.FrameCodec = (*Frames)(nil)

// frameForms are one instrument's requests.
type frameForms struct {
	symbol string
	orders [2][kinds]frameForm
	other  [2]frameForm // for orders in longhand
	cancel frameForm
	status frameForm
}

// frameForm is a request up to where what varies in width begins, with room behind it.
type frameForm struct {
	buf   []byte
	stamp int // where the timestamp is, 0: it has none
	seq   int // where the sequence is, 0: it has none

}

const (
	idHole    = "0000000000000" // as wide as a timestamp
	idAt      = len(`{"id":`)
	stampHole = "0000000000000"
	seqHole   = "00000000"
)

// NewFrames lays out the requests. URL and Rungs of cfg are not used.
func NewFrames(cfg Config) (*Frames, error) {
	if cfg.Instruments == nil || cfg.IDs == nil || cfg.Key == nil {
		return nil, errors.New("cannot make a frame codec: instruments, ids or key are missing")
	}
	if cfg.RecvWindow == 0 {
		cfg.RecvWindow = 5 * time.Second
	}
	logon, err := NewWSSigner(cfg.Key, cfg.RecvWindow)
	if err != nil {
		return nil, err
	}
	c := &Frames{answers: answers{instruments: cfg.Instruments}, ids: cfg.IDs, signer: cfg.Key.Signer(), window: cfg.RecvWindow, usual: logon.window,
		logon: logon, signs: cfg.Key.Kind() != KeyEd25519}
	c.apiKey = appendJSONText(nil, string(cfg.Key.api.bytes()))
	c.prefix = append(append([]byte("apiKey="), cfg.Key.api.bytes()...), '&')
	if c.hmac, _ = c.signer.(*hmacSigner); c.hmac != nil {
		c.mid = c.hmac.start()
		c.hmac.feed(&c.mid, c.prefix)
	}
	c.ping = frameForm{buf: []byte(`{"id":` + idHole + `,"method":"ping"}`)}
	c.books = make([]*frameForms, len(cfg.Instruments.List))
	if cfg.Traded == nil {
		for i := range cfg.Instruments.List {
			cfg.Traded = append(cfg.Traded, core.InstrumentID(i))
		}
	}
	longest := 0
	for _, id := range cfg.Traded {
		if int(id) >= len(c.books) {
			return nil, fmt.Errorf("cannot make a frame codec: found instrument %d, want one of %d", id, len(c.books))
		}
		c.books[id] = c.forms(cfg.Instruments.Get(id).Symbol)
		longest = max(longest, cap(c.books[id].other[0].buf), cap(c.books[id].other[1].buf))
	}
	c.other = make([]byte, longest)
	// A payload holds no more than a frame does, and apiKey once more.
	c.sorted = make([]byte, 0, longest+len(c.prefix))
	return c, nil
}

func (c *Frames) forms(symbol string) *frameForms {
	name := string(appendJSONText(nil, symbol))
	b := &frameForms{symbol: symbol}
	client := `"newClientOrderId":"` + c.ids.Head() + seqHole + `"`
	for side := range b.orders {
		head := `"symbol":` + name + `,"side":"` + core.Side(side).String() + `",`
		for k, text := range kindText {
			b.orders[side][k] = c.form("order.place", head+jsonParams(text)+`"newOrderRespType":"FULL","recvWindow":`+c.usual+`,"timestamp":`+stampHole+`,`+client, 2*numberMost)
		}
		b.other[side] = c.form("order.place", head+`"newOrderRespType":"FULL","timestamp":`+stampHole+`,`+client, 2*longhandMost)
	}
	which := `"symbol":` + name + `,"recvWindow":` + c.usual + `,"timestamp":` + stampHole
	b.cancel = c.form("order.cancel", which, len(`,"origClientOrderId":""`)+36)
	b.status = c.form("order.status", which, len(`,"origClientOrderId":""`)+36)
	return b
}

// jsonParams rewrites "&type=LIMIT&timeInForce=GTC" as members of an object.
func jsonParams(query string) string {
	var b []byte
	for i := 1; i < len(query); i++ {
		switch start := query[i-1]; {
		case start == '&':
			b = append(b, '"', query[i])
		case query[i] == '=':
			b = append(b, `":"`...)
		case query[i] == '&':
			b = append(b, `",`...)
		default:
			b = append(b, query[i])
		}
	}
	return string(append(b, `",`...))
}

// form lays a request out; more is room for what varies.
func (c *Frames) form(method, params string, more int) frameForm {
	text := `{"id":` + idHole + `,"method":"` + method + `","params":{` + params
	f := frameForm{}
	more += len(quantityName+priceName) + len(`":"",":"",`) + len(`,"apiKey":,"signature":""}}`) + len(c.apiKey) + c.signer.Most()
	f.buf = append(make([]byte, 0, len(text)+more), text...)
	f.stamp = indexAfter(text, `"timestamp":`)
	f.seq = indexAfter(text, `"newClientOrderId":"`+c.ids.Head())
	return f
}

func indexAfter(text, mark string) int {
	for i := 0; i+len(mark) <= len(text); i++ {
		if text[i:i+len(mark)] == mark {
			return i + len(mark)
		}
	}
	return 0
}

// Logon is session.logon, which only Ed25519 keys may use.
func (c *Frames) Logon(id int64, now core.WallNs, r *exec.Request) bool {
	if c.signs || c.wiped {
		return false
	}
	c.ready = c.logon.AppendRequest(c.ready[:0], id, "session.logon", nil, now)
	*r = exec.Request{Bytes: c.ready}
	return true
}

// Probe is ping, weight 1.
func (c *Frames) Probe(env exec.Envelope, r *exec.Request) {
	putStamp(c.ping.buf[idAt:], uint64(env.ID))
	*r = exec.Request{Bytes: c.ping.buf}
}

// book is an instrument's forms, and whether a request can be made at all.
func (c *Frames) book(id core.InstrumentID, env exec.Envelope) (*frameForms, exec.EncodeError) {
	switch {
	case int(id) >= len(c.books) || c.books[id] == nil:
		return nil, exec.EncodeInstrument
	case c.wiped || !env.LoggedOn && !c.signs:
		return nil, exec.EncodeNoKey
	}
	return c.books[id], exec.EncodeOK
}

// Cancel is order.cancel, by the venue's id if it is known.
func (c *Frames) Cancel(o *exec.Order, now core.WallNs, env exec.Envelope, r *exec.Request) exec.EncodeError {
	b, e := c.book(o.Instrument, env)
	if e != exec.EncodeOK {
		return e
	}
	c.about(&b.cancel, b.symbol, o, now, env, r)
	return exec.EncodeOK
}

// Status is order.status, weight 4.
func (c *Frames) Status(o *exec.Order, now core.WallNs, env exec.Envelope, r *exec.Request) exec.EncodeError {
	b, e := c.book(o.Instrument, env)
	if e != exec.EncodeOK {
		return e
	}
	c.about(&b.status, b.symbol, o, now, env, r)
	return exec.EncodeOK
}

// about lays out a request that names an order.
func (c *Frames) about(f *frameForm, symbol string, o *exec.Order, now core.WallNs, env exec.Envelope, r *exec.Request) {
	b := f.buf[:cap(f.buf)]
	n := len(f.buf)
	putStamp(b[idAt:], uint64(env.ID))
	putStamp(b[f.stamp:], stampOf(now))
	if o.VenueID > 0 {
		n += copy(b[n:], `,"orderId":`)
		n += putUint(b[n:], uint64(o.VenueID))
	} else {
		n += copy(b[n:], `,"origClientOrderId":"`)
		n += copy(b[n:], o.Client.Bytes()) // our own ids need no escaping
		n += copy(b[n:], `"`)
	}
	if !env.LoggedOn {
		p := c.payload()
		if o.VenueID > 0 {
			p = append(p, "orderId="...)
			p = appendUint(p, uint64(o.VenueID))
		} else {
			p = append(append(p, "origClientOrderId="...), o.Client.Bytes()...)
		}
		p = append(append(p, windowName...), c.usual...)
		p = append(append(p, "&symbol="...), symbol...)
		p = append(p, timestampName...)
		p = appendStamp(p, stampOf(now))
		n = c.sign(b, n, p)
	}
	n += copy(b[n:], "}}")
	*r = exec.Request{Bytes: b[:n], Client: o.Client, Seq: o.Seq, Stamp: now, Window: c.window}
}

// payload is what a signature covers, begun: apiKey comes first by name.
func (c *Frames) payload() []byte { return append(c.sorted[:0], c.prefix...) }

// sign appends apiKey and the signature of p to the parameters that end at n.
func (c *Frames) sign(b []byte, n int, p []byte) int {
	n += copy(b[n:], `,"apiKey":`)
	n += copy(b[n:], c.apiKey)
	n += copy(b[n:], `,"signature":"`)
	if c.hmac != nil {
		n = len(c.hmac.appendFrom(b[:n], &c.mid, p[c.mid.of():]))
	} else {
		n = len(c.signer.AppendWS(b[:n], p))
	}
	clear(p)
	return n + copy(b[n:], `"`)
}

// Wipe overwrites what is derived from the key. Afterwards nothing can be laid out.
func (c *Frames) Wipe() {
	c.wiped = true
	c.signer.Wipe()
	c.logon.signer.Wipe()
	for _, b := range [][]byte{c.apiKey, c.prefix, c.ready, c.sorted, c.other} {
		clear(b[:cap(b)])
	}
	c.mid = midstate{}
	for _, b := range c.books {
		if b == nil {
			continue
		}
		clear(b.cancel.buf[:cap(b.cancel.buf)])
		clear(b.status.buf[:cap(b.status.buf)])
		for side := range b.orders {
			clear(b.other[side].buf[:cap(b.other[side].buf)])
			for k := range b.orders[side] {
				clear(b.orders[side][k].buf[:cap(b.orders[side][k].buf)])
			}
		}
	}
}

// Format writes a mark for every verb: the layouts hold the API key.
func (c *Frames) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "binance.Frames") }

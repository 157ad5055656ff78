package binance

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"riposte/core"
	"riposte/exec"
)

// An order request is one line and a constant tail. What never changes between two
// orders of an instrument, side, type and time in force stands first, then what is
// known before the order is wanted, and what is known last stands last; the signature
// ends the line:
//
//	POST /api/v3/order?symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&newOrderRespType=FULL
//	     &recvWindow=5000&newClientOrderId=rp-t8kq2c1-        constant
//	     0000002f&quantity=1                                  settled in a draft
//	     &timestamp=1499827319559                             its last digits are not
//	     &price=0.1
//	     &signature=<64 hex>
//	     " HTTP/1.1" Host, X-MBX-APIKEY, Content-Length: 0     constant
//
// The venue takes parameters in any order (Binance Spot API docs, 2026-07-21), and the
// signature covers them as sent. So the hash of all whole blocks up to the timestamp's
// last digits is done before anybody asks for the order, and a typical order of 180
// bytes is left with one block and the outer one.
//
// FULL answers carry the fills, so that a fill is known from the answer before the
// user stream tells it.

// kinds of order that have a template.
const (
	kindGTC = iota
	kindIOC
	kindFOK
	kindMaker
	kindMarket
	kinds
)

var kindText = [kinds]string{
	"&type=LIMIT&timeInForce=GTC", "&type=LIMIT&timeInForce=IOC", "&type=LIMIT&timeInForce=FOK",
	"&type=LIMIT_MAKER", "&type=MARKET",
}

func kindOf(in *core.Intent) (int, bool) {
	if in.Stop|core.Price(in.Iceberg)|core.Price(in.Trail)|core.Price(in.LifeUs)|core.Price(in.STP) != 0 {
		return 0, false // no template has a place for these; see longhand.go
	}
	switch in.Type {
	case core.Limit:
		return int(in.TIF), in.TIF <= core.FOK
	case core.LimitMaker:
		return kindMaker, true
	case core.MarketOrder:
		return kindMarket, true
	}
	return 0, false
}

const (
	orderIDName  = "&orderId="
	clientIDName = "&origClientOrderId="
	clientMost   = 36

	recvWindowMax = 60 * time.Second
	numberMost    = 28 // a number and what writing it reaches beyond
	// slack is room for all that a template does not hold but the signature.
	slack = exec.SeqDigits + len(quantityName) + numberMost + len(timestampName) + stampDigits + len(priceName) + numberMost + len(signatureName)
)

// template is the constant part of a request.
type template struct {
	buf     []byte // the constant beginning
	room    int    // how long a request may get
	payload int    // where the signed part begins
	mid     midstate
	tail    []byte
	market  bool
}

// frame is what all requests to one service share.
type frame struct {
	signer Signer
	hmac   *hmacSigner // signer if it is one, to use its midstates
	window string      // recvWindow in milliseconds
	plain  []byte      // tails after the query: without the key,
	get    []byte      // with it,
	post   []byte      // and with an empty body
}

func newFrame(base string, key *Key, window time.Duration) (*frame, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || (u.Path != "" && u.Path != "/") {
		return nil, fmt.Errorf("cannot use REST address %q: want http(s)://host[:port]", base)
	}
	ms, err := windowText(window)
	if err != nil {
		return nil, err
	}
	head := " HTTP/1.1\r\nHost: " + u.Host + "\r\n"
	f := &frame{window: ms, plain: []byte(head + "\r\n")}
	if key != nil {
		f.signer = key.Signer()
		f.hmac, _ = f.signer.(*hmacSigner)
		head += "X-MBX-APIKEY: " + string(key.api.bytes()) + "\r\n"
	}
	f.get = []byte(head + "\r\n")
	f.post = []byte(head + "Content-Length: 0\r\n\r\n")
	return f, nil
}

// windowText is a recvWindow in milliseconds with at most three decimals.
func windowText(w time.Duration) (string, error) {
	if w <= 0 || w > recvWindowMax || w%time.Microsecond != 0 {
		return "", fmt.Errorf("cannot use recvWindow %v: want more than 0, at most %v, in whole microseconds", w, recvWindowMax)
	}
	s := fmt.Sprintf("%d.%03d", w/time.Millisecond, w%time.Millisecond/time.Microsecond)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), "."), nil
}

func (f *frame) template(start, params string, tail []byte, market bool) template {
	t := template{tail: tail, market: market, payload: len(start)}
	t.buf = append([]byte(start), params...)
	t.room = len(t.buf) + slack + len(tail)
	if f.signer != nil {
		t.room += f.signer.Most()
	}
	if f.hmac != nil {
		t.mid = f.hmac.start()
		f.hmac.feed(&t.mid, t.buf[t.payload:])
	}
	return t
}

// order is the template of new orders.
func (f *frame) order(symbol string, side core.Side, kind int, idHead string) template {
	params := "symbol=" + string(appendEscaped(nil, symbol)) + "&side=" + side.String() + kindText[kind] +
		"&newOrderRespType=FULL&recvWindow=" + f.window + "&newClientOrderId=" + idHead
	return f.template("POST /api/v3/order?", params, f.post, kind == kindMarket)
}

// cancel is the template of cancels.
func (f *frame) cancel(symbol string) template {
	params := "symbol=" + string(appendEscaped(nil, symbol)) + "&recvWindow=" + f.window + "&timestamp="
	t := f.template("DELETE /api/v3/order?", params, f.get, false)
	t.room += len(clientIDName) + clientMost
	t.buf = append(make([]byte, 0, t.room), t.buf...)
	return t
}

// fillCancel lays a cancel out: by the venue's id, the fast way, if it is known.
func (f *frame) fillCancel(t *template, stamp core.WallNs, o *exec.Order) []byte {
	b := t.buf[:cap(t.buf)]
	n := len(t.buf)
	putStamp(b[n:], stampOf(stamp))
	n += stampDigits
	return f.seal(t, b, putRef(b, n, o, orderIDName, clientIDName))
}

// putRef names an order: by the venue's id, the fast way, if it is known. Room as for
// putDecimal, or for a client id.
func putRef(b []byte, n int, o *exec.Order, id, client string) int {
	if o.VenueID > 0 {
		n += copy(b[n:], id)
		return n + putUint(b[n:], uint64(o.VenueID))
	}
	n += copy(b[n:], client)
	return n + copy(b[n:], o.Client.Bytes()) // our own ids need no escaping
}

func (t *template) wipe() {
	clear(t.buf[:cap(t.buf)])
	t.mid = midstate{}
}

func (f *frame) wipe() {
	clear(f.plain)
	clear(f.get)
	clear(f.post)
	if f.signer != nil {
		f.signer.Wipe()
	}
}

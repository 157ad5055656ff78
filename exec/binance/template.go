package binance

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"riposte/core"
	"riposte/exec"
)

// An order request is one line and a constant tail. Everything that does not change
// between two orders of an instrument, side, type and time in force stands first,
// what changes follows, the signature is last:
//
//	POST /api/v3/order?symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&newOrderRespType=FULL
//	     &recvWindow=5000&newClientOrderId=rp-t8kq2c1-        constant, its hash state kept
//	     0000002f&timestamp=1499827319559                     fixed holes
//	     &price=0.1&quantity=1                                as long as they are
//	     &signature=<64 hex>
//	     " HTTP/1.1" Host, X-MBX-APIKEY, Content-Length: 0     constant
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
	stampDigits   = 13 // milliseconds until the year 2286
	recvWindowMax = 60 * time.Second
	// requestMax holds the longest request: numbers of 20 characters, a signature of
	// 88 characters all escaped, and the constant parts measured at start.
	requestSlack = 512
)

// template is a request with holes. buf holds the request last filled in.
type template struct {
	buf     []byte
	payload int    // where the signed part begins
	fixed   int    // length of the constant beginning
	mid     []byte // hash state after the constant part of the payload, HMAC only
	tail    []byte
	market  bool
}

// frame is what all requests to one service share.
type frame struct {
	signer Signer
	hmac   *hmacSigner // signer if it is one, to use its midstate
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
	t.buf = make([]byte, 0, len(start)+len(params)+len(tail)+requestSlack)
	t.buf = append(append(t.buf, start...), params...)
	t.fixed = len(t.buf)
	if f.hmac != nil {
		t.mid = f.hmac.midstate(t.buf[t.payload:])
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
	return f.template("DELETE /api/v3/order?", params, f.get, false)
}

// sign ends a request: signature and tail.
func (f *frame) sign(t *template, b []byte) []byte {
	end := len(b)
	b = append(b, "&signature="...)
	if f.hmac != nil {
		b = f.hmac.appendFrom(b, t.mid, b[t.fixed:end])
	} else {
		b = f.signer.AppendREST(b, b[t.payload:end])
	}
	return append(b, t.tail...)
}

// fillOrder lays an order out behind the constant part of t, in buf, which has it
// already. It returns the whole signed request, in the same memory.
func (f *frame) fillOrder(t *template, buf []byte, seq uint64, stamp core.WallNs, price core.Price, qty core.Qty) []byte {
	b := append(buf[:t.fixed], "00000000&timestamp="...)
	exec.PutSeq(b[t.fixed:], seq)
	b = appendStamp(b, stamp)
	if !t.market {
		b = append(b, "&price="...)
		b = core.AppendDecimal(b, int64(price))
	}
	b = append(b, "&quantity="...)
	b = core.AppendDecimal(b, int64(qty))
	return f.sign(t, b)
}

// fillCancel lays a cancel out: by the venue's id, the fast way, if it is known.
func (f *frame) fillCancel(t *template, stamp core.WallNs, o *exec.Order) []byte {
	b := appendStamp(t.buf[:t.fixed], stamp)
	if o.VenueID != 0 {
		b = append(b, "&orderId="...)
		b = appendInt(b, o.VenueID)
	} else {
		b = append(b, "&origClientOrderId="...)
		b = append(b, o.Client.Bytes()...) // our own ids need no escaping
	}
	return f.sign(t, b)
}

// appendStamp appends milliseconds, cut: never ahead of the estimate.
func appendStamp(dst []byte, t core.WallNs) []byte {
	ms := uint64(t) / 1e6
	n := len(dst)
	dst = append(dst, "0000000000000"...)
	for i := n + stampDigits - 1; i >= n; i-- {
		dst[i] = byte('0' + ms%10)
		ms /= 10
	}
	return dst
}

func appendInt(dst []byte, v int64) []byte {
	if v < 0 {
		dst = append(dst, '-')
		v = -v
	}
	var b [20]byte
	i := len(b)
	for {
		i--
		b[i] = byte('0' + v%10)
		if v /= 10; v == 0 {
			return append(dst, b[i:]...)
		}
	}
}

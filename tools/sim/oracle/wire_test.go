package oracle

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"reflect"
	"testing"
)

// keep is a checker that keeps what it is shown.
type keep struct{ all []any }

func (*keep) Promise() string { return "P0" }

func (k *keep) See(f *Fact, _ func(string)) {
	switch w := f.What.(type) {
	case Dialed, Closed, Wrote, Read:
	case Begun:
		k.all = append(k.all, "begun "+newClient(w.B))
	case *Request:
		k.all = append(k.all, w.String())
	case Reply:
		k.all = append(k.all, fmt.Sprintf("reply %d %d %d to %v", w.Status, w.Code, w.Retry/sec, w.For))
	default:
		k.all = append(k.all, w)
	}
}

// frame makes a frame, masked if it is the engine's.
func frame(first byte, text string, masked bool) []byte {
	b := []byte{first}
	bit := byte(0)
	if masked {
		bit = 0x80
	}
	if len(text) < 126 {
		b = append(b, byte(len(text))|bit)
	} else {
		b = binary.BigEndian.AppendUint16(append(b, 126|bit), uint16(len(text)))
	}
	if !masked {
		return append(b, text...)
	}
	mask := []byte{1, 2, 3, 4}
	b = append(b, mask...)
	for i := range len(text) {
		b = append(b, text[i]^mask[i&3])
	}
	return b
}

// talk is one side's turn.
type talk struct {
	out  bool
	text []byte
}

func TestBytesBecomeFactsHoweverTheyAreCut(t *testing.T) {
	upgrade := []talk{{true, []byte("GET /ws-api/v3 HTTP/1.1\r\nHost: v\r\nUpgrade: websocket\r\n\r\n")}, {false, []byte("HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\n\r\n")}}
	order := "POST /api/v3/order?symbol=BTCUSDT&newClientOrderId=" + one + "&quantity=1&price=100&signature=ff HTTP/1.1\r\nX-MBX-APIKEY: k\r\nContent-Length: 0\r\n\r\n"
	long := ""
	for range 200 {
		long += " "
	}
	for name, c := range map[string]struct {
		talk []talk
		want []any
	}{
		"an order by REST": {
			[]talk{{true, []byte(order)}, {false, []byte("HTTP/1.1 400 Bad\r\nContent-Length: 31\r\n\r\n{\"code\":-2010,\"msg\":\"no money\"}")},
				{true, []byte("GET /api/v3/depth?symbol=BTCUSDT HTTP/1.1\r\n\r\n")},
				{false, []byte("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"las\r\n14\r\ntUpdateId\":7,\"bids\":\r\n3\r\n[]}\r\n0\r\n\r\n")},
				{true, []byte("GET /api/v3/time HTTP/1.1\r\n\r\n")}, {false, []byte("HTTP/1.1 429 Slow\r\nRetry-After: 5\r\nContent-Length: 2\r\n\r\n{}")}},
			[]any{"begun " + one, "POST /api/v3/order BTCUSDT " + one + " 1@100", "reply 400 -2010 0 to POST /api/v3/order BTCUSDT " + one + " 1@100",
				"GET /api/v3/depth BTCUSDT  @", "reply 200 0 0 to GET /api/v3/depth BTCUSDT  @", Depth{Conn: 1, Symbol: "BTCUSDT", Last: 7},
				"GET /api/v3/time   @", "reply 429 0 5 to GET /api/v3/time   @"},
		},
		"an order by frames": {
			append(upgrade, talk{true, frame(0x81, `{"id":5,"method":"order.place","params":{"symbol":"BTCUSDT","newClientOrderId":"`+one+`","quantity":"1","price":"100","timestamp":12}}`, true)},
				talk{false, frame(0x81, `{"id":4,"status":200,"result":{}}`, false)},
				talk{false, frame(0x81, `{"id":5,"status":418,"error":{"code":-1003,"msg":"m","data":{"serverTime":1000,"retryAfter":31000}}}`, false)}),
			[]any{"GET /ws-api/v3   @", "begun " + one, "order.place  BTCUSDT " + one + " 1@100", "reply 200 0 0 to <nil>",
				"reply 418 -1003 30 to order.place  BTCUSDT " + one + " 1@100"},
		},
		"a market": {
			append(upgrade, talk{true, frame(0x89, "1", true)}, talk{false, frame(0x8a, "1", false)},
				talk{false, frame(0x81, `{"stream":"btcusdt@depth","data":{"e":"depthUpdate","s":"BTCUSDT","U":5,"u":9,"b":[["1","2"]],"a":[]}}`+long, false)},
				talk{false, append(frame(0x01, `{"u":10,"s":"BTCUSDT","b":"1",`, false), frame(0x80, `"B":"1","a":"2","A":"1"}`, false)...)}),
			[]any{"GET /ws-api/v3   @", Pong{Conn: 1}, Depth{Conn: 1, Symbol: "BTCUSDT", First: 5, Last: 9}, Touch{Conn: 1, Symbol: "BTCUSDT", ID: 10}},
		},
		"an account": {
			append(upgrade, talk{false, frame(0x81, `{"subscriptionId":0,"event":{"e":"executionReport","s":"BTCUSDT","c":"x","C":"`+one+`","i":7,"X":"CANCELED","z":"0.5","t":-1}}`, false)},
				talk{false, frame(0x81, `{"event":{"e":"eventStreamTerminated","E":1}}`, false)}),
			[]any{"GET /ws-api/v3   @", Account{Conn: 1, Client: one, Symbol: "BTCUSDT", Order: 7, Trade: -1, Status: "CANCELED", Cum: scale / 2}, Account{Conn: 1, Termination: true}},
		},
		"nonsense": {[]talk{{true, []byte("\r\n\r\n")}, {false, []byte("hello\r\n\r\n")}}, nil},
	} {
		for seed := range uint64(50) {
			rng := rand.New(rand.NewPCG(seed, 1))
			k := &keep{}
			o := New(k)
			o.See(0, Dialed{Conn: 1})
			for _, turn := range c.talk {
				for b := turn.text; len(b) > 0; {
					n := len(b)
					if seed > 0 {
						n = 1 + rng.IntN(len(b))
					}
					if turn.out {
						o.See(1, Wrote{Conn: 1, B: b[:n]})
					} else {
						o.See(1, Read{Conn: 1, B: b[:n]})
					}
					b = b[n:]
				}
			}
			o.See(2, Closed{Conn: 1})
			got := k.all
			if seed > 0 { // the beginning of an order may be cut before its name
				got, c.want = unnamed(got), unnamed(c.want)
			}
			if !reflect.DeepEqual(got, c.want) {
				t.Fatalf("%s, seed %d: got %q, want %q", name, seed, got, c.want)
			}
		}
	}
}

// unnamed leaves out how orders began.
func unnamed(all []any) (kept []any) {
	for _, v := range all {
		if s, ok := v.(string); !ok || len(s) < 5 || s[:5] != "begun" {
			kept = append(kept, v)
		}
	}
	return kept
}

func TestDecimalTextsAreReadToTheLastDigit(t *testing.T) {
	for _, c := range []struct {
		text string
		want int64
		ok   bool
	}{
		{"1", scale, true}, {"-0.00000001", -1, true}, {"92233720368.54775807", 1<<63 - 1, true}, {"1.000000000", scale, true}, {"0.5", scale / 2, true},
		{"", 0, false}, {".", 0, false}, {"1e3", 0, false}, {"1.000000001", 0, false}, {"92233720368547", 0, false}, {"1.2.3", 0, false}, {"-", 0, false},
	} {
		if got, ok := decimal(c.text); ok != c.ok || ok && got != c.want {
			t.Errorf("%q is %d, %v, want %d, %v", c.text, got, ok, c.want, c.ok)
		}
	}
	for _, c := range []struct {
		p, q, want int64
		ok         bool
	}{
		{scale, scale, scale, true}, {3, 5, 0, true}, {61825_03000000, 16170, 999710735, true}, {1 << 62, 1 << 40, 0, false}, {1<<63 - 1, 1, 92233720368, true},
	} {
		if got, ok := times(c.p, c.q); ok != c.ok || ok && got != c.want {
			t.Errorf("%d times %d is %d, %v, want %d, %v", c.p, c.q, got, ok, c.want, c.ok)
		}
	}
}

// FuzzWire lets any bytes pass both ways: the oracle must not fall over what a fault did to
// them.
func FuzzWire(f *testing.F) {
	f.Add([]byte("POST /api/v3/order?x=1 HTTP/1.1\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"))
	f.Add([]byte("GET / HTTP/1.1\r\n\r\n"), append([]byte("HTTP/1.1 101 S\r\n\r\n"), frame(0x81, `{"e":"depthUpdate"}`, false)...))
	f.Fuzz(func(_ *testing.T, out, in []byte) {
		o := New(&keep{})
		o.See(0, Dialed{Conn: 1})
		o.See(0, Wrote{Conn: 1, B: out})
		o.See(0, Read{Conn: 1, B: in})
		o.See(0, Wrote{Conn: 1, B: out})
	})
}

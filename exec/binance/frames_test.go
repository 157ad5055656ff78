package binance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/exec"
)

func frames(t testing.TB, key *Key) *Frames {
	t.Helper()
	ids, err := exec.NewIDs("rp", 1_700_000_000)
	if err != nil {
		t.Fatal(err)
	}
	c, err := NewFrames(Config{Instruments: instruments(t), Key: key, IDs: ids})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// checkFrame parses a request with the standard library and verifies it the way the venue
// does: the signature over all other parameters, sorted, as raw text. It returns the
// parameters without those of authentication.
func checkFrame(t rapid.TB, b []byte, key *Key, env exec.Envelope, method string) url.Values {
	t.Helper()
	var req struct {
		ID     int64
		Method string
		Params map[string]json.RawMessage
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&req); err != nil || d.More() {
		t.Fatalf("frame cannot be read: %v\n%s", err, b)
	}
	if req.ID != env.ID || req.Method != method {
		t.Fatalf("frame has id %d and method %q, want %d and %q", req.ID, req.Method, env.ID, method)
	}
	q := url.Values{}
	var pairs []string
	for name, raw := range req.Params {
		var text string
		if raw[0] == '"' {
			if err := json.Unmarshal(raw, &text); err != nil {
				t.Fatal(err)
			}
		} else {
			text = string(raw)
		}
		if number := raw[0] != '"'; number != slices.Contains([]string{"timestamp", "recvWindow", "orderId", "trailingDelta"}, name) {
			t.Fatalf("parameter %s is %s, want decimals as strings and ids and times as numbers", name, raw)
		}
		q.Set(name, text)
		if name != "signature" {
			pairs = append(pairs, name+"="+text)
		}
	}
	if env.LoggedOn {
		if q.Has("apiKey") || q.Has("signature") {
			t.Fatalf("a request of a session that is logged on is signed: %s", b)
		}
		return q
	}
	slices.Sort(pairs)
	if want := string(key.Signer().AppendWS(nil, []byte(strings.Join(pairs, "&")))); q.Get("signature") != want {
		t.Fatalf("signature is %s, want %s", q.Get("signature"), want)
	}
	q.Del("apiKey")
	q.Del("signature")
	return q
}

func TestEveryFrameIsReadBackAsTheIntentAndDiesWithItsLife(t *testing.T) {
	keys := []*Key{hmacKey(t), edKey(t), rsaKey(2048)(t)}
	rapid.Check(t, func(rt *rapid.T) {
		key := keys[rapid.IntRange(0, 2).Draw(rt, "key")]
		c := frames(t, key)
		for i := range 4 {
			env := exec.Envelope{ID: 1e12 + int64(i)*77, LoggedOn: key.Kind() == KeyEd25519}
			in := anyIntent(rt)
			now := venueNow + core.WallNs(rapid.Int64Range(0, 1e10).Draw(rt, "now"))
			life := core.WallNs(5 * time.Second)
			if in.LifeUs > 0 {
				life = min(core.WallNs(in.LifeUs)*1000, core.WallNs(time.Minute))
			}
			born := now - core.WallNs(rapid.Int64Range(0, int64(life)-1000).Draw(rt, "waited"))
			var r exec.Request
			if e := c.Place(&in, born, now, env, &r); e != exec.EncodeOK {
				rt.Fatal(e)
			}
			q := checkFrame(rt, r.Bytes, key, env, "order.place")
			checkLife(rt, q, &in, born, now, 5*time.Second)
			want := orderParams(&in, c.instruments.Get(in.Instrument).Symbol)
			want.Set("newClientOrderId", r.Client.String())
			if q.Encode() != want.Encode() {
				rt.Fatalf("frame says %v, want %v", q, want)
			}
		}
	})
}

func TestFramesAboutAnOrderNameItByTheVenuesIDIfKnown(t *testing.T) {
	for _, key := range []*Key{hmacKey(t), edKey(t)} {
		c := frames(t, key)
		env := exec.Envelope{ID: 1e12 + 5, LoggedOn: key.Kind() == KeyEd25519}
		for _, venue := range []int64{0, 12345678901} {
			for _, method := range []string{"order.cancel", "order.status"} {
				o := exec.Order{Client: c.ids.ID(7), Instrument: 2, VenueID: venue}
				var r exec.Request
				make := c.Cancel
				if method == "order.status" {
					make = c.Status
				}
				if e := make(&o, venueNow, env, &r); e != exec.EncodeOK {
					t.Fatal(e)
				}
				q := checkFrame(t, r.Bytes, key, env, method)
				want := url.Values{"symbol": {"１２３４５６"}, "recvWindow": {"5000"}, "timestamp": {"1499827319559"}}
				if venue != 0 {
					want.Set("orderId", "12345678901")
				} else {
					want.Set("origClientOrderId", o.Client.String())
				}
				if q.Encode() != want.Encode() {
					t.Errorf("%s with %v says %v, want %v", method, key, q, want)
				}
			}
		}
	}
}

func TestOnlyEd25519LogsOn(t *testing.T) {
	for _, key := range []*Key{hmacKey(t), edKey(t), rsaKey(2048)(t)} {
		c := frames(t, key)
		var r exec.Request
		ok := c.Logon(1e12+3, venueNow, &r)
		if ok != (key.Kind() == KeyEd25519) {
			t.Errorf("%v logs on: %v", key, ok)
		}
		if ok {
			checkFrame(t, r.Bytes, key, exec.Envelope{ID: 1e12 + 3}, "session.logon")
		}
		in := limit(1, 1)
		want := exec.EncodeOK
		if ok {
			want = exec.EncodeNoKey // its signature has no room, and no need
		}
		if e := c.Place(&in, venueNow, venueNow, exec.Envelope{ID: 1e12}, &r); e != want {
			t.Errorf("%v on a session that is not logged on: got %v, want %v", key, e, want)
		}
	}
}

// TestFrameAnswersAreReadAsTheirRESTTwins feeds the same bodies to both codecs.
func TestFrameAnswersAreReadAsTheirRESTTwins(t *testing.T) {
	c, f := codec(t, hmacKey(t), 0), frames(t, hmacKey(t))
	o := exec.Order{Client: c.ids.ID(7), Instrument: 0, Qty: 2_00000000}
	body := fmt.Sprintf(`{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"%s","transactTime":1507725176595,"price":"100.00","origQty":"2","executedQty":"2",`+
		`"origQuoteOrderQty":"0","cummulativeQuoteQty":"200.00","status":"FILLED","timeInForce":"GTC","type":"LIMIT","side":"BUY","workingTime":1,"selfTradePreventionMode":"NONE",`+
		`"fills":[{"price":"100","qty":"1.5","commission":"0.001","commissionAsset":"BNB","tradeId":56},{"price":"100","qty":"0.5","commission":"0.001","commissionAsset":"BNB","tradeId":57}]}`, o.Client)
	for _, tc := range []struct {
		status     int
		body, head string
		limits     string
	}{
		{200, body, "", ""},
		{200, strings.Replace(body, "BTCUSDT", "ETHBTC", 1), "", ""},
		{200, `{"symbol":"BTCUSDT"}`, "", ""},
		{400, `{"code":-2010,"msg":"Account has insufficient balance for requested action."}`, "", ""},
		{400, `{"code":-2010,"msg":"Duplicate order sent."}`, "", ""},
		{400, `{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}`, "", ""},
		{401, `{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}`, "", ""},
		{503, `{"code":-1008,"msg":"Server is currently overloaded with other requests."}`, "", ""},
		{504, `{"code":-1007,"msg":"Timeout waiting for response from backend server."}`, "", ""},
		{400, `{}`, "", ""},
		{429, `{"code":-1015,"msg":"Too many new orders"}`, "", ""},
		{418, `{"code":-1003,"msg":"Way too much request weight used"}`, "", ""},
	} {
		var a, b exec.Verdict
		a.Weight, a.OrdersShort, a.OrdersDay = -1, -1, -1
		b = a
		c.Answer(exec.RequestPlace, &o, &exec.Answer{Status: tc.status, JSON: true, Body: []byte(tc.body)}, &a)
		field := "result"
		if tc.status != 200 {
			field = "error"
		}
		kind, id := f.Open(fmt.Appendf(nil, `{"id":1000000000064,"status":%d,"%s":%s,"rateLimits":[]}`, tc.status, field, tc.body))
		if kind != exec.FrameAnswer || id != 1000000000064 {
			t.Fatalf("%s: kind %d, id %d", tc.body, kind, id)
		}
		f.Answer(exec.RequestPlace, &o, &b)
		if fmt.Sprintf("%+v", a) != fmt.Sprintf("%+v", b) {
			t.Errorf("%d %s: a frame reads as\n%+v, want\n%+v", tc.status, tc.body, b, a)
		}
	}
}

func TestFramesTellLimitsAndHowLongToWait(t *testing.T) {
	f := frames(t, hmacKey(t))
	v := exec.Verdict{Weight: -1, OrdersShort: -1, OrdersDay: -1}
	kind, _ := f.Open([]byte(`{"id":1000000000001,"status":429,"error":{"code":-1003,"msg":"x","data":{"serverTime":1700000000000,"retryAfter":1700000012500}},` +
		`"rateLimits":[{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":50,"count":12},{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":160000,"count":4043},` +
		`{"rateLimitType":"REQUEST_WEIGHT","interval":"MINUTE","intervalNum":1,"limit":6000,"count":321}]}`))
	f.Answer(exec.RequestPlace, nil, &v)
	if kind != exec.FrameAnswer || v.Weight != 321 || v.OrdersShort != 12 || v.OrdersDay != 4043 || !v.Lockout || v.RetryAfter != 12500*time.Millisecond || v.Class != exec.ClassLimited {
		t.Errorf("kind %d, verdict %+v", kind, v)
	}
}

func TestMessagesAreToldApart(t *testing.T) {
	f := frames(t, hmacKey(t))
	for text, want := range map[string]exec.FrameKind{
		`{"id":1000000000001,"status":200,"result":{}}`:                                                           exec.FrameAnswer,
		`{"event":{"e":"serverShutdown","E":1770123456789}}`:                                                      exec.FrameShutdown,
		`{"subscriptionId":0,"event":{"e":"executionReport"}}`:                                                    exec.FrameEvent,
		`{"id":null,"status":401,"error":{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}}`: exec.FrameRevoked,
		`{"id":null,"status":400,"error":{"code":-1135,"msg":"Invalid JSON Request"}}`:                            exec.FrameJunk,
		`{"id":"x","status":200}`: exec.FrameJunk, `[]`: exec.FrameJunk, `{}`: exec.FrameJunk, `{"id":1.5}`: exec.FrameJunk, ``: exec.FrameJunk, `{"id":1`: exec.FrameJunk,
	} {
		if got, _ := f.Open([]byte(text)); got != want {
			t.Errorf("%s: got kind %d, want %d", text, got, want)
		}
		var v exec.Verdict
		f.Answer(exec.RequestPlace, nil, &v) // must not fail on anything
	}
}

func FuzzFrame(f *testing.F) {
	for _, s := range []string{`{"id":1000000000001,"status":200,"result":{"symbol":"BTCUSDT","orderId":1,"fills":[{}]},"rateLimits":[{"count":1}]}`,
		`{"event":{"e":"serverShutdown"}}`, `{"id":null,"status":401,"error":{}}`, `{"id":1,"status":429,"error":{"code":-1003,"data":{"retryAfter":9,"serverTime":1}}}`} {
		f.Add([]byte(s))
	}
	c := frames(f, hmacKey(f))
	o := exec.Order{Client: c.ids.ID(7), Qty: 1}
	f.Fuzz(func(t *testing.T, b []byte) {
		for kind := exec.RequestProbe; kind <= exec.RequestLogon; kind++ {
			var v exec.Verdict
			c.Open(b)
			c.Answer(kind, &o, &v)
			if v.RetryAfter < 0 || v.RetryAfter > 72*time.Hour {
				t.Errorf("silence of %v", v.RetryAfter)
			}
			if v.Class == exec.ClassAccepted && (kind == exec.RequestPlace || kind == exec.RequestCancel) && len(v.Execs) == 0 {
				t.Error("accepted without evidence")
			}
		}
	})
}

func TestFramesDoNotAllocate(t *testing.T) {
	for _, key := range []*Key{hmacKey(t), edKey(t)} {
		c := frames(t, key)
		env := exec.Envelope{ID: 1e12, LoggedOn: key.Kind() == KeyEd25519}
		in := limit(61837_64000000, 35210000)
		stop := core.Intent{Type: core.StopLossLimit, Price: 1, Stop: 2, Qty: 5, Iceberg: 1, Trail: 9, STP: core.STPNone, LifeUs: 12_345}
		o := exec.Order{VenueID: 17}
		var r exec.Request
		if n := testing.AllocsPerRun(200, func() {
			env.ID++
			in.Price++
			e := c.Place(&in, venueNow, venueNow, env, &r) | c.Place(&stop, venueNow, venueNow, env, &r) | c.Cancel(&o, venueNow, env, &r) | c.Status(&o, venueNow, env, &r)
			c.Probe(env, &r)
			if e != exec.EncodeOK {
				t.Fatal(e)
			}
		}); n != 0 {
			t.Errorf("frames with %v allocate %v times, want 0", key, n)
		}
	}
}

func TestWipedFramesHoldNothingOfTheKey(t *testing.T) {
	c := frames(t, hmacKey(t))
	in := limit(1, 1)
	var r exec.Request
	c.Place(&in, venueNow, venueNow, exec.Envelope{ID: 1e12}, &r)
	sent := r.Bytes
	c.Wipe()
	for name, b := range map[string][]byte{"sent": sent, "prefix": c.prefix, "payload": c.sorted[:cap(c.sorted)], "api key": c.apiKey} {
		for _, x := range b {
			if x != 0 {
				t.Errorf("%s still holds %.40q", name, b)
				break
			}
		}
	}
	if e := c.Place(&in, venueNow, venueNow, exec.Envelope{ID: 1e12}, &r); e != exec.EncodeNoKey {
		t.Errorf("placing after a wipe: got %v, want %v", e, exec.EncodeNoKey)
	}
}

// BenchmarkFrame is an order as a frame: on a session that is logged on, and signed.
func BenchmarkFrame(b *testing.B) {
	for name, key := range map[string]*Key{"logged on": edKey(b), "signed": hmacKey(b)} {
		b.Run(name, func(b *testing.B) {
			c := frames(b, key)
			env := exec.Envelope{ID: 1e12, LoggedOn: key.Kind() == KeyEd25519}
			in := limit(61837_64000000, 35210000)
			var r exec.Request
			b.ReportAllocs()
			for b.Loop() {
				env.ID++
				in.Price += 1_000_000
				c.Place(&in, venueNow, venueNow, env, &r)
			}
		})
	}
}

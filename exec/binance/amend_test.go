package binance

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/exec"
)

// TestAnyReplaceIsReadBackAsTheIntentAndNamesTheOldOrder: an order of any type in the
// place of another, and an amend of that one.
func TestAnyReplaceIsReadBackAsTheIntentAndNamesTheOldOrder(t *testing.T) {
	keys := []*Key{hmacKey(t), edKey(t)}
	rapid.Check(t, func(rt *rapid.T) {
		key := keys[rapid.IntRange(0, 1).Draw(rt, "key")]
		c := codec(t, key, 0)
		for range 3 {
			in := anyIntent(rt)
			in.Kind, in.LifeUs = core.Replace, 0
			symbol := c.instruments.Get(in.Instrument).Symbol
			old := exec.Order{Client: c.ids.ID(c.ids.Next()), Instrument: in.Instrument}
			ref, cancelRef := "origClientOrderId", "cancelOrigClientOrderId"
			name := old.Client.String()
			if rapid.Bool().Draw(rt, "known") {
				old.VenueID = rapid.Int64Range(1, 1<<62).Draw(rt, "venue id")
				ref, cancelRef, name = "orderId", "cancelOrderId", fmt.Sprint(old.VenueID)
			}
			var r exec.Request
			if e := c.Replace(&in, &old, venueNow, venueNow, &r); e != exec.EncodeOK {
				rt.Fatal(e)
			}
			q := checkRequest(rt, r.Bytes, key)
			checkLife(rt, q, &in, venueNow, venueNow, 5*time.Second)
			want := orderParams(&in, symbol)
			want.Set("newClientOrderId", r.Client.String())
			want.Set("cancelReplaceMode", "STOP_ON_FAILURE")
			want.Set(cancelRef, name)
			if q.Encode() != want.Encode() || r.Client == old.Client || !strings.HasPrefix(string(r.Bytes), "POST /api/v3/order/cancelReplace?") {
				rt.Fatalf("replace says %v, want %v: %s", q, want, r.Bytes)
			}
			qty := core.Qty(rapid.Int64Range(1, 1<<62).Draw(rt, "new quantity"))
			if e := c.Amend(&old, qty, venueNow, &r); e != exec.EncodeOK {
				rt.Fatal(e)
			}
			q = checkRequest(rt, r.Bytes, key)
			want = url.Values{"symbol": {symbol}, "newQty": {qty.String()}, "newClientOrderId": {old.Client.String()}, ref: {name},
				"recvWindow": {"5000"}, "timestamp": {fmt.Sprint(int64(venueNow) / 1e6)}}
			if q.Encode() != want.Encode() || r.Client != old.Client || !strings.HasPrefix(string(r.Bytes), "PUT /api/v3/order/amend/keepPriority?") {
				rt.Fatalf("amend says %v, want %v: %s", q, want, r.Bytes)
			}
		}
	})
}

func TestWhatTheVenueCouldMisreadIsNotReplacedNorAmended(t *testing.T) {
	c := codec(t, hmacKey(t), 0)
	good := core.Intent{Kind: core.Replace, Type: core.Limit, Price: 100_00000000, Qty: 1_00000000}
	old := exec.Order{VenueID: 5}
	with := func(f func(in *core.Intent)) core.Intent { in := good; f(&in); return in }
	for name, tc := range map[string]struct {
		in   core.Intent
		old  exec.Order
		now  core.WallNs
		want exec.EncodeError
	}{
		"good":                 {good, old, venueNow, exec.EncodeOK},
		"no price":             {with(func(in *core.Intent) { in.Price = 0 }), old, venueNow, exec.EncodeNumber},
		"no quantity":          {with(func(in *core.Intent) { in.Qty = 0 }), old, venueNow, exec.EncodeNumber},
		"no such side":         {with(func(in *core.Intent) { in.Side = 7 }), old, venueNow, exec.EncodeNumber},
		"another instrument's": {good, exec.Order{VenueID: 5, Instrument: 1}, venueNow, exec.EncodeInstrument},
		"no such instrument":   {with(func(in *core.Intent) { in.Instrument = 99 }), old, venueNow, exec.EncodeInstrument},
		"too late":             {good, old, venueNow + core.WallNs(5*time.Second), exec.EncodeLate},
	} {
		var r exec.Request
		if e := c.Replace(&tc.in, &tc.old, venueNow, tc.now, &r); e != tc.want {
			t.Errorf("%s: got %v, want %v", name, e, tc.want)
		}
	}
	var r exec.Request
	if e := c.Amend(&old, 0, venueNow, &r); e != exec.EncodeNumber {
		t.Errorf("an amend to nothing: got %v, want %v", e, exec.EncodeNumber)
	}
	c.Wipe()
	if e := c.Replace(&good, &old, venueNow, venueNow, &r); e != exec.EncodeNoKey {
		t.Errorf("a replace without a key: got %v, want %v", e, exec.EncodeNoKey)
	}
	if e := c.Amend(&old, 1, venueNow, &r); e != exec.EncodeNoKey {
		t.Errorf("an amend without a key: got %v, want %v", e, exec.EncodeNoKey)
	}
}

// replaceBodies are the two halves' replies, of the orders that replaceOrders returns.
const (
	goneReply = `{"symbol":"BTCUSDT","origClientOrderId":"old","orderId":7,"orderListId":-1,"clientOrderId":"c","transactTime":1700000000001,"price":"100.00000000",` +
		`"origQty":"2.00000000","executedQty":"0.50000000","origQuoteOrderQty":"0.00000000","cummulativeQuoteQty":"50.00000000","status":"CANCELED","timeInForce":"GTC","type":"LIMIT","side":"BUY"}`
	newReply = `{"symbol":"BTCUSDT","orderId":8,"orderListId":-1,"clientOrderId":"new","transactTime":1700000000002,"price":"101.00000000","origQty":"2.00000000","executedQty":"1.00000000",` +
		`"origQuoteOrderQty":"0.00000000","cummulativeQuoteQty":"100.99999999","status":"PARTIALLY_FILLED","timeInForce":"GTC","type":"LIMIT","side":"BUY","workingTime":1,` +
		`"fills":[{"price":"101.00000000","qty":"1.00000000","commission":"0.00100000","commissionAsset":"BNB","tradeId":9}],"selfTradePreventionMode":"NONE"}`
)

func replaceOrders() (o, old exec.Order) {
	o.Client, _ = core.MakeClientID("new")
	old.Client, _ = core.MakeClientID("old")
	old.VenueID = 7
	return o, old
}

func halvesBody(cancel, next, gone, placed string) string {
	return fmt.Sprintf(`{"cancelResult":%q,"newOrderResult":%q,"cancelResponse":%s,"newOrderResponse":%s}`, cancel, next, gone, placed)
}

func failedBody(code int, data string) string {
	return fmt.Sprintf(`{"code":%d,"msg":"Order cancel-replace failed.","data":%s}`, code, data)
}

// TestEveryRowOfTheReplaceTableIsReadAsTwoOutcomes goes through section 7.3 of the facts
// and what a broken venue could make of it.
func TestEveryRowOfTheReplaceTableIsReadAsTwoOutcomes(t *testing.T) {
	const (
		unknown, accepted, refused, limited = exec.ClassUnknown, exec.ClassAccepted, exec.ClassRefused, exec.ClassLimited
		gone                                = `{"code":-2011,"msg":"Unknown order sent."}`
		poor                                = `{"code":-2010,"msg":"Account has insufficient balance for requested action."}`
		many                                = `{"code":-1015,"msg":"Too many new orders; current limit is 50 orders per 10 SECOND."}`
		twice                               = `{"code":-2010,"msg":"Duplicate order sent."}`
		broken                              = `{"code":-1007,"msg":"Timeout"}`
	)
	other := strings.Replace(newReply, `"clientOrderId":"new"`, `"clientOrderId":"xx"`, 1)
	otherOld := strings.Replace(goneReply, `"orderId":7`, `"orderId":6`, 1)
	for _, tc := range []struct {
		name     string
		status   int
		body     string
		old, now exec.Class
		code     int32 // of the new order
		execs    int
		flags    string
	}{
		{"both", 200, halvesBody("SUCCESS", "SUCCESS", goneReply, newReply), accepted, accepted, 0, 3, ""},
		{"not attempted", 400, failedBody(-2022, halvesBody("FAILURE", "NOT_ATTEMPTED", gone, "null")), refused, refused, -2022, 0, "gone untried"},
		{"both failed", 400, failedBody(-2022, halvesBody("FAILURE", "FAILURE", gone, poor)), refused, refused, -2010, 0, "gone"},
		{"only cancelled", 409, failedBody(-2021, halvesBody("SUCCESS", "FAILURE", goneReply, poor)), accepted, refused, -2010, 1, ""},
		{"only placed", 409, failedBody(-2021, halvesBody("FAILURE", "SUCCESS", gone, newReply)), refused, accepted, -2021, 2, "gone"},
		{"order count alone", 429, many, limited, limited, -1015, 0, "orders"},
		{"order count, cancelled, 409", 409, failedBody(-2021, halvesBody("SUCCESS", "FAILURE", goneReply, many)), accepted, limited, -1015, 1, "orders"},
		{"order count, cancelled, 429", 429, failedBody(-2021, halvesBody("SUCCESS", "FAILURE", goneReply, many)), accepted, limited, -1015, 1, "orders"},
		{"filter, before the cancel", 400, `{"code":-1013,"msg":"Filter failure: LOT_SIZE"}`, refused, refused, -1013, 0, ""},
		{"clock", 400, `{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}`, refused, refused, -1021, 0, "clock"},
		{"key", 401, `{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}`, refused, refused, -2015, 0, "key"},
		{"a duplicate", 409, failedBody(-2021, halvesBody("SUCCESS", "FAILURE", goneReply, twice)), accepted, refused, -2010, 1, "duplicate"},
		{"timeout", 408, broken, unknown, unknown, -1007, 0, ""},
		{"503", 503, failedBody(-2022, halvesBody("FAILURE", "NOT_ATTEMPTED", gone, "null")), unknown, unknown, -2022, 0, ""},
		{"cancel timed out", 409, failedBody(-2021, halvesBody("FAILURE", "SUCCESS", broken, newReply)), unknown, accepted, -2021, 2, ""},
		{"new order timed out", 409, failedBody(-2021, halvesBody("SUCCESS", "FAILURE", goneReply, broken)), accepted, unknown, -2021, 1, ""},
		{"failure without a code", 400, failedBody(-2022, halvesBody("FAILURE", "FAILURE", "{}", "null")), unknown, unknown, -2022, 0, ""},
		{"200 with a failure", 200, halvesBody("FAILURE", "SUCCESS", gone, newReply), unknown, accepted, 0, 2, ""},
		{"200 not attempted", 200, halvesBody("FAILURE", "NOT_ATTEMPTED", gone, "null"), unknown, unknown, 0, 0, ""},
		{"another new order", 200, halvesBody("SUCCESS", "SUCCESS", goneReply, other), accepted, unknown, 0, 1, ""},
		{"another old order", 200, halvesBody("SUCCESS", "SUCCESS", otherOld, newReply), unknown, accepted, 0, 2, ""},
		{"no data", 400, `{"code":-2022,"msg":"x"}`, unknown, unknown, -2022, 0, ""},
		{"unknown words", 409, failedBody(-2021, halvesBody("MAYBE", "PERHAPS", gone, poor)), unknown, unknown, -2021, 0, ""},
		{"not JSON", 200, `{"cancelResult`, unknown, unknown, 0, 0, ""},
		{"an array", 200, `[]`, unknown, unknown, 0, 0, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := codec(t, hmacKey(t), 0)
			o, old := replaceOrders()
			v := exec.Verdict{Weight: -1, OrdersShort: -1, OrdersDay: -1}
			c.AnswerReplace(&o, &old, httpAnswer(t, tc.status, []byte(tc.body)), &v)
			var flags []string
			for name, set := range map[string]bool{"gone": v.Old.Gone, "untried": v.Untried, "orders": v.OrderLimit && v.Lockout, "clock": v.ClockOff, "key": v.KeyRefused, "duplicate": v.Duplicate} {
				if set && strings.Contains(tc.flags, name) {
					flags = append(flags, name)
				} else if set != strings.Contains(tc.flags, name) {
					t.Errorf("%s is %v", name, set)
				}
			}
			if v.Old.Class != tc.old || v.Class != tc.now || v.Code != tc.code || len(v.Execs) != tc.execs || v.Weight != 12 || v.OrdersShort != 3 {
				t.Errorf("cancel %v %+v, new order %v %d %q, %d pieces of evidence, weight %d; want %v, %v %d, %d, 12 (%v)",
					v.Old.Class, v.Old, v.Class, v.Code, v.Msg, len(v.Execs), v.Weight, tc.old, tc.now, tc.code, tc.execs, flags)
			}
			for i := range v.Execs {
				if e := &v.Execs[i]; (e.Client == old.Client) != (e.VenueID == 7) || e.Client == old.Client && e.Status != core.Canceled {
					t.Errorf("evidence %+v", e)
				}
			}
			// The only fill takes what the venue says of the whole: its rounding is the truth.
			if n := len(v.Execs); tc.now == accepted && (v.Execs[n-1].Kind != core.ExecTrade || v.Execs[n-1].LastQuote != 100_99999999) {
				t.Errorf("fill %+v", v.Execs[n-1])
			}
		})
	}
}

func amendBody(client, qty, status string) string {
	return fmt.Sprintf(`{"transactTime":1700000000001,"executionId":75,"amendedOrder":{"symbol":"BTCUSDT","orderId":7,"orderListId":-1,"origClientOrderId":"old","clientOrderId":%q,`+
		`"price":"100.00000000","qty":%q,"executedQty":"0.50000000","preventedQty":"0.00000000","quoteOrderQty":"0.00000000","cumulativeQuoteQty":"50.00000000","status":%q,`+
		`"timeInForce":"GTC","type":"LIMIT","side":"BUY","workingTime":1,"selfTradePreventionMode":"NONE"}}`, client, qty, status)
}

func TestAnAmendIsReadByItsOwnNames(t *testing.T) {
	for _, tc := range []struct {
		name   string
		status int
		body   string
		class  exec.Class
		qty    core.Qty
	}{
		{"done", 200, amendBody("old", "1.00000000", "PARTIALLY_FILLED"), exec.ClassAccepted, 1_00000000},
		{"to less than had traded", 200, amendBody("old", "0.10000000", "EXPIRED"), exec.ClassAccepted, 10000000},
		{"refused", 400, `{"code":-2038,"msg":"The requested action would change no state; rejecting."}`, exec.ClassRefused, 0},
		{"another order", 200, amendBody("other", "1.00000000", "NEW"), exec.ClassUnknown, 0},
		{"more executed than there is", 200, amendBody("old", "0.10000000", "NEW"), exec.ClassUnknown, 0},
		{"an order's own shape", 200, newReply, exec.ClassUnknown, 0},
		{"timeout", 504, `{"code":-1007,"msg":"x"}`, exec.ClassUnknown, 0},
	} {
		c := codec(t, hmacKey(t), 0)
		_, old := replaceOrders()
		var v exec.Verdict
		c.Answer(exec.RequestAmend, &old, httpAnswer(t, tc.status, []byte(tc.body)), &v)
		if v.Class != tc.class || (tc.qty > 0) != (len(v.Execs) == 1) {
			t.Errorf("%s: %v with %d pieces of evidence, want %v", tc.name, v.Class, len(v.Execs), tc.class)
			continue
		}
		if tc.qty > 0 {
			want := core.PartiallyFilled
			if tc.qty < 50000000 {
				want = core.Expired
			}
			if e := v.Execs[0]; e.Qty != tc.qty || e.Cum != 50000000 || e.CumQuote != 50_00000000 || e.VenueID != 7 || e.Status != want || e.Client != old.Client {
				t.Errorf("%s: evidence %+v", tc.name, e)
			}
		}
	}
}

// FuzzReplaceAnswer: nothing is believed that was not said, and no 5xx says anything.
func FuzzReplaceAnswer(f *testing.F) {
	f.Add([]byte(halvesBody("SUCCESS", "SUCCESS", goneReply, newReply)), 200)
	f.Add([]byte(failedBody(-2021, halvesBody("SUCCESS", "FAILURE", goneReply, `{"code":-2010,"msg":"x"}`))), 409)
	f.Add([]byte(failedBody(-2022, halvesBody("FAILURE", "NOT_ATTEMPTED", `{"code":-2011,"msg":"x"}`, "null"))), 400)
	f.Add([]byte(amendBody("old", "1.00000000", "NEW")), 200)
	c := codec(f, hmacKey(f), 0)
	o, old := replaceOrders()
	f.Fuzz(func(t *testing.T, body []byte, status int) {
		if status < 200 || status > 599 || status == 204 || status == 304 || len(body) > 1<<16 {
			return
		}
		var v exec.Verdict
		c.AnswerReplace(&o, &old, httpAnswer(t, status, body), &v)
		seen := map[core.ClientID]bool{}
		for _, e := range v.Execs {
			seen[e.Client] = true
			if e.VenueID <= 0 || e.Cum > e.Qty && e.Status != core.Expired || e.Client != o.Client && e.Client != old.Client {
				t.Fatalf("evidence %+v", e)
			}
		}
		if seen[o.Client] != (v.Class == exec.ClassAccepted) || seen[old.Client] != (v.Old.Class == exec.ClassAccepted) {
			t.Fatalf("cancel %v, new order %v with evidence %+v", v.Old.Class, v.Class, v.Execs)
		}
		if status >= 500 && (v.Class != exec.ClassUnknown || v.Old.Class != exec.ClassUnknown) || v.Untried && v.Class != exec.ClassRefused {
			t.Fatalf("HTTP %d gives %v and %v, untried %v", status, v.Old.Class, v.Class, v.Untried)
		}
		v = exec.Verdict{}
		c.Answer(exec.RequestAmend, &old, httpAnswer(t, status, body), &v)
		if (v.Class == exec.ClassAccepted) != (len(v.Execs) > 0) {
			t.Fatalf("amend: HTTP %d gives %v with %d pieces of evidence", status, v.Class, len(v.Execs))
		}
	})
}

func TestReplacesAndAmendsDoNotAllocate(t *testing.T) {
	c := codec(t, hmacKey(t), 0)
	in := core.Intent{Kind: core.Replace, Type: core.LimitMaker, Price: 61837_64000000, Qty: 35210000}
	o, old := replaceOrders()
	both := httpAnswer(t, 200, []byte(halvesBody("SUCCESS", "SUCCESS", goneReply, newReply)))
	amended := httpAnswer(t, 200, []byte(amendBody("old", "1.00000000", "NEW")))
	var r exec.Request
	v := exec.Verdict{Execs: make([]core.Execution, 0, 8)}
	if n := testing.AllocsPerRun(200, func() {
		in.Price++
		v.Execs = v.Execs[:0]
		if c.Replace(&in, &old, venueNow, venueNow, &r) != exec.EncodeOK || c.Amend(&old, in.Qty, venueNow, &r) != exec.EncodeOK {
			t.Fatal("a request was refused")
		}
		c.AnswerReplace(&o, &old, both, &v)
		c.Answer(exec.RequestAmend, &old, amended, &v)
	}); n != 0 || len(v.Execs) != 4 {
		t.Errorf("a replace, an amend and their answers allocate %v times, want 0 (%d pieces of evidence, want 4)", n, len(v.Execs))
	}
}

func BenchmarkReplace(b *testing.B) {
	c := codec(b, hmacKey(b), 0)
	in := core.Intent{Kind: core.Replace, Type: core.LimitMaker, Price: 61837_64000000, Qty: 35210000}
	old := exec.Order{VenueID: 12345678901}
	var r exec.Request
	b.ReportAllocs()
	for b.Loop() {
		in.Price++
		c.Replace(&in, &old, venueNow, venueNow, &r)
	}
	checkRequest(b, r.Bytes, hmacKey(b))
}

func BenchmarkAnswerReplace(b *testing.B) {
	c := codec(b, hmacKey(b), 0)
	o, old := replaceOrders()
	a := httpAnswer(b, 200, []byte(halvesBody("SUCCESS", "SUCCESS", goneReply, newReply)))
	v := exec.Verdict{Execs: make([]core.Execution, 0, 8)}
	b.ReportAllocs()
	for b.Loop() {
		v.Execs = v.Execs[:0]
		c.AnswerReplace(&o, &old, a, &v)
	}
	if len(v.Execs) != 3 {
		b.Fatalf("%+v", v)
	}
}

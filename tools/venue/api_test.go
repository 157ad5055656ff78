package venue

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

func object(t *testing.T, m map[string]any, name string) map[string]any {
	t.Helper()
	o, ok := m[name].(map[string]any)
	if !ok {
		t.Fatalf("got %v, want an object %q", m, name)
	}
	return o
}

func codeOf(t *testing.T, m map[string]any) string {
	t.Helper()
	return fmt.Sprint(object(t, m, "error")["code"])
}

var buyLow = []string{"symbol", "BTCUSDT", "side", "BUY", "type", "LIMIT", "timeInForce", "GTC", "quantity", "0.01", "price", "50000"}

func TestWSAPIMethodsAnswerAsTheirRESTTwins(t *testing.T) {
	s := venueOf(t, nil)
	a := apiOf(t, s)
	c := restOf(t, s)
	for _, k := range []struct{ method, params, target string }{
		{"ping", "", "ping"}, {"time", "", "time"}, {"exchangeInfo", `"symbols":["BTCUSDT"]`, "exchangeInfo?symbol=BTCUSDT"},
		{"depth", `"symbol":"BTCUSDT","limit":5`, "depth?symbol=BTCUSDT&limit=5"}, {"ticker.book", `"symbol":"BTCUSDT"`, "ticker/bookTicker?symbol=BTCUSDT"},
		{"ticker.price", `"symbol":"BTCUSDT"`, "ticker/price?symbol=BTCUSDT"}, {"avgPrice", `"symbol":"BTCUSDT"`, "avgPrice?symbol=BTCUSDT"},
		{"ticker.24hr", `"symbol":"BTCUSDT"`, "ticker/24hr?symbol=BTCUSDT"},
	} {
		m := a.call(k.method, k.params)
		if fmt.Sprint(m["status"]) != "200" || m["rateLimits"] == nil {
			t.Errorf("%s: got %v, want status 200 with rateLimits", k.method, m)
			continue
		}
		b, err := json.Marshal(m["result"])
		if err != nil {
			t.Fatal(err)
		}
		if got, want := keysOf(t, b), keysOf(t, c.get("/api/v3/"+k.target).body); got != want {
			t.Errorf("%s: got members %s, want those of REST: %s", k.method, got, want)
		}
	}
	for _, k := range []struct{ method, params string }{
		{"trades.recent", `"symbol":"BTCUSDT","limit":2`}, {"klines", `"symbol":"BTCUSDT","interval":"1m","limit":2`}, {"v3/trades.aggregate", `"symbol":"BTCUSDT"`},
	} {
		if m := a.call(k.method, k.params); fmt.Sprint(m["status"]) != "200" {
			t.Errorf("%s: got %v, want 200", k.method, m)
		} else if _, ok := m["result"].([]any); !ok {
			t.Errorf("%s: got %v, want a list", k.method, m)
		}
	}
}

func TestWSAPITrading(t *testing.T) {
	s := venueOf(t, quiet)
	a := apiOf(t, s)
	m := a.signedCall("order.place", append([]string{"newClientOrderId", "w1"}, buyLow...)...)
	r := object(t, m, "result")
	if r["clientOrderId"] != "w1" || r["status"] != "NEW" {
		t.Fatalf("got %v, want a NEW order", m)
	}
	var kinds []string
	for _, l := range m["rateLimits"].([]any) {
		kinds = append(kinds, fmt.Sprint(l.(map[string]any)["rateLimitType"], l.(map[string]any)["count"]))
	}
	if !slices.Equal(kinds, []string{"ORDERS1", "ORDERS1", "REQUEST_WEIGHT2"}) {
		t.Errorf("got limits %v, want two order counts and only the weight of connecting", kinds)
	}
	for _, k := range []struct {
		method string
		kv     []string
	}{
		{"order.status", []string{"symbol", "BTCUSDT", "origClientOrderId", "w1"}}, {"openOrders.status", []string{"symbol", "BTCUSDT"}},
		{"allOrders", []string{"symbol", "BTCUSDT"}}, {"myTrades", []string{"symbol", "BTCUSDT"}}, {"account.status", nil},
		{"account.rateLimits.orders", nil}, {"account.commission", []string{"symbol", "BTCUSDT"}}, {"order.test", buyLow},
		{"myPreventedMatches", []string{"symbol", "BTCUSDT", "orderId", "1"}},
		{"order.cancel", []string{"symbol", "BTCUSDT", "origClientOrderId", "w1"}},
	} {
		if m := a.signedCall(k.method, k.kv...); fmt.Sprint(m["status"]) != "200" {
			t.Errorf("%s: got %v, want 200", k.method, m)
		}
	}
	a.signedCall("order.place", buyLow...)
	a.signedCall("order.place", buyLow...)
	if m := a.signedCall("openOrders.cancelAll", "symbol", "BTCUSDT"); len(m["result"].([]any)) != 2 {
		t.Errorf("got %v, want two cancelled orders", m)
	}
	if m := a.signedCall("order.place", append([]string{"returnRateLimits", "false"}, buyLow...)...); m["rateLimits"] != nil {
		t.Errorf("got %v, want no rateLimits", m)
	}
}

func TestWSAPIErrors(t *testing.T) {
	s := venueOf(t, quiet)
	a := apiOf(t, s)
	for _, k := range []struct{ method, params, code, status string }{
		{"userDataStream.start", "", "-1100", "400"}, {"", "", "-1102", "400"},
		{"depth", "", "-1102", "400"}, {"depth", `"symbol":"NOPE"`, "-1121", "400"},
		{"order.place", `"symbol":"BTCUSDT"`, "-1102", "400"},
		{"order.place", `"apiKey":"zzz","timestamp":1`, "-2015", "401"},
		{"userDataStream.subscribe", "", "-1002", "401"}, {"userDataStream.unsubscribe", "", "-2036", "400"},
		{"userDataStream.subscribe.signature", "", "-1102", "400"},
		{"depth", `"symbol":"BTCUSDT","symbol":"ETHUSDT"`, "-1101", "400"},
	} {
		m := a.call(k.method, k.params)
		if codeOf(t, m) != k.code || fmt.Sprint(m["status"]) != k.status {
			t.Errorf("%s {%s}: got %v, want %s %s", k.method, k.params, m, k.status, k.code)
		}
	}
	for msg, want := range map[string]string{`{"id":1,`: "-1135", `[1]`: "-1135", `{"id":1.5,"method":"ping"}`: "-1130", `{"id":1,"method":"ping","params":[1]}`: "-1135"} {
		a.text(msg)
		if m := a.until(func(map[string]any) bool { return true }); codeOf(t, m) != want {
			t.Errorf("%s: got %v, want %s", msg, m, want)
		}
	}
	a.text(`{"id":null,"method":"ping"}`)
	if m := a.until(func(map[string]any) bool { return true }); m["id"] != nil || fmt.Sprint(m["status"]) != "200" {
		t.Errorf("got %v, want an answer to id null", m)
	}
	wrong := a.key
	a.key.Secret = "not the secret"
	if m := a.signedCall("account.status"); codeOf(t, m) != "-1022" {
		t.Errorf("got %v, want -1022", m)
	}
	a.key = wrong
}

func TestSessionLogonIsForEd25519Only(t *testing.T) {
	s := venueOf(t, quiet)
	a := apiOf(t, s)
	if m := a.signedCall("session.logon"); codeOf(t, m) != "-4056" {
		t.Errorf("got %v, want a refusal of an HMAC key", m)
	}
	ed, _ := s.Key("", Ed25519)
	ts := strconv.FormatInt(s.Now()/1000, 10)
	logon := fmt.Sprintf(`"apiKey":%q,"timestamp":%s,"signature":%q`, ed.APIKey, ts, signWith(t, ed, "apiKey="+ed.APIKey+"&timestamp="+ts))
	m := a.call("session.logon", logon)
	if r := object(t, m, "result"); r["apiKey"] != ed.APIKey || r["userDataStream"] != false || r["authorizedSince"] == nil {
		t.Fatalf("got %v, want the session of the key", m)
	}
	stamp := func() string { return `"timestamp":` + strconv.FormatInt(s.Now()/1000, 10) }
	m = a.call("order.place", stamp()+`,"symbol":"BTCUSDT","side":"BUY","type":"LIMIT","timeInForce":"GTC","quantity":"0.01","price":"50000"`)
	if object(t, m, "result")["status"] != "NEW" {
		t.Errorf("got %v, want an order without a signature", m)
	}
	if m := a.call("account.status", ""); codeOf(t, m) != "-1102" {
		t.Errorf("got %v, want timestamp to stay mandatory", m)
	}
	m = a.call("userDataStream.subscribe", "")
	if fmt.Sprint(object(t, m, "result")["subscriptionId"]) != "0" {
		t.Errorf("got %v, want subscription 0", m)
	}
	if m := a.call("userDataStream.subscribe", ""); codeOf(t, m) != "-2035" {
		t.Errorf("got %v, want -2035", m)
	}
	if m := a.signedCall("userDataStream.subscribe.signature"); codeOf(t, m) != "-2035" {
		t.Errorf("got %v, want -2035: the account is the same", m)
	}
	if m := a.call("session.subscriptions", ""); fmt.Sprint(m["result"]) != "[map[subscriptionId:0]]" {
		t.Errorf("got %v, want subscription 0", m)
	}
	if r := object(t, a.call("session.status", ""), "result"); r["userDataStream"] != true {
		t.Errorf("got %v, want userDataStream true", r)
	}
	m = a.call("session.logout", "")
	if r := object(t, m, "result"); r["apiKey"] != nil || r["userDataStream"] != false {
		t.Errorf("got %v, want nobody", m)
	}
	a.event("eventStreamTerminated")
	if m := a.call("account.status", stamp()); codeOf(t, m) != "-1102" {
		t.Errorf("got %v, want the key to be asked for again", m)
	}
	// A revoked key ends the session with the next request.
	a.call("session.logon", logon)
	if err := s.Faults().Do("revoke " + ed.APIKey); err != nil {
		t.Fatal(err)
	}
	a.text(`{"id":99,"method":"account.status","params":{` + stamp() + `}}`)
	if m := a.until(func(map[string]any) bool { return true }); m["id"] != nil || codeOf(t, m) != "-2015" || fmt.Sprint(m["status"]) != "401" {
		t.Errorf("got %v, want 401 -2015 to id null", m)
	}
}

func TestExceededWeightOnTheWSAPIGivesRetryAfterAndThenTheSocketCloses(t *testing.T) {
	s := venueOf(t, func(c *Config) { c.Quiet = true; c.Weight = RateLimit{"DAY", 1, 25}; c.BanAfter = 2 })
	a := apiOf(t, s)
	a.call("exchangeInfo", "")
	for range 2 {
		m := a.call("exchangeInfo", "")
		data := object(t, object(t, m, "error"), "data")
		if codeOf(t, m) != "-1003" || fmt.Sprint(m["status"]) != "429" || data["retryAfter"] == nil || data["serverTime"] == nil {
			t.Fatalf("got %v, want 429 with data", m)
		}
	}
	a.text(`{"id":"last","method":"exchangeInfo"}`)
	if err := a.ended(); err == nil {
		t.Error("got no end of a banned client's socket")
	}
	if _, err := tryDial(s.WSAPI()); err == nil || !strings.Contains(err.Error(), "418") {
		t.Errorf("got %v, want 418 for a banned IP", err)
	}
}

func TestUserEventsFollowAnOrderThroughItsLife(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	a := apiOf(t, s)
	if m := a.signedCall("userDataStream.subscribe.signature"); fmt.Sprint(object(t, m, "result")["subscriptionId"]) != "0" {
		t.Fatalf("got %v, want subscription 0", m)
	}
	fields := "e E s c S o f q p P F g C x X r i l z L n N T t I w m M O Z Y Q V"
	c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000&newClientOrderId=one")
	ev := a.event("executionReport")
	b, err := json.Marshal(ev)
	if err != nil {
		t.Fatal(err)
	}
	if got := keysOf(t, b); got != sorted(fields+" W") {
		t.Errorf("got fields %s, want %s", got, sorted(fields+" W"))
	}
	if ev["x"] != "NEW" || ev["X"] != "NEW" || ev["c"] != "one" || ev["C"] != "" || ev["N"] != nil || ev["w"] != true || fmt.Sprint(ev["t"]) != "-1" {
		t.Errorf("got %v, want the NEW report of order one", ev)
	}
	pos := a.event("outboundAccountPosition")
	if got := fmt.Sprint(pos["B"]); !strings.Contains(got, "l:500.00000000") {
		t.Errorf("got %s, want 500 locked", got)
	}
	c.signed("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=one&newClientOrderId=end")
	if ev = a.event("executionReport"); ev["x"] != "CANCELED" || ev["c"] != "end" || ev["C"] != "one" {
		t.Errorf("got %v, want a cancel with both ids", ev)
	}
	a.event("outboundAccountPosition")
	// Two accounts' worth of one order's life: maker and taker of the same account with prevention off.
	c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.01&price=60000")
	a.event("executionReport")
	c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&quantity=0.02&price=60000&selfTradePreventionMode=NONE")
	var kinds []string
	var lastID int64
	for len(kinds) < 4 {
		ev := a.event("executionReport")
		kinds = append(kinds, fmt.Sprint(ev["x"], "/", ev["X"]))
		id, err := ev["I"].(json.Number).Int64()
		if err != nil || id <= lastID {
			t.Errorf("got execution id %v after %d, want a larger one", ev["I"], lastID)
		}
		lastID = id
		if ev["x"] == "EXPIRED" && ev["eR"] != "UNFILLED_IOC_QUANTITY_EXPIRED" {
			t.Errorf("got eR %v, want the IOC reason", ev["eR"])
		}
	}
	if kinds[0] != "NEW/NEW" || kinds[3] != "EXPIRED/EXPIRED" || !slices.Contains(kinds, "TRADE/FILLED") || !slices.Contains(kinds, "TRADE/PARTIALLY_FILLED") {
		t.Errorf("got %v, want NEW, two trades, EXPIRED", kinds)
	}
	m := a.call("userDataStream.unsubscribe", `"subscriptionId":0`)
	if fmt.Sprint(m["result"]) != "map[]" {
		t.Errorf("got %v, want {}", m)
	}
	a.event("eventStreamTerminated")
	if m := a.signedCall("userDataStream.subscribe.signature"); fmt.Sprint(object(t, m, "result")["subscriptionId"]) != "1" {
		t.Errorf("got %v, want the next id", m)
	}
}

func TestUserEventMayComeBeforeOrAfterTheAnswer(t *testing.T) {
	for _, k := range []struct {
		race  Race
		first string
	}{{EventFirst, "event"}, {AnswerFirst, "id"}} {
		s := venueOf(t, func(c *Config) { c.Quiet = true; c.UserEvents = k.race })
		a := apiOf(t, s)
		a.signedCall("userDataStream.subscribe.signature")
		for range 5 {
			a.last += 1000
			// The order of frames on one socket is the order in which they were queued.
			before := len(a.events)
			a.signedCall("order.place", buyLow...)
			if sawEvent := len(a.events) > before; sawEvent != (k.first == "event") {
				t.Errorf("race %d: got event first %v, want %s first", k.race, sawEvent, k.first)
			}
			if k.race == AnswerFirst {
				a.event("executionReport")
				a.event("outboundAccountPosition")
			}
		}
	}
	// Drawn from the seed, both happen.
	s := venueOf(t, func(c *Config) { c.Quiet = true; c.UserEvents = RaceRandom })
	a := apiOf(t, s)
	a.signedCall("userDataStream.subscribe.signature")
	seen := map[bool]bool{}
	for range 40 {
		a.events = nil
		a.signedCall("order.place", buyLow...)
		early := len(a.events) > 0
		seen[early] = true
		for n := len(a.events); n < 2; n++ {
			a.until(func(m map[string]any) bool { return m["event"] != nil })
		}
	}
	if len(seen) != 2 {
		t.Errorf("got only early=%v, want both orders", seen)
	}
}

func TestQueriesMayLag(t *testing.T) {
	s := venueOf(t, func(c *Config) {
		c.Quiet, c.QueryLag = true, 300*time.Millisecond
		c.Weight = RateLimit{"MINUTE", 1, 1 << 30} // the loop below asks as often as the machine can
		c.RawRequests = RateLimit{"MINUTE", 5, 1 << 30}
	})
	c := restOf(t, s)
	r := c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000&newClientOrderId=late")
	placed := s.Now()
	if r.status != 200 {
		t.Fatalf("got %s", r.body)
	}
	if code, _ := c.signed("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=late").code(t); code != -2013 && s.Now()-placed < 250_000 {
		t.Errorf("got %d right after placement, want -2013", code)
	}
	var open []json.RawMessage
	c.signed("GET", "/api/v3/openOrders", "symbol=BTCUSDT").into(t, &open)
	r = c.signed("GET", "/api/v3/account", "omitZeroBalances=true")
	if s.Now()-placed < 250_000 && (len(open) != 0 || strings.Contains(string(r.body), `"locked":"500`)) {
		t.Errorf("got %d open orders and %s right after placement, want the past", len(open), r.body)
	}
	for deadline := time.Now().Add(hang); ; {
		r = c.signed("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=late")
		if r.status == 200 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the order never became visible")
		}
	}
	if s.Now()-placed < 290_000 {
		t.Errorf("visible after %d µs, want the lag", s.Now()-placed)
	}
	c.signed("GET", "/api/v3/openOrders", "symbol=BTCUSDT").into(t, &open)
	if len(open) != 1 || !strings.Contains(string(c.signed("GET", "/api/v3/account", "").body), `"locked":"500`) {
		t.Error("got another open order list or balance, want the order and its lock")
	}
	c.signed("GET", "/api/v3/allOrders", "symbol=BTCUSDT").into(t, &open)
	if len(open) != 1 {
		t.Errorf("got %d orders, want 1", len(open))
	}
}

func TestFirstFillGivesOrderCountBack(t *testing.T) {
	s := venueOf(t, func(c *Config) { c.Quiet = true; c.Orders = []RateLimit{{"DAY", 1, 100}} })
	c := restOf(t, s)
	count := func(r reply) string { return r.header.Get("X-MBX-ORDER-COUNT-1D") }
	place := func(side, extra string) reply {
		return c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&type=LIMIT&timeInForce=GTC&price=60000&selfTradePreventionMode=NONE&side="+side+extra)
	}
	var last reply
	for range 7 {
		last = place("SELL", "&quantity=0.01")
	}
	if got := count(last); got != "7" {
		t.Fatalf("got %s, want 7", got)
	}
	// The taker's own order: +1, its first fill -1, one maker's first fill -5.
	if got := count(place("BUY", "&quantity=0.005")); got != "2" {
		t.Errorf("got %s after the first fill, want 2", got)
	}
	// The maker was filled before: only the taker's fill counts.
	if got := count(place("BUY", "&quantity=0.001")); got != "2" {
		t.Errorf("got %s after a later fill, want 2", got)
	}
}

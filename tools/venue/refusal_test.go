package venue

import (
	"strconv"
	"strings"
	"testing"
)

func TestBadRequestsAreRefusedWithTheDocumentedCode(t *testing.T) {
	c := restOf(t, venueOf(t, quiet))
	order := func(edit string) string {
		base := "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000"
		name, _, _ := strings.Cut(edit, "=")
		name = strings.TrimPrefix(name, "-")
		var out []string
		for p := range strings.SplitSeq(base, "&") {
			if !strings.HasPrefix(p, name+"=") {
				out = append(out, p)
			}
		}
		if !strings.HasPrefix(edit, "-") {
			out = append(out, edit)
		}
		return strings.Join(out, "&")
	}
	for _, k := range []struct {
		params string
		code   int
		msg    string
	}{
		{order("-symbol"), -1102, "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed."},
		{order("-side"), -1102, "Mandatory parameter 'side' was not sent, was empty/null, or malformed."},
		{order("-type"), -1102, "Mandatory parameter 'type' was not sent, was empty/null, or malformed."},
		{order("-price"), -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."},
		{order("-quantity"), -1102, "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed."},
		{order("-timeInForce"), -1102, "Mandatory parameter 'timeInForce' was not sent, was empty/null, or malformed."},
		{order("symbol=btcusdt"), -1100, ""},
		{order("symbol=NOPE"), -1121, "Invalid symbol."},
		{order("side=HOLD"), -1117, "Invalid side."},
		{order("type=ICEBERG"), -1116, "Invalid orderType."},
		{order("timeInForce=DAY"), -1115, "Invalid timeInForce."},
		{order("price=12a"), -1100, ""},
		{order("price=-1"), -1100, ""},
		{order("price="), -1105, "Parameter 'price' was empty."},
		{order("price=1.123456789"), -1111, "Parameter 'price' has too much precision."},
		{order("price=99999999999999999999"), -1108, "Parameter 'price' overflowed."},
		{order("newClientOrderId=" + strings.Repeat("a", 37)), -1100, ""},
		{order("newClientOrderId=a%20b"), -1100, ""},
		{order("strategyType=5"), -1134, ""},
		{order("newOrderRespType=ALL"), -1130, ""},
		{order("quantity=0.000001"), -1013, "Filter failure: LOT_SIZE"},
		{order("price=50000.001"), -1013, "Filter failure: PRICE_FILTER"},
		{order("quantity=0.00001"), -1013, "Filter failure: NOTIONAL"},
		{order("quantity=90"), -2010, "Account has insufficient balance for requested action."},
		{order("price=50000") + "&price=50000", -1101, "Duplicate values for a parameter detected."},
		{"symbol=BTCUSDT&side=BUY&type=MARKET", -1102, "Param 'quantity' or 'quoteOrderQty' must be sent, but both were empty/null!"},
		{"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1&price=5", -1106, ""},
		{"symbol=BTCUSDT&side=BUY&type=STOP_LOSS&quantity=1", -1102, ""},
	} {
		r := c.signed("POST", "/api/v3/order", k.params)
		code, msg := r.code(t)
		if r.status != 400 || code != k.code || k.msg != "" && msg != k.msg {
			t.Errorf("%s: got %d %d %q, want 400 %d %q", k.params, r.status, code, msg, k.code, k.msg)
		}
	}
	for _, k := range []struct {
		method, path, params string
		code                 int
	}{
		{"GET", "/api/v3/order", "symbol=BTCUSDT", -1102},
		{"GET", "/api/v3/order", "symbol=BTCUSDT&orderId=77", -2013},
		{"DELETE", "/api/v3/order", "symbol=BTCUSDT&orderId=77&cancelRestrictions=X", -1145},
		{"DELETE", "/api/v3/openOrders", "symbol=BTCUSDT", -2011},
		{"GET", "/api/v3/myTrades", "symbol=BTCUSDT&fromId=1&startTime=1&orderId=4", -1128},
		{"GET", "/api/v3/allOrders", "symbol=BTCUSDT&startTime=1700000000000&endTime=1700090000000", -1127},
		{"GET", "/api/v3/allOrders", "symbol=BTCUSDT&limit=0", -1130},
		{"GET", "/api/v3/allOrders", "symbol=BTCUSDT&startTime=x", -1100},
	} {
		if code, msg := c.signed(k.method, k.path, k.params).code(t); code != k.code {
			t.Errorf("%s %s?%s: got %d %s, want %d", k.method, k.path, k.params, code, msg, k.code)
		}
	}
	if w := c.get("/api/v3/ping").header.Get("X-MBX-USED-WEIGHT-1M"); w == "0" || w == "" {
		t.Errorf("got weight %q after failed order calls, want them charged", w)
	}
}

func TestAuthenticationFailures(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	good := func() string { return "timestamp=" + c.stampNow() }
	sign := func(q string) string { return q + "&signature=" + hmacHex(c.key.Secret, q) }
	for _, k := range []struct {
		name, query string
		key         string
		status      int
		code        int
		msg         string
	}{
		{"no key", sign(good()), "", 401, -2014, ""},
		{"unknown key", sign(good()), "abc", 401, -2015, ""},
		{"no timestamp", sign("a=1"), c.key.APIKey, 400, -1102, ""},
		{"no signature", good(), c.key.APIKey, 400, -1102, "Mandatory parameter 'signature' was not sent, was empty/null, or malformed."},
		{"wrong signature", good() + "&signature=" + strings.Repeat("0", 64), c.key.APIKey, 400, -1022, "Signature for this request is not valid."},
		{"signature of another shape", good() + "&signature=xyz", c.key.APIKey, 400, -1100, ""},
		{"old", sign("recvWindow=10.5&timestamp=" + strconv.FormatInt(s.Now()/1000-2000, 10)), c.key.APIKey, 400, -1021, textOutside},
		{"ahead", sign("timestamp=" + strconv.FormatInt(s.Now()/1000+5000, 10)), c.key.APIKey, 400, -1021, textAhead},
		{"window too large", sign("recvWindow=60001&" + good()), c.key.APIKey, 400, -1131, ""},
		{"signed before encoding", good() + "&symbol=" + escape("１２") + "&signature=" + hmacHex(c.key.Secret, good()+"&symbol=１２"), c.key.APIKey, 400, -1022, ""},
	} {
		h := map[string]string{}
		if k.key != "" {
			h["X-MBX-APIKEY"] = k.key
		}
		r := c.raw("GET", "/api/v3/account?"+k.query, "", h)
		code, msg := r.code(t)
		if r.status != k.status || code != k.code || k.msg != "" && msg != k.msg {
			t.Errorf("%s: got %d %d %q, want %d %d %q", k.name, r.status, code, msg, k.status, k.code, k.msg)
		}
	}
	if r := c.signedAt("GET", "/api/v3/account", "", strconv.FormatInt(s.Now(), 10)); r.status != 200 {
		t.Errorf("timestamp in µs: got %d %s, want 200", r.status, r.body)
	}
}

func TestParametersMayStandInQueryAndBodyAndTheQueryWins(t *testing.T) {
	c := restOf(t, venueOf(t, quiet))
	query := "price=50000&newClientOrderId=inQuery"
	body := "timestamp=" + c.stampNow() + "&newClientOrderId=inBody&timeInForce=GTC&type=LIMIT&quantity=0.01&side=BUY&symbol=BTCUSDT"
	for _, place := range []string{"query", "body"} {
		q, b := query, body
		sig := "&signature=" + hmacHex(c.key.Secret, query+body)
		if place == "query" {
			q += sig
		} else {
			b += sig
		}
		r := c.raw("POST", "/api/v3/order?"+q, b, map[string]string{"X-MBX-APIKEY": c.key.APIKey})
		var o struct{ ClientOrderID string }
		r.into(t, &o)
		if o.ClientOrderID != "inQuery" {
			t.Errorf("signature in the %s: got %q, want the query's id", place, o.ClientOrderID)
		}
		c.signed("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=inQuery")
	}
}

func TestUnknownParametersAreToleratedUnlessStrict(t *testing.T) {
	for _, strict := range []bool{false, true} {
		c := restOf(t, venueOf(t, func(cfg *Config) { cfg.Quiet = true; cfg.StrictParams = strict }))
		r := c.get("/api/v3/avgPrice?symbol=BTCUSDT&surplus=1")
		if !strict {
			if r.status != 200 {
				t.Errorf("tolerant: got %d %s, want 200", r.status, r.body)
			}
			continue
		}
		if code, msg := r.code(t); code != -1104 || msg != "Not all sent parameters were read; read '1' parameter(s) but was sent '2'." {
			t.Errorf("strict: got %d %s, want -1104", code, msg)
		}
		if r := c.signed("GET", "/api/v3/account", "omitZeroBalances=true&recvWindow=4000"); r.status != 200 {
			t.Errorf("strict signed: got %d %s, want 200", r.status, r.body)
		}
	}
}

func TestFiltersChangeForOrdersFromThenOn(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	order := "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000.1"
	if r := c.signed("POST", "/api/v3/order", order); r.status != 200 {
		t.Fatalf("got %s", r.body)
	}
	rules := `{"symbols":[{"symbol":"BTCUSDT","status":"TRADING","baseAsset":"BTC","quoteAsset":"USDT","orderTypes":["LIMIT"],"isSpotTradingAllowed":true,
		"filters":[{"filterType":"PRICE_FILTER","minPrice":"1","maxPrice":"100000","tickSize":"10"}]}]}`
	if err := s.SetFilters("BTCUSDT", []byte(rules)); err != nil {
		t.Fatal(err)
	}
	if r := c.signed("POST", "/api/v3/order", order); !strings.Contains(string(r.body), "PRICE_FILTER") {
		t.Errorf("after the change: got %s, want PRICE_FILTER", r.body)
	}
	if r := c.get("/api/v3/exchangeInfo?symbol=BTCUSDT"); !strings.Contains(string(r.body), `"tickSize":"10.00000000"`) {
		t.Errorf("exchangeInfo tells %s", r.body)
	}
	if r := c.signed("GET", "/api/v3/openOrders", "symbol=BTCUSDT"); !strings.Contains(string(r.body), "50000.10000000") {
		t.Errorf("the order from before has gone: %s", r.body)
	}
	if err := s.SetFilters("NOPE", []byte(rules)); err == nil || !strings.Contains(err.Error(), "NOPE") {
		t.Errorf("a symbol without rules: %v", err)
	}
}

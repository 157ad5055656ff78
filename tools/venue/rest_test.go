package venue

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"riposte/tools/venue/exchange"
)

// keysOf lists the members of a JSON object, sorted.
func keysOf(t *testing.T, b []byte) string {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(b, &m); err != nil {
		t.Fatalf("cannot read %q: %v", b, err)
	}
	var names []string
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func sorted(names string) string {
	list := strings.Fields(strings.ReplaceAll(names, ",", " "))
	slices.Sort(list)
	return strings.Join(list, " ")
}

const resultFields = "symbol,orderId,orderListId,clientOrderId,transactTime,price,origQty,executedQty,origQuoteOrderQty,cummulativeQuoteQty,status,timeInForce,type,side,workingTime,selfTradePreventionMode"

func TestPlacementAnswersHaveTheDocumentedShape(t *testing.T) {
	c := restOf(t, venueOf(t, quiet))
	base := "symbol=BTCUSDT&side=BUY&quantity=0.001&price=50000&type="
	for _, k := range []struct{ params, fields string }{
		{base + "LIMIT&timeInForce=GTC", resultFields + ",fills"},
		{base + "LIMIT_MAKER", "symbol,orderId,orderListId,clientOrderId,transactTime"},
		{base + "LIMIT_MAKER&newOrderRespType=RESULT", resultFields},
		{base + "LIMIT&timeInForce=GTC&newOrderRespType=ACK", "symbol,orderId,orderListId,clientOrderId,transactTime"},
		{base + "LIMIT&timeInForce=GTC&strategyId=7&strategyType=1000000", resultFields + ",fills,strategyId,strategyType"},
		{base + "LIMIT&timeInForce=IOC", resultFields + ",fills,expiryReason"},
	} {
		r := c.signed("POST", "/api/v3/order", k.params)
		if r.status != 200 || keysOf(t, r.body) != sorted(k.fields) {
			t.Errorf("%s: got %d %s, want fields %s", k.params, r.status, r.body, k.fields)
		}
	}
}

func TestOrderIsPlacedQueriedAndCanceled(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	var placed struct {
		OrderID       int64
		ClientOrderID string
		Status        string
		TransactTime  int64
		WorkingTime   int64
	}
	before := s.Now() / 1000
	r := c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000&newClientOrderId=first")
	r.into(t, &placed)
	if placed.Status != "NEW" || placed.ClientOrderID != "first" || placed.TransactTime < before || placed.WorkingTime != placed.TransactTime {
		t.Errorf("got %+v, want a NEW order of now", placed)
	}
	if got := r.header.Get("X-MBX-ORDER-COUNT-10S") + " " + r.header.Get("X-MBX-ORDER-COUNT-1D") + " " + r.header.Get("X-MBX-USED-WEIGHT-1M"); got != "1 1 0" {
		t.Errorf("got counts %q, want 1 1 and weight 0 for a success", got)
	}
	var o struct {
		OrderID                           int64
		Status, Price, OrigQty, StopPrice string
		IsWorking                         bool
	}
	r = c.signed("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=first")
	r.into(t, &o)
	if o.OrderID != placed.OrderID || o.Status != "NEW" || o.Price != "50000.00000000" || o.OrigQty != "0.01000000" || o.StopPrice != "0.00000000" || !o.IsWorking {
		t.Errorf("got %s, want the order placed", r.body)
	}
	if got := r.header.Get("X-MBX-USED-WEIGHT"); got != "4" {
		t.Errorf("got weight %s after one query, want 4", got)
	}
	var open []json.RawMessage
	c.signed("GET", "/api/v3/openOrders", "symbol=BTCUSDT").into(t, &open)
	if len(open) != 1 {
		t.Errorf("got %d open orders, want 1", len(open))
	}
	var canceled struct{ OrigClientOrderID, ClientOrderID, Status string }
	r = c.signed("DELETE", "/api/v3/order", fmt.Sprintf("symbol=BTCUSDT&orderId=%d&newClientOrderId=bye", placed.OrderID))
	r.into(t, &canceled)
	if canceled.OrigClientOrderID != "first" || canceled.ClientOrderID != "bye" || canceled.Status != "CANCELED" {
		t.Errorf("got %s, want both ids and CANCELED", r.body)
	}
	if code, msg := c.signed("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=first").code(t); code != -2011 || msg != "Unknown order sent." {
		t.Errorf("got %d %s, want -2011", code, msg)
	}
}

func TestBalancesAreLockedAndReleasedAndTheLedgerAgrees(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	balance := func(asset string) (free, locked string) {
		var a struct {
			Balances []struct{ Asset, Free, Locked string }
		}
		c.signed("GET", "/api/v3/account", "").into(t, &a)
		for _, b := range a.Balances {
			if b.Asset == asset {
				return b.Free, b.Locked
			}
		}
		return "", ""
	}
	c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000")
	if f, l := balance("USDT"); f != "999500.00000000" || l != "500.00000000" {
		t.Errorf("got %s free %s locked, want 999500 and 500", f, l)
	}
	var list []json.RawMessage
	c.signed("DELETE", "/api/v3/openOrders", "symbol=BTCUSDT").into(t, &list)
	if f, l := balance("USDT"); len(list) != 1 || f != "1000000.00000000" || l != "0.00000000" {
		t.Errorf("got %d cancelled, %s free %s locked, want 1, all free", len(list), f, l)
	}
	ledger, err := s.Ledger("main")
	if err != nil {
		t.Fatal(err)
	}
	bal, err := s.Balances("main")
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string][2]int64{}
	for _, e := range ledger {
		v := sums[e.Asset]
		sums[e.Asset] = [2]int64{v[0] + e.FreeDelta, v[1] + e.LockedDelta}
	}
	for _, b := range bal {
		if sums[b.Asset] != [2]int64{b.Free, b.Locked} {
			t.Errorf("%s: ledger sums to %v, balance is %d %d", b.Asset, sums[b.Asset], b.Free, b.Locked)
		}
	}
}

func TestFillsReachMyTradesAndEveryBalance(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.01&price=60000")
	var taker struct {
		Status string
		Fills  []struct {
			Price, Qty, Commission, CommissionAsset string
			TradeID                                 int64
		}
	}
	r := c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.004&price=60001&selfTradePreventionMode=NONE")
	if r.status == 400 {
		t.Fatalf("got %s, want a fill; the symbol's STP modes decide this test", r.body)
	}
	r.into(t, &taker)
	var trades []struct {
		ID      int64
		IsMaker bool
		IsBuyer bool
	}
	c.signed("GET", "/api/v3/myTrades", "symbol=BTCUSDT").into(t, &trades)
	if len(trades) != 2 || len(taker.Fills) != 1 || taker.Fills[0].CommissionAsset != "BTC" || taker.Fills[0].TradeID != trades[0].ID {
		t.Errorf("got %s and trades %+v, want one fill seen from both sides", r.body, trades)
	}
}

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

func TestMarketDataEndpoints(t *testing.T) {
	s := venueOf(t, nil)
	c := restOf(t, s)
	for _, k := range []struct{ target, fields string }{
		{"/api/v3/ping", ""},
		{"/api/v3/time", "serverTime"},
		{"/api/v3/exchangeInfo", "timezone serverTime rateLimits exchangeFilters symbols"},
		{"/api/v3/depth?symbol=BTCUSDT&limit=5", "lastUpdateId bids asks"},
		{"/api/v3/avgPrice?symbol=BTCUSDT", "mins price closeTime"},
		{"/api/v3/ticker/price?symbol=BTCUSDT", "symbol price"},
		{"/api/v3/ticker/bookTicker?symbol=BTCUSDT", "symbol bidPrice bidQty askPrice askQty"},
		{"/api/v3/ticker/24hr?symbol=BTCUSDT", "symbol priceChange priceChangePercent weightedAvgPrice prevClosePrice lastPrice lastQty bidPrice bidQty askPrice askQty openPrice highPrice lowPrice volume quoteVolume openTime closeTime firstId lastId count"},
		{"/api/v3/ticker/24hr?symbol=BTCUSDT&type=MINI", "symbol openPrice highPrice lowPrice lastPrice volume quoteVolume openTime closeTime firstId lastId count"},
		{"/api/v3/ticker?symbol=BTCUSDT&windowSize=1h", "symbol priceChange priceChangePercent weightedAvgPrice lastPrice openPrice highPrice lowPrice volume quoteVolume openTime closeTime firstId lastId count"},
	} {
		r := c.get(k.target)
		if r.status != 200 || keysOf(t, r.body) != sorted(k.fields) {
			t.Errorf("%s: got %d %.300s, want fields %s", k.target, r.status, r.body, k.fields)
		}
	}
	for _, target := range []string{"/api/v3/trades?symbol=BTCUSDT&limit=3", "/api/v3/historicalTrades?symbol=BTCUSDT&limit=3", "/api/v3/aggTrades?symbol=BTCUSDT&limit=3",
		"/api/v3/klines?symbol=BTCUSDT&interval=1m&limit=3", "/api/v3/uiKlines?symbol=BTCUSDT&interval=1m&limit=3&timeZone=-1:00",
		"/api/v3/ticker/price", "/api/v3/ticker/bookTicker?symbols=" + escape(`["BTCUSDT","ETHUSDT"]`), "/api/v3/ticker/24hr"} {
		var list []json.RawMessage
		r := c.get(target)
		r.into(t, &list)
		if strings.Contains(target, "klines") && len(list) != 3 || strings.Contains(target, "ticker") && len(list) != 2 {
			t.Errorf("%s: got %d entries: %.300s", target, len(list), r.body)
		}
	}
	var depth struct{ Bids, Asks [][2]string }
	c.get("/api/v3/depth?symbol=BTCUSDT&limit=5").into(t, &depth)
	if len(depth.Bids) != 5 || len(depth.Asks) != 5 || depth.Bids[0][0] <= depth.Bids[4][0] || depth.Asks[0][0] >= depth.Asks[4][0] {
		t.Errorf("got %v, want 5 levels a side, best first", depth)
	}
}

func TestMarketDataErrors(t *testing.T) {
	c := restOf(t, venueOf(t, quiet))
	two := escape(`["BTCUSDT","ETHUSDT"]`)
	for _, k := range []struct {
		target string
		code   int
	}{
		{"depth", -1102}, {"depth?symbol=NOPE", -1121}, {"depth?symbol=bt", -1100}, {"depth?symbol=BTCUSDT&limit=x", -1100},
		{"klines?symbol=BTCUSDT", -1102}, {"klines?symbol=BTCUSDT&interval=2m", -1120}, {"klines?symbol=BTCUSDT&interval=1m&timeZone=15:00", -1130},
		{"klines?symbol=BTCUSDT&interval=1m&startTime=5&endTime=4", -1128},
		{"aggTrades?symbol=BTCUSDT&fromId=1&startTime=1", -1128},
		{"ticker/24hr?symbol=BTCUSDT&symbols=" + two, -1128}, {"ticker/24hr?symbol=BTCUSDT&type=BIG", -1139},
		{"ticker/price?symbols=" + escape(`["BTCUSDT","BTCUSDT"]`), -1151}, {"ticker/price?symbols=BTCUSDT", -1135},
		{"ticker/price?symbols=" + escape(`["NOPE"]`), -1121}, {"ticker/price?symbolStatus=OPEN", -1122},
		{"ticker/price?symbol=BTCUSDT&symbolStatus=HALT", -1220}, {"ticker", -1102}, {"ticker?symbol=BTCUSDT&windowSize=90m", -1130},
		{"exchangeInfo?symbol=BTCUSDT&permissions=SPOT", -1128}, {"exchangeInfo?symbol=BTCUSDT&symbolStatus=TRADING", -1128},
	} {
		r := c.get("/api/v3/" + k.target)
		if code, msg := r.code(t); r.status != 400 || code != k.code {
			t.Errorf("%s: got %d %d %s, want 400 %d", k.target, r.status, code, msg, k.code)
		}
	}
	var none []json.RawMessage
	if c.get("/api/v3/ticker/price?symbolStatus=HALT").into(t, &none); len(none) != 0 {
		t.Errorf("got %d symbols in HALT, want none", len(none))
	}
}

func TestWhatDoesNotExistIs404(t *testing.T) {
	c := restOf(t, venueOf(t, quiet))
	for _, k := range []struct{ method, path string }{
		{"POST", "/api/v3/userDataStream"}, {"PUT", "/api/v3/userDataStream"}, {"DELETE", "/api/v3/userDataStream"},
		{"GET", "/api/v1/time"}, {"GET", "/api/v3/nothing"}, {"GET", "/"},
	} {
		if r := c.raw(k.method, k.path, "", nil); r.status != http.StatusNotFound || len(r.body) != 0 {
			t.Errorf("%s %s: got %d %q, want 404 and no body", k.method, k.path, r.status, r.body)
		}
	}
	if r := c.raw("GET", "/nothing", "", map[string]string{"Accept": "text/html"}); !strings.Contains(string(r.body), "<html>") {
		t.Errorf("got %q, want HTML for a browser", r.body)
	}
}

func TestTimeUnitHeader(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	for unit, least := range map[string]int64{"": 1e12, "MILLISECOND": 1e12, "MICROSECOND": 1e15, "microsecond": 1e15} {
		var v struct{ ServerTime int64 }
		c.raw("GET", "/api/v3/time", "", map[string]string{"X-MBX-TIME-UNIT": unit}).into(t, &v)
		if v.ServerTime < least || v.ServerTime > least*1000 {
			t.Errorf("unit %q: got %d, want about %d", unit, v.ServerTime, least)
		}
	}
	if code, _ := c.raw("GET", "/api/v3/time", "", map[string]string{"X-MBX-TIME-UNIT": "SECOND"}).code(t); code != -1194 {
		t.Errorf("got %d, want -1194", code)
	}
}

func TestWeightsAreCountedByTheTable(t *testing.T) {
	c := restOf(t, venueOf(t, quiet))
	used := func(r reply) int {
		n, err := strconv.Atoi(r.header.Get("X-MBX-USED-WEIGHT-1M"))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	last := used(c.get("/api/v3/ping"))
	for _, k := range []struct {
		target string
		weight int
	}{
		{"time", 1}, {"exchangeInfo", 20}, {"depth?symbol=BTCUSDT", 5}, {"depth?symbol=BTCUSDT&limit=101", 25}, {"depth?symbol=BTCUSDT&limit=1000", 50},
		{"depth?symbol=BTCUSDT&limit=9999", 250}, {"trades?symbol=BTCUSDT", 25}, {"aggTrades?symbol=BTCUSDT", 4}, {"klines?symbol=BTCUSDT&interval=1m", 2},
		{"avgPrice?symbol=BTCUSDT", 2}, {"ticker/24hr?symbol=BTCUSDT", 2}, {"ticker/24hr", 80}, {"ticker?symbol=BTCUSDT", 4},
		{"ticker/price?symbol=BTCUSDT", 2}, {"ticker/price", 4}, {"ticker/bookTicker", 4},
	} {
		now := used(c.get("/api/v3/" + k.target))
		// A minute may begin between two requests; then only the new one is counted.
		if now-last != k.weight && now != k.weight {
			t.Errorf("%s: got weight %d, want %d", k.target, now-last, k.weight)
		}
		last = now
	}
}

func TestWeightLimitAnswers429WithRetryAfter(t *testing.T) {
	c := restOf(t, venueOf(t, func(cfg *Config) { cfg.Quiet = true; cfg.Weight = RateLimit{"MINUTE", 1, 30}; cfg.BanAfter = 1000 }))
	for range 100 {
		r := c.get("/api/v3/exchangeInfo")
		if r.status == 200 {
			continue
		}
		wait, err := strconv.Atoi(r.header.Get("Retry-After"))
		code, _ := r.code(t)
		if r.status != 429 || code != -1003 || err != nil || wait < 1 || wait > 60 {
			t.Errorf("got %d %d Retry-After %q, want 429 -1003 and 1..60 seconds", r.status, code, r.header.Get("Retry-After"))
		}
		return
	}
	t.Error("the limit never bit")
}

func TestOrderLimitAnswers1015(t *testing.T) {
	c := restOf(t, venueOf(t, func(cfg *Config) { cfg.Quiet = true; cfg.Orders = []RateLimit{{"DAY", 1, 2}} }))
	params := "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000"
	for range 2 {
		if r := c.signed("POST", "/api/v3/order", params); r.status != 200 {
			t.Fatalf("got %d %s, want 200", r.status, r.body)
		}
	}
	r := c.signed("POST", "/api/v3/order", params)
	if code, msg := r.code(t); r.status != 429 || code != -1015 || msg != "Too many new orders; current limit is 2 orders per 1 DAY." || r.header.Get("Retry-After") == "" {
		t.Errorf("got %d %d %s, want 429 -1015", r.status, code, msg)
	}
	var list []struct {
		RateLimitType, Interval string
		Limit, Count            int
	}
	c.signed("GET", "/api/v3/rateLimit/order", "").into(t, &list)
	if len(list) != 1 || list[0].Count != 2 || list[0].Limit != 2 || list[0].Interval != "DAY" {
		t.Errorf("got %+v, want 2 of 2", list)
	}
}

func TestLateTimeChecksUseTheConfiguredLatency(t *testing.T) {
	for _, lat := range []Latency{{Forward: 60 * time.Millisecond}, {Engine: 60 * time.Millisecond}} {
		s := venueOf(t, func(cfg *Config) { cfg.Quiet = true; cfg.Latency = lat })
		c := restOf(t, s)
		r := c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000&recvWindow=50")
		if code, msg := r.code(t); code != -1021 || msg != textOutside {
			t.Errorf("%+v: got %d %s, want -1021", lat, code, msg)
		}
		want := "" // check 3 comes before the count, check 2 after it
		if lat.Forward > 0 {
			want = "1"
		}
		if got := r.header.Get("X-MBX-ORDER-COUNT-1D"); got != want {
			t.Errorf("%+v: got order count %q, want %q", lat, got, want)
		}
		if open, err := s.OpenOrders(""); err != nil || len(open) != 0 {
			t.Errorf("got %d open orders %v, want none", len(open), err)
		}
	}
}

func TestCancelReplaceAndAmend(t *testing.T) {
	c := restOf(t, venueOf(t, quiet))
	place := "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000"
	if r := c.signed("POST", "/api/v3/order", place+"&newClientOrderId=a"); r.status != 200 {
		t.Fatalf("got %s", r.body)
	}
	var amended struct {
		AmendedOrder struct{ Qty, ClientOrderID string }
	}
	c.signed("PUT", "/api/v3/order/amend/keepPriority", "symbol=BTCUSDT&origClientOrderId=a&newQty=0.005&newClientOrderId=a").into(t, &amended)
	if amended.AmendedOrder.Qty != "0.00500000" || amended.AmendedOrder.ClientOrderID != "a" {
		t.Errorf("got %+v, want the order with quantity 0.005", amended)
	}
	var swapped struct {
		CancelResult, NewOrderResult string
		NewOrderResponse             struct{ ClientOrderID string }
	}
	c.signed("POST", "/api/v3/order/cancelReplace", place+"&cancelReplaceMode=STOP_ON_FAILURE&cancelOrigClientOrderId=a&newClientOrderId=b").into(t, &swapped)
	if swapped.CancelResult != "SUCCESS" || swapped.NewOrderResult != "SUCCESS" || swapped.NewOrderResponse.ClientOrderID != "b" {
		t.Errorf("got %+v, want success twice", swapped)
	}
	r := c.signed("POST", "/api/v3/order/cancelReplace", place+"&cancelReplaceMode=STOP_ON_FAILURE&cancelOrigClientOrderId=gone")
	if code, _ := r.code(t); r.status != 400 || code != -2022 || !strings.Contains(string(r.body), `"newOrderResult":"NOT_ATTEMPTED"`) {
		t.Errorf("got %d %s, want -2022 with data", r.status, r.body)
	}
	r = c.signed("POST", "/api/v3/order/cancelReplace", place+"&cancelReplaceMode=ALLOW_FAILURE&cancelOrigClientOrderId=gone")
	if code, _ := r.code(t); r.status != 409 || code != -2021 {
		t.Errorf("got %d %s, want 409 -2021", r.status, r.body)
	}
}

func TestAccountPagesAndKeyRestrictions(t *testing.T) {
	hm := NewHMACKey(9, "ro")
	hm.ReadOnly = true
	c := restOf(t, venueOf(t, func(cfg *Config) {
		cfg.Quiet = true
		cfg.Accounts = []Account{{Name: "ro", Balances: map[string]string{"USDT": "5", "BTC": "0"}, Keys: []Key{hm}}}
	}))
	for _, k := range []struct{ path, params, fields string }{
		{"/api/v3/account", "", "makerCommission takerCommission buyerCommission sellerCommission commissionRates canTrade canWithdraw canDeposit brokered requireSelfTradePrevention preventSor updateTime accountType balances permissions uid"},
		{"/api/v3/account/commission", "symbol=BTCUSDT", "symbol standardCommission specialCommission taxCommission discount"},
	} {
		r := c.signed("GET", k.path, k.params)
		if r.status != 200 || keysOf(t, r.body) != sorted(k.fields) {
			t.Errorf("%s: got %d %s, want fields %s", k.path, r.status, r.body, k.fields)
		}
	}
	var restrict struct {
		EnableReading, EnableSpotAndMarginTrading, EnableWithdrawals bool
	}
	c.signed("GET", "/sapi/v1/account/apiRestrictions", "").into(t, &restrict)
	if !restrict.EnableReading || restrict.EnableSpotAndMarginTrading || restrict.EnableWithdrawals {
		t.Errorf("got %+v, want reading only", restrict)
	}
	if code, _ := c.signed("POST", "/api/v3/order", "symbol=BTCUSDT").code(t); code != -2015 {
		t.Errorf("got %d from a read-only key, want -2015", code)
	}
	if r := c.signed("POST", "/api/v3/order/test", "symbol=BTCUSDT"); r.status != 401 {
		t.Errorf("got %d from a read-only key, want 401", r.status)
	}
}

func TestTestOrderLeavesNothingBehind(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	params := "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000"
	if r := c.signed("POST", "/api/v3/order/test", params); r.status != 200 || string(r.body) != "{}" {
		t.Errorf("got %d %s, want {}", r.status, r.body)
	}
	r := c.signed("POST", "/api/v3/order/test", params+"&computeCommissionRates=true")
	if r.status != 200 || keysOf(t, r.body) != sorted("standardCommissionForOrder specialCommissionForOrder taxCommissionForOrder discount") {
		t.Errorf("got %d %s, want the rates", r.status, r.body)
	}
	if open, err := s.OpenOrders(""); err != nil || len(open) != 0 {
		t.Errorf("got %d open orders %v, want none", len(open), err)
	}
}

func TestSymbolStatusIsSeenEverywhere(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	if err := s.SetStatus("BTCUSDT", exchange.Halt); err != nil {
		t.Fatal(err)
	}
	var info struct {
		Symbols []struct{ Symbol, Status string }
	}
	c.get("/api/v3/exchangeInfo?symbolStatus=HALT").into(t, &info)
	if len(info.Symbols) != 1 || info.Symbols[0].Symbol != "BTCUSDT" || info.Symbols[0].Status != "HALT" {
		t.Errorf("got %+v, want BTCUSDT in HALT", info.Symbols)
	}
	if code, _ := c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000").code(t); code != -2010 && code != -1013 {
		t.Errorf("got %d for an order in HALT, want a rejection", code)
	}
}

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

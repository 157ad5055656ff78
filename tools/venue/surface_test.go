package venue

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"riposte/tools/venue/exchange"
)

// printAt makes a trade at a price by one account with itself.
func (c *rest) printAt(price string) {
	c.t.Helper()
	for _, side := range []string{"SELL&timeInForce=GTC", "BUY&timeInForce=IOC"} {
		r := c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&type=LIMIT&quantity=0.001&selfTradePreventionMode=NONE&price="+price+"&side="+side)
		if r.status != 200 {
			c.t.Fatalf("got %s", r.body)
		}
	}
}

const queryFields = "symbol orderId orderListId clientOrderId price origQty executedQty cummulativeQuoteQty status timeInForce type side stopPrice icebergQty time updateTime isWorking workingTime origQuoteOrderQty selfTradePreventionMode"

func TestConditionalFieldsAppearUnderTheirCondition(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	c.printAt("60000")
	for _, price := range []string{"59000", "58500"} {
		if r := c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price="+price); r.status != 200 {
			t.Fatalf("got %s", r.body)
		}
	}
	a := apiOf(t, s)
	a.signedCall("userDataStream.subscribe.signature")
	letters := "e E s c S o f q p P F g C x X r i l z L n N T t I w m M O Z Y Q V"
	for _, k := range []struct{ params, placed, queried, event string }{
		{"side=BUY&type=LIMIT&timeInForce=GTC&price=50000", "", "", "W"},
		{"side=SELL&type=STOP_LOSS&stopPrice=55000", "stopPrice", "", ""},
		{"side=SELL&type=TAKE_PROFIT_LIMIT&timeInForce=GTC&price=65000&stopPrice=64000&icebergQty=0.001", "stopPrice icebergQty", "", ""},
		{"side=SELL&type=STOP_LOSS&trailingDelta=100", "trailingDelta trailingTime", "trailingDelta trailingTime", "d"},
		{"side=BUY&type=LIMIT_MAKER&price=50000&icebergQty=0.001", "icebergQty", "", "W"},
		{"side=BUY&type=LIMIT&timeInForce=GTC&pegPriceType=PRIMARY_PEG", "pegPriceType peggedPrice", "pegPriceType peggedPrice", "W gP gp"},
		{"side=BUY&type=LIMIT&timeInForce=GTC&pegPriceType=PRIMARY_PEG&pegOffsetType=PRICE_LEVEL&pegOffsetValue=1", "pegPriceType pegOffsetType pegOffsetValue peggedPrice", "pegPriceType pegOffsetType pegOffsetValue peggedPrice", "W gP gOT gOV gp"},
		{"side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&stopPrice=55000&pegPriceType=MARKET_PEG", "stopPrice pegPriceType", "pegPriceType", "gP"},
		{"side=BUY&type=LIMIT&timeInForce=FOK&price=58000&strategyId=3&strategyType=1000001", "expiryReason strategyId strategyType", "expiryReason strategyId strategyType", "W j J"},
	} {
		params := "symbol=BTCUSDT&quantity=0.003&newOrderRespType=RESULT&" + k.params
		r := c.signed("POST", "/api/v3/order", params)
		if want := sorted(resultFields + " " + k.placed); r.status != 200 || keysOf(t, r.body) != want {
			t.Errorf("%s: got %d %s, want fields %s", k.params, r.status, r.body, want)
			continue
		}
		var o struct {
			OrderID int64
			Status  string
		}
		r.into(t, &o)
		ev, err := json.Marshal(a.event("executionReport"))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := keysOf(t, ev), sorted(letters+" "+k.event); got != want {
			t.Errorf("%s: got letters %s, want %s", k.params, got, want)
		}
		r = c.signed("GET", "/api/v3/order", fmt.Sprintf("symbol=BTCUSDT&orderId=%d", o.OrderID))
		if want := sorted(queryFields + " " + k.queried); keysOf(t, r.body) != want {
			t.Errorf("%s: got query %s, want fields %s", k.params, r.body, want)
		}
		if o.Status == "EXPIRED" {
			if ev := a.event("executionReport"); ev["eR"] != "UNFILLED_FOK_ORDER_EXPIRED" || ev["w"] != false {
				t.Errorf("got %v, want the end of a FOK order", ev)
			}
			continue
		}
		r = c.signed("DELETE", "/api/v3/order", fmt.Sprintf("symbol=BTCUSDT&orderId=%d", o.OrderID))
		if want := sorted(strings.Replace(resultFields, "workingTime", "origClientOrderId", 1) + " " + k.placed); keysOf(t, r.body) != want {
			t.Errorf("%s: got cancel %s, want fields %s", k.params, r.body, want)
		}
		a.event("executionReport")
	}
}

func TestAStopIsSeenBeforeAndAfterItsTrigger(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	c.printAt("60000")
	a := apiOf(t, s)
	a.signedCall("userDataStream.subscribe.signature")
	r := c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=SELL&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=0.01&price=58000&stopPrice=59000&newClientOrderId=stop&newOrderRespType=RESULT")
	if !strings.Contains(string(r.body), `"workingTime":-1`) || !strings.Contains(string(r.body), `"stopPrice":"59000.00000000"`) {
		t.Errorf("got %s, want an order that has not worked", r.body)
	}
	if ev := a.event("executionReport"); ev["w"] != false || ev["W"] != nil || ev["x"] != "NEW" || ev["P"] != "59000.00000000" {
		t.Errorf("got %v, want NEW off the book", ev)
	}
	var o struct {
		IsWorking bool
		Status    string
	}
	c.signed("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=stop").into(t, &o)
	if o.IsWorking || o.Status != "NEW" {
		t.Errorf("got %+v before the trigger", o)
	}
	c.printAt("59000")
	for {
		if ev := a.event("executionReport"); ev["c"] == "stop" {
			if ev["w"] != true || ev["W"] == nil || ev["X"] != "NEW" {
				t.Errorf("got %v, want NEW on the book", ev)
			}
			break
		}
	}
	c.signed("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=stop").into(t, &o)
	if !o.IsWorking {
		t.Errorf("got %+v after the trigger", o)
	}
	r = c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=SELL&type=STOP_LOSS&quantity=0.01&stopPrice=70000")
	if code, msg := r.code(t); code != -2010 || msg != "Order would trigger immediately." {
		t.Errorf("got %d %s", code, msg)
	}
}

func TestCancelReplaceAnswersEveryRow(t *testing.T) {
	const good, poor = "&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000", "&side=BUY&type=LIMIT&timeInForce=GTC&quantity=90&price=50000"
	for _, k := range []struct {
		name, cancel, order, mode, exceeded string
		full                                bool // the order count is used up
		status, code                        int
		data                                string // cancelResult newOrderResult
		newCode                             string
		old                                 string // what becomes of the old order
	}{
		{"both succeed", "old", good, "STOP_ON_FAILURE", "", false, 200, 0, "SUCCESS SUCCESS", "", "CANCELED"},
		{"cancel fails, stop", "none", good, "STOP_ON_FAILURE", "", false, 400, -2022, "FAILURE NOT_ATTEMPTED", "", "NEW"},
		{"cancel fails, go on", "none", good, "ALLOW_FAILURE", "", false, 409, -2021, "FAILURE SUCCESS", "", "NEW"},
		{"new fails, stop", "old", poor, "STOP_ON_FAILURE", "", false, 409, -2021, "SUCCESS FAILURE", "-2010", "CANCELED"},
		{"new fails, go on", "old", poor, "ALLOW_FAILURE", "", false, 409, -2021, "SUCCESS FAILURE", "-2010", "CANCELED"},
		{"both fail", "none", poor, "ALLOW_FAILURE", "", false, 400, -2022, "FAILURE FAILURE", "-2010", "NEW"},
		{"count exceeded, do nothing", "old", good, "STOP_ON_FAILURE", "", true, 429, -1015, "", "", "NEW"},
		{"count exceeded, said so", "old", good, "ALLOW_FAILURE", "DO_NOTHING", true, 429, -1015, "", "", "NEW"},
		{"count exceeded, cancel only", "old", good, "STOP_ON_FAILURE", "CANCEL_ONLY", true, 409, -2021, "SUCCESS FAILURE", "-1015", "CANCELED"},
		{"count exceeded, cancel only, go on", "old", good, "ALLOW_FAILURE", "CANCEL_ONLY", true, 409, -2021, "SUCCESS FAILURE", "-1015", "CANCELED"},
		{"a filter stops both", "old", strings.Replace(good, "price=50000", "price=50000.001", 1), "ALLOW_FAILURE", "", false, 400, -1013, "", "", "NEW"},
		{"a restriction", "old", good + "&cancelRestrictions=ONLY_PARTIALLY_FILLED", "STOP_ON_FAILURE", "", false, 400, -2022, "FAILURE NOT_ATTEMPTED", "", "NEW"},
	} {
		limit := 10
		if k.full {
			limit = 1
		}
		s := venueOf(t, func(cfg *Config) { cfg.Quiet = true; cfg.Orders = []RateLimit{{"DAY", 1, limit}} })
		c := restOf(t, s)
		c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=40000&newClientOrderId=old")
		params := "symbol=BTCUSDT&cancelOrigClientOrderId=" + k.cancel + "&cancelReplaceMode=" + k.mode + k.order
		if k.exceeded != "" {
			params += "&orderRateLimitExceededMode=" + k.exceeded
		}
		r := c.signed("POST", "/api/v3/order/cancelReplace", params)
		var m map[string]any
		if err := json.Unmarshal(r.body, &m); err != nil {
			t.Fatal(err)
		}
		if k.code != 0 && fmt.Sprint(m["code"]) != fmt.Sprint(k.code) || r.status != k.status {
			t.Errorf("%s: got %d %s, want %d %d", k.name, r.status, r.body, k.status, k.code)
		}
		data := m
		if k.code != 0 {
			data, _ = m["data"].(map[string]any)
		}
		if (data == nil) != (k.data == "") || data != nil && fmt.Sprint(data["cancelResult"], " ", data["newOrderResult"]) != k.data {
			t.Errorf("%s: got %s, want %s", k.name, r.body, k.data)
		}
		if k.newCode != "" {
			if n, _ := data["newOrderResponse"].(map[string]any); fmt.Sprint(n["code"]) != k.newCode {
				t.Errorf("%s: got %v, want %s inside", k.name, n, k.newCode)
			}
		}
		var o struct{ Status string }
		c.signed("GET", "/api/v3/order", "symbol=BTCUSDT&orderId=1").into(t, &o)
		if o.Status != k.old {
			t.Errorf("%s: got the old order %s, want %s", k.name, o.Status, k.old)
		}
	}
}

func TestAmendmentsFiltersAndWeights(t *testing.T) {
	s := venueOf(t, func(cfg *Config) { cfg.Quiet = true; cfg.MaxAsset = map[string]string{"USDT": "1000000", "ETH": "5"} })
	c := restOf(t, s)
	c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000&selfTradePreventionMode=NONE")
	used := func(r reply) string { return r.header.Get("X-MBX-USED-WEIGHT-1M") }
	r := c.signed("PUT", "/api/v3/order/amend/keepPriority", "symbol=BTCUSDT&orderId=1&newQty=0.008&newClientOrderId=b")
	if keysOf(t, r.body) != "amendedOrder executionId transactTime" || used(r) != "4" {
		t.Errorf("got %s at weight %s, want an amend of weight 4", r.body, used(r))
	}
	var list []json.RawMessage
	c.signed("GET", "/api/v3/order/amendments", "symbol=BTCUSDT&orderId=1").into(t, &list)
	if want := sorted("symbol orderId executionId origClientOrderId newClientOrderId origQty newQty time"); len(list) != 1 || keysOf(t, list[0]) != want {
		t.Errorf("got %s, want one amendment with %s", list, want)
	}
	c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.005&price=50000&selfTradePreventionMode=NONE")
	r = c.signed("PUT", "/api/v3/order/amend/keepPriority", "symbol=BTCUSDT&orderId=1&newQty=0.005")
	if !strings.Contains(string(r.body), `"status":"EXPIRED"`) || used(r) != "8" {
		t.Errorf("got %s at weight %s, want an amend that ends the order, of weight 0", r.body, used(r))
	}
	var f struct {
		ExchangeFilters, SymbolFilters []map[string]any
		AssetFilters                   []struct{ FilterType, Asset, Limit string }
	}
	r = c.signed("GET", "/api/v3/myFilters", "symbol=BTCUSDT")
	r.into(t, &f)
	if f.ExchangeFilters == nil || len(f.SymbolFilters) < 9 || len(f.AssetFilters) != 1 || f.AssetFilters[0].FilterType != "MAX_ASSET" || f.AssetFilters[0].Asset != "USDT" {
		t.Errorf("got %s, want the filters of BTCUSDT and MAX_ASSET of USDT", r.body)
	}
	if code, msg := c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=20.1&price=50000").code(t); code != -1013 || msg != "Filter failure: MAX_ASSET" {
		t.Errorf("got %d %s", code, msg)
	}
}

func TestExchangeInfoPublishesTheWholeSurface(t *testing.T) {
	const recorded = `{"exchangeFilters":[{"filterType":"EXCHANGE_MAX_NUM_ORDER_LISTS","maxNumOrderLists":1}],"symbols":[{"symbol":"BTCUSDT","status":"TRADING",
"baseAsset":"BTC","quoteAsset":"USDT","orderTypes":["LIMIT","STOP_LOSS_LIMIT"],"icebergAllowed":false,"ocoAllowed":true,"otoAllowed":false,
"allowTrailingStop":false,"amendAllowed":false,"cancelReplaceAllowed":true,"pegInstructionsAllowed":false,"filters":[]}]}`
	var info struct {
		ExchangeFilters []map[string]any
		Symbols         []struct {
			OrderTypes                                       []string
			IcebergAllowed, OcoAllowed, OtoAllowed           bool
			OpoAllowed, AllowTrailingStop, AmendAllowed      bool
			PegInstructionsAllowed, CancelReplaceAllowed     bool
			AllowedSelfTradePreventionModes                  []string
			Filters                                          []map[string]any
			QuoteOrderQtyMarketAllowed, IsSpotTradingAllowed bool
		}
	}
	restOf(t, venueOf(t, quiet)).get("/api/v3/exchangeInfo?symbol=BTCUSDT").into(t, &info)
	b := info.Symbols[0]
	if len(b.OrderTypes) != 7 || !b.IcebergAllowed || !b.OcoAllowed || !b.OtoAllowed || !b.AllowTrailingStop || !b.AmendAllowed ||
		!b.PegInstructionsAllowed || !b.CancelReplaceAllowed || b.OpoAllowed || slices.Contains(b.AllowedSelfTradePreventionModes, "TRANSFER") {
		t.Errorf("got %+v, want all but OPO and TRANSFER", b)
	}
	var names []string
	for _, f := range b.Filters {
		names = append(names, fmt.Sprint(f["filterType"]))
	}
	for _, want := range []string{"TRAILING_DELTA", "ICEBERG_PARTS", "MAX_NUM_ALGO_ORDERS", "MAX_NUM_ORDER_LISTS", "MAX_NUM_ORDER_AMENDS"} {
		if !slices.Contains(names, want) {
			t.Errorf("got filters %v, want %s among them", names, want)
		}
	}
	c := restOf(t, venueOf(t, func(cfg *Config) { cfg.Quiet = true; cfg.Symbols = nil; cfg.ExchangeInfo = []byte(recorded) }))
	c.get("/api/v3/exchangeInfo").into(t, &info)
	if b = info.Symbols[0]; fmt.Sprint(b.OrderTypes) != "[LIMIT STOP_LOSS_LIMIT]" || b.IcebergAllowed || b.OtoAllowed || b.AllowTrailingStop || b.AmendAllowed || b.PegInstructionsAllowed || len(info.ExchangeFilters) != 1 {
		t.Errorf("got %+v, want what was recorded", info)
	}
	for _, k := range []struct{ path, params, msg string }{
		{"order", "side=BUY&type=MARKET&quantity=1", "Market orders are not supported for this symbol."},
		{"order", "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&price=5&icebergQty=0.1", "Iceberg orders are not supported for this symbol."},
		{"order", "side=BUY&type=STOP_LOSS_LIMIT&timeInForce=GTC&quantity=1&price=5&trailingDelta=50", "Trailing stop orders are not supported for this symbol."},
		{"order", "side=BUY&type=LIMIT&timeInForce=GTC&quantity=1&pegPriceType=MARKET_PEG", "Pegged orders are not supported for this symbol."},
		{"orderList/oto", "workingType=LIMIT&workingSide=BUY&workingPrice=5&workingQuantity=1&workingTimeInForce=GTC&pendingType=MARKET&pendingSide=SELL&pendingQuantity=1", "OTO orders are not supported for this symbol."},
	} {
		if code, msg := c.signed("POST", "/api/v3/"+k.path, "symbol=BTCUSDT&"+k.params).code(t); code != -2010 || msg != k.msg {
			t.Errorf("%s: got %d %s, want %s", k.params, code, msg, k.msg)
		}
	}
}

func TestExecutionRulesAndReferencePrice(t *testing.T) {
	s := venueOf(t, func(cfg *Config) {
		cfg.Quiet = true
		cfg.PriceRanges = map[string]exchange.PriceRange{"BTCUSDT": {BidUp: exchange.MustFixed("1.01"), AskDown: exchange.MustFixed("0.99")}}
	})
	c := restOf(t, s)
	if code, _ := c.get("/api/v3/referencePrice?symbol=BTCUSDT").code(t); code != -2043 {
		t.Errorf("got %d, want -2043 before there was a reference price", code)
	}
	want := `{"symbolRules":[{"symbol":"BTCUSDT","rules":[{"ruleType":"PRICE_RANGE","bidLimitMultUp":"1.01","askLimitMultDown":"0.99"}]}]}`
	for _, target := range []string{"?symbol=BTCUSDT", "?symbolStatus=TRADING", ""} {
		if r := c.get("/api/v3/executionRules" + target); string(r.body) != want {
			t.Errorf("%s: got %s, want %s", target, r.body, want)
		}
	}
	if err := s.SetReferencePrice("BTCUSDT", "60000"); err != nil {
		t.Fatal(err)
	}
	if r := c.get("/api/v3/referencePrice?symbol=BTCUSDT"); keysOf(t, r.body) != "referencePrice symbol timestamp" || !strings.Contains(string(r.body), `"60000.00000000"`) {
		t.Errorf("got %s", r.body)
	}
	if r := c.get("/api/v3/referencePrice/calculation?symbol=BTCUSDT"); keysOf(t, r.body) != "calculationType externalCalculationId symbol" {
		t.Errorf("got %s", r.body)
	}
	c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.001&price=60601&selfTradePreventionMode=NONE")
	r := c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=61000&selfTradePreventionMode=NONE")
	if r.status != 200 || !strings.Contains(string(r.body), `"expiryReason":"EXECUTION_RULE_PRICE_RANGE_EXCEEDED"`) {
		t.Errorf("got %s, want a taker outside its range expired", r.body)
	}
	if err := s.SetReferencePrice("BTCUSDT", ""); err != nil {
		t.Fatal(err)
	}
	if r := c.get("/api/v3/referencePrice?symbol=BTCUSDT"); !strings.Contains(string(r.body), `"referencePrice":null`) {
		t.Errorf("got %s, want null", r.body)
	}
	st := dial(t, s.Stream()+"/ws/btcusdt@referencePrice")
	isNull := func(m map[string]any) bool { return m["e"] == "referencePrice" && m["s"] == "BTCUSDT" && m["r"] == nil }
	st.until(isNull)
	if r := c.raw("POST", "/sim/reference?symbol=BTCUSDT&price=60000", "", nil); r.status != 200 {
		t.Errorf("got %d %s", r.status, r.body)
	}
	if m := st.until(func(m map[string]any) bool { return !isNull(m) }); m["r"] != "60000.00000000" || m["t"] == nil || m["E"] != nil {
		t.Errorf("got %v, want the new price without an event time", m)
	}
	if s.SetReferencePrice("BTCUSDT", "x") == nil || s.SetReferencePrice("NOPE", "1") == nil {
		t.Error("got no error for a bad price or symbol")
	}
}

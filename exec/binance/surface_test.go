package binance

import (
	"errors"
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
)

func client(t testing.TB, s string) core.ClientID {
	t.Helper()
	c, ok := core.MakeClientID(s)
	if !ok {
		t.Fatalf("%q is too long", s)
	}
	return c
}

// asked is the newest call with its payload, wherever that stood.
func (v *restVenue) asked() string {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.calls[len(v.calls)-1]
}

func TestOrdersCarryEveryParameter(t *testing.T) {
	v, r := newRESTVenue(t, false)
	tr := NewTrader(r)
	v.body(200, `{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"me-1","transactTime":1507725176595}`)
	id := client(t, "me-1")
	for _, tc := range []struct {
		o    OrderRequest
		want string
	}{
		{OrderRequest{Terms: Terms{Type: core.Limit, Price: 10000000, Client: id}, Side: core.Sell, Qty: 200000000},
			"side=SELL&type=LIMIT&timeInForce=GTC&price=0.1&newClientOrderId=me-1&quantity=2"},
		{OrderRequest{Terms: Terms{Type: core.Limit, TIF: core.IOC, Price: 10000000, Client: id}, Qty: 1, STP: core.STPExpireBoth, Detail: DetailRESULT, Life: 250500 * time.Microsecond},
			"side=BUY&type=LIMIT&timeInForce=IOC&price=0.1&newClientOrderId=me-1&quantity=0.00000001&selfTradePreventionMode=EXPIRE_BOTH&newOrderRespType=RESULT"},
		{OrderRequest{Terms: Terms{Type: core.LimitMaker, Price: 10000000, Iceberg: 1, StrategyID: 7, StrategyType: 1000000, Client: id}, Qty: 2},
			"side=BUY&type=LIMIT_MAKER&price=0.1&icebergQty=0.00000001&strategyId=7&strategyType=1000000&newClientOrderId=me-1&quantity=0.00000002"},
		{OrderRequest{Terms: Terms{Type: core.MarketOrder, Client: id}, QuoteQty: 1050000000},
			"side=BUY&type=MARKET&newClientOrderId=me-1&quoteOrderQty=10.5"},
		{OrderRequest{Terms: Terms{Type: core.StopLoss, Stop: 100, Client: id}, Qty: 2},
			"side=BUY&type=STOP_LOSS&stopPrice=0.000001&newClientOrderId=me-1&quantity=0.00000002"},
		{OrderRequest{Terms: Terms{Type: core.TakeProfitLimit, TIF: core.FOK, Price: 100, Trail: 150, Client: id}, Qty: 2},
			"side=BUY&type=TAKE_PROFIT_LIMIT&timeInForce=FOK&price=0.000001&trailingDelta=150&newClientOrderId=me-1&quantity=0.00000002"},
		{OrderRequest{Terms: Terms{Type: core.Limit, Peg: PegPrimary, PegLevels: 3, Client: id}, Qty: 2},
			"side=BUY&type=LIMIT&timeInForce=GTC&pegPriceType=PRIMARY_PEG&pegOffsetType=PRICE_LEVEL&pegOffsetValue=3&newClientOrderId=me-1&quantity=0.00000002"},
	} {
		tc.o.Symbol = "BTCUSDT"
		o, err := tr.Place(t.Context(), &tc.o)
		if err != nil || o.VenueID != 28 || o.Status != core.Unknown || o.ListID != -1 || o.Transacted != 1507725176595e6 {
			t.Errorf("got %+v, %v", o, err)
		}
		if got := v.asked(); got != "POST /api/v3/order symbol=BTCUSDT&"+tc.want {
			t.Errorf("sent %s\nwant ...%s", got, tc.want)
		}
	}
}

func TestOrdersThatNoVenueTakesStayHere(t *testing.T) {
	v, r := newRESTVenue(t, false)
	tr := NewTrader(r)
	id := client(t, "me-1")
	good := OrderRequest{Terms: Terms{Type: core.Limit, Price: 1, Client: id}, Symbol: "BTCUSDT", Qty: 5}
	for word, spoil := range map[string]func(o *OrderRequest){
		"symbol is missing":       func(o *OrderRequest) { o.Symbol = "" },
		"price is missing":        func(o *OrderRequest) { o.Price = 0 },
		"client id":               func(o *OrderRequest) { o.Client = core.ClientID{} },
		`client id is "a b"`:      func(o *OrderRequest) { o.Client = client(t, "a b") },
		"want one above 0":        func(o *OrderRequest) { o.Qty = 0 },
		"quoteOrderQty is":        func(o *OrderRequest) { o.QuoteQty = 1 },
		"stopPrice":               func(o *OrderRequest) { o.Type = core.StopLossLimit },
		"want none for LIMIT":     func(o *OrderRequest) { o.Stop = 1 },
		"none for MARKET":         func(o *OrderRequest) { o.Type = core.MarketOrder },
		"want GTC for LIMIT_MAK":  func(o *OrderRequest) { o.Type, o.TIF = core.LimitMaker, core.IOC },
		"icebergQty":              func(o *OrderRequest) { o.Iceberg = 5 },
		"none for LIMIT IOC":      func(o *OrderRequest) { o.Iceberg, o.TIF = 1, core.IOC },
		"strategyType":            func(o *OrderRequest) { o.StrategyType = 999_999 },
		"PRIMARY_PEG for LIMIT_M": func(o *OrderRequest) { o.Type, o.Peg = core.LimitMaker, PegMarket },
		"levels":                  func(o *OrderRequest) { o.PegLevels = 1 },
		"101 levels":              func(o *OrderRequest) { o.Peg, o.PegLevels = PegPrimary, 101 },
		"type is 9":               func(o *OrderRequest) { o.Type = 9 },
		"below 0":                 func(o *OrderRequest) { o.Price = -1 },
		"recvWindow":              func(o *OrderRequest) { o.Life = time.Hour },
	} {
		o := good
		spoil(&o)
		_, err := tr.Place(t.Context(), &o)
		var ce *exec.CallError
		if !errors.As(err, &ce) || ce.Class != exec.ClassRefused || !strings.Contains(err.Error(), word) {
			t.Errorf("%s: got %v", word, err)
		}
	}
	if _, err := tr.PlaceSOR(t.Context(), &OrderRequest{Terms: Terms{Type: core.LimitMaker, Price: 1, Client: id}, Symbol: "BTCUSDT", Qty: 5}); err == nil {
		t.Error("a post-only order went to the SOR")
	}
	if len(v.calls) != 0 {
		t.Errorf("%v were sent, want nothing", v.calls)
	}
}

const fullBody = `{"symbol":"BTCUSDT","orderId":28,"orderListId":-1,"clientOrderId":"me-1","transactTime":1507725176595,"price":"4000.00000000","origQty":"1.00000000",` +
	`"executedQty":"1.00000000","origQuoteOrderQty":"0.000000","cummulativeQuoteQty":"4000.00000000","status":"FILLED","timeInForce":"GTC","type":"LIMIT","side":"SELL","workingTime":1507725176595,` +
	`"selfTradePreventionMode":"DECREMENT","preventedMatchId":3,"preventedQuantity":"0.50000000","tradeGroupId":1,"preventedMatches":[{"preventedMatchId":3,"makerSymbol":"BTCUSDT","makerOrderId":4,"price":"1.5","takerPreventedQuantity":"0.5","makerPreventedQuantity":"0.5"}],` +
	`"icebergQty":"0.1","stopPrice":"3999","trailingDelta":10,"trailingTime":-1,"strategyId":37,"strategyType":1000001,"usedSor":true,"workingFloor":"SOR","pegPriceType":"MARKET_PEG","pegOffsetType":"PRICE_LEVEL","pegOffsetValue":2,"peggedPrice":"87523.83","expiryReason":"NONE",` +
	`"fills":[{"price":"4000.00000000","qty":"1.00000000","commission":"4.00000000","commissionAsset":"ODD","tradeId":56}]}`

func TestOrdersAreReadWithEveryField(t *testing.T) {
	v, r := newRESTVenue(t, false)
	v.body(200, fullBody)
	q := OrderRequest{Terms: Terms{Type: core.Limit, Price: 4000e8, Client: client(t, "me-1")}, Symbol: "BTCUSDT", Side: core.Sell, Qty: 1e8}
	o, err := NewTrader(r).Place(t.Context(), &q)
	if err != nil {
		t.Fatal(err)
	}
	if o.Instrument != 0 || o.Status != core.Filled || o.Odd != "" || o.Side != core.Sell || o.STP != core.STPDecrement || o.Price != 4000e8 || o.Cum != 1e8 || o.CumQuote != 4000e8 ||
		o.Stop != 3999e8 || o.Iceberg != 1e7 || o.Trail != 10 || o.TrailingSince != 0 || o.StrategyID != 37 || o.StrategyType != 1000001 || !o.UsedSOR || o.Floor != "SOR" ||
		o.Peg != PegMarket || o.PegLevels != 2 || o.PeggedPrice != 8752383000000 || o.PreventedQty != 5e7 || len(o.Prevented) != 1 || o.Prevented[0].MakerOrder != 4 || o.ExpiryReason != "NONE" {
		t.Errorf("got %+v", o)
	}
	if len(o.Fills) != 1 || o.Fills[0] != (Fill{56, 4000e8, 1e8, 4e8, "ODD"}) {
		t.Errorf("fills are %+v", o.Fills)
	}
}

// The venue adds words and members without notice; an unknown status must read as
// Unknown, which means: ask.
func TestUnknownWordsAndMembersDoNotBreakAnOrder(t *testing.T) {
	v, r := newRESTVenue(t, false)
	body := strings.NewReplacer(`"FILLED"`, `"HALF_BAKED"`, `"LIMIT"`, `"LIMIT_ISH"`, `"GTC"`, `"GTX"`, `"SELL"`, `"HOLD"`, `"DECREMENT"`, `"WHATEVER"`, `"MARKET_PEG"`, `"MOON_PEG"`,
		`"orderListId"`, `"brandNew":{"x":[1]},"orderListId"`).Replace(fullBody)
	v.body(200, body)
	o, err := r.QueryOrder(t.Context(), "BTCUSDT", Ref{VenueID: 28})
	if err != nil || o.Status != core.Unknown || o.Type != 0 || o.Side != core.Buy || o.STP != core.STPDefault || o.Cum != 1e8 ||
		o.Odd != "status=HALF_BAKED side=HOLD type=LIMIT_ISH timeInForce=GTX selfTradePreventionMode=WHATEVER pegPriceType=MOON_PEG" {
		t.Errorf("got %+v, %v", o, err)
	}
}

func TestAnAnswerAboutAnotherOrderIsUnknown(t *testing.T) {
	v, r := newRESTVenue(t, false)
	q := OrderRequest{Terms: Terms{Type: core.Limit, Price: 4000e8, Client: client(t, "me-2")}, Symbol: "BTCUSDT", Side: core.Sell, Qty: 1e8}
	for _, body := range []string{fullBody, `{}`, `[]`, `{"symbol":"BTCUSDT","orderId":0,"clientOrderId":"me-2"}`, strings.Replace(fullBody, "BTCUSDT", "ETHBTC", 1)} {
		v.body(200, body)
		_, err := NewTrader(r).Place(t.Context(), &q)
		var ce *exec.CallError
		if !errors.As(err, &ce) || ce.Class != exec.ClassUnknown {
			t.Errorf("%s: got %v, want an unknown outcome", body, err)
		}
	}
}

func TestOrdersThatFindNoVenueWereNeverSent(t *testing.T) {
	v, r := newRESTVenue(t, false)
	v.srv.Close()
	q := OrderRequest{Terms: Terms{Type: core.Limit, Price: 4000e8, Client: client(t, "me-2")}, Symbol: "BTCUSDT", Qty: 1e8}
	_, err := NewTrader(r).Place(t.Context(), &q)
	var ce *exec.CallError
	if !errors.As(err, &ce) || ce.Class != exec.ClassRefused || ce.Status != 0 {
		t.Errorf("got %v, want refused: no byte left", err)
	}
}

const cancelBody = `{"symbol":"BTCUSDT","origClientOrderId":"old-1","orderId":27,"orderListId":-1,"clientOrderId":"c-1","transactTime":1,"price":"1.0","origQty":"2.0","executedQty":"0.5",` +
	`"origQuoteOrderQty":"0","cummulativeQuoteQty":"0.5","status":"CANCELED","timeInForce":"GTC","type":"LIMIT","side":"BUY","selfTradePreventionMode":"NONE"}`

const listCanceled = `{"orderListId":1,"contingencyType":"OCO","listStatusType":"ALL_DONE","listOrderStatus":"ALL_DONE","listClientOrderId":"l-1","transactionTime":5,"symbol":"BTCUSDT",` +
	`"orders":[{"symbol":"BTCUSDT","orderId":27,"clientOrderId":"old-1"}],"orderReports":[` + cancelBody + `]}`

// TestEveryRowOfAReplace is the table of section 7.3 of the facts, and what is not in it.
func TestEveryRowOfAReplace(t *testing.T) {
	const data = `{"code":%CODE%,"msg":"m","data":{"cancelResult":"%C%","newOrderResult":"%N%","cancelResponse":%CR%,"newOrderResponse":%NR%}}`
	const refusal = `{"code":-2011,"msg":"Unknown order sent."}`
	const full = `{"code":-1015,"msg":"Too many new orders"}`
	placed := fullBody
	row := func(code, c, n, cr, nr string) string {
		return strings.NewReplacer("%CODE%", code, "%C%", c, "%N%", n, "%CR%", cr, "%NR%", nr).Replace(data)
	}
	both := `{"cancelResult":"SUCCESS","newOrderResult":"SUCCESS","cancelResponse":` + cancelBody + `,"newOrderResponse":` + placed + `}`
	for _, tc := range []struct {
		name        string
		status      int
		body        string
		cancel, new Outcome
		class       exec.Class
		code        int // of the new half
	}{
		{"both", 200, both, Accepted, Accepted, exec.ClassAccepted, 0},
		{"not attempted", 400, row("-2022", "FAILURE", "NOT_ATTEMPTED", refusal, "null"), Refused, NotAttempted, exec.ClassRefused, 0},
		{"both failed", 400, row("-2022", "FAILURE", "FAILURE", refusal, `{"code":-2010,"msg":"Account has insufficient balance for requested action."}`), Refused, Refused, exec.ClassRefused, -2010},
		{"cancelled only", 409, row("-2021", "SUCCESS", "FAILURE", cancelBody, `{"code":-2010,"msg":"Order would immediately match and take."}`), Accepted, Refused, exec.ClassRefused, -2010},
		{"placed only", 409, row("-2021", "FAILURE", "SUCCESS", refusal, placed), Refused, Accepted, exec.ClassAccepted, 0},
		{"count full", 429, full, NotAttempted, Refused, exec.ClassLimited, -1015},
		{"count full, cancel only, 409", 409, row("-2021", "SUCCESS", "FAILURE", cancelBody, full), Accepted, Refused, exec.ClassLimited, -1015},
		{"count full, cancel only, 429", 429, row("-2021", "SUCCESS", "FAILURE", cancelBody, full), Accepted, Refused, exec.ClassLimited, -1015},
		{"filter", 400, `{"code":-1013,"msg":"Filter failure: LOT_SIZE"}`, NotAttempted, Refused, exec.ClassRefused, -1013},
		{"weight", 429, `{"code":-1003,"msg":"Too much request weight used"}`, NotAttempted, Refused, exec.ClassLimited, -1003},
		{"timeout", 504, `{"code":-1007,"msg":"Timeout"}`, OutcomeUnknown, OutcomeUnknown, exec.ClassUnknown, 0},
		{"timeout with 400", 400, `{"code":-1006,"msg":"x"}`, OutcomeUnknown, OutcomeUnknown, exec.ClassUnknown, 0},
		{"halves with 503", 503, row("-2021", "SUCCESS", "FAILURE", cancelBody, full), OutcomeUnknown, OutcomeUnknown, exec.ClassUnknown, 0},
		{"half lost", 409, row("-2021", "SUCCESS", "FAILURE", cancelBody, `{"code":-1007,"msg":"Timeout"}`), Accepted, OutcomeUnknown, exec.ClassUnknown, 0},
		{"a word of tomorrow", 409, row("-2021", "MAYBE", "SUCCESS", cancelBody, placed), OutcomeUnknown, Accepted, exec.ClassUnknown, 0},
		{"another order", 200, strings.Replace(both, "me-1", "me-9", 1), Accepted, OutcomeUnknown, exec.ClassUnknown, 0},
		{"failure with 200", 200, strings.Replace(both, `"newOrderResult":"SUCCESS"`, `"newOrderResult":"NOT_ATTEMPTED"`, 1), Accepted, NotAttempted, exec.ClassUnknown, 0},
		{"no halves", 409, `{"code":-2021,"msg":"m"}`, OutcomeUnknown, OutcomeUnknown, exec.ClassUnknown, 0},
		{"not JSON", 200, `{"cancelResult`, OutcomeUnknown, OutcomeUnknown, exec.ClassUnknown, 0},
		{"a list's leg", 200, strings.Replace(both, cancelBody, listCanceled, 1), Accepted, Accepted, exec.ClassAccepted, 0},
	} {
		v, r := newRESTVenue(t, false)
		v.body(tc.status, tc.body)
		q := ReplaceRequest{OrderRequest: OrderRequest{Terms: Terms{Type: core.Limit, Price: 4000e8, Client: client(t, "me-1")}, Symbol: "BTCUSDT", Side: core.Sell, Qty: 1e8},
			Old: Ref{Client: client(t, "old-1")}, Only: OnlyNew, AllowFailure: true, CancelAnyway: true}
		got, err := NewTrader(r).Replace(t.Context(), &q)
		class, ce := exec.ClassAccepted, (*exec.CallError)(nil)
		if errors.As(err, &ce) {
			class = ce.Class
		}
		if got.Cancel.Outcome != tc.cancel || got.New.Outcome != tc.new || class != tc.class || got.New.Code != tc.code || (err == nil) != (tc.cancel == Accepted && tc.new == Accepted) {
			t.Errorf("%s: got cancel %s, new %s %d, %v", tc.name, got.Cancel.Outcome, got.New.Outcome, got.New.Code, err)
		}
		if got.New.Outcome == Accepted && (got.New.Done == nil || got.New.Done.VenueID != 28) || got.Cancel.Outcome == Accepted && got.Cancel.Done == nil && got.Cancel.List == nil {
			t.Errorf("%s: an accepted half tells nothing: %+v", tc.name, got)
		}
		if tc.cancel == Refused && got.Cancel.Code != -2011 {
			t.Errorf("%s: the cancel was refused with %d, want -2011", tc.name, got.Cancel.Code)
		}
		const want = "&cancelReplaceMode=ALLOW_FAILURE&cancelOrigClientOrderId=old-1&cancelRestrictions=ONLY_NEW&orderRateLimitExceededMode=CANCEL_ONLY"
		if n := len(v.calls); n != 1 || !strings.HasSuffix(v.calls[0], want) {
			t.Errorf("%s: sent %q", tc.name, v.calls)
		}
	}
}

func TestAFullOrderCountOfAReplaceLeavesCancelsAlone(t *testing.T) {
	v, r := newRESTVenue(t, false)
	v.body(429, `{"code":-2021,"msg":"m","data":{"cancelResult":"SUCCESS","newOrderResult":"FAILURE","cancelResponse":`+cancelBody+`,"newOrderResponse":{"code":-1015,"msg":"x"}}}`, "Retry-After", "3600")
	q := ReplaceRequest{OrderRequest: OrderRequest{Terms: Terms{Type: core.Limit, Price: 1, Client: client(t, "me-1")}, Symbol: "BTCUSDT", Qty: 1e8}, Old: Ref{VenueID: 27}}
	if _, err := NewTrader(r).Replace(t.Context(), &q); err == nil {
		t.Fatal("no error")
	}
	if _, err := NewTrader(r).Place(t.Context(), &q.OrderRequest); err == nil || len(v.calls) != 1 {
		t.Errorf("an order passed the lock-out: %v", v.calls)
	}
	v.body(200, cancelBody)
	if _, err := r.CancelOrder(t.Context(), &CancelRequest{Symbol: "BTCUSDT", Ref: Ref{VenueID: 27}}); err != nil {
		t.Errorf("a cancel did not pass: %v", err)
	}
}

func TestCancelsAmendsAndListsSayWhatTheyShould(t *testing.T) {
	v, r := newRESTVenue(t, false)
	tr := NewTrader(r)
	id := client(t, "l-1")
	terms := func(name string, typ core.OrderType, price, stop core.Price) Terms {
		return Terms{Client: client(t, name), Type: typ, Price: price, Stop: stop}
	}
	list := ListRequest{Symbol: "BTCUSDT", Client: id, STP: core.STPNone, Detail: DetailACK}
	const above, below = "aboveType=LIMIT_MAKER&abovePrice=3&aboveClientOrderId=a", "belowType=STOP_LOSS_LIMIT&belowTimeInForce=GTC&belowPrice=1&belowStopPrice=2&belowClientOrderId=b"
	const head = "symbol=BTCUSDT&listClientOrderId=l-1&selfTradePreventionMode=NONE&newOrderRespType=ACK&"
	listAnswer := func(l *OrderList, err error) error {
		if err == nil && (l.ListID != 1 || l.Client != "l-1" || l.Contingency != "OCO" || len(l.Orders) != 1 || l.At != 5e6) {
			t.Errorf("list is %+v", l)
		}
		return err
	}
	for _, tc := range []struct {
		body, want string
		do         func() error
	}{
		{cancelBody, "DELETE /api/v3/order symbol=BTCUSDT&orderId=27&origClientOrderId=old-1&newClientOrderId=c-1&cancelRestrictions=ONLY_PARTIALLY_FILLED", func() error {
			c, err := r.CancelOrder(t.Context(), &CancelRequest{Symbol: "BTCUSDT", Ref: Ref{27, client(t, "old-1")}, CancelClient: client(t, "c-1"), Only: OnlyPartiallyFilled})
			if err == nil && (c.Order.Client != "old-1" || c.Order.Other != "c-1" || c.Order.Status != core.Canceled || c.List != nil) {
				t.Errorf("cancel is %+v", c.Order)
			}
			return err
		}},
		{listCanceled, "DELETE /api/v3/order symbol=BTCUSDT&orderId=27", func() error {
			c, err := r.CancelOrder(t.Context(), &CancelRequest{Symbol: "BTCUSDT", Ref: Ref{VenueID: 27}})
			if err == nil && (c.Order != nil || c.List.Reports[0].Client != "old-1") {
				t.Errorf("cancel is %+v", c)
			}
			return err
		}},
		{"[" + cancelBody + "," + listCanceled + "]", "DELETE /api/v3/openOrders symbol=BTCUSDT", func() error {
			c, err := r.CancelSymbol(t.Context(), "BTCUSDT")
			if err == nil && (len(c) != 2 || c[0].Order == nil || c[1].List == nil) {
				t.Errorf("cancels are %+v", c)
			}
			return err
		}},
		{`{"transactTime":7,"executionId":75,"amendedOrder":{"symbol":"BTCUSDT","orderId":33,"orderListId":-1,"origClientOrderId":"x","clientOrderId":"y","price":"6.0","qty":"5.0","executedQty":"1.0","preventedQty":"0.5","quoteOrderQty":"0","cumulativeQuoteQty":"6.0","status":"PARTIALLY_FILLED","timeInForce":"GTC","type":"LIMIT","side":"BUY","workingTime":1,"selfTradePreventionMode":"NONE"}}`,
			"PUT /api/v3/order/amend/keepPriority symbol=BTCUSDT&orderId=33&newClientOrderId=y&newQty=5", func() error {
				a, err := r.Amend(t.Context(), "BTCUSDT", Ref{VenueID: 33}, 5e8, client(t, "y"))
				if err == nil && (a.Client != "y" || a.Other != "x" || a.Qty != 5e8 || a.CumQuote != 6e8 || a.PreventedQty != 5e7 || a.ExecID != 75 || a.Transacted != 7e6) {
					t.Errorf("amend is %+v", a.Order)
				}
				return err
			}},
		{listCanceled, "POST /api/v3/orderList/oco " + head + "side=SELL&quantity=1&" + above + "&" + below, func() error {
			return listAnswer(tr.PlaceOCO(t.Context(), &OCORequest{list, core.Sell, 1e8, terms("a", core.LimitMaker, 3e8, 0), terms("b", core.StopLossLimit, 1e8, 2e8)}))
		}},
		{listCanceled, "POST /api/v3/orderList/oto " + head + "workingSide=BUY&workingQuantity=1&workingType=LIMIT&workingTimeInForce=GTC&workingPrice=3&workingClientOrderId=w&pendingSide=SELL&pendingQuantity=2&pendingType=MARKET&pendingClientOrderId=p", func() error {
			return listAnswer(tr.PlaceOTO(t.Context(), &OTORequest{list, core.Buy, core.Sell, 1e8, 2e8, terms("w", core.Limit, 3e8, 0), terms("p", core.MarketOrder, 0, 0)}))
		}},
		{listCanceled, "POST /api/v3/orderList/otoco " + head + "workingSide=BUY&workingQuantity=1&workingType=LIMIT&workingTimeInForce=GTC&workingPrice=3&workingClientOrderId=w&pendingSide=SELL&pendingQuantity=2&" +
			strings.NewReplacer("above", "pendingAbove", "below", "pendingBelow").Replace(above+"&"+below), func() error {
			return listAnswer(tr.PlaceOTOCO(t.Context(), &OTOCORequest{list, core.Buy, core.Sell, 1e8, 2e8, terms("w", core.Limit, 3e8, 0), terms("a", core.LimitMaker, 3e8, 0), terms("b", core.StopLossLimit, 1e8, 2e8)}))
		}},
		{listCanceled, "DELETE /api/v3/orderList symbol=BTCUSDT&orderListId=1&listClientOrderId=l-1", func() error {
			return listAnswer(r.CancelList(t.Context(), "BTCUSDT", Ref{1, id}))
		}},
		{listCanceled, "GET /api/v3/orderList origClientOrderId=l-1", func() error { return listAnswer(r.List(t.Context(), Ref{Client: id})) }},
		{"[" + listCanceled + "]", "GET /api/v3/allOrderList fromId=1&limit=500", func() error { l, err := r.AllLists(t.Context(), 1, 500); return listAnswer(l[0], err) }},
		{`{"symbol":"BTCUSDT","countdownTime":"120000"}`, "POST /fapi/v1/countdownCancelAll symbol=BTCUSDT&countdownTime=120000", func() error { return r.CountdownCancelAll(t.Context(), "BTCUSDT", 2*time.Minute) }},
	} {
		v.body(200, tc.body)
		if err := tc.do(); err != nil {
			t.Errorf("%s: %v", tc.want, err)
		}
		if got := v.asked(); got != tc.want {
			t.Errorf("sent %s\nwant %s", got, tc.want)
		}
	}
	before := len(v.calls)
	for name, err := range map[string]error{
		"cancel of nothing":   second(r.CancelOrder(t.Context(), &CancelRequest{Symbol: "BTCUSDT"})),
		"amend to nothing":    second(r.Amend(t.Context(), "BTCUSDT", Ref{VenueID: 1}, 0, id)),
		"negative countdown":  r.CountdownCancelAll(t.Context(), "BTCUSDT", -1),
		"list without id":     second(tr.PlaceOCO(t.Context(), &OCORequest{ListRequest: ListRequest{Symbol: "BTCUSDT"}})),
		"leg without price":   second(tr.PlaceOCO(t.Context(), &OCORequest{list, core.Sell, 1e8, terms("a", core.LimitMaker, 0, 0), terms("b", core.StopLoss, 0, 2e8)})),
		"market working leg":  second(tr.PlaceOTO(t.Context(), &OTORequest{list, core.Buy, core.Sell, 1e8, 2e8, terms("w", core.MarketOrder, 0, 0), terms("p", core.MarketOrder, 0, 0)})),
		"list of no quantity": second(tr.PlaceOTO(t.Context(), &OTORequest{list, core.Buy, core.Sell, 0, 2e8, terms("w", core.Limit, 1, 0), terms("p", core.MarketOrder, 0, 0)})),
	} {
		if err == nil {
			t.Errorf("%s was sent", name)
		}
	}
	if len(v.calls) != before {
		t.Errorf("%v were sent", v.calls[before:])
	}
}

func second[T any](_ T, err error) error { return err }

func TestAccountAndMarketCallsReadWhatTheVenueTells(t *testing.T) {
	v, r := newRESTVenue(t, false)
	const rates = `{"maker":"0.00000010","taker":"0.00000020","buyer":"0.00000030","seller":"0.00000040"}`
	const short = `{"maker":"0.00000010","taker":"0.00000020"}`
	const discount = `"discount":{"enabledForAccount":true,"enabledForSymbol":false,"discountAsset":"BNB","discount":"0.75000000"}`
	const ticker = `{"symbol":"BNBBTC","priceChange":"-94.99999800","priceChangePercent":"-95.960","weightedAvgPrice":"0.29628482","prevClosePrice":"0.10002000","lastPrice":"4.00000200","lastQty":"200.00000000","bidPrice":"4.00000000","bidQty":"100.00000000","askPrice":"4.00000200","askQty":"100.00000000","openPrice":"99.00000000","highPrice":"100.00000000","lowPrice":"0.10000000","volume":"8913.30000000","quoteVolume":"15.30000000","openTime":1499783499040,"closeTime":1499869899040,"firstId":28385,"lastId":28460,"count":76}`
	for _, tc := range []struct {
		body, want string
		do         func() (bool, error)
	}{
		{`{"symbol":"BTCUSDT","standardCommission":` + rates + `,"specialCommission":` + rates + `,"taxCommission":` + rates + `,` + discount + `}`, "GET /api/v3/account/commission symbol=BTCUSDT", func() (bool, error) {
			c, err := r.Commission(t.Context(), "BTCUSDT")
			return err == nil && c.Standard == Rates{10, 20, 30, 40} && c.ForAccount && !c.ForSymbol && c.DiscountAsset == "BNB" && c.Discount == 75e6, err
		}},
		{`{"standardCommissionForOrder":` + short + `,"specialCommissionForOrder":` + short + `,"taxCommissionForOrder":` + short + `,` + discount + `}`,
			"POST /api/v3/order/test symbol=BTCUSDT&side=BUY&type=MARKET&newClientOrderId=me&quantity=1&computeCommissionRates=true", func() (bool, error) {
				c, err := r.Test(t.Context(), &OrderRequest{Terms: Terms{Type: core.MarketOrder, Client: client(t, "me")}, Symbol: "BTCUSDT", Qty: 1e8}, true)
				return err == nil && c.Tax == Rates{10, 20, 0, 0}, err
			}},
		{`[{"rateLimitType":"ORDERS","interval":"SECOND","intervalNum":10,"limit":50,"count":3},{"rateLimitType":"ORDERS","interval":"DAY","intervalNum":1,"limit":160000,"count":4}]`, "GET /api/v3/rateLimit/order ", func() (bool, error) {
			c, err := r.OrderCounts(t.Context())
			return err == nil && len(c) == 2 && c[0] == OrderCount{10 * time.Second, 50, 3} && c[1].Span == 24*time.Hour, err
		}},
		{`[{"symbol":"BTCUSDT","preventedMatchId":1,"takerOrderId":5,"makerSymbol":"BTCUSDT","makerOrderId":3,"tradeGroupId":1,"selfTradePreventionMode":"EXPIRE_MAKER","price":"1.100000","makerPreventedQuantity":"1.300000","transactTime":1669101687094}]`,
			"GET /api/v3/myPreventedMatches symbol=BTCUSDT&orderId=5&limit=1000", func() (bool, error) {
				m, err := r.PreventedMatches(t.Context(), "BTCUSDT", 5, 0)
				return err == nil && len(m) == 1 && m[0].MakerLost == 13e7 && m[0].TakerLost == 0 && m[0].STP == core.STPExpireMaker, err
			}},
		{`[]`, "GET /api/v3/myPreventedMatches symbol=BTCUSDT&preventedMatchId=9", func() (bool, error) {
			m, err := r.PreventedMatch(t.Context(), "BTCUSDT", 9)
			return len(m) == 0, err
		}},
		{`{"exchangeFilters":[{"filterType":"EXCHANGE_MAX_NUM_ORDERS","maxNumOrders":1000}],"symbolFilters":[],"assetFilters":[{"filterType":"MAX_ASSET","asset":"JPY","limit":"1000000.00000000"}]}`, "GET /api/v3/myFilters symbol=BTCUSDT", func() (bool, error) {
			f, err := r.MyFilters(t.Context(), "BTCUSDT")
			return err == nil && f.Exchange[0].Fields["maxNumOrders"] == "1000" && f.Assets[0].Type == "MAX_ASSET" && f.Assets[0].Fields["limit"] == "1000000.00000000", err
		}},
		{`[{"symbol":"BTCUSDT","orderId":9,"executionId":22,"origClientOrderId":"A","newClientOrderId":"B","origQty":"5.0","newQty":"4.0","time":1741669661670}]`, "GET /api/v3/order/amendments symbol=BTCUSDT&orderId=9&limit=500", func() (bool, error) {
			a, err := r.Amendments(t.Context(), "BTCUSDT", 9, 0, 500)
			return err == nil && len(a) == 1 && a[0].NewQty == 4e8 && a[0].After == "B", err
		}},
		{`[{"a":26129,"p":"0.01633102","q":"4.70443515","f":27781,"l":27781,"T":1498793709153,"m":true,"M":true},{"a":26130,"p":"0","q":"0","f":-1,"l":-1,"T":1,"m":true,"M":true}]`, "GET /api/v3/aggTrades symbol=BTCUSDT&fromId=26129&limit=2", func() (bool, error) {
			a, err := r.AggTrades(t.Context(), "BTCUSDT", 26129, 0, 0, 2)
			return err == nil && len(a) == 2 && a[0].Qty == 470443515 && a[1].First == -1, err
		}},
		{`[]`, "GET /api/v3/historicalTrades symbol=BTCUSDT&fromId=7&limit=3", func() (bool, error) {
			a, err := r.HistoricalTrades(t.Context(), "BTCUSDT", 7, 3)
			return len(a) == 0, err
		}},
		{`{"mins":5,"price":"9.35751834","closeTime":1694061154503}`, "GET /api/v3/avgPrice symbol=BTCUSDT", func() (bool, error) {
			p, err := r.AvgPrice(t.Context(), "BTCUSDT")
			return p == 935751834, err
		}},
		{"[" + ticker + "]", `GET /api/v3/ticker/24hr symbols=%5B%22BNBBTC%22%5D`, func() (bool, error) {
			k, err := r.Tickers(t.Context(), "BNBBTC")
			return err == nil && len(k) == 1 && k[0].Change == -9499999800 && k[0].Bid == 4e8 && k[0].Count == 76 && k[0].ChangePercent == -9596000000, err
		}},
		{"[" + ticker + "]", `GET /api/v3/ticker windowSize=7d&symbols=%5B%22BNBBTC%22%2C%22BTCUSDT%22%5D`, func() (bool, error) {
			k, err := r.RollingTickers(t.Context(), "7d", "BNBBTC", "BTCUSDT")
			return len(k) == 1, err
		}},
		{`[{"symbol":"LTCBTC","bidPrice":"4.0","bidQty":"431.0","askPrice":"4.00000200","askQty":"9.0"}]`, "GET /api/v3/ticker/bookTicker", func() (bool, error) {
			k, err := r.BookTops(t.Context())
			return err == nil && k[0] == BookTop{"LTCBTC", 4e8, 400000200, 431e8, 9e8}, err
		}},
		{`[{"symbol":"LTCBTC","price":"4.0"}]`, "GET /api/v3/ticker/price", func() (bool, error) {
			k, err := r.LastPrices(t.Context())
			return err == nil && k[0] == LastPrice{"LTCBTC", 4e8}, err
		}},
		{`{"lastUpdateId":1027024,"bids":[["4.0","431.0"]],"asks":[["4.00000200","12.0"],["5","1"]]}`, "GET /api/v3/depth symbol=BTCUSDT&limit=5", func() (bool, error) {
			s, err := r.BookSnapshot(t.Context(), "BTCUSDT", 5)
			return err == nil && s.LastUpdateID == 1027024 && len(s.Asks) == 2 && s.Bids[0] == core.Level{Price: 4e8, Qty: 431e8}, err
		}},
	} {
		v.body(200, tc.body)
		if ok, err := tc.do(); !ok || err != nil {
			t.Errorf("%s: read wrongly, %v", tc.want, err)
		}
		if got := v.asked(); got != strings.TrimSuffix(tc.want, " ") && !strings.HasPrefix(got, tc.want+"recvWindow") {
			t.Errorf("sent %s\nwant %s", got, tc.want)
		}
	}
}

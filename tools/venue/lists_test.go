package venue

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	listFields = "orderListId contingencyType listStatusType listOrderStatus listClientOrderId transactionTime symbol orders"
	ocoTicket  = "symbol=BTCUSDT&side=SELL&quantity=0.01&aboveType=LIMIT_MAKER&abovePrice=65000&belowType=STOP_LOSS_LIMIT&belowStopPrice=55000&belowPrice=54000&belowTimeInForce=GTC"
	otoTicket  = "symbol=BTCUSDT&workingType=LIMIT&workingSide=BUY&workingPrice=50000&workingQuantity=0.01&workingTimeInForce=GTC&pendingType=MARKET&pendingSide=SELL&pendingQuantity=0.01"
	otoco      = "symbol=BTCUSDT&workingType=LIMIT&workingSide=BUY&workingPrice=50000&workingQuantity=0.01&workingTimeInForce=GTC&pendingSide=SELL&pendingQuantity=0.01" +
		"&pendingAboveType=TAKE_PROFIT&pendingAboveStopPrice=65000&pendingBelowType=STOP_LOSS&pendingBelowTrailingDelta=200"
	oldOCO = "symbol=BTCUSDT&side=BUY&quantity=0.01&price=50000&stopPrice=65000&stopLimitPrice=66000&stopLimitTimeInForce=GTC&limitClientOrderId=li&stopClientOrderId=st"
)

type listAnswer struct {
	OrderListID                                                               int64
	ContingencyType, ListStatusType, ListOrderStatus, ListClientOrderID, Code string
	Orders                                                                    []struct{ ClientOrderID string }
	OrderReports                                                              []json.RawMessage
}

func TestOrderListAnswersHaveTheDocumentedShape(t *testing.T) {
	for _, k := range []struct {
		path, params, kind string
		count              string
		legs               []string // fields beside those of RESULT
		statuses           string
	}{
		{"orderList/oco", ocoTicket, "OCO", "2", []string{"", "stopPrice"}, "NEW NEW"},
		{"orderList/oto", otoTicket, "OTO", "2", []string{"", ""}, "NEW PENDING_NEW"},
		{"orderList/otoco", otoco, "OTO", "3", []string{"", "stopPrice", "trailingDelta trailingTime"}, "NEW PENDING_NEW PENDING_NEW"},
		{"order/oco", oldOCO, "OCO", "2", []string{"stopPrice", ""}, "NEW NEW"},
	} {
		s := venueOf(t, func(cfg *Config) { cfg.Quiet = true; cfg.Orders = []RateLimit{{"DAY", 1, 100}} })
		c := restOf(t, s)
		c.printAt("60000") // a market order needs a price to be measured at; its fills give its counts back
		a := apiOf(t, s)
		a.signedCall("userDataStream.subscribe.signature")
		r := c.signed("POST", "/api/v3/"+k.path, k.params+"&listClientOrderId=mine")
		var l listAnswer
		r.into(t, &l)
		if r.status != 200 || keysOf(t, r.body) != sorted(listFields+" orderReports") {
			t.Errorf("%s: got %d %s, want fields %s orderReports", k.path, r.status, r.body, listFields)
			continue
		}
		if l.ContingencyType != k.kind || l.ListStatusType != "EXEC_STARTED" || l.ListOrderStatus != "EXECUTING" || l.ListClientOrderID != "mine" || len(l.Orders) != len(k.legs) {
			t.Errorf("%s: got %s", k.path, r.body)
		}
		if got := r.header.Get("X-MBX-ORDER-COUNT-1D"); got != k.count {
			t.Errorf("%s: got order count %s, want %s", k.path, got, k.count)
		}
		var statuses []string
		for i, leg := range l.OrderReports {
			if want := sorted(resultFields + " " + k.legs[i]); keysOf(t, leg) != want {
				t.Errorf("%s: leg %d: got %s, want fields %s", k.path, i, leg, want)
			}
			var o struct {
				Status      string
				OrderListID int64
			}
			if err := json.Unmarshal(leg, &o); err != nil || o.OrderListID != l.OrderListID {
				t.Errorf("%s: leg %d: got %s, want list %d", k.path, i, leg, l.OrderListID)
			}
			statuses = append(statuses, o.Status)
		}
		if got := strings.Join(statuses, " "); got != k.statuses {
			t.Errorf("%s: got %s, want %s", k.path, got, k.statuses)
		}
		ev, err := json.Marshal(a.event("listStatus"))
		if err != nil || keysOf(t, ev) != sorted("e E s g c l L r C T O") || !strings.Contains(string(ev), `"l":"EXEC_STARTED"`) {
			t.Errorf("%s: got event %s %v", k.path, ev, err)
		}
		if e := a.event("executionReport"); fmt.Sprint(e["g"]) != fmt.Sprint(l.OrderListID) {
			t.Errorf("%s: got report %v, want g %d", k.path, e, l.OrderListID)
		}
		r = c.signed("POST", "/api/v3/"+k.path, strings.ReplaceAll(k.params, "ClientOrderId=", "ClientOrderId=x")+"&newOrderRespType=ACK")
		r.into(t, &l)
		if keysOf(t, l.OrderReports[0]) != sorted("symbol orderId orderListId clientOrderId transactTime") {
			t.Errorf("%s: got %s, want ACK reports", k.path, r.body)
		}
	}
}

func TestOrderListsAreQueriedAndCanceled(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	a := apiOf(t, s)
	var l listAnswer
	c.signed("POST", "/api/v3/orderList/oco", ocoTicket+"&listClientOrderId=mine&aboveClientOrderId=up&belowClientOrderId=down").into(t, &l)
	for _, k := range []struct {
		path, params string
		many         bool
		status       string
	}{
		{"orderList", fmt.Sprintf("orderListId=%d", l.OrderListID), false, "EXECUTING"},
		{"orderList", "origClientOrderId=mine", false, "EXECUTING"},
		{"allOrderList", "", true, "EXECUTING"},
		{"openOrderList", "", true, "EXECUTING"},
	} {
		r := c.signed("GET", "/api/v3/"+k.path, k.params)
		body := r.body
		if k.many {
			var list []json.RawMessage
			r.into(t, &list)
			if len(list) != 1 {
				t.Fatalf("%s: got %s, want one list", k.path, r.body)
			}
			body = list[0]
		}
		if keysOf(t, body) != sorted(listFields) || !strings.Contains(string(body), k.status) {
			t.Errorf("%s?%s: got %s", k.path, k.params, r.body)
		}
	}
	for _, k := range []struct{ path, params, code string }{
		{"orderList", "", "-1102"}, {"orderList", "orderListId=99", "-2013"}, {"allOrderList", "fromId=1&startTime=1700000000000", "-1128"},
		{"allOrderList", "startTime=1700000000000&endTime=1700090000000", "-1127"},
	} {
		if code, _ := c.signed("GET", "/api/v3/"+k.path, k.params).code(t); fmt.Sprint(code) != k.code {
			t.Errorf("%s?%s: got %d, want %s", k.path, k.params, code, k.code)
		}
	}
	// Every way of cancelling answers with the list.
	cancels := []struct{ method, path, params string }{
		{"DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=down&newClientOrderId=bye"},
		{"DELETE", "/api/v3/orderList", "symbol=BTCUSDT&listClientOrderId=mine&newClientOrderId=bye"},
		{"DELETE", "/api/v3/openOrders", "symbol=BTCUSDT"},
	}
	for i, k := range cancels {
		r := c.signed(k.method, k.path, k.params)
		body := r.body
		if k.path == "/api/v3/openOrders" {
			var list []json.RawMessage
			r.into(t, &list)
			if len(list) != 2 || !strings.Contains(string(list[0]), `"origClientOrderId":"single"`) {
				t.Fatalf("%s: got %s, want an order and a list", k.path, r.body)
			}
			body = list[1]
		}
		l = listAnswer{}
		if err := json.Unmarshal(body, &l); err != nil || r.status != 200 || l.ListStatusType != "ALL_DONE" || l.ListOrderStatus != "ALL_DONE" || len(l.OrderReports) != 2 {
			t.Fatalf("%s: got %d %s, want the list ALL_DONE", k.path, r.status, r.body)
		}
		if want := sorted(strings.Replace(resultFields, "workingTime", "origClientOrderId", 1)); keysOf(t, l.OrderReports[0]) != want {
			t.Errorf("%s: got %s, want fields %s", k.path, l.OrderReports[0], want)
		}
		if i == 1 {
			c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=SELL&type=LIMIT&timeInForce=GTC&quantity=0.01&price=70000&newClientOrderId=single")
		}
		c.signed("POST", "/api/v3/orderList/oco", ocoTicket+"&listClientOrderId=mine&aboveClientOrderId=up&belowClientOrderId=down")
	}
	if code, _ := c.signed("DELETE", "/api/v3/orderList", "symbol=BTCUSDT&orderListId=99").code(t); code != -2011 {
		t.Errorf("got %d, want -2011", code)
	}
	// An amend of a leg names its list, and the change of its client id is an event.
	a.signedCall("userDataStream.subscribe.signature")
	r := c.signed("PUT", "/api/v3/order/amend/keepPriority", "symbol=BTCUSDT&origClientOrderId=up&newQty=0.005&newClientOrderId=higher")
	if keysOf(t, r.body) != "amendedOrder executionId listStatus transactTime" {
		t.Errorf("got %s, want listStatus", r.body)
	}
	if ev := a.event("listStatus"); ev["l"] != "UPDATED" || ev["L"] != "EXECUTING" {
		t.Errorf("got %v, want UPDATED", ev)
	}
	for range 2 {
		if ev := a.event("executionReport"); ev["x"] != "REPLACED" || ev["q"] != "0.00500000" {
			t.Errorf("got %v, want both legs REPLACED", ev)
		}
	}
}

func TestRefusedListsAnswerWithTheDocumentedCode(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	c.printAt("60000")
	for _, k := range []struct {
		path, params string
		code         int
		msg          string
	}{
		{"orderList/oco", strings.Replace(ocoTicket, "aboveType=LIMIT_MAKER", "aboveType=LIMIT", 1), -1158, ""},
		{"orderList/oco", strings.Replace(ocoTicket, "abovePrice=65000", "abovePrice=59000", 1), -2010, "The relationship of the prices for the orders is not correct."},
		{"orderList/oco", strings.Replace(ocoTicket, "&belowTimeInForce=GTC", "", 1), -1102, "Mandatory parameter 'belowTimeInForce' was not sent, was empty/null, or malformed."},
		{"orderList/oco", strings.Replace(ocoTicket, "&quantity=0.01", "", 1), -1102, "Mandatory parameter 'quantity' was not sent, was empty/null, or malformed."},
		{"orderList/oco", strings.Replace(ocoTicket, "&belowType=STOP_LOSS_LIMIT", "", 1), -1102, "Mandatory parameter 'belowType' was not sent, was empty/null, or malformed."},
		{"orderList/oco", ocoTicket + "&abovePegPriceType=SIDE", -1210, "Invalid pegPriceType."},
		{"orderList/oco", ocoTicket + "&abovePegPriceType=PRIMARY_PEG&abovePegOffsetType=TICK", -1211, "Invalid pegOffsetType."},
		{"orderList/oco", ocoTicket + "&aboveStrategyType=5", -1134, ""},
		{"orderList/oco", ocoTicket + "&belowClientOrderId=a+b", -1100, ""},
		{"orderList/oto", strings.Replace(otoTicket, "workingType=LIMIT", "workingType=MARKET", 1), -1014, "Unsupported order combination."},
		{"orderList/oto", strings.Replace(otoTicket, "&pendingQuantity=0.01", "", 1), -1102, ""},
		{"orderList/otoco", strings.Replace(otoco, "&pendingSide=SELL", "", 1), -1102, ""},
		{"orderList/otoco", strings.Replace(otoco, "pendingAboveType=TAKE_PROFIT", "pendingAboveType=STOP_LOSS", 1), -1197, ""},
		{"order/oco", strings.Replace(oldOCO, "&stopLimitTimeInForce=GTC", "", 1), -1102, ""},
		{"order/oco", strings.Replace(oldOCO, "&price=50000", "", 1), -1102, "Mandatory parameter 'price' was not sent, was empty/null, or malformed."},
		{"order/oco", strings.Replace(oldOCO, "&stopPrice=65000", "", 1), -1102, "Mandatory parameter 'stopPrice' was not sent, was empty/null, or malformed."},
		{"orderList/opo", "symbol=BTCUSDT", -2010, "OPO orders are not supported for this symbol."},
		{"orderList/opoco", "symbol=BTCUSDT", -2010, "OPO orders are not supported for this symbol."},
		{"sor/order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1", -1020, "This operation is not supported."},
		{"sor/order/test", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=1", -1020, "This operation is not supported."},
		{"orderList/opo", "symbol=NOPE", -1121, ""},
	} {
		r := c.signed("POST", "/api/v3/"+k.path, k.params)
		if code, msg := r.code(t); r.status != 400 || code != k.code || k.msg != "" && msg != k.msg {
			t.Errorf("%s %s: got %d %d %q, want %d %q", k.path, k.params, r.status, code, msg, k.code, k.msg)
		}
	}
	if r := c.signed("GET", "/api/v3/myAllocations", "symbol=BTCUSDT"); string(r.body) != "[]" {
		t.Errorf("got %s, want no allocations", r.body)
	}
}

func TestWSAPIOfListsAndTheRest(t *testing.T) {
	s := venueOf(t, quiet)
	restOf(t, s).printAt("60000")
	a := apiOf(t, s)
	pairs := func(params string) []string {
		var kv []string
		for p := range strings.SplitSeq(params, "&") {
			k, v, _ := strings.Cut(p, "=")
			kv = append(kv, k, v)
		}
		return kv
	}
	for _, k := range []struct{ method, params, status string }{
		{"orderList.place.oco", ocoTicket + "&listClientOrderId=one", "200"},
		{"orderList.status", "origClientOrderId=one", "200"},
		{"openOrderLists.status", "", "200"},
		{"allOrderLists", "", "200"},
		{"orderList.cancel", "symbol=BTCUSDT&listClientOrderId=one", "200"},
		{"orderList.place.oto", otoTicket, "200"},
		{"orderList.place.otoco", otoco, "200"},
		{"orderList.place", oldOCO, "200"},
		{"orderList.place.opo", "symbol=BTCUSDT", "400"},
		{"orderList.place.opoco", "symbol=BTCUSDT", "400"},
		{"sor.order.place", "symbol=BTCUSDT", "400"},
		{"sor.order.test", "symbol=BTCUSDT", "400"},
		{"myAllocations", "symbol=BTCUSDT", "200"},
		{"myFilters", "symbol=BTCUSDT", "200"},
		{"order.place", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=40000&icebergQty=0.001&newClientOrderId=ice", "200"},
		{"order.amend.keepPriority", "symbol=BTCUSDT&origClientOrderId=ice&newQty=0.005&newClientOrderId=ice", "200"},
		{"order.amendments", "symbol=BTCUSDT&orderId=12", "200"},
		{"order.cancelReplace", "symbol=BTCUSDT&cancelReplaceMode=STOP_ON_FAILURE&cancelOrigClientOrderId=ice&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=40000", "200"},
		{"openOrders.cancelAll", "symbol=BTCUSDT", "200"},
	} {
		var kv []string
		if k.params != "" {
			kv = pairs(k.params)
		}
		if m := a.signedCall(k.method, kv...); fmt.Sprint(m["status"]) != k.status {
			t.Errorf("%s: got %v, want %s", k.method, m, k.status)
		}
	}
}

func TestListQueriesMayLagToo(t *testing.T) {
	s := venueOf(t, func(cfg *Config) { cfg.Quiet = true; cfg.QueryLag = time.Hour })
	c := restOf(t, s)
	if r := c.signed("POST", "/api/v3/orderList/oco", ocoTicket+"&listClientOrderId=late"); r.status != 200 {
		t.Fatalf("got %s", r.body)
	}
	if code, _ := c.signed("GET", "/api/v3/orderList", "origClientOrderId=late").code(t); code != -2013 {
		t.Errorf("got %d, want -2013: the replica has not seen it", code)
	}
	if r := c.signed("GET", "/api/v3/openOrderList", ""); string(r.body) != "[]" {
		t.Errorf("got %s, want nothing yet", r.body)
	}
}

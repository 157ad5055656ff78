package exchange

import (
	"slices"
	"testing"
)

func TestListStructure(t *testing.T) {
	const working = "BUY LIMIT GTC 1@59000"
	for _, c := range []struct {
		kind string
		legs []string
		code int
		msg  string
	}{
		{"OCO", []string{"SELL LIMIT GTC 1@61000", sellStop}, -1158, "Order type not supported in OCO."},
		{"OCO", []string{"SELL MARKET 1", sellStop}, -1158, "Order type not supported in OCO."},
		{"OCO", []string{"SELL TAKE_PROFIT_LIMIT IOC 1@61000 stop=61000 iceberg=0.5", sellStop}, -1160, "Parameter 'aboveIcebergQty' is not supported if 'aboveTimeInForce' is not GTC."},
		{"OCO", []string{"BUY LIMIT_MAKER 1@59000", "BUY STOP_LOSS 1 stop=61000"}, -1165, "A limit order in a buy OCO must be below."},
		{"OCO", []string{sellStop, sellMaker}, -1166, "A limit order in a sell OCO must be above."},
		{"OCO", []string{sellMaker, "SELL LIMIT_MAKER 1@62000"}, -1168, "At least one OCO order must be contingent."},
		{"OCO", []string{"BUY STOP_LOSS 1 stop=61000", "BUY STOP_LOSS 1 stop=59000"}, -1196, "A stop loss order in a buy OCO must be above."},
		{"OCO", []string{sellStop, sellStop}, -1197, "A stop loss order in a sell OCO must be below."},
		{"OCO", []string{"BUY TAKE_PROFIT 1 stop=61000", "BUY LIMIT_MAKER 1@59000"}, -1198, "A take profit order in a buy OCO must be below."},
		{"OCO", []string{sellMaker, "SELL TAKE_PROFIT 1 stop=59000"}, -1199, "A take profit order in a sell OCO must be above."},
		{"OCO", []string{sellMaker}, -1014, "Unsupported order combination."},
		{"OCO", []string{"SELL LIMIT_MAKER 1@60000", sellStop}, -2010, textOCOPrices},
		{"OCO", []string{sellMaker, "SELL STOP_LOSS 1 stop=60000"}, -2010, textOCOPrices},
		{"OCO", []string{"BUY STOP_LOSS 1 stop=60000", "BUY LIMIT_MAKER 1@59000"}, -2010, textOCOPrices},
		{"OCO", []string{"BUY STOP_LOSS 1 stop=61000", "BUY TAKE_PROFIT 1 stop=60000"}, -2010, textOCOPrices},
		{"OCO", []string{"SELL LIMIT_MAKER 1@61000 id=x", "SELL STOP_LOSS 1 stop=59000 id=x"}, -2010, "Duplicate order sent."},
		{"OCO", []string{sellMaker + " id=taken", sellStop}, -2010, "Duplicate order sent."},
		{"OCO id=open", []string{sellMaker, sellStop}, -2010, "Duplicate order sent."},
		{"OCO id=a+b", []string{sellMaker, sellStop}, -1100, "Illegal characters found in parameter 'listClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'."},
		{"OCO", []string{"SELL LIMIT_MAKER 1001@61000", "SELL STOP_LOSS 1001 stop=59000"}, -2010, "Account has insufficient balance for requested action."},
		{"OCO", []string{"SELL LIMIT_MAKER 1@61000.001", sellStop}, -1013, "Filter failure: PRICE_FILTER"},
		{"OCO", []string{"SELL LIMIT_MAKER 1", sellStop}, -1102, "Mandatory parameter 'abovePrice' was not sent, was empty/null, or malformed."},
		{"OCO", []string{sellMaker, "SELL STOP_LOSS_LIMIT 1@58000 stop=59000"}, -1102, "Mandatory parameter 'belowTimeInForce' was not sent, was empty/null, or malformed."},
		{"OTO", []string{"BUY MARKET 1", sellStop}, -1014, "Unsupported order combination."},
		{"OTO", []string{"BUY STOP_LOSS 1 stop=61000", sellStop}, -1014, "Unsupported order combination."},
		{"OTO", []string{working, "SELL MARKET quote 100"}, -1106, "Parameter 'pendingQuoteOrderQty' sent when not required."},
		{"OTO", []string{working, "SELL STOP_LOSS 1"}, -1102, "Param 'pendingStopPrice' or 'pendingTrailingDelta' must be sent, but both were empty/null!"},
		{"OTO", []string{"BUY LIMIT_MAKER 1@60500", sellStop}, -2010, "Order would immediately match and take."},
		{"OTOCO", []string{working, sellStop, sellMaker}, -1166, "A limit order in a sell OCO must be above."},
		{"OTOCO", []string{working, sellMaker, "SELL LIMIT_MAKER 1@62000"}, -1168, "At least one OCO order must be contingent."},
	} {
		d := newDesk(t, nil)
		d.prints("60000")
		d.place(0, "BUY LIMIT GTC 1@100 id=taken")
		d.list(0, "OTO id=open", "BUY LIMIT GTC 1@100", "SELL MARKET 1")
		d.place(1, "SELL LIMIT GTC 1@60500")
		before := d.x.Account(0)
		_, rej := d.x.PlaceList(d.now, 0, listOf(c.kind, c.legs...))
		if rej == nil || rej.Code != c.code || rej.Msg != c.msg {
			t.Errorf("%s %q: got %v, want %d %s", c.kind, c.legs, rej, c.code, c.msg)
		}
		d.check()
		if after := d.x.Account(0); !slices.Equal(before.Balances, after.Balances) || len(d.x.OpenOrderLists(0)) != 1 {
			t.Errorf("%s %q: the reject changed the account", c.kind, c.legs)
		}
		if rej != nil && rej.Msg == textOCOPrices {
			last := d.rec.reports[len(d.rec.reports)-1]
			if s := d.rec.lists[len(d.rec.lists)-1]; last.Exec != ExecRejected || last.Reject != RejectOCOPrices || s.Type != ListResponse || s.Status != ListReject {
				t.Errorf("%s %q: got report %+v and list status %+v", c.kind, c.legs, last, s)
			}
		}
	}
	d := newDesk(t, func(c *Config) { c.Symbols[0].OCO, c.Symbols[0].OTO = false, false })
	for kind, want := range map[string]string{"OCO": "OCO orders are not supported for this symbol", "OTO": "OTO orders are not supported for this symbol."} {
		if _, rej := d.x.PlaceList(d.now, 0, listOf(kind, sellMaker, sellStop)); rej == nil || rej.Msg != want {
			t.Errorf("%s: got %v, want %s", kind, rej, want)
		}
	}
}

func TestListsAreCountedAsAWhole(t *testing.T) {
	oco := listOf("OCO", "SELL TAKE_PROFIT_LIMIT GTC 1@61000 stop=61000 iceberg=0.5", "SELL STOP_LOSS_LIMIT GTC 1@58000 stop=59000 iceberg=0.5")
	for _, c := range []struct {
		filter FilterType
		limit  int64
		pass   bool
	}{
		{MaxNumOrders, 1, false}, {MaxNumOrders, 2, true}, {MaxNumAlgoOrders, 1, false}, {MaxNumAlgoOrders, 2, true},
		{MaxNumIcebergOrders, 1, false}, {MaxNumIcebergOrders, 2, true}, {MaxNumOrderLists, 0, false}, {MaxNumOrderLists, 1, true},
		{ExchangeMaxNumOrders, 1, false}, {ExchangeMaxNumOrders, 2, true}, {ExchangeMaxNumAlgoOrders, 1, false},
		{ExchangeMaxNumIcebergOrders, 1, false}, {ExchangeMaxNumOrderLists, 0, false}, {ExchangeMaxNumOrderLists, 1, true},
	} {
		f := Filter{Type: c.filter, Limit: c.limit}
		d := newDesk(t, func(cfg *Config) {
			cfg.Symbols[0].Filters = nil
			if c.filter.overExchange() {
				cfg.ExchangeFilters = []Filter{f}
			} else {
				cfg.Symbols[0].Filters = []Filter{f}
			}
		})
		d.x.byName["BTCUSDT"].tape.last = fx("60000")
		_, rej := d.x.PlaceList(d.now, 0, oco)
		if c.pass != (rej == nil) || rej != nil && (rej.Code != -1013 || rej.Msg != "Filter failure: "+c.filter.String()) {
			t.Errorf("%s %d: got %v, want pass %v", c.filter, c.limit, rej, c.pass)
		}
	}
	// A pair of buys counts its quantity once in MAX_POSITION.
	d := withFilters(t, Filter{Type: MaxPosition, MaxPosition: fx("1003")})
	d.prints("60000")
	d.list(0, "OCO", "BUY STOP_LOSS 1 stop=61000", "BUY LIMIT_MAKER 1@59000")
	d.place(0, "BUY LIMIT GTC 2@100")
	d.refused(0, ticket("BUY LIMIT GTC 0.1@100"), -1013, "Filter failure: MAX_POSITION")
}

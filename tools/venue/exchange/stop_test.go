package exchange

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// prints makes a trade of accounts 2 and 3 at each price. The book must not
// reach the price.
func (d *desk) prints(prices ...string) {
	d.t.Helper()
	for _, p := range prices {
		d.place(3, "SELL LIMIT GTC 0.00001@"+p)
		d.place(2, "BUY LIMIT IOC 0.00001@"+p)
	}
}

// order is an account's order as a query shows it.
func (d *desk) order(a AccountID, id int64) *Order {
	d.t.Helper()
	o, rej := d.x.Order(a, "BTCUSDT", Some(id), "")
	if rej != nil {
		d.t.Fatal(rej)
	}
	return o
}

func TestStopsTriggerOnTheirSideOfTheLastPrice(t *testing.T) {
	for _, c := range []struct {
		order   string
		quiet   []string // trades that do not trigger it
		trigger string
		refused string // stop on the wrong side of the last price, 60000
	}{
		{"BUY STOP_LOSS 1 stop=61000", []string{"60999", "59000"}, "61000", "BUY STOP_LOSS 1 stop=60000"},
		{"SELL STOP_LOSS 1 stop=59000", []string{"59001", "61000"}, "59000", "SELL STOP_LOSS 1 stop=60000"},
		{"SELL TAKE_PROFIT 1 stop=61000", []string{"60999", "59000"}, "61001", "SELL TAKE_PROFIT 1 stop=59999"},
		{"BUY TAKE_PROFIT 1 stop=59000", []string{"59001", "61000"}, "58999", "BUY TAKE_PROFIT 1 stop=60001"},
		{"BUY STOP_LOSS_LIMIT GTC 1@62000 stop=61000", []string{"60999"}, "61000", "BUY STOP_LOSS_LIMIT GTC 1@62000 stop=59000"},
		{"SELL STOP_LOSS_LIMIT GTC 1@58000 stop=59000", []string{"59001"}, "58999", "SELL STOP_LOSS_LIMIT GTC 1@58000 stop=61000"},
		{"SELL TAKE_PROFIT_LIMIT GTC 1@60500 stop=61000", []string{"60999"}, "61000", "SELL TAKE_PROFIT_LIMIT GTC 1@60500 stop=60000"},
		{"BUY TAKE_PROFIT_LIMIT GTC 1@59500 stop=59000", []string{"59001"}, "59000", "BUY TAKE_PROFIT_LIMIT GTC 1@59500 stop=60000"},
	} {
		d := newDesk(t, nil)
		d.prints("60000")
		d.rec.reset()
		d.refused(0, ticket(c.refused), -2010, "Order would trigger immediately.")
		if r := d.rec.reports[0]; r.Exec != ExecRejected || r.Reject != RejectStopTrigger {
			t.Errorf("%s: got report %+v, want REJECTED with the trigger's reason", c.refused, r)
		}
		d.rec.reset()
		rep := d.place(0, c.order)
		if rep.Status != StatusNew || rep.IsWorking || rep.WorkingTime != -1 || len(rep.Fills) != 0 {
			t.Errorf("%s: got %+v, want NEW and not working", c.order, rep.Order)
		}
		if r := d.rec.reports[0]; r.Exec != ExecNew || r.OnBook || r.WorkingTime != -1 || r.StopPrice == 0 {
			t.Errorf("%s: got report %+v, want NEW off the book", c.order, r)
		}
		d.wantBook("|")
		d.prints(c.quiet...)
		if o := d.order(0, rep.OrderID); o.IsWorking {
			t.Errorf("%s: working after trades at %v", c.order, c.quiet)
		}
		d.now += second
		d.rec.reset()
		d.prints(c.trigger)
		o := d.order(0, rep.OrderID)
		if !o.IsWorking || o.WorkingTime != d.now {
			t.Errorf("%s: got %+v after a trade at %s, want working", c.order, o, c.trigger)
		}
		if i := slices.IndexFunc(d.rec.reports, func(r ExecutionReport) bool { return r.OrderID == rep.OrderID }); i < 0 || !d.rec.reports[i].OnBook {
			t.Errorf("%s: got no report of the trigger", c.order)
		}
		if want := o.Type.priced(); want != (o.Status == StatusNew) || !want && (o.Status != StatusExpired || o.ExpiryReason != ExpiryLiquidity) {
			t.Errorf("%s: got %s %s on an empty book", c.order, o.Status, o.ExpiryReason)
		}
		for _, asset := range []string{"BTC", "USDT"} {
			if _, locked := d.balance(0, asset); locked != 0 != (o.Type.priced() && (asset == "BTC") == (o.Side == Sell)) {
				t.Errorf("%s: got %d of %s locked at the end", c.order, locked, asset)
			}
		}
	}
}

func TestWaitingStopsLockFundsAndAreCanceled(t *testing.T) {
	for _, c := range []struct{ order, btc, usdt string }{
		{"SELL STOP_LOSS 2 stop=59000", "2", "0"},
		{"SELL TAKE_PROFIT_LIMIT GTC 2@61500 stop=61000", "2", "0"},
		{"BUY STOP_LOSS_LIMIT GTC 2@62000 stop=61000", "0", "124000"},
		{"BUY STOP_LOSS 2 stop=61000", "0", "122000"},
		{"BUY STOP_LOSS 2 trail=100", "0", "120000"},
		{"BUY TAKE_PROFIT_LIMIT GTC 2 stop=59000 peg=PRIMARY_PEG", "0", "118000"},
	} {
		d := newDesk(t, nil)
		d.prints("60000")
		id := d.place(0, c.order).OrderID
		_, btc := d.balance(0, "BTC")
		_, usdt := d.balance(0, "USDT")
		if btc != fx(c.btc) || usdt != fx(c.usdt) {
			t.Errorf("%s: got %d BTC and %d USDT locked, want %s and %s", c.order, btc, usdt, c.btc, c.usdt)
		}
		rep, rej := d.x.Cancel(d.now, 0, &CancelRequest{Symbol: "BTCUSDT", OrderID: Some(id)})
		if rej != nil || rep.Status != StatusCanceled {
			t.Errorf("%s: got %+v %v, want it cancelled", c.order, rep, rej)
		}
		d.check()
		d.wantBalance(0, "BTC", "1000", "0")
		d.wantBalance(0, "USDT", "100000000", "0")
	}
	d := newDesk(t, nil)
	d.refused(0, ticket("SELL STOP_LOSS 1001 stop=59000"), -2010, "Account has insufficient balance for requested action.")
	d.refused(0, ticket("BUY STOP_LOSS 2000 stop=61000"), -2010, "Account has insufficient balance for requested action.")
}

// A trade triggers a stop, whose trade triggers the next one, and so on: all in
// one transaction, in the order in which the trades reached them.
func TestStopsTriggerEachOtherInOneTransaction(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Symbols[0].Filters = nil })
	d.prints("100")
	const n = 300
	for i := range n {
		d.place(1, fmt.Sprintf("SELL LIMIT GTC 1@%d", 101+i))
		d.place(0, fmt.Sprintf("BUY STOP_LOSS 1 stop=%d", 101+i))
	}
	d.rec.reset()
	d.place(2, "BUY MARKET 1") // takes 101, which sets off the rest
	if got := d.x.byName["BTCUSDT"].tape.last; got != fx("400") {
		t.Errorf("got last price %d, want 400", got)
	}
	tops, filled, expired := 0, 0, 0
	for _, l := range d.rec.lines {
		switch l {
		case "top":
			tops++
		case "0:TRADE/FILLED":
			filled++
		case "0:EXPIRED/EXPIRED":
			expired++
		}
	}
	if tops != 1 || filled != n-1 || expired != 1 {
		t.Errorf("got %d tops, %d filled, %d expired; want one transaction, all but the last filled", tops, filled, expired)
	}
	if open, _ := d.x.OpenOrders(0, ""); len(open) != 0 {
		t.Errorf("got %d open orders, want none", len(open))
	}
}

func TestStopsOfOneTradeRunInTheOrderOfTheirAcceptance(t *testing.T) {
	d := newDesk(t, nil)
	d.prints("60000")
	first := d.place(0, "BUY STOP_LOSS 1 stop=60500").OrderID
	second := d.place(1, "BUY STOP_LOSS 1 stop=60200").OrderID
	d.place(3, "SELL LIMIT GTC 1@61000")
	d.place(3, "SELL LIMIT GTC 1@61001")
	d.place(3, "SELL LIMIT GTC 1@61002")
	d.rec.reset()
	d.place(2, "BUY MARKET 1")
	a, b := d.order(0, first), d.order(1, second)
	if a.CumQuote != fx("61001") || b.CumQuote != fx("61002") {
		t.Errorf("got %d and %d spent, want the order accepted first to trade first", a.CumQuote, b.CumQuote)
	}
}

func TestTriggeredStopWithoutFundsExpiresAsRejected(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Accounts[0].Balances["USDT"] = 61_000 * One })
	d.prints("60000")
	id := d.place(0, "BUY STOP_LOSS 1 stop=60900").OrderID
	d.place(3, "SELL LIMIT GTC 0.1@61000")
	d.place(3, "SELL LIMIT GTC 2@63000")
	d.place(2, "BUY MARKET 0.1")
	if o := d.order(0, id); o.Status != StatusExpired || o.ExpiryReason != ExpiryRejected || o.ExecutedQty != 0 {
		t.Errorf("got %+v, want EXPIRED with REJECTED: the book asks more than the account has", o)
	}
	d.wantBalance(0, "USDT", "61000", "0")
}

// Section 7.10 of the venue page: what starts tracking, and what triggers.
func TestTrailingStopsFollowTheTrades(t *testing.T) {
	for _, c := range []struct {
		name, order string
		trades      string // the last one triggers
		tracks      int    // index of the trade that starts tracking
	}{
		{"buy from the lowest", "BUY STOP_LOSS 1 trail=100", "59000 58000 58579.99 58580", 0},
		{"buy from the base", "BUY TAKE_PROFIT 1 trail=100", "60599.99 60600", 0},
		{"sell from the highest", "SELL STOP_LOSS 1 trail=100", "61000 62000 61380.01 61380", 0},
		{"sell from the base", "SELL TAKE_PROFIT 1 trail=100", "59400.01 59400", 0},
		{"take profit sell waits for its stop", "SELL TAKE_PROFIT 1 stop=61000 trail=100", "59000 61500 60885.01 60885", 1},
		{"stop loss buy waits for its stop", "BUY STOP_LOSS 1 stop=61000 trail=100", "60900 61000 60000 60600", 1},
		{"stop loss sell waits for its stop", "SELL STOP_LOSS 1 stop=59000 trail=100", "60000 58900 59500 58905", 1},
		{"take profit buy waits for its stop", "BUY TAKE_PROFIT 1 stop=59000 trail=100", "62000 58000 58580", 1},
		{"limit type", "SELL STOP_LOSS_LIMIT GTC 1@50000 trail=200", "61000 59780", 0},
	} {
		d := newDesk(t, nil)
		d.prints("60000")
		rep := d.place(0, c.order)
		if rep.TrailingTime != -1 || rep.TrailingDelta == 0 {
			t.Errorf("%s: got %+v, want no tracking yet", c.name, rep.Order)
		}
		trades := strings.Fields(c.trades)
		for i, p := range trades {
			d.now += second
			d.prints(p)
			o := d.order(0, rep.OrderID)
			if tracking := o.TrailingTime != -1; tracking != (i >= c.tracks) {
				t.Errorf("%s: after %s: got tracking %v", c.name, p, tracking)
			}
			if o.IsWorking != (i == len(trades)-1) {
				t.Errorf("%s: after %s: got working %v", c.name, p, o.IsWorking)
			}
		}
	}
}

func TestStopFilters(t *testing.T) {
	above := Filter{Type: TrailingDelta, MinAboveDelta: 10, MaxAboveDelta: 200, MinBelowDelta: 20, MaxBelowDelta: 300}
	price := Filter{Type: PriceFilter, MinPrice: fx("10"), MaxPrice: fx("100000"), TickSize: fx("0.5")}
	lot := Filter{Type: LotSize, MinQty: fx("0.1"), MaxQty: fx("50"), StepSize: fx("0.1")}
	parts := Filter{Type: IcebergParts, Limit: 10}
	market := Filter{Type: MarketLotSize, MinQty: fx("1"), MaxQty: fx("5")}
	for _, c := range []struct {
		name   string
		filter Filter
		order  string
		pass   bool
	}{
		{"above pair for stop loss buy", above, "BUY STOP_LOSS 1 trail=10", true},
		{"above pair, too small", above, "BUY STOP_LOSS 1 trail=9", false},
		{"above pair for take profit sell", above, "SELL TAKE_PROFIT 1 trail=201", false},
		{"below pair for stop loss sell", above, "SELL STOP_LOSS 1 trail=19", false},
		{"below pair for take profit buy", above, "BUY TAKE_PROFIT_LIMIT GTC 1@100 trail=300", true},
		{"below pair, too large", above, "BUY TAKE_PROFIT_LIMIT GTC 1@100 trail=301", false},
		{"stopPrice on the grid", price, "BUY STOP_LOSS 1 stop=61000.5", true},
		{"stopPrice off the grid", price, "BUY STOP_LOSS 1 stop=61000.4", false},
		{"stopPrice above", price, "BUY STOP_LOSS 1 stop=100000.5", false},
		{"icebergQty on the grid", lot, "BUY LIMIT GTC 1@100 iceberg=0.2", true},
		{"icebergQty off the grid", lot, "BUY LIMIT GTC 1@100 iceberg=0.25", false},
		{"icebergQty below", lot, "BUY LIMIT GTC 1@100 iceberg=0.05", false},
		{"ten parts", parts, "BUY LIMIT GTC 1@100 iceberg=0.1", true},
		{"eleven parts", parts, "BUY LIMIT GTC 1.01@100 iceberg=0.1", false},
		{"market lot of a market stop", market, "SELL STOP_LOSS 6 stop=59000", false},
		{"market lot is not for limit stops", market, "SELL STOP_LOSS_LIMIT GTC 6@50000 stop=59000", true},
	} {
		d := withFilters(t)
		d.prints("60000")
		d.x.byName["BTCUSDT"].sym.Filters = []Filter{c.filter}
		if c.pass {
			d.place(0, c.order)
			continue
		}
		d.refused(0, ticket(c.order), -1013, "Filter failure: "+c.filter.Type.String())
	}
}

func TestCountFiltersOfStopsAndIcebergs(t *testing.T) {
	for _, c := range []struct {
		filter       FilterType
		order, other string // other is not counted
		orderOfOther string
	}{
		{MaxNumAlgoOrders, "BUY STOP_LOSS_LIMIT GTC 1@62000 stop=61000", "BUY LIMIT GTC 1@100", "BUY STOP_LOSS 1 stop=61000 sym=ETHUSDT"},
		{MaxNumIcebergOrders, "BUY LIMIT GTC 1@100 iceberg=0.5", "BUY LIMIT GTC 1@100", "BUY LIMIT GTC 1@100 iceberg=0.5 sym=ETHUSDT"},
		{ExchangeMaxNumAlgoOrders, "BUY STOP_LOSS_LIMIT GTC 1@62000 stop=61000", "BUY LIMIT GTC 1@100", ""},
		{ExchangeMaxNumIcebergOrders, "BUY LIMIT GTC 1@100 iceberg=0.5", "BUY LIMIT GTC 1@100", ""},
	} {
		d := newDesk(t, func(cfg *Config) {
			eth, _ := builtinSymbol("ETHUSDT")
			eth.Filters = nil
			cfg.Symbols = append(cfg.Symbols, eth)
			cfg.Symbols[0].Filters = nil
			if c.filter.overExchange() {
				cfg.ExchangeFilters = []Filter{{Type: c.filter, Limit: 2}}
			} else {
				cfg.Symbols[0].Filters = []Filter{{Type: c.filter, Limit: 2}}
			}
		})
		d.prints("60000")
		id := d.place(0, c.order).OrderID
		d.place(0, c.order)
		d.place(0, c.other)
		if c.orderOfOther != "" {
			d.place(0, c.orderOfOther)
		}
		d.refused(0, ticket(c.order), -1013, "Filter failure: "+c.filter.String())
		if _, rej := d.x.Cancel(d.now, 0, &CancelRequest{Symbol: "BTCUSDT", OrderID: Some(id)}); rej != nil {
			t.Fatal(rej)
		}
		d.place(0, c.order)
	}
}

func TestMaxAssetLimitsQuantityAndNotional(t *testing.T) {
	d := newDesk(t, func(c *Config) {
		c.AssetLimits = []AssetLimit{{"USDT", fx("120000")}, {"BTC", fx("3")}, {"ETH", One}}
	})
	d.prints("60000")
	d.place(0, "BUY LIMIT GTC 2@60000")
	d.place(0, "SELL LIMIT GTC 1.9@63000")
	for _, order := range []string{"BUY LIMIT GTC 3.1@10", "BUY LIMIT GTC 2@60000.01", "SELL MARKET 2.1", "BUY MARKET quote 120001"} {
		d.refused(0, ticket(order), -1013, "Filter failure: MAX_ASSET")
	}
	if got := d.x.AssetLimits("BTCUSDT"); len(got) != 2 || got[0].Asset != "BTC" {
		t.Errorf("got %v, want the limits of BTC and USDT", got)
	}
}

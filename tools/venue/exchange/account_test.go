package exchange

import (
	"testing"
)

func TestLimitBuyLocksQuoteAndReleasesImprovement(t *testing.T) {
	d := newDesk(t, nil)
	d.place(0, "SELL LIMIT GTC 1@60000")
	d.wantBalance(0, "BTC", "999", "1")
	d.place(1, "BUY LIMIT GTC 3@61000")
	// One bought at 60000 instead of 61000: the improvement is free again, the
	// rest is locked at the order's price. Commission is in what was received.
	d.wantBalance(1, "USDT", "99818000", "122000")
	d.wantBalance(1, "BTC", "1000.999", "0")
	d.wantBalance(0, "BTC", "999", "0")
	d.wantBalance(0, "USDT", "100059970", "0") // 60000 less 5 bps as maker
	if got := d.x.Fees("BTC"); got != fx("0.001") {
		t.Errorf("fees in BTC: got %d, want 0.001", got)
	}
	if got := d.x.Fees("USDT"); got != fx("30") {
		t.Errorf("fees in USDT: got %d, want 30", got)
	}
}

func TestCancelReleasesExactlyWhatIsLocked(t *testing.T) {
	d := newDesk(t, nil)
	rep := d.place(0, "BUY LIMIT GTC 0.12345@61837.63")
	d.wantBalance(0, "USDT", "99992366.1445765", "7633.8554235")
	if _, rej := d.x.Cancel(d.now, 0, &CancelRequest{Symbol: "BTCUSDT", OrderID: Some(rep.OrderID)}); rej != nil {
		t.Fatal(rej)
	}
	d.wantBalance(0, "USDT", "100000000", "0")
}

func TestInsufficientBalanceIsRejected(t *testing.T) {
	small := func(c *Config) {
		c.Accounts[1].Balances = map[string]Fixed{"BTC": fx("0.5"), "USDT": fx("1000")}
	}
	d := newDesk(t, small)
	d.place(0, "SELL LIMIT GTC 1@61900")
	d.place(0, "BUY LIMIT GTC 1@60000")
	for _, o := range []string{
		"BUY LIMIT GTC 0.1@60000", "SELL LIMIT GTC 0.51@62000", "BUY MARKET 0.1", "SELL MARKET 0.6", "BUY MARKET quote 1001", "SELL MARKET quote 31000",
	} {
		d.rec.reset()
		d.refused(1, ticket(o), -2010, "Account has insufficient balance for requested action.")
		if len(d.rec.reports) != 1 || d.rec.reports[0].Reject != RejectBalance {
			t.Errorf("%s: got reports %+v, want one REJECTED for INSUFFICIENT_BALANCES", o, d.rec.reports)
		}
	}
	d.place(1, "BUY LIMIT GTC 0.01@60000")
	d.place(1, "SELL LIMIT GTC 0.5@62000")
	d.refused(1, ticket("SELL LIMIT GTC 0.00100@62000"), -2010, "Account has insufficient balance for requested action.")
}

func TestCommissionIsRoundedDownAndPaidByBothSides(t *testing.T) {
	d := newDesk(t, nil)
	d.place(0, "SELL LIMIT GTC 0.00123@61837.63")
	d.rec.reset()
	rep := d.place(1, "BUY LIMIT GTC 0.00123@61837.63")
	// quote 76.0602849, maker 5 bps of it 0.03803014245, taker 10 bps of 0.00123.
	if rep.Fills[0].Commission != fx("0.00000123") || rep.Fills[0].CommissionAsset != "BTC" {
		t.Errorf("taker: got %+v, want 0.00000123 BTC", rep.Fills[0])
	}
	maker := d.rec.reports[2]
	if maker.Commission != fx("0.03803014") || maker.CommAsset != "USDT" || !maker.Maker || maker.LastQuote != fx("76.0602849") {
		t.Errorf("maker: got %+v, want 0.03803014 USDT of 76.0602849", maker)
	}
	mine, _ := d.x.MyTrades(1, "BTCUSDT", TradeQuery{})
	if len(mine) != 1 || mine[0].Commission != rep.Fills[0].Commission || mine[0].IsMaker || !mine[0].IsBuyer || mine[0].QuoteQty != fx("76.0602849") {
		t.Errorf("my trades: got %+v", mine)
	}
}

func TestQuoteAmountsAreTruncatedAndLocksAlwaysSuffice(t *testing.T) {
	// Trade 409018748 of ETHBTC as recorded: price × qty needs 10 decimals.
	if got, err := Product(fx("0.06436200"), fx("0.01580000")); err != nil || got != fx("0.00101691") {
		t.Errorf("got %d %v, want 0.00101691", got, err)
	}
	d := newDesk(t, func(c *Config) {
		s, _ := builtinSymbol("ETHBTC")
		s.Filters = nil // any price and quantity
		c.Symbols = []Symbol{s}
		c.Accounts[0].Balances = map[string]Fixed{"ETH": One}
		c.Accounts[1].Balances = map[string]Fixed{"BTC": One}
	})
	for i := 0; i < 7; i++ {
		d.place(0, "SELL LIMIT GTC 0.00333333@0.03333333 sym=ETHBTC")
	}
	d.place(1, "BUY LIMIT GTC 0.03@0.03333333 sym=ETHBTC")
	free, locked := d.balance(1, "BTC")
	spent := 7 * mul(fx("0.00333333"), fx("0.03333333"))
	if free+locked != One-spent || locked != mul(fx("0.03333333"), fx("0.03")-7*fx("0.00333333")) {
		t.Errorf("got free %d locked %d after spending %d", free, locked, spent)
	}
}

func TestLedgerTellsEveryChange(t *testing.T) {
	d := newDesk(t, nil)
	d.place(0, "SELL LIMIT GTC 1@60000")
	d.place(1, "BUY LIMIT GTC 1@61000")
	type row struct {
		reason       LedgerReason
		asset        string
		free, locked string
		neg          bool // free delta is negative
	}
	want := []row{
		{LedgerDeposit, "BTC", "1000", "0", false},
		{LedgerDeposit, "USDT", "100000000", "0", false},
		{LedgerLock, "USDT", "61000", "61000", true},
		{LedgerTrade, "USDT", "0", "60000", false},
		{LedgerTrade, "BTC", "1", "0", false},
		{LedgerCommission, "BTC", "0.001", "0", true},
		{LedgerRelease, "USDT", "1000", "1000", false},
	}
	got := d.x.Ledger(1)
	if len(got) != len(want) {
		t.Fatalf("got %d entries %+v, want %d", len(got), got, len(want))
	}
	for i, w := range want {
		g := got[i]
		if g.Reason != w.reason || g.Asset != w.asset || abs(g.FreeDelta) != fx(w.free) || abs(g.LockedDelta) != fx(w.locked) || g.FreeDelta < 0 != w.neg {
			t.Errorf("entry %d: got %+v, want %+v", i, g, w)
		}
	}
	if last := got[len(got)-1]; last.OrderID == 0 || last.Symbol != "BTCUSDT" {
		t.Errorf("release: got %+v, want the order's id and symbol", last)
	}
}

func TestDepositReachesBalanceAndLedger(t *testing.T) {
	d := newDesk(t, nil)
	if err := d.x.Deposit(d.now, 0, "DOGE", fx("12.5")); err != nil {
		t.Fatal(err)
	}
	d.wantBalance(0, "DOGE", "12.5", "0")
	if n := len(d.rec.balances); n != 1 || d.rec.balances[0].bal[0] != (Balance{"DOGE", fx("12.5"), 0}) {
		t.Errorf("got balance events %+v, want one of DOGE", d.rec.balances)
	}
	for _, bad := range []Fixed{0, -1} {
		if d.x.Deposit(d.now, 0, "DOGE", bad) == nil {
			t.Errorf("deposit of %d: got no error", bad)
		}
	}
	if d.x.Deposit(d.now, 77, "DOGE", 1) == nil {
		t.Error("deposit to an unknown account: got no error")
	}
}

func TestDisabledAccountMayNotTrade(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.Accounts[0].Disabled = true })
	d.refused(0, ticket("BUY LIMIT GTC 1@60000"), -2010, "This account may not place or cancel orders.")
	d.refused(99, ticket("BUY LIMIT GTC 1@60000"), -2010, "This account may not place or cancel orders.")
}

func TestEndedOrdersAreForgottenFromTheOldest(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.OrdersKept = 20 })
	var first, last int64
	keep := d.place(0, "BUY LIMIT GTC 1@60000").OrderID
	for i := 0; i < 40; i++ {
		id := d.place(0, "BUY LIMIT IOC 1@60000").OrderID
		if first == 0 {
			first = id
		}
		last = id
	}
	if _, rej := d.x.Order(0, "BTCUSDT", Some(first), ""); rej == nil || rej.Code != -2013 {
		t.Errorf("oldest ended order: got %v, want -2013", rej)
	}
	for _, id := range []int64{keep, last} {
		if _, rej := d.x.Order(0, "BTCUSDT", Some(id), ""); rej != nil {
			t.Errorf("order %d: got %v, want it kept", id, rej)
		}
	}
	all, _ := d.x.AllOrders(0, "BTCUSDT", OrderQuery{})
	if len(all) < 20 || len(all) > 27 {
		t.Errorf("got %d orders kept, want about 20", len(all))
	}
}

// bnbDesk trades BTCUSDT and BNBBTC, so that a commission in USDT reaches BNB only
// over BTC. Account 1 pays in BNB and has some.
func bnbDesk(t *testing.T, bnb string) *desk {
	return newDesk(t, func(c *Config) {
		sym, _ := builtinSymbol("BNBBTC")
		sym.Filters = nil
		c.Symbols = append(c.Symbols, sym)
		c.Accounts[0].Balances["BNB"] = fx("1000")
		c.Accounts[1].Balances["BNB"] = fx(bnb)
		c.Accounts[1].PayBNB = true
	})
}

func (d *desk) placeOn(acct AccountID, symbol, order string) *OrderReport {
	d.t.Helper()
	r := ticket(order)
	r.Symbol = symbol
	rep, rej := d.x.Place(d.now, acct, r)
	if rej != nil {
		d.t.Fatalf("%s %s: %v", symbol, order, rej)
	}
	return rep
}

func TestCommissionInBNBIsDiscountedWhileItLasts(t *testing.T) {
	d := bnbDesk(t, "2")
	d.place(0, "SELL LIMIT GTC 2@50000")
	if f := d.place(1, "BUY LIMIT GTC 1@50000").Fills[0]; f.CommissionAsset != "BTC" || f.Commission != fx("0.001") {
		t.Errorf("without a price of BNB: got %+v, want 0.001 BTC", f)
	}
	d.placeOn(0, "BNBBTC", "SELL LIMIT GTC 2@0.01")
	// The price the commission is worth at is that of this very trade; 0.02 BTC is paid, 0.75 of 10 bps of 2 BNB.
	if f := d.placeOn(1, "BNBBTC", "BUY LIMIT GTC 2@0.01").Fills[0]; f.CommissionAsset != "BNB" || f.Commission != fx("0.0015") {
		t.Errorf("receiving BNB: got %+v, want 0.0015 BNB", f)
	}
	// 1 BTC: 0.001 BTC are 0.1 BNB, with the discount 0.075.
	if f := d.place(1, "BUY LIMIT GTC 1@50000").Fills[0]; f.CommissionAsset != "BNB" || f.Commission != fx("0.075") {
		t.Errorf("receiving BTC: got %+v, want 0.075 BNB", f)
	}
	// 50000 USDT: 50 USDT are 0.001 BTC, 0.1 BNB, 0.075 with the discount; as maker half.
	d.place(1, "SELL LIMIT GTC 1@50500")
	d.rec.reset()
	d.place(2, "BUY LIMIT GTC 1@50500")
	for i, r := range d.rec.reports {
		if r.Exec == ExecTrade && d.rec.owners[i] == 1 && (r.CommAsset != "BNB" || r.Commission != fx("0.0375")) {
			t.Errorf("receiving USDT as maker: got %d %s, want 0.0375 BNB", r.Commission, r.CommAsset)
		}
	}
	trades, _ := d.x.MyTrades(1, "BTCUSDT", TradeQuery{})
	if last := trades[len(trades)-1]; last.CommissionAsset != "BNB" || last.Commission != fx("0.0375") {
		t.Errorf("myTrades says %+v, want 0.0375 BNB", last)
	}
	d.wantBalance(1, "BNB", "3.886", "0") // 2 + 2 - 0.0015 - 0.075 - 0.0375
	if got := d.x.Fees("BNB"); got != fx("0.114") {
		t.Errorf("the venue collected %d BNB, want 0.114", got)
	}
	if err := d.x.SetPayBNB(d.now, 1, false); err != nil {
		t.Fatal(err)
	}
	d.place(0, "SELL LIMIT GTC 1@50000")
	if f := d.place(1, "BUY LIMIT GTC 1@50000").Fills[0]; f.CommissionAsset != "BTC" || f.Commission != fx("0.001") {
		t.Errorf("switched off: got %+v, want 0.001 BTC", f)
	}
	if err := d.x.SetPayBNB(d.now, 9, true); err == nil {
		t.Error("an unknown account was switched")
	}
}

func TestCommissionFallsBackWhenBNBIsShort(t *testing.T) {
	d := bnbDesk(t, "0.07")
	d.placeOn(0, "BNBBTC", "SELL LIMIT GTC 1@0.01")
	d.placeOn(2, "BNBBTC", "BUY LIMIT GTC 1@0.01")
	d.place(0, "SELL LIMIT GTC 1@50000")
	d.place(0, "SELL LIMIT GTC 0.5@50001")
	// One order, two fills: 0.075 BNB are too much, 0.0375 are not.
	fills := d.place(1, "BUY LIMIT GTC 1.5@50001").Fills
	if fills[0].CommissionAsset != "BTC" || fills[0].Commission != fx("0.001") || fills[1].CommissionAsset != "BNB" || fills[1].Commission != fx("0.0375") {
		t.Errorf("got %+v, want 0.001 BTC and then 0.0375 BNB", fills)
	}
	d.wantBalance(1, "BNB", "0.0325", "0")
}

// A market order has nothing locked: what it sells must not go as its commission.
func TestMarketOrderKeepsTheBNBItSells(t *testing.T) {
	d := bnbDesk(t, "2")
	d.placeOn(0, "BNBBTC", "BUY LIMIT GTC 1@0.01")
	d.placeOn(0, "BNBBTC", "BUY LIMIT GTC 1@0.009")
	fills := d.placeOn(1, "BNBBTC", "SELL MARKET 2").Fills
	if len(fills) != 2 || fills[0].CommissionAsset != "BTC" || fills[1].CommissionAsset != "BTC" {
		t.Errorf("got %+v, want two fills with commission in BTC", fills)
	}
	d.wantBalance(1, "BNB", "0", "0")
}

func TestDiscountMustBeAShare(t *testing.T) {
	for _, discount := range []Fixed{-1, One + 1} {
		if _, err := New(Config{Start: testStart, Symbols: []Symbol{testSymbol()}, Discount: discount}, nil); err == nil {
			t.Errorf("a discount of %d was taken", discount)
		}
	}
}

package exchange

import "testing"

func TestPeggedOrdersTakeTheirPriceFromTheBookOnce(t *testing.T) {
	for _, c := range []struct{ order, pegged, book string }{
		{"BUY LIMIT GTC 1 peg=PRIMARY_PEG", "59000", "2@59000 1@58000 1@57000 | 1@61000 1@62000"},
		{"BUY LIMIT GTC 1 peg=PRIMARY_PEG levels=1", "58000", "1@59000 2@58000 1@57000 | 1@61000 1@62000"},
		{"SELL LIMIT_MAKER 1 peg=PRIMARY_PEG levels=1", "62000", "1@59000 1@58000 1@57000 | 1@61000 2@62000"},
		{"BUY LIMIT IOC 1 peg=MARKET_PEG", "61000", "1@59000 1@58000 1@57000 | 1@62000"},
		{"BUY LIMIT FOK 2 peg=MARKET_PEG levels=1", "62000", "1@59000 1@58000 1@57000 |"},
		{"SELL LIMIT GTC 3 peg=MARKET_PEG levels=1", "58000", "1@57000 | 1@58000 1@61000 1@62000"},
		{"BUY LIMIT GTC 1@60000 peg=PRIMARY_PEG levels=2", "57000", "1@59000 1@58000 2@57000 | 1@61000 1@62000"},
	} {
		d := newDesk(t, nil)
		for _, p := range []string{"BUY LIMIT GTC 1@57000", "BUY LIMIT GTC 1@58000", "BUY LIMIT GTC 1@59000", "SELL LIMIT GTC 1@61000", "SELL LIMIT GTC 1@62000"} {
			d.place(1, p)
		}
		r := ticket(c.order)
		d.rec.reset()
		rep := d.place(0, c.order)
		if rep.PeggedPrice != fx(c.pegged) || rep.Price != r.Price.V || rep.Peg != r.Peg {
			t.Errorf("%s: got price %d and pegged %d, want %d and %s", c.order, rep.Price, rep.PeggedPrice, r.Price.V, c.pegged)
		}
		if e := d.rec.reports[0]; e.PeggedPrice != fx(c.pegged) || e.Price != r.Price.V || e.Peg != r.Peg {
			t.Errorf("%s: got report %+v", c.order, e)
		}
		d.wantBook(c.book)
		if !rep.Status.Ended() {
			d.place(2, "BUY LIMIT GTC 1@59001") // the book moves, the order does not
			if o := d.order(0, rep.OrderID); o.PeggedPrice != fx(c.pegged) {
				t.Errorf("%s: the price moved to %d", c.order, o.PeggedPrice)
			}
		}
	}
}

func TestPegRules(t *testing.T) {
	const market, kind, depth = "This order type may not use pegged price.", "This price peg cannot be used with this order type.", "Order book liquidity is too low for this pegged order."
	edit := func(order string, f func(*NewOrder)) *NewOrder {
		r := ticket(order)
		f(r)
		return r
	}
	for _, c := range []struct {
		r    *NewOrder
		code int
		msg  string
	}{
		{ticket("BUY MARKET 1 peg=MARKET_PEG"), -2010, market},
		{ticket("BUY STOP_LOSS 1 stop=70000 peg=MARKET_PEG"), -2010, market},
		{ticket("BUY LIMIT_MAKER 1 peg=MARKET_PEG"), -2010, kind},
		{ticket("BUY LIMIT IOC 1 peg=PRIMARY_PEG"), -2010, kind},
		{ticket("BUY LIMIT GTC 1 peg=PRIMARY_PEG levels=1"), -2010, depth},
		{ticket("SELL LIMIT GTC 1 peg=PRIMARY_PEG"), -2010, depth},
		{ticket("BUY LIMIT GTC 1 peg=MARKET_PEG"), -2010, depth},
		{ticket("BUY LIMIT GTC 1 peg=PRIMARY_PEG levels=0"), -1130, "Data sent for parameter 'pegOffsetValue' is not valid."},
		{ticket("BUY LIMIT GTC 1 peg=PRIMARY_PEG levels=101"), -1130, "Data sent for parameter 'pegOffsetValue' is not valid."},
		{ticket("BUY LIMIT GTC 1 levels=1"), -1102, "Mandatory parameter 'pegPriceType' was not sent, was empty/null, or malformed."},
		{edit("BUY LIMIT GTC 1 peg=PRIMARY_PEG", func(r *NewOrder) { r.Peg.Value = Some(1) }), -1102, "Mandatory parameter 'pegOffsetType' was not sent, was empty/null, or malformed."},
		{edit("BUY LIMIT GTC 1 peg=PRIMARY_PEG", func(r *NewOrder) { r.Peg.Offset = PegPriceLevel }), -1102, "Mandatory parameter 'pegOffsetValue' was not sent, was empty/null, or malformed."},
		{edit("BUY LIMIT GTC 1", func(r *NewOrder) { r.Peg.Price = 9 }), -1210, "Invalid pegPriceType."},
		{edit("BUY LIMIT GTC 1 peg=PRIMARY_PEG", func(r *NewOrder) { r.Peg.Offset = 9 }), -1211, "Invalid pegOffsetType."},
		{ticket("BUY LIMIT GTC 1@60000.001 peg=PRIMARY_PEG"), -1013, "Filter failure: PRICE_FILTER"},
	} {
		d := newDesk(t, nil)
		d.place(1, "BUY LIMIT GTC 1@59000")
		d.refused(0, c.r, c.code, c.msg)
	}
}

func TestFiltersMeasureThePeggedPrice(t *testing.T) {
	d := withFilters(t)
	d.place(1, "BUY LIMIT GTC 1@100.5")
	d.x.byName["BTCUSDT"].sym.Filters = []Filter{{Type: PriceFilter, TickSize: One}}
	d.refused(0, ticket("BUY LIMIT GTC 1 peg=PRIMARY_PEG"), -1013, "Filter failure: PRICE_FILTER")
	d.x.byName["BTCUSDT"].sym.Filters = []Filter{{Type: Notional, MinNotional: fx("200")}}
	d.refused(0, ticket("BUY LIMIT GTC 1@300 peg=PRIMARY_PEG"), -1013, "Filter failure: NOTIONAL")
	d.place(0, "BUY LIMIT GTC 2 peg=PRIMARY_PEG")
	d.wantBalance(0, "USDT", "99999799", "201")
}

// A pegged stop gets its price when it triggers, and is refused then if the book
// or a filter does not allow it (section 11 of the venue page).
func TestPeggedStopIsPricedAtItsTrigger(t *testing.T) {
	for _, c := range []struct {
		name, book string
		filter     Filter
		status     OrderStatus
		why        ExpiryReason
		locked     string
	}{
		{"priced", "BUY LIMIT GTC 1@59500", Filter{}, StatusNew, ExpiryNone, "59500"},
		{"no book", "", Filter{}, StatusExpired, ExpiryRejected, "0"},
		{"a filter", "BUY LIMIT GTC 1@59500.5", Filter{Type: PriceFilter, TickSize: One}, StatusExpired, ExpiryRejected, "0"},
	} {
		d := withFilters(t)
		d.prints("60000")
		rep := d.place(0, "BUY STOP_LOSS_LIMIT GTC 1 stop=60001 peg=PRIMARY_PEG")
		if rep.PeggedPrice != 0 {
			t.Errorf("%s: got pegged price %d before the trigger", c.name, rep.PeggedPrice)
		}
		if c.book != "" {
			d.place(1, c.book)
		}
		d.place(3, "SELL LIMIT GTC 0.1@60002")
		if c.filter.Type != 0 {
			d.x.byName["BTCUSDT"].sym.Filters = []Filter{c.filter}
		}
		d.place(2, "BUY MARKET 0.1")
		o := d.order(0, rep.OrderID)
		if o.Status != c.status || o.ExpiryReason != c.why {
			t.Errorf("%s: got %+v, want %s %s", c.name, o, c.status, c.why)
		}
		if _, locked := d.balance(0, "USDT"); locked != fx(c.locked) {
			t.Errorf("%s: got %d locked, want %s", c.name, locked, c.locked)
		}
	}
}

package exchange

import (
	"slices"
	"strings"
	"testing"
)

func TestTakerTradesAtMakerPricesBestThenOldestFirst(t *testing.T) {
	d := newDesk(t, nil)
	d.place(0, "SELL LIMIT GTC 1@62000")
	d.place(1, "SELL LIMIT GTC 2@61900")
	d.place(0, "SELL LIMIT GTC 1@61900")
	d.wantBook("| 3@61900 1@62000")
	d.rec.reset()
	rep := d.place(2, "BUY LIMIT GTC 3.5@62100")
	d.wantBook("| 0.5@62000")
	if rep.Status != StatusFilled || rep.ExecutedQty != fx("3.5") || rep.CumQuote != fx("216700") {
		t.Errorf("got %s %d for %d, want FILLED 3.5 for 216700", rep.Status, rep.ExecutedQty, rep.CumQuote)
	}
	want := []struct{ price, qty string }{{"61900", "2"}, {"61900", "1"}, {"62000", "0.5"}}
	if len(d.rec.trades) != len(want) || len(rep.Fills) != len(want) {
		t.Fatalf("got %d trades and %d fills, want %d", len(d.rec.trades), len(rep.Fills), len(want))
	}
	for i, w := range want {
		tr := d.rec.trades[i]
		if tr.Price != fx(w.price) || tr.Qty != fx(w.qty) || tr.ID != int64(i+1) || tr.BuyerIsMaker || rep.Fills[i].TradeID != tr.ID {
			t.Errorf("trade %d: got %+v, want %s at %s with the seller as maker", i, tr, w.qty, w.price)
		}
	}
	// One aggregate per taker order and price.
	if len(d.rec.aggs) != 2 || d.rec.aggs[0].Qty != 3*One || d.rec.aggs[0].FirstID != 1 || d.rec.aggs[0].LastID != 2 || d.rec.aggs[1].FirstID != 3 {
		t.Errorf("got aggregates %+v, want trades 1-2 and 3", d.rec.aggs)
	}
}

func TestEventsComeInEngineOrder(t *testing.T) {
	d := newDesk(t, nil)
	d.place(0, "SELL LIMIT GTC 1@61900")
	d.place(1, "SELL LIMIT GTC 1@61900")
	d.rec.reset()
	d.place(2, "BUY MARKET 5")
	want := strings.Fields("2:NEW/NEW trade 2:TRADE/PARTIALLY_FILLED 0:TRADE/FILLED trade 2:TRADE/PARTIALLY_FILLED 1:TRADE/FILLED agg 2:EXPIRED/EXPIRED top 2:balances 0:balances 1:balances")
	if !slices.Equal(d.rec.lines, want) {
		t.Errorf("got  %v\nwant %v", d.rec.lines, want)
	}
	last := d.rec.reports[len(d.rec.reports)-1]
	if last.ExpiryReason != ExpiryLiquidity || last.CumQty != 2*One || last.Status != StatusExpired {
		t.Errorf("MARKET without liquidity: got %+v, want EXPIRED for INSUFFICIENT_LIQUIDITY with fills kept", last)
	}
	ids := []int64{}
	for i, r := range d.rec.reports {
		if d.rec.owners[i] == 2 {
			ids = append(ids, r.ExecutionID)
		}
	}
	// As recorded on a live account in 2026: 276 NEW, 277 TRADE, 279 TRADE.
	if ids[1] != ids[0]+1 || ids[2] != ids[1]+2 || ids[3] != ids[2]+2 {
		t.Errorf("execution ids of the taker: got %v, want gaps for the makers' reports", ids)
	}
}

func TestTimeInForce(t *testing.T) {
	for _, c := range []struct {
		order, status, reason, executed, book string
	}{
		{"BUY LIMIT GTC 3@61900", "PARTIALLY_FILLED", "NONE", "1", "2@61900 | 1@62000"},
		{"BUY LIMIT GTC 0.5@61900", "FILLED", "NONE", "0.5", "| 0.5@61900 1@62000"},
		{"BUY LIMIT IOC 3@61900", "EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED", "1", "| 1@62000"},
		{"BUY LIMIT IOC 1@61000", "EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED", "0", "| 1@61900 1@62000"},
		{"BUY LIMIT IOC 2@62000", "FILLED", "NONE", "2", "|"},
		{"BUY LIMIT FOK 3@62000", "EXPIRED", "UNFILLED_FOK_ORDER_EXPIRED", "0", "| 1@61900 1@62000"},
		{"BUY LIMIT FOK 2@62000", "FILLED", "NONE", "2", "|"},
		{"BUY LIMIT FOK 2@61950", "EXPIRED", "UNFILLED_FOK_ORDER_EXPIRED", "0", "| 1@61900 1@62000"},
		{"BUY LIMIT_MAKER 1@61899.99", "NEW", "NONE", "0", "1@61899.99 | 1@61900 1@62000"},
		{"BUY MARKET 1.5", "FILLED", "NONE", "1.5", "| 0.5@62000"},
		{"BUY MARKET 9", "EXPIRED", "INSUFFICIENT_LIQUIDITY", "2", "|"},
		{"SELL MARKET 9", "EXPIRED", "INSUFFICIENT_LIQUIDITY", "0", "| 1@61900 1@62000"},
	} {
		d := newDesk(t, nil)
		d.place(0, "SELL LIMIT GTC 1@61900")
		d.place(0, "SELL LIMIT GTC 1@62000")
		rep := d.place(1, c.order)
		if rep.Status.String() != c.status || rep.ExpiryReason.String() != c.reason || rep.ExecutedQty != fx(c.executed) {
			t.Errorf("%s: got %s %s %d, want %s %s %s", c.order, rep.Status, rep.ExpiryReason, rep.ExecutedQty, c.status, c.reason, c.executed)
		}
		d.wantBook(c.book)
	}
}

func TestPostOnlyIsRejectedWhenItWouldTake(t *testing.T) {
	d := newDesk(t, nil)
	d.place(0, "SELL LIMIT GTC 1@61900")
	d.rec.reset()
	d.refused(1, ticket("BUY LIMIT_MAKER 1@61900 id=post"), -2010, "Order would immediately match and take.")
	if len(d.rec.reports) != 1 || d.rec.reports[0].Exec != ExecRejected || d.rec.reports[0].Reject != RejectWouldMatch || d.rec.reports[0].ClientOrderID != "post" {
		t.Errorf("got reports %+v, want one REJECTED for WOULD_MATCH_IMMEDIATELY", d.rec.reports)
	}
}

func TestQuoteOrderQty(t *testing.T) {
	for _, c := range []struct {
		order, status, qty, quote string
	}{
		{"BUY MARKET quote 6190", "FILLED", "0.1", "6190"},
		{"BUY MARKET quote 100000", "FILLED", "1.61451", "99999.62"}, // 1 at 61900, 0.61451 at 62000
		{"BUY MARKET quote 200000", "EXPIRED", "2", "123900"},        // the book has no more
		{"SELL MARKET quote 60000", "FILLED", "1", "60000"},          // receives exactly
		{"SELL MARKET quote 60001", "FILLED", "1.00001", "60000.59"}, // never more than asked
		{"SELL MARKET quote 130000", "EXPIRED", "2", "119000"},
	} {
		d := newDesk(t, nil)
		d.place(0, "SELL LIMIT GTC 1@61900")
		d.place(0, "SELL LIMIT GTC 1@62000")
		d.place(0, "BUY LIMIT GTC 1@60000")
		d.place(0, "BUY LIMIT GTC 1@59000")
		rep := d.place(1, c.order)
		if rep.Status.String() != c.status || rep.ExecutedQty != fx(c.qty) || rep.CumQuote != fx(c.quote) || rep.OrigQty != fx(c.qty) {
			t.Errorf("%s: got %s %s of %s for %s, want %s %s for %s", c.order, rep.Status, AppendPlain(nil, rep.ExecutedQty),
				AppendPlain(nil, rep.OrigQty), AppendPlain(nil, rep.CumQuote), c.status, c.qty, c.quote)
		}
	}
	d := newDesk(t, nil)
	d.refused(1, ticket("BUY MARKET quote 100"), -2010, textNoLotDepth)
	d.place(0, "SELL LIMIT GTC 1@990000")
	d.refused(1, ticket("BUY MARKET quote 6"), -2010, textNoLotDepth) // less than one lot
}

func TestDuplicateClientIDIsRejectedOnlyWhileOpen(t *testing.T) {
	d := newDesk(t, nil)
	d.place(0, "BUY LIMIT GTC 1@60000 id=mine")
	d.refused(0, ticket("BUY LIMIT GTC 1@60001 id=mine"), -2010, "Duplicate order sent.")
	d.place(1, "BUY LIMIT GTC 1@60000 id=mine") // another account's ids are its own
	if _, rej := d.x.Cancel(d.now, 0, &CancelRequest{Symbol: "BTCUSDT", OrigClientOrderID: "mine"}); rej != nil {
		t.Fatal(rej)
	}
	second := d.place(0, "BUY LIMIT GTC 1@60001 id=mine")
	o, rej := d.x.Order(0, "BTCUSDT", Opt{}, "mine")
	if rej != nil || o.OrderID != second.OrderID {
		t.Errorf("query by a reused client id: got %+v %v, want the newest order %d", o, rej, second.OrderID)
	}
}

func TestEveryLevelChangeRaisesTheUpdateIDByOne(t *testing.T) {
	d := newDesk(t, nil)
	id := func() int64 { n, _, _, _ := d.x.Depth("BTCUSDT", 1); return n }
	start := id()
	d.place(0, "SELL LIMIT GTC 1@61900")
	d.place(0, "SELL LIMIT GTC 1@61900")
	d.place(0, "SELL LIMIT GTC 1@62000")
	if got := id() - start; got != 3 {
		t.Errorf("three placements: update id rose by %d, want 3", got)
	}
	d.place(1, "BUY LIMIT GTC 5@61900") // eats one level, rests on another
	if got := id() - start; got != 5 {
		t.Errorf("after a sweep of one level that rests: update id rose by %d, want 5", got)
	}
	if top, _ := d.x.BookTicker("BTCUSDT"); top.UpdateID != start+5 {
		t.Errorf("book ticker has update id %d, want %d", top.UpdateID, start+5)
	}
}

func TestStatusDecidesWhatIsAllowed(t *testing.T) {
	for _, s := range []SymbolStatus{Halt, Break, CancelOnly, EndOfDay} {
		d := newDesk(t, nil)
		rep := d.place(0, "BUY LIMIT GTC 2@60000")
		if rej := d.x.SetStatus(d.now, "BTCUSDT", s); rej != nil {
			t.Fatal(rej)
		}
		d.refused(1, ticket("BUY LIMIT GTC 1@60000"), -2010, "Market is closed.")
		_, rej := d.x.Amend(d.now, 0, &AmendRequest{Symbol: "BTCUSDT", OrderID: Some(rep.OrderID), NewQty: Some(One)})
		if (rej == nil) != (s == CancelOnly) {
			t.Errorf("%s: amend got %v", s, rej)
		}
		if _, rej := d.x.Cancel(d.now, 0, &CancelRequest{Symbol: "BTCUSDT", OrderID: Some(rep.OrderID)}); rej != nil {
			t.Errorf("%s: cancel got %v, want accepted", s, rej)
		}
		if !slices.Contains(d.rec.lines, "BTCUSDT "+s.String()) {
			t.Errorf("%s: no status event", s)
		}
	}
}

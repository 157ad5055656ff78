package binance_test

import (
	"errors"
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
	"riposte/exec/binance"
)

// TestTheWholeSurfaceAgainstTheVenue: every call of the client, answered by the venue that
// was written from the same facts without it.
func TestTheWholeSurfaceAgainstTheVenue(t *testing.T) {
	w := newWallets(t)
	r, ctx := w.mine, t.Context()
	n := 0
	terms := func(typ core.OrderType, price, stop core.Price) binance.Terms {
		n++
		id, _ := core.MakeClientID("s-" + string(rune('a'+n/26)) + string(rune('a'+n%26)))
		return binance.Terms{Type: typ, Client: id, Price: price * 1e8, Stop: stop * 1e8}
	}
	order := func(side core.Side, qty core.Qty, tm binance.Terms) *binance.OrderRequest {
		return &binance.OrderRequest{Terms: tm, Symbol: "BTCUSDT", Side: side, Qty: qty}
	}
	must := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
	refused := func(what string, err error, code int) {
		t.Helper()
		var ce *exec.CallError
		if !errors.As(err, &ce) || ce.Class != exec.ClassRefused || ce.Code != code {
			t.Errorf("%s: got %v, want %d", what, err, code)
		}
	}
	start, err := r.ServerTime(ctx)
	must("time", err)
	const lot = 1_000_000 // 0.01
	// A price to start from: what they offer is taken.
	w.place(t, w.them, *order(core.Sell, 10*lot, terms(core.Limit, 60000, 0)))
	taken := w.place(t, w.mine, *order(core.Buy, lot, terms(core.Limit, 60000, 0)))
	if taken.Status != core.Filled || len(taken.Fills) != 1 || taken.Fills[0].FeeAsset != "BTC" || taken.Instrument != 0 {
		t.Fatalf("got %+v", taken)
	}

	// Every type, each as the venue gives it back.
	tail := terms(core.StopLoss, 0, 0)
	tail.Trail = 100
	iceberg := terms(core.Limit, 50000, 0)
	iceberg.Iceberg, iceberg.StrategyID, iceberg.StrategyType = lot/2, 5, 1_000_001
	peg := terms(core.Limit, 0, 0)
	peg.Peg, peg.PegLevels = binance.PegPrimary, 0
	for _, o := range []*binance.OrderRequest{
		order(core.Buy, lot, terms(core.LimitMaker, 51000, 0)),
		order(core.Buy, lot, iceberg),
		order(core.Buy, lot, peg),
		order(core.Sell, lot, terms(core.StopLoss, 0, 50000)),
		order(core.Sell, lot, terms(core.StopLossLimit, 49000, 50000)),
		order(core.Sell, lot, terms(core.TakeProfit, 0, 70000)),
		order(core.Sell, lot, tail),
	} {
		o.Detail = binance.DetailRESULT
		got, err := r.Place(ctx, o)
		must(o.Type.String(), err)
		back, err := r.QueryOrder(ctx, "BTCUSDT", binance.Ref{VenueID: got.VenueID, Client: o.Client})
		must("query "+o.Type.String(), err)
		for _, x := range []*binance.Order{got, back} {
			if x.Status != core.New || x.Odd != "" || x.Type != o.Type || x.Side != o.Side || x.Price != o.Price || x.Stop != o.Stop || x.Iceberg != o.Iceberg || x.Trail != int64(o.Trail) ||
				x.StrategyID != o.StrategyID || x.StrategyType != o.StrategyType || x.Peg != o.Peg || x.Qty != o.Qty {
				t.Errorf("sent %+v\ngot %+v", o, x)
			}
		}
		if back.Created < start || back.Client != o.Client.String() {
			t.Errorf("got %+v", back)
		}
	}
	tested, err := r.Test(ctx, order(core.Buy, lot, terms(core.MarketOrder, 0, 0)), true)
	must("test", err)
	if tested.Standard.Taker != 100_000 || tested.Standard.Maker != 70_000 || tested.DiscountAsset != "BNB" {
		t.Errorf("commission of a test is %+v", tested)
	}
	_, err = r.PlaceSOR(ctx, order(core.Buy, lot, terms(core.Limit, 50000, 0)))
	if err == nil {
		t.Error("the venue has no SOR")
	}
	open, err := r.OpenOn(ctx, "BTCUSDT")
	must("open orders", err)
	if len(open) != 7 {
		t.Errorf("%d orders are open, want 7", len(open))
	}

	// Cancels, amends, replaces.
	maker := open[0]
	_, err = r.CancelOrder(ctx, &binance.CancelRequest{Symbol: "BTCUSDT", Ref: binance.Ref{VenueID: maker.VenueID}, Only: binance.OnlyPartiallyFilled})
	refused("restricted cancel", err, -2011)
	amended, err := r.Amend(ctx, "BTCUSDT", binance.Ref{VenueID: maker.VenueID}, lot/2, core.ClientID{})
	must("amend", err)
	if amended.Qty != lot/2 || amended.VenueID != maker.VenueID || amended.Status != core.New {
		t.Errorf("amended is %+v", amended.Order)
	}
	past, err := r.Amendments(ctx, "BTCUSDT", maker.VenueID, 0, 10)
	must("amendments", err)
	if len(past) != 1 || past[0].Qty != lot || past[0].NewQty != lot/2 || past[0].ExecID != amended.ExecID {
		t.Errorf("amendments are %+v", past)
	}
	_, err = r.Amend(ctx, "BTCUSDT", binance.Ref{VenueID: maker.VenueID}, 2*lot, core.ClientID{})
	refused("amend upwards", err, -2038)
	for _, tc := range []struct {
		name        string
		old         binance.Ref
		allow       bool
		next        *binance.OrderRequest
		cancel, new binance.Outcome
	}{
		{"both", binance.Ref{VenueID: maker.VenueID}, false, order(core.Buy, lot, terms(core.LimitMaker, 52000, 0)), binance.Accepted, binance.Accepted},
		{"nothing to cancel", binance.Ref{VenueID: maker.VenueID}, false, order(core.Buy, lot, terms(core.LimitMaker, 52000, 0)), binance.Refused, binance.NotAttempted},
		{"nothing to cancel, placed", binance.Ref{VenueID: maker.VenueID}, true, order(core.Buy, lot, terms(core.LimitMaker, 53000, 0)), binance.Refused, binance.Accepted},
		{"neither", binance.Ref{VenueID: maker.VenueID}, true, order(core.Buy, lot, terms(core.LimitMaker, 61000, 0)), binance.Refused, binance.Refused},
		{"cancelled only", binance.Ref{VenueID: open[1].VenueID}, false, order(core.Buy, lot, terms(core.LimitMaker, 61000, 0)), binance.Accepted, binance.Refused},
		{"filter", binance.Ref{VenueID: open[2].VenueID}, false, order(core.Buy, 1, terms(core.LimitMaker, 52000, 0)), binance.NotAttempted, binance.Refused},
	} {
		got, err := r.Replace(ctx, &binance.ReplaceRequest{OrderRequest: *tc.next, Old: tc.old, AllowFailure: tc.allow})
		if got.Cancel.Outcome != tc.cancel || got.New.Outcome != tc.new || (err == nil) != (tc.name == "both") {
			t.Errorf("replace, %s: got cancel %s %s, new %s %s, %v", tc.name, got.Cancel.Outcome, got.Cancel.Msg, got.New.Outcome, got.New.Msg, err)
		}
	}
	_, err = r.CancelSymbol(ctx, "BTCUSDT")
	must("cancel all", err)
	_, err = r.CancelSymbol(ctx, "BTCUSDT")
	refused("cancel all of nothing", err, -2011)
	_, err = r.QueryOrder(ctx, "BTCUSDT", binance.Ref{VenueID: 1 << 40})
	refused("query of nothing", err, -2013)

	// Lists.
	list := func(c string) binance.ListRequest {
		id, _ := core.MakeClientID(c)
		return binance.ListRequest{Symbol: "BTCUSDT", Client: id, Detail: binance.DetailRESULT}
	}
	oco, err := r.PlaceOCO(ctx, &binance.OCORequest{ListRequest: list("oco"), Side: core.Sell, Qty: lot / 2, Above: terms(core.LimitMaker, 65000, 0), Below: terms(core.StopLossLimit, 54000, 55000)})
	must("OCO", err)
	oto, err := r.PlaceOTO(ctx, &binance.OTORequest{ListRequest: list("oto"), WorkingSide: core.Buy, PendingSide: core.Sell, WorkingQty: lot, PendingQty: lot,
		Working: terms(core.Limit, 55000, 0), Pending: terms(core.Limit, 66000, 0)})
	must("OTO", err)
	otoco, err := r.PlaceOTOCO(ctx, &binance.OTOCORequest{ListRequest: list("otoco"), WorkingSide: core.Buy, PendingSide: core.Sell, WorkingQty: lot, PendingQty: lot,
		Working: terms(core.Limit, 55000, 0), Above: terms(core.LimitMaker, 66000, 0), Below: terms(core.StopLoss, 0, 50000)})
	must("OTOCO", err)
	for i, l := range []*binance.OrderList{oco, oto, otoco} {
		legs := []int{2, 2, 3}[i]
		if len(l.Orders) != legs || len(l.Reports) != legs || l.Status != "EXECUTING" || l.Contingency != []string{"OCO", "OTO", "OTO"}[i] || l.Reports[0].ListID != l.ListID {
			t.Errorf("list is %+v", l)
		}
		again, err := r.List(ctx, binance.Ref{VenueID: l.ListID})
		must("list", err)
		if again.Client != l.Client || len(again.Orders) != legs {
			t.Errorf("list is %+v, placed as %+v", again, l)
		}
	}
	lists, err := r.OpenLists(ctx)
	must("open lists", err)
	if len(lists) != 3 {
		t.Errorf("%d lists are open, want 3", len(lists))
	}
	gone, err := r.CancelList(ctx, "BTCUSDT", binance.Ref{VenueID: otoco.ListID})
	must("cancel list", err)
	if gone.Status != "ALL_DONE" || len(gone.Reports) != 3 || gone.Reports[0].Status != core.Canceled {
		t.Errorf("cancelled list is %+v", gone)
	}
	leg, err := r.CancelOrder(ctx, &binance.CancelRequest{Symbol: "BTCUSDT", Ref: binance.Ref{VenueID: oco.Orders[0].VenueID}})
	must("cancel of a leg", err)
	if leg.List == nil || leg.List.ListID != oco.ListID {
		t.Errorf("the cancel of a leg gave %+v", leg)
	}
	all, err := r.CancelSymbol(ctx, "BTCUSDT")
	must("cancel all", err)
	if len(all) != 1 || all[0].List == nil {
		t.Errorf("cancels are %+v", all)
	}
	lists, err = r.AllLists(ctx, 0, 500)
	must("all lists", err)
	if len(lists) != 3 {
		t.Errorf("%d lists in all, want 3", len(lists))
	}

	// The account and the market.
	now, err := r.ServerTime(ctx)
	must("time", err)
	orders, err := r.OrdersBetween(ctx, "BTCUSDT", start, now+core.WallNs(time.Second))
	must("orders", err)
	from, err := r.OrdersFrom(ctx, "BTCUSDT", 1)
	must("orders by id", err)
	if len(orders) == 0 || len(orders) != len(from) {
		t.Errorf("%d orders by time and %d by id", len(orders), len(from))
	}
	trades, err := r.AccountTradesBetween(ctx, "BTCUSDT", start, now+core.WallNs(time.Second))
	must("trades", err)
	if len(trades) != 1 || !trades[0].Buyer || trades[0].FeeAsset != "BTC" || trades[0].Fee != taken.Fills[0].Fee {
		t.Errorf("trades are %+v", trades)
	}
	counts, err := r.OrderCounts(ctx)
	must("order counts", err)
	if len(counts) != 2 || counts[1].Count == 0 {
		t.Errorf("counts are %+v", counts)
	}
	filters, err := r.MyFilters(ctx, "BTCUSDT")
	must("filters", err)
	if len(filters.Symbol) == 0 {
		t.Error("no filters")
	}
	commission, err := r.Commission(ctx, "BTCUSDT")
	must("commission", err)
	if commission.ForAccount || commission.Discount != 75_000_000 {
		t.Errorf("commission is %+v", commission)
	}
	prevented, err := r.PreventedMatches(ctx, "BTCUSDT", taken.VenueID, 0)
	must("prevented matches", err)
	if len(prevented) != 0 {
		t.Errorf("prevented matches are %+v", prevented)
	}
	must("countdown", r.CountdownCancelAll(ctx, "BTCUSDT", time.Minute))
	must("countdown off", r.CountdownCancelAll(ctx, "BTCUSDT", 0))
	for what, ask := range map[string]func() (int, error){
		"trades":            func() (int, error) { x, err := r.Trades(ctx, "BTCUSDT", 10); return len(x), err },
		"historical trades": func() (int, error) { x, err := r.HistoricalTrades(ctx, "BTCUSDT", 1, 10); return len(x), err },
		"aggregate trades":  func() (int, error) { x, err := r.AggTrades(ctx, "BTCUSDT", -1, 0, 0, 10); return len(x), err },
		"klines":            func() (int, error) { x, err := r.Klines(ctx, "BTCUSDT", "1m", 0, 10); return len(x), err },
		"tickers":           func() (int, error) { x, err := r.Tickers(ctx, "BTCUSDT"); return len(x), err },
		"rolling tickers":   func() (int, error) { x, err := r.RollingTickers(ctx, "1h", "BTCUSDT"); return len(x), err },
		"book tops":         func() (int, error) { x, err := r.BookTops(ctx, "BTCUSDT"); return len(x), err },
		"prices":            func() (int, error) { x, err := r.LastPrices(ctx, "BTCUSDT"); return len(x), err },
		"average price":     func() (int, error) { x, err := r.AvgPrice(ctx, "BTCUSDT"); return int(x / 1e8 / 60000), err },
		"book":              func() (int, error) { x, err := r.BookSnapshot(ctx, "BTCUSDT", 5); return len(x.Asks), err },
	} {
		if got, err := ask(); err != nil || got != 1 {
			t.Errorf("%s: %d, %v, want 1", what, got, err)
		}
	}
}

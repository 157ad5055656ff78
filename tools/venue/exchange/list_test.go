package exchange

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// listOf makes a list of tickets: "OCO id=x", then its legs.
func listOf(head string, legs ...string) *NewList {
	kind, id, _ := strings.Cut(head, " id=")
	l := &NewList{Symbol: "BTCUSDT", Kind: map[string]ListKind{"OCO": ListOCO, "OTO": ListOTO, "OTOCO": ListOTOCO}[kind], ClientID: id}
	names := map[ListKind][]string{ListOCO: {"above", "below"}, ListOTO: {"working", "pending"}, ListOTOCO: {"working", "pendingAbove", "pendingBelow"}}[l.Kind]
	for i, text := range legs {
		r := ticket(text)
		r.Leg = names[min(i, len(names)-1)]
		l.Legs = append(l.Legs, *r)
	}
	return l
}

// list places a list that must be accepted.
func (d *desk) list(a AccountID, head string, legs ...string) *ListReport {
	d.t.Helper()
	rep, rej := d.x.PlaceList(d.now, a, listOf(head, legs...))
	if rej != nil {
		d.t.Fatalf("%s %q: got reject %d %s", head, legs, rej.Code, rej.Msg)
	}
	d.check()
	return rep
}

// states are the statuses of the legs as a query shows them, with their reasons.
func (d *desk) states(a AccountID, rep *ListReport) string {
	d.t.Helper()
	var out []string
	for _, o := range rep.List.Orders {
		q := d.order(a, o.OrderID)
		s := q.Status.String()
		if q.ExpiryReason != ExpiryNone {
			s += ":" + q.ExpiryReason.String()
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func (d *desk) listState(a AccountID, id int64) string {
	d.t.Helper()
	s, rej := d.x.OrderList(a, Some(id), "")
	if rej != nil {
		d.t.Fatal(rej)
	}
	return s.Status.String()
}

const (
	sellMaker = "SELL LIMIT_MAKER 1@61000"
	sellStop  = "SELL STOP_LOSS 1 stop=59000"
)

func TestOCOLocksOnceAndReportsBothLegs(t *testing.T) {
	for _, c := range []struct{ above, below, btc, usdt string }{
		{sellMaker, sellStop, "1", "0"},
		{"SELL TAKE_PROFIT 1 stop=61000", "SELL STOP_LOSS_LIMIT GTC 1@58000 stop=59000", "1", "0"},
		{"BUY STOP_LOSS_LIMIT GTC 1@63000 stop=61000", "BUY LIMIT_MAKER 1@59000", "0", "63000"},
		{"BUY STOP_LOSS 1 stop=61000", "BUY TAKE_PROFIT_LIMIT GTC 1@62000 stop=59000", "0", "62000"},
	} {
		d := newDesk(t, nil)
		d.prints("60000")
		d.rec.reset()
		rep := d.list(0, "OCO id=mine", c.above, c.below)
		if l := rep.List; l.ListID != 1 || l.Contingency != OCO || l.Type != ListExecStarted || l.Status != ListExecuting || l.ClientID != "mine" || len(l.Orders) != 2 {
			t.Errorf("%s: got %+v", c.above, l)
		}
		for i, r := range rep.Reports {
			if r.OrderListID != 1 || r.Status != StatusNew || r.OrderID != rep.List.Orders[i].OrderID || r.IsWorking != (r.Type == LimitMakerOrder) {
				t.Errorf("%s: leg %d: got %+v", c.above, i, r.Order)
			}
		}
		_, btc := d.balance(0, "BTC")
		_, usdt := d.balance(0, "USDT")
		if btc != fx(c.btc) || usdt != fx(c.usdt) {
			t.Errorf("%s: got %d BTC and %d USDT locked, want the dearer leg once", c.above, btc, usdt)
		}
		want := []string{"0:list EXEC_STARTED/EXECUTING", "0:NEW/NEW", "0:NEW/NEW"}
		if got := d.rec.lines[:3]; !slices.Equal(got, want) {
			t.Errorf("%s: got events %v, want %v", c.above, got, want)
		}
	}
}

func TestOCOLegThatTradesEndsTheOther(t *testing.T) {
	d := newDesk(t, nil)
	d.prints("60000")
	rep := d.list(0, "OCO", sellMaker, sellStop)
	d.rec.reset()
	d.place(1, "BUY LIMIT GTC 0.4@61000")
	if got := d.states(0, rep); got != "PARTIALLY_FILLED EXPIRED:OCO_TRIGGER" {
		t.Errorf("limit touched: got %s", got)
	}
	kinds := slices.DeleteFunc(slices.Clone(d.rec.lines), func(s string) bool { return !strings.HasPrefix(s, "0:") })
	if want := []string{"0:TRADE/PARTIALLY_FILLED", "0:EXPIRED/EXPIRED", "0:balances"}; !slices.Equal(kinds, want) {
		t.Errorf("got events %v, want the trade before the stop's end", kinds)
	}
	if got := d.listState(0, rep.List.ListID); got != "EXECUTING" {
		t.Errorf("got list %s while its limit leg works", got)
	}
	d.wantBalance(0, "BTC", "999", "0.6")
	d.place(1, "BUY LIMIT GTC 0.6@61000")
	if got := d.listState(0, rep.List.ListID); got != "ALL_DONE" {
		t.Errorf("got list %s at the end", got)
	}
	if last := d.rec.lists[len(d.rec.lists)-1]; last.Type != ListAllDone || last.ListID != rep.List.ListID {
		t.Errorf("got last list status %+v", last)
	}
}

func TestOCOStopEndsTheLimitBeforeItTrades(t *testing.T) {
	d := newDesk(t, nil)
	d.prints("60000")
	rep := d.list(0, "OCO", sellMaker, sellStop)
	d.place(1, "BUY LIMIT GTC 0.1@59000")
	d.place(1, "BUY LIMIT GTC 3@58900")
	d.rec.reset()
	d.place(2, "SELL LIMIT GTC 0.1@59000")
	if got := d.states(0, rep); got != "EXPIRED:OCO_TRIGGER FILLED" {
		t.Errorf("stop triggered: got %s", got)
	}
	kinds := slices.DeleteFunc(slices.Clone(d.rec.lines), func(s string) bool { return !strings.HasPrefix(s, "0:") })
	if want := []string{"0:EXPIRED/EXPIRED", "0:NEW/NEW", "0:TRADE/FILLED", "0:list ALL_DONE/ALL_DONE", "0:balances"}; !slices.Equal(kinds, want) {
		t.Errorf("got events %v, want %v", kinds, want)
	}
	d.wantBook("2@58900 |")
	d.wantBalance(0, "BTC", "999", "0")
}

func TestCancelOfOneLegCancelsTheList(t *testing.T) {
	for _, how := range []string{"leg", "client id", "list id", "list client id", "all", "replace"} {
		d := newDesk(t, nil)
		d.prints("60000")
		single := d.place(0, "SELL LIMIT GTC 1@63000").OrderID
		rep := d.list(0, "OCO id=mine", sellMaker+" id=up", sellStop+" id=down")
		var got *ListReport
		var rej *Reject
		switch how {
		case "leg", "client id":
			r := &CancelRequest{Symbol: "BTCUSDT", OrigClientOrderID: "down", NewClientOrderID: "bye"}
			if how == "leg" {
				r.OrderID, r.OrigClientOrderID = Some(rep.List.Orders[0].OrderID), ""
			}
			var c *CancelReport
			if c, rej = d.x.Cancel(d.now, 0, r); rej == nil {
				got = c.List
			}
		case "list id":
			got, rej = d.x.CancelList(d.now, 0, &CancelListRequest{Symbol: "BTCUSDT", ListID: Some(rep.List.ListID), NewClientOrderID: "bye"})
		case "list client id":
			got, rej = d.x.CancelList(d.now, 0, &CancelListRequest{Symbol: "BTCUSDT", ClientID: "mine", NewClientOrderID: "bye"})
		case "all":
			var all []CancelReport
			if all, rej = d.x.CancelAll(d.now, 0, "BTCUSDT"); rej == nil {
				if len(all) != 2 || all[0].OrderID != single || all[0].List != nil || all[1].List == nil {
					t.Fatalf("got %+v, want the order and the list", all)
				}
				got = all[1].List
			}
		case "replace":
			var r *ReplaceReport
			r, rej = d.x.CancelReplace(d.now, 0, &ReplaceRequest{
				Cancel: CancelRequest{OrigClientOrderID: "up", NewClientOrderID: "bye"}, New: *ticket("SELL LIMIT GTC 1@62000 id=up"),
			})
			if rej == nil {
				got = r.Cancel.List
				if r.Code != 0 || r.NewResult != Success {
					t.Errorf("got %+v", r)
				}
			}
		}
		d.check()
		if rej != nil || got == nil || got.List.Type != ListAllDone || got.List.Status != ListDone || len(got.Cancels) != 2 {
			t.Fatalf("%s: got %+v %v, want the whole list cancelled", how, got, rej)
		}
		if c := got.Cancels[1]; how != "all" && (c.CancelID != "bye" || c.ClientOrderID != "down" || c.OrderListID != rep.List.ListID) {
			t.Errorf("%s: got cancel %+v", how, c)
		}
		if s := d.states(0, rep); s != "CANCELED CANCELED" {
			t.Errorf("%s: got %s", how, s)
		}
		if len(d.x.OpenOrderLists(0)) != 0 {
			t.Errorf("%s: the list is still open", how)
		}
	}
}

func TestOTOSetsThePendingOrderGoingWhenTheWorkingOneIsFilled(t *testing.T) {
	d := newDesk(t, nil)
	d.prints("60000")
	rep := d.list(0, "OTO", "BUY LIMIT GTC 1@59900", "SELL LIMIT GTC 1@61000")
	if s := d.states(0, rep); s != "NEW PENDING_NEW" || rep.List.Contingency != OTO {
		t.Errorf("got %s, want the second leg pending", s)
	}
	d.wantBalance(0, "BTC", "1000", "0")
	d.wantBook("1@59900 |")
	d.place(1, "SELL LIMIT GTC 0.5@59900")
	if s := d.states(0, rep); s != "PARTIALLY_FILLED PENDING_NEW" {
		t.Errorf("got %s after half of the working order", s)
	}
	d.rec.reset()
	d.place(1, "SELL LIMIT GTC 0.5@59900")
	if s := d.states(0, rep); s != "FILLED NEW" {
		t.Errorf("got %s after all of the working order", s)
	}
	d.wantBook("| 1@61000")
	if _, locked := d.balance(0, "BTC"); locked != One {
		t.Errorf("got %d locked, want the pending order's 1", locked)
	}
	d.place(1, "BUY LIMIT GTC 1@61000")
	if s := d.listState(0, rep.List.ListID); s != "ALL_DONE" {
		t.Errorf("got list %s, want ALL_DONE", s)
	}
}

func TestOTOThatFillsAtOnceAnswersWithThePendingLeg(t *testing.T) {
	for _, c := range []struct{ pending, then string }{
		{"SELL MARKET 1", "FILLED FILLED"},
		{"SELL LIMIT IOC 1@62000", "FILLED EXPIRED:UNFILLED_IOC_QUANTITY_EXPIRED"},
		{"SELL STOP_LOSS 1 stop=59000", "FILLED NEW"},
		{"SELL LIMIT_MAKER 1@59500", "FILLED EXPIRED:REJECTED"},         // would take
		{"SELL STOP_LOSS 1 stop=61000", "FILLED EXPIRED:REJECTED"},      // would trigger
		{"SELL LIMIT GTC 1002@62000", "FILLED EXPIRED:REJECTED"},        // more than the account has
		{"SELL LIMIT GTC 1 peg=PRIMARY_PEG", "FILLED EXPIRED:REJECTED"}, // the book has no such price
	} {
		d := newDesk(t, nil)
		d.prints("60000")
		d.place(1, "SELL LIMIT GTC 1@60000")
		d.place(1, "BUY LIMIT GTC 1@59800")
		rep := d.list(0, "OTO", "BUY LIMIT GTC 1@60000", c.pending)
		if a, b := rep.Reports[0].Status, rep.Reports[1].Status; a != StatusFilled || b != StatusPendingNew || len(rep.Reports[0].Fills) != 1 {
			t.Errorf("%s: got %s and %s in the answer, want FILLED and PENDING_NEW", c.pending, a, b)
		}
		if s := d.states(0, rep); s != c.then {
			t.Errorf("%s: got %s, want %s", c.pending, s, c.then)
		}
	}
}

func TestOTOEndsWithItsWorkingOrder(t *testing.T) {
	for _, c := range []struct {
		name, working string
		do            func(d *desk, id int64)
		want          string
	}{
		{"IOC without a match", "BUY LIMIT IOC 1@50000", func(*desk, int64) {}, "EXPIRED:UNFILLED_IOC_QUANTITY_EXPIRED EXPIRED:OTO_PHASE_ONE_EXPIRED EXPIRED:OTO_PHASE_ONE_EXPIRED"},
		{"FOK without a match", "BUY LIMIT FOK 1@50000", func(*desk, int64) {}, "EXPIRED:UNFILLED_FOK_ORDER_EXPIRED EXPIRED:OTO_PHASE_ONE_EXPIRED EXPIRED:OTO_PHASE_ONE_EXPIRED"},
		{"prevention", "BUY LIMIT GTC 1@59500", func(d *desk, _ int64) { d.place(0, "SELL LIMIT IOC 1@59500 stp=EXPIRE_BOTH") }, "EXPIRED_IN_MATCH EXPIRED:OTO_PHASE_ONE_EXPIRED EXPIRED:OTO_PHASE_ONE_EXPIRED"},
		{"cancel", "BUY LIMIT GTC 1@59500", func(d *desk, id int64) {
			d.place(1, "SELL LIMIT GTC 0.5@59500")
			if _, rej := d.x.Cancel(d.now, 0, &CancelRequest{Symbol: "BTCUSDT", OrderID: Some(id)}); rej != nil {
				d.t.Fatal(rej)
			}
		}, "CANCELED CANCELED CANCELED"},
		{"amend to what is done", "BUY LIMIT GTC 1@59500", func(d *desk, id int64) {
			d.place(1, "SELL LIMIT GTC 0.5@59500")
			if _, rej := d.x.Amend(d.now, 0, &AmendRequest{Symbol: "BTCUSDT", OrderID: Some(id), NewQty: Some(One / 2)}); rej != nil {
				d.t.Fatal(rej)
			}
		}, "EXPIRED:EXCHANGE_CANCELED EXPIRED:OTO_PHASE_ONE_EXPIRED EXPIRED:OTO_PHASE_ONE_EXPIRED"},
	} {
		d := newDesk(t, nil)
		d.prints("60000")
		rep := d.list(0, "OTOCO", c.working, sellMaker, sellStop)
		c.do(d, rep.List.Orders[0].OrderID)
		d.check()
		if s := d.states(0, rep); s != c.want {
			t.Errorf("%s: got %s, want %s", c.name, s, c.want)
		}
		if s := d.listState(0, rep.List.ListID); s != "ALL_DONE" {
			t.Errorf("%s: got list %s", c.name, s)
		}
	}
}

func TestOTOCOPendingLegsExcludeEachOther(t *testing.T) {
	d := newDesk(t, nil)
	d.prints("60000")
	rep := d.list(0, "OTOCO", "BUY LIMIT GTC 1@59900", sellMaker, sellStop)
	d.place(1, "SELL LIMIT GTC 1@59900")
	if s := d.states(0, rep); s != "FILLED NEW NEW" {
		t.Fatalf("got %s, want both legs going", s)
	}
	if _, locked := d.balance(0, "BTC"); locked != One {
		t.Errorf("got %d locked, want 1 once", locked)
	}
	d.place(1, "BUY LIMIT GTC 1@61000")
	if s := d.states(0, rep); s != "FILLED FILLED EXPIRED:OCO_TRIGGER" {
		t.Errorf("got %s", s)
	}
	// Activation on the wrong side of the price: the pair is refused as a whole.
	rep = d.list(0, "OTOCO", "BUY LIMIT GTC 1@58000", sellMaker, sellStop)
	d.place(1, "SELL LIMIT GTC 1@58000")
	if s := d.states(0, rep); s != "FILLED EXPIRED:REJECTED EXPIRED:REJECTED" {
		t.Errorf("got %s, want the stop above the last price refused", s)
	}
}

func TestAmendOfOneLegChangesBoth(t *testing.T) {
	d := newDesk(t, nil)
	d.prints("60000")
	rep := d.list(0, "OCO", "BUY STOP_LOSS_LIMIT GTC 2@63000 stop=61000 id=up", "BUY LIMIT_MAKER 2@59000 id=down")
	d.rec.reset()
	got, rej := d.x.Amend(d.now, 0, &AmendRequest{Symbol: "BTCUSDT", OrigClientOrderID: "down", NewQty: Some(One), NewClientOrderID: "lower"})
	if rej != nil || got.List == nil || got.List.Type != ListUpdated || got.OrderListID != rep.List.ListID {
		t.Fatalf("got %+v %v, want the list with the amend", got, rej)
	}
	d.check()
	d.wantBook("1@59000 |")
	d.wantBalance(0, "USDT", "99937000", "63000")
	for _, o := range rep.List.Orders {
		if q := d.order(0, o.OrderID); q.OrigQty != One {
			t.Errorf("got quantity %d of order %d, want 1 on both", q.OrigQty, o.OrderID)
		}
	}
	replaced := 0
	for _, r := range d.rec.reports {
		if r.Exec == ExecReplaced {
			replaced++
		}
	}
	if replaced != 2 || len(d.rec.lists) != 1 || d.rec.lists[0].Type != ListUpdated || d.rec.lists[0].Orders[1].ClientOrderID != "lower" {
		t.Errorf("got %d REPLACED and list statuses %+v, want two and UPDATED", replaced, d.rec.lists)
	}
	// The same id again is no news for the list.
	d.rec.reset()
	if _, rej := d.x.Amend(d.now, 0, &AmendRequest{Symbol: "BTCUSDT", OrigClientOrderID: "lower", NewQty: Some(One / 2), NewClientOrderID: "lower"}); rej != nil || len(d.rec.lists) != 0 {
		t.Errorf("got %v and list statuses %+v", rej, d.rec.lists)
	}
	// A pending leg is amended without a lock.
	oto := d.list(0, "OTO", "BUY LIMIT GTC 1@100", "SELL LIMIT GTC 1@62000 id=later")
	if _, rej := d.x.Amend(d.now, 0, &AmendRequest{Symbol: "BTCUSDT", OrigClientOrderID: "later", NewQty: Some(One / 2)}); rej != nil {
		t.Error(rej)
	}
	d.check()
	if q := d.order(0, oto.List.Orders[1].OrderID); q.OrigQty != One/2 || q.Status != StatusPendingNew {
		t.Errorf("got %+v", q)
	}
}

func TestListQueries(t *testing.T) {
	d := newDesk(t, func(c *Config) { c.OrdersKept = 40 })
	d.prints("60000")
	a := d.list(0, "OCO id=a", sellMaker, sellStop).List.ListID
	d.now += second
	b := d.list(0, "OTO id=b", "BUY LIMIT IOC 1@100", "SELL MARKET 1").List.ListID
	for _, c := range []struct {
		id     Opt
		client string
		code   int
	}{{Some(a), "", 0}, {Opt{}, "b", 0}, {Some(77), "", -2013}, {Opt{}, "c", -2013}, {Opt{}, "", -1102}} {
		if _, rej := d.x.OrderList(0, c.id, c.client); (rej == nil) != (c.code == 0) || rej != nil && rej.Code != c.code {
			t.Errorf("%+v %q: got %v, want %d", c.id, c.client, rej, c.code)
		}
	}
	if open := d.x.OpenOrderLists(0); len(open) != 1 || open[0].ListID != a || open[0].Type != ListExecStarted {
		t.Errorf("got open lists %+v", open)
	}
	for _, c := range []struct {
		q    ListQuery
		want string
	}{
		{ListQuery{}, fmt.Sprint([]int64{a, b})}, {ListQuery{Limit: 1}, fmt.Sprint([]int64{b})}, {ListQuery{FromID: Some(b)}, fmt.Sprint([]int64{b})},
		{ListQuery{EndTime: Some(testStart)}, fmt.Sprint([]int64{a})}, {ListQuery{StartTime: Some(testStart + 1)}, fmt.Sprint([]int64{b})},
	} {
		var ids []int64
		all, rej := d.x.AllOrderLists(0, c.q)
		for _, l := range all {
			ids = append(ids, l.ListID)
		}
		if rej != nil || fmt.Sprint(ids) != c.want {
			t.Errorf("%+v: got %v %v, want %s", c.q, ids, rej, c.want)
		}
	}
	if _, rej := d.x.AllOrderLists(0, ListQuery{FromID: Some(1), StartTime: Some(1)}); rej == nil || rej.Code != -1128 {
		t.Errorf("got %v, want -1128", rej)
	}
	for range 200 {
		d.list(0, "OTO", "BUY LIMIT IOC 1@100", "SELL MARKET 1")
	}
	if n := len(d.x.accounts[0].lists); n > 51 {
		t.Errorf("got %d lists kept, want 40 and a quarter", n)
	}
	if _, rej := d.x.OrderList(0, Some(a), ""); rej != nil {
		t.Error("an open list was forgotten")
	}
	for _, r := range []*CancelListRequest{{Symbol: "NOPE", ListID: Some(a)}, {Symbol: "BTCUSDT"}, {Symbol: "BTCUSDT", ListID: Some(b)},
		{Symbol: "BTCUSDT", ListID: Some(a), ClientID: "b"}, {Symbol: "BTCUSDT", ListID: Some(a), NewClientOrderID: "?"}} {
		if _, rej := d.x.CancelList(d.now, 0, r); rej == nil {
			t.Errorf("%+v: got accepted", r)
		}
	}
	if _, rej := d.x.CancelList(d.now, 1, &CancelListRequest{Symbol: "BTCUSDT", ListID: Some(a)}); rej == nil || rej.Code != -2011 {
		t.Errorf("another's list: got %v, want -2011", rej)
	}
}

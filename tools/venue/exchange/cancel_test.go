package exchange

import (
	"slices"
	"testing"
)

func TestCancelFindsOrdersByEitherID(t *testing.T) {
	for _, c := range []struct {
		name string
		r    func(id int64) *CancelRequest
		code int
		msg  string
	}{
		{"by id", func(id int64) *CancelRequest { return &CancelRequest{OrderID: Some(id)} }, 0, ""},
		{"by client id", func(int64) *CancelRequest { return &CancelRequest{OrigClientOrderID: "mine"} }, 0, ""},
		{"by both", func(id int64) *CancelRequest { return &CancelRequest{OrderID: Some(id), OrigClientOrderID: "mine"} }, 0, ""},
		{"by both that differ", func(id int64) *CancelRequest { return &CancelRequest{OrderID: Some(id), OrigClientOrderID: "other"} }, -2011, "Unknown order sent."},
		{"by neither", func(int64) *CancelRequest { return &CancelRequest{} }, -1102, "Param 'orderId' or 'origClientOrderId' must be sent, but both were empty/null!"},
		{"unknown", func(id int64) *CancelRequest { return &CancelRequest{OrderID: Some(id + 50)} }, -2011, "Unknown order sent."},
		{"only new", func(id int64) *CancelRequest { return &CancelRequest{OrderID: Some(id), Restriction: CancelOnlyNew} }, -2011, "Order was not canceled due to cancel restrictions."},
		{"only partially filled", func(id int64) *CancelRequest {
			return &CancelRequest{OrderID: Some(id), Restriction: CancelOnlyPartiallyFilled}
		}, 0, ""},
		{"bad cancel id", func(id int64) *CancelRequest { return &CancelRequest{OrderID: Some(id), NewClientOrderID: "?"} }, -1100, "Illegal characters found in parameter 'newClientOrderId'; legal range is '^[a-zA-Z0-9-_]{1,36}$'."},
	} {
		d := newDesk(t, nil)
		id := d.place(0, "BUY LIMIT GTC 2@60000 id=mine").OrderID
		d.place(1, "SELL LIMIT GTC 1@60000")
		r := c.r(id)
		r.Symbol = "BTCUSDT"
		rep, rej := d.x.Cancel(d.now, 0, r)
		d.check()
		if c.code != 0 {
			if rej == nil || rej.Code != c.code || rej.Msg != c.msg {
				t.Errorf("%s: got %v, want %d %s", c.name, rej, c.code, c.msg)
			}
			continue
		}
		if rej != nil || rep.Status != StatusCanceled || rep.ExecutedQty != One || rep.ClientOrderID != "mine" || rep.CancelID == "" || rep.CancelID == "mine" {
			t.Errorf("%s: got %+v %v", c.name, rep, rej)
		}
		if _, again := d.x.Cancel(d.now, 0, r); again == nil || again.Code != -2011 {
			t.Errorf("%s: second cancel got %v, want -2011", c.name, again)
		}
	}
}

func TestCancelReportCarriesBothIDs(t *testing.T) {
	d := newDesk(t, nil)
	d.place(0, "BUY LIMIT GTC 2@60000 id=mine")
	d.rec.reset()
	if _, rej := d.x.Cancel(d.now, 0, &CancelRequest{Symbol: "BTCUSDT", OrigClientOrderID: "mine", NewClientOrderID: "cancel-1"}); rej != nil {
		t.Fatal(rej)
	}
	r := d.rec.reports[0]
	if r.ClientOrderID != "cancel-1" || r.OrigClientID != "mine" || r.Exec != ExecCanceled || r.OnBook {
		t.Errorf("got report %+v, want c cancel-1, C mine, off the book", r)
	}
	if want := []string{"0:CANCELED/CANCELED", "top", "0:balances"}; !slices.Equal(d.rec.lines, want) {
		t.Errorf("got events %v, want %v", d.rec.lines, want)
	}
}

func TestNobodyCancelsAnothersOrder(t *testing.T) {
	d := newDesk(t, nil)
	id := d.place(0, "BUY LIMIT GTC 2@60000").OrderID
	if _, rej := d.x.Cancel(d.now, 1, &CancelRequest{Symbol: "BTCUSDT", OrderID: Some(id)}); rej == nil || rej.Code != -2011 {
		t.Errorf("got %v, want -2011", rej)
	}
}

func TestCancelAllCancelsOldestFirst(t *testing.T) {
	d := newDesk(t, nil)
	if _, rej := d.x.CancelAll(d.now, 0, "BTCUSDT"); rej == nil || rej.Code != -2011 {
		t.Errorf("nothing to cancel: got %v, want -2011", rej)
	}
	var want []int64
	for _, p := range []string{"60000", "59000", "61000"} {
		want = append(want, d.place(0, "BUY LIMIT GTC 1@"+p).OrderID)
	}
	d.place(1, "BUY LIMIT GTC 1@60000")
	reps, rej := d.x.CancelAll(d.now, 0, "BTCUSDT")
	if rej != nil {
		t.Fatal(rej)
	}
	var got []int64
	for _, r := range reps {
		got = append(got, r.OrderID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got cancels of %v, want %v", got, want)
	}
	d.wantBook("1@60000 |")
	d.check()
}

func TestAmendKeepsThePlaceInTheQueue(t *testing.T) {
	d := newDesk(t, nil)
	id := d.place(0, "SELL LIMIT GTC 5@61900 id=first").OrderID
	d.place(1, "SELL LIMIT GTC 5@61900")
	d.rec.reset()
	rep, rej := d.x.Amend(d.now, 0, &AmendRequest{Symbol: "BTCUSDT", OrderID: Some(id), NewQty: Some(2 * One), NewClientOrderID: "second"})
	if rej != nil {
		t.Fatal(rej)
	}
	d.check()
	d.wantBook("| 7@61900")
	d.wantBalance(0, "BTC", "998", "2")
	if rep.OrigQty != 2*One || rep.ClientOrderID != "second" || rep.OrigClientOrderID != "first" || rep.Status != StatusNew {
		t.Errorf("got %+v", rep)
	}
	if r := d.rec.reports[0]; r.Exec != ExecReplaced || r.Status != StatusNew || r.Quantity != 2*One {
		t.Errorf("got report %+v, want REPLACED with the status unchanged", r)
	}
	d.place(2, "BUY LIMIT GTC 2@61900")
	if o, _ := d.x.Order(0, "BTCUSDT", Some(id), ""); o.Status != StatusFilled {
		t.Errorf("got %s, want the amended order to be first in the queue still", o.Status)
	}
	list, rej := d.x.Amendments(0, "BTCUSDT", id, Opt{}, 0)
	if rej != nil || len(list) != 1 || list[0].OrigQty != 5*One || list[0].NewQty != 2*One || list[0].NewClientOrderID != "second" || list[0].ExecutionID != rep.ExecutionID {
		t.Errorf("amendments: got %+v %v", list, rej)
	}
}

func TestAmendRules(t *testing.T) {
	d := newDesk(t, func(c *Config) {
		c.Symbols[0].filter(MaxNumOrderAmends).Limit = 2
	})
	id := d.place(0, "SELL LIMIT GTC 5@61900 id=first").OrderID
	d.place(0, "SELL LIMIT GTC 5@62900 id=other")
	amend := func(f func(*AmendRequest)) *Reject {
		r := &AmendRequest{Symbol: "BTCUSDT", OrderID: Some(id), NewQty: Some(4 * One)}
		f(r)
		_, rej := d.x.Amend(d.now, 0, r)
		d.check()
		return rej
	}
	for _, c := range []struct {
		f    func(*AmendRequest)
		code int
		msg  string
	}{
		{func(r *AmendRequest) { r.NewQty = Some(6 * One) }, -2038, "Order amend (quantity increase) is not supported."},
		{func(r *AmendRequest) { r.NewQty = Some(5 * One) }, -2038, "The requested action would change no state; rejecting."},
		{func(r *AmendRequest) { r.NewQty = Opt{} }, -1102, "Mandatory parameter 'newQty' was not sent, was empty/null, or malformed."},
		{func(r *AmendRequest) { r.OrderID = Some(1 << 40) }, -2038, "Unknown order sent."},
		{func(r *AmendRequest) { r.NewClientOrderID = "other" }, -2038, "Duplicate order sent."},
		{func(r *AmendRequest) { r.NewQty = Some(1) }, -1013, "Filter failure: LOT_SIZE"},
	} {
		if rej := amend(c.f); rej == nil || rej.Code != c.code || rej.Msg != c.msg {
			t.Errorf("got %v, want %d %s", rej, c.code, c.msg)
		}
	}
	for i := int64(4); i > 2; i-- {
		if rej := amend(func(r *AmendRequest) { r.NewQty = Some(i * One) }); rej != nil {
			t.Fatal(rej)
		}
	}
	if rej := amend(func(r *AmendRequest) { r.NewQty = Some(One) }); rej == nil || rej.Code != -2038 || rej.Msg != "Filter failure: MAX_NUM_ORDER_AMENDS" {
		t.Errorf("third amend of two: got %v", rej)
	}
}

func TestAmendBelowWhatIsExecutedEndsTheOrder(t *testing.T) {
	d := newDesk(t, nil)
	id := d.place(0, "SELL LIMIT GTC 5@61900").OrderID
	d.place(1, "BUY LIMIT GTC 2@61900")
	rep, rej := d.x.Amend(d.now, 0, &AmendRequest{Symbol: "BTCUSDT", OrderID: Some(id), NewQty: Some(2 * One)})
	if rej != nil || rep.Status != StatusExpired {
		t.Fatalf("got %+v %v, want EXPIRED", rep, rej)
	}
	d.check()
	d.wantBook("|")
	if _, locked := d.balance(0, "BTC"); locked != 0 {
		t.Errorf("got %d locked, want nothing", locked)
	}
}

func TestCancelReplaceTable(t *testing.T) {
	for _, c := range []struct {
		name            string
		cancel          string // client id to cancel
		order           string
		allow           bool
		refused         *Reject
		code            int
		cancelR, orderR Outcome
		book            string
	}{
		{"both succeed", "old", "BUY LIMIT GTC 2@60500 id=new", false, nil, 0, Success, Success, "2@60500 |"},
		{"the id may be reused", "old", "BUY LIMIT GTC 2@60500 id=old", false, nil, 0, Success, Success, "2@60500 |"},
		{"cancel fails, stop", "none", "BUY LIMIT GTC 2@60500", false, nil, -2022, Failure, NotAttempted, "1@60000 |"},
		{"cancel fails, go on", "none", "BUY LIMIT GTC 2@60500", true, nil, -2021, Failure, Success, "2@60500 1@60000 |"},
		{"new fails", "old", "SELL LIMIT GTC 5000@60500", false, nil, -2021, Success, Failure, "|"},
		{"both fail", "none", "SELL LIMIT GTC 5000@60500", true, nil, -2022, Failure, Failure, "1@60000 |"},
		{"order count exceeded", "old", "BUY LIMIT GTC 2@60500", false, reject(-1015, "Too many new orders."), -2021, Success, Failure, "|"},
	} {
		d := newDesk(t, nil)
		d.place(0, "BUY LIMIT GTC 1@60000 id=old")
		rep, rej := d.x.CancelReplace(d.now, 0, &ReplaceRequest{
			Cancel: CancelRequest{OrigClientOrderID: c.cancel}, New: *ticket(c.order), AllowFailure: c.allow, NewRefused: c.refused,
		})
		d.check()
		if rej != nil || rep.Code != c.code || rep.CancelResult != c.cancelR || rep.NewResult != c.orderR {
			t.Errorf("%s: got %+v %v, want code %d, cancel %s, new %s", c.name, rep, rej, c.code, c.cancelR, c.orderR)
		}
		d.wantBook(c.book)
	}
}

func TestCancelReplaceChecksFiltersBeforeTheCancel(t *testing.T) {
	d := newDesk(t, nil)
	d.place(0, "BUY LIMIT GTC 1@60000 id=old")
	_, rej := d.x.CancelReplace(d.now, 0, &ReplaceRequest{Cancel: CancelRequest{OrigClientOrderID: "old"}, New: *ticket("BUY LIMIT GTC 1@60000.001")})
	if rej == nil || rej.Code != -1013 || rej.Msg != "Filter failure: PRICE_FILTER" {
		t.Errorf("got %v, want -1013", rej)
	}
	d.wantBook("1@60000 |")
}

func TestQueries(t *testing.T) {
	d := newDesk(t, nil)
	a := d.place(0, "BUY LIMIT GTC 1@60000 id=a")
	d.now += second
	b := d.place(0, "BUY LIMIT GTC 1@60001 id=b")
	d.now += second
	d.place(1, "SELL LIMIT GTC 1@60001")
	for _, c := range []struct {
		id     Opt
		client string
		code   int
	}{
		{Some(a.OrderID), "", 0}, {Opt{}, "a", 0}, {Some(a.OrderID), "a", 0},
		{Some(a.OrderID), "b", -2039}, {Some(999), "", -2013}, {Opt{}, "zzz", -2013}, {Opt{}, "", -1102},
	} {
		if _, rej := d.x.Order(0, "BTCUSDT", c.id, c.client); (rej == nil) != (c.code == 0) || rej != nil && rej.Code != c.code {
			t.Errorf("order %v %q: got %v, want code %d", c.id, c.client, rej, c.code)
		}
	}
	open, _ := d.x.OpenOrders(0, "")
	if len(open) != 1 || open[0].OrderID != a.OrderID {
		t.Errorf("open orders: got %+v, want the one of id a", open)
	}
	ids := func(q OrderQuery) (out []int64) {
		all, rej := d.x.AllOrders(0, "BTCUSDT", q)
		if rej != nil {
			t.Fatal(rej)
		}
		for _, o := range all {
			out = append(out, o.OrderID)
		}
		return out
	}
	for _, c := range []struct {
		q    OrderQuery
		want []int64
	}{
		{OrderQuery{}, []int64{a.OrderID, b.OrderID}},
		{OrderQuery{Limit: 1}, []int64{b.OrderID}},
		{OrderQuery{OrderID: Some(a.OrderID), Limit: 1}, []int64{a.OrderID}},
		{OrderQuery{OrderID: Some(a.OrderID + 1)}, []int64{b.OrderID}},
		{OrderQuery{StartTime: Some(testStart), Limit: 1}, []int64{a.OrderID}},
		{OrderQuery{EndTime: Some(testStart + second/2)}, []int64{a.OrderID}},
		{OrderQuery{StartTime: Some(testStart + 1)}, []int64{b.OrderID}},
		{OrderQuery{StartTime: Some(testStart + 5*second)}, nil},
	} {
		if got := ids(c.q); !slices.Equal(got, c.want) {
			t.Errorf("all orders %+v: got %v, want %v", c.q, got, c.want)
		}
	}
	fills, _ := d.x.MyTrades(0, "BTCUSDT", TradeQuery{OrderID: Some(b.OrderID)})
	if len(fills) != 1 || !fills[0].IsMaker || fills[0].OrderID != b.OrderID {
		t.Errorf("my trades: got %+v", fills)
	}
	if _, rej := d.x.MyTrades(0, "BTCUSDT", TradeQuery{OrderID: Some(1), StartTime: Some(1)}); rej == nil || rej.Code != -1128 {
		t.Errorf("bad combination: got %v, want -1128", rej)
	}
}

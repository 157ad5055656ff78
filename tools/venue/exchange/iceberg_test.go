package exchange

import "testing"

func TestIcebergDisplaysItsPartAndRefillsAtTheBack(t *testing.T) {
	d := newDesk(t, nil)
	ice := d.place(0, "SELL LIMIT GTC 5@60000 iceberg=2").OrderID
	second := d.place(1, "SELL LIMIT GTC 3@60000").OrderID
	d.wantBook("| 5@60000")
	d.wantBalance(0, "BTC", "995", "5")
	d.place(2, "BUY LIMIT GTC 1@60000")
	d.wantBook("| 4@60000") // what is displayed keeps its place
	d.rec.reset()
	d.place(2, "BUY LIMIT GTC 2@60000") // 1 of the iceberg, which refills behind, then 1 of the other
	d.wantBook("| 4@60000")
	if a, b := d.order(0, ice), d.order(1, second); a.ExecutedQty != 2*One || b.ExecutedQty != One {
		t.Errorf("got %d and %d executed, want 2 and 1: the refill goes to the back", a.ExecutedQty, b.ExecutedQty)
	}
	d.place(2, "BUY LIMIT GTC 5@60000") // the other's 2, then 2 and the last 1 of the iceberg
	d.wantBook("|")
	if a := d.order(0, ice); a.Status != StatusFilled || a.IcebergQty != 2*One {
		t.Errorf("got %+v, want it filled", a)
	}
}

func TestTakersReachWhatIcebergsHide(t *testing.T) {
	for _, c := range []struct{ order, executed string }{
		{"BUY LIMIT FOK 5@60000", "5"}, {"BUY LIMIT FOK 5.1@60000", "0"}, {"BUY MARKET 5", "5"}, {"BUY MARKET quote 300000", "5"},
		{"BUY LIMIT IOC 9@60000", "5"},
	} {
		d := newDesk(t, nil)
		d.place(0, "SELL LIMIT GTC 5@60000 iceberg=0.5")
		d.wantBook("| 0.5@60000")
		d.rec.reset()
		if rep := d.place(1, c.order); rep.ExecutedQty != fx(c.executed) {
			t.Errorf("%s: got %d executed, want %s", c.order, rep.ExecutedQty, c.executed)
		}
		if len(d.rec.aggs) > 1 {
			t.Errorf("%s: got %d aggregate trades of one taker at one price", c.order, len(d.rec.aggs))
		}
	}
}

func TestUpdateIDStandsStillWhenAnIcebergDisplaysAsMuchAsBefore(t *testing.T) {
	d := newDesk(t, nil)
	d.place(0, "SELL LIMIT GTC 5@60000 iceberg=1")
	id, _, _, _ := d.x.Depth("BTCUSDT", 0)
	d.place(1, "BUY LIMIT GTC 1@60000")
	if after, _, _, _ := d.x.Depth("BTCUSDT", 0); after != id {
		t.Errorf("got update id %d after %d, want the same: no level changed", after, id)
	}
	d.wantBook("| 1@60000")
}

func TestIcebergTakesWithAllOfIt(t *testing.T) {
	d := newDesk(t, nil)
	d.place(1, "SELL LIMIT GTC 3@60000")
	rep := d.place(0, "BUY LIMIT GTC 5@60000 iceberg=0.4")
	if rep.ExecutedQty != 3*One {
		t.Errorf("got %d executed, want 3", rep.ExecutedQty)
	}
	d.wantBook("0.4@60000 |")
}

func TestAmendedIcebergDisplaysLessOnlyBelowItsPart(t *testing.T) {
	d := newDesk(t, nil)
	id := d.place(0, "SELL LIMIT GTC 5@60000 iceberg=2").OrderID
	for _, c := range []struct{ qty, book string }{{"4", "| 2@60000"}, {"1.5", "| 1.5@60000"}} {
		if _, rej := d.x.Amend(d.now, 0, &AmendRequest{Symbol: "BTCUSDT", OrderID: Some(id), NewQty: Some(fx(c.qty))}); rej != nil {
			t.Fatal(rej)
		}
		d.check()
		d.wantBook(c.book)
	}
}

func TestPreventionMeetsTheDisplayedPart(t *testing.T) {
	d := newDesk(t, nil)
	id := d.place(0, "SELL LIMIT GTC 5@60000 iceberg=2").OrderID
	rep := d.place(0, "BUY LIMIT GTC 3@60000 stp=DECREMENT")
	if rep.Status != StatusExpiredInMatch || len(rep.Prevented) != 2 {
		t.Errorf("got %+v, want it expired in two meetings", rep)
	}
	if o := d.order(0, id); o.PreventedQty != 3*One || o.Status != StatusNew {
		t.Errorf("got %+v, want 3 prevented", o)
	}
	d.wantBook("| 1@60000")
}

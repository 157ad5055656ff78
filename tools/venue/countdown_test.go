package venue

import (
	"slices"
	"testing"
	"time"

	"riposte/tools/venue/exchange"
)

func (s *Server) armed(t *testing.T) (n int) {
	t.Helper()
	s.loop.do(func(int64) { n = len(s.deadMan.ends) })
	return n
}

func TestCountdownCancelsTheSymbolsOrders(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	place := func(symbol string) {
		c.signed("POST", "/api/v3/order", "symbol="+symbol+"&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=2000").into(t, &struct{}{})
	}
	var used []string
	arm := func(ms string) {
		r := c.signed("POST", "/fapi/v1/countdownCancelAll", "symbol=BTCUSDT&countdownTime="+ms)
		if want := `{"symbol":"BTCUSDT","countdownTime":"` + ms + `"}`; r.status != 200 || string(r.body) != want {
			t.Fatalf("got %d %s, want %s", r.status, r.body, want)
		}
		used = append(used, r.header.Get("X-Mbx-Used-Weight-1m"))
	}
	arm("3600000")
	if n := s.armed(t); n != 1 {
		t.Errorf("%d countdowns after one was set, want 1", n)
	}
	arm("3600001")
	arm("0")
	if n := s.armed(t); n != 0 {
		t.Errorf("%d countdowns after it was disarmed, want 0", n)
	}
	if slices.Compare(used, []string{"10", "20", "30"}) != 0 {
		t.Errorf("weight used was %v, want 10 a call", used)
	}
	place("BTCUSDT")
	place("ETHUSDT")
	arm("3600000")
	arm("1") // a later word replaces the one before
	for deadline := time.Now().Add(hang); s.armed(t) > 0; {
		if time.Now().After(deadline) {
			t.Fatal("the countdown did not end")
		}
	}
	open, err := s.OpenOrders("")
	if err != nil || len(open) != 1 || open[0].Symbol != "ETHUSDT" {
		t.Errorf("open are %+v, %v, want the order on ETHUSDT alone", open, err)
	}
	o, err := ask(s, "", func(a exchange.AccountID) (*exchange.Order, error) {
		o, rej := s.x.Order(a, "BTCUSDT", exchange.Some(1), "")
		if rej != nil {
			return nil, rej
		}
		return o, nil
	})
	if err != nil || o.Status != exchange.StatusCanceled {
		t.Errorf("the order is %+v, %v, want CANCELED", o, err)
	}
}

func TestCountdownRefusesWhatItCannotRead(t *testing.T) {
	c := restOf(t, venueOf(t, quiet))
	for _, k := range []struct {
		params string
		code   int
	}{{"symbol=BTCUSDT", -1102}, {"countdownTime=1000", -1102}, {"symbol=NONE&countdownTime=1000", -1121},
		{"symbol=BTCUSDT&countdownTime=-1", -1100}, {"symbol=BTCUSDT&countdownTime=1.5", -1100}, {"symbol=BTCUSDT&countdownTime=86400001", -1130}} {
		r := c.signed("POST", "/fapi/v1/countdownCancelAll", k.params)
		if code, msg := r.code(t); code != k.code {
			t.Errorf("%s: got %d %s, want %d", k.params, code, msg, k.code)
		}
	}
}

func TestCommissionOfTheAccountNamesItsDiscount(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	read := func() (d struct {
		Discount struct {
			EnabledForAccount, EnabledForSymbol bool
			DiscountAsset, Discount             string
		}
		StandardCommission struct{ Maker, Taker, Buyer, Seller string }
	}) {
		c.signed("GET", "/api/v3/account/commission", "symbol=BTCUSDT").into(t, &d)
		return d
	}
	if d := read(); d.Discount.EnabledForAccount || !d.Discount.EnabledForSymbol || d.Discount.DiscountAsset != "BNB" || d.Discount.Discount != "0.75000000" ||
		d.StandardCommission.Maker != "0.00100000" {
		t.Errorf("got %+v", d)
	}
	if r := c.raw("POST", "/sim/bnb?account=main&on=true", "", nil); r.status != 200 {
		t.Fatalf("got %d %s", r.status, r.body)
	}
	if d := read(); !d.Discount.EnabledForAccount {
		t.Errorf("switched on, got %+v", d)
	}
	for _, q := range []string{"account=main&on=maybe", "account=nobody&on=true"} {
		if r := c.raw("POST", "/sim/bnb?"+q, "", nil); r.status != 400 {
			t.Errorf("%s: got %d %s, want 400", q, r.status, r.body)
		}
	}
}

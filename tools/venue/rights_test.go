package venue

import (
	"net/http"
	"strings"
	"testing"
)

func TestRightsAreToldAndDecideWhatAKeyMayDo(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	const order = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001&price=50000"
	told := func() map[string]any {
		t.Helper()
		var m map[string]any
		c.signed("GET", restrictionsPath, "").into(t, &m)
		return m
	}
	if m := told(); m["enableSpotAndMarginTrading"] != true || m["ipRestrict"] != true || m["enableWithdrawals"] != false || m["tradingAuthorityExpirationTime"] != nil {
		t.Errorf("a key of its own is told to have %v", m)
	}
	r := TradingRights()
	r.Withdrawals, r.SpotTrading, r.TradingExpires = true, false, 1628985600000
	if err := s.SetRights(c.key.APIKey, r); err != nil {
		t.Fatal(err)
	}
	if m := told(); m["enableWithdrawals"] != true || m["enableSpotAndMarginTrading"] != false || m["tradingAuthorityExpirationTime"] != 1628985600000.0 {
		t.Errorf("changed rights are told as %v", m)
	}
	if code, _ := c.signed("POST", "/api/v3/order", order).code(t); code != -2015 {
		t.Errorf("got %d, want -2015", code)
	}
	c.signed("GET", "/api/v3/openOrders", "").into(t, new([]any))
	resp, err := http.Post(s.Admin()+"/rights?key="+c.key.APIKey, "application/json", strings.NewReader(`{"enableSpotAndMarginTrading":true}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if m := told(); resp.StatusCode != http.StatusOK || m["enableReading"] != false || m["enableSpotAndMarginTrading"] != true {
		t.Errorf("rights from the page (%d) are told as %v", resp.StatusCode, m)
	}
	if code, _ := c.signed("GET", "/api/v3/openOrders", "").code(t); code != -2015 {
		t.Errorf("got %d, want -2015", code)
	}
	if err := s.SetRights("nobody", r); err == nil {
		t.Error("the rights of a key that does not exist were changed")
	}
}

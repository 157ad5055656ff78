package venue

import (
	"testing"
)

func TestPlacedOrderIsAcknowledgedQueriedAndCanceled(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	r := c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000&newClientOrderId=first")
	t.Logf("%d %s %v", r.status, r.body, r.header)
	r = c.signed("GET", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=first")
	t.Logf("%d %s", r.status, r.body)
	r = c.signed("GET", "/api/v3/account", "omitZeroBalances=true")
	t.Logf("%d %s", r.status, r.body)
	r = c.signed("DELETE", "/api/v3/order", "symbol=BTCUSDT&origClientOrderId=first")
	t.Logf("%d %s", r.status, r.body)
	r = c.get("/api/v3/exchangeInfo?symbol=BTCUSDT")
	t.Logf("%d %s", r.status, r.body)
}

func TestStreams(t *testing.T) {
	s := venueOf(t, nil)
	k := dial(t, s.Stream()+"/stream?streams=btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade/btcusdt@kline_1m/btcusdt@ticker/!miniTicker@arr/btcusdt@avgPrice/btcusdt@depth5@100ms/btcusdt@aggTrade")
	seen := map[any]bool{}
	k.until(func(m map[string]any) bool {
		if !seen[m["stream"]] {
			seen[m["stream"]] = true
			t.Log(m)
		}
		return len(seen) == 9
	})
}

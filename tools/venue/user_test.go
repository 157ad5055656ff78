package venue

import (
	"testing"
)

func TestUserEventsFollowAnOrderThroughItsLife(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	a := apiOf(t, s)
	r := a.signedCall("userDataStream.subscribe.signature")
	t.Log(r)
	c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=60000&newClientOrderId=first")
	t.Log(a.event("executionReport"))
	t.Log(a.event("outboundAccountPosition"))
	t.Log(a.signedCall("order.place", "symbol", "BTCUSDT", "side", "SELL", "type", "MARKET", "quantity", "0.01", "selfTradePreventionMode", "NONE"))
	t.Log(a.signedCall("order.place", "symbol", "BTCUSDT", "side", "SELL", "type", "MARKET", "quantity", "0.01", "selfTradePreventionMode", "EXPIRE_MAKER"))
	for _, e := range a.events {
		t.Log(e)
	}
}

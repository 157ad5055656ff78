package exec

import "testing"

func TestAPathExplainsItselfWithNumbers(t *testing.T) {
	us := [routes]uint32{1200, 650}
	for _, c := range []struct {
		path Path
		us   [routes]uint32
		want string
	}{
		{pathOf(RouteWS, WhyFaster), us, "ws: faster: its answers come in 0.65 ms, rest's in 1.20 ms"},
		{pathOf(RouteREST, WhyFaster), us, "rest: faster: its answers come in 1.20 ms, ws's in 0.65 ms; it was the faster when it was chosen, and stays until the other is so by a fifth"},
		{pathOf(RouteREST, WhyStalled), [routes]uint32{1200, 0}, "rest: other stalled: its answers come in 1.20 ms, ws's in nobody knows what time"},
		{pathOf(RouteREST, WhyOnly), [routes]uint32{1200, 0}, "rest: only route: its answers come in 1.20 ms"},
		{pathOf(RouteREST, WhyOnly), [routes]uint32{}, "rest: only route"},
	} {
		if got := c.path.Explain(c.us); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

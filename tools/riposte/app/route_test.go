package app

import (
	"flag"
	"slices"
	"testing"

	"riposte/exec"
	"riposte/tools/venue"
)

// routeCuts is how often each route is cut; acceptance runs take 30.
var routeCuts = flag.Int("routecuts", 3, "cuts of each route to the venue while orders flow")

// oneSymbol keeps the weight of snapshots low, and orders where their history is one page.
var oneSymbol = []string{"snapshot_limit = 1000", "snapshot_limit = 100", "symbols = []", `symbols = ["BTCUSDT"]`}

// soonProved has the doubt about an order end in seconds: the embedded venue's reads do
// not lag.
var soonProved = []string{`recv_window = "30s"`, `recv_window = "5s"`, `margin = "10s"`, `margin = "1s"`, `span = "60s"`, `span = "2s"`}

func TestRunTradesByTheWebSocketAPIAlone(t *testing.T) {
	d := started(t, simConfig(t, `route = "auto"`, `route = "ws"`))
	wait(t, "trading", d, func(r *report) bool { return r.Fills >= 3 && r.Orders >= 5 && settled(r) })
	r := finish(t, d)
	if len(r.Routes) != 2 || r.Routes[exec.RouteWS].Orders != r.Orders || r.Routes[exec.RouteREST].Orders != 0 || r.Routes[exec.RouteWS].P50 <= 0 {
		t.Errorf("%d orders, routes %+v; want all by sessions, and their times", r.Orders, r.Routes)
	}
	onceEach(t, d)
}

// With an Ed25519 key sessions log on, and no order is signed.
func TestRunLogsOnWithAnEd25519Key(t *testing.T) {
	ed, err := venue.NewEd25519Key(5, "first")
	if err != nil {
		t.Fatal(err)
	}
	v := openKeyed(t, ed)
	d := started(t, v.config(`route = "auto"`, `route = "ws"`))
	wait(t, "trading", d, func(r *report) bool { return r.Acks >= 5 && settled(r) })
	if r := d.shutdown(); !r.Clean || r.Routes[exec.RouteWS].Orders != r.Orders {
		t.Errorf("clean %v, %d orders, routes %+v, problems %q; want all by sessions", r.Clean, r.Orders, r.Routes, r.Problems)
	}
}

// TestOrdersFlowWhileRoutesAreCut resets the connections of one route and then of the
// other, announces the end of sessions, and has the WebSocket side fall silent: trading
// goes on, no order arrives twice, and the ledger is the venue's.
func TestOrdersFlowWhileRoutesAreCut(t *testing.T) {
	d := started(t, simConfig(t, slices.Concat(eager(), oneSymbol, soonProved)...))
	wait(t, "first orders", d, func(r *report) bool { return r.Acks >= 2 && settled(r) && r.Routes[exec.RouteWS].State == "up" })
	for range *routeCuts {
		for _, line := range []string{"cut rest", "cut wsapi", "shutdown wsapi 200ms"} {
			wait(t, "grown connections", d, func(r *report) bool {
				return settled(r) && d.age(d.user.Status().ConnectedAt) > proved
			})
			acks, before := d.report().Acks, d.user.Status().ConnectedAt
			fault(t, d, line)
			wait(t, "orders acknowledged after "+line, d, func(r *report) bool {
				// An announced end is met by a successor: the account's stream is never down.
				back := line == "cut rest" || d.user.Status().ConnectedAt > before
				return r.Acks > acks && back && settled(r) && r.Routes[0].State == "up" && r.Routes[1].State == "up"
			})
		}
	}
	acks := d.report().Routes[exec.RouteREST].Acks
	fault(t, d, "freeze wsapi 30s")
	wait(t, "orders by wires alone", d, func(r *report) bool {
		return r.Routes[exec.RouteREST].Chosen && r.Routes[exec.RouteREST].Acks > acks
	})
	wait(t, "settled", d, settled)
	r := finish(t, d)
	onceEach(t, d)
	t.Logf("%d orders, %d fills, %d doubts, %d connects; routes %+v", r.Orders, r.Fills, r.Doubts, r.Connects, r.Routes)
}

// onceEach holds what the venue has of our orders against what we sent.
func onceEach(t *testing.T, d *desk) {
	t.Helper()
	seen := map[string]int{}
	for _, sym := range d.cfg.traded() {
		in, _ := d.table.Lookup(sym)
		list, err := d.rest.AllOrders(t.Context(), in.ID, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i := range list {
			seen[list[i].Client.String()]++
		}
	}
	for client, n := range seen {
		if n != 1 {
			t.Errorf("the venue has %d orders with the client id %s, want one", n, client)
		}
	}
	if len(seen) == 0 {
		t.Error("the venue has no order of ours; the test shows nothing")
	}
}

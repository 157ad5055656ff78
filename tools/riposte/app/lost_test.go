package app

import (
	"fmt"
	"testing"
)

// TestLostAnswersOfTheRealVenue: the embedded exchange loses the answers to orders in
// every way, taken or not, over real sockets. The run ends with the venue's own ledger,
// every order sent at most once, and what never arrived proved absent.
func TestLostAnswersOfTheRealVenue(t *testing.T) {
	d := started(t, simConfig(t, "symbols = []", `symbols = ["BTCUSDT"]`, `recv_window = "2s"`, `recv_window = "500ms"`,
		`margin = "10s"`, `margin = "300ms"`, `span = "60s"`, `span = "500ms"`, "block = 1", "block = 0"))
	wait(t, "first orders", d, func(r *report) bool { return r.Acks >= 2 && settled(r) })
	for _, taken := range []string{"taken", "untaken"} {
		for _, how := range []string{"reset", "503", "busy"} {
			sent := d.report().Orders
			fault(t, d, fmt.Sprintf("lose orders %s %s %d", taken, how, *cuts))
			wait(t, fmt.Sprintf("orders %s whose answer was lost by %s", taken, how), d, func(r *report) bool {
				return r.Orders >= sent+uint64(*cuts) && settled(r)
			})
		}
	}
	r := finish(t, d)
	v := d.dealer.view()
	if v.table.Contradictions != 0 || v.table.OtherRun != 0 || v.stats.Externals != 0 {
		t.Errorf("%d contradictions, %d orders of another run, %d external flows; want none", v.table.Contradictions, v.table.OtherRun, v.stats.Externals)
	}
	t.Logf("%d orders, %d doubts, %d proved absent with %d questions and %d censuses", r.Orders, r.Doubts, v.stats.Proved, v.stats.Asked, v.stats.Censuses)
}

package app

import (
	"fmt"
	"testing"
)

// replacing is a quoter that replaces its orders in one request, and often.
func replacing(edits ...string) []string {
	return append([]string{`slack_ticks = 2`, "slack_ticks = 0\nslack_bps = 0.0\nrequote = \"replace\"", `life_min = "250ms"`, `life_min = "20ms"`}, edits...)
}

// TestAQuoterThatReplacesEndsWithTheVenuesLedger: against the embedded exchange, over
// real sockets, with both halves of each replace told by answers and by the user stream
// in whatever order they come.
func TestAQuoterThatReplacesEndsWithTheVenuesLedger(t *testing.T) {
	d := started(t, simConfig(t, replacing()...))
	wait(t, "replaces and fills", d, func(r *report) bool {
		return d.dealer.view().stats.Replaces >= 12 && r.Fills >= 3 && settled(r)
	})
	r := finish(t, d)
	v := d.dealer.view()
	if v.table.Contradictions != 0 || v.stats.Externals != 0 || v.stats.AnswersUnknown != 0 || v.table.Doubts != 0 || r.Rejects > r.Orders/2 {
		t.Errorf("%d contradictions, %d external flows, %d unknown answers, %d doubts, %d rejects of %d orders; want none, and few rejects",
			v.table.Contradictions, v.stats.Externals, v.stats.AnswersUnknown, v.table.Doubts, r.Rejects, r.Orders)
	}
	t.Logf("%d orders, %d of them in the place of another, %d amends, %d cancels, %d fills, %d rejects", r.Orders, v.stats.Replaces, v.stats.Amends, r.Cancels, r.Fills, r.Rejects)
}

// TestLostAnswersToReplacesOfTheRealVenue: as TestLostAnswersOfTheRealVenue, with an
// answer that leaves two orders open.
func TestLostAnswersToReplacesOfTheRealVenue(t *testing.T) {
	d := started(t, simConfig(t, replacing("symbols = []", `symbols = ["BTCUSDT"]`, `recv_window = "2s"`, `recv_window = "500ms"`,
		`margin = "10s"`, `margin = "300ms"`, `span = "60s"`, `span = "500ms"`, "block = 1", "block = 0")...))
	wait(t, "first replaces", d, func(r *report) bool { return d.dealer.view().stats.Replaces >= 5 && settled(r) })
	for _, taken := range []string{"taken", "untaken"} {
		for _, how := range []string{"reset", "503", "busy"} {
			before := d.dealer.view().stats
			fault(t, d, fmt.Sprintf("lose orders %s %s %d", taken, how, *cuts))
			wait(t, fmt.Sprintf("replaces %s whose answer was lost by %s", taken, how), d, func(r *report) bool {
				return d.dealer.view().stats.Replaces >= before.Replaces+uint64(*cuts) && settled(r)
			})
		}
	}
	r := finish(t, d)
	v := d.dealer.view()
	if v.table.Contradictions != 0 || v.table.OtherRun != 0 || v.stats.Externals != 0 {
		t.Errorf("%d contradictions, %d orders of another run, %d external flows; want none", v.table.Contradictions, v.table.OtherRun, v.stats.Externals)
	}
	t.Logf("%d orders, %d of them in the place of another, %d doubts, %d proved absent with %d questions and %d censuses",
		r.Orders, v.stats.Replaces, r.Doubts, v.stats.Proved, v.stats.Asked, v.stats.Censuses)
}

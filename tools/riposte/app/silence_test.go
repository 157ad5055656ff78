package app

import (
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"riposte/core/risk"
	"riposte/feed"
	"riposte/tools/venue"
)

// rotateEvery is the distance of rotations in real time, RIPOSTE_ROTATE_EVERY: seconds by
// default, a minute in the full run.
func rotateEvery(t *testing.T) string {
	t.Helper()
	every := os.Getenv("RIPOSTE_ROTATE_EVERY")
	if every == "" {
		return "4s"
	}
	if _, err := time.ParseDuration(every); err != nil {
		t.Fatalf("RIPOSTE_ROTATE_EVERY is %q, want a duration such as 1m", every)
	}
	return every
}

// A socket that is open and says nothing is found and replaced: one of two, and then no book
// is demoted, or both, and then no order leaves on what they last told.
// RIPOSTE_SILENCES=200 is the full run.
func TestRunReplacesASilentSocket(t *testing.T) {
	n := count(t, "RIPOSTE_SILENCES", 2)
	for _, all := range []bool{false, true} {
		stale := slices.Repeat([]string{`stale_after = "3s"`, `stale_after = "500ms"`}, 5) // of each symbol
		d := started(t, simConfig(t, append(stale, "snapshot_limit = 1000", "snapshot_limit = 100",
			`margin = "10s"`, `margin = "1s"`, `span = "60s"`, `span = "2s"`,
			"reject_max = 20\n", "reject_max = 1000000\n", "reject_span_max = 20\n", "reject_span_max = 0\n")...)) // orders that would take are rejected often while a book is built anew
		two := func(r *report) bool {
			st := d.market.Status()
			return settled(r) && len(st.Lines) == 2 && !slices.ContainsFunc(st.Lines, func(l feed.LineReport) bool { return l.State != feed.Live || l.Succession || l.Leaving })
		}
		wait(t, "trading", d, func(r *report) bool { return r.Acks >= 2 && two(r) })
		var took []time.Duration
		silenced := map[uint64]bool{}
		late, downs, pauses := uint64(0), d.downs(), d.shard.Stats().Pauses
		for i := range n {
			var streams []venue.SocketInfo
			wait(t, "two lines", d, func(r *report) bool {
				// The venue still has those that were silenced before, whose end waits too, and for
				// a moment those that a line has given up.
				streams = slices.DeleteFunc(d.sim.Stats().Sockets, func(s venue.SocketInfo) bool { return s.Kind != "streams" || silenced[s.ID] })
				return two(r) && len(streams) == 2
			})
			if !all {
				streams = streams[i%2:][:1]
			}
			ends := d.market.Status().Lost
			from := time.Now()
			for _, s := range streams {
				silenced[s.ID] = true
				fault(t, d, fmt.Sprintf("hold streams out 60s conn=%d", s.ID))
			}
			bytes, placed, noticed := d.market.Status().Bytes, uint64(0), time.Duration(0)
			wait(t, fmt.Sprintf("silence %d found", i), d, func(*report) bool {
				st := d.market.Status()
				if noticed == 0 && (st.Lost > ends || slices.ContainsFunc(st.Lines, func(l feed.LineReport) bool { return l.Succession || l.Leaving })) {
					noticed = time.Since(from)
				}
				// With both silent no order may leave once what was told is too old; one may
				// have been on its way.
				if placed != 0 || time.Since(from) > silentMost {
					now := d.sim.Stats().Accepted
					if all && placed != 0 && d.market.Status().Bytes == bytes && now > placed {
						late += now - placed
					}
					if d.market.Status().Bytes == bytes {
						placed = now
					}
				}
				return noticed != 0 && d.market.Status().Lost >= ends+uint64(len(streams))
			})
			took = append(took, noticed)
		}
		wait(t, "two lines again", d, two)
		slices.Sort(took)
		st := d.market.Status()
		downs, pauses = d.downs()-downs, d.shard.Stats().Pauses-pauses
		t.Logf("all lines %v: %d silences, p50 %v, p99 %v, max %v; %d orders on stale data, %d books told that their line is down, %d pauses, %d connections ended",
			all, n, took[len(took)/2], took[len(took)*99/100], took[len(took)-1], late, downs, pauses, st.Lost)
		if late != 0 {
			t.Errorf("%d orders were accepted after %v without a byte", late, silentMost)
		}
		if !all && downs > pauses {
			t.Errorf("%d books were told that their line is down while another carried them, want none but by %d pauses of the process", downs, pauses)
		}
		finish(t, d)
	}
}

// silentMost is after how long without a byte no order may be accepted: the age at which
// data is stale, the life of an approval, and the way.
const silentMost = 500*time.Millisecond + 250*time.Millisecond + 500*time.Millisecond

func (d *desk) downs() (n uint64) {
	for i := range d.table.List {
		n += d.shard.MarketStats(d.table.List[i].ID).Sync.Counters.LineDowns
	}
	return n
}

// TestAnEventOfTheAccountThatBothConnectionsTellCountsOnce: fills, balances and deposits, of
// a desk whose account connection is being replaced.
func TestAnEventOfTheAccountThatBothConnectionsTellCountsOnce(t *testing.T) {
	d := started(t, simConfig(t))
	wait(t, "trading", d, func(r *report) bool { return r.Fills > 0 && settled(r) })
	before := d.report()
	h := &userHolder{d: d}
	if err := h.prepare(t.Context(), d.key); err != nil {
		t.Fatal(err)
	}
	// Both are subscribed: the venue itself tells everything twice from here on.
	wait(t, "fills told by both", d, func(r *report) bool { return r.Fills >= before.Fills+5 })
	if err := d.sim.Deposit("", "USDT", "7"); err != nil {
		t.Fatal(err)
	}
	wait(t, "a fill behind the deposit", d, func(r *report) bool { return r.Fills >= before.Fills+6 })
	if err := h.commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait(t, "fills on the new one", d, func(r *report) bool { return r.Fills >= before.Fills+7 })
	if d.gateway.Halted()&risk.HaltMismatch != 0 {
		t.Errorf("halted: %v", d.gateway.Halted())
	}
	finish(t, d) // every balance to the last unit, the deposit once among them
}

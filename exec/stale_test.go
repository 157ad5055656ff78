package exec_test

import (
	"slices"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
)

// TestAnAnswerOlderThanTheStreamIsAskedForAgain: balances in an answer that does not know
// the account's last update, or its last trade, halt nothing; the audit goes on asking and
// says why. The bound is on one and the same difference.
func TestAnAnswerOlderThanTheStreamIsAskedForAgain(t *testing.T) {
	const usdt = core.AssetID(1)
	opening := []core.Balance{{Asset: usdt, Free: 1000_00000000}}
	for name, told := range map[string]func(r *rig){
		"by the account's update": func(r *rig) {
			r.g.OnBalances([]core.Balance{{Asset: usdt, Free: 1100_00000000}}, 5_000_000_500)
		},
		"by a trade": func(r *rig) {
			foreign, _ := core.MakeClientID("web_manual")
			r.g.OnExecution(&core.Execution{Kind: core.ExecTrade, Status: core.Filled, Client: foreign, VenueID: 9, TradeID: 77, LastQty: 1, Cum: 1, Qty: 1})
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, audited, func(c *exec.Config) { c.Venue.(*coldVenue).balances = opening })
			answers := func(free core.Amount, updated core.WallNs) {
				r.cold.mu.Lock()
				defer r.cold.mu.Unlock()
				r.cold.balances, r.cold.updated = []core.Balance{{Asset: usdt, Free: free}}, updated
			}
			answers(1000_00000000, 4_000_000_000)
			r.until("the first audit is done", func() bool { return r.g.Halted() == 0 })
			r.g.OnExternal(usdt, 100_00000000)
			told(r)
			r.clock.advance(30 * time.Second) // the account is quiet for longer than reads may lag
			for r.clock.Mono(); ; {
				r.auditOnce()
				if k := diffKinds(r.g.Differences()); !slices.Equal(k, []exec.DiffKind{exec.DiffStale}) {
					break
				}
				if h := r.g.Halted(); h&risk.HaltMismatch != 0 {
					t.Fatalf("halted for %v by what was only old", h)
				}
				r.clock.advance(10 * time.Second)
			}
			if r.g.Halted()&risk.HaltMismatch == 0 {
				t.Error("a difference that stays for minutes does not halt")
			}
			if got := exec.DiffStale.String(); got != "balance differs in an answer older than the account's stream" {
				t.Errorf("the reason is %q", got)
			}
		})
	}
}

// TestALaggingAnswerThatCatchesUpLeavesNoTrace, be it to a difference or to the opening
// balances.
func TestALaggingAnswerThatCatchesUpLeavesNoTrace(t *testing.T) {
	const usdt = core.AssetID(1)
	r := newRig(t, audited, func(c *exec.Config) {
		v := c.Venue.(*coldVenue)
		v.balances, v.updated = []core.Balance{{Asset: usdt, Free: 900_00000000}}, 3_000_000_000
		v.mu.Lock() // nothing is answered yet
	})
	set := func(free core.Amount, updated core.WallNs) {
		r.cold.mu.Lock()
		defer r.cold.mu.Unlock()
		r.cold.balances, r.cold.updated = []core.Balance{{Asset: usdt, Free: free}}, updated
	}
	r.g.OnBalances([]core.Balance{{Asset: usdt, Free: 1000_00000000}}, 4_000_000_000)
	r.cold.mu.Unlock()
	for range 5 {
		r.clock.advance(10 * time.Second)
		r.settleCold()
		r.steps(3)
	}
	if r.g.Ledger().Opened() || r.g.Halted() != risk.HaltNotReconciled {
		t.Fatalf("the ledger opened with balances that are known to be old; halted: %v", r.g.Halted())
	}
	set(1000_00000000, 4_000_000_000)
	r.wait("trading is open", 100*time.Millisecond, func() bool { return r.g.Halted() == 0 })
	r.g.OnExternal(usdt, 50_00000000)
	r.g.OnBalances([]core.Balance{{Asset: usdt, Free: 1050_00000000}}, 4_500_000_999) // in microseconds
	r.clock.advance(30 * time.Second)
	r.auditOnce()
	if k := diffKinds(r.g.Differences()); !slices.Equal(k, []exec.DiffKind{exec.DiffStale}) || r.g.Halted() != 0 {
		t.Errorf("differences %v, halted: %v; want one stale balance that stops nothing", r.g.Differences(), r.g.Halted())
	}
	set(1050_00000000, 4_500_000_000) // of the same millisecond
	r.wait("it is asked for again", 100*time.Millisecond, func() bool { return len(r.g.Differences()) == 0 })
	if r.g.Halted() != 0 || len(r.g.Ledger().Mismatches(nil)) != 0 {
		t.Errorf("halted: %v, ledger differs %v", r.g.Halted(), r.g.Ledger().Mismatches(nil))
	}
}

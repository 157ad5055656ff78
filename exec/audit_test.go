package exec_test

import (
	"runtime"
	"slices"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
)

func audited(c *exec.Config) { c.AuditEvery = 30 * time.Second }

func (r *rig) auditOnce() {
	r.t.Helper()
	n := r.g.AuditsDone()
	r.g.AuditNow()
	r.until("an audit is done", func() bool { return r.g.AuditsDone() > n })
}

func diffKinds(ds []exec.Difference) (out []exec.DiffKind) {
	for _, d := range ds {
		out = append(out, d.Kind)
	}
	return out
}

func TestNothingTradesBeforeTheFirstAudit(t *testing.T) {
	r := newRig(t, audited, func(c *exec.Config) {
		c.Venue.(*coldVenue).balances = []core.Balance{{Asset: 1, Free: 1000_00000000}}
	})
	early := core.OrderID(0)
	if r.g.Halted()&risk.HaltNotReconciled != 0 {
		early = r.buy(100_00000000)
	}
	r.until("the first audit is done", func() bool { return r.g.Halted() == 0 })
	if early != 0 && r.story(early) != "done NOT_SENT" {
		t.Errorf("an order before the audit: %q", r.story(early))
	}
	if r.g.Ledger().Owned(1) != 1000_00000000 {
		t.Errorf("opening balance is %v, want 1000", r.g.Ledger().Owned(1))
	}
	id := r.buy(100_00000000)
	r.steps(3)
	r.expect(id, "ack")
}

func TestAuditFindsMissedFillsAndLostOrders(t *testing.T) {
	r := newRig(t, audited, func(c *exec.Config) {
		v := c.Venue.(*coldVenue)
		v.balances = []core.Balance{{Asset: 1, Free: 1000_00000000}, {Asset: 2, Free: 1_00000000}}
		v.trades = []core.Execution{{Kind: core.ExecTrade, Status: core.New, TradeID: 50, VenueID: 3, LastQty: 1, FeeAsset: core.NoAsset}} // before our time
	})
	r.until("the first audit is done", func() bool { return r.g.Halted() == 0 })
	r.resting()
	a, b := r.buy(100_00000000), r.buy(99_00000000)
	r.steps(3)
	// While nobody listened: a filled in part, b was cancelled by the venue.
	r.cold.set(r.told(a, 1001, core.PartiallyFilled, 50000000))
	r.cold.trade(r.fill(a, 1001, 51, 50000000, 50000000))
	r.cold.set(r.told(b, 1002, core.Canceled, 0))
	manual, _ := core.MakeClientID("web_manual")
	r.cold.mu.Lock()
	r.cold.foreign = []core.Execution{{Kind: core.ExecStatus, Status: core.New, Client: manual, VenueID: 9, Instrument: 1, TradeID: -1}}
	r.cold.balances = []core.Balance{{Asset: 0, Free: 50000000}, {Asset: 1, Free: 800_00000000, Locked: 150_00000000}, {Asset: 2, Free: 99900000}}
	r.cold.mu.Unlock()
	r.g.OnUserUp()
	if r.g.Halted()&risk.HaltNotReconciled == 0 {
		t.Error("new orders do not wait for the audit after a reconnect")
	}
	r.until("both are settled and audited", func() bool { return r.story(b) == "ack, done CANCELED" && r.g.Halted() == 0 })
	r.expect(a, "ack, fill 0.5")
	if fills := r.of(a)[1:]; fills[0].TradeID != 51 || fills[0].Fee != 100_000 {
		t.Errorf("fill is %+v", fills[0])
	}
	r.auditOnce()
	if k := diffKinds(r.g.Differences()); !slices.Equal(k, []exec.DiffKind{exec.DiffForeign}) {
		t.Errorf("differences after correction are %v, want only the foreign order", r.g.Differences())
	}
	if m := r.g.Ledger().Mismatches(nil); len(m) != 0 {
		t.Errorf("ledger differs: %+v", m)
	}
	if n := r.srv.count("DELETE"); n != 0 {
		t.Errorf("%d cancels were sent; foreign orders must not be touched", n)
	}
}

func TestABalanceThatStaysWrongHalts(t *testing.T) {
	r := newRig(t, audited, func(c *exec.Config) {
		c.Venue.(*coldVenue).balances = []core.Balance{{Asset: 1, Free: 1000_00000000}}
	})
	r.until("the first audit is done", func() bool { return r.g.Halted() == 0 })
	r.cold.mu.Lock()
	r.cold.balances = []core.Balance{{Asset: 1, Free: 999_99999999}}
	r.cold.mu.Unlock()
	r.auditOnce()
	if k := diffKinds(r.g.Differences()); !slices.Equal(k, []exec.DiffKind{exec.DiffMismatch}) || r.g.Halted() != risk.HaltMismatch {
		t.Errorf("differences %v, halted: %v; want one mismatch of one unit", r.g.Differences(), r.g.Halted())
	}
	r.g.OnExternal(1, -1) // it was a withdrawal
	r.auditOnce()
	if r.g.Halted() != 0 || len(r.g.Differences()) != 0 {
		t.Errorf("differences %v, halted: %v", r.g.Differences(), r.g.Halted())
	}
}

// TestAPersonWhoLetsTradingGoOnAcceptsTheBalance that has halted it, and no other: without
// that a deposit which the venue has told nobody of would halt for ever.
func TestAPersonWhoLetsTradingGoOnAcceptsTheBalance(t *testing.T) {
	r := newRig(t, audited, func(c *exec.Config) {
		c.Venue.(*coldVenue).balances = []core.Balance{{Asset: 1, Free: 1000_00000000}}
	})
	set := func(usdt core.Amount) {
		r.cold.mu.Lock()
		defer r.cold.mu.Unlock()
		r.cold.balances = []core.Balance{{Asset: 1, Free: usdt}}
	}
	r.until("the first audit is done", func() bool { return r.g.Halted() == 0 })
	set(1001_00000000)
	r.auditOnce()
	if r.g.Halted() != risk.HaltMismatch {
		t.Fatalf("halted: %v, want for the balance", r.g.Halted())
	}
	r.clock.advance(time.Minute)
	r.auditOnce()
	if r.g.Halted() != risk.HaltMismatch || r.g.Stats.Externals != 0 {
		t.Fatalf("halted: %v, %d external flows: nobody has accepted anything", r.g.Halted(), r.g.Stats.Externals)
	}
	r.g.Lift(risk.HaltLatched)
	set(1003_00000000) // has moved again
	r.clock.advance(time.Minute)
	r.auditOnce()
	if r.g.Halted() != risk.HaltMismatch || r.g.Stats.Externals != 0 {
		t.Fatalf("halted: %v, %d external flows: this difference is another one", r.g.Halted(), r.g.Stats.Externals)
	}
	r.g.Lift(risk.HaltLatched)
	r.clock.advance(time.Minute)
	r.auditOnce()
	if r.g.Halted() != 0 || r.g.Stats.Externals != 1 || r.g.Ledger().Owned(1) != 1003_00000000 {
		t.Errorf("halted: %v, %d external flows, we own %v; want 1 and 1003", r.g.Halted(), r.g.Stats.Externals, r.g.Ledger().Owned(1))
	}
}

// A deposit that fell into a gap of the account's stream is accepted also where the venue's
// reads lag so far that the first audits behind the gap do not show it.
func TestADepositInAGapIsAcceptedHoweverLateItShows(t *testing.T) {
	for _, c := range []struct {
		lag    time.Duration
		halted risk.HaltCause
	}{{0, 0}, {11900 * time.Millisecond, 0}, {19 * time.Second, 0}, {time.Minute, risk.HaltMismatch}} { // no read lags so far: nobody knows what that is
		t.Run(c.lag.String(), func(t *testing.T) {
			r := newRig(t, audited, func(c *exec.Config) {
				c.Venue.(*coldVenue).balances = []core.Balance{{Asset: 1, Free: 1000_00000000}}
			})
			pass := func(d time.Duration) { // time in which no call is on its way
				for end := r.clock.Mono() + core.MonoNs(d); r.clock.Mono() < end; {
					r.clock.advance(20 * time.Millisecond)
					r.step()
					for r.g.ColdCalls() > 0 {
						runtime.Gosched()
					}
					r.step()
				}
			}
			r.g.OnUserUp()
			r.until("the first audit is done", func() bool { return r.g.Halted() == 0 })
			pass(time.Minute)
			r.g.OnUserDown()
			pass(time.Second)
			r.g.OnUserUp()
			pass(c.lag)
			r.cold.mu.Lock()
			r.cold.balances = []core.Balance{{Asset: 1, Free: 1001_00000000}}
			r.cold.mu.Unlock()
			pass(time.Minute)
			want := uint64(1)
			if c.halted != 0 {
				want = 0
			}
			if r.g.Halted() != c.halted || r.g.Stats.Externals != want {
				t.Errorf("halted: %v, %d external flows; want %v and %d", r.g.Halted(), r.g.Stats.Externals, c.halted, want)
			}
		})
	}
}

func TestUserStreamDownBlocksNewOrders(t *testing.T) {
	r := newRig(t, audited, func(c *exec.Config) { c.RequireUser = true })
	a := r.buy(100_00000000)
	r.steps(3)
	r.expect(a, "done NOT_SENT")
	r.g.OnUserUp()
	r.until("trading is open", func() bool { return r.g.Halted() == 0 })
	b := r.buy(100_00000000)
	r.steps(3)
	r.expect(b, "ack")
	r.g.OnUserDown()
	c := r.buy(100_00000000)
	r.steps(3)
	r.expect(c, "done NOT_SENT")
}

// TestAuditsThatOnlyRepeatOneLeaveWeight: where the venue's reads lag all the time every audit
// wants another, and each of them reads everything. What is left is for those whose books are
// gone: snapshots may take up to sixty percent.
func TestAuditsThatOnlyRepeatOneLeaveWeight(t *testing.T) {
	r := newRig(t, func(c *exec.Config) { c.AuditEvery = time.Hour })
	r.until("the first audit is done", func() bool { return r.g.Halted() == 0 })
	r.buy(100_00000000)
	r.steps(3)
	r.cold.hide(true) // the order is open, and the venue's lists do not show it yet
	r.auditOnce()
	n := r.g.AuditsDone()
	r.until("it has been repeated", func() bool { r.clock.advance(5 * time.Millisecond); return r.g.AuditsDone() > n+1 })
	minute := core.WallNs(time.Minute)
	r.bud.SawWeight(6000*51/100, r.clock.Wall(), r.clock.Wall())
	r.auditOnce() // whoever asks for one has it
	n, end := r.g.AuditsDone(), r.clock.Wall()/minute*minute+minute
	r.until("the minute is over", func() bool { r.clock.advance(5 * time.Millisecond); return r.clock.Wall() >= end })
	if r.g.AuditsDone() != n {
		t.Errorf("%d more audits in a minute of which half was used, want none", r.g.AuditsDone()-n)
	}
	r.until("it is repeated in the next", func() bool { r.clock.advance(5 * time.Millisecond); return r.g.AuditsDone() > n })
}

// TestReadsThatLagDoNotEatTheWeight: an order that has just been confirmed and that the
// venue's reads do not show yet is asked about once, and again when they must have caught up,
// however many audits miss it.
func TestReadsThatLagDoNotEatTheWeight(t *testing.T) {
	r := newRig(t, audited)
	r.until("the first audit is done", func() bool { return r.g.Halted() == 0 })
	id := r.buy(100_00000000)
	r.steps(3)
	r.expect(id, "ack")
	asked, _ := r.cold.count()
	from := r.clock.Mono()
	for r.clock.Mono()-from < core.MonoNs(9*time.Second) {
		r.auditOnce()
		r.clock.advance(time.Second)
		r.steps(20)
	}
	if n, _ := r.cold.count(); n-asked != 1 {
		t.Errorf("a confirmed order was asked about %d times within nine seconds, want once", n-asked)
	}
	r.cold.set(r.told(id, 1001, core.New, 0))
	r.clock.advance(2 * time.Second)
	r.until("it is asked about again", func() bool { n, _ := r.cold.count(); return n-asked > 1 })
}

package exec_test

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
)

// TestReadsThatLagProveNothing: at a venue whose every read, of orders, lists, fills and
// balances, is up to 15 s old and goes back in time, orders come and go, a third of their
// answers lost. None is ever declared absent, no stale list or balance halts anything,
// and in the end all agrees.
func TestReadsThatLagProveNothing(t *testing.T) {
	n := trials(60)
	v := newTrueVenue(5, 15*time.Second)
	r := newRig(t, v.join, func(c *exec.Config) {
		c.AuditEvery, c.ProofMargin, c.Pool.Wires, c.Pool.CancelWires = 7*time.Second, 16*time.Second, 20, 10
		c.Orders = max(c.Orders, 2*n) // all are judged at the end, so no slot is given away
	})
	v.attach(r)
	r.g.OnUserUp()
	r.wait("the first audit is done", 5*time.Millisecond, func() bool { return r.g.Halted() == 0 })
	r.srv.handle = func(q *request) {
		if q.method == "DELETE" {
			if o := v.cancelled(q); o != nil && v.end(o, core.ExecCanceled, core.Canceled) {
				q.conn.push(answer(200, canceled("BTCUSDT", o.id, o.client.String(), o.qty.String(), o.now().cum.String())))
			} else {
				q.conn.push(answer(400, `{"code":-2011,"msg":"Unknown order sent."}`))
			}
			return
		}
		o := v.accept(v.posted(q), core.Buy, 2_00000000)
		switch v.rng.IntN(3) {
		case 0:
			v.fill(o, 2_00000000)
		case 1:
			v.fill(o, 70000000)
		}
		if v.rng.IntN(3) == 0 {
			q.conn.closed = true
			return
		}
		q.conn.push(v.placedAnswer(q, o))
	}
	clients := map[core.OrderID]core.ClientID{}
	halts := risk.HaltCause(0)
	for step := 0; len(clients) < n || r.g.Table().Live() > 0; step++ {
		if step > 200_000 {
			t.Fatalf("%d orders did not end", r.g.Table().Live())
		}
		if step%100 == 0 && len(clients) < n {
			id := r.buy(100_00000000)
			r.steps(1)
			clients[id] = r.client(id)
		}
		if step%250 == 0 {
			r.g.CancelAllOwn()
		}
		for _, e := range v.take() {
			if v.rng.IntN(4) > 0 {
				r.g.OnExecution(&e)
			}
		}
		r.g.Step()
		r.drain()
		halts |= r.g.Halted()
		r.settleCold()
		r.clock.advance(10 * time.Millisecond)
	}
	for id, c := range clients {
		v.judge(t, id, c)
	}
	if r.g.Stats.Proved != 0 || r.g.Table().Stats.Contradictions != 0 {
		t.Errorf("%d orders were declared absent, %d contradictions", r.g.Stats.Proved, r.g.Table().Stats.Contradictions)
	}
	if halts&^risk.HaltNotReconciled != 0 {
		t.Errorf("halted for %v by what was only stale", halts)
	}
	r.wait("the account is found in order", 10*time.Millisecond, func() bool { return r.g.Halted() == 0 && len(r.g.Differences()) == 0 })
	v.lag = 0
	want, _, err := v.Balances(t.Context())
	must(t, err)
	if m := r.g.Ledger().Compare(nil, want, nil); len(m) != 0 || r.g.Stats.Externals != 0 || r.g.Stats.ForeignFills != 0 {
		t.Errorf("ledger differs from the wallet: %+v; %d external flows, %d foreign fills", m, r.g.Stats.Externals, r.g.Stats.ForeignFills)
	}
	t.Logf("%d orders, %d doubts, %d audits against reads up to 15s old", n, r.g.Table().Stats.Doubts, r.g.Stats.Audits)
}

// TestAManualClientBesideUs: somebody else trades on the account, with and without the
// stream telling; nothing of theirs is touched, and the balances stay exact.
func TestAManualClientBesideUs(t *testing.T) {
	v := newTrueVenue(6, 0)
	r := newRig(t, v.join, audited)
	v.attach(r)
	r.until("the first audit is done", func() bool { return r.g.Halted() == 0 })
	manual, _ := core.MakeClientID("web_0123456789")
	o := v.accept(manual, core.Sell, 5_00000000)
	v.fill(o, 1_00000000)
	v.fill(o, 1_00000000)
	r.auditOnce()
	if r.g.Halted() != 0 || r.g.Stats.ForeignFills != 2 {
		t.Errorf("halted: %v; %d foreign fills, want 2", r.g.Halted(), r.g.Stats.ForeignFills)
	}
	for range 3 {
		r.clock.advance(11 * time.Second)
		r.auditOnce()
	}
	kinds := diffKinds(r.g.Differences())
	if len(kinds) != 1 || kinds[0] != exec.DiffForeign || r.g.Halted() != 0 || r.g.Stats.ForeignFills != 2 {
		t.Errorf("differences are %v, halted: %v, %d foreign fills; want the open order alone", r.g.Differences(), r.g.Halted(), r.g.Stats.ForeignFills)
	}
	if r.g.Ledger().Position(0) != 0 {
		t.Errorf("position is %v, want none of theirs", r.g.Ledger().Position(0))
	}
	want, _, err := v.Balances(t.Context())
	must(t, err)
	if m := r.g.Ledger().Compare(nil, want, nil); len(m) != 0 || len(r.srv.requests) != 0 {
		t.Errorf("ledger differs: %+v; %d requests were sent", m, len(r.srv.requests))
	}
}

// TestADepositMissedInAGapIsBookedWhenItStays and one that nobody can have missed halts.
func TestADepositMissedInAGapIsBookedWhenItStays(t *testing.T) {
	r := newRig(t, audited, func(c *exec.Config) {
		c.Venue.(*coldVenue).balances = []core.Balance{{Asset: 1, Free: 1000_00000000}}
	})
	r.g.OnUserUp()
	r.until("the first audit is done", func() bool { return r.g.Halted() == 0 })
	r.g.OnUserDown()
	r.cold.mu.Lock()
	r.cold.balances = []core.Balance{{Asset: 1, Free: 1500_00000000}}
	r.cold.mu.Unlock()
	r.g.OnUserUp()
	r.wait("trading is open again", 10*time.Millisecond, func() bool { return r.g.Halted() == 0 })
	if r.g.Stats.Externals != 1 || r.g.Ledger().Owned(1) != 1500_00000000 {
		t.Errorf("%d external flows, we own %v; want 1 and 1500", r.g.Stats.Externals, r.g.Ledger().Owned(1))
	}
}

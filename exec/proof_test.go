package exec_test

import (
	"errors"
	"runtime"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
)

// lostAnswers has the venue take nothing and answer nothing.
func lostAnswers(q *request) { q.conn.closed = true }

// wait lets time go by in steps of d until cond.
func (r *rig) wait(what string, d time.Duration, cond func() bool) {
	r.t.Helper()
	for range 400_000 {
		if cond() {
			return
		}
		r.g.Step()
		r.drain()
		r.settleCold()
		r.clock.advance(d)
	}
	r.t.Fatalf("gave up waiting until %s; reports %+v", what, r.seen)
}

// settleCold waits, in real time, for the cold calls under way: virtual time stands
// still meanwhile, so what they take is nothing.
func (r *rig) settleCold() {
	for r.g.ColdCalls() > 0 {
		runtime.Gosched()
	}
}

// TestNeverExistedNeedsTheWholeProof: with the promised defaults, an order that never
// came is NotSent only after timestamp + recvWindow + 10 s + clock error, and three
// polls over 60 s after that; and no later than 90 s after it was sent.
func TestNeverExistedNeedsTheWholeProof(t *testing.T) {
	r := newRig(t)
	r.srv.handle = lostAnswers
	sent := r.clock.Mono()
	id := r.buy(100_00000000)
	r.steps(3)
	r.expect(id, "doubt")
	r.wait("the order is proved absent", 10*time.Millisecond, func() bool { return r.story(id) != "doubt" })
	took := time.Duration(r.clock.Mono() - sent)
	r.expect(id, "doubt, resolved NOT_SENT, done NOT_SENT")
	least := 5*time.Second + 10*time.Second + 60*time.Second
	if took < least || took > 90*time.Second {
		t.Errorf("the verdict took %v, want between %v and 90s", took, least)
	}
	if s := r.g.Stats; s.Proved != 1 || s.Censuses < 3 || r.g.Table().Tombstones() != 1 {
		t.Errorf("counted %+v with %d tombstones", s, r.g.Table().Tombstones())
	}
	t.Logf("a never-existed verdict takes %v with %d questions and %d censuses", took, r.g.Stats.Asked, r.g.Stats.Censuses)
}

// TestAPollThatFailedDoesNotPutOffTheVerdict: a venue that answers nothing for 20 s while
// the second poll is due costs none of the 90 s.
func TestAPollThatFailedDoesNotPutOffTheVerdict(t *testing.T) {
	r := newRig(t)
	r.srv.handle = lostAnswers
	sent := r.clock.Mono()
	id := r.buy(100_00000000)
	r.steps(3)
	r.expect(id, "doubt")
	r.wait("the order is proved absent", 10*time.Millisecond, func() bool {
		r.cold.mu.Lock()
		defer r.cold.mu.Unlock()
		r.cold.fail = nil
		if took := time.Duration(r.clock.Mono() - sent); took > 40*time.Second && took < time.Minute {
			r.cold.fail = errors.New("no answer")
		}
		return r.story(id) != "doubt"
	})
	r.expect(id, "doubt, resolved NOT_SENT, done NOT_SENT")
	if took := time.Duration(r.clock.Mono() - sent); took < 75*time.Second || took > 76*time.Second {
		t.Errorf("the verdict took %v, want 75s", took)
	}
}

// TestASignOfLifeAnywhereEndsTheProof: an order that only one of the four places knows
// is not declared absent.
func TestASignOfLifeAnywhereEndsTheProof(t *testing.T) {
	for name, show := range map[string]func(*rig, core.OrderID){
		"history": func(r *rig, id core.OrderID) {
			r.cold.hideFromOrder = true
			r.cold.set(r.told(id, 1001, core.Canceled, 0))
		},
		"open orders": func(r *rig, id core.OrderID) {
			r.cold.hideFromOrder, r.cold.hideFromHistory = true, true
			r.cold.set(r.told(id, 1001, core.New, 0))
		},
		"trades": func(r *rig, id core.OrderID) {
			r.cold.hideFromOrder, r.cold.hideFromHistory, r.cold.hideFromOpen = true, true, true
			r.cold.set(r.told(id, 1001, core.Filled, 2_00000000))
			r.cold.trade(r.fill(id, 1001, 9, 2_00000000, 2_00000000))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t)
			r.srv.handle = lostAnswers
			id := r.buy(100_00000000)
			r.steps(3)
			show(r, id)
			r.wait("the order is known to live", 10*time.Millisecond, func() bool { return r.status(id) != core.Unknown })
			if st := r.status(id); st == core.NotSent {
				t.Errorf("the order is %v although the venue's %s has it", st, name)
			}
			r.cold.hide(false)
			r.wait("its end is known", 10*time.Millisecond, func() bool { return name == "open orders" || r.g.Table().Live() == 0 })
			if r.g.Stats.Proved != 0 {
				t.Errorf("%d orders were proved absent", r.g.Stats.Proved)
			}
		})
	}
}

// TestLifeAfterTheProofIsAdoptedAndCancelled: the late order counts at the gate again
// and is ended, because no strategy waits for it.
func TestLifeAfterTheProofIsAdoptedAndCancelled(t *testing.T) {
	for name, reuse := range map[string]bool{"in its slot": false, "after its slot was reused": true} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *exec.Config) { c.Orders = 8 })
			r.srv.handle = lostAnswers
			id := r.buy(100_00000000)
			r.steps(3)
			late := r.told(id, 1001, core.New, 0)
			r.wait("the order is proved absent", 20*time.Millisecond, func() bool { return r.status(id) == core.NotSent })
			r.srv.handle = func(q *request) {
				if q.method == "DELETE" {
					q.conn.push(answer(200, canceled("BTCUSDT", 1001, late.Client.String(), "2.00000000", "0.00000000")))
					return
				}
				q.conn.push(answer(400, `{"code":-2010,"msg":"Account has insufficient balance for requested action."}`))
			}
			if reuse {
				r.warm(2, 1)
				for range 16 {
					r.buy(100_00000000)
					r.steps(3)
				}
				if r.g.Table().Find(id) != nil {
					t.Fatal("the slot was not reused")
				}
			}
			late.Kind = core.ExecNew
			r.g.OnExecution(&late)
			r.drain()
			if e := r.gate.Exposure(0); e.Open != 1 || e.Buy != 2_00000000 {
				t.Errorf("the gate counts %+v, want the order that lives", e)
			}
			if n := r.g.Table().Stats.Adopted; n != 1 {
				t.Errorf("%d orders were adopted, want 1", n)
			}
			r.until("it is cancelled", func() bool { return r.g.Table().Live() == 0 })
			if e := r.gate.Exposure(0); e.Open != 0 || e.Buy != 0 || r.srv.count("DELETE") != 1 {
				t.Errorf("the gate counts %+v after %d cancels", e, r.srv.count("DELETE"))
			}
		})
	}
}

func TestNoNewExposureOnASymbolInDoubt(t *testing.T) {
	r := newRig(t, func(c *exec.Config) { c.UnknownMax = 1 })
	good := r.srv.handle
	r.srv.handle = lostAnswers
	a := r.buy(100_00000000)
	r.steps(3)
	r.expect(a, "doubt")
	r.srv.handle = good
	r.warm(2, 1)
	b := r.buy(100_00000000)
	r.steps(3)
	r.expect(b, "done NOT_SENT")
	if n := r.g.Stats.Refused[exec.RefusedUnknown]; n != 1 || len(r.srv.requests) != 1 {
		t.Errorf("%d refused for doubt, %d requests; want 1 and 1", n, len(r.srv.requests))
	}
	r.cold.set(r.told(a, 1001, core.Canceled, 0))
	r.until("the doubt has ended", func() bool { return r.status(a) == core.Canceled })
	c := r.buy(100_00000000)
	r.steps(3)
	r.expect(c, "ack")
}

func TestATwinHaltsNewOrders(t *testing.T) {
	r := newRig(t)
	other, err := exec.NewIDs("rp", 1_700_000_001)
	must(t, err)
	r.g.OnExecution(&core.Execution{Kind: core.ExecNew, Status: core.New, Client: other.ID(1), VenueID: 5, Qty: 1, TradeID: -1})
	if r.g.Halted() != risk.HaltTwin {
		t.Errorf("halted: %v; an order that waits behind the twin's report would leave with the next step", r.g.Halted())
	}
	id := r.buy(100_00000000)
	r.steps(3)
	r.expect(id, "done NOT_SENT")
	if len(r.srv.requests) != 0 {
		t.Errorf("requests are %+v; a twin's order must not be touched", r.srv.requests)
	}
}

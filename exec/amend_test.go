package exec_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
)

func (r *rig) amend(id core.OrderID, qty core.Qty) {
	r.t.Helper()
	r.approve(core.Intent{Kind: core.Amend, ID: id, Qty: qty})
}

func amendReply(r *rig, id core.OrderID, qty, executed, status string) string {
	return answer(200, fmt.Sprintf(`{"transactTime":1700000000001,"executionId":75,"amendedOrder":{"symbol":"BTCUSDT","orderId":1001,"orderListId":-1,"origClientOrderId":%[1]q,`+
		`"clientOrderId":%[1]q,"price":"100.00000000","qty":%[2]q,"executedQty":%[3]q,"preventedQty":"0.00000000","quoteOrderQty":"0.00000000","cumulativeQuoteQty":"0.00000000",`+
		`"status":%[4]q,"timeInForce":"GTC","type":"LIMIT","side":"BUY","workingTime":1,"selfTradePreventionMode":"NONE"}}`, r.client(id).String(), qty, executed, status))
}

// TestAnAmendIsAnsweredInEveryCase: by ReportAmended, by a refusal, by the order's end;
// and where its answer is lost, by reads that are believed only when they can be.
func TestAnAmendIsAnsweredInEveryCase(t *testing.T) {
	const half = core.Qty(1_00000000)
	refuse := func(code int) func(*rig, core.OrderID, *request) {
		return func(_ *rig, _ core.OrderID, q *request) {
			q.conn.push(answer(400, fmt.Sprintf(`{"code":%d,"msg":"x"}`, code)))
		}
	}
	tell := func(st core.OrderStatus, qty core.Qty) func(*rig, core.OrderID) {
		return func(r *rig, id core.OrderID) {
			e := r.told(id, 1001, st, 0)
			e.Qty = qty
			r.cold.set(e)
		}
	}
	for _, tc := range []struct {
		name   string
		answer func(r *rig, id core.OrderID, q *request)
		truth  func(r *rig, id core.OrderID)
		want   string
		atRisk core.Qty
		from   time.Duration // the end does not come before
	}{
		{"done", func(r *rig, id core.OrderID, q *request) {
			q.conn.push(amendReply(r, id, "1.00000000", "0.00000000", "NEW"))
		}, nil, "ack, amended", half, 0},
		{"done, told by the stream before", func(r *rig, id core.OrderID, q *request) {
			e := r.told(id, 1001, core.New, 0)
			e.Kind, e.Qty = core.ExecReplaced, half
			r.g.OnExecution(&e)
			q.conn.push(amendReply(r, id, "1.00000000", "0.00000000", "NEW"))
		}, nil, "ack, amended", half, 0},
		{"nothing was left", func(r *rig, id core.OrderID, q *request) {
			q.conn.push(amendReply(r, id, "1.00000000", "0.00000000", "EXPIRED"))
		}, nil, "ack, amended, done EXPIRED", 0, 0},
		{"refused", refuse(-2038), nil, "ack, cancel-rejected", 2 * half, 0},
		{"gone", refuse(-2013), tell(core.Canceled, 2*half), "ack, cancel-rejected, done CANCELED", 0, 0},
		{"lost, done", func(_ *rig, _ core.OrderID, q *request) { q.conn.closed = true }, tell(core.New, half), "ack, amended", half, 0},
		{"lost, not done", func(_ *rig, _ core.OrderID, q *request) { q.conn.closed = true }, tell(core.New, 2*half), "ack, cancel-rejected", 2 * half, 15 * time.Second},
		{"lost, told by the stream", func(r *rig, id core.OrderID, q *request) {
			e := r.told(id, 1001, core.New, 0)
			e.Kind, e.Qty = core.ExecReplaced, half
			r.g.OnExecution(&e)
			q.conn.closed = true
		}, nil, "ack, amended", half, 0},
		{"half had traded, which left nothing; its end was lost", func(r *rig, id core.OrderID, q *request) {
			e := r.fill(id, 1001, 7, half, half)
			r.g.OnExecution(&e)
			e = r.told(id, 1001, core.PartiallyFilled, half)
			e.Kind, e.Qty = core.ExecReplaced, half/2
			r.g.OnExecution(&e)
			q.conn.closed = true
		}, func(r *rig, id core.OrderID) {
			e := r.told(id, 1001, core.Expired, half)
			e.Qty = half / 2
			r.cold.set(e)
		}, "ack, fill 1, amended, done EXPIRED", 0, 0},
		{"late, done", func(*rig, core.OrderID, *request) {}, tell(core.New, half), "ack, amended", half, 3 * time.Second},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := replaceRig(t)
			id := r.working()
			r.srv.handle = func(q *request) {
				if q.method != "PUT" || q.query.Get("orderId") != "1001" || q.query.Get("newQty") != "1" || q.query.Get("newClientOrderId") != r.client(id).String() {
					t.Errorf("request is %+v", q)
				}
				tc.answer(r, id, q)
			}
			if tc.truth != nil {
				tc.truth(r, id)
			}
			sent := r.clock.Mono()
			r.amend(id, half)
			for r.story(id) == "ack" {
				if e := r.gate.Exposure(0); e.Buy != 2*half {
					t.Fatalf("%v is at stake before the venue has confirmed less", e.Buy)
				}
				r.step()
				if r.clock.Mono()-sent > core.MonoNs(time.Minute) {
					t.Fatal("no answer within a minute")
				}
				if len(r.srv.requests) > 1 {
					r.clock.advance(5 * time.Millisecond)
					r.settleCold()
				}
			}
			r.until("the story is whole", func() bool { return r.story(id) == tc.want })
			if took := time.Duration(r.clock.Mono() - sent); took < tc.from {
				t.Errorf("told after %v, want not before %v", took, tc.from)
			}
			if e := r.gate.Exposure(0); e.Buy != tc.atRisk {
				t.Errorf("%v is at stake, want %v", e.Buy, tc.atRisk)
			}
			if o := r.gate.Find(id); o != nil && o.Amending {
				t.Error("the gate waits for an amend that is settled")
			}
			if n := r.srv.count("PUT"); n != 1 {
				t.Errorf("the amend was sent %d times", n)
			}
			// And the next one goes through again.
			if o := r.gate.Find(id); o != nil {
				r.srv.handle = func(q *request) { q.conn.push(amendReply(r, id, "0.50000000", "0.00000000", "NEW")) }
				r.until("wires are back", func() bool { n, _ := r.g.Pool().Ready(); return n > 0 })
				r.amend(id, 50000000)
				r.until("the next one is done", func() bool { return r.story(id) == tc.want+", amended" })
			}
		})
	}
}

// TestAnAmendIsRefusedAloudWhereItCannotBeSent: the gate hears of it and the order is as
// it was. Of the halts only the one that lets reducing orders pass lets it pass.
func TestAnAmendIsRefusedAloudWhereItCannotBeSent(t *testing.T) {
	for _, tc := range []struct {
		name    string
		prepare func(r *rig, j *failingJournal)
		why     exec.Refusal
	}{
		{"halted", func(r *rig, _ *failingJournal) { r.g.Raise(risk.HaltOperator) }, exec.RefusedHalted},
		{"no weight", func(r *rig, _ *failingJournal) { r.bud.Lockout(time.Minute, r.clock.Wall(), r.clock.Mono()) }, exec.RefusedBudget},
		{"journal broken", func(_ *rig, j *failingJournal) { j.fail = true }, exec.RefusedJournal},
		{"wire broke", func(r *rig, _ *failingJournal) {
			r.srv.onWrite = func(*memConn, []byte) (int, error, bool) { return 0, errors.New("broken pipe"), true }
		}, exec.RefusedWire},
		{"no wire", func(r *rig, _ *failingJournal) {
			r.srv.handle = func(*request) {}
			r.buy(98_00000000)
			r.buy(98_00000000)
			r.steps(2)
		}, exec.RefusedLate},
	} {
		j := &failingJournal{}
		r := replaceRig(t, func(c *exec.Config) { c.Journal = j })
		id := r.working()
		tc.prepare(r, j)
		r.amend(id, 1_00000000)
		r.steps(3)
		r.expect(id, "ack, cancel-rejected")
		if n := r.g.Stats.Refused[tc.why]; n != 1 || r.srv.count("PUT") != 0 || j.unsent != 0 {
			t.Errorf("%s: refused %v, %d sent, %d ends on record", tc.name, r.g.Stats.Refused, r.srv.count("PUT"), j.unsent)
		}
		if o := r.gate.Find(id); o.Amending || o.Remaining() != 2_00000000 {
			t.Errorf("%s: the gate has %+v", tc.name, o)
		}
	}
	r := replaceRig(t)
	id := r.working()
	r.g.Raise(risk.HaltReduceOnly)
	r.srv.handle = func(q *request) { q.conn.push(amendReply(r, id, "1.00000000", "0.00000000", "NEW")) }
	r.amend(id, 1_00000000)
	r.steps(3)
	r.expect(id, "ack, amended")
}

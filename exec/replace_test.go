package exec_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
)

// replaceRig is a rig whose symbols take amends and replaces.
func replaceRig(t testing.TB, opts ...rigOption) *rig {
	t.Helper()
	r := newRig(t, opts...)
	for i := range r.table.List {
		r.table.List[i].Features = ^core.Features(0)
	}
	r.openGate()
	return r
}

// working is an order that the venue has taken.
func (r *rig) working() core.OrderID {
	r.t.Helper()
	id := r.buy(100_00000000)
	r.until("it is acked", func() bool { return r.status(id) == core.New })
	return id
}

func (r *rig) replace(old core.OrderID) core.OrderID {
	r.t.Helper()
	return r.approve(core.Intent{Kind: core.Replace, Old: old, Type: core.Limit, Price: 99_00000000, Qty: 2_00000000})
}

func halves(cancel, next, gone, placed string) string {
	return fmt.Sprintf(`{"cancelResult":%q,"newOrderResult":%q,"cancelResponse":%s,"newOrderResponse":%s}`, cancel, next, gone, placed)
}

func partly(code int, data string) string {
	return fmt.Sprintf(`{"code":%d,"msg":"Order cancel-replace failed.","data":%s}`, code, data)
}

const (
	replyGone = `{"code":-2011,"msg":"Unknown order sent."}`
	replyPoor = `{"code":-2010,"msg":"Account has insufficient balance for requested action."}`
)

// TestEveryRowOfTheReplaceTableEndsBothOrders takes section 7.3 of the facts through the
// gateway: what the engine hears of the old order and of the new one, by the answer alone
// and after the venue has been asked.
func TestEveryRowOfTheReplaceTableEndsBothOrders(t *testing.T) {
	type state struct {
		status core.OrderStatus
		cum    core.Qty
	}
	var none state
	for _, tc := range []struct {
		name            string
		status          int
		body            func(gone, placed string) string
		old, next       string // by the answer
		atOld, atNext   state  // what the venue has, where the answer leaves it open
		oldEnd, nextEnd string
	}{
		{"both", 200, func(gone, placed string) string { return halves("SUCCESS", "SUCCESS", gone, placed) },
			"ack, done CANCELED", "ack", none, none, "", ""},
		{"the old one had traded", 400, func(_, _ string) string {
			return partly(-2022, halves("FAILURE", "NOT_ATTEMPTED", replyGone, "null"))
		}, "ack", "done NOT_SENT", state{core.Filled, 2_00000000}, none, "ack, fill 2, done FILLED", "done NOT_SENT"},
		{"the old one works on", 400, func(_, _ string) string {
			return partly(-2022, halves("FAILURE", "NOT_ATTEMPTED", `{"code":-1016,"msg":"x"}`, "null"))
		}, "ack", "done NOT_SENT", state{core.New, 0}, none, "ack, cancel-rejected", "done NOT_SENT"},
		{"neither", 400, func(_, _ string) string { return partly(-2022, halves("FAILURE", "FAILURE", replyGone, replyPoor)) },
			"ack", "done REJECTED", state{core.Expired, 0}, none, "ack, done EXPIRED", "done REJECTED"},
		{"only the cancel", 409, func(gone, _ string) string { return partly(-2021, halves("SUCCESS", "FAILURE", gone, replyPoor)) },
			"ack, done CANCELED", "done REJECTED", none, none, "", ""},
		{"only the new one, as the venue says", 409, func(_, placed string) string {
			return partly(-2021, halves("FAILURE", "SUCCESS", replyGone, placed))
		}, "ack", "ack", state{core.Filled, 2_00000000}, none, "ack, fill 2, done FILLED", "ack"},
		{"order count", 429, func(_, _ string) string { return `{"code":-1015,"msg":"Too many new orders"}` },
			"ack, cancel-rejected", "done REJECTED", none, none, "", ""},
		{"order count after the cancel", 429, func(gone, _ string) string {
			return partly(-2021, halves("SUCCESS", "FAILURE", gone, `{"code":-1015,"msg":"Too many new orders"}`))
		}, "ack, done CANCELED", "done REJECTED", none, none, "", ""},
		{"filter", 400, func(_, _ string) string { return `{"code":-1013,"msg":"Filter failure: LOT_SIZE"}` },
			"ack, cancel-rejected", "done REJECTED", none, none, "", ""},
		{"timeout inside, done", 504, func(_, _ string) string { return `{"code":-1007,"msg":"Timeout"}` },
			"ack", "doubt", state{core.Canceled, 0}, state{core.New, 0}, "ack, done CANCELED", "doubt, resolved NEW, ack"},
		{"a page", 200, func(_, _ string) string { return `<html>` },
			"ack", "doubt", state{core.New, 0}, state{core.New, 0}, "ack, cancel-rejected", "doubt, resolved NEW, ack"},
		{"the cancel's half is open", 409, func(_, placed string) string {
			return partly(-2021, halves("FAILURE", "SUCCESS", `{"code":-1007,"msg":"Timeout"}`, placed))
		}, "ack", "ack", state{core.Canceled, 0}, none, "ack, done CANCELED", "ack"},
		{"the new order's half is open", 409, func(gone, _ string) string {
			return partly(-2021, halves("SUCCESS", "FAILURE", gone, `{"code":-1007,"msg":"Timeout"}`))
		}, "ack, done CANCELED", "doubt", none, state{core.PartiallyFilled, 1_00000000}, "ack, done CANCELED", "doubt, resolved PARTIALLY_FILLED, ack, fill 1"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r := replaceRig(t)
			old := r.working()
			r.srv.handle = func(q *request) {
				if q.query.Get("cancelOrderId") != "1001" || q.query.Get("price") != "99" || q.path != "/api/v3/order/cancelReplace" {
					t.Errorf("request is %+v", q)
				}
				q.conn.push(answer(tc.status, tc.body(canceled("BTCUSDT", 1001, r.client(old).String(), "2.00000000", "0.00000000"), placed(q, 1002, "NEW", "0.00000000"))))
			}
			next := r.replace(old)
			r.steps(3)
			r.expect(old, tc.old)
			r.expect(next, tc.next)
			if e := r.gate.Exposure(0); strings.HasSuffix(tc.next, "doubt") && e.Buy < 2_00000000 {
				t.Errorf("an order in doubt is not counted: %+v", e)
			}
			tell := func(id core.OrderID, venueID int64, s state) {
				if s == none {
					return
				}
				if s.cum > 0 {
					r.cold.trade(r.fill(id, venueID, venueID, s.cum, s.cum))
				}
				r.cold.set(r.told(id, venueID, s.status, s.cum))
			}
			tell(old, 1001, tc.atOld)
			tell(next, 1002, tc.atNext)
			if tc.oldEnd != "" {
				r.until("nothing is open", func() bool { return r.story(old) == tc.oldEnd && r.story(next) == tc.nextEnd })
			}
			if o := r.gate.Find(old); o != nil && (o.Canceling || !strings.HasSuffix(r.story(old), "cancel-rejected")) {
				t.Errorf("the gate has the old order as %+v after %q", o, r.story(old))
			}
			if n := r.srv.count("POST"); n != 2 || r.g.Table().Stats.Contradictions != 0 {
				t.Errorf("%d orders were sent, want 2; %d contradictions", n, r.g.Table().Stats.Contradictions)
			}
			if s := r.g.Stats; s.Replaces != 1 || s.Sent != 2 {
				t.Errorf("stats are %+v", s)
			}
		})
	}
}

// TestAReplaceIsNotSentForAnOrderThatCannotBeEnded: it has ended, is ending, or has not
// been answered; then the new one ends unsent and the old one is as it was.
func TestAReplaceIsNotSentForAnOrderThatCannotBeEnded(t *testing.T) {
	for name, prepare := range map[string]func(r *rig) core.OrderID{
		"filled": func(r *rig) core.OrderID {
			id := r.working()
			e := r.fill(id, 1001, 7, 2_00000000, 2_00000000)
			r.g.OnExecution(&e)
			return id
		},
		"not answered": func(r *rig) core.OrderID {
			r.srv.handle = func(*request) {}
			id := r.buy(100_00000000)
			r.steps(2)
			return id
		},
		"about to be cancelled": func(r *rig) core.OrderID {
			id := r.working()
			r.srv.handle = func(*request) {}
			r.g.CancelAllOwn()
			return id
		},
	} {
		r := replaceRig(t)
		id := prepare(r)
		next := r.replace(id)
		sent := r.srv.count("POST")
		r.steps(2)
		r.expect(next, "done NOT_SENT")
		if n := r.g.Stats.Refused[exec.RefusedTarget]; n != 1 || r.srv.count("POST") != sent {
			t.Errorf("%s: %d refused, %d requests more", name, n, r.srv.count("POST")-sent)
		}
		if o := r.gate.Find(id); o != nil && o.Canceling {
			t.Errorf("%s: the gate waits for a cancel that nobody sent", name)
		}
		if use := r.bud.Use(r.clock.Wall(), r.clock.Mono()); use.Orders != 1 {
			t.Errorf("%s: %d orders are booked, want 1", name, use.Orders)
		}
	}
}

// TestAReplaceObeysHaltsWiresJournalAndBudget: as a new order does, and the old order is
// told of as it is.
func TestAReplaceObeysHaltsWiresJournalAndBudget(t *testing.T) {
	for _, tc := range []struct {
		name    string
		prepare func(r *rig, j *failingJournal)
		why     exec.Refusal
		halted  risk.HaltCause
		booked  int
	}{
		{"halted", func(r *rig, _ *failingJournal) { r.g.Raise(risk.HaltOperator) }, exec.RefusedHalted, risk.HaltOperator, 1},
		{"journal broken", func(_ *rig, j *failingJournal) { j.fail = true }, exec.RefusedJournal, risk.HaltJournal, 1},
		{"wire broke", func(r *rig, _ *failingJournal) {
			r.srv.onWrite = func(_ *memConn, p []byte) (int, error, bool) {
				return 0, errors.New("broken pipe"), strings.HasPrefix(string(p), "POST")
			}
		}, exec.RefusedWire, 0, 1},
		{"no order left to spend", func(r *rig, _ *failingJournal) {
			r.bud.OrderLockout(time.Minute, r.clock.Wall(), r.clock.Mono())
		}, exec.RefusedBudget, 0, 1},
		{"no wire", func(r *rig, _ *failingJournal) {
			r.srv.handle = func(*request) {}
			r.buy(98_00000000)
			r.buy(98_00000000)
			r.steps(2)
		}, exec.RefusedLate, 0, 3},
	} {
		t.Run(tc.name, func(t *testing.T) {
			j := &failingJournal{}
			r := replaceRig(t, func(c *exec.Config) { c.Journal = j })
			old := r.working()
			tc.prepare(r, j)
			next := r.replace(old)
			r.until("it is refused", func() bool { return r.story(next) != "" })
			r.expect(next, "done NOT_SENT")
			r.expect(old, "ack, cancel-rejected")
			if r.g.Stats.Refused[tc.why] != 1 || r.g.Halted() != tc.halted {
				t.Errorf("refused %v, halted %v", r.g.Stats.Refused, r.g.Halted())
			}
			if use := r.bud.Use(r.clock.Wall(), r.clock.Mono()); use.Orders != tc.booked {
				t.Errorf("%d orders are booked, want %d", use.Orders, tc.booked)
			}
		})
	}
}

func TestAReplaceIsOnRecordBeforeItsBytesLeave(t *testing.T) {
	j := &failingJournal{}
	r := replaceRig(t, func(c *exec.Config) { c.Journal = j })
	old := r.working()
	r.srv.onWrite = func(_ *memConn, p []byte) (int, error, bool) {
		if !strings.Contains(string(p), j.sent[len(j.sent)-1].Client.String()) {
			t.Errorf("bytes left before the journal had them: %s", p)
		}
		return 0, nil, false
	}
	r.srv.handle = func(*request) {}
	r.amend(old, 1_00000000)
	r.steps(2)
	next := r.replace(old)
	r.steps(2)
	if len(j.sent) != 3 || len(r.srv.requests) != 3 {
		t.Fatalf("%d records, %d requests, want 3 of each", len(j.sent), len(r.srv.requests))
	}
	if s := j.sent[1]; s.Kind != exec.RequestAmend || s.Intent.Kind != core.Amend || s.Intent.ID != old || s.Intent.Qty != 1_00000000 || s.VenueID != 1001 || s.Client != r.client(old) {
		t.Errorf("the amend's record is %+v", s)
	}
	if s := j.sent[2]; s.Kind != exec.RequestReplace || s.Intent.Kind != core.Replace || s.Intent.ID != next || s.Intent.Old != old || s.VenueID != 1001 ||
		s.Client != r.client(next) || s.Window != 5*time.Second || s.Path.Route() != exec.RouteREST {
		t.Errorf("the replace's record is %+v", s)
	}
	if e := r.gate.Exposure(0); e.Buy != 4_00000000 {
		t.Errorf("%v is at stake, want both orders whole until the venue has answered", e.Buy)
	}
}

// TestAWriteOfAReplaceThatFailsHalfWayLeavesBothOpen: part of it left, so it may have
// been done.
func TestAWriteOfAReplaceThatFailsHalfWayLeavesBothOpen(t *testing.T) {
	r := replaceRig(t)
	old := r.working()
	r.srv.onWrite = func(_ *memConn, p []byte) (int, error, bool) {
		return 10, errors.New("broken pipe"), strings.HasPrefix(string(p), "POST")
	}
	next := r.replace(old)
	r.steps(2)
	r.expect(next, "doubt")
	r.cold.set(r.told(old, 1001, core.Canceled, 0))
	r.cold.set(r.told(next, 1002, core.New, 0))
	r.until("both are settled", func() bool {
		return r.story(old) == "ack, done CANCELED" && r.story(next) == "doubt, resolved NEW, ack"
	})
}

// TestCancelAllEndsBothOrdersOfAReplaceUnderWay: neither is cancelled twice at once, and
// the new one not before it is known.
func TestCancelAllEndsBothOrdersOfAReplaceUnderWay(t *testing.T) {
	r := replaceRig(t)
	old := r.working()
	var under *request
	r.srv.handle = func(q *request) {
		if q.method == "POST" {
			c := *q
			under = &c
			return
		}
		if q.query.Get("orderId") != "1002" {
			t.Errorf("an order was cancelled that the replace ends: %+v", q.query)
		}
		q.conn.push(answer(200, canceled("BTCUSDT", 1002, under.query.Get("newClientOrderId"), "2.00000000", "0.00000000")))
	}
	next := r.replace(old)
	r.steps(2)
	r.g.CancelAllOwn()
	r.steps(20)
	if n := r.srv.count("DELETE"); n != 0 {
		t.Fatalf("%d cancels left while the replace had no answer", n)
	}
	under.conn.push(answer(200, halves("SUCCESS", "SUCCESS", canceled("BTCUSDT", 1001, r.client(old).String(), "2.00000000", "0.00000000"), placed(under, 1002, "NEW", "0.00000000"))))
	r.until("both have ended", func() bool { return r.g.Table().Live() == 0 })
	r.expect(old, "ack, done CANCELED")
	r.expect(next, "ack, done CANCELED")
	if e := r.gate.Exposure(0); e.Buy != 0 || e.Open != 0 {
		t.Errorf("the gate counts %+v after the end", e)
	}
}

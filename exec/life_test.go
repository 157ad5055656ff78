package exec_test

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
)

// TestNoOrderIsOnTheWirePastItsLife has orders with 15 ms to live wait for a wire: those
// that get one in time say how much is left, the others end unsent.
func TestNoOrderIsOnTheWirePastItsLife(t *testing.T) {
	r := newRig(t)
	var held []*request
	r.srv.handle = func(q *request) { held = append(held, q) }
	r.buy(100_00000000)
	r.buy(100_00000000)
	r.steps(2)
	born := r.clock.Mono()
	brief := func() core.OrderID {
		return r.approve(core.Intent{Kind: core.Place, Type: core.Limit, Price: 100_00000000, Qty: 2_00000000, LifeUs: 15_000})
	}
	a, b := brief(), brief()
	r.until("10 ms have passed", func() bool { return r.clock.Mono()-born >= core.MonoNs(10*time.Millisecond) })
	held[0].conn.push(answer(200, placed(held[0], 1, "NEW", "0.00000000")))
	r.until("the first is sent", func() bool { return len(r.srv.requests) == 3 })
	q := r.srv.requests[2].query
	left, err := strconv.ParseFloat(q.Get("recvWindow"), 64)
	if err != nil || left > 6 || left < 4 {
		t.Errorf("an order with 15 ms to live is sent after 10 ms with recvWindow %q, want about 5", q.Get("recvWindow"))
	}
	r.until("the second's life is over", func() bool { return r.clock.Mono()-born >= core.MonoNs(16*time.Millisecond) })
	held[1].conn.push(answer(200, placed(held[1], 2, "NEW", "0.00000000")))
	r.steps(3)
	r.expect(b, "done NOT_SENT")
	if len(r.srv.requests) != 3 || r.g.Stats.Refused[exec.RefusedLate] != 1 {
		t.Errorf("%d orders arrived, %d were refused as too late, want 3 and 1", len(r.srv.requests), r.g.Stats.Refused[exec.RefusedLate])
	}
	if s := r.status(a); s != core.PendingNew {
		t.Errorf("the first is %v", s)
	}
}

// TestAnAnswerThatLifeEndedIsACleanReject: the venue's -1021 for an order that was held
// up leaves no doubt.
func TestAnAnswerThatLifeEndedIsACleanReject(t *testing.T) {
	r := newRig(t)
	r.srv.handle = func(q *request) {
		q.conn.push(answer(400, `{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}`))
	}
	id := r.approve(core.Intent{Kind: core.Place, Type: core.Limit, Price: 100_00000000, Qty: 2_00000000, LifeUs: 500})
	r.steps(3)
	if s := r.story(id); !strings.HasPrefix(s, "done REJECTED") {
		t.Errorf("reports are %q, want a reject", s)
	}
}

package exec_test

import "testing"

// Answers of two connections overtake each other: the count in one that was made first and
// comes last lacks what the other brought, and must not undo it.
func TestAnOlderAnswerDoesNotLowerTheOrderCount(t *testing.T) {
	r := newRig(t)
	var waits []*request
	r.srv.handle = func(q *request) { waits = append(waits, q) }
	r.buy(100_00000000)
	r.buy(100_01000000)
	r.steps(3)
	if len(waits) != 2 {
		t.Fatalf("%d requests have left, want both", len(waits))
	}
	waits[1].conn.push(answer(200, placed(waits[1], 29, "NEW", "0.00000000"), "x-mbx-order-count-10s: 2"))
	r.steps(3)
	waits[0].conn.push(answer(200, placed(waits[0], 28, "NEW", "0.00000000"), "x-mbx-order-count-10s: 1"))
	r.steps(3)
	if use := r.bud.Use(r.clock.Wall(), r.clock.Mono()); use.Orders != 2 {
		t.Errorf("%d orders are counted, want 2", use.Orders)
	}
	r.buy(100_02000000)
	r.steps(3)
	waits[2].conn.push(answer(200, placed(waits[2], 30, "NEW", "0.00000000"), "x-mbx-order-count-10s: 1"))
	r.steps(3)
	if use := r.bud.Use(r.clock.Wall(), r.clock.Mono()); use.Orders != 1 {
		t.Errorf("%d orders are counted after fills have lowered the venue's count, want its 1", use.Orders)
	}
}

package exec_test

import (
	"testing"
	"time"
)

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

// A request that left within the error of our clock after a window's end may have reached
// the venue before it: the weight that its answer tells is not this window's.
func TestAWeightOfTheWindowBeforeIsNotTakenForThisOnes(t *testing.T) {
	r := newRig(t)
	r.srv.handle = func(q *request) {
		q.conn.push(answer(200, placed(q, 28, "NEW", "0.00000000"), "x-mbx-used-weight-1m: 5000"))
	}
	// The rig takes the venue's clock to be half a millisecond ahead, give or take as much.
	minute := int64(time.Minute)
	r.clock.advance(time.Duration(minute-int64(r.clock.Wall())%minute) - 400*time.Microsecond)
	r.buy(100_00000000)
	r.steps(2)
	if use := r.bud.Use(r.clock.Wall(), r.clock.Mono()); use.Weight >= 5000 {
		t.Errorf("weight %d is counted in a window that has just begun", use.Weight)
	}
	r.clock.advance(time.Second)
	r.buy(100_01000000)
	r.steps(2)
	if use := r.bud.Use(r.clock.Wall(), r.clock.Mono()); use.Weight != 5000 {
		t.Errorf("weight %d is counted, want the venue's 5000", use.Weight)
	}
}

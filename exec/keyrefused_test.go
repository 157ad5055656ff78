package exec_test

import (
	"testing"
	"time"

	"riposte/core/risk"
)

func TestARefusedKeyGetsOneAttemptPerCancelUntilItIsChanged(t *testing.T) {
	r := newRig(t)
	book := r.resting()
	r.buy(100_00000000)
	r.steps(3)
	r.buy(101_00000000)
	r.steps(3)
	resting := r.srv.handle
	r.srv.handle = func(q *request) {
		q.conn.push(answer(401, `{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}`))
	}
	r.g.CancelAllOwn()
	for range 40 {
		r.steps(3)
		r.clock.advance(250 * time.Millisecond)
	}
	if n := r.srv.count("DELETE"); n != 2 || r.g.Halted()&risk.HaltKey == 0 || r.g.KeyRefusal() != -2015 {
		t.Errorf("%d cancels were sent for 2 orders with a refused key, halted by %v for %d; want each once and orders stopped for -2015", n, r.g.Halted(), r.g.KeyRefusal())
	}
	r.srv.handle = resting
	r.g.Lift(risk.HaltKey) // as a change of key does
	for range 40 {
		r.steps(3)
		r.clock.advance(250 * time.Millisecond)
	}
	if len(book.open) != 0 {
		t.Errorf("%d orders rest although the key has been changed, want their cancels sent again", len(book.open))
	}
}

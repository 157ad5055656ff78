package exec_test

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
)

// cutOffAfter is long on the test's clock, which runs while dials end on goroutines of
// their own.
const cutOffAfter = time.Minute

func cutOff(c *exec.Config) { c.RequireUser, c.LostAfter = true, cutOffAfter }

// pass lets d go by in 600 steps.
func (r *rig) pass(d time.Duration) {
	for range 600 {
		r.step()
		r.clock.advance(d / 600)
	}
}

// rests is an order that works at the venue, which keeps it until it is cancelled.
func (r *rig) rests() core.OrderID {
	r.t.Helper()
	r.resting()
	id := r.buy(100_00000000)
	r.until("the order works", func() bool { return r.status(id) == core.New })
	return id
}

// cutAll closes every wire, at the server's end.
func (r *rig) cutAll() {
	r.srv.mu.Lock()
	defer r.srv.mu.Unlock()
	for _, c := range r.srv.conns {
		c.closed = true
	}
}

func TestOwnOrdersAreCancelledOnceTheAccountStreamIsLost(t *testing.T) {
	r := newRig(t, cutOff)
	r.g.OnUserUp()
	id := r.rests()
	r.g.OnUserDown()
	r.pass(cutOffAfter - time.Second)
	if r.srv.count("DELETE") != 0 {
		t.Fatalf("cancelled within the minute that the stream may be down")
	}
	if r.g.Halted() != risk.HaltUserStream {
		t.Errorf("halted for %v, want the account stream", r.g.Halted())
	}
	r.pass(2 * time.Second)
	r.until("the order is cancelled", func() bool { return r.status(id) == core.Canceled })
	r.pass(2 * cutOffAfter)
	if r.srv.count("DELETE") != 1 || r.g.Stats.DeadMan != 1 {
		t.Errorf("%d cancels, the dead man acted %d times, want 1 and 1", r.srv.count("DELETE"), r.g.Stats.DeadMan)
	}
	r.g.OnUserUp()
	if r.g.Halted() != 0 || r.g.Lost() != 0 {
		t.Errorf("halted for %v and lost since %d after the stream is back", r.g.Halted(), r.g.Lost())
	}
}

func TestTheDeadManActsAtEveryLoss(t *testing.T) {
	r := newRig(t, cutOff)
	for n := range 3 {
		r.g.OnUserUp()
		r.pass(time.Second)
		id := r.rests()
		r.g.OnUserDown()
		r.pass(cutOffAfter + time.Second)
		r.until("the order is cancelled", func() bool { return r.status(id) == core.Canceled })
		if got := r.g.Stats.DeadMan; got != uint64(n+1) {
			t.Fatalf("at loss %d the dead man has acted %d times", n+1, got)
		}
	}
}

func TestOwnOrdersAreCancelledWhenTheOrderLinkComesBack(t *testing.T) {
	r := newRig(t, cutOff)
	r.g.OnUserUp()
	id := r.rests()
	r.srv.dialFail.Store(true)
	r.cutAll()
	r.pass(cutOffAfter + time.Second)
	r.until("the link counts as lost", func() bool { return r.g.Halted() == risk.HaltLink })
	if since := r.g.Lost(); since == 0 || r.clock.Mono()-since < core.MonoNs(cutOffAfter) {
		t.Errorf("lost since %d at %d, want a minute ago at least", since, r.clock.Mono())
	}
	if r.srv.count("DELETE") != 0 || r.status(id) != core.New {
		t.Fatalf("%d cancels were sent without a link, the order is %v", r.srv.count("DELETE"), r.status(id))
	}
	r.srv.dialFail.Store(false)
	r.until("the order is cancelled, and the link counts as up", func() bool { return r.status(id) == core.Canceled && r.g.Halted() == 0 })
	if r.srv.count("DELETE") != 1 {
		t.Errorf("%d cancels, want 1", r.srv.count("DELETE"))
	}
}

func TestAShortCutCancelsNothing(t *testing.T) {
	r := newRig(t, cutOff)
	r.g.OnUserUp()
	id := r.rests()
	r.cutAll()
	r.g.OnUserDown()
	r.until("the cut is seen", func() bool { return r.g.Pool().Stats.Lost == 3 && r.g.Lost() != 0 })
	r.until("wires are back", func() bool { o, c := r.g.Pool().Ready(); return o == 2 && c == 1 })
	r.g.OnUserUp()
	r.clock.advance(2 * time.Minute)
	r.steps(1000)
	if r.srv.count("DELETE") != 0 || r.status(id) != core.New || r.g.Stats.DeadMan != 0 || r.g.Lost() != 0 {
		t.Errorf("%d cancels, the order is %v, want none and working", r.srv.count("DELETE"), r.status(id))
	}
}

// pausing lets time pass inside the encoding of an order.
type pausing struct {
	exec.Codec
	clock *testClock
	d     time.Duration
}

func (p *pausing) Place(in *core.Intent, born, now core.WallNs, r *exec.Request) exec.EncodeError {
	p.clock.advance(p.d)
	return p.Codec.Place(in, born, now, r)
}

// A Step reads the clock once; a process can be stopped after that.
func TestWhatWasDecidedBeforeTheProcessStoodStillIsNotSent(t *testing.T) {
	slow := &pausing{}
	r := newRig(t, func(c *exec.Config) {
		slow.Codec, c.Codec = c.Codec, slow
		c.TimeToLive = time.Second
	})
	slow.clock = r.clock
	slow.d = time.Second
	r.rests() // not more than its time to live
	slow.d = time.Second + 1
	late := r.buy(100_00000000)
	r.until("it has ended", func() bool { return r.story(late) != "" })
	r.expect(late, "done NOT_SENT")
	if n := r.srv.count("POST"); n != 1 {
		t.Errorf("%d orders left, want the first alone", n)
	}
}

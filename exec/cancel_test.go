package exec_test

import (
	"strconv"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
)

// book is a scripted venue that keeps what it is told: orders rest until cancelled.
type restingBook struct {
	r    *rig
	open map[int64]string // client id by venue id
}

func (r *rig) resting() *restingBook {
	b := &restingBook{r, map[int64]string{}}
	r.srv.handle = func(q *request) {
		if q.method == "DELETE" {
			b.cancel(q)
			return
		}
		r.next++
		b.open[r.next] = q.query.Get("newClientOrderId")
		q.conn.push(answer(200, placed(q, r.next, "NEW", "0.00000000")))
	}
	return b
}

func (b *restingBook) cancel(q *request) {
	id, _ := strconv.ParseInt(q.query.Get("orderId"), 10, 64)
	for v, c := range b.open {
		if v == id || c == q.query.Get("origClientOrderId") {
			delete(b.open, v)
			q.conn.push(answer(200, canceled(q.query.Get("symbol"), v, c, "2.00000000", "0.00000000")))
			return
		}
	}
	q.conn.push(answer(400, `{"code":-2011,"msg":"Unknown order sent."}`))
}

func TestCancelGoesByVenueIDOnAWireOfItsOwn(t *testing.T) {
	r := newRig(t)
	r.resting()
	id := r.buy(100_00000000)
	r.steps(3)
	place := r.srv.requests[0].conn
	r.cancel(id)
	r.steps(3)
	r.expect(id, "ack, done CANCELED")
	q := r.srv.requests[1]
	if q.method != "DELETE" || q.query.Get("orderId") != "1001" || q.query.Has("origClientOrderId") || q.conn == place {
		t.Errorf("cancel is %+v", q)
	}
	r.cancelRefusedByGateOrRejected(id)
}

// cancelRefusedByGateOrRejected asks for the cancel of an ended order past the gate.
func (r *rig) cancelRefusedByGateOrRejected(id core.OrderID) {
	r.t.Helper()
	if o := r.gate.Find(id); o != nil {
		r.t.Errorf("the gate still holds order %d", id)
	}
}

func TestOrdersNeverTakeTheCancelsWire(t *testing.T) {
	r := newRig(t)
	var held []*request
	r.srv.handle = func(q *request) { held = append(held, q) }
	a := r.buy(100_00000000)
	r.steps(2)
	held[0].conn.push(answer(200, placed(held[0], 1, "NEW", "0.00000000")))
	r.steps(2)
	r.buy(100_00000000)
	r.buy(100_00000000)
	r.buy(100_00000000)
	r.steps(3)
	if n := r.srv.count("POST"); n != 3 {
		t.Fatalf("%d orders sent on 2 order wires, want 3 in all", n)
	}
	r.cancel(a)
	r.steps(2)
	if r.srv.count("DELETE") != 1 {
		t.Error("the cancel did not pass the orders that wait")
	}
}

func TestCancelWaitsForTheAnswerItCouldOvertake(t *testing.T) {
	r := newRig(t)
	b := r.resting()
	var held *request
	accept := r.srv.handle
	r.srv.handle = func(q *request) {
		if q.method == "POST" && held == nil {
			held = q
			return
		}
		accept(q)
	}
	id := r.buy(100_00000000)
	r.steps(2)
	r.cancel(id)
	r.steps(5)
	if r.srv.count("DELETE") != 0 {
		t.Fatal("the cancel was sent before the order was known to be there")
	}
	accept(held)
	r.steps(4)
	r.expect(id, "ack, done CANCELED")
	if len(b.open) != 0 {
		t.Error("the order still rests at the venue")
	}
}

func TestCancelRaceWithAFillIsSettledByAQuery(t *testing.T) {
	r := newRig(t)
	b := r.resting()
	id := r.buy(100_00000000)
	r.steps(3)
	clear(b.open) // it has filled; nobody told us
	r.cold.set(r.told(id, 1001, core.Filled, 2_00000000))
	r.cold.trade(r.fill(id, 1001, 77, 2_00000000, 2_00000000))
	r.cancel(id)
	r.until("the fill was learned", func() bool { return r.g.Table().Live() == 0 })
	r.expect(id, "ack, fill 2, done FILLED")
	if asked, _ := r.cold.count(); asked != 1 {
		t.Errorf("asked %d times, want once", asked)
	}
	// The stream tells it again.
	e := r.fill(id, 1001, 77, 2_00000000, 2_00000000)
	r.g.OnExecution(&e)
	r.drain()
	r.expect(id, "ack, fill 2, done FILLED")
}

func TestRejectedCancelIsToldOnceTheOrderIsKnownToWork(t *testing.T) {
	r := newRig(t)
	r.resting()
	id := r.buy(100_00000000)
	r.steps(3)
	r.srv.handle = func(q *request) { q.conn.push(answer(400, `{"code":-2011,"msg":"Unknown order sent."}`)) }
	r.cold.set(r.told(id, 1001, core.New, 0))
	r.cancel(id)
	r.until("the cancel was told to have failed", func() bool { return len(r.of(id)) == 2 })
	r.expect(id, "ack, cancel-rejected")
	if p := r.of(id)[1]; p.Status != core.New {
		t.Errorf("report is %+v", p)
	}
	if n := r.srv.count("DELETE"); n != 1 {
		t.Errorf("cancelled %d times, want once", n)
	}
	r.resting().open[1001] = r.client(id).String()
	r.cancel(id)
	r.steps(4)
	r.expect(id, "ack, cancel-rejected, done CANCELED")
}

func TestLostCancelAnswerIsSettled(t *testing.T) {
	r := newRig(t)
	r.resting()
	id := r.buy(100_00000000)
	r.steps(3)
	r.srv.handle = func(q *request) { q.conn.closed = true }
	r.cold.set(r.told(id, 1001, core.Canceled, 0))
	r.cancel(id)
	r.until("the end was learned", func() bool { return r.g.Table().Live() == 0 })
	r.expect(id, "ack, done CANCELED")
}

// cancelLost cancels an order on a connection that breaks, while no question is answered.
func (r *rig) cancelLost(id core.OrderID) {
	r.srv.handle = func(q *request) { q.conn.closed = true }
	r.cold.mu.Lock()
	r.cold.fail = &exec.CallError{Op: "GET /api/v3/order", Class: exec.ClassUnknown, Status: 503, Code: -1000, Msg: "An unknown error occurred."}
	r.cold.mu.Unlock()
	r.cancel(id)
	r.steps(3)
}

// TestALostCancelIsRepeatedThoughNoQuestionIsAnswered: the read side is out, or the
// connection that asks hangs. The order must not rest until it is back. P15, P16.
func TestALostCancelIsRepeatedThoughNoQuestionIsAnswered(t *testing.T) {
	r := newRig(t)
	b := r.resting()
	id := r.buy(100_00000000)
	r.steps(3)
	good := r.srv.handle
	r.cancelLost(id)
	lost := r.clock.Mono()
	r.srv.handle = good
	r.until("the order has ended", func() bool { return r.g.Table().Live() == 0 })
	r.expect(id, "ack, done CANCELED")
	if took := time.Duration(r.clock.Mono() - lost); len(b.open) != 0 || took > 2*time.Second {
		t.Errorf("%d orders rest at the venue %v after the cancel was lost", len(b.open), took)
	}
}

// TestACancelRefusedAfterALostOneIsNotSentAtOnceAgain: what became of the lost one is open
// yet, and a refusal of the next says that no third is to follow in the same moment, nor any
// with a key that is refused. P13, P25.
func TestACancelRefusedAfterALostOneIsNotSentAtOnceAgain(t *testing.T) {
	for body, most := range map[string]int{
		`{"code":-2015,"msg":"Invalid API-key, IP, or permissions for action."}`:          2,
		`{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}`: 5,
	} {
		r := newRig(t)
		r.resting()
		id := r.buy(100_00000000)
		r.steps(3)
		r.cancelLost(id)
		r.srv.handle = func(q *request) { q.conn.push(answer(401, body)) }
		for range 40 {
			r.steps(20)
			r.clock.advance(100 * time.Millisecond)
		}
		if n := r.srv.count("DELETE"); n < 2 || n > most {
			t.Errorf("%s: %d cancels were sent within 4 s, want 2 to %d", body, n, most)
		}
	}
}

// A cancel can be at the venue before the order whose bytes are on their way still: "unknown
// order" says nothing of it then, and once the order shows it is cancelled at once. Of an order
// that was known to work the same answer is believed for a while against reads that lag.
func TestACancelThatCameBeforeItsOrderIsSentAgainOnceTheOrderShows(t *testing.T) {
	for _, c := range []struct {
		name    string
		known   bool // the order's answer has come before the cancel leaves
		cancels int
	}{{"on its way", false, 2}, {"known to work", true, 1}} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t)
			cancels, gone := 0, true
			r.srv.handle = func(q *request) {
				switch {
				case q.method == "POST" && c.known:
					q.conn.push(answer(200, placed(q, 1001, "NEW", "0.00000000")))
				case q.method == "DELETE" && gone:
					cancels++
					q.conn.push(answer(400, `{"code":-2011,"msg":"Unknown order sent."}`))
				case q.method == "DELETE":
					cancels++
					q.conn.push(answer(200, canceled(q.query.Get("symbol"), 1001, q.query.Get("origClientOrderId"), "2.00000000", "0.00000000")))
				}
			}
			id := r.buy(100_00000000)
			r.until("its answer is overdue, or there", func() bool { return r.story(id) != "" })
			r.g.CancelAllOwn()
			r.until("a cancel has left", func() bool { return cancels == 1 })
			r.steps(3)
			gone = false
			e := r.told(id, 1001, core.New, 0)
			e.Kind = core.ExecNew
			r.g.OnExecution(&e)
			r.clock.advance(time.Second)
			r.steps(10)
			if cancels != c.cancels {
				t.Errorf("%d cancels have left a second after the account's stream told of the order, want %d; %s", cancels, c.cancels, r.story(id))
			}
		})
	}
}

func TestCancelAllTouchesOneInstrumentAndRepeatsUntilDone(t *testing.T) {
	r := newRig(t)
	b := r.resting()
	a, c := r.buy(100_00000000), r.buy(99_00000000)
	r.steps(3)
	good := r.srv.handle
	tries := 0
	r.srv.handle = func(q *request) {
		if tries++; tries <= 3 { // refused for a moment, for reasons of its own
			q.conn.push(answer(400, `{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}`))
			return
		}
		good(q)
	}
	r.approve(core.Intent{Kind: core.CancelAll, Instrument: 0})
	r.until("both have ended", func() bool { return r.g.Table().Live() == 0 })
	r.expect(a, "ack, done CANCELED")
	r.expect(c, "ack, done CANCELED")
	if len(b.open) != 0 {
		t.Errorf("%d orders rest at the venue", len(b.open))
	}
}

func TestDrainEndsEveryOwnOrderAndTakesNoNewOne(t *testing.T) {
	r := newRig(t)
	b := r.resting()
	var ids []core.OrderID
	for range 5 {
		ids = append(ids, r.buy(100_00000000))
		r.steps(3)
	}
	// One is in doubt, with the venue holding it.
	good := r.srv.handle
	r.srv.handle = func(q *request) {
		if q.method == "POST" {
			r.next++
			b.open[r.next] = q.query.Get("newClientOrderId")
			q.conn.closed = true
			return
		}
		good(q)
	}
	doubtful := r.buy(100_00000000)
	r.steps(3)
	r.cold.set(r.told(doubtful, r.next, core.New, 0))
	r.g.Drain()
	r.until("the gateway noticed", func() bool { return r.g.Halted()&risk.HaltShutdown != 0 })
	late := r.buy(100_00000000)
	r.until("all is drained", r.g.Drained)
	r.drain()
	r.expect(late, "done NOT_SENT")
	for _, id := range ids {
		r.expect(id, "ack, done CANCELED")
	}
	if st := r.of(doubtful); st[len(st)-1].Status != core.Canceled || len(b.open) != 0 {
		t.Errorf("the doubtful order: %s; %d orders rest at the venue", r.story(doubtful), len(b.open))
	}
}

func TestNothingIsSentDuringABan(t *testing.T) {
	r := newRig(t, func(c *exec.Config) { c.Pool.KeepAlive = time.Second })
	r.resting()
	a := r.buy(100_00000000)
	r.steps(3)
	good := r.srv.handle
	r.srv.handle = func(q *request) {
		q.conn.push(answer(418, `{"code":-1003,"msg":"Way too much request weight used"}`, "Retry-After: 4"))
	}
	b := r.buy(100_00000000)
	r.steps(3)
	r.expect(b, "done REJECTED")
	r.srv.handle = good
	until := r.clock.Mono() + core.MonoNs(4*time.Second) - core.MonoNs(time.Millisecond)
	requests, pings := len(r.srv.requests), r.srv.pings
	r.cancel(a)
	c := r.buy(100_00000000)
	r.until("the ban is nearly over", func() bool { return r.clock.Mono() >= until })
	if len(r.srv.requests) != requests || r.srv.pings != pings {
		t.Errorf("%d requests and %d pings were sent during a ban", len(r.srv.requests)-requests, r.srv.pings-pings)
	}
	r.expect(c, "done NOT_SENT")
	r.until("the cancel went out after it", func() bool { return r.story(a) == "ack, done CANCELED" })
}

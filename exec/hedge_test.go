package exec_test

import (
	"slices"
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
)

func TestACancelGoesByBothRoutesAndItsCopyIsNoError(t *testing.T) {
	x := newTwoRoutes(t)
	id := x.buy(100_00000000)
	x.steps(3)
	x.cancel(id)
	x.steps(4)
	x.expect(id, "ack, done CANCELED")
	if r, w := x.srv.count("DELETE"), x.ws.count("order.cancel"); r != 1 || w != 1 || x.g.Stats.Hedged != 1 {
		t.Errorf("%d cancels by wires, %d by sessions, %d hedged; want one each", r, w, x.g.Stats.Hedged)
	}
	x.steps(2000)
	if asked, _ := x.cold.count(); asked != 0 || x.ws.count("order.status") != 0 || x.g.Table().Live() != 0 {
		t.Errorf("asked %d times about an order that has ended, %d live", asked, x.g.Table().Live())
	}
	x.expect(id, "ack, done CANCELED")
}

// The copy that comes second at the venue may be answered first.
func TestThatTheCopyFoundNoOrderIsNotTheAnswer(t *testing.T) {
	x := newTwoRoutes(t)
	var held *request
	accept := x.rest
	x.srv.handle = func(q *request) {
		if q.method == "DELETE" {
			held = q
			return
		}
		accept(q)
	}
	x.ws.handle = func(q *frameCall) {
		if q.method == "order.cancel" {
			q.fail(400, `{"code":-2011,"msg":"Unknown order sent."}`)
			return
		}
		x.frame(q)
	}
	id := x.buy(100_00000000)
	x.steps(3)
	x.cancel(id)
	x.steps(100)
	x.expect(id, "ack")
	accept(held)
	x.steps(3)
	x.expect(id, "ack, done CANCELED")
	if asked, _ := x.cold.count(); asked != 0 {
		t.Errorf("asked %d times, want the answer awaited for a moment", asked)
	}
}

func TestACancelThatBothRefuseIsToldOnce(t *testing.T) {
	x := newTwoRoutes(t)
	const body = `{"code":-1021,"msg":"Timestamp for this request is outside of the recvWindow."}`
	accept := x.rest
	x.srv.handle = func(q *request) {
		if q.method == "DELETE" {
			q.conn.push(answer(400, body))
			return
		}
		accept(q)
	}
	x.ws.handle = func(q *frameCall) {
		if q.method == "order.cancel" {
			q.fail(400, body)
			return
		}
		x.frame(q)
	}
	id := x.buy(100_00000000)
	x.steps(3)
	x.cancel(id)
	x.steps(5)
	x.expect(id, "ack, cancel-rejected")
}

// TestCancelsKeepTheHealthyPathsTimeWhileTheOtherStalls has the venue take requests on
// one route and answer none of them, and holds the times of cancels against those with
// both routes well.
func TestCancelsKeepTheHealthyPathsTimeWhileTheOtherStalls(t *testing.T) {
	p99 := func(stall string) time.Duration {
		x := newTwoRoutes(t, func(c *exec.Config) { c.Orders = 2048 })
		var list []time.Duration
		for range 300 {
			id := x.buy(100_00000000)
			x.until("it is there", func() bool { return x.status(id) == core.New })
			switch stall { // what was on its way is held, orders too
			case "wires":
				x.srv.handle = func(q *request) {}
			case "sessions":
				x.ws.handle = func(q *frameCall) {}
			}
			from := x.clock.Mono()
			x.cancel(id)
			x.until("it has ended", func() bool { return x.status(id) == core.Canceled })
			list = append(list, time.Duration(x.clock.Mono()-from))
			x.srv.handle, x.ws.handle = x.rest, x.frame
			x.steps(int(50 * time.Millisecond / (100 * time.Microsecond)))
		}
		slices.Sort(list)
		return list[len(list)*99/100]
	}
	well := p99("")
	for _, route := range []string{"wires", "sessions"} {
		if got := p99(route); got > 2*well {
			t.Errorf("with %s stalled p99 of a cancel is %v, want that of the other path, %v", route, got, well)
		} else {
			t.Logf("p99 of a cancel: %v with both well, %v with %s stalled", well, got, route)
		}
	}
}

// TestOrdersByFramesDoNotAllocate is an order, its answer with a fill, its cancel by both
// routes and both answers, all reports.
func TestOrdersByFramesDoNotAllocate(t *testing.T) {
	x := leanRoutes(t)
	for range 500 {
		x.round(100_00000000)
	}
	sent := x.g.Stats
	if n := testing.AllocsPerRun(1000, func() { x.round(100_00000000) }); n != 0 {
		t.Errorf("an order by frames and its hedged cancel allocate %v times, want 0", n)
	}
	now := x.g.Stats
	if now.Sent-sent.Sent != 1001 || now.Hedged-sent.Hedged != 1001 || now.AnswersUnknown != 0 || x.g.Table().Live() != 0 || x.g.Routes()[exec.RouteWS].Sent != now.Sent {
		t.Errorf("sent %d, hedged %d, %+v, %+v", now.Sent-sent.Sent, now.Hedged-sent.Hedged, now, x.g.Routes())
	}
}

// BenchmarkFrameRound is BenchmarkOrderRound by frames: an order, its answer with a fill,
// its cancel on both routes, both answers, all reports, in memory.
func BenchmarkFrameRound(b *testing.B) {
	x := leanRoutes(b)
	for range 200 {
		x.round(100_00000000)
	}
	b.ReportAllocs()
	for b.Loop() {
		x.round(100_00000000)
	}
	if x.g.Stats.AnswersUnknown != 0 || x.g.Table().Live() != 0 {
		b.Fatalf("%+v", x.g.Stats)
	}
}

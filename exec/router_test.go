package exec_test

import (
	"slices"
	"strconv"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/exec"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// delayed answers whatever comes by frames after d.
func (x *twoRoutes) delayed(d *time.Duration) {
	type due struct {
		at core.MonoNs
		q  frameCall
	}
	var list []due
	x.ws.handle = func(q *frameCall) { list = append(list, due{x.clock.Mono() + core.MonoNs(*d), *q}) }
	x.ticks = append(x.ticks, func() {
		list = slices.DeleteFunc(list, func(e due) bool {
			if x.clock.Mono() < e.at {
				return false
			}
			x.frame(&e.q)
			return true
		})
	})
}

func TestOrdersTakeTheFasterRouteAndMoveWithinSeconds(t *testing.T) {
	x := newTwoRoutes(t)
	slow := time.Duration(0)
	x.delayed(&slow)
	share := func() float64 {
		rest, ws := 0, 0
		from := x.clock.Mono()
		for x.clock.Mono()-from < core.MonoNs(time.Second) {
			a, b := x.routed(1)
			rest, ws = rest+a, ws+b
			x.steps(200)
		}
		return float64(ws) / float64(rest+ws)
	}
	move := func(to exec.Route) time.Duration {
		from := x.clock.Mono()
		x.until("orders go by "+to.String(), func() bool {
			x.routed(1)
			return x.g.Routes()[to].Chosen
		})
		return time.Duration(x.clock.Mono() - from)
	}
	x.slowREST(3 * time.Millisecond)
	if took := move(exec.RouteWS); took > 5*time.Second {
		t.Errorf("orders left the slower wires after %v", took)
	}
	if got := share(); got < 0.99 {
		t.Errorf("%v of the orders go by frames, want all", got)
	}
	slow = 12 * time.Millisecond
	if took := move(exec.RouteREST); took > 5*time.Second {
		t.Errorf("orders left the slower session after %v", took)
	}
	if why := x.g.Routes()[exec.RouteREST].Why; why != exec.WhyFaster && why != exec.WhyStalled {
		t.Errorf("they left because of %q", why)
	}
	slow = time.Hour // nothing is answered any more
	x.slowREST(30 * time.Millisecond)
	if got := share(); got != 0 {
		t.Errorf("%v of the orders go by a session that answers nothing", got)
	}
}

// slowREST answers whatever comes by wires after d.
func (x *twoRoutes) slowREST(d time.Duration) {
	type due struct {
		at core.MonoNs
		q  request
	}
	var list []due
	x.srv.handle = func(q *request) { list = append(list, due{x.clock.Mono() + core.MonoNs(d), *q}) }
	x.ticks = append(x.ticks, func() {
		list = slices.DeleteFunc(list, func(e due) bool {
			if x.clock.Mono() < e.at {
				return false
			}
			x.rest(&e.q)
			return true
		})
	})
}

func TestARouteThatDiesLosesItsTrafficAtOnce(t *testing.T) {
	x := newTwoRoutes(t)
	slower := time.Millisecond
	x.delayed(&slower)
	x.until("orders go by wires", func() bool {
		x.steps(200)
		x.routed(1)
		return x.g.Routes()[exec.RouteREST].Chosen && x.g.Routes()[exec.RouteWS].Acks > 3
	})
	if rest, ws := x.routed(3); rest != 3 || ws != 0 {
		t.Fatalf("%d and %d orders by wires and session, want all by wires", rest, ws)
	}
	x.srv.dialFail.Store(true)
	for _, c := range x.srv.all() {
		c.closed = true
	}
	x.until("the wires are known to be dead", func() bool { return x.g.Routes()[exec.RouteWS].Chosen })
	if rest, ws := x.routed(3); rest != 0 || ws != 3 {
		t.Errorf("%d and %d orders by wires and session, want all by the session", rest, ws)
	}
	x.ws.dialFail.Store(true)
	x.srv.dialFail.Store(false)
	for _, c := range x.ws.alive() {
		c.closed = true
	}
	x.until("the wires are back", func() bool { return x.g.Routes()[exec.RouteREST].Chosen })
	if rest, ws := x.routed(3); rest != 3 || ws != 0 {
		t.Errorf("%d and %d orders by wires and session, want all by wires", rest, ws)
	}
	if d := x.g.Table().Stats.Doubts; d != 0 {
		t.Errorf("%d orders were in doubt", d)
	}
}

func TestStampsSayWhichRouteAndWhy(t *testing.T) {
	for _, mode := range []exec.RouteMode{exec.RouteWSOnly, exec.RouteAuto} {
		x := newTwoRoutes(t, func(c *exec.Config) { c.Route = mode })
		x.stamp.Release(len(x.stamp.Pending()))
		x.buy(100_00000000)
		x.step()
		at := x.g.Routes()[exec.RouteREST]
		if !at.Chosen {
			at = x.g.Routes()[exec.RouteWS]
		}
		s := x.stamp.Pending()
		if len(s) != 1 || s[0].Path.Route() != at.Route || s[0].Path.Why() != at.Why {
			t.Errorf("stamps %+v, want one that says %v because of %q", s, at.Route, at.Why)
		}
		if mode == exec.RouteWSOnly && s[0].Path.String() != "ws: only route" {
			t.Errorf("the stamp says %q", s[0].Path)
		}
	}
}

func TestBothRoutesProveThemselvesWithCheapCallsOfCountedWeight(t *testing.T) {
	x := newTwoRoutes(t)
	used := x.bud.Use(x.clock.Wall(), x.clock.Mono()).Weight
	pings, questions := x.srv.pings, x.ws.pings
	from := x.clock.Mono()
	x.until("10 s have passed", func() bool { return x.clock.Mono()-from >= core.MonoNs(10*time.Second) })
	if a, b := x.srv.pings-pings, x.ws.pings-questions; a < 9 || a > 14 || b < 9 || b > 12 {
		t.Errorf("asked %d times by wires and %d times by sessions, want about once a second", a, b)
	}
	if n := x.bud.Use(x.clock.Wall(), x.clock.Mono()).Weight - used; n < 18 || n > 26 {
		t.Errorf("booked a weight of %d, want about 20", n)
	}
	u := x.g.Routes()
	if u[0].P50 <= 0 || u[1].P50 <= 0 || u[0].P95 < u[0].P50 || !u[0].Up || !u[1].Up {
		t.Errorf("routes are %+v, want figures of both", u)
	}
}

// TestNoOrderTakesTwoRoutes lets chance close connections of both routes, stall and slow
// them, while orders flow: each client id arrives once, and what the venue has is what we
// hold to be there.
func TestNoOrderTakesTwoRoutes(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := newTwoRoutes(t, func(c *exec.Config) {
			c.Orders = 2048
			c.Route = rapid.SampledFrom([]exec.RouteMode{exec.RouteAuto, exec.RouteAuto, exec.RouteWSOnly}).Draw(rt, "route")
			c.ProofMargin, c.AbsentPolls, c.AskMax = time.Nanosecond, 1, 50*time.Millisecond
		})
		defer x.close()
		var ids []core.OrderID
		hold := false
		x.srv.handle = func(q *request) {
			if !hold {
				x.rest(q)
			}
		}
		x.ws.handle = func(q *frameCall) {
			if !hold {
				x.frame(q)
			}
		}
		for range rapid.IntRange(10, 60).Draw(rt, "steps") {
			switch rapid.IntRange(0, 7).Draw(rt, "do") {
			case 0:
				for _, c := range x.ws.alive() {
					c.closed = rapid.Bool().Draw(rt, "session")
				}
			case 1:
				for _, c := range x.srv.all() {
					c.closed = rapid.Bool().Draw(rt, "wire")
				}
			case 2:
				hold = rapid.Bool().Draw(rt, "hold")
			case 3:
				if len(ids) > 0 {
					x.cancelIf(ids[rapid.IntRange(0, len(ids)-1).Draw(rt, "which")])
				}
			default:
				ids = append(ids, x.buy(100_00000000))
			}
			x.steps(rapid.IntRange(0, 20).Draw(rt, "turns"))
		}
		seen := map[string]int{}
		for _, q := range x.srv.requests {
			if q.method == "POST" {
				seen[q.query.Get("newClientOrderId")]++
			}
		}
		for _, q := range x.ws.requests {
			if q.method == "order.place" {
				seen[q.query.Get("newClientOrderId")]++
			}
		}
		for client, n := range seen {
			if n != 1 {
				rt.Fatalf("order %s arrived %d times", client, n)
			}
		}
	})
}

// cancelIf asks for the cancel of an order that the gate still holds.
func (r *rig) cancelIf(id core.OrderID) {
	if o := r.gate.Find(id); o != nil && !o.Canceling {
		r.cancel(id)
	}
}

package exec

import (
	"fmt"
	"math"
	"time"

	"riposte/core"
)

// Two routes lead to the venue: REST wires, one request on each, and sessions of frames,
// many requests on each. Each order takes one of them, once. Which one is a matter of
// health and of how long answers take: both routes are asked something cheap every
// second, so that the one without traffic has figures of its own, and what an order takes
// beyond such a question is remembered per route: like is compared with like. What is
// remembered fades, and of a route that never had an order the best is hoped: so it gets
// its chance, and loses it within a second if orders show that it was undeserved.

// Route is a way to the venue.
type Route uint8

// The routes.
const (
	RouteREST Route = iota
	RouteWS

	routes
)

var routeText = [routes]string{"rest", "ws"}

func (r Route) String() string { return routeText[r] }

// RouteMode says which routes new orders may take.
type RouteMode uint8

// The modes. RouteAuto: the better one of the moment.
const (
	RouteAuto RouteMode = iota
	RouteRESTOnly
	RouteWSOnly
)

// RouteWhy is why a request took its route.
type RouteWhy uint8

// The reasons.
const (
	WhyOnly    RouteWhy = iota // no other is configured
	WhyAlone                   // the other has no connection
	WhyStay                    // the other is not faster by enough
	WhyFaster                  // the other was slower
	WhyStalled                 // the other's answers were overdue
	WhyFull                    // the better one had no connection free
	WhyHedge                   // the same request went the other way too (cancels)
	WhyKind                    // only this one takes such requests (amends, replaces)
)

var whyText = [...]string{"only route", "other is down", "no reason to leave", "faster", "other stalled", "other full", "hedge", "no other takes it"}

func (w RouteWhy) String() string { return whyText[w] }

// Path is the route a request took and why, in one byte.
type Path uint8

func pathOf(r Route, why RouteWhy) Path { return Path(why)<<1 | Path(r) }

// Route is the way it took.
func (p Path) Route() Route { return Route(p & 1) }

// Why is the reason.
func (p Path) Why() RouteWhy { return RouteWhy(p >> 1) }

func (p Path) String() string { return p.Route().String() + ": " + p.Why().String() }

// How the router decides.
const (
	proveEvery = core.MonoNs(time.Second)           // a route is asked something cheap at least this often
	judgeEvery = core.MonoNs(20 * time.Millisecond) // routes are compared this often
	dwell      = core.MonoNs(time.Second)           // a route is kept at least this long, unless it fails
	cooling    = core.MonoNs(5 * time.Second)       // a route that lost a connection is not returned to before
	gainMin    = core.MonoNs(20 * time.Microsecond) // what a change must bring beside a fifth
	fading     = 12                                 // each time routes are compared by 2^-12: half in a minute
	stallMin   = core.MonoNs(50 * time.Millisecond) // silence that is never called a stall
)

// routeState is what is known of a route.
type routeState struct {
	orders, probes meter
	up             bool        // it has a connection that could take an order
	oldest         core.MonoNs // when the oldest request without an answer left, 0: there is none
	lostAt         core.MonoNs // when a connection was lost last
	provedAt       core.MonoNs // when it was last asked something cheap
	extra          core.MonoNs // what an order took beyond a cheap question, when both were known; it fades
	cost           core.MonoNs // of an order, estimated
	known          bool        // there is anything to estimate it by
	stalled        bool
	sent           uint64 // new orders
}

// router chooses. Written by the loop goroutine.
type router struct {
	mode   RouteMode
	at     Route // where new orders go
	why    RouteWhy
	since  core.MonoNs
	judged core.MonoNs
	routes [routes]routeState
	turns  uint64 // changes of route
}

func newRouter(mode RouteMode) router {
	r := router{mode: mode, why: WhyOnly}
	switch mode {
	case RouteWSOnly:
		r.at = RouteWS
	case RouteAuto:
		r.why = WhyStay
	}
	return r
}

// took notes an answer.
func (r *router) took(route Route, kind RequestKind, took, now core.MonoNs) {
	s := &r.routes[route]
	switch kind {
	case RequestProbe:
		s.probes.add(took, now)
	case RequestPlace, RequestCancel:
		s.orders.add(took, now)
	}
}

// judge compares the routes, whose up and oldest have been brought up to date.
func (r *router) judge(now core.MonoNs) {
	r.judged = now
	for i := range r.routes {
		r.routes[i].learn(now)
	}
	if r.mode != RouteAuto {
		return
	}
	cur, alt := &r.routes[r.at], &r.routes[r.at^1]
	if r.why == WhyAlone && cur.up && alt.up {
		r.why = WhyStay
	}
	switch {
	case !cur.up && !alt.up:
	case !alt.up:
		r.why = WhyAlone
	case !cur.up:
		r.turn(WhyAlone, now)
	case cur.stalled && !alt.stalled:
		r.turn(WhyStalled, now)
	case alt.stalled || now-r.since < dwell || alt.lostAt != 0 && now-alt.lostAt < cooling:
	case cur.known && alt.known && alt.cost < cur.cost-cur.cost/5-gainMin:
		r.turn(WhyFaster, now)
	}
}

func (r *router) turn(why RouteWhy, now core.MonoNs) {
	r.at ^= 1
	r.why, r.since = why, now
	r.turns++
}

// usable reports whether an order may go there when the better route has no connection
// free: to wait is better than to join a queue that does not move.
func (r *router) usable(route Route) bool {
	return r.mode == RouteAuto && r.routes[route].up && !r.routes[route].stalled
}

// learn brings the figures and the estimate up to date.
func (s *routeState) learn(now core.MonoNs) {
	s.probes.figures(now)
	s.orders.figures(now)
	// What an order would cost: what orders took lately, or else what a cheap question
	// took and what an order took beyond it.
	p95 := s.orders.p95
	s.known = true
	switch {
	case s.orders.fresh >= meterFew:
		s.cost = s.orders.cost()
		if s.probes.fresh > 0 {
			s.extra = max(0, s.cost-s.probes.cost())
		}
	case s.probes.fresh > 0:
		s.extra -= s.extra >> fading
		s.cost, p95 = s.probes.cost()+s.extra, s.probes.p95
	default:
		s.cost, s.known = 0, false
	}
	s.stalled = false
	if s.oldest != 0 {
		overdue := now - s.oldest
		s.stalled = overdue > max(stallMin, 4*p95)
		s.cost = max(s.cost, overdue)
	}
}

// expected is what an order would take by each route, in microseconds; 0: not known.
func (r *router) expected() (us [routes]uint32) {
	for i := range r.routes {
		if s := &r.routes[i]; s.known {
			us[i] = uint32(min(s.cost/1000, math.MaxUint32))
		}
	}
	return us
}

// Explain says why a request took its route, with what an order was expected to take by
// each then, in microseconds (0: not known): "ws: faster: its answers come in 0.65 ms,
// rest's in 1.20 ms".
func (p Path) Explain(us [routes]uint32) string {
	text, mine, other := p.String(), us[p.Route()], us[p.Route()^1]
	if mine == 0 && other == 0 {
		return text
	}
	come := func(v uint32) string {
		if v == 0 {
			return "in nobody knows what time"
		}
		return fmt.Sprintf("in %.2f ms", float64(v)/1e3)
	}
	text += ": its answers come " + come(mine)
	if p.Why() != WhyOnly {
		text += ", " + (p.Route() ^ 1).String() + "'s " + come(other)
	}
	if p.Why() == WhyFaster && other != 0 && mine > other {
		text += "; it was the faster when it was chosen, and stays until the other is so by a fifth"
	}
	return text
}

// RouteUse is a route as seen from outside.
type RouteUse struct {
	Route    Route
	Chosen   bool // new orders go there
	Why      RouteWhy
	Up       bool
	Stalled  bool
	Acks     uint64 // answers to orders and cancels
	Probes   uint64 // answers to cheap questions
	Sent     uint64 // new orders
	P50, P95 time.Duration
	Share    float64 // of all new orders
}

// Routes tells how the routes do. P50 and P95 are of the orders and cancels answered in
// the last ten seconds, or of cheap questions where there were none.
func (g *Gateway) Routes() (out [routes]RouteUse) {
	r := &g.router
	total := max(1, r.routes[RouteREST].sent+r.routes[RouteWS].sent)
	for i := range r.routes {
		s := &r.routes[i]
		m := &s.orders
		if m.fresh == 0 {
			m = &s.probes
		}
		out[i] = RouteUse{Route: Route(i), Chosen: Route(i) == r.at, Why: r.why, Up: s.up, Stalled: s.stalled, Acks: s.orders.total, Probes: s.probes.total,
			Sent: s.sent, P50: time.Duration(m.p50), P95: time.Duration(m.p95), Share: float64(s.sent) / float64(total)}
	}
	return out
}

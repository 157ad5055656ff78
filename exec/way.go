package exec

import (
	"riposte/core"
	"riposte/core/risk"
)

// way is the connection that a request will take. Of wire and session one is set, or
// neither where none is free.
type way struct {
	w    *wire
	s    *session
	path Path
}

func (x *way) none() bool { return x.w == nil && x.s == nil }

// wayOn is a free connection of a route for a new order.
func (g *Gateway) wayOn(r Route, why RouteWhy) (x way) {
	x.path = pathOf(r, why)
	if r == RouteWS {
		x.s = g.sessions.take(false)
	} else {
		x.w = g.pool.take(false)
	}
	return x
}

// way is the connection for a new order: of the better route, or of the other if that
// has none free.
func (g *Gateway) way() way {
	x := g.wayOn(g.router.at, g.router.why)
	if other := g.router.at ^ 1; x.none() && g.router.usable(other) {
		x = g.wayOn(other, WhyFull)
	}
	return x
}

// wayFor is the connection for what creates an order. A replace takes a wire: the codecs
// of frames do not know it.
func (g *Gateway) wayFor(in *core.Intent) way {
	if in.Kind == core.Replace {
		return g.wire()
	}
	return g.way()
}

// wire is a free wire for a replace or an amend.
func (g *Gateway) wire() way {
	why := g.router.why
	if g.router.at != RouteREST {
		why = WhyKind
	}
	return g.wayOn(RouteREST, why)
}

// cancelWays are the connections for a cancel: of the route that orders take, and, where
// cancels are hedged, one of those that the other route keeps for cancels alone.
func (g *Gateway) cancelWays() (first, second way) {
	r := g.router.at
	if first = g.cancelWay(r, g.router.why); first.none() {
		first = g.cancelWay(r^1, WhyFull)
		return first, second
	}
	if g.cfg.HedgeCancels && g.sessions != nil {
		second.path = pathOf(r^1, WhyHedge)
		if r == RouteWS {
			second.w = g.pool.reserved()
		} else {
			second.s = g.sessions.reserved()
		}
	}
	return first, second
}

func (g *Gateway) cancelWay(r Route, why RouteWhy) (x way) {
	x.path = pathOf(r, why)
	if r == RouteWS {
		x.s = g.sessions.take(true)
	} else {
		x.w = g.pool.take(true)
	}
	return x
}

// layPlace lays a new order out in the route's dialect, in the place of old if that is not
// nil.
func (g *Gateway) layPlace(x *way, in *core.Intent, old *Order, born, venue core.WallNs) EncodeError {
	if old != nil {
		return g.codec.Replace(in, old, born, venue, &g.req)
	}
	if x.s != nil {
		return g.sessions.cfg.Codec.Place(in, born, venue, x.s.next(), &g.req)
	}
	return g.codec.Place(in, born, venue, &g.req)
}

func (g *Gateway) layCancel(x *way, o *Order, venue core.WallNs) EncodeError {
	if x.s != nil {
		return g.sessions.cfg.Codec.Cancel(o, venue, x.s.next(), &g.req)
	}
	return g.codec.Cancel(o, venue, &g.req)
}

// send writes g.req; see Pool.request and Sessions.request.
func (g *Gateway) send(x *way, kind RequestKind, o *Order, now core.MonoNs) (taken int, err error) {
	if x.s != nil {
		g.sessions.concluded = g.concluded
		return g.sessions.request(x.s, g.req.Bytes, kind, o, now)
	}
	taken, err = g.pool.request(x.w, g.req.Bytes, kind, o, now)
	x.w.before = g.concluded
	return taken, err
}

// oversee keeps the router's figures and has the routes prove themselves.
func (g *Gateway) oversee(now core.MonoNs) {
	if now-g.router.judged < judgeEvery {
		return
	}
	rest, ws := &g.router.routes[RouteREST], &g.router.routes[RouteWS]
	rest.up, rest.oldest = g.pool.health()
	if g.sessions == nil {
		g.router.judge(now)
		return
	}
	ws.up, ws.oldest = g.sessions.health()
	g.router.judge(now)
	if now-rest.provedAt >= proveEvery && g.pool.prove(now) {
		rest.provedAt = now
	}
	if now-ws.provedAt >= proveEvery && g.sessions.prove(now) {
		ws.provedAt = now
	}
}

// framed takes an answer that a session brought and the codec has opened.
func (g *Gateway) framed(f *flight) Class {
	o := g.unpin(f)
	v := &g.verdict
	v.reset()
	g.sessions.cfg.Codec.Answer(f.kind, o, v)
	recv := g.clock.Mono()
	g.router.took(RouteWS, f.kind, recv-f.sent, recv)
	g.heard(f, o, v, recv)
	return v.Class
}

// revoked hears that the venue no longer knows the key of a session.
func (g *Gateway) revoked() { g.raise(risk.HaltKey) }

// mayAsk books weight for a request about orders that is no cancel.
func (g *Gateway) mayAsk(weight int) bool {
	ok, _ := g.budget.TakeWeight(weight, ForOrders, g.time.At(g.now), g.now)
	return ok
}

func (g *Gateway) venueNow() core.WallNs { return g.time.At(g.now) }

// parted hears that a connection ended under requests, or unannounced.
func (g *Gateway) parted(r Route) { g.router.routes[r].lostAt = g.now }

// inquire asks for an order's state on a warm session, where there is one. What it brings
// is evidence like any other; that it brings nothing, or that there is no such order,
// proves nothing: the resolver goes on.
func (g *Gateway) inquire(o *Order) {
	s := g.sessions.take(true)
	if s == nil || !g.mayAsk(4) {
		return
	}
	if g.sessions.cfg.Codec.Status(o, g.time.At(g.now), s.next(), &g.req) != EncodeOK {
		return
	}
	if _, err := g.sessions.request(s, g.req.Bytes, RequestStatus, o, g.now); err != nil {
		o.pins--
	}
}

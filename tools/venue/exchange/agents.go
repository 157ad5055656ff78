package exchange

import (
	"hash/fnv"
	"math"
	"math/rand/v2"
)

// AgentOptions shape a market of agents.
type AgentOptions struct {
	// Params overrides DefaultAgentParams by symbol.
	Params map[string]AgentParams
	// HistoryMinutes is how many minutes of bars exist at Start; 0 means 1500,
	// negative means none.
	HistoryMinutes int
}

// Agents is a market of seeded agents: makers who keep a deep book, joiners and
// leavers at the touch, takers, and a fair price that moves in jumps and pulls
// the rest along. Their orders are orders of a house account in the same queues
// as everyone's. The config's seed decides all they do. Values drawn go through
// floating point, so equal runs need an equal CPU architecture.
func Agents(o AgentOptions) Market { return &agents{opt: o} }

type agents struct {
	x       *Exchange
	opt     AgentOptions
	traders []*trader
	queue   []agentEvent // binary heap by time, then sequence
	seq     uint64
}

// agentEvent is one thing an agent will do.
type agentEvent struct {
	at    Micros
	seq   uint64
	id    int64 // order, for agentLeave
	price Fixed
	who   int32
	kind  agentKind
	side  Side
}

type agentKind uint8

const (
	agentPlan   agentKind = iota // plan the next window
	agentLevel                   // work on a level of the book
	agentTouch                   // join or leave the touch
	agentTake                    // take
	agentJump                    // move the fair price
	agentChase                   // bring the touch nearer to the fair price
	agentRefill                  // close a wide spread
	agentLeave                   // take back an order that was to stay only briefly
)

// trader is the agents of one symbol.
type trader struct {
	m    *agents
	no   int32
	in   *instrument
	p    AgentParams
	r    *rand.Rand
	pace pace

	fair    float64 // scaled 1e-8 like a price
	anchor  float64
	valueOf float64 // quote value to scaled quantity: × 1e8 / (price × usd)

	refilling, chasing bool // such an event is queued
}

func (m *agents) attach(x *Exchange, seed uint64) error {
	m.x = x
	for i, in := range x.insts {
		h := fnv.New64a()
		_, _ = h.Write([]byte(in.sym.Name)) // a hash never fails
		p, ok := m.opt.Params[in.sym.Name]
		if !ok {
			p = DefaultAgentParams(in.sym.Name)
		}
		x.addHouse(in)
		// A stream per symbol: what one symbol does, does not depend on which
		// others are there.
		t := &trader{m: m, no: int32(i), in: in, p: p, r: rand.New(rand.NewPCG(seed, h.Sum64()))}
		t.pace.start(t.r)
		t.open(m.opt.HistoryMinutes)
		m.traders = append(m.traders, t)
		m.push(agentEvent{at: x.now + 1 + t.r.Int64N(t.p.Window), who: t.no, kind: agentPlan})
	}
	return nil
}

func (m *agents) next() (Micros, bool) {
	if len(m.queue) == 0 {
		return 0, false
	}
	return m.queue[0].at, true
}

func (m *agents) step() {
	e := m.pop()
	t := m.traders[e.who]
	if e.kind == agentPlan {
		t.plan()
		return
	}
	switch e.kind { // flags first: a phase without trading must not lose them
	case agentRefill:
		t.refilling = false
	case agentChase:
		t.chasing = false
	}
	if t.in.sym.Status != Trading {
		return
	}
	switch e.kind {
	case agentLevel:
		t.workLevel()
	case agentTouch:
		t.workTouch()
	case agentTake:
		t.take()
	case agentJump:
		t.jump()
	case agentChase:
		t.chase()
	case agentRefill:
		t.refill()
	case agentLeave:
		t.leave(e)
	}
	t.keepSpread()
	m.x.commit(t.in)
}

// plan draws a window's activity and spreads its events over it, in clusters:
// on the venue 43 % of bookTickers follow another within 0.1 ms.
func (t *trader) plan() {
	w := t.p.Window
	if t.p.Exponential {
		w = 50*millisecond + Micros(t.r.ExpFloat64()*float64(w))
	}
	now := t.m.x.now
	x := t.pace.next(t.r)
	n := int(math.Round(math.Exp(t.p.LevelsMean+t.p.LevelsSD*x) - 1))
	n = min(max(n, 0), 1100)
	act := activity(x) * float64(w) / float64(second)
	touches, takes, jumps := t.poisson(t.p.TouchRate*act), t.poisson(t.p.TakerRate*act), t.poisson(t.p.JumpRate*act)
	at := now
	spot := func(clustered float64) Micros {
		if t.r.Float64() < clustered {
			at += Micros(t.r.ExpFloat64() * 45)
		} else {
			at = now + t.r.Int64N(w)
		}
		return min(at, now+w-1)
	}
	for i := 0; i < n; i++ {
		t.at(spot(0.8), agentLevel)
	}
	for i := 0; i < touches; i++ {
		t.at(spot(0.4), agentTouch)
	}
	for i := 0; i < takes; i++ {
		t.at(spot(0), agentTake)
	}
	for i := 0; i < jumps; i++ {
		t.at(spot(0), agentJump)
	}
	t.at(now+w, agentPlan)
}

func (t *trader) at(when Micros, k agentKind) {
	t.m.push(agentEvent{at: when, who: t.no, kind: k})
}

// poisson draws a count of mean m, small enough for the plain method.
func (t *trader) poisson(m float64) int {
	if m > 50 {
		return max(int(math.Round(m+math.Sqrt(m)*t.r.NormFloat64())), 0)
	}
	limit, p, n := math.Exp(-m), t.r.Float64(), 0
	for p > limit {
		p *= t.r.Float64()
		n++
	}
	return n
}

func (m *agents) push(e agentEvent) {
	m.seq++
	e.seq = m.seq
	q := append(m.queue, e)
	i := len(q) - 1
	for i > 0 {
		up := (i - 1) / 2
		if !q[i].before(&q[up]) {
			break
		}
		q[i], q[up] = q[up], q[i]
		i = up
	}
	m.queue = q
}

func (m *agents) pop() agentEvent {
	q := m.queue
	top := q[0]
	last := len(q) - 1
	q[0] = q[last]
	q = q[:last]
	for i := 0; ; {
		c := 2*i + 1
		if c >= last {
			break
		}
		if c+1 < last && q[c+1].before(&q[c]) {
			c++
		}
		if !q[c].before(&q[i]) {
			break
		}
		q[i], q[c] = q[c], q[i]
		i = c
	}
	m.queue = q
	return top
}

func (e *agentEvent) before(f *agentEvent) bool {
	return e.at < f.at || e.at == f.at && e.seq < f.seq
}

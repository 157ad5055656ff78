package venue

import (
	"cmp"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"riposte/tools/venue/exchange"
	"riposte/tools/venue/wire"
)

// Faults makes things go wrong on purpose. Its methods may be called from any goroutine but return only after the
// fault is in force.
type Faults struct {
	srv *Server
	rng *rand.Rand // loop goroutine

	// Loop goroutine: how many of the next snapshots of a symbol are stale or forced onto an event boundary.
	stale, boundary map[string]int

	mu      sync.Mutex
	answers []*answerFault
	fired   map[string]uint64
	armed   atomic.Int64 // requests that a delay still waits for
}

// depthFault is what happens to the next depth event of a subscription.
type depthFault uint8

const (
	depthDrop depthFault = iota + 1
	depthDouble
	depthSwap
	depthOverlap
)

var depthFaults = map[string]depthFault{"drop": depthDrop, "double": depthDouble, "swap": depthSwap, "overlap": depthOverlap}

// answerFault delays or loses the answers of the next requests of a class.
type answerFault struct {
	class string
	left  int
	delay time.Duration
	lose  bool
	taken bool
	with  string
}

func newFaults(s *Server) *Faults {
	return &Faults{srv: s, rng: rand.New(rand.NewPCG(s.cfg.Seed, 0x6661756c7473)), stale: make(map[string]int),
		boundary: make(map[string]int), fired: make(map[string]uint64)}
}

// Faults is the switchboard of what goes wrong.
func (s *Server) Faults() *Faults { return s.faults }

// Do runs one fault line now, e.g. "cut streams" or "drop depth BTCUSDT 2"; see FaultUsage.
func (f *Faults) Do(line string) error {
	fault, err := ParseFault(line)
	if err != nil {
		return err
	}
	return f.Apply(fault)
}

// Apply runs one fault now; its times are ignored.
func (f *Faults) Apply(fault Fault) error {
	var err error
	if !f.srv.loop.do(func(now int64) { err = f.fire(fault, now) }) {
		return fmt.Errorf("cannot run fault %q: the venue is closed", fault.Text)
	}
	return err
}

// Cut breaks every connection of a kind (streams, wsapi, rest, all) with a TCP reset.
func (f *Faults) Cut(kind string) error { return f.Do("cut " + kind) }

// Counts says how often each verb has fired.
func (f *Faults) Counts() map[string]uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return maps.Clone(f.fired)
}

// schedule puts a scripted fault on the loop's calendar. Before the loop runs, or on its goroutine.
func (f *Faults) schedule(fault Fault, from int64) {
	wait := fault.At + fault.Every
	if fault.About > 0 {
		wait = fault.About/2 + time.Duration(f.rng.Int64N(int64(fault.About)))
	}
	f.srv.loop.at(from+wait.Microseconds(), func(now int64) {
		// A scripted fault that finds nothing to break (no such symbol) stays uncounted.
		_ = f.fire(fault, now)
		if fault.Every > 0 || fault.About > 0 {
			f.schedule(fault, now)
		}
	})
}

// fire does it. Loop goroutine.
func (f *Faults) fire(fault Fault, now int64) error {
	if err := f.act(fault, now); err != nil {
		return fmt.Errorf("cannot run fault %q: %w", fault.Text, err)
	}
	f.mu.Lock()
	f.fired[fault.Verb]++
	f.mu.Unlock()
	return nil
}

func (f *Faults) act(fault Fault, now int64) error {
	switch fault.Verb {
	case "cut":
		f.cut(fault.Target)
	case "drop", "double", "swap", "overlap":
		return f.armDepth(fault)
	case "stale", "boundary":
		list := f.stale
		if fault.Verb == "boundary" {
			list = f.boundary
		}
		return f.eachSymbol(fault.Target, func(m *market) { list[m.name] += fault.Count })
	case "delay", "lose":
		f.mu.Lock()
		f.answers = append(f.answers, &answerFault{class: fault.Target, left: fault.Count, delay: fault.For,
			lose: fault.Verb == "lose", taken: fault.Taken, with: fault.With})
		f.mu.Unlock()
		f.armed.Add(int64(fault.Count))
	case "429":
		f.srv.limits.force(http.StatusTooManyRequests, now+fault.For.Microseconds())
	case "418":
		f.srv.limits.force(http.StatusTeapot, now+fault.For.Microseconds())
		for _, c := range f.srv.sockets(apiConn) {
			c.drop()
		}
	case "freeze":
		return f.freeze(fault, now)
	case "shutdown":
		f.shutdown(fault, now)
	case "status":
		if rej := f.srv.x.SetStatus(now, fault.Target, fault.Status); rej != nil {
			return rej
		}
	case "revoke":
		if !f.srv.revoke(fault.Target) {
			return fmt.Errorf("got key %q, want a key of the venue", fault.Target)
		}
	default:
		return fmt.Errorf("got verb %q, want one of FaultUsage", fault.Verb)
	}
	return nil
}

func (f *Faults) kinds(target string) []connKind {
	switch target {
	case "streams":
		return []connKind{streamConn}
	case "wsapi":
		return []connKind{apiConn}
	case "all":
		return []connKind{streamConn, apiConn}
	}
	return nil
}

func (f *Faults) cut(target string) {
	for _, k := range f.kinds(target) {
		for _, c := range f.srv.sockets(k) {
			c.drop()
		}
	}
	if target == "rest" || target == "all" {
		f.srv.cutREST()
	}
}

// cutREST breaks every REST connection, busy or idle, oldest first.
func (s *Server) cutREST() {
	s.mu.Lock()
	list := slices.SortedFunc(maps.Keys(s.idle), func(a, b net.Conn) int { return cmp.Compare(s.idle[a], s.idle[b]) })
	s.mu.Unlock()
	for _, nc := range list {
		reset(nc)
	}
}

func (f *Faults) eachSymbol(target string, fn func(*market)) error {
	if target == "*" {
		for _, m := range f.srv.hub.order {
			fn(m)
		}
		return nil
	}
	m := f.srv.hub.markets[strings.ToUpper(target)]
	if m == nil {
		return fmt.Errorf("got symbol %q, want one of the venue's or *", target)
	}
	fn(m)
	return nil
}

// armDepth puts the fault on every present subscription to the symbol's diff depth, or on one connection's.
func (f *Faults) armDepth(fault Fault) error {
	return f.eachSymbol(fault.Target, func(m *market) {
		for _, t := range m.other {
			if t.spec.kind != streamDepth {
				continue
			}
			for _, s := range t.subs {
				if fault.Conn != 0 && s.c.id != fault.Conn {
					continue
				}
				for range fault.Count {
					s.armed = append(s.armed, depthFaults[fault.Verb])
				}
			}
		}
	})
}

// deliver sends one frame of a topic to one subscription, through its armed faults.
func (s *sub) deliver(frame []byte) {
	if len(s.armed) == 0 {
		s.c.send(frame)
		return
	}
	switch s.armed[0] {
	case depthDrop, depthOverlap: // an overlapping event has left already
	case depthDouble:
		s.c.send(frame)
		s.c.send(frame)
	case depthSwap:
		if s.held == nil {
			s.held = frame
			return
		}
		s.c.send(frame)
		s.c.send(s.held)
		s.held = nil
	}
	s.armed = s.armed[1:]
}

func (f *Faults) freeze(fault Fault, now int64) error {
	until := now + fault.For.Microseconds()
	if kinds := f.kinds(fault.Target); kinds != nil && fault.Target != "all" {
		list := f.srv.sockets(kinds[0])
		for _, c := range list {
			c.frozen.Store(true)
		}
		f.srv.loop.at(until, func(int64) {
			for _, c := range list {
				c.frozen.Store(false)
			}
		})
		return nil
	}
	if _, ok := parseStream(fault.Target, f.srv.cfg.DepthFast); !ok {
		return fmt.Errorf("got stream %q, want streams, wsapi or a stream name", fault.Target)
	}
	f.srv.hub.frozen[fault.Target] = until // also for those who subscribe again meanwhile
	if t := f.srv.hub.topics[fault.Target]; t != nil {
		t.frozen = until
	}
	return nil
}

// shutdown announces a planned close; the sockets go down after the lead.
func (f *Faults) shutdown(fault Fault, now int64) {
	lead := fault.For
	if lead == 0 {
		lead = f.srv.cfg.ShutdownLead
	}
	for _, k := range f.kinds(fault.Target) {
		for _, c := range f.srv.sockets(k) {
			c.shutdown(now, lead)
		}
	}
}

// answer takes the fault that hits this call, if any.
func (f *Faults) answer(c *call) *answerFault {
	if f.armed.Load() == 0 {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, a := range f.answers {
		if !a.hits(c.op) {
			continue
		}
		hit := *a
		a.left--
		f.armed.Add(-1)
		if a.left == 0 {
			f.answers = slices.Delete(f.answers, i, i+1)
		}
		return &hit
	}
	return nil
}

func (f *Faults) delays() bool { return f.armed.Load() > 0 }

func (a *answerFault) hits(o *op) bool {
	switch a.class {
	case "orders":
		return o.orders > 0
	case "cancels":
		return o.security == trade && o.verb == http.MethodDelete
	case "queries":
		return o.security == userData
	}
	return true
}

// executes says whether the request reaches the exchange.
func (a *answerFault) executes() bool { return !a.lose || a.taken }

// fail is the loss of the answer, nil if it is only delayed.
func (a *answerFault) fail(*call) *apiError {
	if !a.lose {
		return nil
	}
	switch a.with {
	case "timeout":
		return errTimeout()
	case "busy":
		return errBusy()
	case "503":
		return errUnavailable()
	}
	return &apiError{status: http.StatusServiceUnavailable, code: -1001, reset: true,
		msg: "Internal error; unable to process your request. Please try again."}
}

// snapshot answers a depth request, through the snapshot faults. Loop goroutine.
func (f *Faults) snapshot(x *exchange.Exchange, symbol string, limit int, now int64) (int64, []exchange.Level, []exchange.Level, *exchange.Reject) {
	m := f.srv.hub.markets[symbol]
	if m != nil && f.stale[symbol] > 0 && len(m.stale) > 0 {
		id := m.stale[0]
		if bids, asks, ok := x.BookAt(symbol, id); ok {
			f.stale[symbol]--
			return id, bids[:min(limit, len(bids))], asks[:min(limit, len(asks))], nil
		}
	}
	if m != nil && f.boundary[symbol] > 0 {
		f.boundary[symbol]--
		// An event that ends exactly at the snapshot leaves first: the next one begins at lastUpdateId + 1.
		f.srv.hub.flushMarket(m, now, true)
		f.srv.hub.flushMarket(m, now, false)
	}
	return x.Depth(symbol, limit)
}

// overlap sends the event of a topic with its first id moved back over the event before to the subscriptions that are
// due one; their regular event is left out. Quantities are absolute, so both carry the same truth.
func (h *hub) overlap(t *topic, diff *exchange.DepthDiff, now int64) {
	for _, s := range t.subs {
		if len(s.armed) == 0 || s.armed[0] != depthOverlap {
			continue
		}
		early := *diff
		early.First = max(1, diff.First-3)
		form := 0
		if s.c.us {
			form = 1
		}
		if s.c.combined {
			form += 2
		}
		s.c.send(h.frame(t, form, func(b []byte, us bool) []byte { return wire.AppendDepthUpdate(b, &early, now, unit(us)) }))
	}
}

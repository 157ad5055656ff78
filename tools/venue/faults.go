package venue

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"riposte/tools/venue/link"
)

// Faults makes things go wrong on purpose. Its methods may be called from any goroutine but return only after the
// fault is in force.
type Faults struct {
	srv *Server

	// Loop goroutine.
	rng       *rand.Rand
	snapshots map[string]*snapshotFaults // by symbol
	waiting   []*awaited                 // faults that an event fires, in the order of their lines
	subscribe []string                   // what happens to the next SUBSCRIBE requests

	listening atomic.Bool // waiting is not empty

	mu      sync.Mutex
	answers []*answerFault
	fired   map[string]uint64
	armed   atomic.Int64 // requests that a fault of answers still waits for
	swaps   swaps
}

// awaited is a fault that waits for its event.
type awaited struct {
	fault Fault
	left  int // until it happens
}

// cause is what fired a fault: the venue's time, and the connection at which its event happened, nil for none.
type cause struct {
	now  int64
	link *link.Conn
	// inside says that the exchange is in the midst of the command that made the event.
	inside bool
}

func newFaults(s *Server) *Faults {
	return &Faults{srv: s, rng: rand.New(rand.NewPCG(s.cfg.Seed, 0x6661756c7473)), snapshots: make(map[string]*snapshotFaults),
		fired: make(map[string]uint64)}
}

// Faults is the switchboard of what goes wrong.
func (s *Server) Faults() *Faults { return s.faults }

// Do takes one fault line: "cut streams" happens now, "5s cut streams" in five seconds, "on order 3 cut rest" with the
// third order from now; see FaultUsage.
func (f *Faults) Do(line string) error {
	fault, err := ParseFault(line)
	if err != nil {
		return err
	}
	return f.Apply(fault)
}

// Apply is Do with a fault that was read before.
func (f *Faults) Apply(fault Fault) error {
	var err error
	if !f.srv.loop.do(func(now int64) { err = f.begin(fault, now) }) {
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

// begin fires a fault or arranges for it. Loop goroutine, or before the loop runs.
func (f *Faults) begin(fault Fault, now int64) error {
	if verbOf(fault.Verb) == nil {
		return fmt.Errorf("cannot run fault %q: got verb %q, want one of FaultUsage", fault.Text, fault.Verb)
	}
	switch {
	case fault.On.Event != "":
		f.waiting = append(f.waiting, &awaited{fault, fault.On.N})
		f.listening.Store(true)
	case fault.At+fault.Every+fault.About > 0:
		f.schedule(fault, now)
	default:
		return f.fire(fault, cause{now: now})
	}
	return nil
}

// schedule puts a fault on the loop's calendar. Loop goroutine, or before the loop runs.
func (f *Faults) schedule(fault Fault, from int64) {
	wait := fault.At + fault.Every
	if fault.About > 0 {
		wait = fault.About/2 + time.Duration(f.rng.Int64N(int64(fault.About)))
	}
	f.srv.loop.at(from+wait.Microseconds(), func(now int64) {
		// A scripted fault that finds nothing to break (no such symbol) stays uncounted.
		_ = f.fire(fault, cause{now: now})
		if fault.Every > 0 || fault.About > 0 {
			f.schedule(fault, now)
		}
	})
}

// fire does it. Loop goroutine.
func (f *Faults) fire(fault Fault, c cause) error {
	if fault.Chance > 0 && f.rng.Float64() >= fault.Chance {
		return nil
	}
	v := verbOf(fault.Verb)
	if c.inside && v.deep {
		f.srv.loop.at(c.now, func(now int64) { _ = f.fire(fault, cause{now: now, link: c.link}) })
		return nil
	}
	if err := v.act(f, fault, c); err != nil {
		return fmt.Errorf("cannot run fault %q: %w", fault.Text, err)
	}
	f.mu.Lock()
	f.fired[fault.Verb]++
	f.mu.Unlock()
	return nil
}

// happened fires the faults that wait for an event. Loop goroutine.
func (f *Faults) happened(event, subject string, c cause) {
	ended := false
	for _, a := range f.waiting {
		on := &a.fault.On
		if on.Event != event || on.Subject != "*" && on.Subject != subject || a.left == 0 {
			continue
		}
		if a.left--; a.left > 0 {
			continue
		}
		if on.Each {
			a.left = on.N
		}
		ended = ended || a.left == 0
		_ = f.fire(a.fault, c) // a fault that finds nothing to break stays uncounted
	}
	if ended {
		f.waiting = slices.DeleteFunc(f.waiting, func(a *awaited) bool { return a.left == 0 })
		f.listening.Store(len(f.waiting) > 0)
	}
}

// heard is happened for other goroutines than the loop's.
func (f *Faults) heard(event, subject string, at *link.Conn) {
	if f.listening.Load() {
		f.srv.loop.do(func(now int64) { f.happened(event, subject, cause{now: now, link: at}) })
	}
}

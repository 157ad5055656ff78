package app

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	death "riposte/core/fault"
	"riposte/core/risk"
	"riposte/tools/sim"
	"riposte/tools/sim/oracle"
)

// faults puts the plan's events on the calendar.
func (r *simRun) faults() {
	for i := range r.plan.Events {
		e := &r.plan.Events[i]
		r.w.At(e.At, func() { r.strike(e) })
	}
	r.w.After(time.Second, r.tend)
}

// strike has one fault happen.
func (r *simRun) strike(e *sim.Event) {
	if r.healed {
		return
	}
	if e.In != "" && !slices.Contains(r.states(), e.In) {
		r.armed = append(r.armed, e)
		return
	}
	r.w.Note("FAULT %s", e)
	r.table.struck(r, e)
	for _, c := range r.w.Checkers() {
		c.Fault(e)
	}
	act, ok := simFaults[e.Kind]
	if !ok {
		r.broken(fmt.Errorf("a plan has a fault %q that is not known", e.Kind))
		return
	}
	act(r, e)
}

// look has the faults strike that wait for a state which holds now.
func (r *simRun) look() {
	if len(r.armed) == 0 || r.healed {
		return
	}
	held := r.states()
	for i, e := range r.armed {
		if slices.Contains(held, e.In) {
			r.armed = slices.Delete(r.armed, i, i+1)
			// Not in the midst of what has brought the state about, and one at a time.
			r.w.After(0, func() { r.strike(e) })
			return
		}
	}
}

// simFaults is what each kind of fault does. What the fields of an event mean is here.
var simFaults = map[string]func(*simRun, *sim.Event){
	"reset":  func(r *simRun, e *sim.Event) { r.onLink(e, func(l *sim.Link) { l.Break(false) }) },
	"vanish": func(r *simRun, e *sim.Event) { r.onLink(e, func(l *sim.Link) { l.Break(true) }) },
	"hold":   func(r *simRun, e *sim.Event) { r.onLink(e, func(l *sim.Link) { l.Hold(e.Up, e.For) }) },
	"slow": func(r *simRun, e *sim.Event) {
		r.onLink(e, func(l *sim.Link) { l.Slow(e.Up, time.Duration(e.N)*time.Millisecond, e.For) })
	},
	"drip": func(r *simRun, e *sim.Event) { r.onLink(e, func(l *sim.Link) { l.Drip(e.Up, e.For) }) },
	"cut": func(r *simRun, e *sim.Event) {
		r.onLink(e, func(l *sim.Link) { l.CutAfter(e.Up, e.N, e.Text == "silent") })
	},
	"refuse":    func(r *simRun, e *sim.Event) { r.w.Net.Refuse(linkKind(e.Link), sim.Refused, e.For) },
	"noname":    func(r *simRun, e *sim.Event) { r.w.Net.Refuse(linkKind(e.Link), sim.NoName, e.For) },
	"noanswer":  func(r *simRun, e *sim.Event) { r.w.Net.Refuse(linkKind(e.Link), sim.NoAnswer, e.For) },
	"partition": (*simRun).partition,
	"venue":     func(r *simRun, e *sim.Event) { r.script(e.Text) },
	"status": func(r *simRun, e *sim.Event) {
		r.script("status " + e.Text)
		symbol, _, _ := strings.Cut(e.Text, " ")
		r.w.After(e.For, func() { r.script("status " + symbol + " TRADING") })
	},
	"crash":      func(r *simRun, e *sim.Event) { r.crash(e.For, e.Text == "silent") },
	"crashwrite": func(r *simRun, e *sim.Event) { r.strikeAtWrite(e, e.N) },
	"crashpoint": func(r *simRun, e *sim.Event) {
		if !death.On { // no places in this build: a write is as good
			r.strikeAtWrite(e, e.N%40)
			return
		}
		r.doomIn, r.doom = e.N, func() { r.crash(e.For, e.Text == "silent") }
	},
	"restart": func(r *simRun, e *sim.Event) {
		if l := r.life; l != nil {
			l.end()
			r.again = r.w.Now() + e.For
		}
	},
	"pause": func(r *simRun, e *sim.Event) {
		if l := r.life; l != nil {
			l.host.Pause(e.For)
			r.w.After(e.For, r.w.Want)
		}
	},
	"starve":    func(r *simRun, e *sim.Event) { r.starved, r.gap = r.w.Now()+e.For, time.Duration(e.N)*time.Millisecond },
	"clockstep": func(r *simRun, e *sim.Event) { r.clock.step.Add(int64(e.N) * int64(time.Millisecond)) },
	"drift":     func(r *simRun, e *sim.Event) { r.clock.drift(int64(e.N)) },
	"disk":      func(r *simRun, e *sim.Event) { r.bad.set(e.Text, r.w.Now()+e.For) },
	"operator": func(r *simRun, e *sim.Event) {
		l := r.life
		if l == nil || l.stage.Load() != lifeRunning {
			return
		}
		cause := risk.HaltKilled
		if e.Text == "halt" {
			cause = risk.HaltOperator
		}
		if err := l.d.control.halt(cause, "all", "", act{Who: "operator", Why: "the plan says so"}); err != nil {
			r.w.Note("halt failed: %v", err)
		}
		r.eye.see(oracle.Halted{Why: e.Text})
		r.w.After(e.For, r.resume)
	},
	"deposit": func(r *simRun, e *sim.Event) {
		if err := r.srv.Deposit("", e.Text, fmt.Sprintf("0.%04d", e.N)); err != nil {
			r.broken(err)
		}
	},
}

func linkKind(name string) sim.LinkKind {
	for k := sim.REST; k <= sim.API; k++ {
		if k.String() == name {
			return k
		}
	}
	return sim.REST
}

// onLink finds the link that an event is about.
func (r *simRun) onLink(e *sim.Event, do func(*sim.Link)) {
	var open []*sim.Link
	for _, l := range r.w.Net.Links {
		if l.Kind == linkKind(e.Link) && l.Open() {
			open = append(open, l)
		}
	}
	if len(open) == 0 {
		r.w.Note("no such link")
		return
	}
	l := open[e.Nth%len(open)]
	r.w.Note("on %s", l)
	do(l)
}

// partition holds all that is under way, in one direction or both, and what is dialed.
func (r *simRun) partition(e *sim.Event) {
	for _, l := range r.w.Net.Links {
		if !l.Open() {
			continue
		}
		if e.N != 2 {
			l.Hold(true, e.For)
		}
		if e.N != 1 {
			l.Hold(false, e.For)
		}
		if e.Text == "reset" {
			l.Break(true)
		}
	}
	for k := sim.REST; k <= sim.API; k++ {
		r.w.Net.Refuse(k, sim.NoAnswer, e.For)
	}
}

// strikeAtWrite has the process die in one of the loop's writes.
func (r *simRun) strikeAtWrite(e *sim.Event, n int) {
	if l := r.life; l != nil {
		l.host.AtWrite(n, e.Up, func() { r.crash(e.For, e.Text == "silent") })
	}
}

func (r *simRun) script(line string) {
	if err := r.srv.Faults().Do(line); err != nil {
		r.broken(err)
	}
}

// crash ends the life at this instant. Whoever looks after the engine starts it again.
func (r *simRun) crash(pause time.Duration, silent bool) {
	l := r.life
	if l == nil || r.healed {
		return
	}
	r.w.Note("life %d dies", l.n)
	r.next = l.kill(silent)
	r.life = nil
	r.again = r.w.Now() + pause
	for _, c := range r.w.Checkers() {
		c.Life(l.n, false)
	}
}

// resume is the operator, who lets trading go on after a halt that only a person lifts.
func (r *simRun) resume() {
	l := r.life
	if l == nil || l.stage.Load() != lifeRunning {
		return
	}
	if err := l.d.control.resume(act{Who: "operator", Why: "looked into it"}); err != nil {
		r.w.Note("resume failed: %v", err)
		return
	}
	r.eye.see(oracle.Resumed{})
}

// tend is who looks after the engine: it is started again when it has ended, whyever, and
// halts that do not end by themselves are seen to.
func (r *simRun) tend() {
	now := r.w.Now()
	r.w.After(time.Second, r.tend)
	r.look()
	if r.over {
		return
	}
	l := r.life
	if l == nil {
		if now >= r.again {
			r.birth(r.next)
		}
		return
	}
	r.rekeyed(l)
	switch l.stage.Load() {
	case lifeFailed:
		r.w.Note("life %d could not start: %s", l.n, r.plain(l.err.Error()))
		r.next, r.again, r.life = l.dir, now+2*time.Second, nil
		if !r.refused(l.err.Error()) {
			r.failed(l)
		}
	case lifeEnded:
		r.ended(l)
		r.next, r.life = l.dir, nil
	case lifeRunning:
		r.unrefused(l)
		r.mend(l, l.d.gate.Halted()|l.d.gateway.Halted())
	}
}

// failed judges a start that failed: what the venue or the disk did to it is none of its
// faults, damage is.
func (r *simRun) failed(l *simLife) {
	text := l.err.Error()
	for _, harmless := range []string{"cannot GET", "disk", "simulated", "the process is gone", "limited", "cannot read rate limits", "market.symbols on"} {
		if strings.Contains(text, harmless) {
			return
		}
	}
	r.w.Violated("P18", "a start failed: "+text)
}

// ended judges an orderly end in the midst of faults: it may be unclean, but says so.
func (r *simRun) ended(l *simLife) {
	r.count(l)
	r.w.Note("life %d ended, clean %v: %s", l.n, l.final.Clean, r.plain(strings.Join(l.final.Problems, "; ")))
	for _, c := range r.w.Checkers() {
		c.Life(l.n, false)
	}
}

// badDisk is what the disk refuses, and until when. Any goroutine.
type badDisk struct {
	mu    sync.Mutex
	until map[string]time.Duration
}

func (b *badDisk) set(op string, until time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.until == nil {
		b.until = map[string]time.Duration{}
	}
	b.until[op] = until
}

func (b *badDisk) heal() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.until = nil
}

// disk is asked before each operation on the journal's files. A dead process has none.
func (l *simLife) disk(op string) error {
	r := l.r
	if l.stage.Load() == lifeKilled {
		return errors.New("the process is gone")
	}
	r.bad.mu.Lock()
	defer r.bad.mu.Unlock()
	if r.w.Now() < r.bad.until[op] {
		r.eye.see(oracle.DiskFails{Op: op})
		return fmt.Errorf("simulated: %w", syscall.EIO)
	}
	return nil
}

package app

import (
	"fmt"
	"strings"
	"time"

	"riposte/tools/sim"
	"riposte/tools/sim/oracle"
)

// liveWithin is how long after the last fault the engine may take to trade again.
const liveWithin = 60 * time.Second

// provedWithin is how much longer orders in doubt may be: the venue may have answered no
// question about them before the last fault ended, and what P6 wants are polls over as long
// as liveWithin, the first of them five seconds later.
const provedWithin = 15 * time.Second

// agedAfter is more than a quiet market needs to be proved quiet.
const agedAfter = 15 * time.Second

// judges puts the judges in place.
func (r *simRun) judges() {
	r.w.Check(sim.NewBookJudge(r.w, r.srv))
	r.w.Check(sim.NewOrderJudge(r.w))
	limits := sim.NewLimitJudge(r.w)
	limits.Tight = r.plan.Work.Weight > 0 || r.plan.Work.Orders > 0
	r.w.Check(limits)
	r.w.Check(sim.NewHandoverJudge(r.w))
	r.w.Check(sim.NewRestJudge(r.w))
}

// heal ends all faults and demands that the engine lives again.
func (r *simRun) heal() {
	r.w.Note("HEAL")
	r.healed = true
	r.eye.see(oracle.Healed{})
	for _, l := range r.w.Net.Links {
		l.Heal()
	}
	for k := sim.REST; k <= sim.API; k++ {
		r.w.Net.Refuse(k, sim.Refused, 0)
	}
	r.bad.heal()
	r.undone()
	r.starved = 0
	r.clock.drift(0)
	if l := r.life; l != nil {
		l.host.Pause(0)
		l.host.AtWrite(0, false, nil)
	}
	r.again = min(r.again, r.w.Now()+time.Second)
	r.srv.Faults().Calm()
	r.usual()
	for _, s := range r.plan.Work.Symbols {
		r.script("status " + s + " TRADING")
	}
	r.w.Want()
	end, why := r.w.Now()+liveWithin, ""
	for at := r.w.Now(); at < end || at < end+provedWithin && strings.Contains(why, "in doubt"); at = r.w.Now() {
		r.w.Run(at + time.Second)
		if why = r.ill(); why == "" {
			return
		}
	}
	r.w.Violated("P24", fmt.Sprintf("%v after the last fault: %s", r.w.Now()-end+liveWithin, why))
}

// ill is why the engine does not trade as it should, "" if it does.
func (r *simRun) ill() string {
	l := r.life
	if l == nil {
		return "it does not run"
	}
	if s := l.stage.Load(); s != lifeRunning {
		return fmt.Sprintf("it does not run: stage %d", s)
	}
	if h := l.Halted(); h != "" {
		return "no new orders: " + h
	}
	if left := l.d.budget.SilentFor(l.d.clock.Mono()); left > 0 {
		return fmt.Sprintf("the venue asked for silence, %v of it are left", left)
	}
	for _, b := range l.Books() {
		if !b.Live {
			return fmt.Sprintf("book of %s is %s", b.Symbol, b.State)
		}
		if b.Age > agedAfter {
			return fmt.Sprintf("book of %s was last proved to be current %v ago", b.Symbol, b.Age.Round(time.Second))
		}
	}
	if n, old := l.Unknown(); n > 0 && old > 90*time.Second {
		return fmt.Sprintf("%d orders in doubt, the oldest for %v", n, old)
	}
	return ""
}

// rest stops the engine in order and looks at what is left.
func (r *simRun) rest() {
	l := r.life
	if l == nil || l.stage.Load() != lifeRunning {
		return // told already
	}
	r.calm()
	// Orders in doubt are given the time that a verdict may take.
	for range 100 {
		if n, _ := l.Unknown(); n == 0 {
			break
		}
		r.w.Run(r.w.Now() + time.Second)
	}
	if n, old := l.Unknown(); n > 0 {
		r.w.Violated("P24", fmt.Sprintf("%d orders in doubt long after the last fault, the oldest for %v", n, old))
	}
	r.over = true
	l.end()
	for range 40 {
		r.w.Run(r.w.Now() + time.Second)
		if l.stage.Load() == lifeEnded {
			break
		}
	}
	if l.final == nil {
		r.w.Violated("X2", "the engine did not end")
		return
	}
	r.count(l)
	if !l.final.Clean {
		r.w.Violated("X2", fmt.Sprintf("the engine did not end in order: %d mismatches, %d open at the venue, %d unknown; %s", l.final.Mismatches, l.final.OpenAtVenue,
			l.final.Unknown, strings.Join(append(l.final.Problems, l.final.Differences...), "; ")))
	}
	for _, c := range r.w.Checkers() {
		c.Rest(l, r.srv)
	}
	r.digestJournal(l.dir)
}

// count adds what a life has done to the result.
func (r *simRun) count(l *simLife) {
	r.result.Orders += l.final.Orders
	r.result.Fills += l.final.Fills
}

package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"riposte/core/risk"
	"riposte/exec"
	"riposte/tools/sim"
	"riposte/tools/sim/oracle"
	"riposte/tools/venue"
)

// Faults that last, and what a person does about them.

func init() {
	simFaults["dark"] = (*simRun).dark
	simFaults["narrow"] = func(r *simRun, e *sim.Event) { r.onLink(e, func(l *sim.Link) { l.Narrow(e.Up, e.N, e.For) }) }
	simFaults["rights"] = (*simRun).withdraw
	simFaults["rules"] = (*simRun).reform
}

// dark takes a kind of connection away: with a reset, without a word, or without a name.
func (r *simRun) dark(e *sim.Event) {
	kind := linkKind(e.Link)
	for _, l := range r.w.Net.Links {
		switch {
		case l.Kind != kind || !l.Open():
		case e.N == 1:
			l.Hold(true, e.For)
			l.Hold(false, e.For)
		default:
			l.Break(false)
		}
	}
	r.w.Net.Refuse(kind, []sim.Trouble{sim.Refused, sim.NoAnswer, sim.NoName}[e.N], e.For)
}

// usual is what is wrong with a world all the time, with and without faults.
func (r *simRun) usual() {
	if r.plan.Work.Behind {
		r.script("stale depth * 1000000")
	}
}

// until has something undone after a while, or when all faults end.
func (r *simRun) until(d time.Duration, undo func()) {
	done := false
	once := func() {
		if !done {
			done = true
			undo()
		}
	}
	r.w.After(d, once)
	r.undo = append(r.undo, once)
}

// undone ends what only its time would end.
func (r *simRun) undone() {
	for _, undo := range r.undo {
		undo()
	}
	r.undo = nil
}

// withdraw takes the key's right to trade away for a while.
func (r *simRun) withdraw(e *sim.Event) {
	none := venue.TradingRights()
	none.SpotTrading = false
	rights := func(v venue.Rights) {
		if err := r.srv.SetRights(r.apiKey, v); err != nil {
			r.broken(err)
		}
	}
	rights(none)
	r.barred++
	r.until(e.For, func() {
		if r.barred--; r.barred == 0 {
			rights(venue.TradingRights())
		}
	})
}

// leastValue is the venue's own least value of an order, by quote asset.
var leastValue = map[string]string{"USDT": "5", "BTC": "0.0001"}

// reform changes a trading rule under the engine, which reads the rules now and then: its
// orders are refused meanwhile.
func (r *simRun) reform(e *sim.Event) {
	quote := e.Text[3:] // of the symbols that worlds have
	more := map[string][]string{"USDT": {"200", "700", "2000"}, "BTC": {"0.004", "0.01", "0.03"}}[quote][e.N]
	rule := func(least string) {
		r.script(fmt.Sprintf("filter %s minNotional %s", e.Text, least))
		r.ruled = r.w.Now()
	}
	rule(more)
	r.until(e.For, func() { rule(leastValue[quote]) })
}

// rekey has a person ask a life to take its key anew.
func (r *simRun) rekey(l *simLife) {
	if l.asked {
		return // it has not answered yet
	}
	l.asked, r.keyless, r.asked = true, 0, r.w.Now()
	r.w.Note("its key was refused: life %d gets it anew", l.n)
	r.work.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		err := l.d.keeper.requestChange(ctx)
		if err == nil && l.stage.Load() != lifeKilled {
			r.eye.see(oracle.Rekeyed{})
		}
		l.answer.Store(&err)
	})
}

// rekeyed takes the answer, if it has come. A key may fail by what lies between it and the
// venue, and is asked for again then, but not by the order that it was tested with, if its
// rules could be known.
func (r *simRun) rekeyed(l *simLife) {
	answer := l.answer.Swap(nil)
	if answer == nil {
		return
	}
	l.asked = false
	var ce *exec.CallError
	if errors.As(*answer, &ce) && ce.Code == -1013 && r.ruled < r.asked {
		r.w.Violated("P15", "no cancel could leave with a good key: "+(*answer).Error())
	}
}

// humanPace is how long a person looks at a halt before doing something about it.
const humanPace = 10 * time.Second

// mend is what a person does about halts that do not end by themselves: a life whose
// journal cannot be written is ended in order, after a key was refused it is given anew,
// latched halts are looked into.
func (r *simRun) mend(l *simLife, halted risk.HaltCause) {
	now := r.w.Now()
	long := func(cause risk.HaltCause, since *time.Duration) bool {
		switch {
		case halted&cause == 0:
			*since = 0
			return false
		case *since == 0:
			*since = now
		}
		return now-*since > humanPace || r.healed
	}
	if long(risk.HaltJournal, &r.unwritable) {
		r.w.Note("its journal is broken: life %d ends", l.n)
		l.end()
	}
	if long(risk.HaltKey, &r.keyless) && r.barred == 0 {
		r.rekey(l)
	}
	if latched := halted & risk.HaltLatched; latched != 0 && r.latched == 0 {
		r.w.Note("latched: %s", latched)
		r.result.Latches[latched.String()]++
	}
	if long(risk.HaltLatched, &r.latched) {
		r.latched = 0
		r.resume()
	}
}

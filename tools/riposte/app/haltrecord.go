package app

import (
	"slices"

	"riposte/core/engine"
	"riposte/core/journal"
	"riposte/core/risk"
)

// errand is a command on its way from an operator to the shard, with what of it belongs
// into the journal.
type errand struct {
	engine.Command
	by  act             // zero where no person asked
	set []journal.Limit // what it changes

	tuned []journal.Param // and of a strategy's parameters
}

// halting is what a dealer knows of halts beside the gate.
type halting struct {
	noted map[scopeKey]risk.HaltCause // as the journal has them
	asked map[scopeKey]errand         // the newest of each scope that a person asked for
	lift  errand                      // likewise
}

// record notes what a person does to trading: limits at once, a halt or its end when it
// has come to be. Engine's thread.
func (x *dealer) record(e *errand) {
	switch {
	case x.d.journal == nil || e.by.Op == "":
	case e.Kind == engine.CmdHalt:
		x.halts.asked[scopeKey{e.Scope, e.Strategy}] = *e
	case e.Kind == engine.CmdLift:
		x.halts.lift = *e
	}
	if e.Kind == engine.CmdRules && x.d.journal != nil && slices.Contains(x.d.orders, e.Rules.ID) {
		x.d.journal.RulesSet(e.Rules)
	}
	for i := range e.set {
		if x.d.journal != nil {
			x.d.journal.LimitSet(&e.set[i])
		}
	}
	for i := range e.tuned {
		if x.d.journal != nil {
			x.d.journal.Tuned(&e.tuned[i])
		}
	}
}

// scope names a scope, "" for all.
func (x *dealer) scope(key scopeKey) string {
	if e := x.d.control.entry(key); e.Scope != "all" {
		return e.Scope + " " + e.Name
	}
	return ""
}

// noteHalts puts on record what has begun to stop trading since the last call, of
// everything, a symbol or a strategy, and what has ceased to: by whom and why, where a
// person asked for it.
func (x *dealer) noteHalts() {
	g := x.d.gate
	x.noteHalt(scopeKey{}, x.d.gateway.Halted()|g.Halted())
	for i := range x.hinted {
		id := x.hinted[i].id
		x.noteHalt(scopeKey{engine.ScopeSymbol, uint16(id)}, g.HaltedSymbol(id))
	}
	for n := range x.d.strategies {
		x.noteHalt(scopeKey{engine.ScopeStrategy, uint16(n)}, g.HaltedStrategy(uint16(n)))
	}
}

func (x *dealer) noteHalt(key scopeKey, now risk.HaltCause) {
	was := x.halts.noted[key]
	if now == was {
		return
	}
	x.halts.noted[key] = now
	x.noteChange(true, key, now&^was, x.halts.asked[key])
	x.noteChange(false, key, was&^now, x.halts.lift)
}

// noteChange records causes that have come or gone; by a person those that e is about.
func (x *dealer) noteChange(on bool, key scopeKey, causes risk.HaltCause, e errand) {
	scope := x.scope(key)
	where := ""
	if scope != "" {
		where = scope + ": "
	}
	if c := causes & e.Cause; c != 0 {
		x.d.journal.Halted(on, uint32(c), scope, e.by.Who, where+e.by.Why)
		causes &^= c
	}
	if causes != 0 {
		x.d.journal.Halted(on, uint32(causes), scope, "engine", where+causes.String())
	}
}

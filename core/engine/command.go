package engine

import (
	"time"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/risk"
)

// CommandKind is what an operator or another room asks of the shard.
type CommandKind uint8

// The commands. CmdHalt and its Scope stop new orders and cancel the own ones of the
// scope; CmdLift lifts everywhere.
const (
	CmdHalt      CommandKind = iota // add Cause within Scope
	CmdLift                         // remove Cause
	CmdCancelAll                    // every own order on every instrument
	CmdFacts                        // ClockError, VenueAt, Audited and RulesRead, as they are now
	CmdRules                        // Rules are in force for their instrument
	CmdHolds                        // the account has Held of Instrument's base asset with the fills up to a position of HeldAt
	CmdLimits                       // Limits of Instrument
	CmdAccount                      // Account's limits
	CmdTune                         // Tune has the parameters of Strategy at Instrument
	CmdDay                          // Day is what the venue says of Instrument
	CmdApprove                      // the queued signal of that Number may pass
)

// Scope is how far a halt reaches.
type Scope uint8

// The scopes.
const (
	ScopeAll Scope = iota
	ScopeSymbol
	ScopeStrategy
)

// Command is one request to the shard; it crosses a ring. What a pointer leads to is
// not changed any more.
type Command struct {
	Kind       CommandKind
	Scope      Scope
	Instrument core.InstrumentID
	Strategy   uint16
	Cause      risk.HaltCause
	ClockError time.Duration
	VenueAt    core.WallNs // with the facts: the venue's time at the monotonic clock's 0, 0 if nobody knows
	Audited    core.MonoNs
	RulesRead  core.MonoNs
	Held       core.Qty
	HeldAt     core.Qty
	Rules      *core.Instrument
	Limits     *risk.Limits
	Account    *risk.AccountLimits
	Day        *airlock.DayFacts
	Number     uint64
	Tune       *Tuning
}

func (s *Shard) command(c *Command) {
	known := int(c.Instrument) < len(s.byID)
	switch c.Kind {
	case CmdHalt:
		switch {
		case c.Scope == ScopeAll:
			s.gate.Halt(c.Cause)
		case c.Scope == ScopeStrategy:
			s.gate.HaltStrategy(c.Strategy, c.Cause)
		case known:
			s.gate.HaltSymbol(c.Instrument, c.Cause)
		}
	case CmdLift:
		s.gate.Lift(c.Cause)
	case CmdCancelAll:
		for _, m := range s.markets {
			s.cancelAll(m)
		}
	case CmdFacts:
		s.gate.ClockError(c.ClockError)
		for _, m := range s.markets {
			m.sync.VenueClock(c.VenueAt, core.MonoNs(c.ClockError))
		}
		s.gate.Audited(c.Audited)
		s.gate.RulesRead(c.RulesRead)
		s.lock.venueAt, s.lock.clockError = c.VenueAt, core.MonoNs(c.ClockError)
	case CmdRules:
		if c.Rules != nil && int(c.Rules.ID) < len(s.byID) {
			s.gate.SetRules(c.Rules)
			if m := s.byID[c.Rules.ID]; m != nil {
				m.sync.SetTick(c.Rules.Filters.Tick)
			}
		}
	case CmdHolds:
		if known {
			s.gate.Holds(c.Instrument, c.Held, c.HeldAt)
		}
	case CmdLimits:
		if c.Limits == nil || s.gate.SetLimits(c.Instrument, *c.Limits) != nil {
			s.counts.BadCommands++
		}
	case CmdAccount:
		if c.Account == nil || s.gate.SetAccount(*c.Account) != nil {
			s.counts.BadCommands++
		}
	case CmdDay:
		if m := s.market(c.Instrument); m != nil && c.Day != nil {
			m.outside.day = *c.Day
		}
	case CmdApprove:
		s.approve(c.Number)
	case CmdTune:
		if !s.tune(c) {
			s.counts.BadCommands++
		}
	default:
		s.counts.BadCommands++
	}
}

// HaltNote is one scope's causes from now on; it crosses a ring.
type HaltNote struct {
	Scope      Scope
	Instrument core.InstrumentID
	Strategy   uint16
	Causes     risk.HaltCause
	At         core.MonoNs
}

// halts is what the shard last saw of the gate's halts. It belongs to the shard.
type halts struct {
	all        risk.HaltCause
	strategies []risk.HaltCause
	changes    uint64
	noted      []risk.HaltCause // all, then by instrument, then by strategy: as the record has them
	behind     bool             // the record's ring was full
	ending     bool             // orders of a halted strategy found the outbound ring full
}

// stop ends own orders when a new cause to halt has come up, wherever it came from,
// and repeats cancels that found the outbound ring full.
func (s *Shard) stop() (n int) {
	h := &s.halted
	changes := s.gate.HaltChanges()
	changed := changes != h.changes
	if !changed && s.owing == 0 && !h.behind && !h.ending {
		return 0
	}
	h.changes = changes
	all := s.gate.Halted()
	fresh := all&^h.all != 0
	h.all = all
	for _, m := range s.markets {
		alone := s.gate.HaltedSymbol(m.id)
		mine := fresh || alone&^m.halted != 0
		m.halted = alone
		if !mine && !m.owes {
			continue
		}
		s.because(CauseHalt)
		s.begin()
		s.cancelAll(m)
		if m.owes {
			s.input-- // nothing has changed
			continue
		}
		n++
	}
	n += s.stopStrategies()
	if changed || h.behind {
		s.noteHalts()
	}
	return n
}

// stopStrategies ends the orders of strategies that are halted alone.
func (s *Shard) stopStrategies() (n int) {
	h := &s.halted
	for i := range h.strategies {
		causes := s.gate.HaltedStrategy(uint16(i))
		fresh := causes&^h.strategies[i] != 0
		h.strategies[i] = causes
		h.ending = h.ending || fresh
	}
	if !h.ending {
		return 0
	}
	h.ending = false
	for _, m := range s.markets {
		for {
			id := core.OrderID(0)
			s.gate.Each(m.id, func(o *risk.Order) bool {
				if !o.Canceling && o.Strategy != core.NoStrategy && h.strategies[o.Strategy] != 0 {
					id = o.ID
				}
				return id == 0
			})
			if id == 0 {
				break
			}
			s.because(CauseHalt)
			s.begin()
			if _, r := s.ask(m, core.Intent{Kind: core.Cancel, ID: id}); r == risk.RefusedOutboundFull {
				s.input--
				h.ending = true
				return n
			}
			n++
		}
	}
	return n
}

// noteHalts tells the record what has changed. What finds its ring full is told later.
func (s *Shard) noteHalts() {
	if s.cfg.Halts == nil {
		return
	}
	h := &s.halted
	h.behind = false
	note := func(i int, n HaltNote) {
		if h.noted[i] == n.Causes {
			return
		}
		slot := s.cfg.Halts.Claim()
		if slot == nil {
			h.behind = true
			return
		}
		n.At = s.now
		*slot = n
		s.cfg.Halts.Publish()
		h.noted[i] = n.Causes
	}
	note(0, HaltNote{Causes: h.all})
	for i := range s.byID {
		id := core.InstrumentID(i)
		note(1+i, HaltNote{Scope: ScopeSymbol, Instrument: id, Causes: s.gate.HaltedSymbol(id)})
	}
	for i, c := range h.strategies {
		note(1+len(s.byID)+i, HaltNote{Scope: ScopeStrategy, Strategy: uint16(i), Causes: c})
	}
}

package app

import (
	"sync/atomic"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/exec"
	"riposte/feed"
)

// dealer runs on the engine's thread and carries between shard and gateway what
// is not an order or a report: halts, hints for signing ahead, figures for the
// outside, and requests from there.
type dealer struct {
	d      *desk
	halted risk.HaltCause // as last told to the gate
	hinted []hinted       // instruments that are traded
	turn   int            // the one to look at next
	near   [2][]core.Level
	postAt core.MonoNs
	acked  bool
	buried bool
	box    *ring.Mailbox[gatewayView]

	carried []errand // from the operator to the shard
	halts   halting
	audits  uint64
	auditAt core.MonoNs  // when the account was last found in order
	rulesAt atomic.Int64 // MonoNs, when the venue's rules were last read

	auditAsked atomic.Bool
	drained    atomic.Bool
}

// hinted is what the gateway has last been told of an instrument's market, and the gate
// of the account's holding.
type hinted struct {
	id       core.InstrumentID
	bid, ask core.Price

	before core.Qty // what the ledger had at the start and the gate does not count as its position
	rest   core.Qty // what is held beside that position, as last told
	told   bool
}

// hintsPerStep bounds how many instruments are looked at in one Step: with hundreds,
// looking at all would take longer than serving one event.
const hintsPerStep = 16

func (d *desk) hinted() (list []hinted) {
	for _, sym := range d.cfg.traded() {
		if in, ok := d.table.Lookup(sym); ok {
			list = append(list, hinted{id: in.ID, before: d.gateway.Ledger().Holding(in.ID) - d.gate.Exposure(in.ID).Position})
		}
	}
	return list
}

// gatewayView is the gateway as of one instant.
type gatewayView struct {
	halted      risk.HaltCause
	live        int
	unknown     int
	wires       [2]int // ready for orders, for cancels
	sessions    [2]int
	routes      [2]exec.RouteUse
	twoRoutes   bool
	audits      uint64
	mismatches  int // balances that differ for good, orders of ours unheld
	unsettled   int // differences of the last audit that still await settling
	stats       exec.GatewayStats
	table       exec.TableStats
	weight      exec.BudgetUse
	clockError  time.Duration
	clockOffset time.Duration
	guarded     bool
	journal     string // what ended it, empty while it is whole
	journalSeq  uint64 // of the record noted last
}

func newDealer(d *desk) *dealer {
	// The gate starts out halted for want of reconciliation, as the gateway does.
	x := &dealer{d: d, halted: risk.HaltNotReconciled, hinted: d.hinted(), halts: halting{noted: map[scopeKey]risk.HaltCause{}, asked: map[scopeKey]errand{}}, box: ring.NewMailbox[gatewayView]()}
	x.rulesAt.Store(int64(d.clock.Mono())) // connect has just read them
	for side := range x.near {
		x.near[side] = make([]core.Level, 0, exec.HintDepth)
	}
	return x
}

// Step does a few comparisons when there is nothing to carry.
func (x *dealer) Step() int {
	g := x.d.gateway
	work := 0
	if h := g.Halted(); h != x.halted {
		work += x.tell(engine.CmdHalt, h&^x.halted)
		work += x.tell(engine.CmdLift, x.halted&^h)
		x.halted = h
	}
	work += x.carry()
	if n := g.AuditsDone(); n != x.audits {
		x.audits = n
		if g.Halted()&(risk.HaltNotReconciled|risk.HaltMismatch) == 0 {
			x.auditAt = x.d.clock.Mono()
		}
	}
	for range min(len(x.hinted), hintsPerStep) {
		if x.turn++; x.turn >= len(x.hinted) {
			x.turn = 0
		}
		x.hint(&x.hinted[x.turn])
		work += x.hold(&x.hinted[x.turn])
	}
	if !x.acked && g.Table().Stats.Acked > 0 {
		x.acked = true
		x.d.firstAck <- time.Since(processStart).Seconds()
	}
	if x.auditAsked.Load() && x.auditAsked.CompareAndSwap(true, false) {
		g.AuditNow()
		work++
	}
	if x.d.pulse.buried() && !x.buried {
		// Whatever froze us, others have acted on it: a human says how to go on.
		x.buried = true
		g.Raise(risk.HaltGuard)
		work++
	}
	if now := x.d.clock.Mono(); now >= x.postAt {
		x.postAt = now + core.MonoNs(statsEvery)
		x.post()
		x.put(engine.Command{Kind: engine.CmdFacts, VenueAt: x.d.vclock.At(0), ClockError: x.d.vclock.Error(), Audited: x.auditAt, RulesRead: core.MonoNs(x.rulesAt.Load())})
		work++
	}
	return work
}

// hint tells the gateway where an instrument's market is, when it has moved.
func (x *dealer) hint(h *hinted) {
	s := x.d.shard.Sync(h.id)
	top := s.Top()
	if top.Bid == h.bid && top.Ask == h.ask {
		return
	}
	if b, live := s.Live(); live {
		h.bid, h.ask = top.Bid, top.Ask
		x.d.gateway.Hint(h.id, b.Levels(core.Buy, append(x.near[core.Buy][:0], core.Level{Price: top.Bid})),
			b.Levels(core.Sell, append(x.near[core.Sell][:0], core.Level{Price: top.Ask})))
	}
}

// hold tells the gate what the account holds of an instrument's base asset, when that has
// changed by anything but the instrument's own fills, which the gate hears of by itself.
func (x *dealer) hold(h *hinted) int {
	l := x.d.gateway.Ledger()
	if !l.Opened() {
		return 0
	}
	held, position := core.Qty(l.Owned(x.d.table.Get(h.id).Base)), l.Holding(h.id)
	if rest := held - position; rest != h.rest || !h.told {
		h.rest, h.told = rest, true
		x.put(engine.Command{Kind: engine.CmdHolds, Instrument: h.id, Held: held, HeldAt: position - h.before})
		return 1
	}
	return 0
}

func (x *dealer) tell(k engine.CommandKind, c risk.HaltCause) int {
	if c == 0 {
		return 0
	}
	x.put(engine.Command{Kind: k, Cause: c})
	return 1
}

// carry hands on what operators have asked for, as much as the shard has room for, and
// cancels all own orders when one has killed trading.
func (x *dealer) carry() int {
	c := x.d.control
	x.carried = c.take(x.carried)
	n := 0
	for n < len(x.carried) && x.d.commands.Len() < x.d.commands.Cap()/2 {
		x.record(&x.carried[n])
		x.put(x.carried[n].Command)
		n++
	}
	x.carried = x.carried[:copy(x.carried, x.carried[n:])]
	if c.toKill.Load() && c.toKill.CompareAndSwap(true, false) {
		x.d.gateway.CancelAllOwn()
		n++
	}
	return n
}

// put hands the shard a command. It empties its ring in its next Step, and half of it
// is more than this thread ever has of its own.
func (x *dealer) put(cmd engine.Command) {
	slot := x.d.commands.Claim()
	if slot == nil {
		panic("BUG: the command ring is full although its reader runs on this thread")
	}
	*slot = cmd
	x.d.commands.Publish()
}

func (x *dealer) post() {
	g := x.d.gateway
	v := x.box.Draft()
	*v = gatewayView{
		halted: g.Halted(), live: g.Table().Live(), unknown: g.Table().Unknown(), audits: g.AuditsDone(),
		stats: g.Stats, table: g.Table().Stats,
		weight: x.d.budget.Use(x.d.vclock.Now(), x.d.clock.Mono()), clockError: x.d.vclock.Error(), clockOffset: x.d.vclock.Offset(),
	}
	v.wires[0], v.wires[1] = g.Pool().Ready()
	v.sessions[0], v.sessions[1] = g.Sessions().Ready()
	v.routes, v.twoRoutes = g.Routes(), g.Sessions() != nil
	if j := x.d.journal; j != nil {
		j.Tick()
		x.noteHalts()
		x.d.control.journaled.Store(j.Seq())
		if err := j.Err(); err != nil {
			g.Raise(risk.HaltJournal) // at once, and not when the next order finds out
			v.halted, v.journal = g.Halted(), err.Error()
		}
	}
	for _, diff := range g.Differences() {
		if diff.Kind.Open() {
			v.unsettled++
		}
		if diff.Kind == exec.DiffMismatch || diff.Kind == exec.DiffUnheld {
			v.mismatches++
		}
	}
	if x.d.journal != nil {
		v.journalSeq = x.d.journal.Seq()
	}
	if p := &x.d.pulse; p.heart != nil {
		now := x.d.clock.Mono()
		p.beat(now, g.Table().Live(), g.Lost(), x.d.market.State() == feed.Live)
		v.guarded = p.guarded(now)
		switch {
		case !x.d.cfg.DeadMan.GuardRequired:
		case v.guarded:
			g.Lift(risk.HaltUnguarded)
		default:
			g.Raise(risk.HaltUnguarded)
		}
	}
	x.box.Post()
	x.drained.Store(g.Drained())
}

// view is the newest posted state; one reading goroutine.
func (x *dealer) view() *gatewayView {
	v, _ := x.box.Latest()
	return v
}

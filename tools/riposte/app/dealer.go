package app

import (
	"sync/atomic"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/exec"
)

// dealer runs on the engine's thread and carries between shard and gateway what
// is not an order or a report: halts, hints for signing ahead, figures for the
// outside, and requests from there.
type dealer struct {
	d      *desk
	halted risk.HaltCause // as last told to the gate
	tops   []core.Top     // as last hinted
	near   [2][]core.Level
	postAt core.MonoNs
	acked  bool
	box    *ring.Mailbox[gatewayView]

	auditAsked atomic.Bool
	drained    atomic.Bool
}

// gatewayView is the gateway as of one instant.
type gatewayView struct {
	halted       risk.HaltCause
	live         int
	unknown      int
	wires        [2]int // ready for orders, for cancels
	audits       uint64
	mismatches   int // balances that differ for good, orders of ours unheld
	unsettled    int // differences of the last audit that still await settling
	stats        exec.GatewayStats
	table        exec.TableStats
	weight       exec.BudgetUse
	clockError   time.Duration
	clockOffset  time.Duration
	lastMismatch exec.Mismatch
}

func newDealer(d *desk) *dealer {
	// The gate starts out halted for want of reconciliation, as the gateway does.
	x := &dealer{d: d, halted: risk.HaltNotReconciled, tops: make([]core.Top, len(d.table.List)), box: ring.NewMailbox[gatewayView]()}
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
	for i := range x.tops {
		s := x.d.shard.Sync(core.InstrumentID(i))
		if s == nil {
			continue
		}
		if top := s.Top(); top.Bid != x.tops[i].Bid || top.Ask != x.tops[i].Ask {
			x.tops[i] = top
			if b, live := s.Live(); live {
				g.Hint(core.InstrumentID(i), b.Levels(core.Buy, append(x.near[core.Buy][:0], core.Level{Price: top.Bid})),
					b.Levels(core.Sell, append(x.near[core.Sell][:0], core.Level{Price: top.Ask})))
			}
		}
	}
	if !x.acked && g.Table().Stats.Acked > 0 {
		x.acked = true
		x.d.firstAck <- time.Since(processStart).Seconds()
	}
	if x.auditAsked.Load() && x.auditAsked.CompareAndSwap(true, false) {
		g.AuditNow()
		work++
	}
	if now := x.d.clock.Mono(); now >= x.postAt {
		x.postAt = now + core.MonoNs(statsEvery)
		x.post()
		if j := x.d.journal; j != nil {
			_ = j.Flush() // an error is kept, and the next intent is refused for it
		}
	}
	return work
}

func (x *dealer) tell(k engine.CommandKind, c risk.HaltCause) int {
	if c == 0 {
		return 0
	}
	slot := x.d.commands.Claim()
	if slot == nil {
		panic("BUG: the command ring is full although its reader runs on this thread")
	}
	*slot = engine.Command{Kind: k, Cause: c}
	x.d.commands.Publish()
	return 1
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
	for _, diff := range g.Differences() {
		if unsettled(diff.Kind) {
			v.unsettled++
		}
		if diff.Kind == exec.DiffMismatch || diff.Kind == exec.DiffUnheld {
			v.mismatches++
			v.lastMismatch = diff.Balance
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

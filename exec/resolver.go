package exec

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"riposte/core"
	"riposte/core/fault"
)

// Doubt is ended by asking. An order that is unknown, or whose cancel has an open
// outcome, or of which the venue told more fills than we have details of, is asked
// about on a cold connection, again and again with growing pauses. "Order does not
// exist" proves nothing by itself: the venue may act on a request until its timestamp +
// recvWindow, its read side may lag behind its engine (delays above 10 s have been
// reported), and our idea of its time has an error. Only after all three does an answer
// count, and then the order must be absent from everything there is to ask (itself, the
// open orders, the history, the trades; see census.go) AbsentPolls times over at least
// ProofSpan. Only then is it NotSent. Nothing is ever sent again.

// inquiry is the state of asking about one order.
type inquiry struct {
	due    core.MonoNs
	busy   bool
	barred bool // refused for its key; see barred
	tries  uint8
	absent uint8       // polls that found it nowhere, after the moment of proof
	first  core.WallNs // venue time of the first of those
	asked  core.WallNs // venue time of the newest "does not exist" that waits for a census, 0: none
}

// soon asks at the latest then.
func (q *inquiry) soon(at core.MonoNs) {
	if q.due == 0 || q.due > at {
		q.due = at
	}
}

type jobKind uint8

const (
	jobOrder jobKind = iota
	jobAudit
	jobClock
	jobCensus
)

const (
	orderJobs  = 8 // questions about orders at once
	censusJobs = 2
	jobSlots   = orderJobs + 2 + censusJobs // beside them an audit and a clock
)

// job is one cold call under way. The loop fills the question and starts the
// goroutine; that fills the answer and sets ready; the loop collects and frees it.
type job struct {
	used  bool
	kind  jobKind
	ready atomic.Bool

	slot   int32
	gen    uint32
	id     core.InstrumentID
	client core.ClientID
	venue  int64
	filled core.Qty
	asked  core.WallNs // venue time before the call
	begun  core.MonoNs

	order  core.Execution
	trades []core.Execution
	snap   *Snapshot
	named  bool // the snapshot's trades have been attributed
	census *census
	err    error
}

// quickAsks is how many questions about an order come AskMin apart.
const quickAsks = 6

func (g *Gateway) freeJob(kind jobKind) *job {
	lo, hi := 0, orderJobs
	switch kind {
	case jobAudit:
		lo, hi = orderJobs, orderJobs+1
	case jobClock:
		lo, hi = orderJobs+1, orderJobs+2
	case jobCensus:
		lo, hi = orderJobs+2, jobSlots
	}
	for i := lo; i < hi; i++ {
		j := &g.jobs[i]
		if !j.used {
			j.used, j.kind = true, kind
			j.ready.Store(false)
			j.order, j.trades, j.snap, j.census, j.named, j.err = core.Execution{}, nil, nil, nil, false, nil
			j.slot, j.gen = none, 0
			g.busy++
			return j
		}
	}
	return nil
}

// attend looks after one order that is not done: repeats its cancel, asks about it.
func (g *Gateway) attend(o *Order) {
	if o.cancel.want {
		g.tryCancel(o)
	}
	if o.ask.busy || !g.wonders(o) || g.now < o.ask.due || g.barred(&o.ask.barred) {
		return
	}
	j := g.freeJob(jobOrder)
	if j == nil {
		return
	}
	o.ask.busy = true
	o.pins++
	g.Stats.Asked++
	j.slot, j.gen, j.id, j.client, j.venue, j.filled = o.slot, o.gen, o.Instrument, o.Client, o.VenueID, o.Filled
	j.asked, j.begun = g.time.At(g.now), g.now
	g.start(j, g.askOrder)
}

// wonders reports whether something about o is open.
func (g *Gateway) wonders(o *Order) bool {
	switch {
	case o.Status() == core.Unknown, o.cancel.settle, o.amend.open:
		return true
	case o.Filled < o.Cum, o.spent():
		return g.now-o.Heard >= core.MonoNs(g.cfg.FillGrace)
	}
	return o.ask.due > 0 && o.alive // an audit missed it among the open orders
}

func (g *Gateway) start(j *job, f func(*job)) {
	launch(g.cfg.Go, &g.cold, func() {
		f(j)
		j.ready.Store(true)
		g.cfg.Wake()
	})
}

// askOrder runs on a goroutine of its own.
func (g *Gateway) askOrder(j *job) {
	fault.At(fault.Asked)
	ctx, cancel := context.WithTimeout(g.ctx, g.cfg.CallTimeout)
	defer cancel()
	j.order, j.err = g.cfg.Venue.Order(ctx, j.id, j.client, j.venue)
	if j.err == nil && j.order.Cum > j.filled {
		j.trades, j.err = g.cfg.Venue.OrderTrades(ctx, j.id, j.order.VenueID)
	}
}

// collect takes the results of cold calls.
func (g *Gateway) collect(now core.MonoNs) int {
	if g.busy == 0 {
		return 0
	}
	n := 0
	for i := range g.jobs {
		j := &g.jobs[i]
		if !j.used || !j.ready.Load() {
			continue
		}
		n++
		switch j.kind {
		case jobOrder:
			g.orderTold(j, now)
		case jobAudit:
			if g.askedOn(j) {
				continue
			}
			g.auditTold(j, now)
		case jobCensus:
			g.censusTold(j, now)
		case jobClock:
			if g.clockJob = false; j.err != nil {
				g.clockDue = now + core.MonoNs(clockAgain)
			}
		}
		j.used = false
		g.busy--
	}
	return n
}

func (g *Gateway) orderTold(j *job, now core.MonoNs) {
	fault.At(fault.AskTold)
	o := g.table.at(j.slot, j.gen)
	if o == nil {
		return
	}
	o.pins--
	o.ask.busy = false
	o.ask.tries = min(o.ask.tries+1, 200)
	// Most read sides have caught up within a second: so long the pauses do not grow.
	pause := g.cfg.AskMax
	if n := max(o.ask.tries, quickAsks) - quickAsks; n < 12 {
		pause = min(pause, g.cfg.AskMin<<n)
	}
	if o.Status() == core.Unknown && j.asked < g.proofAt(o) {
		pause = min(pause, 4*g.cfg.AskMin) // the venue may act on it any moment
	}
	// Half fixed, half random: many orders in doubt do not ask in step.
	o.ask.due = now + core.MonoNs(pause/2) + core.MonoNs(g.rng.Int64N(int64(pause/2)+1))
	if j.order.VenueID != 0 { // the state was told, even if its fills were not
		j.order.Recv = now
		g.table.Apply(&j.order)
		for i := range j.trades {
			j.trades[i].Recv = now
			g.table.Apply(&j.trades[i])
		}
	}
	if j.err != nil {
		g.Stats.AskFailed++
		o.ask.barred = g.refusedKey(j.err)
		var ce *CallError
		if errors.As(j.err, &ce) && ce.NoSuchOrder {
			g.absent(o, j.asked, now)
		}
		g.after(o)
		return
	}
	o.ask.absent, o.ask.asked = 0, 0
	g.settleAmend(o, j.asked)
	if !g.wondersAfter(o) && o.cancel.gone == 0 {
		o.ask = inquiry{}
	}
	if o.cancel.settle && o.cancel.flying == 0 && !o.Status().Terminal() {
		g.stillThere(o, now)
	}
	g.after(o)
}

func (g *Gateway) wondersAfter(o *Order) bool {
	return o.Status() == core.Unknown || o.Filled < o.Cum || o.spent() || o.amend.open
}

// clockEvery is how often the venue's clock is measured when nothing else asks for it: two
// clocks run apart by milliseconds meanwhile.
const clockEvery = time.Minute

// clockAgain is how long after a measurement that failed, or that does not suffice the
// gate: what is known grows less sure with age, and beyond the limit no order leaves.
const clockAgain = 5 * time.Second

// unsure reports whether the venue's time is too uncertain for the gate, and it is time to
// measure it again: a measurement on a line that was slow just then is bad for a minute.
func (g *Gateway) unsure(now core.MonoNs) bool {
	return g.cfg.ClockErrorMax > 0 && now-g.clockAt >= core.MonoNs(clockAgain) && g.time.Error() > g.cfg.ClockErrorMax
}

// SyncClock has the venue's clock measured anew, for whoever has heard on another connection
// that ours is off.
func (g *Gateway) SyncClock() { g.startClock() }

func (g *Gateway) startClock() {
	if g.clockJob {
		return
	}
	j := g.freeJob(jobClock)
	if j == nil {
		return
	}
	g.clockJob, g.clockAt = true, g.clock.Mono()
	g.clockDue = g.clockAt + core.MonoNs(clockEvery)
	g.start(j, func(j *job) {
		ctx, cancel := context.WithTimeout(g.ctx, g.cfg.CallTimeout)
		defer cancel()
		j.err = g.cfg.Venue.SyncClock(ctx)
	})
}

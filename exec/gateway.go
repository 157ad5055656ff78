package exec

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"riposte/core"
	"riposte/core/fault"
	"riposte/core/ring"
	"riposte/core/risk"
)

// Config is everything a Gateway works with. Zero durations and sizes get defaults.
type Config struct {
	Instruments *core.Instruments
	Clock       core.Clock
	Time        *VenueClock
	IDs         *IDs // the same that Codec makes client ids from
	Codec       Codec
	Pool        PoolConfig
	Sessions    *SessionConfig // nil: no second route
	Route       RouteMode      // where new orders may go; RouteRESTOnly without Sessions
	Budget      *Budget
	Journal     Journal // nil keeps none
	Venue       Venue

	Approved *ring.Ring[risk.Approved] // read
	Reports  *ring.Ring[core.Report]   // written
	Stamps   *ring.Ring[Stamp]         // written, may be nil; full drops and counts

	Orders      int           // at once, ended ones that are remembered included; default 4096
	TimeToLive  time.Duration // of an approval before its bytes leave; default 250 ms
	ProofMargin time.Duration // beyond recvWindow before absence proves anything; default 10 s
	AbsentPolls int           // how many times absent after that; default 3
	ProofSpan   time.Duration // from the first of those to the last; default 60 s
	AskMin      time.Duration // between questions about one order; default 200 ms, doubling
	AskMax      time.Duration // default 5 s
	FillGrace   time.Duration // how long a told fill may stay without its details; default 300 ms
	CallTimeout time.Duration // of one cold call; default 10 s

	// HedgeCancels sends each cancel on both routes at once, where there are two: the
	// copy that comes second finds no order, which harms nobody.
	HedgeCancels bool

	// AuditEvery is how often our view is compared with the venue's; 0 is never,
	// then nothing waits for an audit either.
	AuditEvery time.Duration
	// TradesOf says by instrument whose trades an audit reads, at a weight of 20 each;
	// nil: those of all. The trades of the others are known from the account stream alone.
	TradesOf []bool
	// RequireUser blocks new orders while the user stream is down.
	RequireUser bool
	// LostAfter is how long account stream or order link may be down before all own
	// orders are cancelled; 0 is never.
	LostAfter time.Duration
	// Buried reports whether a guard has taken this run for dead; it is asked before the
	// bytes of each order leave. nil: there is no guard.
	Buried func() bool
	// ClockErrorMax is beyond what uncertainty of the venue's time the gate lets no order
	// through: while it is exceeded the clock is measured every few seconds. 0 is no limit.
	ClockErrorMax time.Duration
	// UnknownMax is how many orders of an instrument may be in doubt before new ones on
	// it are refused: at that number they are. 0 is no limit.
	UnknownMax int

	Wake func() // called from other goroutines when there is work for Step; may be nil
	// Go starts a goroutine, of Pool and Sessions too; nil: as Go does. A simulation
	// starts them one after another.
	Go func(func())
}

// Refusal is why the gateway did not send what the gate had approved. A new order
// ends as NotSent; one that was to be amended or replaced is as it was.
type Refusal uint8

// The refusals.
const (
	RefusedInvalid Refusal = iota // not made by the gate
	RefusedHalted
	RefusedLate   // older than TimeToLive, or no wire was free in time
	RefusedBudget // the venue's order count or a lock-out
	RefusedEncode
	RefusedTable // no slot for one more order
	RefusedJournal
	RefusedWire // the wire broke before the first byte
	RefusedWithdrawn
	RefusedUnknown // orders of the instrument are in doubt, UnknownMax
	RefusedTarget  // the order to be amended or replaced has ended, is ending or has not been answered

	refusals
)

var refusalText = [refusals]string{"not approved by the gate", "halted", "too late", "order budget", "cannot encode", "order table full", "journal error", "wire broke before the first byte", "cancelled before it was sent", "an order on the symbol has an unknown outcome", "the order that it is about has ended, is ending or has not been answered"}

func (r Refusal) String() string { return refusalText[r] }

// RefusalCount is the size of a table of refusals.
const RefusalCount = int(refusals)

// Gateway sends approved intents and reports what became of them. Step drives it;
// all its methods are called from the loop goroutine unless they say otherwise.
type Gateway struct {
	cfg      Config
	clock    core.Clock
	time     *VenueClock
	codec    Codec
	pool     *Pool
	sessions *Sessions // nil without a second route
	router   router
	table    *Table
	ledger   *Ledger
	budget   *Budget

	in      *ring.Ring[risk.Approved]
	out     *ring.Ring[core.Report]
	backlog []core.Report // reports that found the ring full; nothing is lost
	waiting []risk.Approved
	waitAt  int
	waitN   int

	now      core.MonoNs // of the Step under way
	nextTick core.MonoNs
	intent   core.Intent // under way; here because its address crosses an interface
	req      Request
	verdict  Verdict
	rec      SentRecord
	written  WrittenRecord
	inflight int // new orders without an answer
	// Requests that placed orders and have come to their end, by an answer or without.
	concluded uint64

	halt     atomic.Uint32 // risk.HaltCause bits
	handover atomic.Pointer[handover]
	keyCode  atomic.Int32 // of the newest answer that refused the key
	drain    atomic.Bool
	audit    auditState
	word     word
	dead     deadman
	clockJob bool
	clockDue core.MonoNs // when the venue's clock is measured next
	clockAt  core.MonoNs // when it was last, or this gateway made
	clockOff int         // ClockOff answers since the last good one

	ctx  context.Context
	stop context.CancelFunc
	cold sync.WaitGroup
	jobs [jobSlots]job
	busy int // jobs running

	wanted   []core.InstrumentID // of which a census is wanted
	censusAt core.MonoNs         // not before
	twins    uint64              // table.Stats.OtherRun as last looked at

	rng   *rand.Rand
	visit func(*Order)

	cancelsWait bool // some found no connection free
	recancel    func(*Order)

	Stats GatewayStats
}

// GatewayStats count what passed through.
type GatewayStats struct {
	Sent, Presigned     uint64 // new orders whose bytes left; of them signed ahead
	Replaces            uint64 // of Sent: those that were to end another order
	Amends              uint64 // whose bytes left
	Cancels, Hedged     uint64 // attempts; of them with a copy on the other route
	Refused             [refusals]uint64
	Rejected            uint64 // by the venue
	Limited             uint64
	AnswersUnknown      uint64
	ReportsDelayed      uint64 // reports that found the ring full
	StampsDropped       uint64
	Asked, AskFailed    uint64
	Proved              uint64 // doubts that ended as never arrived
	Censuses            uint64
	Corrections         uint64 // differences that audits found and that were not somebody else's doing
	Twins               uint64 // orders and fills of another run under our prefix, by audits
	ForeignFills        uint64 // fills of others, booked as external
	Externals           uint64 // other flows that nobody told: booked when they stayed
	Audits, AuditErrors uint64
	DeadMan             uint64 // times all own orders were cancelled because we were cut off
	ClockAlarms         uint64 // timestamps refused although just measured
	LastCode            int32  // the newest reject
	LastMsg             [96]byte
}

const tickEvery = core.MonoNs(time.Millisecond)

// NewGateway checks the configuration and makes the gateway. Nothing happens
// before the first Step.
func NewGateway(cfg Config) (*Gateway, error) {
	if cfg.TradesOf != nil && cfg.Instruments != nil && len(cfg.TradesOf) != len(cfg.Instruments.List) {
		return nil, fmt.Errorf("cannot make a gateway: TradesOf has %d entries, want one for each of %d instruments", len(cfg.TradesOf), len(cfg.Instruments.List))
	}
	if cfg.Instruments == nil || cfg.Clock == nil || cfg.Time == nil || cfg.IDs == nil || cfg.Codec == nil ||
		cfg.Budget == nil || cfg.Venue == nil || cfg.Approved == nil || cfg.Reports == nil {
		return nil, fmt.Errorf("cannot make a gateway: a part is missing in its config")
	}
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	if cfg.LostAfter > 0 {
		cfg.LostAfter = max(cfg.LostAfter, lostAfterMin)
	}
	def(&cfg.TimeToLive, 250*time.Millisecond)
	def(&cfg.ProofMargin, 10*time.Second)
	def(&cfg.ProofSpan, 60*time.Second)
	def(&cfg.AskMin, 200*time.Millisecond)
	def(&cfg.AskMax, 5*time.Second)
	def(&cfg.FillGrace, 300*time.Millisecond)
	def(&cfg.CallTimeout, 10*time.Second)
	if cfg.AbsentPolls <= 0 {
		cfg.AbsentPolls = 3
	}
	if cfg.Orders <= 0 {
		cfg.Orders = 4096
	}
	if cfg.Journal == nil {
		cfg.Journal = NoJournal{}
	}
	if cfg.Wake == nil {
		cfg.Wake = func() {}
	}
	if cfg.Pool.Wake == nil {
		cfg.Pool.Wake = cfg.Wake
	}
	if cfg.Pool.Go == nil {
		cfg.Pool.Go = cfg.Go
	}
	g := &Gateway{
		cfg: cfg, clock: cfg.Clock, time: cfg.Time, codec: cfg.Codec, budget: cfg.Budget,
		in: cfg.Approved, out: cfg.Reports,
		backlog: make([]core.Report, 0, 256),
		waiting: make([]risk.Approved, 256),
		rng:     rand.New(rand.NewPCG(cfg.Pool.Seed, 0x61736b)),
		ledger:  NewLedger(cfg.Instruments),
	}
	g.verdict.Execs = make([]core.Execution, 0, 64)
	g.table = NewTable(cfg.IDs, cfg.Orders, g.emit)
	g.table.ahead = func(o *Order) { g.cfg.Journal.Ahead(o) }
	g.ledger.moved = func(a core.AssetID, delta, owned core.Amount, why string) { g.cfg.Journal.Moved(a, delta, owned, why) }
	g.visit = g.attend
	g.recancel = g.cancelAgain
	g.ctx, g.stop = context.WithCancel(context.Background())
	var err error
	if g.pool, err = NewPool(cfg.Pool, g); err != nil {
		return nil, err
	}
	if cfg.Sessions == nil {
		g.cfg.Route = RouteRESTOnly
	} else {
		c := *cfg.Sessions
		if c.Wake == nil {
			c.Wake = cfg.Wake
		}
		if c.Go == nil {
			c.Go = cfg.Go
		}
		if g.sessions, err = NewSessions(c, g); err != nil {
			return nil, err
		}
	}
	g.router = newRouter(g.cfg.Route)
	g.clockAt = cfg.Clock.Mono()
	g.clockDue = g.clockAt + core.MonoNs(clockEvery)
	if cfg.AuditEvery > 0 {
		g.raise(risk.HaltNotReconciled)
		g.audit.due = 1
	}
	if cfg.RequireUser {
		g.raise(risk.HaltUserStream)
		g.dead.user = cfg.Clock.Mono()
	}
	return g, nil
}

// Step does what there is to do and returns how much that was.
func (g *Gateway) Step() int {
	now := g.clock.Mono()
	g.now = now
	work := g.flush()
	if h := g.handover.Load(); h != nil {
		work += g.takeOver(h)
	}
	work += g.intake(now)
	work += g.pool.poll(now)
	work += g.sessions.poll(now)
	if g.cancelsWait && work > 0 {
		g.cancelsWait = false // an answer may have freed a connection
		g.table.EachLive(g.recancel)
	}
	if now >= g.nextTick {
		g.nextTick = now + tickEvery
		work += g.tick(now)
	}
	if work == 0 {
		// What can be done ahead fills the pauses and never delays anything that waits.
		g.table.ready()
		work = g.codec.Idle(g.time.At(now))
	}
	return work
}

// Table is the order state, for reading on the loop goroutine.
func (g *Gateway) Table() *Table { return g.table }

// Ledger is what we should own, for reading on the loop goroutine.
func (g *Gateway) Ledger() *Ledger { return g.ledger }

// Pool is the wires, for reading on the loop goroutine.
func (g *Gateway) Pool() *Pool { return g.pool }

// Sessions is the second route, nil if there is none, for reading on the loop goroutine.
func (g *Gateway) Sessions() *Sessions { return g.sessions }

// Hint tells the codec where an instrument's market is, so that it can sign ahead; see
// Codec. The levels are only read during the call.
func (g *Gateway) Hint(id core.InstrumentID, bids, asks []core.Level) { g.codec.Hint(id, bids, asks) }

// Halted is why new orders are not sent, 0 if they are. Any goroutine.
func (g *Gateway) Halted() risk.HaltCause { return risk.HaltCause(g.halt.Load()) }

// Lift removes halt causes that do not lift themselves: reports full, journal,
// key, mismatch, operator. Any goroutine.
func (g *Gateway) Lift(c risk.HaltCause) { g.halt.And(^uint32(c)) }

// Raise adds halt causes: no new orders until each is lifted. Any goroutine.
func (g *Gateway) Raise(c risk.HaltCause) { g.raise(c) }

// ColdCalls is how many calls on the second path await their answer: a test whose time
// is its own waits for them.
func (g *Gateway) ColdCalls() (n int) {
	for i := range g.jobs {
		if j := &g.jobs[i]; j.used && !j.ready.Load() {
			n++
		}
	}
	return n
}

func (g *Gateway) raise(c risk.HaltCause) { g.halt.Or(uint32(c)) }

// KeyRefusal is the venue's code of the newest answer that refused the key, 0 if none
// did. Any goroutine.
func (g *Gateway) KeyRefusal() int { return int(g.keyCode.Load()) }

// OnExecution takes an event of the user stream.
func (g *Gateway) OnExecution(e *core.Execution) {
	fault.At(fault.StreamEvent)
	g.word.trade(e.Instrument, e.TradeID)
	if o := g.table.Apply(e); o != nil {
		g.after(o)
	}
	g.noteTwin() // before the orders that wait behind this event leave
	fault.At(fault.StreamApplied)
}

// OnUserUp says that the user stream is subscribed. What happened before that is
// learned by an audit; new orders wait for it.
func (g *Gateway) OnUserUp() {
	fault.At(fault.UserUp)
	g.audit.up = g.clock.Mono()
	if g.audit.gap = g.ledger.Opened(); g.audit.gap {
		g.audit.follow = len(followUp)
	}
	if g.cfg.AuditEvery > 0 {
		g.raise(risk.HaltNotReconciled)
		g.audit.due = 1
		g.audit.again = g.audit.running
	}
	g.dead.user = 0
	g.Lift(risk.HaltUserStream)
}

// OnUserDown says that the user stream is gone.
func (g *Gateway) OnUserDown() {
	g.audit.gap = g.ledger.Opened()
	if g.cfg.RequireUser {
		g.raise(risk.HaltUserStream)
		if g.dead.user == 0 {
			g.dead.user = g.clock.Mono()
		}
	}
}

// emit hands a report to the engine. A full ring stops trading; the report waits.
func (g *Gateway) emit(r *core.Report) {
	switch r.Kind {
	case core.ReportFill:
		g.ledger.Fill(r)
	case core.ReportAdopted:
		if o := g.table.Find(r.ID); o != nil {
			g.cfg.Journal.Adopted(o)
		}
	}
	g.cfg.Journal.Reported(r)
	if len(g.backlog) == 0 {
		if slot := g.out.Claim(); slot != nil {
			*slot = *r
			g.out.Publish()
			return
		}
	}
	g.raise(risk.HaltReportsFull)
	g.Stats.ReportsDelayed++
	g.backlog = append(g.backlog, *r)
}

func (g *Gateway) flush() int {
	n := 0
	for n < len(g.backlog) {
		slot := g.out.Claim()
		if slot == nil {
			break
		}
		*slot = g.backlog[n]
		g.out.Publish()
		n++
	}
	if n > 0 {
		g.backlog = g.backlog[:copy(g.backlog, g.backlog[n:])]
	}
	return n
}

// tick does what can wait a millisecond.
func (g *Gateway) tick(now core.MonoNs) int {
	wall := g.clock.Wall()
	work := g.pool.tick(now, wall) + g.sessions.tick(now, wall)
	g.oversee(now)
	work += g.collect(now)
	work += g.takeCensus(now)
	g.noteActivity(now)
	g.noteTwin()
	if g.drain.Load() && g.Halted()&risk.HaltShutdown == 0 {
		g.raise(risk.HaltShutdown)
		g.withdrawAll()
		g.CancelAllOwn()
		work++
	}
	g.watchLinks(now)
	g.table.EachLive(g.visit)
	if g.cfg.AuditEvery > 0 && g.audit.due > 0 && now >= g.audit.due && !g.audit.running && !g.barred(&g.audit.barred) {
		g.startAudit(now)
		work++
	}
	if now >= g.clockDue || g.unsure(now) {
		g.startClock()
	}
	return work
}

// CancelAllOwn asks for the cancel of every own order that may be working, and
// keeps asking until each has ended. It touches nothing that is not ours.
func (g *Gateway) CancelAllOwn() {
	g.table.EachLive(func(o *Order) { g.wantCancel(o, true) })
}

// Drain begins an orderly end: no new orders, all own orders cancelled. Any
// goroutine; Step does the work.
func (g *Gateway) Drain() { g.drain.Store(true) }

// Drained reports whether a Drain is complete: every own order has ended with all
// its fills known, and the engine has been told.
func (g *Gateway) Drained() bool {
	return g.Halted()&risk.HaltShutdown != 0 && g.table.Live() == 0 && len(g.backlog) == 0 && g.waitN == 0
}

// Close ends the wires and the cold goroutines. Orders in flight become unknown.
// Call it when Step is no longer called.
func (g *Gateway) Close(ctx context.Context) error {
	g.raise(risk.HaltShutdown)
	g.stop()
	now := g.clock.Mono()
	err := errors.Join(g.pool.Close(ctx, now), g.sessions.Close(ctx, now))
	done := make(chan struct{})
	go func() { g.cold.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
		return fmt.Errorf("cannot close the gateway: a call did not end: %w", ctx.Err())
	}
	return err
}

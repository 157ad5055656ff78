package app

import (
	"errors"
	"sync/atomic"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/core/signal"
	"riposte/core/trail"
	"riposte/exec"
	execbinance "riposte/exec/binance"
	"riposte/feed"
	"riposte/tools/store"
	storesql "riposte/tools/store/sql"
	"riposte/tools/tape"
	"riposte/tools/venue/exchange"
)

// desk is the assembled engine: the only place where the rooms meet. It is built
// in three steps, each of which needs what the one before has learned: connect
// (addresses, key, the venue's time and rules), rooms (everything sized from the
// rules), start (threads).
type desk struct {
	contact
	cfg    *Config
	sim    *simVenue // nil unless the venue is our own
	ids    *exec.IDs
	orders []core.InstrumentID // what may be ordered
	codec  *execbinance.Codec  // in force; the keeper's once trading begins
	frames *execbinance.Frames // of the second route, nil without one

	engineWait, feedWait waiter // the same one with inline threads

	queues     []*ring.Queue
	queueBytes int
	commands   *ring.Ring[engine.Command] // written by the engine thread
	market     *feed.Lines
	user       *userLines
	news       news
	snapshots  *feed.Snapshots
	shown      *feed.Shown    // by snapshots; any goroutine
	backfill   *feed.Backfill // of trades and klines
	asks       *ring.Ring[trail.Ask]
	answers    *ring.Ring[*trail.Answer]
	rank       []int // by instrument: who is recovered first
	books      *bookKeeper
	gate       *risk.Gate      // the shard's
	strategies []string        // names by number, as orders, halts and the journal tell them apart
	seats      [][]engine.Seat // by instrument
	owners     []string        // the same and, behind them, former ones that still have something
	shard      *engine.Shard
	gateway    *exec.Gateway
	folder     *store.Folder      // the journal's, until the journal has it
	journal    *store.Journal     // nil without one
	store      *storesql.Follower // written behind the journal, nil without one
	refused    *refusals
	signals    *signalsSeen   // nil without any
	intake     *intake        // nil without signals
	scores     []signal.Score // of sources and own signals, as the run begins
	begun      func()         // once the journal has begun; may be nil
	pulse      pulse          // what a guard sees of us
	epoch      uint64         // of this run, part of every client id
	auditor    *auditor
	threads    threads
	keeper     *keeper // of the key
	dealer     *dealer
	control    *control
	approved   *ring.Ring[risk.Approved] // from the shard to the gateway
	recorder   *tape.Recorder            // nil without one
	inputs     *inputLog                 // likewise
	witness    stepper                   // tests look from here at what is about to leave; nil otherwise
	tap        func(exec.Dial) exec.Dial // and from here at the wires of orders

	warnings []string               // about what was asked of the machine
	admin    *admin                 // nil without one
	latest   atomic.Pointer[report] // for the admin address
	started  time.Time
	stages   *stageClock
	firstAck chan float64 // seconds since the process began; sent once
	clean    bool         // the run ended in order
}

// openDesk builds a desk up to the point where nothing but threads is missing. On
// an error everything opened so far is closed.
func openDesk(cfg *Config) (*desk, error) { return openDeskWith(cfg, func(*desk) {}) }

// openDeskWith has prepare change the desk before anything is opened.
func openDeskWith(cfg *Config, prepare func(*desk)) (d *desk, err error) {
	d = &desk{cfg: cfg, stages: newStageClock(), firstAck: make(chan float64, 1)}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	prepare(d)
	if d.clock == nil {
		d.clock = core.NewSystemClock()
	}
	d.epoch = core.EpochAfter(0, d.clock.Wall())
	if err = d.prepareMachine(); err != nil {
		return d, usageError{err}
	}
	if cfg.Admin.Address != "" {
		if d.admin, err = openAdmin(cfg.Admin, d.latest.Load); err != nil {
			return d, usageError{err}
		}
	}
	if cfg.Latency.FlightRecorder {
		if d.stages.flight, err = newFlightRecorder(cfg.Latency, d.clock); err != nil {
			return d, usageError{err}
		}
	}
	if err = d.openJournal(); err != nil {
		return d, usageError{err}
	}
	if err = d.openRecorder(); err != nil {
		return d, usageError{err}
	}
	if err = d.connect(); err != nil {
		return d, err
	}
	d.recordRules(d.table.List)
	d.warnings = append(d.warnings, d.cautions...)
	d.keeper = newKeeper(d)
	if err = d.keeper.first(); err != nil {
		return d, usageError{err}
	}
	if err = d.rooms(); err != nil {
		return d, err
	}
	if err = d.beginJournal(); err != nil {
		return d, usageError{err}
	}
	d.keeper.holders = d.keyHolders()
	if err = d.prepareMemory(); err != nil {
		return d, usageError{err}
	}
	return d, nil
}

// connect finds the venue and learns its time and rules.
func (d *desk) connect() (err error) {
	if d.sites, err = d.findSites(); err != nil {
		return err
	}
	if d.engineWait, err = d.ports.waiter(); err != nil {
		return err
	}
	d.feedWait = d.engineWait
	if d.cfg.Loop.Threads == "pinned" {
		if d.feedWait, err = d.ports.waiter(); err != nil {
			return err
		}
	}
	if d.ids, err = exec.NewIDs(d.cfg.Journal.Instance, d.epoch); err != nil {
		return err
	}
	return d.contact.open(d.cfg, d.sim != nil)
}

// rooms builds all that holds state, sized from the config.
func (d *desk) rooms() error {
	if err := d.past(); err != nil {
		return usageError{err}
	}
	tr, err := d.cfg.trading(d.table)
	if err != nil {
		return usageError{err}
	}
	d.rank = d.rankSymbols()
	shard, err := d.cfg.shard(d.table, tr, d.rank)
	if err != nil {
		return usageError{err}
	}
	d.queues = shard.Queues
	for _, size := range d.cfg.queueSizes(d.table) {
		d.queueBytes += size.bytes()
	}
	d.gate, d.strategies, d.seats = tr.gate, tr.names, tr.seats
	reports := ring.New[core.Report](reportRing)
	d.approved = ring.New[risk.Approved](approvedRing)
	images := ring.New[*book.Image](imageRing)
	want := ring.New[book.Want](wantRing)
	d.commands = ring.New[engine.Command](commandRing)
	if d.sim != nil && d.cfg.Sim.Audit {
		d.auditor = newAuditor(d.table, d.trueBook)
	}
	shard.Clock, shard.Reports, shard.Images, shard.Commands, shard.Out, shard.Want, shard.Stages = d.clock, reports, images, d.commands, d.approved, want, d.stages.stages
	d.books = newBookKeeper(d)
	shard.Depth.Copies, shard.Depth.Judged, shard.Depth.Recovered = d.books.copies, d.books.judged, d.books.recovered
	d.refused = newRefusals()
	shard.Denials = d.refused.ring
	d.followTrades(&shard)
	d.addRules(&shard)
	if err := d.addOutside(&shard); err != nil {
		return err
	}
	d.control = newControl(d)
	if err := d.control.load(); err != nil {
		return err
	}
	shard.Halts = d.control.halts
	shard.Observer = d.ports.observer
	if d.auditor != nil {
		shard.Observer = d.auditor
	}
	if d.folder != nil {
		// The journal begins before the first Step.
		shard.Chosen = func(c *engine.Choice) { d.journal.Chosen(c) }
		shard.Refused = func(x *risk.Denial, input uint64) { d.journal.Refused(x, input) }
		if err := d.pulse.open(d.cfg, int64(d.epoch), d.clock); err != nil {
			return err
		}
	}
	d.carry(d.gate)
	if shard.Inputs, err = d.openInputs(); err != nil {
		return usageError{err}
	}
	if d.shard, err = engine.NewShard(shard); err != nil {
		return err
	}
	if err := d.exec(tr.traded, reports); err != nil {
		return err
	}
	return d.feed(images, want)
}

// Ring sizes: each is the largest burst that one pass of its reader must survive.
const (
	reportRing   = 1 << 12 // fills of one sweep times orders alive
	approvedRing = 1 << 10
	imageRing    = 1 << 10
	wantRing     = 1 << 10
	commandRing  = 1 << 8
	stageRing    = 1 << 16 // market events between two collections
	stampRing    = 1 << 13 // orders between two collections
	statsEvery   = 50 * time.Millisecond
	pauseMax     = time.Second // of the process, beyond which all it knows is old
)

// exec builds the way out: codec, wires, order table.
func (d *desk) exec(traded []core.InstrumentID, reports *ring.Ring[core.Report]) error {
	d.orders = traded
	var err error
	if d.codec, err = d.newCodec(d.key); err != nil {
		return err
	}
	hot := d.ports.dialer(d.engineWait, d.sites.tls, d.cfg.Loop.sockets())
	cfg := exec.Config{
		Instruments: d.table, Clock: d.clock, Time: d.vclock, IDs: d.ids, Codec: d.codec, Budget: d.budget, Venue: d.rest,
		Pool: exec.PoolConfig{URL: d.sites.rest, Dial: hot, Wires: d.cfg.Loop.OrderWires, CancelWires: d.cfg.Loop.CancelWires,
			KeepHeaders: execbinance.HeaderPrefix, Seed: d.ports.seedOf(seedWires, uint64(time.Now().UnixNano()))},
		Approved: d.approved, Reports: reports, Stamps: d.stages.stamps,
		AuditEvery: accountAuditEvery, TradesOf: d.tradesOf(), RequireUser: true, LostAfter: d.cfg.DeadMan.LostAfter.Duration, Wake: d.engineWait.Wake, Go: d.ports.spawn,
		ClockErrorMax: d.cfg.Account.ClockErrorMax.Duration,
	}
	cfg.Buried = d.pulse.buried
	d.cfg.Doubt.set(&cfg)
	if err = d.routes(&cfg, hot); err != nil {
		return err
	}
	if d.folder != nil {
		cfg.Journal = exec.Unbegun{}
	}
	if d.tap != nil {
		cfg.Pool.Dial = d.tap(cfg.Pool.Dial)
	}
	d.gateway, err = exec.NewGateway(cfg)
	return err
}

// newCodec lays out requests that a key signs.
func (d *desk) newCodec(key *execbinance.Key) (*execbinance.Codec, error) {
	return execbinance.NewCodec(execbinance.Config{Instruments: d.table, Traded: d.orders, URL: d.sites.rest,
		Key: key, IDs: d.ids, RecvWindow: d.cfg.Venue.RecvWindow.Duration, Rungs: presigned})
}

const (
	presigned         = 32 // by the recordings; see exec/binance's ladder
	accountAuditEvery = 30 * time.Second
)

// trueBook asks our own venue for a book as it was.
func (d *desk) trueBook(symbol string, id int64) ([]exchange.Level, []exchange.Level, error) {
	b, err := d.sim.BookAt(symbol, id)
	return b.Bids, b.Asks, err
}

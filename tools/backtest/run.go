package backtest

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"math"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/core/signal"
)

// Config is one run.
type Config struct {
	Laps  *Laps
	Venue Options
	// Engine is the shard's configuration as a live session would have it, but for clock,
	// queues and rings, which a run makes of its own.
	Engine engine.Config
	// From is before when nothing is traded, so that books, bars and indicators are warm;
	// To is where the run ends, 0: with the tape. Both from the tape's start.
	From, To core.MonoNs
	// Keep says what is kept beside sums: for a report. A run of a sweep keeps nothing.
	Keep Keep
	// Names are those of the strategies, by number.
	Names []string
	// Currency is what profit is told in.
	Currency core.AssetID
	// Done, if not nil, is told now and then how many events have been served.
	Done func(events uint64)
}

// Keep bounds what a run keeps for its report; 0 of all keeps none.
type Keep struct {
	Orders, Fills, Points int
	Decisions             bool // with their hashes, to be compared with another run's
}

// epoch is the shard's time at the tape's beginning: a clock at 0 would mean never.
const epoch = core.MonoNs(time.Hour)

// Cadence of what a live session does on the side.
const (
	aliveEvery = core.MonoNs(500 * time.Millisecond) // of proofs that quiet lines are alive
	factsEvery = core.MonoNs(10 * time.Second)       // of audits and rules read
	clockError = time.Millisecond
	never      = core.MonoNs(math.MaxInt64)
)

// Run is one run of a backtest: the shard, the venue, and the order of what happens.
// One goroutine.
type Run struct {
	cfg   Config
	x     *Exchange
	shard *engine.Shard
	gate  *risk.Gate
	clock core.ManualClock
	feed  core.MonoNs

	queues  []*ring.Queue
	reports *ring.Ring[core.Report]
	images  *ring.Ring[*book.Image]
	cmds    *ring.Ring[engine.Command]
	out     *ring.Ring[risk.Approved]
	want    *ring.Ring[book.Want]
	fired   *ring.Ring[signal.Fired]

	here, there cursor // what the shard, and the venue, see next
	timer       core.MonoNs
	alive       core.MonoNs
	facts       core.MonoNs
	hole        bool
	depthAt     []core.MonoNs // by instrument: of the last depth event shown
	trading     bool
	now         core.MonoNs // here, since the tape's start
	events      uint64

	hash      hash.Hash
	record    [96]byte
	decisions []Decision
	book      *ledger
}

// Decision is one intent that the gate let through.
type Decision struct {
	At     core.MonoNs // since the tape's start
	Intent core.Intent
	Input  uint64 // of the engine
	Hash   uint64 // of all of it
}

// New builds a run in which nothing has happened yet.
func New(cfg Config) (*Run, error) {
	t := cfg.Engine.Instruments
	if len(t.List) != len(cfg.Laps.Events.Symbols) {
		return nil, fmt.Errorf("cannot backtest: got %d instruments for a tape of %d symbols", len(t.List), len(cfg.Laps.Events.Symbols))
	}
	if cfg.To == 0 {
		cfg.To = never
	}
	if cfg.From < 0 || cfg.To <= cfg.From {
		return nil, fmt.Errorf("cannot backtest from %v to %v of the tape: want a span", time.Duration(cfg.From), time.Duration(cfg.To))
	}
	r := &Run{cfg: cfg, gate: cfg.Engine.Gate, feed: cfg.Venue.Latency.Feed, hash: sha256.New(),
		reports: ring.New[core.Report](1 << 12), images: ring.New[*book.Image](16), cmds: ring.New[engine.Command](16),
		out: ring.New[risk.Approved](1 << 8), want: ring.New[book.Want](1 << 10), fired: ring.New[signal.Fired](1 << 8),
		here: cfg.Laps.cursor(), there: cfg.Laps.cursor(), depthAt: make([]core.MonoNs, len(t.List))}
	var err error
	if r.x, err = NewExchange(t, cfg.Laps.Events, cfg.Venue); err != nil {
		return nil, err
	}
	r.x.trades = singleTrades(cfg.Laps.Events)
	for range t.List {
		r.queues = append(r.queues, ring.NewQueue(1<<14, 1<<17, levelsMost))
	}
	e := cfg.Engine
	e.Clock, e.Queues, e.Reports, e.Images, e.Commands, e.Out, e.Want = &r.clock, r.queues, r.reports, r.images, r.cmds, r.out, r.want
	e.Fired, e.Stages, e.Asks, e.Answers, e.Halts, e.Denials = r.fired, nil, nil, nil, nil, nil
	e.Depth, e.PauseMax, e.StatsEvery = engine.DepthConfig{}, 0, 1000*time.Hour
	if r.shard, err = engine.NewShard(e); err != nil {
		return nil, err
	}
	r.book = newLedger(r)
	r.x.seen = r.book.filled
	return r, nil
}

// singleTrades says of which symbols a file has single trades.
func singleTrades(e *Events) []bool {
	has := make([]bool, len(e.Symbols))
	if e.Kinds[kindName(core.Trade)] == 0 || e.Kinds[kindName(core.AggTrade)] == 0 {
		for i := range has {
			has[i] = e.Kinds[kindName(core.Trade)] > 0
		}
		return has
	}
	for off := 0; off < len(e.events); {
		ev, _, next := e.at(off)
		if ev.Kind == core.Trade {
			has[ev.Instrument] = true
		}
		off = next
	}
	return has
}

// Play runs to the end. It may be called once.
func (r *Run) Play(ctx context.Context) (*Result, error) {
	// What others do on this machine is no part of how fast it is.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	from, used := time.Now(), threadTime()
	thereOn, hereOn := r.there.next(), r.here.next()
	r.begin()
	for n := 0; hereOn; n++ {
		if n&0xffff == 0 {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			if r.cfg.Done != nil {
				r.cfg.Done(r.events)
			}
		}
		// At the same instant the venue comes first, reports before the market, timers last.
		venue := never
		if thereOn {
			venue = r.there.ev.Recv - r.feed
		}
		request := never
		if h := r.x.requests.head(); h != nil {
			request = h.at
		}
		report := never
		if h := r.x.reports.head(); h != nil {
			report = h.at
		}
		market := r.here.ev.Recv
		switch {
		case venue <= request && venue <= report && venue <= market && venue <= r.timer:
			if venue >= r.book.due {
				r.book.mark(venue)
			}
			r.x.Market(venue, r.there.ev.Instrument, r.there.ev, r.there.lv)
			thereOn = r.there.next()
		case request <= report && request <= market && request <= r.timer:
			r.x.Arrive()
		case report <= market && report <= r.timer:
			if report > r.cfg.To {
				hereOn = false
				break
			}
			r.at(report)
			r.hear()
			r.step()
		case market <= r.timer:
			if market > r.cfg.To {
				hereOn = false
				break
			}
			r.at(market)
			if r.show() {
				r.step()
			}
			r.events++
			hereOn = r.here.next()
		default:
			if r.timer > r.cfg.To {
				hereOn = false
				break
			}
			r.at(r.timer)
			r.tick()
		}
	}
	r.book.end()
	return r.result(time.Since(from), threadTime()-used)
}

// threadTime is how long this thread has been on a processor.
func threadTime() time.Duration {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// begin lets the shard start as a session does that has found the account in order.
func (r *Run) begin() {
	r.at(0)
	if r.cfg.From == 0 {
		r.trade()
	}
	r.tell()
	for i := range r.cfg.Engine.Instruments.List {
		in := &r.cfg.Engine.Instruments.List[i]
		if in.Base != core.NoAsset {
			r.command(engine.Command{Kind: engine.CmdHolds, Instrument: in.ID, Held: core.Qty(r.x.Funds(in.Base).Free)})
		}
	}
	r.step()
	r.timer = core.MonoNs(r.cfg.Engine.TimerEvery)
}

func (r *Run) trade() {
	r.trading = true
	r.gate.Lift(risk.HaltNotReconciled)
	r.book.begin()
}

func (r *Run) at(now core.MonoNs) {
	r.now = now
	r.clock.MonoNow = epoch + now
	r.clock.WallNow = r.x.start + core.WallNs(now)
}

func (r *Run) command(c engine.Command) {
	for r.cmds.Claim() == nil {
		r.step()
	}
	*r.cmds.Claim() = c
	r.cmds.Publish()
}

// tell has the shard know what a session would tell it now and then.
func (r *Run) tell() {
	r.facts = r.now + factsEvery
	r.command(engine.Command{Kind: engine.CmdFacts, ClockError: clockError, Audited: epoch + r.now, RulesRead: epoch + r.now})
}

// hear takes the report that is due.
func (r *Run) hear() {
	rep := r.x.Report()
	rep.Recv += epoch
	slot := r.reports.Claim() // drained at each step
	*slot = rep
	r.reports.Publish()
	r.book.heard(&rep)
}

// show gives the shard the event that is due; false if it has nothing to serve.
func (r *Run) show() bool {
	ev, lv := r.here.ev, r.here.lv
	switch ev.Kind {
	case kindImage:
		// One that comes while the book is live is what a session had asked for to compare:
		// it changes nothing that a strategy sees.
		im := imageOf(ev, lv)
		im.Purpose = book.ForAudit
		*r.images.Claim() = im
		r.images.Publish()
		r.hole = false
		return true
	case kindHole:
		r.hole = true
		for i, q := range r.queues {
			slot, _ := q.Claim()
			*slot = core.Event{Kind: core.LineDown, Instrument: core.InstrumentID(i), Recv: epoch + r.now}
			q.Publish(0)
			q.End()
		}
		return true
	case kindRules:
		return r.rules(ev)
	case core.DepthDelta:
		r.depthAt[ev.Instrument] = r.now
	}
	r.put(ev, lv)
	return true
}

// rules has the shard know of rules that are not those in force, as a session does.
func (r *Run) rules(ev *core.Event) bool {
	in := *r.gate.Instrument(ev.Instrument)
	if r.x.ruled == nil || !adopt(&in, &r.x.ruled[ev.W[0]]) {
		return false
	}
	r.command(engine.Command{Kind: engine.CmdRules, Rules: &in})
	return true
}

func (r *Run) put(ev *core.Event, lv []core.Level) {
	q := r.queues[ev.Instrument]
	slot, mem := q.Claim()
	if slot == nil || cap(mem) < len(lv) {
		r.step() // sheds the oldest half of what waits for a snapshot
		if slot, mem = q.Claim(); slot == nil || cap(mem) < len(lv) {
			r.book.lost++
			return
		}
	}
	*slot = *ev
	slot.Recv = epoch + r.now
	copy(mem[:len(lv)], lv)
	q.Publish(len(lv))
}

// tick is the shard's timer, and what a session does beside.
func (r *Run) tick() {
	r.timer = r.now + core.MonoNs(r.cfg.Engine.TimerEvery)
	if !r.trading && r.now >= r.cfg.From {
		r.trade()
	}
	if r.now >= r.facts {
		r.tell()
		r.step()
	}
	if r.now >= r.alive && !r.hole {
		r.alive = r.now + aliveEvery
		for i := range r.queues {
			if r.depthAt[i] < r.now-aliveEvery {
				ev := core.Event{Kind: core.LineAlive, Instrument: core.InstrumentID(i)}
				r.put(&ev, nil)
			}
		}
	}
	r.step()
	r.want.Release(len(r.want.Pending())) // nobody to ask: the tape has what it has
	r.book.sample()
}

// step serves what waits. A Step that handed nothing on has served all.
func (r *Run) step() {
	for {
		r.shard.Step()
		list := r.out.Pending()
		if len(list) == 0 {
			break
		}
		for i := range list {
			r.decide(&list[i])
		}
		r.out.Release(len(list))
	}
	if list := r.fired.Pending(); len(list) > 0 {
		for i := range list {
			r.book.fired(&list[i])
		}
		r.fired.Release(len(list))
	}
}

// decide takes an approved intent on its way and into the hash.
func (r *Run) decide(a *risk.Approved) {
	in := a.Intent()
	b := r.record[:0]
	b = append(b, byte(in.Kind), byte(in.Side), byte(in.Type), byte(in.TIF), byte(in.STP))
	b = binary.LittleEndian.AppendUint16(b, uint16(in.Instrument))
	b = binary.LittleEndian.AppendUint16(b, in.Strategy)
	for _, v := range [...]int64{int64(in.ID), int64(in.Price), int64(in.Qty), int64(in.Stop), int64(in.Iceberg), int64(in.Old),
		int64(in.LifeUs), int64(in.Trail), int64(r.now)} {
		b = binary.LittleEndian.AppendUint64(b, uint64(v))
	}
	_, _ = r.hash.Write(b) // never fails
	if r.cfg.Keep.Decisions {
		r.decisions = append(r.decisions, Decision{At: r.now, Intent: in, Input: a.Input(), Hash: sum(b)})
	}
	r.x.Send(&in, r.now)
	r.book.decided(&in, r.now)
}

// Decisions are those of a run that keeps them.
func (r *Run) Decisions() []Decision { return r.decisions }

var errShort = errors.New("cannot backtest: the tape is over before its first book was live")

// Package enginetest runs a shard with its strategies against a market and a venue
// that a test scripts: in memory, on one goroutine, with a clock that stands still
// until it is told otherwise. It is made for tests of strategies, one's own too:
//
//	w, err := enginetest.New(enginetest.Setup{Strategy: newMine})
//	w.Quote(0, "100.00", "1", "100.01", "2") // the first quote makes the book Live
//	w.Run()
//	for _, in := range w.Out() { w.Ack(in.ID) }
package enginetest

import (
	"fmt"
	"time"

	"riposte/core"
	"riposte/core/airlock"
	"riposte/core/book"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/core/signal"
	"riposte/core/trail"
)

// Clock is the world's clock. Each reading of the monotonic time moves it by Tick,
// which is 0 unless a test wants to see readings apart.
type Clock struct {
	Now  core.MonoNs
	Tick core.MonoNs
}

// Mono is the time now.
func (c *Clock) Mono() core.MonoNs {
	c.Now += c.Tick
	return c.Now
}

// Wall is the same instant on the civil clock.
func (c *Clock) Wall() core.WallNs { return core.WallNs(c.Now) }

// Setup is what a world is made of. Zero values get defaults that bind nothing.
type Setup struct {
	Symbols     []string                                        // default: BTCUSDT
	Filters     core.Filters                                    // of all of them; default: tick 0.01, lot 0.00001
	Strategy    func(*core.Instrument) (engine.Strategy, error) // nil: only watch
	Seats       func(*core.Instrument) ([]engine.Seat, error)   // several strategies, instead of Strategy
	Limits      risk.Limits                                     // of all of them
	Account     risk.AccountLimits
	QueueEvents int // per symbol; default 1024
	QueueLevels int // default 4096
	RingSize    int // of reports, commands and images; default 64
	OutSize     int // of approvals; default 1024
	Stages      bool
	Observer    engine.Observer
	Trail       *trail.Config // of every symbol; nil: trades are not followed
	ActAfter    time.Duration
	Rules       func(*core.Instrument) (*signal.Rules, error) // nil: none
	Halted      bool                                          // start as the gate does, not reconciled
	PauseMax    time.Duration
	LostAfter   time.Duration
	Depth       engine.DepthConfig
	Inputs      *engine.Log          // nil: none is kept
	Airlock     engine.AirlockConfig // its rings are the world's
	Score       engine.ScoreConfig
}

// World is a shard with everything around it. One goroutine.
type World struct {
	Clock    *Clock
	Table    *core.Instruments
	Gate     *risk.Gate
	Shard    *engine.Shard
	Queues   []*ring.Queue
	Reports  *ring.Ring[core.Report]
	Images   *ring.Ring[*book.Image]
	Commands *ring.Ring[engine.Command]
	Approved *ring.Ring[risk.Approved]
	Want     *ring.Ring[book.Want]
	Stages   *ring.Ring[engine.StageSample]
	Halts    *ring.Ring[engine.HaltNote]
	Denials  *ring.Ring[risk.Denial]
	Asks     *ring.Ring[trail.Ask]
	Answers  *ring.Ring[*trail.Answer]
	Fired    *ring.Ring[signal.Fired]
	Alerts   *ring.Ring[airlock.Alert]
	Verdicts *ring.Ring[airlock.Verdict]

	quotes []core.Top                   // last Quote by symbol
	ids    []uint64                     // last update id by symbol
	orders map[core.OrderID]core.Intent // all that came out
	cum    map[core.OrderID]core.Qty    // executed by Fill
	trades int64

	between []uint64 // last trade between others, by symbol

	Config engine.Config // the shard was built from it
}

// New builds a world in which nothing has happened yet. Trading is active.
func New(s Setup) (*World, error) {
	if len(s.Symbols) == 0 {
		s.Symbols = []string{"BTCUSDT"}
	}
	if s.Filters == (core.Filters{}) {
		s.Filters = core.Filters{Tick: core.Scale / 100, Lot: 1000, QtyMin: 1000}
	}
	if s.Limits == (risk.Limits{}) {
		s.Limits = risk.Limits{QtyMax: 1 << 50, NotionalMax: 1 << 60, PositionMax: 1 << 60, OpenMax: 1000, CollarBps: 10_000, StaleAfter: time.Hour}
	}
	if s.Account == (risk.AccountLimits{}) {
		s.Account = risk.AccountLimits{OpenMax: 1000, RateMax: 100_000, RateSpan: 1, RejectMax: 1000}
	}
	def := func(v *int, n int) {
		if *v == 0 {
			*v = n
		}
	}
	def(&s.QueueEvents, 1024)
	def(&s.QueueLevels, 4096)
	def(&s.RingSize, 64)
	def(&s.OutSize, 1024)

	w := &World{
		Clock:    &Clock{Now: core.MonoNs(time.Hour)},
		Table:    core.NewInstruments(),
		Reports:  ring.New[core.Report](s.RingSize),
		Images:   ring.New[*book.Image](s.RingSize),
		Commands: ring.New[engine.Command](s.RingSize),
		Approved: ring.New[risk.Approved](s.OutSize),
		Want:     ring.New[book.Want](s.RingSize),
		Halts:    ring.New[engine.HaltNote](4),
		Denials:  ring.New[risk.Denial](s.RingSize),
		Asks:     ring.New[trail.Ask](s.RingSize),
		Answers:  ring.New[*trail.Answer](s.RingSize),
		between:  make([]uint64, len(s.Symbols)),
		Fired:    ring.New[signal.Fired](s.RingSize),
		quotes:   make([]core.Top, len(s.Symbols)),
		ids:      make([]uint64, len(s.Symbols)),
		orders:   map[core.OrderID]core.Intent{},
		cum:      map[core.OrderID]core.Qty{},
	}
	if s.Stages {
		w.Stages = ring.New[engine.StageSample](s.RingSize)
	}
	limits := map[core.InstrumentID]risk.Limits{}
	types := core.OrderTypeSet(0).With(core.Limit).With(core.LimitMaker).With(core.MarketOrder).With(core.StopLossLimit)
	for _, sym := range s.Symbols {
		id, err := w.Table.Add(core.Instrument{Symbol: sym, Base: w.Table.Asset(sym + " base"), Quote: w.Table.Asset("quote"),
			Status: core.StatusTrading, OrderTypes: types, Features: ^core.Features(0), Filters: s.Filters})
		if err != nil {
			return nil, err
		}
		limits[id] = s.Limits
		w.ids[id] = 999
		w.Queues = append(w.Queues, ring.NewQueue(s.QueueEvents, s.QueueLevels, min(s.QueueLevels, 1024)))
	}
	var rules []*signal.Rules
	for i := 0; s.Rules != nil && i < len(s.Symbols); i++ {
		r, err := s.Rules(w.Table.Get(core.InstrumentID(i)))
		if err != nil {
			return nil, err
		}
		rules = append(rules, r)
	}
	if s.Strategy != nil {
		s.Seats = func(in *core.Instrument) ([]engine.Seat, error) {
			one, err := s.Strategy(in)
			return []engine.Seat{{Strategy: one}}, err
		}
	}
	strategies := make([][]engine.Seat, len(s.Symbols))
	for i := range strategies {
		if s.Seats == nil {
			continue
		}
		var err error
		if strategies[i], err = s.Seats(w.Table.Get(core.InstrumentID(i))); err != nil {
			return nil, err
		}
	}
	var trails []trail.Config
	for range s.Symbols {
		if s.Trail != nil {
			trails = append(trails, *s.Trail)
		}
	}
	var err error
	if w.Gate, err = risk.NewGate(w.Table, limits, s.Account); err != nil {
		return nil, err
	}
	if !s.Halted {
		w.Gate.Lift(risk.HaltNotReconciled)
	}
	if len(s.Airlock.Sources) > 0 {
		w.Alerts, w.Verdicts = ring.New[airlock.Alert](s.RingSize), ring.New[airlock.Verdict](s.RingSize)
		s.Airlock.Alerts, s.Airlock.Verdicts = w.Alerts, w.Verdicts
	}
	w.Config = engine.Config{
		Instruments: w.Table, Clock: w.Clock, Gate: w.Gate, Queues: w.Queues, Strategies: strategies,
		Reports: w.Reports, Images: w.Images, Commands: w.Commands, Out: w.Approved, Want: w.Want, Stages: w.Stages, Halts: w.Halts, Denials: w.Denials,
		Trails: trails, Asks: w.Asks, Answers: w.Answers, ActAfter: s.ActAfter,
		Rules: rules, Fired: w.Fired, Airlock: s.Airlock, Score: s.Score,
		Observer: s.Observer, Depth: s.Depth, PauseMax: s.PauseMax, LostAfter: s.LostAfter, TimerEvery: 100 * time.Millisecond, StatsEvery: 100 * time.Millisecond,
		Inputs: s.Inputs,
	}
	w.Shard, err = engine.NewShard(w.Config)
	return w, err
}

// Run steps the shard until it has nothing to do.
func (w *World) Run() {
	for range 1 << 20 {
		if w.Shard.Step() == 0 {
			return
		}
	}
	panic("the shard always finds something to do")
}

// Advance lets time pass and runs, so that timers come due.
func (w *World) Advance(d time.Duration) {
	w.Clock.Now += core.MonoNs(d)
	w.Run()
}

// Out takes what has been approved since the last call, oldest first.
func (w *World) Out() []core.Intent {
	var all []core.Intent
	for _, a := range w.TakeApproved() {
		all = append(all, a.Intent())
	}
	return all
}

// TakeApproved is Out with the stamps.
func (w *World) TakeApproved() []risk.Approved {
	var all []risk.Approved
	for p := w.Approved.Pending(); len(p) > 0; p = w.Approved.Pending() {
		all = append(all, p...)
		w.Approved.Release(len(p))
	}
	for i := range all {
		if in := all[i].Intent(); in.Kind == core.Place || in.Kind == core.Replace {
			w.orders[in.ID] = in
		}
	}
	return all
}

// Wants takes the requests for snapshots since the last call.
func (w *World) Wants() []book.Want {
	var all []book.Want
	for p := w.Want.Pending(); len(p) > 0; p = w.Want.Pending() {
		all = append(all, p...)
		w.Want.Release(len(p))
	}
	return all
}

// Wanted is Wants, the instruments alone.
func (w *World) Wanted() []core.InstrumentID {
	var all []core.InstrumentID
	for _, want := range w.Wants() {
		all = append(all, want.Instrument)
	}
	return all
}

// Command hands the shard a command.
func (w *World) Command(c engine.Command) {
	*mustSlot(w.Commands.Claim(), "command") = c
	w.Commands.Publish()
}

func mustSlot[T any](slot *T, what string) *T {
	if slot == nil {
		panic(fmt.Sprintf("the script publishes one more %s than the ring holds: run the world in between", what))
	}
	return slot
}

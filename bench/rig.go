package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"sync/atomic"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/core/strategy"
	"riposte/exec"
	dialect "riposte/exec/binance"
	"riposte/feed"
	"riposte/feed/binance"
	"riposte/tools/store"
)

// Rig is the engine from the bytes on a market socket to those on an order's, put
// together as the inline loop does it, between a venue's feed and wires in memory:
// session with frame reader and decoder, one queue per instrument, shard with reflex
// on every instrument, gate, gateway, pool, codec and, with a folder for it, the
// journal. It leaves out the kernel's sockets. One goroutine.
type Rig struct {
	corpus  *Corpus
	clock   core.Clock
	feed    *Feed
	session *feed.Session
	decoder *binance.Decoder
	queues  []*ring.Queue
	shard   *engine.Shard
	gate    *risk.Gate
	gateway *exec.Gateway
	codec   *dialect.Codec
	journal *store.Journal // nil without one
	images  *ring.Ring[*book.Image]
	want    *ring.Ring[book.Want]
	out     *ring.Ring[risk.Approved]
	reports *ring.Ring[core.Report]
	stages  *ring.Ring[engine.StageSample]
	stamps  *ring.Ring[exec.Stamp]
	wires   []*Wire
	hints   []core.Top // as last hinted
	near    [2][]core.Level

	// Sent is called with each order's whole request, and Took with the stage times
	// of each that a frame caused, both after the motion that they belong to is over;
	// may be nil.
	Sent  func(req []byte)
	Took  func(s *Split)
	probe probe

	Orders int // requests for new orders since the start
}

// probe is called around the engine's own work, for counting it: before and after
// each piece, and by the wire when an order arrives. line is the corpus line whose
// frame is about to be read.
type probe struct {
	frame  func(line int)
	resume func()
	pause  func()
	wrote  func()
}

// RigOptions vary a rig. Rungs is how many orders are signed ahead per side, Journal
// the folder of the journal, "" for none, Clock the time, nil for the machine's.
type RigOptions struct {
	Rungs   int
	Journal string
	Clock   core.Clock
}

// rigURL is where the rig's wires seem to lead.
const rigURL = "http://127.0.0.1:1"

// NewRig builds a rig with its connections up. Its key is a test key.
func NewRig(c *Corpus, o RigOptions) (*Rig, error) {
	none := func() {}
	r := &Rig{corpus: c, clock: o.Clock, feed: NewFeed(c, true), probe: probe{func(int) {}, none, none, none}}
	if r.clock == nil {
		r.clock = core.NewSystemClock()
	}
	for side := range r.near {
		r.near[side] = make([]core.Level, 0, exec.HintDepth)
	}
	r.images = ring.New[*book.Image](16)
	r.want = ring.New[book.Want](1024)
	r.out, r.reports = ring.New[risk.Approved](1024), ring.New[core.Report](1024)
	r.stages, r.stamps = ring.New[engine.StageSample](1024), ring.New[exec.Stamp](1024)
	limits := map[core.InstrumentID]risk.Limits{}
	var strategies [][]engine.Seat
	r.hints = make([]core.Top, len(c.Table.List))
	for i := range c.Table.List {
		in := &c.Table.List[i]
		r.queues = append(r.queues, ring.NewQueue(1<<12, 1<<16, 1<<13))
		limits[in.ID] = risk.Limits{QtyMax: 1e18, NotionalMax: 1e18, PositionMax: 1e18, OpenMax: 1000, CollarBps: 10_000, StaleAfter: time.Hour}
		s, err := strategy.NewReflex(in, engine.NewParams(map[string]any{"tif": "IOC", "keep": int64(1000)}))
		if err != nil {
			return nil, err
		}
		strategies = append(strategies, []engine.Seat{{Strategy: s}})
	}
	var err error
	r.gate, err = risk.NewGate(c.Table, limits, risk.AccountLimits{OpenMax: 1000, RateMax: 1000, RateSpan: 1, RejectMax: 1000})
	if err != nil {
		return nil, err
	}
	r.gate.Lift(risk.HaltNotReconciled)
	cfg := engine.Config{
		Instruments: c.Table, Clock: r.clock, Gate: r.gate, Queues: r.queues, Strategies: strategies,
		Reports: r.reports, Images: r.images, Commands: ring.New[engine.Command](2), Out: r.out, Want: r.want, Stages: r.stages,
		TimerEvery: 100 * time.Millisecond, StatsEvery: time.Second,
	}
	if o.Journal != "" {
		if r.journal, err = store.OpenJournal(o.Journal, c.Table, r.clock, &store.Session{Version: "bench"}); err != nil {
			return nil, err
		}
	}
	if r.shard, err = engine.NewShard(cfg); err != nil {
		return nil, err
	}
	if err := errors.Join(r.listen(), r.connect(o)); err != nil {
		return nil, err
	}
	return r, r.warm()
}

// listen builds the receiving half.
func (r *Rig) listen() error {
	syms, err := binance.NewSymbols(r.corpus.Table)
	if err != nil {
		return err
	}
	r.decoder = binance.NewDecoder(syms, core.Milliseconds, binance.Raw{Instrument: core.NoInstrument})
	budget, err := feed.NewConnectBudget(10, time.Minute)
	if err != nil {
		return err
	}
	cfg := feed.SessionConfig{
		LineConfig: feed.LineConfig{URL: "ws://127.0.0.1:1/stream", Clock: r.clock, Budget: budget,
			Dial: func(context.Context, string) (net.Conn, error) { r.feed.Hold(); return r.feed, nil }},
		Codec: r.decoder, Queues: r.queues,
	}
	for i := range r.corpus.Table.List {
		in := &r.corpus.Table.List[i]
		for _, s := range []struct {
			name string
			kind core.EventKind
		}{{"depth@100ms", core.DepthDelta}, {"bookTicker", core.Touch}, {"trade", core.Trade}, {"aggTrade", core.AggTrade}, {"kline_1m", core.Kline}} {
			cfg.Streams = append(cfg.Streams, feed.Subscription{Stream: string(binance.NewStream(in.Symbol, s.name)), Instrument: in.ID, Kind: s.kind})
		}
	}
	r.session, err = feed.NewSession(cfg)
	return err
}

// connect builds the sending half.
func (r *Rig) connect(o RigOptions) error {
	ids, err := exec.NewIDs("rp", 1_723_161_255)
	if err != nil {
		return err
	}
	key, err := TestKey()
	if err != nil {
		return err
	}
	if r.codec, err = dialect.NewCodec(dialect.Config{Instruments: r.corpus.Table, URL: rigURL, Key: key, IDs: ids, Rungs: o.Rungs}); err != nil {
		return err
	}
	budget, err := exec.NewBudget(10)
	if err != nil {
		return err
	}
	if err := budget.Set([]exec.Limit{{Kind: exec.LimitWeight, Span: time.Minute, Max: 1e9}, {Kind: exec.LimitOrders, Span: 10 * time.Second, Max: 1e9}}); err != nil {
		return err
	}
	for range rigWires {
		w := NewWire(r.sent)
		w.Wrote = func() { r.probe.wrote() }
		r.wires = append(r.wires, w)
	}
	var dialed atomic.Int32
	cfg := exec.Config{
		Instruments: r.corpus.Table, Clock: r.clock, Time: exec.NewVenueClock(r.clock), IDs: ids, Codec: r.codec, Budget: budget,
		Venue: deaf{}, Approved: r.out, Reports: r.reports, Stamps: r.stamps,
		Pool: exec.PoolConfig{URL: rigURL, Wires: rigWires - 1, CancelWires: 1, KeepHeaders: "x-mbx-",
			Dial: func(context.Context, string) (net.Conn, error) {
				n := int(dialed.Add(1))
				if n > rigWires {
					return nil, errors.New("the rig's wires do not break")
				}
				return r.wires[n-1], nil
			}},
	}
	if r.journal != nil {
		cfg.Journal = r.journal
	}
	r.gateway, err = exec.NewGateway(cfg)
	return err
}

// rigWires is how many connections for orders there are, one of them for cancels.
const rigWires = 5

// warm lets the connections come up.
func (r *Rig) warm() error {
	for end := time.Now().Add(time.Minute); time.Now().Before(end); runtime.Gosched() {
		r.session.Step()
		r.gateway.Step()
		// The server's list of subscriptions is asked for some time after they are
		// confirmed, and its answer would take a frame's place.
		st := r.session.Status()
		if orders, cancels := r.gateway.Pool().Ready(); orders == rigWires-1 && cancels == 1 && st.State == feed.Live && st.Listed {
			return nil
		}
	}
	return fmt.Errorf("cannot build the rig: its connections did not come up within a minute, market session is %v", r.session.Status().State)
}

// Close ends the rig.
func (r *Rig) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	err := errors.Join(r.session.Close(ctx), r.gateway.Close(ctx))
	if r.journal != nil {
		err = errors.Join(err, r.journal.Close(true, ""))
	}
	return err
}

func (r *Rig) sent(req []byte) {
	if req[0] != 'P' { // a probe
		return
	}
	r.Orders++
	if r.Sent != nil {
		r.Sent(req)
	}
}

// Pass takes the whole corpus through, from a cut connection to the last frame.
func (r *Rig) Pass() {
	r.feed.Hold()
	r.session.StartOver()
	r.probe.resume()
	r.settle()
	for i := range r.corpus.Lines {
		if l := &r.corpus.Lines[i]; l.Image == nil {
			r.feed.Give(1)
			r.probe.frame(i)
			r.turn()
		} else {
			*r.images.Claim() = l.Image
			r.images.Publish()
			r.probe.resume()
		}
		r.settle()
	}
}

// turn is one turn of the loop: read and decode, decide, send. What follows is
// settle's.
func (r *Rig) turn() {
	r.session.Step()
	r.shard.Step()
	r.gateway.Step()
}

// settle is what the loop does until the next bytes come: answers, reports,
// signing ahead around the new touch.
func (r *Rig) settle() {
	r.probe.pause()
	r.took()
	for _, w := range r.wires {
		w.Answer()
	}
	r.probe.resume()
	for i := range r.queues {
		id := core.InstrumentID(i)
		sync := r.shard.Sync(id)
		if top := sync.Top(); top.Bid != r.hints[i].Bid || top.Ask != r.hints[i].Ask {
			r.hints[i] = top
			if b, live := sync.Live(); live {
				r.gateway.Hint(id, b.Levels(core.Buy, append(r.near[core.Buy][:0], core.Level{Price: top.Bid})),
					b.Levels(core.Sell, append(r.near[core.Sell][:0], core.Level{Price: top.Ask})))
			}
		}
	}
	for r.gateway.Step()+r.shard.Step() > 0 {
		r.want.Release(len(r.want.Pending())) // the corpus brings snapshots by itself
	}
	r.probe.pause()
	r.stages.Release(len(r.stages.Pending()))
	r.stamps.Release(len(r.stamps.Pending()))
}

// Check compares the rig after whole passes with what it must have done.
func (r *Rig) Check(passes, orders int) error {
	got := &r.decoder.Stats().Results
	events, foreign := got[feed.Decoded], got[feed.Ignored]
	if r.Orders != passes*orders || r.gate.Live() != 0 || r.gate.RefusedTotal() != 0 {
		return fmt.Errorf("got %d orders in %d passes, %d orders left, %d refusals, want %d orders a pass and 0 of the others",
			r.Orders, passes, r.gate.Live(), r.gate.RefusedTotal(), orders)
	}
	if foreign != uint64(passes*r.corpus.Foreign) || events != uint64(passes*(r.corpus.Frames-r.corpus.Foreign)) {
		return fmt.Errorf("got %d events and %d frames of other streams in %d passes, want %d and %d a pass",
			events, foreign, passes, r.corpus.Frames-r.corpus.Foreign, r.corpus.Foreign)
	}
	for i := range r.corpus.Table.List {
		in := &r.corpus.Table.List[i]
		w, ok := r.corpus.Want[in.Symbol]
		if !ok {
			continue
		}
		if err := CheckBook(r.shard.Sync(in.ID), w); err != nil {
			return fmt.Errorf("book of %s: %w", in.Symbol, err)
		}
	}
	return nil
}

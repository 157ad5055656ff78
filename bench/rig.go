package bench

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/engine"
	"riposte/core/ring"
	"riposte/core/risk"
	"riposte/core/strategy"
	"riposte/exec"
	dialect "riposte/exec/binance"
	"riposte/feed/binance"
)

// Rig is the engine from a frame's bytes to an order's bytes, put together as the
// inline loop does it, between a corpus and venue wires in memory: decoder, one
// queue per instrument, shard with reflex on every instrument, gate, gateway, pool
// and codec. It leaves out sockets, the WebSocket reader and the journal. One
// goroutine.
type Rig struct {
	corpus  *Corpus
	clock   *core.SystemClock
	decoder *binance.Decoder
	queues  []*ring.Queue
	shard   *engine.Shard
	gate    *risk.Gate
	gateway *exec.Gateway
	codec   *dialect.Codec
	images  *ring.Ring[*book.Image]
	want    *ring.Ring[core.InstrumentID]
	out     *ring.Ring[risk.Approved]
	reports *ring.Ring[core.Report]

	// Sent is called with each order's whole request and how long ago the bytes
	// of the frame under way were there; 0 if no frame is.
	Sent func(req []byte, since core.MonoNs)
	from core.MonoNs
	hint core.InstrumentID

	Orders int // requests for new orders since the start
	Odd    int // frames that gave no event
}

// RigOptions vary a rig. Rungs is how many orders are signed ahead per side.
type RigOptions struct {
	Rungs int
}

// rigURL is where the rig's wires seem to lead.
const rigURL = "http://127.0.0.1:1"

// NewRig builds a rig with its wires up. Its key is a test key.
func NewRig(c *Corpus, o RigOptions) (*Rig, error) {
	r := &Rig{corpus: c, clock: core.NewSystemClock(), hint: core.NoInstrument}
	syms, err := binance.NewSymbols(c.Table)
	if err != nil {
		return nil, err
	}
	r.decoder = binance.NewDecoder(syms, core.Milliseconds, binance.Raw{Instrument: core.NoInstrument})
	r.images = ring.New[*book.Image](16)
	r.want = ring.New[core.InstrumentID](1024)
	r.out, r.reports = ring.New[risk.Approved](1024), ring.New[core.Report](1024)
	limits := map[core.InstrumentID]risk.Limits{}
	var strategies []engine.Strategy
	for i := range c.Table.List {
		in := &c.Table.List[i]
		r.queues = append(r.queues, ring.NewQueue(1<<12, 1<<16, 1<<13))
		limits[in.ID] = risk.Limits{QtyMax: 1e18, NotionalMax: 1e18, PositionMax: 1e18, OpenMax: 1000, CollarBps: 10_000, StaleAfter: time.Hour}
		s, err := strategy.NewReflex(in, engine.NewParams(map[string]any{"tif": "IOC", "keep": int64(1000)}))
		if err != nil {
			return nil, err
		}
		strategies = append(strategies, s)
	}
	r.gate, err = risk.NewGate(c.Table, limits, risk.AccountLimits{OpenMax: 1000, RateMax: 1000, RateSpan: 1, RejectMax: 1000})
	if err != nil {
		return nil, err
	}
	r.gate.Lift(risk.HaltNotReconciled)
	r.shard, err = engine.NewShard(engine.Config{
		Instruments: c.Table, Clock: r.clock, Gate: r.gate, Queues: r.queues, Strategies: strategies,
		Reports: r.reports, Images: r.images, Commands: ring.New[engine.Command](2), Out: r.out, Want: r.want,
		TimerEvery: 100 * time.Millisecond, StatsEvery: time.Second,
	})
	if err != nil {
		return nil, err
	}
	if err := r.connect(o); err != nil {
		return nil, err
	}
	return r, r.warm()
}

// connect builds the sending half.
func (r *Rig) connect(o RigOptions) error {
	ids, err := exec.NewIDs("rp", time.Unix(1_723_161_255, 0))
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
	r.gateway, err = exec.NewGateway(exec.Config{
		Instruments: r.corpus.Table, Clock: r.clock, Time: exec.NewVenueClock(r.clock), IDs: ids, Codec: r.codec, Budget: budget,
		Venue: deaf{}, Approved: r.out, Reports: r.reports,
		Pool: exec.PoolConfig{URL: rigURL, Wires: 4, CancelWires: 1, KeepHeaders: "x-mbx-",
			Dial: func(context.Context, string) (net.Conn, error) { return NewWire(r.sent), nil }},
	})
	return err
}

// warm lets the wires come up.
func (r *Rig) warm() error {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); r.gateway.Step() {
		if orders, cancels := r.gateway.Pool().Ready(); orders == 4 && cancels == 1 {
			return nil
		}
	}
	return errors.New("cannot build the rig: its wires did not come up within 10 s")
}

// Close ends the rig.
func (r *Rig) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return r.gateway.Close(ctx)
}

func (r *Rig) sent(req []byte) {
	if req[0] != 'P' { // a probe
		return
	}
	r.Orders++
	if r.Sent == nil {
		return
	}
	var since core.MonoNs
	if r.from != 0 {
		since = r.clock.Mono() - r.from
		r.from = 0
	}
	r.Sent(req, since)
}

// Pass takes the whole corpus through, from a cut connection to the last frame.
func (r *Rig) Pass() {
	for id, q := range r.queues {
		ev, _ := q.Claim()
		*ev = core.Event{Kind: core.LineDown, Instrument: core.InstrumentID(id)}
		q.Publish(0)
	}
	r.settle()
	for i := range r.corpus.Lines {
		if l := &r.corpus.Lines[i]; l.Image == nil {
			r.Frame(l.Frame)
		} else {
			*r.images.Claim() = l.Image
			r.images.Publish()
		}
		r.settle()
	}
}

// Frame is one turn of the loop after the bytes of a frame have been read: decode
// into the queue, decide, send. What follows is settle's.
func (r *Rig) Frame(b []byte) {
	recv := r.clock.Mono()
	r.from = recv
	route := r.decoder.Route(b)
	if route.Instrument == core.NoInstrument {
		r.Odd++
		return
	}
	ev, lv := r.queues[route.Instrument].Claim()
	n, res := r.decoder.DecodeRouted(b, route, ev, lv)
	if res != binance.Decoded {
		r.Odd++
		return
	}
	ev.Recv = recv
	ev.DecodeNs = uint32(r.clock.Mono() - recv)
	r.hint = ev.Instrument
	r.queues[route.Instrument].Publish(n)
	r.shard.Step()
	r.gateway.Step()
}

// settle is what the loop does until the next bytes come: answers, reports,
// signing ahead around the new touch.
func (r *Rig) settle() {
	r.from = 0
	if r.hint != core.NoInstrument {
		top := r.shard.Sync(r.hint).Top()
		r.gateway.Hint(r.hint, top.Bid, top.Ask)
		r.hint = core.NoInstrument
	}
	for r.gateway.Step()+r.shard.Step() > 0 {
		r.want.Release(len(r.want.Pending())) // the corpus brings snapshots by itself
	}
}

// Check compares the rig after whole passes with what it must have done.
func (r *Rig) Check(passes, orders int) error {
	if r.Odd != passes*r.corpus.Foreign || r.Orders != passes*orders || r.gate.Live() != 0 || r.gate.RefusedTotal() != 0 {
		return fmt.Errorf("got %d orders in %d passes, %d frames without event, %d orders left, %d refusals, want %d orders and %d such frames a pass and 0 of the others",
			r.Orders, passes, r.Odd, r.gate.Live(), r.gate.RefusedTotal(), orders, r.corpus.Foreign)
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

// deaf is a venue that is never asked anything: the rig has no doubt to end.
type deaf struct{}

var errDeaf = errors.New("the rig has no venue to ask")

func (deaf) Order(context.Context, core.InstrumentID, core.ClientID, int64) (core.Execution, error) {
	return core.Execution{}, errDeaf
}

func (deaf) OrderTrades(context.Context, core.InstrumentID, int64) ([]core.Execution, error) {
	return nil, errDeaf
}

func (deaf) TradesFrom(context.Context, core.InstrumentID, int64) ([]core.Execution, error) {
	return nil, errDeaf
}
func (deaf) OpenOrders(context.Context) ([]core.Execution, error) { return nil, errDeaf }
func (deaf) Balances(context.Context) ([]core.Balance, error)     { return nil, errDeaf }
func (deaf) SyncClock(context.Context) error                      { return errDeaf }

package exec_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
)

// trials is how many of each kind an acceptance test tries: few, or what
// RIPOSTE_TRIALS says.
func trials(few int) int {
	if n, err := strconv.Atoi(os.Getenv("RIPOSTE_TRIALS")); err == nil && n > 0 {
		return n
	}
	return few
}

// trueVenue keeps the true ledger. Its read side is a set of replicas, each of which
// lags behind by a time of its own, drawn for every call: reads may go back in time.
type trueVenue struct {
	r     *rig
	clock core.Clock
	rng   *rand.Rand    // of the loop goroutine
	reads *rand.Rand    // of the cold calls, under mu
	lag   time.Duration // at most

	mu     sync.Mutex
	orders map[core.ClientID]*trueOrder
	byID   map[int64]*trueOrder
	trades []trueTrade
	posts  map[core.ClientID]int
	calls  map[core.ClientID][]string // "cancel" and "read", in order
	events []core.Execution           // of the user stream, not yet taken by the test
	lastID int64
	trade  int64
}

type trueOrder struct {
	client  core.ClientID
	id      int64
	side    core.Side
	qty     core.Qty
	history []trueState
}

type trueState struct {
	at     core.MonoNs
	status core.OrderStatus
	cum    core.Qty
}

type trueTrade struct {
	at core.MonoNs
	e  core.Execution
}

func newTrueVenue(seed uint64, lag time.Duration) *trueVenue {
	return &trueVenue{rng: rand.New(rand.NewPCG(seed, 1)), reads: rand.New(rand.NewPCG(seed, 2)), lag: lag, lastID: 5000,
		orders: map[core.ClientID]*trueOrder{}, byID: map[int64]*trueOrder{}, posts: map[core.ClientID]int{}, calls: map[core.ClientID][]string{}}
}

// join puts the venue behind a gateway; attach is told of the rig once it is built.
func (v *trueVenue) join(c *exec.Config) { c.Venue, v.clock = v, c.Clock }

func (v *trueVenue) attach(r *rig) { v.r = r }

func (o *trueOrder) now() trueState { return o.history[len(o.history)-1] }

// seen is the order as a replica has it; false if it does not have it yet.
func (o *trueOrder) seen(at core.MonoNs) (s trueState, ok bool) {
	for _, h := range o.history {
		if h.at <= at {
			s, ok = h, true
		}
	}
	return s, ok
}

func (v *trueVenue) exec(o *trueOrder, kind core.ExecKind, s trueState) core.Execution {
	return core.Execution{Kind: kind, Status: s.status, Side: o.side, Client: o.client, VenueID: o.id, Price: 100_00000000, Qty: o.qty, Cum: s.cum,
		TradeID: -1, FeeAsset: core.NoAsset}
}

// accept takes an order.
func (v *trueVenue) accept(client core.ClientID, side core.Side, qty core.Qty) *trueOrder {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.lastID++
	o := &trueOrder{client: client, id: v.lastID, side: side, qty: qty}
	v.orders[client], v.byID[o.id] = o, o
	v.become(o, core.ExecNew, core.New)
	return o
}

func (v *trueVenue) become(o *trueOrder, kind core.ExecKind, st core.OrderStatus) {
	cum := core.Qty(0)
	if len(o.history) > 0 {
		cum = o.now().cum
	}
	o.history = append(o.history, trueState{v.clock.Mono(), st, cum})
	v.events = append(v.events, v.exec(o, kind, o.now()))
}

// fill trades q of an order.
func (v *trueVenue) fill(o *trueOrder, q core.Qty) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if o.now().status.Terminal() {
		return
	}
	q = min(q, o.qty-o.now().cum)
	v.trade++
	s := trueState{v.clock.Mono(), core.PartiallyFilled, o.now().cum + q}
	if s.cum == o.qty {
		s.status = core.Filled
	}
	o.history = append(o.history, s)
	e := v.exec(o, core.ExecTrade, s)
	e.TradeID, e.LastQty, e.LastPrice = v.trade, q, 100_00000000
	e.LastQuote, _ = core.NotionalOf(e.LastPrice, q).AmountFloor()
	e.FeeAsset, e.Fee = core.AssetID(v.rng.IntN(3)), core.Amount(1+v.rng.IntN(1000))
	v.events = append(v.events, e)
	v.trades = append(v.trades, trueTrade{s.at, e})
}

func (v *trueVenue) end(o *trueOrder, kind core.ExecKind, st core.OrderStatus) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	if o.now().status.Terminal() {
		return false
	}
	v.become(o, kind, st)
	return true
}

// take hands out the user stream's events so far.
func (v *trueVenue) take() []core.Execution {
	v.mu.Lock()
	defer v.mu.Unlock()
	list := v.events
	v.events = nil
	return list
}

// posted counts a request that creates an order.
func (v *trueVenue) posted(q *request) core.ClientID {
	c, _ := core.MakeClientID(q.query.Get("newClientOrderId"))
	v.mu.Lock()
	defer v.mu.Unlock()
	v.posts[c]++
	return c
}

// cancelled finds the order of a DELETE.
func (v *trueVenue) cancelled(q *request) *trueOrder {
	v.mu.Lock()
	defer v.mu.Unlock()
	id, _ := strconv.ParseInt(q.query.Get("orderId"), 10, 64)
	o := v.byID[id]
	if o == nil {
		c, _ := core.MakeClientID(q.query.Get("origClientOrderId"))
		o = v.orders[c]
	}
	if o != nil {
		v.calls[o.client] = append(v.calls[o.client], "cancel")
	}
	return o
}

// placedAnswer is the FULL answer of an order as it is now.
func (v *trueVenue) placedAnswer(q *request, o *trueOrder) string {
	return answer(200, placed(q, o.id, o.now().status.String(), o.now().cum.String()))
}

// replica is the moment that a read shows.
func (v *trueVenue) replica() core.MonoNs {
	at := v.clock.Mono()
	if v.lag > 0 {
		at -= core.MonoNs(v.reads.Int64N(int64(v.lag) + 1))
	}
	return at
}

func (v *trueVenue) Order(_ context.Context, _ core.InstrumentID, c core.ClientID, venueID int64) (core.Execution, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	o := v.orders[c]
	if venueID != 0 {
		o = v.byID[venueID]
	}
	if o == nil {
		return core.Execution{}, errNoOrder
	}
	v.calls[o.client] = append(v.calls[o.client], "read")
	s, ok := o.seen(v.replica())
	if !ok {
		return core.Execution{}, errNoOrder
	}
	return v.exec(o, core.ExecStatus, s), nil
}

func (v *trueVenue) list(keep func(*trueOrder, trueState) bool) (out []core.Execution) {
	at := v.replica()
	for _, id := range slices.Sorted(func(yield func(int64) bool) {
		for id := range v.byID {
			if !yield(id) {
				return
			}
		}
	}) {
		o := v.byID[id]
		if s, ok := o.seen(at); ok && keep(o, s) {
			out = append(out, v.exec(o, core.ExecStatus, s))
		}
	}
	return out
}

func (v *trueVenue) OpenOrders(context.Context) ([]core.Execution, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.list(func(_ *trueOrder, s trueState) bool { return !s.status.Terminal() }), nil
}

func (v *trueVenue) OpenOrdersOf(ctx context.Context, id core.InstrumentID) ([]core.Execution, error) {
	if id != 0 {
		return nil, nil
	}
	return v.OpenOrders(ctx)
}

func (v *trueVenue) HistoryFrom(_ context.Context, id core.InstrumentID, from int64) ([]core.Execution, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.list(func(o *trueOrder, _ trueState) bool { return id == 0 && o.id >= from }), nil
}

func (v *trueVenue) HistorySince(_ context.Context, id core.InstrumentID, since core.WallNs) ([]core.Execution, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	from := core.MonoNs(since - (v.clock.Wall() - core.WallNs(v.clock.Mono())))
	return v.list(func(o *trueOrder, _ trueState) bool { return id == 0 && o.history[0].at >= from }), nil
}

func (v *trueVenue) told(keep func(*trueTrade) bool) (out []core.Execution) {
	at := v.replica()
	for i := range v.trades {
		if t := &v.trades[i]; t.at <= at && keep(t) {
			e := t.e
			e.Client, e.Status, e.Cum, e.Qty, e.Price = core.ClientID{}, core.New, 0, 0, 0
			out = append(out, e)
		}
	}
	return out
}

func (v *trueVenue) OrderTrades(_ context.Context, _ core.InstrumentID, venueID int64) ([]core.Execution, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.told(func(t *trueTrade) bool { return t.e.VenueID == venueID }), nil
}

func (v *trueVenue) TradesFrom(_ context.Context, id core.InstrumentID, from int64) ([]core.Execution, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	out := v.told(func(t *trueTrade) bool { return id == 0 && t.e.TradeID >= from })
	if from < 0 && len(out) > 1 {
		out = out[len(out)-1:]
	}
	return out, nil
}

func (v *trueVenue) TradesSince(_ context.Context, id core.InstrumentID, since core.WallNs) ([]core.Execution, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	from := core.MonoNs(since - (v.clock.Wall() - core.WallNs(v.clock.Mono())))
	return v.told(func(t *trueTrade) bool { return id == 0 && t.at >= from }), nil
}

func (v *trueVenue) Balances(context.Context) ([]core.Balance, core.WallNs, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	at := v.replica()
	bs := []core.Balance{{Asset: 0, Free: 1000_00000000}, {Asset: 1, Free: 1_000_000_00000000}, {Asset: 2, Free: 10_00000000}}
	for i := range v.trades {
		t := &v.trades[i]
		if t.at > at {
			break
		}
		sign := core.Amount(t.e.Side.Sign())
		bs[0].Free += sign * core.Amount(t.e.LastQty)
		bs[1].Free -= sign * t.e.LastQuote
		bs[t.e.FeeAsset].Free -= t.e.Fee
	}
	return bs, 0, nil
}

func (v *trueVenue) SyncClock(context.Context) error { return nil }

var _ exec.Venue = (*trueVenue)(nil)

// judge compares an order of ours with the truth.
func (v *trueVenue) judge(t testing.TB, id core.OrderID, client core.ClientID) {
	t.Helper()
	v.mu.Lock()
	defer v.mu.Unlock()
	if n := v.posts[client]; n > 1 {
		t.Errorf("order %s was sent %d times", client, n)
	}
	o, want := v.r.g.Table().Find(id), v.orders[client]
	if o == nil {
		t.Errorf("order %s is not held", client)
		return
	}
	switch st := o.Status(); {
	case want == nil && st != core.NotSent && st != core.Rejected:
		t.Errorf("order %s is %v, the venue never had it: %s", client, st, v.r.story(id))
	case want != nil && (st != want.now().status || o.Filled != want.now().cum):
		t.Errorf("order %s is %v with %v filled, the venue says %v with %v: %s", client, st, o.Filled, want.now().status, want.now().cum, v.r.story(id))
	}
}

// spread is a distribution as text.
func spread(d []time.Duration) string {
	if len(d) == 0 {
		return "none"
	}
	slices.Sort(d)
	return fmt.Sprintf("p50 %v, p99 %v, max %v of %d", d[len(d)/2].Round(time.Millisecond), d[len(d)*99/100].Round(time.Millisecond), d[len(d)-1].Round(time.Millisecond), len(d))
}

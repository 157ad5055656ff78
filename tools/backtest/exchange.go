package backtest

import (
	"fmt"
	"slices"

	"riposte/core"
	"riposte/core/book"
	"riposte/tools/tape"
)

// Options are how the venue of a backtest behaves.
type Options struct {
	Latency  Latency
	Queue    Queue
	Consumed bool // what own takers took is gone until the recording sets its level anew
	Seed     uint64

	Maker, Taker int64   // commission rates at 1e-8: 10 bps is 100_000
	Fee          FeeKind // what they are taken from
	BNBPrice     core.Price
	Funds        []core.Balance // free at the start, by asset
	OrderLimits  []OrderLimit
	FixedRules   bool // the table's rules hold throughout, whatever the recording tells
}

// FeeKind is which asset commissions are taken from.
type FeeKind uint8

// The kinds: what the trade brought in, or BNB at a discount.
const (
	FeeReceived FeeKind = iota
	FeeBNB
)

// OrderLimit is one of the venue's limits on unfilled orders.
type OrderLimit struct {
	Span core.WallNs
	Most int
}

// Exchange is the venue of a backtest. One goroutine: Advance moves it to an instant,
// what comes of that is in Reports.
type Exchange struct {
	opt     Options
	table   *core.Instruments
	markets []*market
	ruled   []tape.Rules // what the tape's changes of rules are, nil: none counts
	trades  []bool       // by instrument: the tape has single trades, aggregates are not counted twice
	start   core.WallNs
	now     core.MonoNs

	toVenue, toUs way
	requests      pipe[request]
	reports       pipe[report]

	funds   []core.Balance
	orders  []*order // that have ended, for use again
	bnb     core.AssetID
	windows []window
	seen    func(*Fill) // told of each fill, nil: nobody

	Stats VenueStats
}

// VenueStats are what happened at the venue.
type VenueStats struct {
	Placed, Cancels, Amends, Replaces uint64 // that arrived
	Rejected, CancelRejected          uint64
	Codes                             map[int32]uint64 // of both
	Fills, MakerFills                 uint64
}

type request struct {
	at, sent core.MonoNs
	in       core.Intent
}

type report struct {
	at core.MonoNs
	r  core.Report
}

// Fill is one trade of ours, as it happened at the venue.
type Fill struct {
	At         core.MonoNs // at the venue
	Known      core.MonoNs // when its report arrives
	Order      core.OrderID
	Instrument core.InstrumentID
	Strategy   uint16
	Side       core.Side
	Maker      bool
	Price      core.Price
	Qty        core.Qty
	Quote      core.Amount
	Fee        core.Amount
	FeeAsset   core.AssetID
	Mid        core.Price // of the recorded market at that instant, 0: none
}

// NewExchange makes a venue that trades the instruments of a table on recorded events.
func NewExchange(t *core.Instruments, e *Events, opt Options) (*Exchange, error) {
	x := &Exchange{opt: opt, table: t, trades: make([]bool, len(t.List)), start: e.Start,
		toVenue: newWay(opt.Latency.Order, opt.Seed, 1), toUs: newWay(opt.Latency.Report, opt.Seed, 2),
		funds: make([]core.Balance, len(t.Assets)), bnb: core.NoAsset}
	x.Stats.Codes = map[int32]uint64{}
	if !opt.FixedRules {
		x.ruled = e.Ruled
	}
	for i := range t.List {
		in := t.List[i]
		x.markets = append(x.markets, &market{x: x, id: in.ID, in: in, sync: book.NewSync(&in, 0, 0), nextID: 1, tradeID: 1})
	}
	for i := range x.funds {
		x.funds[i].Asset = core.AssetID(i)
	}
	for _, b := range opt.Funds {
		if int(b.Asset) >= len(x.funds) || b.Free < 0 {
			return nil, fmt.Errorf("cannot begin with %v of asset %d: want an asset of the traded symbols and no less than 0", b.Free, b.Asset)
		}
		x.funds[b.Asset].Free = b.Free
	}
	if id, ok := t.AssetID("BNB"); ok {
		x.bnb = id
	}
	if opt.Fee == FeeBNB && x.bnb == core.NoAsset {
		return nil, fmt.Errorf("cannot take commissions in BNB: it is no asset of the traded symbols, want a balance of it")
	}
	for _, l := range opt.OrderLimits {
		x.windows = append(x.windows, window{limit: l})
	}
	return x, nil
}

// Send puts an intent on its way to the venue; now is when it was decided.
func (x *Exchange) Send(in *core.Intent, now core.MonoNs) {
	*x.requests.push() = request{at: x.toVenue.arrives(now), sent: now, in: *in}
}

// Next is when the next request arrives at the venue; not ok if none is under way.
func (x *Exchange) Next() (at core.MonoNs, ok bool) {
	if r := x.requests.head(); r != nil {
		return r.at, true
	}
	return 0, false
}

// NextReport is when the next report arrives here.
func (x *Exchange) NextReport() (at core.MonoNs, ok bool) {
	if r := x.reports.head(); r != nil {
		return r.at, true
	}
	return 0, false
}

// Report takes the next report off its way.
func (x *Exchange) Report() (r core.Report) {
	h := x.reports.head()
	r = h.r
	r.Recv = h.at
	x.reports.pop()
	return r
}

// Market moves a symbol's recorded market on.
func (x *Exchange) Market(now core.MonoNs, id core.InstrumentID, ev *core.Event, lv []core.Level) {
	x.now = now
	if id == core.NoInstrument {
		for _, m := range x.markets {
			m.event(ev, lv)
		}
		return
	}
	x.markets[id].event(ev, lv)
}

// Arrive has the venue act on the request whose time has come.
func (x *Exchange) Arrive() {
	r := *x.requests.head()
	x.requests.pop()
	x.now = r.at
	m := x.markets[r.in.Instrument]
	switch r.in.Kind {
	case core.Place:
		x.Stats.Placed++
		x.place(m, &r)
	case core.Cancel:
		x.Stats.Cancels++
		x.cancel(m, r.in.ID)
	case core.CancelAll:
		x.Stats.Cancels++
		x.cancelAll(m)
	case core.Amend:
		x.Stats.Amends++
		x.amend(m, &r.in)
	case core.Replace:
		x.Stats.Replaces++
		x.replace(m, &r)
	}
}

// tell puts a report about an order on its way.
func (x *Exchange) tell(o *order, k core.ReportKind, st core.OrderStatus) *core.Report {
	h := x.reports.push()
	h.at = x.toUs.arrives(x.now)
	h.r = core.Report{Kind: k, Status: st, Side: o.side, Instrument: o.in, FeeAsset: core.NoAsset, ID: o.id, VenueID: o.venueID,
		TradeID: -1, Cum: o.cum, VenueTime: x.start + core.WallNs(x.now)}
	return &h.r
}

// order is one of our orders at the venue.
type order struct {
	id         core.OrderID
	venueID    int64
	in         core.InstrumentID
	strategy   uint16
	side       core.Side
	typ        core.OrderType
	tif        core.TIF
	waits      bool // for its trigger
	tracking   bool // a trailing stop follows the price
	price      core.Price
	stop       core.Price
	extreme    core.Price // the best price a trailing stop has seen
	trail      int64
	qty, cum   core.Qty
	iceberg    core.Qty
	part       core.Qty // of an iceberg's shown part, what is left
	locked     core.Amount
	place      place
	countedFor bool // it counts as unfilled
	arrived    core.WallNs
}

func (o *order) left() core.Qty { return o.qty - o.cum }

// visible is how much of it stands at its place.
func (o *order) visible() core.Qty {
	if o.iceberg > 0 {
		return min(o.part, o.left())
	}
	return o.left()
}

func (x *Exchange) newOrder() *order {
	if n := len(x.orders); n > 0 {
		o := x.orders[n-1]
		x.orders = x.orders[:n-1]
		*o = order{}
		return o
	}
	return new(order)
}

// find is a live order and where it is: resting, or waiting for its trigger.
func (m *market) find(id core.OrderID) *order {
	for _, list := range [...][]*order{m.own[0], m.own[1], m.stops} {
		for _, o := range list {
			if o.id == id {
				return o
			}
		}
	}
	return nil
}

// rest puts an order into the queue of its price, behind all that is shown there and
// behind own orders that are there already.
func (m *market) rest(o *order) {
	o.place.join(m.shown(o.side, o.price))
	o.part = o.iceberg
	list := m.own[o.side]
	at := len(list)
	for at > 0 && better(o.side, o.price, list[at-1].price) {
		at--
	}
	m.own[o.side] = slices.Insert(list, at, o)
}

// leave takes an order out of the market.
func (m *market) leave(o *order) {
	list := &m.own[o.side]
	if o.waits {
		list = &m.stops
	}
	if i := slices.Index(*list, o); i >= 0 {
		*list = slices.Delete(*list, i, i+1)
	}
}

// end ends an order that is nowhere any more, and tells.
func (x *Exchange) end(o *order, st core.OrderStatus) {
	x.unlock(o, 0)
	x.tell(o, core.ReportDone, st)
	x.orders = append(x.orders, o)
}

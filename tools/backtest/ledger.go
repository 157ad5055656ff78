package backtest

import (
	"math"

	"riposte/core"
	"riposte/core/signal"
)

// ledger is what a run writes down of itself: money, orders, fills, signals. It decides
// nothing. The run's goroutine owns it.
type ledger struct {
	r       *Run
	started bool
	start   []core.Amount // of each asset, when trading began
	rates   []conversion  // of each asset into the currency
	due     core.MonoNs   // of the next mark

	fills   marker // groups: maker, taker
	signals marker // groups: rules, by instrument

	rows    []FillRow
	orders  []OrderRow
	open    map[core.OrderID]openOrder
	sigRows []SignalRow

	position []core.Qty
	volume   []float64 // in quote
	parts    []part    // by strategy
	counts   OrderCounts
	acks     Histogram // decision to acknowledgement, as we see it
	ends     Histogram // cancel to its end

	equity, peak, drawdown float64
	spread, fees, traded   float64
	points                 []Point
	bucket                 core.MonoNs
	returns, squares       float64 // of steps of a minute
	steps                  int
	stepAt                 core.MonoNs
	stepEquity             float64
	lost                   uint64
	invested, longest      float64
	lastSample, peakAt     core.MonoNs
}

// part is what one strategy's fills made.
type part struct {
	fills        uint64
	traded, fees float64
	flow         []core.Amount // of each asset: what came in less what went out
}

// OrderCounts are what became of decisions, as the engine hears it.
type OrderCounts struct {
	Placed    uint64           `json:"placed"` // that the gate let through
	Cancels   uint64           `json:"cancels"`
	Amends    uint64           `json:"amends"`
	Replaces  uint64           `json:"replaces"`
	Acked     uint64           `json:"acked"`
	Fills     uint64           `json:"fills"`
	Maker     uint64           `json:"maker_fills"`
	Filled    uint64           `json:"filled"`
	Canceled  uint64           `json:"canceled"`
	Expired   uint64           `json:"expired"`
	Rejected  uint64           `json:"rejected"`
	NotSent   uint64           `json:"not_sent"`
	CancelBad uint64           `json:"cancel_rejected"`
	Codes     map[int32]uint64 `json:"codes,omitempty"`
}

type openOrder struct {
	at, cancelAt core.MonoNs
	row          int // in orders, -1 if it is not kept
	acked        bool
}

// conversion is the way from an asset to the currency: over up to two instruments.
type conversion struct {
	hops []hop
	ok   bool
}

type hop struct {
	in     core.InstrumentID
	divide bool
}

// Point is the run at one instant.
type Point struct {
	At       core.MonoNs
	Equity   float64 // profit since the start, in the currency
	Low      float64 // lowest since the point before
	Drawdown float64 // deepest since the point before
	Mids     []core.Price
	Position []core.Qty
}

func newLedger(r *Run) *ledger {
	t := r.cfg.Engine.Instruments
	l := &ledger{r: r, due: never, start: make([]core.Amount, len(t.Assets)), position: make([]core.Qty, len(t.List)),
		volume: make([]float64, len(t.List)), open: map[core.OrderID]openOrder{}}
	l.counts.Codes = map[int32]uint64{}
	for a := range t.Assets {
		l.rates = append(l.rates, route(t, core.AssetID(a), r.cfg.Currency))
	}
	if n := r.cfg.Keep.Points; n > 0 {
		end := r.cfg.To
		if end == never {
			end = r.cfg.Laps.Length()
		}
		l.bucket = max((end-r.cfg.From)/core.MonoNs(n), 1)
	}
	return l
}

func route(t *core.Instruments, from, to core.AssetID) conversion {
	if from == to {
		return conversion{ok: true}
	}
	step := func(from, to core.AssetID) (hop, bool) {
		for i := range t.List {
			switch in := &t.List[i]; {
			case in.Base == from && in.Quote == to:
				return hop{in.ID, false}, true
			case in.Base == to && in.Quote == from:
				return hop{in.ID, true}, true
			}
		}
		return hop{}, false
	}
	if h, ok := step(from, to); ok {
		return conversion{[]hop{h}, true}
	}
	for a := range t.Assets {
		one, ok1 := step(from, core.AssetID(a))
		two, ok2 := step(core.AssetID(a), to)
		if ok1 && ok2 {
			return conversion{[]hop{one, two}, true}
		}
	}
	return conversion{}
}

// worth is an amount of an asset in the currency, by the recorded mids as they are.
func (l *ledger) worth(a core.AssetID, amount core.Amount) float64 {
	v := float64(amount) / core.Scale
	if int(a) >= len(l.rates) {
		return 0
	}
	for _, h := range l.rates[a].hops {
		p := float64(l.r.x.markets[h.in].quick()) / core.Scale
		switch {
		case p <= 0:
			return 0
		case h.divide:
			v /= p
		default:
			v *= p
		}
	}
	return v
}

// quick is the recorded mid by the book and the stream of best prices alone.
func (m *market) quick() core.Price {
	if top := m.sync.Top(); top.Bid != 0 && top.Ask != 0 {
		return top.Bid + (top.Ask-top.Bid)/2
	}
	return m.last
}

func (l *ledger) mid(id core.InstrumentID) core.Price { return l.r.x.markets[id].quick() }

func (l *ledger) begin() {
	l.started = true
	for a := range l.start {
		b := l.r.x.funds[a]
		l.start[a] = b.Free + b.Locked
	}
	l.stepAt, l.lastSample, l.peakAt = l.r.now, l.r.now, l.r.now
}

// mark takes the marks that are due at an instant of the venue, before what happens then.
func (l *ledger) mark(now core.MonoNs) {
	l.fills.mark(now, l.mid)
	l.signals.mark(now, l.mid)
	l.due = min(l.fills.due(), l.signals.due())
}

// filled writes down a fill when it happens.
func (l *ledger) filled(f *Fill) {
	sign := float64(f.Side.Sign())
	in := &l.r.cfg.Engine.Instruments.List[f.Instrument]
	quote := l.worth(in.Quote, f.Quote)
	l.traded += quote
	l.volume[f.Instrument] += float64(f.Quote) / core.Scale
	fee := l.worth(f.FeeAsset, f.Fee)
	l.fees += fee
	l.position[f.Instrument] += core.Qty(f.Side.Sign()) * f.Qty
	if f.FeeAsset == in.Base {
		l.position[f.Instrument] -= core.Qty(f.Fee)
	}
	if f.Mid > 0 {
		edge, _ := core.NotionalOf(abs(f.Mid-f.Price), f.Qty).AmountFloor()
		v := l.worth(in.Quote, edge)
		if f.Mid < f.Price {
			v = -v
		}
		l.spread += sign * v
	}
	l.share(f, in, quote, fee)
	group := 0
	if !f.Maker {
		group = 1
	}
	x := marked{at: f.At, in: f.Instrument, side: f.Side, price: f.Price, group: group}
	if len(l.rows) < l.r.cfg.Keep.Fills {
		if l.rows == nil {
			l.rows = make([]FillRow, 0, l.r.cfg.Keep.Fills) // marks point into it
		}
		l.rows = append(l.rows, FillRow{Fill: *f})
		x.keep = &l.rows[len(l.rows)-1].Marks
	}
	l.fills.add(x)
	l.due = min(l.due, f.At+core.MonoNs(Horizons[0]))
}

// share gives a fill to the strategy whose order it was.
func (l *ledger) share(f *Fill, in *core.Instrument, quote, fee float64) {
	for len(l.parts) <= int(f.Strategy) {
		l.parts = append(l.parts, part{flow: make([]core.Amount, len(l.start))})
	}
	p := &l.parts[f.Strategy]
	p.fills++
	p.traded += quote
	p.fees += fee
	sign := core.Amount(f.Side.Sign())
	p.flow[in.Base] += sign * core.Amount(f.Qty)
	p.flow[in.Quote] -= sign * f.Quote
	if int(f.FeeAsset) < len(p.flow) {
		p.flow[f.FeeAsset] -= f.Fee
	}
}

func abs(p core.Price) core.Price { return max(p, -p) }

// fired writes down a signal when the engine has seen it.
func (l *ledger) fired(f *signal.Fired) {
	if !l.started {
		return
	}
	top := l.r.shard.Sync(f.Instrument).Top()
	group := int(f.Instrument)*signal.RulesMax + int(f.Rule)
	x := marked{at: l.r.now, in: f.Instrument, side: f.Side, price: top.Mid(), group: group}
	if len(l.sigRows) < l.r.cfg.Keep.Fills {
		if l.sigRows == nil {
			l.sigRows = make([]SignalRow, 0, l.r.cfg.Keep.Fills)
		}
		l.sigRows = append(l.sigRows, SignalRow{At: l.r.now, Instrument: f.Instrument, Rule: f.Rule, Side: f.Side, Strength: f.Strength, Mid: top.Mid()})
		x.keep = &l.sigRows[len(l.sigRows)-1].Marks
	}
	l.signals.add(x)
	l.due = min(l.due, l.r.now+core.MonoNs(Horizons[0]))
}

// decided writes down an intent that is on its way.
func (l *ledger) decided(in *core.Intent, now core.MonoNs) {
	switch in.Kind {
	case core.Place, core.Replace:
		l.counts.Placed++
		if in.Kind == core.Replace {
			l.counts.Replaces++
			l.cancelling(in.Old, now)
		}
		o := openOrder{at: now, row: -1}
		if len(l.orders) < l.r.cfg.Keep.Orders {
			o.row = len(l.orders)
			l.orders = append(l.orders, OrderRow{ID: in.ID, At: now, Instrument: in.Instrument, Side: in.Side, Type: in.Type, TIF: in.TIF,
				Price: in.Price, Qty: in.Qty, Strategy: in.Strategy, Status: core.PendingNew})
		}
		l.open[in.ID] = o
	case core.Cancel:
		l.counts.Cancels++
		l.cancelling(in.ID, now)
	case core.CancelAll:
		l.counts.Cancels++
	case core.Amend:
		l.counts.Amends++
	}
}

func (l *ledger) cancelling(id core.OrderID, now core.MonoNs) {
	if o, ok := l.open[id]; ok {
		o.cancelAt = now
		l.open[id] = o
	}
}

// heard writes down a report when it arrives.
func (l *ledger) heard(r *core.Report) {
	o, known := l.open[r.ID]
	now := l.r.now
	var row *OrderRow
	if known && o.row >= 0 {
		row = &l.orders[o.row]
		row.Status, row.Cum = r.Status, max(row.Cum, r.Cum)
	}
	switch r.Kind {
	case core.ReportAck:
		l.counts.Acked++
		if known && !o.acked {
			l.acks.add(now - o.at)
			o.acked = true
			l.open[r.ID] = o
			if row != nil {
				row.Acked = now
			}
		}
	case core.ReportFill:
		l.counts.Fills++
		if r.Maker {
			l.counts.Maker++
		}
	case core.ReportCancelRejected:
		l.counts.CancelBad++
		l.counts.Codes[r.Code]++
	case core.ReportDone:
		switch r.Status {
		case core.Filled:
			l.counts.Filled++
		case core.Canceled:
			l.counts.Canceled++
		case core.Expired:
			l.counts.Expired++
		case core.Rejected:
			l.counts.Rejected++
			l.counts.Codes[r.Code]++
		case core.NotSent:
			l.counts.NotSent++
		}
		if row != nil {
			row.Ended, row.Code = now, r.Code
		}
		if known && o.cancelAt > 0 {
			l.ends.add(now - o.cancelAt)
		}
		delete(l.open, r.ID)
	}
}

// sample takes the money's measure, at each timer.
func (l *ledger) sample() {
	if !l.started {
		return
	}
	now, v := l.r.now, 0.0
	for a := range l.start {
		b := &l.r.x.funds[a]
		if d := b.Free + b.Locked - l.start[a]; d != 0 {
			v += l.worth(core.AssetID(a), d)
		}
	}
	l.equity = v
	if v >= l.peak {
		l.peak, l.peakAt = v, now
	}
	l.drawdown = max(l.drawdown, l.peak-v)
	for _, q := range l.position {
		if q != 0 {
			l.invested += float64(now - l.lastSample)
			break
		}
	}
	l.longest = max(l.longest, float64(now-l.peakAt))
	l.lastSample = now
	const minute = core.MonoNs(60e9)
	if now-l.stepAt >= minute {
		d := v - l.stepEquity
		l.steps++
		l.returns += d
		l.squares += d * d
		l.stepAt, l.stepEquity = now, v
	}
	if l.bucket > 0 {
		l.point(now, v)
	}
}

func (l *ledger) point(now core.MonoNs, v float64) {
	at := now - (now-l.r.cfg.From)%l.bucket
	if n := len(l.points); n == 0 || l.points[n-1].At != at {
		if n > l.r.cfg.Keep.Points+1 {
			return
		}
		k := len(l.position)
		l.points = append(l.points, Point{At: at, Low: v, Mids: make([]core.Price, k), Position: make([]core.Qty, k)})
	}
	p := &l.points[len(l.points)-1]
	p.Equity, p.Low, p.Drawdown = v, math.Min(p.Low, v), math.Max(p.Drawdown, l.peak-v)
	for i := range p.Mids {
		p.Mids[i], p.Position[i] = l.mid(core.InstrumentID(i)), l.position[i]
	}
}

func (l *ledger) end() { l.sample() }

package backtest

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"riposte/core"
)

// Probe is an order that really rested at the venue while the recording was made: what a
// queue model says of it can be held against what became of it.
type Probe struct {
	Symbol     string
	Side       core.Side
	Price      core.Price
	Qty        core.Qty
	Placed     core.WallNs // by the venue, 0: never
	Ended      core.WallNs // 0: it outlived the journal
	Filled     core.Qty    // as maker, until then
	FilledAt   core.WallNs // the last of it
	Took       bool        // it traded as a taker, so it says nothing of queues
	instrument core.InstrumentID
}

// Told takes what became known of the order; wall is when, for where the venue told no
// time.
func (p *Probe) Told(r *core.Report, wall core.WallNs) {
	at := r.VenueTime
	if at == 0 {
		at = wall
	}
	switch r.Kind {
	case core.ReportAck:
		p.Placed = at
	case core.ReportFill:
		if !r.Maker {
			p.Took = true
			return
		}
		p.Filled += r.Qty
		p.FilledAt = at
	case core.ReportAmended:
		p.Qty = min(p.Qty, r.Qty)
	case core.ReportDone, core.ReportResolved:
		if r.Status.Terminal() {
			p.Ended = at
		}
	}
}

// Fit is how well a queue model foretold what became of probes.
type Fit struct {
	Queue     string  `json:"queue"`
	Orders    int     `json:"orders"`
	Real      int     `json:"really_filled"` // whole or in part
	Predicted int     `json:"predicted"`
	Both      int     `json:"both"`
	Missed    int     `json:"missed"` // really filled, and not within the grace
	Wrong     int     `json:"wrong"`  // predicted, and cancelled unfilled in truth
	RealQty   float64 `json:"real_qty_value"`
	ModelQty  float64 `json:"model_qty_value"`
	// Late is the median of predicted less real time of the last fill, of Both, in ms.
	Late float64 `json:"late_ms"`
	// F1 is the harmonic mean of the shares of right predictions and of foretold fills.
	F1 float64 `json:"f1"`
}

// Grace is how much later than in truth a predicted fill may come.
const Grace = core.WallNs(time.Second)

// Calibrate lets probes stand in the queues of a recording under each model. feed is how
// much later than the venue's time events were received.
func Calibrate(l *Laps, t *core.Instruments, probes []Probe, queues []Queue, feed core.MonoNs) ([]Fit, error) {
	var list []Probe
	for _, p := range probes {
		in, ok := t.Lookup(p.Symbol)
		if !ok || p.Placed < l.Events.Start || p.Took || p.Ended == 0 || p.Ended > l.Events.Start+core.WallNs(l.Events.Span) {
			continue
		}
		p.instrument = in.ID
		list = append(list, p)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("cannot calibrate: none of the journal's %d orders rested, from beginning to end, within the recording", len(probes))
	}
	slices.SortStableFunc(list, func(a, b Probe) int { return cmp.Compare(a.Placed, b.Placed) })
	var fits []Fit
	for _, q := range queues {
		f, err := fit(l, t, list, q, feed)
		if err != nil {
			return nil, err
		}
		fits = append(fits, f)
	}
	return fits, nil
}

// trial is one probe under a model.
type trial struct {
	*Probe
	id     core.OrderID
	until  core.MonoNs
	filled core.Qty
	at     core.MonoNs
}

func fit(l *Laps, t *core.Instruments, probes []Probe, q Queue, feed core.MonoNs) (Fit, error) {
	funds := make([]core.Balance, len(t.Assets))
	for a := range funds {
		funds[a] = core.Balance{Asset: core.AssetID(a), Free: 1 << 60}
	}
	x, err := NewExchange(t, l.Events, Options{Queue: q, Funds: funds})
	if err != nil {
		return Fit{}, err
	}
	x.trades = singleTrades(l.Events)
	trials := make([]trial, len(probes))
	since := func(w core.WallNs) core.MonoNs { return core.MonoNs(w - l.Events.Start) }
	for i := range probes {
		p := &probes[i]
		trials[i] = trial{Probe: p, id: core.OrderID(i + 1), until: since(p.Ended)}
		if p.Filled > 0 {
			trials[i].until = since(p.FilledAt + Grace)
		}
	}
	x.seen = func(f *Fill) {
		tr := &trials[f.Order-1]
		tr.filled += f.Qty
		tr.at = f.At
	}
	c := l.cursor()
	next := 0
	var live []int
	for c.next() {
		now := c.ev.Recv - feed
		for next < len(trials) && since(trials[next].Placed) <= now {
			tr := &trials[next]
			m := x.markets[tr.instrument]
			x.now = since(tr.Placed)
			o := x.newOrder()
			o.id, o.in, o.side, o.typ, o.price, o.qty = tr.id, m.id, tr.Side, core.LimitMaker, tr.Price, tr.Qty
			if x.lock(m, o) {
				m.rest(o) // it did rest, whatever the recorded book says a moment later
				live = append(live, next)
			}
			next++
		}
		live = slices.DeleteFunc(live, func(i int) bool {
			tr := &trials[i]
			if tr.until > now {
				return false
			}
			if m := x.markets[tr.instrument]; m.find(tr.id) != nil {
				x.now = now
				x.cancel(m, tr.id)
			}
			return true
		})
		x.Market(now, c.ev.Instrument, c.ev, c.lv)
		for x.reports.head() != nil {
			x.reports.pop()
		}
	}
	return judge(trials, q), nil
}

func judge(trials []trial, q Queue) Fit {
	f := Fit{Queue: q.String(), Orders: len(trials)}
	var late []float64
	for i := range trials {
		tr := &trials[i]
		f.RealQty += value(tr.Price, tr.Filled)
		f.ModelQty += value(tr.Price, tr.filled)
		if tr.Filled > 0 {
			f.Real++
		}
		if tr.filled > 0 {
			f.Predicted++
		}
		switch {
		case tr.Filled > 0 && tr.filled > 0:
			f.Both++
			late = append(late, float64(tr.at-(tr.until-core.MonoNs(Grace)))/1e6)
		case tr.Filled > 0:
			f.Missed++
		case tr.filled > 0:
			f.Wrong++
		}
	}
	if len(late) > 0 {
		slices.Sort(late)
		f.Late = late[len(late)/2]
	}
	if f.Both > 0 {
		f.F1 = 2 * float64(f.Both) / float64(f.Predicted+f.Real)
	}
	return f
}

func value(p core.Price, q core.Qty) float64 {
	a, ok := core.NotionalOf(p, q).AmountFloor()
	if !ok {
		return math.MaxInt64 / core.Scale
	}
	return float64(a) / core.Scale
}

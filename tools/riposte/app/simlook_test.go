package app

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/journal"
	"riposte/exec"
	"riposte/tools/sim"
	"riposte/tools/store"
)

// The narrow look at an engine that judges have: nothing is computed here that the
// engine did not hold or show.

var _ sim.Engine = (*simLife)(nil)

func (l *simLife) Life() int         { return l.n }
func (l *simLife) Mono() core.MonoNs { return l.d.clock.Mono() }
func (l *simLife) Wall() core.WallNs { return l.d.clock.Wall() }

// Halted is what gate and gateway say.
func (l *simLife) Halted() string {
	if h := l.d.gate.Halted() | l.d.gateway.Halted(); h != 0 {
		return h.String()
	}
	return ""
}

func (l *simLife) Books() (list []sim.BookState) {
	now := l.d.clock.Mono()
	for i := range l.d.table.List {
		in := &l.d.table.List[i]
		s := l.d.shard.Sync(in.ID)
		if s == nil {
			continue
		}
		_, live := s.Live()
		top := s.Top()
		list = append(list, sim.BookState{Symbol: in.Symbol, State: s.State().String(), Full: l.r.plan.Work.Set["market.queue_events"] != "" && s.Status().Reason == book.QueueFull, Live: live, Bid: int64(top.Bid), Ask: int64(top.Ask),
			BidQty: int64(top.BidQty), AskQty: int64(top.AskQty), Age: time.Duration(now - s.LastProof())})
	}
	return list
}

func (l *simLife) Orders() (list []sim.OrderState) {
	l.d.gateway.Table().EachLive(func(o *exec.Order) {
		list = append(list, sim.OrderState{Client: o.Client.String(), VenueID: o.VenueID, Symbol: l.d.table.Get(o.Instrument).Symbol,
			Side: o.Side.String(), Status: o.Status().String(), Price: int64(o.Price), Qty: int64(o.Qty), Cum: int64(o.Cum), Cancelling: o.Cancelling()})
	})
	return list
}

func (l *simLife) Positions() map[string]int64 {
	m := map[string]int64{}
	for i := range l.d.table.List {
		in := &l.d.table.List[i]
		m[in.Symbol] = int64(l.d.gateway.Ledger().Holding(in.ID))
	}
	return m
}

func (l *simLife) Balances() map[string]int64 {
	g := l.d.gateway.Ledger()
	if !g.Opened() {
		return nil
	}
	m := map[string]int64{}
	for i := range l.d.table.List {
		in := &l.d.table.List[i]
		for _, a := range []core.AssetID{in.Base, in.Quote} {
			m[l.d.table.AssetName(a)] = int64(g.Owned(a))
		}
	}
	return m
}

// Booked reads the journal that the last life has left.
func (l *simLife) Booked() (list []sim.Fill, err error) {
	names, err := filepath.Glob(filepath.Join(l.dir, "*.journal"))
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	for _, name := range names {
		if list, err = l.bookedIn(name, list); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return list, nil
}

func (l *simLife) bookedIn(name string, list []sim.Fill) ([]sim.Fill, error) {
	r, err := store.OpenReader(name)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for {
		rec, err := r.Next()
		var torn *journal.TornTail
		switch {
		case errors.Is(err, io.EOF) || errors.As(err, &torn):
			return list, nil
		case err != nil:
			return nil, err
		case rec.Kind != journal.KindReport:
			continue
		}
		var rep journal.Report
		if err := rep.Decode(&rec); err != nil {
			return nil, err
		}
		if rep.Report.Kind == core.ReportFill {
			list = append(list, sim.Fill{Symbol: l.d.table.Get(rep.Report.Instrument).Symbol, Trade: rep.Report.TradeID, Price: int64(rep.Report.Price), Qty: int64(rep.Report.Qty)})
		}
	}
}

func (l *simLife) Unknown() (n int, oldest time.Duration) {
	now := l.d.clock.Mono()
	l.d.gateway.Table().EachLive(func(o *exec.Order) {
		if o.Status() == core.Unknown {
			n++
			age := l.r.w.Now() - l.begun // of an order that a former life left
			if o.Sent > 0 {
				age = time.Duration(now - o.Sent)
			}
			oldest = max(oldest, age)
		}
	})
	return n, oldest
}

func (l *simLife) Shown() sim.Face {
	r := l.d.report()
	return sim.Face{State: r.State, Live: r.BooksLive, Books: r.Books, Problems: r.Problems}
}

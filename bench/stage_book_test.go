package bench

import (
	"fmt"
	"testing"

	"riposte/core"
	"riposte/core/book"
)

// syncWork applies all depth events and touches of the corpus through Sync, as the
// shard does, from a lost line to the last event.
func syncWork(t testing.TB, c *Corpus) *work {
	d := events(t, c)
	syncs := make([]*book.Sync, len(c.Table.List))
	for i := range syncs {
		syncs[i] = book.NewSync(c.Table.Get(core.InstrumentID(i)), 0, 0)
	}
	order := d.InOrder()
	w := &work{levels: d.Total}
	for _, i := range order {
		if i >= 0 {
			w.items++
		}
	}
	var tops uint64
	bad := 0
	w.pass = func() {
		for _, s := range syncs {
			s.LineDown()
		}
		for _, i := range order {
			if i < 0 {
				im := d.Images[-i-1]
				if syncs[im.Instrument].Snapshot(im) != book.Applied {
					bad++
				}
				continue
			}
			ev := &d.Events[i]
			s := syncs[ev.Instrument]
			if ev.Kind == core.Touch {
				s.Touch(ev)
			} else if v := s.Delta(ev, d.Levels[i]); v != book.Applied && v != book.Dropped {
				bad++
			}
			top := s.Top()
			tops += uint64(top.Bid) ^ uint64(top.Ask)
		}
	}
	w.check = func() error {
		if bad != 0 || tops == 0 {
			return fmt.Errorf("got %d events or snapshots that were not taken, want 0", bad)
		}
		for i := range c.Table.List {
			if want, ok := c.Want[c.Table.List[i].Symbol]; ok {
				if err := CheckBook(syncs[i], want); err != nil {
					return fmt.Errorf("book of %s: %w", c.Table.List[i].Symbol, err)
				}
			}
		}
		return nil
	}
	return w
}

// levelWork sets every level of the corpus by itself and reads both best prices after
// each.
func levelWork(t testing.TB, c *Corpus) *work {
	d := events(t, c)
	order := d.InOrder()
	b := book.New(c.Table.Get(0).Filters.Tick, 0)
	w := &work{}
	var sum uint64
	last := map[core.Side]map[core.Price]core.Qty{core.Buy: {}, core.Sell: {}}
	for _, i := range order {
		if i < 0 {
			for s, lv := range [2][]core.Level{d.Images[-i-1].Bids, d.Images[-i-1].Asks} {
				for _, l := range lv {
					last[core.Side(s)][l.Price] = l.Qty
				}
			}
			continue
		}
		if ev := &d.Events[i]; ev.Kind == core.DepthDelta {
			w.items += len(d.Levels[i])
			for k, l := range d.Levels[i] {
				side := core.Buy
				if k >= int(ev.Bids) {
					side = core.Sell
				}
				last[side][l.Price] = l.Qty
				if l.Qty == 0 {
					delete(last[side], l.Price)
				}
			}
		}
	}
	w.pass = func() {
		for _, i := range order {
			if i < 0 {
				b.Load(d.Images[-i-1])
				continue
			}
			ev := &d.Events[i]
			if ev.Kind != core.DepthDelta {
				continue
			}
			for k := range d.Levels[i] {
				side := core.Buy
				if k >= int(ev.Bids) {
					side = core.Sell
				}
				b.Set(side, d.Levels[i][k].Price, d.Levels[i][k].Qty)
				bid, ask := b.Best(core.Buy), b.Best(core.Sell)
				sum += uint64(bid.Price) ^ uint64(ask.Price)
			}
		}
	}
	w.check = func() error {
		if b.Len(core.Buy) != len(last[core.Buy]) || b.Len(core.Sell) != len(last[core.Sell]) || sum == 0 {
			return fmt.Errorf("got %d bids and %d asks, want %d and %d", b.Len(core.Buy), b.Len(core.Sell), len(last[core.Buy]), len(last[core.Sell]))
		}
		for s, want := range last {
			for c := b.Cursor(s); ; {
				l, ok := c.Next()
				if !ok {
					break
				}
				if want[l.Price] != l.Qty {
					return fmt.Errorf("%v level %v has %v, want %v", s, l.Price, l.Qty, want[l.Price])
				}
			}
		}
		return nil
	}
	return w
}

// BenchmarkBook: sync is one depth event or touch through the recovery state
// machine with the top read after it, the whole recording from snapshot to last
// event; level is one level set and both best prices read.
func BenchmarkBook(b *testing.B) {
	for _, name := range []string{Spot, Linear, Multi} {
		stage(b, "sync/"+name, func(t testing.TB) *work { return syncWork(t, corpus(t, name)) })
	}
	for _, name := range []string{Spot, Linear} {
		stage(b, "level/"+name, func(t testing.TB) *work { return levelWork(t, corpus(t, name)) })
	}
}

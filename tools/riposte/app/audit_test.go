package app

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"riposte/core"
	"riposte/core/book"
	"riposte/tools/venue/exchange"
)

// liveSync is a book with one level a side that is Live.
func liveSync(t *testing.T) (*core.Instruments, *book.Sync, *core.Event) {
	t.Helper()
	tab := core.NewInstruments()
	id, err := tab.Add(core.Instrument{Symbol: "BTCUSDT", Filters: core.Filters{Tick: 1}})
	if err != nil {
		t.Fatal(err)
	}
	s := book.NewSync(tab.Get(id), 0, 0)
	ev := &core.Event{Kind: core.DepthDelta, ID: 10, Recv: 1, W: [4]int64{10}}
	s.Delta(ev, nil)
	s.Snapshot(&book.Image{LastID: 9, Limit: 1, Bids: []core.Level{{Price: 5, Qty: 1}}, Asks: []core.Level{{Price: 7, Qty: 1}}})
	if v := s.Delta(ev, nil); v != book.Applied {
		t.Fatalf("got %v, want applied", v)
	}
	return tab, s, ev
}

func TestAuditKeepsUpWithAShardThatNeverWaits(t *testing.T) {
	tab, s, ev := liveSync(t)
	truth := func(string, int64) ([]exchange.Level, []exchange.Level, error) {
		return []exchange.Level{{Price: 5, Qty: 1}}, []exchange.Level{{Price: 7, Qty: 1}}, nil
	}
	a := newAuditor(tab, truth)
	const events = 200_000
	for range events {
		a.DepthApplied(0, s, ev)
	}
	a.close()
	if n := a.compared.Load() + a.skipped.Load(); n != events || a.compared.Load() == 0 || a.differ.Load() != 0 {
		t.Errorf("%d compared, %d skipped, %d differ of %d; want all accounted for and none different",
			a.compared.Load(), a.skipped.Load(), a.differ.Load(), events)
	}
}

func TestAuditNamesTheFirstDifference(t *testing.T) {
	lv := func(p, q int64) exchange.Level { return exchange.Level{Price: p, Qty: q} }
	for name, c := range map[string]struct {
		bids, asks []exchange.Level
		err        error
		want       string // in the first difference; "" for none
	}{
		"equal":               {bids: []exchange.Level{lv(5, 1)}, asks: []exchange.Level{lv(7, 1)}},
		"beyond the snapshot": {bids: []exchange.Level{lv(5, 1), lv(4, 9)}, asks: []exchange.Level{lv(7, 1), lv(8, 9)}},
		"quantity":            {bids: []exchange.Level{lv(5, 2)}, asks: []exchange.Level{lv(7, 1)}, want: "BUY"},
		"missing in ours":     {bids: []exchange.Level{lv(6, 2), lv(5, 1)}, asks: []exchange.Level{lv(7, 1)}, want: "is missing in ours"},
		"ours alone":          {bids: []exchange.Level{lv(5, 1)}, want: "SELL"},
		"not to be had":       {err: errors.New("too old")},
	} {
		tab, s, ev := liveSync(t)
		a := newAuditor(tab, func(string, int64) ([]exchange.Level, []exchange.Level, error) { return c.bids, c.asks, c.err })
		a.DepthApplied(0, s, ev)
		for a.compared.Load()+a.unknown.Load() == 0 {
			runtime.Gosched()
		}
		a.close()
		text := a.first.Load()
		if (c.want == "") != (text == nil) || text != nil && !strings.Contains(*text, c.want) {
			t.Errorf("%s: got %v, want %q", name, text, c.want)
		}
		if a.differ.Load() != 0 != (c.want != "") {
			t.Errorf("%s: %d differ", name, a.differ.Load())
		}
	}
}

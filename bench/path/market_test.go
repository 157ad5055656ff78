package path

import (
	"slices"
	"testing"

	"riposte/core"
	"riposte/core/book"
	"riposte/feed/binance"
)

// TestMarketTellsOneStory takes touches, depth events and a snapshot into a book, with
// depth now and then while a touch is made and has not left: no gap, no difference.
func TestMarketTellsOneStory(t *testing.T) {
	m, err := NewMarket(Symbol, corpus(t), Far)
	if err != nil {
		t.Fatal(err)
	}
	tab := core.NewInstruments()
	if _, err := tab.Add(core.Instrument{Symbol: Symbol, Filters: core.Filters{Tick: tick}}); err != nil {
		t.Fatal(err)
	}
	syms, err := binance.NewSymbols(tab)
	if err != nil {
		t.Fatal(err)
	}
	d := binance.NewDecoder(syms, core.Milliseconds, binance.Raw{Instrument: core.NoInstrument})
	s := book.NewSync(tab.Get(0), 0, 0)
	im, err := binance.ParseSnapshot(m.told.appendSnapshot(nil), 0, 0, core.Milliseconds)
	if err != nil {
		t.Fatal(err)
	}
	take := func(frame []byte) {
		t.Helper()
		lv := make([]core.Level, 0, 100)
		var ev core.Event
		n, res := d.Decode(frame, &ev, lv)
		if res != binance.Decoded {
			t.Fatalf("frame %s: got %v", frame, res)
		}
		if ev.Kind == core.Touch {
			s.Touch(&ev)
		} else if v := s.Delta(&ev, lv[:n]); v != book.Applied {
			t.Fatalf("depth event %s: got %v, %+v", frame, v, s.Status())
		}
	}
	if v := s.Snapshot(im); v != book.Applied {
		t.Fatalf("snapshot: got %v", v)
	}
	depths := 0
	for i := range 10_000 {
		touch := m.AppendTouch(nil, i%3 != 1)
		if mark := Marked(); string(touch[:len(mark.Prefix)]) != mark.Prefix || touch[mark.At+1] != ',' || touch[mark.At]&1 == 0 != (i%3 != 1) {
			t.Fatalf("touch %d does not show in its id whether it moves the bid: %s", i, touch)
		}
		take(touch)
		if i%7 == 0 {
			take(m.AppendDepth(nil, 1))
			depths++
			if again := m.AppendDepth(nil, 1); len(again) != 0 {
				t.Fatalf("depth tells the same twice: %s", again)
			}
		}
	}
	c := s.Status().Counters
	if d.Stats().General != 0 || c.TouchMatch != uint64(depths) || c.TouchDiffer != 0 || c.Gaps != 0 || s.Top().Bid != m.made.bid {
		t.Fatalf("after %d depth events: %+v, %d frames not in the venue's shape, top %+v", depths, c, d.Stats().General, s.Top())
	}
	// A snapshot of now is what the events have made of the first one.
	im, err = binance.ParseSnapshot(m.told.appendSnapshot(nil), 0, 0, core.Milliseconds)
	if err != nil {
		t.Fatal(err)
	}
	fresh := book.NewSync(tab.Get(0), 0, 0)
	take2 := m.AppendTouch(nil, true)
	take(take2)
	last := m.AppendDepth(nil, 1)
	take(last)
	if v := fresh.Snapshot(im); v != book.Applied {
		t.Fatalf("second snapshot: got %v", v)
	}
	s = fresh
	take(take2)
	take(last)
	again, err := binance.ParseSnapshot(m.told.appendSnapshot(nil), 0, 0, core.Milliseconds)
	if err != nil {
		t.Fatal(err)
	}
	b, live := fresh.Live()
	if !live || again.LastID != m.told.top.id {
		t.Fatalf("book is live: %t, snapshot stands at %d, want %d", live, again.LastID, m.told.top.id)
	}
	for side, want := range map[core.Side][]core.Level{core.Buy: again.Bids, core.Sell: again.Asks} {
		if got := b.Levels(side, make([]core.Level, 0, len(want)+1)); !slices.Equal(got, want) {
			for i := range got {
				if i >= len(want) || got[i] != want[i] {
					t.Fatalf("%v side of the book differs from the snapshot at level %d of %d and %d: %v", side, i, len(got), len(want), got[i])
				}
			}
			t.Fatalf("%v side of the book has %d levels, the snapshot %d", side, len(got), len(want))
		}
	}
}

package path

import (
	"testing"

	"riposte/core"
	"riposte/core/book"
	"riposte/feed/binance"
)

// TestMarketTellsOneStory takes touches, depth events and a snapshot into a book, with
// depth now and then while a touch is made and has not left: no gap, no difference.
func TestMarketTellsOneStory(t *testing.T) {
	m, err := NewMarket(corpus(t), Far)
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
	im, err := binance.ParseSnapshot(m.AppendSnapshot(nil), 0, 0, core.Milliseconds)
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
		touch := m.AppendTouch(nil)
		if i%7 == 0 && m.Owes() {
			take(m.AppendDepth(nil, 1))
			depths++
		}
		take(touch)
		m.Sent()
	}
	c := s.Status().Counters
	if d.Stats().General != 0 || c.TouchMatch != uint64(depths) || c.TouchDiffer != 0 || c.Gaps != 0 || s.Top().Bid != m.made.bid {
		t.Fatalf("after %d depth events: %+v, %d frames not in the venue's shape, top %+v", depths, c, d.Stats().General, s.Top())
	}
	im, err = binance.ParseSnapshot(m.AppendSnapshot(nil), 0, 0, core.Milliseconds)
	if err != nil {
		t.Fatal(err)
	}
	if im.LastID != m.told.id || im.Bids[0].Price != m.told.bid {
		t.Fatalf("snapshot stands at %d with bid %v, want %d and %v", im.LastID, im.Bids[0].Price, m.told.id, m.told.bid)
	}
}

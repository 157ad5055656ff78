package engine_test

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/engine/enginetest"
)

// What the sockets hold after a pause is old and looks new. The first call after it
// must not come before a snapshot has shown what is true now.
func TestAProcessThatStoodStillTrustsNoBook(t *testing.T) {
	for _, waiting := range []bool{false, true} { // whether an event is the first thing seen
		p := &probe{market: everyQuote}
		w := newWorld(t, p, enginetest.Setup{PauseMax: time.Second})
		w.Quote(0, "100", "1", "101", "1")
		w.Run()
		if n := len(w.Out()); n != 1 {
			t.Fatalf("%d orders, want 1", n)
		}
		w.Advance(time.Second) // not more than PauseMax
		if n := w.Shard.Stats().Pauses; n != 0 || p.timers == 0 {
			t.Fatalf("%d pauses after a second, %d timers, want none and some", n, p.timers)
		}
		calls, timers := p.markets, p.timers
		w.Clock.Now += core.MonoNs(time.Second) + 1
		if waiting {
			w.Delta(0, 1001, 1001, enginetest.Levels("100", "2"), nil)
			w.Trade(0, enginetest.P("100"), core.Scale)
		}
		w.Run()
		if p.markets != calls || p.timers != timers {
			t.Errorf("the strategy was called %d and %d times after the pause", p.markets-calls, p.timers-timers)
		}
		if out := w.Out(); len(out) != 1 || out[0].Kind != core.CancelAll {
			t.Errorf("out came %+v, want the cancel of all own orders", out)
		}
		w.Advance(500 * time.Millisecond)
		m := w.Shard.MarketStats(0)
		if n := w.Shard.Stats().Pauses; n != 1 || m.Sync.State != book.Stale {
			t.Errorf("%d pauses, the book is %v, want 1 and stale", n, m.Sync.State)
		}
		w.Wanted()
		w.Delta(0, 1002, 1002, enginetest.Levels("100", "3"), nil)
		w.Run()
		w.Snapshot(0, 1001, enginetest.Levels("100", "2"), enginetest.Levels("101", "1"))
		w.Run()
		if p.markets == calls {
			t.Error("the book did not come back with a snapshot")
		}
	}
}

func TestOwnOrdersAreCancelledOnAMarketOutOfSight(t *testing.T) {
	p := &probe{market: everyQuote}
	w := newWorld(t, p, enginetest.Setup{LostAfter: 5 * time.Second})
	w.Quote(0, "100", "1", "101", "1")
	w.Run()
	if n := len(w.Out()); n != 1 {
		t.Fatalf("%d orders, want 1", n)
	}
	for range 50 {
		w.Advance(100 * time.Millisecond)
	}
	if out := w.Out(); len(out) != 0 {
		t.Fatalf("within 5 s came %+v", out)
	}
	w.Advance(100 * time.Millisecond)
	w.Advance(100 * time.Millisecond)
	if out := w.Out(); len(out) != 1 || out[0].Kind != core.CancelAll {
		t.Fatalf("out came %+v, want one cancel of all own orders", out)
	}
	w.Mark(0, core.LineAlive)
	w.Run()
	w.Advance(200 * time.Millisecond)
	for range 60 {
		w.Advance(100 * time.Millisecond)
	}
	if out := w.Out(); len(out) != 1 {
		t.Errorf("the second time out came %+v, want one more", out)
	}
	if n := w.Shard.Stats().Lost; n != 2 {
		t.Errorf("counted %d times out of sight, want 2", n)
	}
}

package engine_test

import (
	"testing"
	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
)

// TestAnEventThatNoSnapshotBridgesIsDroppedInTheEnd: an event of another symbol's ids,
// far ahead of this one's, blinds the book as long as snapshots may be old, and no
// longer.
func TestAnEventThatNoSnapshotBridgesIsDroppedInTheEnd(t *testing.T) {
	w, err := enginetest.New(enginetest.Setup{})
	if err != nil {
		t.Fatal(err)
	}
	live := func() bool { _, ok := w.Shard.Sync(0).Live(); return ok }
	tr := newTruth()
	next := func(publish bool) {
		tr.change(int(tr.id))
		if publish {
			w.Delta(0, tr.told.FirstID(), tr.id, tr.lv[core.Buy], tr.lv[core.Sell])
		}
		w.Run()
	}
	next(true)
	tr.snapshot(w)
	w.Run()
	next(true)
	if !live() {
		t.Fatal("the book is not live to begin with")
	}
	w.Delta(0, 900_000, 900_001, tr.lv[core.Buy], tr.lv[core.Sell]) // another's
	w.Run()
	if live() {
		t.Fatal("the book is live behind a gap")
	}
	at := w.Clock.Now
	for range 60 {
		w.Advance(time.Second)
		next(false) // the line takes these for copies
		w.Wants()
		tr.snapshot(w)
		w.Run()
		if w.Shard.Sync(0).Status().Reason.String() == "queue full" {
			break
		}
	}
	waited := time.Duration(w.Clock.Now - at)
	if waited < 45*time.Second || waited > 48*time.Second {
		t.Fatalf("the event was dropped after %v, want 45 s", waited)
	}
	for range 3 { // the line has started over
		next(true)
		tr.snapshot(w)
		w.Run()
	}
	if !live() {
		t.Errorf("the book is %v", w.Shard.Sync(0).Status().State)
	}
}

// TestNoBookIsMadeOfWhatCameBeforeItsLineEnded: events wait for a snapshot, the line
// ends behind them, and then the snapshot comes.
func TestNoBookIsMadeOfWhatCameBeforeItsLineEnded(t *testing.T) {
	p := &probe{t: t}
	w, err := enginetest.New(enginetest.Setup{Strategy: func(*core.Instrument) (engine.Strategy, error) { return p, nil }})
	if err != nil {
		t.Fatal(err)
	}
	tr := newTruth()
	next := func() {
		tr.change(int(tr.id))
		w.Delta(0, tr.told.FirstID(), tr.id, tr.lv[core.Buy], tr.lv[core.Sell])
	}
	next()
	w.Run()
	at := tr.clone()
	next()
	next()
	w.Mark(0, core.LineDown)
	at.snapshot(w)
	w.Run()
	if _, live := w.Shard.Sync(0).Live(); live || p.markets != 0 {
		t.Fatalf("live: %v, strategy called %d times, want neither: the line has ended", live, p.markets)
	}
	next() // of the next connection
	w.Run()
	tr.snapshot(w)
	w.Run()
	next()
	w.Run()
	if _, live := w.Shard.Sync(0).Live(); !live || p.markets == 0 {
		t.Errorf("the book did not come back: %+v, %d calls", w.Shard.Sync(0).Status(), p.markets)
	}
}

package engine_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
)

// truth is the venue's book: two maps, and the event stream that a seed drives.
type truth struct {
	id   uint64
	side [2]map[core.Price]core.Qty
	told core.Event // the newest event, with its levels
	lv   [2][]core.Level
}

func newTruth() *truth {
	tr := &truth{id: 100}
	for s := range tr.side {
		tr.side[s] = map[core.Price]core.Qty{}
	}
	for i := range core.Price(20) {
		tr.side[core.Buy][enginetest.P("100")-i*tick] = core.Scale
		tr.side[core.Sell][enginetest.P("100.01")+i*tick] = core.Scale
	}
	return tr
}

const tick = core.Price(core.Scale / 100)

// change moves one level of each side, never crossing, and tells the event.
func (tr *truth) change(n int) {
	p := core.Price(n % 20)
	bids := []core.Level{{Price: enginetest.P("100") - p*tick, Qty: core.Qty(n%3) * core.Scale}}
	asks := []core.Level{{Price: enginetest.P("100.01") + (19-p)*tick, Qty: core.Qty(n%4) * core.Scale}}
	for s, lv := range [2][]core.Level{bids, asks} {
		if tr.side[s][lv[0].Price] = lv[0].Qty; lv[0].Qty == 0 {
			delete(tr.side[s], lv[0].Price)
		}
	}
	first := tr.id + 1
	tr.id = first + uint64(n%3)
	tr.told, tr.lv = core.Event{Kind: core.DepthDelta, ID: tr.id, W: [4]int64{int64(first)}}, [2][]core.Level{bids, asks}
}

func (tr *truth) levels(s core.Side) (lv []core.Level) {
	for _, p := range slices.Sorted(maps.Keys(tr.side[s])) {
		lv = append(lv, core.Level{Price: p, Qty: tr.side[s][p]})
	}
	if s == core.Buy {
		slices.Reverse(lv)
	}
	return lv
}

func (tr *truth) top() core.Top {
	t := core.Top{ID: tr.id}
	if lv := tr.levels(core.Buy); len(lv) > 0 {
		t.Bid, t.BidQty = lv[0].Price, lv[0].Qty
	}
	if lv := tr.levels(core.Sell); len(lv) > 0 {
		t.Ask, t.AskQty = lv[0].Price, lv[0].Qty
	}
	return t
}

func (tr *truth) canonical() string {
	b := book.New(tick, 0)
	b.Load(&book.Image{Bids: tr.levels(core.Buy), Asks: tr.levels(core.Sell)})
	return string(b.AppendCanonical(nil))
}

func (tr *truth) clone() *truth {
	return &truth{id: tr.id, side: [2]map[core.Price]core.Qty{maps.Clone(tr.side[0]), maps.Clone(tr.side[1])}}
}

func (tr *truth) snapshot(w *enginetest.World) {
	w.Snapshot(0, tr.id, tr.levels(core.Buy), tr.levels(core.Sell))
}

// audit compares the shard's book with the truth after each applied event.
type audit struct {
	t    interface{ Errorf(string, ...any) }
	at   map[uint64]string // canonical text by update id
	seen int
}

func (a *audit) DepthApplied(_ core.InstrumentID, s *book.Sync, _ *core.Event) {
	b, live := s.Live()
	if !live {
		a.t.Errorf("an event was applied to a book that is not Live")
		return
	}
	a.seen++
	if want, known := a.at[b.ID()]; !known || string(b.AppendCanonical(nil)) != want {
		a.t.Errorf("the book at %d differs from the truth:\n%s\nwant\n%s", b.ID(), b.AppendCanonical(nil), want)
	}
}

// feed changes the truth n times and publishes what w has room for; it tells how
// many events were lost.
func (tr *truth) feed(w *enginetest.World, a *audit, from, n int) (lost int) {
	for i := range n {
		tr.change(from + i)
		a.at[tr.id] = tr.canonical()
		if !w.Publish(0, tr.told, tr.lv[0], tr.lv[1]) {
			lost++
		}
	}
	return lost
}

func TestWaitingDeltasJoinTheSnapshot(t *testing.T) {
	a, tr := &audit{t: t, at: map[uint64]string{}}, newTruth()
	p := &probe{}
	w := newWorld(t, p, enginetest.Setup{Observer: a})
	tr.feed(w, a, 0, 10)
	w.Run()
	if got := w.Wanted(); !slices.Equal(got, []core.InstrumentID{0}) {
		t.Fatalf("snapshots asked for %v, want one", got)
	}
	tr.feed(w, a, 10, 10)
	then := tr.clone()
	tr.feed(w, a, 20, 30)
	w.Run()
	if p.markets != 0 || w.Queues[0].Len() != 50 {
		t.Fatalf("%d calls while syncing and %d events wait, want 0 and 50", p.markets, w.Queues[0].Len())
	}
	then.snapshot(w)
	w.Run()
	m := marketStats(t, w, 0)
	c := m.Sync.Counters
	if m.Sync.State != book.Live || c.Applied != 30 || c.Dropped != 20 || a.seen != 30 || p.markets != 30 || m.Top != tr.top() {
		t.Errorf("%v, %d applied, %d dropped, %d audited, %d shown, top %+v; want live, 30, 20, 30, 30, %+v",
			m.Sync.State, c.Applied, c.Dropped, a.seen, p.markets, m.Top, tr.top())
	}
	if got := w.Wanted(); len(got) != 0 {
		t.Errorf("snapshots asked for again: %v", got)
	}
}

// An event that waits is offered again and again; it is one input.
func TestWaitingIsNoInput(t *testing.T) {
	a, tr := &audit{t: t, at: map[uint64]string{}}, newTruth()
	w := newWorld(t, &probe{market: everyQuote}, enginetest.Setup{})
	tr.feed(w, a, 0, 1)
	then := tr.clone()
	tr.feed(w, a, 1, 1)
	for range 100 {
		w.Shard.Step()
	}
	then.snapshot(w)
	w.Run()
	// A timer, the snapshot, the old event, the event that leads to the order.
	if out := w.TakeApproved(); len(out) != 1 || out[0].Input() != 4 {
		t.Errorf("out came %+v, want one order that input 4 led to", out)
	}
}

// An event older than the snapshot moves nothing, but it proves that the stream was
// up: the book is Live with the snapshot's own top, and timers see it.
func TestOldEventMakesTheSnapshotsTopVisible(t *testing.T) {
	a, tr := &audit{t: t, at: map[uint64]string{}}, newTruth()
	var seen core.Top
	p := &probe{timer: func(v *engine.View) {
		if seen = v.Top(); !v.Signals().Ready() {
			t.Error("the signals have not seen the top")
		}
	}}
	w := newWorld(t, p, enginetest.Setup{})
	tr.feed(w, a, 0, 5)
	w.Run()
	tr.snapshot(w)
	w.Run()
	w.Advance(time.Second)
	if p.markets != 0 || p.timers == 0 || seen != tr.top() {
		t.Errorf("%d events and %d timers shown, top %+v, want 0, some, and %+v", p.markets, p.timers, seen, tr.top())
	}
	w.Mark(0, core.LineDown)
	w.Advance(time.Second)
	if n := w.Shard.Stats().Demotions; n != 1 {
		t.Errorf("%d demotions counted, want 1", n)
	}
}

func TestSnapshotThatIsTooOldIsAskedForAgain(t *testing.T) {
	a, tr := &audit{t: t, at: map[uint64]string{}}, newTruth()
	w := newWorld(t, &probe{}, enginetest.Setup{Observer: a})
	old := tr.clone()
	tr.change(1) // lost: the stream begins after it
	tr.feed(w, a, 2, 5)
	w.Run()
	for range 3 {
		if got := w.Wanted(); len(got) != 1 {
			t.Fatalf("%d snapshots asked for, want 1", len(got))
		}
		old.snapshot(w)
		w.Run()
		if w.Queues[0].Len() != 5 {
			t.Fatalf("%d events wait, want 5", w.Queues[0].Len())
		}
	}
	w.Wanted()
	tr.snapshot(w)
	tr.feed(w, a, 7, 5)
	w.Run()
	if m := marketStats(t, w, 0); m.Sync.State != book.Live || a.seen != 5 || m.Top != tr.top() {
		t.Errorf("%v after %d events, top %+v, want live, 5, %+v", m.Sync.State, a.seen, m.Top, tr.top())
	}
}

// An answer that never comes is asked for again after a while, not all the time.
func TestSnapshotThatNeverComesIsAskedForAgainAfterAWhile(t *testing.T) {
	a, tr := &audit{t: t, at: map[uint64]string{}}, newTruth()
	w := newWorld(t, nil, enginetest.Setup{})
	tr.feed(w, a, 0, 5)
	asked := 0
	for range 61 {
		w.Advance(time.Second)
		asked += len(w.Wanted())
	}
	if asked != 3 {
		t.Errorf("asked %d times in 61 s, want 3", asked)
	}
}

// A queue that fills while its head waits sheds its old end, says so to the book,
// and a snapshot from after that gives a right one. Touches are shed too, and must
// not be held against the book later.
func TestFullWaitingQueueShedsAndRecovers(t *testing.T) {
	for _, size := range []int{8, 16, 64} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			a, tr := &audit{t: t, at: map[uint64]string{}}, newTruth()
			p := &probe{}
			w := newWorld(t, p, enginetest.Setup{Observer: a, QueueEvents: size, QueueLevels: 4 * size})
			w.Touch(0, tr.top())
			w.Run()
			n, lost := 0, 0
			for range 10 {
				// In bursts, so that the reader finds more than it has peeked at.
				for range size / 4 {
					lost += tr.feed(w, a, n, 1)
					n++
				}
				w.Publish(0, core.Event{Kind: core.Touch, ID: tr.id, W: touchWords(tr.top())}, nil, nil)
				w.Run()
			}
			if w.Shard.Step() != 0 {
				t.Error("a queue that only waits counts as work")
			}
			if lost != 0 {
				t.Errorf("%d events found no room, want the old end shed instead", lost)
			}
			tr.snapshot(w)
			w.Run()
			tr.feed(w, a, n, size/4)
			w.Run()
			m := marketStats(t, w, 0)
			if m.Sync.State != book.Live || m.Top != tr.top() || a.seen != size/4 {
				t.Errorf("%v with top %+v after %d events, want live, %+v, %d", m.Sync.State, m.Top, a.seen, tr.top(), size/4)
			}
			c := m.Sync.Counters
			if s := w.Shard.Stats(); s.Shed == 0 || c.Overflows == 0 || c.Gaps != 0 {
				t.Errorf("%d shed, %d times told to the book, %d gaps, want some, some and none", s.Shed, c.Overflows, c.Gaps)
			}
		})
	}
}

func touchWords(t core.Top) [4]int64 {
	return [4]int64{int64(t.Bid), int64(t.BidQty), int64(t.Ask), int64(t.AskQty)}
}

// A shed LineDown or touch may not come back as a wrong judgement: whatever waits in
// whatever order, with snapshots of any age, the book is right whenever it is Live,
// the strategy is called for a Live book alone, and it gets Live again.
func TestBookIsRightWheneverItIsLive(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		tr, p := newTruth(), &probe{market: everyQuote}
		a := &audit{t: rt, at: map[uint64]string{}}
		w := newWorld(t, p, enginetest.Setup{Observer: a, QueueEvents: 16, QueueLevels: 64, OutSize: 4})
		past := []*truth{tr.clone()}
		n := 0
		overflow := func() { // as a session does once there is room again
			w.Run()
			if !w.Publish(0, core.Event{Kind: core.Overflow}, nil, nil) {
				rt.Fatal("no room after a run")
			}
		}
		// A change of the best prices is told by a touch, ahead of the depth event.
		told := tr.top()
		change := func(depth bool) {
			n++
			tr.change(n)
			a.at[tr.id] = tr.canonical()
			ok := true
			if top := tr.top(); top.Bid != told.Bid || top.BidQty != told.BidQty || top.Ask != told.Ask || top.AskQty != told.AskQty {
				told = top
				ok = w.Publish(0, core.Event{Kind: core.Touch, ID: tr.id, W: touchWords(top)}, nil, nil)
			}
			if depth && !w.Publish(0, tr.told, tr.lv[0], tr.lv[1]) || !ok {
				overflow()
			}
		}
		rt.Repeat(map[string]func(*rapid.T){
			"delta": func(*rapid.T) { change(true); past = append(past, tr.clone()) },
			"lost":  func(*rapid.T) { change(false) },
			"line down": func(*rapid.T) {
				if !w.Publish(0, core.Event{Kind: core.LineDown}, nil, nil) {
					w.Run()
				}
			},
			"repeat": func(*rapid.T) {
				w.Publish(0, tr.told, tr.lv[0], tr.lv[1]) // or the first copy of one that was lost
			},
			"snapshot": func(t *rapid.T) {
				if w.Images.Len() < 8 {
					past[rapid.IntRange(max(0, len(past)-6), len(past)-1).Draw(t, "age")].snapshot(w)
				}
			},
			"serve": func(*rapid.T) { w.Run(); w.Wanted(); w.Out() },
			"time":  func(t *rapid.T) { w.Advance(time.Duration(rapid.IntRange(0, 40).Draw(t, "s")) * time.Second) },
		})
		// One for each LineDown that may wait in the queue, each behind a delta of its
		// own, and some for what a touch may still contradict.
		for range 10 {
			w.Run()
			tr.snapshot(w)
			change(true)
			w.Run()
		}
		if m := marketStats(t, w, 0); m.Sync.State != book.Live || m.Top != tr.top() {
			rt.Fatalf("the book ends %v (%v) with top %+v, want live with %+v", m.Sync.State, m.Sync.Reason, m.Top, tr.top())
		}
		if t.Failed() {
			rt.FailNow()
		}
	})
}

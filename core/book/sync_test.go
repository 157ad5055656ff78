package book

import (
	"testing"

	"riposte/core"
)

// stand is a Sync with shorthands: bids around 99, asks around 101.
type stand struct {
	*Sync
	t  *testing.T
	at core.MonoNs
}

func newStand(t *testing.T, m core.Market) *stand {
	return &stand{Sync: NewSync(&core.Instrument{ID: 3, Market: m, Filters: core.Filters{Tick: 1}}, 0, 4), t: t}
}

func (s *stand) snapshot(id uint64) Verdict {
	return s.Snapshot(&Image{Instrument: 3, LastID: id, Bids: levels(99, 10, 98, 10), Asks: levels(101, 10, 102, 10)})
}

// delta is a depth event [first, last] after prev with one bid level.
func (s *stand) delta(first, last, prev uint64, lv ...int64) Verdict {
	if lv == nil {
		lv = []int64{98, int64(last)}
	}
	s.at++
	ev := core.Event{Kind: core.DepthDelta, Instrument: 3, ID: last, W: [4]int64{int64(first), int64(prev)}, Bids: uint16(len(lv) / 2), Recv: s.at}
	return s.Delta(&ev, levels(lv...))
}

func (s *stand) touch(id uint64, w ...int64) {
	s.at++
	s.Touch(&core.Event{Kind: core.Touch, Instrument: 3, ID: id, W: [4]int64(w), Recv: s.at})
}

func (s *stand) want(state State, why Reason) {
	s.t.Helper()
	b, ok := s.Live()
	if st := s.Status(); st.State != state || st.Reason != why || ok != (state == Live) || ok != (b != nil) || (s.Top() != core.Top{}) != ok {
		s.t.Fatalf("%v (%v), readable %v, top %v, want %v (%v)", st.State, st.Reason, ok, s.Top(), state, why)
	}
}

// TestRulesJoinEventsAsTheVenueSays is data/README.md's rule and the
// documentation's, at every boundary.
func TestRulesJoinEventsAsTheVenueSays(t *testing.T) {
	for _, c := range []struct {
		what           string
		futures        bool
		first, last    uint64
		prev           uint64
		onSnap, onNext link // against a snapshot, an event, at 100
	}{
		{"older", false, 90, 99, 0, linkOld, linkOld},
		{"ends at it", false, 90, 100, 0, linkOld, linkOld},
		{"straddles it", false, 90, 101, 0, linkFits, linkOverlaps},
		{"starts at it", false, 100, 105, 0, linkFits, linkOverlaps},
		{"follows", false, 101, 105, 0, linkFits, linkFits},
		{"one id", false, 101, 101, 0, linkFits, linkFits},
		{"one missing", false, 102, 105, 0, linkBreaks, linkBreaks},

		{"older", true, 80, 99, 79, linkOld, linkOld},
		{"ends at it", true, 80, 100, 79, linkFits, linkOld},
		{"straddles it", true, 80, 120, 79, linkFits, linkBreaks},
		{"starts at it", true, 100, 120, 79, linkFits, linkBreaks},
		{"follows", true, 105, 120, 100, linkFits, linkFits},
		{"follows and holds it", true, 90, 120, 100, linkFits, linkFits},
		{"dense but not linked", true, 101, 120, 99, linkBreaks, linkBreaks},
		{"later", true, 130, 140, 125, linkBreaks, linkBreaks},
	} {
		ev := core.Event{ID: c.last, W: [4]int64{int64(c.first), int64(c.prev)}}
		if snap, next := join(c.futures, true, &ev, 100), join(c.futures, false, &ev, 100); snap != c.onSnap || next != c.onNext {
			t.Errorf("futures %v, %s: %d after a snapshot and %d after an event, want %d and %d", c.futures, c.what, snap, next, c.onSnap, c.onNext)
		}
	}
}

func TestSyncDropsDeltasOlderThanSnapshot(t *testing.T) {
	s := newStand(t, core.Spot)
	s.want(Syncing, NoReason)
	if s.NeedsSnapshot() {
		t.Fatal("asks for a snapshot before there is an event")
	}
	for range 3 { // offered again and again while it waits
		if v := s.delta(90, 95, 0); v != Wait || !s.NeedsSnapshot() {
			t.Fatalf("first event: %v", v)
		}
	}
	if v := s.snapshot(100); v != Applied || s.NeedsSnapshot() {
		t.Fatalf("snapshot: %v", v)
	}
	s.want(Syncing, NoReason) // nothing shows yet that the stream covers it
	if v := s.delta(90, 95, 0); v != Dropped {
		t.Fatalf("old event: %v", v)
	}
	s.want(Live, NoReason)
	if v := s.delta(96, 101, 0); v != Applied {
		t.Fatalf("joining event: %v", v)
	}
	if v := s.delta(101, 105, 0); v != Applied { // legal overlap
		t.Fatalf("overlapping event: %v", v)
	}
	if v := s.delta(101, 105, 0); v != Dropped {
		t.Fatalf("repeated event: %v", v)
	}
	c := s.Status().Counters
	want := Counters{Applied: 2, Dropped: 1, Repeated: 1, Overlaps: 1, Snapshots: 1, Levels: 2}
	if c != want {
		t.Fatalf("%+v, want %+v", c, want)
	}
	if s.LastProof() != s.at-1 {
		t.Fatalf("last proof at %d, want %d: a repeated event proves nothing", s.LastProof(), s.at-1)
	}
}

func TestSyncFuturesKeepsTheEventThatEndsAtTheSnapshot(t *testing.T) {
	s := newStand(t, core.LinearFutures)
	s.snapshot(100)
	if v := s.delta(80, 99, 79); v != Dropped {
		t.Fatalf("older: %v", v)
	}
	if v := s.delta(99, 100, 99); v != Applied {
		t.Fatalf("ends at the snapshot: %v", v)
	}
	if v := s.delta(130, 140, 100); v != Applied {
		t.Fatalf("linked: %v", v)
	}
	if v := s.delta(141, 150, 139); v != Gap {
		t.Fatalf("not linked: %v", v)
	}
	s.want(Gapped, EventMissing)
}

func TestSyncAsksAgainForASnapshotThatIsTooOld(t *testing.T) {
	for _, c := range []struct {
		market      core.Market
		first, prev uint64
		ok, tooOld  uint64
	}{
		{core.Spot, 90, 0, 89, 88},
		{core.LinearFutures, 90, 85, 90, 89},
		{core.LinearFutures, 90, 85, 85, 84}, // follows exactly at it
	} {
		s := newStand(t, c.market)
		s.delta(c.first, 95, c.prev)
		if v := s.snapshot(c.tooOld); v != Refetch || !s.NeedsSnapshot() {
			t.Errorf("market %d: snapshot %d: %v, want refetch", c.market, c.tooOld, v)
		}
		if v := s.snapshot(c.ok); v != Applied {
			t.Errorf("market %d: snapshot %d: %v, want applied", c.market, c.ok, v)
		}
		if v := s.delta(c.first, 95, c.prev); v != Applied {
			t.Errorf("market %d: waiting event: %v, want applied", c.market, v)
		}
	}
	// The same, found out only when the first event comes.
	s := newStand(t, core.Spot)
	s.snapshot(80)
	if v := s.delta(90, 95, 0); v != Wait || !s.NeedsSnapshot() || s.Status().Counters.Refetches != 1 || s.Status().Counters.Gaps != 0 {
		t.Fatalf("%v %+v, want to wait for another snapshot", v, s.Status())
	}
}

func TestSyncRefusesASnapshotThatIsNoBook(t *testing.T) {
	s := newStand(t, core.Spot)
	if v := s.Snapshot(&Image{Instrument: 3, LastID: 5, Bids: levels(101, 1), Asks: levels(101, 1)}); v != Refetch {
		t.Fatalf("locked snapshot: %v, want refetch", v)
	}
	s.want(Syncing, NoReason)
}

func TestSyncSnapshotOfALiveBook(t *testing.T) {
	s := newStand(t, core.Spot)
	s.snapshot(100)
	s.delta(101, 110, 0)
	if v := s.snapshot(109); v != Dropped {
		t.Fatalf("older than the book: %v, want dropped", v)
	}
	if v := s.snapshot(120); v != Applied {
		t.Fatalf("newer than the book: %v, want applied", v)
	}
	s.want(Live, NoReason)
	if v := s.delta(111, 115, 0); v != Dropped {
		t.Fatalf("event within the snapshot: %v, want dropped", v)
	}
	if v := s.delta(116, 125, 0); v != Applied {
		t.Fatalf("event across the snapshot: %v, want applied", v)
	}
	s.snapshot(130)
	if v := s.delta(132, 135, 0); v != Gap {
		t.Fatalf("event beyond the snapshot: %v, want gap", v)
	}
	s.want(Gapped, EventMissing)
}

func TestSyncLosesTheBookWithLineAndQueue(t *testing.T) {
	for why, lose := range map[Reason]func(*stand){
		LineLost:  func(s *stand) { s.LineDown() },
		QueueFull: func(s *stand) { s.Overflow() },
	} {
		s := newStand(t, core.Spot)
		s.snapshot(100)
		s.delta(101, 110, 0)
		s.touch(120, 99, 10, 101, 10)
		s.want(Live, NoReason)
		lose(s)
		s.want(Stale, why)
		if s.NeedsSnapshot() || s.Owed() != 0 {
			t.Fatalf("%v: asks for a snapshot before an event comes, or for a touch of before", why)
		}
		if v := s.delta(111, 112, 0); v != Wait { // even one that would fit
			t.Fatalf("%v: event after it: %v, want wait", why, v)
		}
		s.snapshot(112)
		s.want(Syncing, why)
		s.delta(111, 112, 0)
		s.want(Live, why)
	}
}

func TestSyncCrossedOrLockedBookIsAGap(t *testing.T) {
	for _, bid := range []int64{101, 105} {
		s := newStand(t, core.Spot)
		s.snapshot(100)
		s.delta(101, 101, 0)
		if v := s.delta(102, 102, 0, bid, 1); v != Gap {
			t.Fatalf("bid %d: %v, want gap", bid, v)
		}
		s.want(Gapped, BookCrossed)
		// The event is not consumed: a snapshot of before it lets it be judged again.
		s.snapshot(101)
		if v := s.delta(102, 102, 0, bid, 1); v != Gap {
			t.Fatalf("bid %d again: %v, want gap", bid, v)
		}
		s.snapshot(102)
		if v := s.delta(102, 102, 0, bid, 1); v != Dropped {
			t.Fatalf("bid %d after a later snapshot: %v, want dropped", bid, v)
		}
		s.want(Live, BookCrossed)
	}
}

func TestSyncCrossingWithinAnEventIsNormal(t *testing.T) {
	s := newStand(t, core.Spot)
	s.snapshot(100)
	ev := core.Event{ID: 101, W: [4]int64{101}, Bids: 1, Asks: 2}
	if v := s.Delta(&ev, levels(102, 5 /* bids before asks */, 101, 0, 102, 0)); v != Applied {
		t.Fatalf("%v, want applied: the asks go within the event", v)
	}
	if top := s.Top(); top != (core.Top{ID: 101, Bid: 102, BidQty: 5}) {
		t.Fatalf("top %v", top)
	}
}

func TestSyncIdsThatWentBackAreAGap(t *testing.T) {
	s := newStand(t, core.Spot)
	s.snapshot(1000)
	s.delta(1001, 1001, 0)
	for i := range uint64(repeatsMax - 1) {
		if v := s.delta(i, i, 0); v != Dropped {
			t.Fatalf("old event %d: %v", i, v)
		}
	}
	if v := s.delta(900, 901, 0); v != Gap {
		t.Fatalf("%v, want gap after %d old events in a row", v, repeatsMax)
	}
	s.want(Gapped, EventsBehind)
}

func TestTouchMismatchTwiceInARowIsAGap(t *testing.T) {
	s := newStand(t, core.Spot)
	s.snapshot(100)
	s.touch(101, 99, 10, 101, 10)
	s.delta(101, 101, 0)
	s.touch(102, 99, 11, 101, 10) // wrong once, as when a state was skipped
	s.delta(102, 102, 0)
	s.want(Live, NoReason)
	s.delta(103, 103, 0) // the same evidence again is no news
	s.want(Live, NoReason)
	s.touch(104, 99, 10, 101, 10)
	s.delta(104, 104, 0)
	s.touch(105, 99, 12, 101, 10)
	s.delta(105, 105, 0)
	s.want(Live, NoReason)
	s.touch(106, 99, 12, 101, 11)
	if v := s.delta(106, 106, 0); v != Gap {
		t.Fatalf("%v, want gap", v)
	}
	s.want(Gapped, TouchDiffers)
	if c := s.Status().Counters; c.TouchMatch != 2 || c.TouchDiffer != 4 {
		t.Fatalf("%d matches and %d differences, want 2 and 4", c.TouchMatch, c.TouchDiffer)
	}
	// A touch stream that stopped for good costs one resync, not one per event.
	s.snapshot(106)
	s.delta(106, 106, 0)
	for id := uint64(107); id < 120; id++ {
		if v := s.delta(id, id, 0, 99, int64(id)); v != Applied {
			t.Fatalf("event %d with no new touch: %v", id, v)
		}
	}
	s.want(Live, TouchDiffers)
}

func TestTouchesStopIsOneResync(t *testing.T) {
	s := newStand(t, core.Spot)
	s.snapshot(100)
	s.touch(101, 99, 10, 101, 10)
	s.delta(101, 101, 0)
	gaps := 0
	for id := uint64(102); id < 150; id++ {
		if s.delta(id, id, 0, 99, int64(id)) == Gap {
			gaps++
			s.snapshot(id)
			s.delta(id, id, 0)
		}
	}
	if gaps != 1 {
		t.Fatalf("%d resyncs because of a silent touch stream, want 1", gaps)
	}
}

func TestTopIsTheFreshestByUpdateID(t *testing.T) {
	s := newStand(t, core.Spot)
	s.snapshot(100)
	s.delta(101, 110, 0, 99, 20)
	book := core.Top{ID: 110, Bid: 99, BidQty: 20, Ask: 101, AskQty: 10}
	if s.Top() != book || s.TopProof() != s.at || s.Owed() != 0 {
		t.Fatalf("top %v, want the book's", s.Top())
	}
	s.touch(105, 97, 1, 103, 1) // late
	if s.Top() != book {
		t.Fatalf("top %v after a late touch, want the book's", s.Top())
	}
	s.touch(120, 100, 5, 101, 10)
	if want := (core.Top{ID: 120, Bid: 100, BidQty: 5, Ask: 101, AskQty: 10}); s.Top() != want || s.TopProof() != s.at || s.Owed() != s.at-1 {
		t.Fatalf("top %v, want the touch's", s.Top())
	}
	s.delta(111, 115, 0)
	if s.Top().ID != 120 {
		t.Fatalf("top %v: a late diff overwrote a newer touch", s.Top())
	}
	owed := s.Owed()
	s.touch(119, 1, 1, 2, 1) // overtaken by 120 on another line
	if s.Top().ID != 120 || s.Owed() != owed {
		t.Fatalf("top %v after an overtaken touch", s.Top())
	}
	s.delta(116, 120, 0, 100, 5)
	if s.Top().ID != 120 || s.Owed() != 0 || s.Status().Counters.TouchMatch != 1 {
		t.Fatalf("top %v, owed %d, %+v", s.Top(), s.Owed(), s.Status().Counters)
	}
}

func TestTouchesBeyondTheirRoomMakeNoClaims(t *testing.T) {
	s := newStand(t, core.Spot) // room for 4
	s.snapshot(100)
	s.delta(101, 101, 0)
	for id := uint64(102); id < 110; id++ {
		s.touch(id, 99, int64(id), 101, 10)
	}
	// 102 to 105 are forgotten: nothing is known of the top at 103.
	s.delta(102, 103, 0, 99, 555)
	s.want(Live, NoReason)
	if c := s.Status().Counters; c.TouchMatch+c.TouchDiffer != 0 {
		t.Fatalf("%+v, want no comparison", c)
	}
	s.delta(104, 107, 0, 99, 107)
	if c := s.Status().Counters; c.TouchMatch != 1 || c.TouchDiffer != 0 {
		t.Fatalf("%+v, want one match", c)
	}
}

func TestSyncBrokenPromisesPanic(t *testing.T) {
	for name, f := range map[string]func(s *stand){
		"level count":      func(s *stand) { s.Delta(&core.Event{Bids: 2}, levels(1, 1)) },
		"other instrument": func(s *stand) { s.Snapshot(&Image{Instrument: 4}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Fatal("went through, want a panic")
				}
			}()
			f(newStand(t, core.Spot))
		})
	}
}

func TestSyncDoesNotAllocate(t *testing.T) {
	s := newStand(t, core.Spot)
	s.snapshot(100)
	lv := levels(98, 5, 97, 0, 103, 7)
	id := uint64(100)
	if got := testing.AllocsPerRun(1000, func() {
		id++
		touch := core.Event{ID: id, W: [4]int64{99, 10, 101, 10}}
		s.Touch(&touch)
		ev := core.Event{ID: id, W: [4]int64{int64(id)}, Bids: 2, Asks: 1}
		if s.Delta(&ev, lv) != Applied || s.Top().ID != id {
			t.Fatal("not applied")
		}
	}); got != 0 {
		t.Fatalf("%v allocations per event, want 0", got)
	}
	if c := s.Status().Counters; c.TouchMatch != 1001 {
		t.Fatalf("%+v, want every top compared equal", c)
	}
}

func TestSyncTakesAChangeOfTick(t *testing.T) {
	s := newStand(t, core.Spot)
	s.snapshot(100)
	s.delta(101, 101, 0, 98, 7)
	s.SetTick(2)
	s.delta(102, 102, 0, 97, 5)
	b, ok := s.Live()
	if !ok || b.tick != 2 || string(b.AppendCanonical(nil)) != "b 0.00000099 0.0000001\nb 0.00000098 0.00000007\nb 0.00000097 0.00000005\na 0.00000101 0.0000001\na 0.00000102 0.0000001\n" {
		t.Fatalf("live %v, tick %d:\n%s", ok, b.tick, b.AppendCanonical(nil))
	}
}

func TestStatesAndReasonsHaveNames(t *testing.T) {
	if Syncing.String()+Live.String()+Stale.String()+Gapped.String() != "syncinglivestalegapped" || QueueFull.String() != "queue full" ||
		NoReason.String() != "" || Refetch.String() != "refetch" || Applied.String() != "applied" {
		t.Fatal("a name changed; replay prints them")
	}
}

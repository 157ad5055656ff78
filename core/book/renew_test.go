package book

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"riposte/core"
)

// venueBook is the truth beside a Sync: the tape's own book, event by event, and the
// snapshots that a venue would give of it.
type venueBook struct {
	tp *tape
	at int // steps taken
	*twin
}

func newVenueBook(tp *tape) *venueBook {
	v := &venueBook{tp: tp, at: 1, twin: newTwin()}
	v.load(tp.steps[0].im)
	return v
}

// next is the next depth event, nil at the end; the truth is moved to it.
func (v *venueBook) next() *step {
	for v.at < len(v.tp.steps) {
		st := &v.tp.steps[v.at]
		v.at++
		if st.ev.Kind != core.DepthDelta {
			continue
		}
		if st.ev.ID > v.id {
			v.apply(st.ev.ID, st.lv[:st.ev.Bids], st.lv[st.ev.Bids:])
		}
		return st
	}
	return nil
}

// snapshot is the book now, or, inside, in the middle of the next event: where a
// snapshot stands as a rule, and no book ever does.
func (v *venueBook) snapshot(limit int, inside bool) *Image {
	w := &twin{id: v.id, sides: [2]map[core.Price]core.Qty{maps.Clone(v.sides[0]), maps.Clone(v.sides[1])}}
	if inside {
		for _, st := range v.tp.steps[v.at:] {
			if st.ev.Kind != core.DepthDelta {
				continue
			}
			if mid := st.ev.FirstID() + (st.ev.ID-st.ev.FirstID())/2; mid > w.id && mid < st.ev.ID {
				// Of what goes some has gone, and nothing has come: no half crosses the book.
				for i, lv := range st.lv {
					if lv.Qty == 0 && i%2 == 0 {
						side := core.Buy
						if i >= int(st.ev.Bids) {
							side = core.Sell
						}
						w.set(side, lv.Price, 0)
					}
				}
				w.id = mid
			}
			break
		}
	}
	im := w.image()
	im.Limit = limit
	im.Bids, im.Asks = im.Bids[:min(limit, len(im.Bids))], im.Asks[:min(limit, len(im.Asks))]
	return im
}

// sameWithin compares a book with the truth as far as the book is known.
func sameWithin(b *Book, truth *twin) string {
	for i := range truth.sides {
		side, n, bad := core.Side(i), 0, ""
		within := func(p core.Price) bool { return keyOf(side, p) <= keyOf(side, b.Trusted(side)) }
		b.Walk(side, func(lv core.Level) bool {
			if !within(lv.Price) {
				return false
			}
			if q := truth.sides[i][lv.Price]; q != lv.Qty {
				bad = fmt.Sprintf("%s %v holds %v, want %v", side, lv.Price, lv.Qty, q)
			}
			n++
			return bad == ""
		})
		for p := range truth.sides[i] {
			if within(p) {
				n--
			}
		}
		if bad == "" && n != 0 {
			bad = fmt.Sprintf("%s side has %d levels too many", side, n)
		}
		if bad != "" {
			return bad
		}
	}
	return ""
}

// begin makes s Live.
func (v *venueBook) begin(t interface{ Fatalf(string, ...any) }, s *Sync) {
	st := v.next()
	s.Delta(&st.ev, st.lv)
	if got := s.Snapshot(v.snapshot(400, false)); got != Applied {
		t.Fatalf("first snapshot: %v", got)
	}
	s.Delta(&st.ev, st.lv)
	if s.State() != Live {
		t.Fatalf("book is %v, want live", s.State())
	}
}

// A snapshot for a Live book, taken at any time since it is followed and arriving at any
// time after, leaves the book Live and right as far as it is known; one that cannot be
// brought to the book's id changes nothing. A comparison with it finds nothing, and
// finds one corrupted level.
func TestSnapshotRenewsALiveBookWheneverItComes(t *testing.T) {
	renewed, refused, ahead := 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		market := rapid.SampledFrom([]core.Market{core.Spot, core.LinearFutures}).Draw(t, "market")
		tp := alone(synthetic(market, rapid.Uint64Range(0, 20).Draw(t, "seed"), 200), "SYM0")
		v, s := newVenueBook(tp), NewSync(&core.Instrument{Market: market, Filters: core.Filters{Tick: 1}}, 0, 0)
		v.begin(t, s)
		recent := NewRecent(rapid.SampledFrom([]int{1, 4, 64}).Draw(t, "events"), rapid.SampledFrom([]int{16, 4096}).Draw(t, "levels"))
		var im *Image
		wait := 0
		for st := v.next(); st != nil; st = v.next() {
			if got := s.Delta(&st.ev, st.lv); got != Applied && (got != Dropped || !s.fresh) {
				t.Fatalf("event %d: %v (%v)", st.ev.ID, got, s.reason)
			}
			b, live := s.Live()
			if !live {
				t.Fatalf("book is %v (%v)", s.State(), s.reason)
			}
			if s.lastID == v.id { // else a snapshot is ahead of its event
				if diff := sameWithin(b, v.twin); diff != "" {
					t.Fatalf("at %d: %s", v.id, diff)
				}
			}
			if im == nil {
				if s.lastID != v.id || !s.Follow(recent) {
					continue
				}
				im = v.snapshot(rapid.IntRange(3, 400).Draw(t, "limit"), rapid.Bool().Draw(t, "inside"))
				wait = rapid.IntRange(0, 5).Draw(t, "wait")
			}
			if wait--; wait >= 0 {
				continue
			}
			covered := s.Covered(im.LastID)
			if covered {
				var a Audit
				if !s.Audit(&a, im) {
					t.Fatalf("no audit although the snapshot is covered")
				}
				// Of a small one every level may have changed since.
				if a.Compare(); a.Different != 0 || a.Compared == 0 && im.Limit > 50 {
					t.Fatalf("audit of a right book at %d: %d of %d differ, %s", a.ID, a.Different, a.Compared, a.First)
				}
			}
			switch got := s.Snapshot(im); {
			case im.LastID > s.lastID || got == Applied && !covered:
				ahead++
			case got == Applied:
				renewed++
			case got == Dropped && !covered:
				refused++
			default:
				t.Fatalf("snapshot at %d for a book at %d, covered %v: %v", im.LastID, s.lastID, covered, got)
			}
			if b, live := s.Live(); !live || s.count.Gaps != 0 {
				t.Fatalf("book is %v (%v)", s.State(), s.reason)
			} else if diff := sameWithin(b, v.twin); s.lastID == v.id && diff != "" {
				t.Fatalf("after a snapshot of %d levels at %d, at %d: %s", im.Limit, im.LastID, v.id, diff)
			}
			s.Unfollow()
			im = nil
		}
	})
	t.Logf("%d renewed, %d ahead, %d refused", renewed, ahead, refused)
	if renewed == 0 || ahead == 0 || refused == 0 {
		t.Errorf("%d renewed, %d ahead of the book, %d refused, want some of each", renewed, ahead, refused)
	}
}

func TestAuditNamesACorruptedLevel(t *testing.T) {
	for name, c := range map[string]struct {
		corrupt func(b *Book)
		want    string
		at      int
	}{
		"quantity": {func(b *Book) { l := level(b, core.Buy, 3); b.Set(core.Buy, l.Price, l.Qty+1) }, "BUY", 3},
		"missing":  {func(b *Book) { b.Set(core.Sell, level(b, core.Sell, 5).Price, 0) }, "is missing in ours", 5},
		"ghost":    {func(b *Book) { b.Set(core.Sell, level(b, core.Sell, 2).Price+1, 7) }, "is ours alone", 3},
	} {
		tp := alone(synthetic(core.Spot, 3, 60), "SYM0")
		v, s := newVenueBook(tp), NewSync(&core.Instrument{Filters: core.Filters{Tick: 1}}, 0, 0)
		v.begin(t, s)
		s.Follow(NewRecent(16, 1024))
		im := v.snapshot(100, true)
		st := v.next()
		s.Delta(&st.ev, st.lv)
		c.corrupt(s.book)
		var a Audit
		if !s.Audit(&a, im) {
			t.Fatalf("%s: no audit", name)
		}
		if a.Compare(); a.Different != 1 || !strings.Contains(a.First, c.want) || a.Distance != c.at {
			t.Errorf("%s: %d different, %q at %d, want one, %q at %d", name, a.Different, a.First, a.Distance, c.want, c.at)
		}
		s.Doubt(AuditDiffers)
		if _, live := s.Live(); live || s.State() != Gapped || s.Status().Reason != AuditDiffers {
			t.Errorf("%s: book is %v (%v), want gapped", name, s.State(), s.Status().Reason)
		}
	}
}

// level is the n-th level of a side, from 0.
func level(b *Book, side core.Side, n int) (lv core.Level) {
	for c := b.Cursor(side); n >= 0; n-- {
		lv, _ = c.Next()
	}
	return lv
}

func TestBookIsBlindBeyondItsSnapshot(t *testing.T) {
	b := New(1, 0)
	b.Load(&Image{LastID: 1, Limit: 2, Bids: []core.Level{{Price: 100, Qty: 1}, {Price: 98, Qty: 1}}, Asks: []core.Level{{Price: 102, Qty: 1}}})
	if b.Blind() || b.Whole(core.Buy) || !b.Whole(core.Sell) {
		t.Errorf("blind %v, bids whole %v, asks whole %v, want only the asks whole", b.Blind(), b.Whole(core.Buy), b.Whole(core.Sell))
	}
	b.Apply(2, []core.Level{{Price: 100}, {Price: 99, Qty: 1}, {Price: 97, Qty: 1}}, []core.Level{{Price: 102}})
	if b.Blind() {
		t.Error("blind with a bid within the snapshot's range and asks known to their end")
	}
	if b.Apply(3, []core.Level{{Price: 99}, {Price: 98}}, nil); !b.Blind() {
		t.Error("not blind although the best bid lies beyond the snapshot's range")
	}
}

func TestFollowingABookAllocatesNothing(t *testing.T) {
	tp := alone(synthetic(core.Spot, 5, 400), "SYM0")
	v, s := newVenueBook(tp), NewSync(&core.Instrument{Filters: core.Filters{Tick: 1}}, 0, 0)
	v.begin(t, s)
	recent := NewRecent(4, 64)
	for range 40 {
		st := v.next()
		s.Delta(&st.ev, st.lv)
	}
	if n := testing.AllocsPerRun(60, func() {
		s.Follow(recent)
		st := v.next()
		s.Delta(&st.ev, st.lv)
		s.Unfollow()
	}); n != 0 {
		t.Errorf("%v allocations an event, want none", n)
	}
}

// What a snapshot for a Live book costs its shard: the copy to be compared, and the
// taking over.
func BenchmarkSnapshotForALiveBook(b *testing.B) {
	tp := alone(synthetic(core.Spot, 5, 400), "SYM0")
	v, s := newVenueBook(tp), NewSync(&core.Instrument{Filters: core.Filters{Tick: 1_000_000}}, 0, 0)
	v.begin(b, s)
	s.Follow(NewRecent(256, 4096))
	im := v.snapshot(400, false)
	for range 10 {
		st := v.next()
		s.Delta(&st.ev, st.lv)
	}
	var a Audit
	if !s.Audit(&a, im) {
		b.Fatal("no audit")
	}
	b.Run("copy", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			s.Audit(&a, im)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(a.own[0])+len(a.own[1])), "ns/level")
	})
	b.Run("renew", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if s.Snapshot(im) != Applied {
				b.Fatal("not taken")
			}
		}
	})
}

package book

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"riposte/core"
)

// Tapes with one thing wrong. The true book runs beside the mutated one and
// gives the fresh snapshot that recovery needs; recovery must begin at the first
// event that shows the damage, and the end must be the true end.

// mutated runs a changed tape of one instrument and reports what happened.
type mutated struct {
	t     *testing.T
	tp    *tape
	truth *Sync // fed with the original
	upto  int   // steps that it has seen
	r     *reader
	gapAt []uint64 // last ids of the events that were judged gaps
	held  int      // fresh snapshots given
}

func newMutated(t *testing.T, tp *tape) *mutated {
	in := &core.Instrument{Market: tp.market}
	m := &mutated{t: t, tp: tp, truth: NewSync(in, 0, 1024), r: newReader(NewSync(in, 0, 1024))}
	m.r.verdict = func(ev *core.Event, v Verdict) {
		if v == Gap {
			m.gapAt = append(m.gapAt, ev.ID)
		}
	}
	return m
}

// play feeds the steps in another order than the tape's; the venue, and so a
// fresh snapshot, is as far as the latest of them.
func (m *mutated) play(order []int) {
	for _, i := range order {
		m.advance(i + 1)
		m.feed(&m.tp.steps[i])
	}
}

// advance brings the truth to before step n.
func (m *mutated) advance(n int) {
	for ; m.upto < n; m.upto++ {
		m.original(&m.tp.steps[m.upto])
	}
}

// inOrder is the tape as it is.
func inOrder(tp *tape) []int {
	order := make([]int, len(tp.steps))
	for i := range order {
		order[i] = i
	}
	return order
}

// original feeds the truth.
func (m *mutated) original(st *step) {
	switch {
	case st.im != nil:
		if v := m.truth.Snapshot(st.im); v != Applied {
			m.t.Fatalf("true snapshot: %v", v)
		}
	case st.ev.Kind == core.DepthDelta:
		if v := m.truth.Delta(&st.ev, st.lv); v != Applied && v != Dropped {
			m.t.Fatalf("true event %d: %v", st.ev.ID, v)
		}
	}
}

// image is the true book, as a snapshot taken now.
func (m *mutated) image() *Image {
	b, ok := m.truth.Live()
	if !ok {
		m.t.Fatalf("true book is %v", m.truth.State())
	}
	return &Image{
		LastID: m.truth.Status().LastID,
		Bids:   b.Levels(core.Buy, make([]core.Level, 0, b.Len(core.Buy))),
		Asks:   b.Levels(core.Sell, make([]core.Level, 0, b.Len(core.Sell))),
	}
}

// feed gives the mutated side a step, and a fresh snapshot if it asks for one.
func (m *mutated) feed(st *step) {
	if st.im != nil {
		m.r.s.Snapshot(st.im)
		m.r.drain(m.t)
		return
	}
	m.r.put(m.t, st)
	for m.r.s.NeedsSnapshot() && m.truth.State() == Live {
		if _, ok := m.r.s.Live(); ok {
			m.t.Fatal("book can be read while it needs a snapshot")
		}
		if v := m.r.s.Snapshot(m.image()); v != Applied {
			m.t.Fatalf("fresh snapshot at %d for event %d: %v", m.truth.lastID, m.r.s.waitsAt.ID, v)
		}
		m.held++
		m.r.drain(m.t)
	}
}

func (m *mutated) sameEnd(what string) {
	m.t.Helper()
	want, _ := m.truth.Live()
	got, ok := m.r.s.Live()
	if !ok || m.r.q.Len() > 0 {
		m.t.Fatalf("%s: book ends %v (%v) with %d events unread", what, m.r.s.State(), m.r.s.reason, m.r.q.Len())
	}
	if digest(got.AppendCanonical(nil)) != digest(want.AppendCanonical(nil)) {
		m.t.Fatalf("%s: final book differs", what)
	}
}

// alone cuts one instrument out of a tape, its snapshot put first, where it is
// not older than what follows.
func alone(tp *tape, name string) *tape {
	in := tp.instrument(name)
	out := &tape{market: tp.market, names: []string{name}}
	var im *Image
	for _, st := range tp.steps {
		if st.at() != in {
			continue
		}
		st.ev.Instrument = 0
		if st.im != nil {
			c := *st.im
			c.Instrument = 0
			im = &c
			continue
		}
		out.steps = append(out.steps, st)
	}
	out.steps = append([]step{{im: im}}, out.steps...)
	return out
}

// damageTapes are the tapes to be damaged, one instrument each.
func damageTapes(t *testing.T) map[string]*tape {
	out := map[string]*tape{}
	add := func(name string, tp *tape, limit int) {
		for _, n := range tp.names {
			a := alone(tp, n)
			if limit > 0 && len(a.steps) > limit {
				a.steps = a.steps[:limit]
			}
			out[name+" "+n] = a
		}
	}
	for _, m := range []core.Market{core.Spot, core.LinearFutures} {
		add(fmt.Sprintf("synthetic %d", m), synthetic(m, 7, 400), 0)
	}
	for name, m := range map[string]core.Market{
		"spot_multi4_20211012.tsv.gz": core.Spot, "usdm_multi4_20210722.tsv.gz": core.LinearFutures,
		"spot_btcusdt_20240808.tsv.gz": core.Spot, "usdm_btcusdt_20230404.tsv.gz": core.LinearFutures,
	} {
		tp := recorded(t, m, name)
		if tp == nil {
			t.Logf("%s is not here: left out", name)
			continue
		}
		add(name, tp, 1000)
	}
	return out
}

// deltas are the positions of the events that a clean run applies and that tell
// something beyond the snapshot, thinned out to at most n.
func deltas(tp *tape, n int) []int {
	var at []int
	s := NewSync(&core.Instrument{Market: tp.market}, 0, 0)
	for i := range tp.steps {
		st := &tp.steps[i]
		if st.im != nil {
			s.Snapshot(st.im)
		} else if st.ev.Kind == core.DepthDelta && s.Delta(&st.ev, st.lv) == Applied && st.ev.ID > tp.steps[0].im.LastID {
			at = append(at, i)
		}
	}
	rnd := rand.New(rand.NewPCG(uint64(len(at)), 3))
	for len(at) > n {
		k := rnd.IntN(len(at))
		at = slices.Delete(at, k, k+1)
	}
	return at
}

const damagesPerTape = 24

// next is the position of the next delta after i, or -1.
func next(tp *tape, i int) int {
	for i++; i < len(tp.steps); i++ {
		if tp.steps[i].im == nil && tp.steps[i].ev.Kind == core.DepthDelta {
			return i
		}
	}
	return -1
}

func TestLostEventIsNoticedAtTheNextOne(t *testing.T) {
	for name, tp := range damageTapes(t) {
		for _, lost := range deltas(tp, damagesPerTape) {
			bad := next(tp, lost)
			if bad < 0 {
				continue // nothing follows that could tell
			}
			m := newMutated(t, tp)
			m.play(slices.Delete(inOrder(tp), lost, lost+1))
			m.recovered(fmt.Sprintf("%s: event %d lost, %d first to show it", name, lost, bad), bad)
		}
	}
}

// recovered checks that the only damage was noticed at step bad, and repaired.
func (m *mutated) recovered(what string, bad int) {
	m.t.Helper()
	c := m.r.s.count
	// Where nothing has joined the snapshot yet, a loss looks like a snapshot that
	// is too old, and is repaired the same way.
	tooOld := c.Refetches == 1 && len(m.gapAt) == 0
	if m.held != 1 || !tooOld && (c.Refetches != 0 || !slices.Equal(m.gapAt, []uint64{m.tp.steps[bad].ev.ID})) {
		m.t.Fatalf("%s: gaps at %v, want %d; %d fresh snapshots, %+v", what, m.gapAt, m.tp.steps[bad].ev.ID, m.held, c)
	}
	m.sameEnd(what)
}

func TestDoubledEventChangesNothing(t *testing.T) {
	for name, tp := range damageTapes(t) {
		for _, at := range deltas(tp, damagesPerTape) {
			m := newMutated(t, tp)
			m.play(slices.Insert(inOrder(tp), at, at))
			if c := m.r.s.count; c.Gaps != 0 || c.Repeated != 1 || m.held != 0 {
				t.Fatalf("%s: event %d doubled: %+v, want one repeat and nothing else", name, at, c)
			}
			m.sameEnd(name)
		}
	}
}

func TestSwappedEventsAreNoticedAtTheFirst(t *testing.T) {
	for name, tp := range damageTapes(t) {
		for _, at := range deltas(tp, damagesPerTape) {
			other := next(tp, at)
			if other < 0 {
				continue
			}
			m := newMutated(t, tp)
			order := inOrder(tp)
			order[at], order[other] = other, at
			m.play(order)
			m.recovered(fmt.Sprintf("%s: events %d and %d swapped", name, at, other), other)
		}
	}
}

// TestSnapshotJoinsAtEveryPosition starts late: five events wait, and a snapshot
// arrives that was taken before them, between them or after them.
func TestSnapshotJoinsAtEveryPosition(t *testing.T) {
	const wait = 5
	joined, refused := 0, 0
	for name, tp := range damageTapes(t) {
		all := deltas(tp, len(tp.steps))
		for k := 2; k+wait < len(all); k += 1 + len(all)/damagesPerTape {
			for taken := -2; taken < wait; taken++ { // after which of the waiting
				m := newMutated(t, tp)
				m.advance(all[k+taken] + 1)
				im := m.image()
				for i := all[k]; i <= all[k+wait-1]; i++ {
					if st := &tp.steps[i]; st.im == nil {
						m.r.put(t, st)
					}
				}
				what := fmt.Sprintf("%s: snapshot after event %d for %d to %d", name, all[k+taken], all[k], all[k+wait-1])
				switch v := m.r.s.Snapshot(im); {
				case taken == -2 && v == Refetch:
					refused++
				case taken >= -1 && v == Applied:
					joined++
				default:
					t.Fatalf("%s: %v", what, v)
				}
				m.r.drain(t)
				if _, ok := m.r.s.Live(); ok != (taken >= -1) {
					t.Fatalf("%s: book is %v", what, m.r.s.State())
				}
				m.advance(all[k+wait-1] + 1)
				m.play(inOrder(tp)[all[k+wait-1]+1:])
				if m.r.s.count.Gaps != 0 {
					t.Fatalf("%s: %+v, want no gap", what, m.r.s.count)
				}
				m.sameEnd(what)
			}
		}
	}
	t.Logf("%d snapshots joined, %d were too old", joined, refused)
	if joined == 0 || refused == 0 {
		t.Errorf("%d snapshots joined, %d were too old, want some of both", joined, refused)
	}
}

// TestSplitEventsGiveTheSameBook cuts events in two: first what goes, then what
// comes, so that no half crosses the book. Touches are left out: they belong to
// the whole events.
func TestSplitEventsGiveTheSameBook(t *testing.T) {
	for name, tp := range damageTapes(t) {
		m := newMutated(t, tp)
		split := 0
		for i := range tp.steps {
			st := &tp.steps[i]
			m.advance(i + 1)
			if st.im == nil && st.ev.Kind == core.Touch {
				continue
			}
			// An event that straddles the snapshot cannot be cut: which of its levels
			// belong to which ids is not told.
			if st.im != nil || st.ev.ID == st.ev.FirstID() || st.ev.FirstID() <= tp.steps[0].im.LastID {
				m.feed(st)
				continue
			}
			a, b := *st, *st
			a.ev.ID = st.ev.FirstID() + (st.ev.ID-st.ev.FirstID())/2
			b.ev.W[0] = int64(a.ev.ID + 1)
			b.ev.W[1] = int64(a.ev.ID)
			gone := func(l core.Level) bool { return l.Qty == 0 }
			comes := func(l core.Level) bool { return l.Qty != 0 }
			a.lv, a.ev.Bids, a.ev.Asks = without(st, comes)
			b.lv, b.ev.Bids, b.ev.Asks = without(st, gone)
			m.feed(&a)
			m.feed(&b)
			split++
		}
		if c := m.r.s.count; c.Gaps != 0 || split == 0 && len(tp.steps) > 20 {
			t.Fatalf("%s: %d events split, %+v", name, split, c)
		}
		m.sameEnd(name)
	}
}

func without(st *step, drop func(core.Level) bool) (lv []core.Level, bids, asks uint16) {
	for i, l := range st.lv {
		if drop(l) {
			continue
		}
		lv = append(lv, l)
		if i < int(st.ev.Bids) {
			bids++
		} else {
			asks++
		}
	}
	return lv, bids, asks
}

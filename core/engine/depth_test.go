package engine_test

import (
	"strings"
	"testing"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/engine"
	"riposte/core/engine/enginetest"
	"riposte/core/ring"
)

// walk is a market of one level a tick whose middle moves: a side has span levels, and a
// snapshot tells the best of them.
type walk struct {
	id   uint64
	mid  core.Price // in ticks
	span core.Price
}

func (k *walk) qty(p core.Price) core.Qty { return core.Qty(1+p%7) * core.Scale }

// levels are the best n of a side.
func (k *walk) levels(side core.Side, n core.Price) (lv []core.Level) {
	for i := range min(n, k.span) {
		p := k.mid - core.Price(side.Sign())*(1+i)
		lv = append(lv, core.Level{Price: p * tick, Qty: k.qty(p)})
	}
	return lv
}

// move takes the middle one tick up or down and publishes what changed.
func (k *walk) move(w *enginetest.World, up core.Price) {
	before := *k
	k.mid += up
	k.id++
	var lv [2][]core.Level
	for s := range lv {
		side := core.Side(s)
		was, is := before.levels(side, k.span), k.levels(side, k.span)
		come, gone := is[0], was[0] // the side follows, or gives way
		if keeps := side == core.Buy == (up > 0); keeps {
			gone = was[k.span-1]
		} else {
			come = is[k.span-1]
		}
		lv[s] = []core.Level{come, {Price: gone.Price}}
	}
	w.Delta(0, k.id, k.id, lv[0], lv[1])
}

// snapshot answers a request.
func (k *walk) snapshot(w *enginetest.World, p book.Purpose, n core.Price) {
	slot := w.Images.Claim()
	*slot = &book.Image{LastID: k.id, Limit: int(n), Purpose: p, Bids: k.levels(core.Buy, n), Asks: k.levels(core.Sell, n)}
	w.Images.Publish()
}

// right holds the world's book against the market, as far as it is known.
func (k *walk) right(t *testing.T, w *enginetest.World) *book.Book {
	t.Helper()
	b, live := w.Shard.Sync(0).Live()
	if !live {
		t.Fatalf("book is %v (%v), want live", w.Shard.Sync(0).State(), w.Shard.Sync(0).Status().Reason)
	}
	for s := range 2 {
		side := core.Side(s)
		n := 0
		for _, want := range k.levels(side, k.span) {
			if core.Price(side.Sign())*(want.Price-b.Trusted(side)) < 0 {
				break
			}
			got := b.Levels(side, make([]core.Level, 0, n+1))
			if len(got) <= n || got[n] != want {
				t.Fatalf("%v level %d is %v, want %v", side, n, got[min(n, len(got)-1):], want)
			}
			if n++; n == 8 {
				break // the rest now and then, below
			}
		}
	}
	return b
}

// depthOf makes a shard's depth configuration with empty records to compare with.
func depthOf(levels int, audit bool) engine.DepthConfig {
	c := engine.DepthConfig{Levels: levels, Audit: audit, Copies: ring.New[*book.Audit](4), Judged: ring.New[*book.Audit](4), Recovered: ring.New[engine.Recovery](64)}
	for range 4 {
		*c.Judged.Claim() = new(book.Audit)
		c.Judged.Publish()
	}
	return c
}

// compare does the cold side's work and returns how many levels differed.
func compare(c *engine.DepthConfig) (compared, different int, first string) {
	for list := c.Copies.Pending(); len(list) > 0; list = c.Copies.Pending() {
		a := list[0]
		c.Copies.Release(1)
		a.Compare()
		compared, different = compared+a.Compared, different+a.Different
		if a.Different > 0 && first == "" {
			first = a.First
		}
		*c.Judged.Claim() = a
		c.Judged.Publish()
	}
	return compared, different, first
}

// begin makes the book Live with n levels.
func (k *walk) begin(t *testing.T, w *enginetest.World, n core.Price) {
	t.Helper()
	k.move(w, 1)
	w.Run()
	if got := w.Wants(); len(got) != 1 || got[0].Purpose != book.ForBridge || got[0].Again {
		t.Fatalf("asked for %+v, want one snapshot to bridge", got)
	}
	k.snapshot(w, book.ForBridge, n)
	w.Run()
	k.move(w, 1)
	w.Run()
	k.right(t, w)
}

func TestNarrowBookIsDeepenedAndStaysLive(t *testing.T) {
	for name, late := range map[string]int{"snapshot older than the book": 5, "of its id": 0, "ahead of it": -1} {
		k, c := &walk{id: 100, mid: 10_000, span: 300}, depthOf(200, true)
		p := &probe{}
		w := newWorld(t, p, enginetest.Setup{Depth: c})
		k.begin(t, w, 20)
		w.Advance(time.Second)
		got := w.Wants()
		if len(got) != 1 || got[0].Purpose != book.ForRange {
			t.Fatalf("%s: asked for %+v, want one snapshot for range", name, got)
		}
		then := *k
		if late < 0 { // taken after an event that has not come yet
			k.move(w, 1)
			then = *k
		}
		for range late {
			k.move(w, 1)
			w.Run()
		}
		then.snapshot(w, book.ForRange, 200)
		w.Run()
		k.move(w, -1)
		w.Run()
		b := k.right(t, w)
		if edge := b.Trusted(core.Sell); edge < (then.mid+200)*tick {
			t.Errorf("%s: known up to %v, want %v", name, edge, (then.mid+200)*tick)
		}
		if n, diff, first := compare(&c); n < 20 || diff != 0 {
			t.Errorf("%s: %d levels compared, %d differ (%s), want some and none", name, n, diff, first)
		}
		w.Advance(time.Second)
		if s := w.Shard.Stats(); s.Renewals != 1 || s.Demotions != 0 || s.Audits != 1 || p.markets == 0 {
			t.Errorf("%s: %d renewals, %d demotions, %d audits, want 1, 0, 1", name, s.Renewals, s.Demotions, s.Audits)
		}
	}
}

// A market that goes 10 % up and then 20 % down is known around the touch all the way.
func TestKnownDepthFollowsTheTouch(t *testing.T) {
	k, c := &walk{id: 100, mid: 10_000, span: 300}, depthOf(100, false)
	w := newWorld(t, &probe{}, enginetest.Setup{Depth: c})
	k.begin(t, w, 100)
	least := core.Price(100)
	for i := range 3000 {
		up := core.Price(1)
		if i >= 1000 {
			up = -1
		}
		k.move(w, up)
		w.Advance(100 * time.Millisecond)
		b := k.right(t, w)
		least = min(least, (b.Trusted(core.Sell)-b.Best(core.Sell).Price)/tick, (b.Best(core.Buy).Price-b.Trusted(core.Buy))/tick)
		for _, want := range w.Wants() {
			if want.Purpose != book.ForEdge {
				t.Fatalf("asked for %+v, want only renewals", want)
			}
			k.snapshot(w, want.Purpose, 100)
		}
	}
	b := k.right(t, w)
	for s := range 2 {
		side := core.Side(s)
		want := k.levels(side, k.span)
		got := b.Levels(side, make([]core.Level, 0, b.Len(side)))
		for i, lv := range want {
			if core.Price(side.Sign())*(lv.Price-b.Trusted(side)) < 0 {
				break
			}
			if got[i] != lv {
				t.Fatalf("%v level %d is %v, want %v", side, i, got[i], lv)
			}
		}
	}
	w.Advance(time.Second)
	s := w.Shard.Stats()
	if s.Demotions != 0 || s.Renewals < 3000/50-2 || s.Renewals > 3000/20 || least < 20 {
		t.Errorf("%d demotions, %d renewals, at worst %d levels known on a side; want none, about one in 50 moves, more than 20", s.Demotions, s.Renewals, least)
	}
	t.Logf("3000 moves of a tick: %d renewals, at least %d levels of 100 known on each side", s.Renewals, least)
}

// A touch that leaves what is known demotes the book with the same event, before a
// strategy sees it.
func TestTouchBeyondTheKnownDepthDemotes(t *testing.T) {
	k, c := &walk{id: 100, mid: 10_000, span: 300}, depthOf(100, false)
	p := &probe{}
	w := newWorld(t, p, enginetest.Setup{Depth: c})
	k.begin(t, w, 10)
	for p.markets = 0; ; {
		k.move(w, 1)
		w.Run()
		if _, live := w.Shard.Sync(0).Live(); !live {
			break
		}
		k.right(t, w)
	}
	if st := w.Shard.Sync(0).Status(); st.Reason != book.RangeLeft || p.markets < 8 || p.markets > 10 {
		t.Errorf("%v after %d moves shown, want the known range left after 8 to 10", st.Reason, p.markets)
	}
	k.move(w, 1)
	w.Run()
	var bridge bool
	for _, want := range w.Wants() {
		bridge = bridge || want.Purpose == book.ForBridge
	}
	k.snapshot(w, book.ForBridge, 100)
	w.Run()
	k.move(w, 1)
	w.Run()
	if k.right(t, w); !bridge {
		t.Error("no snapshot was asked for")
	}
	list := c.Recovered.Pending()
	if len(list) != 2 || !list[0].First || list[1].First || list[1].Why != book.RangeLeft || list[1].Live < list[1].Down {
		t.Errorf("ways to Live were told as %+v, want the first and one because the range was left", list)
	}
}

func TestAuditFindsACorruptedLevelWithinACycle(t *testing.T) {
	const symbols = 5
	for bad := range core.InstrumentID(symbols) {
		c := depthOf(20, true)
		w := newWorld(t, nil, enginetest.Setup{Symbols: []string{"A", "B", "C", "D", "E"}, Depth: c})
		ids := [symbols]uint64{}
		event := func(id core.InstrumentID) {
			ids[id]++
			w.Delta(id, 1000+ids[id], 1000+ids[id], enginetest.Levels("100", "1"), enginetest.Levels("101", "2"))
		}
		image := func(want book.Want) {
			*w.Images.Claim() = &book.Image{Instrument: want.Instrument, LastID: 1000 + ids[want.Instrument], Purpose: want.Purpose, Limit: 20,
				Bids: enginetest.Levels("100", "1", "99", "1", "98", "1"), Asks: enginetest.Levels("101", "2", "102", "2")}
			w.Images.Publish()
		}
		serve := func() (asked int) {
			for _, want := range w.Wants() {
				image(want)
				if want.Purpose == book.ForAudit {
					asked++
				}
			}
			for id := range core.InstrumentID(symbols) {
				event(id)
			}
			w.Run()
			return asked
		}
		for range 3 {
			serve()
		}
		b, live := w.Shard.Sync(bad).Live()
		if !live {
			t.Fatalf("book %d is %v", bad, w.Shard.Sync(bad).State())
		}
		b.Set(core.Buy, enginetest.P("98"), core.Scale/2)
		asked, found := 0, ""
		for range 100 {
			w.Advance(3 * time.Second)
			asked += serve()
			if _, n, first := compare(&c); n > 0 {
				found = first
				break
			}
		}
		if asked > symbols || !strings.Contains(found, "BUY 98 holds 1, ours 0.5") {
			t.Errorf("book %d: %d audits asked for, found %q; want it within %d", bad, asked, found, symbols)
		}
		w.Run() // reads the verdict
		if _, live := w.Shard.Sync(bad).Live(); live {
			t.Errorf("book %d can be read although an audit showed it to be wrong", bad)
		}
		for range 3 {
			w.Advance(time.Second)
			serve()
		}
		if m := marketStats(t, w, bad); m.Sync.State != book.Live || m.Sync.Reason != book.AuditDiffers {
			t.Errorf("book %d ends %v (%v), want live again after an audit", bad, m.Sync.State, m.Sync.Reason)
		}
		if s := w.Shard.Stats(); s.AuditDifferences != 1 || s.Demotions != 1 {
			t.Errorf("%d differences, %d demotions, want one of each", s.AuditDifferences, s.Demotions)
		}
	}
}

// A snapshot from after the book's last event, and then none of the events in between:
// the stream has stopped, however alive its line is.
func TestBookBehindASnapshotIsDemoted(t *testing.T) {
	k, c := &walk{id: 100, mid: 10_000, span: 50}, depthOf(0, true)
	w := newWorld(t, &probe{}, enginetest.Setup{Depth: c})
	k.begin(t, w, 50)
	w.Advance(time.Second)
	if got := w.Wants(); len(got) != 1 || got[0].Purpose != book.ForAudit || got[0].Levels != 50 {
		t.Fatalf("asked for %+v, want an audit of 50 levels", got)
	}
	k.id += 7
	k.snapshot(w, book.ForAudit, 50)
	w.Run()
	w.Advance(9 * time.Second)
	if _, live := w.Shard.Sync(0).Live(); !live {
		t.Fatal("demoted although the events may still come")
	}
	w.Advance(2 * time.Second)
	if st := w.Shard.Sync(0).Status(); st.State != book.Gapped || st.Reason != book.DepthBehind {
		t.Errorf("book is %v (%v), want gapped: depth behind", st.State, st.Reason)
	}
}

func TestUselessSnapshotIsAskedForAgainWithoutHurry(t *testing.T) {
	k := &walk{id: 100, mid: 10_000, span: 50}
	w := newWorld(t, nil, enginetest.Setup{})
	old := *k
	k.id += 5
	k.move(w, 1)
	w.Run()
	w.Wants()
	for range 3 {
		old.snapshot(w, book.ForBridge, 50)
		w.Run()
		if got := w.Wants(); len(got) != 1 || !got[0].Again || got[0].Down != 1 {
			t.Fatalf("asked for %+v, want it once more, said to be again", got)
		}
	}
}

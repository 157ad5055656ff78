package book

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"riposte/core"
)

// equal compares everything a book can say with what its twin says.
func equal(t interface{ Fatalf(string, ...any) }, b *Book, w *twin) {
	for _, s := range []core.Side{core.Buy, core.Sell} {
		want := w.levels(s)
		if got := b.Levels(s, make([]core.Level, 0, b.Len(s)+1)); b.Len(s) != len(want) || !slices.Equal(got, want) {
			t.Fatalf("%v side (%d levels) differs:\n%s", s, b.Len(s), cmp.Diff(want, got))
		}
		var best core.Level
		if len(want) > 0 {
			best = want[0]
		}
		if b.Best(s) != best {
			t.Fatalf("best %v is %v, want %v", s, b.Best(s), best)
		}
	}
	top := w.top()
	top.ID = b.ID()
	if b.Top() != top {
		t.Fatalf("top %v, want %v", b.Top(), top)
	}
	if crossed := top.Bid != 0 && top.Ask != 0 && top.Bid >= top.Ask; b.Crossed() != crossed {
		t.Fatalf("crossed is %v at %v", b.Crossed(), top)
	}
	if got, want := b.AppendCanonical(nil), w.canonical(); string(got) != string(want) {
		t.Fatalf("canonical text differs:\n%s", cmp.Diff(string(want), string(got)))
	}
}

// prices draws what venues send: around a touch that drifts, far away, off the
// grid, at both ends of the range.
func drawPrice(t *rapid.T, around, tick core.Price) core.Price {
	switch rapid.IntRange(0, 9).Draw(t, "where") {
	case 0:
		return core.Price(rapid.Int64Range(1, 9e17).Draw(t, "anywhere"))
	case 1:
		return rapid.SampledFrom([]core.Price{1, 2, 63, 64, 65, 9e17, math.MaxInt64 - 1, 1 << 62, 1<<62 + 1}).Draw(t, "end")
	case 2:
		p := around + core.Price(rapid.Int64Range(-1e6, 1e6).Draw(t, "off grid"))
		return max(1, p)
	case 3:
		return max(tick, around-around%tick+tick*core.Price(rapid.IntRange(-200_000, 200_000).Draw(t, "far ticks")))
	default:
		return max(tick, around-around%tick+tick*core.Price(rapid.IntRange(-600, 600).Draw(t, "ticks")))
	}
}

func drawQty(t *rapid.T) core.Qty {
	if rapid.Bool().Draw(t, "delete") {
		return 0
	}
	return core.Qty(rapid.Int64Range(1, 1<<40).Draw(t, "qty"))
}

func TestBookEqualsSortedMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tick := rapid.SampledFrom([]core.Price{0, 1, 1_000, 1_000_000, 10 * core.Scale, 7, 1 << 50, 1 << 60}).Draw(t, "tick")
		grid := max(tick, 1)
		b, w := New(tick, rapid.SampledFrom([]int{0, 1, 512, 5000}).Draw(t, "window")), newTwin()
		around := core.Price(rapid.Int64Range(1, 1e13).Draw(t, "around"))
		absent := 0
		t.Repeat(map[string]func(*rapid.T){
			"apply": func(t *rapid.T) {
				var lv [2][]core.Level
				for s := range lv {
					for range rapid.IntRange(0, 20).Draw(t, "levels") {
						lv[s] = append(lv[s], core.Level{Price: drawPrice(t, around, grid), Qty: drawQty(t)})
					}
				}
				n := b.Apply(b.ID()+1, lv[0], lv[1])
				if want := w.apply(0, lv[0], lv[1]); n != want {
					t.Fatalf("%d removals of absent levels, want %d", n, want)
				}
				absent += n
			},
			"set": func(t *rapid.T) {
				s := core.Side(rapid.IntRange(0, 1).Draw(t, "side"))
				p, q := drawPrice(t, around, grid), drawQty(t)
				if got, want := b.Set(s, p, q), w.set(s, p, q); got != want {
					t.Fatalf("removal at %v found nothing: %v, want %v", p, got, want)
				}
			},
			"remove best": func(t *rapid.T) {
				s := core.Side(rapid.IntRange(0, 1).Draw(t, "side"))
				for range rapid.IntRange(1, 20).Draw(t, "n") {
					if best := b.Best(s); best.Price > 0 {
						b.Set(s, best.Price, 0)
						w.set(s, best.Price, 0)
					}
				}
			},
			"drift": func(t *rapid.T) {
				around = max(1, around+grid*core.Price(rapid.IntRange(-3000, 3000).Draw(t, "drift")))
			},
			"tick": func(t *rapid.T) {
				grid = rapid.SampledFrom([]core.Price{1, 100, 1_000_000, 5}).Draw(t, "tick")
				b.SetTick(grid)
			},
			"tune": func(t *rapid.T) {
				b.sides[0].ops, b.sides[1].ops = tuneEvery, tuneEvery
			},
			"load": func(t *rapid.T) {
				im := w.image()
				im.LastID = b.ID()
				b.Load(im)
			},
			"": func(t *rapid.T) { equal(t, b, w) },
		})
		for s := range b.sides {
			b.sides[s].check(t)
		}
	})
}

// check is the ladder's own bookkeeping, counted over.
func (l *ladder) check(t interface{ Fatalf(string, ...any) }) {
	near := 0
	for slot := range uint64(len(l.qty)) {
		p := (slot + l.off) & l.mask
		if l.occ[p>>6]>>(p&63)&1 == 1 {
			near++
			if l.qty[p] <= 0 {
				t.Fatalf("slot %d is marked and holds %d", slot, l.qty[p])
			}
		}
	}
	n, used, f := 0, 0, &l.far
	listed := map[int64]bool{}
	for _, k := range append(slices.Clone(f.order), f.added...) {
		listed[k] = true
	}
	for i, e := range f.tab {
		if e.key == 0 {
			continue
		}
		used++
		if e.qty > 0 {
			n++
		}
		if f.at(e.key) != &f.tab[i] || e.qty > 0 && e.key < f.least || f.ordered && !listed[e.key] {
			t.Fatalf("far entry %v is not found, not listed or below the least, %d", e, f.least)
		}
	}
	if !slices.IsSorted(f.order) {
		t.Fatalf("far order is none: %d", f.order)
	}
	if near != l.near || n != f.n || used != f.used {
		t.Fatalf("counts %d near and %d of %d far, found %d and %d of %d", l.near, f.n, f.used, near, n, used)
	}
}

func TestBookIgnoresWhatIsNoPrice(t *testing.T) {
	b := New(100, 0)
	for _, p := range []core.Price{0, -1, math.MinInt64, math.MaxInt64} {
		b.Set(core.Buy, p, 5)
		b.Set(core.Sell, p, 5)
	}
	b.Apply(1, levels(0, 5, 40, 0), levels(-7, 5))
	if b.Len(core.Buy)+b.Len(core.Sell) != 0 || b.Refused() != 10 {
		t.Fatalf("holds %d bids and %d asks, refused %d, want none and 10", b.Len(core.Buy), b.Len(core.Sell), b.Refused())
	}
}

func TestCanonicalTopOfAnEmptySide(t *testing.T) {
	b := New(1, 0)
	b.Apply(7, levels(10, 3), nil)
	if got := string(AppendCanonicalTop(nil, b.Top())); got != "7 0.0000001 0.00000003 - -\n" {
		t.Fatalf("top line %q", got)
	}
}

func levels(pairs ...int64) (lv []core.Level) {
	for i := 0; i < len(pairs); i += 2 {
		lv = append(lv, core.Level{Price: core.Price(pairs[i]), Qty: core.Qty(pairs[i+1])})
	}
	return lv
}

func TestTrustedRangeEndsWhereTheSnapshotDid(t *testing.T) {
	bids, asks := levels(99, 1, 98, 2), levels(101, 1, 102, 2, 103, 3)
	cases := []struct {
		name     string
		im       Image
		bid, ask core.Price
	}{
		{"limit unknown", Image{Bids: bids, Asks: asks}, 98, 103},
		{"both sides cut", Image{Bids: bids, Asks: asks[:2], Limit: 2}, 98, 102},
		{"bids whole", Image{Bids: bids, Asks: asks, Limit: 3}, 0, 103},
		{"shorter than asked for, perhaps by a cap", Image{Bids: bids, Asks: asks, Limit: 5}, 0, 103},
		{"the same, the other way", Image{Bids: bids, Asks: asks[:1], Limit: 5}, 98, math.MaxInt64},
		{"both cut to one length", Image{Bids: bids, Asks: asks[:2], Limit: 5}, 98, 102},
		{"both empty", Image{Limit: 5}, math.MaxInt64, 0},
		{"no bids, limit known", Image{Asks: asks, Limit: 3}, 0, 103},
		{"no bids, limit unknown", Image{Asks: asks}, math.MaxInt64, 103},
		{"no asks, limit unknown", Image{Bids: bids}, 98, 0},
	}
	for _, c := range cases {
		b := New(1, 0)
		b.Load(&c.im)
		if b.Trusted(core.Buy) != c.bid || b.Trusted(core.Sell) != c.ask {
			t.Errorf("%s: trusted from %d to %d, want %d to %d", c.name, b.Trusted(core.Buy), b.Trusted(core.Sell), c.bid, c.ask)
		}
		if b.Reset(); b.Trusted(core.Buy) != math.MaxInt64 || b.Trusted(core.Sell) != 0 {
			t.Errorf("%s: an empty book is trusted", c.name)
		}
	}
}

func TestCostStopsAtTheTrustedRange(t *testing.T) {
	b, w := New(1, 0), newTwin()
	im := &Image{LastID: 1, Bids: levels(99, 10, 98, 20), Asks: levels(101, 10, 103, 20), Limit: 2}
	b.Load(im)
	w.load(im)
	b.Apply(2, levels(97, 1000), levels(104, 1000, 102, 5)) // the outer two lie beyond
	w.apply(2, levels(97, 1000), levels(104, 1000, 102, 5))
	for _, c := range []struct {
		side          core.Side
		qty, filled   core.Qty
		worst         core.Price
		value, atLeft int64
	}{
		{core.Buy, 0, 0, 0, 0, 0},
		{core.Buy, 1, 1, 101, 101, 0},
		{core.Buy, 12, 12, 102, 1010 + 204, 0},
		{core.Buy, 35, 35, 103, 1010 + 510 + 2060, 0},
		{core.Buy, 36, 35, 103, 1010 + 510 + 2060, 0},
		{core.Sell, 30, 30, 98, 990 + 1960, 0},
		{core.Sell, 500, 30, 98, 990 + 1960, 0},
	} {
		value, worst, filled := b.Cost(c.side, c.qty)
		if (value != core.Notional{Lo: uint64(c.value)}) || worst != c.worst || filled != c.filled {
			t.Errorf("%v %d costs %v down to %d, %d filled; want %d, %d, %d", c.side, c.qty, value, worst, filled, c.value, c.worst, c.filled)
		}
		v2, w2, f2 := w.cost(c.side, c.qty, b.Trusted(c.side.Opposite()))
		if v2 != value || w2 != worst || f2 != filled {
			t.Errorf("%v %d: twin says %v %d %d", c.side, c.qty, v2, w2, f2)
		}
	}
}

func TestCostEqualsTwin(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b, w := New(100, 512), newTwin()
		for range rapid.IntRange(0, 200).Draw(t, "levels") {
			s := core.Side(rapid.IntRange(0, 1).Draw(t, "side"))
			p := drawPrice(t, 1e9, 100)
			q := core.Qty(rapid.Int64Range(1, 1<<40).Draw(t, "qty"))
			b.Set(s, p, q)
			w.set(s, p, q)
		}
		b.edge = [2]core.Price{drawPrice(t, 1e9, 100), drawPrice(t, 1e9, 100)}
		side := core.Side(rapid.IntRange(0, 1).Draw(t, "taker"))
		qty := core.Qty(rapid.Int64Range(0, 1<<46).Draw(t, "size"))
		v1, w1, f1 := b.Cost(side, qty)
		v2, w2, f2 := w.cost(side, qty, b.edge[side.Opposite()])
		if v1 != v2 || w1 != w2 || f1 != f2 {
			t.Fatalf("cost %v %d %d, want %v %d %d", v1, w1, f1, v2, w2, f2)
		}
	})
}

func TestWalkStopsWhenTold(t *testing.T) {
	b := New(1, 0)
	b.Apply(1, levels(10, 1, 9, 2, 8, 3), nil)
	var seen []core.Level
	b.Walk(core.Buy, func(l core.Level) bool {
		seen = append(seen, l)
		return len(seen) < 2
	})
	if !slices.Equal(seen, levels(10, 1, 9, 2)) {
		t.Fatalf("walked %v", seen)
	}
	if got := b.Levels(core.Buy, make([]core.Level, 0, 2)); !slices.Equal(got, seen) {
		t.Fatalf("levels %v, want %v", got, seen)
	}
	b.Walk(core.Sell, func(core.Level) bool { t.Fatal("a side without levels was walked"); return true })
}

func TestImageCheckNamesWhatIsWrong(t *testing.T) {
	cases := []struct {
		im   Image
		want string
	}{
		{Image{Bids: levels(99, 1, 98, 1), Asks: levels(100, 1)}, ""},
		{Image{}, ""},
		{Image{Bids: levels(99, 1, 99, 1)}, "BUY level 1 at 0.00000099 follows 0.00000099, want best first"},
		{Image{Asks: levels(99, 1, 98, 1)}, "SELL level 1 at 0.00000098 follows 0.00000099, want best first"},
		{Image{Asks: levels(99, 0)}, "SELL level 0 is 0 at 0.00000099, want both above zero"},
		{Image{Bids: levels(-5, 1)}, "BUY level 0"},
		{Image{Bids: levels(99, 1), Asks: levels(99, 1)}, "want bid below ask"},
	}
	for _, c := range cases {
		err := c.im.Check()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v: %v, want %q", c.im, err, c.want)
		}
	}
}

func TestTickIsFoundInPrices(t *testing.T) {
	cases := []struct {
		prices []core.Price
		want   core.Price
	}{
		{nil, 0},
		{[]core.Price{6168599000000, 6168600000000, 6168601000000}, 1_000_000},
		{[]core.Price{35210000, 35270000, 35000000}, 10_000},
		{[]core.Price{6547, 6560, 6542}, 1},
		{[]core.Price{2814510000000, 2814520000000, 2814500000000, 2814550000000, 2814560000000, 2814570000000, 2814580000000, 2814510000001}, 10_000_000},
		{[]core.Price{50, 100, 150, 5}, 5},
	}
	for _, c := range cases {
		if got := tickOf(c.prices); got != c.want {
			t.Errorf("tick of %d is %d, want %d", c.prices, got, c.want)
		}
	}
}

func TestWindowFollowsWhatComes(t *testing.T) {
	t.Run("unknown tick", func(t *testing.T) {
		b := New(0, 0)
		im := &Image{LastID: 1}
		for i := range int64(1000) {
			im.Bids = append(im.Bids, core.Level{Price: core.Price(1e12 - (i+1)*1e6), Qty: 1})
			im.Asks = append(im.Asks, core.Level{Price: core.Price(1e12 + i*1e6), Qty: 1})
		}
		b.Load(im)
		if b.tick != 1e6 || b.sides[0].near < 700 || b.sides[1].near < 700 {
			t.Fatalf("tick %d with %d and %d levels in the windows, want 1000000 and most of 1000", b.tick, b.sides[0].near, b.sides[1].near)
		}
	})
	t.Run("tick changed unannounced", func(t *testing.T) {
		b := New(1000, 0)
		for i := range int64(3 * tuneEvery) {
			b.Set(core.Sell, core.Price(1e9+10*(i%300)), core.Qty(1+i))
		}
		if b.tick != 10 || b.sides[core.Sell].near < 300 {
			t.Fatalf("tick %d with %d of 300 levels in the window", b.tick, b.sides[core.Sell].near)
		}
	})
	t.Run("levels far apart", func(t *testing.T) {
		b := New(10, 1<<14)
		for i := range int64(40 * tuneEvery) {
			b.Set(core.Buy, core.Price(1e9-10*(i*7919%10_000)), core.Qty(1+i))
		}
		if got := len(b.sides[core.Buy].qty); got != 1<<14 {
			t.Fatalf("window has %d slots, want %d", got, 1<<14)
		}
		if l := &b.sides[core.Buy]; l.far.n != 0 {
			t.Fatalf("%d of %d levels are still outside", l.far.n, l.len())
		}
	})
}

func TestBookDoesNotAllocate(t *testing.T) {
	b := New(10, 0)
	bids, asks := levels(1000, 5, 990, 3, 7, 4), levels(1010, 5, 1050, 3, 9e15, 4)
	gone := func(lv []core.Level) []core.Level {
		out := slices.Clone(lv)
		for i := range out {
			out[i].Qty = 0
		}
		return out
	}
	noBids, noAsks := gone(bids), gone(asks)
	dst := make([]core.Level, 0, 8)
	text := make([]byte, 0, 1000)
	got := testing.AllocsPerRun(100, func() {
		b.Apply(1, bids, asks)
		b.Walk(core.Buy, func(l core.Level) bool { return l.Qty > 0 })
		b.Cost(core.Buy, 100)
		b.Levels(core.Sell, dst)
		text = b.AppendCanonical(text[:0])
		text = AppendCanonicalTop(text[:0], b.Top())
		b.Apply(2, noBids, noAsks)
	})
	if got != 0 {
		t.Fatalf("%v allocations per event, want 0", got)
	}
}

// TestBookOfAThousandLevelsIsSmall is the ground of the figure for 400 symbols:
// 100 kB each, of which the book may take half.
func TestBookOfAThousandLevelsIsSmall(t *testing.T) {
	im := &Image{LastID: 1}
	for i := range int64(1000) {
		im.Bids = append(im.Bids, core.Level{Price: core.Price(1e9 - 1000*(i+1)), Qty: 1})
		im.Asks = append(im.Asks, core.Level{Price: core.Price(1e9 + 1000*i), Qty: 1})
	}
	b := New(1000, 0)
	b.Load(im)
	if n := b.Bytes(); n > 50_000 || n < 16_000 {
		t.Fatalf("%d bytes, want at most 50000", n)
	}
}

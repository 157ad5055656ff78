package peers

import (
	"testing"

	"riposte/bench"
	"riposte/bench/peers/floor"
	"riposte/core"
	"riposte/core/book"
)

// updates is all snapshots and depth events of a corpus, level by level in the order
// in which a book takes them, in the form that everyone reads; sets is how many are
// to be followed by a look at both bests.
func updates(tb testing.TB, c *bench.Corpus) (out []floor.Update, sets int) {
	d, err := c.Events()
	if err != nil {
		tb.Fatal(err)
	}
	add := func(side core.Side, kind uint8, list []core.Level) {
		for _, l := range list {
			out = append(out, floor.Update{Price: int64(l.Price), Qty: int64(l.Qty), Side: uint8(side), Kind: kind})
		}
	}
	for _, i := range d.InOrder() {
		if i < 0 {
			im := d.Images[-i-1]
			out = append(out, floor.Update{Kind: floor.UpdateClear})
			add(core.Buy, floor.UpdateImage, im.Bids)
			add(core.Sell, floor.UpdateImage, im.Asks)
			continue
		}
		if ev := &d.Events[i]; ev.Kind == core.DepthDelta {
			add(core.Buy, floor.UpdateSet, d.Levels[i][:ev.Bids])
			add(core.Sell, floor.UpdateSet, d.Levels[i][ev.Bids:])
			sets += len(d.Levels[i])
		}
	}
	return out, sets
}

// bestSum adds both bests to the checksum, as floor.Book does.
func bestSum(sum uint64, bid, ask core.Level) uint64 {
	return (sum*31 + uint64(bid.Price)) ^ uint64(bid.Qty) ^ uint64(ask.Price)*3 ^ uint64(ask.Qty)*5
}

// riposteBook replays by our own book. The loop is written out here and in every
// contender below: a shared one would call through an interface three times per
// level, which costs as much as a good book does.
func riposteBook(b *book.Book, list []floor.Update) (sum uint64) {
	for i := range list {
		u := &list[i]
		if u.Kind == floor.UpdateClear {
			b.Reset()
			continue
		}
		b.Set(core.Side(u.Side), core.Price(u.Price), core.Qty(u.Qty))
		if u.Kind == floor.UpdateSet {
			sum = bestSum(sum, b.Best(core.Buy), b.Best(core.Sell))
		}
	}
	return sum
}

func flatBook(tb testing.TB, list []floor.Update, tick core.Price) contender {
	const name = "floor-c-flat"
	var lo, hi int64
	for i := range list {
		if p := list[i].Price; list[i].Kind != floor.UpdateClear {
			if lo == 0 || p < lo {
				lo = p
			}
			hi = max(hi, p)
		}
	}
	b, err := floor.NewBook(lo, hi, int64(tick))
	if err != nil {
		return contender{name: name, miss: err.Error()}
	}
	tb.Cleanup(b.Close)
	return contender{name: name, pass: func() uint64 { return b.Replay(list) }}
}

// books are the structures that others keep a side in.
var books = []struct {
	name   string
	replay func([]floor.Update) uint64
}{
	{"google-btree", googleBook},
	{"tidwall-btree", tidwallBook},
	{"treemap", treemapBook},
	{"gods-red-black", godsBook},
	{"sorted-slice", sliceBook},
	{"map-and-best", mapBook},
}

func bookMatches(tb testing.TB) (out []match) {
	for _, name := range []string{bench.Spot, bench.Linear} {
		c, err := bench.Load(name)
		if err != nil {
			tb.Logf("left out: %v", err)
			continue
		}
		list, sets := updates(tb, c)
		tick := c.Table.Get(0).Filters.Tick
		b := book.New(tick, 0)
		m := match{name: name, items: sets, list: []contender{{name: ours, pass: func() uint64 { return riposteBook(b, list) }}}}
		for _, k := range books {
			m.list = append(m.list, contender{name: k.name, pass: func() uint64 { return k.replay(list) }})
		}
		m.list = append(m.list, flatBook(tb, list, tick))
		out = append(out, m)
	}
	return out
}

func TestBooksAgree(t *testing.T) { allAgree(t, bookMatches(t)) }

// TestBooksAgreeOnOddInput holds the books against each other where recordings have
// little: sides that run empty, removals of what is not there, the best going again
// and again, levels at both ends.
func TestBooksAgreeOnOddInput(t *testing.T) {
	const tick = 100
	var list []floor.Update
	set := func(side core.Side, kind uint8, p, q int64) {
		list = append(list, floor.Update{Price: p, Qty: q, Side: uint8(side), Kind: kind})
	}
	list = append(list, floor.Update{Kind: floor.UpdateClear})
	x := uint64(1)
	random := func(n uint64) int64 {
		x = x*6364136223846793005 + 1442695040888963407
		return int64((x >> 33) % n)
	}
	set(core.Buy, floor.UpdateImage, tick, 5)
	set(core.Sell, floor.UpdateImage, tick*70_000_000, 5)
	for i := range 20_000 {
		if i == 10_000 {
			list = append(list, floor.Update{Kind: floor.UpdateClear})
		}
		side := core.Side(random(2))
		p := tick * (1 + random(40))
		switch {
		case random(50) == 0:
			p = tick * (1 + random(70_000_000))
		case side == core.Sell:
			p += tick * 40
		}
		set(side, floor.UpdateSet, p, random(3))
	}
	b := book.New(tick, 0)
	m := match{name: "odd", items: len(list), list: []contender{{name: ours, pass: func() uint64 { return riposteBook(b, list) }}}}
	for _, k := range books {
		m.list = append(m.list, contender{name: k.name, pass: func() uint64 { return k.replay(list) }})
	}
	m.list = append(m.list, flatBook(t, list, tick))
	allAgree(t, []match{m})
}

// BenchmarkBook is one level set and both best prices read, over whole recordings
// with their far levels; loading the snapshot is in it.
func BenchmarkBook(b *testing.B) {
	for _, m := range bookMatches(b) {
		contest(b, m)
	}
}

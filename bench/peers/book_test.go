package peers

import (
	"slices"
	"testing"

	gbtree "github.com/google/btree"
	tbtree "github.com/tidwall/btree"

	"riposte/bench"
	"riposte/core"
	"riposte/core/book"
)

// ladder is a book of one side each as others would keep it.
type ladder interface {
	clear()
	set(s core.Side, p core.Price, q core.Qty)
	best(s core.Side) core.Level
}

// key orders both sides best first.
func key(s core.Side, p core.Price) int64 { return -s.Sign() * int64(p) }

// replay takes all snapshots and depth events of a corpus through a book, level by
// level, and reads both best prices after each.
func replay(d *bench.Events, l ladder) func() uint64 {
	order := d.InOrder()
	return func() (sum uint64) {
		for _, i := range order {
			if i < 0 {
				im := d.Images[-i-1]
				l.clear()
				for _, lv := range im.Bids {
					l.set(core.Buy, lv.Price, lv.Qty)
				}
				for _, lv := range im.Asks {
					l.set(core.Sell, lv.Price, lv.Qty)
				}
				continue
			}
			ev := &d.Events[i]
			if ev.Kind != core.DepthDelta {
				continue
			}
			for k, lv := range d.Levels[i] {
				side := core.Buy
				if k >= int(ev.Bids) {
					side = core.Sell
				}
				l.set(side, lv.Price, lv.Qty)
				bid, ask := l.best(core.Buy), l.best(core.Sell)
				sum = sum*31 + uint64(bid.Price) ^ uint64(bid.Qty) ^ uint64(ask.Price)*3 ^ uint64(ask.Qty)*5
			}
		}
		return sum
	}
}

type riposteBook struct{ b *book.Book }

func (r riposteBook) clear()                                    { r.b.Reset() }
func (r riposteBook) set(s core.Side, p core.Price, q core.Qty) { r.b.Set(s, p, q) }
func (r riposteBook) best(s core.Side) core.Level               { return r.b.Best(s) }

type node struct {
	key int64
	lv  core.Level
}

func less(a, b node) bool { return a.key < b.key }

type googleBook [2]*gbtree.BTreeG[node]

func (g *googleBook) clear() {
	for s := range g {
		g[s] = gbtree.NewG(32, less)
	}
}

func (g *googleBook) set(s core.Side, p core.Price, q core.Qty) {
	n := node{key(s, p), core.Level{Price: p, Qty: q}}
	if q == 0 {
		g[s].Delete(n)
	} else {
		g[s].ReplaceOrInsert(n)
	}
}

func (g *googleBook) best(s core.Side) core.Level {
	n, _ := g[s].Min()
	return n.lv
}

type tidwallBook [2]*tbtree.BTreeG[node]

func (t *tidwallBook) clear() {
	for s := range t {
		t[s] = tbtree.NewBTreeGOptions(less, tbtree.Options{NoLocks: true})
	}
}

func (t *tidwallBook) set(s core.Side, p core.Price, q core.Qty) {
	n := node{key(s, p), core.Level{Price: p, Qty: q}}
	if q == 0 {
		t[s].Delete(n)
	} else {
		t[s].Set(n)
	}
}

func (t *tidwallBook) best(s core.Side) core.Level {
	n, _ := t[s].Min()
	return n.lv
}

// sliceBook keeps each side sorted with the best last, where most changes are.
type sliceBook [2][]node

func (b *sliceBook) clear() { b[0], b[1] = b[0][:0], b[1][:0] }

func (b *sliceBook) set(s core.Side, p core.Price, q core.Qty) {
	k := key(s, p)
	i, found := slices.BinarySearchFunc(b[s], k, func(n node, k int64) int {
		switch {
		case n.key > k:
			return -1
		case n.key < k:
			return 1
		}
		return 0
	})
	switch {
	case found && q == 0:
		b[s] = slices.Delete(b[s], i, i+1)
	case found:
		b[s][i].lv.Qty = q
	case q != 0:
		b[s] = slices.Insert(b[s], i, node{k, core.Level{Price: p, Qty: q}})
	}
}

func (b *sliceBook) best(s core.Side) core.Level {
	if n := len(b[s]); n > 0 {
		return b[s][n-1].lv
	}
	return core.Level{}
}

// mapBook keeps the best beside a map and looks for the next when it goes.
type mapBook struct {
	levels [2]map[core.Price]core.Qty
	top    [2]core.Level
}

func (m *mapBook) clear() {
	m.levels = [2]map[core.Price]core.Qty{{}, {}}
	m.top = [2]core.Level{}
}

func (m *mapBook) set(s core.Side, p core.Price, q core.Qty) {
	top := &m.top[s]
	if q == 0 {
		delete(m.levels[s], p)
		if p != top.Price {
			return
		}
		*top = core.Level{}
		for p, q := range m.levels[s] {
			if top.Qty == 0 || key(s, p) < key(s, top.Price) {
				*top = core.Level{Price: p, Qty: q}
			}
		}
		return
	}
	m.levels[s][p] = q
	if top.Qty == 0 || key(s, p) <= key(s, top.Price) {
		*top = core.Level{Price: p, Qty: q}
	}
}

func (m *mapBook) best(s core.Side) core.Level { return m.top[s] }

// BenchmarkBook is one level set and both best prices read, over whole recordings
// with their far levels; loading the snapshot is in it.
func BenchmarkBook(b *testing.B) {
	for _, name := range []string{bench.Spot, bench.Linear} {
		c, err := bench.Load(name)
		if err != nil {
			b.Log(err)
			continue
		}
		d, err := c.Events()
		if err != nil {
			b.Fatal(err)
		}
		contest(b, name, d.Total, []contender{
			{ours, replay(d, riposteBook{book.New(c.Table.Get(0).Filters.Tick, 0)})},
			{"google-btree", replay(d, new(googleBook))},
			{"tidwall-btree", replay(d, new(tidwallBook))},
			{"sorted-slice", replay(d, new(sliceBook))},
			{"map-and-best", replay(d, new(mapBook))},
		})
	}
}

package peers

import (
	"slices"

	"github.com/emirpasic/gods/trees/redblacktree"
	gbtree "github.com/google/btree"
	"github.com/igrmk/treemap/v2"
	tbtree "github.com/tidwall/btree"

	"riposte/bench/peers/floor"
	"riposte/core"
)

// key orders both sides best first.
func key(u *floor.Update) int64 {
	if u.Side == uint8(core.Buy) {
		return -u.Price
	}
	return u.Price
}

// node is a level as the trees hold it.
type node struct {
	key int64
	lv  core.Level
}

func nodeOf(u *floor.Update) node {
	return node{key(u), core.Level{Price: core.Price(u.Price), Qty: core.Qty(u.Qty)}}
}

func less(a, b node) bool { return a.key < b.key }

func googleBook(list []floor.Update) (sum uint64) {
	var sides [2]*gbtree.BTreeG[node]
	for i := range list {
		u := &list[i]
		if u.Kind == floor.UpdateClear {
			sides = [2]*gbtree.BTreeG[node]{gbtree.NewG(32, less), gbtree.NewG(32, less)}
			continue
		}
		if n := nodeOf(u); u.Qty == 0 {
			sides[u.Side].Delete(n)
		} else {
			sides[u.Side].ReplaceOrInsert(n)
		}
		if u.Kind == floor.UpdateSet {
			bid, _ := sides[core.Buy].Min()
			ask, _ := sides[core.Sell].Min()
			sum = bestSum(sum, bid.lv, ask.lv)
		}
	}
	return sum
}

func tidwallBook(list []floor.Update) (sum uint64) {
	var sides [2]*tbtree.BTreeG[node]
	for i := range list {
		u := &list[i]
		if u.Kind == floor.UpdateClear {
			for s := range sides {
				sides[s] = tbtree.NewBTreeGOptions(less, tbtree.Options{NoLocks: true})
			}
			continue
		}
		if n := nodeOf(u); u.Qty == 0 {
			sides[u.Side].Delete(n)
		} else {
			sides[u.Side].Set(n)
		}
		if u.Kind == floor.UpdateSet {
			bid, _ := sides[core.Buy].Min()
			ask, _ := sides[core.Sell].Min()
			sum = bestSum(sum, bid.lv, ask.lv)
		}
	}
	return sum
}

// treemapBook keeps each side in a red-black tree with typed keys.
func treemapBook(list []floor.Update) (sum uint64) {
	var sides [2]*treemap.TreeMap[int64, core.Level]
	best := func(s core.Side) (lv core.Level) {
		if it := sides[s].Iterator(); it.Valid() {
			lv = it.Value()
		}
		return lv
	}
	for i := range list {
		u := &list[i]
		if u.Kind == floor.UpdateClear {
			sides = [2]*treemap.TreeMap[int64, core.Level]{treemap.New[int64, core.Level](), treemap.New[int64, core.Level]()}
			continue
		}
		if n := nodeOf(u); u.Qty == 0 {
			sides[u.Side].Del(n.key)
		} else {
			sides[u.Side].Set(n.key, n.lv)
		}
		if u.Kind == floor.UpdateSet {
			sum = bestSum(sum, best(core.Buy), best(core.Sell))
		}
	}
	return sum
}

// godsBook keeps each side in gods' red-black tree, whose keys and values are any.
func godsBook(list []floor.Update) (sum uint64) {
	compare := func(a, b any) int {
		switch x, y := a.(int64), b.(int64); {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	}
	var sides [2]*redblacktree.Tree
	best := func(s core.Side) (lv core.Level) {
		if n := sides[s].Left(); n != nil {
			lv = n.Value.(core.Level)
		}
		return lv
	}
	for i := range list {
		u := &list[i]
		if u.Kind == floor.UpdateClear {
			sides = [2]*redblacktree.Tree{redblacktree.NewWith(compare), redblacktree.NewWith(compare)}
			continue
		}
		if n := nodeOf(u); u.Qty == 0 {
			sides[u.Side].Remove(n.key)
		} else {
			sides[u.Side].Put(n.key, n.lv)
		}
		if u.Kind == floor.UpdateSet {
			sum = bestSum(sum, best(core.Buy), best(core.Sell))
		}
	}
	return sum
}

// findWorst looks a key up in a side that is sorted with the best last.
func findWorst(side []node, key int64) (at int, found bool) {
	return slices.BinarySearchFunc(side, key, func(n node, k int64) int {
		switch {
		case n.key > k:
			return -1
		case n.key < k:
			return 1
		}
		return 0
	})
}

// sliceBook keeps each side sorted with the best last, where most changes are.
func sliceBook(list []floor.Update) (sum uint64) {
	var sides [2][]node
	best := func(s core.Side) (lv core.Level) {
		if n := len(sides[s]); n > 0 {
			lv = sides[s][n-1].lv
		}
		return lv
	}
	for i := range list {
		u := &list[i]
		if u.Kind == floor.UpdateClear {
			sides[0], sides[1] = sides[0][:0], sides[1][:0]
			continue
		}
		side, n := sides[u.Side], nodeOf(u)
		at, found := findWorst(side, n.key)
		switch {
		case found && u.Qty == 0:
			sides[u.Side] = slices.Delete(side, at, at+1)
		case found:
			side[at].lv.Qty = n.lv.Qty
		case u.Qty != 0:
			sides[u.Side] = slices.Insert(side, at, n)
		}
		if u.Kind == floor.UpdateSet {
			sum = bestSum(sum, best(core.Buy), best(core.Sell))
		}
	}
	return sum
}

// mapBook keeps the best beside a map and looks for the next when it goes.
func mapBook(list []floor.Update) (sum uint64) {
	var levels [2]map[int64]core.Qty // by key
	var top [2]node
	for i := range list {
		u := &list[i]
		if u.Kind == floor.UpdateClear {
			levels = [2]map[int64]core.Qty{{}, {}}
			top = [2]node{}
			continue
		}
		best, n := &top[u.Side], nodeOf(u)
		switch {
		case u.Qty != 0:
			levels[u.Side][n.key] = n.lv.Qty
			if best.lv.Qty == 0 || n.key <= best.key {
				*best = n
			}
		case best.lv.Qty != 0 && n.key == best.key:
			delete(levels[u.Side], n.key)
			*best = node{}
			for k, q := range levels[u.Side] {
				if best.lv.Qty == 0 || k < best.key {
					*best = node{k, core.Level{Price: core.Price(max(k, -k)), Qty: q}}
				}
			}
		default:
			delete(levels[u.Side], n.key)
		}
		if u.Kind == floor.UpdateSet {
			sum = bestSum(sum, top[core.Buy].lv, top[core.Sell].lv)
		}
	}
	return sum
}

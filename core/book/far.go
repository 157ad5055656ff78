package book

import (
	"math"
	"math/bits"
	"slices"

	"riposte/core"
)

// far holds the levels that no window slot has: far from the touch, or off the
// tick grid. They are one update in seven of a scattered recording, and hardly
// ever read: so changing one must be cheap, and order is made only when someone
// walks that far.
//
// It is a hash table, open addressing, linear probing, at most three quarters full.
// A level that goes leaves its entry behind with quantity 0, because the same prices
// come and go: so a change is nearly always one probe and one store, with nothing to
// guess. What stayed empty is dropped when the table would have to grow. Beside it
// order lists the keys ascending as of the last walk, and added those that came
// since; keys that went meanwhile stay in both and are skipped for their quantity.
// If too many come without a walk the order is given up.
type far struct {
	tab   []entry // a power of two; key 0 is free
	shift uint8   // 64 - log2(len(tab))
	used  int     // entries with a key
	n     int     // of them with a quantity: levels
	least int64   // no level's key is below it

	ordered bool // order and added together hold every key
	order   []int64
	added   []int64
	scratch []int64
}

const (
	noKey    = math.MaxInt64 // behind every key
	farMin   = 256           // entries of the first table
	addedMax = 512
)

type entry struct {
	key int64
	qty core.Qty
}

func (f *far) reset() {
	if f.tab == nil {
		f.sized(farMin)
	}
	clear(f.tab)
	f.used, f.n, f.least = 0, 0, noKey
	f.ordered = false
}

func (f *far) home(key int64) int {
	return int(uint64(key) * 0x9e3779b97f4a7c15 >> (f.shift & 63))
}

// at is where key is, or the free place where it would go.
func (f *far) at(key int64) *entry {
	mask := len(f.tab) - 1
	for i := f.home(key); ; i++ {
		if e := &f.tab[i&mask]; e.key == key || e.key == 0 {
			return e
		}
	}
}

// get is the quantity at key, 0 if there is none.
func (f *far) get(key int64) core.Qty { return f.at(key).qty }

// set puts a quantity at key, or removes the level if it is not above zero;
// absent is 1 where there was none to remove.
func (f *far) set(key int64, qty core.Qty) (absent int) {
	e := f.at(key)
	if e.key == 0 {
		if qty <= 0 {
			return 1
		}
		e = f.add(key, e)
	}
	had, has := uint64(-e.qty)>>63, uint64(-qty)>>63
	e.qty = qty
	f.n += int(has) - int(had)
	if has != 0 {
		f.least = min(f.least, key)
	}
	return int(1 ^ (had | has))
}

// add makes an entry for a key that has none, at the free place found for it.
func (f *far) add(key int64, free *entry) *entry {
	if 4*(f.used+1) > 3*len(f.tab) {
		f.rebuild()
		free = f.at(key)
	}
	f.used++
	if f.ordered {
		if len(f.added) == addedMax {
			f.ordered = false
		} else {
			f.added = append(f.added, key)
		}
	}
	*free = entry{key: key}
	return free
}

// rebuild drops the entries without a quantity, and grows the table unless that
// made it half empty.
func (f *far) rebuild() {
	old := f.tab
	size := len(old)
	if 2*f.n >= size {
		size *= 2
	}
	f.sized(size)
	f.used = 0
	for _, e := range old {
		if e.key != 0 && e.qty > 0 {
			*f.at(e.key) = e
			f.used++
		}
	}
}

func (f *far) sized(size int) {
	f.tab = make([]entry, size)
	f.shift = uint8(64 - bits.TrailingZeros(uint(size)))
}

// first is the level with the smallest key and its quantity, noKey if there is
// none. It costs nothing unless the smallest has gone since.
func (f *far) first() (int64, core.Qty) {
	if f.n == 0 {
		f.least = noKey
		return noKey, 0
	}
	e := *f.at(f.least)
	if e.qty <= 0 {
		e.key = noKey
		for i := range f.tab {
			if k := &f.tab[i]; k.key < e.key && k.qty > 0 {
				e = *k
			}
		}
		f.least = e.key
	}
	return e.key, e.qty
}

// sort brings order up to date. It may still hold keys that are gone.
func (f *far) sort() {
	if f.ordered && len(f.order)+len(f.added) > 2*f.used+addedMax {
		f.ordered = false
	}
	if !f.ordered {
		f.order, f.added = f.order[:0], f.added[:0]
		for i := range f.tab {
			if f.tab[i].key != 0 {
				f.order = append(f.order, f.tab[i].key)
			}
		}
		slices.Sort(f.order)
		f.ordered = true
		return
	}
	if len(f.added) == 0 {
		return
	}
	slices.Sort(f.added)
	out, a := f.scratch[:0], f.added
	for _, k := range f.order {
		for len(a) > 0 && a[0] < k {
			out, a = appendOnce(out, a[0]), a[1:]
		}
		out = appendOnce(out, k)
	}
	for _, k := range a {
		out = appendOnce(out, k)
	}
	f.order, f.scratch, f.added = out, f.order, f.added[:0]
}

// appendOnce drops a key that went and came again since it was ordered.
func appendOnce(keys []int64, k int64) []int64 {
	if n := len(keys); n > 0 && keys[n-1] == k {
		return keys
	}
	return append(keys, k)
}

// extract removes the levels with keys in [from, to) that take wants.
func (f *far) extract(from, to int64, take func(key int64, qty core.Qty) bool) {
	width := uint64(to - from)
	for i := range f.tab {
		// One test that nearly always fails; asking first whether the entry is free
		// would be a guess.
		if e := &f.tab[i]; uint64(e.key-from) < width && e.qty > 0 && take(e.key, e.qty) {
			e.qty = 0
			f.n--
		}
	}
}

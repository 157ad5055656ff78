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
// It is a hash table, open addressing, linear probing, at most half full, removal
// by shifting back, so that it never has to be cleaned. Beside it order lists the
// keys ascending as of the last walk, and added those that came since; keys that
// went meanwhile stay in both and are skipped, because the table does not know
// them. If too many come without a walk the order is given up.
//
// On the spot BTCUSDT recording, with 14 % of the updates out here, a level costs
// 12 ns on average; with a sorted list in chunks of 64, two binary searches and a
// short move per change, it was 17 (2026, one core of an EPYC, BenchmarkBookEvent).
type far struct {
	tab   []entry // a power of two; key 0 is free
	shift uint8   // 64 - log2(len(tab))
	n     int
	least int64 // no key is below it; noKey if there are none

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
		f.grow(farMin)
	}
	clear(f.tab)
	f.n, f.least = 0, noKey
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

// set puts a quantity at key, or removes the level if it is not above zero, and
// reports whether there was one.
func (f *far) set(key int64, qty core.Qty) (had bool) {
	e := f.at(key)
	switch {
	case e.key != 0 && qty > 0:
		e.qty = qty
		return true
	case e.key != 0:
		f.remove(key)
		return true
	case qty > 0:
		*e = entry{key, qty}
		f.came(key)
	}
	return false
}

func (f *far) came(key int64) {
	f.least = min(f.least, key)
	if f.ordered {
		if len(f.added) == addedMax {
			f.ordered = false
		} else {
			f.added = append(f.added, key)
		}
	}
	if f.n++; 2*f.n > len(f.tab) {
		f.grow(2 * len(f.tab))
	}
}

// remove takes a key out that is there, and moves back what was pushed along by
// it.
func (f *far) remove(key int64) {
	mask := len(f.tab) - 1
	i := f.home(key)
	for f.tab[i&mask].key != key {
		i++
	}
	for j := i + 1; f.tab[j&mask].key != 0; j++ {
		// The entry at j may move to i unless its home lies after i.
		if (j-f.home(f.tab[j&mask].key))&mask >= (j-i)&mask {
			f.tab[i&mask] = f.tab[j&mask]
			i = j
		}
	}
	f.tab[i&mask] = entry{}
	if f.n--; f.n == 0 {
		f.least = noKey
	}
}

func (f *far) grow(size int) {
	old := f.tab
	f.tab = make([]entry, size)
	f.shift = uint8(64 - bits.TrailingZeros(uint(size)))
	for _, e := range old {
		if e.key != 0 {
			*f.at(e.key) = e
		}
	}
}

// first is the smallest key and its quantity, noKey if there is none. It costs
// nothing unless the smallest has gone since.
func (f *far) first() (int64, core.Qty) {
	if f.n == 0 {
		return noKey, 0
	}
	e := *f.at(f.least)
	if e.key == 0 {
		e.key = noKey
		for i := range f.tab {
			if k := &f.tab[i]; k.key != 0 && k.key < e.key {
				e = *k
			}
		}
		f.least = e.key
	}
	return e.key, e.qty
}

// sort brings order up to date. It may still hold keys that are gone.
func (f *far) sort() {
	if f.ordered && len(f.order)+len(f.added) > 2*f.n+addedMax {
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

// extract removes the entries with keys in [from, to) that take wants.
func (f *far) extract(from, to int64, take func(key int64, qty core.Qty) bool) {
	in, width := f.scratch[:0], uint64(to-from)
	for i := range f.tab {
		// One test that nearly always fails; asking first whether the entry is free
		// would be a guess.
		if k := f.tab[i].key; uint64(k-from) < width && k != 0 {
			in = append(in, k)
		}
	}
	for _, k := range in {
		if take(k, f.get(k)) {
			f.remove(k)
		}
	}
	f.scratch = in
}

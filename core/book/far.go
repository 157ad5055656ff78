package book

import (
	"math"

	"riposte/core"
)

// far holds the levels that no window slot has: far from the touch, or off the
// tick grid. It is a sorted list in pieces: a directory of chunks in key order,
// each a sorted run of at most chunkMax levels. Finding is two short binary
// searches, changing moves one chunk's tail, walking is a walk over arrays.
//
// A sorted slice moves half of 2000 levels for each change, a tree chases a
// pointer per step and cannot be walked as cheaply.
type far struct {
	last   []int64 // per chunk, its largest key
	chunks []*chunk
	spare  []*chunk
	n      int
	least  int64 // smallest key, noKey if there is none
}

const (
	chunkMax = 64
	noKey    = math.MaxInt64 // behind every key
)

type entry struct {
	key int64
	qty core.Qty
}

type chunk struct {
	n int
	e [chunkMax]entry
}

func (f *far) reset() {
	f.spare = append(f.spare, f.chunks...)
	f.last, f.chunks = f.last[:0], f.chunks[:0]
	f.n, f.least = 0, noKey
}

// find is where key lies or would lie: in chunk c before entry i. c may be one
// past the last chunk.
func (f *far) find(key int64) (c, i int) {
	// Halving without an early exit compiles to conditional moves; the branches
	// of an ordinary binary search cannot be predicted and cost more.
	n := len(f.last)
	if n == 0 || f.last[n-1] < key {
		return n, 0
	}
	for n > 1 {
		half := n / 2
		if f.last[c+half-1] < key {
			c += half
		}
		n -= half
	}
	return c, f.chunks[c].find(key)
}

// find is the index of the first entry whose key is not below key. The largest
// entry is known not to be.
func (k *chunk) find(key int64) (i int) {
	for n := k.n; n > 1; {
		half := n / 2
		if k.e[(i+half-1)&(chunkMax-1)].key < key {
			i += half
		}
		n -= half
	}
	return i
}

// set puts a quantity at key, or removes the level if it is zero, and reports
// whether there was one.
func (f *far) set(key int64, qty core.Qty) (had bool) {
	c, i := f.find(key)
	if c < len(f.chunks) && f.chunks[c].e[i].key == key {
		if qty > 0 {
			f.chunks[c].e[i].qty = qty
		} else {
			f.remove(c, i)
		}
		return true
	}
	if qty > 0 {
		f.insert(c, i, entry{key, qty})
	}
	return false
}

func (f *far) insert(c, i int, e entry) {
	f.n++
	f.least = min(f.least, e.key)
	if c == len(f.chunks) { // behind all others
		if c == 0 || f.chunks[c-1].n == chunkMax {
			k := f.fresh()
			k.n, k.e[0] = 1, e
			f.chunks, f.last = append(f.chunks, k), append(f.last, e.key)
			return
		}
		c--
		i = f.chunks[c].n
	}
	k := f.chunks[c]
	if k.n == chunkMax {
		k2 := f.fresh()
		k2.n = copy(k2.e[:], k.e[chunkMax/2:])
		k.n = chunkMax / 2
		f.chunks = append(f.chunks, nil)
		copy(f.chunks[c+2:], f.chunks[c+1:])
		f.chunks[c+1] = k2
		f.last = append(f.last, 0)
		copy(f.last[c+1:], f.last[c:])
		f.last[c] = k.e[k.n-1].key
		if i > k.n {
			c, i, k = c+1, i-k.n, k2
		}
	}
	copy(k.e[i+1:k.n+1], k.e[i:k.n])
	k.e[i] = e
	k.n++
	f.last[c] = k.e[k.n-1].key
}

func (f *far) remove(c, i int) {
	k := f.chunks[c]
	copy(k.e[i:k.n-1], k.e[i+1:k.n])
	k.n--
	f.n--
	f.tidy(c)
}

// tidy restores the directory after chunk c has lost entries: an empty chunk
// goes, and one that fits into its neighbour with room to spare joins it.
func (f *far) tidy(c int) {
	k := f.chunks[c]
	switch {
	case k.n == 0:
		f.drop(c)
	case c+1 < len(f.chunks) && k.n+f.chunks[c+1].n <= chunkMax/2:
		next := f.chunks[c+1]
		k.n += copy(k.e[k.n:], next.e[:next.n])
		f.drop(c + 1)
		f.last[c] = k.e[k.n-1].key
	default:
		f.last[c] = k.e[k.n-1].key
	}
	f.least = noKey
	if len(f.chunks) > 0 {
		f.least = f.chunks[0].e[0].key
	}
}

func (f *far) drop(c int) {
	f.spare = append(f.spare, f.chunks[c])
	f.chunks = append(f.chunks[:c], f.chunks[c+1:]...)
	f.last = append(f.last[:c], f.last[c+1:]...)
}

// extract removes the entries in [from, to) that take wants.
func (f *far) extract(from, to int64, take func(key int64, qty core.Qty) bool) {
	c, i := f.find(from)
	for c < len(f.chunks) && f.chunks[c].e[i].key < to {
		k := f.chunks[c]
		kept := i
		for ; i < k.n && k.e[i].key < to; i++ {
			if !take(k.e[i].key, k.e[i].qty) {
				k.e[kept] = k.e[i]
				kept++
			}
		}
		taken := i - kept
		k.n = kept + copy(k.e[kept:], k.e[i:k.n])
		f.n -= taken
		resume := k.n == kept // the rest of the range lies in the next chunk
		if k.n == 0 {
			f.drop(c)
		} else {
			f.last[c] = k.e[k.n-1].key
			c++
		}
		i = 0
		if !resume {
			break
		}
	}
	f.least = noKey
	if len(f.chunks) > 0 {
		f.least = f.chunks[0].e[0].key
	}
}

func (f *far) fresh() *chunk {
	if n := len(f.spare); n > 0 {
		k := f.spare[n-1]
		f.spare = f.spare[:n-1]
		return k
	}
	return new(chunk)
}

package exec

// index finds order slots by three kinds of key: our sequence, the engine's order
// id, the venue's order id. One goroutine.
//
// The first two are dense: new orders have the next number. So each has a place of its
// own by its low digits, next to its predecessor's, in memory used just now; hashed,
// every order would touch two pages that are in no cache and no TLB, 400 ns each on a
// virtual machine. A number whose place is still taken, by an order that has worked
// through thousands of others, goes where the venue's ids are: open addressing in
// preallocated memory, at most half full, holes closed by shifting back.
type index struct {
	dense   [keyVenue][]entry // by the low digits of the id
	low     uint64            // mask of them
	entries []entry
	mask    uint64
	used    int
}

// entry is a key and where it leads, 16 bytes.
type entry struct {
	id   uint64
	kind uint32
	slot int32 // slot+1, 0 where empty
}

type key struct {
	kind uint32
	id   uint64
}

// Kinds of key. Venue ids are unique per instrument only, so each instrument has
// a kind of its own from keyVenue on; sequences are unique per run only, so each
// former run has one from keyRun on.
const (
	keySeq uint32 = iota
	keyOrder
	keyVenue
	keyRun uint32 = 1 << 20
)

// newIndex makes room for the keys of that many orders.
func newIndex(orders int) index {
	size := 8
	for size < 2*orders {
		size *= 2
	}
	x := index{low: uint64(size - 1)}
	for k := range x.dense {
		x.dense[k] = written(size)
	}
	// All three keys of each order may have to go here.
	for size < 6*orders {
		size *= 2
	}
	x.entries, x.mask = written(size), uint64(size-1)
	return x
}

// written is memory that has been written once: the kernel gives it a page at a time
// when that is done, half a microsecond each, and not under the first orders.
func written(size int) []entry {
	b := make([]entry, size)
	for i := range b {
		b[i].slot = 0
	}
	return b
}

// place is where a dense key has its place, nil for others.
func (x *index) place(k key) *entry {
	if k.kind >= keyVenue {
		return nil
	}
	return &x.dense[k.kind][k.id&x.low]
}

func (x *index) home(k key) uint64 {
	// Fibonacci hashing: ids are sequential, their products are well spread.
	return ((k.id + uint64(k.kind)<<40) * 0x9E3779B97F4A7C15) >> 20 & x.mask
}

func (x *index) get(k key) (int32, bool) {
	if e := x.place(k); e != nil && e.slot != 0 && e.id == k.id {
		return e.slot - 1, true
	}
	for i := x.home(k); x.entries[i].slot != 0; i = (i + 1) & x.mask {
		if e := &x.entries[i]; e.id == k.id && e.kind == k.kind {
			return e.slot - 1, true
		}
	}
	return 0, false
}

// put adds a key that is not there yet.
func (x *index) put(k key, slot int32) {
	x.used++
	if e := x.place(k); e != nil && e.slot == 0 {
		*e = entry{k.id, k.kind, slot + 1}
		return
	}
	i := x.home(k)
	for x.entries[i].slot != 0 {
		i = (i + 1) & x.mask
	}
	x.entries[i] = entry{k.id, k.kind, slot + 1}
}

func (x *index) remove(k key) {
	if e := x.place(k); e != nil && e.slot != 0 && e.id == k.id {
		e.slot = 0
		x.used--
		return
	}
	i := x.home(k)
	for {
		e := &x.entries[i]
		if e.slot == 0 {
			return
		}
		if e.id == k.id && e.kind == k.kind {
			break
		}
		i = (i + 1) & x.mask
	}
	x.used--
	for j := (i + 1) & x.mask; x.entries[j].slot != 0; j = (j + 1) & x.mask {
		e := &x.entries[j]
		h := x.home(key{e.kind, e.id})
		if (j-h)&x.mask >= (j-i)&x.mask {
			x.entries[i] = *e
			i = j
		}
	}
	x.entries[i].slot = 0
}

package exec

// index finds order slots by three kinds of key: our sequence, the engine's order
// id, the venue's order id. Open addressing in preallocated memory, at most half
// full, holes closed by shifting back. One goroutine.
type index struct {
	entries []entry
	mask    uint64
	used    int
}

// entry is a key and where it leads, 16 bytes: four of them are a cache line.
type entry struct {
	id   uint64
	kind uint32
	slot int32 // slot+1, 0 where empty
}

func (e *entry) key() key { return key{e.kind, e.id} }

type key struct {
	kind uint32
	id   uint64
}

// Kinds of key. Venue ids are unique per instrument only, so each instrument has
// a kind of its own from keyVenue on.
const (
	keySeq uint32 = iota
	keyOrder
	keyVenue
)

func newIndex(entries int) index {
	size := 8
	for size < 2*entries {
		size *= 2
	}
	x := index{entries: make([]entry, size), mask: uint64(size - 1)}
	// The kernel gives memory when it is first written, half a microsecond a page: now,
	// not under the first orders.
	for i := range x.entries {
		x.entries[i].slot = 0
	}
	return x
}

// home is where a key would like to be. Ids come in sequence: sixteen in a row are
// neighbours, so that most new orders find theirs in a line and a page that were used
// just now, and multiples by the golden ratio (Fibonacci hashing) spread the groups.
// (With every id spread by itself a new order missed the TLB twice, 400 ns each on a
// virtual machine with cold page tables.)
func (x *index) home(k key) uint64 {
	return ((k.id>>4+uint64(k.kind)<<40)*0x9E3779B97F4A7C15>>20&^15 | k.id&15) & x.mask
}

func (x *index) get(k key) (int32, bool) {
	for i := x.home(k); ; i = (i + 1) & x.mask {
		e := &x.entries[i]
		if e.slot == 0 {
			return 0, false
		}
		if e.id == k.id && e.kind == k.kind {
			return e.slot - 1, true
		}
	}
}

// put adds a key that is not there yet.
func (x *index) put(k key, slot int32) {
	i := x.home(k)
	for x.entries[i].slot != 0 {
		i = (i + 1) & x.mask
	}
	x.entries[i] = entry{k.id, k.kind, slot + 1}
	x.used++
}

func (x *index) remove(k key) {
	i := x.home(k)
	for {
		if x.entries[i].slot == 0 {
			return
		}
		if x.entries[i].key() == k {
			break
		}
		i = (i + 1) & x.mask
	}
	x.used--
	for j := (i + 1) & x.mask; x.entries[j].slot != 0; j = (j + 1) & x.mask {
		h := x.home(x.entries[j].key())
		if (j-h)&x.mask >= (j-i)&x.mask {
			x.entries[i] = x.entries[j]
			i = j
		}
	}
	x.entries[i].slot = 0
}

package exec

// index finds order slots by three kinds of key: our sequence, the engine's order
// id, the venue's order id. Open addressing in preallocated memory, at most half
// full, holes closed by shifting back. One goroutine.
type index struct {
	keys  []key
	slots []int32 // slot+1, 0 where empty
	mask  uint64
	used  int
}

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
	return index{keys: make([]key, size), slots: make([]int32, size), mask: uint64(size - 1)}
}

func (x *index) home(k key) uint64 {
	// Fibonacci hashing: ids are sequential, their products are well spread.
	return ((k.id + uint64(k.kind)<<40) * 0x9E3779B97F4A7C15) >> 20 & x.mask
}

func (x *index) get(k key) (int32, bool) {
	for i := x.home(k); x.slots[i] != 0; i = (i + 1) & x.mask {
		if x.keys[i] == k {
			return x.slots[i] - 1, true
		}
	}
	return 0, false
}

// put adds a key that is not there yet.
func (x *index) put(k key, slot int32) {
	i := x.home(k)
	for x.slots[i] != 0 {
		i = (i + 1) & x.mask
	}
	x.keys[i], x.slots[i] = k, slot+1
	x.used++
}

func (x *index) remove(k key) {
	i := x.home(k)
	for {
		if x.slots[i] == 0 {
			return
		}
		if x.keys[i] == k {
			break
		}
		i = (i + 1) & x.mask
	}
	x.used--
	for j := (i + 1) & x.mask; x.slots[j] != 0; j = (j + 1) & x.mask {
		h := x.home(x.keys[j])
		if (j-h)&x.mask >= (j-i)&x.mask {
			x.keys[i], x.slots[i] = x.keys[j], x.slots[j]
			i = j
		}
	}
	x.slots[i] = 0
}

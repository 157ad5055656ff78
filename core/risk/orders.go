package risk

import (
	"math/bits"

	"riposte/core"
)

// Order is the gate's record of one of our own orders from approval until its
// end: what may still trade counts in exposure, whatever its state.
type Order struct {
	ID         core.OrderID
	VenueID    int64
	Price      core.Price
	Qty, Cum   core.Qty
	Approved   core.MonoNs
	Instrument core.InstrumentID
	Strategy   uint16
	Side       core.Side
	Type       core.OrderType
	Status     core.OrderStatus
	Canceling  bool // a cancel has been approved and not yet answered
	Amending   bool // an amend has
	Amends     uint8
	rests      bool        // on the book, at Price, as soon as the venue has it
	waits      bool        // for a trigger
	iceberg    bool        // shows only a part
	doubt      core.Amount // what it counts in the value of unknown orders
	at         int32       // where its strategy's part of the instrument is
	next, prev int32
}

// Remaining is what may still trade.
func (o *Order) Remaining() core.Qty { return o.Qty - o.Cum }

const noSlot = int32(-1)

// orderTable holds live orders in preallocated slots, found by id through an
// open-addressing index and by instrument through a list. One goroutine.
type orderTable struct {
	slots []Order
	free  int32   // head of the list of free slots
	shift uint8   // 64 - log2 of the index's size
	index []int32 // slot by hash of id, noSlot where empty; power of two, at most half full
	heads []int32 // first live order per instrument, newest first
	live  int
}

func newOrderTable(capacity, instruments int) orderTable {
	size := 4
	for size < 2*capacity {
		size *= 2
	}
	t := orderTable{slots: make([]Order, capacity), index: make([]int32, size), heads: make([]int32, instruments)}
	t.shift = uint8(64 - bits.TrailingZeros(uint(size)))
	for i := range t.index {
		t.index[i] = noSlot
	}
	for i := range t.heads {
		t.heads[i] = noSlot
	}
	t.free = noSlot
	for i := capacity - 1; i >= 0; i-- {
		t.slots[i].next = t.free
		t.free = int32(i)
	}
	return t
}

func (t *orderTable) home(id core.OrderID) int {
	// Ids are sequential: left as they are, they would lie in one long run, and
	// removing from a run walks it to its end.
	return int(uint64(id) * 0x9e3779b97f4a7c15 >> (t.shift & 63))
}

func (t *orderTable) find(id core.OrderID) *Order {
	for i := t.home(id); ; i = (i + 1) & (len(t.index) - 1) {
		s := t.index[i]
		if s == noSlot {
			return nil
		}
		if t.slots[s].ID == id {
			return &t.slots[s]
		}
	}
}

// add gives a new order a free slot, with nothing but its id and instrument set; the
// rest is filled in place. The caller has made sure that there is a slot: no order
// may exist that is not counted.
func (t *orderTable) add(id core.OrderID, instrument core.InstrumentID) *Order {
	s := t.free
	if s == noSlot {
		panic("BUG: an order was approved beyond the order table")
	}
	o := &t.slots[s]
	t.free = o.next
	*o = Order{ID: id, Instrument: instrument, next: t.heads[instrument], prev: noSlot}
	if o.next != noSlot {
		t.slots[o.next].prev = s
	}
	t.heads[instrument] = s
	i := t.home(id)
	for t.index[i] != noSlot {
		i = (i + 1) & (len(t.index) - 1)
	}
	t.index[i] = s
	t.live++
	return o
}

func (t *orderTable) remove(id core.OrderID) {
	mask := len(t.index) - 1
	i := t.home(id)
	for {
		s := t.index[i]
		if s == noSlot {
			return
		}
		if t.slots[s].ID == id {
			break
		}
		i = (i + 1) & mask
	}
	s := t.index[i]
	t.unlink(s)
	t.live--
	// Backward shift keeps every probe chain whole without tombstones.
	for j := (i + 1) & mask; t.index[j] != noSlot; j = (j + 1) & mask {
		h := t.home(t.slots[t.index[j]].ID)
		if (j-h)&mask >= (j-i)&mask {
			t.index[i] = t.index[j]
			i = j
		}
	}
	t.index[i] = noSlot
	t.slots[s].ID = 0
	t.slots[s].next = t.free
	t.free = s
}

func (t *orderTable) unlink(s int32) {
	o := &t.slots[s]
	if o.next != noSlot {
		t.slots[o.next].prev = o.prev
	}
	if o.prev != noSlot {
		t.slots[o.prev].next = o.next
	} else {
		t.heads[o.Instrument] = o.next
	}
}

package exec

import (
	"riposte/core"
)

// Table is the truth about our orders. Evidence comes from answers, from the user
// stream and from queries, in any order and more than once; what the table holds
// afterwards depends only on the set of evidence, never on its order:
//
//   - Each order keeps facts that only ever grow: seen alive, refused, ended and
//     how, the highest cumulative quantity, the set of fills by trade id. Status
//     is a function of the facts. (The obvious design, a status overwritten by
//     each message, loses to FILLED arriving before NEW.)
//   - A fill counts once per order and trade id, also after the end.
//   - Done is reported once, when the end is known and so are all its fills.
//   - Life seen after we had it refused or never sent is adopted, and counted as
//     a contradiction: somebody was wrong and a human should know. See adopt.go.
//
// Slots are preallocated; that of an ended order is reused only when no free one
// is left, longest ended first, so that late evidence finds its order. Written
// by the loop goroutine.
type Table struct {
	ids    *IDs
	slots  []Order
	free   []int32
	tried  uint64  // Stats.Orders when ready last looked
	live   []int32 // slots not yet reported Done, in no order
	ended  []int32 // ring of slots reported Done, oldest first
	head   int
	count  int
	index  index
	fills  []fillNode
	spare  int32
	report func(*core.Report)
	ahead  func(*Order) // its end or its cumulative quantity is ahead of its fills; may be nil
	out    core.Report  // the one being reported

	foreign   []core.Execution // ring of the last executions that are not ours
	foreignAt int

	runs    []run // former runs that are known, see Know
	tombs   map[tombKey]Tombstone
	strays  uint64  // adopted orders that got an id of ours
	unknown []int32 // orders in doubt, by instrument

	Stats TableStats
}

// TableStats count what the table has seen.
type TableStats struct {
	Orders         uint64 // placed by us
	Acked          uint64
	Filled         uint64 // fills, each once
	Done           uint64
	Rejected       uint64
	Doubts         uint64 // orders that became Unknown
	Duplicates     uint64 // fills seen again
	Foreign        uint64 // executions of orders that are not ours
	OtherRun       uint64 // of our prefix, but of a run that is not known: a twin
	Lost           uint64 // evidence of our own order whose slot was reused
	Adopted        uint64 // orders that live although we had taken them for ended, or did not know them
	AdoptFailed    uint64 // and for which there was no slot
	Contradictions uint64 // evidence that cannot all be true
}

// Order is one of our own orders. It is valid until its slot is reused; copy what
// must last.
type Order struct {
	ID         core.OrderID
	Epoch      uint64 // the run that sent it
	Seq        uint64
	Client     core.ClientID
	VenueID    int64 // 0 while unknown
	Instrument core.InstrumentID
	Strategy   uint16
	Side       core.Side
	Type       core.OrderType
	TIF        core.TIF
	Price      core.Price
	Qty        core.Qty // as the venue has it, at least Cum
	Cum        core.Qty // highest cumulative quantity the venue told of, at least Filled
	Filled     core.Qty // sum of the fills known by trade id
	Code       int32    // why it was rejected
	Stamp      core.WallNs
	Window     core.MonoNs
	Sent       core.MonoNs // when its request was written
	Heard      core.MonoNs // when evidence last came, 0 if none has

	alive   bool             // the venue showed that it exists
	refused bool             // an answer said it was not taken
	gone    bool             // we have proof, or know, that no byte took effect
	doubt   bool             // its answer was lost
	adopted bool             // nobody in the engine waits for it any more: it shall end
	end     core.OrderStatus // terminal state the venue told, PendingNew if none

	saidAck, saidDoubt, saidDone bool
	saidEnd                      core.OrderStatus // as heard ahead of its fills
	saidCum                      core.Qty
	whole, low, saidQty          core.Qty // as it was sent, the lowest that the venue told, as it was reported
	queued                       bool     // its slot waits in Table.ended

	slot   int32
	gen    uint32
	liveAt int32 // position in Table.live, -1 when ended
	first  int32 // newest fill, by trade id falling
	pins   int16 // wires and queries that refer to it
	cancel cancelState
	amend  amendState
	ask    inquiry
}

type fillNode struct {
	trade int64
	next  int32
}

const none = int32(-1)

// NewTable makes a table for that many orders at once, ended ones included. Every
// change of an order is told to report, in the order in which it became known.
func NewTable(ids *IDs, orders int, report func(*core.Report)) *Table {
	t := &Table{
		ids:     ids,
		slots:   make([]Order, orders),
		free:    make([]int32, 0, orders),
		live:    make([]int32, 0, orders),
		ended:   make([]int32, orders),
		index:   newIndex(orders),
		fills:   make([]fillNode, 0, 4*orders),
		spare:   none,
		report:  report,
		foreign: make([]core.Execution, 0, 64),
		tombs:   make(map[tombKey]Tombstone),
		runs:    []run{{epoch: ids.Epoch()}},
	}
	clear(t.fills[:cap(t.fills)]) // as in newIndex: written once before any order
	clear(t.ended)
	for i := orders - 1; i >= 0; i-- {
		t.slots[i] = Order{slot: int32(i), liveAt: none, first: none}
		t.free = append(t.free, int32(i))
	}
	return t
}

// Status is the order's state as the facts have it. An order that was amended to no more
// than had traded by then is over as EXPIRED, not FILLED: how an amended one ends, the
// venue has to say.
func (o *Order) Status() core.OrderStatus {
	switch {
	case o.end == core.Filled || o.Filled >= o.Qty && o.low == o.whole:
		return core.Filled
	case o.end != core.PendingNew:
		return o.end
	case o.alive && o.Cum > 0:
		return core.PartiallyFilled
	case o.alive:
		return core.New
	case o.refused:
		return core.Rejected
	case o.gone:
		return core.NotSent
	case o.doubt:
		return core.Unknown
	}
	return core.PendingNew
}

// Cancelling reports whether its cancel is on its way.
func (o *Order) Cancelling() bool { return o.cancel.flying > 0 }

// spent reports whether an amended order has nothing left, and the venue has not told how
// it ended.
func (o *Order) spent() bool { return o.Filled >= o.Qty && o.low < o.whole && o.end == core.PendingNew }

// size gives a new order its quantity.
func (o *Order) size(q core.Qty) { o.Qty, o.whole, o.low, o.saidQty = q, q, q, q }

// Complete reports whether the order has ended and every fill of it is known.
func (o *Order) Complete() bool { return o.Status().Terminal() && o.Filled >= o.Cum }

// told is the state for reports: an end counts once its fills are known, because
// at the end the engine frees what the order had reserved.
func (o *Order) told() core.OrderStatus {
	st := o.Status()
	if !st.Terminal() || o.Complete() {
		return st
	}
	if o.Filled > 0 {
		return core.PartiallyFilled
	}
	return core.New
}

// Add enters a new order, about to be sent, in state PendingNew. It is nil when
// no slot can be had.
func (t *Table) Add(in *core.Intent, r *Request) *Order {
	s, ok := t.slot()
	if !ok {
		return nil
	}
	o := &t.slots[s] // blank but for its generation
	o.ID, o.Epoch, o.Seq, o.Client, o.Instrument, o.Strategy = in.ID, t.ids.epoch, r.Seq, r.Client, in.Instrument, in.Strategy
	o.Side, o.Type, o.TIF, o.Price = in.Side, in.Type, in.TIF, in.Price
	o.size(in.Qty)
	o.Stamp, o.Window = r.Stamp, core.MonoNs(r.Window)
	t.enter(o, key{keySeq, o.Seq})
	t.Stats.Orders++
	return o
}

// enter makes o findable and live.
func (t *Table) enter(o *Order, k key) {
	o.gen++
	o.liveAt = int32(len(t.live))
	t.live = append(t.live, o.slot)
	t.index.put(k, o.slot)
	t.index.put(key{keyOrder, uint64(o.ID)}, o.slot)
}

// ready has a slot at hand for the next order: taking one from an order that has ended
// looks at memory that nobody has looked at for long, which is better done in a pause.
func (t *Table) ready() {
	if t.tried == t.Stats.Orders {
		return
	}
	t.tried = t.Stats.Orders
	if s, ok := t.slot(); ok {
		t.slots[s].Window = 0 // brings it into the cache
		t.free = append(t.free, s)
	}
}

// slot is a blank slot for a new order.
func (t *Table) slot() (int32, bool) {
	if n := len(t.free); n > 0 {
		s := t.free[n-1]
		t.free = t.free[:n-1]
		return s, true
	}
	for range t.count {
		s := t.ended[t.head]
		t.head = (t.head + 1) % len(t.ended)
		t.count--
		o := &t.slots[s]
		o.queued = false
		if o.liveAt >= 0 {
			continue // adopted after its end; it queues again at the next one
		}
		if o.pins > 0 {
			t.pushEnded(s)
			continue
		}
		if k, ok := t.keyOf(o.Epoch, o.Seq); ok {
			t.index.remove(k)
		}
		t.index.remove(key{keyOrder, uint64(o.ID)})
		if o.VenueID != 0 {
			t.index.remove(key{keyVenue + uint32(o.Instrument), uint64(o.VenueID)})
		}
		t.freeFills(o)
		*o = Order{slot: s, gen: o.gen + 1, liveAt: none, first: none} // no reference to what it was holds
		return s, true
	}
	return 0, false
}

func (t *Table) pushEnded(s int32) {
	t.slots[s].queued = true
	t.ended[(t.head+t.count)%len(t.ended)] = s
	t.count++
}

// Find is the order with that engine id, nil if it is not held (any more).
func (t *Table) Find(id core.OrderID) *Order {
	if s, ok := t.index.get(key{keyOrder, uint64(id)}); ok {
		return &t.slots[s]
	}
	return nil
}

// Live is how many orders are not done: working, in flight, in doubt, or ended
// with fills still to be learned.
func (t *Table) Live() int { return len(t.live) }

// EachLive calls f for every order that is not done. f may end the order it is
// given, and no other.
func (t *Table) EachLive(f func(*Order)) {
	for i := len(t.live) - 1; i >= 0; i-- {
		if i < len(t.live) {
			f(&t.slots[t.live[i]])
		}
	}
}

// Unknown is how many orders are in doubt.
func (t *Table) Unknown() (n int) {
	for _, s := range t.live {
		if t.slots[s].Status() == core.Unknown {
			n++
		}
	}
	return n
}

// ForeignSeen are the newest executions of orders that are not ours, at most 64,
// in no order. They are shown and never touched. Valid until the next Apply.
func (t *Table) ForeignSeen() []core.Execution { return t.foreign }

// at resolves a reference that may have outlived its order.
func (t *Table) at(slot int32, gen uint32) *Order {
	if slot < 0 || t.slots[slot].gen != gen {
		return nil
	}
	return &t.slots[slot]
}

func (t *Table) addFill(o *Order, trade int64) bool {
	at := &o.first
	for *at != none && t.fills[*at].trade > trade {
		at = &t.fills[*at].next
	}
	if *at != none && t.fills[*at].trade == trade {
		return false
	}
	n := t.spare
	if n != none {
		t.spare = t.fills[n].next
	} else {
		n = int32(len(t.fills))
		next := *at
		// Growing moves the nodes: at may point into them, so the link is made by
		// looking the place up again.
		t.fills = append(t.fills, fillNode{trade: trade, next: next})
		t.link(o, n)
		return true
	}
	t.fills[n] = fillNode{trade: trade, next: *at}
	*at = n
	return true
}

func (t *Table) link(o *Order, n int32) {
	at := &o.first
	for *at != none && *at != n && t.fills[*at].trade > t.fills[n].trade {
		at = &t.fills[*at].next
	}
	*at = n
}

func (t *Table) freeFills(o *Order) {
	for n := o.first; n != none; {
		next := t.fills[n].next
		t.fills[n].next = t.spare
		t.spare = n
		n = next
	}
	o.first = none
}

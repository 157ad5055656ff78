package exec

import (
	"riposte/core"
	"riposte/core/risk"
)

// Orders of ours that the table does not hold.
//
// An order can outlive what we know of it: proved never to have arrived, its slot
// given away, and then it shows life after all; sent by a former run whose journal
// tells of it, or sent in the last instant before the power went, with no record
// left. All of these are adopted: from then on the table holds them like any other,
// the engine is told of them (core.ReportAdopted), every fill is booked, and the
// gateway cancels them, because no strategy waits for them any more.
//
// What carries our prefix and cannot be any of these is another run at work on the
// same account: a twin. It is shown, never touched, and new orders stop.

// run is a run of ours: which of its sequence numbers can be ours.
type run struct {
	epoch uint64
	last  uint64 // highest sequence number its journal knows
}

// runMost bounds how many former runs are known; of more, the rest is a twin's.
const runMost = 1 << 12

type tombKey struct{ epoch, seq uint64 }

// Tombstone is an order that was proved never to have arrived. It stays for ever:
// should the order show life all the same, this is what it was.
type Tombstone struct {
	ID         core.OrderID
	Instrument core.InstrumentID
	Strategy   uint16
	Side       core.Side
	Type       core.OrderType
	TIF        core.TIF
	Price      core.Price
	Qty        core.Qty
}

// tombMost bounds the tombstones. When there are as many, no more orders are proved
// absent: they stay unknown, and count.
const tombMost = 1 << 16

// strayBit marks the ids that the table gives to adopted orders: the engine counts its
// own from 1 on.
const strayBit = core.OrderID(1) << 63

// Known is an order as a journal tells of it.
type Known struct {
	Client     core.ClientID
	VenueID    int64 // 0 if it was never told
	Instrument core.InstrumentID
	Strategy   uint16
	Side       core.Side
	Type       core.OrderType
	TIF        core.TIF
	Price      core.Price
	Qty        core.Qty
	Cum        core.Qty // highest cumulative quantity told
	Stamp      core.WallNs
	Window     core.MonoNs
	Alive      bool             // evidence of its life was recorded
	End        core.OrderStatus // terminal state, PendingNew if none was recorded
	Fills      []KnownFill      // those booked already
}

// KnownFill is a fill that was booked in a former run.
type KnownFill struct {
	Trade int64
	Qty   core.Qty
}

// Know tells the table of a former run: orders of that epoch up to sequence number
// last were journaled. Of those, the ones that are not restored have ended and are
// booked; what lies above lost its record and is adopted when it shows. False if no
// more runs can be known.
func (t *Table) Know(epoch, last uint64) bool {
	for i := range t.runs {
		if t.runs[i].epoch == epoch {
			t.runs[i].last = max(t.runs[i].last, last)
			return true
		}
	}
	if len(t.runs) >= runMost {
		return false
	}
	t.runs = append(t.runs, run{epoch, last})
	return true
}

// Restore enters an order of a former run: one that had not ended, or (End NotSent) the
// tombstone of one that was proved never to have arrived. Of an order without any sign
// of life nobody knows whether its bytes left, so it is in doubt. Its recorded fills
// are taken for booked. The engine is told of it by Adopted. Nil if it is a tombstone,
// or no order of ours, or there is no slot (Stats.AdoptFailed).
func (t *Table) Restore(k *Known) *Order {
	epoch, seq, owner := t.ids.Parse(k.Client.Bytes())
	if owner == Foreign || !t.Know(epoch, seq) {
		t.Stats.AdoptFailed++
		return nil
	}
	if k.End == core.NotSent {
		t.bury(tombKey{epoch, seq}, Tombstone{t.strayID(), k.Instrument, k.Strategy, k.Side, k.Type, k.TIF, k.Price, k.Qty})
		return nil
	}
	o := t.adopt(&Tombstone{t.strayID(), k.Instrument, k.Strategy, k.Side, k.Type, k.TIF, k.Price, k.Qty}, k.Client, epoch, seq)
	if o == nil {
		return nil
	}
	o.Stamp, o.Window = k.Stamp, k.Window
	for _, f := range k.Fills {
		if t.addFill(o, f.Trade) {
			o.Filled += f.Qty
		}
	}
	o.Cum = max(k.Cum, o.Filled)
	if o.Filled >= o.Qty { // and its end was not noted: perhaps it was amended, see Status
		o.whole = o.Qty + 1
	}
	if k.VenueID != 0 {
		t.named(o, k.VenueID)
	}
	o.alive = k.Alive || o.Filled > 0 || k.VenueID != 0
	o.doubt = !o.alive
	o.end, o.saidEnd, o.saidCum = k.End, k.End, o.Cum
	t.sayAdopted(o)
	t.settle(o, &core.Execution{}, false)
	return o
}

// stray takes evidence of an order with our prefix that is not held. It is nil if that
// is not an order to adopt.
func (t *Table) stray(e *core.Execution, epoch, seq uint64) *Order {
	switch t.standing(epoch, seq) {
	case StandLate:
	case StandTwin:
		t.Stats.OtherRun++
		t.show(e)
		return nil
	default:
		t.Stats.Lost++
		return nil
	}
	k := tombKey{epoch, seq}
	tomb, ok := t.tombs[k]
	if !ok {
		if e.Qty <= 0 || e.Instrument == core.NoInstrument {
			t.Stats.Lost++ // a word too few to know what it is; the next query tells
			return nil
		}
		tomb = Tombstone{ID: t.strayID(), Instrument: e.Instrument, Strategy: core.NoStrategy, Side: e.Side, Type: e.Type, TIF: e.TIF, Price: e.Price, Qty: e.Qty}
	}
	if tomb.Instrument != e.Instrument {
		t.Stats.Contradictions++
		return nil
	}
	o := t.adopt(&tomb, e.Client, epoch, seq)
	if o == nil {
		return nil
	}
	delete(t.tombs, k)
	t.Stats.Contradictions++
	t.sayAdopted(o)
	return o
}

// adopt enters an order under an id of the table's own.
func (t *Table) adopt(tomb *Tombstone, client core.ClientID, epoch, seq uint64) *Order {
	k, ok := t.keyOf(epoch, seq)
	if !ok {
		return nil
	}
	if _, held := t.index.get(k); held {
		return nil
	}
	s, ok := t.slot()
	if !ok {
		t.Stats.AdoptFailed++
		return nil
	}
	o := &t.slots[s]
	o.ID, o.Epoch, o.Seq, o.Client, o.Instrument, o.Strategy = tomb.ID, epoch, seq, client, tomb.Instrument, tomb.Strategy
	o.Side, o.Type, o.TIF, o.Price = tomb.Side, tomb.Type, tomb.TIF, tomb.Price
	o.size(tomb.Qty)
	o.adopted = true
	t.enter(o, k)
	t.Stats.Adopted++
	return o
}

func (t *Table) strayID() core.OrderID {
	t.strays++
	return strayBit | core.OrderID(t.strays)
}

// sayAdopted tells the engine of an order, in the place of the ack it will not get.
func (t *Table) sayAdopted(o *Order) {
	o.saidAck = true
	r := o.base(core.ReportAdopted, &core.Execution{})
	r.Status = core.New
	if o.Filled > 0 {
		r.Status = core.PartiallyFilled
	}
	r.Price, r.Qty = o.Price, o.Qty
	t.tell(r)
}

// bury keeps a tombstone. False if there is no room for one more.
func (t *Table) bury(k tombKey, tomb Tombstone) bool {
	if len(t.tombs) >= tombMost {
		return false
	}
	t.tombs[k] = tomb
	return true
}

// Absent notes that the order is proved never to have come to the venue. Its tombstone
// stays. False, and the order stays unknown, if no more of them can be kept.
func (t *Table) Absent(o *Order, now core.MonoNs) bool {
	if !t.bury(tombKey{o.Epoch, o.Seq}, Tombstone{t.strayID(), o.Instrument, o.Strategy, o.Side, o.Type, o.TIF, o.Price, o.Qty}) {
		return false
	}
	t.NotSent(o, now)
	return true
}

// Tombstones is how many orders were proved never to have arrived.
func (t *Table) Tombstones() int { return len(t.tombs) }

// UnknownOf is how many orders of an instrument are in doubt.
func (t *Table) UnknownOf(id core.InstrumentID) int {
	if int(id) >= len(t.unknown) {
		return 0
	}
	return int(t.unknown[id])
}

func (t *Table) doubted(o *Order, n int32) {
	for int(o.Instrument) >= len(t.unknown) {
		t.unknown = append(t.unknown, 0)
	}
	t.unknown[o.Instrument] += n
}

// keyOf is where an order of a run is indexed; false if the run is not known.
func (t *Table) keyOf(epoch, seq uint64) (key, bool) {
	if epoch == t.ids.epoch {
		return key{keySeq, seq}, true
	}
	for i := range t.runs {
		if t.runs[i].epoch == epoch {
			return key{keyRun + uint32(i), seq}, true
		}
	}
	return key{}, false
}

// Standing is how an order of the venue's stands with us.
type Standing uint8

// The standings.
const (
	StandForeign Standing = iota // another program's, or a human's
	StandHeld                    // ours, and held
	StandLate                    // ours and to be adopted
	StandEnded                   // ours; it has ended and its slot was given away
	StandTwin                    // of our prefix, from a run that is not known
)

// standing sorts out an order of our prefix that is not held.
func (t *Table) standing(epoch, seq uint64) Standing {
	if _, ok := t.tombs[tombKey{epoch, seq}]; ok {
		return StandLate
	}
	if epoch == t.ids.epoch {
		if seq > t.ids.next {
			return StandTwin
		}
		return StandEnded
	}
	for i := range t.runs {
		if r := &t.runs[i]; r.epoch == epoch {
			if seq > r.last {
				return StandLate
			}
			return StandEnded
		}
	}
	return StandTwin
}

// StandingOf is how the order with that client id stands with us.
func (t *Table) StandingOf(c core.ClientID) Standing {
	epoch, seq, owner := t.ids.Parse(c.Bytes())
	if owner == Foreign {
		return StandForeign
	}
	if k, ok := t.keyOf(epoch, seq); ok {
		if _, held := t.index.get(k); held {
			return StandHeld
		}
	}
	return t.standing(epoch, seq)
}

// EachTombstone calls f for every tombstone, in no order.
func (t *Table) EachTombstone(f func(epoch, seq uint64, tomb *Tombstone)) {
	for k, tomb := range t.tombs {
		f(k.epoch, k.seq, &tomb)
	}
}

// noteTwin stops new orders once another run has shown itself under our prefix.
func (g *Gateway) noteTwin() {
	if n := g.table.Stats.OtherRun; n != g.twins {
		g.twins = n
		g.raise(risk.HaltTwin)
	}
}

package risk

import (
	"math/bits"

	"riposte/core"
)

// never is an instant before every window.
const never = core.MonoNs(-1 << 62)

// window remembers the last n instants of something, and so tells whether one more
// now would be more than n within a span. One of size 0 never tells so.
type window struct {
	at   []core.MonoNs // ring, the oldest at next
	next int
}

func newWindow(n int) window {
	w := window{at: make([]core.MonoNs, n)}
	for i := range w.at {
		w.at[i] = never
	}
	return w
}

// full reports whether the last n all lie less than span ago.
func (w *window) full(now, span core.MonoNs) bool {
	return len(w.at) > 0 && now-w.at[w.next] < span
}

func (w *window) add(now core.MonoNs) {
	if len(w.at) == 0 {
		return
	}
	w.at[w.next] = now
	if w.next++; w.next == len(w.at) {
		w.next = 0
	}
}

// driftKept is how many orders that used their collar are remembered within a span;
// more find the budget spent.
const driftKept = 256

// drift adds up what orders used of their collar within a span, in 1e-8 of the
// reference price. The zero value is empty and has no memory yet.
type drift struct {
	ring    []driftUse
	head, n int
	sum     int64
}

type driftUse struct {
	at  core.MonoNs
	use int64
}

// room reports whether one more use stays within most.
func (d *drift) room(now, span core.MonoNs, use, most int64) bool {
	for d.n > 0 && now-d.ring[d.head].at >= span {
		d.sum -= d.ring[d.head].use
		d.head = (d.head + 1) % driftKept
		d.n--
	}
	return d.n < len(d.ring) && d.sum+use <= most
}

func (d *drift) add(now core.MonoNs, use int64) {
	d.ring[(d.head+d.n)%driftKept] = driftUse{now, use}
	d.n++
	d.sum += use
}

// repeatsKept is how many orders are remembered; more within a span make the oldest
// be forgotten early, which a repeat throttle below it cannot notice: the last
// repeatsKept orders still hold more of the repeated one than it allows.
const repeatsKept = 1024

// repeats counts orders by what they are, within a span, and knows when each was
// last asked for. Exact: open addressing by a hash of 64 bits, which stands for the
// order; entries leave some time after the last of their orders has left the span.
type repeats struct {
	ring    [repeatsKept]repeat // oldest first from head
	head, n int
	table   [2 * repeatsKept]repeatEntry // hash 0: empty
}

type repeat struct {
	hash uint64
	at   core.MonoNs
}

type repeatEntry struct {
	hash  uint64
	last  core.MonoNs
	count int64
}

const repeatMask = 2*repeatsKept - 1

// key stands for an order: instrument, strategy, side, type, price, trigger, quantity.
func key(in *core.Intent) uint64 {
	small := uint64(in.Instrument)<<32 | uint64(in.Strategy)<<16 | uint64(in.Side)<<8 | uint64(in.Type)
	h := mix(mix(uint64(in.Price)^0x9e3779b97f4a7c15, uint64(in.Qty)^0xe7037ed1a0b428db), mix(uint64(in.Stop)^0x8ebc6af09c88c6e3, small^0x589965cc75374cc3))
	return h | 1
}

// mix is the folded product, whose every bit depends on every bit of both.
func mix(a, b uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	return hi ^ lo
}

// seen finds how often an order came within the span, and when last. An order that is
// not known needs nothing dropped for that.
func (r *repeats) seen(hash uint64, now, span core.MonoNs) (count int64, last core.MonoNs) {
	if r.find(hash) == nil {
		return 0, never
	}
	r.expire(now, span)
	if e := r.find(hash); e != nil {
		return e.count, e.last
	}
	return 0, never
}

func (r *repeats) find(hash uint64) *repeatEntry {
	for i := hash >> 1 & repeatMask; ; i = (i + 1) & repeatMask {
		switch e := &r.table[i]; e.hash {
		case hash:
			return e
		case 0:
			return nil
		}
	}
}

// expire drops what has left the span.
func (r *repeats) expire(now, span core.MonoNs) {
	for r.n > 0 && now-r.ring[r.head].at >= span {
		r.drop()
	}
}

func (r *repeats) add(hash uint64, now core.MonoNs) {
	if r.n == repeatsKept {
		r.drop()
	}
	r.ring[(r.head+r.n)&(repeatsKept-1)] = repeat{hash, now}
	r.n++
	i := hash >> 1 & repeatMask
	for r.table[i].hash != 0 && r.table[i].hash != hash {
		i = (i + 1) & repeatMask
	}
	e := &r.table[i]
	e.hash, e.last = hash, now
	e.count++
}

// drop forgets the oldest order, and its entry with the last of its kind.
func (r *repeats) drop() {
	hash := r.ring[r.head].hash
	r.head = (r.head + 1) & (repeatsKept - 1)
	r.n--
	i := hash >> 1 & repeatMask
	for r.table[i].hash != hash {
		i = (i + 1) & repeatMask
	}
	if r.table[i].count--; r.table[i].count > 0 {
		return
	}
	// Backward shift keeps every probe chain whole without tombstones.
	for j := (i + 1) & repeatMask; r.table[j].hash != 0; j = (j + 1) & repeatMask {
		home := r.table[j].hash >> 1 & repeatMask
		if (j-home)&repeatMask >= (j-i)&repeatMask {
			r.table[i] = r.table[j]
			i = j
		}
	}
	r.table[i] = repeatEntry{}
}

// forget lets repeats start anew, after a throttle was re-armed.
func (r *repeats) forget() { *r = repeats{} }

package exec

import (
	"math"
	"sync/atomic"
	"time"

	"riposte/core"
)

// window is one fixed window: its number in the high half, what is used in the low.
type window struct {
	span atomic.Int64 // ns, 0: no such limit
	max  atomic.Int64
	now  atomic.Uint64
}

func (w *window) set(span time.Duration, limit int) {
	w.max.Store(int64(limit))
	w.span.Store(int64(span))
}

// number is which window venue lies in; the low 32 bits tell windows apart.
func (w *window) number(venue core.WallNs) uint64 {
	return uint64(uint32(int64(venue) / w.span.Load()))
}

// same reports whether two instants lie in one window.
func (w *window) same(a, b core.WallNs) bool {
	return w.span.Load() == 0 || w.number(a) == w.number(b)
}

func (w *window) used(venue core.WallNs) int64 {
	if w.span.Load() == 0 {
		return 0
	}
	v := w.now.Load()
	if v>>32 != w.number(venue) {
		return 0
	}
	return int64(uint32(v))
}

// change replaces what is used in the window of venue by f of it, unless f says no.
// A clock reading that lies before the newest window counts into that one: it
// can only come from a thread that read its clock and was then held up.
func (w *window) change(venue core.WallNs, f func(used int64) (int64, bool)) bool {
	if w.span.Load() == 0 {
		return true
	}
	n := w.number(venue)
	for {
		v := w.now.Load()
		used, num := int64(0), n
		if v>>32 == n || int32(uint32(v>>32)-uint32(n)) == 1 {
			used, num = int64(uint32(v)), v>>32
		}
		next, ok := f(used)
		if !ok {
			return false
		}
		if w.now.CompareAndSwap(v, num<<32|uint64(uint32(min(max(next, 0), math.MaxUint32)))) {
			return true
		}
	}
}

func (w *window) take(n, keepPercent int64, venue core.WallNs) bool {
	limit := w.max.Load()
	limit -= limit * keepPercent / 100
	return w.change(venue, func(used int64) (int64, bool) { return used + n, used+n <= limit })
}

func (w *window) give(n int64, venue core.WallNs) {
	w.change(venue, func(used int64) (int64, bool) { return used - n, true })
}

func (w *window) raise(n int64, venue core.WallNs) {
	w.change(venue, func(used int64) (int64, bool) { return max(used, n), true })
}

func (w *window) put(n int64, venue core.WallNs) {
	w.change(venue, func(int64) (int64, bool) { return n, true })
}

// rest is how long the window of venue still lasts.
func (w *window) rest(venue core.WallNs) time.Duration {
	span := w.span.Load()
	if span == 0 {
		return 0
	}
	return time.Duration(span - int64(venue)%span)
}

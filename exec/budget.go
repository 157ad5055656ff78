package exec

import (
	"fmt"
	"math"
	"sync/atomic"
	"time"

	"riposte/core"
)

// LimitKind is what a rate limit counts.
type LimitKind uint8

// The kinds of limit.
const (
	LimitWeight LimitKind = iota
	LimitOrders
	LimitRequests
)

// Limit is one of the venue's rate limits, as exchangeInfo tells it.
type Limit struct {
	Kind LimitKind
	Span time.Duration
	Max  int
}

// Budget is the one account of what the venue still lets us do. Windows are
// aligned to the venue's clock, not rolling (Binance Spot API docs, 2026-07-21);
// the venue's own counts in its answers correct ours. A share of the weight is
// kept for cancels. Any goroutine; no locks.
//
// The unfilled order count falls when orders fill, which only the venue sees in
// full, so between answers ours can only be too high.
type Budget struct {
	weight   window
	requests window
	short    window // shortest ORDERS window
	day      window
	reserve  int64        // percent of the weight kept for cancels
	silent   atomic.Int64 // MonoNs until which nothing may be sent
	noOrders atomic.Int64 // MonoNs until which no order may be sent

	refused  atomic.Uint64
	lockouts atomic.Uint64
}

// window is one fixed window: its number in the high half, what is used in the low.
type window struct {
	span atomic.Int64 // ns, 0: no such limit
	max  atomic.Int64
	now  atomic.Uint64
}

// unreadWeight is what may be spent before exchangeInfo has told the limits:
// enough to ask for it with some samples of the time.
const unreadWeight = 200

// NewBudget makes a budget that lets only a start-up's few calls pass until Set.
// reservePercent of the weight is kept for cancels.
func NewBudget(reservePercent int) (*Budget, error) {
	if reservePercent < 0 || reservePercent > 90 {
		return nil, fmt.Errorf("cannot make a budget: cancel reserve is %d %%, want 0 to 90", reservePercent)
	}
	b := &Budget{reserve: int64(reservePercent)}
	b.weight.set(time.Minute, unreadWeight)
	return b, nil
}

// Set installs the venue's limits. Of several ORDERS windows the shortest and the
// longest count.
func (b *Budget) Set(limits []Limit) error {
	var weight, requests, short, day *Limit
	for i := range limits {
		l := &limits[i]
		if l.Span <= 0 || l.Max <= 0 || l.Max > math.MaxInt32 {
			return fmt.Errorf("cannot use rate limits: found %d per %v, want both above 0", l.Max, l.Span)
		}
		switch l.Kind {
		case LimitWeight:
			if weight == nil || l.Span < weight.Span {
				weight = l
			}
		case LimitRequests:
			requests = l
		case LimitOrders:
			if short == nil || l.Span < short.Span {
				short = l
			}
			if day == nil || l.Span > day.Span {
				day = l
			}
		}
	}
	if weight == nil || short == nil {
		return fmt.Errorf("cannot use rate limits: REQUEST_WEIGHT or ORDERS is missing among %d limits", len(limits))
	}
	b.weight.set(weight.Span, weight.Max)
	b.short.set(short.Span, short.Max)
	if day.Span > short.Span {
		b.day.set(day.Span, day.Max)
	}
	if requests != nil {
		b.requests.set(requests.Span, requests.Max)
	}
	return nil
}

// TakeWeight books weight before a call; cancels may use the reserve. When it
// does not fit, wait is how long until it may.
func (b *Budget) TakeWeight(weight int, cancel bool, venue core.WallNs, now core.MonoNs) (ok bool, wait time.Duration) {
	if left := b.silent.Load() - int64(now); left > 0 {
		b.refused.Add(1)
		return false, time.Duration(left)
	}
	keep := b.reserve
	if cancel {
		keep = 0
	}
	if !b.requests.take(1, 0, venue) {
		b.refused.Add(1)
		return false, b.requests.rest(venue)
	}
	if !b.weight.take(int64(weight), keep, venue) {
		b.refused.Add(1)
		return false, b.weight.rest(venue)
	}
	return true, 0
}

// TakeOrder books one new order.
func (b *Budget) TakeOrder(venue core.WallNs, now core.MonoNs) bool {
	if int64(now) < b.silent.Load() || int64(now) < b.noOrders.Load() {
		b.refused.Add(1)
		return false
	}
	if !b.day.take(1, 0, venue) {
		b.refused.Add(1)
		return false
	}
	if !b.short.take(1, 0, venue) {
		b.day.give(1, venue)
		b.refused.Add(1)
		return false
	}
	return true
}

// GiveOrder returns what TakeOrder took for an order that was not sent.
func (b *Budget) GiveOrder(venue core.WallNs) {
	b.short.give(1, venue)
	b.day.give(1, venue)
}

// Silent reports whether nothing at all may be sent now.
func (b *Budget) Silent(now core.MonoNs) bool { return int64(now) < b.silent.Load() }

// SilentFor is how long nothing may be sent yet.
func (b *Budget) SilentFor(now core.MonoNs) time.Duration {
	return max(0, time.Duration(b.silent.Load()-int64(now)))
}

// SawWeight takes the venue's count of used weight from an answer (below 0: not
// told). Only ever corrected upwards inside a window: calls may be under way.
func (b *Budget) SawWeight(used int32, venue core.WallNs) {
	if used >= 0 {
		b.weight.raise(int64(used), venue)
	}
}

// SawOrders takes the venue's unfilled order counts (below 0: not told); pending
// is how many orders are sent and not yet answered. It corrects both ways.
func (b *Budget) SawOrders(short, day int32, pending int, venue core.WallNs) {
	if short >= 0 {
		b.short.put(int64(short)+int64(pending), venue)
	}
	if day >= 0 {
		b.day.put(int64(day)+int64(pending), venue)
	}
}

// Lockout obeys a 429 or 418: nothing is sent until retryAfter has passed. Where
// the venue did not say how long, the window it complained about must end.
func (b *Budget) Lockout(retryAfter time.Duration, venue core.WallNs, now core.MonoNs) {
	if retryAfter <= 0 {
		retryAfter = b.weight.rest(venue) + time.Second
	}
	raiseTo(&b.silent, int64(now)+int64(retryAfter))
	b.lockouts.Add(1)
}

// OrderLockout obeys a refusal by order count: cancels and queries go on.
func (b *Budget) OrderLockout(retryAfter time.Duration, venue core.WallNs, now core.MonoNs) {
	if retryAfter <= 0 {
		retryAfter = b.short.rest(venue) + 100*time.Millisecond
	}
	raiseTo(&b.noOrders, int64(now)+int64(retryAfter))
	b.lockouts.Add(1)
}

// BudgetUse is what is used and allowed now, for display.
type BudgetUse struct {
	Weight, WeightMax, Orders, OrdersMax, Day, DayMax int
	Refused, Lockouts                                 uint64
	SilentFor                                         time.Duration
}

// Use reads the budget.
func (b *Budget) Use(venue core.WallNs, now core.MonoNs) BudgetUse {
	return BudgetUse{
		Weight: int(b.weight.used(venue)), WeightMax: int(b.weight.max.Load()),
		Orders: int(b.short.used(venue)), OrdersMax: int(b.short.max.Load()),
		Day: int(b.day.used(venue)), DayMax: int(b.day.max.Load()),
		Refused: b.refused.Load(), Lockouts: b.lockouts.Load(), SilentFor: b.SilentFor(now),
	}
}

func (w *window) set(span time.Duration, limit int) {
	w.max.Store(int64(limit))
	w.span.Store(int64(span))
}

// number is which window venue lies in; the low 32 bits tell windows apart.
func (w *window) number(venue core.WallNs) uint64 {
	return uint64(uint32(int64(venue) / w.span.Load()))
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

func raiseTo(a *atomic.Int64, v int64) {
	for {
		old := a.Load()
		if old >= v || a.CompareAndSwap(old, v) {
			return
		}
	}
}

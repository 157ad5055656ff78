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
// The venue counts weight by address and orders by account, so the counters lie in
// memory that other processes may share; see Share.
//
// The unfilled order count falls when orders fill, which only the venue sees in
// full, so between answers ours can only be too high.
type Budget struct {
	host    *HostUse
	account *AccountUse
	origin  int64  // what to add to a MonoNs to get the time that the sharers have in common
	slot    int    // ours in account.pending
	reserve int64  // percent of the weight kept for cancels and own orders
	unread  window // what this process has used while the venue's limits are not known

	refused  atomic.Uint64
	lockouts atomic.Uint64
}

// HostUse is what all processes behind one address have used. Its zero value is
// ready; it holds no pointer, so that it can lie in memory shared by processes.
type HostUse struct {
	weight   window
	requests window
	silent   atomic.Int64 // common time until which nothing may be sent
}

// AccountUse is what all processes of one account have used; as HostUse.
type AccountUse struct {
	short    window // shortest ORDERS window
	day      window
	noOrders atomic.Int64 // common time until which no order may be sent
	pending  [AccountSharers]atomic.Int64
}

// AccountSharers is how many processes can trade on one account at once.
const AccountSharers = 16

// Claim is what a call is for, and so how much of the weight it leaves alone.
type Claim uint8

// The claims. Whoever starts again in a minute in which much was used learns first what
// became of its orders: market data leaves a share of the weight to such questions, and
// they leave a third of that to cancels.
const (
	ForMarket Claim = iota
	ForOrders       // own orders and account, and what has to be known to ask about them
	ForCancels
)

func (b *Budget) keeps(c Claim) int64 {
	switch c {
	case ForOrders:
		return b.reserve / 3
	case ForCancels:
		return 0
	}
	return b.reserve
}

// unreadWeight is what may be spent before exchangeInfo has told the limits: enough to ask
// for it with some samples of the time. It binds what this process uses itself: what the
// venue says that others have used, or a former run, cannot be held against limits that
// nobody knows.
const unreadWeight = 200

// NewBudget makes a budget that lets only a start-up's few calls pass until Set.
// reservePercent of the weight is kept for cancels.
func NewBudget(reservePercent int) (*Budget, error) {
	if reservePercent < 0 || reservePercent > 90 {
		return nil, fmt.Errorf("cannot make a budget: cancel reserve is %d %%, want 0 to 90", reservePercent)
	}
	b := &Budget{host: new(HostUse), account: new(AccountUse), reserve: int64(reservePercent)}
	b.host.weight.set(time.Minute, unreadWeight)
	b.unread.set(time.Minute, unreadWeight)
	return b, nil
}

// Share moves the budget to counters that other processes use too. origin is what
// all of them add to their own MonoNs to mean the same instant; slot, below
// AccountSharers, is this process's alone. account may be nil as long as no key is
// known. Before any other call but Set; limits that another process has installed
// stay until Set is called.
func (b *Budget) Share(host *HostUse, account *AccountUse, slot int, origin int64) {
	if host.weight.span.Load() == 0 {
		host.weight.set(time.Minute, unreadWeight)
	}
	b.host, b.origin = host, origin
	if account != nil {
		b.account, b.slot = account, slot
		account.pending[slot].Store(0)
	}
}

// Forget takes back what a process that has died still counted as under way.
func (a *AccountUse) Forget(slot int) { a.pending[slot].Store(0) }

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
	b.host.weight.set(weight.Span, weight.Max)
	b.account.short.set(short.Span, short.Max)
	if day.Span > short.Span {
		b.account.day.set(day.Span, day.Max)
	}
	if requests != nil {
		b.host.requests.set(requests.Span, requests.Max)
	}
	return nil
}

// TakeWeight books weight before a call, of which the claim says how much it leaves alone.
// When it does not fit, wait is how long until it may.
func (b *Budget) TakeWeight(weight int, c Claim, venue core.WallNs, now core.MonoNs) (ok bool, wait time.Duration) {
	if left := b.SilentFor(now); left > 0 {
		b.refused.Add(1)
		return false, left
	}
	keep := b.keeps(c)
	if !b.host.requests.take(1, 0, venue) {
		b.refused.Add(1)
		return false, b.host.requests.rest(venue)
	}
	if b.host.weight.max.Load() == unreadWeight {
		if ok = b.unread.take(int64(weight), keep, venue); ok {
			b.host.weight.give(-int64(weight), venue)
		}
	} else {
		ok = b.host.weight.take(int64(weight), keep, venue)
	}
	if !ok {
		b.refused.Add(1)
		return false, b.host.weight.rest(venue)
	}
	return true, 0
}

// Spare is what weight is left now for calls that leave keepPercent of it alone, and
// how long until it is more. It books nothing.
func (b *Budget) Spare(keepPercent int, venue core.WallNs, now core.MonoNs) (weight int, more time.Duration) {
	if left := b.SilentFor(now); left > 0 {
		return 0, left
	}
	most := b.host.weight.max.Load()
	return int(most - most*int64(keepPercent)/100 - b.host.weight.used(venue)), b.host.weight.rest(venue)
}

// TakeOrder books one new order.
func (b *Budget) TakeOrder(venue core.WallNs, now core.MonoNs) bool {
	if at := int64(now) + b.origin; at < b.host.silent.Load() || at < b.account.noOrders.Load() {
		b.refused.Add(1)
		return false
	}
	if !b.account.day.take(1, 0, venue) {
		b.refused.Add(1)
		return false
	}
	if !b.account.short.take(1, 0, venue) {
		b.account.day.give(1, venue)
		b.refused.Add(1)
		return false
	}
	return true
}

// GiveOrder returns what TakeOrder took for an order that was not sent.
func (b *Budget) GiveOrder(venue core.WallNs) {
	b.account.short.give(1, venue)
	b.account.day.give(1, venue)
}

// Silent reports whether nothing at all may be sent now.
func (b *Budget) Silent(now core.MonoNs) bool { return int64(now)+b.origin < b.host.silent.Load() }

// SilentFor is how long nothing may be sent yet.
func (b *Budget) SilentFor(now core.MonoNs) time.Duration {
	return max(0, time.Duration(b.host.silent.Load()-int64(now)-b.origin))
}

// SawWeight takes the venue's count of used weight from an answer (below 0: not
// told). Only ever corrected upwards inside a window: calls may be under way. sent is
// when the request left at the earliest, by the venue's clock as far as it is known: the
// answer to one of the window before may tell of that one, and would have us wait out a
// window in which nothing was used.
func (b *Budget) SawWeight(used int32, sent, venue core.WallNs) {
	if used >= 0 && b.host.weight.same(sent, venue) {
		b.host.weight.raise(int64(used), venue)
	}
}

// SawOrders takes the venue's unfilled order counts (below 0: not told); pending
// is how many orders we have sent that they may not have in them: those not yet answered,
// and those answered since the request left whose answer brings the counts. It corrects
// both ways.
func (b *Budget) SawOrders(short, day int32, pending int, venue core.WallNs) {
	b.account.pending[b.slot].Store(int64(pending))
	all := int64(0)
	for i := range b.account.pending {
		all += b.account.pending[i].Load()
	}
	if short >= 0 {
		b.account.short.put(int64(short)+all, venue)
	}
	if day >= 0 {
		b.account.day.put(int64(day)+all, venue)
	}
}

// Lockout obeys a 429 or 418: nothing is sent until retryAfter has passed. Where
// the venue did not say how long, the window it complained about must end.
func (b *Budget) Lockout(retryAfter time.Duration, venue core.WallNs, now core.MonoNs) {
	if retryAfter <= 0 {
		retryAfter = b.host.weight.rest(venue) + time.Second
	}
	raiseTo(&b.host.silent, int64(now)+b.origin+int64(retryAfter))
	b.lockouts.Add(1)
}

// OrderLockout obeys a refusal by order count: cancels and queries go on.
func (b *Budget) OrderLockout(retryAfter time.Duration, venue core.WallNs, now core.MonoNs) {
	if retryAfter <= 0 {
		retryAfter = b.account.short.rest(venue) + 100*time.Millisecond
	}
	raiseTo(&b.account.noOrders, int64(now)+b.origin+int64(retryAfter))
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
		Weight: int(b.host.weight.used(venue)), WeightMax: int(b.host.weight.max.Load()),
		Orders: int(b.account.short.used(venue)), OrdersMax: int(b.account.short.max.Load()),
		Day: int(b.account.day.used(venue)), DayMax: int(b.account.day.max.Load()),
		Refused: b.refused.Load(), Lockouts: b.lockouts.Load(), SilentFor: b.SilentFor(now),
	}
}

func raiseTo(a *atomic.Int64, v int64) {
	for {
		old := a.Load()
		if old >= v || a.CompareAndSwap(old, v) {
			return
		}
	}
}

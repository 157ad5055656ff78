package app

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/ring"
	"riposte/tools/venue/exchange"
)

// auditCopies bounds how many books can be on their way to the auditor; when all
// are, an event goes unaudited.
const auditCopies = 64

// bookCopy is one book as the shard held it right after an event.
type bookCopy struct {
	instrument core.InstrumentID
	id         uint64
	trusted    [2]core.Price
	sides      [2][]core.Level
}

// auditor compares the engine's books with the venue's true ones at the same
// update id. The shard copies, a goroutine of its own compares: the copy costs
// the shard a few microseconds per depth event, so it is for the embedded venue.
type auditor struct {
	table *core.Instruments
	truth func(symbol string, id int64) (bids, asks []exchange.Level, err error)

	free *ring.Ring[*bookCopy] // auditor writes, shard reads
	full *ring.Ring[*bookCopy] // shard writes, auditor reads
	bell chan struct{}
	quit chan struct{}
	wg   sync.WaitGroup

	compared, differ, skipped, unknown atomic.Uint64
	first                              atomic.Pointer[string] // what the first difference was
}

func newAuditor(t *core.Instruments, truth func(string, int64) ([]exchange.Level, []exchange.Level, error)) *auditor {
	a := &auditor{table: t, truth: truth, bell: make(chan struct{}, 1), quit: make(chan struct{}),
		free: ring.New[*bookCopy](auditCopies), full: ring.New[*bookCopy](auditCopies)}
	for range auditCopies {
		*a.free.Claim() = new(bookCopy)
		a.free.Publish()
	}
	a.wg.Go(a.work)
	return a
}

// DepthApplied copies the book. It runs on the shard's goroutine.
func (a *auditor) DepthApplied(id core.InstrumentID, s *book.Sync, ev *core.Event) {
	b, live := s.Live()
	spare := a.free.Pending()
	if !live {
		return
	}
	if len(spare) == 0 {
		a.skipped.Add(1)
		return
	}
	c := spare[0]
	a.free.Release(1)
	c.instrument, c.id = id, ev.ID
	for _, side := range [2]core.Side{core.Buy, core.Sell} {
		c.sides[side] = b.Levels(side, slices.Grow(c.sides[side][:0], b.Len(side)))
		c.trusted[side] = b.Trusted(side)
	}
	*a.full.Claim() = c // as many slots as copies: never full
	a.full.Publish()
	select {
	case a.bell <- struct{}{}:
	default:
	}
}

func (a *auditor) work() {
	for {
		last := false
		select {
		case <-a.bell:
		case <-a.quit:
			last = true
		}
		for list := a.full.Pending(); len(list) > 0; list = a.full.Pending() {
			// The slot first, then the copy: whoever holds a copy finds a slot.
			c := list[0]
			a.full.Release(1)
			a.compare(c)
			*a.free.Claim() = c
			a.free.Publish()
		}
		if last {
			return
		}
	}
}

func (a *auditor) compare(c *bookCopy) {
	sym := a.table.Get(c.instrument).Symbol
	bids, asks, err := a.truth(sym, int64(c.id))
	if err != nil {
		a.unknown.Add(1)
		return
	}
	a.compared.Add(1)
	for side, truth := range [2][]exchange.Level{bids, asks} {
		if diff := c.differs(core.Side(side), truth); diff != "" {
			a.differ.Add(1)
			text := fmt.Sprintf("%s at update %d: %s", sym, c.id, diff)
			a.first.CompareAndSwap(nil, &text)
			return
		}
	}
}

// differs walks both sides best first. Within the trusted range the two must be
// the same; beyond it every level of ours must be true, but the venue may have
// levels that we were never told of.
func (c *bookCopy) differs(side core.Side, truth []exchange.Level) string {
	ours := c.sides[side]
	beyond := func(p core.Price) bool {
		if side == core.Buy {
			return p < c.trusted[side]
		}
		return p > c.trusted[side]
	}
	i := 0
	for _, lv := range truth {
		p, q := core.Price(lv.Price), core.Qty(lv.Qty)
		if i < len(ours) && ours[i].Price == p {
			if ours[i].Qty != q {
				return fmt.Sprintf("%s %v holds %v, ours %v", side, p, q, ours[i].Qty)
			}
			i++
			continue
		}
		if !beyond(p) {
			return fmt.Sprintf("%s %v x %v is missing in ours", side, p, q)
		}
	}
	if i < len(ours) {
		return fmt.Sprintf("%s %v x %v is ours alone", side, ours[i].Price, ours[i].Qty)
	}
	return ""
}

// close ends the audit once every copy made is compared. The shard must have
// stopped.
func (a *auditor) close() {
	close(a.quit)
	a.wg.Wait()
}

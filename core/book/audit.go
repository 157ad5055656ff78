package book

import (
	"fmt"

	"riposte/core"
)

// Audit is a Live book and a snapshot of it, at the same update id. The shard fills
// it (Sync.Audit, a copy and nothing else), any other goroutine compares: it crosses
// rings both ways and belongs to whoever holds it.
//
// A snapshot falls inside an event's range of ids as a rule, where the book never
// stood. So it is brought up to the book's id by the events in between, whose
// quantities are absolute; the two must then be equal wherever both know the depth.
type Audit struct {
	Instrument core.InstrumentID
	At         core.MonoNs // when the copy was made
	ID         uint64      // of the book, and of the image with what came after
	Loads      uint64      // snapshots that the book had loaded
	Image      *Image

	own   [2][]core.Level // best first
	after [2][]core.Level // what changed since the image, oldest first
	edge  [2]core.Price   // outermost price that both know

	// What Compare found.
	Compared, Different int
	First               string // the difference nearest to the touch, "" if there is none
	Distance            int    // levels of the book between it and the touch
}

// Audit copies the book into a, down to the end of what both it and the image know.
// It reports false where the two cannot be brought to one id: the book is not Live or
// behind the image, or what came after the image is no longer held.
func (s *Sync) Audit(a *Audit, im *Image) bool {
	if s.state != Live || !s.Covered(im.LastID) {
		return false
	}
	a.Instrument, a.ID, a.Loads, a.Image = s.in, s.lastID, s.count.Snapshots, im
	a.Compared, a.Different, a.First, a.Distance = 0, 0, "", 0
	a.edge[core.Buy], a.edge[core.Sell] = im.edges()
	for i := range a.edge {
		side := core.Side(i)
		if e := s.book.Trusted(side); keyOf(side, e) < keyOf(side, a.edge[i]) {
			a.edge[i] = e
		}
		a.own[i], a.after[i] = a.own[i][:0], a.after[i][:0]
		edge := keyOf(side, a.edge[i])
		for c := s.book.Cursor(side); ; {
			lv, ok := c.Next()
			if !ok || keyOf(side, lv.Price) > edge {
				break
			}
			a.own[i] = append(a.own[i], lv)
		}
	}
	s.recent.each(s.futures, im.LastID, func(side core.Side, lv core.Level) { a.after[side] = append(a.after[side], lv) })
	return true
}

// Compare holds the copy against the snapshot and fills in what it found. Cold path.
func (a *Audit) Compare() {
	for i, told := range [2][]core.Level{a.Image.Bids, a.Image.Asks} {
		a.compare(core.Side(i), told)
	}
}

func (a *Audit) compare(side core.Side, told []core.Level) {
	truth := make(map[core.Price]core.Qty, len(told)+len(a.after[side]))
	set := func(lv core.Level) {
		switch {
		case keyOf(side, lv.Price) > keyOf(side, a.edge[side]):
		case lv.Qty > 0:
			truth[lv.Price] = lv.Qty
		default:
			delete(truth, lv.Price)
		}
	}
	for _, lv := range told {
		set(lv)
	}
	for _, lv := range a.after[side] {
		set(lv)
	}
	for i, lv := range a.own[side] {
		q, ok := truth[lv.Price]
		a.Compared++
		switch {
		case !ok:
			a.differs(i, "%s %v x %v is ours alone", side, lv.Price, lv.Qty)
		case q != lv.Qty:
			a.differs(i, "%s %v holds %v, ours %v", side, lv.Price, q, lv.Qty)
		}
		delete(truth, lv.Price)
	}
	if len(truth) == 0 {
		return
	}
	a.Compared += len(truth)
	a.Different += len(truth) - 1
	best, first := int64(noKey), core.Level{}
	for p, q := range truth {
		if k := keyOf(side, p); k < best {
			best, first = k, core.Level{Price: p, Qty: q}
		}
	}
	at := 0
	for at < len(a.own[side]) && keyOf(side, a.own[side][at].Price) < best {
		at++
	}
	a.differs(at, "%s %v x %v is missing in ours", side, first.Price, first.Qty)
}

func (a *Audit) differs(at int, format string, args ...any) {
	if a.Different++; a.First == "" || at < a.Distance {
		a.First, a.Distance = fmt.Sprintf(format, args...), at
	}
}

// Doubt says that evidence from outside shows the book to be wrong: it must not be
// read until a snapshot has made it anew.
func (s *Sync) Doubt(why Reason) {
	if s.state != Live {
		return
	}
	s.state, s.reason, s.loaded, s.waiting = Gapped, why, false, false
	s.touches.doubt(false)
	s.count.Gaps++
}

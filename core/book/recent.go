package book

import "riposte/core"

// Recent is the newest events that a book has applied, as many as there is room for.
// It is followed only while a snapshot for a Live book is under way: with it an image
// that is older than the book is brought up to the book's id, because quantities are
// absolute. It belongs to the shard; it never allocates.
type Recent struct {
	since  uint64        // all events after this id are held
	events []recentEvent // a circle, a power of two long
	levels []core.Level  // likewise
	head   uint64
	tail   uint64
	low    uint64 // levels in use are [low, high)
	high   uint64
}

type recentEvent struct {
	ev   core.Event
	from uint64 // of its first level
}

// NewRecent keeps events, with room for that many events and levels, each rounded up to
// a power of two.
func NewRecent(events, levels int) *Recent {
	t := &Recent{}
	n, m := 1, 1
	for n < events {
		n *= 2
	}
	for m < levels {
		m *= 2
	}
	t.events, t.levels = make([]recentEvent, n), make([]core.Level, m)
	return t
}

// begin forgets everything: what comes follows id.
func (t *Recent) begin(id uint64) {
	t.since, t.head, t.tail, t.low, t.high = id, 0, 0, 0, 0
}

// add keeps an event and gives up the oldest where there is no room.
func (t *Recent) add(ev *core.Event, lv []core.Level) {
	if len(lv) > len(t.levels) {
		t.begin(ev.ID)
		return
	}
	for t.tail-t.head == uint64(len(t.events)) || t.high-t.low+uint64(len(lv)) > uint64(len(t.levels)) {
		old := &t.events[t.head&uint64(len(t.events)-1)]
		t.since = old.ev.ID
		t.low = old.from + uint64(old.ev.Bids) + uint64(old.ev.Asks)
		t.head++
	}
	t.events[t.tail&uint64(len(t.events)-1)] = recentEvent{*ev, t.high}
	t.tail++
	for i := range lv {
		t.levels[(t.high+uint64(i))&uint64(len(t.levels)-1)] = lv[i]
	}
	t.high += uint64(len(lv))
}

// covers reports whether all that changed after id is held.
func (t *Recent) covers(id uint64) bool { return t != nil && id >= t.since }

// each calls f with every level, in order, of the events that an image at id does not
// hold in full.
func (t *Recent) each(futures bool, id uint64, f func(core.Side, core.Level)) {
	for i := t.head; i != t.tail; i++ {
		e := &t.events[i&uint64(len(t.events)-1)]
		if join(futures, true, &e.ev, id) == linkOld {
			continue
		}
		for k := range uint64(e.ev.Bids) + uint64(e.ev.Asks) {
			side := core.Buy
			if k >= uint64(e.ev.Bids) {
				side = core.Sell
			}
			f(side, t.levels[(e.from+k)&uint64(len(t.levels)-1)])
		}
	}
}

// Follow has s keep the events it applies in t until Unfollow, or none if it follows
// one already or its book is not Live.
func (s *Sync) Follow(t *Recent) bool {
	if s.recent != nil || s.state != Live {
		return false
	}
	s.recent = t
	t.begin(s.lastID)
	return true
}

// Unfollow gives the memory back, nil if there is none.
func (s *Sync) Unfollow() *Recent {
	t := s.recent
	s.recent = nil
	return t
}

// Covered reports whether an image at id could be brought up to the book: nothing that
// changed after id has been given up, and the book is that far.
func (s *Sync) Covered(id uint64) bool { return s.recent.covers(id) && id <= s.lastID }

// renew replaces a Live book by an image that is older than it, brought up to the
// book's id by those events. The state stays: nothing was missing at any time.
func (s *Sync) renew(im *Image) {
	s.book.Load(im)
	s.recent.each(s.futures, im.LastID, func(side core.Side, lv core.Level) { s.book.Set(side, lv.Price, lv.Qty) })
	s.book.id = s.lastID
	s.count.Snapshots++
	s.count.Renewals++
}

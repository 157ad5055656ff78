package engine

import (
	"math"
	"time"

	"riposte/core"
	"riposte/core/book"
	"riposte/core/ring"
)

// DepthConfig is how a shard keeps up what its Live books know. The zero value leaves
// each with what the snapshot told that made it Live, as replay does.
//
// A snapshot tells so many levels and no more. Where the first was small, so that
// hundreds of books could be Live within the venue's allowance, a larger one follows;
// where the touch has come near the end of what is known, a new one does; where it has
// gone beyond, the book is demoted, since levels before its best may be missing. And
// now and then each book is held against a snapshot. All of these are snapshots for
// Live books: they come by one way, are compared before they are taken over, and never
// take a book out of Live unless they contradict it.
type DepthConfig struct {
	Levels  int   // a side of a Live book should know; 0: nothing is renewed
	RenewAt int   // percent of the known range left when it is renewed; 0: 50
	Rank    []int // by instrument, higher first; short or nil: 0
	// Audit has each book held against a snapshot in turn, one at a time. Whoever fetches
	// sets the pace.
	Audit bool
	// Copies is written: books and snapshots to be compared. Judged is read: the same
	// after the comparison, and at first empty ones. As many as are published there are
	// in use. nil: nothing is compared.
	Copies, Judged *ring.Ring[*book.Audit]
	// Recovered is written when a book gets Live; may be nil, full drops.
	Recovered *ring.Ring[Recovery]
}

// Recovery is one way of a book to Live; it crosses a ring.
type Recovery struct {
	Instrument core.InstrumentID
	First      bool        // it had never been Live before
	Why        book.Reason // it was not
	// Down is when it left Live, 0 for the first; Asked when a snapshot was first asked
	// for: the stream was there again. Asked is 0 where none was needed.
	Down, Asked, Live core.MonoNs
}

const (
	// recentsMost is how many snapshots for Live books can be under way: more would
	// not come sooner, and each needs a memory of events.
	recentsMost                = 8
	recentEvents, recentLevels = 256, 4096
	// depthAgain is the least time between two snapshots for one Live book.
	depthAgain = core.MonoNs(2 * time.Second)
	// depthGiveUp is when one that was asked for is no longer waited for.
	depthGiveUp = core.MonoNs(5 * time.Minute)
	// depthBehind is how long the events up to a snapshot may take. The slowest depth
	// stream sends once a second.
	depthBehind = core.MonoNs(10 * time.Second)
)

// depth is what a shard keeps of snapshots for Live books.
type depth struct {
	recents []*book.Recent // not in use
	spare   []*book.Audit  // likewise
	audited *market        // an audit's snapshot is under way; may be over
	turn    int            // market to be audited next
	down    int            // markets whose book is not Live
}

// known is what a market keeps of the depth that its book knows.
type known struct {
	asked  bool // a snapshot for the Live book is under way
	why    book.Purpose
	at     core.MonoNs // when it was asked for
	next   core.MonoNs // not before
	held   *book.Image // came, and is ahead of the book
	heldAt core.MonoNs
	narrow bool          // the last snapshot told fewer levels than it should
	room   [2]core.Price // from the touch to the end of what is known, after the last snapshot; 0: no end
	ever   bool          // has been Live
	downAt core.MonoNs
	wantAt core.MonoNs // first asked for a snapshot since
}

func (s *Shard) openDepth() {
	c := &s.cfg.Depth
	if c.RenewAt == 0 {
		c.RenewAt = 50
	}
	s.known.down = len(s.markets)
	if c.Levels > 0 || c.Audit {
		for range recentsMost {
			s.known.recents = append(s.known.recents, book.NewRecent(recentEvents, recentLevels))
		}
		s.known.spare = make([]*book.Audit, 0, recentsMost)
	}
}

// loaded notes how far a book sees with the snapshot just taken over.
func (s *Shard) loaded(m *market, im *book.Image) {
	b := m.sync.Loaded()
	k := &m.known
	k.narrow, k.room = false, [2]core.Price{}
	for i := range k.room {
		side := core.Side(i)
		if b.Whole(side) {
			continue
		}
		k.room[i] = reach(b, side)
		k.narrow = k.narrow || im.Limit < s.cfg.Depth.Levels
	}
}

// reach is how far from the best price the known range ends; it is not positive where
// the touch has left it.
func reach(b *book.Book, side core.Side) core.Price {
	return core.Price(side.Sign()) * (b.Best(side).Price - b.Trusted(side))
}

// lacks is what a Live book needs a snapshot for, ForAudit if it needs none.
func (s *Shard) lacks(m *market) book.Purpose {
	if s.cfg.Depth.Levels == 0 {
		return book.ForAudit
	}
	b, _ := m.sync.Live()
	for i, room := range m.known.room {
		if room > 0 && int64(reach(b, core.Side(i)))*100 < int64(room)*int64(s.cfg.Depth.RenewAt) {
			return book.ForEdge
		}
	}
	if m.known.narrow {
		return book.ForRange
	}
	return book.ForAudit
}

// deepen asks for at most one snapshot of a Live book: the most urgent, and of these
// the most important. With nothing to renew it is an audit's turn.
func (s *Shard) deepen() {
	if len(s.known.recents) == 0 {
		return
	}
	var best *market
	why := book.ForAudit
	for _, m := range s.markets {
		if !m.wasLive || m.known.asked || s.now < m.known.next {
			continue
		}
		p := s.lacks(m)
		if p < why || p == why && p != book.ForAudit && s.rank(m) > s.rank(best) {
			best, why = m, p
		}
	}
	if best == nil {
		best = s.auditNext()
	}
	if best == nil {
		return
	}
	slot := s.cfg.Want.Claim()
	if s.outside(slot == nil) {
		return
	}
	t := s.known.recents[len(s.known.recents)-1]
	if !best.sync.Follow(t) {
		return
	}
	s.known.recents = s.known.recents[:len(s.known.recents)-1]
	*slot = book.Want{Instrument: best.id, Purpose: why}
	if why == book.ForAudit {
		b, _ := best.sync.Live()
		slot.Levels = uint16(min(max(b.Len(core.Buy), b.Len(core.Sell)), math.MaxUint16))
	}
	s.cfg.Want.Publish()
	best.known.asked, best.known.why, best.known.at, best.known.held = true, why, s.now, nil
}

func (s *Shard) rank(m *market) int {
	if int(m.id) < len(s.cfg.Depth.Rank) {
		return s.cfg.Depth.Rank[m.id]
	}
	return 0
}

// auditNext is the market whose turn it is, nil if it is not time yet.
func (s *Shard) auditNext() *market {
	d := &s.known
	if !s.cfg.Depth.Audit || len(d.spare) == 0 {
		return nil
	}
	if m := d.audited; m != nil && m.known.asked && m.known.why == book.ForAudit {
		return nil
	}
	for range s.markets {
		m := s.markets[d.turn]
		if d.turn++; d.turn == len(s.markets) {
			d.turn = 0
		}
		if m.wasLive && !m.known.asked && s.now >= m.known.next {
			d.audited = m
			return m
		}
	}
	return nil
}

// deeper takes a snapshot for a Live book. One that is ahead of the book waits for the
// events in between.
func (s *Shard) deeper(m *market, im *book.Image) {
	if im.Check() != nil {
		s.counts.Unusable++
		s.leave(m)
		return
	}
	if im.LastID > m.sync.LastID() && m.known.asked {
		m.known.held, m.known.heldAt = im, s.now
		return
	}
	s.settle(m, im)
}

// settle compares a snapshot that the book has caught up with, and takes it over if
// the book needs what it tells.
func (s *Shard) settle(m *market, im *book.Image) {
	d := &s.known
	switch n := len(d.spare); {
	case n == 0:
	case m.sync.Audit(d.spare[n-1], im):
		a := d.spare[n-1]
		if slot := s.cfg.Depth.Copies.Claim(); slot != nil {
			a.At = s.now
			*slot = a
			s.cfg.Depth.Copies.Publish()
			d.spare = d.spare[:n-1]
			s.counts.Audits++
		}
	default:
		s.counts.AuditsLost++
	}
	if s.lacks(m) != book.ForAudit && m.sync.Snapshot(im) == book.Applied {
		s.counts.Snapshots++
		s.counts.Renewals++
		s.loaded(m, im)
		s.look(m)
	}
	s.leave(m)
}

// leave ends what is under way for a Live book, or what was.
func (s *Shard) leave(m *market) {
	if t := m.sync.Unfollow(); t != nil {
		s.known.recents = append(s.known.recents, t)
	}
	m.known.asked, m.known.held, m.known.next = false, nil, s.now+depthAgain
}

// judge reads what came of comparisons. A book that differed is made anew, unless that
// has happened meanwhile.
func (s *Shard) judge() {
	if s.cfg.Depth.Judged == nil {
		return
	}
	list := s.cfg.Depth.Judged.Pending()
	for i, a := range list {
		if s.log != nil {
			s.log.judgement(a)
		}
		list[i] = nil
		s.known.spare = append(s.known.spare, a)
		if a.Different == 0 {
			continue
		}
		s.begin()
		s.counts.AuditDifferences++
		m := s.market(a.Instrument)
		if _, live := m.sync.Live(); live && m.sync.Status().Counters.Snapshots <= a.Loads+1 {
			m.sync.Doubt(book.AuditDiffers)
			s.demoted(m)
		}
		a.Different = 0
	}
	s.cfg.Depth.Judged.Release(len(list))
}

// overdue ends a wait for a snapshot that does not come, and one for events that do not:
// the venue's book is ahead of ours, and its stream does not say how.
func (s *Shard) overdue(m *market) {
	switch k := &m.known; {
	case k.held != nil && s.now-k.heldAt > depthBehind:
		m.sync.Doubt(book.DepthBehind)
		s.demoted(m)
	case k.held == nil && s.now-k.at > depthGiveUp:
		s.leave(m)
		k.next = s.now + depthGiveUp
	}
}

// risen notes that a book got Live.
func (s *Shard) risen(m *market) {
	m.wasLive = true
	s.known.down--
	if r := s.cfg.Depth.Recovered; r != nil {
		if slot := r.Claim(); slot != nil {
			*slot = Recovery{Instrument: m.id, First: !m.known.ever, Why: m.sync.Status().Reason, Down: m.known.downAt, Asked: m.known.wantAt, Live: s.now}
			r.Publish()
		}
	}
	m.known.ever = true
}

// fallen notes that a book left Live.
func (s *Shard) fallen(m *market) {
	m.wasLive = false
	s.counts.Demotions++
	s.known.down++
	m.known.downAt, m.known.wantAt = s.now, 0
	s.leave(m)
}

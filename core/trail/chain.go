package trail

import (
	"slices"

	"riposte/core"
)

// Found is what an id turned out to be.
type Found uint8

// The kinds.
const (
	Fresh  Found = iota // follows everything before it
	Late                // part of a hole
	Double              // known already
)

// Hole is ids that the stream left out, between two that it brought.
type Hole struct {
	From, To uint64
	Seen     core.MonoNs // when the event was read that showed it
	// The trades before and after it happened then, and so the missing ones between.
	After, Before core.WallNs
	tries         int
}

// Size is how many ids are missing.
func (h *Hole) Size() uint64 { return h.To - h.From + 1 }

// holesMax bounds how many holes of one stream are open at a time. A venue that loses
// more than that in a few seconds is not going to be mended by asking it.
const holesMax = 64

// chain is the ids of one stream. They count up by one from event to event.
type chain struct {
	next    uint64
	started bool
	first   uint64      // id with which it started,
	firstAt core.WallNs // and its time
	last    core.WallNs // time of the newest event in order
	holes   []Hole      // by From; the memory is the bound
	lost    func(*chain, Hole)

	// A line that went down may have missed trades behind the newest known: a hole with
	// no end yet, which the next event shows, or the venue's memory.
	blind   bool
	upAt    core.MonoNs // first sign of life since, 0: none yet
	refused uint64      // more than this at once is not asked for

	behind                       int // events in a row that are newer than all and have old ids
	restarts                     uint64
	found, absent, doubles, late uint64
	unfilled, unfilledIDs        uint64
	lastUnfilled                 Hole
}

func (c *chain) init(fillMax uint64, lost func(*chain, Hole)) {
	c.holes, c.refused, c.lost = make([]Hole, 0, holesMax), fillMax, lost
}

// take judges an event's id. now is when it was read.
func (c *chain) take(id uint64, t core.WallNs, now core.MonoNs) Found {
	if id == c.next && c.started {
		c.next, c.last, c.behind = id+1, max(c.last, t), 0
		return Fresh
	}
	return c.odd(id, t, now)
}

// begin fixes where the chain starts.
func (c *chain) begin(id uint64, t core.WallNs) {
	c.started, c.first, c.firstAt, c.next, c.last = true, id, t, id, t
}

// odd is take of an id that does not follow.
func (c *chain) odd(id uint64, t core.WallNs, now core.MonoNs) Found {
	switch {
	case !c.started:
		c.begin(id, t)
		c.next = id + 1
		return Fresh
	case id > c.next:
		c.open(Hole{From: c.next, To: id - 1, Seen: now, After: c.last, Before: t})
		c.next, c.last = id+1, max(c.last, t)
		return Fresh
	case c.fill(id):
		c.late++
		return Late
	}
	if t > c.last && id < c.first {
		// A copy is never newer than what has been. The venue has started its ids over
		// once a few of them agree, as the testnet does every month.
		if c.behind++; c.behind >= restartAfter {
			c.startOver(id, t)
			return Fresh
		}
	}
	c.doubles++
	return Double
}

// restartAfter is how many events in a row must say that ids have started over.
const restartAfter = 4

func (c *chain) startOver(id uint64, t core.WallNs) {
	for len(c.holes) > 0 {
		h := c.holes[0]
		c.holes = slices.Delete(c.holes, 0, 1)
		c.giveUp(h)
	}
	c.lost(c, Hole{After: c.last, Before: t}) // whatever was traded in between
	c.begin(id, t)
	c.next = id + 1
	c.restarts++
}

// open records a hole, or gives it up at once where it is too large.
func (c *chain) open(h Hole) {
	c.found++
	if h.Size() > c.refused {
		c.giveUp(h)
		return
	}
	if len(c.holes) == cap(c.holes) {
		c.giveUp(c.holes[0])
		c.holes = slices.Delete(c.holes, 0, 1)
	}
	c.holes = append(c.holes, h)
}

func (c *chain) giveUp(h Hole) {
	c.unfilled++
	c.unfilledIDs += h.Size()
	c.lastUnfilled = h
	c.lost(c, h)
}

// fill takes an id out of the hole that it lies in; false if it lies in none.
func (c *chain) fill(id uint64) bool {
	for i := len(c.holes) - 1; i >= 0; i-- {
		if id >= c.holes[i].From && id <= c.holes[i].To {
			c.cut(i, id, id)
			return true
		}
	}
	return false
}

// cut takes ids out of a hole.
func (c *chain) cut(i int, from, to uint64) {
	h := &c.holes[i]
	before, after := *h, *h
	before.To, after.From = from-1, to+1
	switch {
	case from == h.From && to == h.To:
		c.holes = slices.Delete(c.holes, i, i+1)
	case from == h.From:
		*h = after
	case to == h.To:
		*h = before
	default:
		*h = after
		if len(c.holes) == cap(c.holes) {
			c.giveUp(before)
			return
		}
		c.holes = slices.Insert(c.holes, i, before)
	}
}

// without takes from an answer what it left out: the venue has told everything it knows
// of the ids from the first to the last of it, so the missing ones do not exist.
func (c *chain) without(from, to uint64) {
	for i := len(c.holes) - 1; i >= 0; i-- {
		h := c.holes[i]
		lo, hi := max(from, h.From), min(to, h.To)
		if lo > hi {
			continue
		}
		c.absent += hi - lo + 1
		c.cut(i, lo, hi)
	}
}

// horizon is the time before which no trade is missing, as far as ids tell: that of the
// trade before the oldest hole, or of the newest trade.
func (c *chain) horizon() core.WallNs {
	if len(c.holes) > 0 {
		return c.holes[0].After
	}
	return c.last
}

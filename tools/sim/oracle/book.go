package oracle

import (
	"fmt"
	"slices"
	"strings"
)

// seen is P2: a strategy sees a book only while every update up to it has been read, from
// a snapshot on, and while a line is there that could bring more.
type seen struct {
	rules   *Rules
	symbols map[string]*sight
	carries map[int]map[string]bool // by connection: symbols whose depth it has brought, or the venue has confirmed
}

// sight is what has been read of one market.
type sight struct {
	read  []span // update ids of events, ascending, those that touch joined
	snaps []int64
	began int64 // when the newest snapshot was read: what lay behind it is looked at from then on
	dark  int64 // since when no line carries it, -1: one does
	ended int64 // when that was last so
	blank bool  // and no snapshot was read since
}

type span struct{ from, to, at int64 } // at: when the first of its ids was read

// holeWithin is how long a line may be silent before another, that has just joined, is
// believed instead of it: three seconds to be found dead, and one more.
const holeWithin = 5 * sec

// farAway is an id that no market comes to within a run: of an event under a wrong name.
const farAway = 1_000_000

// spansKept bounds the memory of a market with many gaps.
const spansKept = 64

func newSeen(r *Rules) *seen {
	return &seen{rules: r, symbols: map[string]*sight{}, carries: map[int]map[string]bool{}}
}

// Promise is P2.
func (*seen) Promise() string { return "P2" }

func (s *seen) sight(symbol string) *sight {
	m := s.symbols[symbol]
	if m == nil {
		m = &sight{dark: -1}
		s.symbols[symbol] = m
	}
	return m
}

// See takes a fact.
func (s *seen) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case Depth:
		m := s.sight(w.Symbol)
		if w.Snapshot() {
			if m.snaps = append(m.snaps, w.Last); len(m.snaps) > spansKept {
				m.snaps = m.snaps[1:]
			}
			m.blank, m.began = false, f.At
			return
		}
		s.lit(w.Conn, w.Symbol)
		if m.blank && slices.ContainsFunc(m.snaps, func(snap int64) bool { return w.First <= snap+1 && snap <= w.Last }) {
			m.blank = false // the new line itself goes on from one that was read before
		}
		m.add(w.First, w.Last, f.At)
	case Reply:
		if w.For != nil && w.For.Method == "SUBSCRIBE" && w.Code == 0 {
			for _, symbol := range depthOf(w.For.Streams) {
				s.lit(w.Conn, symbol)
			}
		}
	case *Request:
		if w.Method == "UNSUBSCRIBE" {
			for _, symbol := range depthOf(w.Streams) {
				delete(s.carries[w.Conn], symbol)
			}
			s.look(f.At)
		}
	case Closed:
		delete(s.carries, w.Conn)
		s.look(f.At)
	case Died:
		clear(s.symbols)
		clear(s.carries)
	case Called:
		s.called(f.At, &w, found)
	}
}

func (s *seen) lit(conn int, symbol string) {
	if s.carries[conn] == nil {
		s.carries[conn] = map[string]bool{}
	}
	s.carries[conn][symbol] = true
	s.sight(symbol).dark = -1
}

// look notes which markets no line carries any more.
func (s *seen) look(at int64) {
	for symbol, m := range s.symbols {
		if m.dark < 0 && !s.carried(symbol) {
			m.dark, m.ended, m.blank = at, at, true
		}
	}
}

func (s *seen) carried(symbol string) bool {
	for _, list := range s.carries {
		if list[symbol] {
			return true
		}
	}
	return false
}

// called judges one call. A line's end that was read in the same moment may still be on
// its way through the engine. A process that was starved reads a line's last event, its end
// and the next line's first word in one round: that event is shown before the end, in order.
func (s *seen) called(at int64, c *Called, found func(string)) {
	const moment = 50 * ms
	m := s.sight(c.Symbol)
	switch {
	case c.Report:
		return
	case !c.Live:
		found(fmt.Sprintf("%s: called without a book", c.Symbol))
	case m.dark >= 0 && at-m.dark > moment && (m.blank || at-m.began > moment):
		found(fmt.Sprintf("%s: called %d ms after the last line had ended", c.Symbol, (at-m.dark)/ms))
	case m.blank && m.dark < 0 && (!c.Event || at > m.ended):
		found(fmt.Sprintf("%s: called at %d before a snapshot was read on the new line", c.Symbol, c.Book))
	case !m.reaches(c.Book):
		found(fmt.Sprintf("%s: called at %d, which no snapshot and events that were read lead to", c.Symbol, c.Book))
	default:
		if s := m.beyond(c.Book); s != nil && at-max(s.at, m.began) > holeWithin {
			found(fmt.Sprintf("%s: called at %d, %d ms after an event had been read that begins at %d: what lies between is missing", c.Symbol, c.Book, (at-s.at)/ms, s.from))
		}
	}
}

// beyond is the first of what was read behind a hole that an id does not reach over, nil
// if there is no hole.
func (m *sight) beyond(id int64) *span {
	for i := range m.read {
		if s := &m.read[i]; s.from > id+1 && s.from-id < farAway {
			for _, b := range m.read[:i] {
				if b.from <= id+1 && s.from <= b.to+1 {
					return nil
				}
			}
			return s
		}
	}
	return nil
}

// add joins an event's ids to what has been read.
func (m *sight) add(from, to, at int64) {
	kept := m.read[:0]
	for _, s := range m.read {
		if s.to+1 < from || to+1 < s.from {
			kept = append(kept, s)
			continue
		}
		from, to, at = min(from, s.from), max(to, s.to), min(at, s.at)
	}
	i := len(kept)
	for i > 0 && kept[i-1].from > from {
		i--
	}
	kept = slices.Insert(kept, i, span{from, to, at})
	if len(kept) > spansKept {
		kept = kept[1:]
	}
	m.read = kept
}

// reaches reports whether a snapshot and events without a hole lead to an id.
func (m *sight) reaches(id int64) bool {
	for _, snap := range m.snaps {
		if snap == id {
			return true
		}
		for _, s := range m.read {
			if snap <= id && s.from <= snap+1 && id <= s.to {
				return true
			}
		}
	}
	return false
}

// age is P3: no order leaves on data of a market that has not been proved current lately.
// An event of the book proves it, and on a quiet market anything that its line brought,
// for bytes of one connection come in order; but not while the best price is known to have
// moved and the book has not followed. What proves something is as old as its bytes are
// since they left the venue, whenever they were read. A connection is a market's line once it
// has brought its depth, or while it says nothing, quietFor after the venue has confirmed
// that it will: a market that stands still at a change of lines has nothing to bring.
type age struct {
	rules   *Rules
	symbols map[string]*proof
	carries map[int]map[string]bool
	listed  map[int]map[string]int64 // by connection: when the venue has confirmed a market's depth
	left    map[int]int64            // by connection: when what is being read left the venue
}

// quietFor is how long a line must have been confirmed before its silence says anything:
// what the line before it had on its way has come by then.
const quietFor = 3 * sec

type proof struct {
	at    int64 // of the newest proof
	left  int64 // when the newest had left the venue
	depth int64 // newest update id read
	owes  int64 // since when a best price is ahead of it, -1: none is
	known bool
}

func newAge(r *Rules) *age {
	return &age{rules: r, symbols: map[string]*proof{}, carries: map[int]map[string]bool{}, listed: map[int]map[string]int64{}, left: map[int]int64{}}
}

// Promise is P3.
func (*age) Promise() string { return "P3" }

func (a *age) proof(symbol string) *proof {
	p := a.symbols[symbol]
	if p == nil {
		p = &proof{owes: -1}
		a.symbols[symbol] = p
	}
	return p
}

// See takes a fact.
func (a *age) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case Read:
		left := f.At
		if w.Left > 0 {
			left = w.Left
		}
		a.left[w.Conn] = left
		for symbol := range a.carries[w.Conn] {
			if p := a.proof(symbol); p.owes < 0 {
				p.at, p.left = f.At, max(p.left, left)
			}
		}
		for symbol, since := range a.listed[w.Conn] {
			if p := a.proof(symbol); p.owes < 0 && f.At-since > quietFor {
				p.at, p.left = f.At, max(p.left, left)
			}
		}
	case Reply:
		if w.For != nil && w.For.Method == "SUBSCRIBE" && w.Code == 0 {
			for _, symbol := range depthOf(w.For.Streams) {
				if a.listed[w.Conn] == nil {
					a.listed[w.Conn] = map[string]int64{}
				}
				a.listed[w.Conn][symbol] = f.At
			}
		}
	case Depth:
		p := a.proof(w.Symbol)
		p.depth = max(p.depth, w.Last)
		if w.Snapshot() {
			return
		}
		if a.carries[w.Conn] == nil {
			a.carries[w.Conn] = map[string]bool{}
		}
		a.carries[w.Conn][w.Symbol] = true
		p.at, p.owes, p.known = f.At, -1, true
		if left, ok := a.left[w.Conn]; ok {
			p.left = max(p.left, left)
		} else {
			p.left = f.At
		}
	case Touch:
		if p := a.proof(w.Symbol); p.owes < 0 && w.ID > p.depth {
			p.owes = f.At
		}
	case Closed:
		delete(a.carries, w.Conn)
		delete(a.listed, w.Conn)
		delete(a.left, w.Conn)
	case Died:
		clear(a.symbols)
		clear(a.carries)
		clear(a.listed)
		clear(a.left)
	case *Request:
		if w.Method == "UNSUBSCRIBE" {
			for _, symbol := range depthOf(w.Streams) {
				delete(a.listed[w.Conn], symbol)
				delete(a.carries[w.Conn], symbol)
			}
		}
		if !w.Creates() {
			return
		}
		p, symbol := a.proof(w.Args["symbol"]), w.Args["symbol"]
		most := a.rules.Stale + a.rules.Life + 10*ms
		if old := f.At - p.at; !p.known || old > most {
			found(fmt.Sprintf("%s left on data of %s that was %d ms old, want at most %d", w.Client(), symbol, old/ms, most/ms))
			return
		}
		// The venue's clock may be off by as much as was admitted, and what that is may be wrong
		// by as much again.
		most += 2 * a.rules.ClockError
		if old := f.At - p.left; old > most {
			found(fmt.Sprintf("%s left on data of %s that had left the venue %d ms ago, want at most %d", w.Client(), symbol, old/ms, most/ms))
		}
	}
}

// depthOf are the markets whose depth is among streams.
func depthOf(streams []string) (symbols []string) {
	for _, s := range streams {
		if symbol, kind, _ := strings.Cut(s, "@"); strings.HasPrefix(kind, "depth") {
			symbols = append(symbols, strings.ToUpper(symbol))
		}
	}
	return symbols
}

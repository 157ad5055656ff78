package oracle

import "fmt"

// face is P26: what the engine shows of itself is never better than it is. It may be a
// moment behind.
type face struct {
	off   map[string]int64 // by what is wrong: since when
	lines map[int]bool     // market connections that are open
	told  map[string]int64
}

// faceBehind is how old what is shown may be.
const faceBehind = 2 * sec

func newFace() *face {
	return &face{off: map[string]int64{}, lines: map[int]bool{}, told: map[string]int64{}}
}

// Promise is P26.
func (*face) Promise() string { return "P26" }

// See takes a fact.
func (s *face) See(f *Fact, found func(string)) {
	switch w := f.What.(type) {
	case Dialed:
		if w.Role == "market" {
			s.lines[w.Conn] = true
			delete(s.off, "line")
		}
	case Closed:
		if s.lines[w.Conn] {
			delete(s.lines, w.Conn)
			s.is("line", len(s.lines) == 0, f.At)
		}
	case Died:
		clear(s.off)
		clear(s.lines)
	case Dump:
		live, unknown := 0, 0
		for _, b := range w.Books {
			if b.State == "live" {
				live++
			}
		}
		for _, o := range w.Orders {
			if o.Status == stateUnknown {
				unknown++
			}
		}
		// An orderly end is no problem.
		s.is("halt", len(w.Halted) > 0 && !(len(w.Halted) == 1 && w.Halted[0] == "shutting down"), f.At)
		if w.Books != nil {
			s.is("books", live < len(w.Books), f.At)
			s.is("dark", live == 0, f.At)
		}
		s.is("unknown", unknown > 0, f.At)
		if w.Claimed != nil {
			s.judge(f.At, &w, w.Claimed, live, found)
		}
	}
}

// is notes since when something is wrong.
func (s *face) is(what string, wrong bool, at int64) {
	if !wrong {
		delete(s.off, what)
	} else if _, ok := s.off[what]; !ok {
		s.off[what] = at
	}
}

// long reports whether something has been wrong for so long that it has to show.
func (s *face) long(what string, at int64) bool {
	since, ok := s.off[what]
	return ok && at-since > faceBehind
}

func (s *face) judge(at int64, d *Dump, c *Face, live int, found func(string)) {
	says := func(what, format string, args ...any) {
		if last, ok := s.told[what]; !ok || at-last > 60*sec {
			s.told[what] = at
			found(fmt.Sprintf(format, args...))
		}
	}
	switch {
	case s.long("halt", at) && c.State == "active":
		says("halt", "it shows active, and %q stop it", d.Halted)
	case s.long("books", at) && c.Books > 0 && c.BooksLive == c.Books:
		says("books", "it shows all %d books live, and %d are", c.Books, live)
	case s.long("dark", at) && c.BooksLive > 0:
		says("dark", "it shows %d books live, and none is", c.BooksLive)
	case s.long("line", at) && (c.BooksLive > 0 || c.Market == "live"):
		says("line", "it shows %d books live and the market connection %s, and no line is open", c.BooksLive, c.Market)
	case s.long("unknown", at) && c.Unknown == 0:
		says("unknown", "it shows no order in doubt, and there are some")
	case c.Problems == 0 && (s.long("halt", at) || s.long("books", at) || s.long("unknown", at)):
		says("problems", "it shows no problem, and there are some")
	}
}

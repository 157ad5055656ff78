package app

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"riposte/core"
	"riposte/feed"
	"riposte/tools/tape"
)

// news tells in plain lines what becomes of the connections: each kind of trouble once
// when it begins, and once when all of it is over, however often it is tried meanwhile.
// The printing goroutine's.
type news struct {
	since time.Time // of the trouble, zero without one
	told  [feed.Troubles]bool
	who   map[string]bool // that had a part in it
	names []string        // of them, in order
	gaps  gapLog
}

// subject is a connection as the news sees it.
type subject struct {
	name    string
	up      bool
	trouble feed.Trouble
	err     string
}

// look compares the connections with what was told of them.
func (n *news) look(at time.Time, subjects []subject) (lines []string) {
	down := 0
	for kind := feed.NoTrouble + 1; kind < feed.Troubles; kind++ {
		var names []string
		why := ""
		for _, s := range subjects {
			if !s.up && s.trouble == kind {
				names, why = append(names, s.name), s.err
				n.part(s.name)
			}
		}
		if down += len(names); len(names) == 0 || n.told[kind] {
			continue
		}
		if n.since.IsZero() {
			n.since = at
		}
		n.told[kind] = true
		lines = append(lines, fmt.Sprintf("%s: %s; trying again (%s)", strings.Join(names, ", "), kind, why))
	}
	if down == 0 && !n.since.IsZero() {
		for _, s := range subjects {
			if !s.up {
				return lines // on its way
			}
		}
		lines = append(lines, fmt.Sprintf("connected again after %v: %s", at.Sub(n.since).Round(time.Second), strings.Join(n.names, ", ")))
		n.since, n.told, n.who, n.names = time.Time{}, [feed.Troubles]bool{}, nil, nil
	}
	return lines
}

func (n *news) part(name string) {
	if n.who == nil {
		n.who = map[string]bool{}
	}
	if !n.who[name] {
		n.who[name] = true
		n.names = append(n.names, name)
	}
}

// subjects are the connections of a desk.
func (d *desk) subjects() (out []subject) {
	m, u := d.market.Status(), d.user.Status()
	for i := range m.Lines {
		l := &m.Lines[i]
		out = append(out, subject{fmt.Sprintf("market line %d", l.Number), l.State == feed.Live, l.Trouble, l.LastError})
	}
	return append(out, subject{"account", u.State == feed.Live, u.Trouble, u.LastError})
}

// lineGap is a stretch of one symbol's depth that a line did not bring, or of a stream
// that no line brought.
type lineGap struct {
	Line   int    `json:"line"` // -1: none of them brought it
	Symbol string `json:"symbol"`
	Stream string `json:"stream"`   // whose ids these are: depth, trade or aggTrade
	Last   uint64 `json:"last_id"`  // before, 0 if the line had brought none
	First  uint64 `json:"first_id"` // after
	Ns     int64  `json:"duration_ns"`
	// Covered: other lines brought all of it, and the book has no gap.
	Covered bool   `json:"covered"`
	Ended   string `json:"ended"`
}

// gapsShown is how many of the newest a report has.
const gapsShown = 16

// gapLog keeps the newest gaps and counts all.
type gapLog struct {
	newest         []lineGap
	total, covered uint64    // of lines that were cut
	missed         uint64    // that no line brought
	untold         uint64    // for which there was no room
	fresh          []lineGap // since the last telling
}

// streams are the kinds whose ids tell of gaps.
var streams = map[core.EventKind]string{core.DepthDelta: "depth", core.Trade: "trade", core.AggTrade: "aggTrade"}

// takeGaps reads what the lines have recorded, in all of which they found no room for so
// many. The printing goroutine's.
func (d *desk) takeGaps(untold uint64) {
	g, ring := &d.news.gaps, d.market.Gaps()
	note := func(t tape.Gap) {
		if d.recorder != nil {
			d.recorder.Gap(t)
		}
	}
	for list := ring.Pending(); len(list) > 0; list = ring.Pending() {
		for i := range list {
			r := &list[i]
			ended := d.clock.Wall() - core.WallNs(d.clock.Mono()-r.To)
			one := lineGap{Line: int(r.Line), Symbol: d.table.Get(r.Instrument).Symbol, Stream: streams[r.Kind], Last: r.Last, First: r.First,
				Ns: int64(r.Duration()), Covered: r.Covered, Ended: time.Unix(0, int64(ended)).UTC().Format(time.RFC3339Nano)}
			told := tape.Gap{Why: "a line did not bring it", Line: strconv.Itoa(one.Line), Symbol: one.Symbol, Stream: one.Stream, Last: one.Last, First: one.First,
				Covered: one.Covered, Ns: one.Ns, Ended: int64(ended)}
			if r.Line == feed.NoLine {
				one.Line, told.Line, told.Why = -1, "", "no line brought it in time"
				g.missed++
			} else if g.total++; r.Covered {
				g.covered++
			}
			g.newest = append(g.newest, one)
			g.fresh = append(g.fresh, one)
			note(told)
		}
		ring.Release(len(list))
	}
	if untold > g.untold {
		note(tape.Gap{Why: "there was no room to tell of them", Told: untold - g.untold})
		g.untold = untold
	}
	if n := len(g.newest); n > gapsShown {
		g.newest = append(g.newest[:0], g.newest[n-gapsShown:]...)
	}
}

// tell is one line for each line of the market that was cut, and one for what none has.
func (g *gapLog) tell() (lines []string) {
	for at := 0; at < len(g.fresh); {
		line, open, n := g.fresh[at].Line, 0, 0
		worst := &g.fresh[at]
		rest := g.fresh[at:]
		for i := range rest {
			one := &rest[i]
			if one.Line != line {
				break
			}
			if n++; !one.Covered {
				open++
			}
			if !one.Covered && worst.Covered || one.Covered == worst.Covered && one.Ns > worst.Ns {
				worst = one
			}
		}
		at += n
		if line < 0 {
			lines = append(lines, fmt.Sprintf("no market line brought %d stretches of ids; longest %v, %s of %s after id %d until %d",
				n, time.Duration(worst.Ns).Round(time.Millisecond), worst.Stream, worst.Symbol, worst.Last, worst.First))
			continue
		}
		what := "another line had all of it"
		if open > 0 {
			what = fmt.Sprintf("%d books have a gap", open)
		}
		lines = append(lines, fmt.Sprintf("market line %d was cut and is back: %d symbols, %s; longest %v, %s after update id %d until %d",
			line, n, what, time.Duration(worst.Ns).Round(time.Millisecond), worst.Symbol, worst.Last, worst.First))
	}
	g.fresh = g.fresh[:0]
	return lines
}

// lines is what there is to tell now.
func (n *news) lines(d *desk) []string {
	return append(n.gaps.tell(), n.look(time.Now(), d.subjects())...)
}

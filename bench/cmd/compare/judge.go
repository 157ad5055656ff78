package main

import (
	"fmt"
	"strconv"
	"strings"
)

// line is a row with its figures.
type line struct {
	row        row
	ours       *figure
	allocs     float64
	peer       string // the best of the contest's peers, "" if there is none
	peerFigure *figure
	peerAllocs float64
	floor      string
	floorFig   *figure
	verdicts   []verdict
}

// verdict is one goal's outcome.
type verdict struct {
	text    string
	outcome outcome
}

type outcome uint8

const (
	missing outcome = iota // what it needs was not measured
	missed
	met
)

var outcomes = [...]string{missing: "not measured", missed: "missed", met: "met"}

func (o outcome) String() string { return outcomes[o] }

// judge fills a row from the results. Nothing is left out: what was not measured is
// nil, and goals that need it are missing.
func judge(r row, all *results) line {
	unit := unitOf(r.unit)
	l := line{row: r}
	if f, ok := all.get(r.ours, unit); ok {
		l.ours, l.allocs = &f, all.most(r.ours, "allocs/op")
	}
	floor := r.floor
	if floor == "" && r.match != "" {
		floor = r.match + "/" + floorPrefix
	} else if floor != "" {
		l.floor = contender(floor) // that it is missing is to be seen
	}
	for _, key := range all.match(r.match) {
		f, ok := all.get(key, unit)
		name := contender(key)
		if ok && isPeer(name) && (l.peerFigure == nil || f.median < l.peerFigure.median) {
			l.peer, l.peerFigure, l.peerAllocs = name, &f, all.most(key, "allocs/op")
		}
		if ok && floor != "" && strings.HasPrefix(key, floor) && (l.floorFig == nil || f.median < l.floorFig.median) {
			l.floor, l.floorFig = name, &f
		}
	}
	for _, g := range r.goals {
		l.verdicts = append(l.verdicts, l.judge(g, all))
	}
	return l
}

func unitOf(unit string) string {
	if unit == "" {
		return "ns/op"
	}
	return unit
}

// judge holds ours against one goal.
func (l *line) judge(g goal, all *results) verdict {
	ours := l.ours
	if g.unit != "" {
		ours = nil
		if f, ok := all.get(l.row.ours, g.unit); ok {
			ours = &f
		}
	}
	switch {
	case g.allocs:
		return decide("no allocations", ours != nil, strconv.FormatFloat(l.allocs, 'g', 3, 64), l.allocs == 0)
	case g.atMost > 0:
		text := fmt.Sprintf("≤ %s %s, absolute", short(g.atMost), g.words(l.row))
		return decideBy(text, ours, func(v float64) (string, bool) { return exact(v), v <= g.atMost })
	case g.least > 0:
		text := fmt.Sprintf("≥ %s %s, absolute", short(g.least), g.words(l.row))
		return decideBy(text, ours, func(v float64) (string, bool) { return exact(v), v >= g.least })
	}
	other, name := l.other(g, all)
	if g.what != "" {
		name = g.what
	}
	if g.of > 0 {
		text := fmt.Sprintf("≤ %s× %s", short(g.of), name)
		return decideBy(text, both(ours, other), func(v float64) (string, bool) { return times(v), v <= g.of })
	}
	text := fmt.Sprintf("≥ %s× %s", short(g.times), name)
	return decideBy(text, both(other, ours), func(v float64) (string, bool) { return times(v), v >= g.times })
}

// other is the figure that a relative goal is against, and its name.
func (l *line) other(g goal, all *results) (*figure, string) {
	switch {
	case g.than != "":
		if f, ok := all.get(g.than, unitOf(l.row.unit)); ok {
			return &f, contender(g.than)
		}
		return nil, contender(g.than)
	case g.of > 0:
		return l.floorFig, "floor"
	}
	return l.peerFigure, "best peer"
}

// words are the unit of an absolute goal as the plan says it.
func (g goal) words(r row) string {
	switch {
	case g.what != "":
		return g.what
	case r.unit == "cpu-ns/op":
		return "ns of CPU"
	}
	return "ns"
}

// both is a over b, nil if one of them is.
func both(a, b *figure) *figure {
	if a == nil || b == nil || b.median == 0 {
		return nil
	}
	return &figure{median: a.median / b.median}
}

func decideBy(text string, f *figure, test func(float64) (string, bool)) verdict {
	if f == nil {
		return verdict{text: text + ": " + missing.String()}
	}
	got, ok := test(f.median)
	return decide(text, true, got, ok)
}

func decide(text string, measured bool, got string, ok bool) verdict {
	v := verdict{text: text + ": " + missing.String()}
	if measured {
		v.outcome = missed
		if ok {
			v.outcome = met
		}
		v.text = fmt.Sprintf("%s: %s, %s", text, got, v.outcome)
	}
	return v
}

// short is a figure with the digits that mean something.
func short(v float64) string {
	switch {
	case v >= 100 || v == float64(int(v)):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case v >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strings.TrimSuffix(strconv.FormatFloat(v, 'f', 2, 64), "0")
}

// exact is a figure beside a target, which it may miss by little.
func exact(v float64) string {
	if v < 100 && v != float64(int(v)) {
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
	return short(v)
}

// times is a ratio.
func times(v float64) string { return strconv.FormatFloat(v, 'f', 2, 64) + "×" }

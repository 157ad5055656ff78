package app

import (
	"fmt"
	"io"
	"strings"
	"time"

	"riposte/tools/tape"
)

// recordingNotes is what a recording says of itself beside its frames.
type recordingNotes struct {
	TimeUnit string `json:"time_unit"`
	// Stretches of ids: that no line brought, with how many ids they have, and that one
	// line did not bring because it was cut, with how many of those no other line covered.
	Missed    uint64 `json:"missed"`
	MissedIDs uint64 `json:"missed_ids"`
	Cut       uint64 `json:"cut"`
	CutOpen   uint64 `json:"cut_open"`
	Untold    uint64 `json:"untold,omitempty"` // gaps that there was no room to tell of
	// Lost are frames and bodies that the recorder could not take.
	Lost uint64       `json:"lost"`
	Gaps []tape.Gap   `json:"gaps,omitempty"` // that are in no line, the newest
	News []rulesNews  `json:"rules,omitempty"`
	now  []tape.Rules // in force
}

// rulesNews is one change of a symbol's rules.
type rulesNews struct {
	Symbol string   `json:"symbol"`
	At     string   `json:"at"`
	What   []string `json:"what"`
}

// rulesShown is how many changes of rules are kept, the newest.
const rulesShown = 64

// take reads a note; others than those of a recording of frames say nothing here.
func (n *recordingNotes) take(l *tape.Line) error {
	switch l.Note {
	case tape.NoteMeta:
		m, err := l.Meta()
		n.TimeUnit = "ms"
		if m.TimeUnit != "" {
			n.TimeUnit = m.TimeUnit
		}
		return err
	case tape.NoteGap:
		g, err := l.Gap()
		if err == nil {
			n.gap(&g)
		}
		return err
	case tape.NoteRules:
		r, err := l.Rules()
		if err == nil {
			n.rules(l.RecvNs, &r)
		}
		return err
	}
	return nil
}

func (n *recordingNotes) gap(g *tape.Gap) {
	n.Lost += g.Frames
	n.Untold += g.Told
	switch {
	case g.Symbol == "":
	case g.Line != "":
		if n.Cut++; !g.Covered {
			n.CutOpen++
		}
		return
	default:
		n.Missed++
		n.MissedIDs += g.IDs()
	}
	if n.Gaps = append(n.Gaps, *g); len(n.Gaps) > gapsShown {
		n.Gaps = n.Gaps[1:]
	}
}

func (n *recordingNotes) rules(recv int64, r *tape.Rules) {
	for i := range n.now {
		was := &n.now[i]
		if was.Symbol != r.Symbol {
			continue
		}
		if what := r.Since(was); len(what) > 0 {
			n.News = append(n.News, rulesNews{r.Symbol, time.Unix(0, recv).UTC().Format(time.RFC3339Nano), what})
			if len(n.News) > rulesShown {
				n.News = n.News[1:]
			}
		}
		*was = *r
		return
	}
	n.now = append(n.now, *r)
}

// print says in words what there is to say.
func (n *recordingNotes) print(w io.Writer) (err error) {
	if n == nil {
		return nil
	}
	say := func(count uint64, format string, args ...any) {
		if count > 0 && err == nil {
			_, err = fmt.Fprintf(w, format+"\n", args...)
		}
	}
	say(n.Missed, "no line brought %d stretches of ids, %d ids in all", n.Missed, n.MissedIDs)
	for i := range n.Gaps {
		if g := &n.Gaps[i]; g.Symbol != "" {
			say(1, "  %s of %s: %d to %d, until %s", g.Stream, g.Symbol, g.Last+1, g.First-1, time.Unix(0, g.Ended).UTC().Format(time.RFC3339Nano))
		}
	}
	say(n.Cut, "lines that were cut did not bring %d stretches; no other line covered %d of them", n.Cut, n.CutOpen)
	say(n.Untold, "of %d gaps more there was no room to tell", n.Untold)
	say(n.Lost, "%d frames or bodies are not in it: the recorder could not take them", n.Lost)
	for i := range n.News {
		say(1, "the rules of %s changed at %s: %s", n.News[i].Symbol, n.News[i].At, strings.Join(n.News[i].What, ", "))
	}
	return err
}

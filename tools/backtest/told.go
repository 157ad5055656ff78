package backtest

import (
	"fmt"
	"strings"
	"time"

	"riposte/core"
	"riposte/tools/tape"
)

// What a recording says of itself: gaps, and the venue's rules as they changed.

// told takes one of the recorder's own lines.
func (d *decoding) told(l *tape.Line) error {
	switch l.Note {
	case tape.NoteGap:
		g, err := l.Gap()
		if err != nil {
			return fmt.Errorf("cannot backtest: %w", err)
		}
		if g.Torn() {
			return d.w.put(&core.Event{Kind: kindHole, Instrument: core.NoInstrument, Recv: d.now}, nil)
		}
		// A gap in a stream shows in the ids of what follows: the books see for themselves.
		if n := g.IDs(); n > 0 {
			d.missed++
			d.lackIDs += n
		}
		d.untold += g.Told
	case tape.NoteRules:
		r, err := l.Rules()
		if err != nil {
			return fmt.Errorf("cannot backtest: %w", err)
		}
		return d.rules(&r)
	}
	return nil
}

// rules takes those of a symbol that are not the ones it has. The first of each symbol are
// an event too: they are what the next lap begins with.
func (d *decoding) rules(r *tape.Rules) error {
	id, ok := d.bySym[r.Symbol]
	if !ok {
		return nil
	}
	if was := d.ruled[id]; was > 0 {
		what := r.Since(&d.head.Ruled[was-1])
		if len(what) == 0 {
			return nil
		}
		at := time.Unix(0, int64(d.w.first)+int64(d.now)).UTC()
		if d.head.Changes++; d.head.Changes <= changesNoted {
			d.head.Notes = append(d.head.Notes, fmt.Sprintf("the venue changed its rules of %s at %s: %s", r.Symbol, at.Format(time.RFC3339), strings.Join(what, ", ")))
		}
	}
	d.head.Ruled = append(d.head.Ruled, *r)
	d.ruled[id] = len(d.head.Ruled)
	return d.w.put(&core.Event{Kind: kindRules, Instrument: id, Recv: d.now, W: [4]int64{int64(len(d.head.Ruled) - 1)}}, nil)
}

// changesNoted is how many changes of rules a report tells in words.
const changesNoted = 20

// adopt has an instrument follow other rules; false if they are those it has.
func adopt(in *core.Instrument, r *tape.Rules) bool {
	was := *in
	in.Status, in.OrderTypes, in.Features, in.Filters = r.Rules.Status, r.Rules.OrderTypes, r.Rules.Features, r.Rules.Filters
	return *in != was
}

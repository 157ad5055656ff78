package tape

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"riposte/core"
)

// The recorder's own kinds of line, one JSON object each but for NoteInputs.
const (
	NoteMeta  = "meta"  // Meta: first in each file
	NoteGap   = "gap"   // Gap: what should be here and is not
	NoteRules = "rules" // Rules: what holds for a symbol from here on

	NoteBegin  = "begin"  // of an input log: what the run began with
	NoteInputs = "inputs" // messages of an input log, see engine.Messages
)

var notes = [...]string{NoteMeta, NoteGap, NoteRules, NoteBegin, NoteInputs}

// note is the recorder's own kind of that name, "" if there is none.
func note(kind []byte) string {
	for _, n := range notes {
		if string(kind) == n {
			return n
		}
	}
	return ""
}

// Meta is the first line of each file: what a reader must know before the first frame.
type Meta struct {
	Recording int    `json:"recording"` // version of this format: 1
	Version   string `json:"riposte"`   // of the program
	Venue     string `json:"venue"`
	Market    string `json:"market"`    // spot, usdm, coinm
	TimeUnit  string `json:"time_unit"` // of the frames: ms or us
	Session   string `json:"session"`   // the same in all files of a run
	File      int    `json:"file"`      // from 0
}

// Meta reads a NoteMeta line.
func (l *Line) Meta() (m Meta, err error) {
	if err := json.Unmarshal(l.Payload, &m); err != nil {
		return m, fmt.Errorf("cannot read what the recording says of itself: %w", err)
	}
	switch {
	case m.Recording != 1:
		return m, fmt.Errorf("cannot read a recording of version %d, want 1", m.Recording)
	case m.TimeUnit != "" && m.TimeUnit != "ms" && m.TimeUnit != "us":
		return m, fmt.Errorf("cannot read a recording whose times are in %q, want ms or us", m.TimeUnit)
	}
	return m, nil
}

// Unit is that of the frames' times; recordings that do not say it are in ms.
func (m *Meta) Unit() core.TimeUnit {
	if m.TimeUnit == "us" {
		return core.Microseconds
	}
	return core.Milliseconds
}

// Gap is what a recording does not have: frames that came while the recorder could not
// take them (Frames); a stretch of a symbol's depth that a line did not bring because it
// was cut (Line); or a stretch of a stream that no line brought in time, whether cut or
// not (Stream without Line). It stands where it was noticed, up to some seconds behind
// the place that it tells of.
type Gap struct {
	Why    string `json:"why"`
	Frames uint64 `json:"frames,omitempty"` // not recorded
	Told   uint64 `json:"told,omitempty"`   // gaps that there was no room to tell of

	Line    string `json:"line,omitempty"` // label of its frames
	Symbol  string `json:"symbol,omitempty"`
	Stream  string `json:"stream,omitempty"`  // depth, trade or aggTrade: whose ids they are
	Last    uint64 `json:"last,omitempty"`    // id before it, 0: none
	First   uint64 `json:"first,omitempty"`   // and behind it
	Covered bool   `json:"covered,omitempty"` // other lines brought all of it
	Ns      int64  `json:"ns,omitempty"`      // how long it was
	Ended   int64  `json:"ended,omitempty"`   // receive time of what was first behind it, Unix ns
}

// Gap reads a NoteGap line.
func (l *Line) Gap() (g Gap, err error) {
	if err := json.Unmarshal(l.Payload, &g); err != nil {
		return g, fmt.Errorf("cannot read a gap of the recording: %w", err)
	}
	return g, nil
}

// Torn reports whether frames of any stream may be missing, all books among them: other
// gaps show in the ids of what follows.
func (g *Gap) Torn() bool { return g.Symbol == "" && g.Told == 0 }

// IDs is how many ids no line brought, 0 of another gap. Of futures' depth, whose ids are
// not dense, it is how far they went on.
func (g *Gap) IDs() uint64 {
	if g.Symbol == "" || g.Line != "" || g.First <= g.Last {
		return 0
	}
	return g.First - g.Last - 1
}

// Rules are the venue's rules of a symbol from where they stand in the recording.
type Rules struct {
	Symbol string `json:"symbol"`
	Base   string `json:"base"`
	Quote  string `json:"quote"`
	// Rules holds status, order types, features and filters; its numbers of symbol and
	// assets are another table's.
	Rules core.Instrument `json:"rules"`
}

// Rules reads a NoteRules line.
func (l *Line) Rules() (r Rules, err error) {
	if err := json.Unmarshal(l.Payload, &r); err != nil {
		return r, fmt.Errorf("cannot read rules of the recording: %w", err)
	}
	if r.Symbol == "" || r.Rules.Symbol != r.Symbol {
		return r, fmt.Errorf("cannot read rules of the recording: they are of symbol %q and of %q, want one symbol", r.Symbol, r.Rules.Symbol)
	}
	if r.Rules.Status > core.StatusEndOfDay {
		return r, fmt.Errorf("cannot read rules of the recording: %s has status %d, want at most %d", r.Symbol, uint8(r.Rules.Status), core.StatusEndOfDay)
	}
	f := reflect.ValueOf(r.Rules.Filters)
	for i := range f.NumField() {
		if f.Field(i).CanInt() && f.Field(i).Int() < 0 {
			return r, fmt.Errorf("cannot read rules of the recording: %s of %s is %d, want no less than 0", f.Type().Field(i).Name, r.Symbol, f.Field(i).Int())
		}
	}
	return r, nil
}

// Since tells what has changed since other rules of the symbol: "Status TRADING, now HALT".
func (r *Rules) Since(was *Rules) (list []string) {
	a, b := &was.Rules, &r.Rules
	tell := func(name string, before, after any) {
		if before != after {
			list = append(list, fmt.Sprintf("%s %v, now %v", name, before, after))
		}
	}
	tell("Status", a.Status, b.Status)
	tell("OrderTypes", orderTypes(a.OrderTypes), orderTypes(b.OrderTypes))
	tell("Features", fmt.Sprintf("%#x", a.Features), fmt.Sprintf("%#x", b.Features))
	before, after := reflect.ValueOf(a.Filters), reflect.ValueOf(b.Filters)
	for i := range before.NumField() {
		tell(before.Type().Field(i).Name, before.Field(i).Interface(), after.Field(i).Interface())
	}
	return list
}

func orderTypes(set core.OrderTypeSet) string {
	var names []string
	for o := core.Limit; o <= core.TakeProfitLimit; o++ {
		if set.Has(o) {
			names = append(names, o.String())
		}
	}
	return strings.Join(names, "+")
}

// Unit is that of the times in the frames of several tapes, by what each says at its
// beginning; a tape that is no recording of ours is in ms. Joined they must have one.
func Unit(names ...string) (core.TimeUnit, error) {
	unit, of := core.Milliseconds, ""
	for _, name := range names {
		u, told, err := unitOf(name)
		if err != nil {
			return 0, err
		}
		if told && of != "" && u != unit {
			return 0, fmt.Errorf("cannot join the times of %s (%s) with those of %s (%s), want one unit", of, unitName(unit), name, unitName(u))
		}
		if told {
			unit, of = u, name
		}
	}
	return unit, nil
}

// unitOf is told by a tape that has a line.
func unitOf(name string) (u core.TimeUnit, told bool, err error) {
	r, err := Open(name)
	if err != nil {
		return 0, false, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	var l Line
	switch err = r.Next(&l); {
	case errors.Is(err, io.EOF):
		return 0, false, nil // empty, or cut off in its first block
	case err != nil:
		return 0, false, err
	case l.Note != NoteMeta:
		return core.Milliseconds, true, nil
	}
	m, err := l.Meta()
	return m.Unit(), true, err
}

func unitName(u core.TimeUnit) string {
	return map[core.TimeUnit]string{core.Milliseconds: "ms", core.Microseconds: "us"}[u]
}

package backtest

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"riposte/core"
	"riposte/tools/tape"
)

// ruled writes rules as a recording tells them.
func (s *script) ruled(ms int64, in core.Instrument) {
	text, err := json.Marshal(tape.Rules{Symbol: in.Symbol, Base: "BTC", Quote: "USDT", Rules: in})
	if err != nil {
		panic(err)
	}
	s.line(ms, "rules", string(text))
}

// coarse are the usual rules of a script, and the same with another tick and closed.
func coarse() (usual, other, closed core.Instrument) {
	usual = table("0.01", "0.001").List[0]
	other = table("0.05", "0.001").List[0]
	closed = other
	closed.Status = core.StatusHalt
	return usual, other, closed
}

// TestRulesHoldFromWhereTheRecordingTellsThem: an order that a filter or the status forbids
// by then is refused; what rests stays.
func TestRulesHoldFromWhereTheRecordingTellsThem(t *testing.T) {
	usual, other, closed := coarse()
	s := market100()
	s.ruled(0, usual)
	s.ruled(100, other)
	s.ruled(100, other) // told again at the beginning of the next file
	s.ruled(200, closed)
	s.ruled(300, usual)
	s.sold(350, "20", "99.98")
	run := func(opt Options) *venue {
		v := newVenue(t, s, opt)
		for _, ms := range []int64{50, 150, 250, 320} {
			v.send(ms, limit(core.Buy, "1@99.99"))
		}
		return v.until(400)
	}
	run(Options{}).want("1 ack; 2 REJECTED -1013; 3 REJECTED -2010; 4 ack; 1 maker 1@99.99; 1 FILLED; 4 maker 1@99.99; 4 FILLED")
	run(Options{FixedRules: true}).want("1 ack; 2 ack; 3 ack; 4 ack; 1 maker 1@99.99; 1 FILLED; 2 maker 1@99.99; 2 FILLED; 3 maker 1@99.99; 3 FILLED; 4 maker 1@99.99; 4 FILLED")
	e := decoded(t, source(t, s.lines))
	var notes []string
	for _, n := range e.Notes {
		if strings.Contains(n, "changed its rules of BTCUSDT") {
			notes = append(notes, n)
		}
	}
	if len(notes) != 3 || !strings.Contains(notes[0], "Tick 0.01, now 0.05") || !strings.Contains(notes[1], "Status TRADING, now HALT") || e.Changes != 3 {
		t.Errorf("%d changes are noted as %q, want 3", e.Changes, notes)
	}
}

// TestTheEngineIsToldOfNewRules as a session is: at the end its gate has the last, and
// while the symbol was closed nothing was decided.
func TestTheEngineIsToldOfNewRules(t *testing.T) {
	usual, _, _ := coarse()
	closed := usual
	closed.Status = core.StatusHalt
	s := &script{}
	for _, l := range busy().lines {
		var ns int64
		if _, err := fmt.Sscanf(l, "%d", &ns); err != nil {
			t.Fatal(err)
		}
		switch ms := ns/1e6 - scriptStart; {
		case len(s.lines) == 0:
			s.ruled(0, usual)
		case ms == 20_000:
			s.ruled(ms, closed)
		case ms == 40_000:
			s.ruled(ms, usual)
		}
		s.lines = append(s.lines, l)
	}
	e := decoded(t, source(t, s.lines))
	for _, laps := range []int{1, 3} {
		c := config(t, e, laps, table("0.01", "0.001"), quoter(lively))
		c.Keep = Keep{Decisions: true}
		r, _ := play(t, c)
		before, within, after := 0, 0, 0
		lap := c.Laps.Length()/core.MonoNs(laps) + 1
		for _, d := range r.Decisions() {
			if d.Intent.Kind == core.Cancel {
				continue
			}
			switch at := d.At % lap; {
			case at < 20_000e6:
				before++
			case at > 20_001e6 && at < 39_800e6:
				within++
			default:
				after++
			}
		}
		if before == 0 || within != 0 || after == 0 {
			t.Errorf("%d laps: %d orders before the halt, %d within it, %d behind it; want some, none, some", laps, before, within, after)
		}
		if in := r.gate.Instrument(0); in.Status != core.StatusTrading || in.Filters != usual.Filters {
			t.Errorf("%d laps: the gate has %+v at the end", laps, in)
		}
	}
}

// TestALapBeginsWithTheRulesOfItsBeginning, whatever they have become.
func TestALapBeginsWithTheRulesOfItsBeginning(t *testing.T) {
	usual, other, closed := coarse()
	s := &script{}
	s.ruled(0, usual)
	s.ruled(0, other) // before the first snapshot: a lap begins behind it
	s.snapshot(10, "5@100.00", "5@100.01")
	s.ruled(50, closed)
	s.depth(60, "6@100.00", "")
	e := decoded(t, source(t, s.lines))
	var got []string
	for c := NewLaps(e, 3).cursor(); c.next(); {
		if c.ev.Kind == kindRules {
			got = append(got, fmt.Sprintf("%d: %v %v", c.lap, e.Ruled[c.ev.W[0]].Rules.Filters.Tick, e.Ruled[c.ev.W[0]].Rules.Status))
		}
	}
	want := []string{"0: 0.01 TRADING", "0: 0.05 TRADING", "0: 0.05 HALT", "0: 0.05 TRADING", "1: 0.05 HALT", "1: 0.05 TRADING", "2: 0.05 HALT"}
	if !slices.Equal(got, want) {
		t.Errorf("rules of the laps are\n%q, want\n%q", got, want)
	}
}

// TestAGapInAStreamIsNotedAndShowsInItsIds: only lost frames end all books.
func TestAGapInAStreamIsNotedAndShowsInItsIds(t *testing.T) {
	s := market100()
	s.line(20, "gap", `{"why":"a line did not bring it","line":"0","symbol":"BTCUSDT","stream":"depth","last":90,"first":99,"covered":true}`)
	s.line(21, "gap", `{"why":"no line brought it in time","symbol":"BTCUSDT","stream":"trade","last":1,"first":4}`)
	s.line(22, "gap", `{"why":"there was no room to tell of them","told":3}`)
	v := newVenue(t, s, Options{})
	v.until(50)
	if _, live := v.x.markets[0].sync.Live(); !live {
		t.Error("the book has ended, but nothing of it is missing")
	}
	notes := strings.Join(decoded(t, source(t, s.lines)).Notes, "; ")
	if want := "no line of the recording brought 1 stretches of updates or trades, 2 ids in all"; !strings.Contains(notes, want) || !strings.Contains(notes, "3 gaps more") {
		t.Errorf("notes are %q, want %q in them, and 3 more", notes, want)
	}
	s.id += 5
	s.depth(60, "1@99.95", "")
	v = newVenue(t, s, Options{})
	v.until(70)
	if _, live := v.x.markets[0].sync.Live(); live {
		t.Error("the book is live behind ids that are missing")
	}
}

func TestNotesOfARecordingThatCannotBeReadAreTold(t *testing.T) {
	for _, bad := range [][2]string{{"gap", `{"line":3}`}, {"rules", `{"symbol":"BTCUSDT"}`}} {
		s := market100()
		s.line(20, bad[0], bad[1])
		if _, err := decodeAgain(t, s.lines); err == nil || !strings.Contains(err.Error(), "cannot backtest") {
			t.Errorf("%s: got %v", bad[1], err)
		}
	}
}

package app

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"riposte/core"
	"riposte/feed"
	"riposte/feed/binance"
	"riposte/tools/tape"
)

// idsOf is what a recording has of one symbol's depth and trades on all of its lines, by
// their ids, and the stretches that it says no line brought.
type idsOf struct {
	have  map[uint64]bool
	first uint64 // of what was published first
	last  uint64
	told  map[uint64]bool
}

// idsIn reads a recording's ids by "SYMBOL stream".
func idsIn(t *testing.T, dir string) map[string]*idsOf {
	t.Helper()
	files, err := tape.Expand([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	s, err := scanTapes(files)
	if err != nil {
		t.Fatal(err)
	}
	table, err := s.instruments(core.Spot)
	if err != nil {
		t.Fatal(err)
	}
	syms, err := binance.NewSymbols(table)
	if err != nil {
		t.Fatal(err)
	}
	dec := binance.NewDecoder(syms, s.unit, binance.Raw{Instrument: core.NoInstrument})
	out := map[string]*idsOf{}
	of := func(symbol, stream string) *idsOf {
		key := symbol + " " + stream
		if out[key] == nil {
			out[key] = &idsOf{have: map[uint64]bool{}, told: map[uint64]bool{}}
		}
		return out[key]
	}
	var ev core.Event
	lv := make([]core.Level, 0, 1<<14)
	err = tape.Each(func(l *tape.Line) error {
		if l.Note == tape.NoteGap {
			g, err := l.Gap()
			for id := g.Last + 1; err == nil && g.IDs() > 0 && id < g.First; id++ {
				of(g.Symbol, g.Stream).told[id] = true
			}
			return err
		}
		if !l.Frame() {
			return nil
		}
		if _, res := dec.Decode(l.Payload, &ev, lv); res != feed.Decoded || streams[ev.Kind] == "" {
			return nil
		}
		o, from := of(table.Get(ev.Instrument).Symbol, streams[ev.Kind]), ev.ID
		if ev.Kind == core.DepthDelta {
			from = ev.FirstID()
		}
		if o.first == 0 {
			o.first = from
		}
		for id := from; id <= ev.ID; id++ {
			o.have[id] = true
		}
		o.last = max(o.last, ev.ID)
		return nil
	}, files...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestARecordingTellsWhatNoLineBrought: the venue loses events on all lines at once and
// changes its rules. The recording says which ids are in no line, no more and no less, what
// the rules were and became; replay and backtest tell it.
func TestARecordingTellsWhatNoLineBrought(t *testing.T) {
	for _, name := range []string{"run", "record"} {
		t.Run(name, func(t *testing.T) {
			cfg := simConfig(t)
			if name == "record" { // riposte record
				cfg = watching(t, 0)
			}
			cfg.Record.Dir = t.TempDir()
			d, err := openDesk(cfg)
			if err == nil {
				err = d.start()
			}
			if err != nil {
				t.Fatal(err)
			}
			wait(t, "every book live", d, func(r *report) bool { return r.BooksLive == r.Books && r.Seconds > 1 })
			for i := range *cuts {
				was := d.report()
				fault(t, d, fmt.Sprintf("drop depth %s %d", []string{"BTCUSDT", "ETHUSDT"}[i%2], 1+i%3))
				wait(t, "a gap that all lines have", d, func(r *report) bool { return r.Missed > was.Missed && r.BooksLive == r.Books })
			}
			if name == "run" { // the other follows no trades
				was := d.report()
				fault(t, d, "drop trade BTCUSDT 2")
				wait(t, "trades that all lines have lost", d, func(r *report) bool { return r.Missed > was.Missed })
			}
			fault(t, d, "status ETHUSDT HALT")
			if err := d.control.readRules(); err != nil {
				t.Fatal(err)
			}
			fault(t, d, "status ETHUSDT TRADING")
			for range 2 {
				if err := d.control.readRules(); err != nil {
					t.Fatal(err)
				}
			}
			r := d.shutdown()
			if err := d.close(); err != nil {
				t.Fatal(err)
			}
			stretches, ids := 0, 0
			for key, o := range idsIn(t, cfg.Record.Dir) {
				for id := o.first; id < o.last; id++ {
					if o.have[id] == o.told[id] {
						t.Errorf("%s, id %d: it is there %v, and told to be missing %v", key, id, o.have[id], o.told[id])
					}
				}
				for _, id := range slices.Sorted(maps.Keys(o.told)) {
					if ids++; !o.told[id-1] {
						stretches++
					}
				}
			}
			if stretches == 0 || uint64(stretches) != r.Missed {
				t.Errorf("%d stretches are told, the run counted %d", stretches, r.Missed)
			}
			again := replayJSON(t, cfg.Record.Dir)["recording"].(map[string]any)
			if again["missed"] != float64(stretches) || again["missed_ids"] != float64(ids) || again["lost"] != 0.0 || again["time_unit"] != cfg.Venue.TimeUnit {
				t.Errorf("replay tells %v, want %d stretches, %d ids, nothing lost, times in %s", again, stretches, ids, cfg.Venue.TimeUnit)
			}
			var out, errs bytes.Buffer
			if code := run([]string{"replay", cfg.Record.Dir}, &out, &errs); code != exitOK {
				t.Fatal(errs.String())
			}
			for _, want := range []string{fmt.Sprintf("no line brought %d stretches of ids, %d ids in all", stretches, ids),
				"the rules of ETHUSDT changed at ", "Status TRADING, now HALT", "Status HALT, now TRADING"} {
				if strings.Count(out.String(), want) == 0 {
					t.Errorf("replay says\n%s\nwant %q in it", out.String(), want)
				}
			}
			if n := len(again["rules"].([]any)); n != 2 {
				t.Errorf("%d changes of rules are told, want 2: those read twice are told once", n)
			}
			out.Reset()
			if code := run([]string{"backtest", "--json", "--out", t.TempDir(), cfg.Record.Dir}, &out, &errs); code != exitOK {
				t.Fatal(errs.String())
			}
			for _, want := range []string{fmt.Sprintf("no line of the recording brought %d stretches of updates or trades, %d ids", stretches, ids), "the venue changed its rules of ETHUSDT"} {
				if !strings.Contains(out.String(), want) {
					t.Errorf("backtest says\n%s\nwant %q in it", out.String(), want)
				}
			}
		})
	}
}

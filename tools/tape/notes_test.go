package tape

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"riposte/core"
)

// rulesOf are rules of some symbols, told apart by their lot.
func rulesOf(lot int, symbols ...string) (list []Rules) {
	for _, s := range symbols {
		list = append(list, Rules{Symbol: s, Base: s[:3], Quote: "USDT", Rules: core.Instrument{Symbol: s, Status: core.StatusTrading, Filters: core.Filters{Lot: core.Qty(lot)}}})
	}
	return list
}

// lineOf is what was said as a line.
func lineOf(s *said) *Line {
	return &Line{RecvNs: s.recv, Rest: s.rest, Label: s.label, Note: s.note, Payload: []byte(s.payload)}
}

// lots are the rules lines of a recording, as symbol and lot.
func lots(t *testing.T, list []said) (out []string) {
	t.Helper()
	for i := range list {
		if list[i].note != NoteRules {
			continue
		}
		r, err := lineOf(&list[i]).Rules()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s %d", r.Symbol, r.Rules.Filters.Lot))
	}
	return out
}

func TestRulesAreWrittenWhereTheyChangeAndInEachFile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := bubbleClock{time.Now()}
		dir := t.TempDir()
		r, err := NewRecorder(RecorderConfig{Dir: dir, Clock: c, FlushEvery: 20 * time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		r.Rules(rulesOf(1, "BTCUSDT", "ETHUSDT"))
		time.Sleep(time.Second)
		r.Rules(rulesOf(1, "BTCUSDT", "ETHUSDT")) // read again, the same
		time.Sleep(time.Second)
		r.Rules(append(rulesOf(1, "BTCUSDT"), rulesOf(2, "ETHUSDT")...))
		time.Sleep(time.Second)
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if got, want := lots(t, recorded(t, dir)), []string{"BTCUSDT 1", "ETHUSDT 1", "ETHUSDT 2"}; !slices.Equal(got, want) {
			t.Errorf("rules %q, want %q", got, want)
		}

		dir = t.TempDir()
		if r, err = NewRecorder(RecorderConfig{Dir: dir, Clock: c, FileMost: 2000, FlushEvery: 20 * time.Millisecond}); err != nil {
			t.Fatal(err)
		}
		for i := range 300 {
			if i%100 == 0 {
				r.Rules(rulesOf(i+1, "BTCUSDT", "ETHUSDT"))
				time.Sleep(time.Millisecond)
			}
			r.Frame(0, c.Mono(), fmt.Appendf(nil, `{"n":%d}`, i))
			time.Sleep(20 * time.Millisecond)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		names, err := filepath.Glob(filepath.Join(dir, "*.tsv.zst"))
		if err != nil || len(names) < 3 {
			t.Fatalf("%d files, %v", len(names), err)
		}
		for _, name := range names {
			f, err := Open(name)
			if err != nil {
				t.Fatal(err)
			}
			list, err := readAll(f)
			f.Close()
			if err != nil || len(list) < 3 || list[0].note != NoteMeta || list[1].note != NoteRules || list[2].note != NoteRules {
				t.Errorf("%s begins with %+v (%v), want what it is and the rules of both symbols", name, list[:min(3, len(list))], err)
			}
		}
	})
}

// A disk that fails at any write: every frame that was kept stands behind the rules that
// held when it came.
func TestRulesHoldForTheFramesBehindThemWhateverTheDiskDoes(t *testing.T) {
	kept := 0
	for n := 1; n < 40; n++ {
		synctest.Test(t, func(t *testing.T) {
			c := bubbleClock{time.Now()}
			dir := t.TempDir()
			disk := &moody{left: n}
			r, err := NewRecorder(RecorderConfig{Dir: dir, Clock: c, Create: disk.create, FlushEvery: 70 * time.Millisecond, FileMost: 3000})
			if err != nil {
				t.Fatal(err)
			}
			for i := range 400 {
				if i%10 == 0 {
					r.Rules(rulesOf(i/10+1, "BTCUSDT"))
					time.Sleep(time.Millisecond)
				}
				if i == 250 {
					disk.mend()
					time.Sleep(6 * time.Second)
				}
				r.Frame(0, c.Mono(), fmt.Appendf(nil, `{"n":%d}`, i))
				time.Sleep(10 * time.Millisecond)
			}
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			lot, last := 0, -1
			list := recorded(t, dir)
			for i := range list {
				switch s := &list[i]; s.note {
				case NoteRules:
					rules, err := lineOf(s).Rules()
					if err != nil {
						t.Fatal(err)
					}
					lot = int(rules.Rules.Filters.Lot)
				case "":
					if _, err := fmt.Sscanf(s.payload, `{"n":%d}`, &last); err != nil || last/10+1 != lot {
						t.Fatalf("write %d failed: frame %s stands behind the rules of lot %d", n, s.payload, lot)
					}
					kept++
				}
			}
			if last != 399 {
				t.Errorf("write %d failed: the last frame is %d, want 399", n, last)
			}
		})
	}
	t.Logf("%d frames stand behind their rules", kept)
}

func TestNotesAreReadAsTheyWereWritten(t *testing.T) {
	g := Gap{Why: "no line brought it in time", Symbol: "BTCUSDT", Stream: "trade", Last: 7, First: 9, Ns: 5, Ended: 11}
	rules := rulesOf(3, "BTCUSDT")[0]
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r, err := NewRecorder(RecorderConfig{Dir: dir, Clock: bubbleClock{time.Now()}, Meta: Meta{Market: "spot", TimeUnit: "us"}})
		if err != nil {
			t.Fatal(err)
		}
		r.Gap(g)
		r.Rules([]Rules{rules})
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		list := recorded(t, dir)
		if len(list) != 3 {
			t.Fatalf("got %+v, want three lines", list)
		}
		m, err := lineOf(&list[0]).Meta()
		if err != nil || m.Unit() != core.Microseconds || m.Recording != 1 {
			t.Errorf("meta %+v, %v", m, err)
		}
		if got, err := lineOf(&list[1]).Gap(); err != nil || got != g || got.Torn() {
			t.Errorf("gap %+v, %v, want %+v", got, err, g)
		}
		if got, err := lineOf(&list[2]).Rules(); err != nil || !reflect.DeepEqual(got, rules) {
			t.Errorf("rules %+v, %v, want %+v", got, err, rules)
		}
	})
	if !(&Gap{Frames: 7}).Torn() || (&Gap{Told: 7}).Torn() {
		t.Error("lost frames must be torn, gaps that could not be told not")
	}
}

func TestNotesThatAreNoneAreRefused(t *testing.T) {
	for want, read := range map[string]func() error{
		"version 2, want 1": func() error { _, err := (&Line{Payload: []byte(`{"recording":2}`)}).Meta(); return err },
		`"ns", want ms`: func() error {
			_, err := (&Line{Payload: []byte(`{"recording":1,"time_unit":"ns"}`)}).Meta()
			return err
		},
		"says of itself": func() error { _, err := (&Line{Payload: []byte(`[]`)}).Meta(); return err },
		"a gap":          func() error { _, err := (&Line{Payload: []byte(`{"line":7}`)}).Gap(); return err },
		"rules of the":   func() error { _, err := (&Line{Payload: []byte(`{"rules":[]}`)}).Rules(); return err },
		"status 77": func() error {
			_, err := (&Line{Payload: []byte(`{"symbol":"A","rules":{"Symbol":"A","Status":77}}`)}).Rules()
			return err
		},
		"Lot of A is -1": func() error {
			_, err := (&Line{Payload: []byte(`{"symbol":"A","rules":{"Symbol":"A","Filters":{"Lot":-1}}}`)}).Rules()
			return err
		},
		`want one symbol`: func() error {
			_, err := (&Line{Payload: []byte(`{"symbol":"A","rules":{"Symbol":"B"}}`)}).Rules()
			return err
		},
	} {
		if err := read(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}

func TestAChangeOfRulesIsToldInWords(t *testing.T) {
	was, now := rulesOf(100_000, "BTCUSDT")[0], rulesOf(1_000_000, "BTCUSDT")[0]
	now.Rules.Status = core.StatusHalt
	now.Rules.OrderTypes = now.Rules.OrderTypes.With(core.Limit)
	now.Rules.Filters.NotionalMinMarket = true
	if got, want := strings.Join(now.Since(&was), "; "), "Status TRADING, now HALT; OrderTypes , now LIMIT; Lot 0.001, now 0.01; NotionalMinMarket false, now true"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if got := now.Since(&now); got != nil {
		t.Errorf("no change is told as %q", got)
	}
}

func TestTheUnitOfRecordingsIsOne(t *testing.T) {
	dir := t.TempDir()
	file := func(name, unit string) string {
		path := filepath.Join(dir, name)
		text := "1\tws\t{}\n"
		if unit != "" {
			text = fmt.Sprintf("1\tmeta\t{\"recording\":1,\"time_unit\":%q}\n", unit) + text
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ms, us, plain, empty := file("a", "ms"), file("b", "us"), file("c", ""), filepath.Join(dir, "d")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		names []string
		want  core.TimeUnit
	}{{[]string{us, us}, core.Microseconds}, {[]string{ms, plain}, core.Milliseconds}, {nil, core.Milliseconds}, {[]string{empty, us, empty}, core.Microseconds}} {
		if got, err := Unit(c.names...); err != nil || got != c.want {
			t.Errorf("%v: unit %v, %v; want %v", c.names, got, err, c.want)
		}
	}
	for _, names := range [][]string{{ms, us}, {us, plain}} {
		if _, err := Unit(names...); err == nil || !strings.Contains(err.Error(), "want one unit") {
			t.Errorf("%v: got %v", names, err)
		}
	}
	if _, err := Unit(filepath.Join(dir, "none")); err == nil || errors.Is(err, io.EOF) {
		t.Errorf("no file: got %v", err)
	}
}

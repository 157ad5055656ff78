package app

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

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

// sickDisk is one that is full while full is set, and does not answer while it is stuck.
type sickDisk struct {
	full  atomic.Bool
	gate  sync.RWMutex // held to have it stuck
	tried atomic.Uint64
}

type sickFile struct {
	*os.File
	disk *sickDisk
}

func (s *sickDisk) create(name string) (io.WriteCloser, error) {
	s.tried.Add(1)
	s.gate.RLock()
	defer s.gate.RUnlock()
	if s.full.Load() {
		return nil, unix.ENOSPC
	}
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	return sickFile{f, s}, err
}

func (f sickFile) Write(p []byte) (int, error) {
	f.disk.tried.Add(1)
	f.disk.gate.RLock()
	defer f.disk.gate.RUnlock()
	if f.disk.full.Load() {
		n, _ := f.File.Write(p[:len(p)/3])
		return n, unix.ENOSPC
	}
	return f.File.Write(p)
}

// TestADiskThatIsFullOrStuckDelaysNoOrder: a full one is an alarm, and trading goes on;
// while one does not answer at all, orders are decided, sent and acknowledged, which none
// could be that waited for it. What was kept is read again, and says what is missing.
func TestADiskThatIsFullOrStuckDelaysNoOrder(t *testing.T) {
	cfg := simConfig(t)
	cfg.Record.Dir = t.TempDir()
	disk := new(sickDisk)
	d, err := openDeskWith(cfg, func(d *desk) {
		d.ports.recording = disk.create
		d.witness = &witness{d: d}
	})
	if err == nil {
		err = d.start()
	}
	if err != nil {
		t.Fatal(err)
	}
	trades := func(what string) {
		was := d.report()
		wait(t, what, d, func(r *report) bool { return r.Acks >= was.Acks+uint64(*cuts) && settled(r) })
	}
	touched := func() {
		was := disk.tried.Load()
		wait(t, "the recorder at its disk", d, func(*report) bool { return disk.tried.Load() > was })
	}
	trades("orders")
	disk.gate.Lock()
	touched() // the writer waits for its disk from here on
	trades("orders while the disk does not answer")
	if r := d.report(); r.Record.Trouble != "" {
		t.Errorf("a disk that only takes its time is told as %q", r.Record.Trouble)
	}
	disk.full.Store(true)
	disk.gate.Unlock()
	wait(t, "an alarm", d, func(r *report) bool {
		return slices.ContainsFunc(r.Problems, func(p string) bool {
			return strings.Contains(p, "nothing is recorded: ") && strings.Contains(p, "no space left")
		})
	})
	trades("orders while the disk is full")
	disk.full.Store(false)
	wait(t, "a recording again", d, func(r *report) bool { return r.Record.Trouble == "" && r.Record.Files >= 2 })
	trades("orders once it is well")
	r := finish(t, d)
	if err := d.close(); err != nil {
		t.Error(err)
	}
	again := replayJSON(t, cfg.Record.Dir)
	told := again["recording"].(map[string]any)
	if r.Record.Lost == 0 || told["lost"] != float64(r.Record.Lost) {
		t.Errorf("the run lost %d frames and bodies, the recording tells of %v", r.Record.Lost, told["lost"])
	}
	if twice := replayJSON(t, cfg.Record.Dir); !cmp.Equal(again["books"], twice["books"]) || !cmp.Equal(told, twice["recording"]) {
		t.Error("two replays differ")
	}
	for i := range 2 {
		files, err := tape.Expand([]string{cfg.Record.Dir})
		if err != nil || len(files) < 2 {
			t.Fatalf("%d files, %v", len(files), err)
		}
		var l tape.Line
		in, err := tape.Open(files[min(i*len(files), len(files)-1)])
		if err != nil {
			t.Fatal(err)
		}
		var kinds []string
		for len(kinds) <= len(d.table.List) && in.Next(&l) == nil {
			if l.Note != "" || i > 0 { // the first file knows them once the venue has told them
				kinds = append(kinds, l.Note)
			}
		}
		in.Close()
		if want := append([]string{tape.NoteMeta}, slices.Repeat([]string{tape.NoteRules}, len(d.table.List))...); !slices.Equal(kinds, want) {
			t.Errorf("file %d begins with %q, want %q", i, kinds, want)
		}
	}
	t.Logf("%d orders, %d acknowledged, %d lines recorded, %d lost and told; total p99 %s", r.Orders, r.Acks, r.Record.Lines, r.Record.Lost, short(r.Latency["total"].P99))
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

package app

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"riposte/core"
	"riposte/core/journal"
	"riposte/core/risk"
	"riposte/exec"
)

// crashed is what is on the disk of a running desk now, for another one to start from.
func crashed(t *testing.T, dir string) string {
	t.Helper()
	image := t.TempDir()
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if f.Type() != 0 {
			continue // sockets and folders
		}
		text, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(image, f.Name()), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return image
}

// TestAHaltThatOnlyTheJournalHasSurvivesACrash: the disk fails the file of halts, the
// process dies before it is well again. The next start halts; a resume is for good.
func TestAHaltThatOnlyTheJournalHasSurvivesACrash(t *testing.T) {
	d := running(t)
	waitFor(t, "orders at work", func() bool { v := d.dealer.view(); return v != nil && v.live > 0 })
	if err := os.Mkdir(filepath.Join(d.cfg.Journal.Dir, haltName+".new"), 0o700); err != nil {
		t.Fatal(err)
	}
	symbol := d.cfg.Market.Symbols[0]
	for _, h := range []struct{ kind, name string }{{"symbol", symbol}, {"all", ""}} {
		if err := d.control.halt(risk.HaltKilled, h.kind, h.name, act{Who: "me", Why: "a drill"}); err == nil {
			t.Fatal("a halt that is not on file was told as one that is")
		}
	}
	noted := func() bool {
		all := 0
		for _, h := range journaled[journal.Halt](t, d.cfg.Journal.Dir, journal.KindHalt) {
			if h.On && risk.HaltCause(h.Code)&risk.HaltKilled != 0 {
				all++
			}
		}
		return all == 2
	}
	waitFor(t, "both halts in the journal", noted)
	image := crashed(t, d.cfg.Journal.Dir)
	d.end(t)
	if list, err := readHalts(image); err != nil || len(list) != 0 {
		t.Fatalf("on file are %v, %v", list, err)
	}

	// Nobody has seen what the journal knows, so a resume does not lift it.
	set := "journal.dir=" + image
	resume(t, image)
	d = begun(t, set)
	if h, s := haltedNow(t, d); h&risk.HaltKilled == 0 || s&risk.HaltKilled == 0 {
		t.Fatalf("the next run is halted by %v, the symbol by %v, want killed", h, s)
	}
	if words := d.control.words(); !strings.Contains(words, "me") || !strings.Contains(words, "a drill") {
		t.Errorf("the reason is %q, want who and why", words)
	}
	again := crashed(t, image)
	d.end(t)

	// Now it is on file. A resume lifts it, also in what the journal of the crash says.
	resume(t, again)
	d = begun(t, "journal.dir="+again)
	if h, s := haltedNow(t, d); h&risk.HaltKilled != 0 || s&risk.HaltKilled != 0 {
		t.Errorf("after a resume the next run is halted by %v, the symbol by %v", h, s)
	}

	// Resumed while it runs, killed again, resumed, and dead before the journal has that.
	if err := d.control.halt(risk.HaltKilled, "all", "", act{Who: "me", Why: "another"}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the halt to be posted", func() bool { return d.dealer.view().halted&risk.HaltKilled != 0 })
	seq := d.control.journaled.Load()
	waitFor(t, "one more post", func() bool { return d.control.journaled.Load() >= seq })
	before := crashed(t, again)
	if err := d.control.resume(act{Who: "me", Why: "over"}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{actsName, haltName} { // of the journal's end the crash took what came after
		text, err := os.ReadFile(filepath.Join(again, name))
		switch {
		case os.IsNotExist(err):
			if err := os.Remove(filepath.Join(before, name)); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		case err != nil:
			t.Fatal(err)
		default:
			if err := os.WriteFile(filepath.Join(before, name), text, fs.FileMode(0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	d.end(t)
	d = begun(t, "journal.dir="+before)
	if h, _ := haltedNow(t, d); h&risk.HaltKilled != 0 {
		t.Errorf("a halt that was lifted came back with the journal: %v", h)
	}
	d.end(t)
}

// haltedNow is what halts everything and the first symbol once the shard has taken what was on
// file: it does so before it first tells how it stands.
func haltedNow(t *testing.T, d *desk) (all, one risk.HaltCause) {
	t.Helper()
	first := core.MonoNs(0)
	waitFor(t, "the shard to tell how it stands, twice: its markets do after it", func() bool {
		st := d.shard.Stats()
		if first == 0 {
			first = st.Now
		}
		all, one = st.Halted, d.shard.MarketStats(0).Halted
		return first != 0 && st.Now > first
	})
	return all, one
}

// resume is `riposte resume` while no engine runs.
func resume(t *testing.T, dir string) {
	t.Helper()
	list, err := readHalts(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := resumeOffline(dir, list, act{Who: "me", Why: "over"}); err != nil {
		t.Fatal(err)
	}
}

func TestAPardonReachesAsFarAsItWasGiven(t *testing.T) {
	killed := risk.HaltKilled.Words()
	halt := func(code risk.HaltCause, seq uint64) exec.PastHalt {
		return exec.PastHalt{Halt: journal.Halt{Code: uint32(code)}, Seq: seq}
	}
	for name, c := range map[string]struct {
		p     pardon
		epoch uint64
		h     exec.PastHalt
		want  bool
	}{
		"of a later run":                {pardon{9, 0, killed}, 8, halt(risk.HaltKilled, 1000), true},
		"of the run, when it was over":  {pardon{8, wholeRun, killed}, 8, halt(risk.HaltKilled, 1000), true},
		"of the run, after the halt":    {pardon{8, 1000, killed}, 8, halt(risk.HaltKilled, 1000), true},
		"of the run, before the halt":   {pardon{8, 999, killed}, 8, halt(risk.HaltKilled, 1000), false},
		"of an earlier run":             {pardon{7, wholeRun, killed}, 8, halt(risk.HaltKilled, 1), false},
		"of something else":             {pardon{9, wholeRun, killed}, 8, halt(risk.HaltLoss, 1), false},
		"of nothing":                    {pardon{9, wholeRun, nil}, 8, halt(risk.HaltKilled, 1), false},
		"from before there was a reach": {pardon{}, 8, halt(risk.HaltKilled, 1), false},
	} {
		if got := c.p.lifts(c.epoch, &c.h); got != c.want {
			t.Errorf("%s: lifted %v, want %v", name, got, c.want)
		}
	}
}

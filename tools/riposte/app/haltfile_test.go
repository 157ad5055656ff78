package app

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"riposte/core/risk"
)

// TestAHaltIsOnFileOnceItIsTold: whoever halts may kill the process in the next moment.
func TestAHaltIsOnFileOnceItIsTold(t *testing.T) {
	d := running(t)
	for i, h := range []struct {
		kind, name string
		cause      risk.HaltCause
	}{{"symbol", d.cfg.Market.Symbols[0], risk.HaltOperator}, {"all", "", risk.HaltOperator}, {"all", "", risk.HaltKilled}} {
		if err := d.control.halt(h.cause, h.kind, h.name, act{Who: "me", Why: "a drill"}); err != nil {
			t.Fatal(err)
		}
		list, err := readHalts(d.cfg.Journal.Dir)
		if err != nil || !slices.ContainsFunc(list, func(e haltEntry) bool {
			return e.Scope == h.kind && e.Name == h.name && e.causes()&h.cause != 0 && e.Who == "me"
		}) {
			t.Errorf("halt %d: on file are %v, %v", i, list, err)
		}
	}
	d.end(t)
}

// TestARecordOfHaltsThatFailedIsWrittenWhenTheDiskIsWell: until then the report says so.
func TestARecordOfHaltsThatFailedIsWrittenWhenTheDiskIsWell(t *testing.T) {
	d := running(t)
	inTheWay := filepath.Join(d.cfg.Journal.Dir, haltName+".new")
	if err := os.Mkdir(inTheWay, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := d.control.halt(risk.HaltOperator, "all", "", act{Who: "me", Why: "a drill"}); err == nil {
		t.Error("a halt that is not on file was told as one that is")
	}
	if p := strings.Join(d.control.problems(), "\n"); !strings.Contains(p, "record of halts could not be written") {
		t.Errorf("problems are %q", p)
	}
	if err := os.Remove(inTheWay); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the record", func() bool { list, err := readHalts(d.cfg.Journal.Dir); return err == nil && len(list) == 1 })
	waitFor(t, "no trouble", func() bool {
		return !strings.Contains(strings.Join(d.control.problems(), "\n"), "could not be written")
	})
	d.end(t)
}

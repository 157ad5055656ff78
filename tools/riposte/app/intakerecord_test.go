package app

import (
	"path/filepath"
	"strings"
	"testing"

	"riposte/core/airlock"
	"riposte/core/signal"
)

// What was heard, what became of it and what the price did after is in the journal, scores
// outlive the run, and a replay hears the same signals and decides the same.
func TestSignalsFromOutsideAreOnRecordAndProvedAgain(t *testing.T) {
	last.number, last.verdicts = 0, nil
	r := newRig(t, "inputs = false", "inputs = true")
	usualAgain(r)
	for i := range 4 {
		side := `"buy"`
		if i%2 == 1 {
			side = `"sell"`
		}
		if v := r.verdict(r.post("main", r.body("BTCUSDT", map[string]string{"side": side})).number); v.Outcome != airlock.Accepted {
			t.Fatalf("%v: %s", v.Outcome, r.d.intake.describe(&v))
		}
	}
	r.verdict(r.post("main", r.body("BTCUSDT", map[string]string{"strength": "0.01"})).number)
	at := 0 // main's place
	for i, name := range r.d.intake.names {
		if name == "main" {
			at = i
		}
	}
	r.await(func() bool {
		s := r.d.shard.Scores()
		return len(s.List) > at && s.List[at].Score.By[0].N >= 5
	})
	dir, names := r.d.cfg.Journal.Dir, r.d.intake.names
	if rep := r.d.shutdown(); !rep.Clean {
		t.Errorf("not a clean end: %q", rep.Problems)
	}
	r.end()

	scores := make([]signal.Score, len(names))
	if err := readScores(dir, names, scores); err != nil || scores[at].By[0].N < 5 {
		t.Errorf("%v marks on file, %v, want those of the run", scores[at].By[0].N, err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	printed := ""
	for _, f := range files {
		if out, code := riposte(t, "journal", "print", f); code == 0 {
			printed += out
		}
	}
	for kind, least := range map[string]int{" signal ": 6, " mark-out ": 5, " score ": len(names)} {
		if n := strings.Count(printed, kind); n < least {
			t.Errorf("%d records of kind%s, want at least %d", n, kind, least)
		}
	}
	runs, all := proveAgain(t, 0, dir)
	if len(runs) != 1 || runs[0].Orders < 4 {
		t.Errorf("proved %+v, want one run with its orders\n%s", runs, all)
	}
}

package app

import (
	"os"
	"path/filepath"
	"slices"

	"riposte/tools/sim"
)

// faultTable counts in which states of the engine which faults have struck.
type faultTable map[string]map[string]int

func (t *faultTable) struck(*simRun, *sim.Event) {}

// digestJournal takes what is in the journal into the digest of the run.
func (r *simRun) digestJournal(dir string) {
	names, err := filepath.Glob(filepath.Join(dir, "*.journal"))
	if err != nil {
		r.broken(err)
	}
	slices.Sort(names)
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			r.broken(err)
		}
		r.w.Digest(filepath.Base(name), b)
	}
}

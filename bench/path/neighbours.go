package path

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// use is what threads have had of their CPUs.
type use struct {
	ran    time.Duration
	waited time.Duration // ready to run, and something else ran
}

// readUse adds up files in the form of /proc/<pid>/task/<tid>/schedstat. What cannot be
// read counts as nothing: a thread may just have ended.
func readUse(files ...string) (u use) {
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if f := strings.Fields(string(text)); len(f) > 1 {
			ran, _ := strconv.ParseInt(f[0], 10, 64)
			waited, _ := strconv.ParseInt(f[1], 10, 64)
			u.ran += time.Duration(ran)
			u.waited += time.Duration(waited)
		}
	}
	return u
}

func threadUse() use { return readUse("/proc/thread-self/schedstat") }

func processUse(pid int) use {
	if pid == 0 {
		return use{}
	}
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	return readUse(files...)
}

// disturbed is the share of a span that other programs took from a process with a CPU
// of its own. One that spins has lost what it has not run; that it waited for threads
// of its own is its own affair. One that sleeps has lost what it waited.
func (u use) disturbed(before use, span Ns) float64 {
	if u.ran == before.ran || span <= 0 {
		return 0 // it is not to be looked at
	}
	idle := span - Ns(u.ran-before.ran)
	return max(float64(min(idle, Ns(u.waited-before.waited)))/float64(span), 0)
}

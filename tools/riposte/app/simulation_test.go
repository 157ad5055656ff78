package app

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"riposte/tools/sim"
)

// The deterministic simulation: `go test ./tools/riposte/app -run Simulation`. One seed
// again, with everything that happens told:
//
//	go test ./tools/riposte/app -run Simulation -sim.seed=N -sim.minutes=10 -v
//
// A range of seeds, each twice, and a plan that was kept or shrunk:
//
//	go test ./tools/riposte/app -run Simulation -sim.seeds=1:10000 -sim.minutes=10 -sim.twice -timeout 0
//	go test ./tools/riposte/app -run Simulation -sim.plan=testdata/sim/x.json
var (
	simSeed    = flag.Uint64("sim.seed", 0, "run this seed alone, and tell what happens")
	simSeeds   = flag.String("sim.seeds", "", "run the seeds from A to B, given as A:B")
	simOnly    = flag.String("sim.only", "", "seeds draw these classes of fault only, with commas, as often as they may strike")
	simMinutes = flag.Float64("sim.minutes", 1, "simulated minutes with faults")
	simPlan    = flag.String("sim.plan", "", "run the plan of this file alone, and tell what happens")
	simTwice   = flag.Bool("sim.twice", false, "run everything twice and compare")
	simDeep    = flag.Bool("sim.deep", false, "tell each piece on the network too")
	simShrink  = flag.String("sim.shrink", "", "shrink the first seed or plan that breaks a promise into this file")
)

// A world has no signals, but what listens for them is started by whoever listens first,
// and that must be outside of any bubble.
func init() { signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR1) }

// simDefault is how many seeds a plain `go test` runs, for a minute each.
const simDefault = 8

func TestSimulation(t *testing.T) {
	length := time.Duration(*simMinutes * float64(time.Minute))
	var only []string
	if *simOnly != "" {
		only = strings.Split(*simOnly, ",")
	}
	for _, name := range only {
		if !slices.Contains(sim.Classes(), name) {
			t.Fatalf("cannot use -sim.only: found %q, want some of %s", name, strings.Join(sim.Classes(), ", "))
		}
	}
	// Worlds are small and make much garbage: a collection less often is a tenth of the time.
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	// A world does one thing at a time: a second processor only wakes for what the first has
	// just done, which is another tenth.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	b := &simBatch{t: t, root: simRoot(t), twice: *simTwice}
	defer b.marks.listen()()
	defer b.tell()
	switch {
	case *simPlan != "":
		p, err := sim.ReadPlan(*simPlan)
		if err != nil {
			t.Fatal(err)
		}
		b.loud = true
		b.run(p)
	case *simSeed != 0:
		b.loud = true
		b.run(sim.Campaign(*simSeed, length, only))
	case *simSeeds != "":
		var from, to uint64
		if _, err := fmt.Sscanf(*simSeeds, "%d:%d", &from, &to); err != nil {
			t.Fatalf("cannot read -sim.seeds: got %q, want A:B", *simSeeds)
		}
		for seed := from; seed <= to; seed++ {
			b.run(sim.Campaign(seed, length, only))
		}
	default:
		b.twice = true
		for seed := range uint64(simDefault) {
			b.run(sim.Draw(seed+1, length))
		}
	}
}

// TestSimulationTraces plays what once broke a promise: it holds now.
func TestSimulationTraces(t *testing.T) {
	names, err := filepath.Glob(filepath.Join("testdata", "sim", "*.json"))
	if err != nil || len(names) == 0 {
		t.Fatalf("found %d kept plans (%v), want some", len(names), err)
	}
	b := &simBatch{t: t, root: simRoot(t), twice: true}
	for _, name := range names {
		p, err := sim.ReadPlan(name)
		if err != nil {
			t.Fatal(err)
		}
		b.run(p)
	}
}

// simRoot is a folder in memory, if there is such a thing.
func simRoot(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "riposte-sim-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

// simBatch is runs, one after another, and their sum.
type simBatch struct {
	t     *testing.T
	root  string
	loud  bool
	twice bool

	runs, failed, equal int
	simulated, wall     time.Duration
	orders, fills       uint64
	lives               int
	steps               uint64
	latches             map[string]int
	promises            map[string]int
	table               faultTable
	marks               simMarks
}

// run plays a plan, twice if that is wanted.
func (b *simBatch) run(p *sim.Plan) simResult {
	r := b.once(p, "run")
	b.runs++
	b.simulated += r.Simulated
	b.wall += r.Wall
	b.orders += r.Orders
	b.fills += r.Fills
	b.lives += r.Lives
	b.steps += r.Steps
	b.table.add(r.Table)
	for k, n := range r.Latches {
		if b.latches == nil {
			b.latches = map[string]int{}
		}
		b.latches[k] += n
	}
	if len(r.Violations) > 0 {
		b.failed++
		if b.promises == nil {
			b.promises = map[string]int{}
		}
		b.promises[r.Violations[0].Promise]++
		var text strings.Builder
		for i, v := range r.Violations {
			if i == 10 {
				break
			}
			fmt.Fprintf(&text, "\n\tat %v: %s: %s", v.At, v.Promise, v.Text)
		}
		b.t.Errorf("seed %d %s breaks promises:%s", p.Seed, p.Note, text.String())
		if b.failed == 1 && !b.loud {
			b.t.Logf("the end of its trace:\n%s", r.Trace)
		}
		if *simShrink != "" && b.failed == 1 {
			b.shrink(p, &r.Violations[0])
		}
	}
	if b.twice {
		if again := b.once(p, "elsewhere"); again.Hash != r.Hash {
			b.t.Errorf("seed %d: two runs differ: %x and %x", p.Seed, r.Hash, again.Hash)
		} else {
			b.equal++
		}
	}
	return r
}

// once plays a plan in a folder of that name, which must not matter.
func (b *simBatch) once(p *sim.Plan, folder string) simResult {
	root := filepath.Join(b.root, folder)
	if err := os.RemoveAll(root); err != nil {
		b.t.Fatal(err)
	}
	if err := os.Mkdir(root, 0o700); err != nil {
		b.t.Fatal(err)
	}
	var tell func(string)
	if b.loud {
		tell = func(s string) { fmt.Println(s) }
	}
	return simulate(b.t, p, root, tell, &b.marks)
}

// shrink looks for a plan with fewer choices that breaks the same promise.
func (b *simBatch) shrink(p *sim.Plan, first *simViolation) {
	b.loud = false
	small := sim.Shrink(p, first.At, func(p *sim.Plan) bool {
		for _, v := range b.once(p, "run").Violations {
			if v.Promise == first.Promise {
				return true
			}
		}
		return false
	})
	small.Fails = first.Promise
	if err := small.Write(*simShrink); err != nil {
		b.t.Error(err)
	}
	b.t.Logf("shrunk to %d events within %v: %s", len(small.Events), small.Time, *simShrink)
}

// tell sums up.
func (b *simBatch) tell() {
	if b.runs == 0 || b.wall == 0 {
		return
	}
	b.t.Logf("faults by the state in which they struck:\n%s\n%s", b.table, b.table.rare())
	b.t.Logf("places of core/fault never come to: %s", b.marks.missed())
	b.t.Logf("%d runs, %d broke a promise %v, %d double runs equal; %v simulated in %v: %.0f times real time; %d lives, %d orders, %d fills, %d steps; latched halts %v",
		b.runs, b.failed, b.promises, b.equal, b.simulated.Round(time.Second), b.wall.Round(time.Millisecond), b.simulated.Seconds()/b.wall.Seconds(), b.lives, b.orders, b.fills, b.steps, b.latches)
}

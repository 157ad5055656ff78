package app

import (
	"flag"
	"os"
	"os/signal"
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
// A range, and a kept or shrunk plan:
//
//	go test ./tools/riposte/app -run Simulation -sim.seeds=1:10000 -sim.minutes=10 -timeout 0
//	go test ./tools/riposte/app -run Simulation -sim.plan=testdata/sim/x.json
var (
	simSeed    = flag.Uint64("sim.seed", 0, "run this seed alone, and tell what happens")
	simMinutes = flag.Float64("sim.minutes", 0, "simulated minutes with faults")
)

// A world has no signals, but what listens for them is started here, outside of any
// bubble, by whoever listens first.
func init() { signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR1) }

func TestSimulation(t *testing.T) {
	seed := max(*simSeed, 1)
	minutes := 1.0
	if *simMinutes > 0 {
		minutes = *simMinutes
	}
	plan := &sim.Plan{Seed: seed, Time: time.Duration(minutes * float64(time.Minute)), Work: sim.Work{
		Symbols: []string{"BTCUSDT"}, Streams: []string{"depth@100ms", "bookTicker"}, Strategy: "quoter", Pace: 1,
		Base: 500 * time.Microsecond, Tail: 200 * time.Microsecond, Park: 20 * time.Millisecond,
	}}
	var tell func(string)
	if *simSeed != 0 {
		tell = func(s string) { t.Log(s) }
	}
	var hashes [2]uint64
	for i := range hashes {
		r := simulate(t, plan, t.TempDir(), tell)
		for _, v := range r.Violations {
			t.Errorf("at %v: %s: %s", v.At, v.Promise, v.Text)
		}
		if t.Failed() {
			t.Log(r.Trace)
		}
		hashes[i] = r.Hash
		t.Logf("seed %d: %v simulated in %v, %.0f x, %d steps, %d lives, %d orders", r.Seed, r.Simulated, r.Wall, r.Simulated.Seconds()/r.Wall.Seconds(), r.Steps, r.Lives, r.Orders)
	}
	if hashes[0] != hashes[1] {
		t.Errorf("two runs differ: %x and %x", hashes[0], hashes[1])
	}
}

// Tick2order measures the time from a bookTicker frame on the wire to the whole order
// request that it caused, from outside the process, for several subjects in turn: bare
// echoes in C and Go, a stack of usual libraries, and riposte. See package
// riposte/bench/path for the method.
//
//	go run ./bench/cmd/tick2order --samples 100000 --tls
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/alecthomas/kong"
	"github.com/pkg/profile"

	"riposte/bench"
	"riposte/bench/path"
)

type cli struct {
	Measure measureCmd `cmd:"" default:"withargs" help:"Measure (the default)."`
	Echo    echoCmd    `cmd:"" hidden:"" help:"The reference in Go: answer every frame with the same bytes."`
}

type measureCmd struct {
	Samples       int           `default:"100000" help:"Samples of each subject, all rounds together."`
	Rounds        int           `default:"10" help:"In how many rounds; in each one every subject has its turn."`
	Warmup        int           `default:"500" help:"Samples before each turn that do not count."`
	Rate          int           `default:"2000" help:"steady: samples per second."`
	Schedule      string        `enum:"steady,recorded" default:"steady" help:"steady: at the rate. recorded: at the pace of the recording, all its streams and bursts included."`
	Pause         time.Duration `default:"500us" help:"recorded: longer pauses are cut down to it."`
	Every         int           `default:"4" help:"recorded: one touch in so many causes an order."`
	Others        int           `default:"3" help:"recorded: other symbols in the feed."`
	Walk          string        `enum:"far,near" default:"far" help:"far: no order can have been signed ahead. near: the bid moves by one tick."`
	TLS           bool          `name:"tls" help:"TLS 1.3 on every connection."`
	Threads       string        `enum:"inline,pinned" default:"inline" help:"Threads of the engine."`
	Wires         int           `default:"4" help:"The engine's connections for orders."`
	Journal       bool          `default:"true" negatable:"" help:"Let the engine keep its journal."`
	Subjects      []string      `default:"c-spin,go-spin,go-park,stack,riposte-spin,riposte-park" help:"What to measure, by name; riposte-spin@FILE takes another binary, and -gc behind the name forces a collection every --gc-every."`
	GCEvery       time.Duration `name:"gc-every" default:"10ms" help:"How often subjects with -gc collect."`
	Binary        string        `default:"bin/riposte" help:"The engine."`
	Stack         string        `placeholder:"FILE" help:"The stack's binary; without it, it is built."`
	CPU           int           `default:"0" help:"CPU of the harness; -1 any."`
	SubjectCPU    int           `name:"subject-cpu" default:"1" help:"CPU of whatever is measured; -1 any."`
	JSON          string        `name:"json" placeholder:"FILE" help:"Write the figures as JSON too; - is stdout."`
	Slice         int           `default:"500" help:"Samples measured at a time."`
	Patience      int           `default:"8" help:"Take up to so many times the samples, to have as many as are wanted during which no other program ran on either CPU."`
	Foreign       float64       `default:"0.002" help:"Where the kernel does not tell what ran when: the share of a CPU that others may take during a slice that counts."`
	Said          bool          `help:"Show the last line that each subject printed: riposte's summary, its stage clock in it."`
	Profile       string        `enum:",cpu,mem,mutex,block,trace" default:"" help:"Profile the harness itself."`
	EngineProfile string        `enum:",cpu,mem,mutex,block,trace" default:"" help:"Have the engine profile itself."`
}

// Run measures and prints.
func (c *measureCmd) Run() (err error) {
	if path.CPUs() == 1 {
		c.CPU, c.SubjectCPU = -1, -1 // there is nothing to keep apart
	}
	if err := path.Confine(c.CPU); err != nil {
		return err
	}
	runtime.GOMAXPROCS(max(runtime.GOMAXPROCS(0), 4)) // handshakes go on beside the loop
	dir, err := os.MkdirTemp("", "tick2order-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	corpus, err := bench.Load(bench.Spot)
	if err != nil {
		return err
	}
	rounds := max(c.Rounds, 1)
	plan := path.Plan{Samples: max(c.Samples/rounds, 1), Warmup: c.Warmup, Traffic: path.Steady(max(c.Rate, 1)),
		Slice: c.Slice, Foreign: c.Foreign, Patience: c.Patience}
	setup := path.Setup{Corpus: corpus, Walk: path.Walk(c.Walk), CPU: c.SubjectCPU, Own: c.CPU}
	if c.Schedule == "recorded" {
		setup.Others = c.Others
		if plan.Traffic, err = path.Recorded(corpus, path.RecordedOptions{Pause: c.Pause, Every: c.Every, Others: c.Others}); err != nil {
			return err
		}
	}
	var authority *bench.Authority
	if c.TLS {
		if authority, err = bench.NewAuthority(); err != nil {
			return err
		}
		setup.TLS = authority.Server()
	}
	b := builder{c: c, dir: dir, authority: authority}
	if c.Schedule == "recorded" {
		b.mark = path.Marked()
	}
	rows, err := b.subjects()
	if err != nil {
		return err
	}
	if c.Profile != "" {
		mode := map[string]func(*profile.Profile){"cpu": profile.CPUProfile, "mem": profile.MemProfileAllocs, "mutex": profile.MutexProfile,
			"block": profile.BlockProfile, "trace": profile.TraceProfile}[c.Profile]
		defer profile.Start(mode, profile.NoShutdownHook, profile.Quiet, profile.ProfilePath(".")).Stop()
	}
	machine := bench.ThisMachine()
	machine.CPUs = path.CPUs()
	out := output{Machine: machine, Corpus: corpus.String(), Options: c}
	if err := alone(func() error { return interleave(&setup, plan, rounds, rows) }); err != nil {
		return err
	}
	if err := out.add(rows); err != nil {
		return err
	}
	return out.print(os.Stdout)
}

// interleave gives every subject its turn in each round, so that what disturbs the
// machine for a while disturbs all of them.
func interleave(setup *path.Setup, plan path.Plan, rounds int, rows []*row) error {
	for range rounds {
		for _, r := range rows {
			if r.sub.Skip != "" {
				continue
			}
			debug.FreeOSMemory() // all that the trial before has left, so that nothing tidies up during this one
			res, err := setup.Trial(r.sub, plan)
			if err != nil {
				return err
			}
			r.rounds = append(r.rounds, res)
		}
	}
	return nil
}

// alone runs f on a thread of its own and without the garbage collector, which comes
// back only if memory passes all bounds of what a trial keeps.
func alone(f func() error) error {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(2 << 30))
	ended := make(chan error)
	go func() {
		runtime.LockOSThread()
		ended <- f()
	}()
	return <-ended
}

type echoCmd struct {
	REST   string `required:"" name:"rest" help:"Where orders go."`
	Stream string `required:"" help:"Where frames come from."`
	Target string `required:"" help:"Path and query of the stream."`
	Prefix string `help:"Answer only frames whose payload begins so,"`
	MarkAt int    `help:"and has an even digit here."`
	Wait   string `enum:"spin,park" default:"spin" help:"How to wait."`
	CA     string `name:"ca" help:"Certificate authority; none is plain."`
}

// Run answers until SIGTERM.
func (c *echoCmd) Run() error {
	o := path.EchoOptions{REST: c.REST, Stream: c.Stream, Target: c.Target, Mark: path.Mark{Prefix: c.Prefix, At: c.MarkAt}, Spin: c.Wait == "spin"}
	if c.CA != "" {
		text, err := os.ReadFile(c.CA)
		if err != nil {
			return err
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(text) {
			return fmt.Errorf("cannot use CA file %s: found no certificate in it", c.CA)
		}
		o.TLS = &tls.Config{MinVersion: tls.VersionTLS13, RootCAs: pool, ServerName: "localhost"}
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	return path.Echo(ctx, o)
}

func main() {
	var c cli
	k := kong.Parse(&c, kong.Name("tick2order"), kong.Description("Tick-to-order on loopback, wire to wire."))
	k.FatalIfErrorf(k.Run())
}

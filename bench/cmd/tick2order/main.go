// Tick2order measures the time from a bookTicker frame on the wire to the whole order
// request that it caused, from outside the process, beside a bare echo in the same
// run. See package riposte/bench/path for the method.
//
//	go run ./bench/cmd/tick2order --wait spin --tls
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kong"
	"github.com/pkg/profile"

	"riposte/bench"
	"riposte/bench/path"
)

type cli struct {
	Measure measureCmd `cmd:"" default:"withargs" help:"Measure (the default)."`
	Echo    echoCmd    `cmd:"" hidden:"" help:"The reference: answer every frame with the same bytes."`
}

type measureCmd struct {
	Samples       int      `default:"20000" help:"Frames that count, per round."`
	Warmup        int      `default:"2000" help:"Frames before them that do not, per round."`
	Rate          int      `default:"1000" help:"Frames per second."`
	Schedule      string   `enum:"steady,recorded" default:"steady" help:"steady: at the rate. recorded: at the pace of the recording, bursts included."`
	Walk          string   `enum:"far,near" default:"far" help:"far: no order can have been signed ahead. near: the bid moves by one tick."`
	TLS           bool     `name:"tls" help:"TLS 1.3 on every connection."`
	Wait          string   `enum:"spin,park" default:"spin" help:"How the engine and the echo wait."`
	Threads       string   `enum:"inline,pinned" default:"inline" help:"Threads of the engine."`
	Wires         int      `default:"4" help:"The engine's connections for orders."`
	Journal       bool     `default:"true" negatable:"" help:"Let the engine keep its journal."`
	Rounds        int      `default:"1" help:"Measure each subject that often, in turn, and take it together."`
	Subjects      []string `enum:"echo,riposte" default:"echo,riposte" help:"What to measure; the first is the reference."`
	Binary        string   `default:"bin/riposte" help:"The engine."`
	CPU           int      `default:"-2" help:"CPU of the harness; -1 any, -2 the last one if there are several."`
	JSON          string   `name:"json" placeholder:"FILE" help:"Write the figures as JSON too; - is stdout."`
	Profile       string   `enum:",cpu,mem,mutex,block,trace" default:"" help:"Profile the harness itself."`
	EngineProfile string   `enum:",cpu,mem,mutex,block,trace" default:"" help:"Have the engine profile itself."`
}

// Run measures and prints.
func (c *measureCmd) Run() (err error) {
	dir, err := os.MkdirTemp("", "tick2order-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	corpus, err := bench.Load(bench.Spot)
	if err != nil {
		return err
	}
	plan := path.Plan{Samples: c.Samples, Warmup: c.Warmup, Schedule: path.Steady(max(c.Rate, 1))}
	if c.Schedule == "recorded" {
		if plan.Schedule, err = path.Recorded(corpus, 20*time.Millisecond); err != nil {
			return err
		}
	}
	var authority *bench.Authority
	var server *tls.Config
	if c.TLS {
		if authority, err = bench.NewAuthority(); err != nil {
			return err
		}
		server = authority.Server()
	}
	subjects := make([]path.Subject, len(c.Subjects))
	for i, name := range c.Subjects {
		if subjects[i], err = c.subject(name, dir, authority); err != nil {
			return err
		}
	}
	if c.Profile != "" {
		mode := map[string]func(*profile.Profile){"cpu": profile.CPUProfile, "mem": profile.MemProfileAllocs, "mutex": profile.MutexProfile,
			"block": profile.BlockProfile, "trace": profile.TraceProfile}[c.Profile]
		defer profile.Start(mode, profile.NoShutdownHook, profile.Quiet, profile.ProfilePath(".")).Stop()
	}
	results := make([]*path.Result, len(subjects))
	machine := bench.ThisMachine()
	if err := c.alone(func() error {
		for range max(c.Rounds, 1) {
			for i, sub := range subjects {
				r, err := path.Trial(sub, corpus, path.Walk(c.Walk), server, plan)
				if err != nil {
					return err
				}
				if results[i] == nil {
					results[i] = r
				} else {
					results[i].Add(r)
				}
			}
		}
		return nil
	}); err != nil {
		return err
	}
	return c.print(os.Stdout, machine, corpus, subjects, results)
}

// harnessCPU is where the harness stays, and the first CPU that is left for what it
// measures; -1 is anywhere.
func (c *measureCmd) harnessCPU() (own, other int) {
	n := runtime.NumCPU()
	switch {
	case c.CPU >= 0:
		return c.CPU, (c.CPU + 1) % n
	case c.CPU == -1 || n == 1:
		return -1, -1
	}
	return n - 1, 0
}

// alone runs f on a thread of its own, pinned, without the garbage collector: what it
// keeps is bounded by the samples.
func (c *measureCmd) alone(f func() error) error {
	defer debug.SetGCPercent(debug.SetGCPercent(-1))
	defer debug.SetMemoryLimit(debug.SetMemoryLimit(1 << 30))
	ended := make(chan error)
	go func() {
		runtime.LockOSThread() // never given back: the thread is pinned and ends here
		own, _ := c.harnessCPU()
		if err := path.Pin(own); err != nil {
			ended <- err
			return
		}
		ended <- f()
	}()
	return <-ended
}

func (c *measureCmd) subject(name, dir string, a *bench.Authority) (path.Subject, error) {
	_, cpu := c.harnessCPU()
	if name == "riposte" {
		binary, err := filepath.Abs(c.Binary)
		if err != nil {
			return path.Subject{}, err
		}
		if _, err := os.Stat(binary); err != nil {
			return path.Subject{}, fmt.Errorf("cannot measure riposte: %w (make build makes it)", err)
		}
		o := path.RiposteOptions{Binary: binary, Dir: dir, Threads: c.Threads, Wait: c.Wait, Wires: c.Wires, Journal: c.Journal, Profile: c.EngineProfile}
		if cpu >= 0 && c.Wait == "spin" { // one that sleeps goes where there is room, as the echo does
			o.CPUs = []int{cpu}
		}
		return path.Riposte(o, a), nil
	}
	self, err := os.Executable()
	if err != nil {
		return path.Subject{}, err
	}
	ca := ""
	if a != nil {
		ca = filepath.Join(dir, "echo-ca.pem")
		if err := os.WriteFile(ca, a.PEM(), 0o600); err != nil {
			return path.Subject{}, err
		}
	}
	return path.Command("echo", true, func(s *path.Server) ([]string, error) {
		rest, stream, _ := s.URLs()
		return []string{self, "echo", "--rest", rest, "--stream", stream, "--wait", c.Wait, "--ca", ca, fmt.Sprintf("--cpu=%d", cpu)}, nil
	}), nil
}

func (c *measureCmd) print(w io.Writer, m bench.Machine, corpus *bench.Corpus, subjects []path.Subject, results []*path.Result) error {
	figures := make([]path.Figures, len(results))
	for i, r := range results {
		figures[i] = r.Figures(subjects[i].Name)
	}
	if c.JSON != "-" {
		fmt.Fprintf(w, "tick-to-order on loopback, microseconds from a frame's intended time to its whole order received\n")
		fmt.Fprintf(w, "machine: %s\ncorpus: %s\n", m, corpus)
		fmt.Fprintf(w, "schedule %s, %d/s, walk %s, tls %t, wait %s, threads %s, journal %t, rounds %d, warm-up %d\n",
			c.Schedule, c.Rate, c.Walk, c.TLS, c.Wait, c.Threads, c.Journal, max(c.Rounds, 1), c.Warmup)
		t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
		fmt.Fprintln(t, "subject\tsamples\tp50\tp90\tp99\tp99.9\tmax\tlost\tstray\tlate\tlag most\t")
		for _, f := range figures {
			fmt.Fprintf(t, "%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%d\t%d\t%d\t%.1f\t\n", f.Name, f.Samples, f.P50, f.P90, f.P99, f.P999, f.Max, f.Lost, f.Stray, f.Late, f.LagMostUs)
		}
		for _, f := range figures[1:] {
			ref := figures[0]
			fmt.Fprintf(t, "%s / %s\t\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t\t\t\t\t\n", f.Name, ref.Name, f.P50/ref.P50, f.P90/ref.P90, f.P99/ref.P99, f.P999/ref.P999, f.Max/ref.Max)
		}
		if err := t.Flush(); err != nil {
			return err
		}
		for i, r := range results {
			if r.Lost+r.Stray > 0 {
				fmt.Fprintf(w, "%s, of which orders are missing or too many, said last: %s\n", subjects[i].Name, r.Said)
			}
		}
	}
	if c.JSON == "" {
		return nil
	}
	if c.JSON != "-" {
		f, err := os.Create(c.JSON)
		if err != nil {
			return err
		}
		defer f.Close()
		w = f
	}
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(struct {
		Machine bench.Machine  `json:"machine"`
		Corpus  string         `json:"corpus"`
		Options *measureCmd    `json:"options"`
		Figures []path.Figures `json:"figures"`
	}{m, corpus.String(), c, figures})
}

type echoCmd struct {
	REST   string `required:"" name:"rest" help:"Where orders go."`
	Stream string `required:"" help:"Where frames come from."`
	Wait   string `enum:"spin,park" default:"spin" help:"How to wait."`
	CA     string `name:"ca" help:"Certificate authority; none is plain."`
	CPU    int    `default:"-1" help:"CPU to stay on."`
}

// Run answers until SIGTERM.
func (c *echoCmd) Run() error {
	o := path.EchoOptions{REST: c.REST, Stream: c.Stream, Spin: c.Wait == "spin", CPU: c.CPU}
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

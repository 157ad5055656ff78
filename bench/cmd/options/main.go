// Options measures what each option of threads, sockets and memory does to tick-to-order,
// one against the default at a time: both are measured in every round, in turn, so that
// what disturbs the machine for a while disturbs both. The figures are medians of the
// rounds', the ratio is the median of the rounds' ratios.
//
//	make build && go build -o bin/tick2order ./bench/cmd/tick2order
//	go run ./bench/cmd/options --rounds 7
//
// Each round can also be a command of its own (--rounds 1 --record FILE), for a machine
// that is shared with others; --summary prints what the file holds.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

type cli struct {
	Rounds  int      `default:"5" help:"Rounds of each option."`
	Samples int      `default:"6000" help:"Samples of each side in a round."`
	Rate    int      `default:"2000" help:"Samples per second."`
	Only    []string `placeholder:"NAME" help:"Options to measure; default all."`
	Harness string   `default:"bin/tick2order" help:"The harness."`
	Engine  string   `default:"bin/riposte" help:"The engine."`
	Other   string   `placeholder:"FILE" help:"The engine built without a profile, for the option pgo."`
	Record  string   `placeholder:"FILE" help:"Append each round to this file."`
	Foreign float64  `default:"1" help:"Leave rounds out in which other programs took more of the CPUs than this."`
	Summary bool     `help:"Measure nothing; print what --record holds."`
	List    bool     `help:"Print the names of the options."`
}

// option is what is changed against the default. Sides are arguments of riposte run, or
// NAME=VALUE of its environment.
type option struct {
	name          string
	wait          string
	anywhere      bool // not on one CPU: threads or CPUs are what is measured
	tls           bool
	without, with []string
}

func set(pairs ...string) (list []string) {
	for _, p := range pairs {
		list = append(list, "--set", p)
	}
	return list
}

var options = []option{
	{name: "nothing", wait: "spin"}, // the same twice: what the noise of the machine makes of it
	{name: "nothing-park", wait: "park"},
	{name: "spin", wait: "park", anywhere: true, with: set("loop.wait=spin")},
	{name: "pinned-park", wait: "park", anywhere: true, with: set("loop.threads=pinned")},
	{name: "pinned-spin", wait: "spin", anywhere: true, with: set("loop.threads=pinned")},
	{name: "affinity", wait: "spin", anywhere: true, with: set("loop.cpus=[1]")},
	{name: "delay", wait: "spin", with: set("loop.no_delay=false")},
	{name: "quick-ack", wait: "spin", with: set("loop.quick_ack=true")},
	{name: "quick-ack-park", wait: "park", with: set("loop.quick_ack=true")},
	{name: "busy-poll", wait: "spin", with: set("loop.busy_poll=50us")},
	{name: "busy-poll-park", wait: "park", with: set("loop.busy_poll=50us")},
	{name: "memory-lock", wait: "spin", with: set("memory.lock=true")},
	{name: "memory-prefault", wait: "spin", with: set("memory.prefault=true")},
	{name: "gc-off", wait: "spin", with: []string{"GOGC=off", "GOMEMLIMIT=1GiB"}},
	{name: "gc-often", wait: "spin", with: []string{"GOGC=10"}},
	{name: "flight-recorder", wait: "spin", with: set("latency.flight_recorder=true", "latency.dump_factor=0", "latency.dump_over=1m")},
	{name: "flight-recorder-park", wait: "park", with: set("latency.flight_recorder=true", "latency.dump_factor=0", "latency.dump_over=1m")},
	{name: "no-journal", wait: "spin", with: set("journal.dir=")},
	{name: "admin", wait: "spin", with: set("admin.address=127.0.0.1:0")},
	{name: "pgo", wait: "spin"},
}

// Run measures, or sums up.
func (c *cli) Run() error {
	switch {
	case c.List:
		for _, o := range options {
			fmt.Println(o.name)
		}
		return nil
	case c.Summary:
		rounds, err := readRounds(c.Record)
		if err != nil {
			return err
		}
		return table(os.Stdout, quiet(rounds, c.Foreign))
	}
	for _, name := range c.Only {
		if !slices.ContainsFunc(options, func(o option) bool { return o.name == name }) {
			return fmt.Errorf("option is %q, want one that --list names", name)
		}
	}
	var rounds []round
	for range c.Rounds {
		for _, o := range options {
			if len(c.Only) > 0 && !slices.Contains(c.Only, o.name) || o.name == "pgo" && c.Other == "" {
				continue
			}
			r, err := c.measure(o)
			if err != nil {
				return fmt.Errorf("%s: %w", o.name, err)
			}
			rounds = append(rounds, r)
			if err := c.keep(r); err != nil {
				return err
			}
		}
	}
	return table(os.Stdout, quiet(rounds, c.Foreign))
}

// measure gives both sides one turn, in an order that chance decides: the first of two
// finds the machine as the harness's start left it.
func (c *cli) measure(o option) (r round, err error) {
	dir, err := os.MkdirTemp("", "options-")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	engine, err := filepath.Abs(c.Engine)
	if err != nil {
		return r, err
	}
	other := engine
	if o.name == "pgo" {
		if other, err = filepath.Abs(c.Other); err != nil {
			return r, err
		}
	}
	var subjects []string
	for side, x := range []struct {
		engine string
		change []string
	}{{other, o.without}, {engine, o.with}} {
		file := filepath.Join(dir, [2]string{"without", "with"}[side])
		if err := os.WriteFile(file, wrapper(x.engine, x.change), 0o700); err != nil {
			return r, err
		}
		subjects = append(subjects, "riposte-"+o.wait+"@"+file)
	}
	swapped := rand.IntN(2) == 1
	if swapped {
		slices.Reverse(subjects)
	}
	args := []string{"--samples", fmt.Sprint(c.Samples), "--rounds", "1", "--rate", fmt.Sprint(c.Rate), "--subjects", strings.Join(subjects, ","), "--json", "-"}
	if o.tls {
		args = append(args, "--tls")
	}
	if o.anywhere {
		args = append(args, "--cpu=-1", "--subject-cpu=-1")
	}
	cmd := exec.Command(c.Harness, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return r, fmt.Errorf("%s: %w", cmd, err)
	}
	if r, err = parseRound(o.name, out); swapped {
		r.Without, r.With = r.With, r.Without
	}
	return r, err
}

// wrapper is a program that is the engine with a change: the harness knows engines by
// their file.
func wrapper(engine string, change []string) []byte {
	var b strings.Builder
	b.WriteString("#!/bin/sh\n")
	var args []string
	for _, c := range change {
		if name, _, ok := strings.Cut(c, "="); ok && name == strings.ToUpper(name) {
			fmt.Fprintf(&b, "export '%s'\n", c)
			continue
		}
		args = append(args, "'"+c+"'")
	}
	fmt.Fprintf(&b, "exec '%s' \"$@\" %s\n", engine, strings.Join(args, " "))
	return []byte(b.String())
}

func (c *cli) keep(r round) error {
	if c.Record == "" {
		return nil
	}
	f, err := os.OpenFile(c.Record, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	return errors.Join(json.NewEncoder(f).Encode(r), f.Close())
}

func readRounds(name string) (rounds []round, err error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	sc := bufio.NewScanner(bytes.NewReader(text))
	for sc.Scan() {
		var r round
		if err := json.Unmarshal(sc.Bytes(), &r); err != nil {
			return nil, fmt.Errorf("cannot read %s: %w", name, err)
		}
		rounds = append(rounds, r)
	}
	return rounds, sc.Err()
}

func main() {
	var c cli
	k := kong.Parse(&c, kong.Name("options"), kong.Description("Tick-to-order with and without each option."))
	k.FatalIfErrorf(k.Run())
}

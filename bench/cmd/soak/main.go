// Soak runs the built binary for hours against its own venue, which plays a recording
// faster than it was made and keeps breaking lines, and tells whether anything in the
// engine's process grows: memory, heap, goroutines, descriptors, journal.
//
//	make build && go run ./bench/cmd/soak --for 2h
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"riposte/bench"
)

type cli struct {
	For    time.Duration `default:"2h" help:"How long."`
	Every  time.Duration `default:"10s" help:"Time between samples."`
	Warmup time.Duration `default:"10m" help:"What is left out of the slopes; a fifth of the run at most."`
	Tape   string        `default:"../shared/data/streams/spot_btcusdt_20240808.tsv.gz" help:"The recording."`
	Speed  float64       `default:"5" help:"How many times faster than recorded it is played."`
	Faults []string      `sep:"none" default:"every 60s cut streams" help:"Lines of the venue's fault script."`
	Set    []string      `sep:"none" placeholder:"KEY=VALUE" help:"Keys of the engine's configuration."`
	Binary string        `default:"bin/riposte" help:"What is soaked."`
}

// Run soaks and prints the table. It fails if the engine did not end cleanly.
func (c *cli) Run() (err error) {
	dir, err := os.MkdirTemp("", "riposte-soak-")
	if err != nil {
		return fmt.Errorf("cannot soak: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	script := filepath.Join(dir, "faults")
	if err := os.WriteFile(script, []byte(strings.Join(c.Faults, "\n")+"\n"), 0o600); err != nil {
		return fmt.Errorf("cannot soak: %w", err)
	}
	v, err := startVenue(ctx, c.Binary, "--tape", c.Tape, "--tape-speed", fmt.Sprint(c.Speed), "--faults", script)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, v.stop()) }()
	e, err := startEngine(ctx, c.Binary, dir, v.at, c.Set)
	if err != nil {
		return err
	}
	rows, final, err := c.watch(ctx, e)
	if err != nil {
		return errors.Join(err, e.kill())
	}
	fmt.Println(bench.ThisMachine())
	soaked, err := exec.Command(c.Binary, "version").Output() // which need not be of this checkout
	if err != nil {
		return fmt.Errorf("cannot tell what was soaked: %w", err)
	}
	fmt.Printf("soaked %s", soaked)
	fmt.Printf("recording %s at %gx, %s\n", filepath.Base(c.Tape), c.Speed, strings.Join(c.Faults, ", "))
	table(os.Stdout, rows, min(c.Warmup, c.For/5))
	fmt.Printf("at the end: frames %d, connects %d, demotions %d, gaps %d, orders %d, fills %d, unknown %d, mismatches %d, clean %v\n",
		final.Frames, final.Connects, final.Demotions, final.Gaps, final.Orders, final.Fills, final.Unknown, final.Mismatches, final.Clean)
	if !final.Clean {
		return errors.New("the soaked engine did not end cleanly")
	}
	return nil
}

// watch samples until the time is up or someone interrupts, then ends the engine.
func (c *cli) watch(ctx context.Context, e *engine) (rows []sample, final *report, err error) {
	tick := time.NewTicker(c.Every)
	defer tick.Stop()
	end := time.After(c.For)
	for {
		select {
		case <-tick.C:
			s, err := e.sample()
			if err != nil {
				return rows, nil, err
			}
			rows = append(rows, s)
			fmt.Fprintf(os.Stderr, "%6.0f s  resident %6.1f MB  heap %6.2f MB  goroutines %3.0f  descriptors %3.0f  orders %6.0f\n",
				s.at.Seconds(), s.values[resident]/1e6, s.values[heap]/1e6, s.values[goroutines], s.values[descriptors], s.values[orders])
			continue
		case err := <-e.done:
			return rows, nil, fmt.Errorf("the engine ended by itself: %w", err)
		case <-end:
		case <-ctx.Done():
		}
		final, err = e.stop()
		return rows, final, err
	}
}

func main() {
	var c cli
	k := kong.Parse(&c, kong.Name("soak"), kong.Description("Run the engine for hours and see what grows."))
	k.FatalIfErrorf(k.Run())
}

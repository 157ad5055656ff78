package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/trace"
	"slices"
	"strings"
	"sync"
	"time"

	"riposte/core"
	"riposte/exec"
)

// LatencyConfig is [latency].
type LatencyConfig struct {
	FlightRecorder bool     `toml:"flight_recorder"`
	Window         duration `toml:"window"`
	DumpOver       duration `toml:"dump_over"`
	DumpFactor     float64  `toml:"dump_factor"`
	DumpEvery      duration `toml:"dump_every"`
	DumpFiles      int      `toml:"dump_files"`
	DumpDir        string   `toml:"dump_dir"`
}

func (c *LatencyConfig) check() error {
	errs := []error{
		span("latency.window", c.Window, 100*time.Millisecond, time.Minute),
		span("latency.dump_over", c.DumpOver, 0, time.Minute),
		span("latency.dump_every", c.DumpEvery, 0, 24*time.Hour),
		between("latency.dump_files", c.DumpFiles, 1, 10_000),
	}
	if f := c.DumpFactor; f != 0 && !(f > 1 && f <= 1e6) {
		errs = append(errs, want("latency.dump_factor", f, "0 or more than 1"))
	}
	if c.FlightRecorder && c.DumpOver.Duration == 0 && c.DumpFactor == 0 {
		errs = append(errs, errors.New("latency.flight_recorder is true while dump_over and dump_factor are 0, want one of them: nothing would ever be written"))
	}
	return errors.Join(errs...)
}

// flightRecorder keeps the last seconds of the runtime's execution trace in memory
// and writes them to a file when an order has taken too long: longer than a fixed
// limit, or than the p99.9 so far by a factor. What kept the loop (a descheduled
// thread, a collection, a system call) is then there to be looked at with
// go tool trace.
//
// learn and judge are the collecting goroutine's. Files are written on a goroutine of
// their own, one at a time.
type flightRecorder struct {
	cfg   LatencyConfig
	rec   *trace.FlightRecorder
	clock core.Clock

	p999     int64       // of orders' totals, 0 while there are too few
	next     core.MonoNs // no dump before
	begun    int         // dumps, failed ones included
	writing  sync.WaitGroup
	mu       sync.Mutex // guards the rest
	busy     bool
	finished []traceDump
}

// traceDump is one file and why it was written.
type traceDump struct {
	File   string           `json:"file,omitempty"`
	Error  string           `json:"error,omitempty"` // why there is none
	Order  core.OrderID     `json:"order"`
	Total  int64            `json:"total_ns"`
	Limit  int64            `json:"limit_ns"`
	Stages map[string]int64 `json:"stages_ns"`
}

const (
	// flightSamples is how many orders a p99.9 needs before it is believed.
	flightSamples = 1000
	// flightBytes bounds the trace in memory.
	flightBytes = 32 << 20
)

// newFlightRecorder starts recording. There can be one in a process.
func newFlightRecorder(cfg LatencyConfig, clock core.Clock) (*flightRecorder, error) {
	if err := os.MkdirAll(cfg.DumpDir, 0o755); err != nil {
		return nil, fmt.Errorf("cannot make latency.dump_dir: %w", err)
	}
	f := &flightRecorder{cfg: cfg, clock: clock,
		rec: trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: cfg.Window.Duration, MaxBytes: flightBytes})}
	if err := f.rec.Start(); err != nil {
		return nil, fmt.Errorf("cannot start the flight recorder: %w", err)
	}
	return f, nil
}

// learn takes the p99.9 of what came before the orders to be judged.
func (f *flightRecorder) learn(total *figure) {
	if f.cfg.DumpFactor > 0 && total.h != nil && total.h.TotalCount() >= flightSamples {
		f.p999 = total.h.ValueAtQuantile(99.9)
	}
}

// limit is from where on an order is too slow, 0: never.
func (f *flightRecorder) limit() int64 {
	limit := int64(f.cfg.DumpOver.Duration)
	if byFactor := int64(float64(f.p999) * f.cfg.DumpFactor); byFactor > 0 && (limit == 0 || byFactor < limit) {
		limit = byFactor
	}
	return limit
}

// judge looks at one order and begins a dump if it was too slow and a dump is due.
func (f *flightRecorder) judge(st *exec.Stamp, t *stageTimes) {
	limit := f.limit()
	if limit == 0 || t[stageTotal] <= limit || f.begun >= f.cfg.DumpFiles {
		return
	}
	now := f.clock.Mono()
	if now < f.next {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.busy {
		return
	}
	f.busy = true
	f.begun++
	f.next = now + core.MonoNs(f.cfg.DumpEvery.Duration)
	d := traceDump{Order: st.ID, Total: t[stageTotal], Limit: limit, Stages: map[string]int64{}}
	for i, name := range stageName[:stageTotal] {
		d.Stages[name] = t[i]
	}
	name := fmt.Sprintf("slow-%s-%d.trace", time.Unix(0, int64(f.clock.Wall())).UTC().Format("20060102T150405.000"), f.begun)
	// The trace has a clock of its own; this line in it joins the two.
	trace.Logf(context.Background(), "riposte", "order %d: written %v ago, %v after its frame was read", st.ID, time.Duration(now-st.Written), time.Duration(d.Total))
	f.writing.Go(func() {
		d.File = filepath.Join(f.cfg.DumpDir, name)
		if err := f.write(d.File); err != nil {
			d.File, d.Error = "", err.Error()
		}
		f.mu.Lock()
		defer f.mu.Unlock()
		f.finished = append(f.finished, d)
		f.busy = false
	})
}

func (f *flightRecorder) write(name string) (err error) {
	out, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("cannot write the trace of a slow order: %w", err)
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	if _, err := f.rec.WriteTo(out); err != nil {
		return fmt.Errorf("cannot write the trace of a slow order: %w", err)
	}
	return nil
}

// dumps are the files written so far.
func (f *flightRecorder) dumps() []traceDump {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.finished)
}

// close waits for a file under way and stops recording.
func (f *flightRecorder) close() {
	f.writing.Wait()
	f.rec.Stop()
}

// String is one dump on a line.
func (d *traceDump) String() string {
	where := "trace in " + d.File + " (go tool trace)"
	if d.Error != "" {
		where = d.Error
	}
	var parts []string
	for _, name := range stageName[:stageTotal] {
		parts = append(parts, name+" "+short(d.Stages[name]))
	}
	return fmt.Sprintf("order %d took %s, more than %s: %s; %s", d.Order, short(d.Total), short(d.Limit), strings.Join(parts, ", "), where)
}

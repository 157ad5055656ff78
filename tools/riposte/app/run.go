package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"time"

	"riposte/core"
)

// processStart is about when the process began, for the time to the first order.
var processStart = time.Now()

type runCmd struct {
	Config string        `type:"path" help:"Configuration file; without one, the built-in configuration on the embedded venue."`
	Set    []string      `placeholder:"KEY=VALUE" sep:"none" help:"Change one key of the configuration, such as loop.wait=spin; may be given more than once."`
	For    time.Duration `help:"Stop after this long; 0 runs until SIGINT or SIGTERM."`
	JSON   bool          `name:"json" help:"One JSON object per second and a final one."`
	Record string        `type:"path" placeholder:"DIR" help:"Record raw frames, REST bodies and what was lost into this folder; as record.dir; and what the engine took, as record.inputs."`
	Live   bool          `help:"Confirm that real money is traded; needed beside venue.acknowledge for environment live."`
	profileFlags
	developerFlags
}

// Run trades until it is told to stop, then cancels own orders, confirms, reconciles
// and sums up. The error is not nil unless all of that succeeded.
func (c runCmd) Run(o *output) (err error) {
	cfg, err := loadConfig(c.Config, c.Set...)
	if err != nil {
		return usageError{err}
	}
	if c.Record != "" {
		cfg.Record.Dir = c.Record
		cfg.Record.Inputs = cfg.Record.Inputs || len(cfg.traded()) > 0
	}
	if cfg.Venue.Environment == "live" && !c.Live {
		return usageError{errors.New("environment live trades real money: want --live on the command line too")}
	}
	stopProfile, err := c.start(o.stderr)
	if err != nil {
		return usageError{err}
	}
	defer stopProfile()
	stop, release := interrupts()
	defer release()
	ended, forget := endOf(stop, c.For)
	d, err := openDeskWith(cfg, func(d *desk) {
		d.patience = &patience{stop: ended, rng: rand.New(rand.NewPCG(d.ports.seedOf(seedContact, d.epoch), 1)),
			tell: func(text string) { fmt.Fprintln(o.stderr, "riposte:", text) }}
	})
	forget()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	d.patience = nil // the threads have their own
	if err := d.start(); err != nil {
		return err
	}
	for _, text := range d.warnings {
		fmt.Fprintln(o.stderr, "riposte: warning:", text)
	}
	defer c.collect()()
	p := newPrinter(o, c.JSON)
	p.hello(d)
	p.run(d, stop, c.For)
	stopProfile() // of trading, not of the end
	final := d.shutdown()
	p.final(final)
	if !final.Clean {
		return errors.New("the run did not end cleanly; see the summary")
	}
	return nil
}

// endOf is closed when stop is, or after limit if that is not 0. forget ends it.
func endOf(stop <-chan struct{}, limit time.Duration) (ended <-chan struct{}, forget func()) {
	ctx, cancel := context.WithCancel(context.Background())
	if limit > 0 {
		ctx, cancel = context.WithTimeout(ctx, limit)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case <-stop:
		case <-ctx.Done():
		}
		cancel()
	}()
	return ctx.Done(), func() {
		cancel()
		<-done
	}
}

// printer shows the run once a second: a screen on a terminal, lines otherwise, or
// JSON.
type printer struct {
	out      io.Writer
	errs     io.Writer
	asJSON   bool
	terminal bool
	first    bool
}

func newPrinter(o *output, asJSON bool) *printer {
	return &printer{out: o.stdout, errs: o.stderr, asJSON: asJSON, terminal: isTerminal(o.stdout), first: true}
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

// hello says what is worth knowing before the first figures.
func (p *printer) hello(d *desk) {
	if p.asJSON {
		return
	}
	if d.admin != nil {
		fmt.Fprintf(p.out, "admin on %s\n", d.admin.url)
	}
	fmt.Fprintf(p.out, "queues of %d symbols take %.1f MB, %s\n", len(d.queues), float64(d.queueBytes)/1e6, d.queueRange())
}

// run prints until stop is closed or the time is up.
func (p *printer) run(d *desk, stop <-chan struct{}, limit time.Duration) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	var end <-chan time.Time
	if limit > 0 {
		t := time.NewTimer(limit)
		defer t.Stop()
		end = t.C
	}
	for {
		select {
		case <-stop:
			return
		case <-end:
			return
		case at := <-d.firstAck:
			if !p.asJSON && !p.terminal {
				fmt.Fprintf(p.out, "first order acknowledged %.3f s after the process began\n", at)
			}
		case text := <-d.keeper.told:
			fmt.Fprintln(p.errs, "riposte:", text)
		case <-tick.C:
			if c, ok := d.clock.(*core.SystemClock); ok {
				c.Tune()
			}
			r := d.report()
			for _, text := range d.news.lines(d) {
				fmt.Fprintln(p.errs, "riposte:", text)
			}
			p.show(r)
		}
	}
}

func (p *printer) show(r *report) {
	var err error
	switch {
	case p.asJSON:
		err = r.json(p.out)
	case p.terminal:
		r.screen(p.out, true)
	default:
		r.line(p.out)
	}
	if err != nil {
		p.out = io.Discard // the reader has gone; trading goes on
	}
}

func (p *printer) final(r *report) {
	if p.asJSON {
		_ = r.json(p.out)
		return
	}
	r.summary(p.out)
}

// shutdownTime bounds the orderly end: cancels, their confirmation and the last
// comparison with the venue.
const shutdownTime = 20 * time.Second

// until polls a condition of another goroutine, for ends that have no signal.
func until(ctx context.Context, cond func() bool) bool {
	t := time.NewTicker(5 * time.Millisecond)
	defer t.Stop()
	for !cond() {
		select {
		case <-ctx.Done():
			return cond()
		case <-t.C:
		}
	}
	return true
}

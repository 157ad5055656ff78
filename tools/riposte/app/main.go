// Package app is the riposte binary: its commands, its configuration and the
// assembly of the rooms. It is a package so that a main of one's own, with
// strategies of one's own, is three lines:
//
//	import ("riposte/tools/riposte/app"; _ "example/mystrategy")
//	func main() { app.Main() }
package app

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/alecthomas/kong"

	_ "riposte/core/strategy" // registers the built-in strategies
)

// version is set by the build.
var version = "unknown"

// Exit codes, stable: scripts depend on them.
const (
	exitOK      = 0
	exitFailure = 1 // a run that did not stop cleanly or did not reconcile
	exitUsage   = 2 // flags, config or files that cannot be used
	exitPartly  = 3 // replay --journal: all that the logs hold is identical, and one ends early
	exitNoLog   = 4 // replay --journal: a run has no input log
)

// exitError is an error that exits with a code of its own.
type exitError struct {
	error
	code int
}

func (e exitError) Unwrap() error { return e.error }

// usageError marks errors of what the user gave, which exit with exitUsage.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

type cli struct {
	Run       runCmd       `cmd:"" help:"Trade. Without a config: on the embedded venue with the default strategy."`
	Venue     venueCmd     `cmd:"" help:"Serve the embedded Binance-compatible exchange alone."`
	Guard     guardCmd     `cmd:"" help:"Watch an engine from outside, and cancel its orders when its heart stops."`
	Orders    ordersCmd    `cmd:"" help:"Show orders, whatever became of them."`
	Fills     fillsCmd     `cmd:"" help:"Show fills."`
	Positions positionsCmd `cmd:"" help:"Show positions with profit before and after fees, and fees by asset."`
	Store     storeCmd     `cmd:"" help:"Show other tables of the store, or make it anew."`
	Reconcile reconcileCmd `cmd:"" help:"Compare the store with the venue: open orders, trades, balances. Changes nothing; exit 1 if anything differs."`
	Record    recordCmd    `cmd:"" help:"Record a market without trading: raw frames, REST bodies, what was lost."`
	Replay    replayCmd    `cmd:"" help:"Take recordings through the live path: decode, queue, sync, book."`
	Backtest  backtestCmd  `cmd:"" help:"Run the configuration on recordings: the same engine and strategies against a simulated exchange."`
	Why       whyCmd       `cmd:"" help:"Tell in plain words why an order was sent or refused, or what became of a signal, from the journal."`
	Import    importCmd    `cmd:"" help:"Make one recording of ours out of others' and of the venue's public history."`
	API       apiCmd       `cmd:"" name:"api" help:"Send one call to the venue's REST API, signed, and print the answer."`
	Keys      keysCmd      `cmd:"" help:"Make or check keys."`
	Config    configCmd    `cmd:"" help:"Write or check a configuration."`
	Journal   journalCmd   `cmd:"" help:"Verify or print a journal."`
	Signals   signalsCmd   `cmd:"" help:"List indicators for signals; show sources of signals, and approve what waits."`
	Tuning    tuningCmd    `cmd:"" help:"Print what each option of threads, sockets and memory brings, with figures."`
	Halt      haltCmd      `cmd:"" help:"Stop new orders and cancel our own: everywhere, on one symbol, or of one strategy."`
	Resume    resumeCmd    `cmd:"" help:"Let trading go on after a halt that only a person lifts."`
	Params    paramsCmd    `cmd:"" help:"Change parameters of a strategy while it runs, or give it an order to execute."`
	Version   versionCmd   `cmd:"" help:"Print version, Go and platform."`
}

// Main runs the command line and exits.
func Main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	var c cli
	k, err := kong.New(&c,
		kong.Name("riposte"),
		kong.Description("A low-latency trading engine for Binance. A market frame comes in, an order goes out."),
		kong.Writers(stdout, stderr),
		kong.Bind(&output{stdout: stdout, stderr: stderr}),
	)
	if err != nil {
		fmt.Fprintln(stderr, "riposte:", err)
		return exitUsage
	}
	// kong leaves through Exit for --help only.
	help := false
	k.Exit = func(int) { help = true }
	ctx, err := k.Parse(args)
	if help {
		return exitOK
	}
	if err != nil {
		fmt.Fprintf(stderr, "riposte: %v\n", err)
		return exitUsage
	}
	if err := ctx.Run(); err != nil {
		fmt.Fprintf(stderr, "riposte: %v\n", err)
		return exitCode(err)
	}
	return exitOK
}

// exitCode is what a command's error exits with.
func exitCode(err error) int {
	var usage usageError
	var coded exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &coded):
		return coded.code
	}
	return exitFailure
}

// output is where a command writes: results to stdout, all else to stderr.
type output struct{ stdout, stderr io.Writer }

// Tuning is the text of TUNING.md, given by a main that lies beside it.
var Tuning string

type tuningCmd struct{}

// Run prints the document.
func (tuningCmd) Run(o *output) error {
	if Tuning == "" {
		return errors.New("this binary was built without TUNING.md, want tools/riposte/TUNING.md of riposte's sources")
	}
	_, err := io.WriteString(o.stdout, Tuning)
	return err
}

type versionCmd struct{}

// Run prints the version line.
func (versionCmd) Run(o *output) error {
	fmt.Fprintf(o.stdout, "riposte %s %s %s/%s\n", versionText(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return nil
}

// versionText is the version, or what the build knows of its sources.
func versionText() string {
	v := version
	if info, ok := debug.ReadBuildInfo(); ok && v == "unknown" {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				v = s.Value
			}
		}
	}
	return v
}

type configCmd struct {
	Init  configInitCmd  `cmd:"" help:"Print a fully commented configuration."`
	Check configCheckCmd `cmd:"" help:"Check a configuration; every unknown key is shown with its line."`
}

type configInitCmd struct{}

// Run prints the built-in configuration, which is also its documentation.
func (configInitCmd) Run(o *output) error {
	_, err := o.stdout.Write(defaultTOML)
	return err
}

type configCheckCmd struct {
	File string `arg:"" help:"The configuration file."`
}

// Run checks the file as run would.
func (c configCheckCmd) Run(o *output) error {
	cfg, err := loadConfig(c.File)
	if err != nil {
		return usageError{err}
	}
	if err := cfg.tryStrategies(); err != nil {
		return usageError{fmt.Errorf("cannot use configuration %s: %w", c.File, err)}
	}
	fmt.Fprintf(o.stdout, "%s is usable: %s, %d symbols, strategy %q on %d of them\n",
		c.File, cfg.Venue.Environment, len(cfg.Market.Symbols), strings.Join(cfg.strategyNames(), ", "), len(cfg.traded()))
	return nil
}

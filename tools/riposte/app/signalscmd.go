package app

import (
	"fmt"
	"text/tabwriter"

	"riposte/core/signal"
)

type signalsCmd struct {
	List    signalsListCmd    `cmd:"" default:"1" help:"List the indicators that the rules of [signals] may name."`
	Sources signalsSourcesCmd `cmd:"" help:"Show the running engine's sources of signals: heard, refused, accepted, and what they are worth."`
	Approve signalsApproveCmd `cmd:"" help:"Let a signal from outside pass that waits for a person."`
}

type signalsListCmd struct{}

// Run prints every indicator that the rules of [signals] may name.
func (signalsListCmd) Run(o *output) error {
	t := tabwriter.NewWriter(o.stdout, 0, 4, 2, ' ', 0)
	for _, f := range []signal.Feed{signal.Bars, signal.Touch, signal.Depth, signal.Trades} {
		fmt.Fprintf(t, "of %v\t\t\n", f)
		for _, s := range signal.Specs() {
			if s.Of == f {
				fmt.Fprintf(t, "  %s\t%v\t%s\n", s.Signature(), s.Unit, s.Doc)
			}
		}
	}
	fmt.Fprint(t, "and\t\t\n  abs(x), min(x, y), max(x, y)\t\tof numbers in one unit\n",
		"  crossed_above(x, y), crossed_below(x, y)\ttrue or false\tit was not so when last looked at\n",
		"  + - * /  < <= > >= == !=  and or not  ?:\t\tbuy is 1, sell is -1; bars are 1m, \"kline 1m\", \"100 ticks\", \"2.5 base\"\n")
	return t.Flush()
}

type signalsSourcesCmd struct {
	Config string `type:"path" help:"The engine's configuration file; without one, the built-in configuration."`
}

// Run prints what the running engine says of its sources.
func (c signalsSourcesCmd) Run(o *output) error {
	return askEngine(o, c.Config, "/signals", &order{Who: whoami(), Reason: "to look"})
}

type signalsApproveCmd struct {
	ID     uint64 `arg:"" help:"The number of the signal, as the status shows it."`
	Reason string `default:"approved" help:"Why; it goes on record."`
	Config string `type:"path" help:"The engine's configuration file; without one, the built-in configuration."`
}

// Run approves a signal of the running engine.
func (c signalsApproveCmd) Run(o *output) error {
	return askEngine(o, c.Config, "/approve", &order{Who: whoami(), Reason: c.Reason, Signal: c.ID})
}

// askEngine sends an order to the running engine and prints its answer.
func askEngine(o *output, config, path string, req *order) error {
	cfg, err := loadConfig(config)
	if err != nil {
		return usageError{err}
	}
	text, err := tellEngine(cfg, path, req)
	if err == nil {
		fmt.Fprintln(o.stdout, text)
	}
	return err
}

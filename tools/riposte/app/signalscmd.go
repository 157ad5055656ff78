package app

import (
	"fmt"
	"text/tabwriter"

	"riposte/core/signal"
)

type signalsCmd struct{}

// Run prints every indicator that the rules of [signals] may name.
func (signalsCmd) Run(o *output) error {
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

package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"regexp"
	"slices"
	"strings"
	"text/tabwriter"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "bugs:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out, log io.Writer) error {
	flags := flag.NewFlagSet("bugs", flag.ContinueOnError)
	flags.SetOutput(log)
	root := flags.String("root", ".", "the module's root")
	which := flags.String("bugs", "", "only bugs whose name matches this regular expression")
	h := hunter{log: log}
	defer h.close()
	flags.IntVar(&h.seeds, "seeds", 2000, "how many seeds to try with each bug at most")
	flags.Float64Var(&h.minutes, "minutes", 2, "how many minutes with faults a seed simulates")
	flags.DurationVar(&h.limit, "limit", defaultLimit, "how long one bug may take")
	build := flags.Bool("build", false, "only build with each bug")
	asJSON := flags.Bool("json", false, "print one JSON object for each bug")
	canary := flags.Int("canary", 0, "first run this many seeds without a bug; those that find something are left out")
	if err := flags.Parse(args); err != nil {
		return err
	}
	pattern, err := regexp.Compile(*which)
	if err != nil {
		return fmt.Errorf("cannot use -bugs: %w", err)
	}
	if h.root, err = moduleRoot(*root); err != nil {
		return err
	}
	list, err := readBugs(h.path("tools/sim/testdata/bugs"))
	if err != nil {
		return err
	}
	list = slices.DeleteFunc(list, func(b bug) bool { return !pattern.MatchString(b.name) })
	if *canary > 0 {
		sick, report, err := h.canary(ctx, *canary)
		if err != nil {
			return err
		}
		h.sick = sick
		fmt.Fprintf(log, "without a bug: %d of %d seeds break a promise\n%s", len(sick), *canary, report)
	}
	var catches []catch
	for i := range list {
		if ctx.Err() != nil {
			break
		}
		var c catch
		if *build {
			c = h.try(ctx, &list[i])
		} else {
			c = h.hunt(ctx, &list[i], h.seeds)
		}
		catches = append(catches, c)
		if *asJSON {
			if err := json.NewEncoder(out).Encode(c); err != nil {
				return err
			}
			continue
		}
		fmt.Fprintln(log, c)
	}
	if !*asJSON {
		table(out, catches)
	}
	if slices.ContainsFunc(catches, func(c catch) bool { return c.Error != "" }) {
		return fmt.Errorf("not all of them could be tried")
	}
	return ctx.Err()
}

// table prints what became of each bug, and the sum of it.
func table(out io.Writer, list []catch) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "bug\tcaught by\texpected\tseeds\tseconds\twhat was found")
	var seeds []int
	tested := 0
	for _, c := range list {
		by := c.Promise
		switch {
		case c.Error != "":
			by = "ERROR"
		case !c.Found:
			by = "not caught"
		case c.Test != "":
			by = "test"
			tested++
			c.Text = c.Test + ": " + c.Text
		default:
			seeds = append(seeds, c.Seeds)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%.0f\t%s\n", c.Bug, by, strings.Join(c.Expected, " "), c.Seeds, c.Seconds, clip(c.Text+c.Error, 90))
	}
	_ = w.Flush()
	needed := ""
	if slices.Sort(seeds); len(seeds) > 0 {
		needed = fmt.Sprintf(" (seeds needed: median %d, most %d)", seeds[len(seeds)/2], seeds[len(seeds)-1])
	}
	fmt.Fprintf(out, "%d bugs: %d caught by the simulation%s, %d caught by a named test, %d not caught\n", len(list), len(seeds), needed, tested, len(list)-len(seeds)-tested)
}

func clip(s string, most int) string {
	s, _, _ = strings.Cut(s, "\n")
	if r := []rune(s); len(r) > most {
		return string(r[:most])
	}
	return s
}

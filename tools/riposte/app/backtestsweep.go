package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"riposte/core"
	"riposte/tools/backtest"
)

// lookahead decides again on tapes that end earlier.
func (c *backtestCmd) lookahead(ctx context.Context, o *output, b *backtesting) error {
	if c.Repeat != 1 || len(c.Sweep) > 0 {
		return usageError{errors.New("--lookahead compares runs of the tape as it was recorded: want neither --repeat nor --sweep beside it")}
	}
	shorten := func(at core.MonoNs) (*backtest.Events, error) {
		cut := *b.source
		cut.cut = int64(b.events.Start) + int64(at)
		names := make([]string, len(b.events.Symbols))
		for i := range names {
			names[i] = b.events.Symbols[i].Name
		}
		return cut.decode(names, c.Spread, "")
	}
	cuts, err := backtest.Lookahead(ctx, b.events, c.Lookahead, shorten, func(e *backtest.Events) (*backtest.Run, error) {
		shorter := *b
		shorter.events, shorter.laps = e, backtest.NewLaps(e, 1)
		return shorter.run(nil, backtest.Keep{Decisions: true}, 0, 0)
	})
	if err != nil {
		return err
	}
	last := cuts[len(cuts)-1]
	_, err = fmt.Fprintf(o.stdout, "no look-ahead found: %d tapes, cut from %v to %v, decide as the whole one up to their ends; %d decisions compared in the last\n",
		len(cuts), time.Duration(cuts[0].At).Round(time.Millisecond), time.Duration(last.At).Round(time.Millisecond), last.Compared)
	return err
}

// sweepRow is one combination of a sweep.
type sweepRow struct {
	Values []string         `json:"values"`
	In     *backtest.Result `json:"in_sample"` // all of it without a split
	Out    *backtest.Result `json:"out_of_sample,omitempty"`
}

// sweepResult is a sweep, best first.
type sweepResult struct {
	Axes        []string   `json:"axes"`
	Sort        string     `json:"sort"`
	Split       float64    `json:"split,omitempty"` // part of the tape that was chosen by
	Rows        []sweepRow `json:"rows"`
	Warnings    []string   `json:"warnings"`
	Correlation *float64   `json:"rank_correlation,omitempty"` // of in-sample and out-of-sample
	Seconds     float64    `json:"seconds"`
	Rate        float64    `json:"events_per_second"`
}

// judgedBy is what a result is judged by; more is better.
func judgedBy(r *backtest.Result, by string) float64 {
	switch by {
	case "bps":
		return r.Bps
	case "sharpe":
		return r.Sharpe
	case "drawdown":
		return -r.Drawdown
	case "fills":
		return float64(r.Orders.Fills)
	}
	return r.PnL
}

// split is where the part ends that is chosen by, 0 without one.
func (c *backtestCmd) split(b *backtesting) (core.MonoNs, float64, error) {
	if c.Split == "" {
		return 0, 0, nil
	}
	p, err := strconv.ParseFloat(strings.TrimSuffix(c.Split, "%"), 64)
	if err != nil || !(p > 0 && p < 100) {
		return 0, 0, want("--split", fmt.Sprintf("%q", c.Split), "a percentage such as 70%")
	}
	if c.From != 0 || c.To != 0 {
		return 0, 0, errors.New("--split divides the whole tape: want neither --from nor --to beside it")
	}
	return core.MonoNs(float64(b.laps.Length()) * p / 100), p, nil
}

func (c *backtestCmd) sweep(ctx context.Context, o *output, b *backtesting) error {
	var grid backtest.Grid
	for _, text := range c.Sweep {
		a, err := backtest.ParseAxis(text)
		if err != nil {
			return usageError{err}
		}
		grid = append(grid, a)
	}
	n, err := grid.Len()
	if err != nil {
		return usageError{err}
	}
	at, part, err := c.split(b)
	if err != nil {
		return usageError{err}
	}
	for _, i := range [...]int{0, n - 1} { // both ends are legal before anything runs
		if _, err := b.run(sweepSets(grid, i), backtest.Keep{}, 0, 0); err != nil {
			return usageError{err}
		}
	}
	rows := make([]sweepRow, n)
	bar := &progressBar{w: o.stderr, total: n, from: time.Now()}
	events := b.laps.Total() * uint64(n)
	if at > 0 {
		events *= 2
	}
	play := func(ctx context.Context, i int, from, to core.MonoNs) (*backtest.Result, error) {
		run, err := b.run(sweepSets(grid, i), backtest.Keep{}, from, to)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", strings.Join(sweepSets(grid, i), " "), err)
		}
		return run.Play(ctx)
	}
	err = backtest.Sweep(ctx, n, c.workers(), func(ctx context.Context, i int) (err error) {
		rows[i].Values = grid.Values(i)
		if rows[i].In, err = play(ctx, i, 0, at); err == nil && at > 0 {
			rows[i].Out, err = play(ctx, i, at, 0)
		}
		return err
	}, bar.step)
	bar.end()
	if err != nil {
		return err
	}
	took := time.Since(bar.from).Seconds()
	res := sweepResult{Sort: c.Sort, Split: part, Rows: rows, Seconds: took, Rate: float64(events) / took}
	best := res.judge(grid)
	if err := c.writeBest(ctx, b, sweepSets(grid, best), &res); err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(o.stdout)
		e.SetIndent("", " ")
		return e.Encode(&res)
	}
	return res.print(o)
}

func (c *backtestCmd) workers() int {
	if c.Workers > 0 {
		return c.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// sweepSets are a combination's changes of the configuration. A name without a dot is a
// parameter of the only strategy.
func sweepSets(g backtest.Grid, i int) (sets []string) {
	for k, v := range g.Values(i) {
		name := g[k].Name
		if !strings.Contains(name, ".") {
			name = "strategy.params." + name
		}
		sets = append(sets, name+"="+v)
	}
	return sets
}

// writeBest runs the best combination once more, over all of the tape, for the report and
// the tables that were asked for.
func (c *backtestCmd) writeBest(ctx context.Context, b *backtesting, sets []string, s *sweepResult) error {
	if c.Report+c.Out == "" {
		return nil
	}
	run, err := b.run(sets, keepForReport, 0, 0)
	if err != nil {
		return err
	}
	r, err := run.Play(ctx)
	if err != nil {
		return err
	}
	notes := []string{fmt.Sprintf("this is the best of %d combinations by %s, %s; what is best of many is partly luck", len(s.Rows), s.Sort, strings.Join(sets, " "))}
	if s.Split > 0 {
		notes = append(notes, fmt.Sprintf("it was chosen by the first %v %% of the tape, and is shown over all of it", s.Split))
	}
	return b.write(r, sets, append(notes, s.Warnings...))
}

// judge puts the best first, says what speaks against it, and which it was.
func (s *sweepResult) judge(grid backtest.Grid) (best int) {
	in, out := make([]float64, len(s.Rows)), make([]float64, len(s.Rows))
	for i := range s.Rows {
		in[i] = judgedBy(s.Rows[i].In, s.Sort)
		if s.Rows[i].Out != nil {
			out[i] = judgedBy(s.Rows[i].Out, s.Sort)
		}
		if in[i] > in[best] {
			best = i
		}
	}
	for _, a := range grid {
		s.Axes = append(s.Axes, a.Name)
	}
	s.Warnings = grid.Warnings(best, in)
	if s.Split > 0 {
		if r := backtest.RankCorrelation(in, out); !math.IsNaN(r) {
			s.Correlation = &r
			if r < 0.3 {
				s.Warnings = append(s.Warnings, fmt.Sprintf("the two parts of the tape agree little on what is good: rank correlation %.2f", r))
			}
		}
		better := 0
		for _, v := range out {
			if v > out[best] {
				better++
			}
		}
		if better > len(out)/4 {
			s.Warnings = append(s.Warnings, fmt.Sprintf("out of sample %d of %d combinations do better than the one that was chosen", better, len(out)))
		}
	}
	slices.SortStableFunc(s.Rows, func(a, b sweepRow) int {
		switch x, y := judgedBy(a.In, s.Sort), judgedBy(b.In, s.Sort); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return best
}

// rowsShown is how many combinations are printed; --json has all.
const rowsShown = 40

func (s *sweepResult) print(o *output) error {
	t := tabwriter.NewWriter(o.stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "%s\tpnl\tbps\tsharpe\tdrawdown\tfills\trefused\t", strings.Join(s.Axes, "\t"))
	if s.Split > 0 {
		fmt.Fprint(t, "| out: pnl\tbps\tsharpe\tdrawdown\tfills\t")
	}
	fmt.Fprintln(t)
	for i := range min(len(s.Rows), rowsShown) {
		r := &s.Rows[i]
		refused := uint64(0)
		for _, n := range r.In.Refused {
			refused += n
		}
		fmt.Fprintf(t, "%s\t%.4f\t%.2f\t%.2f\t%.4f\t%d\t%d\t", strings.Join(r.Values, "\t"), r.In.PnL, r.In.Bps, r.In.Sharpe, r.In.Drawdown, r.In.Orders.Fills, refused)
		if r.Out != nil {
			fmt.Fprintf(t, "| %.4f\t%.2f\t%.2f\t%.4f\t%d\t", r.Out.PnL, r.Out.Bps, r.Out.Sharpe, r.Out.Drawdown, r.Out.Orders.Fills)
		}
		fmt.Fprintln(t)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if n := len(s.Rows) - rowsShown; n > 0 {
		fmt.Fprintf(o.stdout, "and %d more (--json has all)\n", n)
	}
	fmt.Fprintf(o.stdout, "%d combinations by %s in %.1f s, %.2f million events/s\n", len(s.Rows), s.Sort, s.Seconds, s.Rate/1e6)
	if s.Correlation != nil {
		fmt.Fprintf(o.stdout, "rank correlation of the two parts: %.2f\n", *s.Correlation)
	}
	for _, w := range s.Warnings {
		fmt.Fprintln(o.stdout, "warning:", w)
	}
	return nil
}

// progressBar shows how far a sweep is, on terminals alone. One goroutine at a time.
type progressBar struct {
	w           io.Writer
	total, done int
	from        time.Time
}

func (p *progressBar) step() {
	p.done++
	if !isTerminal(p.w) {
		return
	}
	const width = 40
	took := time.Since(p.from)
	left := took / time.Duration(p.done) * time.Duration(p.total-p.done)
	full := width * p.done / p.total
	fmt.Fprintf(p.w, "\r[%s%s] %d/%d, %v left   ", strings.Repeat("#", full), strings.Repeat(".", width-full), p.done, p.total, left.Round(time.Second))
}

func (p *progressBar) end() {
	if isTerminal(p.w) {
		fmt.Fprintln(p.w)
	}
}

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"text/tabwriter"

	"riposte/bench"
	"riposte/bench/path"
)

// output is a run in figures.
type output struct {
	Machine bench.Machine `json:"machine"`
	Corpus  string        `json:"corpus"`
	Options *measureCmd   `json:"options"`
	Table   []line        `json:"figures"`
	Targets []verdict     `json:"targets"`

	said map[string]string
}

// line is one subject.
type line struct {
	path.Figures
	Rounds     []path.Figures  `json:"rounds"`
	Histograms path.Histograms `json:"histograms"`
	Skipped    string          `json:"skipped,omitempty"`
}

// quantile is a column that ratios are taken of.
type quantile struct {
	name string
	of   func(*path.Quantiles) float64
}

var (
	p50  = quantile{"p50", func(q *path.Quantiles) float64 { return q.P50 }}
	p99  = quantile{"p99", func(q *path.Quantiles) float64 { return q.P99 }}
	p999 = quantile{"p99.9", func(q *path.Quantiles) float64 { return q.P999 }}
)

// target is a bound on the ratio of two subjects.
type target struct {
	over, under string
	quantile
	limit   float64
	atLeast bool
}

// targets are the design's (section 5, wire to wire), and the collector's.
var targets = []target{
	{"riposte-spin", "c-spin", p50, 1.10, false},
	{"riposte-spin", "c-spin", p99, 1.30, false},
	{"riposte-park", "go-park", p50, 1.15, false},
	{"stack", "riposte-park", p50, 1.6, true},
	{"stack", "riposte-spin", p50, 6, true},
	{"stack", "riposte-spin", p99, 10, true},
	{"riposte-spin-gc", "riposte-spin", p999, 2, false},
	{"riposte-park-gc", "riposte-park", p999, 2, false},
}

// verdict is a target and what came of it.
type verdict struct {
	Over     string  `json:"over"`
	Under    string  `json:"under"`
	Quantile string  `json:"quantile"`
	Ratio    float64 `json:"ratio"`  // median of the rounds' ratios
	Pooled   float64 `json:"pooled"` // of all samples together
	Limit    float64 `json:"limit"`
	AtLeast  bool    `json:"at_least"`
	Met      bool    `json:"met"`
}

// add sums the rounds up.
func (o *output) add(rows []*row) error {
	o.said = map[string]string{}
	for _, r := range rows {
		if r.sub.Skip != "" {
			o.Table = append(o.Table, line{Figures: path.Figures{Name: r.sub.Name}, Skipped: r.sub.Skip})
			continue
		}
		sum := path.NewResult(0)
		l := line{}
		for _, res := range r.rounds {
			sum.Add(res)
			l.Rounds = append(l.Rounds, res.Figures(r.sub.Name))
		}
		l.Figures = sum.Figures(r.sub.Name)
		var err error
		if l.Histograms, err = sum.Histograms(); err != nil {
			return err
		}
		o.said[l.Name] = sum.Said
		o.Table = append(o.Table, l)
	}
	for _, t := range targets {
		over, under := o.find(t.over), o.find(t.under)
		if over == nil || under == nil {
			continue
		}
		v := verdict{Over: t.over, Under: t.under, Quantile: t.name, Limit: t.limit, AtLeast: t.atLeast,
			Ratio: ratio(over, under, t.quantile), Pooled: t.of(&over.Intended) / t.of(&under.Intended)}
		v.Met = v.Ratio <= t.limit
		if t.atLeast {
			v.Met = v.Ratio >= t.limit
		}
		o.Targets = append(o.Targets, v)
	}
	return nil
}

func (o *output) find(name string) *line {
	for i := range o.Table {
		if l := &o.Table[i]; l.Name == name && l.Skipped == "" {
			return l
		}
	}
	return nil
}

// ratio is the median of the rounds' ratios: within a round the subjects had the same
// machine, and a round that was disturbed counts once.
func ratio(over, under *line, q quantile) float64 {
	var list []float64
	for i := range min(len(over.Rounds), len(under.Rounds)) {
		list = append(list, q.of(&over.Rounds[i].Intended)/q.of(&under.Rounds[i].Intended))
	}
	slices.Sort(list)
	n := len(list)
	if n%2 == 1 {
		return list[n/2]
	}
	return (list[n/2-1] + list[n/2]) / 2
}

// print writes the table, and JSON where it is wanted.
func (o *output) print(w io.Writer) error {
	c := o.Options
	if c.JSON != "-" {
		if err := o.text(w); err != nil {
			return err
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
	return e.Encode(o)
}

func (o *output) text(w io.Writer) error {
	c := o.Options
	fmt.Fprintf(w, "tick-to-order on loopback, microseconds to the whole order received\n")
	fmt.Fprintf(w, "machine: %s\ncorpus: %s\n", o.Machine, o.Corpus)
	fmt.Fprintf(w, "tls %t, schedule %s", c.TLS, c.Schedule)
	if c.Schedule == "steady" {
		fmt.Fprintf(w, " %d/s", c.Rate)
	} else {
		fmt.Fprintf(w, " (pauses at most %v, %d other symbols, one touch in %d counts)", c.Pause, c.Others, c.Every)
	}
	fmt.Fprintf(w, ", walk %s, threads %s, wires %d, journal %t, %d rounds, warm-up %d, harness on CPU %d, subjects on CPU %d\n\n",
		c.Walk, c.Threads, c.Wires, c.Journal, max(c.Rounds, 1), c.Warmup, c.CPU, c.SubjectCPU)
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "subject\tfrom\tsamples\tp10\tp50\tp90\tp99\tp99.9\tp99.99\tmax\tlost\tstray\tlate\tset aside\tdisturbed\t")
	for i := range o.Table {
		l := &o.Table[i]
		if l.Skipped != "" {
			continue
		}
		for k, q := range []*path.Quantiles{&l.Intended, &l.Actual} {
			fmt.Fprintf(t, "%s\t%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t%.1f\t", l.Name, [2]string{"intended", "actual"}[k], l.Samples, q.P10, q.P50, q.P90, q.P99, q.P999, q.P9999, q.Max)
			if k == 0 {
				fmt.Fprintf(t, "%d\t%d\t%d\t%d\t%d\t\n", l.Lost, l.Stray, l.Late, l.Aside, l.Disturbed)
			} else {
				fmt.Fprint(t, "\t\t\t\t\t\n")
			}
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	o.ratios(w)
	for i := range o.Table {
		l := &o.Table[i]
		if l.Skipped != "" {
			fmt.Fprintf(w, "%s was left out: %s\n", l.Name, l.Skipped)
		}
		if c.Said {
			fmt.Fprintf(w, "%s said last: %s\n", l.Name, o.said[l.Name])
		} else if l.Lost+l.Stray > 0 {
			fmt.Fprintf(w, "%s, of which orders are missing or too many, said last: %s\n", l.Name, o.said[l.Name])
		}
	}
	return nil
}

// ratios prints each subject against the echoes, and the targets.
func (o *output) ratios(w io.Writer) {
	var refs []*line
	for _, name := range []string{"c-spin", "go-spin", "go-park"} {
		if l := o.find(name); l != nil {
			refs = append(refs, l)
		}
	}
	if len(refs) > 0 {
		fmt.Fprintf(w, "\nratios, medians of the rounds', from the intended time\n")
		t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
		fmt.Fprint(t, "subject\t")
		for _, r := range refs {
			fmt.Fprintf(t, "p50 / %s\tp99 / %s\t", r.Name, r.Name)
		}
		fmt.Fprintln(t)
		for i := range o.Table {
			l := &o.Table[i]
			if l.Skipped != "" {
				continue
			}
			fmt.Fprintf(t, "%s\t", l.Name)
			for _, r := range refs {
				fmt.Fprintf(t, "%.2f\t%.2f\t", ratio(l, r, p50), ratio(l, r, p99))
			}
			fmt.Fprintln(t)
		}
		_ = t.Flush() // as the writes before it
	}
	if len(o.Targets) == 0 {
		return
	}
	fmt.Fprintf(w, "\ntargets\n")
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	for _, v := range o.Targets {
		sign, word := "<=", "missed"
		if v.AtLeast {
			sign = ">="
		}
		if v.Met {
			word = "met"
		}
		fmt.Fprintf(t, "%s / %s\t%s\t%.2f\t(all samples %.2f)\t%s %.2f\t%s\n", v.Over, v.Under, v.Quantile, v.Ratio, v.Pooled, sign, v.Limit, word)
	}
	_ = t.Flush()
}

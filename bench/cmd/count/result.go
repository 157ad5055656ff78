package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"slices"
	"sort"
	"strconv"
	"strings"
	"text/tabwriter"

	"riposte/bench/callgrind"
)

var errOff = errors.New("stages are off their committed figures")

// figures are instructions per item by stage, and those by key: Go version and
// processor features.
type figures map[string]map[string]float64

func readFigures(file string) (figures, error) {
	all := figures{}
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return all, nil
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the committed figures: %w", err)
	}
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, fmt.Errorf("cannot read the committed figures in %s: %w", file, err)
	}
	return all, nil
}

func (f figures) write(file string) error {
	text, err := json.MarshalIndent(f, "", "\t")
	if err == nil {
		err = os.WriteFile(file, append(text, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("cannot write the figures down: %w", err)
	}
	return nil
}

func (f figures) keys() []string { return slices.Sorted(maps.Keys(f)) }

// result is one run's counts.
type result struct {
	key    string
	only   string // part of the names that were asked for, "" for all
	stages []stage
}

// stage is the least of its passes. What the runtime puts between a stage's own
// instructions only ever adds to them.
type stage struct {
	name  string
	items int
	least callgrind.Part
	most  uint64
}

func (s *stage) perItem() float64 { return round(float64(s.least.Instructions) / float64(s.items)) }

// spread is how far the passes lie apart, in percent.
func (s *stage) spread() float64 {
	return 100 * float64(s.most-s.least.Instructions) / float64(s.least.Instructions)
}

func round(x float64) float64 { return math.Round(x*100) / 100 }

// collect makes stages of a run's dumps: "key ..." once, then "<stage> <items>".
func collect(parts []callgrind.Part) (*result, error) {
	r := new(result)
	for _, p := range parts {
		if p.Name == "" {
			continue // what was left at the end of the program
		}
		if key, ok := strings.CutPrefix(p.Name, "key "); ok {
			r.key = key
			continue
		}
		name, n, _ := strings.Cut(p.Name, " ")
		items, err := strconv.Atoi(n)
		if err != nil || items <= 0 || p.Instructions == 0 {
			return nil, fmt.Errorf("cannot count: dump %q has %d instructions, want a stage, its number of items and some instructions", p.Name, p.Instructions)
		}
		if last := len(r.stages) - 1; last >= 0 && r.stages[last].name == name {
			s := &r.stages[last]
			s.most = max(s.most, p.Instructions)
			if p.Instructions < s.least.Instructions {
				s.least = p
			}
			continue
		}
		r.stages = append(r.stages, stage{name: name, items: items, least: p, most: p.Instructions})
	}
	if r.key == "" || len(r.stages) == 0 {
		return nil, fmt.Errorf("cannot count: found key %q and %d stages, want a key and at least one stage", r.key, len(r.stages))
	}
	return r, nil
}

// print shows the table, beside the committed figures where there are any.
func (r *result) print(out io.Writer, committed map[string]float64, top int) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "stage\titems\tper item\tcommitted\tdiffers\tspread of passes\t")
	for i := range r.stages {
		s := &r.stages[i]
		was, diff := "-", "-"
		if c, ok := committed[s.name]; ok {
			was, diff = strconv.FormatFloat(c, 'f', 2, 64), fmt.Sprintf("%+.2f %%", percent(s.perItem(), c))
		}
		fmt.Fprintf(w, "%s\t%d\t%.2f\t%s\t%s\t%.3f %%\t\n", s.name, s.items, s.perItem(), was, diff, s.spread())
		for _, f := range s.heaviest(top) {
			fmt.Fprintf(w, "%s\t\t%.2f\t%.1f %%\t\t\t\n", f, float64(s.least.Functions[f])/float64(s.items), 100*float64(s.least.Functions[f])/float64(s.least.Instructions))
		}
	}
	_ = w.Flush()
}

// heaviest names the functions with most instructions of their own.
func (s *stage) heaviest(n int) []string {
	names := slices.Collect(maps.Keys(s.least.Functions))
	sort.Slice(names, func(i, j int) bool {
		a, b := s.least.Functions[names[i]], s.least.Functions[names[j]]
		return a > b || a == b && names[i] < names[j]
	})
	return names[:min(n, len(names))]
}

func percent(now, was float64) float64 { return 100 * (now - was) / was }

// compare is an error that names every stage that is off.
func (r *result) compare(committed map[string]float64, most float64) error {
	var off []error
	seen := map[string]bool{}
	for i := range r.stages {
		s := &r.stages[i]
		seen[s.name] = true
		was, ok := committed[s.name]
		switch d := percent(s.perItem(), was); {
		case !ok:
			off = append(off, fmt.Errorf("stage %s: %.2f instructions per item, no figure is committed (make count UPDATE=1)", s.name, s.perItem()))
		case d > most:
			off = append(off, fmt.Errorf("stage %s: %.2f instructions per item, committed are %.2f: %.2f %% more, allowed are %g %%", s.name, s.perItem(), was, d, most))
		case d < -most:
			off = append(off, fmt.Errorf("stage %s: %.2f instructions per item, committed are %.2f: %.2f %% fewer, commit the better figure (make count UPDATE=1)", s.name, s.perItem(), was, -d))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(committed)) {
		if !seen[name] && strings.Contains(name, r.only) {
			off = append(off, fmt.Errorf("stage %s has a committed figure and was not counted (make count UPDATE=1 if it is gone)", name))
		}
	}
	if len(off) > 0 {
		return errors.Join(append([]error{errOff}, off...)...)
	}
	return nil
}

// merge is what to commit: this run's figures, and of the former those that this run
// was not asked for.
func (r *result) merge(former map[string]float64) map[string]float64 {
	out := map[string]float64{}
	for name, n := range former {
		if !strings.Contains(name, r.only) {
			out[name] = n
		}
	}
	for i := range r.stages {
		out[r.stages[i].name] = r.stages[i].perItem()
	}
	return out
}

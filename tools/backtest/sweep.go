package backtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
)

// Axis is one parameter of a sweep with the values that are tried, in order.
type Axis struct {
	Name   string
	Values []string
}

// combinationsMost bounds a sweep.
const combinationsMost = 100_000

// ParseAxis reads NAME=1..5/1 (from, to, step), NAME=1..5 in steps of one, or a list
// NAME=a,b,c.
func ParseAxis(text string) (a Axis, err error) {
	name, values, ok := strings.Cut(text, "=")
	if a.Name = strings.TrimSpace(name); !ok || a.Name == "" || values == "" {
		return a, fmt.Errorf("cannot sweep %q: want NAME=1..5/1 or NAME=0,1,2", text)
	}
	from, rest, isRange := strings.Cut(values, "..")
	if !isRange {
		a.Values = strings.Split(values, ",")
		for i, v := range a.Values {
			if a.Values[i] = strings.TrimSpace(v); a.Values[i] == "" || slices.Contains(a.Values[:i], a.Values[i]) {
				return a, fmt.Errorf("cannot sweep %q: value %d is empty or there twice", text, i+1)
			}
		}
		return a, nil
	}
	to, step, hasStep := strings.Cut(rest, "/")
	if !hasStep {
		step = "1"
	}
	var n [3]float64
	digits := 0
	for i, s := range [...]string{from, to, step} {
		s = strings.TrimSpace(s)
		if n[i], err = strconv.ParseFloat(s, 64); err != nil || math.IsInf(n[i], 0) || math.IsNaN(n[i]) {
			return a, fmt.Errorf("cannot sweep %q: %q is no number", text, s)
		}
		if _, frac, ok := strings.Cut(s, "."); ok {
			digits = max(digits, len(frac))
		}
	}
	count := math.Floor((n[1]-n[0])/n[2] + 1e-9)
	if !(n[2] > 0) || !(count >= 0) || count >= combinationsMost {
		return a, fmt.Errorf("cannot sweep %q: want a step above 0 that leads from the first value to the second in fewer than %d", text, combinationsMost)
	}
	for i := range int(count) + 1 {
		a.Values = append(a.Values, strconv.FormatFloat(n[0]+float64(i)*n[2], 'f', digits, 64))
	}
	return a, nil
}

// Grid is all combinations of some axes' values; the last axis turns fastest.
type Grid []Axis

// Len is how many there are.
func (g Grid) Len() (int, error) {
	n := 1
	for i, a := range g {
		for _, b := range g[:i] {
			if a.Name == b.Name {
				return 0, fmt.Errorf("cannot sweep %s: it is given twice", a.Name)
			}
		}
		if n *= len(a.Values); n > combinationsMost {
			return 0, fmt.Errorf("cannot sweep more than %d combinations", combinationsMost)
		}
	}
	return n, nil
}

// At is a combination's place on each axis.
func (g Grid) At(i int) []int {
	at := make([]int, len(g))
	for k := len(g) - 1; k >= 0; k-- {
		at[k] = i % len(g[k].Values)
		i /= len(g[k].Values)
	}
	return at
}

// Values are a combination's.
func (g Grid) Values(i int) []string {
	out := make([]string, len(g))
	for k, at := range g.At(i) {
		out[k] = g[k].Values[at]
	}
	return out
}

// neighbours are the combinations one step away on one axis.
func (g Grid) neighbours(i int) (out []int) {
	at, width := g.At(i), 1
	for k := len(g) - 1; k >= 0; k-- {
		if at[k] > 0 {
			out = append(out, i-width)
		}
		if at[k]+1 < len(g[k].Values) {
			out = append(out, i+width)
		}
		width *= len(g[k].Values)
	}
	return out
}

// Warnings say what speaks against taking the best combination of a grid for more than
// chance: it lies on the grid's edge, so a better one may lie outside, or it stands alone,
// so a little change of the parameters, or of the market, loses it. figure is what each
// combination came to, more is better.
func (g Grid) Warnings(best int, figure []float64) (out []string) {
	for k, at := range g.At(best) {
		if n := len(g[k].Values); n > 1 && (at == 0 || at == n-1) {
			out = append(out, fmt.Sprintf("the best lies on the edge of %s (%s): a better value may lie outside", g[k].Name, g[k].Values[at]))
		}
	}
	near := g.neighbours(best)
	if len(near) == 0 {
		return out
	}
	sorted := slices.Clone(figure)
	slices.Sort(sorted)
	middle, mean := sorted[len(sorted)/2], 0.0
	for _, i := range near {
		mean += figure[i] / float64(len(near))
	}
	// Half of the way from the grid's middle to the best is what neighbours should keep.
	if above := figure[best] - middle; above > 0 && (mean-middle)/above < 0.5 {
		out = append(out, fmt.Sprintf("the best stands alone: its %d neighbours keep on average %.0f %% of what it has over the grid's middle", len(near), 100*(mean-middle)/above))
	}
	return out
}

// RankCorrelation is Spearman's, of what combinations came to in one part of the tape and
// in another: near 1 the first part tells about the second, near 0 it does not.
func RankCorrelation(a, b []float64) float64 {
	ra, rb := ranks(a), ranks(b)
	n := float64(len(a))
	if n < 3 {
		return math.NaN()
	}
	var ma, mb, ab, aa, bb float64
	for i := range ra {
		ma += ra[i] / n
		mb += rb[i] / n
	}
	for i := range ra {
		da, db := ra[i]-ma, rb[i]-mb
		ab += da * db
		aa += da * da
		bb += db * db
	}
	if aa == 0 || bb == 0 {
		return math.NaN()
	}
	return ab / math.Sqrt(aa*bb)
}

// ranks are places in order, equal values sharing theirs.
func ranks(v []float64) []float64 {
	order := make([]int, len(v))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case v[a] < v[b]:
			return -1
		case v[a] > v[b]:
			return 1
		}
		return 0
	})
	out := make([]float64, len(v))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && v[order[j]] == v[order[i]] {
			j++
		}
		for k := i; k < j; k++ {
			out[order[k]] = float64(i+j-1) / 2
		}
		i = j
	}
	return out
}

// Sweep calls run for every number below n on so many goroutines, and with done after
// each. The first error ends it; runs that have begun are given up through ctx.
func Sweep(ctx context.Context, n, workers int, run func(context.Context, int) error, done func()) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var next atomic.Int64
	var group sync.WaitGroup
	var mu sync.Mutex
	for range max(min(workers, n), 1) {
		group.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if err := run(ctx, i); err != nil {
					cancel(err)
					return
				}
				mu.Lock()
				done()
				mu.Unlock()
			}
		})
	}
	group.Wait()
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	return ctx.Err()
}

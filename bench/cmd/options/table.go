package main

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// side is one turn of the engine, in microseconds. P10 is what the path takes when
// nothing comes between: on a machine that is shared it is the figure to compare.
type side struct {
	P10  float64 `json:"p10_us"`
	P50  float64 `json:"p50_us"`
	P99  float64 `json:"p99_us"`
	P999 float64 `json:"p999_us"`
}

// round is one turn of both sides.
type round struct {
	Option  string `json:"option"`
	Without side   `json:"without"`
	With    side   `json:"with"`
	// Foreign is the larger share of the CPUs that other programs took meanwhile.
	Foreign float64 `json:"foreign_share"`
}

// parseRound reads what the harness printed of the two.
func parseRound(name string, out []byte) (r round, err error) {
	var doc struct {
		Figures []struct {
			Samples    int     `json:"samples"`
			Lost       int     `json:"lost"`
			Foreign    float64 `json:"foreign_share"`
			Actual     side    `json:"from_actual"`
			Histograms struct {
				Actual string `json:"from_actual"`
			} `json:"histograms"`
		} `json:"figures"`
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		return r, fmt.Errorf("cannot read the harness's figures: %w", err)
	}
	if len(doc.Figures) != 2 {
		return r, fmt.Errorf("the harness gave figures of %d subjects, want 2", len(doc.Figures))
	}
	r.Option = name
	for i, to := range []*side{&r.Without, &r.With} {
		f := &doc.Figures[i]
		if f.Samples == 0 || f.Lost > f.Samples/4 || f.Actual.P50 <= 0 {
			return r, fmt.Errorf("the harness lost %d of %d samples (p50 %.1f µs), want few", f.Lost, f.Samples, f.Actual.P50)
		}
		h, err := hdrhistogram.Decode([]byte(f.Histograms.Actual))
		if err != nil {
			return r, fmt.Errorf("cannot read the harness's histogram: %w", err)
		}
		*to = f.Actual
		to.P10 = float64(h.ValueAtQuantile(10)) / 1e3
		r.Foreign = max(r.Foreign, f.Foreign)
	}
	return r, nil
}

// quiet are the rounds in which other programs took no more than that share.
func quiet(rounds []round, most float64) []round {
	return slices.DeleteFunc(slices.Clone(rounds), func(r round) bool { return r.Foreign > most })
}

// table prints an option a line.
func table(w io.Writer, rounds []round) error {
	t := tabwriter.NewWriter(w, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "option\trounds\tforeign\tp10 without\twith\tratio\tlow\thigh\tp50 without\twith\tratio\tp99 without\twith\tratio\tp99.9 without\twith\tratio\t")
	for _, o := range options {
		var of []round
		for _, r := range rounds {
			if r.Option == o.name {
				of = append(of, r)
			}
		}
		if len(of) == 0 {
			continue
		}
		median := func(f func(*round) float64) float64 {
			list := sorted(of, f)
			return (list[(len(list)-1)/2] + list[len(list)/2]) / 2
		}
		fmt.Fprintf(t, "%s\t%d\t%.0f%%\t", o.name, len(of), 100*median(func(r *round) float64 { return r.Foreign }))
		for i, q := range []func(*side) float64{
			func(s *side) float64 { return s.P10 }, func(s *side) float64 { return s.P50 }, func(s *side) float64 { return s.P99 }, func(s *side) float64 { return s.P999 }} {
			ratio := func(r *round) float64 { return q(&r.With) / q(&r.Without) }
			fmt.Fprintf(t, "%.1f\t%.1f\t%.3f\t", median(func(r *round) float64 { return q(&r.Without) }),
				median(func(r *round) float64 { return q(&r.With) }), median(ratio))
			if i == 0 {
				list := sorted(of, ratio)
				fmt.Fprintf(t, "%.3f\t%.3f\t", list[0], list[len(list)-1])
			}
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}

func sorted(rounds []round, f func(*round) float64) (list []float64) {
	for i := range rounds {
		list = append(list, f(&rounds[i]))
	}
	slices.Sort(list)
	return list
}

package main

import (
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// slope is Theil and Sen's: the median of the slopes of all pairs, per hour. A few
// samples taken at a bad moment do not move it.
func slope(rows []sample, of int) float64 {
	var all []float64
	for i := range rows {
		for j := i + 1; j < len(rows); j++ {
			if dt := rows[j].at - rows[i].at; dt > 0 {
				all = append(all, (rows[j].values[of]-rows[i].values[of])/dt.Hours())
			}
		}
	}
	if len(all) == 0 {
		return 0
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// table prints the first, last, least and most of each figure after the warm-up and
// how fast it grew.
func table(w io.Writer, rows []sample, warmup time.Duration) {
	n := 0
	for n < len(rows) && rows[n].at < warmup {
		n++
	}
	rows = rows[n:]
	if len(rows) == 0 {
		fmt.Fprintln(w, "no samples after the warm-up")
		return
	}
	fmt.Fprintf(w, "%d samples from %v to %v\n", len(rows), rows[0].at.Round(time.Second), rows[len(rows)-1].at.Round(time.Second))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(tw, "\tfirst\tlast\tleast\tmost\tper hour\t")
	for of, name := range names {
		low, high := rows[0].values[of], rows[0].values[of]
		for i := range rows {
			low, high = min(low, rows[i].values[of]), max(high, rows[i].values[of])
		}
		fmt.Fprintf(tw, "%s\t%.0f\t%.0f\t%.0f\t%.0f\t%+.0f\t\n", name, rows[0].values[of], rows[len(rows)-1].values[of], low, high, slope(rows, of))
	}
	_ = tw.Flush()
}

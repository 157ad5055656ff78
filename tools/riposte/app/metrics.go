package app

import (
	"fmt"
	"io"
	"maps"
	"slices"
)

// metrics writes the report's numbers in the Prometheus text format: counters end
// in _total, latencies are summaries in seconds.
func (r *report) metrics(w io.Writer) {
	counter := func(name string, v uint64) {
		fmt.Fprintf(w, "# TYPE riposte_%s_total counter\nriposte_%s_total %d\n", name, name, v)
	}
	gauge := func(name string, v float64) {
		fmt.Fprintf(w, "# TYPE riposte_%s gauge\nriposte_%s %g\n", name, name, v)
	}
	gauge("up_seconds", r.Seconds)
	gauge("books", float64(r.Books))
	gauge("books_live", float64(r.BooksLive))
	gauge("orders_open", float64(r.Open))
	gauge("orders_unknown", float64(r.Unknown))
	gauge("heap_bytes", float64(r.Memory.Heap))
	gauge("resident_bytes", float64(r.Memory.Resident))
	gauge("problems", float64(len(r.Problems)))
	if r.Store != nil {
		gauge("store_lag_records", float64(r.Store.Lag))
		counter("store_rows", r.Store.Rows)
	}
	counter("frames", r.Frames)
	counter("bytes", r.Bytes)
	counter("events", r.Events)
	counter("gaps", r.Gaps)
	counter("missed", r.Missed)
	counter("snapshots", r.Snapshots)
	counter("demotions", r.Demotions)
	counter("connects", r.Connects)
	counter("orders", r.Orders)
	counter("acks", r.Acks)
	counter("fills", r.Fills)
	counter("cancels", r.Cancels)
	counter("rejects", r.Rejects)
	counter("doubts", r.Doubts)
	counter("audits", r.Audits)
	counter("samples_lost", r.SamplesLost)
	r.Recovery.metrics(counter, gauge)
	if len(r.Refusals) > 0 {
		fmt.Fprintln(w, "# TYPE riposte_refusals_total counter")
		for _, why := range slices.Sorted(maps.Keys(r.Refusals)) {
			fmt.Fprintf(w, "riposte_refusals_total{reason=%q} %d\n", why, r.Refusals[why])
		}
	}
	if len(r.Routes) > 0 {
		fmt.Fprintln(w, "# TYPE riposte_route_orders_total counter")
		for _, l := range r.Routes {
			fmt.Fprintf(w, "riposte_route_orders_total{route=%q} %d\n", l.Route, l.Orders)
		}
	}
	r.lineMetrics(w)
	r.sourceMetrics(w)
	if len(r.Latency) > 0 {
		fmt.Fprintln(w, "# TYPE riposte_latency_seconds summary")
		for _, stage := range slices.Sorted(maps.Keys(r.Latency)) {
			q := r.Latency[stage]
			for _, at := range []struct {
				quantile string
				ns       int64
			}{{"0.5", q.P50}, {"0.99", q.P99}, {"0.999", q.P999}, {"0.9999", q.P9999}} {
				fmt.Fprintf(w, "riposte_latency_seconds{stage=%q,quantile=%q} %g\n", stage, at.quantile, float64(at.ns)/1e9)
			}
			fmt.Fprintf(w, "riposte_latency_seconds_sum{stage=%q} %g\n", stage, float64(q.Sum)/1e9)
			fmt.Fprintf(w, "riposte_latency_seconds_count{stage=%q} %d\n", stage, q.Count)
		}
	}
}

package app

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"text/tabwriter"

	"riposte/core"
	"riposte/core/journal"
	"riposte/tools/backtest"
	"riposte/tools/store"
)

// journalOrders reads the orders of a journal, of all its runs, as probes of queue models,
// and how long the venue took to answer them. An order signed ahead carries an older time
// than it left at, so it tells nothing of the latter.
func journalOrders(dir string) (probes []backtest.Probe, trips []core.MonoNs, err error) {
	type key struct {
		run int
		id  core.OrderID
	}
	open := map[key]int{}
	sent := map[key]core.WallNs{}
	t := store.NewTail(dir, store.Place{})
	run, records := 0, 0
	for {
		rec, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, nil, fmt.Errorf("cannot read the journal: %w", err)
		}
		records++
		switch rec.Kind {
		case journal.KindSessionStart:
			run++
		case journal.KindIntent:
			var in journal.Intent
			if err := in.Decode(&rec); err != nil {
				return nil, nil, err
			}
			if in.Kind != core.Place && in.Kind != core.Replace {
				continue
			}
			k := key{run, in.Order}
			if !in.Presigned {
				sent[k] = in.Wall
			}
			if in.Type <= core.LimitMaker && in.TIF == core.GTC && in.Iceberg == 0 {
				open[k] = len(probes)
				probes = append(probes, backtest.Probe{Symbol: in.Symbol, Side: in.Side, Price: in.Price, Qty: in.Qty})
			}
		case journal.KindReport:
			var r journal.Report
			if err := r.Decode(&rec); err != nil {
				return nil, nil, err
			}
			k := key{run, r.Report.ID}
			if at, ok := sent[k]; ok && r.Report.Kind == core.ReportAck {
				trips = append(trips, core.MonoNs(max(r.Wall-at, 0)))
				delete(sent, k)
			}
			if i, ok := open[k]; ok {
				probes[i].Told(&r.Report, r.Wall)
			}
		}
	}
	if records == 0 {
		return nil, nil, fmt.Errorf("cannot read the journal: %s holds no record", dir)
	}
	return probes, trips, nil
}

// journalTrips are the round trips of a journal's orders.
func journalTrips(dir string) ([]core.MonoNs, error) {
	_, trips, err := journalOrders(dir)
	if err == nil && len(trips) == 0 {
		err = fmt.Errorf("cannot draw latencies from the journal %s: it has no answered order that was not signed ahead", dir)
	}
	return trips, err
}

// calibrated are the models that --calibrate holds against a journal.
var calibrated = []string{"risk", "prob:1", "prob:2", "prob:3", "power2:2", "power3:2", "log", "log2", "front"}

// fits measures queue models by what became of a journal's orders, and tells which is the
// nearest.
func (b *backtesting) fits(dir string, feed core.MonoNs) (fits []backtest.Fit, best int, err error) {
	probes, _, err := journalOrders(dir)
	if err != nil {
		return nil, 0, err
	}
	var queues []backtest.Queue
	for _, name := range calibrated {
		q, err := backtest.ParseQueue(name)
		if err != nil {
			return nil, 0, err
		}
		queues = append(queues, q)
	}
	if fits, err = backtest.Calibrate(b.laps, b.table, probes, queues, feed); err != nil {
		return nil, 0, err
	}
	for i := range fits {
		if fits[i].F1 > fits[best].F1 {
			best = i
		}
	}
	return fits, best, nil
}

// calibrate shows how near to the truth queue models are.
func (c *backtestCmd) calibrate(o *output, b *backtesting) error {
	fits, best, err := b.fits(c.Calibrate, b.venue.Latency.Feed)
	if err != nil {
		return err
	}
	if c.JSON {
		e := json.NewEncoder(o.stdout)
		e.SetIndent("", " ")
		return e.Encode(fits)
	}
	t := tabwriter.NewWriter(o.stdout, 0, 4, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "queue\torders\treally filled\tforetold\tboth\tmissed\twrong\tvalue of fills\tlate ms\tF1\t")
	for i := range fits {
		f := &fits[i]
		ratio := "-"
		if f.RealQty > 0 {
			ratio = fmt.Sprintf("%.0f %%", 100*f.ModelQty/f.RealQty)
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%s\t%.1f\t%.3f\t\n", f.Queue, f.Orders, f.Real, f.Predicted, f.Both, f.Missed, f.Wrong, ratio, f.Late, f.F1)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	_, err = fmt.Fprintf(o.stdout, "nearest to the truth: --queue %s\n", fits[best].Queue)
	return err
}

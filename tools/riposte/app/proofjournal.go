package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"

	"riposte/core"
	"riposte/core/journal"
	"riposte/tools/store"
)

// journalRun is one run as its journal has it, as far as a proof goes by it.
type journalRun struct {
	start    journal.SessionStart
	intents  []noted[journal.Intent] // new orders, replaces, amends; when cancels leave is the gateway's doing
	refusals []noted[journal.Refusal]
	unsent   map[core.OrderID]bool
	stayed   map[core.OrderID]bool // orders of which an amend was not done
	ended    bool
}

// noted is a record and its number.
type noted[T any] struct {
	seq uint64
	rec T
}

// readRuns reads a journal's runs, also while one is going on. A tail that a death tore
// is where it ends.
func readRuns(dir string) (runs []*journalRun, err error) {
	t := store.NewTail(dir, store.Place{})
	var run *journalRun
	for {
		rec, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if rec.Kind == journal.KindSessionStart {
			run = &journalRun{unsent: map[core.OrderID]bool{}, stayed: map[core.OrderID]bool{}}
			if err := run.start.Decode(&rec); err != nil {
				return nil, err
			}
			runs = append(runs, run)
		}
		if run == nil {
			continue // the head of the oldest file
		}
		if err := run.note(&rec); err != nil {
			return nil, err
		}
	}
	if len(runs) == 0 {
		return nil, fmt.Errorf("cannot prove anything: no run in the journal %s", dir)
	}
	return runs, nil
}

func (r *journalRun) note(rec *journal.Record) error {
	switch rec.Kind {
	case journal.KindIntent:
		x := noted[journal.Intent]{seq: rec.Seq}
		if err := x.rec.Decode(rec); err != nil {
			return err
		}
		if k := x.rec.Kind; k != core.Cancel && k != core.CancelAll {
			r.intents = append(r.intents, x)
		}
	case journal.KindRefusal:
		x := noted[journal.Refusal]{seq: rec.Seq}
		if err := x.rec.Decode(rec); err != nil {
			return err
		}
		if x.rec.Reason < store.UnsentReasons { // else the gateway's, of what had been approved
			r.refusals = append(r.refusals, x)
		}
	case journal.KindReport:
		var x journal.Report
		if err := x.Decode(rec); err != nil {
			return err
		}
		switch {
		case x.Report.Kind == core.ReportDone && x.Report.Status == core.NotSent:
			r.unsent[x.Report.ID] = true
		case x.Report.Kind == core.ReportCancelRejected:
			r.stayed[x.Report.ID] = true
		}
	case journal.KindSessionEnd:
		r.ended = true
	}
	return nil
}

// sameIntent reports whether a journal's record is of that intent, byte for byte. What
// the gateway alone adds is the record's own.
func sameIntent(rec *journal.Intent, in *core.Intent, input uint64, symbol string) bool {
	again := *rec
	again.Kind, again.Side, again.Type, again.TIF, again.Strategy = in.Kind, in.Side, in.Type, in.TIF, in.Strategy
	again.Order, again.Input, again.Price, again.Qty, again.Symbol = in.ID, input, in.Price, in.Qty, symbol
	again.Stop, again.Iceberg, again.Old, again.LifeUs, again.Trail, again.STP = in.Stop, in.Iceberg, in.Old, in.LifeUs, in.Trail, in.STP
	return bytes.Equal(rec.Append(nil, 1), again.Append(nil, 1))
}

// isOrder reports whether an intent is about an order's making or size, which the
// gateway carries out as it is; cancels it sends when and as often as it must.
func isOrder(in *core.Intent) bool { return in.Kind != core.Cancel && in.Kind != core.CancelAll }

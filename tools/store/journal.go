// Package store keeps what must survive the process on disk: for now the order
// journal.
package store

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"riposte/core"
	"riposte/core/journal"
	"riposte/exec"
)

// Journal is one run's file of records: what was about to be sent, what was heard.
// An intent is in the kernel before the first byte of its request leaves, so it
// survives the death of the process; nothing is synced to the platter, which only
// the loss of power would tell apart. Reports may wait in memory for the next
// intent or Flush. The first error is kept: after it nothing is accepted, and so
// nothing is sent.
//
// All methods but Close belong to the engine's goroutine. It implements
// exec.Journal.
type Journal struct {
	f     *os.File
	table *core.Instruments
	clock core.Clock
	seq   uint64
	buf   []byte
	in    journal.Intent
	rep   journal.Report
	err   error
}

// Info is what opens a journal.
type Info struct {
	Epoch   uint64
	Version string
	Config  [32]byte
}

// OpenJournal makes the folder, if need be, and a new file in it, named after the
// time. Files of former runs are left as they are.
func OpenJournal(dir string, table *core.Instruments, clock core.Clock, info Info) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the journal's folder: %w", err)
	}
	wall := clock.Wall()
	name := time.Unix(0, int64(wall)).UTC().Format("20060102T150405.000000000Z") + ".journal"
	f, err := os.OpenFile(filepath.Join(dir, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the journal: %w", err)
	}
	j := &Journal{f: f, table: table, clock: clock, buf: make([]byte, 0, 64<<10)}
	start := journal.SessionStart{Epoch: info.Epoch, Wall: wall, Config: info.Config, Version: info.Version}
	j.buf = start.Append(j.buf, j.next())
	if err := j.Flush(); err != nil {
		_ = f.Close()
		return nil, err
	}
	return j, nil
}

// Name is the file's name.
func (j *Journal) Name() string { return j.f.Name() }

func (j *Journal) next() uint64 {
	j.seq++
	return j.seq
}

// Sent records a request that is about to be written.
func (j *Journal) Sent(r *exec.SentRecord) error {
	in := &r.Intent
	j.in = journal.Intent{Kind: in.Kind, Side: in.Side, Type: in.Type, TIF: in.TIF, Strategy: in.Strategy, Order: in.ID,
		Input: r.Input, Price: in.Price, Qty: in.Qty, Wall: r.Stamp, Client: r.Client, Symbol: j.table.Get(in.Instrument).Symbol}
	j.buf = j.in.Append(j.buf, j.next())
	return j.Flush()
}

// Unsent records that no byte of a recorded request left: a report that says so.
func (j *Journal) Unsent(r *exec.SentRecord) {
	rep := core.Report{Kind: core.ReportDone, Status: core.NotSent, Side: r.Intent.Side, Instrument: r.Intent.Instrument,
		FeeAsset: core.NoAsset, ID: r.Intent.ID}
	j.Reported(&rep)
}

// bufferMost is how much may wait in memory before it is written all the same.
const bufferMost = 32 << 10

// Reported records what became known of an order.
func (j *Journal) Reported(r *core.Report) {
	j.rep = journal.Report{Wall: j.clock.Wall(), Report: *r}
	j.buf = j.rep.Append(j.buf, j.next())
	if len(j.buf) >= bufferMost {
		_ = j.Flush() // kept in j.err, and the next Sent tells
	}
}

// Flush hands everything to the kernel. Part of a record written is as good as
// none: the reader cuts such a tail.
func (j *Journal) Flush() error {
	if j.err != nil || len(j.buf) == 0 {
		return j.err
	}
	if _, err := j.f.Write(j.buf); err != nil {
		j.err = fmt.Errorf("cannot write the journal: %w", err)
		return j.err
	}
	j.buf = j.buf[:0]
	return nil
}

// Err is the error that ended the journal, nil while it is whole.
func (j *Journal) Err() error { return j.err }

// Close writes how the run ended and closes the file.
func (j *Journal) Close(clean bool, text string) error {
	end := journal.SessionEnd{Clean: clean, Wall: j.clock.Wall(), Text: text}
	j.buf = end.Append(j.buf, j.next())
	err := j.Flush()
	if e := j.f.Sync(); err == nil && e != nil {
		err = fmt.Errorf("cannot sync the journal: %w", e)
	}
	if e := j.f.Close(); err == nil && e != nil {
		err = fmt.Errorf("cannot close the journal: %w", e)
	}
	return err
}

package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"riposte/core"
	"riposte/core/journal"
	"riposte/exec"
)

// Journal is one run's file of records: what was about to be sent, what was heard.
// What is noted is in the kernel when the call returns, so an intent, noted before the
// first byte of its request leaves, survives the death of the process; nothing is
// synced to the platter, which only the loss of power would tell apart. See window.go
// for how that is done without a system call. The first error is kept: after it
// nothing is accepted, and so nothing is sent.
//
// While it is open the file is longer than its records, by zeros; see Reader.
//
// All methods but Close belong to the engine's goroutine. It implements
// exec.Journal.
type Journal struct {
	name  string
	file  *file
	table *core.Instruments
	clock core.Clock
	win   *window
	at    int // where the next record goes in win
	buf   []byte
	seq   uint64
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
	return openJournal(dir, table, clock, info, allot)
}

func openJournal(dir string, table *core.Instruments, clock core.Clock, info Info, allot func(*os.File, int64, int64) error) (*Journal, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the journal's folder: %w", err)
	}
	wall := clock.Wall()
	name := filepath.Join(dir, time.Unix(0, int64(wall)).UTC().Format("20060102T150405.000000000Z")+".journal")
	f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the journal: %w", err)
	}
	j := &Journal{name: name, table: table, clock: clock, buf: make([]byte, 0, 1<<10)}
	if j.file, j.win, err = newFile(f, allot); err != nil {
		_ = f.Close()
		return nil, err
	}
	start := journal.SessionStart{Epoch: info.Epoch, Wall: wall, Config: info.Config, Version: info.Version}
	j.note(&start)
	if j.err != nil {
		_ = j.file.close(j.win, 0)
		return nil, j.err
	}
	return j, nil
}

// Name is the file's name.
func (j *Journal) Name() string { return j.name }

// record is a payload that can append itself.
type record interface {
	Append(dst []byte, seq uint64) []byte
}

// note puts a record into the file; what goes wrong is kept in j.err.
func (j *Journal) note(r record) {
	if !j.room() {
		return
	}
	// The record is made in memory that is in the cache, and then only stored: its
	// place in the file mostly is not, and the checksum would have to wait for it.
	j.buf = r.Append(j.buf[:0], j.seq+1)
	if len(j.buf) > spill {
		panic(fmt.Sprintf("BUG: a journal record of %d bytes, want at most %d", len(j.buf), spill))
	}
	defer j.caught(debug.SetPanicOnFault(true))
	j.at += copy(j.win.mem[j.at:], j.buf)
	j.seq++
}

// room is false after an error. It goes on to the next window when this one is full.
func (j *Journal) room() bool {
	if j.err != nil {
		return false
	}
	if j.at >= chunk {
		next, err := j.file.follow(j.win)
		if err != nil {
			j.err = err
			return false
		}
		j.win, j.at = next, j.at-chunk
	}
	return true
}

// caught ends a copy. A fault means that the file could not take the bytes: the
// device failed, or somebody cut the file short. A record that is not whole is as good
// as none: the reader cuts such a tail.
func (j *Journal) caught(before bool) {
	debug.SetPanicOnFault(before)
	switch e := recover().(type) {
	case nil:
	case interface {
		error
		Addr() uintptr
	}:
		j.err = fmt.Errorf("cannot write the journal: the file does not take a record at %d: %w", j.win.base+int64(j.at), e)
	default:
		panic(e)
	}
}

// Sent records a request that is about to be written.
func (j *Journal) Sent(r *exec.SentRecord) error {
	in := &r.Intent
	j.in = journal.Intent{Kind: in.Kind, Side: in.Side, Type: in.Type, TIF: in.TIF, Strategy: in.Strategy, Order: in.ID,
		Input: r.Input, Price: in.Price, Qty: in.Qty, Wall: r.Stamp, Client: r.Client, Symbol: j.table.Get(in.Instrument).Symbol}
	j.note(&j.in)
	return j.err
}

// Unsent records that no byte of a recorded request left: a report that says so.
func (j *Journal) Unsent(r *exec.SentRecord) {
	rep := core.Report{Kind: core.ReportDone, Status: core.NotSent, Side: r.Intent.Side, Instrument: r.Intent.Instrument,
		FeeAsset: core.NoAsset, ID: r.Intent.ID}
	j.Reported(&rep)
}

// Reported records what became known of an order. An error is kept, and the next Sent
// tells.
func (j *Journal) Reported(r *core.Report) {
	j.rep = journal.Report{Wall: j.clock.Wall(), Report: *r}
	j.note(&j.rep)
}

// Err is the error that ended the journal, nil while it is whole.
func (j *Journal) Err() error { return j.err }

var errClosed = errors.New("cannot write the journal: it is closed")

// Close writes how the run ended, cuts the file behind it, syncs and closes it. It
// returns the first error there was. Nothing is accepted afterwards.
func (j *Journal) Close(clean bool, text string) error {
	if j.win == nil {
		return j.err
	}
	end := journal.SessionEnd{Clean: clean, Wall: j.clock.Wall(), Text: text}
	j.note(&end)
	err := j.err
	if e := j.file.close(j.win, j.win.base+int64(j.at)); err == nil && e != nil {
		err = fmt.Errorf("cannot close the journal: %w", e)
	}
	j.win = nil
	if j.err == nil {
		j.err = errClosed
	}
	return err
}

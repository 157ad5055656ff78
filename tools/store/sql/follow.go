package sql

import (
	"context"
	"sync/atomic"
	"time"
)

// Follower writes a store behind the journal of a folder, on a goroutine of its own.
// Nothing waits for it, and whatever goes wrong with it stops nothing.
type Follower struct {
	status atomic.Pointer[Status]
	cancel context.CancelFunc
	done   chan struct{}
}

// Status is how far a Follower is.
type Status struct {
	Rows uint64 // records that it has written
	Seq  uint64 // the journal's record up to which all is written
	Err  error  // what is wrong, nil while nothing is
}

const (
	followEvery = 100 * time.Millisecond
	retryEvery  = 2 * time.Second // after trouble
)

// Follow begins to write the store of the journal in dir.
func Follow(dir string) *Follower {
	ctx, cancel := context.WithCancel(context.Background())
	f := &Follower{cancel: cancel, done: make(chan struct{})}
	f.status.Store(&Status{})
	go f.run(ctx, dir)
	return f
}

// Status is the newest state; any goroutine.
func (f *Follower) Status() Status { return *f.status.Load() }

// Close has all that is in the journal written, unless something is wrong, and ends the
// goroutine.
func (f *Follower) Close() {
	f.cancel()
	<-f.done
}

func (f *Follower) run(ctx context.Context, dir string) {
	defer close(f.done)
	var w *Writer
	var rows uint64
	pause := time.NewTimer(0)
	defer pause.Stop()
	for last := false; ; {
		select {
		case <-pause.C:
		case <-ctx.Done():
			last = true
		}
		next := followEvery
		err := error(nil)
		if w == nil {
			w, err = OpenWriter(dir)
		}
		for wrote := batchMost; err == nil && wrote == batchMost; {
			wrote, err = w.batch()
			rows += uint64(wrote)
			f.tell(w, rows, err)
		}
		if err != nil {
			next = retryEvery
			f.tell(w, rows, err)
		}
		if last {
			if w != nil {
				_ = w.Close() // what it has written is synced
			}
			return
		}
		pause.Reset(next)
	}
}

func (f *Follower) tell(w *Writer, rows uint64, err error) {
	s := &Status{Rows: rows, Err: err}
	if w != nil {
		s.Seq = w.Seq()
	}
	f.status.Store(s)
}

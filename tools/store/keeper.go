package store

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"riposte/core/fault"
	"riposte/core/journal"
)

// keeper makes windows ahead of their use, the next file too where one is full, and
// finishes the files that are behind: cuts, sums and syncs them. It does so on
// goroutines of its own; what goes wrong there, or hangs, stops the journal at once,
// although the writer has room yet.
type keeper struct {
	dir   string
	disk  disk
	chunk int64 // bytes of a window
	most  int64 // bytes after which a file is full

	next    atomic.Pointer[window]        // made ahead; taken by the writing goroutine
	pending atomic.Pointer[window]        // the window behind which the next is to be made; nil: it is made
	used    atomic.Pointer[finished]      // given back by the writing goroutine, newest first
	behind  atomic.Int32                  // files finished of which the writer has not noted the sum
	chain   atomic.Pointer[journal.Chain] // of the file finished last; taken by the writing goroutine
	trouble atomic.Pointer[error]         // the first error of these goroutines

	tasks [3]task
	stop  chan struct{}
	made  sync.WaitGroup
}

// finished is a window that is used up and, where end is not 0, its file with it.
type finished struct {
	w      *window
	end    int64
	before *finished
}

// task is one of the keeper's duties; it runs on a goroutine of its own, never twice at
// a time.
type task struct {
	since atomic.Int64 // beat in which it began, 0: it is not running
	every int64        // beats
}

const (
	// beat is how often the keeper looks: with a window in reserve there is no hurry.
	beat = 20 * time.Millisecond
	// probeEvery is how many beats lie between two proofs that the disk still takes
	// bytes to the platter; stallAfter is how many any task may take.
	probeEvery = 50
	stallAfter = 250
)

var errStalled = errors.New("the disk has hung for 5 s")

// run starts tasks until stop, and watches how long they take.
func (k *keeper) run(probe *os.File) {
	t := time.NewTicker(beat)
	defer t.Stop()
	defer probe.Close()
	k.tasks[2].every = probeEvery
	// Made once: a beat leaves nothing for the collector.
	var starts [len(k.tasks)]func()
	for i, work := range [len(k.tasks)]func(){k.make, k.finishOne, func() { k.probe(probe) }} {
		at := &k.tasks[i]
		starts[i] = func() {
			defer k.made.Done()
			work()
			at.since.Store(0)
		}
	}
	for beats := int64(1); ; beats++ {
		for i, start := range starts {
			at := &k.tasks[i]
			if since := at.since.Load(); since != 0 {
				if beats-since > stallAfter {
					k.fail(errStalled)
				}
				continue
			}
			if beats%max(at.every, 1) == 0 && k.trouble.Load() == nil {
				at.since.Store(beats)
				k.made.Add(1)
				go start()
			}
		}
		select {
		case <-k.stop:
			return
		case <-t.C:
		}
	}
}

// probe writes and syncs a few bytes beside the journal: a disk that has become
// read-only, fails or hangs is noticed before the journal needs it. Once failed it is
// never tried again: a later success would prove nothing.
func (k *keeper) probe(f *os.File) {
	err := k.disk.try("probe")
	if err == nil {
		_, err = f.WriteAt(probed[:], 0)
	}
	if err == nil {
		err = k.disk.sync(f)
	}
	if err != nil {
		k.fail(fmt.Errorf("the disk does not take bytes any more: %w", err))
	}
}

// probed is what a probe writes, made once.
var probed = [1]byte{1}

// fail keeps the first error.
func (k *keeper) fail(err error) {
	err = fmt.Errorf("cannot write the journal: %w", err)
	k.trouble.CompareAndSwap(nil, &err)
}

// make makes the next window if it is missing.
func (k *keeper) make() {
	last := k.pending.Load()
	if last == nil {
		return
	}
	w, err := k.after(last)
	switch {
	case err != nil:
		k.fail(err)
	case k.pending.CompareAndSwap(last, nil):
		k.next.Store(w)
	default:
		k.drop(w, last) // the writer could not wait
	}
}

// finishOne finishes what is behind: windows, and a file at a time, of which the writer
// takes the sum.
func (k *keeper) finishOne() {
	if k.chain.Load() != nil {
		return
	}
	for u := k.used.Swap(nil); u != nil; u = u.before {
		u.w.unmap()
		if u.end > 0 {
			c, err := k.finish(u)
			if err != nil {
				k.fail(err)
				return
			}
			k.chain.Store(c)
		}
	}
}

// after makes the window behind last: in its file, or in a new one if that is full and
// the one before it is wholly done with.
func (k *keeper) after(last *window) (*window, error) {
	if last.base+k.chunk < k.most || k.behind.Load() > 0 {
		return k.window(last.f, last.number, last.base+k.chunk)
	}
	return k.file(last.number + 1)
}

// file makes a file and its first window.
func (k *keeper) file(number uint64) (*window, error) {
	f, err := k.disk.create(fileName(k.dir, number))
	if err != nil {
		return nil, fmt.Errorf("cannot make the journal's next file: %w", err)
	}
	fault.At(fault.SegmentMade)
	w, err := k.window(f, number, 0)
	if err == nil {
		if err = k.disk.syncDir(k.dir); err != nil {
			err = fmt.Errorf("cannot make the journal's next file: %w", err)
			w.unmap()
		}
	}
	if err != nil {
		_ = f.Close()
		_ = os.Remove(f.Name()) // nothing is in it
		return nil, err
	}
	return w, nil
}

// drop gives up a window that was made in vain.
func (k *keeper) drop(w, last *window) {
	w.unmap()
	if w.f != last.f {
		_ = w.f.Close()
		_ = os.Remove(w.f.Name()) // nothing was ever in it
	}
}

// follow is the window behind w, which is used up to end. The writing goroutine calls
// it; it finds the window made, or makes one in the same file, if orders came faster.
func (k *keeper) follow(w *window, end int64) (*window, error) {
	next := k.next.Swap(nil)
	if next == nil {
		if !k.pending.CompareAndSwap(w, nil) {
			// It is being handed over at this moment, unless it could not be made.
			for next == nil {
				if next = k.next.Swap(nil); next == nil && k.trouble.Load() != nil {
					return nil, *k.trouble.Load()
				}
			}
		} else {
			var err error
			if next, err = k.window(w.f, w.number, w.base+k.chunk); err != nil {
				return nil, err
			}
		}
	}
	u := &finished{w: w}
	if next.f != w.f {
		u.end = end
		k.behind.Add(1)
	}
	for {
		if u.before = k.used.Load(); k.used.CompareAndSwap(u.before, u) {
			break
		}
	}
	k.pending.Store(next)
	return next, nil
}

// finish cuts a file to its records, sums them and has it synced.
func (k *keeper) finish(u *finished) (*journal.Chain, error) {
	f, c := u.w.f, &journal.Chain{Number: u.w.number, Bytes: u.end}
	defer f.Close()
	if err := k.disk.truncate(f, u.end); err != nil {
		return nil, fmt.Errorf("cannot finish %s: %w", f.Name(), err)
	}
	fault.At(fault.RotateTruncated)
	var err error
	if c.Sum, err = sum(f, u.end); err != nil {
		return nil, fmt.Errorf("cannot finish %s: %w", f.Name(), err)
	}
	fault.At(fault.RotateSummed)
	if err := k.disk.sync(f); err != nil {
		return nil, fmt.Errorf("cannot finish %s: %w", f.Name(), err)
	}
	return c, nil
}

// sum is the SHA-256 of a file's first size bytes.
func sum(f io.ReaderAt, size int64) (s [32]byte, err error) {
	h := sha256.New()
	n, err := io.CopyBuffer(h, io.NewSectionReader(f, 0, size), make([]byte, 1<<20))
	if err == nil && n != size {
		err = io.ErrUnexpectedEOF
	}
	h.Sum(s[:0])
	return s, err
}

// end stops the keeper and closes what is open; last is the window being written, and
// size the length of its file. Windows and files made ahead go.
func (k *keeper) end(last *window, size int64) error {
	close(k.stop)
	k.made.Wait()
	var errs []error
	if w := k.next.Load(); w != nil {
		k.drop(w, last)
	}
	for u := k.used.Swap(nil); u != nil; u = u.before {
		u.w.unmap()
		if u.end > 0 {
			_, err := k.finish(u)
			errs = append(errs, err)
		}
	}
	last.unmap()
	errs = append(errs, k.disk.truncate(last.f, size))
	fault.At(fault.EndTruncated)
	errs = append(errs, k.disk.sync(last.f), last.f.Close(), k.disk.syncDir(k.dir))
	return errors.Join(errs...)
}

// probeName is the file that the keeper's probes go into.
func probeName(dir string) string { return filepath.Join(dir, "probe") }

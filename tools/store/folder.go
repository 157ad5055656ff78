package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"riposte/core"
	"riposte/core/fault"
	"riposte/core/journal"
	"riposte/exec"
)

// Folder is a journal's folder, held by this process alone:
//
//	00000001.journal …  the files of records, numbered without a gap
//	epoch               the number of the newest run, synced before it trades
//	lock                held as long as the process lives
//
// Opening it is the first half of a start, which is a recovery whatever was before: it
// reads what former runs left and takes the next epoch. Begin is the second half. One
// goroutine.
type Folder struct {
	Past  *exec.Past // what former runs left; the caller may add to it before Begin
	Epoch uint64     // of this run: above any that the folder knows
	Cut   int64      // torn bytes at the end of the newest file, which Begin cuts off
	Short bool       // the newest file has been cut, by no run: records may be missing at its end
	Read  int64      // bytes of records that were read

	dir     string
	disk    disk
	clock   core.Clock
	lock    *os.File
	files   []segment // by number
	seq     uint64    // of the last record
	base    uint64    // newest file with a checkpoint, 0: none
	chained uint64    // newest file of which a later one has the sum
	still   bool      // tests do the keeper's work themselves
}

// segment is one file of the folder.
type segment struct {
	number uint64
	size   int64 // of its records, once it has been read
	cut    int64 // torn bytes behind them
	room   int64 // all bytes behind them, zeros too
	short  bool  // it ends where neither a death nor an end leaves it
	read   bool
	sum    [32]byte // of a file that was read
}

const suffix = ".journal"

func fileName(dir string, number uint64) string {
	return filepath.Join(dir, fmt.Sprintf("%08d%s", number, suffix))
}

// OpenFolder takes the folder, makes it if need be, and reads it. A journal that is
// damaged is an error which names file, offset and what was expected; nothing has been
// changed then. So is a folder that another process has.
func OpenFolder(dir string, clock core.Clock) (*Folder, error) {
	return openFolder(dir, clock, disk{})
}

// OpenFolderOn is OpenFolder on a disk that fails where fault says so, which is asked
// before each operation by its name: for simulations.
func OpenFolderOn(dir string, clock core.Clock, fault func(op string) error) (*Folder, error) {
	return openFolder(dir, clock, disk{fault})
}

func openFolder(dir string, clock core.Clock, d disk) (f *Folder, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the journal's folder: %w", err)
	}
	f = &Folder{Past: exec.NewPast(), dir: dir, disk: d, clock: clock}
	if f.lock, err = takeLock(filepath.Join(dir, "lock")); err != nil {
		return nil, fmt.Errorf("cannot use the journal's folder %s: %w", dir, err)
	}
	opened := f // an error return sets f to nil
	defer func() {
		if err != nil {
			opened.Close()
		}
	}()
	fault.At(fault.FolderLocked)
	if f.files, err = listFiles(dir); err != nil {
		return nil, err
	}
	last, err := readEpoch(filepath.Join(dir, "epoch"))
	if err != nil {
		return nil, err
	}
	if err := f.recover(); err != nil {
		return nil, err
	}
	fault.At(fault.FolderRead)
	f.Epoch = core.EpochAfter(max(last, f.Past.Epoch), clock.Wall())
	if err := d.replace(filepath.Join(dir, "epoch"), fmt.Appendf(nil, "%d\n", f.Epoch)); err != nil {
		return nil, err
	}
	fault.At(fault.EpochTaken)
	return f, nil
}

// Close gives the folder back. Before Begin only: a Journal closes its folder itself.
func (f *Folder) Close() { _ = f.lock.Close() }

// ErrTaken says that another process holds a lock.
var ErrTaken = errors.New("another riposte has it")

// takeLock locks the file at name for this process; the kernel unlocks it when the
// process ends, however it ends. The file tells who has it.
func takeLock(name string) (*os.File, error) {
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		who, _ := os.ReadFile(name)
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("%w (process %s): one folder is for one running instance", ErrTaken, strings.TrimSpace(string(who)))
		}
		return nil, fmt.Errorf("cannot lock %s: %w", name, err)
	}
	if err := f.Truncate(0); err == nil {
		_, _ = f.WriteAt(strconv.AppendInt(nil, int64(os.Getpid()), 10), 0) // for the reader of the message alone
	}
	return f, nil
}

// ReadEpoch is the epoch of the newest run that a folder has seen, 0 if none.
func ReadEpoch(dir string) (uint64, error) { return readEpoch(filepath.Join(dir, "epoch")) }

func readEpoch(name string) (uint64, error) {
	text, err := os.ReadFile(name)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("cannot read the newest run's epoch: %w", err)
	}
	e, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("cannot read the newest run's epoch: found %q in %s, want a number", text, name)
	}
	return e, nil
}

// listFiles are the folder's files by number, which must have no gap. Those of the
// first format are named after their time and stay what they were: `riposte journal`
// prints them, nothing is recovered from them.
func listFiles(dir string) ([]segment, error) {
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("cannot read the journal's folder: %w", err)
	}
	var files []segment
	for _, e := range list {
		digits, ok := strings.CutSuffix(e.Name(), suffix)
		if n, err := strconv.ParseUint(digits, 10, 64); ok && err == nil && len(digits) >= 8 {
			files = append(files, segment{number: n})
		}
	}
	slices.SortFunc(files, func(a, b segment) int { return int(int64(a.number) - int64(b.number)) })
	for i := 1; i < len(files); i++ {
		if want := files[i-1].number + 1; files[i].number != want {
			return nil, &Broken{File: fileName(dir, want), Want: "this file, between its neighbours", Found: "none of that name"}
		}
	}
	return files, nil
}

// Broken is a journal that must not be continued: something in it is lost or changed.
type Broken struct {
	File   string
	Offset int64
	Want   string
	Found  string
}

func (e *Broken) Error() string {
	return fmt.Sprintf("journal is damaged in %s at offset %d: found %s, want %s; put back what was there, or move the folder away and start from an empty one", e.File, e.Offset, e.Found, e.Want)
}

// corrupt turns what a reader found into a report.
func corrupt(file string, err error) error {
	var c *journal.Corrupt
	if !errors.As(err, &c) {
		return fmt.Errorf("cannot read the journal %s: %w", file, err)
	}
	b := &Broken{File: file, Offset: c.Offset, Want: fmt.Sprintf("record %d", c.Want), Found: fmt.Sprintf("record %d", c.Seq)}
	if c.Next != c.Offset {
		b.Found = fmt.Sprintf("%d bytes that are none before record %d", c.Next-c.Offset, c.Seq)
	}
	if c.Want == 0 {
		b.Want = "a record"
	}
	return b
}

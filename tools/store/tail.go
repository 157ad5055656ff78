package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"riposte/core/journal"
)

// Place is how far a folder's records have been read: behind the record Seq, which ends
// at Offset of File. The zero Place is before the first record of the oldest file.
type Place struct {
	File   uint64
	Offset int64
	Seq    uint64
}

// Tail reads a folder's records in their order, from any place on and across files, also
// while a run is writing them: at their end it waits for more by being asked again. It
// needs no lock, changes nothing and never disturbs the writer. One goroutine.
type Tail struct {
	dir   string
	at    Place
	buf   []byte
	r     *journal.Reader // over buf, which begins at base; nil: to be read
	base  int64
	over  bool  // a later file has begun, so what this one holds is final
	doubt int64 // where something looked damaged, -1: nowhere
}

// tailChunk is how much is read at a time: several of the largest records there are.
const tailChunk = 8 * spill

// NewTail reads on from a place.
func NewTail(dir string, at Place) *Tail {
	return &Tail{dir: dir, at: at, buf: make([]byte, tailChunk), doubt: -1}
}

// Place is where the next record begins.
func (t *Tail) Place() Place { return t.at }

// Next is the next record; its payload is valid until the next call. io.EOF means that
// there is none yet. Damage is an error that names its place, and Next stays there.
func (t *Tail) Next() (journal.Record, error) {
	for {
		if t.r == nil {
			if more, err := t.read(); err != nil {
				return journal.Record{}, err
			} else if !more {
				if turned, err := t.turn(); turned {
					continue
				} else if err != nil {
					return journal.Record{}, err
				}
				return journal.Record{}, io.EOF
			}
		}
		rec, err := t.r.Next()
		if err == nil {
			if t.at.Seq != 0 && rec.Seq != t.at.Seq+1 {
				t.r = nil
				return rec, &Broken{File: t.name(), Offset: t.at.Offset, Want: fmt.Sprintf("record %d", t.at.Seq+1), Found: fmt.Sprintf("record %d", rec.Seq)}
			}
			t.at.Offset, t.at.Seq, t.doubt = t.base+t.r.Offset(), rec.Seq, -1
			return rec, nil
		}
		whole := t.r.Offset() // bytes of buf that are records
		t.r = nil
		if whole > 0 {
			continue // read on from there
		}
		var bad *journal.Corrupt
		if errors.As(err, &bad) {
			// A record that was being written while it was read, with one behind it that
			// was whole a moment later, looks like damage; read anew it does not.
			if t.doubt == t.at.Offset {
				bad.Offset, bad.Next, bad.Want = bad.Offset+t.base, bad.Next+t.base, t.at.Seq+1
				return rec, corrupt(t.name(), bad)
			}
			t.doubt = t.at.Offset
			continue
		}
		// Half a record: the writer is at it, or died at it and the next file goes on.
		if turned, err := t.turn(); turned {
			continue
		} else if err != nil {
			return rec, err
		}
		return rec, io.EOF
	}
}

func (t *Tail) name() string { return fileName(t.dir, t.at.File) }

// read fills buf from the place on; false if there is no byte that is not zero.
func (t *Tail) read() (bool, error) {
	if t.at.File == 0 {
		files, err := listFiles(t.dir)
		if err != nil || len(files) == 0 {
			return false, err
		}
		t.at.File = files[0].number
	}
	f, err := os.Open(t.name())
	if errors.Is(err, os.ErrNotExist) {
		return false, t.missing()
	}
	if err != nil {
		return false, fmt.Errorf("cannot read the journal: %w", err)
	}
	defer f.Close()
	if !t.over && !written(f, t.at.Offset) {
		return false, nil // looked for often, and cheaply
	}
	n, err := f.ReadAt(t.buf, t.at.Offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, fmt.Errorf("cannot read the journal: %w", err)
	}
	used := len(bytes.TrimRight(t.buf[:n], "\x00"))
	if used == 0 {
		return false, nil
	}
	// A record may end in zeros itself, though never in more than it can be long.
	t.base = t.at.Offset
	t.r = journal.NewReader(bytes.NewReader(t.buf[:min(n, used+spill)]))
	return true, nil
}

// missing tells whether a file that is not there is one that is still to come.
func (t *Tail) missing() error {
	files, err := listFiles(t.dir)
	if err != nil {
		return err
	}
	if t.at.Offset == 0 && (len(files) == 0 || files[len(files)-1].number < t.at.File) {
		return nil
	}
	return &Broken{File: t.name(), Offset: t.at.Offset, Want: "this file, up to which the journal has been read", Found: "none of that name"}
}

// turn goes on to the next file once that has begun. Then this one is complete, but what
// was read of it may be older than that: it is read to its end once more.
func (t *Tail) turn() (bool, error) {
	if t.over {
		t.over = false
		t.at.File, t.at.Offset = t.at.File+1, 0
		return true, nil
	}
	if t.at.File == 0 {
		return false, nil
	}
	f, err := os.Open(fileName(t.dir, t.at.File+1))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("cannot read the journal: %w", err)
	}
	defer f.Close()
	if !written(f, 0) {
		return false, nil // made ahead
	}
	_, err = journal.NewReader(io.NewSectionReader(f, 0, spill)).Next()
	t.over = err == nil // or its first record is being written
	return t.over, nil
}

// written reports whether there is the beginning of a record: none begins with zeros.
func written(f *os.File, at int64) bool {
	var b [8]byte
	n, _ := f.ReadAt(b[:], at) // an error comes again when it is read
	return n == len(b) && b != [8]byte{}
}

// Lock takes the file at name for this process, as a folder's lock is taken: the kernel
// gives it back when the process ends, however it ends.
func Lock(name string) (*os.File, error) { return takeLock(name) }

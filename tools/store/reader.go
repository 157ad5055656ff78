package store

import (
	"errors"
	"fmt"
	"io"
	"os"

	"riposte/core/journal"
)

// Reader reads a journal back. Behind the last record of a run that was not closed, or
// is still going on, lies the room that was kept ahead: zeros, which are no damage and
// where the Reader stops. One goroutine.
type Reader struct {
	*journal.Reader
	f    *os.File
	used int64 // where the last byte that is not zero ends
	size int64 // of the file
}

// OpenReader opens a journal from its first record.
func OpenReader(name string) (*Reader, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read the journal: %w", err)
	}
	used, size, err := extent(f)
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("cannot read the journal %s: %w", name, err)
	}
	// A record may end in zeros itself, and looking for records in all of the room
	// would take long: as much of it is read as the largest record may have.
	most := min(size, used+spill)
	return &Reader{Reader: journal.NewReader(io.NewSectionReader(f, 0, most)), f: f, used: used, size: size}, nil
}

// Next is the next record; see journal.Reader. It ends with io.EOF also where zeros
// alone follow the last record. A torn tail ends where the zeros begin.
func (r *Reader) Next() (journal.Record, error) {
	rec, err := r.Reader.Next()
	var torn *journal.TornTail
	if errors.As(err, &torn) {
		if torn.Offset >= r.used {
			return rec, io.EOF
		}
		return rec, &journal.TornTail{Offset: torn.Offset, Bytes: r.used - torn.Offset}
	}
	return rec, err
}

// Close closes the file.
func (r *Reader) Close() error { return r.f.Close() }

// extent is where the last byte that is not zero ends, and how long the file is.
func extent(f *os.File) (used, size int64, err error) {
	if size, err = f.Seek(0, io.SeekEnd); err != nil {
		return 0, 0, err
	}
	b := make([]byte, 64<<10)
	for end := size; end > 0; {
		from := max(0, end-int64(len(b)))
		p := b[:end-from]
		// A journal that is being written only grows.
		if _, err := f.ReadAt(p, from); err != nil && !errors.Is(err, io.EOF) {
			return 0, 0, err
		}
		for i := len(p) - 1; i >= 0; i-- {
			if p[i] != 0 {
				return from + int64(i) + 1, size, nil
			}
		}
		end = from
	}
	return 0, size, nil
}

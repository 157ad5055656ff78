package journal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// TornTail is what a crash leaves: bytes after the last whole record that are no
// record, with none after them. Cutting them off at Offset mends the journal.
type TornTail struct {
	Offset int64 // where the last whole record ends
	Bytes  int64 // how many follow
}

func (e *TornTail) Error() string {
	return fmt.Sprintf("journal ends in %d bytes at offset %d that are no record; they can be cut off", e.Bytes, e.Offset)
}

// Corrupt is damage before valid records: what stood there is lost, and cutting
// would lose what follows too. The journal must not be continued.
type Corrupt struct {
	Offset int64  // where a record should start
	Next   int64  // where the next valid one does
	Want   uint64 // the sequence expected at Offset, 0 if any
	Seq    uint64 // the sequence found at Next
}

func (e *Corrupt) Error() string {
	if e.Next == e.Offset {
		return fmt.Sprintf("journal is corrupt at offset %d: sequence %d, want %d", e.Offset, e.Seq, e.Want)
	}
	return fmt.Sprintf("journal is corrupt from offset %d to %d, where sequence %d follows, want %d", e.Offset, e.Next, e.Seq, e.Want)
}

// Reader reads records in order. One goroutine.
type Reader struct {
	in   *bufio.Reader
	most int // bytes a record may have
	off  int64
	seq  uint64 // of the last record
	any  bool   // there was one
	size int    // of the record last returned, still to be skipped
	err  error
}

// NewReader reads a journal from its start, or from a record's start.
func NewReader(r io.Reader) *Reader { return newReader(r, headerLen+PayloadMax) }

func newReader(r io.Reader, most int) *Reader {
	return &Reader{in: bufio.NewReaderSize(r, most), most: most}
}

// Offset is where the last record returned ends: all before it is whole.
func (r *Reader) Offset() int64 { return r.off + int64(r.size) }

// Next is the next record; its payload is valid until the next call. After the
// last it returns io.EOF, a *TornTail or a *Corrupt, or what the source failed
// with; then it goes on returning that.
func (r *Reader) Next() (Record, error) {
	if r.err != nil {
		return Record{}, r.err
	}
	r.skip(r.size)
	rec, n, err := r.peek()
	switch {
	case err != nil:
		r.err = err
	case n == 0:
		r.err = r.explain()
	case r.any && rec.Seq != r.seq+1:
		r.err = &Corrupt{Offset: r.off, Next: r.off, Want: r.seq + 1, Seq: rec.Seq}
	default:
		r.size, r.seq, r.any = n, rec.Seq, true
		return rec, nil
	}
	return Record{}, r.err
}

func (r *Reader) skip(n int) {
	n, _ = r.in.Discard(n) // it was peeked at, so it is there
	r.off += int64(n)
	r.size = 0
}

// peek looks at the record here; n is its size, 0 if there is none. err is
// io.EOF only where nothing at all is left.
func (r *Reader) peek() (rec Record, n int, err error) {
	b, err := r.in.Peek(headerLen)
	if len(b) == 0 || err != nil && !errors.Is(err, io.EOF) {
		return Record{}, 0, r.failed(err)
	}
	if len(b) < headerLen {
		return Record{}, 0, nil
	}
	n = size(b)
	if n == 0 || n > r.most {
		return Record{}, 0, nil
	}
	b, err = r.in.Peek(n)
	if err != nil && !errors.Is(err, io.EOF) {
		return Record{}, 0, r.failed(err)
	}
	if len(b) < n || !valid(b) {
		return Record{}, 0, nil
	}
	return Record{
		Seq:     binary.LittleEndian.Uint64(b[8:]),
		Kind:    Kind(b[16]),
		Version: b[17],
		Payload: b[headerLen:n:n],
	}, n, nil
}

func (r *Reader) failed(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return fmt.Errorf("cannot read journal at offset %d: %w", r.off, err)
}

// explain looks for a valid record after bytes that are none.
func (r *Reader) explain() error {
	start := r.off
	for {
		r.skip(1)
		rec, n, err := r.peek()
		switch {
		case err == io.EOF:
			end := r.off
			r.off = start // Offset stays where the last whole record ended
			return &TornTail{Offset: start, Bytes: end - start}
		case err != nil:
			r.off = start
			return err
		case n > 0 && (!r.any || rec.Seq > r.seq):
			next := r.off
			r.off = start
			e := &Corrupt{Offset: start, Next: next, Seq: rec.Seq}
			if r.any {
				e.Want = r.seq + 1
			}
			return e
		}
	}
}

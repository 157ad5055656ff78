// Package tape reads and writes recordings of market data: text, one line a message,
//
//	recv_ns <TAB> kind <TAB> payload
//
// plain, gzipped, under zstd, or in our own blocks of zstd (block.go), which is what is
// written. kind is
//
//	ws, ws:label      one WebSocket text frame, byte for byte; the label tells lines apart
//	rest:path?query   the body of one REST answer, at the place where it arrived
//	meta, gap, rules  the recorder's own, one JSON object (notes.go): what this is and the
//	                  unit of its times; what is missing, with the ids that no line brought;
//	                  what holds for a symbol from here on, at the beginning of each file
//	                  and where the venue has changed it
//	begin, inputs     of an input log (core/engine), which has files of its own: what a run
//	                  began with, one JSON object; what its engine took, as messages
//	b64:kind          any of them whose payload is in base64, because a line cannot hold it
//
// recv_ns may be empty. Lines are in receive order.
package tape

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strconv"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// lineMax bounds one line: the largest body known, exchangeInfo of all symbols, has
// about 15 MB.
const lineMax = 64 << 20

const encoded = "b64:"

// Line is one message of a tape. Payload is borrowed until the next call.
type Line struct {
	RecvNs  int64  // Unix ns on the recorder's clock, 0 if not recorded
	Rest    string // path?query of a REST answer, "" for anything else
	Label   string // of a frame's connection, "" if it has none
	Note    string // one of the recorder's own kinds, "" for anything else
	Payload []byte
}

// Frame reports whether the line is a WebSocket frame.
func (l *Line) Frame() bool { return l.Rest == "" && l.Note == "" }

// Symbol is the symbol parameter of a REST line's query, "" without one.
func (l *Line) Symbol() string {
	_, query, _ := strings.Cut(l.Rest, "?")
	q, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	return q.Get("symbol")
}

// Reader reads one tape. One goroutine.
type Reader struct {
	name   string
	sc     *bufio.Scanner
	line   int
	blocks *blocks // nil but for a recording of ours
	label  string  // last seen
	plain  []byte  // of a payload that was in base64
	c      []io.Closer
}

// Open opens a tape file; how it is packed is told by its first bytes, not by the name.
func Open(name string) (*Reader, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("cannot open the tape: %w", err)
	}
	r, err := NewReader(name, f)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	r.c = append(r.c, f)
	return r, nil
}

// NewReader reads a tape from r; name is how errors call it.
func NewReader(name string, r io.Reader) (*Reader, error) {
	br := bufio.NewReaderSize(r, 256<<10)
	t := &Reader{name: name}
	var src io.Reader = br
	magic, _ := br.Peek(4) // shorter if there is no more
	switch {
	case bytes.HasPrefix(magic, []byte{0x1f, 0x8b}):
		z, err := gzip.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("cannot read tape %s: %w", name, err)
		}
		src = z
		t.c = append(t.c, z)
	case bytes.Equal(magic, []byte{0x52, 0x2a, 0x4d, 0x18}):
		b, err := newBlocks(br)
		if err != nil {
			return nil, fmt.Errorf("cannot read tape %s: %w", name, err)
		}
		t.blocks, src = b, b
		t.c = append(t.c, b)
	case bytes.Equal(magic, []byte{0x28, 0xb5, 0x2f, 0xfd}):
		z, err := zstd.NewReader(br)
		if err != nil {
			return nil, fmt.Errorf("cannot read tape %s: %w", name, err)
		}
		src = z
		t.c = append(t.c, z.IOReadCloser())
	}
	t.sc = bufio.NewScanner(src)
	t.sc.Buffer(make([]byte, 256<<10), lineMax)
	return t, nil
}

// Next reads the next line into l; io.EOF at the end. Any other error names the
// file and line, what stood there and what was wanted.
func (t *Reader) Next(l *Line) error {
	if !t.sc.Scan() {
		err := t.sc.Err()
		switch {
		case err == nil:
			return io.EOF
		case errors.Is(err, bufio.ErrTooLong):
			return fmt.Errorf("cannot read tape %s: line %d is longer than %d bytes", t.name, t.line+1, lineMax)
		}
		return fmt.Errorf("cannot read tape %s after line %d: %w", t.name, t.line, err)
	}
	t.line++
	text := t.sc.Bytes()
	stamp, rest, ok1 := bytes.Cut(text, []byte{'\t'})
	kind, payload, ok2 := bytes.Cut(rest, []byte{'\t'})
	if !ok1 || !ok2 {
		return t.bad("%d tabs in it", bytes.Count(text, []byte{'\t'}), "recv_ns, kind and payload separated by two tabs")
	}
	l.RecvNs = 0
	if len(stamp) > 0 {
		ns, err := strconv.ParseInt(string(stamp), 10, 64)
		if err != nil {
			return t.bad("receive time %q", stamp, "Unix nanoseconds or nothing")
		}
		l.RecvNs = ns
	}
	l.Rest, l.Label, l.Note, l.Payload = "", "", "", payload
	if inner, ok := bytes.CutPrefix(kind, []byte(encoded)); ok {
		var err error
		if t.plain, err = base64.StdEncoding.AppendDecode(t.plain[:0], payload); err != nil {
			return t.bad("a payload of kind %q that is not base64", kind, "base64")
		}
		kind, l.Payload = inner, t.plain
	}
	switch {
	case bytes.Equal(kind, []byte("ws")):
	case bytes.HasPrefix(kind, []byte("ws:")):
		if label := kind[3:]; string(label) != t.label {
			t.label = string(label)
		}
		l.Label = t.label
	case bytes.HasPrefix(kind, []byte("rest:")) && len(kind) > 5:
		l.Rest = string(kind[5:])
	default:
		if l.Note = note(kind); l.Note == "" {
			return t.bad("kind %q", kind, "ws, ws:label, rest:path?query, "+strings.Join(notes[:], ", "))
		}
	}
	return nil
}

// Cut is how many bytes at the end of a recording of ours are of a block that is not
// whole: whoever wrote it was interrupted. They are passed over. It is known once Next
// has said io.EOF.
func (t *Reader) Cut() int64 {
	if t.blocks == nil {
		return 0
	}
	return t.blocks.cut
}

func (t *Reader) bad(got string, arg any, want string) error {
	return fmt.Errorf("cannot read tape %s: line %d has "+got+", want %s", t.name, t.line, arg, want)
}

// Close closes the file.
func (t *Reader) Close() error {
	var errs []error
	for _, c := range t.c {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// Each calls f with every line of the named tapes, one after the other, until f
// returns an error.
func Each(f func(*Line) error, names ...string) error { return NewFiles(names...).Each(f) }

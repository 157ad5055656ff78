package tape

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"

	"github.com/klauspost/compress/zstd"
)

// Writer writes a recording of ours, see block.go. Lines are gathered and leave as a
// block when there are enough of them or Flush is called; only what has left can be
// read again. After an error nothing more is written, because what lies behind a
// broken block could not be read. One goroutine.
type Writer struct {
	out   io.Writer
	zstd  *zstd.Encoder
	text  []byte // of the block being filled
	block []byte
	lines uint32
	first int64
	n     uint64
	bytes int64
	err   error
}

// NewWriter writes to out, at its end if that is a file which has nothing yet.
func NewWriter(out io.Writer) (*Writer, error) {
	// The fastest level: higher ones take two to three times as long for 3 % less.
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(true))
	if err != nil {
		return nil, fmt.Errorf("cannot write a recording: %w", err)
	}
	return &Writer{out: out, zstd: z, text: make([]byte, 0, blockTarget+blockTarget/4)}, nil
}

// Frame adds one WebSocket text frame that a connection brought at recvNs (Unix).
func (w *Writer) Frame(recvNs int64, label string, payload []byte) error {
	if label == "" {
		return w.line(recvNs, "ws", payload)
	}
	return w.line(recvNs, "ws:"+label, payload)
}

// REST adds the body that a GET of the path and query was answered with.
func (w *Writer) REST(recvNs int64, pathQuery string, body []byte) error {
	return w.line(recvNs, "rest:"+pathQuery, body)
}

// Note adds what the recorder itself has to say, one JSON text (notes.go).
func (w *Writer) Note(recvNs int64, note string, payload []byte) error {
	return w.line(recvNs, note, payload)
}

func (w *Writer) line(recvNs int64, kind string, payload []byte) error {
	if w.err != nil {
		return w.err
	}
	if len(payload) > lineMax/2 {
		return fmt.Errorf("cannot record %d bytes of kind %s: want at most %d", len(payload), kind, lineMax/2)
	}
	if w.lines == 0 {
		w.first = recvNs
	}
	w.text = strconv.AppendInt(w.text, recvNs, 10)
	w.text = append(w.text, '\t')
	if bytes.IndexByte(payload, '\n') >= 0 || bytes.IndexByte(payload, '\r') >= 0 {
		// A line of text cannot hold it, and not a byte of it may change.
		w.text = append(append(append(w.text, encoded...), kind...), '\t')
		w.text = base64.StdEncoding.AppendEncode(w.text, payload)
	} else {
		w.text = append(append(w.text, kind...), '\t')
		w.text = append(w.text, payload...)
	}
	w.text = append(w.text, '\n')
	w.lines++
	if len(w.text) >= blockTarget {
		return w.Flush()
	}
	return nil
}

// Flush writes the block being filled, if there is anything in it.
func (w *Writer) Flush() error {
	if w.err != nil || w.lines == 0 {
		return w.err
	}
	w.block = append(w.block[:0], make([]byte, headerSize)...)
	w.block = w.zstd.EncodeAll(w.text, w.block)
	h := header{packed: uint32(len(w.block) - headerSize), raw: uint32(len(w.text)), lines: w.lines, number: w.n, first: w.first}
	h.append(w.block[:0])
	n, err := w.out.Write(w.block)
	w.bytes += int64(n)
	if err != nil {
		w.err = fmt.Errorf("cannot write block %d of the recording: %w", w.n, err)
		return w.err
	}
	w.n++
	w.text, w.lines = w.text[:0], 0
	return nil
}

// Err is why nothing more is written, nil if all is well.
func (w *Writer) Err() error { return w.err }

// Unwritten is how many lines are of a block that has not left, or could not.
func (w *Writer) Unwritten() int { return int(w.lines) }

// Bytes is how many have been written.
func (w *Writer) Bytes() int64 { return w.bytes }

// Close flushes. It does not close what is written to.
func (w *Writer) Close() error {
	err := w.Flush()
	if cerr := w.zstd.Close(); err == nil && cerr != nil {
		err = fmt.Errorf("cannot end the recording: %w", cerr)
	}
	return err
}

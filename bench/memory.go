package bench

import (
	"encoding/binary"
	"net"
	"os"
	"time"
)

// quiet is the part of a net.Conn that connections in memory do nothing about.
type quiet struct{}

func (quiet) Close() error                     { return nil }
func (quiet) LocalAddr() net.Addr              { return (*net.TCPAddr)(nil) }
func (quiet) RemoteAddr() net.Addr             { return (*net.TCPAddr)(nil) }
func (quiet) SetDeadline(time.Time) error      { return nil }
func (quiet) SetReadDeadline(time.Time) error  { return nil }
func (quiet) SetWriteDeadline(time.Time) error { return nil }

// AppendServerFrame appends payload as one unmasked text frame, as a server sends
// it (RFC 6455).
func AppendServerFrame(dst, payload []byte) []byte {
	dst = append(dst, 0x81)
	switch n := len(payload); {
	case n < 126:
		dst = append(dst, byte(n))
	case n <= 0xffff:
		dst = binary.BigEndian.AppendUint16(append(dst, 126), uint16(n))
	default:
		dst = binary.BigEndian.AppendUint64(append(dst, 127), uint64(n))
	}
	return append(dst, payload...)
}

// Feed is a transport in memory that brings the frames of a corpus, again after
// each Rewind. Reading beyond the last is a timeout at once, as on a socket without
// data in non-blocking mode. One goroutine.
type Feed struct {
	quiet
	stream []byte
	ends   []int // of frames in stream
	single bool
	at, n  int
}

// NewFeed lays the frames of c out as a server sends them. single brings one frame
// per read, a quiet market; otherwise each read brings all that fits, a burst.
func NewFeed(c *Corpus, single bool) *Feed {
	f := &Feed{single: single}
	for i := range c.Lines {
		if p := c.Lines[i].Frame; p != nil {
			f.stream = AppendServerFrame(f.stream, p)
			f.ends = append(f.ends, len(f.stream))
		}
	}
	return f
}

// Rewind starts the stream again.
func (f *Feed) Rewind() { f.at, f.n = 0, 0 }

// Bytes is the whole stream.
func (f *Feed) Bytes() []byte { return f.stream }

// Read brings the next bytes.
func (f *Feed) Read(p []byte) (int, error) {
	end := len(f.stream)
	if f.at == end {
		return 0, os.ErrDeadlineExceeded
	}
	if f.single {
		if f.at == f.ends[f.n] {
			f.n++
		}
		end = f.ends[f.n]
	}
	n := copy(p, f.stream[f.at:end])
	f.at += n
	return n, nil
}

// Write takes what the client sends and forgets it.
func (f *Feed) Write(p []byte) (int, error) { return len(p), nil }

// Wire is a connection in memory to a venue that answers at once: orders as
// AppendAnswer says, anything else with an empty object. One goroutine.
type Wire struct {
	quiet
	// Sent is called with each whole request before it is answered.
	Sent   func(req []byte)
	answer []byte
	at     int
	orders int64
}

// NewWire makes a wire with nothing to read.
func NewWire(sent func(req []byte)) *Wire {
	return &Wire{Sent: sent, answer: make([]byte, 0, 4096)}
}

// Write takes one whole request: a wire never has more than one in flight.
func (w *Wire) Write(p []byte) (int, error) {
	w.Sent(p)
	w.answer, w.at = w.answer[:0], 0
	if o, ok := ParseOrder(p); ok {
		w.orders++
		w.answer = AppendAnswer(w.answer, &o, w.orders, 1_723_161_255_000)
	} else {
		w.answer = append(w.answer, "HTTP/1.1 200 OK\r\nContent-Type: application/json;charset=UTF-8\r\nContent-Length: 2\r\n\r\n{}"...)
	}
	return len(p), nil
}

// Read brings the answer, or a timeout.
func (w *Wire) Read(p []byte) (int, error) {
	if w.at == len(w.answer) {
		return 0, os.ErrDeadlineExceeded
	}
	n := copy(p, w.answer[w.at:])
	w.at += n
	return n, nil
}

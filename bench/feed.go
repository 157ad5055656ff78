package bench

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"os"
	"sort"
)

// Feed is a venue's market stream in memory: a transport that takes the upgrade and
// subscriptions of a client and brings the frames of a corpus, again after each
// Rewind. Reading beyond the last is a timeout at once, as on a socket without data
// in non-blocking mode. One goroutine at a time.
type Feed struct {
	quiet
	stream []byte
	ends   []int // of frames in stream
	single bool
	at, n  int
	given  int    // frames that may be read, all from the start
	reply  []byte // to the client, not read yet
	names  []byte // of the streams subscribed, as JSON
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
	f.given = len(f.ends)
	return f
}

// Rewind starts the stream again.
func (f *Feed) Rewind() { f.at, f.n = 0, 0 }

// Hold starts the stream again and keeps all frames back until they are given.
func (f *Feed) Hold() { f.at, f.n, f.given = 0, 0, 0 }

// Give lets the next frames be read.
func (f *Feed) Give(n int) { f.given = min(f.given+n, len(f.ends)) }

// Bytes is the whole stream.
func (f *Feed) Bytes() []byte { return f.stream }

// Read brings the next bytes.
func (f *Feed) Read(p []byte) (int, error) {
	if len(f.reply) > 0 && f.between() {
		n := copy(p, f.reply)
		f.reply = f.reply[:copy(f.reply, f.reply[n:])]
		return n, nil
	}
	end := 0
	if f.given > 0 {
		end = f.ends[f.given-1]
	}
	if f.at >= end {
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

// between reports whether what has been read ends with a whole frame.
func (f *Feed) between() bool {
	i := sort.SearchInts(f.ends, f.at)
	return f.at == 0 || i < len(f.ends) && f.ends[i] == f.at
}

// Write takes what the client sends, whole requests and frames, and answers it: an
// upgrade, subscriptions, PINGs. Anything else it forgets.
func (f *Feed) Write(p []byte) (int, error) {
	if bytes.HasPrefix(p, []byte("GET ")) {
		f.upgrade(p)
		return len(p), nil
	}
	for rest := p; len(rest) >= 6; {
		op, size, head := rest[0]&0xf, int(rest[1]&0x7f), 2
		if size == 126 {
			size, head = int(binary.BigEndian.Uint16(rest[2:])), 4
		}
		if size == 127 || len(rest) < head+4+size {
			break // no client of ours sends such
		}
		mask, text := rest[head:head+4], make([]byte, size)
		for i := range text {
			text[i] = rest[head+4+i] ^ mask[i%4]
		}
		f.answer(op, text)
		rest = rest[head+4+size:]
	}
	return len(p), nil
}

func (f *Feed) upgrade(req []byte) {
	const name = "Sec-WebSocket-Key: "
	_, key, _ := bytes.Cut(req, []byte(name))
	key, _, _ = bytes.Cut(key, []byte("\r\n"))
	sum := sha1.Sum(append(bytes.Clone(key), "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"...)) // RFC 6455 section 1.3
	f.reply = append(f.reply, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	f.reply = base64.StdEncoding.AppendEncode(f.reply, sum[:])
	f.reply = append(f.reply, "\r\n\r\n"...)
}

func (f *Feed) answer(op byte, text []byte) {
	switch op {
	case 1:
		_, id, ok := bytes.Cut(text, []byte(`"id":`))
		if end := bytes.IndexAny(id, ",}"); ok && end > 0 {
			result := []byte("null")
			if _, params, ok := bytes.Cut(text, []byte(`"params":[`)); ok {
				params, _, _ = bytes.Cut(params, []byte("]"))
				f.names = append(append(f.names, params...), ',')
			} else {
				result = append(append([]byte("["), bytes.TrimRight(f.names, ",")...), ']')
			}
			reply := append(append([]byte(`{"result":`), result...), `,"id":`...)
			f.reply = AppendServerFrame(f.reply, append(append(reply, id[:end]...), '}'))
		}
	case 9:
		f.reply = append(append(f.reply, 0x8a, byte(len(text))), text...)
	}
}

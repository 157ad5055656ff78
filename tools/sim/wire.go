package sim

import (
	"bytes"
	"encoding/binary"
	"strconv"
	"time"
)

// Message is one message as it was handed to the network: an HTTP request or answer, or
// a WebSocket frame without its mask. The fields are valid during the call that brings
// it.
type Message struct {
	At   time.Duration
	Link *Link
	Up   bool // towards the venue
	Kind MessageKind

	Method, Path string // of a request
	Query        []byte // of a request, without the question mark
	Status       int    // of an answer
	Body         []byte // or a frame's payload
}

// MessageKind tells messages apart.
type MessageKind uint8

// The kinds of message.
const (
	Request MessageKind = iota
	Answer
	Text
	Ping
	Pong
	Close
	Other // a frame of another kind
)

func (k MessageKind) String() string {
	return [...]string{"request", "answer", "text", "ping", "pong", "close", "other"}[k]
}

// decoder takes one direction of one link apart. It is written after the RFCs, not after
// the engine or the venue.
type decoder struct {
	buf    []byte
	frames bool // the link has been upgraded
	broken bool
}

// feed takes bytes and calls each for every message that is whole with them.
func (d *decoder) feed(b []byte, each func(*Message)) {
	if d.broken {
		return
	}
	d.buf = append(d.buf, b...)
	for len(d.buf) > 0 {
		var m Message
		used := 0
		if d.frames {
			used = d.frame(&m)
		} else {
			used = d.http(&m)
		}
		if used == 0 {
			break
		}
		if used < 0 {
			d.broken = true
			return
		}
		each(&m)
		d.buf = d.buf[:copy(d.buf, d.buf[used:])]
	}
}

// frame reads a WebSocket frame (RFC 6455 section 5.2). Fragments come one by one.
func (d *decoder) frame(m *Message) int {
	b := d.buf
	if len(b) < 2 {
		return 0
	}
	at, size := 2, uint64(b[1]&0x7f)
	switch size {
	case 126:
		if at += 2; len(b) < at {
			return 0
		}
		size = uint64(binary.BigEndian.Uint16(b[2:]))
	case 127:
		if at += 8; len(b) < at {
			return 0
		}
		size = binary.BigEndian.Uint64(b[2:])
	}
	var mask []byte
	if b[1]&0x80 != 0 {
		if at += 4; len(b) < at {
			return 0
		}
		mask = b[at-4 : at]
	}
	if size > 1<<26 {
		return -1
	}
	if uint64(len(b)) < uint64(at)+size {
		return 0
	}
	m.Body = b[at : at+int(size)]
	if mask != nil {
		for i := range m.Body {
			m.Body[i] ^= mask[i&3]
		}
	}
	switch b[0] & 0xf {
	case 1:
		m.Kind = Text
	case 8:
		m.Kind = Close
	case 9:
		m.Kind = Ping
	case 10:
		m.Kind = Pong
	default:
		m.Kind = Other
	}
	return at + int(size)
}

var crlf2 = []byte("\r\n\r\n")

// http reads a request or an answer (RFC 9112) with a length, in chunks or without a
// body.
func (d *decoder) http(m *Message) int {
	end := bytes.Index(d.buf, crlf2)
	if end < 0 {
		return 0
	}
	head := d.buf[:end]
	at := end + 4
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	first, more, _ := bytes.Cut(line, []byte(" "))
	second, _, _ := bytes.Cut(more, []byte(" "))
	length, chunked, upgrade := 0, false, false
	for len(rest) > 0 {
		var h []byte
		h, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		name, value, _ := bytes.Cut(h, []byte(":"))
		value = bytes.TrimSpace(value)
		switch {
		case bytes.EqualFold(name, []byte("Content-Length")):
			n, err := strconv.Atoi(string(value))
			if err != nil {
				return -1
			}
			length = n
		case bytes.EqualFold(name, []byte("Transfer-Encoding")):
			chunked = bytes.EqualFold(value, []byte("chunked"))
		case bytes.EqualFold(name, []byte("Upgrade")):
			upgrade = true
		}
	}
	if bytes.HasPrefix(first, []byte("HTTP/")) {
		m.Kind = Answer
		n, err := strconv.Atoi(string(second))
		if err != nil {
			return -1
		}
		m.Status = n
		d.frames = n == 101
	} else {
		m.Kind = Request
		path, query, _ := bytes.Cut(second, []byte("?"))
		m.Method, m.Path, m.Query = string(first), string(path), query
		d.frames = upgrade
	}
	if chunked {
		body, used := chunks(d.buf[at:])
		m.Body = body
		if used <= 0 {
			d.frames = false
			return used
		}
		return at + used
	}
	if len(d.buf) < at+length {
		d.frames = false
		return 0
	}
	m.Body = d.buf[at : at+length]
	return at + length
}

// chunks reads a chunked body: 0 while it is not whole.
func chunks(b []byte) (body []byte, used int) {
	for {
		line, _, ok := bytes.Cut(b[used:], []byte("\r\n"))
		if !ok {
			return nil, 0
		}
		n, err := strconv.ParseUint(string(line), 16, 31)
		if err != nil {
			return nil, -1
		}
		used += len(line) + 2
		if len(b) < used+int(n)+2 {
			return nil, 0
		}
		body = append(body, b[used:used+int(n)]...)
		used += int(n) + 2
		if n == 0 {
			return body, used
		}
	}
}

package oracle

import (
	"bytes"
	"encoding/binary"
	"net/url"
	"strconv"
	"strings"
)

// conn puts the bytes of one connection together, both ways. What it cannot read it lets
// go: to judge the framing is not its business.
type conn struct {
	id      int
	out, in []byte // not yet put together
	begun   int    // bytes of out that were shown as the beginning of a request
	waits   []*Request
	frames  bool // upgraded
	deaf    bool // lost its place
	part    [2][]byte
}

// wrote takes bytes of the engine's.
func (c *conn) wrote(b []byte, show func(any)) {
	if c.deaf {
		return
	}
	c.out = append(c.out, b...)
	for len(c.out) > 0 && !c.deaf {
		if c.begun == 0 {
			if b := c.beginning(); b != nil {
				c.begun = len(c.out)
				show(Begun{Conn: c.id, B: b})
			}
		}
		var n int
		if c.frames {
			n = c.frame(c.out, 0, show)
		} else {
			n = c.request(show)
		}
		if n == 0 {
			return
		}
		c.out = append(c.out[:0], c.out[n:]...)
		c.begun = 0
	}
}

// beginning is what was written of a request that creates an order, nil if it is none. A
// frame is shown when it is whole: before that it cannot be read.
func (c *conn) beginning() []byte {
	if !c.frames {
		if creates(c.out) {
			return c.out
		}
		return nil
	}
	if op, body, n, ok := unframe(c.out); ok && n > 0 && op&0x0f == 1 && newClient(body) != "" {
		return body
	}
	return nil
}

// creates reports whether an HTTP request begins that can create an order.
func creates(b []byte) bool {
	return bytes.HasPrefix(b, []byte("POST /api/v3/order")) && !bytes.HasPrefix(b, []byte("POST /api/v3/order/test"))
}

// request reads one HTTP request; 0 if it is not whole yet.
func (c *conn) request(show func(any)) int {
	head := bytes.Index(c.out, []byte("\r\n\r\n"))
	if head < 0 {
		return 0
	}
	lines := strings.Split(string(c.out[:head]), "\r\n")
	first := strings.Fields(lines[0])
	if len(first) < 2 {
		c.deaf = true
		return 0
	}
	r := &Request{Conn: c.id, Method: first[0], Args: map[string]string{}}
	length := 0
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "content-length":
			length, _ = strconv.Atoi(value)
		case "x-mbx-apikey":
			r.Key = true
		}
	}
	end := head + 4 + length
	if len(c.out) < end {
		return 0
	}
	path, query, _ := strings.Cut(first[1], "?")
	r.Path = path
	for _, text := range []string{query, string(c.out[head+4 : end])} {
		values, _ := url.ParseQuery(text)
		for k, v := range values {
			r.Args[k] = v[0]
		}
	}
	c.waits = append(c.waits, r)
	show(r)
	return end
}

// read takes bytes that the engine took.
func (c *conn) read(b []byte, show func(any)) {
	if c.deaf {
		return
	}
	c.in = append(c.in, b...)
	for len(c.in) > 0 && !c.deaf {
		var n int
		if c.frames {
			n = c.frame(c.in, 1, show)
		} else {
			n = c.answer(show)
		}
		if n == 0 {
			return
		}
		c.in = append(c.in[:0], c.in[n:]...)
	}
}

// answer reads one HTTP answer; 0 if it is not whole yet.
func (c *conn) answer(show func(any)) int {
	head := bytes.Index(c.in, []byte("\r\n\r\n"))
	if head < 0 {
		return 0
	}
	lines := strings.Split(string(c.in[:head]), "\r\n")
	first := strings.Fields(lines[0])
	if len(first) < 2 || !strings.HasPrefix(first[0], "HTTP/1.") {
		c.deaf = true
		return 0
	}
	a := Reply{Conn: c.id}
	a.Status, _ = strconv.Atoi(first[1])
	length, chunked := 0, false
	for _, l := range lines[1:] {
		name, value, _ := strings.Cut(l, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "content-length":
			length, _ = strconv.Atoi(value)
		case "transfer-encoding":
			chunked = strings.EqualFold(value, "chunked")
		case "retry-after":
			n, _ := strconv.ParseInt(value, 10, 64)
			a.Retry = n * 1e9
		}
	}
	end := head + 4
	if a.Status == 101 {
		c.frames, c.waits = true, nil
		return end
	}
	if chunked {
		body, n, ok := dechunk(c.in[end:])
		if !ok {
			return 0
		}
		a.Body, end = body, end+n
	} else {
		if len(c.in) < end+length {
			return 0
		}
		a.Body, end = c.in[end:end+length], end+length
	}
	if a.Status >= 200 {
		if len(c.waits) > 0 {
			a.For, c.waits = c.waits[0], c.waits[1:]
		}
		a.Code = errorCode(a.Body)
		a.Body = bytes.Clone(a.Body)
		show(a)
		answered(&a, show)
	}
	return end
}

func dechunk(b []byte) (body []byte, n int, ok bool) {
	for {
		at := bytes.Index(b[n:], []byte("\r\n"))
		if at < 0 {
			return nil, 0, false
		}
		text, _, _ := strings.Cut(string(b[n:n+at]), ";")
		size, err := strconv.ParseUint(strings.TrimSpace(text), 16, 31)
		n += at + 2
		if err != nil || len(b) < n+int(size)+2 {
			return nil, 0, false
		}
		body = append(body, b[n:n+int(size)]...)
		n += int(size) + 2
		if size == 0 {
			return body, n, true
		}
	}
}

// unframe reads one frame's header and unmasks its payload. n is its whole length, 0 if it
// is not whole yet.
func unframe(b []byte) (op byte, body []byte, n int, ok bool) {
	if len(b) < 2 {
		return 0, nil, 0, true
	}
	size, at := int(b[1]&0x7f), 2
	switch size {
	case 126:
		if len(b) < 4 {
			return 0, nil, 0, true
		}
		size, at = int(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		if len(b) < 10 {
			return 0, nil, 0, true
		}
		long := binary.BigEndian.Uint64(b[2:])
		if long > 1<<30 {
			return 0, nil, 0, false
		}
		size, at = int(long), 10
	}
	var mask []byte
	if b[1]&0x80 != 0 {
		if len(b) < at+4 {
			return 0, nil, 0, true
		}
		mask, at = b[at:at+4], at+4
	}
	if len(b) < at+size {
		return 0, nil, 0, true
	}
	body = bytes.Clone(b[at : at+size])
	for i := range body {
		if mask != nil {
			body[i] ^= mask[i&3]
		}
	}
	return b[0], body, at + size, true
}

// frame takes one frame of either way; 0 if it is not whole yet.
func (c *conn) frame(b []byte, way int, show func(any)) int {
	first, body, n, ok := unframe(b)
	if !ok {
		c.deaf = true
		return 0
	}
	if n == 0 {
		return 0
	}
	fin, op := first&0x80 != 0, first&0x0f
	switch {
	case op == 10 && way == 1:
		show(Pong{Conn: c.id})
	case op >= 8:
	case !fin || op == 0:
		c.part[way] = append(c.part[way], body...)
		if fin {
			whole := c.part[way]
			c.part[way] = nil
			c.message(whole, way, show)
		}
	default:
		c.message(body, way, show)
		if op != 1 && way == 1 {
			show(Garbled{Conn: c.id})
		}
	}
	return n
}

package path

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/valyala/fastjson"

	"riposte/bench"
)

// upgrade answers the opening handshake (RFC 6455 section 4.2.2). Streams in the
// address are subscribed at once.
func (s *Server) upgrade(c *conn, req []byte) {
	lines := strings.Split(string(req), "\r\n")
	key := ""
	for _, l := range lines[1:] {
		if name, value, ok := strings.Cut(l, ":"); ok && strings.EqualFold(name, "Sec-WebSocket-Key") {
			key = strings.TrimSpace(value)
		}
	}
	if key == "" {
		s.Odd = fmt.Errorf("request %.100q is no WebSocket handshake", lines[0])
		s.write(c, []byte("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"))
		s.drop(c)
		return
	}
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	s.write(c, fmt.Appendf(nil, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
		base64.StdEncoding.EncodeToString(sum[:])))
	c.ws = true
	target := strings.Split(lines[0]+"  ", " ")[1]
	if u, err := url.Parse(target); err == nil && c.role == roleStream {
		if list := u.Query().Get("streams"); list != "" {
			s.subscribe(c, strings.Split(list, "/"))
		}
	}
}

func (s *Server) subscribe(c *conn, topics []string) {
	if c.wants == 0 {
		s.subs = append(s.subs, c)
	}
	for _, t := range topics {
		c.names = append(c.names, t)
		for k, m := range s.markets {
			for kind, suffix := range topicOf {
				if t == m.lower+suffix {
					c.wants |= 1 << (k*int(kinds) + kind)
				}
			}
		}
	}
}

// frame serves one client frame at the beginning of b and returns its length, 0 if
// it is not whole yet.
func (s *Server) frame(c *conn, b []byte) int {
	if len(b) < 2 {
		return 0
	}
	n, at := int(b[1]&0x7f), 2
	switch n {
	case 126:
		if len(b) < 4 {
			return 0
		}
		n, at = int(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		s.Odd = fmt.Errorf("a client frame is longer than 64 KiB")
		s.drop(c)
		return len(b)
	}
	if b[0]&0x80 == 0 || b[1]&0x80 == 0 {
		s.Odd = fmt.Errorf("a client frame begins %#x %#x, want FIN and a mask", b[0], b[1])
		s.drop(c)
		return len(b)
	}
	if len(b) < at+4+n {
		return 0
	}
	mask, payload := b[at:at+4], b[at+4:at+4+n]
	for i := range payload {
		payload[i] ^= mask[i&3]
	}
	switch b[0] & 0xf {
	case 0x1:
		s.text(c, payload)
	case 0x9:
		s.write(c, append([]byte{0x8a, byte(n)}, payload...))
	case 0x8:
		s.write(c, append([]byte{0x88, byte(n)}, payload...))
		s.drop(c)
	}
	return at + 4 + n
}

// text answers one request on a stream or WebSocket API connection.
func (s *Server) text(c *conn, msg []byte) {
	s.Asked++
	v, err := fastjson.ParseBytes(msg)
	if err != nil {
		s.Odd = fmt.Errorf("message %.100q: %w", msg, err)
		return
	}
	id := v.Get("id").MarshalTo(nil)
	method := string(v.GetStringBytes("method"))
	var out []byte
	switch {
	case method == "SUBSCRIBE" && c.role == roleStream:
		var topics []string
		for _, p := range v.GetArray("params") {
			topics = append(topics, string(p.GetStringBytes()))
		}
		s.subscribe(c, topics)
		out = fmt.Appendf(nil, `{"result":null,"id":%s}`, id)
	case method == "LIST_SUBSCRIPTIONS" && c.role == roleStream:
		out = append(out, `{"result":[`...)
		for _, t := range c.names {
			out = append(appendText(out, t), ',')
		}
		out = fmt.Appendf(bytes.TrimSuffix(out, []byte{','}), `],"id":%s}`, id)
	case method == "userDataStream.subscribe.signature" && c.role == roleAPI:
		out = fmt.Appendf(nil, `{"id":%s,"status":200,"result":{"subscriptionId":0},"rateLimits":[]}`, id)
	case method == "ping" && c.role == roleAPI:
		out = fmt.Appendf(nil, `{"id":%s,"status":200,"result":{},"rateLimits":[]}`, id)
	case method == "time" && c.role == roleAPI:
		out = fmt.Appendf(nil, `{"id":%s,"status":200,"result":{"serverTime":%d},"rateLimits":[]}`, id, time.Now().UnixMilli())
	default:
		s.Odd = fmt.Errorf("method %q is not served here", method)
		out = fmt.Appendf(nil, `{"id":%s,"status":400,"error":{"code":-1000,"msg":"not served here"},"rateLimits":[]}`, id)
	}
	s.write(c, bench.AppendServerFrame(nil, out))
}

// Subscribed reports whether someone gets the traded market's touches.
func (s *Server) Subscribed() bool {
	for _, c := range s.subs {
		if c.wants&(1<<Touches) != 0 {
			return true
		}
	}
	return false
}

// Target is the path and query by which a client asks for what it may answer: the
// traded market's touches if there is one market, all streams of all in a mixed feed.
func (s *Server) Target() string {
	if len(s.markets) == 1 {
		return "/stream?streams=" + s.markets[0].lower + topicOf[Touches]
	}
	var names []string
	for _, m := range s.markets {
		for _, suffix := range topicOf {
			names = append(names, m.lower+suffix)
		}
	}
	return "/stream?streams=" + strings.Join(names, "/")
}

// send writes one whole server frame to the topic's subscribers.
func (s *Server) send(topic int, frame []byte) {
	for _, c := range s.subs {
		if c.wants&(1<<topic) != 0 {
			s.write(c, frame)
		}
	}
}

// sendAll writes several frames with one call per subscriber, as bytes that arrived
// together would leave a venue's socket; over TLS each is a record of its own.
func (s *Server) sendAll(list []frame) {
	for _, c := range s.subs {
		c.sock.corked = true
		for i := range list {
			if c.wants&(1<<list[i].topic) != 0 {
				s.write(c, list[i].bytes)
			}
		}
		if c.dead {
			continue
		}
		if err := c.sock.flush(); err != nil {
			s.drop(c)
		}
	}
}

// SendTouch makes market k's next touch and sends it.
func (s *Server) SendTouch(k int) {
	s.buf = s.markets[k].AppendTouch(s.buf[:0], true)
	s.send(k*int(kinds)+int(Touches), bench.AppendServerFrame(nil, s.buf))
}

// SendDepth tells all that market k's depth owes.
func (s *Server) SendDepth(k int) {
	if s.buf = s.markets[k].AppendDepth(s.buf[:0], time.Now().UnixMilli()); len(s.buf) > 0 {
		s.send(k*int(kinds)+int(Depth), bench.AppendServerFrame(nil, s.buf))
		s.told[k] = s.markets[k].told
	}
}

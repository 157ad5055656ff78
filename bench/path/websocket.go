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
	c.ws, c.topics = true, map[string]bool{}
	target := strings.Split(lines[0]+"  ", " ")[1]
	if u, err := url.Parse(target); err == nil && c.role == roleStream {
		if list := u.Query().Get("streams"); list != "" {
			s.subscribe(c, strings.Split(list, "/"))
		}
	}
}

func (s *Server) subscribe(c *conn, topics []string) {
	if len(c.topics) == 0 {
		s.subs = append(s.subs, c)
	}
	for _, t := range topics {
		c.topics[t] = true
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
		for t := range c.topics {
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

// Subscribed reports whether someone gets touches.
func (s *Server) Subscribed() bool { return s.audience(touchTopic) > 0 }

const (
	touchTopic = lower + "@bookTicker"
	depthTopic = lower + "@depth@100ms"
)

func (s *Server) audience(topic string) (n int) {
	for _, c := range s.subs {
		if c.topics[topic] {
			n++
		}
	}
	return n
}

// send writes one whole server frame to the topic's subscribers.
func (s *Server) send(topic string, frame []byte) {
	for _, c := range s.subs {
		if c.topics[topic] {
			s.write(c, frame)
			s.Sent++
		}
	}
}

// SendTouch makes the next touch and sends it.
func (s *Server) SendTouch() {
	s.buf = s.market.AppendTouch(s.buf[:0])
	s.send(touchTopic, bench.AppendServerFrame(nil, s.buf))
	s.market.Sent()
}

// SendDepth tells all that depth owes.
func (s *Server) SendDepth() {
	if !s.market.Owes() {
		return
	}
	s.buf = s.market.AppendDepth(s.buf[:0], time.Now().UnixMilli())
	s.send(depthTopic, bench.AppendServerFrame(nil, s.buf))
}

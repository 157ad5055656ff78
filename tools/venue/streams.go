package venue

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gobwas/ws"
	"github.com/valyala/fastjson"
)

// upgrade does the WebSocket handshake, or refuses it with err's status and body.
func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, kind connKind) (*conn, *bufio.Reader, bool) {
	ip := clientIP(r)
	now := s.clock.now()
	s.spoken(r, kind.String())
	if !s.welcome(w, r) {
		return nil, nil, false
	}
	err := s.limits.connect(now, ip, kind == apiConn)
	if err == nil && kind == apiConn {
		_, err = s.limits.charge(now, ip, 2, false) // connecting to the WS API costs 2
	}
	if err != nil {
		if err.retryAt > 0 {
			w.Header().Set("Retry-After", strconv.FormatInt(max(1, seconds(err.retryAt-now)), 10))
		}
		refuse(w, err)
		return nil, nil, false
	}
	nc, rw, _, herr := ws.HTTPUpgrader{Timeout: 10 * time.Second}.Upgrade(r, w)
	if herr != nil {
		if nc != nil {
			_ = nc.Close()
		}
		return nil, nil, false
	}
	return newConn(s, kind, nc, ip), rw.Reader, true
}

func refuse(w http.ResponseWriter, err *apiError) {
	b := err.appendBody(nil)
	w.Header().Set("Content-Type", "application/json;charset=UTF-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(b)))
	w.WriteHeader(err.status)
	_, _ = w.Write(b)
}

// welcome puts an opening WebSocket through the faults of handshakes; false if it was answered otherwise.
func (s *Server) welcome(w http.ResponseWriter, r *http.Request) bool {
	f := s.faults.answer(handshakeOp)
	if f == nil {
		return true
	}
	if !s.sleep(f.late()) {
		return false
	}
	switch err := f.fail(); {
	case err == nil:
		return true
	case err.reset:
		resetHTTP(w)
	case err.page != nil:
		err.page.show(s, w, r)
	default:
		refuse(w, err)
	}
	return false
}

// begin starts the two goroutines of a connection.
func (s *Server) begin(c *conn, br *bufio.Reader, handle func([]byte)) {
	if !s.adopt(c) {
		c.end()
		return
	}
	s.loop.do(func(now int64) {
		c.live(now)
		s.faults.happened("open", c.kind.String(), cause{now: now, link: linkOf(c.net)})
	})
	writer := make(chan struct{})
	go func() {
		defer s.work.Done()
		defer close(writer)
		c.write()
	}()
	go func() {
		defer s.work.Done()
		c.read(br, handle)
		<-writer
		s.forget(c)
	}()
}

// serveStream opens /ws, /ws/<stream>, /stream and /stream?streams=a/b.
func (s *Server) serveStream(w http.ResponseWriter, r *http.Request, path, query string) {
	q, err := url.ParseQuery(query)
	if err != nil {
		refuse(w, bad(-1130, "Data sent for parameter 'streams' is not valid."))
		return
	}
	us, uerr := parseUnit(q.Get("timeUnit"))
	if uerr != nil {
		refuse(w, uerr)
		return
	}
	combined := strings.HasPrefix(path, "/stream")
	list := q.Get("streams")
	if !combined {
		if list, err = url.PathUnescape(strings.TrimPrefix(strings.TrimPrefix(path, "/ws"), "/")); err != nil {
			refuse(w, bad(-1130, "Data sent for parameter 'streams' is not valid."))
			return
		}
	}
	var names []string
	for n := range strings.SplitSeq(list, "/") {
		if n != "" {
			names = append(names, n)
		}
	}
	if len(names) > s.cfg.StreamsPerConnection {
		refuse(w, bad(-1101, "Too many values sent for parameter 'streams', maximum allowed up to %d.", s.cfg.StreamsPerConnection))
		return
	}
	c, br, ok := s.upgrade(w, r, streamConn)
	if !ok {
		return
	}
	c.us, c.combined = us, combined
	s.loop.do(func(int64) {
		for _, n := range names {
			// A name in the URL that is no stream is accepted and stays silent: there is nowhere to say no.
			sp, _ := parseStream(n, s.cfg.DepthFast)
			s.hub.subscribe(c, n, sp)
		}
	})
	s.begin(c, br, func(msg []byte) { s.control(c, msg) })
}

// streamError is an error of a control message. id is JSON.
type streamError struct {
	code int
	msg  string
}

func controlError(code int, format string, args ...any) *streamError {
	return &streamError{code, fmt.Sprintf(format, args...)}
}

const variants = "`SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY`"

// control answers one JSON control message of a stream connection. Reader goroutine of c.
func (s *Server) control(c *conn, msg []byte) {
	s.stats.calls.Add(1)
	var parser fastjson.Parser
	v, err := parser.ParseBytes(msg)
	if err != nil {
		line, col := jsonErrorAt(msg)
		c.send(s.streamErrorFrame("null", controlError(3, "Invalid JSON: expected value at line %d column %d", line, col)))
		return
	}
	id, fail := requestID(v)
	if fail == nil {
		fail = s.controlled(c, v, id, len(msg))
	}
	if fail != nil {
		c.send(s.streamErrorFrame(id, fail))
	}
}

// controlled does one well-formed control message; the answer is queued ahead of anything it causes.
func (s *Server) controlled(c *conn, v *fastjson.Value, id string, size int) *streamError {
	if v.Type() != fastjson.TypeObject || !v.Exists("method") {
		return controlError(2, "Invalid request: missing field `method` at line 1 column %d", size)
	}
	method := string(v.GetStringBytes("method"))
	params := v.Get("params")
	var list []*fastjson.Value
	if params != nil && params.Type() == fastjson.TypeArray {
		list = params.GetArray()
	}
	switch method {
	case "SUBSCRIBE", "UNSUBSCRIBE":
		return s.subscriptions(c, method == "SUBSCRIBE", list, id)
	case "LIST_SUBSCRIPTIONS":
		s.loop.do(func(int64) {
			w := enc{}
			w.open('{')
			w.strs("result", c.names)
			w.raw("id", []byte(id))
			w.close('}')
			c.send(textFrame(w.b))
		})
		return nil
	case "SET_PROPERTY", "GET_PROPERTY":
		return s.property(c, method == "SET_PROPERTY", list, id)
	}
	return controlError(2, "Invalid request: unknown variant `%s`, expected one of %s at line 1 column 28", method, variants)
}

func (s *Server) subscriptions(c *conn, add bool, list []*fastjson.Value, id string) *streamError {
	names := make([]string, 0, len(list))
	specs := make([]streamSpec, 0, len(list))
	for _, v := range list {
		if v.Type() != fastjson.TypeString {
			return controlError(2, "Invalid request: invalid stream")
		}
		n := string(v.GetStringBytes())
		if plain, err := url.PathUnescape(n); err == nil {
			n = plain
		}
		sp, ok := parseStream(n, s.cfg.DepthFast)
		if !ok {
			return controlError(2, "Invalid request: invalid stream")
		}
		names, specs = append(names, n), append(specs, sp)
	}
	var fail *streamError
	s.loop.do(func(now int64) {
		if add && len(c.subs)+len(names) > s.cfg.StreamsPerConnection {
			fail = controlError(4, "Too many subscriptions")
			return
		}
		how := ""
		if add {
			how = s.faults.nextSubscribe()
		}
		if how == "refused" {
			fail = controlError(0, "Unknown error")
			return
		}
		c.send(resultFrame("null", id))
		for i, n := range names {
			switch {
			case !add:
				s.hub.unsubscribe(c, n)
			case how == "silent", how == "partial" && i%2 == 1: // said yes, sends nothing
			default:
				s.hub.subscribe(c, n, specs[i])
			}
		}
		if add {
			s.faults.happened("subscribe", "", cause{now: now, link: linkOf(c.net)})
		}
	})
	return fail
}

func (s *Server) property(c *conn, set bool, list []*fastjson.Value, id string) *streamError {
	want := 1
	if set {
		want = 2
	}
	if len(list) > want {
		return controlError(2, "Invalid request: too many parameters")
	}
	if len(list) == 0 || list[0].Type() != fastjson.TypeString {
		return controlError(2, "Invalid request: property name must be a string")
	}
	if string(list[0].GetStringBytes()) != "combined" {
		return controlError(0, "Unknown property")
	}
	if !set {
		s.loop.do(func(int64) { c.send(resultFrame(strconv.FormatBool(c.combined), id)) })
		return nil
	}
	if len(list) < 2 || list[1].Type() != fastjson.TypeTrue && list[1].Type() != fastjson.TypeFalse {
		return controlError(1, "Invalid value type: expected Boolean")
	}
	on := list[1].GetBool()
	s.loop.do(func(int64) {
		c.send(resultFrame("null", id))
		c.combined = on
	})
	return nil
}

// requestID is the JSON text of the id: a signed 64-bit integer, up to 36 letters and digits, or null (also if absent).
func requestID(v *fastjson.Value) (string, *streamError) {
	id := v.Get("id")
	if id == nil || id.Type() == fastjson.TypeNull {
		return "null", nil
	}
	text := id.String()
	switch id.Type() {
	case fastjson.TypeNumber:
		if _, err := strconv.ParseInt(text, 10, 64); err == nil {
			return text, nil
		}
	case fastjson.TypeString:
		if s := id.GetStringBytes(); len(s) <= 36 && bytes.IndexFunc(s, notAlphanumeric) < 0 {
			return text, nil
		}
	}
	return "null", controlError(2, "Invalid request: request ID must be an unsigned integer")
}

// notAlphanumeric also lets '-' and '_' pass: UUIDs are common ids.
func notAlphanumeric(r rune) bool {
	return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && r != '-' && r != '_'
}

func resultFrame(result, id string) []byte {
	return textFrame([]byte(`{"result":` + result + `,"id":` + id + `}`))
}

// streamErrorFrame is the nested form seen on the wire, or the flat one of the documentation if configured.
func (s *Server) streamErrorFrame(id string, e *streamError) []byte {
	w := enc{}
	w.open('{')
	if !s.cfg.FlatStreamErrors {
		w.key("error")
		w.open('{')
	}
	w.int("code", int64(e.code))
	w.str("msg", e.msg)
	if !s.cfg.FlatStreamErrors {
		w.close('}')
	}
	w.raw("id", []byte(id))
	w.close('}')
	return textFrame(w.b)
}

// jsonErrorAt finds where a text stops being JSON, as line and column from 1.
func jsonErrorAt(msg []byte) (line, col int) {
	var v any
	var syn *json.SyntaxError
	at := len(msg)
	if err := json.Unmarshal(msg, &v); errors.As(err, &syn) {
		at = int(syn.Offset)
	}
	before := msg[:min(at, len(msg))]
	return 1 + bytes.Count(before, []byte{'\n'}), max(1, len(before)-1-bytes.LastIndexByte(before, '\n'))
}

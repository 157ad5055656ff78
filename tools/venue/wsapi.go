package venue

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/valyala/fastjson"
)

// session is the authentication state of one WS API connection. Its reader goroutine owns it; the loop goroutine
// reads nothing of it.
type session struct {
	c     *conn
	key   *verifier // nil unless logged on
	since int64     // of the logon
	// parsers are reused from message to message.
	parser fastjson.Parser
}

// serveAPI opens a WS API connection.
func (s *Server) serveAPI(w http.ResponseWriter, r *http.Request, query string) {
	q, err := url.ParseQuery(query)
	if err != nil {
		refuse(w, bad(-1130, "Data sent for parameter 'timeUnit' is not valid."))
		return
	}
	us, uerr := parseUnit(q.Get("timeUnit"))
	if uerr != nil {
		refuse(w, uerr)
		return
	}
	if f := q.Get("responseFormat"); f != "" && f != "json" {
		refuse(w, bad(-1155, "SBE is not enabled."))
		return
	}
	c, br, ok := s.upgrade(w, r, apiConn)
	if !ok {
		return
	}
	c.us = us
	c.noLimits = q.Get("returnRateLimits") == "false"
	se := &session{c: c}
	s.begin(c, br, se.handle)
}

// handle takes one request frame.
func (se *session) handle(msg []byte) {
	s := se.c.srv
	s.stats.calls.Add(1)
	v, err := se.parser.ParseBytes(msg)
	if err != nil || v.Type() != fastjson.TypeObject {
		se.c.send(textFrame(se.answer(nil, "null", bad(-1135, "Invalid JSON Request"), nil, false)))
		return
	}
	id, fail := requestID(v)
	if fail != nil {
		se.c.send(textFrame(se.answer(nil, "null", bad(-1130, "Data sent for parameter 'id' is not valid."), nil, false)))
		return
	}
	method := string(v.GetStringBytes("method"))
	name := strings.TrimPrefix(method, "v3/")
	o := s.methods[name]
	if o == nil {
		text := bad(-1100, "Illegal characters found in parameter 'method'; legal range is 'a known method'.")
		if method == "" {
			text = errMandatory("method")
		}
		se.c.send(textFrame(se.answer(nil, id, text, nil, false)))
		return
	}
	c := &call{srv: s, op: o, ip: se.c.ip, link: linkOf(se.c.net), conn: se.c, session: se, us: se.c.us}
	if err := c.readJSON(v.Get("params")); err != nil {
		se.c.send(textFrame(se.answer(nil, id, err, nil, false)))
		return
	}
	refused := se.admit(c)
	if refused == nil {
		c.arrived()
	}
	if s.slow() && !o.plain {
		// With latencies the next request must not wait for this one's answer.
		s.spawn(func() { se.serve(c, id, refused) })
		return
	}
	se.serve(c, id, refused)
}

func (s *Server) slow() bool {
	return s.cfg.Latency != Latency{} || s.faults.delays()
}

// spawn runs fn on a goroutine that Close waits for.
func (s *Server) spawn(fn func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return
	}
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		fn()
	}()
}

// serve runs one admitted (or refused) call and queues its answer.
func (se *session) serve(c *call, id string, err *apiError) {
	head := append(make([]byte, 0, 512), `{"id":`...)
	head = append(head, id...)
	head = append(head, `,"status":200,"result":`...)
	var b []byte
	if err == nil {
		b, err = c.perform(head)
	}
	c.finish(err)
	if err != nil && err.reset {
		c.answered()
		se.c.drop()
		return
	}
	if err != nil && err.page != nil {
		c.answered()
		if !err.page.silent {
			se.c.send(textFrame([]byte(err.page.body)))
		}
		return
	}
	if err != nil && err.code == -2015 && c.byLogon {
		id = "null" // the key of the session was revoked: the venue answers so, to no request in particular
	}
	b = se.answer(b, id, err, c, true)
	if how := c.fault.garble(); how != "" {
		se.c.garble(how, b)
	} else {
		se.c.send(textFrame(b))
	}
	c.answered()
	if err != nil && err.status == http.StatusTeapot {
		se.c.drop()
	}
}

// admit checks weight and authentication: the request's own key and signature, or the session's logon.
func (se *session) admit(c *call) *apiError {
	apiKey, explicit := c.p.get("apiKey")
	_, hasSig := c.p.get("signature")
	if se.key != nil && !explicit && !hasSig {
		key := se.key.APIKey
		c.byLogon = true
		return c.admit(func(*verifier) *apiError { return nil }, key, true, false)
	}
	sign := func(v *verifier) *apiError {
		sig, ok := c.p.get("signature")
		if !ok || sig == "" {
			return errMandatory("signature")
		}
		return v.verify(wsPayload(&c.p), sig, false)
	}
	if c.op.security != public && !c.op.plain && !explicit {
		if _, err := c.srv.limits.charge(c.srv.clock.now(), c.ip, c.op.weight(c), false); err != nil {
			return err
		}
		return errMandatory("apiKey")
	}
	return c.admit(sign, apiKey, explicit, false)
}

// wsPayload is what a WS API signature covers: all parameters but the signature, sorted by name, k=v joined by '&', as
// raw UTF-8 without percent-encoding (Binance Spot API docs, 2026-07-21).
func wsPayload(p *params) []byte {
	list := slices.Clone(p.list)
	slices.SortFunc(list, func(a, b param) int { return strings.Compare(a.name, b.name) })
	var b []byte
	for _, q := range list {
		if q.name == "signature" {
			continue
		}
		if len(b) > 0 {
			b = append(b, '&')
		}
		b = append(b, q.name...)
		b = append(b, '=')
		b = append(b, q.value...)
	}
	return b
}

// readJSON takes the members of params. Numbers and arrays keep their JSON text.
func (c *call) readJSON(v *fastjson.Value) (fail *apiError) {
	if v == nil || v.Type() == fastjson.TypeNull {
		return nil
	}
	if v.Type() != fastjson.TypeObject {
		return bad(-1135, "JSON sent for parameter 'params' is not valid")
	}
	v.GetObject().Visit(func(key []byte, val *fastjson.Value) {
		p := param{name: string(key)}
		if c.p.has(p.name) {
			fail = errDuplicate()
			return
		}
		switch val.Type() {
		case fastjson.TypeString:
			p.value = string(val.GetStringBytes())
		case fastjson.TypeNull:
			return // as if it was not sent
		default:
			p.value = val.String()
		}
		c.p.list = append(c.p.list, p)
	})
	return fail
}

// answer completes b, which holds the head and result of a success, or makes the frame of a failure.
func (se *session) answer(b []byte, id string, err *apiError, c *call, limits bool) []byte {
	w := enc{b: b, us: se.c.us}
	if err != nil {
		w.b = w.b[:0]
		w.open('{')
		w.raw("id", []byte(id))
		w.int("status", int64(err.status))
		w.key("error")
		w.open('{')
		w.int("code", int64(err.code))
		w.str("msg", err.msg)
		switch {
		case err.data != nil:
			w.raw("data", err.data)
		case err.retryAt > 0:
			w.key("data")
			w.open('{')
			w.int("serverTime", se.c.srv.gate()/1000)
			w.int("retryAfter", err.retryAt/1000)
			w.close('}')
		}
		w.close('}')
	}
	if limits && se.wantsLimits(c) {
		w.key("rateLimits")
		w.open('[')
		for i := range c.counted {
			w.limit("ORDERS", c.counted[i].RateLimit, c.counted[i].count)
		}
		w.limit("REQUEST_WEIGHT", se.c.srv.cfg.Weight, c.used)
		w.close(']')
	}
	w.close('}')
	return w.b
}

func (se *session) wantsLimits(c *call) bool {
	if v, ok := c.p.get("returnRateLimits"); ok {
		on, err := strconv.ParseBool(v)
		return err != nil || on
	}
	return !se.c.noLimits
}

package venue

import (
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
)

const maxBody = 1 << 20

var bodyPool = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// serveHTTP routes everything that arrives on the listener.
func (s *Server) serveHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	if s.shut {
		s.mu.Unlock()
		return
	}
	s.work.Add(1)
	s.mu.Unlock()
	defer s.work.Done()
	path, query, _ := strings.Cut(r.RequestURI, "?")
	switch {
	case path == "/stream" || path == "/ws" || strings.HasPrefix(path, "/ws/") || path == "/stream/" || path == "/ws/":
		s.serveStream(w, r, path, query)
	case path == "/ws-api/v3" || path == "/ws-api/v3/":
		s.serveAPI(w, r, query)
	case strings.HasPrefix(path, "/sim/"):
		if l := linkFrom(r); l.Kind() == "" {
			l.SetKind("admin") // faults spare it
		}
		s.serveAdmin(w, r)
	default:
		s.serveREST(w, r, path, query)
	}
}

func clientIP(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}

// parseUnit reads a time unit; empty is milliseconds.
func parseUnit(text string) (us bool, err *apiError) {
	switch text {
	case "", "MILLISECOND", "millisecond":
		return false, nil
	case "MICROSECOND", "microsecond":
		return true, nil
	}
	return false, bad(-1194, "Invalid value for time unit; expected either MICROSECOND or MILLISECOND.")
}

// serveREST answers one /api/v3 or /sapi/v1 request.
func (s *Server) serveREST(w http.ResponseWriter, r *http.Request, path, query string) {
	s.stats.requests.Add(1)
	at := s.spoken(r, "rest")
	o, known := s.rest[path][r.Method]
	if !known {
		s.notFound(w, r, path)
		return
	}
	buf := bodyPool.Get().(*[]byte)
	defer bodyPool.Put(buf)
	c := &call{srv: s, op: o, ip: clientIP(r), link: at}
	b, err := s.restCall(c, r, query, (*buf)[:0])
	c.finish(err)
	if err != nil {
		if err.reset {
			c.answered()
			resetHTTP(w)
			return
		}
		if err.page != nil {
			c.answered()
			err.page.show(s, w, r)
			return
		}
		b = err.appendBody(b[:0])
	}
	*buf = b
	h := w.Header()
	s.usage(h, c)
	status := http.StatusOK
	if err != nil {
		status = err.status
		if err.retryAt > 0 {
			h["Retry-After"] = []string{strconv.FormatInt(max(1, seconds(err.retryAt-s.clock.now())), 10)}
		}
	}
	h["Content-Type"] = []string{"application/json;charset=UTF-8"}
	h["Content-Length"] = []string{strconv.Itoa(len(b))}
	if how := c.fault.garble(); how != "" && how != "swapped" {
		c.answered()
		s.garbleHTTP(w, how, status, b)
		return
	}
	w.WriteHeader(status)
	_, _ = w.Write(b) // a client that left is no concern of the venue
	if c.hold != nil {
		if f, ok := w.(http.Flusher); ok {
			f.Flush()
		}
		c.answered()
	}
}

func (s *Server) restCall(c *call, r *http.Request, query string, b []byte) ([]byte, *apiError) {
	var err *apiError
	if c.us, err = parseUnit(r.Header.Get("X-Mbx-Time-Unit")); err != nil {
		return b, err
	}
	body := ""
	if r.ContentLength != 0 && r.Method != http.MethodGet {
		raw, rerr := io.ReadAll(http.MaxBytesReader(nil, r.Body, maxBody))
		if rerr != nil {
			return b, bad(-1000, "An unknown error occurred while processing the request.")
		}
		body = string(raw)
	}
	perr := c.p.parseForm(query)
	if perr == nil {
		perr = c.p.parseForm(body)
	}
	key, hasKey := r.Header.Get("X-Mbx-Apikey"), len(r.Header["X-Mbx-Apikey"]) > 0
	sign := func(v *verifier) *apiError {
		payload, _, ok := signedPayload(query, body)
		sig, _ := c.p.get("signature")
		if !ok || sig == "" {
			return errMandatory("signature")
		}
		return v.verify([]byte(payload), sig, true)
	}
	if perr != nil {
		// The weight counts even though nothing could be read.
		var lim *apiError
		if c.used, lim = s.limits.charge(s.clock.now(), c.ip, 1, true); lim != nil {
			return b, lim
		}
		return b, perr
	}
	if err := c.admit(sign, key, hasKey, true); err != nil {
		return b, err
	}
	c.arrived()
	return c.perform(b)
}

// usage sets the rate limit headers.
func (s *Server) usage(h http.Header, c *call) {
	used := []string{strconv.Itoa(c.used)}
	h["X-Mbx-Used-Weight"] = used
	h["X-Mbx-Used-Weight-"+s.cfg.Weight.letter()] = used
	for i := range c.counted {
		w := &c.counted[i]
		h["X-Mbx-Order-Count-"+w.letter()] = []string{strconv.Itoa(w.count)}
	}
}

func (s *Server) notFound(w http.ResponseWriter, r *http.Request, path string) {
	status := http.StatusNotFound
	if s.rest[path] != nil {
		status = http.StatusMethodNotAllowed
	}
	if strings.Contains(r.Header.Get("Accept"), "text/html") {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<html><body><h2>"+statusText(status)+"</h2></body></html>")
		return
	}
	w.Header().Set("Content-Length", "0")
	w.WriteHeader(status)
}

// resetHTTP breaks the connection of a request without an answer.
func resetHTTP(w http.ResponseWriter) {
	nc, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	reset(nc)
}

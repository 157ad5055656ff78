package venue

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gobwas/ws"
)

// answerFault delays, loses or damages the answers of the next requests of a class.
type answerFault struct {
	Fault
	left int
}

// page is an answer that is none of the venue's: what a firewall or a proxy says, or nothing.
type page struct {
	status   int
	kind     string // Content-Type
	body     string
	location string
	silent   bool // no answer at all, the connection stays open
}

const htmlType = "text/html; charset=UTF-8"

func errPage(p page) func() *apiError {
	return func() *apiError { return &apiError{status: p.status, code: -1001, page: &p} }
}

func errCode(status, code int, msg string) func() *apiError {
	return func() *apiError { return &apiError{status: status, code: code, msg: msg} }
}

// losses are the answers that say nothing certain about the request (section 15 of the venue page; codes and texts of
// the Binance Spot API docs, 2026-07-21).
var losses = []struct {
	name string
	make func() *apiError
}{
	{"timeout", errTimeout},
	{"reset", func() *apiError { return &apiError{status: http.StatusServiceUnavailable, code: -1001, reset: true} }},
	{"503", errUnavailable},
	{"busy", errBusy},
	{"unknown", errCode(500, -1000, "An unknown error occurred while processing the request.")},
	{"disconnected", errCode(500, -1001, "Internal error; unable to process your request. Please try again.")},
	{"unexpected", errCode(500, -1006, "An unexpected response was received from the message bus. Execution status unknown.")},
	{"gone", errClosed},
	{"firewall", errPage(page{status: 403, kind: htmlType, body: "<html><head><title>403 Forbidden</title></head><body><h1>Request blocked</h1></body></html>"})},
	{"restricted", errPage(page{status: 451, kind: "application/json;charset=UTF-8",
		body: `{"code":0,"msg":"Service unavailable from a restricted location according to 'b. Eligibility' in https://www.binance.com/en/terms."}`})},
	{"html", errPage(page{status: 200, kind: htmlType, body: "<html><body>It works!</body></html>"})},
	{"redirect", errPage(page{status: 302, kind: htmlType, location: "/elsewhere", body: "<html><body>moved</body></html>"})},
	{"empty", errPage(page{status: 200, kind: "application/json;charset=UTF-8"})},
	{"silent", errPage(page{status: 200, silent: true})},
}

func lossNames() []string {
	list := make([]string, len(losses))
	for i := range losses {
		list[i] = losses[i].name
	}
	return list
}

func (f *Faults) armAnswer(fault Fault, _ cause) error {
	f.mu.Lock()
	f.answers = append(f.answers, &answerFault{fault, fault.Count})
	f.mu.Unlock()
	f.armed.Add(int64(fault.Count))
	return nil
}

// answer takes the fault that hits this call, if any.
func (f *Faults) answer(o *op) *answerFault {
	if f.armed.Load() == 0 {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, a := range f.answers {
		if !a.hits(o) {
			continue
		}
		hit := *a
		a.left--
		f.armed.Add(-1)
		if a.left == 0 {
			f.answers = slices.Delete(f.answers, i, i+1)
		}
		return &hit
	}
	return nil
}

func (f *Faults) delays() bool { return f.armed.Load() > 0 }

// handshakeOp stands for the opening of a WebSocket among the operations.
var handshakeOp = &op{}

func (a *answerFault) hits(o *op) bool {
	if o == handshakeOp || a.Target == "handshakes" {
		return o == handshakeOp && a.Target == "handshakes"
	}
	return a.Target == "all" || slices.Contains(o.classes(), a.Target)
}

// classes are those of a request that faults choose by. What replaces an order places one too.
func (o *op) classes() []string {
	switch {
	case o.plain:
		return []string{"session"}
	case o.security == public:
		return []string{"market"}
	case o.security == userData:
		return []string{"queries"}
	case o.verb == http.MethodDelete:
		return []string{"cancels"}
	case o.verb == http.MethodPut:
		return []string{"amends"}
	case o.amends:
		return []string{"orders", "amends"}
	case o.orders > 0:
		return []string{"orders"}
	}
	return nil
}

// executes says whether the request reaches the exchange.
func (a *answerFault) executes() bool { return a.Verb != "lose" || a.Taken }

// fail is the loss of the answer, nil if it is lost in no such way.
func (a *answerFault) fail() *apiError {
	if a.Verb != "lose" {
		return nil
	}
	for i := range losses {
		if losses[i].name == a.How {
			return losses[i].make()
		}
	}
	return nil
}

// garble says how the answer is damaged, empty for not at all.
func (a *answerFault) garble() string {
	if a == nil || a.Verb != "garble" {
		return ""
	}
	return a.How
}

func (a *answerFault) late() time.Duration {
	if a == nil || a.Verb != "delay" {
		return 0
	}
	return a.For
}

// swaps exchanges the answers of two calls: each gets what the other asked for.
type swaps struct {
	mu   sync.Mutex
	wait *swapped
}

type swapped struct {
	b    []byte
	err  *apiError
	done chan struct{}
}

// swapWait is how long the first of two calls waits for the second; alone it gets its own answer.
const swapWait = time.Second

func (s *swaps) exchange(b []byte, err *apiError) ([]byte, *apiError) {
	s.mu.Lock()
	if w := s.wait; w != nil {
		s.wait = nil
		w.b, b = append([]byte(nil), b...), w.b
		w.err, err = err, w.err
		close(w.done)
		s.mu.Unlock()
		return b, err
	}
	w := &swapped{b: append([]byte(nil), b...), err: err, done: make(chan struct{})}
	s.wait = w
	s.mu.Unlock()
	t := time.NewTimer(swapWait)
	defer t.Stop()
	select {
	case <-w.done:
	case <-t.C:
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.wait == w {
			s.wait = nil
		}
	}
	return w.b, w.err
}

// show sends a page in place of a REST answer.
func (p *page) show(s *Server, w http.ResponseWriter, r *http.Request) {
	if p.silent {
		select {
		case <-r.Context().Done(): // the client gave up
		case <-s.loop.done:
		}
		resetHTTP(w)
		return
	}
	w.Header().Set("Content-Type", p.kind)
	w.Header().Set("Content-Length", strconv.Itoa(len(p.body)))
	if p.location != "" {
		w.Header().Set("Location", p.location)
	}
	w.WriteHeader(p.status)
	_, _ = io.WriteString(w, p.body)
}

// garbleHTTP writes a REST answer by hand, damaged in the given way, and gives the connection up.
func (s *Server) garbleHTTP(w http.ResponseWriter, how string, status int, body []byte) {
	h := w.Header()
	switch how {
	case "junk":
		body = append(slices.Clip(body), "}]garbage\x00"...)
	case "type":
		h["Content-Type"] = []string{htmlType}
	}
	size := len(body)
	switch how {
	case "short":
		size /= 2
	case "long":
		size += 100
	}
	nc, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	h["Content-Length"] = []string{strconv.Itoa(size)}
	_, _ = fmt.Fprintf(rw, "HTTP/1.1 %d %s\r\n", status, statusText(status))
	_ = h.Write(rw) // sorted
	_, _ = io.WriteString(rw, "\r\n")
	switch how {
	case "partial":
		_, _ = rw.Write(body[:len(body)/2])
		_ = rw.Flush()
		reset(nc)
		return
	case "trailing":
		_, _ = rw.Write(body)
		stranger := `{"code":0,"msg":"an answer to nobody"}`
		_, _ = fmt.Fprintf(rw, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(stranger), stranger)
	default:
		_, _ = rw.Write(body)
	}
	_ = rw.Flush()
	s.abandon(nc, rw.Reader)
}

// abandonWait is how long a connection that said nonsense stays open for the client to end it.
const abandonWait = 30 * time.Second

// abandon reads nothing more from a connection but its end.
func (s *Server) abandon(nc net.Conn, br *bufio.Reader) {
	s.spawn(func() {
		gone := make(chan struct{})
		s.spawn(func() {
			select {
			case <-gone:
			case <-s.loop.done:
				reset(nc)
			}
		})
		defer close(gone)
		if nc.SetReadDeadline(time.Now().Add(abandonWait)) == nil {
			_, _ = io.Copy(io.Discard, br)
		}
		_ = below(nc).Close()
	})
}

// garble sends a WS API answer damaged in the given way.
func (c *conn) garble(how string, payload []byte) {
	frame := textFrame(payload)
	head := len(frame) - len(payload)
	switch how {
	case "partial":
		c.last(frame[:head+len(payload)/2], true)
	case "short":
		c.send(textFrame(payload[:len(payload)/2]))
	case "long": // the frames that follow become part of it
		longer := textFrame(append(slices.Clone(payload), make([]byte, 100)...))
		c.send(longer[:len(longer)-100])
	case "junk":
		c.send(textFrame(append(slices.Clone(payload), "}]garbage\x00"...)))
	case "trailing":
		c.send(frame)
		c.send(textFrame([]byte(`{"id":"stranger","status":200,"result":{}}`)))
	case "type":
		c.send(appendFrame(nil, ws.OpBinary, payload))
	default:
		c.send(frame)
	}
}

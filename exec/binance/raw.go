package binance

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"riposte/exec"
)

// RawCall is one call as a person writes it: for what no typed call does, and for looking
// at the venue's own words. Timestamp and signature are added; a parameter recvWindow
// stands for the client's.
type RawCall struct {
	Method, Path string
	Params       []RawParam // sent in this order, values percent-encoded before signing
	Public       bool       // without key and signature
}

// RawParam is one parameter, its value not yet encoded.
type RawParam struct{ Name, Value string }

// RawAnswer is what came back. Status is 0 if nothing did.
type RawAnswer struct {
	Status  int
	Header  http.Header
	Body    []byte // JSON, nil if the answer was none
	Latency time.Duration
}

// Changes reports whether the call may create an order or move money, as far as its name
// tells: a POST or PUT that is no test and no countdown.
func (q *RawCall) Changes() bool {
	return (q.Method == http.MethodPost || q.Method == http.MethodPut) && !strings.HasSuffix(q.Path, "/test") && !strings.HasSuffix(q.Path, "/countdownCancelAll")
}

// ClientIDParam is the parameter that names what the call creates, "" if it creates no
// order or list of orders.
func (q *RawCall) ClientIDParam() string {
	at, under := strings.CutPrefix(q.Path, "/api/v3/")
	switch {
	case !under || q.Method != http.MethodPost:
		return ""
	case slices.Contains([]string{"order", "order/test", "order/cancelReplace", "sor/order", "sor/order/test"}, at):
		return "newClientOrderId"
	case at == "order/oco" || strings.HasPrefix(at, "orderList/"):
		return "listClientOrderId"
	}
	return ""
}

// Check finds what cannot be sent.
func (q *RawCall) Check() error {
	if !slices.Contains([]string{http.MethodGet, http.MethodPost, http.MethodPut, http.MethodDelete}, q.Method) {
		return fmt.Errorf("method is %q, want GET, POST, PUT or DELETE", q.Method)
	}
	if !strings.HasPrefix(q.Path, "/") || strings.Trim(q.Path, pathLetters) != "" || strings.Contains(q.Path, "//") {
		return fmt.Errorf("path is %q, want one such as /api/v3/order, without parameters", q.Path)
	}
	for _, p := range q.Params {
		if p.Name == "" || strings.Trim(p.Name, pathLetters) != "" || strings.Contains(p.Name, "/") {
			return fmt.Errorf("parameter is %q, want a name of letters and digits", p.Name)
		}
		if p.Name == "signature" || p.Name == "timestamp" && !q.Public {
			return fmt.Errorf("parameter %s is made here, want none", p.Name)
		}
	}
	return nil
}

const pathLetters = "/abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

// Raw sends one call, a POST or PUT at most once; see Trader. Its weight is not known here: 1 is
// booked, and the venue's own count in the answer corrects that. The answer is never nil.
func (t *Trader) Raw(ctx context.Context, q *RawCall) (*RawAnswer, error) {
	c := &call{method: q.Method, path: q.Path, weight: 1, sec: signed, max: infoMax,
		once: q.Method == http.MethodPost || q.Method == http.MethodPut}
	if q.Public {
		c.sec = public
	}
	if q.Method == http.MethodDelete {
		c.claim = exec.ForCancels
	}
	if err := q.Check(); err != nil {
		return &RawAnswer{}, &exec.CallError{Op: c.op(), Class: exec.ClassRefused, Err: err}
	}
	for _, p := range q.Params {
		if p.Name == "recvWindow" && !q.Public {
			c.window = p.Value
			continue
		}
		c.params.name(p.Name)
		c.params.b = appendEscaped(c.params.b, p.Value)
	}
	if q.Changes() && q.ClientIDParam() != "" {
		c.orders = 1
	}
	begun := t.cfg.Clock.Mono()
	a, err := t.send(ctx, c)
	out := &RawAnswer{Latency: time.Duration(t.cfg.Clock.Mono() - begun)}
	if a != nil {
		out.Status, out.Header, out.Body = a.status, a.header, a.body
	}
	return out, err
}

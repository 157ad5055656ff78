package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"riposte/exec"
	execbinance "riposte/exec/binance"
)

// apiCmd sends one call to the venue's REST API and shows the answer. It exists beside the
// engine and knows nothing of it: no gate and no limits stand between the user and the
// venue. What it did is in the audit file, on record before a byte leaves.
type apiCmd struct {
	Method string        `arg:"" help:"GET, POST, PUT or DELETE."`
	Path   string        `arg:"" help:"Such as /api/v3/account."`
	Params []string      `arg:"" optional:"" name:"name=value" help:"Parameters in the order in which they are sent, not encoded; timestamp and signature are added."`
	Config string        `type:"path" help:"Configuration file: the environment, the key and where the audit file lies."`
	Set    []string      `placeholder:"KEY=VALUE" sep:"none" help:"Change one key of the configuration; may be given more than once."`
	Public bool          `help:"Send neither key nor signature."`
	Live   bool          `help:"Confirm that this may create an order with real money; needed for environment live."`
	Limit  time.Duration `name:"timeout" default:"10s" help:"How long to wait for the answer, 10s at most: as long as the venue itself waits."`
}

// apiWait is how long the venue waits for its own engine before it says -1007.
const apiWait = 10 * time.Second

// Run sends the call. The answer's JSON goes to stdout, all else to stderr; the error is
// nil only if the venue said yes.
func (c apiCmd) Run(o *output) (err error) {
	q, err := c.call()
	if err != nil {
		return usageError{err}
	}
	cfg, err := loadConfig(c.Config, c.Set...)
	if err != nil {
		return usageError{err}
	}
	if cfg.Venue.Environment == "live" && q.Changes() && !c.Live {
		return usageError{fmt.Errorf("%s %s may create an order, and environment live trades real money: want --live on the command line", q.Method, q.Path)}
	}
	if c.Limit <= 0 || c.Limit > apiWait {
		return usageError{want("--timeout", c.Limit, "more than 0s, at most "+apiWait.String())}
	}
	if cfg.Journal.Dir == "" {
		return usageError{want("journal.dir", `""`, "the folder of the audit file: every call is kept")}
	}
	stop, release := interrupts()
	defer release()
	at, err := reach(cfg, "", true)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, at.close()) }()
	audit, err := openAPIAudit(cfg.Journal.Dir)
	if err != nil {
		return usageError{err}
	}
	defer func() { err = errors.Join(err, audit.close()) }()
	ctx, cancel := context.WithTimeout(context.Background(), c.Limit)
	defer cancel()
	go func() {
		select {
		case <-stop: // a call given up is shown as what it is
			cancel()
		case <-ctx.Done():
		}
	}()
	begun := time.Now()
	record := newAPIRecord(begun, &at.sites, q)
	if err := audit.begin(record); err != nil {
		return err
	}
	a, callErr := execbinance.NewTrader(at.rest).Raw(ctx, q)
	auditErr := audit.end(record, a, callErr, time.Now())
	c.show(o, q, a, callErr)
	return errors.Join(quiet(callErr), auditErr)
}

// call reads the command line, and names what would be created.
func (c apiCmd) call() (*execbinance.RawCall, error) {
	q := &execbinance.RawCall{Method: strings.ToUpper(c.Method), Path: c.Path, Public: c.Public}
	for _, p := range c.Params {
		name, value, ok := strings.Cut(p, "=")
		if !ok {
			return nil, fmt.Errorf("cannot use parameter %q: want name=value", p)
		}
		q.Params = append(q.Params, execbinance.RawParam{Name: name, Value: value})
	}
	if err := q.Check(); err != nil {
		return nil, fmt.Errorf("cannot send the call: %w", err)
	}
	if id := q.ClientIDParam(); id != "" && value(q, id) == "" {
		// Not in the engine's own form: it must never take this order for one of its own.
		q.Params = append(q.Params, execbinance.RawParam{Name: id, Value: fmt.Sprintf("api-%s-%s", strconv.FormatInt(time.Now().UnixNano(), 36), strconv.FormatInt(int64(os.Getpid()), 36))})
	}
	return q, nil
}

func value(q *execbinance.RawCall, name string) string {
	for _, p := range q.Params {
		if p.Name == name {
			return p.Value
		}
	}
	return ""
}

// show prints the answer, and what it means if it is none.
func (c apiCmd) show(o *output, q *execbinance.RawCall, a *execbinance.RawAnswer, err error) {
	if a.Body != nil {
		fmt.Fprintf(o.stdout, "%s\n", a.Body)
	}
	var ce *exec.CallError
	class := exec.ClassAccepted
	if errors.As(err, &ce) {
		class = ce.Class
	}
	status := "no answer"
	if a.Status != 0 {
		status = "HTTP " + strconv.Itoa(a.Status)
	} else if ce != nil && ce.Status != 0 {
		status = "HTTP " + strconv.Itoa(ce.Status)
	}
	fmt.Fprintf(o.stderr, "%s %s: %s, %s, %.1f ms%s%s\n", q.Method, q.Path, status, class, a.Latency.Seconds()*1e3,
		counts(a.Header, "X-Mbx-Used-Weight-", ", weight used"), counts(a.Header, "X-Mbx-Order-Count-", ", order count"))
	if class == exec.ClassUnknown && q.Method != http.MethodGet {
		c.unknown(o.stderr, q)
	}
}

// counts are the headers of one kind, such as "10s=1 1d=7".
func counts(h http.Header, prefix, name string) string {
	out := ""
	for _, k := range slices.Sorted(maps.Keys(h)) {
		if span, ok := strings.CutPrefix(k, prefix); ok {
			out += " " + strings.ToLower(span) + "=" + h.Get(k)
		}
	}
	if out == "" {
		return ""
	}
	return name + out
}

// unknown says how to find out: nothing is sent again.
func (c apiCmd) unknown(w io.Writer, q *execbinance.RawCall) {
	ask := execbinance.RawCall{Method: http.MethodGet, Path: "/api/v3/order", Params: []execbinance.RawParam{{Name: "symbol", Value: value(q, "symbol")}}}
	name := q.ClientIDParam()
	id := value(q, name)
	switch {
	case name == "listClientOrderId":
		ask.Path, ask.Params = "/api/v3/orderList", []execbinance.RawParam{{Name: "origClientOrderId", Value: id}}
	case name != "":
		ask.Params = append(ask.Params, execbinance.RawParam{Name: "origClientOrderId", Value: id})
	case value(q, "orderId") != "":
		id = value(q, "orderId")
		ask.Params = append(ask.Params, execbinance.RawParam{Name: "orderId", Value: id})
	case value(q, "origClientOrderId") != "":
		id = value(q, "origClientOrderId")
		ask.Params = append(ask.Params, execbinance.RawParam{Name: "origClientOrderId", Value: id})
	default:
		id, ask.Path = "of "+value(q, "symbol"), "/api/v3/openOrders"
	}
	fmt.Fprintf(w, "UNKNOWN %s: the venue may or may not have done it, and it must not be sent again. Ask, until 10 s and recvWindow have passed:\n  %s\n", id, c.line(&ask))
}

// line is a command of this program with the same configuration.
func (c apiCmd) line(q *execbinance.RawCall) string {
	words := []string{"riposte", "api"}
	if c.Config != "" {
		words = append(words, "--config", c.Config)
	}
	for _, s := range c.Set {
		words = append(words, "--set", s)
	}
	words = append(words, q.Method, q.Path)
	for _, p := range q.Params {
		words = append(words, p.Name+"="+p.Value)
	}
	for i, w := range words {
		if strings.ContainsFunc(w, func(r rune) bool { return strings.ContainsRune(" \t\n\"'\\$`*?[](){}<>|&;!#~", r) }) {
			words[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(words, " ")
}

// quiet leaves a venue's refusal to the lines that show it and keeps what they do not say.
func quiet(err error) error {
	var ce *exec.CallError
	if errors.As(err, &ce) && ce.Code != 0 {
		return fmt.Errorf("the venue did not say yes: %d %s", ce.Code, ce.Msg)
	}
	return err
}

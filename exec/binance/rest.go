package binance

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/valyala/fastjson"

	"riposte/core"
	"riposte/exec"
)

// RESTConfig is what a REST client needs to know. Zero sizes get defaults.
type RESTConfig struct {
	URL         string
	Dial        exec.Dial
	Key         *Key // nil: only public calls
	Instruments *core.Instruments
	Clock       core.Clock
	Time        *exec.VenueClock
	Budget      *exec.Budget
	Reserve     bool          // every call may use the weight that is kept for cancels; see REST.UseReserve
	RecvWindow  time.Duration // default 10 s: cold calls may wait in line
	Timeout     time.Duration // of one call, waiting for the budget not counted; default 10 s
	BodyMax     int64         // default 8 MiB; exchangeInfo may have ten times that
	Samples     int           // of the venue's time per SyncClock; default 5
	// Heard, if set, is given the body of each public call that succeeded, and what was
	// asked: for a recording. Called by the caller's goroutine; the body is its own.
	Heard func(pathQuery string, body []byte)
}

// REST is the cold client: queries, snapshots, cancels of last resort. It can create
// no order; a Trader made of it can. Every call is paid from the Budget before it is sent and waits for it
// as long as its context allows. It follows no redirect and no proxy, asks for no
// compression, and sends nothing twice on its own account. Errors are
// *exec.CallError and hold no parameters. Any goroutine. It implements exec.Venue.
type REST struct {
	cfg    RESTConfig
	host   string
	window string
	client *http.Client
	pool   *http.Transport
	fresh  *http.Client // a new connection for every call; see call.once

	mu     sync.Mutex
	key    *Key       // under mu, nil without one
	signer Signer     // of key, under mu
	rng    *rand.Rand // under mu

	reserve       atomic.Bool
	unknownAssets atomic.Uint64
}

// UseReserve lets calls about own orders and the account use, from now on, the weight that
// is kept for cancels: there is nothing to cancel any more.
func (r *REST) UseReserve() { r.reserve.Store(true) }

var _ exec.Venue = (*REST)(nil)

// NewREST makes a client; nothing is dialed before the first call.
func NewREST(cfg RESTConfig) (*REST, error) {
	if cfg.Dial == nil || cfg.Clock == nil || cfg.Time == nil || cfg.Budget == nil || cfg.Instruments == nil {
		return nil, fmt.Errorf("cannot make a REST client: a part is missing in its config")
	}
	u, err := url.Parse(cfg.URL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") || (u.Path != "" && u.Path != "/") {
		return nil, fmt.Errorf("cannot use REST address %q: want http(s)://host[:port]", cfg.URL)
	}
	if cfg.RecvWindow == 0 {
		cfg.RecvWindow = 10 * time.Second
	}
	if cfg.Timeout <= 0 {
		cfg.Timeout = 10 * time.Second
	}
	if cfg.BodyMax <= 0 {
		cfg.BodyMax = 8 << 20
	}
	if cfg.Samples <= 0 {
		cfg.Samples = 5
	}
	r := &REST{cfg: cfg, host: u.Scheme + "://" + u.Host, rng: rand.New(rand.NewPCG(uint64(cfg.Clock.Wall()), 0x72657374))}
	if r.window, err = windowText(cfg.RecvWindow); err != nil {
		return nil, err
	}
	r.SetKey(cfg.Key)
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return cfg.Dial(ctx, cfg.URL) }
	r.pool = &http.Transport{
		DialContext: dial, DialTLSContext: dial,
		DisableCompression: true, MaxIdleConnsPerHost: 8, MaxConnsPerHost: 16,
		IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: 64 << 10, // and no ResponseHeaderTimeout: see send
	}
	r.client = &http.Client{
		Transport:     r.pool,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	single := r.pool.Clone()
	single.DisableKeepAlives = true
	r.fresh = &http.Client{Transport: single, CheckRedirect: r.client.CheckRedirect}
	return r, nil
}

// SetKey has every call from now on signed with another key. What signed for the old one
// is wiped; calls under way keep what they have. Any goroutine.
func (r *REST) SetKey(key *Key) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.signer != nil {
		r.signer.Wipe()
	}
	r.key, r.signer = key, nil
	if key != nil {
		r.signer = key.Signer()
	}
}

// Close closes idle connections. Calls under way end by their contexts.
func (r *REST) Close() { r.pool.CloseIdleConnections() }

// UnknownAssets is how many commissions and balances were in assets that are not in
// the table.
func (r *REST) UnknownAssets() uint64 { return r.unknownAssets.Load() }

// security of a call.
type security uint8

const (
	public security = iota
	keyed           // with key, without signature
	signed
)

// call is one request.
type call struct {
	method string
	path   string
	weight int
	params Params
	sec    security
	claim  exec.Claim
	max    int64  // of the body, 0: the client's
	orders int    // how many new orders the venue counts for it
	window string // recvWindow, "": the client's

	// once says that two copies of it would do more than one. net/http sends a
	// request again by itself when a kept connection turns out to be closed and no
	// byte, or nothing that matters in its eyes, had left. It cannot do so with a
	// body that it can read only once, on a connection that no other call had; and
	// where no connection came about, it is certain that no byte left.
	once bool
}

func (c *call) op() string { return c.method + " " + c.path }

// answer is what came back, whatever it says.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// do sends one call and returns the body of a success. A question whose time the venue
// refuses is asked once more after its clock has been measured anew: clocks step, on both
// sides.
func (r *REST) do(ctx context.Context, c *call) ([]byte, error) {
	params := c.params // signing appends to them
	a, err := r.send(ctx, c)
	if timeRefused(err) && c.sec == signed && c.method == http.MethodGet && r.SyncClock(ctx) == nil {
		c.params = params
		a, err = r.send(ctx, c)
	}
	if err != nil {
		return nil, err
	}
	if r.cfg.Heard != nil && c.sec == public {
		what := c.path
		if len(c.params.b) > 0 {
			what += "?" + string(c.params.b)
		}
		r.cfg.Heard(what, a.body)
	}
	return a.body, nil
}

// timeRefused: err says that the timestamp was outside of the venue's window (-1021).
func timeRefused(err error) bool {
	var ce *exec.CallError
	return errors.As(err, &ce) && ce.Code == -1021
}

// send makes one call. A *exec.CallError is beside the answer if it is no success;
// the answer is nil if none could be read.
func (r *REST) send(ctx context.Context, c *call) (*answer, error) {
	if err := r.pay(ctx, c); err != nil {
		return nil, err
	}
	// The caller's end is the call's if it is no later: of two timers for one instant chance
	// says which goes off first, and the caller might find time left for one call more.
	if end, ok := ctx.Deadline(); !ok || time.Until(end) > r.cfg.Timeout {
		var stop func()
		ctx, stop = context.WithTimeout(ctx, r.cfg.Timeout)
		defer stop()
	}
	var connected atomic.Bool
	client := r.client
	if c.once {
		client = r.fresh
		ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }})
	}
	req, err := r.request(ctx, c)
	if err != nil {
		return nil, &exec.CallError{Op: c.op(), Class: exec.ClassRefused, Err: err}
	}
	sent := r.cfg.Time.Now()
	resp, err := client.Do(req)
	if err != nil {
		class := exec.ClassUnknown
		if c.once && !connected.Load() {
			class = exec.ClassRefused
		}
		return nil, &exec.CallError{Op: c.op(), Class: class, Err: unwrapURL(err)}
	}
	defer resp.Body.Close()
	limit := c.max
	if limit == 0 {
		limit = r.cfg.BodyMax
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = fmt.Errorf("body has more than %d bytes", limit)
	}
	r.usage(resp.Header, sent)
	if err != nil {
		return nil, r.failure(c, resp, nil, err)
	}
	if ct := resp.Header.Get("Content-Type"); !isJSON(ct) {
		return nil, r.failure(c, resp, nil, fmt.Errorf("content type is %q, want application/json", clip(ct)))
	}
	a := &answer{resp.StatusCode, resp.Header, body}
	if resp.StatusCode != http.StatusOK {
		return a, r.failure(c, resp, body, nil)
	}
	return a, nil
}

// pay takes the call's weight from the budget, waiting for the next window or the
// end of a lock-out if ctx lasts that long.
func (r *REST) pay(ctx context.Context, c *call) error {
	for {
		claim := c.claim
		if r.cfg.Reserve || c.claim == exec.ForOrders && r.reserve.Load() {
			claim = exec.ForCancels
		}
		ok, wait := r.cfg.Budget.TakeWeight(c.weight, claim, r.cfg.Time.Now(), r.cfg.Clock.Mono())
		if ok {
			return r.count(c)
		}
		wait += time.Millisecond + r.jitter()
		if dl, ok := ctx.Deadline(); ok && time.Until(dl) < wait {
			return &exec.CallError{Op: c.op(), Class: exec.ClassLimited, RetryAfter: wait,
				Err: fmt.Errorf("weight %d does not fit the budget for another %v", c.weight, wait.Round(time.Millisecond))}
		}
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return &exec.CallError{Op: c.op(), Class: exec.ClassLimited, Err: ctx.Err()}
		}
	}
}

// spread is over how long calls that waited for the same instant go out.
const spread = 20 * time.Millisecond

// jitter keeps those that wait for the same instant from all going then.
func (r *REST) jitter() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Duration(r.rng.Int64N(int64(spread)))
}

// count takes the new orders of a call from the budget; it does not wait for them.
func (r *REST) count(c *call) error {
	for range c.orders {
		if !r.cfg.Budget.TakeOrder(r.cfg.Time.Now(), r.cfg.Clock.Mono()) {
			return &exec.CallError{Op: c.op(), Class: exec.ClassLimited, Err: errors.New("the venue's order count leaves no room")}
		}
	}
	return nil
}

func (r *REST) request(ctx context.Context, c *call) (*http.Request, error) {
	payload, api, err := r.sign(c)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, c.method, r.host+c.path, nil)
	if err != nil {
		return nil, err
	}
	if c.once {
		// The payload of a signature is query and body together, so it may all be in
		// either (Binance Spot API docs, 2026-07-21). No GetBody: see call.once.
		req.Body, req.ContentLength = io.NopCloser(bytes.NewReader(payload)), int64(len(payload))
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	} else {
		req.URL.RawQuery = string(payload) // sent as it is
	}
	req.Header.Set("User-Agent", "riposte")
	if c.sec != public {
		req.Header.Set("X-MBX-APIKEY", api)
	}
	return req, nil
}

// sign makes a call's query and says with which API key it goes.
func (r *REST) sign(c *call) (query []byte, api string, err error) {
	if c.sec == public {
		return c.params.b, "", nil
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.key == nil {
		return nil, "", errors.New("no key is loaded")
	}
	query = c.params.b
	if c.sec == signed {
		query = signedQuery(&c.params, r.signer, cmp.Or(c.window, r.window), r.cfg.Time.Now())
	}
	return query, string(r.key.api.bytes()), nil
}

// failure makes an error of an answer that is not a success.
func (r *REST) failure(c *call, resp *http.Response, body []byte, err error) error {
	e := &exec.CallError{Op: c.op(), Status: resp.StatusCode, Err: err}
	if body != nil {
		var p fastjson.Parser
		if doc, perr := p.ParseBytes(body); perr == nil {
			e.Code = errorCode(doc)
			e.Msg = clip(string(doc.GetStringBytes("msg")))
		}
	}
	e.Class = classify(e.Status, e.Code)
	if e.Class == exec.ClassAccepted {
		e.Class = exec.ClassUnknown
	}
	if n, ok := parseCount([]byte(resp.Header.Get("Retry-After"))); ok {
		e.RetryAfter = time.Duration(n) * time.Second
	}
	if limited(e.Status, e.Code) {
		venue, now := r.cfg.Time.Now(), r.cfg.Clock.Mono()
		if e.Status == 418 && e.RetryAfter == 0 {
			e.RetryAfter = 2 * time.Minute
		}
		if e.Code == -1015 || e.Code == -2021 { // of a replace that only cancelled
			r.cfg.Budget.OrderLockout(e.RetryAfter, venue, now)
		} else {
			r.cfg.Budget.Lockout(e.RetryAfter, venue, now)
		}
	}
	e.NoSuchOrder, e.KeyRefused = e.Code == -2013, keyRefused(e.Code)
	return e
}

// usage tells the budget what the venue says of it. sent is when the request left.
func (r *REST) usage(h http.Header, sent core.WallNs) {
	if n, ok := parseCount([]byte(h.Get("X-MBX-USED-WEIGHT-1M"))); ok {
		r.cfg.Budget.SawWeight(n, sent-core.WallNs(r.cfg.Time.Error()), r.cfg.Time.Now())
	}
}

// unwrapURL takes the error out of a *url.Error, whose text holds the whole URL:
// key-signed queries must not reach a log.
func unwrapURL(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}

func isJSON(ct string) bool {
	t, _, _ := strings.Cut(ct, ";")
	return strings.EqualFold(strings.TrimSpace(t), "application/json")
}

// clip keeps foreign text short and on one line.
func clip(s string) string {
	if len(s) > 200 {
		s = s[:200]
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, s)
}

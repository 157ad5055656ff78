package venue

import (
	"net/http"
	"slices"
	"time"

	"riposte/tools/venue/exchange"
	"riposte/tools/venue/link"
)

// security is what an endpoint asks of its caller.
type security uint8

const (
	public   security = iota
	userData          // key, timestamp, signature
	trade             // the same, and a key that may trade
)

// op is one endpoint, reached as a REST path, a WS API method, or both.
type op struct {
	verb, path string
	method     string
	security   security
	weight     func(*call) int
	// free: the weight is charged only if the call fails (since 2026-04-02).
	free bool
	// orders is how many new orders the call counts.
	orders int
	params []string
	// plain ops of the WS API bring their own authentication (session.*, userDataStream.*).
	plain bool
	// amends: the call replaces an order.
	amends bool
	run    func(c *call, b []byte) ([]byte, *apiError)
}

func cost(n int) func(*call) int { return func(*call) int { return n } }

// call is one request on its way through an op. It lives on one goroutine.
type call struct {
	srv     *Server
	op      *op
	p       params
	us      bool
	ip      string
	link    *link.Conn // that it came on
	key     *verifier  // nil on public calls
	account exchange.AccountID
	conn    *conn // WS API only
	session *session
	stamp   stamp
	signed  bool
	byLogon bool  // authenticated by session.logon
	hold    *hold // events of this call wait for its answer
	counted []window
	used    int
	charged int
	fault   *answerFault
	fresh   *userSub // subscription made by this call
}

// admit runs every check that precedes the op: parameters known, weight, key, timestamp, signature.
func (c *call) admit(sign func(v *verifier) *apiError, apiKey string, hasKey bool, raw bool) *apiError {
	now := c.srv.clock.now()
	c.charged = c.op.weight(c)
	var err *apiError
	if c.used, err = c.srv.limits.charge(now, c.ip, c.charged, raw); err != nil {
		c.charged = 0
		return err
	}
	if c.srv.cfg.StrictParams {
		if err := c.strict(); err != nil {
			return err
		}
	}
	if c.op.security == public || c.op.plain {
		return nil
	}
	return c.authenticate(c.srv.gate(), sign, apiKey, hasKey)
}

func (c *call) authenticate(now int64, sign func(v *verifier) *apiError, apiKey string, hasKey bool) *apiError {
	if !hasKey || !validKeyText(apiKey) {
		return errKeyFormat()
	}
	v := c.srv.key(apiKey)
	if v == nil {
		return errKey()
	}
	// Every key may ask for its own rights.
	if r := v.rights(); c.op.security == trade && !r.SpotTrading || c.op.path != restrictionsPath && !r.Reading {
		return errKey()
	}
	c.key, c.account = v, exchange.AccountID(v.account)
	st, err := readStamp(&c.p)
	if err != nil {
		return err
	}
	if err := st.onReceipt(now); err != nil {
		return err
	}
	c.stamp, c.signed = st, true
	return sign(v)
}

func validKeyText(k string) bool {
	for i := range len(k) {
		if k[i] <= ' ' || k[i] > '~' {
			return false
		}
	}
	return k != ""
}

func (s *Server) key(apiKey string) *verifier {
	s.keysMu.RLock()
	defer s.keysMu.RUnlock()
	return s.keys[apiKey]
}

// revoke makes a key unknown from now on.
func (s *Server) revoke(apiKey string) bool {
	s.keysMu.Lock()
	defer s.keysMu.Unlock()
	_, ok := s.keys[apiKey]
	delete(s.keys, apiKey)
	return ok
}

// strict refuses names the op does not read.
func (c *call) strict() *apiError {
	read := 0
	for i := range c.p.list {
		n := c.p.list[i].name
		if slices.Contains(c.op.params, n) || c.op.security != public && slices.Contains(signedParams, n) {
			read++
		}
	}
	if read != len(c.p.list) {
		return bad(-1104, "Not all sent parameters were read; read '%d' parameter(s) but was sent '%d'.", read, len(c.p.list))
	}
	return nil
}

var signedParams = []string{"timestamp", "recvWindow", "signature", "apiKey", "returnRateLimits"}

// execute runs the op with the configured latencies and time checks around it.
func (c *call) execute(b []byte) ([]byte, *apiError) {
	s := c.srv
	if c.signed {
		if !s.sleep(s.cfg.Latency.Forward) {
			return b, errClosed()
		}
		if err := c.stamp.later(s.gate()); err != nil {
			// Check 2 comes after the order count was taken (Binance Spot API docs, 2026-07-21).
			if c.op.orders > 0 {
				s.loop.do(func(now int64) { _ = c.count(now) })
			}
			return b, err
		}
		if !s.sleep(s.cfg.Latency.Engine) {
			return b, errClosed()
		}
	}
	return c.op.run(c, b)
}

// engine runs fn on the loop goroutine, behind check 3 and, for new orders, the order count.
func (c *call) engine(fn func(x *exchange.Exchange, now int64) *apiError) *apiError {
	s := c.srv
	var err *apiError
	ok := s.loop.do(func(now int64) {
		if c.signed {
			if err = c.stamp.later(now + s.skew.Load()); err != nil {
				return
			}
		}
		if c.op.orders > 0 {
			if err = c.count(now); err != nil {
				return
			}
		}
		if c.op.security == trade {
			s.users.active = c.hold
			defer func() { s.users.active = nil }()
		}
		err = fn(s.x, now)
		if err != nil && c.op.orders > 0 && err.code > -2000 && err.code != -1015 {
			// Refused before the engine (filters, symbols): the order was never placed.
			s.counts[c.account].filled(now, c.op.orders)
		}
		if c.op.orders > 0 {
			c.counted = slices.Clone(s.counts[c.account].windows)
		}
	})
	if !ok {
		return errClosed()
	}
	return err
}

// count adds the op's orders to the account's windows. Loop goroutine.
func (c *call) count(now int64) *apiError {
	err := c.srv.counts[c.account].add(now, c.op.orders)
	c.counted = slices.Clone(c.srv.counts[c.account].windows)
	return err
}

// finish settles the weight and returns what the IP has used.
func (c *call) finish(err *apiError) int {
	if err == nil && c.op.free && c.charged > 0 {
		c.used = c.srv.limits.refund(c.srv.clock.now(), c.ip, c.charged)
	}
	return c.used
}

// prepareHold decides whether this call's user events wait for its answer.
func (c *call) prepareHold() {
	race := Race(c.srv.order.Load())
	if c.op.security != trade || c.key == nil || race == EventFirst {
		return
	}
	after := race == AnswerFirst
	c.srv.loop.do(func(int64) {
		if after || c.srv.rng.IntN(2) == 1 {
			c.hold = &hold{account: c.account}
		}
	})
}

// answered lets held user events go; call it when the answer is on the wire, or when it never will be.
func (c *call) answered() {
	if u := c.fresh; u != nil {
		c.fresh = nil
		c.srv.loop.do(func(int64) { u.begin() })
	}
	if h := c.hold; h != nil {
		c.hold = nil
		c.srv.loop.do(func(int64) { c.srv.users.release(h) })
	}
}

// arrived fires the faults that wait for such a request, once it is admitted.
func (c *call) arrived() {
	f := c.srv.faults
	if !f.listening.Load() {
		return
	}
	for _, class := range c.op.classes() {
		if event := map[string]string{"orders": "order", "amends": "amend", "cancels": "cancel", "queries": "query"}[class]; event != "" {
			f.heard(event, "", c.link)
		}
	}
	f.heard("request", "", c.link)
}

// perform is admit's successor for both transports: faults, latencies, op, weight.
func (c *call) perform(b []byte) ([]byte, *apiError) {
	c.fault = c.srv.faults.answer(c.op)
	if f := c.fault; f != nil && !f.executes() {
		return b, f.fail()
	}
	c.prepareHold()
	at := len(b)
	b, err := c.execute(b)
	if err != nil {
		b = b[:at]
	}
	wait := c.srv.cfg.Latency.Answer
	if !c.signed {
		wait = 0
	}
	if f := c.fault; f != nil {
		wait += f.late()
		if lost := f.fail(); lost != nil {
			b, err = b[:at], lost
		}
	}
	if !c.srv.sleep(wait) {
		return b[:at], errClosed()
	}
	if c.fault.garble() == "swapped" {
		var other []byte
		other, err = c.srv.faults.swaps.exchange(b[at:], err)
		b = append(b[:at], other...)
	}
	return b, err
}

func statusText(code int) string {
	if t := http.StatusText(code); t != "" {
		return t
	}
	return "status"
}

func seconds(micros int64) int64 {
	return (micros + int64(time.Second/time.Microsecond) - 1) / int64(time.Second/time.Microsecond)
}

package venue

import (
	"fmt"
	"net/http"
	"sync"
	"time"
)

// RateLimit is one entry of exchangeInfo.rateLimits: Limit per Num Intervals (SECOND, MINUTE, DAY).
type RateLimit struct {
	Interval string
	Num      int
	Limit    int
}

func (r RateLimit) span() int64 {
	unit := time.Second
	switch r.Interval {
	case "MINUTE":
		unit = time.Minute
	case "HOUR":
		unit = time.Hour
	case "DAY":
		unit = 24 * time.Hour
	}
	return unit.Microseconds() * int64(r.Num)
}

// letter is the suffix of the header of this limit: 10S, 1M, 1D.
func (r RateLimit) letter() string { return fmt.Sprintf("%d%c", r.Num, r.Interval[0]) }

func (r RateLimit) check(name string) error {
	switch r.Interval {
	case "SECOND", "MINUTE", "HOUR", "DAY":
	default:
		return fmt.Errorf("cannot use rate limit %s: got interval %q, want SECOND, MINUTE, HOUR or DAY", name, r.Interval)
	}
	if r.Num < 1 || r.Limit < 1 {
		return fmt.Errorf("cannot use rate limit %s: got %d per %d %s, want positive numbers", name, r.Limit, r.Num, r.Interval)
	}
	return nil
}

// window counts inside one clock-aligned span: it starts again at every multiple of the span since the epoch, so a
// minute begins at :00 and a day at 00:00 UTC (Binance Spot API docs, 2026-07-21).
type window struct {
	RateLimit
	start int64
	count int
}

func newWindow(r RateLimit) window { return window{RateLimit: r} }

func (w *window) roll(now int64) {
	if start := now - now%w.span(); start != w.start {
		w.start, w.count = start, 0
	}
}

func (w *window) ends() int64 { return w.start + w.span() }

// source is what one IP address has used.
type source struct {
	weight, raw       window
	streams, sessions window // connection attempts
	strikes           int    // requests that came although the answer before was 429
	bans              int
	bannedUntil       int64
}

// limiter counts weight, raw requests and connections per IP. Any goroutine may call it.
type limiter struct {
	mu          sync.Mutex
	cfg         *Config
	byIP        map[string]*source
	forced429   int64 // until this venue time every request is refused with 429 (fault)
	forced418   int64
	refused     uint64
	onBan       func(ip string)
	lastRefused int64
}

func newLimiter(cfg *Config) *limiter {
	return &limiter{cfg: cfg, byIP: make(map[string]*source)}
}

func (l *limiter) of(ip string, now int64) *source {
	s := l.byIP[ip]
	if s == nil {
		s = &source{weight: newWindow(l.cfg.Weight), raw: newWindow(l.cfg.RawRequests),
			streams: newWindow(l.cfg.Connections), sessions: newWindow(l.cfg.Connections)}
		l.byIP[ip] = s
	}
	for _, w := range []*window{&s.weight, &s.raw, &s.streams, &s.sessions} {
		w.roll(now)
	}
	return s
}

// charge takes cost from ip's minute and returns what is used then. raw also counts a raw request (REST only). A call
// that would pass the limit is refused with 429 and takes nothing; BanAfter refusals in one window turn into a 418
// ban of BanFor, doubled for every further ban up to three days.
func (l *limiter) charge(now int64, ip string, cost int, raw bool) (int, *apiError) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.of(ip, now)
	if until := max(s.bannedUntil, l.forced418); now < until {
		l.refused++
		return s.weight.count, banned(until)
	}
	if raw {
		s.raw.count++
		if s.raw.count > s.raw.Limit {
			return s.weight.count, l.strike(s, now, ip, s.raw.ends(),
				fmt.Sprintf("Too many requests; current limit is %d requests per %d %s.", s.raw.Limit, s.raw.Num, s.raw.Interval))
		}
	}
	text := fmt.Sprintf("Too much request weight used; current limit is %d request weight per %d %s. Please use WebSocket Streams for live updates to avoid polling the API.",
		s.weight.Limit, s.weight.Num, s.weight.Interval)
	if now < l.forced429 {
		l.refused++
		return s.weight.count, tooMany(l.forced429, text)
	}
	if s.weight.count+cost > s.weight.Limit {
		return s.weight.count, l.strike(s, now, ip, s.weight.ends(), text)
	}
	s.weight.count += cost
	return s.weight.count, nil
}

func (l *limiter) strike(s *source, now int64, ip string, until int64, text string) *apiError {
	l.refused++
	if l.lastRefused < s.weight.start {
		s.strikes = 0
	}
	l.lastRefused = now
	s.strikes++
	if s.strikes <= l.cfg.BanAfter {
		return tooMany(until, text)
	}
	span := min(l.cfg.BanFor<<min(s.bans, 20), 72*time.Hour)
	s.bans++
	s.strikes = 0
	s.bannedUntil = now + span.Microseconds()
	if l.onBan != nil {
		// The ban closes sockets, which may call back here.
		go l.onBan(ip)
	}
	return banned(s.bannedUntil)
}

// refund gives back what charge took, if its window is still open. Successful order calls cost nothing
// (since 2026-04-02).
func (l *limiter) refund(now int64, ip string, cost int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.of(ip, now)
	s.weight.count = max(0, s.weight.count-cost)
	return s.weight.count
}

// connect counts a WebSocket connection attempt; session says WS API rather than market streams.
func (l *limiter) connect(now int64, ip string, session bool) *apiError {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := l.of(ip, now)
	if until := max(s.bannedUntil, l.forced418); now < until {
		return banned(until)
	}
	w := &s.streams
	if session {
		w = &s.sessions
	}
	w.count++
	if w.count > w.Limit {
		l.refused++
		return &apiError{status: http.StatusTooManyRequests, code: -1034, retryAt: w.ends(),
			msg: fmt.Sprintf("Too many connection attempts; current limit is %d per %d %s.", w.Limit, w.Num, w.Interval)}
	}
	return nil
}

// force makes every request until the given venue time fail with 429 or 418.
func (l *limiter) force(status int, until int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if status == http.StatusTeapot {
		l.forced418 = until
	} else {
		l.forced429 = until
	}
}

func tooMany(until int64, text string) *apiError {
	return &apiError{status: http.StatusTooManyRequests, code: -1003, msg: text, retryAt: until}
}

func banned(until int64) *apiError {
	return &apiError{status: http.StatusTeapot, code: -1003, retryAt: until,
		msg: fmt.Sprintf("Way too much request weight used; IP banned until %d. Please use WebSocket Streams for live updates to avoid bans.", until/1000)}
}

// orderCount is one account's unfilled order count in every ORDERS window. The loop goroutine owns it.
type orderCount struct {
	windows []window
}

func newOrderCount(limits []RateLimit) orderCount {
	var c orderCount
	for _, l := range limits {
		c.windows = append(c.windows, newWindow(l))
	}
	return c
}

func (c *orderCount) roll(now int64) {
	for i := range c.windows {
		c.windows[i].roll(now)
	}
}

// add counts n new orders, or refuses with -1015 and counts nothing.
func (c *orderCount) add(now int64, n int) *apiError {
	c.roll(now)
	for i := range c.windows {
		w := &c.windows[i]
		if w.count+n > w.Limit {
			return &apiError{status: http.StatusTooManyRequests, code: -1015, retryAt: w.ends(),
				msg: fmt.Sprintf("Too many new orders; current limit is %d orders per %d %s.", w.Limit, w.Num, w.Interval)}
		}
	}
	for i := range c.windows {
		c.windows[i].count += n
	}
	return nil
}

// filled takes n from every window after an order's first fill, never below zero.
func (c *orderCount) filled(now int64, n int) {
	c.roll(now)
	for i := range c.windows {
		c.windows[i].count = max(0, c.windows[i].count-n)
	}
}

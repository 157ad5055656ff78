package venue

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"riposte/tools/venue/exchange"
	"riposte/tools/venue/link"
)

// Server is a running venue: one loopback listener that serves REST, market streams, the WS API and /sim/, and one
// goroutine that runs the exchange in real time. Its methods may be called from any goroutine.
type Server struct {
	cfg      Config
	clock    clock
	x        *exchange.Exchange // loop goroutine only
	loop     *loop
	hub      *hub   // loop goroutine only
	users    *users // loop goroutine only
	deadMan  *deadMan
	counts   []orderCount
	lag      *lagView // loop goroutine only
	rng      *rand.Rand
	limits   *limiter
	keys     map[string]*verifier
	keysMu   sync.RWMutex
	faults   *Faults
	stats    stats
	started  int64
	rest     map[string]map[string]*op // path, method
	methods  map[string]*op            // WS API
	static   *exchangeInfo
	line     *link.Listener // below TLS
	listener net.Listener
	certs    *certs // nil without TLS
	http     *http.Server
	caFile   string
	caTemp   bool
	order    atomic.Uint32 // Race in force
	skew     atomic.Int64  // of the clock that requests are judged by, µs

	mu    sync.Mutex
	conns map[*conn]struct{}
	shut  bool
	work  sync.WaitGroup
}

// stats are plain counters for /sim/stats and Stats.
type stats struct {
	frames   [2]atomic.Uint64 // by connKind
	bytes    atomic.Uint64
	requests atomic.Uint64 // REST
	calls    atomic.Uint64 // WS API
	opened   [2]atomic.Uint64
	orders   atomic.Uint64 // accepted
	rejects  atomic.Uint64
	slow     atomic.Uint64
	tooFast  atomic.Uint64
	pongLate atomic.Uint64
}

// Start makes a venue from cfg and serves it until ctx ends or Close is called.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	cfg.fill()
	if err := cfg.check(); err != nil {
		return nil, err
	}
	if len(cfg.Accounts) == 0 {
		a, err := DefaultAccount(cfg.Seed)
		if err != nil {
			return nil, err
		}
		cfg.Accounts = []Account{a}
	}
	s := &Server{cfg: cfg, clock: newClock(cfg.TimeOffset), conns: make(map[*conn]struct{}),
		keys: make(map[string]*verifier),
		rng:  rand.New(rand.NewPCG(cfg.Seed, 0x76656e7565))}
	if err := s.build(); err != nil {
		return nil, err
	}
	if err := s.listen(); err != nil {
		return nil, err
	}
	for _, f := range s.cfg.Faults {
		_ = s.faults.begin(f, s.started) // one that finds nothing to break stays uncounted
	}
	go s.loop.run()
	s.work.Add(1)
	go func() {
		defer s.work.Done()
		_ = s.http.Serve(s.listener) // ends with Close
	}()
	context.AfterFunc(ctx, func() { _ = s.Close() })
	return s, nil
}

// build makes everything but the sockets.
func (s *Server) build() error {
	for i, a := range s.cfg.Accounts {
		for _, k := range a.Keys {
			k.Account = a.Name
			v, err := newVerifier(k, i)
			if err != nil {
				return err
			}
			if s.keys[k.APIKey] != nil {
				return fmt.Errorf("cannot start the venue: got key %q twice, want each once", k.APIKey)
			}
			s.keys[k.APIKey] = v
		}
		s.counts = append(s.counts, newOrderCount(s.cfg.Orders))
	}
	s.started = s.clock.now()
	xcfg, err := s.cfg.exchangeConfig(s.started)
	if err != nil {
		return err
	}
	k := &sink{}
	if s.x, err = exchange.New(xcfg, k); err != nil {
		return fmt.Errorf("cannot make the exchange: %w", err)
	}
	if s.hub, err = newHub(s, s.x); err != nil {
		return fmt.Errorf("cannot make the streams: %w", err)
	}
	s.users, s.deadMan = newUsers(), newDeadMan(s)
	k.srv, k.hub, k.user = s, s.hub, s.users
	s.lag = newLagView(s)
	s.order.Store(uint32(s.cfg.UserEvents))
	s.limits = newLimiter(&s.cfg)
	s.limits.onBan = s.banned
	s.faults = newFaults(s)
	s.static = newExchangeInfo(s)
	s.register()
	s.loop = newLoop(&s.clock)
	s.loop.x = s.x
	l := s.loop
	l.every(s.cfg.DepthFast, func(now int64) { s.hub.flushDepth(now, true) })
	l.every(s.cfg.DepthSlow, func(now int64) { s.hub.flushDepth(now, false) })
	l.every(time.Second, func(now int64) { s.hub.flushKlines(now, true); s.hub.remember() })
	l.every(s.cfg.KlineEvery, func(now int64) { s.hub.flushKlines(now, false) })
	l.every(s.cfg.TickerEvery, s.hub.flushTickers)
	return nil
}

// socket is the configured listener, or one on the configured loopback address.
func (s *Server) socket() (net.Listener, error) {
	if s.cfg.Listener != nil {
		return s.cfg.Listener, nil
	}
	host, _, err := net.SplitHostPort(s.cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %q: %w", s.cfg.Listen, err)
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("cannot listen on %q: got host %q, want a loopback address", s.cfg.Listen, host)
	}
	l, err := net.Listen("tcp", s.cfg.Listen)
	if err != nil {
		return nil, fmt.Errorf("cannot listen: %w", err)
	}
	return l, nil
}

func (s *Server) listen() (err error) {
	inner, err := s.socket()
	if err != nil {
		return err
	}
	s.line = link.Wrap(inner, s.cfg.Seed)
	s.line.OnAccept = func(c *link.Conn) { s.faults.heard("accept", "", c) }
	s.listener = s.line
	if s.cfg.TLS.On {
		if s.caFile = s.cfg.TLS.CAFile; s.caFile == "" {
			if s.caFile, err = tempCAFile(); err != nil {
				return errors.Join(err, s.listener.Close())
			}
			s.caTemp = true
		}
		if s.certs, err = newCerts(s.caFile); err != nil {
			return errors.Join(err, s.listener.Close())
		}
		s.listener = tls.NewListener(s.listener, s.certs.server())
	}
	s.http = &http.Server{Handler: http.HandlerFunc(s.serveHTTP), ConnContext: keepConn,
		ReadHeaderTimeout: 30 * time.Second, MaxHeaderBytes: 64 << 10,
		// Broken handshakes and requests are the clients' business; the counters show them.
		ErrorLog: log.New(discard{}, "", 0)}
	return nil
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }

type connKey struct{}

func keepConn(ctx context.Context, nc net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, nc)
}

// linkFrom is the connection that a request came on.
func linkFrom(r *http.Request) *link.Conn {
	nc, _ := r.Context().Value(connKey{}).(net.Conn)
	return linkOf(nc)
}

// spoken notes what a connection is used for, and that it was heard of if this is its first request.
func (s *Server) spoken(r *http.Request, kind string) *link.Conn {
	l := linkFrom(r)
	if first := l.Kind() == ""; first || kind != "rest" {
		l.SetKind(kind)
		s.faults.heard("connect", kind, l)
	}
	return l
}

// gate is the time by which requests are judged and which the venue tells: that of its gateways.
func (s *Server) gate() int64 { return s.clock.now() + s.skew.Load() }

// Close stops the market, ends every connection and waits for all goroutines.
func (s *Server) Close() error {
	s.mu.Lock()
	if s.shut {
		s.mu.Unlock()
		s.work.Wait()
		<-s.loop.done
		return nil
	}
	s.shut = true
	conns := make([]*conn, 0, len(s.conns))
	for c := range s.conns {
		conns = append(conns, c)
	}
	s.mu.Unlock()
	err := s.http.Close()
	for _, c := range conns {
		c.end()
	}
	s.loop.stop()
	err = errors.Join(err, s.line.Shut())
	s.work.Wait()
	if s.caTemp {
		err = errors.Join(err, os.Remove(s.caFile))
	}
	if err != nil {
		return fmt.Errorf("cannot close the venue: %w", err)
	}
	return nil
}

// sleep waits d; it reports false if the venue closed meanwhile.
func (s *Server) sleep(d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-s.loop.done:
		return false
	}
}

// adopt registers a WebSocket connection; false if the venue is closing.
func (s *Server) adopt(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.shut {
		return false
	}
	s.conns[c] = struct{}{}
	s.work.Add(2)
	s.stats.opened[c.kind].Add(1)
	return true
}

// forget is called once both goroutines of a connection are through with it.
func (s *Server) forget(c *conn) {
	s.loop.do(func(int64) {
		c.leave()
		s.hub.leave(c)
	})
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
}

func (s *Server) banned(ip string) {
	for _, c := range s.sockets(apiConn) {
		if c.ip == ip {
			c.drop()
		}
	}
}

// sockets are the open WebSocket connections of one kind, oldest first.
func (s *Server) sockets(kind connKind) []*conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []*conn
	for c := range s.conns {
		if c.kind == kind {
			list = append(list, c)
		}
	}
	sortConns(list)
	return list
}

func (s *Server) url(scheme, path string) string {
	if s.cfg.TLS.On {
		scheme += "s"
	}
	return scheme + "://" + s.listener.Addr().String() + path
}

// REST is the base URL of the REST API, e.g. http://127.0.0.1:1234; paths start with /api/v3.
func (s *Server) REST() string { return s.url("http", "") }

// Stream is the base URL of the market streams; paths are /ws and /stream.
func (s *Server) Stream() string { return s.url("ws", "") }

// WSAPI is the URL of the WS API.
func (s *Server) WSAPI() string { return s.url("ws", "/ws-api/v3") }

// Admin is the base URL of the simulator's own pages, /sim.
func (s *Server) Admin() string { return s.url("http", "/sim") }

// CAFile is the PEM file of the authority that signed the venue's certificate, empty without TLS.
func (s *Server) CAFile() string { return s.caFile }

// Now is the venue's time in unix µs.
func (s *Server) Now() int64 { return s.clock.now() }

// Keys are all keys of all accounts with their secrets, in the order of the config.
func (s *Server) Keys() []Key {
	var list []Key
	for _, a := range s.cfg.Accounts {
		for _, k := range a.Keys {
			k.Account = a.Name
			list = append(list, k)
		}
	}
	return list
}

// Key is the first key of the given kind of the named account; empty account means the first one.
func (s *Server) Key(account string, kind KeyKind) (Key, bool) {
	for _, k := range s.Keys() {
		if k.Kind == kind && (account == "" || k.Account == account) {
			return k, true
		}
	}
	return Key{}, false
}

// executed is told of every execution report. Loop goroutine.
func (s *Server) executed(a exchange.AccountID, r *exchange.ExecutionReport) {
	if s.cfg.Executed != nil {
		s.cfg.Executed(int(a), r)
	}
	if r.Exec == exchange.ExecTrade && r.CumQty == r.LastQty {
		// The first fill of an order gives back order count in every window (Binance Spot API docs, 2026-07-21).
		n := s.cfg.TakerFill
		if r.Maker {
			n = s.cfg.MakerFill
		}
		s.counts[a].filled(r.TransactTime, n)
	}
	s.lag.changed(a, r)
}

package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"sync/atomic"
	"time"
)

// AdminConfig is [admin].
type AdminConfig struct {
	Address     string `toml:"address"`
	AllowRemote bool   `toml:"allow_remote"`
}

// check refuses an address that others can reach, unless that is asked for: there
// is no password, and a profile costs the machine seconds of its time.
func (c *AdminConfig) check() error {
	if c.Address == "" {
		return nil
	}
	host, _, err := net.SplitHostPort(c.Address)
	if err != nil {
		return want("admin.address", fmt.Sprintf("%q", c.Address), `host:port, such as "127.0.0.1:6060" or "127.0.0.1:0" for a free port`)
	}
	if !c.AllowRemote && !loopbackHost(host) {
		return want("admin.address", fmt.Sprintf("%q", c.Address), `a loopback address such as "127.0.0.1:6060", or allow_remote = true beside it: there is no password`)
	}
	return nil
}

func loopbackHost(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// admin serves profiles and figures of the running process, on ordinary
// goroutines. What it tells was gathered by others: it never touches the loop. It
// knows no key, and what it can change is only what a file of this user says already.
//
//	/healthz       200 and "ok", or 503 and what is wrong
//	/status        the newest report, the same object as with --json
//	/metrics       its numbers as text, one a line (Prometheus exposition format)
//	/debug/pprof/  net/http/pprof
//	/halt, /resume, /limits, /approve, /signals, /key/reload  by POST, with the token; see door
type admin struct {
	cfg    AdminConfig
	server *http.Server
	url    string
	latest func() *report // the newest, nil before the first
	cancel context.CancelFunc
	served chan error
	door   atomic.Pointer[*door] // the operator's, nil before there is one
}

// staleFigures is how old the newest report may be before the process counts as
// unwell: they come once a second.
const staleFigures = 5 * time.Second

// openAdmin listens and serves until close.
func openAdmin(cfg AdminConfig, latest func() *report) (*admin, error) {
	ln, err := net.Listen("tcp", cfg.Address)
	if err != nil {
		return nil, fmt.Errorf("cannot serve admin.address %s: %w", cfg.Address, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	a := &admin{cfg: cfg, url: "http://" + ln.Addr().String(), latest: latest, cancel: cancel, served: make(chan error, 1)}
	mux := http.NewServeMux()
	mux.HandleFunc("/healthz", a.health)
	mux.HandleFunc("/status", a.status)
	mux.HandleFunc("/metrics", a.metrics)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	operator := http.NewCrossOriginProtection().Handler(http.HandlerFunc(a.operator))
	for _, page := range []string{"/halt", "/resume", "/limits", "/approve", "/signals", "/key/reload"} {
		mux.Handle("POST "+page, operator)
	}
	a.server = limited(a.guard(mux))
	// A profile is written after as many seconds as were asked for.
	a.server.WriteTimeout = 0
	a.server.BaseContext = func(net.Listener) context.Context { return ctx }
	go func() { a.served <- a.server.Serve(&fewConns{Listener: ln, slots: make(chan struct{}, doorConns)}) }()
	return a, nil
}

// guard keeps web pages out: a browser on this machine can be made to ask for a name
// that leads here, but it says the name.
func (a *admin) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		switch {
		case !a.cfg.AllowRemote && !loopbackHost(host):
			http.Error(w, fmt.Sprintf("host is %q, want the loopback address", host), http.StatusForbidden)
		case r.Method != http.MethodGet && r.Method != http.MethodHead && !changing[r.URL.Path]:
			http.Error(w, fmt.Sprintf("method is %s, want GET", r.Method), http.StatusMethodNotAllowed)
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// changing are the pages that take a POST.
var changing = map[string]bool{"/halt": true, "/resume": true, "/limits": true, "/approve": true, "/signals": true, "/key/reload": true, "/debug/pprof/symbol": true}

func (a *admin) operator(w http.ResponseWriter, r *http.Request) {
	d := a.door.Load()
	if d == nil {
		http.Error(w, "there is no journal folder with a token in it, or the engine is starting", http.StatusServiceUnavailable)
		return
	}
	(*d).handler().ServeHTTP(w, r)
}

func (a *admin) health(w http.ResponseWriter, _ *http.Request) {
	var wrong []string
	r := a.latest()
	if r == nil {
		wrong = []string{"starting"}
	} else {
		if age := time.Since(r.at); age > staleFigures {
			wrong = append(wrong, fmt.Sprintf("figures are %s old", age.Round(time.Second)))
		}
		wrong = append(wrong, r.Problems...)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	if len(wrong) == 0 {
		fmt.Fprintln(w, "ok")
		return
	}
	w.WriteHeader(http.StatusServiceUnavailable)
	for _, text := range wrong {
		fmt.Fprintln(w, text)
	}
}

func (a *admin) status(w http.ResponseWriter, _ *http.Request) {
	r := a.latest()
	if r == nil {
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(r) // whoever asked has gone
}

func (a *admin) metrics(w http.ResponseWriter, _ *http.Request) {
	r := a.latest()
	if r == nil {
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return
	}
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	r.metrics(w)
}

// close ends every answer under way and waits for it.
func (a *admin) close() error {
	a.cancel() // a profile under way waits for this
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err := a.server.Shutdown(ctx)
	if err != nil {
		err = errors.Join(err, a.server.Close())
	}
	if served := <-a.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

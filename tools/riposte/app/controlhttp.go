package app

import (
	"bufio"
	"crypto/rand"
	"crypto/subtle"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"riposte/core/risk"
)

// The operator's door: POST /halt, /resume, /limits, /params, /approve, /signals and /key/reload, on a socket in the journal's
// folder that only its owner can open, and on the admin address where there is one.
// Whoever asks must know the token, which lies in the same folder.
const (
	tokenName  = "admin.token"
	socketName = "control.sock"

	doorBody     = 16 << 10
	doorHeader   = 8 << 10
	doorConns    = 64
	doorAttempts = 5 // wrong tokens within doorSpan; then none is looked at
	doorSpan     = time.Minute
)

// door serves the operator's requests.
type door struct {
	c      *control
	token  []byte
	server *http.Server
	served chan error
	cross  *http.CrossOriginProtection

	mu    sync.Mutex
	wrong []time.Time
}

// openDoor makes the token if there is none and listens on the folder's socket. Without
// a journal's folder there is no door.
func openDoor(c *control) (*door, error) {
	if c.dir == "" {
		return nil, nil
	}
	token, err := readToken(c.dir, true)
	if err != nil {
		return nil, err
	}
	d := &door{c: c, token: token, served: make(chan error, 1), cross: http.NewCrossOriginProtection()}
	name := filepath.Join(c.dir, socketName)
	if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cannot open the control socket: %w", err)
	}
	ln, err := net.Listen("unix", name)
	if err != nil {
		return nil, fmt.Errorf("cannot open the control socket: %w", err)
	}
	if err := os.Chmod(name, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("cannot open the control socket: %w", err), ln.Close())
	}
	d.server = limited(d.handler())
	go func() { d.served <- d.server.Serve(&fewConns{Listener: ln, slots: make(chan struct{}, doorConns)}) }()
	return d, nil
}

// limited is a server that no client can hold up.
func limited(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second,
		IdleTimeout: time.Minute, MaxHeaderBytes: doorHeader}
}

func (d *door) close() error {
	err := d.server.Close()
	if served := <-d.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// readToken reads the folder's token, which nobody else may be able to.
func readToken(dir string, create bool) ([]byte, error) {
	name := filepath.Join(dir, tokenName)
	text, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) && create {
		var b [32]byte
		if _, err := rand.Read(b[:]); err != nil {
			return nil, fmt.Errorf("cannot make the admin token: %w", err)
		}
		text = []byte(hex.EncodeToString(b[:]))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, fmt.Errorf("cannot make the journal's folder: %w", err)
		}
		return text, writeSynced(name, text, os.O_EXCL)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot read the admin token: %w", err)
	}
	st, err := os.Lstat(name)
	if err != nil {
		return nil, fmt.Errorf("cannot read the admin token: %w", err)
	}
	if !st.Mode().IsRegular() || st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("cannot use the admin token in %s: its mode is %v, want a plain file of mode 0600", name, st.Mode())
	}
	if text = []byte(strings.TrimSpace(string(text))); len(text) < 32 {
		return nil, fmt.Errorf("cannot use the admin token in %s: it has %d characters, want 32 or more", name, len(text))
	}
	return text, nil
}

// fewConns bounds how many connections there are at once; one more waits.
type fewConns struct {
	net.Listener
	slots chan struct{}
}

type slotConn struct {
	net.Conn
	once sync.Once
	free func()
}

// Accept waits for a slot first.
func (l *fewConns) Accept() (net.Conn, error) {
	l.slots <- struct{}{}
	c, err := l.Listener.Accept()
	if err != nil {
		<-l.slots
		return nil, err
	}
	return &slotConn{Conn: c, free: func() { <-l.slots }}, nil
}

// Close frees the slot.
func (c *slotConn) Close() error {
	err := c.Conn.Close()
	c.once.Do(c.free)
	return err
}

// handler is the door's pages, for any server.
func (d *door) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /halt", d.halt)
	mux.HandleFunc("POST /resume", d.resume)
	mux.HandleFunc("POST /limits", d.limits)
	mux.HandleFunc("POST /params", d.params)
	mux.HandleFunc("POST /approve", d.approve)
	mux.HandleFunc("POST /signals", d.signals)
	mux.HandleFunc("POST /key/reload", d.reloadKey)
	return d.cross.Handler(d.guard(mux))
}

// guard lets in who knows the token. Somebody who guesses is not heard for a while, and
// neither is anybody else: whoever has the token has the machine too, and a signal or a
// file.
func (d *door) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := time.Now()
		d.mu.Lock()
		for len(d.wrong) > 0 && now.Sub(d.wrong[0]) >= doorSpan {
			d.wrong = d.wrong[1:]
		}
		shut := len(d.wrong) >= doorAttempts
		d.mu.Unlock()
		if shut {
			w.Header().Set("Retry-After", fmt.Sprint(int(doorSpan.Seconds())))
			http.Error(w, "too many wrong tokens", http.StatusTooManyRequests)
			return
		}
		got, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		if !ok || subtle.ConstantTimeCompare([]byte(got), d.token) != 1 {
			d.mu.Lock()
			d.wrong = append(d.wrong, now)
			d.mu.Unlock()
			http.Error(w, "token is missing or wrong, want that of "+tokenName, http.StatusUnauthorized)
			return
		}
		r.Body = http.MaxBytesReader(w, r.Body, doorBody)
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("X-Frame-Options", "DENY")
		w.Header().Set("Content-Security-Policy", "default-src 'none'")
		next.ServeHTTP(w, r)
	})
}

// order is the body of every request.
type order struct {
	Who      string            `json:"who"`
	Reason   string            `json:"reason"`
	Symbol   string            `json:"symbol,omitempty"`
	Strategy string            `json:"strategy,omitempty"`
	Set      map[string]string `json:"set,omitempty"`     // limits, params: key to value, as in the configuration
	Confirm  string            `json:"confirm,omitempty"` // the id of a proposal
	Signal   uint64            `json:"signal,omitempty"`  // approve: its number

	pair bool // symbol and strategy may be given together
}

// read reads a body strictly: a slip of the pen must not halt or resume something else.
func (o *order) read(r *http.Request) error {
	dec := json.NewDecoder(bufio.NewReader(r.Body))
	dec.DisallowUnknownFields()
	if err := dec.Decode(o); err != nil {
		return fmt.Errorf("cannot read the request: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return errors.New("cannot read the request: something follows its JSON object")
	}
	if o.Reason = strings.TrimSpace(o.Reason); o.Reason == "" || len(o.Reason) > 200 {
		return fmt.Errorf("reason has %d characters, want 1 to 200", len(o.Reason))
	}
	if o.Symbol != "" && o.Strategy != "" && !o.pair {
		return errors.New("symbol and strategy are both given, want one of them or none")
	}
	return nil
}

func (o *order) scope() (kind, name string) {
	switch {
	case o.Symbol != "":
		return "symbol", o.Symbol
	case o.Strategy != "":
		return "strategy", o.Strategy
	}
	return "all", ""
}

func (o *order) act() act { return act{Who: o.Who, Why: o.Reason} }

func answer(w http.ResponseWriter, text string, err error) {
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	fmt.Fprintln(w, text)
}

func (d *door) halt(w http.ResponseWriter, r *http.Request) {
	var o order
	err := o.read(r)
	if err == nil {
		kind, name := o.scope()
		err = d.c.halt(risk.HaltKilled, kind, name, o.act())
	}
	answer(w, "halted; own orders are being cancelled; `riposte resume --reason` ends it", err)
}

func (d *door) resume(w http.ResponseWriter, r *http.Request) {
	var o order
	err := o.read(r)
	if err == nil {
		err = d.c.resume(o.act())
	}
	answer(w, "resumed", err)
}

func (d *door) limits(w http.ResponseWriter, r *http.Request) {
	var o order
	text := ""
	err := o.read(r)
	if err == nil {
		text, err = d.c.change(&o)
	}
	answer(w, text, err)
}

// approve lets a signal pass that waits for a person.
func (d *door) approve(w http.ResponseWriter, r *http.Request) {
	var o order
	err := o.read(r)
	if err == nil {
		err = d.c.approve(o.Signal, o.act())
	}
	answer(w, "approved; it passes if the market of now still bears it out", err)
}

// signals tells what the newest report says of sources.
func (d *door) signals(w http.ResponseWriter, _ *http.Request) {
	r := d.c.d.latest.Load()
	if r == nil || len(r.Sources) == 0 {
		answer(w, "there are no sources of signals, or the engine is starting", nil)
		return
	}
	var b strings.Builder
	r.sourceLines(&b)
	answer(w, strings.TrimSpace(b.String()), nil)
}

// reloadKey loads the key anew and changes to it; see keyschange.go. It has no body.
func (d *door) reloadKey(w http.ResponseWriter, r *http.Request) {
	if err := d.c.d.keeper.requestChange(r.Context()); err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
		return
	}
	answer(w, "key changed", nil)
}

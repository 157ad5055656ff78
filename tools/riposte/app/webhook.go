package app

import (
	"errors"
	"io"
	"net"
	"net/http"
	"strings"

	"riposte/core/airlock"
	execbinance "riposte/exec/binance"
	"riposte/feed/alert"
)

// webhook is one address on which sources are listened for.
type webhook struct {
	address string
	ln      net.Listener
	mux     *http.ServeMux
	server  *http.Server
	served  chan error
}

// hook adds a source to the server at its address, which it opens if it is the first.
func (o *intake) hook(s *SourceConfig, src *alert.Source) error {
	for _, w := range o.webhooks {
		if w.address == s.Listen {
			o.handle(w.mux, s, src)
			return nil
		}
	}
	ln, err := net.Listen("tcp", s.Listen)
	if err != nil {
		return err
	}
	w := &webhook{address: s.Listen, ln: ln, mux: http.NewServeMux(), served: make(chan error, 1)}
	o.handle(w.mux, s, src)
	o.webhooks = append(o.webhooks, w)
	return nil
}

// serve begins once all sources of the address are known.
func (w *webhook) serve() {
	w.server = limited(w.mux)
	go func() { w.served <- w.server.Serve(&fewConns{Listener: w.ln, slots: make(chan struct{}, doorConns)}) }()
}

func (w *webhook) close() error {
	if w.server == nil {
		return w.ln.Close()
	}
	err := w.server.Close()
	if served := <-w.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// answerOf is the status of each refusal at the door.
var answerOf = map[airlock.Gate]int{airlock.Authenticity: http.StatusUnauthorized, airlock.Size: http.StatusRequestEntityTooLarge, airlock.Message: http.StatusBadRequest,
	airlock.Replay: http.StatusConflict, airlock.Rate: http.StatusTooManyRequests}

// handle serves one source's path. The answer says what became of the message at the
// door; what the market makes of it is on the status and in the journal.
func (o *intake) handle(mux *http.ServeMux, s *SourceConfig, src *alert.Source) {
	path, signature, timestamp := s.Path, s.SignatureHeader, s.TimestampHeader
	take := func(w http.ResponseWriter, r *http.Request, token string) {
		body, err := io.ReadAll(io.LimitReader(r.Body, int64(src.BodyMax())+1))
		recv := o.d.clock.Mono()
		var a alert.Answer
		switch {
		case err != nil:
			http.Error(w, "the message did not come to its end", http.StatusBadRequest)
			return
		case len(body) > src.BodyMax():
			a = src.Oversize(recv)
		default:
			a = src.Take(body, &alert.Proof{Signature: r.Header.Get(signature), Timestamp: r.Header.Get(timestamp), Token: token}, recv)
		}
		w.Header().Set("Cache-Control", "no-store")
		switch {
		case a.Full:
			http.Error(w, "busy", http.StatusServiceUnavailable)
		case a.Failed == airlock.Authenticity:
			http.Error(w, "not believed", http.StatusUnauthorized) // and not told why
		case a.Err != nil:
			http.Error(w, a.Err.Error(), answerOf[a.Failed])
		case a.Ignored:
			w.WriteHeader(http.StatusNoContent)
		default:
			w.WriteHeader(http.StatusAccepted)
		}
	}
	if s.Auth == "path" {
		mux.HandleFunc("POST "+path+"/{token}", func(w http.ResponseWriter, r *http.Request) { take(w, r, r.PathValue("token")) })
		return
	}
	mux.HandleFunc("POST "+path, func(w http.ResponseWriter, r *http.Request) { take(w, r, "") })
}

// loadSecret reads a source's secret from a credential or its file.
func loadSecret(s *SourceConfig) ([]byte, error) {
	text, err := execbinance.LoadSecret(execbinance.KeySource{Credentials: credentialsDir(), Credential: s.Credential, File: s.SecretFile})
	if err != nil {
		return nil, err
	}
	secret := []byte(strings.TrimSpace(string(text)))
	clear(text)
	if len(secret) < 16 {
		return nil, errors.New("the secret has fewer than 16 bytes: anybody could guess it")
	}
	return secret, nil
}

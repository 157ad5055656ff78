package venue

import (
	"bufio"
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// hang bounds every wait in these tests; nothing is expected to come near it.
const hang = 30 * time.Second

// venueOf starts a venue that ends with the test.
func venueOf(t *testing.T, edit func(*Config)) *Server {
	t.Helper()
	cfg := Config{Seed: 7, Symbols: []string{"BTCUSDT", "ETHUSDT"}, DepthFast: 10 * time.Millisecond, DepthSlow: 50 * time.Millisecond,
		TickerEvery: 20 * time.Millisecond, KlineEvery: 20 * time.Millisecond, Orders: []RateLimit{{"SECOND", 10, 5000}, {"DAY", 1, 160000}}}
	if edit != nil {
		edit(&cfg)
	}
	s, err := Start(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func quiet(c *Config) { c.Quiet = true }

// rest is a plain REST client with one HMAC key.
type rest struct {
	t    *testing.T
	s    *Server
	key  Key
	http *http.Client
}

func restOf(t *testing.T, s *Server) *rest {
	t.Helper()
	k, ok := s.Key("", HMAC)
	if !ok {
		t.Fatal("the venue has no HMAC key")
	}
	tr := &http.Transport{}
	t.Cleanup(tr.CloseIdleConnections)
	return &rest{t: t, s: s, key: k, http: &http.Client{Transport: tr, Timeout: hang}}
}

type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) code(t *testing.T) (int, string) {
	t.Helper()
	var e struct {
		Code int
		Msg  string
	}
	if err := json.Unmarshal(r.body, &e); err != nil {
		t.Fatalf("got body %q, want an error object", r.body)
	}
	return e.Code, e.Msg
}

func (r reply) into(t *testing.T, v any) {
	t.Helper()
	if r.status != 200 {
		t.Fatalf("got status %d %s, want 200", r.status, r.body)
	}
	if err := json.Unmarshal(r.body, v); err != nil {
		t.Fatalf("cannot read %q: %v", r.body, err)
	}
}

func (c *rest) raw(method, target, body string, header map[string]string) reply {
	c.t.Helper()
	r, err := c.try(method, target, body, header)
	if err != nil {
		c.t.Fatal(err)
	}
	return r
}

func (c *rest) try(method, target, body string, header map[string]string) (reply, error) {
	req, err := http.NewRequest(method, c.s.REST()+target, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for k, v := range header {
		req.Header.Set(k, v)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return reply{res.StatusCode, res.Header, b}, err
}

func (c *rest) get(target string) reply { c.t.Helper(); return c.raw("GET", target, "", nil) }

func hmacHex(secret, payload string) string {
	m := hmac.New(sha256.New, []byte(secret))
	m.Write([]byte(payload))
	return hex.EncodeToString(m.Sum(nil))
}

// stampNow is the venue's time in ms.
func (c *rest) stampNow() string { return strconv.FormatInt(c.s.Now()/1000, 10) }

// signed sends a signed request with parameters "a=1&b=2" in the query.
func (c *rest) signed(method, path, params string) reply {
	c.t.Helper()
	return c.signedAt(method, path, params, c.stampNow())
}

func (c *rest) signedAt(method, path, params, stamp string) reply {
	c.t.Helper()
	if params != "" {
		params += "&"
	}
	params += "timestamp=" + stamp
	params += "&signature=" + hmacHex(c.key.Secret, params)
	return c.raw(method, path+"?"+params, "", map[string]string{"X-MBX-APIKEY": c.key.APIKey})
}

// socket is a plain WebSocket client.
type socket struct {
	t  *testing.T
	c  net.Conn
	br *bufio.Reader
	// silent leaves PINGs unanswered.
	silent bool
	pings  []string
}

func dial(t *testing.T, rawURL string) *socket {
	t.Helper()
	s, err := tryDial(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	s.t = t
	t.Cleanup(func() { _ = s.c.Close() })
	return s
}

func tryDial(rawURL string) (*socket, error) {
	ctx, cancel := context.WithTimeout(context.Background(), hang)
	defer cancel()
	c, br, _, err := ws.Dial(ctx, rawURL)
	if err != nil {
		return nil, err
	}
	if br == nil {
		br = bufio.NewReaderSize(c, 64<<10)
	} else {
		// Frames that came with the handshake stay readable; what follows is read from the socket behind them.
		n := br.Buffered()
		head := make([]byte, n)
		if _, err := io.ReadFull(br, head); err != nil {
			return nil, err
		}
		br = bufio.NewReaderSize(io.MultiReader(bytes.NewReader(head), c), 64<<10)
	}
	return &socket{c: c, br: br}, nil
}

func (s *socket) write(op ws.OpCode, payload []byte) {
	s.t.Helper()
	if err := ws.WriteFrame(s.c, ws.MaskFrame(ws.NewFrame(op, true, slices.Clone(payload)))); err != nil {
		s.t.Fatal(err)
	}
}

// settle waits until the venue serves the connection: a handshake is over for the client before the venue has it on
// its list.
func (s *socket) settle() *socket {
	s.t.Helper()
	s.write(ws.OpPing, []byte("there?"))
	for {
		op, _, err := s.frame()
		if err != nil {
			s.t.Fatal(err)
		}
		if op == ws.OpPong {
			return s
		}
	}
}

func (s *socket) text(msg string) { s.t.Helper(); s.write(ws.OpText, []byte(msg)) }

// frame reads the next frame of any kind.
func (s *socket) frame() (ws.OpCode, []byte, error) { return s.frameBy(time.Now().Add(hang)) }

func (s *socket) frameBy(deadline time.Time) (ws.OpCode, []byte, error) {
	if err := s.c.SetReadDeadline(deadline); err != nil {
		return 0, nil, err
	}
	h, err := ws.ReadHeader(s.br)
	if err != nil {
		return 0, nil, err
	}
	if !h.Fin || h.Masked {
		return 0, nil, fmt.Errorf("got a frame with fin %v masked %v, want true false", h.Fin, h.Masked)
	}
	p := make([]byte, h.Length)
	_, err = io.ReadFull(s.br, p)
	return h.OpCode, p, err
}

// tryNext is the next text message; PINGs are answered on the way unless silent.
func (s *socket) tryNext() ([]byte, error) { return s.nextBy(time.Now().Add(hang)) }

// nextBy is tryNext with one deadline for all it has to read: PINGs do not prolong it.
func (s *socket) nextBy(deadline time.Time) ([]byte, error) {
	for {
		op, p, err := s.frameBy(deadline)
		if err != nil {
			return nil, err
		}
		switch op {
		case ws.OpText:
			return p, nil
		case ws.OpPing:
			s.pings = append(s.pings, string(p))
			if !s.silent {
				if err := ws.WriteFrame(s.c, ws.MaskFrame(ws.NewPongFrame(slices.Clone(p)))); err != nil {
					return nil, err
				}
			}
		case ws.OpClose:
			code, reason := ws.ParseCloseFrameData(p)
			return nil, closedError{code, reason}
		}
	}
}

type closedError struct {
	code   ws.StatusCode
	reason string
}

func (e closedError) Error() string { return fmt.Sprintf("closed %d %s", e.code, e.reason) }

func (s *socket) next() []byte {
	s.t.Helper()
	p, err := s.tryNext()
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// until reads messages until ok accepts one.
func (s *socket) until(ok func(m map[string]any) bool) map[string]any {
	s.t.Helper()
	deadline := time.Now().Add(hang)
	for {
		p, err := s.nextBy(deadline)
		if err != nil {
			s.t.Fatal(err)
		}
		var m map[string]any
		d := json.NewDecoder(bytes.NewReader(p))
		d.UseNumber()
		if d.Decode(&m) == nil && ok(m) {
			return m
		}
	}
}

// ended reads until the connection is gone and returns why.
func (s *socket) ended() error {
	deadline := time.Now().Add(hang)
	for {
		if _, err := s.nextBy(deadline); err != nil {
			return err
		}
	}
}

// api is a WS API client with one key.
type api struct {
	*socket
	s    *Server
	key  Key
	last int
	// events that arrived while an answer was awaited.
	events []map[string]any
}

func apiOf(t *testing.T, s *Server) *api {
	t.Helper()
	k, _ := s.Key("", HMAC)
	return &api{socket: dial(t, s.WSAPI()), s: s, key: k}
}

func (a *api) call(method, params string) map[string]any {
	a.t.Helper()
	a.last++
	a.text(fmt.Sprintf(`{"id":%d,"method":%q,"params":{%s}}`, a.last, method, params))
	want := strconv.Itoa(a.last)
	return a.until(func(m map[string]any) bool {
		if m["event"] != nil {
			a.events = append(a.events, m)
			return false
		}
		return fmt.Sprint(m["id"]) == want
	})
}

// signedCall adds apiKey, timestamp and signature; params are k, v pairs sent as strings.
func (a *api) signedCall(method string, kv ...string) map[string]any {
	a.t.Helper()
	kv = append(kv, "apiKey", a.key.APIKey, "timestamp", strconv.FormatInt(a.s.Now()/1000, 10))
	pairs := map[string]string{}
	var names []string
	for i := 0; i < len(kv); i += 2 {
		pairs[kv[i]] = kv[i+1]
		names = append(names, kv[i])
	}
	slices.Sort(names)
	var sign, body []string
	for _, n := range names {
		sign = append(sign, n+"="+pairs[n])
		if n == "timestamp" {
			body = append(body, fmt.Sprintf("%q:%s", n, pairs[n]))
		} else {
			body = append(body, fmt.Sprintf("%q:%q", n, pairs[n]))
		}
	}
	body = append(body, fmt.Sprintf(`"signature":%q`, hmacHex(a.key.Secret, strings.Join(sign, "&"))))
	return a.call(method, strings.Join(body, ","))
}

// event is the next user event of type e, from those already seen or from the wire.
func (a *api) event(e string) map[string]any {
	a.t.Helper()
	match := func(m map[string]any) (map[string]any, bool) {
		ev, _ := m["event"].(map[string]any)
		return ev, ev != nil && ev["e"] == e
	}
	for i, m := range a.events {
		if ev, ok := match(m); ok {
			a.events = slices.Delete(a.events, i, i+1)
			return ev
		}
	}
	var out map[string]any
	a.until(func(m map[string]any) bool {
		ev, ok := match(m)
		if !ok && m["event"] != nil {
			a.events = append(a.events, m)
		}
		out = ev
		return ok
	})
	return out
}

func escape(s string) string { return url.QueryEscape(s) }

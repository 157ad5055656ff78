package venue

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gobwas/ws"
)

func TestFaultScriptsAreReadStrictly(t *testing.T) {
	good := `
# a comment
5s cut streams
every 10s drop depth BTCUSDT 1   # the next event
about 3s double depth * 2 conn=7
12.5s swap depth *
0s overlap depth ETHUSDT
1s stale depth BTCUSDT 3
1s boundary depth *
1s delay orders 200ms 5
1s lose all taken timeout
2s lose cancels untaken reset 2
3s 429 10s
3s 418 10s
4s freeze streams 2s
4s freeze btcusdt@depth@100ms 500ms
5s shutdown all
5s shutdown wsapi 100ms
6s status BTCUSDT CANCEL_ONLY
7s revoke abc
`
	list, err := ParseFaults(strings.NewReader(good), "good.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(list) != 18 {
		t.Fatalf("got %d faults, want 18", len(list))
	}
	if f := list[2]; f.About != 3*time.Second || f.Verb != "double" || f.Target != "*" || f.Count != 2 || f.Conn != 7 {
		t.Errorf("got %+v", f)
	}
	if f := list[8]; f.Verb != "lose" || !f.Taken || f.How != "timeout" || f.Count != 1 || f.At != time.Second {
		t.Errorf("got %+v", f)
	}
	for line, want := range map[string]string{
		"break streams":                 `bad.txt:2: cannot read the fault: got "break", want a duration, every, about, on or one of cut, hold`,
		"5sec cut streams":              `got "5sec", want a duration such as 500ms or 12.5s`,
		"on":                            `got nothing, want accept, connect`,
		"on order":                      `got nothing, want how many of them`,
		"on order 0 cut streams":        `got "0", want how many of them`,
		"on depth 5 cut streams":        `got "cut", want how many of them`,
		"on connect 3 cut streams":      `got "3", want streams, wsapi, rest`,
		"on every":                      `got nothing, want accept, connect`,
		"chance 2 cut streams":          `got "2", want a chance above 0 and up to 1`,
		"chance 0.5":                    `got nothing, want cut, hold`,
		"cut streams conn=it":           `got "conn=it", want an event with on, or conn=ID`,
		"cut streams after=x":           `got "x", want after=BYTES`,
		"cut streams conn=1 after=5":    `got "after=5", want the end of the line`,
		"hold streams sideways 1s":      `got "sideways", want out, in, both`,
		"bye streams 70000":             `got "70000", want a close code`,
		"garble orders nicely":          `got "nicely", want partial, short`,
		"spoil depth * gently":          `got "gently", want cross, json`,
		"lag order -1s":                 `got "-1s", want a duration of at least 0`,
		"every cut streams":             `got "cut", want a duration`,
		"every":                         `got nothing, want a duration`,
		"every 0s cut streams":          `got interval 0s, want at least 1ms`,
		"-5s cut streams":               `got "-5s", want a duration`,
		"5s":                            `got nothing, want cut, hold`,
		"5s break streams":              `got "break", want cut, hold`,
		"5s cut":                        `got nothing, want streams, wsapi, rest, all`,
		"5s cut stream":                 `got "stream", want streams, wsapi, rest, all`,
		"5s cut streams now":            `got "now", want the end of the line`,
		"5s drop BTCUSDT":               `got "BTCUSDT", want depth`,
		"5s drop depth":                 `got nothing, want a symbol or *`,
		"5s drop depth BTCUSDT 0":       `got "0", want a count from 1 to 1000000`,
		"5s drop depth BTCUSDT conn=x":  `got "x", want conn=ID`,
		"5s lose orders maybe reset":    `got "maybe", want taken, untaken`,
		"5s lose orders taken politely": `got "politely", want timeout, reset, 503, busy`,
		"5s delay orders fast":          `got "fast", want a duration`,
		"5s status BTCUSDT SLEEPING":    `got "SLEEPING", want TRADING, HALT, BREAK, CANCEL_ONLY`,
		"5s freeze streams":             `got nothing, want a duration such as 500ms`,
	} {
		_, err := ParseFaults(strings.NewReader("# first\n"+line), "bad.txt")
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "bad.txt:2: ") {
			t.Errorf("%q: got %v, want bad.txt:2: ...%s", line, err, want)
		}
	}
}

func FuzzParseFaults(f *testing.F) {
	f.Add("5s cut streams\nevery 1s drop depth * 2 conn=1")
	f.Add("about 1s lose all taken reset 3")
	f.Add("on every depth btcusdt 100 chance 0.5 cut streams after=7 conn=it")
	rng := rand.New(rand.NewPCG(1, 1))
	for range 200 {
		f.Add(randomFault(rng))
	}
	f.Fuzz(func(t *testing.T, script string) {
		list, err := ParseFaults(strings.NewReader(script), "f")
		if err != nil {
			return
		}
		for _, x := range list {
			if again, err := ParseFault(x.Text); err != nil || again != x {
				t.Fatalf("%q: got %+v %v when read again, want %+v", x.Text, again, err, x)
			}
		}
	})
}

func TestCutsEndEveryConnectionOfTheKind(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	stream, api := dial(t, s.Stream()+"/ws").settle(), dial(t, s.WSAPI()).settle()
	if err := s.Faults().Cut("streams"); err != nil {
		t.Fatal(err)
	}
	var closed closedError
	if err := stream.ended(); err == nil || errors.As(err, &closed) {
		t.Errorf("streams: got %v, want a broken line without a close frame", err)
	}
	api.text(`{"id":1,"method":"ping"}`)
	api.next()
	if err := s.Faults().Cut("wsapi"); err != nil {
		t.Fatal(err)
	}
	if err := api.ended(); err == nil || errors.As(err, &closed) {
		t.Errorf("wsapi: got %v, want a broken line", err)
	}
	c.get("/api/v3/ping")
	if n := s.Stats().Connections["rest"]; n != 1 {
		t.Fatalf("got %d REST connections, want 1", n)
	}
	if err := s.Faults().Cut("rest"); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(hang); s.Stats().Connections["rest"] != 0; {
		if time.Now().After(deadline) {
			t.Fatal("the REST connection is still there")
		}
	}
	if n := s.Faults().Counts()["cut"]; n != 3 {
		t.Errorf("got %d cuts, want 3", n)
	}
	if r := c.get("/api/v3/ping"); r.status != 200 {
		t.Errorf("got %d on a new connection, want 200", r.status)
	}
}

func TestLostAnswersWithTheOrderTakenOrNot(t *testing.T) {
	for _, k := range []struct {
		fault  string
		status int
		code   int
		orders int
	}{
		{"lose orders taken timeout", 504, -1007, 1}, {"lose orders untaken timeout", 504, -1007, 0},
		{"lose orders taken 503", 503, -1000, 1}, {"lose orders untaken busy", 503, -1008, 0},
		{"lose orders taken reset", 0, 0, 1}, {"lose all untaken reset", 0, 0, 0},
	} {
		for _, overWS := range []bool{false, true} {
			s := venueOf(t, quiet)
			c := restOf(t, s)
			a := apiOf(t, s)
			if err := s.Faults().Do(k.fault); err != nil {
				t.Fatal(err)
			}
			switch {
			case overWS && k.status == 0:
				a.text(signedText(a, "order.place", buyLow...))
				if err := a.ended(); err == nil {
					t.Errorf("%s over WS: got no end", k.fault)
				}
			case overWS:
				m := a.signedCall("order.place", buyLow...)
				if codeOf(t, m) != fmt.Sprint(k.code) || fmt.Sprint(m["status"]) != fmt.Sprint(k.status) {
					t.Errorf("%s over WS: got %v, want %d %d", k.fault, m, k.status, k.code)
				}
			default:
				q := "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000&timestamp=" + c.stampNow()
				r, err := c.try("POST", "/api/v3/order?"+q+"&signature="+hmacHex(c.key.Secret, q), "", map[string]string{"X-MBX-APIKEY": c.key.APIKey})
				if k.status == 0 {
					if err == nil {
						t.Errorf("%s: got %d, want a broken connection", k.fault, r.status)
					}
					break
				}
				if err != nil {
					t.Fatal(err)
				}
				if code, _ := r.code(t); code != k.code || r.status != k.status {
					t.Errorf("%s: got %d %d, want %d %d", k.fault, r.status, code, k.status, k.code)
				}
			}
			open, err := s.OpenOrders("")
			if err != nil || len(open) != k.orders {
				t.Errorf("%s, WS %v: got %d orders %v, want %d", k.fault, overWS, len(open), err, k.orders)
			}
			if r := c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000"); r.status != 200 {
				t.Errorf("%s: got %d for the next order, want 200", k.fault, r.status)
			}
		}
	}
}

func signedText(a *api, method string, kv ...string) string {
	kv = append(kv, "apiKey", a.key.APIKey, "timestamp", fmt.Sprint(a.s.Now()/1000))
	p := params{}
	body := ""
	for i := 0; i < len(kv); i += 2 {
		p.list = append(p.list, param{name: kv[i], value: kv[i+1]})
		body += fmt.Sprintf("%q:%q,", kv[i], kv[i+1])
	}
	return fmt.Sprintf(`{"id":1,"method":%q,"params":{%s"signature":%q}}`, method, body, hmacHex(a.key.Secret, string(wsPayload(&p))))
}

func TestDelayedAnswersLetOthersPass(t *testing.T) {
	s := venueOf(t, quiet)
	a := apiOf(t, s)
	if err := s.Faults().Do("delay orders 150ms"); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	a.text(strings.Replace(signedText(a, "order.place", buyLow...), `"id":1`, `"id":"slow"`, 1))
	a.text(`{"id":"quick","method":"ping"}`)
	if m := a.until(func(map[string]any) bool { return true }); m["id"] != "quick" {
		t.Errorf("got %v first, want the ping", m)
	}
	if m := a.until(func(map[string]any) bool { return true }); m["id"] != "slow" || time.Since(start) < 150*time.Millisecond {
		t.Errorf("got %v after %v, want the order after at least 150ms", m, time.Since(start))
	}
}

func TestForcedLimitsAnswer429And418(t *testing.T) {
	s := venueOf(t, quiet)
	c := restOf(t, s)
	a := dial(t, s.WSAPI()).settle()
	for _, k := range []struct {
		fault  string
		status int
	}{{"429 1h", 429}, {"418 1h", 418}} {
		if err := s.Faults().Do(k.fault); err != nil {
			t.Fatal(err)
		}
		r := c.get("/api/v3/time")
		if code, _ := r.code(t); r.status != k.status || code != -1003 || r.header.Get("Retry-After") == "" {
			t.Errorf("%s: got %d %s Retry-After %q", k.fault, r.status, r.body, r.header.Get("Retry-After"))
		}
	}
	if err := a.ended(); err == nil {
		t.Error("got no end of the WS API socket of a banned IP")
	}
}

func TestFrozenStreamsStaySilentWithoutClosing(t *testing.T) {
	s := venueOf(t, nil)
	k := dial(t, s.Stream()+"/stream?streams=btcusdt@depth@100ms/ethusdt@depth@100ms")
	k.next()
	if err := s.Faults().Do("freeze btcusdt@depth@100ms 1h"); err != nil {
		t.Fatal(err)
	}
	since := float64(s.Now()/1000 + 1)
	for n := 0; n < 20; {
		m := k.until(func(m map[string]any) bool { return true })
		e, err := m["data"].(map[string]any)["E"].(json.Number).Float64()
		if err != nil {
			t.Fatal(err)
		}
		if e > since {
			if n++; m["stream"] != "ethusdt@depth@100ms" {
				t.Fatalf("got %v from a frozen stream", m)
			}
		}
	}
	// A frozen kind of socket answers nothing at all, and lives on afterwards with a gap.
	raw := dial(t, s.Stream()+"/ws/ethusdt@depth@100ms")
	list := depthFrames(t, raw, 3)
	if err := s.Faults().Do("freeze streams 200ms"); err != nil {
		t.Fatal(err)
	}
	raw.write(ws.OpPing, []byte("lost"))
	if got := chain(t, append(list, depthFrames(t, raw, 20)...)); got != "gap" {
		t.Errorf("got chain %q over the freeze, want a gap", got)
	}
}

func TestShutdownFaultIsAnnouncedThenCloses(t *testing.T) {
	s := venueOf(t, quiet)
	k := dial(t, s.Stream()+"/stream").settle()
	if err := s.Faults().Do("shutdown streams 30ms"); err != nil {
		t.Fatal(err)
	}
	if got := string(k.next()); !strings.Contains(got, `"!serverShutdown"`) {
		t.Errorf("got %s, want serverShutdown", got)
	}
	var closed closedError
	if err := k.ended(); !errors.As(err, &closed) || closed.code != ws.StatusGoingAway {
		t.Errorf("got %v, want 1001", err)
	}
}

func TestScriptedFaultsFireOnTimeAndRepeat(t *testing.T) {
	list, err := ParseFaults(strings.NewReader("every 20ms cut streams\nabout 20ms status BTCUSDT TRADING\n30ms 429 1ms\n1h cut rest"), "f")
	if err != nil {
		t.Fatal(err)
	}
	s := venueOf(t, func(c *Config) { c.Quiet = true; c.Faults = list })
	for deadline := time.Now().Add(hang); ; {
		n := s.Faults().Counts()
		if n["cut"] >= 3 && n["status"] >= 3 && n["429"] == 1 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("got %v, want repeated cuts and status changes and one 429", n)
		}
	}
}

func TestWrongFaultsAreRefused(t *testing.T) {
	s := venueOf(t, quiet)
	for line, want := range map[string]string{
		"cut nothing": "want streams", "drop depth NOPE": `got symbol "NOPE"`, "revoke nobody": "want a key of the venue",
		"status NOPE HALT": "Invalid symbol", "freeze everything 1s": `got stream "everything"`,
	} {
		if err := s.Faults().Do(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want ...%s", line, err, want)
		}
	}
	if n := len(s.Faults().Counts()); n != 0 {
		t.Errorf("got %d verbs counted, want none", n)
	}
}

func TestAdminPagesTellTheTruth(t *testing.T) {
	s := venueOf(t, nil)
	c := restOf(t, s)
	c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.01&price=50000")
	page := func(method, target, body string) reply { return c.raw(method, "/sim/"+target, body, nil) }
	var book struct {
		LastUpdateID int64
		Bids, Asks   [][2]string
	}
	page("GET", "book?symbol=BTCUSDT", "").into(t, &book)
	again := book
	page("GET", fmt.Sprintf("book?symbol=BTCUSDT&u=%d", book.LastUpdateID), "").into(t, &again)
	if fmt.Sprint(book) != fmt.Sprint(again) || len(book.Bids) == 0 {
		t.Error("got another book for the same update id")
	}
	var orders, ledger, trades, balances []json.RawMessage
	page("GET", "orders?account=main", "").into(t, &orders)
	page("GET", "ledger", "").into(t, &ledger)
	page("GET", "trades", "").into(t, &trades)
	page("GET", "balances", "").into(t, &balances)
	if len(orders) != 1 || len(ledger) == 0 || len(trades) != 0 || len(balances) != 5 {
		t.Errorf("got %d orders %d ledger entries %d trades %d balances", len(orders), len(ledger), len(trades), len(balances))
	}
	if r := page("POST", "fault", "cut streams"); r.status != 200 {
		t.Errorf("got %d %s", r.status, r.body)
	}
	var st Stats
	page("GET", "stats", "").into(t, &st)
	if st.Faults["cut"] != 1 || st.Accepted != 1 || st.Connections["rest"] != 1 {
		t.Errorf("got %+v", st)
	}
	for _, k := range []struct {
		method, target, body string
		status               int
	}{
		{"GET", "book?symbol=NOPE", "", 400}, {"GET", "book?symbol=BTCUSDT&u=x", "", 400}, {"GET", "book?symbol=BTCUSDT&u=1", "", 400},
		{"GET", "ledger?account=nobody", "", 400}, {"POST", "fault", "nonsense", 400}, {"GET", "fault", "", 404}, {"GET", "nothing", "", 404},
	} {
		if r := page(k.method, k.target, k.body); r.status != k.status {
			t.Errorf("%s %s: got %d %s, want %d", k.method, k.target, r.status, r.body, k.status)
		}
	}
}

func TestTLSServesEverythingUnderItsOwnAuthority(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	s := venueOf(t, func(c *Config) { c.TLS = TLS{On: true, CAFile: ca} })
	if !strings.HasPrefix(s.REST(), "https://") || !strings.HasPrefix(s.WSAPI(), "wss://") || s.CAFile() != ca {
		t.Fatalf("got %s %s %s, want TLS addresses", s.REST(), s.WSAPI(), s.CAFile())
	}
	pem, err := os.ReadFile(s.CAFile())
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		t.Fatal("the CA file holds no certificate")
	}
	conf := &tls.Config{RootCAs: pool}
	tr := &http.Transport{TLSClientConfig: conf}
	defer tr.CloseIdleConnections()
	c := restOf(t, s)
	c.http = &http.Client{Transport: tr, Timeout: hang}
	if r := c.signed("GET", "/api/v3/account", ""); r.status != 200 {
		t.Errorf("got %d %s, want 200", r.status, r.body)
	}
	d := ws.Dialer{TLSConfig: conf}
	nc, br, _, err := d.Dial(t.Context(), s.Stream()+"/ws/btcusdt@depth@100ms")
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	if br != nil {
		t.Log("frames came with the handshake; they are dropped here")
	}
	if h, err := ws.ReadHeader(nc); err != nil || h.OpCode != ws.OpText {
		t.Errorf("got %v %v, want a text frame", h, err)
	}
	for _, f := range []string{"cut all", "shutdown all 1ms"} {
		if err := s.Faults().Do(f); err != nil {
			t.Error(err)
		}
	}
}

func TestConfigMistakesAreNamed(t *testing.T) {
	hm := NewHMACKey(1, "a")
	for want, edit := range map[string]func(*Config){
		`got host "0.0.0.0", want a loopback address`:    func(c *Config) { c.Listen = "0.0.0.0:0" },
		`cannot listen on "nonsense"`:                    func(c *Config) { c.Listen = "nonsense" },
		"got DepthFast 1µs, want at least 1ms":           func(c *Config) { c.DepthFast = time.Microsecond },
		"got interval \"WEEK\"":                          func(c *Config) { c.Weight = RateLimit{"WEEK", 1, 1} },
		"got QueueFrames -1, want at least 1":            func(c *Config) { c.QueueFrames = -1 },
		"cannot read balance USDT of account":            func(c *Config) { c.Accounts = []Account{{Name: "a", Balances: map[string]string{"USDT": "x"}}} },
		"got key \"" + hm.APIKey + "\" twice":            func(c *Config) { c.Accounts = []Account{{Name: "a", Keys: []Key{hm, hm}}} },
		"cannot load the venue's symbols":                func(c *Config) { c.Symbols = []string{"NOPE"} },
		"cannot use HMAC key \"k\": got an empty secret": func(c *Config) { c.Accounts = []Account{{Name: "a", Keys: []Key{{APIKey: "k", Kind: HMAC}}}} },
	} {
		cfg := Config{Quiet: true}
		edit(&cfg)
		s, err := Start(t.Context(), cfg)
		if err == nil {
			_ = s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want ...%s", err, want)
		}
	}
}

func TestKeysFileIsPrivateAndComplete(t *testing.T) {
	s := venueOf(t, quiet)
	path := filepath.Join(t.TempDir(), "keys.json")
	if err := s.WriteKeys(path); err != nil {
		t.Fatal(err)
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v %v, want 0600", st.Mode(), err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var keys []Key
	if err := json.NewDecoder(bytes.NewReader(b)).Decode(&keys); err != nil || len(keys) != 2 || keys[0].Secret == "" || keys[1].PrivatePEM == "" || keys[0].Account != "main" {
		t.Errorf("got %+v %v, want both keys with their secrets", keys, err)
	}
	if again, err := DefaultAccount(7); err != nil || again.Keys[0] != stripAccount(keys[0]) {
		t.Errorf("got another key for the same seed: %v", err)
	}
}

func stripAccount(k Key) Key { k.Account = ""; return k }

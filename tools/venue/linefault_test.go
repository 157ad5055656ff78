package venue

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
)

func TestHalfOpenSocketsTakeAllAndSayNothing(t *testing.T) {
	inMemory(t, Config{Seed: 3}, func(w *world) {
		k := w.dial(w.s.Stream() + "/ws/btcusdt@depth@100ms")
		other := w.dial(w.s.Stream() + "/ws/btcusdt@depth@100ms")
		k.next()
		seen := make(chan int)
		go func() { seen <- len(texts(other, 500)) }()
		w.do("hold streams both 5m conn=1")
		at := time.Now()
		if _, err := k.nextBy(at.Add(time.Minute)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("got %v, want silence for a minute", err)
		}
		if n := <-seen; n != 500 {
			t.Errorf("got %d events on the other one, want 500", n)
		}
		// The venue gives its side up after its PINGs; the client hears of it when the hold ends.
		go func() { _, _ = io.Copy(io.Discard, other.br) }()
		if err := k.ended(); err == nil {
			t.Error("got no end")
		}
		_ = k.c.SetReadDeadline(time.Time{})
		_, _ = io.Copy(io.Discard, k.br)
		if d := time.Since(at); d < 5*time.Minute-time.Second || d > 5*time.Minute+time.Second {
			t.Errorf("got the end after %v, want 5m", d)
		}
		if w.s.Stats().PongLate == 0 {
			t.Error("got no PONG missed")
		}
	})
}

func TestOneHeldConnectionFallsBehindTheOther(t *testing.T) {
	inMemory(t, Config{Seed: 3}, func(w *world) {
		one := w.dial(w.s.Stream() + "/ws/btcusdt@depth@100ms").settle()
		two := w.dial(w.s.Stream() + "/ws/btcusdt@depth@100ms").settle()
		w.do("hold streams out 700ms conn=1")
		begin := time.Now()
		p, q := string(two.next()), ""
		early := time.Since(begin)
		go func() {
			for {
				if _, err := two.tryNext(); err != nil {
					return
				}
			}
		}()
		for q = string(one.next()); q != p; q = string(one.next()) {
		}
		if late := time.Since(begin); early > 200*time.Millisecond || late != 700*time.Millisecond {
			t.Errorf("got the event after %v on one and %v on the other, want at most 200ms and 700ms", early, late)
		}
	})
}

func TestSlowAndTricklingVenueAnswers(t *testing.T) {
	inMemory(t, Config{Quiet: true}, func(w *world) {
		took := func() time.Duration {
			at := time.Now()
			w.c.get("/api/v3/ping")
			return time.Since(at)
		}
		took()
		w.do("slow rest 250ms")
		if d := took(); d != 250*time.Millisecond {
			t.Errorf("got %v, want 250ms", d)
		}
		w.do("slow rest 0s")
		w.do("trickle rest 100 1h")
		if d := took(); d < time.Second || d > 10*time.Second {
			t.Errorf("got %v for some hundred bytes at 100 a second", d)
		}
		w.do("cut rest")
		w.do("on connect rest 1 cut rest after=120 conn=it")
		if r, err := w.c.try("GET", "/api/v3/exchangeInfo", "", nil); err == nil {
			t.Errorf("got %d, want an answer cut in its head", r.status)
		}
	})
}

func TestConnectionsAreGreetedBadlyAndThenWell(t *testing.T) {
	inMemory(t, Config{Quiet: true}, func(w *world) {
		for _, greeting := range []string{"reset", "end", "stall"} {
			w.do("accept " + greeting)
			if _, err := memTryDial(w.l, w.s.WSAPI()); err == nil {
				t.Errorf("%s: got a connection", greeting)
			}
		}
		w.do("refuse 3s")
		if _, err := memTryDial(w.l, w.s.WSAPI()); err == nil {
			t.Error("got a connection from a venue that refuses")
		}
		pass(3 * time.Second)
		w.api().call("ping", "")
	})
}

func TestRefusedConnectionsOverTCPComeBack(t *testing.T) {
	s := venueOf(t, quiet)
	restOf(t, s).get("/api/v3/ping")
	if err := s.Faults().Do("refuse 100ms"); err != nil {
		t.Fatal(err)
	}
	refused := false
	for deadline := time.Now().Add(hang); ; {
		nc, err := net.Dial("tcp", s.line.Addr().String())
		if err == nil {
			_ = nc.Close()
			break
		}
		if refused = true; time.Now().After(deadline) {
			t.Fatal("the venue does not come back")
		}
	}
	if r := restOf(t, s).get("/api/v3/ping"); r.status != 200 || !refused {
		t.Errorf("got %d, refused %v", r.status, refused)
	}
}

func TestBadCertificatesAreShownToNewConnections(t *testing.T) {
	ca := filepath.Join(t.TempDir(), "ca.pem")
	s := venueOf(t, func(c *Config) { c.Quiet = true; c.TLS = TLS{On: true, CAFile: ca} })
	pem, err := os.ReadFile(ca)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	sessions := tls.NewLRUClientSessionCache(8)
	for _, k := range []struct{ form, want string }{{"good", ""}, {"expired", "expired"}, {"wronghost", "IP SANs"}, {"unknown", "verif"},
		{"tls12", "protocol version"}, {"good", ""}} {
		if err := s.Faults().Do("cert " + k.form); err != nil {
			t.Fatal(err)
		}
		d := tls.Dialer{Config: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS13, ClientSessionCache: sessions}}
		nc, err := d.DialContext(t.Context(), "tcp", s.line.Addr().String())
		if err == nil {
			// The answer brings the tickets by which the session could be resumed.
			_, _ = io.WriteString(nc, "GET /api/v3/ping HTTP/1.1\r\nHost: v\r\nConnection: close\r\n\r\n")
			_, _ = io.Copy(io.Discard, nc)
			_ = nc.Close()
		}
		if k.want == "" && err != nil || k.want != "" && (err == nil || !strings.Contains(err.Error(), k.want)) {
			t.Errorf("cert %s: got %v, want %q", k.form, err, k.want)
		}
	}
}

func TestFaultsOfTheScriptWithoutATimeHoldFromTheStart(t *testing.T) {
	list, err := ParseFaults(strings.NewReader("cert expired\ncut all\nclock 3s\naccept end"), "script")
	if err != nil {
		t.Fatal(err)
	}
	s := venueOf(t, func(c *Config) {
		c.Quiet, c.TLS, c.Faults = true, TLS{On: true, CAFile: filepath.Join(t.TempDir(), "ca.pem")}, list
	})
	if n := s.Faults().Counts(); len(n) != 4 {
		t.Errorf("got %v fired, want all four", n)
	}
}

func TestPINGsComeAsToldAndPONGsLate(t *testing.T) {
	inMemory(t, Config{Quiet: true}, func(w *world) {
		k := w.dial(w.s.Stream() + "/ws").settle()
		count := func(d time.Duration) int {
			before := len(k.pings)
			_, _ = k.nextBy(time.Now().Add(d))
			return len(k.pings) - before
		}
		if n := count(100*time.Second + time.Millisecond); n != 5 {
			t.Errorf("got %d PINGs in 100 s, want 5", n)
		}
		w.do("pings streams 1s")
		if n := count(10*time.Second + time.Millisecond); n != 10 {
			t.Errorf("got %d PINGs in 10 s, want 10", n)
		}
		w.do("pings streams 0s")
		if n := count(10 * time.Minute); n != 0 {
			t.Errorf("got %d PINGs, want none", n)
		}
		w.do("pongs streams 4s")
		at := time.Now()
		if k.settle(); time.Since(at) != 4*time.Second {
			t.Errorf("got a PONG after %v, want 4s", time.Since(at))
		}
		w.do("pongs all 0s")
		at = time.Now()
		if k.settle(); time.Since(at) != 0 {
			t.Errorf("got a PONG after %v, want it at once", time.Since(at))
		}
	})
}

func TestSocketsEndAfterTheirLifeAndSayBye(t *testing.T) {
	inMemory(t, Config{Quiet: true, PingInterval: 10 * time.Minute, PongTimeout: time.Hour}, func(w *world) {
		// serverShutdown in the three forms there are: raw, combined and WS API.
		for path, want := range map[string]string{"/ws": `{"e":"serverShutdown"`, "/stream": `{"stream":"!serverShutdown","data":{"e":"serverShutdown"`,
			"/ws-api/v3": `{"event":{"e":"serverShutdown"`} {
			k := w.dial("ws://venue.test" + path)
			at := time.Now()
			p, err := k.nextBy(at.Add(25 * time.Hour))
			if d := time.Since(at); err != nil || !strings.HasPrefix(string(p), want) || d != 24*time.Hour {
				t.Errorf("%s: got %s %v after %v, want %s after 24h", path, p, err, d, want)
			}
			var closed closedError
			if err := k.ended(); !errors.As(err, &closed) || closed.code != ws.StatusGoingAway || time.Since(at) != 24*time.Hour+10*time.Second {
				t.Errorf("%s: got %v after %v, want 1001 10 s later", path, err, time.Since(at))
			}
		}
		for line, want := range map[string]ws.StatusCode{"bye streams 1008": 1008, "bye all 1012": 1012, "bye streams 3999": 3999, "bye streams 0": 0} {
			k := w.dial(w.s.Stream() + "/ws").settle()
			w.do(line)
			var closed closedError
			if err := k.ended(); !errors.As(err, &closed) || closed.code != want {
				t.Errorf("%s: got %v, want %d", line, err, want)
			}
		}
	})
}

func TestSubscriptionsAreRefusedPartialOrSilent(t *testing.T) {
	for how, want := range map[string]string{"refused": "", "partial": "btcusdt@trade", "silent": ""} {
		inMemory(t, Config{Quiet: true}, func(w *world) {
			k := w.dial(w.s.Stream() + "/ws")
			w.do("subscribe " + how)
			k.text(`{"method":"SUBSCRIBE","params":["btcusdt@trade","ethusdt@trade"],"id":1}`)
			if p := string(k.next()); strings.Contains(p, `"error"`) != (how == "refused") {
				t.Errorf("%s: got %s", how, p)
			}
			got := ""
			w.s.loop.do(func(int64) {
				for c := range w.s.conns {
					got = strings.Join(c.names, " ")
				}
			})
			if got != want {
				t.Errorf("%s: got streams %q, want %q", how, got, want)
			}
			k.text(`{"method":"SUBSCRIBE","params":["btcusdt@trade","ethusdt@trade"],"id":2}`)
			if p := string(k.next()); p != `{"result":null,"id":2}` {
				t.Errorf("got %s for the next one", p)
			}
		})
	}
}

func TestRevokedKeysEndMidFlight(t *testing.T) {
	inMemory(t, Config{Quiet: true}, func(w *world) {
		w.do("on order 2 revoke " + w.c.key.APIKey)
		for i, want := range []int{200, 200, 401} { // the second is admitted already
			if r := w.order(restLow); r.status != want {
				t.Errorf("order %d: got %d %s, want %d", i+1, r.status, r.body, want)
			}
		}
	})
}

func TestAdminTakesLinesOfEveryKind(t *testing.T) {
	inMemory(t, Config{Quiet: true}, func(w *world) {
		for _, line := range []string{"2s race answer", "on order 1 race answer", "race answer", "chance 1 race answer"} {
			if r := w.c.raw("POST", "/sim/fault", line, nil); r.status != 200 {
				t.Errorf("%s: got %d %s", line, r.status, r.body)
			}
		}
		w.order(restLow)
		pass(3 * time.Second)
		if n := w.s.Faults().Counts()["race"]; n != 4 {
			t.Errorf("got %d, want all four", n)
		}
		if r := w.c.raw("POST", "/sim/fault", "cut all", nil); r.status != 200 {
			t.Errorf("got %d %s, want the answer in spite of the cut", r.status, r.body)
		}
	})
}

// The head of an answer, its body and a frame: whatever a cut leaves is the beginning of what was sent.
func TestCutsAtEveryByteOfAnAnswerLeaveItsBeginning(t *testing.T) {
	inMemory(t, Config{Quiet: true}, func(w *world) {
		ask := func() []byte {
			nc, err := w.l.dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			defer nc.Close()
			_, _ = io.WriteString(nc, "GET /api/v3/exchangeInfo?symbol=BTCUSDT HTTP/1.1\r\nHost: v\r\nConnection: close\r\n\r\n")
			b, _ := io.ReadAll(bufio.NewReader(nc))
			return b
		}
		whole := len(ask())
		for after := 1; after < whole; after += 17 {
			w.do("on connect rest 1 cut rest after=" + strconv.Itoa(after) + " conn=it")
			if b := ask(); len(b) != after {
				t.Errorf("after %d: got %d bytes of %d", after, len(b), whole)
			}
			synctest.Wait()
		}
	})
}

package venue

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
)

// streamOf is a stream that carries events of a kind.
var streamOf = map[string]string{"depth": "btcusdt@depth@100ms", "partial": "btcusdt@depth5@100ms", "trade": "btcusdt@trade", "aggTrade": "btcusdt@aggTrade",
	"bookTicker": "btcusdt@bookTicker", "kline": "btcusdt@kline_1m", "ticker": "btcusdt@ticker"}

// two are the next texts of two sockets with the same stream, one of them with faults.
func texts(k *socket, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = string(k.next())
	}
	return list
}

func TestEventsOfEveryKindAreLostDoubledSwappedAndLate(t *testing.T) {
	for _, kind := range marketEvents {
		for verb, want := range map[string]func(p []string) []string{
			"drop %s BTCUSDT 2 conn=%d":    func(p []string) []string { return p[2:] },
			"double %s btcusdt 1 conn=%d":  func(p []string) []string { return append([]string{p[0]}, p...) },
			"swap %s * 1 conn=%d":          func(p []string) []string { return append([]string{p[1], p[0]}, p[2:]...) },
			"late %s * 3s 1 conn=%d":       nil,
			"spoil %s * binary 1 conn=%d":  func(p []string) []string { return p[1:] }, // the socket skips frames that are no text
			"drop %s ETHUSDT 1000 conn=%d": func(p []string) []string { return p },
		} {
			inMemory(t, Config{Seed: 5, DepthSlow: time.Second}, func(w *world) {
				plain := w.dial(w.s.Stream() + "/ws/" + streamOf[kind]).settle()
				faulty := w.dial(w.s.Stream() + "/ws/" + streamOf[kind]).settle()
				id := w.s.Stats().Sockets[1].ID
				go func() { _, _ = io.Copy(io.Discard, w.dial(w.s.Stream()+"/ws/ethusdt@trade").br) }()
				synctest.Wait()
				line := fmt.Sprintf(verb, kind, id)
				w.do(line)
				var p, q []string
				done := make(chan struct{})
				go func() { p = texts(plain, 12); close(done) }()
				q = texts(faulty, 8)
				<-done
				if want == nil { // the first comes later than others, and does come
					at := -1
					for i := range q {
						if q[i] == p[0] {
							at = i
						}
					}
					if q[0] != p[1] || at == 0 {
						t.Errorf("%s: got event 0 at place %d", line, at)
					}
					return
				}
				if e := want(p); strings.Join(q, "\n") != strings.Join(e[:8], "\n") {
					t.Errorf("%s: got\n%s\nwant\n%s", line, strings.Join(q, "\n"), strings.Join(e[:8], "\n"))
				}
			})
		}
	}
}

func TestUserEventsAreLostDoubledSwappedAndLate(t *testing.T) {
	events := func(a *api, wait time.Duration) (got []string) {
		deadline := time.Now().Add(wait)
		for {
			p, err := a.nextBy(deadline)
			if err != nil {
				return got
			}
			var m struct{ Event map[string]any }
			if json.Unmarshal(p, &m) == nil && m.Event != nil {
				name := strings.TrimPrefix(m.Event["e"].(string), "outboundAccount")
				if x, ok := m.Event["x"].(string); ok {
					name += x
				}
				got = append(got, name)
			}
		}
	}
	for line, want := range map[string]string{
		"":                           "executionReportNEW executionReportTRADE Position executionReportNEW Position executionReportCANCELED Position",
		"drop fill *":                "executionReportNEW Position executionReportNEW Position executionReportCANCELED Position",
		"drop report BTCUSDT 2":      "Position executionReportNEW Position executionReportCANCELED Position",
		"drop report ETHUSDT 2":      "executionReportNEW executionReportTRADE Position executionReportNEW Position executionReportCANCELED Position",
		"drop balance * 3":           "executionReportNEW executionReportTRADE executionReportNEW executionReportCANCELED",
		"drop user * 6":              "Position",
		"double fill *":              "executionReportNEW executionReportTRADE executionReportTRADE Position executionReportNEW Position executionReportCANCELED Position",
		"swap report *":              "executionReportTRADE executionReportNEW Position executionReportNEW Position executionReportCANCELED Position",
		"late fill BTCUSDT 30s":      "executionReportNEW Position executionReportNEW Position executionReportCANCELED Position executionReportTRADE",
		"on fill 1 late fill * 30s":  "executionReportNEW Position executionReportNEW Position executionReportCANCELED Position executionReportTRADE",
		"spoil fill * json":          "executionReportNEW Position executionReportNEW Position executionReportCANCELED Position",
		"on order 2 terminate *":     "executionReportNEW executionReportTRADE Position eventStreamTerminated",
		"on cancel 1 terminate main": "executionReportNEW executionReportTRADE Position executionReportNEW Position eventStreamTerminated",
	} {
		inMemory(t, Config{Seed: 5}, func(w *world) {
			a := w.api()
			a.signedCall("userDataStream.subscribe.signature")
			if line != "" {
				w.do(line)
			}
			var got []string
			done := make(chan struct{})
			go func() { got = events(a, 40*time.Second); close(done) }()
			pass(time.Second)
			w.order(take)
			pass(time.Second)
			w.order(restLow)
			pass(time.Second)
			w.c.signed("DELETE", "/api/v3/openOrders", "symbol=BTCUSDT")
			<-done
			if s := strings.Join(got, " "); s != want {
				t.Errorf("%q: got %s, want %s", line, s, want)
			}
		})
	}
}

func TestSpoiltEventsAreWhatTheySay(t *testing.T) {
	inMemory(t, Config{Seed: 5}, func(w *world) {
		for kind, name := range streamOf {
			if kind != "depth" && kind != "bookTicker" && kind != "trade" {
				continue
			}
			for _, how := range spoilNames {
				k := w.dial(w.s.Stream() + "/ws/" + name).settle()
				w.do("spoil " + kind + " BTCUSDT " + how)
				h, err := ws.ReadHeader(k.br)
				if how == "huge" {
					if err != nil || h.Length != 1<<62 {
						t.Errorf("%s %s: got %+v %v, want 2^62 bytes said", kind, how, h, err)
					}
					_ = k.c.Close()
					continue
				}
				if err != nil {
					t.Fatal(err)
				}
				body := make([]byte, h.Length)
				n, err := io.ReadFull(k.br, body)
				if (err != nil) != (how == "truncated") {
					t.Errorf("%s %s: got %v after %d of %d bytes", kind, how, err, n, h.Length)
				}
				text := string(body)
				ok := map[string]bool{
					"cross":  kind == "trade" || strings.Contains(text, "99999999.00000000") || strings.Index(text, `"a"`) < strings.Index(text, `"b"`),
					"json":   !json.Valid(body),
					"number": !json.Valid(body) || strings.Contains(text, "NaN") || strings.Contains(text, "1e30") || strings.Contains(text, "-1.0") || strings.Contains(text, "1111111111111") || strings.Contains(text, "99999999999999999999") || strings.Contains(text, `""`) || strings.Contains(text, "null"),
					"utf8":   strings.Contains(text, "\xff\xfe"), "symbol": strings.Contains(text, `"ETHUSDT"`),
					"event": kind == "bookTicker" || strings.Contains(text, "somethingNew"), "missing": strings.Contains(text, `"zz":`),
					"type": strings.Contains(text, `"u":"`) || strings.Contains(text, `"t":"`) || strings.Contains(text, `"a":"`) || strings.Contains(text, `"i":"`),
					"nest": strings.HasPrefix(text, "[[[[["), "big": len(body) > bigMessage, "fragments": !h.Fin, "rsv": h.Rsv != 0, "masked": h.Masked,
					"binary": h.OpCode == ws.OpBinary, "opcode": h.OpCode == 3, "truncated": err != nil,
				}[how]
				if !ok {
					t.Errorf("%s %s: got %+v %.200q", kind, how, h, text)
				}
				if how == "fragments" {
					whole := text
					var ops []ws.OpCode
					for !h.Fin || h.OpCode == ws.OpPing {
						if h, err = ws.ReadHeader(k.br); err != nil {
							t.Fatal(err)
						}
						more := make([]byte, h.Length)
						_, _ = io.ReadFull(k.br, more)
						if ops = append(ops, h.OpCode); h.OpCode == ws.OpContinuation {
							whole += string(more)
						}
					}
					if !json.Valid([]byte(whole)) || len(ops) != 3 {
						t.Errorf("%s: got %q in %v, want the event in parts with a PING between", how, whole, ops)
					}
				}
				_ = k.c.Close()
				synctest.Wait()
			}
		}
	})
}

func TestSnapshotsAreStaleCachedShallowOrEmpty(t *testing.T) {
	inMemory(t, Config{Seed: 5}, func(w *world) {
		type book struct {
			LastUpdateID int64
			Bids, Asks   [][2]string
		}
		get := func() (b book) {
			w.c.get("/api/v3/depth?symbol=BTCUSDT&limit=50").into(t, &b)
			return b
		}
		pass(20 * time.Second)
		now := get()
		w.do("stale depth BTCUSDT")
		if b := get(); b.LastUpdateID >= now.LastUpdateID {
			t.Errorf("got a snapshot at %d, want one older than %d", b.LastUpdateID, now.LastUpdateID)
		}
		w.do("shallow depth * 3")
		if b := get(); len(b.Bids) != 3 || len(b.Asks) != 3 {
			t.Errorf("got %d and %d levels, want 3", len(b.Bids), len(b.Asks))
		}
		w.do("shallow depth BTCUSDT 0")
		if b := get(); len(b.Bids) != 0 || len(b.Asks) != 0 || b.LastUpdateID < now.LastUpdateID {
			t.Errorf("got %d and %d levels at %d, want an empty present book", len(b.Bids), len(b.Asks), b.LastUpdateID)
		}
		w.do("cached depth BTCUSDT 30s")
		first := get()
		pass(29 * time.Second)
		if b := get(); fmt.Sprint(b) != fmt.Sprint(first) {
			t.Errorf("got %d, want the snapshot of 29 s before at %d", b.LastUpdateID, first.LastUpdateID)
		}
		pass(time.Second)
		if b := get(); b.LastUpdateID <= first.LastUpdateID {
			t.Errorf("got %d, want a new snapshot after 30 s", b.LastUpdateID)
		}
	})
}

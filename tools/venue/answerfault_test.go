package venue

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gobwas/ws"
)

func TestEveryLossSaysNothingOfTheOrderOverRESTAndWS(t *testing.T) {
	status := map[string]string{"timeout": "504 -1007", "503": "503 -1000", "busy": "503 -1008", "unknown": "500 -1000", "disconnected": "500 -1001",
		"unexpected": "500 -1006", "gone": "503 -1016", "firewall": "403 <html>", "restricted": "451 {\"code", "html": "200 <html>", "redirect": "302 <html>",
		"empty": "200 ", "reset": "none", "silent": "none"}
	for _, loss := range lossNames() {
		for _, taken := range []string{"taken", "untaken"} {
			inMemory(t, Config{Quiet: true}, func(w *world) {
				w.c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
				line := "lose orders " + taken + " " + loss
				w.do(line)
				q := "symbol=BTCUSDT&side=BUY&" + restLow + "&timestamp=" + w.c.stampNow()
				got := "none"
				r, err := w.c.try("POST", "/api/v3/order?"+q+"&signature="+hmacHex(w.c.key.Secret, q), "", map[string]string{"X-MBX-APIKEY": w.c.key.APIKey})
				if err == nil {
					var e struct{ Code int }
					if strings.HasPrefix(status[loss], fmt.Sprintf("%d -", r.status)) && json.Unmarshal(r.body, &e) == nil {
						got = fmt.Sprint(r.status, e.Code)
					} else {
						got = fmt.Sprintf("%d %.6s", r.status, r.body)
					}
				}
				if got != status[loss] {
					t.Errorf("%s over REST: got %q %v, want %q", line, got, err, status[loss])
				}
				if loss == "redirect" && r.header.Get("Location") == "" {
					t.Error("got a redirect to nowhere")
				}

				a := w.api()
				w.do(line)
				a.text(signedText(a, "order.place", buyLow...))
				p, err := a.nextBy(time.Now().Add(5 * time.Second))
				var e struct {
					Status int
					Error  struct{ Code int }
				}
				got = "none"
				if err == nil {
					if got = fmt.Sprintf("%.6s", p); json.Unmarshal(p, &e) == nil && e.Status != 0 {
						got = fmt.Sprint(e.Status, e.Error.Code)
					}
				}
				if _, page, _ := strings.Cut(status[loss], " "); got != status[loss] && (got != page || loss == "gone") {
					t.Errorf("%s over WS: got %q %v, want %q", line, got, err, status[loss])
				}
				want := map[string]int{"taken": 2, "untaken": 0}[taken]
				if open, err := w.s.OpenOrders(""); err != nil || len(open) != want {
					t.Errorf("%s: got %d orders %v, want %d", line, len(open), err, want)
				}
			})
		}
	}
}

func TestGarbledAnswersAreDamagedAsTheySayAndTheOrderIsTaken(t *testing.T) {
	for _, how := range []string{"partial", "short", "long", "junk", "trailing", "type"} {
		inMemory(t, Config{Quiet: true}, func(w *world) {
			w.do("garble orders " + how)
			nc, err := w.l.dial(t.Context(), "", "")
			if err != nil {
				t.Fatal(err)
			}
			q := "symbol=BTCUSDT&side=BUY&" + restLow + "&timestamp=" + w.c.stampNow()
			_, _ = fmt.Fprintf(nc, "POST /api/v3/order?%s&signature=%s HTTP/1.1\r\nHost: v\r\nX-MBX-APIKEY: %s\r\nContent-Length: 0\r\n\r\n", q, hmacHex(w.c.key.Secret, q), w.c.key.APIKey)
			_ = nc.SetReadDeadline(time.Now().Add(time.Minute))
			raw, _ := io.ReadAll(nc)
			head, body, _ := bytes.Cut(raw, []byte("\r\n\r\n"))
			said := 0
			for l := range strings.SplitSeq(string(head), "\r\n") {
				_, _ = fmt.Sscanf(l, "Content-Length: %d", &said)
			}
			ok := map[string]bool{
				"partial": len(body) == said/2, "short": len(body)/2 == said, "long": len(body)+100 == said,
				"junk": len(body) == said && !json.Valid(body), "type": strings.Contains(string(head), "text/html") && json.Valid(body),
				"trailing": len(body) > said && strings.Contains(string(body[said:]), "HTTP/1.1 200 OK"),
			}[how]
			if !ok {
				t.Errorf("%s over REST: got %q", how, raw)
			}
			_ = nc.Close()

			a := w.api()
			w.do("garble orders " + how)
			a.text(signedText(a, "order.place", buyLow...))
			h, err := ws.ReadHeader(a.br)
			if err != nil {
				t.Fatal(err)
			}
			_ = a.c.SetReadDeadline(time.Now().Add(time.Second))
			p := make([]byte, h.Length)
			n, _ := io.ReadFull(a.br, p)
			text := string(p[:n])
			ok = map[string]bool{
				"partial": n == int(h.Length)/2, "short": !json.Valid(p) && n == int(h.Length), "long": n == int(h.Length)-100,
				"junk": strings.HasSuffix(text, "garbage\x00"), "type": h.OpCode == ws.OpBinary && json.Valid(p), "trailing": json.Valid(p),
			}[how]
			if !ok {
				t.Errorf("%s over WS: got %+v %q", how, h, text)
			}
			if how == "trailing" {
				if p := string(a.next()); !strings.Contains(p, `"stranger"`) {
					t.Errorf("got %s, want an answer to nobody", p)
				}
			}
			open, _ := w.s.OpenOrders("")
			if len(open) != 2 {
				t.Errorf("%s: got %d orders, want both taken", how, len(open))
			}
		})
	}
}

func TestSwappedAnswersGoToEachOthersRequest(t *testing.T) {
	inMemory(t, Config{Quiet: true}, func(w *world) {
		a := w.api()
		w.do("garble all swapped 2")
		a.text(`{"id":"one","method":"time"}`)
		a.text(`{"id":"two","method":"ping"}`)
		for range 2 {
			m := a.until(func(map[string]any) bool { return true })
			result, _ := m["result"].(map[string]any)
			if _, isTime := result["serverTime"]; isTime != (m["id"] == "two") {
				t.Errorf("got %v, want the answer of the other", m)
			}
		}
		w.do("garble all swapped")
		if m := a.call("time", ""); m["result"].(map[string]any)["serverTime"] == nil {
			t.Errorf("got %v, want its own answer: there was no other", m)
		}
	})
}

func TestClassesOfRequestsFailApart(t *testing.T) {
	inMemory(t, Config{Quiet: true}, func(w *world) {
		r := w.order(restLow)
		var o struct{ OrderID int64 }
		r.into(t, &o)
		id := fmt.Sprint(o.OrderID)
		calls := []struct{ class, method, path, params string }{
			{"queries", "GET", "/api/v3/order", "symbol=BTCUSDT&orderId=" + id},
			{"amends", "PUT", "/api/v3/order/amend/keepPriority", "symbol=BTCUSDT&newQty=0.009&orderId=" + id},
			{"amends", "POST", "/api/v3/order/cancelReplace", "symbol=BTCUSDT&side=BUY&" + restLow + "&cancelReplaceMode=ALLOW_FAILURE&cancelOrderId=1"},
			{"cancels", "DELETE", "/api/v3/openOrders", "symbol=BTCUSDT"},
			{"market", "GET", "/api/v3/time", ""},
		}
		for _, class := range []string{"queries", "amends", "cancels", "market"} {
			for _, k := range calls {
				w.do("lose " + class + " untaken busy")
				lost := w.s.faults.armed.Load()
				if k.class == "market" {
					w.c.get(k.path)
				} else {
					w.c.signed(k.method, k.path, k.params)
				}
				if hit := w.s.faults.armed.Load() < lost; hit != (k.class == class) {
					t.Errorf("%s %s with a fault for %s: got hit %v", k.method, k.path, class, hit)
				}
				w.s.faults.mu.Lock()
				w.s.faults.answers = nil
				w.s.faults.mu.Unlock()
				w.s.faults.armed.Store(0)
			}
		}
	})
}

func TestHandshakesAreRefusedAndLate(t *testing.T) {
	inMemory(t, Config{Quiet: true}, func(w *world) {
		for _, loss := range []string{"firewall", "503", "redirect", "reset", "silent", "html"} {
			w.do("lose handshakes untaken " + loss)
			if k, err := memTryDial(w.l, w.s.WSAPI()); err == nil {
				_ = k.c.Close()
				t.Errorf("%s: got a WebSocket", loss)
			}
		}
		w.do("delay handshakes 2s")
		at := time.Now()
		w.api().call("ping", "")
		if d := time.Since(at); d != 2*time.Second {
			t.Errorf("got a handshake in %v, want 2s", d)
		}
		w.do("lose session untaken busy")
		a := w.api()
		if m := a.signedCall("userDataStream.subscribe.signature"); codeOf(t, m) != "-1008" {
			t.Errorf("got %v, want -1008", m)
		}
	})
}

func TestQueriesLagByKindAndCatchUp(t *testing.T) {
	inMemory(t, Config{Quiet: true}, func(w *world) {
		open := func() int {
			var list []json.RawMessage
			w.c.signed("GET", "/api/v3/openOrders", "symbol=BTCUSDT").into(t, &list)
			return len(list)
		}
		w.order(restLow)
		w.do("lag order 10s")
		w.do("lag openOrders 3s")
		if n := open(); n != 1 {
			t.Errorf("got %d orders, want the one from before the lag", n)
		}
		r := w.order(restLow)
		var o struct{ OrderID int64 }
		r.into(t, &o)
		query := func() int {
			code, _ := w.c.signed("GET", "/api/v3/order", fmt.Sprintf("symbol=BTCUSDT&orderId=%d", o.OrderID)).code(t)
			return code
		}
		if n, code := open(), query(); n != 1 || code != -2013 {
			t.Errorf("got %d open and %d at once, want 1 and -2013", n, code)
		}
		pass(4 * time.Second)
		if n, code := open(), query(); n != 2 || code != -2013 {
			t.Errorf("got %d open and %d after 4 s, want 2 and -2013", n, code)
		}
		w.c.signed("DELETE", "/api/v3/openOrders", "symbol=BTCUSDT")
		pass(2 * time.Second)
		if n := open(); n != 2 {
			t.Errorf("got %d open 2 s after the cancel, want 2 still", n)
		}
		pass(5 * time.Second)
		if n, code := open(), query(); n != 0 || code != 0 {
			t.Errorf("got %d open and %d, want none and the order found", n, code)
		}
		w.order(restLow)
		w.do("lag all 0s")
		if n := open(); n != 1 {
			t.Errorf("got %d open without a lag, want 1", n)
		}
	})
}

func TestUserEventAndAnswerRaceAsToldOrBySeed(t *testing.T) {
	runs := func(seed uint64, race string) (order string) {
		inMemory(t, Config{Quiet: true, Seed: seed}, func(w *world) {
			a := w.api()
			a.signedCall("userDataStream.subscribe.signature")
			w.do("race " + race)
			for range 12 {
				a.text(signedText(a, "order.place", buyLow...))
				synctest.Wait()
				first := ""
				for n := 0; n < 3; { // answer, report, balances
					p := string(a.next())
					n++
					if first == "" {
						first = "E"
						if strings.HasPrefix(p, `{"id"`) {
							first = "A"
						}
					}
				}
				order += first
			}
		})
		return order
	}
	if s := runs(1, "event"); s != "EEEEEEEEEEEE" {
		t.Errorf("got %s, want events first", s)
	}
	if s := runs(1, "answer"); s != "AAAAAAAAAAAA" {
		t.Errorf("got %s, want answers first", s)
	}
	one := runs(3, "random")
	if again := runs(3, "random"); one != again || !strings.Contains(one, "A") || !strings.Contains(one, "E") {
		t.Errorf("got %s and %s, want one mixture of both", one, again)
	}
}

func TestClockStepsMakeTimestampsWrongAndAreTold(t *testing.T) {
	inMemory(t, Config{Quiet: true}, func(w *world) {
		told := func() int64 {
			var v struct{ ServerTime int64 }
			w.c.get("/api/v3/time").into(t, &v)
			return v.ServerTime - w.s.Now()/1000
		}
		for line, want := range map[string]struct {
			ahead int64
			code  int
		}{"clock 30s": {30_000, -1021}, "clock -30s": {-30_000, -1021}, "clock 900ms": {900, 0}, "clock 0s": {0, 0}} {
			w.do(line)
			code := 0
			if r := w.order(restLow); r.status != 200 {
				code, _ = r.code(t)
			}
			if d := told(); d != want.ahead || code != want.code {
				t.Errorf("%s: got %d ms ahead and %d, want %d and %d", line, d, code, want.ahead, want.code)
			}
		}
	})
}

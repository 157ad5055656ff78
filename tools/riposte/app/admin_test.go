package app

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// ask gets a page of an admin address; header fields come in pairs.
func ask(t *testing.T, method, url string, header ...string) (int, string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	req, err := http.NewRequestWithContext(context.Background(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		if header[i] == "Host" {
			req.Host = header[i+1]
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

// served is an admin address whose newest report is in the pointer.
func served(t *testing.T, cfg AdminConfig) (*admin, *atomic.Pointer[report]) {
	t.Helper()
	latest := new(atomic.Pointer[report])
	a, err := openAdmin(cfg, latest.Load)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := a.close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return a, latest
}

func TestAdminTellsHealthFromTheNewestReport(t *testing.T) {
	a, latest := served(t, AdminConfig{Address: "127.0.0.1:0"})
	for _, c := range []struct {
		name   string
		r      *report
		status int
		want   string
	}{
		{"none yet", nil, http.StatusServiceUnavailable, "starting"},
		{"well", &report{at: time.Now()}, http.StatusOK, "ok"},
		{"a problem", &report{at: time.Now(), Problems: []string{"1 of 5 books are not live"}}, http.StatusServiceUnavailable, "1 of 5 books"},
		{"no figures for long", &report{at: time.Now().Add(-time.Hour)}, http.StatusServiceUnavailable, "figures are 1h0m0s old"},
	} {
		latest.Store(c.r)
		if status, body := ask(t, http.MethodGet, a.url+"/healthz"); status != c.status || !strings.Contains(body, c.want) {
			t.Errorf("%s: got %d %q, want %d and %q", c.name, status, body, c.status, c.want)
		}
	}
}

func TestAdminServesFiguresAndProfiles(t *testing.T) {
	a, latest := served(t, AdminConfig{Address: "localhost:0"})
	for _, page := range []string{"/status", "/metrics"} {
		if status, _ := ask(t, http.MethodGet, a.url+page); status != http.StatusServiceUnavailable {
			t.Errorf("%s without a report: got %d, want %d", page, status, http.StatusServiceUnavailable)
		}
	}
	latest.Store(&report{at: time.Now(), Orders: 42, Refusals: map[string]uint64{"stale": 3}, Latency: map[string]quantiles{"total": {Count: 7, P50: 1500}}})
	for page, want := range map[string][]string{
		"/status":                        {`"orders":42`, `"p50_ns":1500`},
		"/metrics":                       {"riposte_orders_total 42\n", `riposte_refusals_total{reason="stale"} 3`, `riposte_latency_seconds{stage="total",quantile="0.5"} 1.5e-06`},
		"/debug/pprof/":                  {"goroutine"},
		"/debug/pprof/goroutine?debug=1": {"app.openAdmin"},
		"/debug/pprof/heap?gc=1&debug=1": {"heap profile"},
		"/debug/pprof/cmdline":           {"app.test"},
	} {
		status, body := ask(t, http.MethodGet, a.url+page)
		if status != http.StatusOK {
			t.Errorf("%s: got %d, want 200", page, status)
		}
		for _, text := range want {
			if !strings.Contains(body, text) {
				t.Errorf("%s: got %.400q, want %q in it", page, body, text)
			}
		}
	}
}

func TestAdminTurnsAwayWhatAWebPageCouldSend(t *testing.T) {
	a, _ := served(t, AdminConfig{Address: "127.0.0.1:0"})
	if status, body := ask(t, http.MethodGet, a.url+"/debug/pprof/", "Host", "evil.example:6060"); status != http.StatusForbidden || !strings.Contains(body, "evil.example") {
		t.Errorf("foreign host: got %d %q, want %d and its name", status, body, http.StatusForbidden)
	}
	if status, _ := ask(t, http.MethodPost, a.url+"/status"); status != http.StatusMethodNotAllowed {
		t.Errorf("POST: got %d, want %d", status, http.StatusMethodNotAllowed)
	}
	open, _ := served(t, AdminConfig{Address: "127.0.0.1:0", AllowRemote: true})
	if status, _ := ask(t, http.MethodGet, open.url+"/debug/pprof/", "Host", "trading-host:6060"); status != http.StatusOK {
		t.Errorf("allow_remote: got %d, want 200", status)
	}
}

// A profile of an hour must not keep the process from ending.
func TestAdminCloseEndsProfilesUnderWay(t *testing.T) {
	a, err := openAdmin(AdminConfig{Address: "127.0.0.1:0"}, func() *report { return nil })
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(a.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// The header is flushed before the trace has ended, so reading it shows that
	// the handler is at work.
	if _, err := io.WriteString(conn, "GET /debug/pprof/trace?seconds=3600 HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := conn.Read(make([]byte, 15)); err != nil {
		t.Fatal(err)
	}
	from := time.Now()
	if err := a.close(); err != nil {
		t.Errorf("close: %v", err)
	}
	if d := time.Since(from); d > time.Minute {
		t.Errorf("close took %v, want the trace cut short", d)
	}
}

func TestAdminAddressInUseIsNamed(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var out, errs bytes.Buffer
	code := run([]string{"run", "--set", "journal.dir=", "--set", "admin.address=" + ln.Addr().String()}, &out, &errs)
	if want := "cannot serve admin.address " + ln.Addr().String(); code != exitUsage || !strings.Contains(errs.String(), want) || !strings.Contains(errs.String(), "in use") {
		t.Errorf("exit %d, %q; want %d, %q and why", code, errs.String(), exitUsage, want)
	}
}

func TestRunServesItsAdminAddressWhileItTrades(t *testing.T) {
	t.Chdir(t.TempDir())
	out, in := io.Pipe()
	var errs bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run([]string{"run", "--json", "--for", "2500ms", "--set", "admin.address=127.0.0.1:0", "--profile", "goroutine", "--profile-dir", "made/for/it"}, in, &errs)
		in.Close()
	}()
	dec := json.NewDecoder(out)
	asked := false
	for {
		var r report
		if err := dec.Decode(&r); err != nil {
			break
		}
		if r.Final || asked {
			continue
		}
		asked = true
		if status, body := ask(t, http.MethodGet, r.Admin+"/status"); status != http.StatusOK || !strings.Contains(body, `"admin":"`+r.Admin) {
			t.Errorf("status: got %d %q, want the report", status, body)
		}
	}
	if c := <-code; c != exitOK || !asked {
		t.Errorf("exit %d, asked %v; want %d, true: %s", c, asked, exitOK, errs.String())
	}
	if !strings.Contains(errs.String(), "goroutine profile written to made/for/it/goroutine.pprof") &&
		!strings.Contains(errs.String(), "/made/for/it/goroutine.pprof") {
		t.Errorf("stderr %q, want where the profile is", errs.String())
	}
}

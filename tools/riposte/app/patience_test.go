package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"riposte/exec"
)

// absent is a contact whose venue fails in a way, in virtual time.
func absent(t *testing.T, stop <-chan struct{}) (*contact, *[]string) {
	var told []string
	c := &contact{patience: &patience{stop: stop, rng: rand.New(rand.NewPCG(1, 1)), tell: func(s string) { told = append(told, s) }}}
	c.sites.name = "sim"
	return c, &told
}

func TestARunWaitsForItsVenueWithinItsLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, told := absent(t, nil)
		tries, from := 0, time.Now()
		err := c.insist(func(context.Context) error {
			if tries++; time.Since(from) < 10*time.Minute {
				return &exec.CallError{Op: "GET /api/v3/time", Class: exec.ClassUnknown, Err: &net.OpError{Op: "dial", Err: errors.New("away")}}
			}
			return nil
		})
		if err != nil || tries > 100 || tries < 20 || len(*told) != 2 {
			t.Fatalf("%v after %d tries in %v, told %q", err, tries, time.Since(from), *told)
		}
	})
}

func TestARunStaysAwayAsLongAsTheVenueAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, told := absent(t, nil)
		tries, from := 0, time.Now()
		err := c.insist(func(context.Context) error {
			if tries++; tries == 1 {
				return &exec.CallError{Status: 418, Class: exec.ClassLimited, Code: -1003, RetryAfter: 2 * time.Hour}
			}
			return nil
		})
		if took := time.Since(from); err != nil || tries != 2 || took < 2*time.Hour || !strings.Contains((*told)[0], "banned") {
			t.Fatalf("%v after %d tries in %v, told %q", err, tries, took, *told)
		}
	})
}

func TestARunDoesNotWaitForWhatWaitingDoesNotMend(t *testing.T) {
	for _, err := range []error{
		&exec.CallError{Status: 400, Code: -1121, Class: exec.ClassRefused, Msg: "Invalid symbol."},
		&exec.CallError{Status: 401, Code: -2015, Class: exec.ClassRefused, KeyRefused: true},
		usageError{errors.New("market.symbols")},
	} {
		c, told := absent(t, nil)
		if got := c.insist(func(context.Context) error { return err }); !errors.Is(got, err) || len(*told) != 0 {
			t.Errorf("%v: got %v, told %q", err, got, *told)
		}
	}
	c := &contact{} // a command
	tries := 0
	if err := c.insist(func(context.Context) error { tries++; return context.DeadlineExceeded }); err == nil || tries != 1 {
		t.Errorf("a command without patience: %v after %d tries", err, tries)
	}
}

func TestARunStopsWhileItWaits(t *testing.T) {
	stop := make(chan struct{})
	c, _ := absent(t, stop)
	c.patience.tell = func(string) { close(stop) }
	if err := c.insist(func(context.Context) error { return context.DeadlineExceeded }); !errors.Is(err, errStopped) {
		t.Fatal(err)
	}
	// Also while an attempt is under way.
	stop = make(chan struct{})
	c, _ = absent(t, stop)
	if err := c.insist(func(ctx context.Context) error { close(stop); <-ctx.Done(); return ctx.Err() }); !errors.Is(err, errStopped) {
		t.Fatal(err)
	}
}

// A run whose venue comes back says so and goes on to ask for its rules.
func TestRunSaysWhatItWaitsForAndGoesOn(t *testing.T) {
	var asked atomic.Int32
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		switch n := asked.Add(1); {
		case n < 8:
			http.Error(w, "<html>blocked</html>", http.StatusForbidden)
		case strings.HasSuffix(r.URL.Path, "/time"):
			fmt.Fprintf(w, `{"serverTime":%d}`, time.Now().UnixMilli())
		default: // a venue that does not have our symbol
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"code":-1121,"msg":"Invalid symbol."}`)
		}
	})}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = srv.Serve(ln) }()
	defer func() { srv.Close(); <-served }()
	dir := t.TempDir()
	key := filepath.Join(dir, "key")
	if err := os.WriteFile(key, []byte("api_key = \"k\"\nsecret = \"s\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("[venue]\nenvironment = \"sim\"\nrest = \"http://%[1]s\"\nstream = \"ws://%[1]s\"\nws_api = \"ws://%[1]s/ws-api/v3\"\nkey_file = %[2]q\n"+
		"[market]\nsymbols = [\"BTCUSDT\"]\n[strategy]\nname = \"\"\n[journal]\ndir = \"\"\n", ln.Addr(), key)
	file := filepath.Join(dir, "away.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errs bytes.Buffer
	code := run([]string{"run", "--config", file, "--for", "1m"}, &out, &errs)
	if code == exitOK || strings.Count(errs.String(), "firewall refuses us (403)") != 1 || strings.Count(errs.String(), "sim answers again after") != 1 ||
		!strings.Contains(errs.String(), "Invalid symbol") {
		t.Fatalf("exit %d, told %q", code, errs.String())
	}
}

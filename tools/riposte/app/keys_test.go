package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"riposte/core"
	"riposte/core/risk"
	"riposte/exec"
	execbinance "riposte/exec/binance"
	"riposte/tools/venue"
)

func TestSecretsInTheConfigAreRefusedAndNotShown(t *testing.T) {
	const canary = "CANARYcanary0123"
	for _, text := range []string{
		"[venue]\napi_key = \"" + canary + "\"", "secret=\"" + canary + "\"", "[keys]\n  API-Key = '" + canary + "'",
		"venue = { apikey = \"" + canary + "\" }", "venue.secret_key = \"" + canary + "\"", "\"private_key\" = \"" + canary + "\"",
		"[admin]\ntoken = \"" + canary + "\"", "passphrase = \"" + canary + "\"\n[venue", "x = \"\"\"\n-----BEGIN PRIVATE KEY-----\n" + canary + "\n\"\"\"",
		"[venue]\nseed = \"live\" \nmy_password = \"" + canary + "\"",
	} {
		_, err := parseConfig("test.toml", []byte(text))
		if err == nil || strings.Contains(err.Error(), canary) || !strings.Contains(err.Error(), "secrets do not belong here") || !strings.Contains(err.Error(), "test.toml") {
			t.Errorf("%q: got %v, want it refused without its value", text, err)
		}
	}
	for _, set := range []string{"venue.secret=" + canary, "venue.api_key=" + canary, "secret = " + canary} {
		var out, errs bytes.Buffer
		code := run([]string{"run", "--set", set}, &out, &errs)
		if all := out.String() + errs.String(); code != exitUsage || strings.Contains(all, canary) || !strings.Contains(all, "secrets do not belong here") {
			t.Errorf("--set %s: exit %d, %q", set, code, all)
		}
	}
	for _, fine := range []string{"# secret = \"x\"\n", "[venue]\nkey_file = \"secret/api_key\"\n"} {
		if err := refuseSecrets("x", []byte(fine)); err != nil {
			t.Errorf("%q: %v", fine, err)
		}
	}
}

// right is one flag of apiRestrictions by its place in venue.Rights.
func rightFlags() (names []string) {
	for f := range reflect.TypeFor[venue.Rights]().Fields() {
		if f.Type.Kind() == reflect.Bool {
			names = append(names, f.Tag.Get("json"))
		}
	}
	return names
}

// Every set of flags that a key can have, through the venue's own answer: trading is
// refused but with the rights that it needs and none beside them.
func TestEverySetOfRightsIsJudged(t *testing.T) {
	v := openKeyed(t, hmacKeys(1)...)
	c := &contact{clock: core.NewSystemClock()}
	c.sites.rest, c.sites.keyFile = v.REST(), v.file
	if err := c.loadKey(v.config(), true); err != nil {
		t.Fatal(err)
	}
	var err error
	if c.budget, err = exec.NewBudget(0); err != nil {
		t.Fatal(err)
	}
	if err := c.budget.Set([]exec.Limit{{Kind: exec.LimitWeight, Span: time.Minute, Max: 1_000_000}, {Kind: exec.LimitOrders, Span: time.Minute, Max: 100}}); err != nil {
		t.Fatal(err)
	}
	c.vclock = exec.NewVenueClock(c.clock)
	if c.rest, err = c.newREST(core.NewInstruments()); err != nil {
		t.Fatal(err)
	}
	defer c.rest.Close()
	names := rightFlags()
	if len(names) != 12 {
		t.Fatalf("the venue's keys have %d flags, want 12", len(names))
	}
	needed := map[string]bool{"ipRestrict": true, "enableReading": true, "enableSpotAndMarginTrading": true}
	never := map[string]bool{"enableWithdrawals": true, "enableInternalTransfer": true, "permitsUniversalTransfer": true}
	judged, refused := 0, 0
	for set := range 1 << len(names) {
		flags := map[string]bool{}
		wrong := 0
		for i, n := range names {
			flags[n] = set>>i&1 == 1
			if flags[n] != needed[n] {
				wrong++
			}
		}
		body, _ := json.Marshal(flags)
		var r venue.Rights
		if err := json.Unmarshal(body, &r); err != nil {
			t.Fatal(err)
		}
		if err := v.SetRights(v.keys[0].APIKey, r); err != nil {
			t.Fatal(err)
		}
		for _, products := range [][]string{nil, execbinance.Products()} {
			_, all, err := rightsOf(t.Context(), c.rest, products, c.clock.Wall())
			if err != nil {
				t.Fatal(err)
			}
			want := wrong > 0
			if products != nil {
				want = false
				for n, is := range flags {
					want = want || needed[n] && !is || never[n] && is
				}
			}
			bad := 0
			for _, f := range all {
				if f.Verdict != execbinance.Fine {
					bad++
					if f.Why == "" || f.Value != fmt.Sprint(flags[f.Flag]) {
						t.Fatalf("%v: finding %+v says nothing or is wrong", flags, f)
					}
				}
			}
			if got := execbinance.Worst(all) == execbinance.Refuse; got != want || products == nil && bad != wrong || len(all) != len(names)+1 {
				t.Fatalf("%v with %v: refused %v for %d of %d rights, want %v for %d", flags, products, got, bad, len(all), want, wrong)
			}
			judged++
			if want {
				refused++
			}
		}
	}
	t.Logf("%d sets judged, %d refused", judged, refused)
}

func TestAKeyWithTooMuchPowerDoesNotStart(t *testing.T) {
	v := openKeyed(t, hmacKeys(1)...)
	for what, edit := range map[string]func(r *venue.Rights){
		"enableWithdrawals is true":           func(r *venue.Rights) { r.Withdrawals = true },
		"permitsUniversalTransfer is true":    func(r *venue.Rights) { r.UniversalTransfer = true },
		"ipRestrict is false":                 func(r *venue.Rights) { r.IPRestrict = false },
		"enableSpotAndMarginTrading is false": func(r *venue.Rights) { r.SpotTrading = false },
		"enableFutures is true":               func(r *venue.Rights) { r.Futures = true },
	} {
		r := venue.TradingRights()
		edit(&r)
		if err := v.SetRights(v.keys[0].APIKey, r); err != nil {
			t.Fatal(err)
		}
		d, err := openDesk(v.config(strict()...))
		if err == nil {
			_ = d.close()
		}
		if err == nil || !strings.Contains(err.Error(), what) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: got %v, want a refusal on one line", what, err)
		}
		// Where money is not real it is a warning.
		d, err = openDesk(v.config())
		if err != nil {
			t.Fatal(err)
		}
		if w := d.keeper.warning.Load(); w == nil || !strings.Contains(*w, what) {
			t.Errorf("%s: no warning of it", what)
		}
		if err := d.close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRightsThatCannotBeAskedKeepOrdersBackUntilTheyCan(t *testing.T) {
	v := openKeyed(t, hmacKeys(1)...)
	if err := v.Faults().Do("lose queries untaken 503 1"); err != nil {
		t.Fatal(err)
	}
	d, err := openDesk(v.config(strict()...))
	if err != nil {
		t.Fatal(err)
	}
	d.keeper.again = 50 * time.Millisecond
	defer func() {
		if err := d.close(); err != nil {
			t.Error(err)
		}
	}()
	if p := d.keeper.problem.Load(); p == nil || !strings.Contains(*p, "cannot be asked, and orders wait until it can") {
		t.Fatalf("problem is %v, want that the rights are not known", p)
	}
	d.keeper.apply()
	if d.gateway.Halted()&risk.HaltRights == 0 {
		t.Error("orders may leave although the key's rights are not known")
	}
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	wait(t, "orders once the rights are known", d, func(r *report) bool { return r.Acks > 0 && settled(r) })
	if r := d.shutdown(); !r.Clean {
		t.Errorf("not a clean end: %q", r.Problems)
	}
}

func TestRightsAreAskedAgainAndANewOneStopsOrders(t *testing.T) {
	v := openKeyed(t, hmacKeys(1)...)
	d, err := openDesk(v.config(strict()...))
	if err != nil {
		t.Fatal(err)
	}
	d.keeper.every, d.keeper.again = 50*time.Millisecond, 50*time.Millisecond
	defer func() {
		if err := d.close(); err != nil {
			t.Error(err)
		}
	}()
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	wait(t, "orders", d, func(r *report) bool { return r.Acks > 0 && settled(r) })
	r := venue.TradingRights()
	r.Withdrawals = true
	if err := v.SetRights(v.keys[0].APIKey, r); err != nil {
		t.Fatal(err)
	}
	has(t, d, "enableWithdrawals is true")
	wait(t, "no own order left", d, func(r *report) bool { return r.Open == 0 })
	sent := d.report().Orders
	if err := v.SetRights(v.keys[0].APIKey, venue.TradingRights()); err != nil {
		t.Fatal(err)
	}
	wait(t, "orders again", d, func(r *report) bool { return r.Orders > sent && settled(r) })
	if r := d.shutdown(); !r.Clean {
		t.Errorf("not a clean end: %q", r.Problems)
	}
}

func TestARefusedKeyIsDiagnosedAtTheStart(t *testing.T) {
	v := openKeyed(t, hmacKeys(1)...)
	stranger := venue.NewHMACKey(6, "of another venue")
	v.put(stranger)
	if _, err := openDesk(v.config()); err == nil || !strings.Contains(err.Error(), "(-2015): wrong environment: sim (127.0.0.1:") {
		t.Errorf("a key of elsewhere: got %v", err)
	}
	wrong := v.keys[0]
	wrong.Secret = stranger.Secret
	v.put(wrong)
	if _, err := openDesk(v.config()); err == nil || !strings.Contains(err.Error(), "(-1022): wrong key type or secret") || strings.Contains(err.Error(), wrong.Secret[:8]) {
		t.Errorf("a wrong secret: got %v", err)
	}
}

func TestAKeyRevokedInFlightStopsOrdersAndSaysWhy(t *testing.T) {
	v := openKeyed(t, hmacKeys(2)...)
	tap := &wireTap{number: map[string]int{}, orders: map[int]int{}}
	d := started(t, v.config(), func(d *desk) { d.tap = tap.dial })
	wait(t, "orders", d, func(r *report) bool { return r.Open > 0 && settled(r) })
	tap.mu.Lock()
	tap.cancels = map[string]int{}
	tap.mu.Unlock()
	if err := v.Faults().Do("revoke " + v.keys[0].APIKey); err != nil {
		t.Fatal(err)
	}
	r := has(t, d, "(-2015): the address: this key worked before")
	// The reason and the state come from two threads: either may be a moment ahead.
	wait(t, "orders stopped by the key", d, func(now *report) bool { r = now; return strings.Contains(now.State, "key refused") })
	rejects := r.Rejects
	tap.mu.Lock()
	for order, n := range tap.cancels {
		if n > 1 {
			t.Errorf("the cancel of order %.12s was sent %d times with a refused key, want once", order, n)
		}
	}
	tap.cancels = nil
	tap.mu.Unlock()
	// Another key, and it goes on.
	v.put(v.keys[1])
	if err := d.keeper.requestChange(t.Context()); err != nil {
		t.Fatal(err)
	}
	wait(t, "orders with the new key", d, func(r *report) bool { return r.Acks > 0 && settled(r) })
	if r := d.shutdown(); !r.Clean || r.Rejects > rejects+5 {
		t.Errorf("clean %v, %d rejects after %d, problems %q", r.Clean, r.Rejects, rejects, r.Problems)
	}
}

func TestKeysCheckExitsByWhatItFinds(t *testing.T) {
	v := openKeyed(t, hmacKeys(1)...)
	dir := t.TempDir()
	file := filepath.Join(dir, "c.toml")
	text := fmt.Sprintf("[venue]\nrest = %q\nstream = %q\nws_api = %q\nkey_file = %q\n[strategy]\nname = \"\"\n[keys]\nstrict = true\n[budget]\ndir = \"none\"\n", v.REST(), v.Stream(), v.WSAPI(), v.file)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	check := func(want int, texts ...string) {
		t.Helper()
		var out, errs bytes.Buffer
		code := run([]string{"keys", "check", "--config", file}, &out, &errs)
		all := out.String() + errs.String()
		if code != want {
			t.Errorf("exit %d, want %d: %s", code, want, all)
		}
		for _, text := range append(texts, "HMAC key ") {
			if !strings.Contains(all, text) {
				t.Errorf("got %s, want %q in it", all, text)
			}
		}
		if strings.Contains(all, v.keys[0].Secret[:8]) || strings.Contains(all, v.keys[0].APIKey[:8]) {
			t.Errorf("the key is shown: %s", all)
		}
	}
	check(exitOK, "enableWithdrawals", "from key file "+v.file, "never")
	r := venue.TradingRights()
	r.Margin, r.TradingExpires = true, time.Now().Add(100*time.Hour).UnixMilli()
	if err := v.SetRights(v.keys[0].APIKey, r); err != nil {
		t.Fatal(err)
	}
	check(exitFailure, "REFUSED", `allow "margin"`, "warning", "ends in 4.2 days", "no order leaves with this key")
	if err := v.Faults().Do("revoke " + v.keys[0].APIKey); err != nil {
		t.Fatal(err)
	}
	check(exitFailure, "venue refuses the key (-2015): wrong environment")
}

// The process in which this runs is hardened by it, which nothing here minds.
func TestAHardenedProcessLeavesNoCore(t *testing.T) {
	if w := hardenProcess(); len(w) > 0 {
		t.Fatalf("this machine refuses: %q", w)
	}
	defer func() { _ = unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0) }()
	if n, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0); err != nil || n != 0 {
		t.Errorf("dumpable is %d, %v; want 0", n, err)
	}
	var r unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_CORE, &r); err != nil || r.Cur != 0 || r.Max != 0 {
		t.Errorf("core limit is %+v, %v; want 0", r, err)
	}
}

func TestTheKeyIsReloadedByPOSTAndNotFromWebPages(t *testing.T) {
	a, _ := served(t, AdminConfig{Address: "127.0.0.1:0"})
	if status, _ := ask(t, http.MethodPost, a.url+"/key/reload"); status != http.StatusServiceUnavailable {
		t.Errorf("before trading: got %d, want %d", status, http.StatusServiceUnavailable)
	}
	if status, _ := ask(t, http.MethodGet, a.url+"/key/reload"); status == http.StatusOK {
		t.Errorf("GET: got %d, want it refused", status)
	}
	req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, a.url+"/key/reload", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Origin", "https://evil.example")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	http.DefaultClient.CloseIdleConnections()
	if resp.StatusCode != http.StatusForbidden {
		t.Errorf("from a web page: got %d, want %d", resp.StatusCode, http.StatusForbidden)
	}
}

// civilClock is a clock whose civil time is off.
type civilClock struct {
	core.Clock
	off time.Duration
}

func (c civilClock) Wall() core.WallNs { return c.Clock.Wall() + core.WallNs(c.off) }

package app

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"riposte/core/engine"
	"riposte/core/risk"
)

// running is a desk on the embedded venue in a folder of its own, at work.
func running(t *testing.T, sets ...string) *desk {
	t.Helper()
	t.Chdir(t.TempDir())
	return begun(t, sets...)
}

func begun(t *testing.T, sets ...string) *desk {
	t.Helper()
	cfg, err := loadConfig("", append([]string{"sim.audit=false"}, sets...)...)
	if err != nil {
		t.Fatal(err)
	}
	d, err := openDesk(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.start(); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *desk) end(t *testing.T) {
	t.Helper()
	if err := d.close(); err != nil {
		t.Error(err)
	}
}

// waits for something that another goroutine brings about.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if !until(ctx, ok) {
		t.Fatalf("not seen within a minute: %s", what)
	}
}

// Every way to kill stops orders, cancels what rests, is on file, and survives a restart.
func TestEveryKillIsOnFileAndSurvivesARestart(t *testing.T) {
	for name, kill := range map[string]func(*testing.T, *desk){
		"console": func(t *testing.T, d *desk) {
			if _, err := tellEngine(d.cfg, "/halt", &order{Who: "me", Reason: "a drill"}); err != nil {
				t.Fatal(err)
			}
		},
		"signal": func(t *testing.T, d *desk) {
			if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
				t.Fatal(err)
			}
		},
		"file": func(t *testing.T, d *desk) {
			if err := os.WriteFile(filepath.Join(d.cfg.Journal.Dir, killName), []byte("a drill"), 0o600); err != nil {
				t.Fatal(err)
			}
		},
		"breaker": func(t *testing.T, d *desk) {
			d.control.send(engine.Command{Kind: engine.CmdHalt, Cause: risk.HaltLoss}) // as the gate itself would
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := running(t)
			waitFor(t, "orders at work", func() bool { v := d.dealer.view(); return v != nil && v.live > 0 })
			kill(t, d)
			waitFor(t, "the record", func() bool { list, err := readHalts(d.cfg.Journal.Dir); return err == nil && len(list) == 1 })
			waitFor(t, "no own order at work", func() bool { return d.dealer.view().live == 0 })
			d.end(t)

			d = begun(t)
			waitFor(t, "an audit", func() bool { v := d.dealer.view(); return v != nil && v.audits > 0 && v.halted == 0 })
			if r := d.report(); !strings.Contains(strings.Join(r.Problems, "\n"), "halted until `riposte resume") || r.Orders != 0 {
				t.Errorf("after the restart: %d orders, problems %q", r.Orders, r.Problems)
			}
			if _, err := tellEngine(d.cfg, "/resume", &order{Who: "me"}); err == nil {
				t.Error("resumed without a reason")
			}
			if _, err := tellEngine(d.cfg, "/resume", &order{Who: "me", Reason: "drill over"}); err != nil {
				t.Fatal(err)
			}
			waitFor(t, "orders again", func() bool { return d.dealer.view().stats.Sent > 0 })
			if _, err := os.Stat(filepath.Join(d.cfg.Journal.Dir, haltName)); !os.IsNotExist(err) {
				t.Errorf("the record is still there: %v", err)
			}
			d.end(t)
		})
	}
}

// A symbol's halt leaves the others at work.
// Whoever was told that trading is halted can rely on it over a death in the same moment.
func TestAHaltIsOnFileBeforeItIsTold(t *testing.T) {
	cfg := simConfig(t)
	cfg.Journal.Dir = t.TempDir()
	d, err := openDesk(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := d.close(); err != nil {
			t.Error(err)
		}
	}()
	d.control.start()
	// The shard does not run: it cannot have told the keeper of anything.
	for _, c := range []struct {
		cause      risk.HaltCause
		kind, name string
	}{{risk.HaltKilled, "all", ""}, {risk.HaltOperator, "all", ""}, {risk.HaltOperator, "symbol", "BTCUSDT"}} {
		if err := d.control.halt(c.cause, c.kind, c.name, act{Who: "test", Why: "to see"}); err != nil {
			t.Fatal(err)
		}
	}
	list, err := readHalts(cfg.Journal.Dir)
	if err != nil || len(list) != 2 || list[0].causes() != risk.HaltKilled|risk.HaltOperator || list[1].Name != "BTCUSDT" || list[1].Why != "to see" {
		t.Errorf("on file is %v, %v", list, err)
	}
}

func TestHaltOfOneSymbolOnly(t *testing.T) {
	d := running(t)
	defer d.end(t)
	waitFor(t, "orders at work", func() bool { v := d.dealer.view(); return v != nil && v.live > 0 })
	if _, err := tellEngine(d.cfg, "/halt", &order{Who: "me", Reason: "a drill", Symbol: "NOPE"}); err == nil || !strings.Contains(err.Error(), "market.symbols") {
		t.Errorf("halt of a symbol that is none: %v", err)
	}
	if _, err := tellEngine(d.cfg, "/halt", &order{Who: "me", Reason: "a drill", Symbol: "BTCUSDT"}); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the record", func() bool {
		list, err := readHalts(d.cfg.Journal.Dir)
		return err == nil && len(list) == 1 && list[0].Name == "BTCUSDT"
	})
	sent := d.dealer.view().stats.Sent
	waitFor(t, "orders on other symbols", func() bool { return d.dealer.view().stats.Sent > sent })
	if d.gateway.Halted() != 0 {
		t.Errorf("everything is halted for %v", d.gateway.Halted())
	}
}

// The door: no token, a wrong one, a page of another site, a body too long, a slip of
// the pen: nothing of it has an effect.
func TestDoorLetsInOnlyWhoKnowsTheToken(t *testing.T) {
	dir := t.TempDir()
	token, err := readToken(dir, true)
	if err != nil {
		t.Fatal(err)
	}
	if again, err := readToken(dir, false); err != nil || string(again) != string(token) || len(token) != 64 {
		t.Fatalf("token read again: %q, %v, want the 64 characters %q", again, err, token)
	}
	call := func(d *door, method, path, body string, header ...string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(method, "http://127.0.0.1"+path, strings.NewReader(body))
		for i := 0; i+1 < len(header); i += 2 {
			r.Header.Set(header[i], header[i+1])
		}
		w := httptest.NewRecorder()
		d.handler().ServeHTTP(w, r)
		return w
	}
	bearer := "Bearer " + string(token)
	for name, c := range map[string]struct {
		method, path, body string
		header             []string
		want               int
	}{
		"no token":            {"POST", "/halt", `{"reason":"x"}`, nil, http.StatusUnauthorized},
		"wrong token":         {"POST", "/halt", `{"reason":"x"}`, []string{"Authorization", "Bearer " + strings.Repeat("0", 64)}, http.StatusUnauthorized},
		"half a token":        {"POST", "/halt", `{"reason":"x"}`, []string{"Authorization", bearer[:40]}, http.StatusUnauthorized},
		"by another method":   {"GET", "/halt", "", []string{"Authorization", bearer}, http.StatusMethodNotAllowed},
		"from another site":   {"POST", "/halt", `{"reason":"x"}`, []string{"Authorization", bearer, "Origin", "http://evil.example"}, http.StatusForbidden},
		"by a page's fetch":   {"POST", "/halt", `{"reason":"x"}`, []string{"Authorization", bearer, "Sec-Fetch-Site", "cross-site"}, http.StatusForbidden},
		"no reason":           {"POST", "/halt", `{}`, []string{"Authorization", bearer}, http.StatusBadRequest},
		"a slip of the pen":   {"POST", "/halt", `{"reason":"x","sybmol":"BTCUSDT"}`, []string{"Authorization", bearer}, http.StatusBadRequest},
		"two at once":         {"POST", "/halt", `{"reason":"x"}{"reason":"y"}`, []string{"Authorization", bearer}, http.StatusBadRequest},
		"too long":            {"POST", "/halt", `{"reason":"` + strings.Repeat("x", doorBody) + `"}`, []string{"Authorization", bearer}, http.StatusBadRequest},
		"a long reason":       {"POST", "/resume", `{"reason":"` + strings.Repeat("x", 201) + `"}`, []string{"Authorization", bearer}, http.StatusBadRequest},
		"symbol and strategy": {"POST", "/halt", `{"reason":"x","symbol":"A","strategy":"B"}`, []string{"Authorization", bearer}, http.StatusBadRequest},
		"a key, no token":     {"POST", "/key/reload", "", nil, http.StatusUnauthorized},
		"a key, by a page":    {"POST", "/key/reload", "", []string{"Authorization", bearer, "Origin", "http://evil.example"}, http.StatusForbidden},
		"no such page":        {"POST", "/sell", `{"reason":"x"}`, []string{"Authorization", bearer}, http.StatusNotFound},
	} {
		// Without a control behind it, anything that is let through panics.
		d := &door{token: token, cross: http.NewCrossOriginProtection()}
		if w := call(d, c.method, c.path, c.body, c.header...); w.Code != c.want {
			t.Errorf("%s: got %d %s, want %d", name, w.Code, w.Body, c.want)
		}
	}
	d := &door{token: token, cross: http.NewCrossOriginProtection()}
	for range doorAttempts {
		call(d, "POST", "/halt", "", "Authorization", "Bearer no")
	}
	if w := call(d, "POST", "/halt", `{}`, "Authorization", bearer); w.Code != http.StatusTooManyRequests {
		t.Errorf("after %d wrong tokens: got %d, want %d", doorAttempts, w.Code, http.StatusTooManyRequests)
	}
	if err := os.Chmod(filepath.Join(dir, tokenName), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := readToken(dir, false); err == nil || !strings.Contains(err.Error(), "0600") {
		t.Errorf("a token that others can read: %v, want an error", err)
	}
}

func TestRecordOfHaltsIsReadBackOrRefused(t *testing.T) {
	dir := t.TempDir()
	want := []haltEntry{{Scope: "all", Causes: []string{"killed", "loss limit"}, Who: "me", Why: "x", When: time.Unix(5, 0).UTC()},
		{Scope: "symbol", Name: "BTCUSDT", Causes: []string{"repeat throttle"}, Who: "gate", Why: "y", When: time.Unix(6, 0).UTC()}}
	if err := writeHalts(dir, want); err != nil {
		t.Fatal(err)
	}
	got, err := readHalts(dir)
	a, _ := json.Marshal(got)
	b, _ := json.Marshal(want)
	if err != nil || string(a) != string(b) {
		t.Errorf("got %s, %v, want %s", a, err, b)
	}
	if rest := without(got, risk.HaltKilled|risk.HaltRepeat); len(rest) != 1 || rest[0].causes() != risk.HaltLoss {
		t.Errorf("without two causes: %v, want the loss limit alone", rest)
	}
	for _, bad := range []string{"", "{", `[{"scope":"all","causes":["sulking"]}]`, `[{"scope":"room","causes":["killed"]}]`, `[{"scope":"all"}]`} {
		if err := os.WriteFile(filepath.Join(dir, haltName), []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readHalts(dir); err == nil {
			t.Errorf("%q was taken for a record", bad)
		}
	}
	if err := writeHalts(dir, nil); err != nil {
		t.Fatal(err)
	}
	if list, err := readHalts(dir); err != nil || len(list) != 0 {
		t.Errorf("after the last was lifted: %v, %v", list, err)
	}
}

// What the shard has told before it hears of a halt does not take the halt off the record,
// which is all that is left of it if the process dies now.
func TestAHaltStaysOnRecordWhileOlderNotesComeIn(t *testing.T) {
	dir := t.TempDir()
	d := &desk{cfg: &Config{Journal: JournalConfig{Dir: dir}}}
	c := newControl(d)
	onFile := func() risk.HaltCause {
		list, err := readHalts(dir)
		if err != nil {
			t.Fatal(err)
		}
		var all risk.HaltCause
		for i := range list {
			all |= list[i].causes()
		}
		return all
	}
	note := func(causes risk.HaltCause) {
		*c.halts.Claim() = engine.HaltNote{Causes: causes}
		c.halts.Publish()
		c.record()
	}
	if err := c.keepHalt(scopeKey{}, risk.HaltOperator, act{Who: "me", Why: "x"}); err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct{ told, want risk.HaltCause }{
		{0, risk.HaltOperator},
		{risk.HaltRejects, risk.HaltOperator | risk.HaltRejects},
		{risk.HaltRejects | risk.HaltOperator, risk.HaltOperator | risk.HaltRejects},
		{risk.HaltRejects, risk.HaltRejects},
		{0, 0},
	} {
		if note(step.told); onFile() != step.want {
			t.Errorf("after note %d, %q, the record holds %q, want %q", i, step.told, onFile(), step.want)
		}
	}
}

// Lower is in force at once; higher only after a second request, within its time, and
// both are on record.
func TestLimitsAreLoweredAtOnceAndRaisedInTwoSteps(t *testing.T) {
	d := running(t)
	defer d.end(t)
	set := func(symbol, key, value string) (string, error) {
		return tellEngine(d.cfg, "/limits", &order{Who: "me", Reason: "why not", Symbol: symbol, Set: map[string]string{key: value}})
	}
	in, _ := d.table.Lookup("BTCUSDT")
	text, err := set("BTCUSDT", "qty_max", "0.00001")
	if err != nil || !strings.Contains(text, "in force: BTCUSDT qty_max 0.00001") {
		t.Fatalf("lowering: %q, %v", text, err)
	}
	text, err = set("BTCUSDT", "qty_max", "0.02")
	id := strings.Fields(text + " none none")[1]
	if err != nil || !strings.Contains(text, "raises a limit: confirm it within 1m0s") {
		t.Fatalf("raising: %q, %v", text, err)
	}
	if got := d.control.limitsSet[in.ID].QtyMax; got != 1000 {
		t.Errorf("before the confirmation qty_max is %v", got)
	}
	if _, err := tellEngine(d.cfg, "/limits", &order{Who: "you", Reason: "yes", Confirm: "0123"}); err == nil {
		t.Error("another id was taken for a confirmation")
	}
	if text, err := tellEngine(d.cfg, "/limits", &order{Who: "you", Reason: "yes", Confirm: id}); err != nil || !strings.Contains(text, "in force: BTCUSDT qty_max 0.02") {
		t.Errorf("confirming: %q, %v", text, err)
	}
	if _, err := tellEngine(d.cfg, "/limits", &order{Who: "you", Reason: "yes", Confirm: id}); err == nil {
		t.Error("a confirmation was taken twice")
	}
	if _, err := set("", "gross_max", "99999"); err != nil {
		t.Fatal(err)
	}
	d.control.mu.Lock()
	d.control.proposed.until = time.Now().Add(-time.Second)
	late := d.control.proposed.id
	d.control.mu.Unlock()
	if _, err := tellEngine(d.cfg, "/limits", &order{Who: "you", Reason: "yes", Confirm: late}); err == nil || !strings.Contains(err.Error(), "older than") {
		t.Errorf("a late confirmation: %v", err)
	}
	for key, value := range map[string]string{"qty_max": "0", "stale_after": "9h", "open_max": "many", "notional_max": "1e9", "collar_bps": "-5"} {
		if text, err := set("BTCUSDT", key, value); err == nil || !strings.Contains(err.Error(), "limit change refused") {
			t.Errorf("%s = %s: %q, %v, want a refusal", key, value, text, err)
		}
	}
	if _, err := set("NOPE", "qty_max", "1"); err == nil {
		t.Error("a limit of no symbol was taken")
	}
	acts, err := os.ReadFile(filepath.Join(d.cfg.Journal.Dir, actsName))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{`"op":"limits","who":"me"`, `"op":"limits-proposed","who":"me"`, `"op":"limits","who":"you"`, "qty_max 0.02"} {
		if !strings.Contains(string(acts), part) {
			t.Errorf("the record %s does not tell %s", acts, part)
		}
	}
}

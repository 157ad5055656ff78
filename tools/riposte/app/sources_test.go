package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"riposte/core/signal"
)

const goodSource = `
[sources.tv]
kind = "webhook"
listen = "127.0.0.1:8787"
path = "/tv"
secret_file = "tv.key"
sizes = { BTCUSDT = "0.001" }
edge_bps = 40
[sources.tv.fields]
symbol = "ticker"
side = "side"
price = "close"
time = "time"
`

func withSource(t *testing.T, from, to string) []byte {
	t.Helper()
	if !strings.Contains(goodSource, from) {
		t.Fatalf("the source has no line %q", from)
	}
	return append([]byte(string(defaultTOML)), strings.Replace(goodSource, from, to, 1)...)
}

func TestBadSourcesAreNamed(t *testing.T) {
	if _, err := parseConfig("x", withSource(t, "", "")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ from, to, want string }{
		{`"webhook"`, `"mail"`, `sources.tv.kind is "mail", want one of webhook, websocket`},
		{`"webhook"`, "\"websocket\"\nurl = \"ws://example.com\"", "sources.tv.url is"},
		{`"webhook"`, "\"websocket\"\nurl = \"wss://example.com\"\nauth = \"hmac\"", `sources.tv.auth is "hmac", want one of none, body`},
		{`127.0.0.1:8787`, "8787", "sources.tv.listen"},
		{`127.0.0.1:8787`, "0.0.0.0:8787", "a loopback address behind a proxy"},
		{`"127.0.0.1:8787"`, "\"0.0.0.0:8787\"\nallow_remote = true\nauth = \"path\"", "a token would travel in the clear"},
		{`"/tv"`, `"tv"`, "sources.tv.path"},
		{`"/tv"`, `"/{x}"`, "sources.tv.path"},
		{`secret_file = "tv.key"`, "", "sources.tv.secret_file is missing"},
		{`secret_file = "tv.key"`, `secret = "hunter2hunter2hunter2"`, "secrets do not belong here"},
		{`sizes = { BTCUSDT = "0.001" }`, "", "sources.tv.sizes is missing"},
		{`sizes = { BTCUSDT = "0.001" }`, `sizes = { BTCUSDT = "0" }`, "sources.tv.sizes, BTCUSDT is 0, want more than 0"},
		{`sizes = { BTCUSDT = "0.001" }`, `sizes = { XRPUSDT = "1" }`, "sources.tv.sizes, XRPUSDT"},
		{`edge_bps = 40`, `edge_bps = -1`, "sources.tv.edge_bps is -1"},
		{`edge_bps = 40`, "age_max = \"10m\"", "sources.tv.replay_window is 5m0s, want at least 10m0s"},
		{`edge_bps = 40`, "mode = \"yolo\"", "sources.tv.mode"},
		{`edge_bps = 40`, "auth = \"body\"", "sources.tv.fields.proof is missing"},
		{`edge_bps = 40`, "when = \"type\"", "sources.tv.when and equals are given together"},
		{`edge_bps = 40`, "sides = { up = \"buy\", down = \"short\" }", `sources.tv.sides, down is "short", want one of buy, sell`},
		{`edge_bps = 40`, "symbols = { X = \"XRPUSDT\" }", "sources.tv.symbols, X"},
		{`edge_bps = 40`, "horizons = { D = \"48h\" }", "sources.tv.horizons, D is 48h0m0s"},
		{`edge_bps = 40`, "time_format = \"iso\"", "sources.tv.time_format"},
		{`symbol = "ticker"`, "", "sources.tv.fields.symbol is missing"},
		{`symbol = "ticker"`, `symbol = "a..b"`, `sources.tv.fields.symbol: got "a..b"`},
		{`[sources.tv]`, `[sources."T V"]`, "sources is"},
		{"[sources.tv.fields]", "[sources.tv.field]", "unknown keys"},
	} {
		_, err := parseConfig("test.toml", withSource(t, c.from, c.to))
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", c.to, err, c.want)
		}
	}
	for set, want := range map[string]string{"airlock.age_max=0s": "airlock.age_max", "airlock.drift_bps=-1": "airlock.drift_bps", "airlock.depth_times=0": "airlock.depth_times",
		"score.prior=2": "score.prior", "score.memory=1": "score.memory", `market.streams=["depth@100ms"]`: "held against the last trade"} {
		if _, err := parseConfig("test.toml", withSource(t, "", ""), set); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", set, err, want)
		}
	}
}

func TestScoresOutliveTheProcess(t *testing.T) {
	dir := t.TempDir()
	var a, b signal.Score
	a.Weigh, b.By[3] = signal.Tally{N: 12.5, Sum: 40}, signal.Tally{N: 3, Sum: -0.1}
	if err := writeScores(dir, []savedScore{{"a", a}, {"b", b}}); err != nil {
		t.Fatal(err)
	}
	got := make([]signal.Score, 3)
	if err := readScores(dir, []string{"b", "new", "a"}, got); err != nil || got[0] != b || got[1] != (signal.Score{}) || got[2] != a {
		t.Errorf("read as %+v, %v", got, err)
	}
	name := filepath.Join(dir, scoresName)
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{string(text[:len(text)/2]), strings.Replace(string(text), "12.5", "99.5", 1), "", "null"} {
		if err := os.WriteFile(name, []byte(bad), 0o600); err != nil {
			t.Fatal(err)
		}
		got := make([]signal.Score, 1)
		if err := readScores(dir, []string{"a"}, got); err == nil || got[0] != (signal.Score{}) || !strings.Contains(err.Error(), "scores begin anew") {
			t.Errorf("%.40q: read as %+v, %v, want nothing believed", bad, got, err)
		}
		if _, err := os.Stat(name + ".bad"); err != nil {
			t.Errorf("%.40q: what was damaged is not kept: %v", bad, err)
		}
	}
	if err := readScores(dir, []string{"a"}, got); err != nil {
		t.Errorf("without a file: %v", err)
	}
}

// The example that the built-in configuration shows is one that works.
func TestTheExampleOfASourceIsUsable(t *testing.T) {
	_, text, ok := strings.Cut(string(defaultTOML), "Example of a webhook:\n")
	text, _, ok2 := strings.Cut(text, "# And one to which we connect")
	if !ok || !ok2 {
		t.Fatal("the built-in configuration has no example of a source")
	}
	text = "\n" + strings.ReplaceAll("\n"+text, "\n#", "\n")
	c, err := parseConfig("x", append([]byte(string(defaultTOML)), text...))
	if err != nil {
		t.Fatal(err)
	}
	if s := c.Sources["tv"]; s.Fields.Horizon != "interval" || s.Sides["short"] != "sell" || s.Sizes["BTCUSDT"].e8 != 100_000 {
		t.Errorf("read as %+v", s)
	}
}

package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBuiltInConfigIsUsableAndComplete(t *testing.T) {
	c, err := loadConfig("")
	if err != nil {
		t.Fatal(err)
	}
	if !c.embedded() || len(c.traded()) != len(c.Market.Symbols) {
		t.Errorf("got environment %q trading %d of %d symbols, want the embedded venue and all of them",
			c.Venue.Environment, len(c.traded()), len(c.Market.Symbols))
	}
}

// edit changes one line of the built-in configuration.
func edit(t *testing.T, from, to string) []byte {
	t.Helper()
	if !bytes.Contains(defaultTOML, []byte(from)) {
		t.Fatalf("the built-in configuration has no line %q", from)
	}
	return bytes.Replace(defaultTOML, []byte(from), []byte(to), 1)
}

func TestBadConfigsAreNamedWithWhatWasFoundAndWanted(t *testing.T) {
	for _, c := range []struct{ name, from, to, want string }{
		{"unknown key", `seed = 1`, "sede = 1", "sede"},
		{"unknown keys are all shown", `seed = 1`, "sede = 1\ntaep = 2", "taep"},
		{"caret", `seed = 1`, "sede = 1", "~~~~"},
		{"environment", `environment = "sim"`, `environment = "prod"`, `venue.environment is "prod", want one of sim, testnet, demo, live`},
		{"live without acknowledgement", `environment = "sim"`, `environment = "live"`, `venue.acknowledge is "", want "real money is at risk"`},
		{"testnet without key", `environment = "sim"`, `environment = "testnet"`, `venue.key_file is ""`},
		{"half of the URLs", `rest = ""`, `rest = "http://127.0.0.1:1"`, "given together or not at all"},
		{"plain URL to a stranger", `stream = ""`, `stream = "ws://stream.example.com"`, "venue.stream"},
		{"duration", `recv_window = "2s"`, `recv_window = "2"`, `got "2", want a duration`},
		{"window too long", `recv_window = "2s"`, `recv_window = "61s"`, "venue.recv_window is 1m1s, want 10ms to 1m0s"},
		{"decimal", `qty_max = "0.01"`, `qty_max = "0.0.1"`, `got "0.0.1", want a decimal`},
		{"exponent", `qty_max = "0.01"`, `qty_max = 1e-2`, `got "1e-2", want a decimal`},
		{"strategy", `name = "quoter"`, `name = "qouter"`, `cannot find strategy "qouter", want one of quoter, reflex`},
		{"missing limits", `[limits.ETHBTC]`, `[limits.XYZ]`, "limits.ETHBTC is missing"},
		{"no depth", `streams = ["depth@100ms", `, `streams = [`, "without it there is no book"},
		{"symbol twice", `"LTCBTC", "ETHBTC"]`, `"LTCBTC", "LTCBTC"]`, `"LTCBTC" twice`},
		{"threads", `threads = "inline"`, `threads = "many"`, `loop.threads is "many"`},
		{"syntax", `[sim]`, `[sim`, "expected ']' to close table name"},
	} {
		_, err := parseConfig("test.toml", edit(t, c.from, c.to))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "test.toml") {
			t.Errorf("%s: got %v, want an error that names the file and holds %q", c.name, err, c.want)
		}
	}
}

func TestLimitsAreNeverInherited(t *testing.T) {
	_, err := parseConfig("x", []byte("[market]\nsymbols = [\"BTCUSDT\"]\n"))
	if err == nil || !strings.Contains(err.Error(), "limits.BTCUSDT is missing") {
		t.Errorf("got %v, want the missing limits named: a user's file must set its own", err)
	}
}

func TestConfigInitWritesWhatConfigCheckAccepts(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run([]string{"config", "init"}, &out, &errs); code != exitOK {
		t.Fatalf("config init: exit %d: %s", code, errs.String())
	}
	file := filepath.Join(t.TempDir(), "riposte.toml")
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	out.Reset()
	if code := run([]string{"config", "check", file}, &out, &errs); code != exitOK || !strings.Contains(out.String(), "is usable") {
		t.Errorf("config check: exit %d: %s%s", code, out.String(), errs.String())
	}
	if code := run([]string{"config", "check", file + ".none"}, &out, &errs); code != exitUsage {
		t.Errorf("missing file: exit %d, want %d", code, exitUsage)
	}
}

func FuzzConfig(f *testing.F) {
	f.Add(defaultTOML)
	f.Add([]byte("[limits.\"\"]\nqty_max = \"9e9\"\n"))
	f.Add([]byte("[strategy.params]\na = [1, {b = 2}]\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseConfig("fuzz", text)
		if (c == nil) == (err == nil) {
			t.Errorf("got config %v and error %v, want exactly one", c, err)
		}
	})
}

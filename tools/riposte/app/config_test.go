package app

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
		{"duration without unit", `recv_window = "2s"`, `recv_window = 2`, `got "2", want a duration`},
		{"decimal", `qty_max = "0.01"`, `qty_max = "0.0.1"`, `got "0.0.1", want a decimal`},
		{"exponent", `qty_max = "0.01"`, `qty_max = 1e-2`, `got "1e-2", want a decimal`},
		{"strategy", `name = "quoter"`, `name = "qouter"`, `cannot find strategy "qouter", want one of execution, follower, quoter, reflex`},
		{"missing limits", `[limits.ETHBTC]`, `[limits.XYZ]`, "limits.ETHBTC is missing"},
		{"no depth", `streams = ["depth@100ms", `, `streams = [`, "without it there is no book"},
		{"symbol twice", `"LTCBTC", "ETHBTC"]`, `"LTCBTC", "LTCBTC"]`, `"LTCBTC" twice`},
		{"threads", `threads = "inline"`, `threads = "many"`, `loop.threads is "many"`},
		{"admin for all", `address = ""`, `address = "0.0.0.0:6060"`, `admin.address is "0.0.0.0:6060", want a loopback address`},
		{"admin for all, unsaid", `address = ""`, `address = ":6060"`, `want a loopback address`},
		{"admin by name", `address = ""`, `address = "trading.example:6060"`, `want a loopback address`},
		{"admin without port", `address = ""`, `address = "127.0.0.1"`, `want host:port`},
		{"negative queue", `queue_events = 0`, `queue_events = -1`, `market.queue_events is -1, want 0 or 16 to 1048576`},
		{"window too large", `book_window = 0`, `book_window = 131072`, `market.book_window is 131072, want 0 or 1024 to 65536`},
		{"negative latency", `dump_over = "0s"`, `dump_over = "-1ms"`, `latency.dump_over is -1ms, want 0s to 1m0s`},
		{"negative factor", `dump_factor = 10.0`, `dump_factor = -1.0`, `latency.dump_factor is -1, want 0 or more than 1`},
		{"factor that is none", `dump_factor = 10.0`, `dump_factor = nan`, `latency.dump_factor is NaN`},
		{"no files", `dump_files = 10`, `dump_files = 0`, `latency.dump_files is 0, want 1 to 10000`},
		{"syntax", `[sim]`, `[sim`, "expected ']' to close table name"},
	} {
		_, err := parseConfig("test.toml", edit(t, c.from, c.to))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "test.toml") {
			t.Errorf("%s: got %v, want an error that names the file and holds %q", c.name, err, c.want)
		}
	}
}

func TestAdminMayBeRemoteOnlyIfThatIsSaid(t *testing.T) {
	c, err := parseConfig("x", edit(t, `address = ""`, `address = "0.0.0.0:6060"`), "admin.allow_remote=true")
	if err != nil || c.Admin.Address != "0.0.0.0:6060" {
		t.Errorf("got %v, want the address taken", err)
	}
}

func TestSetChangesOneKeyAndLeavesItsNeighbours(t *testing.T) {
	base, err := parseConfig("x", defaultTOML)
	if err != nil {
		t.Fatal(err)
	}
	c, err := parseConfig("x", defaultTOML, "loop.wait=spin", "loop.cpus=[1]", "venue.recv_window=3s", "limits.BTCUSDT.open_max=2",
		"limits.ETHUSDT.qty_max=0.5", `strategy.params.life_min="1s"`, "journal.dir=", "sim.tls = true")
	if err != nil {
		t.Fatal(err)
	}
	want := *base
	want.Loop.Wait, want.Loop.CPUs = "spin", []int{1}
	want.Venue.RecvWindow = duration{3 * time.Second}
	want.Limits = maps.Clone(base.Limits)
	btc, eth := want.Limits["BTCUSDT"], want.Limits["ETHUSDT"]
	btc.OpenMax, eth.QtyMax.e8 = 2, 50_000_000
	want.Limits["BTCUSDT"], want.Limits["ETHUSDT"] = btc, eth
	want.Strategy.Params = maps.Clone(base.Strategy.Params)
	want.Strategy.Params["life_min"] = "1s"
	want.Journal.Dir, want.Sim.TLS = "", true
	want.hash, want.texts, want.sets = c.hash, c.texts, c.sets
	if diff := cmp.Diff(&want, c, cmp.AllowUnexported(Config{}, MarketConfig{}, duration{}, quantity{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if c.hash == base.hash {
		t.Error("the journal cannot tell the run from one without --set")
	}
}

func TestBadSetsAreNamed(t *testing.T) {
	for set, want := range map[string]string{
		"loop.wait":                  "want KEY=VALUE",
		"=spin":                      "want KEY=VALUE",
		"loop.wait=spin\nsim.seed=2": "want KEY=VALUE",
		"loop.wiat=spin":             "unknown keys",
		"loop.wait=maybe":            `loop.wait is "maybe", want one of park, spin`,
		"loop.order_wires=-1":        "loop.order_wires is -1, want 1 to 64",
		"loop.order_wires=many":      "--set loop.order_wires: ", // not its value, which could be a secret
		"loop.timer=5":               "want a duration",
	} {
		if _, err := parseConfig("x", defaultTOML, set); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", set, err, want)
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

func TestFlightRecorderNeedsALimit(t *testing.T) {
	_, err := parseConfig("x", defaultTOML, "latency.flight_recorder=true", "latency.dump_factor=0")
	if err == nil || !strings.Contains(err.Error(), "want one of them") {
		t.Errorf("got %v, want a complaint that nothing would ever be written", err)
	}
}

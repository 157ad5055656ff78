package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"riposte/tools/tape"
)

// riposte runs a riposte command line in this process.
func riposte(t *testing.T, args ...string) (string, int) {
	t.Helper()
	code, out, errs := command(t, args...)
	return out + errs, code
}

// traded runs riposte with a journal and an input log, both in dir.
func traded(t *testing.T, dir string, args ...string) {
	t.Helper()
	out, code := riposte(t, append([]string{"run", "--for", "1s", "--set", "journal.dir=" + dir, "--set", "record.inputs=true"}, args...)...)
	if code != 0 {
		t.Fatalf("run: exit %d\n%s", code, out)
	}
}

// proveAgain replays a journal and returns what came of each run.
func proveAgain(t *testing.T, want int, args ...string) (runs []proof, all string) {
	t.Helper()
	out, code := riposte(t, append([]string{"replay", "--json", "--journal"}, args...)...)
	if code != want {
		t.Fatalf("replay %q: exit %d, want %d\n%s", args, code, want, out)
	}
	var got struct {
		Runs []proof `json:"runs"`
	}
	if err := json.NewDecoder(strings.NewReader(out)).Decode(&got); err != nil && want == 0 {
		t.Fatalf("%v\n%s", err, out)
	}
	return got.Runs, out
}

const severalTOML = `
[market]
symbols = ["BTCUSDT", "ETHUSDT", "BNBBTC"]
streams = ["depth@100ms", "bookTicker", "trade", "kline_1s"]

[bars]
intervals = ["1s"]

[signals.up]
on = "event"
when = "imbalance() > 0.3"
direction = "buy"
horizon = "100ms"

[strategies.one]
kind = "quoter"
symbols = ["BTCUSDT", "ETHUSDT"]

[strategies.two]
kind = "reflex"
symbols = ["ETHUSDT", "BNBBTC"]
rate_max = 5
rate_span = "1s"

[limits.BTCUSDT]
qty_max = "1"
notional_max = "100000"
position_max = "5"
[limits.ETHUSDT]
qty_max = "1"
notional_max = "100000"
position_max = "5"
[limits.BNBBTC]
qty_max = "100"
notional_max = "100"
position_max = "500"

[account]
currency = "USDT"
gross_max = "1000000"
loss_max = "10000"
drawdown_max = "10000"
`

// TestWhatRunsDecidedIsDecidedAgain runs several times on one journal, with the loop on
// one thread and on two, one strategy and several, and proves all of it.
func TestWhatRunsDecidedIsDecidedAgain(t *testing.T) {
	several := filepath.Join(t.TempDir(), "several.toml")
	if err := os.WriteFile(several, []byte(severalTOML), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, args := range map[string][]string{
		"quoter":  {"--set", "loop.threads=inline"},
		"reflex":  {"--set", "loop.threads=pinned", "--set", "strategy.name=reflex", "--set", "strategy.params={}"},
		"several": {"--config", several, "--set", "loop.threads=pinned", "--set", "market.snapshot_limit=50"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			traded(t, dir, args...)
			traded(t, dir, args...)
			runs, all := proveAgain(t, 0, dir)
			if len(runs) != 2 {
				t.Fatalf("%d runs were proved, want 2\n%s", len(runs), all)
			}
			again, _ := proveAgain(t, 0, dir)
			for i, p := range runs {
				if !p.Identical || p.Orders < 3 || p.Sent+p.Unsent != p.Orders || p.Refused != p.Refusals || p.Beyond != 0 || p.Ended != "ends in order" {
					t.Errorf("run %d: %+v, want orders, all of them sent or not, and all refusals counted", i, p)
				}
				if p.Hash != again[i].Hash || p.Inputs != again[i].Inputs {
					t.Errorf("run %d: a second replay has hash %s, the first %s", i, again[i].Hash, p.Hash)
				}
			}
		})
	}
}

// alteredConstants: the first decision that one changes is told of.
func alteredConstants(t *testing.T, dir string) {
	for set, want := range map[string]string{
		"limits.BTCUSDT.open_max=1":            "too many open orders: 1, want at most 1",
		"strategy.params.half_spread_bps=20.0": "they differ in Intent.Price",
		"account.rate_max=2":                   "message rate",
	} {
		out, code := riposte(t, "replay", "--journal", dir, "--set", set)
		if code != exitFailure || !strings.Contains(out, "DIFFERS at input") || !strings.Contains(out, want) || !strings.Contains(out, "the journal: record") {
			t.Errorf("%s: exit %d, want %d, a difference and %q\n%s", set, code, exitFailure, want, out)
		}
	}
	if _, code := riposte(t, "replay", "--journal", dir, "--set", "strategy.name=nobody"); code != exitUsage {
		t.Errorf("an impossible setting: exit %d, want %d", code, exitUsage)
	}
}

// TestAnInputLog trades once and tries what may become of the log.
func TestAnInputLog(t *testing.T) {
	dir := t.TempDir()
	traded(t, dir)
	for name, f := range map[string]func(*testing.T, string){"altered constants": alteredConstants, "cut off": cutOff, "damaged": damagedLogs, "unprovable": unprovable} {
		t.Run(name, func(t *testing.T) { f(t, dir) })
	}
}

// logCuts is how many places a log is cut at; 0 is every byte of it.
func logCuts(t *testing.T) int {
	n, err := strconv.Atoi(cmpOr(os.Getenv("RIPOSTE_CUTS"), "12"))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func cmpOr(s, or string) string {
	if s == "" {
		return or
	}
	return s
}

// cutOff is what a death leaves of a log: it proves up to there.
func cutOff(t *testing.T, dir string) {
	whole, _ := proveAgain(t, 0, dir)
	logs, err := tape.InputLogs(dir)
	if err != nil || len(logs) != 1 || len(logs[0]) != 1 {
		t.Fatal(logs, err)
	}
	text, err := os.ReadFile(logs[0][0])
	if err != nil {
		t.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	n, at := logCuts(t), 0
	if n == 0 {
		n = len(text)
	}
	last, partly := -1, 0
	for i := range n {
		if at = i; n < len(text) {
			at = rng.IntN(len(text))
		}
		cut := t.TempDir()
		if err := os.WriteFile(filepath.Join(cut, filepath.Base(logs[0][0])), text[:at], 0o644); err != nil {
			t.Fatal(err)
		}
		out, code := riposte(t, "replay", "--json", "--journal", dir, "--inputs", cut)
		if code == exitUsage && (strings.Contains(out, "no beginning") || strings.Contains(out, "cannot read tape")) {
			continue // before the end of its first block
		}
		var got struct{ Runs []proof }
		if err := json.NewDecoder(strings.NewReader(out)).Decode(&got); code != exitOK && code != exitPartly || err != nil || len(got.Runs) != 1 {
			t.Fatalf("cut at %d of %d: exit %d, %v\n%s", at, len(text), code, err, out)
		}
		p := &got.Runs[0]
		if !p.Identical || p.Decisions > whole[0].Decisions || p.Inputs > whole[0].Inputs {
			t.Fatalf("cut at %d of %d: %+v", at, len(text), p)
		}
		if p.Whole != (code == exitOK) || strings.Contains(p.Ended, "cut off") && p.Whole {
			t.Fatalf("cut at %d of %d: exit %d\n%+v", at, len(text), code, p)
		}
		partly += code / exitPartly
		last = max(last, p.Decisions)
	}
	if last < 0 || partly == 0 {
		t.Errorf("no cut left anything to prove")
	}
}

// linesOf are the texts of a log's lines; nil if they cannot be read to the end.
func linesOf(file string) (lines [][]byte) {
	err := tape.NewFiles(file).Each(func(l *tape.Line) error {
		lines = append(lines, bytes.Clone(l.Payload))
		return nil
	})
	if err != nil {
		return nil
	}
	return lines
}

// damagedLogs prove nothing, unless the damage hit a bit that carries nothing: two ways
// to pack the same lines.
func damagedLogs(t *testing.T, dir string) {
	logs, err := tape.InputLogs(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(logs[0][0])
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []int{60, len(text) / 3, len(text) / 2, len(text) - 10} {
		damaged := t.TempDir()
		b := bytes.Clone(text)
		b[at] ^= 0x10
		file := filepath.Join(damaged, filepath.Base(logs[0][0]))
		if err := os.WriteFile(file, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if slices.EqualFunc(linesOf(file), linesOf(logs[0][0]), bytes.Equal) {
			continue
		}
		if out, code := riposte(t, "replay", "--journal", dir, "--inputs", damaged); code == exitOK || code == exitPartly && !strings.Contains(out, "cut off") {
			t.Errorf("a byte changed at %d of %d: exit %d\n%s", at, len(text), code, out)
		}
	}
}

// unprovable: what cannot be proved is said.
func unprovable(t *testing.T, other string) {
	dir := t.TempDir()
	if out, code := riposte(t, "run", "--for", "500ms", "--set", "journal.dir="+dir); code != 0 {
		t.Fatal(out)
	}
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"--journal", dir}, exitNoLog, "no input log in"},
		{[]string{"--journal", dir, "--inputs", other}, exitNoLog, "of a run of this journal"},
		{[]string{"--journal", dir, "--epoch", "9"}, exitUsage, "--epoch is 9, want a run of the journal"},
		{[]string{"--journal", t.TempDir()}, exitUsage, "no run in the journal"},
		{[]string{"--journal", dir, "some.tsv"}, exitUsage, "not both"},
		{nil, exitUsage, "want recordings to replay, or --journal"},
	} {
		out, code := riposte(t, append([]string{"replay"}, c.args...)...)
		if code != c.code || !strings.Contains(out, c.want) {
			t.Errorf("%q: exit %d, want %d and %q\n%s", c.args, code, c.code, c.want, out)
		}
	}
	if _, err := parseConfig("x", []byte(fmt.Sprintf("%s\n", defaultTOML)), "record.inputs=true", "journal.dir="); err == nil || !strings.Contains(err.Error(), "record.inputs") {
		t.Errorf("got %v, want an error about a log without a folder", err)
	}
}

// Of several findings a script has to hear of the worst.
func TestAProofExitsWithItsWorstFinding(t *testing.T) {
	same := &proof{Epoch: 1, Identical: true, Whole: true}
	holed := &proof{Epoch: 2, Identical: true, Ended: "ends in a hole"}
	other := &proof{Epoch: 3}
	for _, c := range []struct {
		proofs  []*proof
		without []uint64
		code    int
		says    string
	}{
		{[]*proof{same}, nil, exitOK, ""},
		{[]*proof{same, holed}, nil, exitPartly, "the log of run 2 ends in a hole"},
		{[]*proof{holed, same}, []uint64{7}, exitNoLog, "run 7 has no input log"},
		{[]*proof{holed, other}, []uint64{7}, exitFailure, "the replay differs from run 3"},
	} {
		err := verdict(c.proofs, c.without)
		if code := exitCode(err); code != c.code || err != nil && !strings.Contains(err.Error(), c.says) {
			t.Errorf("got exit %d, %v; want %d, %q", code, err, c.code, c.says)
		}
	}
}

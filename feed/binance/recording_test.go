package binance

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"riposte/core"
)

// dataDir is the folder of recordings, "" if there is none: RIPOSTE_DATA, or
// ../shared/data beside the repository.
func dataDir(t testing.TB) string {
	dir := os.Getenv("RIPOSTE_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "expected.json")); err != nil {
		t.Logf("no recordings at %s: left out what needs them", dir)
		return ""
	}
	return dir
}

// record is one line of a recording.
type record struct {
	kind    string // "ws", "ws:<label>" or "rest:<path>"
	payload []byte
}

// readRecords reads a recording; the payloads are the caller's.
func readRecords(t testing.TB, path string) (out []record) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	sc := bufio.NewScanner(z)
	sc.Buffer(nil, 64<<20)
	for sc.Scan() {
		parts := bytes.SplitN(sc.Bytes(), []byte{'\t'}, 3)
		if len(parts) != 3 {
			t.Fatalf("%s: got a line of %d fields, want 3", path, len(parts))
		}
		out = append(out, record{string(parts[1]), bytes.Clone(parts[2])})
	}
	if err := sc.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// frames are the WebSocket frames among records.
func frames(rs []record) (out [][]byte) {
	for _, r := range rs {
		if r.kind == "ws" {
			out = append(out, r.payload)
		}
	}
	return out
}

// goldenFrames are the committed frames of testdata/frames.txt.
func goldenFrames(t testing.TB) (out [][]byte) {
	t.Helper()
	b, err := os.ReadFile("testdata/frames.txt")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && line[0] != '#' {
			out = append(out, []byte(line))
		}
	}
	return out
}

// testInstruments is a table of the symbols of the recordings and of testdata.
func testInstruments(t testing.TB) *core.Instruments {
	t.Helper()
	tab := core.NewInstruments()
	for _, s := range []string{"BTCUSDT", "ETHUSDT", "NKNUSDT", "BLZETH", "LRCBTC", "RUNEEUR", "SUSHIUSDT", "AKROUSDT", "KEEPUSDT", "CTKUSDT",
		"BNBBTC", "BNBUSDT", "BTCUSD_PERP", "ACHUSDT", "币安人生USDT", "１２３４５６"} {
		if _, err := tab.Add(core.Instrument{Symbol: s}); err != nil {
			t.Fatal(err)
		}
	}
	return tab
}

func testSymbols(t testing.TB) *Symbols {
	t.Helper()
	s, err := NewSymbols(testInstruments(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// noRaw is a combined socket.
var noRaw = Raw{Instrument: core.NoInstrument}

package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	recording "riposte/tools/tape"
	"riposte/tools/venue/exchange"
	"riposte/tools/venue/exchange/tape"
)

// dataDir is where the recordings lie, "" if this clone has none beside it.
func dataDir(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("RIPOSTE_DATA")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "..", "shared", "data")
	}
	if _, err := os.Stat(filepath.Join(dir, "expected.json")); err != nil {
		t.Logf("no recordings (%v): only tapes that the venue writes from a seed are replayed", err)
		return ""
	}
	return dir
}

// replayJSON runs the command and returns its output as generic JSON.
func replayJSON(t *testing.T, args ...string) map[string]any {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(append([]string{"replay", "--json"}, args...), &out, &errs); code != exitOK {
		t.Fatalf("replay %v: exit %d: %s", args, code, errs.String())
	}
	var v map[string]any
	if err := json.Unmarshal(out.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// reference is one recording's part of expected.json.
type reference struct {
	Files    []string       `json:"files"`
	Frames   float64        `json:"ws_frames"`
	Bytes    float64        `json:"ws_bytes"`
	Messages map[string]any `json:"messages"`
	Books    map[string]any `json:"books"`
}

func TestReplayGivesTheReferenceResultHoweverTheBytesAreCut(t *testing.T) {
	dir := dataDir(t)
	if dir == "" {
		return // the venue's own tapes are replayed by the test below
	}
	text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var refs map[string]reference
	if err := json.Unmarshal(text, &refs); err != nil {
		t.Fatal(err)
	}
	for name, ref := range refs {
		var files []string
		for _, f := range ref.Files {
			files = append(files, filepath.Join(dir, "streams", f))
		}
		for _, cut := range []string{"", "1", "2"} {
			t.Run(name+"/cut="+cut, func(t *testing.T) {
				args := files
				if cut != "" {
					args = append([]string{"--cut", cut}, files...)
				}
				got := replayJSON(t, args...)
				if got["frames"] != ref.Frames || got["bytes"] != ref.Bytes {
					t.Errorf("got %v frames, %v bytes; want %v, %v", got["frames"], got["bytes"], ref.Frames, ref.Bytes)
				}
				books := got["books"].(map[string]any)
				for _, b := range books {
					if state := b.(map[string]any)["state"]; state != "live" {
						t.Errorf("state is %v, want live", state)
					}
					delete(b.(map[string]any), "state") // ours, not the reference's
				}
				if diff := cmp.Diff(ref.Books, books); diff != "" {
					t.Errorf("books differ from the reference (-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(ref.Messages, got["messages"]); diff != "" {
					t.Errorf("messages differ from the reference (-want +got):\n%s", diff)
				}
			})
		}
	}
}

func TestReplayOfASeededTapeGivesTheVenuesTrueBook(t *testing.T) {
	for seed := uint64(1); seed <= 3; seed++ {
		file, expected := seededTape(t, seed)
		for _, cut := range []string{"-1", "7"} {
			got := replayJSON(t, "--cut="+cut, file)
			if int(got["frames"].(float64)) != expected.Frames {
				t.Errorf("seed %d: got %v frames, want %d", seed, got["frames"], expected.Frames)
			}
			for sym, want := range expected.Books {
				var wantFields map[string]any
				text, err := json.Marshal(want)
				if err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(text, &wantFields); err != nil {
					t.Fatal(err)
				}
				book := got["books"].(map[string]any)[sym].(map[string]any)
				// Before its first bookTicker frame a client has nothing to compare
				// with, where the venue has: only disagreement counts.
				delete(wantFields["bookTicker_check"].(map[string]any), "match")
				delete(book["bookTicker_check"].(map[string]any), "match")
				for field, v := range wantFields {
					if diff := cmp.Diff(v, book[field]); diff != "" {
						t.Errorf("seed %d, cut %s, %s, %s differs (-want +got):\n%s", seed, cut, sym, field, diff)
					}
				}
			}
		}
	}
}

func TestReplayWithoutASnapshotStaysSyncing(t *testing.T) {
	file, _ := seededTape(t, 2)
	var frames bytes.Buffer
	err := recording.Each(func(l *recording.Line) error {
		if l.Frame() {
			fmt.Fprintf(&frames, "%d\tws\t%s\n", l.RecvNs, l.Payload)
		}
		return nil
	}, file)
	if err != nil {
		t.Fatal(err)
	}
	bare := filepath.Join(t.TempDir(), "bare.tsv")
	if err := os.WriteFile(bare, frames.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	books := replayJSON(t, bare)["books"].(map[string]any)
	if len(books) == 0 {
		t.Error("got no book at all, want each symbol's, syncing")
	}
	for sym, b := range books {
		if state := b.(map[string]any)["state"]; state != "syncing" {
			t.Errorf("%s: state is %v, want syncing", sym, state)
		}
	}
}

func TestReplayRefusesWhatIsNoTape(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.tsv")
	if err := os.WriteFile(bad, []byte("1\tws\t{}\nnot a line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{
		bad:                        "line 2 has 0 tabs",
		filepath.Join(dir, "none"): "cannot open the tape",
		"--market=margin " + bad:   "--market",
		"--speed=fast " + bad:      "--speed",
	} {
		var out, errs bytes.Buffer
		code := run(append([]string{"replay"}, strings.Fields(args)...), &out, &errs)
		if code != exitUsage || !strings.Contains(errs.String(), want) {
			t.Errorf("replay %s: exit %d, %q; want %d and %q", args, code, errs.String(), exitUsage, want)
		}
	}
}

// seededTape writes a tape from the venue's agents and returns its name and what a
// correct client ends with.
func seededTape(t *testing.T, seed uint64) (string, *tape.Expected) {
	t.Helper()
	symbols, err := exchange.BuiltinSymbols("BTCUSDT", "LTCBTC")
	if err != nil {
		t.Fatal(err)
	}
	var buf bytes.Buffer
	want, err := tape.Write(&buf, tape.Options{Seed: seed, Duration: 20_000_000, Symbols: symbols})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), fmt.Sprintf("seed%d.tsv.gz", seed))
	if err := os.WriteFile(file, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return file, want
}

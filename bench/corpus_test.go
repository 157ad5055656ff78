package bench

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// corpus is Load for tests: what exists only as a recording is skipped where there
// are none. What was left out is said; for benchmarks TestMain says it.
func corpus(t testing.TB, name string) *Corpus {
	t.Helper()
	c, err := Load(name)
	if errors.Is(err, ErrNoCorpus) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, test := t.(*testing.T); test && !c.Recorded {
		t.Logf("left out what needs the recordings: corpus %s", c)
	}
	return c
}

// TestMain says in front of benchmark results what they were measured on, as a
// configuration line that benchstat understands.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.bench"); f != nil && f.Value.String() != "" {
		for _, name := range []string{Spot, Linear, Multi} {
			c, err := Load(name)
			if err != nil {
				fmt.Printf("corpus-%s: none, %v\n", name, err)
				continue
			}
			fmt.Printf("corpus-%s: %s\n", name, c)
		}
	}
	goleak.VerifyTestMain(m)
}

func TestCorpusHoldsTheFramesByteForByte(t *testing.T) {
	dir, err := DataDir()
	if err != nil {
		t.Skip(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "expected.json"))
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]struct {
		Frames int    `json:"ws_frames"`
		Bytes  int    `json:"ws_bytes"`
		Sum    string `json:"ws_payloads_sha256"`
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	for name, r := range recordings {
		c := corpus(t, name)
		h := sha256.New()
		for i := range c.Lines {
			if f := c.Lines[i].Frame; f != nil {
				h.Write(f)
				h.Write([]byte{'\n'})
			}
		}
		w, sum := want[r.key], hex.EncodeToString(h.Sum(nil))
		// The reference has no sum for two files that are one stream.
		if w.Sum != "" && sum != w.Sum || w.Frames != 0 && c.Frames != w.Frames || w.Bytes != 0 && c.Bytes != w.Bytes {
			t.Errorf("%s: got %d frames, %d bytes, %s, want %+v", name, c.Frames, c.Bytes, sum, w)
		}
	}
}

func TestCorpusFromASeedIsTheSameEachTime(t *testing.T) {
	a, err := write("spot")
	if err != nil {
		t.Fatal(err)
	}
	b, err := write("spot")
	if err != nil {
		t.Fatal(err)
	}
	if a.Recorded || a.Frames == 0 || a.String() != b.String() || len(a.Lines) != len(b.Lines) {
		t.Fatalf("got %s and %s, want the same, not recorded", a, b)
	}
	for i := range a.Lines {
		if string(a.Lines[i].Frame) != string(b.Lines[i].Frame) {
			t.Fatalf("line %d differs", i)
		}
	}
}

func TestUnknownCorpusIsNamed(t *testing.T) {
	if _, err := Load("nope"); err == nil || errors.Is(err, ErrNoCorpus) {
		t.Fatalf("got %v, want an error that names the corpora there are", err)
	}
}

func TestMachineLineSaysWhereANumberComesFrom(t *testing.T) {
	m := ThisMachine()
	if _, err := time.Parse("2006-01-02T15:04:05Z", m.Date); err != nil || m.CPU == "" || m.CPUs < 1 || m.Commit == "" || m.Go == "" {
		t.Fatalf("got %+v (%v), want every field", m, err)
	}
}

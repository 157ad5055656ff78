package venue

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"riposte/tools/venue/exchange/tape"
)

// tapeFile is the recorded BTCUSDT of 2024-08-08, or without the recordings a tape written from a seed.
func tapeFile(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("RIPOSTE_DATA")
	if dir == "" {
		dir = "../../../shared/data"
	}
	path := filepath.Join(dir, "streams", "spot_btcusdt_20240808.tsv.gz")
	if _, err := os.Stat(path); err == nil {
		return path
	}
	t.Log("no recordings: playing a tape written from a seed; what real order flow does is left out")
	path = filepath.Join(t.TempDir(), "tape.tsv.gz")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tape.Write(f, tape.Options{Seed: 1}); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestATapeIsTheMarketAndOurOrdersMatchAgainstIt(t *testing.T) {
	file := tapeFile(t)
	s := venueOf(t, func(c *Config) { c.Tape, c.TapeLoop, c.Symbols = []string{file}, true, nil })
	c := restOf(t, s)
	k := dial(t, s.Stream()+"/ws/btcusdt@depth@100ms")
	list := depthFrames(t, k, 5)
	book := snapshotOf(t, c, "BTCUSDT")
	for _, m := range append(list, depthFrames(t, k, 20)...) {
		if !book.apply(t, m) {
			t.Fatalf("gap after %d", book.id)
		}
	}
	truth, err := s.BookAt("BTCUSDT", book.id)
	if err != nil {
		t.Fatal(err)
	}
	if d := book.differs(t, truth); d != "" {
		t.Errorf("at %d: %s", book.id, d)
	}
	var taken struct {
		Status string
		Fills  []json.RawMessage
	}
	c.signed("POST", "/api/v3/order", "symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.001").into(t, &taken)
	if taken.Status != "FILLED" || len(taken.Fills) == 0 {
		t.Errorf("got %+v, want a fill against the recording", taken)
	}
}

func TestAMissingTapeIsNamed(t *testing.T) {
	if s, err := Start(t.Context(), Config{Tape: []string{"nowhere.tsv.gz"}}); err == nil {
		_ = s.Close()
		t.Error("got a venue without its tape")
	}
}

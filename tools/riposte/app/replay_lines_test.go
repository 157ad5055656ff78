package app

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"

	"riposte/tools/tape"
)

// linesTape writes a recording of ours from another tape: each frame comes on every
// line, 1 ms apart, unless lost says that the line lost that depth event.
func linesTape(t *testing.T, from string, lines int, lost func(line, depth int) bool) string {
	t.Helper()
	var buf bytes.Buffer
	w, err := tape.NewWriter(&buf)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Note(1, tape.NoteMeta, []byte(`{"recording":1,"market":"spot","time_unit":"ms"}`)); err != nil {
		t.Fatal(err)
	}
	type late struct {
		at      int64
		payload []byte
	}
	var second []late // what the other line has yet to bring
	flush := func(until int64) {
		for len(second) > 0 && second[0].at <= until {
			if err := w.Frame(second[0].at, "1", second[0].payload); err != nil {
				t.Fatal(err)
			}
			second = second[1:]
		}
	}
	depth := 0
	err = tape.Each(func(l *tape.Line) error {
		flush(l.RecvNs)
		if !l.Frame() {
			return w.REST(l.RecvNs, l.Rest, l.Payload)
		}
		isDepth := bytes.Contains(l.Payload, []byte(`"depthUpdate"`))
		if isDepth {
			depth++
		}
		if lines > 1 && (!isDepth || !lost(1, depth)) {
			second = append(second, late{l.RecvNs + 1e6, bytes.Clone(l.Payload)})
		}
		if isDepth && lost(0, depth) {
			return nil
		}
		return w.Frame(l.RecvNs, "0", l.Payload)
	}, from)
	flush(1<<63 - 1)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), strconv.Itoa(lines)+".tsv.zst")
	if err := os.WriteFile(name, buf.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestReplayJoinsTheLinesOfARecordingAsTheFeedDoes(t *testing.T) {
	from, _ := seededTape(t, 3)
	whole := replayJSON(t, linesTape(t, from, 1, func(int, int) bool { return false }))
	two := replayJSON(t, linesTape(t, from, 2, func(line, depth int) bool { return depth > 20 && depth%11 == 3+4*line }))
	for _, field := range []string{"books", "messages"} {
		if diff := cmp.Diff(whole[field], two[field]); diff != "" {
			t.Errorf("%s of two lines with losses differ from one whole line's (-one +two):\n%s", field, diff)
		}
	}
	for sym, b := range two["books"].(map[string]any) {
		if b := b.(map[string]any); b["gaps"] != 0.0 || b["state"] != "live" {
			t.Errorf("%s: %v gaps, state %v; want 0 and live", sym, b["gaps"], b["state"])
		}
	}
	if n, _ := two["copies"].(float64); n < 100 {
		t.Errorf("got %v copies, want one of nearly each event", n)
	}
}

func TestReplayTellsAGapThatBothLinesHaveAtItsFirstEvent(t *testing.T) {
	from, _ := seededTape(t, 3)
	lost := func(_, depth int) bool { return depth == 50 }
	one := replayJSON(t, linesTape(t, from, 1, lost))
	two := replayJSON(t, linesTape(t, from, 2, lost))
	if diff := cmp.Diff(one["books"], two["books"]); diff != "" {
		text, _ := json.Marshal(two["books"])
		t.Errorf("books differ from those of one line with the same loss (-one +two):\n%s\n%s", diff, text)
	}
	gaps := 0.0
	for _, b := range two["books"].(map[string]any) {
		gaps += b.(map[string]any)["gaps"].(float64)
	}
	if gaps != 1 {
		t.Errorf("got %v gaps, want 1", gaps)
	}
}

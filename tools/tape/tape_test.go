package tape

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const sample = "17\tws\t{\"a\":1}\n\trest:/api/v3/depth?symbol=BTCUSDT&limit=5\t{}\n18\tws:spot\tx\n"

func read(t *testing.T, r *Reader) (lines []string, err error) {
	t.Helper()
	var l Line
	for {
		if err = r.Next(&l); err != nil {
			return lines, err
		}
		lines = append(lines, l.Rest+"|"+l.Symbol()+"|"+string(l.Payload))
	}
}

func TestReadsPlainAndGzipAlike(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write([]byte(sample))
	w.Close()
	want := `||{"a":1} /api/v3/depth?symbol=BTCUSDT&limit=5|BTCUSDT|{} ||x`
	for name, src := range map[string]io.Reader{"plain": strings.NewReader(sample), "gzip": &z} {
		r, err := NewReader(name, src)
		if err != nil {
			t.Fatal(err)
		}
		lines, err := read(t, r)
		if got := strings.Join(lines, " "); got != want || !errors.Is(err, io.EOF) {
			t.Errorf("%s: got %q, %v; want %q and EOF", name, got, err, want)
		}
	}
}

func TestBadLinesAreNamed(t *testing.T) {
	for text, want := range map[string]string{
		"17\tws":          "tape x: line 1 has 1 tabs in it, want recv_ns, kind and payload",
		"a\tws\t{}":       `line 1 has receive time "a", want Unix nanoseconds`,
		"\tws\t{}\n\tq\t": `line 2 has kind "q", want ws, ws:label, rest:path?query`,
		"\trest:\t{}":     `line 1 has kind "rest:"`,
	} {
		r, err := NewReader("x", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := read(t, r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want an error with %q", text, err, want)
		}
	}
}

func TestCutGzipIsAnErrorAndNotAnEnd(t *testing.T) {
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write([]byte(strings.Repeat(sample, 1000)))
	w.Close()
	file := filepath.Join(t.TempDir(), "cut.tsv.gz")
	if err := os.WriteFile(file, z.Bytes()[:z.Len()/2], 0o600); err != nil {
		t.Fatal(err)
	}
	err := Each(func(*Line) error { return nil }, file)
	if err == nil || !strings.Contains(err.Error(), "cannot read tape "+file) {
		t.Errorf("got %v, want an error that names the tape", err)
	}
	if err := Each(func(*Line) error { return nil }, file+".none"); err == nil {
		t.Error("missing tape: got nil, want an error")
	}
}

func FuzzTape(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("\t\t"))
	f.Add([]byte{0x1f, 0x8b, 8, 0})
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := NewReader("fuzz", bytes.NewReader(text))
		if err != nil {
			return
		}
		if _, err := read(t, r); err == nil {
			t.Error("reading ended without io.EOF or an error")
		}
	})
}

package app

import (
	"archive/zip"
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportedHistoryIsReplayed makes one recording of trades, in milliseconds, and
// klines, in microseconds.
func TestImportedHistoryIsReplayed(t *testing.T) {
	dir := t.TempDir()
	put := func(name, text string) string {
		path := filepath.Join(dir, name)
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		z := zip.NewWriter(f)
		w, err := z.Create(strings.Replace(name, ".zip", ".csv", 1))
		if err == nil {
			_, err = fmt.Fprint(w, text)
		}
		if err != nil || z.Close() != nil || f.Close() != nil {
			t.Fatal(err)
		}
		return path
	}
	trades := put("BTCUSDT-trades-2025-01-31.zip", "10,100.1,1,100.1,1738281600003,true,true\n11,100.2,2,200.4,1738281659990,false,true\n")
	klines := put("BTCUSDT-1m-2025-01-31.zip", "1738281600000000,100.1,100.2,100.1,100.2,3,1738281659999999,300.5,2,2,200.4,0\n")
	out := filepath.Join(dir, "out.tsv.zst")
	var stdout, stderr bytes.Buffer
	if code := run([]string{"import", "--out", out, klines, trades}, &stdout, &stderr); code != exitOK || !strings.Contains(stdout.String(), "3 lines in") {
		t.Fatalf("exit %d: %s%s", code, stdout.String(), stderr.String())
	}
	stdout.Reset()
	if code := run([]string{"replay", "--json", out}, &stdout, &stderr); code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	for _, want := range []string{`"frames": 3`, `"trade": {`, `"kline": {`} {
		if !strings.Contains(stdout.String(), want) {
			t.Errorf("got %s, want %s in it", stdout.String(), want)
		}
	}
	if code := run([]string{"import", "--out", out, trades}, &stdout, &stderr); code != exitUsage || !strings.Contains(stderr.String(), "file exists") {
		t.Errorf("importing over a file: exit %d, %s", code, stderr.String())
	}
}

func TestFailedImportLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	bad := filepath.Join(dir, "bad.tsv")
	if err := os.WriteFile(bad, []byte("1\tws\t{}\n2\tnothing\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out.tsv.zst")
	var stdout, stderr bytes.Buffer
	if code := run([]string{"import", "--out", out, bad}, &stdout, &stderr); code == exitOK || !strings.Contains(stderr.String(), "bad.tsv: line 2") {
		t.Errorf("exit %d, %s", code, stderr.String())
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("half of an import is left: %v", err)
	}
}

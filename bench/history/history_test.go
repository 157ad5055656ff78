package history

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOutputIsKeptWholeOrNotAtAll(t *testing.T) {
	dir := t.TempDir()
	list := func() []string {
		names, err := filepath.Glob(filepath.Join(dir, "*"))
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	f, err := create(dir, "stages", false, []string{"go", "test"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("half of it")); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(false); err != nil || len(list()) != 0 {
		t.Fatalf("got %v and files %v, want nothing kept of a run that failed", err, list())
	}
	for i, text := range []string{"first\n", "second\n"} {
		f, err := create(dir, "stages", i > 0, []string{"go", "test"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(true); err != nil {
			t.Fatal(err)
		}
	}
	names := list()
	if len(names) != 1 || !strings.HasSuffix(names[0], "-stages.txt") {
		t.Fatalf("got files %v, want one that ends in -stages.txt", names)
	}
	text, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"date: ", "commit: ", "machine: ", "kernel: ", "governor: ", "load: ", "go: go", "gomaxprocs: ", "corpus: ", "command: go test\n", "first\n", "second\n"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("output has no %q:\n%s", want, text)
		}
	}
}

func TestNamesThatAreNoneAreRefused(t *testing.T) {
	for _, name := range []string{"", "../x", "a b", "X"} {
		if _, err := create(t.TempDir(), name, false, nil); err == nil {
			t.Errorf("name %q was taken", name)
		}
	}
}

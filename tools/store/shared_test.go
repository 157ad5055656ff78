package store

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

type counters struct{ n [4]atomic.Int64 }

func shared(t *testing.T, path string, slots int) *Shared[counters] {
	t.Helper()
	s, err := OpenShared[counters](path, slots)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if s.Value != nil {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return s
}

func TestWhatOneStoresTheOtherLoads(t *testing.T) {
	path := filepath.Join(t.TempDir(), "place", "use")
	a, b := shared(t, path, 4), shared(t, path, 4)
	a.Value.n[2].Store(7)
	b.Value.n[2].Add(1)
	if got := a.Value.n[2].Load(); got != 8 {
		t.Errorf("got %d, want 8", got)
	}
	if a.Slot == b.Slot || a.Slot < 0 || b.Slot < 0 {
		t.Errorf("got slots %d and %d, want two", a.Slot, b.Slot)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	if got := b.Value.n[2].Load(); got != 8 {
		t.Errorf("got %d after the other left, want 8", got)
	}
	if c := shared(t, path, 4); c.Slot != a.Slot || c.Value.n[2].Load() != 8 {
		t.Errorf("got slot %d and %d, want the free slot %d and 8", c.Slot, c.Value.n[2].Load(), a.Slot)
	}
}

func TestNoMoreProcessesShareThanThereAreSlots(t *testing.T) {
	path := filepath.Join(t.TempDir(), "place", "use")
	shared(t, path, 2)
	shared(t, path, 2)
	if _, err := OpenShared[counters](path, 2); err == nil || !strings.Contains(err.Error(), "want at most 2") {
		t.Errorf("got %v, want that there are at most 2", err)
	}
}

// A process that is killed leaves its count behind, and its slot free.
func TestASlotComesBackWithTheDeathOfItsProcess(t *testing.T) {
	path := filepath.Join(t.TempDir(), "place", "use")
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+path, childDoes+"=share")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "open\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}
	a := shared(t, path, 4)
	if a.Value.n[0].Load() != 5 || slices.Contains(a.Left, 0) || a.Slot == 0 {
		t.Fatalf("got %d, slot %d, left %v beside a living process in slot 0, want its 5", a.Value.n[0].Load(), a.Slot, a.Left)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed
	_ = in.Close()
	if b := shared(t, path, 4); b.Value.n[0].Load() != 5 || b.Slot != 0 {
		t.Errorf("got %d and slot %d after its death, want 5 and slot 0", b.Value.n[0].Load(), b.Slot)
	}
}

// shareChild holds slot 0 until it dies.
func shareChild(path string) error {
	s, err := OpenShared[counters](path, 4)
	if err != nil {
		return err
	}
	s.Value.n[s.Slot].Store(5)
	if _, err := os.Stdout.WriteString("open\n"); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func TestAFileOfAnEarlierBootOrOfRubbishBeginsAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "place", "use")
	s := shared(t, path, 4)
	s.Value.n[1].Store(9)
	name := s.file.Name()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for what, text := range map[string]string{"earlier boot": strings.Repeat("x", 36), "rubbish": ""} {
		f, err := os.OpenFile(name, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		if text == "" {
			err = f.Truncate(3)
		} else {
			_, err = f.WriteAt([]byte(text), 16)
		}
		if err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
		s := shared(t, path, 4)
		if got := s.Value.n[1].Load(); got != 0 {
			t.Errorf("%s: got %d, want 0", what, got)
		}
		s.Value.n[1].Store(9)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFolderThatOthersMayWriteToIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "open")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenShared[counters](filepath.Join(dir, "use"), 4); err == nil || !strings.Contains(err.Error(), "mode 777") {
		t.Errorf("got %v, want that its mode is named", err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenShared[counters](filepath.Join(link, "use"), 4); err == nil {
		t.Error("a folder behind a symbolic link was taken")
	}
}

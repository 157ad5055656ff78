package store

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"riposte/core"
	"riposte/core/journal"
)

// The tests here run this program again as a child that keeps a journal and dies.
const (
	childDir  = "RIPOSTE_STORE_CHILD_DIR"
	childDoes = "RIPOSTE_STORE_CHILD_DOES"
)

// childOrders is how many orders a child notes before it dies: into the second window.
const childOrders = chunkMost/200 + 1000

func child(dir, does string) error {
	if does == "share" {
		return shareChild(dir)
	}
	if does == "fill" {
		// A disk of our own, too small for a second window.
		if err := unix.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%d", chunkMost+4*spill)); err != nil {
			return fmt.Errorf("%s: %w", noMount, err)
		}
	}
	j, err := OpenJournal(dir, table(new(testing.T)), clock(), &Session{Version: "v"})
	if err != nil {
		return err
	}
	if does == "fill" {
		n, err := 0, error(nil)
		for ; err == nil && n < 1<<20; n++ {
			err = j.Sent(sent(core.OrderID(n + 1)))
		}
		list, rerr := readKinds(j.Name())
		n += begun - 1
		if !errors.Is(err, unix.ENOSPC) || len(list) != n || !errors.Is(rerr, io.EOF) {
			return fmt.Errorf("order %d: got %w, want no space; read back %d records and %w, want %d and the end", n, err, len(list), rerr, n)
		}
		return nil
	}
	for i := range childOrders {
		if err := j.Sent(sent(core.OrderID(i + 1))); err != nil {
			return err
		}
	}
	return unix.Kill(os.Getpid(), unix.SIGKILL)
}

const noMount = "cannot mount"

// run runs a child to its end.
func run(t *testing.T, dir, does string, attr *syscall.SysProcAttr) (out string, err error) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childDoes+"="+does)
	cmd.SysProcAttr = attr
	var text bytes.Buffer
	cmd.Stdout, cmd.Stderr = &text, &text
	err = cmd.Run()
	return text.String(), err
}

// dead is the file that a killed child left.
func dead(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	out, err := run(t, dir, "die", nil)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the child ended with %v, want to be killed: %s", err, out)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.journal"))
	if err != nil || len(files) != 1 {
		t.Fatalf("got %v and %v, want one journal", files, err)
	}
	return files[0]
}

func TestEveryIntentSurvivesTheDeathOfTheProcess(t *testing.T) {
	r, err := OpenReader(dead(t))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 0
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if rec.Kind != journal.KindIntent {
			continue
		}
		n++
		var in journal.Intent
		if err := in.Decode(&rec); err != nil || in.Order != core.OrderID(n) {
			t.Fatalf("got order %d and %v, want %d", in.Order, err, n)
		}
	}
	if n != childOrders {
		t.Errorf("got %d orders back from a killed process, want %d", n, childOrders)
	}
}

// TestTheCodecsReaderReadsADeadJournalToo: to it the room kept ahead is a torn tail, to
// be cut off at the right place.
func TestTheCodecsReaderReadsADeadJournalToo(t *testing.T) {
	f, err := os.Open(dead(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, n := journal.NewReader(f), 0
	for ; err == nil; n++ {
		_, err = r.Next()
	}
	st, serr := f.Stat()
	if serr != nil {
		t.Fatal(serr)
	}
	var torn *journal.TornTail
	if !errors.As(err, &torn) || n-1 != childOrders+begun || torn.Offset+torn.Bytes != st.Size() {
		t.Errorf("got %d records and %v, want %d and a torn tail up to %d", n-1, err, childOrders+begun, st.Size())
	}
}

// TestDamageAtTheTailIsSeen damages copies of a dead journal around its end.
func TestDamageAtTheTailIsSeen(t *testing.T) {
	whole, err := os.ReadFile(dead(t))
	if err != nil {
		t.Fatal(err)
	}
	// Where the last records begin and end.
	var ends []int64
	rd := journal.NewReader(bytes.NewReader(whole))
	for {
		if _, err := rd.Next(); err != nil {
			break
		}
		ends = append(ends, rd.Offset())
	}
	from := ends[len(ends)-100] // a journal may be read from any record's start
	whole, ends = whole[from:], ends[len(ends)-99:]
	for i := range ends {
		ends[i] -= from
	}
	end, last := ends[len(ends)-1], ends[len(ends)-2]
	if int64(len(whole)) < end+spill {
		t.Fatalf("got %d bytes of room behind the last record, want at least %d", int64(len(whole))-end, spill)
	}
	if n := bytes.Count(whole[end:], []byte{0}); int64(n) != int64(len(whole))-end {
		t.Errorf("got %d zeros in %d bytes of room", n, int64(len(whole))-end)
	}
	whole = whole[:end+8192] // enough room for what follows
	name := filepath.Join(t.TempDir(), "damaged")
	read := func(b []byte) (int, error) {
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		list, err := readKinds(name)
		return len(list), err
	}
	torn := func(what string, b []byte, records int, at int64) {
		t.Helper()
		n, err := read(b)
		var tail *journal.TornTail
		if !errors.As(err, &tail) || n != records || tail.Offset != at {
			t.Errorf("%s: got %d records and %v, want %d and a tail torn at %d", what, n, err, records, at)
		}
	}
	all := len(ends)
	filled := last + int64(len(bytes.TrimRight(whole[last:end], "\x00"))) // zeros missing behind it are no loss
	for _, cut := range []int64{last + 1, last + 17, (last + end) / 2, filled - 1} {
		torn(fmt.Sprintf("cut %d into the last record", cut-last), whole[:cut], all-1, last)
		half := slices.Clone(whole)
		clear(half[cut:end]) // died in the middle of a record
		torn(fmt.Sprintf("died %d into the last record", cut-last), half, all-1, last)
	}
	for _, size := range []int64{end, end + 1, end + 4096, int64(len(whole))} {
		if n, err := read(whole[:size]); n != all || !errors.Is(err, io.EOF) {
			t.Errorf("with %d bytes of room: got %d records and %v, want %d and the end", size-end, n, err, all)
		}
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		b := slices.Clone(whole)
		at := last + rng.Int64N(end-last)
		b[at] ^= 1 << rng.IntN(8)
		torn(fmt.Sprintf("bit flipped at %d of the last record", at-last), b, all-1, last)
	}
	b := slices.Clone(whole)
	b[end+500] = 1
	torn("a byte in the room kept ahead", b, all, end)
	b = slices.Clone(whole)
	b[last-3] ^= 4
	var bad *journal.Corrupt
	if n, err := read(b); !errors.As(err, &bad) || n != all-2 {
		t.Errorf("damage before the last record: got %d records and %v, want %d and corruption", n, err, all-2)
	}
}

// TestARealFullDiskIsAnErrorBeforeTheOrder has the child fill a small file system.
func TestARealFullDiskIsAnErrorBeforeTheOrder(t *testing.T) {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER | syscall.CLONE_NEWNS,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}}
	out, err := run(t, t.TempDir(), "fill", attr)
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || strings.Contains(out, noMount) {
		t.Skipf("this machine gives no file system of a test's own (%v %s); the error itself is tested without", err, out)
	}
	if err != nil {
		t.Error(out)
	}
}

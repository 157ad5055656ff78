package binance

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"
)

// flagsOf are the kernel's flags of the mapping that holds b.
func flagsOf(t *testing.T, b []byte) string {
	t.Helper()
	f, err := os.Open("/proc/self/smaps")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	at := uintptr(unsafe.Pointer(unsafe.SliceData(b)))
	inside := false
	sc := bufio.NewScanner(f)
	for sc.Scan() {
		var lo, hi uintptr
		if n, _ := fmt.Sscanf(sc.Text(), "%x-%x ", &lo, &hi); n == 2 {
			inside = lo <= at && at < hi
		}
		if flags, ok := strings.CutPrefix(sc.Text(), "VmFlags: "); ok && inside {
			return " " + flags + " "
		}
	}
	t.Fatal("the kernel knows no mapping of that memory")
	return ""
}

func TestKeysLieInLockedMemoryOutsideTheHeapAndCoreDumps(t *testing.T) {
	if w := MemoryWarnings(); len(w) > 0 {
		t.Logf("left out, this machine does not lock memory: %v", w)
		return
	}
	secret := NewSecret("canary")
	check := func(what string, b []byte) {
		t.Helper()
		flags := flagsOf(t, b)
		for _, want := range []string{" lo ", " dd "} { // locked, do not dump
			if !strings.Contains(flags, want) {
				t.Errorf("%s lies in memory with flags %s, want %s", what, flags, want)
			}
		}
	}
	check("a secret", secret.bytes())
	check("the state of an HMAC", hmacKey(t).Signer().(*hmacSigner).state().slot.b)
	check("the state of an Ed25519 key", edKey(t).Signer().(*edSigner).state().slot.b)
	if err := scratch(16, func(b []byte) error { check("a file on its way in", b); return nil }); err != nil {
		t.Fatal(err)
	}
	runtime.KeepAlive(secret)
}

func TestWhereMemoryCannotBeLockedKeysWorkWithAWarning(t *testing.T) {
	b, err := mapWith(chunkSize, func([]byte) error { return errors.New("no such luck") })
	if err == nil || !strings.Contains(err.Error(), "may be swapped out") || !strings.Contains(err.Error(), "no such luck") {
		t.Errorf("got %v, want a warning with its reason", err)
	}
	if len(b) != chunkSize {
		t.Fatalf("got %d bytes, want %d all the same", len(b), chunkSize)
	}
	b[0] = 1
	unmapSecret(b, err)
	b, err = mapWith(-1, func([]byte) error { return nil })
	if err == nil || !errors.Is(err, errHeap) {
		t.Errorf("got %v, want the heap and why", err)
	}
	unmapSecret(b, err)
}

func TestSlotsComeBackEmpty(t *testing.T) {
	seen := map[*byte]bool{}
	for range 200 {
		s := take(64)
		for _, c := range s.b {
			if c != 0 {
				t.Fatal("a slot holds what somebody left in it")
			}
		}
		copy(s.b, "secret")
		seen[unsafe.SliceData(s.b)] = true
		runtime.GC()
	}
	if len(seen) > 100 {
		t.Errorf("200 slots held one after the other took %d places, want them used again", len(seen))
	}
}

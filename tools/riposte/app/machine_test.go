package app

import (
	"bytes"
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"riposte/core"
	"riposte/core/ring"
)

func TestAdviceNamesWhatTheMachineLacks(t *testing.T) {
	for _, c := range []struct {
		name   string
		l      LoopConfig
		usable int
		want   []string
	}{
		{"park anywhere", LoopConfig{Threads: "pinned", Wait: "park"}, 1, nil},
		{"spin with one to spare", LoopConfig{Threads: "inline", Wait: "spin"}, 2, nil},
		{"spin alone", LoopConfig{Threads: "inline", Wait: "spin"}, 1, []string{"1 spinning on 1 usable CPUs", "want at least 2"}},
		{"two spin on two", LoopConfig{Threads: "pinned", Wait: "spin"}, 2, []string{"2 spinning on 2 usable CPUs", "want at least 3"}},
		{"CPUs left over", LoopConfig{Threads: "inline", Wait: "park", CPUs: []int{0, 1}}, 8, []string{"names 2 CPUs", "uses the first 1"}},
		{"the same CPU twice", LoopConfig{Threads: "pinned", Wait: "park", CPUs: []int{1, 1}}, 8, []string{"both threads on CPU 1"}},
	} {
		got := strings.Join(c.l.advise(c.usable), "\n")
		if (got == "") != (c.want == nil) {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
		for _, text := range c.want {
			if !strings.Contains(got, text) {
				t.Errorf("%s: got %q, want %q in it", c.name, got, text)
			}
		}
	}
}

func TestCPUThatDoesNotExistIsNamed(t *testing.T) {
	var out, errs bytes.Buffer
	code := run([]string{"run", "--set", "loop.cpus=[1023]", "--set", "journal.dir="}, &out, &errs)
	if code != exitUsage || !strings.Contains(errs.String(), "loop.cpus: cannot run on CPU 1023") {
		t.Errorf("exit %d, %q; want %d and the CPU named", code, errs.String(), exitUsage)
	}
	var own unix.CPUSet
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err := unix.SchedGetaffinity(0, &own); err != nil {
		t.Fatal(err)
	}
	before := own.Count()
	for cpu := range 1024 {
		if own.IsSet(cpu) {
			if err := tryCPU(cpu); err != nil {
				t.Errorf("CPU %d of our own: %v", cpu, err)
			}
		}
	}
	if err := unix.SchedGetaffinity(0, &own); err != nil || own.Count() != before {
		t.Errorf("trying moved this thread: %d CPUs, %d before (%v)", own.Count(), before, err)
	}
}

func TestMemoryThatMayNotBeLockedSaysWhatIsMissing(t *testing.T) {
	err := lockMemory(func(flags int) error {
		if flags != unix.MCL_CURRENT|unix.MCL_FUTURE|unix.MCL_ONFAULT {
			t.Errorf("flags are %#x, want what is touched now and later", flags)
		}
		return unix.ENOMEM
	})
	if !errors.Is(err, unix.ENOMEM) {
		t.Fatalf("got %v, want ENOMEM", err)
	}
	for _, text := range []string{"mlockall", "RLIMIT_MEMLOCK is ", "want unlimited", "CAP_IPC_LOCK"} {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("got %v, want %q in it", err, text)
		}
	}
}

// Whether this process may lock is the machine's affair.
func TestLockMemoryLocksOrSaysWhy(t *testing.T) {
	err := lockMemory(unix.Mlockall)
	if err != nil {
		if !strings.Contains(err.Error(), "RLIMIT_MEMLOCK") {
			t.Errorf("got %v, want the limit named", err)
		}
		t.Logf("this process may not: %v", err)
		return
	}
	defer func() {
		if err := unix.Munlockall(); err != nil {
			t.Error(err)
		}
	}()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == "VmLck:" && f[1] == "0" {
			t.Errorf("%q, want memory locked", line)
		}
	}
}

// minorFaults is how many pages this thread had to be given so far.
func minorFaults(t *testing.T) int64 {
	t.Helper()
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_THREAD, &u); err != nil {
		t.Fatal(err)
	}
	return u.Minflt
}

func TestPrefaultedQueueGivesPagesAlready(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const events, levels, most = 1 << 12, 1 << 16, 1 << 11
	q := ring.NewQueue(events, levels, most)
	prefaultQueue(q)
	if q.Len() != 0 || q.Cap() != events {
		t.Fatalf("%d unread of %d, want an empty queue", q.Len(), q.Cap())
	}
	from := minorFaults(t)
	for range events { // all of the events and, as nothing is read, of the levels
		ev, lv := q.Claim()
		if ev == nil {
			t.Fatal("queue is full before its capacity")
		}
		ev.ID++
		n := min(cap(lv), levels/events)
		for i := range n {
			lv = append(lv, core.Level{Price: core.Price(i)})
		}
		q.Publish(n)
	}
	// The memory is 1.4 MB, 340 pages; a stray fault of the runtime's may be among them,
	// and the race detector's own memory has its faults.
	if n := minorFaults(t) - from; n > 50 && !raceOn {
		t.Errorf("%d page faults on the first lap, want next to none", n)
	}
}

func TestPrefaultLeavesRingsAsTheyWere(t *testing.T) {
	r := ring.New[int](8)
	*r.Claim() = 7
	r.Publish()
	prefaultRing(r) // someone's value is in it: not ours to touch beyond what is free
	r2 := ring.New[int](8)
	prefaultRing(r2)
	if len(r2.Pending()) != 0 || r2.Claim() == nil {
		t.Error("a pre-faulted ring is not empty")
	}
}

func TestRunWithEveryMachineOption(t *testing.T) {
	t.Cleanup(func() { _ = unix.Munlockall() })
	edits := []string{"quick_ack = false", "quick_ack = true", "prefault = false", "prefault = true", "cpus = []", "cpus = [0]", "no_delay = true", "no_delay = false"}
	if lockMemory(unix.Mlockall) == nil {
		edits = append(edits, "lock = false", "lock = true")
	} else {
		t.Log("memory may not be locked here: that option is left out")
	}
	d := started(t, simConfig(t, edits...))
	wait(t, "trading", d, func(r *report) bool { return r.Acks >= 3 && settled(r) })
	finish(t, d)
}

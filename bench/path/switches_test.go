package path

import (
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestWatchSeesWhatElseRan keeps a CPU busy with a program that is none of ours, from the
// moment at which it is started there until it is killed.
func TestWatchSeesWhatElseRan(t *testing.T) {
	var usable unix.CPUSet
	if err := unix.SchedGetaffinity(0, &usable); err != nil {
		t.Fatal(err)
	}
	cpu := 0
	for !usable.IsSet(cpu) {
		cpu++
	}
	w, err := newWatch(cpu)
	if err != nil {
		t.Skip(err)
	}
	defer w.close()
	ended := make(chan error)
	pid := make(chan int)
	go func() {
		runtime.LockOSThread() // pinned, and not given back
		if err := Pin(cpu); err != nil {
			pid <- 0
			ended <- err
			return
		}
		cmd := exec.Command("/bin/sh", "-c", "while :; do :; done")
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} // however this test ends
		err := cmd.Start()
		if err != nil {
			pid <- 0
			ended <- err
			return
		}
		pid <- cmd.Process.Pid
		_ = cmd.Wait() // it is killed
		ended <- nil
	}()
	child := <-pid
	if child == 0 {
		t.Fatal(<-ended)
	}
	t.Cleanup(func() { _ = unix.Kill(child, unix.SIGKILL) })
	ours := func(p int) bool { return p == os.Getpid() }
	var ran, all Ns
	from := now()
	for end := from + Ns(20*time.Second); ran < Ns(20*time.Millisecond); {
		if now() > end {
			t.Fatalf("a program that never sleeps was seen running for %v in 20 s", time.Duration(ran))
		}
		var last Ns
		list, _ := w.others(func(p int) bool { return p != child || ours(p) })
		for _, s := range list {
			if s.to < s.from || s.from < last || s.to > now() {
				t.Fatalf("spans are out of order: %+v", list)
			}
			last = s.to
			ran += s.to - s.from
		}
		runtime.Gosched()
	}
	all = now() - from
	if ran > all+Ns(time.Second) {
		t.Errorf("it ran for %v of %v", time.Duration(ran), time.Duration(all))
	}
	if err := unix.Kill(child, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if _, complete := w.others(ours); !complete {
		t.Log("the machine switched faster than its records were read")
	}
	if w.program(0) || !w.program(os.Getpid()) {
		t.Error("want this process to be a program, and the idle task none")
	}
	if text, err := os.ReadFile("/proc/2/comm"); err == nil && string(text) == "kthreadd\n" && w.program(2) {
		t.Error("a thread of the kernel's is taken for a program")
	}
}

func TestSamplesAreSetAsideByWhatRanAndNotByWhatTheyTook(t *testing.T) {
	const n = 6
	m := &measurement{p: new(Plan), due: make([]Ns, n), sent: make([]Ns, n), got: make([]Ns, n)}
	for i := range n {
		m.due[i] = Ns(i+1) * 1_000_000
		m.sent[i] = m.due[i] + 100
		m.got[i] = m.due[i] + 20_000
	}
	m.got[2] = m.due[2] + 5_000_000 // slow by itself
	m.got[4] = 0                    // lost
	others := [][]span{
		{{100, 200}, {m.due[1] - 50, m.due[1] + 10}, {m.due[3] + 290_000, m.due[3] + 295_000}}, // the last after the order, within the time that is the same for all
		{{m.due[5] + quietTime + 1, m.due[5] + quietTime + 2}},                                 // after that
	}
	r := m.result(others, true)
	// 1 and 3 are disturbed; so is 2, which waited while 3's disturber ran.
	if r.Samples != 3 || r.Aside != 3 || r.Lost != 1 || r.Intended.TotalCount() != 2 {
		t.Fatalf("got %d samples, %d set aside, %d lost, %d recorded, want 3, 3, 1, 2", r.Samples, r.Aside, r.Lost, r.Intended.TotalCount())
	}
	if r := m.result(others, false); r.Samples != 1 || r.Aside != n-1 {
		t.Errorf("without the whole account of what ran: got %d samples, %d set aside, want only the lost one", r.Samples, r.Aside)
	}
}

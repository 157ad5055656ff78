package path

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	_ "unsafe" // for go:linkname

	"golang.org/x/sys/unix"
)

// Pin keeps the calling thread, and what it starts, on one CPU; -1 does nothing.
func Pin(cpu int) error {
	if cpu < 0 {
		return nil
	}
	var set unix.CPUSet
	set.Set(cpu)
	if err := unix.SchedSetaffinity(0, &set); err != nil {
		return fmt.Errorf("cannot stay on CPU %d: %w", cpu, os.NewSyscallError("sched_setaffinity", err))
	}
	return nil
}

// confined is set in the environment of a process that Confine has begun anew, to how
// many CPUs the machine has.
const confined = "TICK2ORDER_CPUS"

// CPUs is how many there are, also for a process that is confined.
func CPUs() int {
	if n, err := strconv.Atoi(os.Getenv(confined)); err == nil {
		return n
	}
	return runtime.NumCPU()
}

// Confine keeps the whole process on one CPU, garbage collector, system monitor and
// all: threads inherit the mask of the one that starts them, so the program is begun
// anew under it. Nothing of the harness then runs where its subject does. It returns
// without an error in the process that is confined; -1 does nothing.
//
// Signals by which the runtime interrupts long loops are switched off on the way: a
// measuring loop would get a hundred a second.
func Confine(cpu int) error {
	if cpu < 0 || os.Getenv(confined) != "" {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	if err := Pin(cpu); err != nil {
		return err
	}
	env := append(os.Environ(), fmt.Sprintf("%s=%d", confined, runtime.NumCPU()), "GODEBUG="+strings.TrimPrefix(os.Getenv("GODEBUG")+",asyncpreemptoff=1", ","))
	return os.NewSyscallError("exec", unix.Exec(self, os.Args, env))
}

// procPin forbids the scheduler to take the calling goroutine off its thread. Every
// ten milliseconds it would otherwise hand a locked thread's work to another thread
// and back, which on one CPU is two switches in the middle of a measurement.
//
//go:linkname procPin runtime.procPin
func procPin() int

//go:linkname procUnpin runtime.procUnpin
func procUnpin()

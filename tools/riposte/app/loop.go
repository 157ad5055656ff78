package app

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"riposte/tools/sock"
)

// stepper is anything that does a slice of work and says how much.
type stepper interface{ Step() int }

// parkMost bounds one sleep of a parked thread, so that its timers are served.
const parkMost = time.Millisecond

// thread runs steppers in turn until it is stopped. It owns whatever they own.
type thread struct {
	name   string
	steps  []stepper
	waiter *sock.Waiter // for park
	spin   bool
	cpu    int    // -1: any
	after  func() // called when a round did something; may be nil
	stop   atomic.Bool
	idle   atomic.Uint64 // rounds without work
	busy   atomic.Uint64
	pinErr error
}

// run is the thread's life. It takes an operating system thread for itself, so
// that affinity means something and no other goroutine shares its stack of work.
func (t *thread) run() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if t.cpu >= 0 {
		var set unix.CPUSet
		set.Set(t.cpu)
		t.pinErr = unix.SchedSetaffinity(0, &set)
	}
	for !t.stop.Load() {
		n := 0
		for _, s := range t.steps {
			n += s.Step()
		}
		if n > 0 {
			t.busy.Add(1)
			if t.after != nil {
				t.after()
			}
			continue
		}
		t.idle.Add(1)
		if !t.spin {
			t.waiter.Wait(parkMost)
		}
	}
}

// threads are started and stopped together.
type threads struct {
	list []*thread
	wg   sync.WaitGroup
}

func (ts *threads) start() {
	for _, t := range ts.list {
		ts.wg.Go(t.run)
	}
}

// halt ends all threads and waits for them; their steppers then belong to the
// caller.
func (ts *threads) halt() {
	for _, t := range ts.list {
		t.stop.Store(true)
		t.waiter.Wake()
	}
	ts.wg.Wait()
}

package app

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// stepper is anything that does a slice of work and says how much.
type stepper interface{ Step() int }

// parkMost bounds one sleep of a parked thread, so that its timers are served.
const parkMost = time.Millisecond

// coldEvery is how many rounds of a spinning thread go by between two in which the
// steppers beside the order's way have their turn. Each of them asks the kernel for
// something, and a frame that comes meanwhile waits.
const coldEvery = 8

// thread runs steppers in turn until it is stopped. It owns whatever they own.
type thread struct {
	name   string
	hot    []stepper // the order's way, in its direction: every round
	cold   []stepper // after it: every round of a thread that sleeps, else now and then
	waiter waiter    // for park
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
	for round := 0; !t.stop.Load(); round++ {
		if t.round(!t.spin || round%coldEvery == 0) > 0 {
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

// round steps everything once, and says how much there was to do.
func (t *thread) round(cold bool) (n int) {
	for _, s := range t.hot {
		n += s.Step()
	}
	if cold {
		for _, s := range t.cold {
			n += s.Step()
		}
	}
	return n
}

// threads are started and stopped together.
type threads struct {
	list  []*thread
	wg    sync.WaitGroup
	extra int // processors of the Go scheduler that we have added
}

// A loop never gives its processor back to the Go scheduler, so each gets one beside
// those that the rest of the process has.
func (ts *threads) start() {
	ts.extra = len(ts.list)
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + ts.extra)
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
	if ts.extra > 0 {
		runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) - ts.extra)
		ts.extra = 0
	}
}

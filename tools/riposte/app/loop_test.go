package app

import (
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"riposte/tools/sock"
)

// counter is a stepper that counts its turns and has work for the first so many.
type counter struct {
	turns atomic.Uint64
	work  uint64
	seen  func(turn uint64)
}

func (c *counter) Step() int {
	n := c.turns.Add(1)
	if c.seen != nil {
		c.seen(n)
	}
	if n <= c.work {
		return 1
	}
	return 0
}

// TestLoopGivesColdSteppersTheirTurn runs a loop whose hot stepper always has work: those
// beside the order's way come all the same, every round where the thread sleeps and every
// coldEvery-th where it spins.
func TestLoopGivesColdSteppersTheirTurn(t *testing.T) {
	for _, spin := range []bool{true, false} {
		w, err := sock.NewWaiter()
		if err != nil {
			t.Fatal(err)
		}
		const rounds = 100 * coldEvery
		hot, cold := &counter{work: rounds}, new(counter)
		done := make(chan struct{})
		hot.seen = func(turn uint64) {
			if turn == rounds {
				close(done)
			}
		}
		ts := threads{list: []*thread{{hot: []stepper{hot}, cold: []stepper{cold}, waiter: w, spin: spin, cpu: -1}}}
		before := runtime.GOMAXPROCS(0)
		ts.start()
		if n := runtime.GOMAXPROCS(0); n != before+1 {
			t.Errorf("spin %t: GOMAXPROCS is %d while the loop runs, want %d", spin, n, before+1)
		}
		<-done
		ts.halt()
		ts.halt() // a second time changes nothing
		w.Close()
		h, c := hot.turns.Load(), cold.turns.Load()
		want := h
		if spin {
			want = (h + coldEvery - 1) / coldEvery
		}
		if c != want {
			t.Errorf("spin %t: %d hot and %d cold turns, want %d cold", spin, h, c, want)
		}
		if n := runtime.GOMAXPROCS(0); n != before {
			t.Errorf("spin %t: GOMAXPROCS is %d after the loop, want %d", spin, n, before)
		}
	}
}

// TestSpinningLoopLeavesOthersTheirProcessor has a loop spin with one processor of the
// Go scheduler; another goroutine must get to run although the loop never gives way.
func TestSpinningLoopLeavesOthersTheirProcessor(t *testing.T) {
	before := runtime.GOMAXPROCS(1)
	defer runtime.GOMAXPROCS(before)
	w, err := sock.NewWaiter()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	spinning := make(chan struct{})
	hot := &counter{seen: func(turn uint64) {
		if turn == 1 {
			close(spinning)
		}
	}}
	ts := threads{list: []*thread{{hot: []stepper{hot}, waiter: w, spin: true, cpu: -1}}}
	ts.start()
	<-spinning
	ran := make(chan struct{})
	go close(ran)
	select {
	case <-ran:
	case <-time.After(20 * time.Second):
		t.Error("another goroutine did not run beside the loop")
	}
	ts.halt()
}

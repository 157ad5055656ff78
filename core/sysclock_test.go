package core

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestSystemClockFollowsTheKernels(t *testing.T) {
	c := NewSystemClock()
	t.Logf("by cycles: %v", c.pace.Load() != nil)
	for range 3 {
		// The reading must lie between two of the kernel's, give or take what the
		// first millisecond could not measure.
		from := MonoNs(time.Since(c.base))
		got := c.Mono()
		to := MonoNs(time.Since(c.base))
		slack := (to - c.first.ns) / 1000
		if got < from-slack || got > to+slack {
			t.Fatalf("got %d, want %d to %d", got, from, to)
		}
		c.Tune()
	}
}

func TestSystemClockNeverGoesBackWhileItIsTuned(t *testing.T) {
	c := NewSystemClock()
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			last := c.Mono()
			for {
				now := c.Mono()
				if now < last {
					t.Errorf("went from %d back to %d", last, now)
					return
				}
				last = now
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for range 2000 {
		if p := c.pace.Load(); p != nil {
			// As if the kernel's clock were 50 us ahead, then behind.
			now := c.sample()
			p2 := *p
			p2.ns, p2.cycles = p.ns-tuneLeast, p.cycles-uint64(cyclesIn(p, tuneLeast))
			now.ns += MonoNs(50_000 * (1 - 2*(now.cycles&1)))
			c.retune(&p2, now)
		}
	}
	close(done)
	wg.Wait()
}

// cyclesIn is how many cycles a time takes at a pace.
func cyclesIn(p *pace, ns MonoNs) int64 { return int64(float64(ns) * (1 << 32) / float64(p.rate)) }

// counted is a clock by a counter of 2.5 cycles per ns from (1000 cycles, 0 ns).
func counted() *SystemClock {
	c := &SystemClock{base: time.Now()}
	c.first = instant{cycles: 1000, ns: 0}
	c.pace.Store(&pace{c.first, rateOf(2, 5)})
	return c
}

func TestTuneMakesGoodWhatTheRateWasOff(t *testing.T) {
	c := counted()
	// The kernel says that a second took 2,500,050,000 cycles: 20 ppm more.
	sec := instant{cycles: 1000 + 2_500_050_000, ns: 1_000_000_000}
	before := c.pace.Load().at(sec.cycles)
	c.retune(c.pace.Load(), sec)
	p := c.pace.Load()
	if p.at(sec.cycles) != before {
		t.Errorf("jumped from %d to %d", before, p.at(sec.cycles))
	}
	if got := p.at(sec.cycles + 2_500_050_000); got < 1_999_999_990 || got > 2_000_000_010 {
		t.Errorf("after another second: got %d, want 2e9", got)
	}
}

func TestACounterThatStraysIsGivenUpWithoutAJump(t *testing.T) {
	c := counted()
	c.base = time.Now().Add(-time.Second)
	// A second passed and the counter hardly moved: it stopped in a sleep.
	now := instant{cycles: 1000 + 5_000, ns: MonoNs(time.Since(c.base))}
	told := c.pace.Load().at(now.cycles)
	c.retune(c.pace.Load(), now)
	if c.pace.Load() != nil {
		t.Fatal("the counter is still read")
	}
	if got, most := c.Mono(), told+MonoNs(time.Since(c.base))-now.ns; got < told || got > most {
		t.Errorf("got %d, want %d to %d", got, told, most)
	}
}

func TestCyclesOfAnotherCoreMayBeBehind(t *testing.T) {
	p := counted().pace.Load()
	if got := p.at(990); got != 0 {
		t.Errorf("got %d, want the pace's own start, 0", got)
	}
	if got := p.at(1000 + 5_000_000_000*3600); got < 7_199_999_990_000 || got > 7_200_000_000_000 {
		t.Errorf("got %d after two hours of cycles, want 7.2e12 less a billionth", got)
	}
}

func TestAClockOfItsOwnTimeIsNotReadByCycles(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewSystemClock()
		from := c.Mono()
		<-time.After(time.Hour) // the bubble's time
		if got := c.Mono() - from; got != MonoNs(time.Hour) {
			t.Errorf("an hour took %d ns", got)
		}
	})
}

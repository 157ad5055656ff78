package core

import (
	"math/bits"
	"os"
	"strings"
	"sync/atomic"
	"time"
)

// SystemClock is the machine's clock. Where the kernel itself keeps time by the
// processor's cycle counter, Mono reads that counter: 10 ns instead of the 27 of
// time.Since (EPYC, 2026), and a decision reads it eight times. Its zero value is
// not usable; see NewSystemClock. Safe for any number of goroutines.
type SystemClock struct {
	base  time.Time
	shift atomic.Int64 // by how much the kernel's clock was ahead when the counter was given up

	// The rest serves the cycle counter.
	pace   atomic.Pointer[pace] // nil: read the kernel's clock
	first  instant              // since when the rate is averaged
	tuning atomic.Bool
}

// pace turns cycles into time: from an instant on, so many nanoseconds per cycle.
type pace struct {
	instant
	rate uint64 // ns per cycle times 2^32
}

// instant is one moment on both clocks.
type instant struct {
	cycles uint64
	ns     MonoNs
}

func (p *pace) at(cycles uint64) MonoNs {
	// Another core's counter may be a few cycles behind.
	d := uint64(max(int64(cycles-p.cycles), 0))
	hi, lo := bits.Mul64(d, p.rate)
	return p.ns + MonoNs(hi<<32|lo>>32)
}

const (
	// clockSourceFile says what the kernel keeps time by. It stops saying "tsc" when
	// the kernel's watchdog finds the cycle counters of the cores apart.
	clockSourceFile = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
	// firstSpan is how long the first measurement of the rate takes: about 30 ppm.
	firstSpan = time.Millisecond
	// firstCycles is how many cycles that may take: no processor makes so many in a
	// millisecond.
	firstCycles = 1 << 24
	// strayMax is by how much the counter may be off after one second before it is
	// given up.
	strayMax = MonoNs(time.Millisecond)
)

// NewSystemClock starts a clock whose monotonic origin is one hour ago, so that
// zero is always an instant safely in the past. It takes a millisecond. Call Tune
// about once a second.
func NewSystemClock() *SystemClock {
	c := &SystemClock{base: time.Now().Add(-time.Hour)}
	if source, err := os.ReadFile(clockSourceFile); err != nil || strings.TrimSpace(string(source)) != "tsc" || !haveCycles {
		return c
	}
	c.first = c.sample()
	// Where cycles pass and time does not, time is not the machine's (testing/synctest
	// has its own), and the counter knows nothing of it.
	for now := c.sample(); now.cycles-c.first.cycles < firstCycles; now = c.sample() {
		if span := now.ns - c.first.ns; span >= MonoNs(firstSpan) {
			c.pace.Store(&pace{now, rateOf(uint64(span), now.cycles-c.first.cycles)})
			break
		}
	}
	return c
}

// rateOf is ns/cycles times 2^32; ns is less than cycles times 2^32.
func rateOf(ns, cycles uint64) uint64 {
	rate, _ := bits.Div64(ns>>32, ns<<32, cycles)
	return rate
}

// sample reads both clocks at one moment, as nearly as they let.
func (c *SystemClock) sample() (best instant) {
	width := ^uint64(0)
	for range 4 {
		from := cycles()
		ns := MonoNs(time.Since(c.base))
		if w := cycles() - from; w < width {
			width, best = w, instant{from + w/2, ns}
		}
	}
	return best
}

// Wall is the civil time.
func (c *SystemClock) Wall() WallNs { return WallNs(time.Now().UnixNano()) }

// Mono is the time since the clock's origin.
func (c *SystemClock) Mono() MonoNs {
	if p := c.pace.Load(); p != nil {
		return p.at(cycles())
	}
	return MonoNs(time.Since(c.base)) - MonoNs(c.shift.Load())
}

// Tune corrects the rate at which cycles are counted as time, so that the clock
// stays with the kernel's: what it is off now it will have made good at the next
// call. It never jumps. Any goroutine; not the hot one, it takes a microsecond.
func (c *SystemClock) Tune() {
	p := c.pace.Load()
	if p == nil || !c.tuning.CompareAndSwap(false, true) {
		return
	}
	defer c.tuning.Store(false)
	c.retune(p, c.sample())
}

// tuneLeast is the shortest time over which a rate is worth correcting.
const tuneLeast = MonoNs(100 * time.Millisecond)

func (c *SystemClock) retune(p *pace, now instant) {
	since := now.ns - p.ns
	if since < tuneLeast || now.cycles <= p.cycles {
		return
	}
	told := p.at(now.cycles)
	off := now.ns - told // how far behind we are
	if max(off, -off) > strayMax+since/1000 {
		// Not the kernel's time any more: from here on the kernel's clock, less what
		// it is ahead, so that no reader sees a jump.
		c.shift.Store(int64(off))
		c.pace.Store(nil)
		return
	}
	rate := rateOf(uint64(now.ns-c.first.ns), now.cycles-c.first.cycles)
	rate += uint64(int64(rate) * int64(off) / int64(since))
	c.pace.Store(&pace{instant{now.cycles, told}, rate})
}

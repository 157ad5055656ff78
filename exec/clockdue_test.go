package exec_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"riposte/core"
	"riposte/exec"
)

// The venue's clock is measured every minute, and no more often, whatever else there is
// to do.
func TestVenueClockIsMeasuredEveryMinute(t *testing.T) {
	r := newRig(t)
	for minute := range 5 {
		r.clock.advance(time.Minute)
		r.until("the clock is measured", func() bool { _, n := r.cold.count(); return n == minute+1 })
		r.steps(5)
	}
	if _, n := r.cold.count(); time.Duration(n)*time.Minute > time.Duration(r.clock.Mono()) {
		t.Errorf("measured %d times in %v", n, time.Duration(r.clock.Mono()))
	}
}

// A measurement that fails is repeated soon, for orders wait for it; one that succeeds
// is good for a minute.
func TestVenueClockIsMeasuredAgainSoonAfterAFailure(t *testing.T) {
	r := newRig(t)
	fail := func(err error) {
		r.cold.mu.Lock()
		defer r.cold.mu.Unlock()
		r.cold.fail = err
	}
	fail(errors.New("503"))
	r.clock.advance(time.Minute)
	r.measured(1)
	for n := 2; n < 5; n++ {
		if again := r.measured(n); again < 4*time.Second || again > 10*time.Second {
			t.Errorf("attempt %d came %v after one that failed, want about 5s", n, again)
		}
	}
	fail(nil)
	r.measured(5)
	if next := r.measured(6); next < 55*time.Second {
		t.Errorf("measured again %v after a good measurement, want a minute", next)
	}
}

// A measurement that leaves the venue's time less sure than the gate wants is repeated soon.
func TestVenueClockThatIsTooUncertainIsMeasuredAgainSoon(t *testing.T) {
	var vclock *exec.VenueClock
	r := newRig(t, func(c *exec.Config) { vclock, c.ClockErrorMax = c.Time, 250*time.Millisecond })
	answeredWithin := func(trip time.Duration) {
		t.Helper()
		must(t, vclock.Sync(context.Background(), 1, func(context.Context) (core.WallNs, time.Duration, error) {
			r.clock.advance(trip)
			return r.clock.Wall() + core.WallNs(time.Second), time.Millisecond, nil
		}))
	}
	// The venue's clock has stepped, so the measurement counts, and half of the trip is what
	// may be wrong.
	answeredWithin(560 * time.Millisecond)
	for n := 1; n < 4; n++ {
		if again := r.measured(n); again < 4*time.Second || again > 6*time.Second {
			t.Errorf("measurement %d came after %v, want about 5s", n, again)
		}
	}
	answeredWithin(5 * time.Millisecond)
	if next := r.measured(4); next < 54*time.Second {
		t.Errorf("measured again %v after a good measurement, want a minute", next)
	}
}

// measured passes time until the venue's clock has been asked for n times, and says how
// much. None passes while it is.
func (r *rig) measured(n int) (within time.Duration) {
	r.t.Helper()
	from := r.clock.Mono()
	r.until("a measurement", func() bool {
		if _, synced := r.cold.count(); synced == n {
			return true
		}
		r.clock.advance(10 * time.Millisecond)
		r.step()
		for r.g.ColdCalls() > 0 {
			runtime.Gosched()
		}
		return false
	})
	within = time.Duration(r.clock.Mono() - from)
	r.steps(5) // it is heard of
	return within
}

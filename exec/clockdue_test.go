package exec_test

import (
	"errors"
	"runtime"
	"testing"
	"time"
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
	measured := func(n int) (within time.Duration) {
		t.Helper()
		from := r.clock.Mono()
		r.until("a measurement", func() bool {
			if _, synced := r.cold.count(); synced == n {
				return true
			}
			r.clock.advance(10 * time.Millisecond)
			r.step()
			for r.g.ColdCalls() > 0 { // no time passes while one is asked
				runtime.Gosched()
			}
			return false
		})
		within = time.Duration(r.clock.Mono() - from)
		r.steps(5) // it is heard of
		return within
	}
	fail(errors.New("503"))
	r.clock.advance(time.Minute)
	measured(1)
	for n := 2; n < 5; n++ {
		if again := measured(n); again < 4*time.Second || again > 10*time.Second {
			t.Errorf("attempt %d came %v after one that failed, want about 5s", n, again)
		}
	}
	fail(nil)
	measured(5)
	if next := measured(6); next < 55*time.Second {
		t.Errorf("measured again %v after a good measurement, want a minute", next)
	}
}

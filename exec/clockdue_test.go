package exec_test

import (
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

package exec

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"riposte/core"
)

// A day with a venue whose clock runs faster or slower than ours, measured every minute
// over a line that is slow at times: the bound always holds, and a slow measurement
// makes it no wider than age does.
func TestVenueClockBoundHoldsOverADayOfDrift(t *testing.T) {
	for _, ppm := range []int64{-450, -90, 0, 35, 450} {
		c := &stepClock{mono: 1}
		v := NewVenueClock(c)
		rng := rand.New(rand.NewPCG(7, uint64(ppm)))
		venue := func() int64 { return 2e18 + int64(c.mono) + int64(c.mono)/1e6*ppm }
		ask := func(context.Context) (core.WallNs, time.Duration, error) {
			trip := rng.Int64N(10e6)
			if rng.IntN(3) == 0 {
				trip = rng.Int64N(4e9)
			}
			there := rng.Int64N(trip + 1)
			c.mono += core.MonoNs(there)
			told := venue()
			c.mono += core.MonoNs(trip - there)
			return core.WallNs(told - told%1e6), time.Millisecond, nil
		}
		for minute := range 24 * 60 {
			before, first := v.Error(), v.Synced() == 0
			from := c.mono
			if err := v.Sync(t.Context(), 1, ask); err != nil {
				t.Fatal(err)
			}
			if grown := before + time.Duration(c.mono-from)/2_000 + 1; !first && v.Error() > grown {
				t.Fatalf("%d ppm, minute %d: measuring took the bound from %v to %v", ppm, minute, before, v.Error())
			}
			c.mono += core.MonoNs(rng.Int64N(2 * int64(time.Minute)))
			if off := time.Duration(int64(v.Now()) - venue()); off.Abs() > v.Error() {
				t.Fatalf("%d ppm, minute %d: off by %v, beyond the bound %v", ppm, minute, off, v.Error())
			}
		}
		if v.Error() > 150*time.Millisecond {
			t.Errorf("%d ppm: after a day the bound is %v", ppm, v.Error())
		}
	}
}

// A venue whose clock has stepped is believed at once, however slow its answer.
func TestVenueClockFollowsAStep(t *testing.T) {
	c := &stepClock{mono: 1}
	v := NewVenueClock(c)
	ahead, trip := int64(0), core.MonoNs(1e6)
	ask := func(context.Context) (core.WallNs, time.Duration, error) {
		c.mono += trip
		return core.WallNs(int64(c.mono) + ahead), time.Millisecond, nil
	}
	if err := v.Sync(t.Context(), 1, ask); err != nil {
		t.Fatal(err)
	}
	ahead, trip = int64(20*time.Minute), 2e9
	if err := v.Sync(t.Context(), 1, ask); err != nil {
		t.Fatal(err)
	}
	if off := time.Duration(int64(v.Now()) - int64(c.mono) - ahead); off.Abs() > v.Error() {
		t.Errorf("after a step of 20 minutes off by %v, beyond the bound %v", off, v.Error())
	}
}

package exec

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"riposte/core"
)

// VenueClock tells the venue's time. It runs on our monotonic clock from a measured
// origin, so a step of the civil clock does not move it. Until Sync has succeeded
// it assumes the civil clock is right and Error says an hour. Any goroutine.
type VenueClock struct {
	clock  core.Clock
	origin atomic.Int64 // venue ns at mono 0
	bound  atomic.Int64 // ns by which it may be wrong
	synced atomic.Int64 // MonoNs of the last Sync, 0 if never
}

// NewVenueClock makes a clock that has not been measured yet.
func NewVenueClock(c core.Clock) *VenueClock {
	v := &VenueClock{clock: c}
	v.origin.Store(int64(c.Wall()) - int64(c.Mono()))
	v.bound.Store(int64(time.Hour))
	return v
}

// At is the venue's time at a monotonic instant.
func (v *VenueClock) At(now core.MonoNs) core.WallNs {
	return core.WallNs(v.origin.Load() + int64(now))
}

// Now is the venue's time.
func (v *VenueClock) Now() core.WallNs { return v.At(v.clock.Mono()) }

// Error is by how much Now may be wrong: half the round trip of the sample used,
// plus the resolution of the venue's answer.
func (v *VenueClock) Error() time.Duration { return time.Duration(v.bound.Load()) }

// Synced is when the clock was last measured, 0 if never.
func (v *VenueClock) Synced() core.MonoNs { return core.MonoNs(v.synced.Load()) }

// Offset is how far the venue's clock is ahead of our civil clock now.
func (v *VenueClock) Offset() time.Duration {
	return time.Duration(v.Now() - v.clock.Wall())
}

// Sync asks for the venue's time samples times and believes the fastest: its answer
// can be off by no more than half its round trip. ask returns the venue's time and
// the unit in which it is told. A sample that fails is left out; all failing is an
// error.
func (v *VenueClock) Sync(ctx context.Context, samples int, ask func(context.Context) (core.WallNs, time.Duration, error)) error {
	best, origin := time.Duration(1<<62), int64(0)
	var lastErr error
	for range samples {
		sent := v.clock.Mono()
		told, unit, err := ask(ctx)
		recv := v.clock.Mono()
		if err != nil {
			lastErr = err
			if ctx.Err() != nil {
				break
			}
			continue
		}
		// The venue's time was cut to its unit, so on average it was half a unit more.
		if bound := time.Duration(recv-sent+1)/2 + unit/2; bound < best { // an odd round trip has no middle
			best = bound
			origin = int64(told) + int64(unit/2) - int64(sent+(recv-sent)/2)
		}
	}
	if best == 1<<62 {
		return fmt.Errorf("cannot measure the venue's clock: %d samples failed, the last: %w", samples, lastErr)
	}
	v.origin.Store(origin)
	v.bound.Store(int64(best))
	v.synced.Store(int64(v.clock.Mono()))
	return nil
}

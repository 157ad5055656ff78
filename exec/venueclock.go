package exec

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"riposte/core"
)

// VenueClock tells the venue's time. It runs on our monotonic clock from a measured
// origin, so a step of the civil clock does not move it. Until Sync has succeeded
// it assumes the civil clock is right and Error says an hour. Any goroutine.
type VenueClock struct {
	mu     sync.Mutex // between two that have measured; readers need none
	clock  core.Clock
	origin atomic.Int64 // venue ns at mono 0
	bound  atomic.Int64 // ns by which it may be wrong
	synced atomic.Int64 // MonoNs of the measurement in use, 0 if there is none
}

// clockDrift is by how much our monotonic clock and the venue's may run apart, in parts
// of a million: as fast as Linux slews a clock that it corrects, which the monotonic one
// follows.
const clockDrift = 500

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

// Error is by how much Now may be wrong: half the round trip of the sample used, plus
// the resolution of the venue's answer, plus what the two clocks may have run apart since.
func (v *VenueClock) Error() time.Duration {
	bound, synced := v.bound.Load(), v.synced.Load()
	if synced == 0 {
		return time.Duration(bound)
	}
	return time.Duration(bound + max(int64(v.clock.Mono())-synced, 0)/(1e6/clockDrift))
}

// Synced is when the sample in use was taken, 0 if there is none.
func (v *VenueClock) Synced() core.MonoNs { return core.MonoNs(v.synced.Load()) }

// Offset is how far the venue's clock is ahead of our civil clock now.
func (v *VenueClock) Offset() time.Duration {
	return time.Duration(v.Now() - v.clock.Wall())
}

// Sync asks for the venue's time samples times and believes the fastest: its answer
// can be off by no more than half its round trip. ask returns the venue's time and
// the unit in which it is told. A sample that fails is left out; all failing is an
// error. A measurement that agrees with the one in use and is less sure than that has
// become with age is left out too: a slow line makes a good clock no worse. One that
// contradicts it tells of a step, and replaces it.
func (v *VenueClock) Sync(ctx context.Context, samples int, ask func(context.Context) (core.WallNs, time.Duration, error)) error {
	best, origin, at := time.Duration(1<<62), int64(0), core.MonoNs(0)
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
			at = recv
		}
	}
	if best == 1<<62 {
		return fmt.Errorf("cannot measure the venue's clock: %d samples failed, the last: %w", samples, lastErr)
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if aged := v.Error(); v.Synced() != 0 && best > aged && time.Duration(origin-v.origin.Load()).Abs() <= best+aged {
		return nil
	}
	v.origin.Store(origin)
	v.bound.Store(int64(best))
	v.synced.Store(int64(at))
	return nil
}

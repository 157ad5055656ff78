// Package guard is the hand on the dead man's switch. Binance Spot cancels nothing by
// itself when a client dies (Binance Spot API docs, 2026-07-21), so a process of its
// own, with its own key and connections, watches the engine's heartbeat and cancels
// the engine's orders when it stops. It can look at orders and cancel them; nothing in
// it can create one.
//
//	heartbeat.go  what the engine leaves in shared memory
//	guard.go      when to cancel, and when it is done
package guard

import "sync/atomic"

// Heartbeat is memory that an engine and its guard share. Its zero value is an engine
// that never ran. All times are on the clock that both have in common, in nanoseconds,
// 0 for never. It holds no pointer.
type Heartbeat struct {
	epoch atomic.Int64 // start of the engine's run, told apart from others by it; 0 when it ended in order
	beat  atomic.Int64 // when the engine last finished a round
	live  atomic.Int64 // own orders that may be working then
	lost  atomic.Int64 // since when the engine has been without market data, account stream or order link

	guard atomic.Int64 // when a guard last finished a round
	fired atomic.Int64 // when a guard last found the engine dead
}

// Begin says that a run has begun. Engine.
func (h *Heartbeat) Begin(epoch, now int64) {
	h.live.Store(0)
	h.lost.Store(0)
	h.beat.Store(now)
	h.epoch.Store(epoch)
}

// Beat says that a full round of the engine's loop is done, how many orders may be
// working, and since when it has been without something it needs, 0 if it has all.
// Engine; no more than some stores.
func (h *Heartbeat) Beat(now int64, live int, lost int64) {
	h.live.Store(int64(live))
	h.lost.Store(lost)
	h.beat.Store(now)
}

// End says that the run ended in order and left nothing working. Engine.
func (h *Heartbeat) End() {
	h.live.Store(0)
	h.epoch.Store(0)
}

// Fired is when a guard last cancelled this engine's orders, 0 if never. An engine
// that finds it later than its own start was thought dead, and must not simply go on.
func (h *Heartbeat) Fired() int64 { return h.fired.Load() }

// Guarded is when a guard last looked.
func (h *Heartbeat) Guarded() int64 { return h.guard.Load() }

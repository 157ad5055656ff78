package feed

import (
	"fmt"
	"sync/atomic"
	"time"

	"riposte/core"
)

// The venue's allowance of connection attempts per address (Binance Spot API
// docs, WebSocket streams and WebSocket API, 2026-07-21).
const (
	ConnectsPerWindow = 300
	ConnectWindow     = 5 * time.Minute
)

// ConnectBudget is the venue's allowance of connection attempts, shared by all
// sessions of a process, and with Share by all processes behind an address. It counts
// every attempt of the last window exactly, because the venue's answer to one too many
// is a ban. Any goroutine; cold.
type ConnectBudget struct {
	window int64
	origin int64          // what to add to a MonoNs to get the time that the sharers have in common
	free   []atomic.Int64 // one for each attempt allowed: the common time from which it may be made again
	used   atomic.Uint64
	waited atomic.Uint64
}

// ConnectUse is the attempts of all processes behind one address. Its zero value is
// ready; it holds no pointer, so that it can lie in memory shared by processes.
type ConnectUse struct {
	free [ConnectsPerWindow]atomic.Int64
}

// NewConnectBudget allows limit attempts in any window.
func NewConnectBudget(limit int, window time.Duration) (*ConnectBudget, error) {
	if limit < 1 || window <= 0 {
		return nil, fmt.Errorf("cannot budget connections: got %d in %v, want at least 1 in a positive time", limit, window)
	}
	return &ConnectBudget{window: int64(window), free: make([]atomic.Int64, limit)}, nil
}

// Share counts in memory that other processes use too. origin is what all of them add
// to their own MonoNs to mean the same instant. Before the first Take; at most
// ConnectsPerWindow attempts are allowed from then on.
func (b *ConnectBudget) Share(use *ConnectUse, origin int64) {
	b.free, b.origin = use.free[:min(len(b.free), len(use.free))], origin
}

// Take takes one attempt at instant now, or says how long to wait for one.
func (b *ConnectBudget) Take(now core.MonoNs) (wait time.Duration) {
	at := int64(now) + b.origin
	for {
		first, when := 0, b.free[0].Load()
		for i := 1; i < len(b.free); i++ {
			if t := b.free[i].Load(); t < when {
				first, when = i, t
			}
		}
		if when > at {
			b.waited.Add(1)
			return time.Duration(when - at)
		}
		if b.free[first].CompareAndSwap(when, at+b.window) {
			b.used.Add(1)
			return 0
		}
	}
}

// Used is how many attempts this process took, and how many times it had to wait.
func (b *ConnectBudget) Used() (taken, waited uint64) { return b.used.Load(), b.waited.Load() }

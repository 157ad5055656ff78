package feed

import (
	"fmt"
	"sync"
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
// sessions of a process. It counts every attempt of the last window exactly,
// because the venue's answer to one too many is a ban. Any goroutine; cold.
type ConnectBudget struct {
	window core.MonoNs
	mu     sync.Mutex
	at     []core.MonoNs // the last attempts, a ring
	next   int
	used   uint64
	waited uint64
}

// NewConnectBudget allows limit attempts in any window.
func NewConnectBudget(limit int, window time.Duration) (*ConnectBudget, error) {
	if limit < 1 || window <= 0 {
		return nil, fmt.Errorf("cannot budget connections: got %d in %v, want at least 1 in a positive time", limit, window)
	}
	return &ConnectBudget{window: core.MonoNs(window), at: make([]core.MonoNs, 0, limit)}, nil
}

// Take takes one attempt at instant now, or says how long to wait for one.
func (b *ConnectBudget) Take(now core.MonoNs) (wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.at) < cap(b.at) {
		b.at = append(b.at, now)
	} else {
		if left := b.at[b.next] + b.window - now; left > 0 {
			b.waited++
			return time.Duration(left)
		}
		b.at[b.next] = now
		b.next = (b.next + 1) % len(b.at)
	}
	b.used++
	return 0
}

// Used is how many attempts were taken, and how many times someone had to wait.
func (b *ConnectBudget) Used() (taken, waited uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used, b.waited
}

package alert

import (
	"sync"

	"riposte/core/airlock"
	"riposte/core/ring"
)

// Inbox is the way to the shard: a ring has one writer, and sources are many.
type Inbox struct {
	mu   sync.Mutex
	ring *ring.Ring[airlock.Alert]
	wake func() // the shard's thread may sleep
}

// NewInbox makes one. wake may be nil.
func NewInbox(r *ring.Ring[airlock.Alert], wake func()) *Inbox {
	if wake == nil {
		wake = func() {}
	}
	return &Inbox{ring: r, wake: wake}
}

// put hands an alert on; ok is false where the ring is full.
func (b *Inbox) put(a *airlock.Alert) (ok bool) {
	b.mu.Lock()
	slot := b.ring.Claim()
	if ok = slot != nil; ok {
		*slot = *a
		b.ring.Publish()
	}
	b.mu.Unlock()
	if ok {
		b.wake()
	}
	return ok
}

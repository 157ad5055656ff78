package app

import (
	"context"
	"time"
)

// The account's connection is replaced like the market's: the next one is up, and both
// have told the same for a while, before the old one goes. What a connection is to be
// replaced for, its age, the venue's notice or a PONG that does not come, it says by
// itself; the keeper, which has the key, makes the next.

const (
	// userOverlap is how long both connections are read: what the venue sent on the old
	// one before the new one's subscription has arrived by then.
	userOverlap = time.Second
	// userRotateAgain is how long after a replacement that failed the next is tried.
	userRotateAgain = 5 * time.Second
)

// renewUser replaces the account's connection if it is to be. The keeper's goroutine.
func (k *keeper) renewUser() {
	if !k.d.user.Status().Leaving || time.Now().Before(k.renewAt) {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	ctx, cancel := context.WithTimeout(k.ctx, changeTimeout)
	defer cancel()
	h := &userHolder{d: k.d}
	if err := h.prepare(ctx, k.d.key); err != nil {
		k.renewAt = time.Now().Add(userRotateAgain)
		return // the connection's own state says what is wrong
	}
	t := time.NewTimer(userOverlap)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	if err := h.commit(ctx); err != nil {
		h.abort()
		return
	}
	k.renewed.Add(1)
}

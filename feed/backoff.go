package feed

import (
	"math/rand/v2"
	"time"
)

// Backoff is exponential with full jitter: the n-th wait is anywhere between 0
// and min(max, min0*2^n). Many clients that lost the same server then come back
// spread out evenly; equal or partial jitter still lets them come in waves. One
// goroutine.
type Backoff struct {
	first, max time.Duration
	attempt    int
	rng        *rand.Rand
}

// NewBackoff has not waited yet. The seed decides the waits.
func NewBackoff(first, max time.Duration, seed uint64) Backoff {
	return Backoff{first: first, max: max, rng: rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))}
}

// ceiling is the longest that Next could say now.
func (b *Backoff) ceiling() time.Duration {
	c := b.first
	for range b.attempt {
		if c >= b.max/2 {
			return b.max
		}
		c *= 2
	}
	return c
}

// Next is how long to wait before the next attempt.
func (b *Backoff) Next() time.Duration {
	c := b.ceiling()
	if c < b.max {
		b.attempt++
	}
	return time.Duration(b.rng.Int64N(int64(c) + 1))
}

// Reset is called when an attempt has proved good.
func (b *Backoff) Reset() { b.attempt = 0 }

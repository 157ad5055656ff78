package core

import "time"

// WallNs is an instant of the civil clock, Unix nanoseconds. It may be compared
// with the venue's times; it can step, so it never measures an interval.
type WallNs int64

// MonoNs is an instant of this process's monotonic clock, nanoseconds from an
// origin of its own. It measures intervals and is compared with nothing else.
type MonoNs int64

// Clock tells both times. It is the only way time enters the engine.
type Clock interface {
	Wall() WallNs
	Mono() MonoNs
}

// ManualClock stands still until told otherwise: for tests and replay. One
// goroutine.
type ManualClock struct {
	WallNow WallNs
	MonoNow MonoNs
}

// Wall is the instant last set.
func (c *ManualClock) Wall() WallNs { return c.WallNow }

// Mono is the instant last set.
func (c *ManualClock) Mono() MonoNs { return c.MonoNow }

// Advance moves both clocks by d.
func (c *ManualClock) Advance(d time.Duration) {
	c.WallNow += WallNs(d)
	c.MonoNow += MonoNs(d)
}

// TimeUnit is the unit of a connection's JSON times. It is a property of the
// connection, never guessed from a value.
type TimeUnit uint8

// The two units a venue sends.
const (
	Milliseconds TimeUnit = iota
	Microseconds
)

// Ns is how many nanoseconds one unit is.
func (u TimeUnit) Ns() int64 {
	if u == Microseconds {
		return 1_000
	}
	return 1_000_000
}

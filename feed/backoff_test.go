package feed

import (
	"testing"
	"time"
)

func TestBackoffJitterIsFullAndBounded(t *testing.T) {
	const first, most = 100 * time.Millisecond, 30 * time.Second
	for attempt, ceiling := range []time.Duration{first, 2 * first, 4 * first, 8 * first, 16 * first} {
		low, high := ceiling, time.Duration(0)
		for seed := range uint64(2000) {
			b := NewBackoff(first, most, seed)
			var d time.Duration
			for range attempt + 1 {
				d = b.Next()
			}
			low, high = min(low, d), max(high, d)
		}
		if high > ceiling || high < ceiling*9/10 || low > ceiling/10 {
			t.Errorf("attempt %d: got waits from %v to %v, want them spread over 0 to %v", attempt, low, high, ceiling)
		}
	}
	b := NewBackoff(time.Hour, 3*time.Hour, 1)
	for range 100 {
		if d := b.Next(); d < 0 || d > 3*time.Hour {
			t.Fatalf("got %v, want at most 3h", d)
		}
	}
	b.Reset()
	if d := b.Next(); d > time.Hour {
		t.Fatalf("after a reset: got %v, want at most 1h", d)
	}
}

package app

import (
	"runtime"
	"testing"
	"time"
)

func TestCollectionsAreForcedUntilToldToStop(t *testing.T) {
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	stop := developerFlags{GCEvery: time.Millisecond}.collect()
	for end := time.Now().Add(20 * time.Second); ; {
		if runtime.ReadMemStats(&now); now.NumForcedGC >= before.NumForcedGC+3 {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("%d collections were forced within 20 s, want 3", now.NumForcedGC-before.NumForcedGC)
		}
		runtime.Gosched()
	}
	stop()
	developerFlags{}.collect()() // nothing was asked for: nothing to end
}

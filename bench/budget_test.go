package bench

import (
	"strings"
	"testing"
)

// TestHotPathAllocatesNothing takes whole recordings through every stage, and through
// all of them in a row, and counts allocations: there must be none after warming up.
// Under the race detector the long recording is left out.
func TestHotPathAllocatesNothing(t *testing.T) {
	spot := corpus(t, Spot)
	stages := []struct {
		name string
		make func(t *testing.T) *work
	}{
		{"frame burst", func(t *testing.T) *work { return frameWork(t, spot, false) }},
		{"frame single", func(t *testing.T) *work { return frameWork(t, spot, true) }},
		{"decode spot", func(t *testing.T) *work { return decodeWork(t, spot, spot.AllFrames(), false) }},
		{"decode spot general", func(t *testing.T) *work { return decodeWork(t, spot, spot.AllFrames(), true) }},
		{"decode usdm", func(t *testing.T) *work { c := corpus(t, Linear); return decodeWork(t, c, c.AllFrames(), false) }},
		{"decode usdm general", func(t *testing.T) *work { c := corpus(t, Linear); return decodeWork(t, c, c.AllFrames(), true) }},
		{"ring", func(t *testing.T) *work { return ringWork(t, spot) }},
		{"book spot", func(t *testing.T) *work { return syncWork(t, spot) }},
		{"book usdm", func(t *testing.T) *work { return syncWork(t, corpus(t, Linear)) }},
		{"book multi", func(t *testing.T) *work { return syncWork(t, corpus(t, Multi)) }},
		{"replay spot", func(t *testing.T) *work { return replayWork(t, spot, false) }},
		{"signal", func(t *testing.T) *work { return signalWork(t, spot) }},
		{"gate", func(t *testing.T) *work { return gateWork(t, spot, false, false) }},
		{"gate controls", func(t *testing.T) *work { return gateWork(t, spot, true, false) }},
		{"encode", func(t *testing.T) *work { return encodeWork(t) }},
		{"encode drafted", func(t *testing.T) *work { return draftedWork(t) }},
		{"sign", func(t *testing.T) *work { return signWork(t) }},
		{"presigned", func(t *testing.T) *work { return presignedWork(t) }},
		{"send", func(t *testing.T) *work { return sendWork(t, false) }},
		{"send tls", func(t *testing.T) *work { return sendWork(t, true) }},
		{"gateway", func(t *testing.T) *work { return gatewayWork(t, spot) }},
		{"whole spot", func(t *testing.T) *work { w, _ := wholeWork(t, spot, RigOptions{}, nil); return w }},
		{"whole spot presigned", func(t *testing.T) *work { w, _ := wholeWork(t, spot, RigOptions{Rungs: 32}, nil); return w }},
		{"whole usdm", func(t *testing.T) *work { w, _ := wholeWork(t, corpus(t, Linear), RigOptions{}, nil); return w }},
	}
	for _, s := range stages {
		if raceOn && (strings.Contains(s.name, Linear) || strings.Contains(s.name, "tls")) {
			continue // too long, or the race detector empties the library's pools
		}
		t.Run(s.name, func(t *testing.T) { noAllocs(t, s.make(t)) })
	}
}

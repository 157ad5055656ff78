package floor

// #cgo LDFLAGS: -pthread
// #include "thread.h"
import "C"

import "time"

// BounceLine passes n counters there and back in one cache line between the caller,
// who is to be pinned, and a thread on cpu. The sum is that of BounceRing; the time is
// from when both were there.
func BounceLine(cpu, n int) (uint64, time.Duration) {
	var ns C.int64_t
	sum := C.floor_bounce_line(C.int(cpu), C.uint64_t(n), &ns)
	return uint64(sum), time.Duration(ns)
}

// BounceRing passes n items of 64 bytes there and back through two rings, and returns
// a sum over those that came back.
func BounceRing(cpu, n int) (uint64, time.Duration) {
	var ns C.int64_t
	sum := C.floor_bounce_ring(C.int(cpu), C.uint64_t(n), &ns)
	return uint64(sum), time.Duration(ns)
}

// StreamRing receives n items of 64 bytes from a thread on cpu that hands them over
// by the batch, and returns a sum over them.
func StreamRing(cpu, n, batch int) (uint64, time.Duration) {
	var ns C.int64_t
	sum := C.floor_stream_ring(C.int(cpu), C.uint64_t(n), C.uint64_t(batch), &ns)
	return uint64(sum), time.Duration(ns)
}

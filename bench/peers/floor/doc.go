// Package floor is C of our own that shows what the processor can do with a stage's
// work: no allocation, no checks that the result does not need, whole batches in one
// call so that crossing from Go to C does not count. Nothing of it is used by the
// engine; it exists to be measured against.
//
//	book    flat array of ticks with a bitmap over it, both sides
//	thread  a cache line bounced between two threads; rings of 64-byte items
//	sign    HMAC-SHA256 with kept midstates, by the processor's SHA instructions
//	recv    reading a socket and looking at nothing
//	parse   a frame's bytes to integers
//
// It is compiled for the machine at hand. What that machine's processor lacks is
// said by the Have functions, and whoever asks leaves the floor out with that reason.
package floor

// #cgo CFLAGS: -O3 -march=native -Wall -Wextra -Werror
import "C"

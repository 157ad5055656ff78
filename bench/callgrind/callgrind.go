// Package callgrind counts the instructions of a piece of this process: the inner
// half talks to the valgrind tool that runs us, the outer half reads what it wrote.
//
//	callgrind.go  requests to the tool: count from here to there, write it down
//	request*      how a request is told, which costs a processor six idle instructions
//	dump.go       the tool's output file
//
// A count is of one thread, the one that called Begin, and of instructions in user
// space: what the kernel does for it is not in there. The tool translates the
// program's machine code and knows neither AVX-512 nor SHA-NI, so code that asks
// the processor what it can do takes its road for lesser ones.
package callgrind

import (
	"runtime"
	"unsafe"
)

// Valgrind's numbers of requests (valgrind.h, callgrind.h, version 3.19).
const (
	runningOnValgrind = 0x1001

	base            = 'C'<<24 | 'T'<<16
	zeroStats       = base + 1
	toggleCollect   = base + 2
	dumpStatsAt     = base + 3
	startInstrument = base + 4
	stopInstrument  = base + 5
)

func ask(what uint64, arg unsafe.Pointer) uint64 {
	args := [6]uint64{what, uint64(uintptr(arg))}
	got := request(&args)
	runtime.KeepAlive(arg)
	return got
}

// Running reports whether valgrind runs this process.
func Running() bool { return ask(runningOnValgrind, nil) != 0 }

// Instrument makes the tool watch what is executed, or lets the program run at the
// speed of mere translation.
func Instrument(on bool) {
	if on {
		ask(startInstrument, nil)
		ask(zeroStats, nil)
		return
	}
	ask(stopInstrument, nil)
}

// Begin starts counting on this thread, End stops it; the caller holds on to the
// thread. Counts of several pieces add up until they are dumped.
func Begin() { ask(toggleCollect, nil) }

// End stops what Begin has begun.
func End() { ask(toggleCollect, nil) }

// Dump writes what was counted under a name and starts from 0 again.
func Dump(name string) {
	text := append([]byte(name), 0)
	ask(dumpStatsAt, unsafe.Pointer(&text[0]))
}

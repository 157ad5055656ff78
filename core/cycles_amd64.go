package core

const haveCycles = true

// cycles is the processor's time stamp counter. It is not ordered against the
// instructions around it: some ten ns of slack either way.
//
//go:noescape
func cycles() uint64

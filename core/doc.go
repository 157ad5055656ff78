// Package core is riposte's vocabulary: the numbers, instruments, market
// events, orders and clocks that every other room speaks in. It knows no
// venue and imports nothing of ours, and asks the machine for the time only.
//
// Flow, one direction:
//
//	socket → feed/ws → feed/<venue> decode → core/ring (one queue per instrument)
//	       → core/engine shard: sync → book → signal → strategy → core/risk gate
//	       → exec gateway → exec/<venue> template → socket
//
// Units. Price and Qty are int64 at 1e-8, the venue's own ceiling; a product
// is a Notional of 128 bits at 1e-16. Amount is a quantity of an asset
// (balance, fee, value in quote) at 1e-8. WallNs can be compared with the
// venue's clock, MonoNs only with itself; they are different types.
//
// Ownership. Each piece of state has one writing goroutine, named in its
// type's comment. What crosses a goroutine does so as a fixed-size value
// through a ring.
//
// Replay promise. Everything that can change a decision enters the engine
// through one sequenced input; the same sequence gives the same decisions.
package core

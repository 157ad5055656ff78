package risk

import "riposte/core"

// Stamps are the instants of one decision, all on the process's monotonic clock:
// bytes read, decoded, applied to the book, asked for by the strategy, let
// through by the gate. Where no market event was the cause (a timer, a command, a
// report) Recv, Decoded and Applied are the time at which that input was taken.
type Stamps struct {
	Recv, Decoded, Applied, Decided, Approved core.MonoNs
}

// Approved is an intent that passed the gate. Only this package can make one
// that is Valid; exec refuses any other, so code that goes round the gate can
// send nothing. Fixed size; it crosses a ring by value.
type Approved struct {
	intent core.Intent
	stamps Stamps
	input  uint64
	sealed bool
}

// Valid reports whether the gate made it.
func (a *Approved) Valid() bool { return a.sealed }

// Intent is what was approved.
func (a *Approved) Intent() core.Intent { return a.intent }

// ID is the order it concerns, 0 for a CancelAll.
func (a *Approved) ID() core.OrderID { return a.intent.ID }

// Stamps are the instants that led to it.
func (a *Approved) Stamps() *Stamps { return &a.stamps }

// Cause is when the bytes that led to the decision had been read.
func (a *Approved) Cause() core.MonoNs { return a.stamps.Recv }

// Decided is when the strategy asked.
func (a *Approved) Decided() core.MonoNs { return a.stamps.Decided }

// At is when the gate let it through.
func (a *Approved) At() core.MonoNs { return a.stamps.Approved }

// Input is the number of the engine input that led to it.
func (a *Approved) Input() uint64 { return a.input }

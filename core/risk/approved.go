package risk

import (
	"time"

	"riposte/core"
	"riposte/core/book"
)

// Stamps are the instants of one decision, all on the process's monotonic clock:
// bytes read, decoded, applied to the book, asked for by the strategy, let
// through by the gate. Where no market event was the cause (a timer, a command, a
// report) Recv, Decoded and Applied are the time at which that input was taken.
type Stamps struct {
	Recv, Decoded, Applied, Decided, Approved core.MonoNs
}

// Basis is what a decision was made on: the input that led to it, the book's top and what
// was at stake, for whoever asks why. Amounts are in the account's currency.
type Basis struct {
	Cause      uint8          // of engine.CauseKind
	Event      core.EventKind // of the market event that led to it, 0: none did
	EventID    uint64
	Venue      core.WallNs // the venue's time of that event, 0: not told
	Top        core.Top
	Position   core.Qty // of the instrument
	Buy, Sell  core.Qty // what may still trade, this order included
	Open       int      // orders on the instrument, likewise
	Live       int      // of the account
	Unknown    int
	Gross      core.Amount
	DayPnL     core.Amount
	Proof      core.MonoNs // how old the newest proof of the book was
	ClockError time.Duration
}

// Basis fills in what the gate goes by for an instrument.
func (g *Gate) Basis(b *Basis, id core.InstrumentID, sync *book.Sync, now core.MonoNs) {
	e := &g.exposure[id]
	b.Top, b.Proof = sync.Top(), now-sync.LastProof()
	b.Position, b.Buy, b.Sell, b.Open = e.Position, e.Buy, e.Sell, e.Open
	b.Live, b.Unknown, b.Gross, b.DayPnL, b.ClockError = g.orders.live, g.unknown, g.capital.gross, g.DayPnL(), g.clockError
}

// Approved is an intent that passed the gate. Only this package can make one
// that is Valid; exec refuses any other, so code that goes round the gate can
// send nothing. Fixed size; it crosses a ring by value.
type Approved struct {
	intent core.Intent
	stamps Stamps
	basis  Basis
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

// Basis is what it was decided on; whoever hands the approval on fills it.
func (a *Approved) Basis() *Basis { return &a.basis }

// Cause is when the bytes that led to the decision had been read.
func (a *Approved) Cause() core.MonoNs { return a.stamps.Recv }

// Decided is when the strategy asked.
func (a *Approved) Decided() core.MonoNs { return a.stamps.Decided }

// At is when the gate let it through.
func (a *Approved) At() core.MonoNs { return a.stamps.Approved }

// Input is the number of the engine input that led to it.
func (a *Approved) Input() uint64 { return a.input }

// Package risk is the gate: the only door between a decision and the wire. Limits
// go in with the config; for each intent out comes an Approved or a Refusal.
package risk

import "riposte/core"

// Approved is an intent that passed the gate. Only this package can make one
// that is Valid; exec refuses any other, so code that goes round the gate can
// send nothing. Fixed size; it crosses a ring by value.
type Approved struct {
	intent  core.Intent
	cause   core.MonoNs
	decided core.MonoNs
	at      core.MonoNs
	input   uint64
	sealed  bool
}

// Valid reports whether the gate made it.
func (a *Approved) Valid() bool { return a.sealed }

// Intent is what was approved.
func (a *Approved) Intent() core.Intent { return a.intent }

// Cause is when the bytes that led to the decision had been read.
func (a *Approved) Cause() core.MonoNs { return a.cause }

// Decided is when the strategy asked.
func (a *Approved) Decided() core.MonoNs { return a.decided }

// At is when the gate let it through.
func (a *Approved) At() core.MonoNs { return a.at }

// Input is the number of the engine input that led to it.
func (a *Approved) Input() uint64 { return a.input }

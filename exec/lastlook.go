package exec

import (
	"riposte/core"
	"riposte/core/risk"
)

// lastLook is the last thing before the bytes of an order or an amend are given to the
// system. A process can stand still anywhere (stopped, starved of its processor, swapped
// out), and what was young and allowed when it was laid out may be neither when it goes on:
// a guard may have taken the engine for dead and ended its orders, an operator may have
// halted it. So the clock is read again here, behind everything that takes time, the
// journal's write above all.
//
// What is left is the way from this reading into the system's write, some hundred
// instructions in which no lock is taken and nothing waits. A process that is stopped just
// there sends one order when it goes on; nothing inside a process can exclude that. Such an
// order is bounded by its recvWindow: the venue refuses it once that is over (Binance Spot
// API docs, 2026-07-21), and by the gate, which counted it.
func (g *Gateway) lastLook(a *risk.Approved) (why Refusal, may bool) {
	switch {
	case g.late(a, g.clock.Mono()):
		return RefusedLate, false
	case g.cfg.Buried != nil && g.cfg.Buried():
		g.raise(risk.HaltGuard)
		return RefusedHalted, false
	}
	if halt := g.Halted(); halt != 0 && (g.intent.Kind != core.Amend || halt != risk.HaltReduceOnly) {
		return RefusedHalted, false
	}
	return 0, true
}

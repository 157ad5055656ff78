package exec

import (
	"time"

	"riposte/core"
	"riposte/core/risk"
)

// flight is one request on its way: what it is for and how long its answer is waited
// for, whatever connection it took. Written by the loop goroutine.
type flight struct {
	kind     RequestKind
	counted  bool  // the order that it is to end counts it among the attempts under way
	slot     int32 // the order concerned, and its generation
	gen      uint32
	old      int32 // the order that a replace is to end, likewise
	oldGen   uint32
	sent     core.MonoNs
	deadline core.MonoNs // for the answer
	doubtAt  core.MonoNs // when the order becomes unknown though we still listen
	before   uint64      // requests that place orders and had come to their end when it left
}

// begin notes that a request leaves now. answer is how long it is listened for, doubt
// after how much silence the order concerned (nil: none) becomes unknown.
func (f *flight) begin(kind RequestKind, o *Order, now core.MonoNs, answer, doubt time.Duration) {
	*f = flight{kind: kind, slot: none, old: none, counted: kind == RequestCancel, sent: now, deadline: now + core.MonoNs(answer), doubtAt: now + core.MonoNs(doubt)}
	if o != nil {
		f.slot, f.gen = o.slot, o.gen
		o.pins++
	}
}

// ends notes that the request is also to end another order.
func (f *flight) ends(old *Order) {
	f.old, f.oldGen, f.counted = old.slot, old.gen, true
	old.pins++
	old.cancel.flying++
}

// Stamp is the stage clock of one request, for the latency record. Fixed size.
type Stamp struct {
	risk.Stamps
	Encoded, Written core.MonoNs
	ID               core.OrderID
	Input            uint64
	Kind             core.IntentKind
	Presigned        bool
	Path             Path
}

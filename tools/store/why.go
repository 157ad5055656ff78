package store

import (
	"encoding/json"

	"riposte/core"
	"riposte/core/journal"
	"riposte/core/risk"
	"riposte/exec"
)

// What a record keeps of why something was decided.

// judged is what the gate went by.
func judged(b *risk.Basis) journal.Judged {
	return journal.Judged{Top: b.Top, Position: b.Position, Buy: b.Buy, Sell: b.Sell, Open: uint32(b.Open), Live: uint32(b.Live), Unknown: uint32(b.Unknown),
		Gross: b.Gross, DayPnL: b.DayPnL, Proof: b.Proof, ClockError: b.ClockError}
}

// Written records what a request that has just left came of. It comes after the bytes, so
// that nothing waits for it; an order without it was being sent when the process died.
func (j *Journal) Written(r *exec.WrittenRecord) {
	b := r.Approved.Basis()
	st := r.Approved.Stamps()
	j.sent = journal.Sent{Kind: r.Kind, Order: r.Approved.ID(), Wall: r.Stamp + core.WallNs(r.Written-r.Encoded), Input: r.Approved.Input(), Bytes: uint32(r.Bytes),
		Recv: st.Recv, Decoded: st.Decoded, Applied: st.Applied, Decided: st.Decided, Approved: st.Approved, Encoded: r.Encoded, Written: r.Written,
		Cause: b.Cause, Event: b.Event, EventID: b.EventID, Venue: b.Venue, Judged: judged(b), Routes: r.Routes}
	j.note(&j.sent)
}

// whyRefused is what a refusal was judged by.
func whyRefused(in *core.Intent, d *risk.Denial) journal.Why {
	w := journal.Why{Type: in.Type, TIF: in.TIF, Stop: in.Stop, Iceberg: in.Iceberg, Old: in.Old, Trail: in.Trail}
	if d == nil {
		return w
	}
	o := &d.Order
	w.Halt, w.Book, w.OfPrice, w.OfQty, w.OfCum, w.OfAmends = uint32(d.Halt), uint8(d.Book), o.Price, o.Qty, o.Cum, o.Amends
	w.Last, w.Average, w.Held, w.Unpriced = d.Last, d.Average, d.Held, d.Unpriced
	w.Audited, w.Rules, w.Orders, w.Trades = d.At-d.Audited, d.At-d.RulesRead, d.Orders, d.Trades
	w.Judged = journal.Judged{Top: d.Top, Position: d.Exposure.Position, Buy: d.Exposure.Buy, Sell: d.Exposure.Sell, Open: uint32(d.Exposure.Open),
		Live: uint32(d.Live), Unknown: uint32(d.Unknown), Gross: d.Gross, Proof: d.At - d.Proved, ClockError: d.Clock}
	return w
}

// RulesSet records the venue's rules of a symbol as they are from now on, if they are not
// those on record.
func (j *Journal) RulesSet(in *core.Instrument) {
	text, err := json.Marshal(in)
	if err != nil || j.rules[in.Symbol] == string(text) {
		return // numbers and texts: it cannot fail
	}
	if j.rules == nil {
		j.rules = map[string]string{}
	}
	j.rules[in.Symbol] = string(text)
	j.note(&journal.Rules{Symbol: in.Symbol, Wall: j.clock.Wall(), Text: string(text)})
}

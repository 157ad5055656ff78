package store

import (
	"fmt"

	"time"

	"riposte/core"
	"riposte/core/engine"
	"riposte/core/journal"
	"riposte/exec"
)

// What the account's view is made of, beside orders. All of it is cold.

// Adopted records an order that the run did not send and holds from now on.
func (j *Journal) Adopted(o *exec.Order) {
	if int(o.Instrument) >= len(j.table.List) {
		return
	}
	p := journal.Order{ID: o.ID, Client: o.Client, VenueID: o.VenueID, Symbol: j.table.List[o.Instrument].Symbol, Strategy: o.Strategy,
		Side: o.Side, Type: o.Type, TIF: o.TIF, Price: o.Price, Qty: o.Qty, Stamp: o.Stamp, Window: time.Duration(o.Window), Alive: true}
	j.note(&p)
}

// Ahead records what the venue has said of an order ahead of its fills.
func (j *Journal) Ahead(o *exec.Order) {
	h := journal.Ahead{Order: o.ID, Cum: o.Cum, Wall: j.clock.Wall()}
	if st := o.Status(); st.Terminal() {
		h.End = st
	}
	j.note(&h)
}

// Opened records the balances that the ledger opens with.
func (j *Journal) Opened(bs []core.Balance) {
	wall := j.clock.Wall()
	for _, b := range bs {
		if name := j.table.AssetName(b.Asset); name != "" {
			j.note(&journal.Holding{Kind: journal.HoldingOpening, Asset: name, Owned: b.Free + b.Locked, Wall: wall})
		}
	}
}

// Moved records what moved without a trade of ours.
func (j *Journal) Moved(a core.AssetID, delta, owned core.Amount, why string) {
	if name := j.table.AssetName(a); name != "" {
		j.note(&journal.Holding{Kind: journal.HoldingExternal, Asset: name, Owned: owned, Delta: delta, Wall: j.clock.Wall(), Text: why})
	}
}

// Audited records what a comparison with the venue found.
func (j *Journal) Audited(diffs []exec.Difference, settled bool, marks []exec.TradeMark) {
	a := journal.Audit{Wall: j.clock.Wall(), Settled: settled, Found: uint32(len(diffs))}
	for i := range diffs {
		d := &diffs[i]
		if !d.Kind.Open() {
			continue
		}
		if a.Text == "" {
			a.Text = d.Kind.String() + " " + j.about(d)
		}
		a.Halting++
	}
	const each = 4096 // marks in a record
	for {
		a.Marks = a.Marks[:0]
		for _, m := range marks[:min(each, len(marks))] {
			a.Marks = append(a.Marks, journal.Mark{Instrument: m.Instrument, Trade: m.Trade})
		}
		j.note(&a)
		if marks = marks[len(a.Marks):]; len(marks) == 0 {
			return
		}
	}
}

// about is what a difference concerns: an asset, an order by the id that the venue
// knows, or, where that is missing, by ours.
func (j *Journal) about(d *exec.Difference) string {
	switch {
	case d.Kind >= exec.DiffExternal:
		return j.table.AssetName(d.Balance.Asset)
	case len(d.Evidence.Client.Bytes()) > 0:
		return d.Evidence.Client.String()
	}
	return fmt.Sprintf("order %d", d.Order)
}

// LimitSet records that a limit has changed while the run goes on.
func (j *Journal) LimitSet(l *journal.Limit) { j.note(l) }

// Chosen records why an order was posted, or taken at once.
func (j *Journal) Chosen(c *engine.Choice) {
	j.note(&journal.Choice{Order: c.Order, Input: c.Input, Symbol: j.table.Get(c.Instrument).Symbol, Strategy: c.Strategy, Maker: c.Maker,
		MakerBps: c.MakerBps, TakerBps: c.TakerBps, Spread: c.Spread, Impact: c.Impact, Fill: c.Fill, Adverse: c.Adverse, Miss: c.Miss,
		Horizon: c.Horizon, Wall: j.clock.Wall()})
}

// Tuned records that a strategy's parameter has changed while the run goes on.
func (j *Journal) Tuned(p *journal.Param) {
	p.Wall = j.clock.Wall()
	j.note(p)
}

// Halted records that trading was stopped or allowed again, by whom and why, and where;
// see journal.Halt.
func (j *Journal) Halted(on bool, causes uint32, scope, who, why string) {
	j.note(&journal.Halt{On: on, Code: causes, Wall: j.clock.Wall(), Who: who, Text: why, Scope: scope})
}

package exec

import (
	"riposte/core"
	"riposte/core/fault"
)

// Ledger is what we should own, computed: opening balances, plus what fills brought
// and took, minus commissions in whatever asset they were charged, plus external
// moves. Exact integers at 1e-8; free and locked together, because what is locked
// is still owned. Beside it stands what the venue last told, and the difference
// must be zero when nothing is under way. Written by the loop goroutine.
type Ledger struct {
	instruments *core.Instruments
	open        bool
	owned       []core.Amount // by asset
	told        []core.Amount // free + locked, newest word of the venue
	heard       []bool
	lately      []lately                                                   // by asset
	position    []core.Qty                                                 // by instrument, net of fills, fees not included
	baseFees    []core.Qty                                                 // by instrument, commissions charged in its base asset
	cash        []core.Amount                                              // by instrument, quote received minus paid
	fees        []core.Amount                                              // by asset, paid
	moved       func(a core.AssetID, delta, owned core.Amount, why string) // told of what no trade of ours moved; may be nil
	unpriced    uint64                                                     // commissions in assets that are not in the table
}

// NewLedger makes an empty ledger; it counts from the first Open on.
func NewLedger(t *core.Instruments) *Ledger {
	l := &Ledger{instruments: t}
	l.grow(len(t.Assets))
	l.position = make([]core.Qty, len(t.List))
	l.baseFees = make([]core.Qty, len(t.List))
	l.cash = make([]core.Amount, len(t.List))
	return l
}

func (l *Ledger) grow(n int) {
	for len(l.owned) < n {
		l.owned = append(l.owned, 0)
		l.told = append(l.told, 0)
		l.heard = append(l.heard, false)
		l.lately = append(l.lately, lately{})
		l.fees = append(l.fees, 0)
	}
}

// Opened reports whether opening balances are known.
func (l *Ledger) Opened() bool { return l.open }

// Open sets the opening balances, as the account had them when none of our orders
// was working. Assets that are not mentioned are 0. Fills booked before are kept.
func (l *Ledger) Open(bs []core.Balance) {
	for _, b := range bs {
		if b.Asset != core.NoAsset {
			l.grow(int(b.Asset) + 1)
			l.owned[b.Asset] += b.Free + b.Locked
		}
	}
	l.open = true
	l.Told(bs)
}

// Fill books one fill.
func (l *Ledger) Fill(r *core.Report) {
	in := l.instruments.Get(r.Instrument)
	base, quote := core.Amount(r.Qty), r.Quote
	if r.Side == core.Sell {
		base, quote = -base, -quote
	}
	l.about(in.Base, r.Recv)
	l.about(in.Quote, r.Recv)
	l.owned[in.Base] += base
	l.owned[in.Quote] -= quote
	l.position[r.Instrument] += core.Qty(base)
	l.cash[r.Instrument] -= quote
	switch {
	case r.Fee == 0:
	case r.FeeAsset == core.NoAsset:
		l.unpriced++
	default:
		l.grow(int(r.FeeAsset) + 1)
		if r.FeeAsset != in.Base && r.FeeAsset != in.Quote {
			l.about(r.FeeAsset, r.Recv)
		}
		l.owned[r.FeeAsset] -= r.Fee
		l.fees[r.FeeAsset] += r.Fee
		if r.FeeAsset == in.Base {
			l.baseFees[r.Instrument] += core.Qty(r.Fee)
		}
	}
}

// Foreign books a fill of somebody else on the account: it moves what is owned and
// nothing else.
func (l *Ledger) Foreign(e *core.Execution) {
	l.flow(e, func(a core.AssetID, d core.Amount) { l.move(a, d, "a trade of others on the account") })
}

// flow calls f with what a fill moves of each asset.
func (l *Ledger) flow(e *core.Execution, f func(core.AssetID, core.Amount)) {
	if e.Instrument == core.NoInstrument {
		return
	}
	in := l.instruments.Get(e.Instrument)
	sign := core.Amount(e.Side.Sign())
	f(in.Base, sign*core.Amount(e.LastQty))
	f(in.Quote, -sign*e.LastQuote)
	if e.Fee != 0 && e.FeeAsset != core.NoAsset {
		l.grow(int(e.FeeAsset) + 1)
		f(e.FeeAsset, -e.Fee)
	}
}

// External books a change that is not a trade: a deposit, withdrawal, transfer. why
// goes on record.
func (l *Ledger) External(asset core.AssetID, delta core.Amount, why string) {
	if asset == core.NoAsset {
		return
	}
	l.grow(int(asset) + 1)
	l.move(asset, delta, why)
}

func (l *Ledger) move(a core.AssetID, delta core.Amount, why string) {
	l.owned[a] += delta
	if l.moved != nil {
		l.moved(a, delta, l.owned[a], why)
	}
	fault.At(fault.ExternalBooked)
}

// Told notes balances as the venue told them; only the assets mentioned change.
func (l *Ledger) Told(bs []core.Balance) {
	for _, b := range bs {
		if b.Asset != core.NoAsset {
			l.grow(int(b.Asset) + 1)
			l.told[b.Asset], l.heard[b.Asset] = b.Free+b.Locked, true
		}
	}
}

// Owned is what we should have of an asset.
func (l *Ledger) Owned(a core.AssetID) core.Amount {
	if int(a) >= len(l.owned) {
		return 0
	}
	return l.owned[a]
}

// Position is the net of fills on an instrument, commissions not included.
func (l *Ledger) Position(id core.InstrumentID) core.Qty { return l.position[id] }

// Holding is what the fills on an instrument have left us of its base asset: bought
// minus sold, minus the commissions that were charged in it.
func (l *Ledger) Holding(id core.InstrumentID) core.Qty { return l.position[id] - l.baseFees[id] }

// Sellable is how much of the holding an order can sell: whole lots. dust is what is
// left of it.
func (l *Ledger) Sellable(id core.InstrumentID) (lots, dust core.Qty) {
	return l.instruments.Get(id).Sellable(l.Holding(id))
}

// Cash is the quote received minus paid on an instrument.
func (l *Ledger) Cash(id core.InstrumentID) core.Amount { return l.cash[id] }

// Fees is what was paid in commissions of an asset.
func (l *Ledger) Fees(a core.AssetID) core.Amount {
	if int(a) >= len(l.fees) {
		return 0
	}
	return l.fees[a]
}

// Unpriced is how many commissions were in assets unknown to the table.
func (l *Ledger) Unpriced() uint64 { return l.unpriced }

// Mismatch is an asset of which the venue says another amount than we computed.
type Mismatch struct {
	Asset       core.AssetID
	Ours, Venue core.Amount
}

// Compare appends the assets whose balance in bs differs from ours with flows added,
// which may be nil. It is exact only of a moment at which nothing of ours was trading.
func (l *Ledger) Compare(dst []Mismatch, bs []core.Balance, flows map[core.AssetID]core.Amount) []Mismatch {
	if !l.open {
		return dst
	}
	for _, b := range bs {
		if b.Asset == core.NoAsset {
			continue
		}
		if ours, venue := l.Owned(b.Asset)+flows[b.Asset], b.Free+b.Locked; ours != venue {
			dst = append(dst, Mismatch{b.Asset, ours, venue})
		}
	}
	return dst
}

// Mismatches compares with what the venue last told of each asset; see Compare.
func (l *Ledger) Mismatches(dst []Mismatch) []Mismatch {
	if !l.open {
		return dst
	}
	for a := range l.owned {
		if l.heard[a] && l.owned[a] != l.told[a] {
			dst = append(dst, Mismatch{core.AssetID(a), l.owned[a], l.told[a]})
		}
	}
	return dst
}

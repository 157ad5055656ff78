package exec

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"riposte/core"
	"riposte/core/fault"
	"riposte/core/journal"
)

// Recovery. A start is a recovery whatever was before: what the journal tells of former
// lives goes into table, ledger and audit, and then the same things happen as after a
// lost connection. Orders that may still work are held again and asked about; those
// without a sign of life are in doubt with the time that was signed into them; the
// first audit reads the trades since the last that was booked. No order leaves before
// an audit finds nothing open.

// Restore takes over what former runs left. It is called once, before the first Step
// and before Keep. keep says that orders which still work go on working; else they are
// cancelled. The numbers that p's orders have in this run are noted in p.
func (g *Gateway) Restore(p *Past, keep bool) error {
	runs := slices.Sorted(maps.Keys(p.Runs))
	for _, e := range runs[max(0, len(runs)-runMost/2):] {
		g.table.Know(e, p.Runs[e])
	}
	ids := map[core.ClientID]core.OrderID{}
	for _, o := range p.Orders() {
		id, err := g.restore(o, p.Whose(o), keep)
		if err != nil {
			return err
		}
		if id != 0 {
			ids[o.Client] = id
		}
		if t := g.table.Find(id); t != nil && t.saidDone {
			p.drop(o) // all of it had traded, and the run died before it said so
		}
		fault.At(fault.OrderRestored)
	}
	p.Renumber(ids)
	if p.Opened {
		g.ledger.restore(p)
	}
	g.audit.marks = g.noMarks()
	for i := range g.audit.marks {
		m := &g.audit.marks[i]
		if s := p.Symbols[g.cfg.Instruments.Get(m.Instrument).Symbol]; s != nil && p.Opened {
			m.Trade = s.Mark
		}
	}
	return nil
}

// restore enters one order; 0 is the number of a tombstone.
func (g *Gateway) restore(o *journal.Order, whose uint16, keep bool) (core.OrderID, error) {
	in, ok := g.cfg.Instruments.Lookup(o.Symbol)
	if !ok {
		if o.Gone {
			return 0, nil
		}
		return 0, fmt.Errorf("cannot take over order %s: it is on %s, which is not among the configured symbols; want it there until the order has ended", o.Client, o.Symbol)
	}
	k := Known{Client: o.Client, VenueID: o.VenueID, Instrument: in.ID, Strategy: whose, Side: o.Side, Type: o.Type, TIF: o.TIF,
		Price: o.Price, Qty: o.Qty, Cum: o.Cum, Stamp: o.Stamp, Window: core.MonoNs(actWithin(o)), Alive: o.Alive, End: o.End}
	if o.Gone {
		k.End = core.NotSent
	}
	for i, t := range o.Trades {
		f := KnownFill{Trade: t}
		if i == 0 {
			f.Qty = o.Filled // only their sum is known, and only that matters
		}
		k.Fills = append(k.Fills, f)
	}
	r := g.table.Restore(&k)
	switch {
	case r != nil:
		r.adopted = !keep
		return r.ID, nil
	case o.Gone:
		return 0, nil
	}
	return 0, fmt.Errorf("cannot take over order %s: the order table has no room for it, or knows its run not", o.Client)
}

// Keep gives the gateway its journal. Nothing is sent before it has one, unless it is
// to have none.
func (g *Gateway) Keep(j Journal) { g.cfg.Journal = j }

// unread is the mark of an instrument whose trades nobody has looked at: from the next
// audit on they count.
const unread = -2

func (g *Gateway) noMarks() (marks []TradeMark) {
	for i := range g.cfg.Instruments.List {
		marks = append(marks, TradeMark{core.InstrumentID(i), unread})
	}
	return marks
}

// readTrades are the trades of an instrument since its mark, and the mark behind them.
func (g *Gateway) readTrades(s *Snapshot, m TradeMark, read func(from int64) ([]core.Execution, error)) error {
	from := int64(-1) // the newest alone, to know where it stands
	if m.Trade != unread {
		from = m.Trade + 1 // a mark of -1: no trade was ever made
	}
	trades, err := read(from)
	if err != nil {
		return err
	}
	if m.Trade == unread {
		m.Trade = -1
	} else {
		s.Trades = append(s.Trades, trades...)
	}
	for i := range trades {
		m.Trade = max(m.Trade, trades[i].TradeID)
	}
	s.Marks = append(s.Marks, m)
	return nil
}

// restore sets the ledger to what former runs' fills have made of it. What its table
// has no name for stays in the journal alone.
func (l *Ledger) restore(p *Past) {
	for name, s := range p.Symbols {
		if in, ok := l.instruments.Lookup(name); ok {
			l.position[in.ID], l.baseFees[in.ID], l.cash[in.ID] = s.Net, s.BaseFees, s.Cash
		}
	}
	for name, a := range p.Assets {
		if id, ok := l.instruments.AssetID(name); ok {
			l.grow(int(id) + 1)
			l.owned[id], l.fees[id] = a.Owned, a.Fees
		}
	}
	l.open = true
}

// errNoJournal stops orders of a gateway that was told to wait for its journal.
var errNoJournal = errors.New("cannot send: the journal has not begun")

// Unbegun is the journal of a gateway whose real one is still being made: it accepts
// nothing, so nothing is sent.
type Unbegun struct{ NoJournal }

// Sent refuses.
func (Unbegun) Sent(*SentRecord) error { return errNoJournal }

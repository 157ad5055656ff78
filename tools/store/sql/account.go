package sql

import (
	"fmt"

	"riposte/core"
	"riposte/core/journal"
	"riposte/core/risk"
)

// fill books a trade once, however often it is told.
func (w *Writer) fill(seq uint64, p *journal.Report) error {
	r := &p.Report
	if int(r.Instrument) >= len(w.names) {
		return fmt.Errorf("cannot store record %d: a fill of instrument %d, which the run has not named", seq, r.Instrument)
	}
	in := &w.names[r.Instrument]
	fee := w.asset(r.FeeAsset)
	n, err := w.changed(`INSERT OR IGNORE INTO fills SELECT ?1, ?2, ?3, ?4, ?5, coalesce((SELECT client FROM orders WHERE holder = ?3 AND number = ?6), ''),
		?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16`,
		int64(seq), w.era, w.run, in.Symbol, r.TradeID, int64(r.ID), r.VenueID, int64(r.Side), int64(r.Price), int64(r.Qty), int64(r.Quote),
		int64(r.Fee), fee, r.Maker, int64(r.VenueTime), int64(p.Wall))
	if err != nil || n == 0 {
		return err
	}
	pos := w.position(in.Symbol)
	pos.base, pos.quote = w.asset(in.Base), w.asset(in.Quote)
	if err := pos.fill(r.Side, r.Qty, r.Quote); err != nil {
		return fmt.Errorf("record %d: %w", seq, err)
	}
	if err := pos.fee(fee, r.Fee, r.Qty, r.Quote); err != nil {
		return fmt.Errorf("record %d: %w", seq, err)
	}
	w.dirty[in.Symbol] = true
	sign := core.Amount(r.Side.Sign())
	if err := w.balance(pos.base, "traded", sign*core.Amount(r.Qty)); err != nil {
		return err
	}
	if err := w.balance(pos.quote, "traded", -sign*r.Quote); err != nil {
		return err
	}
	if r.Fee == 0 || fee == "" {
		return nil // in an asset that no table knew: the ledger counts those apart
	}
	if err := w.balance(fee, "fees", r.Fee); err != nil {
		return err
	}
	return w.exec("INSERT INTO fees VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET paid = paid + excluded.paid", w.era, in.Symbol, fee, int64(r.Fee))
}

// position is the row of a symbol, kept in memory.
func (w *Writer) position(symbol string) *position {
	p := w.positions[symbol]
	if p == nil {
		p = &position{mark: -1}
		w.positions[symbol] = p
	}
	return p
}

// flush writes the positions that have changed.
func (w *Writer) flush() error {
	for symbol := range w.dirty {
		p := w.positions[symbol]
		if err := w.exec("INSERT OR REPLACE INTO positions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", w.era, symbol, p.base, p.quote,
			int64(p.net), int64(p.cash), int64(p.baseFees), int64(p.quoteFees), int64(p.baseWorth), int64(p.cost), int64(p.realised), p.fills, p.mark); err != nil {
			return err
		}
	}
	clear(w.dirty)
	return nil
}

// balance adds to one column of an asset's row.
func (w *Writer) balance(asset, column string, d core.Amount) error {
	if err := w.holds(asset); err != nil {
		return err
	}
	return w.exec("UPDATE balances SET "+column+" = "+column+" + ? WHERE era = ? AND asset = ?", int64(d), w.era, asset)
}

func (w *Writer) holds(asset string) error {
	return w.exec("INSERT OR IGNORE INTO balances VALUES (?, ?, 0, 0, 0, 0, 0, 0, 0, 0)", w.era, asset)
}

// carried is a position that a run starts from: mostly the one that is here already.
func (w *Writer) carried(p *journal.Position) error {
	w.draft = draftCarries
	pos := w.position(p.Symbol)
	for _, n := range w.names {
		if n.Symbol == p.Symbol {
			pos.base, pos.quote = w.asset(n.Base), w.asset(n.Quote)
		}
	}
	pos.carried(p.Net, p.BaseFees, p.Cash, p.QuoteFees, p.Mark)
	w.dirty[p.Symbol] = true
	return nil
}

// owned is what should be owned of an asset, by its row.
const owned = "(opening + traded - fees + moved)"

// holding stores what is said of an asset other than by trades.
func (w *Writer) holding(p *journal.Holding) error {
	if err := w.holds(p.Asset); err != nil {
		return err
	}
	switch p.Kind {
	case journal.HoldingOpening:
		// It counts once the audit that brought it has been told.
		return w.exec("UPDATE balances SET unsure = ?, told = ?, time = ? WHERE era = ? AND asset = ?", int64(p.Owned), int64(p.Owned), int64(p.Wall), w.era, p.Asset)
	case journal.HoldingCarried:
		w.draft = draftCarries
		return w.exec("UPDATE balances SET opening = opening + ? - "+owned+" - fees + ?, fees = ? WHERE era = ? AND asset = ?",
			int64(p.Owned), int64(p.Fees), int64(p.Fees), w.era, p.Asset)
	default:
		return w.exec("UPDATE balances SET moved = moved + ?, told = ?, difference = ? - "+owned+" - ?, time = ? WHERE era = ? AND asset = ?",
			int64(p.Delta), int64(p.Owned), int64(p.Owned), int64(p.Delta), int64(p.Wall), w.era, p.Asset)
	}
}

// audit stores a comparison with the venue. One that left nothing open proves every
// balance: the venue told what we had computed.
func (w *Writer) audit(seq uint64, p *journal.Audit) error {
	if err := w.exec("UPDATE balances SET opening = opening + unsure, unsure = 0 WHERE era = ? AND unsure <> 0", w.era); err != nil {
		return err
	}
	if p.Settled && p.Halting == 0 {
		if err := w.exec("UPDATE balances SET told = "+owned+", difference = 0, time = ? WHERE era = ?", int64(p.Wall), w.era); err != nil {
			return err
		}
	}
	for _, m := range p.Marks {
		if symbol := w.symbol(m.Instrument); symbol != "" && m.Trade > w.position(symbol).mark {
			pos := w.position(symbol)
			in := &w.names[m.Instrument]
			pos.base, pos.quote, pos.mark = w.asset(in.Base), w.asset(in.Quote), m.Trade
			w.dirty[symbol] = true
		}
	}
	return w.exec("INSERT INTO reconciliations VALUES (?, ?, ?, ?, ?, ?, ?)", int64(seq), w.run, int64(p.Wall), p.Settled, int64(p.Found), int64(p.Halting), p.Text)
}

func (w *Writer) halt(seq uint64, p *journal.Halt) error {
	return w.exec("INSERT INTO halts VALUES (?, ?, ?, ?, ?, ?, ?)", int64(seq), w.run, int64(p.Wall), p.On, risk.HaltCause(p.Code).String(), p.Who, p.Text)
}

package sql

import (
	"riposte/core"
	"riposte/core/journal"
)

// intent stores an order that is about to leave, or what is asked of one that has left.
func (w *Writer) intent(p *journal.Intent) error {
	switch p.Kind {
	case core.Cancel:
		return w.exec("UPDATE orders SET cancel = ? WHERE holder = ? AND number = ?", int64(p.Wall), w.run, int64(p.Order))
	case core.Place, core.Replace:
	default:
		return nil // a report tells what came of it
	}
	replaces := int64(0)
	if p.Kind == core.Replace {
		replaces = int64(p.Old)
	}
	// A request that is made again, such as one signed anew, is the same order.
	return w.exec(`INSERT INTO orders (era, run, holder, number, client, symbol, strategy, side, type, tif, price, qty, stop, iceberg, trail, stp, route, input, replaces, status, signed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (client) DO UPDATE SET price = excluded.price, qty = excluded.qty, stop = excluded.stop, route = excluded.route, signed = excluded.signed`,
		w.era, w.run, w.run, int64(p.Order), p.Client.String(), p.Symbol, int64(p.Strategy), int64(p.Side), int64(p.Type), int64(p.TIF),
		int64(p.Price), int64(p.Qty), int64(p.Stop), int64(p.Iceberg), int64(p.Trail), int64(p.STP), int64(p.Route), int64(p.Input), replaces,
		int64(core.PendingNew), int64(p.Wall))
}

// report stores what became known of an order.
func (w *Writer) report(seq uint64, p *journal.Report) error {
	r, wall := &p.Report, int64(p.Wall)
	if r.Kind == core.ReportFill {
		if err := w.fill(seq, p); err != nil {
			return err
		}
	}
	if r.Kind == core.ReportCancelRejected {
		return nil // nothing has changed
	}
	// Columns keep what they have where the report says nothing.
	acked, doubted, ended, qty := int64(0), int64(0), int64(0), int64(0)
	switch r.Kind {
	case core.ReportAck, core.ReportAdopted:
		acked = wall
	case core.ReportDoubt:
		doubted = wall
	case core.ReportAmended:
		qty = int64(r.Qty)
	case core.ReportDone:
		ended = wall
	}
	// Terminal stays terminal, unless the order turns out to be alive.
	n, err := w.changed(`UPDATE orders SET
		status = CASE WHEN status >= ?1 AND ?2 < ?1 AND ?3 = 0 THEN status ELSE ?2 END,
		ended = CASE WHEN ?3 = 1 THEN 0 WHEN ?4 > 0 THEN ?4 ELSE ended END,
		cum = max(cum, ?5), code = CASE WHEN ?6 <> 0 THEN ?6 ELSE code END, venue = CASE WHEN ?7 <> 0 THEN ?7 ELSE venue END,
		acked = CASE WHEN acked = 0 THEN ?8 ELSE acked END, doubted = CASE WHEN ?9 > 0 THEN ?9 ELSE doubted END,
		qty = CASE WHEN ?10 > 0 THEN ?10 ELSE qty END
		WHERE holder = ?11 AND number = ?12`,
		int64(core.Filled), int64(r.Status), alive(r), ended, int64(r.Cum), int64(r.Code), r.VenueID, acked, doubted, qty, w.run, int64(r.ID))
	if err != nil || n > 0 || r.Kind != core.ReportDone || r.Status != core.NotSent {
		return err
	}
	// An order of which no byte was made: nothing but this report tells of it.
	return w.refusal(0, &journal.Refusal{Kind: core.Place, Side: r.Side, Reason: withheld, Order: r.ID, Wall: p.Wall, Symbol: w.symbol(r.Instrument),
		Count: 1, Text: "not sent: withheld behind the gate"})
}

// withheld is the reason of refusals that come without a reason of the gate's.
const withheld = 1<<16 - 1

// alive is 1 for reports that take back an end.
func alive(r *core.Report) int64 {
	if (r.Kind == core.ReportAdopted || r.Kind == core.ReportResolved) && !r.Status.Terminal() {
		return 1
	}
	return 0
}

// order stores an order that a run starts from, or has found. From then on its number is
// this run's.
func (w *Writer) order(p *journal.Order) error {
	if w.draft == draftEmpty {
		w.draft = draftCarries
	}
	status := core.PendingNew
	switch {
	case p.End != core.PendingNew:
		status = p.End
	case p.Gone:
		status = core.NotSent
	case p.Refused:
		status = core.Rejected
	case p.Alive && p.Filled > 0:
		status = core.PartiallyFilled
	case p.Alive:
		status = core.New
	case p.Doubt:
		status = core.Unknown
	}
	return w.exec(`INSERT INTO orders (era, run, holder, number, client, venue, symbol, strategy, side, type, tif, price, qty, status, cum, signed)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (client) DO UPDATE SET holder = excluded.holder, number = excluded.number, venue = max(venue, excluded.venue), cum = max(cum, excluded.cum)`,
		w.era, w.run, w.run, int64(p.ID), p.Client.String(), p.VenueID, p.Symbol, int64(p.Strategy), int64(p.Side), int64(p.Type), int64(p.TIF),
		int64(p.Price), int64(p.Qty), int64(status), int64(p.Filled), int64(p.Stamp))
}

// strategies stores what the run's numbers of strategies mean.
func (w *Writer) strategies(p *journal.Strategies) error {
	for n, name := range p.Names {
		if err := w.exec("INSERT OR REPLACE INTO strategies VALUES (?, ?, ?)", w.run, n, name); err != nil {
			return err
		}
	}
	return nil
}

// refusal counts what was not let through. Those that differ in nothing but price and
// quantity share a row, which has the last one's, and its record's number.
func (w *Writer) refusal(seq uint64, p *journal.Refusal) error {
	return w.exec(`INSERT INTO refusals (run, reason, symbol, strategy, side, text, count, first, last, number, price, qty, record)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT DO UPDATE SET count = count + excluded.count, last = excluded.last, number = excluded.number, price = excluded.price, qty = excluded.qty,
		record = excluded.record`,
		w.run, int64(p.Reason), p.Symbol, int64(p.Strategy), int64(p.Side), p.Text, int64(p.Count), int64(p.Wall), int64(p.Wall),
		int64(p.Order), int64(p.Price), int64(p.Qty), int64(seq))
}

package binance

import (
	"context"

	"riposte/core"
	"riposte/exec"
)

// Evidence for the order table: whole lists, page by page. The venue gives at most 1000 items a page, oldest
// first from where it is told to begin (Binance Spot API docs, 2026-07-21: allOrders by
// orderId or startTime, myTrades by fromId or startTime).

// HistoryFrom are all orders of an instrument from the venue's id on, working or ended.
// With an error comes what was read before it.
func (r *REST) HistoryFrom(ctx context.Context, id core.InstrumentID, from int64) ([]core.Execution, error) {
	var out []core.Execution
	for {
		page, err := r.AllOrders(ctx, id, from)
		out = append(out, page...)
		if err != nil || len(page) < pageMax {
			return out, err
		}
		from = page[len(page)-1].VenueID + 1
	}
}

// HistorySince are all orders of an instrument made since a venue time.
func (r *REST) HistorySince(ctx context.Context, id core.InstrumentID, since core.WallNs) ([]core.Execution, error) {
	c := &call{method: "GET", path: "/api/v3/allOrders", weight: weightAllOrders, sec: signed, claim: exec.ForOrders}
	c.params.Text("symbol", r.cfg.Instruments.Get(id).Symbol).Int("startTime", int64(since)/1e6).Int("limit", pageMax)
	out, err := r.orders(ctx, c)
	if err != nil || len(out) < pageMax {
		return out, err
	}
	rest, err := r.HistoryFrom(ctx, id, out[len(out)-1].VenueID+1)
	return append(out, rest...), err
}

// TradesSince are the account's fills of an instrument since a venue time.
func (r *REST) TradesSince(ctx context.Context, id core.InstrumentID, since core.WallNs) ([]core.Execution, error) {
	c := &call{method: "GET", path: "/api/v3/myTrades", weight: weightMyTrades, sec: signed, claim: exec.ForOrders}
	c.params.Text("symbol", r.cfg.Instruments.Get(id).Symbol).Int("startTime", int64(since)/1e6).Int("limit", pageMax)
	out, err := r.tradePage(ctx, c)
	if err != nil || len(out) < pageMax {
		return out, err
	}
	rest, err := r.TradesFrom(ctx, id, out[len(out)-1].TradeID+1)
	return append(out, rest...), err
}

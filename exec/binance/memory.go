package binance

import (
	"context"

	"riposte/core"
)

// What the feed asks of the venue's memory, as bytes: it reads them itself.

// TradesBody is public trades, oldest first, at most limit (1 to 1000), from trade id
// from on, or the newest if that is below 0: GET /api/v3/historicalTrades or
// /api/v3/trades, weight 25 (Binance Spot API docs, 2026-07-21).
func (r *REST) TradesBody(ctx context.Context, symbol string, from int64, limit int) ([]byte, error) {
	c := &call{method: "GET", path: "/api/v3/trades", weight: weightTrades}
	c.params.Text("symbol", symbol)
	if from >= 0 {
		c.path = "/api/v3/historicalTrades"
		c.params.Int("fromId", from)
	}
	c.params.Int("limit", int64(limit))
	return r.do(ctx, c)
}

// AggTradesBody is aggregate trades likewise, by their own ids: GET /api/v3/aggTrades,
// weight 4 (Binance Spot API docs, 2026-07-21).
func (r *REST) AggTradesBody(ctx context.Context, symbol string, from int64, limit int) ([]byte, error) {
	c := &call{method: "GET", path: "/api/v3/aggTrades", weight: weightAggTrades}
	c.params.Text("symbol", symbol)
	if from >= 0 {
		c.params.Int("fromId", from)
	}
	c.params.Int("limit", int64(limit))
	return r.do(ctx, c)
}

// KlinesBody is bars, oldest first, at most limit (1 to 1000), that open from start on
// and before end, aligned to a time zone ("0", "8"): GET /api/v3/klines, weight 2
// (Binance Spot API docs, 2026-07-21).
func (r *REST) KlinesBody(ctx context.Context, symbol, interval, zone string, start, end core.WallNs, limit int) ([]byte, error) {
	c := &call{method: "GET", path: "/api/v3/klines", weight: weightKlines}
	c.params.Text("symbol", symbol).Text("interval", interval).Time("startTime", start).Time("endTime", end-1e6)
	if zone != "0" {
		c.params.Text("timeZone", zone)
	}
	c.params.Int("limit", int64(limit))
	return r.do(ctx, c)
}

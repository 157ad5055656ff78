package binance

import (
	"context"
	"fmt"
	"time"

	"riposte/core"
	"riposte/exec"
)

// Weights as documented (Binance Spot API docs, 2026-07-21); the successful calls that
// cost nothing since 2026-04-02 are booked at their price and corrected by the next
// answer.

// DepthWeight is the price of GET /depth by its limit.
func DepthWeight(limit int) int {
	switch {
	case limit <= 100:
		return 5
	case limit <= 500:
		return 25
	case limit <= 1000:
		return 50
	}
	return 250
}

const (
	weightTime         = 1
	weightInfo         = 20
	weightKlines       = 2
	weightTrades       = 25
	weightAccount      = 20
	weightOrder        = 4
	weightOpenAll      = 80
	weightOpenOne      = 6
	weightAllOrders    = 20
	weightMyTrades     = 20
	weightOrderTrades  = 5
	weightCancel       = 1
	weightOrderTest    = 1
	weightRestrictions = 1
	weightAggTrades    = 4
	weightAvgPrice     = 2
	weightOpenLists    = 6
	weightCommission   = 20
	weightOrderLimits  = 40
	weightMyFilters    = 40
	weightPrevented    = 20
	weightOnePrevented = 2
	weightAmendments   = 4
	weightCountdown    = 10
	infoMax            = 96 << 20
	pageMax            = 1000
)

// ServerTime is the venue's time, told in milliseconds: GET /api/v3/time, weight 1
// (Binance Spot API docs, 2026-07-21).
func (r *REST) ServerTime(ctx context.Context) (core.WallNs, error) {
	body, err := r.do(ctx, &call{method: "GET", path: "/api/v3/time", weight: weightTime, claim: exec.ForOrders})
	if err != nil {
		return 0, err
	}
	return parseTime(body)
}

// SyncClock measures the venue's clock with several samples and sets Time by the
// fastest.
func (r *REST) SyncClock(ctx context.Context) error {
	return r.cfg.Time.Sync(ctx, r.cfg.Samples, func(ctx context.Context) (core.WallNs, time.Duration, error) {
		t, err := r.ServerTime(ctx)
		return t, time.Millisecond, err
	})
}

// namesMost is how many symbols a request names; with more it asks for all, which costs
// no more and does not make a URL of kilobytes.
const namesMost = 100

// ExchangeInfo is the raw body of exchangeInfo for some symbols, or for all when
// none or more than a hundred are named: GET /api/v3/exchangeInfo, weight 20 (Binance Spot API docs,
// 2026-07-21). ParseLimits reads the rate limits out of it.
func (r *REST) ExchangeInfo(ctx context.Context, symbols ...string) ([]byte, error) {
	c := &call{method: "GET", path: "/api/v3/exchangeInfo", weight: weightInfo, max: infoMax, claim: exec.ForOrders}
	if len(symbols) <= namesMost {
		symbolList(&c.params, symbols)
	}
	return r.do(ctx, c)
}

// Depth is the raw body of an order book snapshot, limit 1 to 5000 levels a side: GET
// /api/v3/depth, weight 5 to 250 by its limit (Binance Spot API docs, 2026-07-21).
func (r *REST) Depth(ctx context.Context, symbol string, limit int) ([]byte, error) {
	if limit < 1 || limit > 5000 {
		return nil, &exec.CallError{Op: "GET /api/v3/depth", Class: exec.ClassRefused, Err: fmt.Errorf("limit is %d, want 1 to 5000", limit)}
	}
	c := &call{method: "GET", path: "/api/v3/depth", weight: DepthWeight(limit)}
	c.params.Text("symbol", symbol).Int("limit", int64(limit))
	return r.do(ctx, c)
}

// Klines are candles, oldest first: at most limit (1 to 1000), from start on if it is
// not 0, else the newest: GET /api/v3/klines, weight 2 (Binance Spot API docs,
// 2026-07-21).
func (r *REST) Klines(ctx context.Context, symbol, interval string, start core.WallNs, limit int) ([]Kline, error) {
	c := &call{method: "GET", path: "/api/v3/klines", weight: weightKlines}
	c.params.Text("symbol", symbol).Text("interval", interval)
	if start > 0 {
		c.params.Int("startTime", int64(start)/1e6)
	}
	c.params.Int("limit", int64(limit))
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, parseKlines)
}

// Trades are the newest public trades, oldest first, at most limit (1 to 1000): GET
// /api/v3/trades, weight 25 (Binance Spot API docs, 2026-07-21).
func (r *REST) Trades(ctx context.Context, symbol string, limit int) ([]PublicTrade, error) {
	c := &call{method: "GET", path: "/api/v3/trades", weight: weightTrades}
	c.params.Text("symbol", symbol).Int("limit", int64(limit))
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, parseTrades)
}

// Account is the account with all its balances that are not zero, by name: assets
// need not be in the table yet. GET /api/v3/account, weight 20 (Binance Spot API docs,
// 2026-07-21).
func (r *REST) Account(ctx context.Context) (*Account, error) {
	c := &call{method: "GET", path: "/api/v3/account", weight: weightAccount, sec: signed, claim: exec.ForOrders}
	c.params.Text("omitZeroBalances", "true")
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, parseAccount)
}

// Balances are the balances of all assets in the table; those the account does not
// hold are 0. With them comes when the account was last updated, as far as the answer knows.
func (r *REST) Balances(ctx context.Context) ([]core.Balance, core.WallNs, error) {
	a, err := r.Account(ctx)
	if err != nil {
		return nil, 0, err
	}
	out := make([]core.Balance, len(r.cfg.Instruments.Assets))
	for i := range out {
		out[i].Asset = core.AssetID(i)
	}
	for _, b := range a.Balances {
		if id, ok := r.cfg.Instruments.AssetID(b.Asset); ok {
			out[id] = core.Balance{Asset: id, Free: b.Free, Locked: b.Locked}
		} else {
			r.unknownAssets.Add(1)
		}
	}
	return out, a.Updated, nil
}

// OpenOrders are all working orders of the account: GET /api/v3/openOrders, weight 80
// (Binance Spot API docs, 2026-07-21).
func (r *REST) OpenOrders(ctx context.Context) ([]core.Execution, error) {
	c := &call{method: "GET", path: "/api/v3/openOrders", weight: weightOpenAll, sec: signed, claim: exec.ForOrders}
	return r.orders(ctx, c)
}

// OpenOrdersOf are the working orders of one instrument: the same, weight 6.
func (r *REST) OpenOrdersOf(ctx context.Context, id core.InstrumentID) ([]core.Execution, error) {
	c := &call{method: "GET", path: "/api/v3/openOrders", weight: weightOpenOne, sec: signed, claim: exec.ForOrders}
	c.params.Text("symbol", r.cfg.Instruments.Get(id).Symbol)
	return r.orders(ctx, c)
}

// AllOrders are orders of one instrument from venue id from on, working or not,
// at most 1000: GET /api/v3/allOrders, weight 20 (Binance Spot API docs, 2026-07-21).
func (r *REST) AllOrders(ctx context.Context, id core.InstrumentID, from int64) ([]core.Execution, error) {
	c := &call{method: "GET", path: "/api/v3/allOrders", weight: weightAllOrders, sec: signed, claim: exec.ForOrders}
	c.params.Text("symbol", r.cfg.Instruments.Get(id).Symbol).Int("orderId", from).Int("limit", pageMax)
	return r.orders(ctx, c)
}

func (r *REST) orders(ctx context.Context, c *call) ([]core.Execution, error) {
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, r.parseOrders)
}

// Order is the state of one order, by the venue's id if it is not 0, else by ours: GET
// /api/v3/order, weight 4 (Binance Spot API docs, 2026-07-21).
func (r *REST) Order(ctx context.Context, id core.InstrumentID, client core.ClientID, venueID int64) (core.Execution, error) {
	c := &call{method: "GET", path: "/api/v3/order", weight: weightOrder, sec: signed, claim: exec.ForOrders}
	identify(c, r.cfg.Instruments.Get(id).Symbol, client, venueID)
	return r.oneOrder(ctx, c, "clientOrderId", client, venueID)
}

// Cancel cancels one order, by the venue's id if it is not 0, else by ours, and
// returns its last state. If it was a leg, its list has ended with it.
// DELETE /api/v3/order, weight 1 if it fails (Binance Spot API docs, 2026-07-21).
func (r *REST) Cancel(ctx context.Context, id core.InstrumentID, client core.ClientID, venueID int64) (core.Execution, error) {
	c := &call{method: "DELETE", path: "/api/v3/order", weight: weightCancel, sec: signed, claim: exec.ForCancels}
	identify(c, r.cfg.Instruments.Get(id).Symbol, client, venueID)
	return r.oneOrder(ctx, c, "origClientOrderId", client, venueID)
}

func identify(c *call, symbol string, client core.ClientID, venueID int64) {
	c.params.Text("symbol", symbol)
	if venueID != 0 {
		c.params.Int("orderId", venueID)
	} else {
		c.params.Text("origClientOrderId", client.String())
	}
}

func (r *REST) oneOrder(ctx context.Context, c *call, idField string, client core.ClientID, venueID int64) (core.Execution, error) {
	body, err := r.do(ctx, c)
	if err != nil {
		return core.Execution{}, err
	}
	return parsed(c, body, func(b []byte) (core.Execution, error) { return r.parseOrder(b, idField, client, venueID) })
}

// OrderTest has the venue check an intent without placing it; see Test.
func (r *REST) OrderTest(ctx context.Context, in *core.Intent) error {
	c := &call{method: "POST", path: "/api/v3/order/test", weight: weightOrderTest, sec: signed}
	c.params.Text("symbol", r.cfg.Instruments.Get(in.Instrument).Symbol).Text("side", in.Side.String()).Text("type", in.Type.String())
	if in.Type == core.Limit {
		c.params.Text("timeInForce", in.TIF.String())
	}
	c.params.Decimal("quantity", int64(in.Qty))
	if in.Type != core.MarketOrder {
		c.params.Decimal("price", int64(in.Price))
	}
	_, err := r.do(ctx, c)
	return err
}

// OrderTrades are the fills of one order: GET /api/v3/myTrades page by page, weight 5
// each (Binance Spot API docs, 2026-07-21).
func (r *REST) OrderTrades(ctx context.Context, id core.InstrumentID, venueID int64) ([]core.Execution, error) {
	var out []core.Execution
	for from := int64(-1); ; {
		c := &call{method: "GET", path: "/api/v3/myTrades", weight: weightOrderTrades, sec: signed, claim: exec.ForOrders}
		c.params.Text("symbol", r.cfg.Instruments.Get(id).Symbol).Int("orderId", venueID).Int("limit", pageMax)
		if from >= 0 {
			c.params.Int("fromId", from)
		}
		page, err := r.tradePage(ctx, c)
		if err != nil {
			return nil, err
		}
		if out = append(out, page...); len(page) < pageMax {
			return out, nil
		}
		from = page[len(page)-1].TradeID + 1
	}
}

// TradesFrom are the account's fills of an instrument from trade id from on, all
// pages, oldest first; from < 0 is the newest one only. GET /api/v3/myTrades, weight 20 a
// page (Binance Spot API docs, 2026-07-21).
func (r *REST) TradesFrom(ctx context.Context, id core.InstrumentID, from int64) ([]core.Execution, error) {
	var out []core.Execution
	for {
		c := &call{method: "GET", path: "/api/v3/myTrades", weight: weightMyTrades, sec: signed, claim: exec.ForOrders}
		c.params.Text("symbol", r.cfg.Instruments.Get(id).Symbol)
		if from < 0 {
			c.params.Int("limit", 1)
			return r.tradePage(ctx, c)
		}
		c.params.Int("fromId", from).Int("limit", pageMax)
		page, err := r.tradePage(ctx, c)
		if err != nil {
			return nil, err
		}
		if out = append(out, page...); len(page) < pageMax {
			return out, nil
		}
		from = page[len(page)-1].TradeID + 1
	}
}

func (r *REST) tradePage(ctx context.Context, c *call) ([]core.Execution, error) {
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, r.parseMyTrades)
}

// Restrictions is what the key may do, from the only call that tells it. Not every
// environment has it.
func (r *REST) Restrictions(ctx context.Context) (*Restrictions, error) {
	c := &call{method: "GET", path: "/sapi/v1/account/apiRestrictions", weight: weightRestrictions, sec: signed, claim: exec.ForOrders}
	body, err := r.do(ctx, c)
	if err != nil {
		return nil, err
	}
	return parsed(c, body, parseRestrictions)
}

func parsed[T any](c *call, body []byte, f func([]byte) (T, error)) (T, error) {
	v, err := f(body)
	if err != nil {
		var zero T
		return zero, &exec.CallError{Op: c.op(), Class: exec.ClassUnknown, Status: 200, Err: err}
	}
	return v, nil
}
